/* Reading values from the inside: chunks of them, and the making of a tree.
 * Thread rule: a handle belongs to one thread. */
#ifndef PT_FORMAT_VALUES_H
#define PT_FORMAT_VALUES_H

#include "format/alloc.h"
#include "format/value_item.h"

#include <pt/values.h>

/* An events chunk that has value events, or should have. */
struct pt_values_chunk {
    uint64_t seq;  /* of its first event */
    size_t events; /* number of the chunk */
    size_t values; /* of that of its values, SIZE_MAX none */
};

/* A chunk's values, unpacked. */
struct pt_values_page {
    size_t chunk;  /* index of the list of chunks */
    uint64_t used; /* when it was, in uses of the handle */
    struct pt_buf bytes;
    uint32_t *ends; /* of the n records in `bytes` */
    uint32_t n;
    uint32_t *index; /* of the n value events in the chunk; NULL until asked */
    uint32_t *off, *dst;
    uint32_t nindex;
    size_t size; /* in memory, about */
};

struct pt_values {
    const struct pt_trace *trace;
    struct pt_decoder *decoder;
    struct pt_values_chunk *chunks; /* by seq */
    size_t nchunks;
    struct pt_values_page **pages;
    size_t npages, pages_cap;
    size_t size; /* of all pages */
    uint64_t uses, lost;
    struct pt_variables *variables; /* NULL until asked */
};

/* The page of a chunk of the list, kept until the next pt_values_get().  One
 * whose values are missing or damaged has none.  PT_ELIMIT where there are more
 * pages than a tree may be made of, PT_ENOMEM, or what is wrong with the
 * machine. */
enum pt_status pt_values_page(struct pt_values *, size_t chunk,
                              struct pt_values_page **out);
/* Finds out which events the records are of. */
enum pt_status pt_values_events(struct pt_values *, struct pt_values_page *);
/* The chunk whose first event is `seq`, and the last that begins there or
 * before; SIZE_MAX none. */
size_t pt_values_chunk(const struct pt_values *, uint64_t seq);
size_t pt_values_before(const struct pt_values *, uint64_t seq);

/* Whether a chunk can have values of a frame of `code`, of a variable that is
 * wanted.  PT_ENOMEM, or what is wrong with the machine. */
typedef bool pt_wanted(void *state, uint32_t dst);
enum pt_status pt_values_may_have(struct pt_values *, size_t chunk,
                                  uint32_t code, pt_wanted *, void *state,
                                  bool *out);
void pt_variables_free(struct pt_variables *); /* NULL is fine */

/* Makes a tree of record `record` of the page in `pool`: *chunk and *told are
 * where it was told.  What makes no sense is PT_VALUE_LOST. */
enum pt_status pt_value_read(struct pt_values *, struct pt_values_page *,
                             uint32_t record, struct pt_pool *pool,
                             struct pt_value *out, size_t *chunk,
                             uint32_t *told);

#endif
