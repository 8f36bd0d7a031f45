#include "analyze/marshal.h"
#include "analyze/utf8.h"

#include <string.h>

enum { DIGIT_BITS = 15 }; /* of marshal's long integers */

static void
put_u16(struct pt_out *o, uint32_t v)
{
    pt_out_char(o, (char)(v & 255));
    pt_out_char(o, (char)(v >> 8 & 255));
}

static void
put_u32(struct pt_out *o, uint32_t v)
{
    put_u16(o, v);
    put_u16(o, v >> 16);
}

void
pt_marshal_dict_open(struct pt_out *o)
{
    pt_out_char(o, '{');
}

void
pt_marshal_dict_close(struct pt_out *o)
{
    pt_out_char(o, '0');
}

void
pt_marshal_tuple(struct pt_out *o, uint32_t n)
{
    pt_out_char(o, '(');
    put_u32(o, n);
}

void
pt_marshal_int(struct pt_out *o, uint64_t v)
{
    if (v <= INT32_MAX) {
        pt_out_char(o, 'i');
        put_u32(o, (uint32_t)v);
        return;
    }
    uint32_t digits = 0;
    for (uint64_t rest = v; rest; rest >>= DIGIT_BITS)
        digits++;
    pt_out_char(o, 'l');
    put_u32(o, digits);
    for (; v; v >>= DIGIT_BITS)
        put_u16(o, (uint32_t)(v & ((1u << DIGIT_BITS) - 1)));
}

void
pt_marshal_float(struct pt_out *o, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    pt_out_char(o, 'g');
    put_u32(o, (uint32_t)bits);
    put_u32(o, (uint32_t)(bits >> 32));
}

void
pt_marshal_str(struct pt_out *o, struct pt_str s)
{
    static const char replacement[3] = "\xef\xbf\xbd";
    size_t len = 0;
    uint32_t code;
    unsigned n;
    /* A byte that is no WTF-8 would make the whole file unreadable. */
    for (size_t i = 0; i < s.len; i += n) {
        n = pt_utf8_next(s.data + i, s.len - i, &code);
        len += n == 1 && code == 0xfffd ? sizeof replacement : n;
    }
    pt_out_char(o, 'u');
    put_u32(o, (uint32_t)len);
    for (size_t i = 0; i < s.len; i += n) {
        n = pt_utf8_next(s.data + i, s.len - i, &code);
        if (n == 1 && code == 0xfffd)
            pt_out_bytes(o, replacement, sizeof replacement);
        else
            pt_out_bytes(o, s.data + i, n);
    }
}
