/* An events chunk's CBOR item, taken apart: its columns are still packed.
 * Thread rule: none, plain data. */
#ifndef PT_FORMAT_ITEM_H
#define PT_FORMAT_ITEM_H

#include "format/columns.h"

#include <pt/log.h>

/* The columns are borrowed from the item's bytes. */
struct pt_item {
    uint32_t n;
    int64_t since;
    struct pt_clock_pair clock;
    uint32_t nshapes;
    uint8_t kinds[256];
    uint8_t masks[256];
    size_t depth; /* frames in the stack */
    struct pt_column_in shape;
    struct pt_column_in columns[PT_COLUMN_COUNT];
    struct pt_str later; /* a transform that is not known here */
};

/* A growing array of frames, reused from item to item. */
struct pt_stack {
    struct pt_frame *frames;
    size_t cap;
};

/* Takes an item apart and checks what can be checked without its columns.
 * PT_EDAMAGED; PT_ENOMEM; PT_EUNSUPPORTED where a column's transform is of a
 * later version. */
enum pt_status pt_item_read(struct pt_str bytes, struct pt_stack *,
                            struct pt_item *out);

#endif
