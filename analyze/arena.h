/* Memory that is given out piece by piece and released at once, up to a limit.
 * Thread rule: an arena belongs to one thread. */
#ifndef PT_ANALYZE_ARENA_H
#define PT_ANALYZE_ARENA_H

#include <stddef.h>

struct pt_arena_block;

/* All zero but the limit is an empty one. */
struct pt_arena {
    struct pt_arena_block *blocks;
    size_t total; /* bytes of all blocks */
    size_t limit; /* which `total` does not pass */
};

/* `n` objects of `size` bytes, zeroed and aligned for any type; NULL beyond the
 * limit, or without memory. */
void *pt_arena_array(struct pt_arena *, size_t n, size_t size);
/* Releases all that was given out; the arena is then empty. */
void pt_arena_clear(struct pt_arena *);

#endif
