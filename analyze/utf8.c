#include "analyze/utf8.h"

unsigned
pt_utf8_next(const void *bytes, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = bytes;
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    unsigned n = p[0] < 0xc0   ? 0
                 : p[0] < 0xe0 ? 2
                 : p[0] < 0xf0 ? 3
                 : p[0] < 0xf8 ? 4
                               : 0;
    *code = 0xfffd;
    if (n == 0 || n > left)
        return 1;
    uint32_t c = p[0] & (0x7fu >> n);
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff)
        return 1;
    *code = c;
    return n;
}
