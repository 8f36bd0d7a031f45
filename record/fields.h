/* Reading the fields of a definition message: a cursor that never leaves its
 * bytes.  After the first field that does not fit, every read gives zeros and
 * `bad` stays set, so a parser checks once at its end.
 * Thread rule: plain data. */
#ifndef PT_RECORD_FIELDS_H
#define PT_RECORD_FIELDS_H

#include <pt/log.h>

#include <string.h>

struct pt_fields {
    const unsigned char *p, *end;
    bool bad;
};

static inline size_t
pt_fields_left(const struct pt_fields *b)
{
    return (size_t)(b->end - b->p);
}

static inline uint32_t
pt_fields_u32(struct pt_fields *b)
{
    uint32_t v = 0;
    if (pt_fields_left(b) < sizeof v) {
        b->bad = true;
        b->p = b->end;
        return 0;
    }
    memcpy(&v, b->p, sizeof v);
    b->p += sizeof v;
    return v;
}

static inline uint64_t
pt_fields_u64(struct pt_fields *b)
{
    uint64_t low = pt_fields_u32(b);
    return low | (uint64_t)pt_fields_u32(b) << 32;
}

/* Borrowed from the message. */
static inline struct pt_str
pt_fields_str(struct pt_fields *b)
{
    uint32_t len = pt_fields_u32(b);
    struct pt_str s = {NULL, 0};
    if (len > pt_fields_left(b)) {
        b->bad = true;
        b->p = b->end;
    } else if (len > 0) {
        s = (struct pt_str){(const char *)b->p, len};
        b->p += len;
    }
    return s;
}

/* A count of items of at least `least` bytes each: as many as the rest of the
 * message can hold, so that an allocation by it is bounded by what was sent. */
static inline uint32_t
pt_fields_count(struct pt_fields *b, size_t least)
{
    uint32_t n = pt_fields_u32(b);
    if (n > pt_fields_left(b) / least) {
        b->bad = true;
        b->p = b->end;
        return 0;
    }
    return n;
}

#endif
