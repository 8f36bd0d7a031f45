/* The index chunk: the directory of all chunks before it, and for each events
 * chunk the code objects that start or run in it.
 * Thread rule: a struct belongs to one thread. */
#ifndef PT_FORMAT_INDEX_H
#define PT_FORMAT_INDEX_H

#include "format/cbor.h"

/* A set of ids, emptied for each chunk at no cost. */
struct pt_idset {
    uint32_t *stamp; /* stamp[id] == now: it is in the set */
    size_t cap;
    uint32_t now;
    uint32_t *ids;
    size_t n;
    size_t ids_cap;
    bool failed;
};

void pt_idset_clear(struct pt_idset *);
/* Empties the set, which can then hold ids up to `largest`. */
void pt_idset_begin(struct pt_idset *, uint32_t largest);
void pt_idset_add_slow(struct pt_idset *, uint32_t id);

/* Ids that are 0 or too large are left out. */
static inline void
pt_idset_add(struct pt_idset *s, uint32_t id)
{
    if (id < s->cap && s->stamp[id] != s->now)
        pt_idset_add_slow(s, id);
}

/* Appends a chunk's entry to the entries of an index; `codes` may be NULL. */
void pt_index_add(struct pt_buf *entries, const struct pt_chunk_info *,
                  struct pt_idset *codes);
/* Appends the index's item made of `n` entries. */
void pt_index_write(struct pt_buf *, const struct pt_buf *entries, size_t n);

/* Reads an index's item: *out receives a new array (pt_alloc_free() it) of
 * the chunks.  `limit` is the index's own offset: the chunks must lie end to
 * end from 0 to there. */
enum pt_status pt_index_read(struct pt_str item, uint64_t limit,
                             struct pt_chunk_info **out, size_t *n);

#endif
