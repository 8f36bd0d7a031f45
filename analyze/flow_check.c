#include "analyze/flow_check.h"

static enum pt_status
check_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_flow_check *check = state;
    return pt_counts_add(check->counts, chunk);
}

enum pt_status
pt_flow_check_init(struct pt_flow_check *check, const struct pt_trace *trace,
                   struct pt_fold *folds, size_t *n)
{
    *check = (struct pt_flow_check){NULL, NULL};
    if (pt_flow_lacks(trace))
        return PT_OK;
    enum pt_status st = pt_graph_cache_new(trace, &check->graphs);
    if (st == PT_OK)
        st = pt_counts_new(check->graphs, &check->counts);
    if (st == PT_OK)
        folds[(*n)++] = (struct pt_fold){
            .state = check, .chunk = check_chunk, .whole = true};
    else
        pt_flow_check_clear(check);
    return st;
}

void
pt_flow_check_tell(const struct pt_flow_check *check, struct pt_trouble *t)
{
    if (!check->counts)
        return;
    t->desyncs += pt_counts_desyncs(check->counts);
    t->misfits += pt_counts_desyncs(check->counts);
}

void
pt_flow_check_clear(struct pt_flow_check *check)
{
    pt_counts_free(check->counts);
    pt_graph_cache_free(check->graphs);
    *check = (struct pt_flow_check){NULL, NULL};
}
