/* One pass over a trace's chunks that serves any number of folds.
 *
 * A fold sees chunks in file order, which within a thread is the order of
 * events; it keeps per thread what it needs.  Thread rule: a pass runs in one
 * thread; folds whose partial results merge can be run by several passes. */
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

#endif
