/* From a step of a walk to the events that CPython tells of it. */
#include <pt/event.h>
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

/* sys.monitoring compares the line with that of the code unit before, and
 * finds none for a cache. */
static bool
line_changes(const struct pt_graph *g, const struct pt_ins *ins,
             uint32_t before)
{
    if (!(ins->flags & PT_INS_STARTS))
        return false;
    if (before >= g->units)
        return true;
    const struct pt_ins *last = &g->ins[g->at[before]];
    return last->off != 2 * before || !(last->flags & PT_INS_PLACED) ||
           last->line != ins->line || last->flags & PT_INS_RESUMES;
}

/* 3.11 also tells of each jump back but those to a SEND.  Until the frame has
 * passed its RESUME it has no line. */
static bool
line_or_jump(const struct pt_graph *g, const struct pt_ins *ins,
             uint32_t before)
{
    if (!(ins->flags & PT_INS_PLACED))
        return false;
    if (before >= g->units || g->start == PT_INS_NONE ||
        before <= g->ins[g->start].off / 2)
        return true;
    const struct pt_ins *last = &g->ins[g->at[before]];
    return !(last->flags & PT_INS_PLACED) || last->line != ins->line ||
           (ins->off / 2 < before && ins->cls != PT_INS_SEND);
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
            if (x->graph->jumps_back ? line_or_jump(x->graph, ins, x->before)
                                     : line_changes(x->graph, ins, x->before))
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
