/* One pass over a trace's chunks that serves any number of folds.
 *
 * A fold sees chunks in file order, which within a thread is the order of
 * events; it keeps per thread what it needs.  Where each chunk can be folded by
 * itself, from its keyframe on, a pass is spread over the cores, and what the
 * folds have is merged behind it.  Thread rule: a fold belongs to one thread at
 * a time. */
#ifndef PT_ANALYZE_PASS_H
#define PT_ANALYZE_PASS_H

#include <pt/replay.h>

struct pt_fold {
    void *state;
    /* A chunk of a wanted thread that can hold wanted events. */
    enum pt_status (*chunk)(void *state, const struct pt_events *);
    /* A chunk that cannot be decoded: what it held is a gap.  May be NULL. */
    enum pt_status (*bad)(void *state, const struct pt_chunk_info *);
    /* It wants chunks as they are in the log: without it a filter's rules are
     * applied to them (pt_sieve_chunk()), and a fold knows nothing of rules. */
    bool whole;
};

/* Decodes each wanted chunk once and hands it to every fold; counts damage and
 * gaps into `trouble`.  `filter` may be NULL; ranges are left to the folds. */
enum pt_status pt_pass_run(const struct pt_trace *, const struct pt_filter *,
                           const struct pt_fold *folds, size_t n,
                           struct pt_trouble *trouble, struct pt_error *error);
/* ... of one thread alone, and for one fold. */
enum pt_status pt_pass_thread(const struct pt_trace *, const struct pt_filter *,
                              uint32_t thread, const struct pt_fold *,
                              struct pt_trouble *trouble,
                              struct pt_error *error);

/* How many folds a spread pass should be given: one a core, PT_PASS_MOST at
 * most, and no more than there are chunks to fold. */
enum { PT_PASS_MOST = 8 };
size_t pt_pass_parts(const struct pt_trace *, const struct pt_filter *);

/* The same with a thread for each of the `n` folds (the caller's is one).  Each
 * chunk goes to whichever fold is free, so that a fold sees a part of the
 * chunks.  Where a thread cannot be had, the others do its part. */
enum pt_status pt_pass_spread(const struct pt_trace *, const struct pt_filter *,
                              const struct pt_fold *folds, size_t n,
                              struct pt_trouble *trouble,
                              struct pt_error *error);

#endif
