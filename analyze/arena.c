#include "analyze/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum { BLOCK = 16384 };

struct pt_arena_block {
    struct pt_arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static struct pt_arena_block *
more(struct pt_arena *a, size_t bytes)
{
    size_t size = bytes > BLOCK ? bytes : BLOCK;
    if (size > SIZE_MAX - sizeof(struct pt_arena_block) ||
        a->total > a->limit || size > a->limit - a->total)
        return NULL;
    struct pt_arena_block *b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    a->total += size;
    return b;
}

void *
pt_arena_array(struct pt_arena *a, size_t n, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size && n > (SIZE_MAX - align) / size)
        return NULL;
    size_t bytes = (n * size + align - 1) / align * align;
    struct pt_arena_block *b = a->blocks;
    if (!b || bytes > b->size - b->used)
        b = more(a, bytes);
    if (!b)
        return NULL;
    void *given = b->data + b->used;
    b->used += bytes;
    return given;
}

void
pt_arena_clear(struct pt_arena *a)
{
    while (a->blocks) {
        struct pt_arena_block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    a->total = 0;
}
