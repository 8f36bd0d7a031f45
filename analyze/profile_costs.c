/* The profile's times without what recording took. */
#include "analyze/profile_fold.h"
#include "analyze/profile_state.h"

/* A forked process has its parent's. */
const struct pt_costs *
pt_profile_costs(struct pt_profile *p, uint32_t process)
{
    static const struct pt_costs none;
    for (uint32_t id = process; id != 0;) {
        const struct pt_costs *costs = pt_trace_costs(p->trace, id);
        if (costs)
            return costs;
        const struct pt_process *at = pt_trace_process(p->trace, id);
        id = at && at->parent < id ? at->parent : 0;
    }
    p->uncosted = true;
    return &none;
}

static void
clamp(uint64_t *time, uint64_t *below)
{
    if ((int64_t)*time >= 0)
        return;
    *below += 0 - *time;
    *time = 0;
}

void
pt_profile_costs_finish(struct pt_profile *p)
{
    uint64_t elsewhere = 0;
    clamp(&p->functions[0].exclusive, &elsewhere); /* outside of all */
    for (uint32_t i = 1; i < p->nfunctions; i++) {
        p->compensated += p->functions[i].compensated;
        clamp(&p->functions[i].exclusive, &p->below);
        clamp(&p->functions[i].inclusive, &elsewhere);
    }
    for (uint32_t i = 0; i < p->nedges; i++) {
        clamp(&p->edges[i].exclusive, &elsewhere);
        clamp(&p->edges[i].inclusive, &elsewhere);
    }
    for (uint32_t i = 0; p->tree && i < p->tree->n; i++)
        clamp(&p->tree->nodes[i].exclusive, &elsewhere);
}
