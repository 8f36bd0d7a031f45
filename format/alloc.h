/* Memory for the log's reader and writer: checked allocation, growing
 * buffers and arrays, and pools whose contents are released together.
 *
 * Every allocation of format/ goes through here, so that a test can make the
 * n-th one fail (struct pt_testing).  What zstd allocates for itself is not
 * counted.
 * Thread rule: buffers and pools belong to one thread at a time. */
#ifndef PT_FORMAT_ALLOC_H
#define PT_FORMAT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Switches that only tests set, before any thread uses the library.  The
 * countdowns are off at -1; at n >= 0 the (n+1)-th call from now fails, and
 * every one after it. */
struct pt_testing {
    int64_t fail_alloc;    /* allocations */
    int64_t fail_write;    /* writes to a log: as ENOSPC, half of it done */
    uint64_t failed;       /* how many calls were made to fail */
    bool ignore_checksums; /* a mismatch counts as a match: for fuzzing */
};
extern struct pt_testing pt_testing;

/* True when the countdown says that this call has to fail. */
static inline bool
pt_testing_fails(int64_t *countdown)
{
    if (__builtin_expect(*countdown < 0, 1))
        return false;
    if (*countdown == 0) {
        pt_testing.failed++;
        return true;
    }
    --*countdown;
    return false;
}

/* As malloc, calloc and realloc; never NULL for size 0. */
void *pt_alloc(size_t size);
void *pt_alloc_zero(size_t n, size_t size);
void *pt_alloc_again(void *p, size_t size);
void pt_alloc_free(void *p);

/* Makes room for `need` elements of `size` bytes in the array *array of
 * *capacity elements; grows by half.  False, and nothing changed, when out of
 * memory. */
bool pt_alloc_room(void *array, size_t *capacity, size_t need, size_t size);

/* --- a growing buffer; a failure sticks and shows in `failed` ------------- */

struct pt_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed;
};

void pt_buf_clear(struct pt_buf *);
/* Room for `n` more bytes: where they go, or NULL.  Does not change len. */
uint8_t *pt_buf_room(struct pt_buf *, size_t n);
void pt_buf_add(struct pt_buf *, const void *data, size_t n);

/* --- pools ---------------------------------------------------------------- */

/* Memory that lives until the pool is cleared.  A pool refuses to pass its
 * limit, which bounds what a hostile file can make a reader allocate. */
struct pt_pool {
    struct pt_pool_block *blocks;
    uint64_t total;
    uint64_t limit;
    bool limited; /* the limit, not memory, refused the last request */
};

void pt_pool_init(struct pt_pool *, uint64_t limit);
void pt_pool_clear(struct pt_pool *);
/* `n` zeroed elements of `size` bytes, aligned for any type, or NULL. */
void *pt_pool_take(struct pt_pool *, size_t n, size_t size);

#endif
