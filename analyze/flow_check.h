/* How often log and bytecode of a flow trace do not fit, for analyzers that do
 * not walk it: a fold that counts, and so notices what a walk would.
 * Thread rule: one thread. */
#ifndef PT_ANALYZE_FLOW_CHECK_H
#define PT_ANALYZE_FLOW_CHECK_H

#include "analyze/pass.h"

#include <pt/counts.h>

struct pt_flow_check {
    struct pt_graph_cache *graphs;
    struct pt_counts *counts; /* NULL: the trace has no flow */
};

/* Makes the check; where the trace has flow, `folds[*n]` becomes its fold, and
 * *n is one more.  PT_ENOMEM. */
enum pt_status pt_flow_check_init(struct pt_flow_check *,
                                  const struct pt_trace *,
                                  struct pt_fold *folds, size_t *n);
/* Adds what it found. */
void pt_flow_check_tell(const struct pt_flow_check *, struct pt_trouble *);
void pt_flow_check_clear(struct pt_flow_check *);

#endif
