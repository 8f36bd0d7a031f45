/* The conditions of sources, and how the evaluations of their decisions went.
 *
 * Sources are added one by one, while they are open; what counts of
 * instructions can tell is told then.  Where a decision has several conditions,
 * an evaluation of it is a path through several branches of one frame, and one
 * more pass over a trace tells the paths apart: recursion, loops, generators,
 * greenlets and threads each have evaluations of their own, which can begin in
 * one chunk and end in another.  Memory is by decisions and by the frames that
 * are within one.
 *
 * An evaluation that an exception ends is cut short, and so is one that the
 * trace's end does.  One whose beginning is not in the trace, or not in the
 * range, is not counted.
 * Thread rule: a handle belongs to one thread. */
#ifndef PT_ANALYZE_COVERAGE_EVALUATIONS_H
#define PT_ANALYZE_COVERAGE_EVALUATIONS_H

#include "analyze/coverage/collect.h"
#include "analyze/coverage/model.h"

struct pt_evaluations;

/* Of so many traces. */
enum pt_status pt_evaluations_new(size_t traces, struct pt_evaluations **out);
void pt_evaluations_free(struct pt_evaluations *);

/* Fills conditions and decisions of `file`, the `number`-th of the coverage,
 * with what a source has; without syntax that is nothing.  The source need not
 * stay open. */
enum pt_status pt_evaluations_add(struct pt_evaluations *,
                                  const struct pt_collection *,
                                  const struct pt_cov_source *,
                                  struct pt_cov_file *file, uint32_t number);

/* Follows the evaluations in a trace of the flow, the `number`-th, and counts
 * no trouble anew. */
enum pt_status pt_evaluations_run(struct pt_evaluations *, uint32_t number,
                                  const struct pt_trace *,
                                  const struct pt_filter *, struct pt_error *);

/* Tells the files, which are those of above, what was seen.  With `mcdc`,
 * vectors and which conditions decide alone. */
enum pt_status pt_evaluations_finish(struct pt_evaluations *,
                                     struct pt_cov_file *files, bool mcdc);
/* Frees what was filled in. */
void pt_cov_conditions_clear(struct pt_cov_file *);

#endif
