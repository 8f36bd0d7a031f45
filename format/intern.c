#include "format/intern.h"

#include "format/alloc.h"

#include <string.h>
#include <xxhash.h>

struct pt_intern_slot {
    uint64_t low, high;
    uint32_t id; /* 0: free */
};

void
pt_intern_clear(struct pt_intern *t)
{
    pt_alloc_free(t->slots);
    memset(t, 0, sizeof *t);
}

/* The slot that holds the hash, or the free one where it belongs. */
static struct pt_intern_slot *
find(struct pt_intern_slot *slots, size_t size, uint64_t low, uint64_t high)
{
    size_t i = low & (size - 1);
    while (slots[i].id != 0 && (slots[i].low != low || slots[i].high != high))
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static enum pt_status
grow(struct pt_intern *t)
{
    size_t size = t->size ? 2 * t->size : 64;
    struct pt_intern_slot *slots = pt_alloc_zero(size, sizeof *slots);
    if (slots == NULL)
        return PT_ENOMEM;
    for (size_t i = 0; i < t->size; i++)
        if (t->slots[i].id != 0)
            *find(slots, size, t->slots[i].low, t->slots[i].high) = t->slots[i];
    pt_alloc_free(t->slots);
    t->slots = slots;
    t->size = size;
    return PT_OK;
}

enum pt_status
pt_intern_add(struct pt_intern *t, const void *content, size_t len,
              uint32_t *id, bool *fresh)
{
    /* At most two thirds full, so that a search ends soon. */
    if ((size_t)t->count + 1 > t->size / 3 * 2) {
        enum pt_status st = grow(t);
        if (st != PT_OK)
            return st;
    }
    XXH128_hash_t h = XXH3_128bits(content, len);
    struct pt_intern_slot *slot = find(t->slots, t->size, h.low64, h.high64);
    *fresh = slot->id == 0;
    if (*fresh) {
        if (t->count == UINT32_MAX - 1)
            return PT_ELIMIT;
        *slot = (struct pt_intern_slot){h.low64, h.high64, ++t->count};
    }
    *id = slot->id;
    return PT_OK;
}
