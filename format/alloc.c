#include "format/alloc.h"

#include <stdlib.h>
#include <string.h>

struct pt_testing pt_testing = {-1, -1, 0, false};

void *
pt_alloc(size_t size)
{
    if (pt_testing_fails(&pt_testing.fail_alloc))
        return NULL;
    return malloc(size ? size : 1);
}

void *
pt_alloc_zero(size_t n, size_t size)
{
    if (pt_testing_fails(&pt_testing.fail_alloc))
        return NULL;
    return calloc(n ? n : 1, size ? size : 1);
}

void *
pt_alloc_again(void *p, size_t size)
{
    if (pt_testing_fails(&pt_testing.fail_alloc))
        return NULL;
    return realloc(p, size ? size : 1);
}

void
pt_alloc_free(void *p)
{
    free(p);
}

bool
pt_alloc_room(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return true;
    size_t cap = *capacity + *capacity / 2;
    if (cap < 16)
        cap = 16;
    if (cap < need)
        cap = need;
    if (cap > SIZE_MAX / size)
        return false;
    void *old;
    memcpy(&old, array, sizeof old);
    void *p = pt_alloc_again(old, cap * size);
    if (p == NULL)
        return false;
    memcpy(array, &p, sizeof p);
    *capacity = cap;
    return true;
}

void
pt_buf_clear(struct pt_buf *b)
{
    pt_alloc_free(b->data);
    memset(b, 0, sizeof *b);
}

uint8_t *
pt_buf_room(struct pt_buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > b->cap - b->len) {
        if (n > SIZE_MAX / 4 - b->len) {
            b->failed = true;
            return NULL;
        }
        size_t cap = b->cap < 256 ? 256 : b->cap + b->cap / 2;
        if (cap < b->len + n)
            cap = b->len + n;
        uint8_t *p = pt_alloc_again(b->data, cap);
        if (p == NULL) {
            b->failed = true;
            return NULL;
        }
        b->data = p;
        b->cap = cap;
    }
    return b->data + b->len;
}

void
pt_buf_add(struct pt_buf *b, const void *data, size_t n)
{
    uint8_t *p = pt_buf_room(b, n);
    if (p == NULL || n == 0)
        return;
    memcpy(p, data, n);
    b->len += n;
}

/* Small requests share a block; large ones get their own, put behind the
 * first so that the first stays open for small ones. */
struct pt_pool_block {
    struct pt_pool_block *next;
    size_t used;
    size_t size;
    _Alignas(16) uint8_t data[];
};

enum { POOL_BLOCK = 64 * 1024 };

void
pt_pool_init(struct pt_pool *pool, uint64_t limit)
{
    *pool = (struct pt_pool){.limit = limit};
}

void
pt_pool_clear(struct pt_pool *pool)
{
    struct pt_pool_block *b = pool->blocks;
    while (b != NULL) {
        struct pt_pool_block *next = b->next;
        pt_alloc_free(b);
        b = next;
    }
    pool->blocks = NULL;
    pool->total = 0;
}

void *
pt_pool_take(struct pt_pool *pool, size_t n, size_t size)
{
    pool->limited = false;
    if (size != 0 && n > SIZE_MAX / 2 / size) {
        pool->limited = true;
        return NULL;
    }
    size_t bytes = (n * size + 15) & ~(size_t)15;
    struct pt_pool_block *b = pool->blocks;
    if (b == NULL || bytes > b->size - b->used) {
        size_t want = bytes > POOL_BLOCK / 4 ? bytes : POOL_BLOCK;
        if (want > pool->limit - pool->total) {
            pool->limited = true;
            return NULL;
        }
        struct pt_pool_block *fresh =
            pt_alloc_zero(1, sizeof(struct pt_pool_block) + want);
        if (fresh == NULL)
            return NULL;
        fresh->size = want;
        pool->total += want;
        if (b != NULL && want == bytes) {
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            pool->blocks = fresh;
        }
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    return p;
}
