/* From a step of a walk to the events that CPython tells of it. */
#include "replay/graph.h"

#include <pt/flow.h>

void
pt_expand_begin(struct pt_expand *x, const struct pt_walked *w)
{
    *x = (struct pt_expand){.graph = w->graph,
                            .run = w->runs,
                            .end = w->graph ? w->runs + w->nruns : w->runs,
                            .before = w->before};
    if (x->run != x->end)
        x->index = x->run->first;
}

bool
pt_expand_next(struct pt_expand *x, struct pt_fine *out)
{
    while (x->run != x->end) {
        const struct pt_ins *ins = &x->graph->ins[x->index];
        bool fires = ins->flags & PT_INS_FIRES;
        *out = (struct pt_fine){.k = x->k + 1,
                                .index = x->index,
                                .off = ins->off,
                                .line = ins->line,
                                .kind = PT_LINE};
        if (fires && !x->lined) {
            x->lined = true;
            if (pt_graph_tells_line(x->graph, x->index, x->before))
                return true;
        }
        x->lined = false;
        x->before = ins->off / 2;
        if (x->index < x->run->last)
            x->index++;
        else if (++x->run != x->end)
            x->index = x->run->first;
        if (fires) {
            x->k++;
            out->kind = PT_INSTRUCTION;
            return true;
        }
    }
    return false;
}

void
pt_expand_count(const struct pt_walked *w, uint64_t *instructions,
                uint64_t *lines)
{
    uint32_t before = w->before;
    *instructions = *lines = 0;
    for (size_t i = 0; w->graph && i < w->nruns; i++) {
        const struct pt_run *run = &w->runs[i];
        const struct pt_ins *first = &w->graph->ins[run->first];
        const struct pt_ins *end = &w->graph->ins[run->last + 1];
        *instructions += end->fired - first->fired;
        *lines += end->lined - first[1].lined +
                  pt_graph_tells_line(w->graph, run->first, before);
        before = w->graph->ins[run->last].off / 2;
    }
}
