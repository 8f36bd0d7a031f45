/* Steps from line to line: from counts of a flow, or from line events.
 * Thread rule: plain data, and folds. */
#ifndef PT_ANALYZE_COVERAGE_STEPS_H
#define PT_ANALYZE_COVERAGE_STEPS_H

#include "analyze/coverage/collect.h"
#include "analyze/pass.h"

/* Of counts: what CPython would have told. */
enum pt_status pt_steps_of_counts(const struct pt_code_counts *,
                                  struct pt_cov_step **out, uint32_t *n);

/* Of events: a fold over chunks, each by itself; parts merge. */
struct pt_steps;
enum pt_status pt_steps_new(const struct pt_filter *, struct pt_steps **out);
void pt_steps_free(struct pt_steps *);
struct pt_fold pt_steps_fold(struct pt_steps *);
enum pt_status pt_steps_merge(struct pt_steps *into, const struct pt_steps *);
/* Of one code object, the caller's to free; *calls is how often it began. */
enum pt_status pt_steps_code(struct pt_steps *, uint32_t code,
                             struct pt_cov_step **out, uint32_t *n,
                             uint64_t *calls);

/* The events [*first, *end) of a chunk that lie in the filter's range. */
void pt_cov_range(const struct pt_filter *, const struct pt_events *,
                  uint32_t *first, uint32_t *end);

#endif
