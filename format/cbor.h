/* CBOR as the log uses it: definite lengths only.
 *
 * Writing appends items to a pt_buf; a failed allocation sticks to the
 * buffer.  Reading is a cursor over bytes that pulls one item at a time; the
 * first thing that is not as asked for makes the cursor `bad`, and from then
 * on every call gives 0 or "".  So a caller reads a whole structure and looks
 * at `bad` once, but must look at it before a count is used to allocate.
 * Thread rule: none, plain data. */
#ifndef PT_FORMAT_CBOR_H
#define PT_FORMAT_CBOR_H

#include "format/alloc.h"

#include <pt/log.h>

/* --- writing -------------------------------------------------------------- */

void pt_cbor_uint(struct pt_buf *, uint64_t v);
void pt_cbor_int(struct pt_buf *, int64_t v);
void pt_cbor_bytes(struct pt_buf *, const void *data, size_t len);
/* The head of a byte string and room for its bytes, counted in already. */
uint8_t *pt_cbor_bytes_room(struct pt_buf *, size_t len);
/* A text string; for literals such as keys. */
void pt_cbor_text(struct pt_buf *, const char *text);
/* A text string where `s` is valid UTF-8, else a byte string. */
void pt_cbor_str(struct pt_buf *, struct pt_str s);
void pt_cbor_array(struct pt_buf *, size_t n);
void pt_cbor_map(struct pt_buf *, size_t pairs);
void pt_cbor_tag(struct pt_buf *, uint64_t tag);
void pt_cbor_null(struct pt_buf *);
void pt_cbor_bool(struct pt_buf *, bool v);
void pt_cbor_double(struct pt_buf *, double v);

/* Strict UTF-8: no surrogates, no overlong forms. */
bool pt_utf8_valid(const char *data, size_t len);

/* --- reading -------------------------------------------------------------- */

enum pt_cbor_type {
    PT_CBOR_UINT,   /* value */
    PT_CBOR_NEGINT, /* -1 - value */
    PT_CBOR_BYTES,  /* data, value bytes */
    PT_CBOR_TEXT,   /* data, value bytes */
    PT_CBOR_ARRAY,  /* value items follow */
    PT_CBOR_MAP,    /* value pairs follow */
    PT_CBOR_TAG,    /* value; one item follows */
    PT_CBOR_FLOAT,  /* real */
    PT_CBOR_BOOL,   /* value */
    PT_CBOR_NULL,
    PT_CBOR_UNDEFINED
};

struct pt_cbor_item {
    enum pt_cbor_type type;
    uint64_t value;
    double real;
    const uint8_t *data;
};

struct pt_cbor {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static inline struct pt_cbor
pt_cbor_over(const void *data, size_t len)
{
    const uint8_t *p = data;
    return (struct pt_cbor){p, p + len, false};
}

/* The next item's head (a string with its bytes).  False when bad.  A count
 * of items is never more than the bytes left. */
bool pt_cbor_next(struct pt_cbor *, struct pt_cbor_item *);
/* Skips `n` items with all that is inside them. */
void pt_cbor_skip(struct pt_cbor *, uint64_t n);
/* True, and the null is consumed, when the next item is null. */
bool pt_cbor_take_null(struct pt_cbor *);

/* An item of one type and range, or bad. */
uint64_t pt_cbor_get_uint(struct pt_cbor *, uint64_t max);
int64_t pt_cbor_get_int(struct pt_cbor *);
struct pt_str pt_cbor_get_bytes(struct pt_cbor *);
struct pt_str pt_cbor_get_str(struct pt_cbor *); /* text or bytes */
struct pt_str pt_cbor_get_text(struct pt_cbor *);
size_t pt_cbor_get_array(struct pt_cbor *);
size_t pt_cbor_get_map(struct pt_cbor *);

static inline bool
pt_str_is(struct pt_str s, const char *literal)
{
    size_t n = __builtin_strlen(literal);
    return s.len == n && __builtin_memcmp(s.data, literal, n) == 0;
}

#endif
