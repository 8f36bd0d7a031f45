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

uint64_t
pt_utf8_count(const void *p, size_t len)
{
    uint64_t n = 0;
    uint32_t code;
    for (size_t i = 0; i < len; n++)
        i += pt_utf8_next((const char *)p + i, len - i, &code);
    return n;
}
