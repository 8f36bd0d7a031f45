/* Writing the bytes of a value: CBOR with definite lengths and the shortest
 * heads (RFC 8949), as record/proto.h has it.
 *
 * Nothing here looks at the end: who writes has checked `limit` before, and
 * behind it lies room for what the containers around still add.
 * Thread rule: plain data. */
#ifndef PT_INSIDE_VALUE_CBOR_H
#define PT_INSIDE_VALUE_CBOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PT_CBOR_HEAD = 9 }; /* bytes of a head, at most */

enum pt_cbor_major {
    PT_CBOR_UINT = 0,
    PT_CBOR_NEGATIVE = 1,
    PT_CBOR_BYTES = 2,
    PT_CBOR_TEXT = 3,
    PT_CBOR_ARRAY = 4,
    PT_CBOR_TAG = 6
};

enum {
    PT_CBOR_FALSE = 0xf4,
    PT_CBOR_TRUE = 0xf5,
    PT_CBOR_NULL = 0xf6,
    PT_CBOR_UNDEFINED = 0xf7,
    PT_CBOR_DOUBLE = 0xfb
};

/* The arrays of the values that CBOR has no item for, by their first item. */
enum pt_value_mark {
    PT_MARK_REF = 1,
    PT_MARK_SAME = 2,
    PT_MARK_CUT_STR = 3,
    PT_MARK_CUT_BYTES = 4,
    PT_MARK_LARGE_INT = 5,
    PT_MARK_REDACTED = 6,
    PT_MARK_OBJECT = 7,
    PT_MARK_UNREAD = 8,
    PT_MARK_ELLIPSIS = 9,
    PT_MARK_NOTIMPLEMENTED = 10
};

struct pt_cbor {
    uint8_t *at, *limit;
};

static inline void
pt_cbor_byte(struct pt_cbor *w, unsigned byte)
{
    *w->at++ = (uint8_t)byte;
}

/* How many bytes a head with that argument has. */
static inline unsigned
pt_cbor_head_size(uint64_t n)
{
    return n < 24 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : n >> 32 == 0 ? 5 : 9;
}

static inline void
pt_cbor_head(struct pt_cbor *w, enum pt_cbor_major major, uint64_t n)
{
    unsigned size = pt_cbor_head_size(n);
    unsigned lead = (unsigned)major << 5;
    if (size == 1) {
        pt_cbor_byte(w, lead | (unsigned)n);
        return;
    }
    pt_cbor_byte(w, lead | (size == 2   ? 24u
                            : size == 3 ? 25u
                            : size == 5 ? 26u
                                        : 27u));
    for (unsigned shift = (size - 1) * 8; shift > 0; shift -= 8)
        pt_cbor_byte(w, (unsigned)(n >> (shift - 8)) & 0xff);
}

static inline void
pt_cbor_uint(struct pt_cbor *w, uint64_t n)
{
    pt_cbor_head(w, PT_CBOR_UINT, n);
}

static inline void
pt_cbor_double(struct pt_cbor *w, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    bits = __builtin_bswap64(bits);
    pt_cbor_byte(w, PT_CBOR_DOUBLE);
    memcpy(w->at, &bits, sizeof bits);
    w->at += sizeof bits;
}

static inline void
pt_cbor_string(struct pt_cbor *w, enum pt_cbor_major major, const void *data,
               size_t n)
{
    pt_cbor_head(w, major, n);
    memcpy(w->at, data, n);
    w->at += n;
}

/* [mark], and the head of an array that begins with it. */
static inline void
pt_cbor_mark(struct pt_cbor *w, enum pt_value_mark mark, unsigned items)
{
    pt_cbor_head(w, PT_CBOR_ARRAY, 1 + items);
    pt_cbor_uint(w, mark);
}

#endif
