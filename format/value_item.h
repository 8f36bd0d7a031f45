/* Values as the log has them (spec/format.md, section 10): what their arrays
 * begin with, and the parts that the writer and the reader share.
 * Thread rule: none, plain data. */
#ifndef PT_FORMAT_VALUE_ITEM_H
#define PT_FORMAT_VALUE_ITEM_H

#include "format/cbor.h"

#include <pt/value.h>
#include <pt/writer.h>

/* The first item of an array. */
enum pt_value_item {
    PT_ITEM_REF = 1,       /* number */
    PT_ITEM_SAME = 2,      /* where it was told */
    PT_ITEM_CUT_STR = 3,   /* length, text */
    PT_ITEM_CUT_BYTES = 4, /* length, bytes */
    PT_ITEM_CUT_INT = 5,   /* bits, 1 if negative */
    PT_ITEM_REDACTED = 6,
    PT_ITEM_OBJECT = 7, /* type, number, form, length, items */
    PT_ITEM_UNREAD = 8,
    PT_ITEM_ELLIPSIS = 9,
    PT_ITEM_NOTIMPLEMENTED = 10,
    PT_ITEM_AGAIN = 11, /* number, length, where it was told */
    PT_ITEM_LIMIT = 12
};
enum { PT_ITEM_OBJECT_HEAD = 5 }; /* before the items, the 7 counted */

/* The values of a block: their bytes one after the other, and the variables
 * that they are of. */
struct pt_block_values {
    struct pt_buf bytes;
    uint32_t *sizes;
    size_t n, cap;
    uint64_t *slots; /* a hash table of code << 32 | dst; 0 is free */
    size_t nslots, variables;
};
void pt_block_values_free(struct pt_block_values *);
void pt_block_values_reset(struct pt_block_values *);

/* The body of a values chunk.  `scratch` is reused from call to call. */
void pt_values_write(struct pt_buf *, const struct pt_block_values *,
                     struct pt_buf *scratch);

/* --- the index of variables ----------------------------------------------- */

/* Adds the block whose first event is `seq` to the entries of an index. */
void pt_variables_add(struct pt_buf *entries, uint64_t seq,
                      const struct pt_block_values *);
/* The body of a variables chunk that has `n` entries. */
void pt_variables_write(struct pt_buf *, const struct pt_buf *entries,
                        size_t n);

#endif
