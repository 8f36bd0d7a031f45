#include "format/value_item.h"

#include <string.h>

/* Small to begin with: a thousand threads have a block each. */
enum { FIRST_EVENTS = 1024 };

enum pt_status
pt_block_new(struct pt_block **out)
{
    struct pt_block *b = pt_alloc_zero(1, sizeof *b);
    if (b == NULL)
        return PT_ENOMEM;
    *out = b;
    return PT_OK;
}

void
pt_block_free(struct pt_block *b)
{
    if (b == NULL)
        return;
    pt_alloc_free(b->shape);
    pt_alloc_free(b->time);
    pt_alloc_free(b->arg);
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++)
        pt_alloc_free(b->column[c]);
    pt_block_values_free(b->values);
    pt_alloc_free(b);
}

void
pt_block_reset(struct pt_block *b)
{
    for (unsigned s = 0; s < b->nshapes; s++)
        b->number[b->shapes[s]][b->masks[s]] = 0;
    memset(b->counts, 0, sizeof b->counts);
    memset(b->used, 0, sizeof b->used);
    b->nshapes = 0;
    b->n = 0;
    pt_block_values_reset(b->values);
}

static bool
resize(void *array, size_t n, size_t size)
{
    void *old;
    memcpy(&old, array, sizeof old);
    void *p = pt_alloc_again(old, n * size);
    if (p == NULL)
        return false;
    memcpy(array, &p, sizeof p);
    return true;
}

/* Any event may fill any column, so all have room for `capacity` values; a
 * column that no shape of the block names is not allocated. */
static bool
grow_columns(struct pt_block *b, uint32_t capacity, unsigned mask)
{
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++) {
        if (!(mask & 1u << c))
            continue;
        bool ok = c == PT_COL_TIME  ? resize(&b->time, capacity, 8)
                  : c == PT_COL_ARG ? resize(&b->arg, capacity, 8)
                                    : resize(&b->column[c], capacity, 4);
        if (!ok)
            return false;
    }
    return true;
}

/* The columns that are allocated. */
static unsigned
present(const struct pt_block *b)
{
    unsigned mask = 0;
    if (b->time != NULL)
        mask |= PT_HAS(TIME);
    if (b->arg != NULL)
        mask |= PT_HAS(ARG);
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++)
        if (b->column[c] != NULL)
            mask |= 1u << c;
    return mask;
}

enum pt_status
pt_block_grow(struct pt_block *b)
{
    if (b->n < b->capacity)
        return PT_OK;
    if (b->capacity >= PT_BLOCK_EVENTS)
        return PT_ELIMIT;
    uint32_t capacity = b->capacity ? 4 * b->capacity : FIRST_EVENTS;
    if (!resize(&b->shape, capacity, 1) ||
        !grow_columns(b, capacity, present(b)))
        return PT_ENOMEM;
    b->capacity = capacity;
    return PT_OK;
}

enum pt_status
pt_block_shape(struct pt_block *b, uint8_t kind, uint8_t mask, uint8_t *number)
{
    if (kind == 0 || kind >= PT_KIND_LIMIT)
        return PT_EUSAGE;
    if (b->number[kind][mask] != 0) {
        *number = (uint8_t)(b->number[kind][mask] - 1);
        return PT_OK;
    }
    if (b->nshapes == PT_BLOCK_SHAPES)
        return PT_ELIMIT;
    if (!grow_columns(b, b->capacity, mask & ~present(b)))
        return PT_ENOMEM;
    uint8_t s = (uint8_t)b->nshapes++;
    b->shapes[s] = kind;
    b->masks[s] = mask;
    b->number[kind][mask] = (uint8_t)(s + 1);
    *number = s;
    return PT_OK;
}
