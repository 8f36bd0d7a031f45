/* Heat: parts that become one, and differences that become numbers. */
#include "analyze/heat_state.h"
#include "analyze/profile_state.h"

#include <stdlib.h>

static enum pt_status
merge_lines(struct pt_heat *into, const struct pt_heat *from)
{
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < from->nlines && st == PT_OK; i++) {
        const struct pt_heat_line *l = &from->lines[i];
        uint32_t index;
        st = pt_heat_line_find(into, l->fn, l->line, &index);
        if (st != PT_OK)
            break;
        struct pt_heat_line *to = &into->lines[index];
        to->hits += l->hits;
        to->exclusive += l->exclusive;
        to->spread += l->spread;
        to->covered += l->covered;
        to->nested += l->nested;
    }
    return st;
}

static enum pt_status
merge_code(struct pt_heat *into, uint32_t id, const struct pt_heat_code *from)
{
    struct pt_heat_code *to;
    enum pt_status st = pt_heat_code_of(into, id, &to);
    if (st != PT_OK || !to || !to->graph || !from->graph)
        return st;
    for (uint32_t i = 0; i <= to->graph->n; i++) {
        struct pt_heat_instruction *ins = &to->ins[i];
        ins->ran += from->ins[i].ran;
        ins->time += from->ins[i].time;
        ins->spread += from->ins[i].spread;
        ins->begun += from->ins[i].begun;
        ins->told += from->ins[i].told;
    }
    return PT_OK;
}

static enum pt_status
merge_pairs(struct pt_heat *into, const struct pt_heat *from, uint32_t id)
{
    if (!from->pairs[id])
        return PT_OK;
    if (!into->pairs[id])
        into->pairs[id] = calloc(PT_HEAT_PAIRS, sizeof **into->pairs);
    if (!into->pairs[id])
        return PT_ENOMEM;
    for (size_t i = 0; i < PT_HEAT_PAIRS; i++)
        into->pairs[id][i] += from->pairs[id][i];
    return PT_OK;
}

static uint64_t
walk_desyncs(const struct pt_heat *c)
{
    uint64_t n = 0;
    for (unsigned r = 0; c->state->walk && r < PT_DESYNC_COUNT; r++)
        n += pt_walk_desyncs(c->state->walk, r);
    return n;
}

enum pt_status
pt_heat_merge(struct pt_heat *into, const struct pt_heat *from)
{
    const struct pt_profile *p = into->plan->functions;
    enum pt_status st = merge_lines(into, from);
    for (uint32_t i = 0; i < from->ncodes && st == PT_OK; i++)
        if (from->codes[i])
            st = merge_code(into, i, from->codes[i]);
    for (uint32_t i = 0;
         i <= pt_trace_interpreter_count(p->trace) && st == PT_OK; i++)
        st = merge_pairs(into, from, i);
    for (uint32_t i = 0; i < p->nfunctions; i++) {
        into->functions[i].calls += from->functions[i].calls;
        into->functions[i].inclusive += from->functions[i].inclusive;
    }
    into->native += from->native;
    into->events += from->events;
    into->desyncs += from->desyncs + walk_desyncs(from);
    into->unmatched += from->unmatched;
    into->unfinished += from->unfinished;
    return st;
}

/* Differences become numbers, and these a line's.  A path that begins at an
 * instruction said itself whether that tells a line; within one it always does
 * or never. */
static enum pt_status
finish_code(struct pt_heat *c, struct pt_heat_code *code)
{
    const struct pt_ins *g = code->graph->ins;
    uint64_t ran = 0, time = 0, spread = 0, *pairs = NULL;
    if (c->plan->options.pairs && c->plan->options.source == PT_HEAT_OF_FLOW &&
        !(pairs = pt_heat_pairs_of(c, code)))
        return PT_ENOMEM;
    for (uint32_t i = 0; i < code->graph->n; i++) {
        struct pt_heat_instruction *ins = &code->ins[i];
        struct pt_heat_line *l = &c->lines[ins->line];
        ins->ran = ran += ins->ran;
        ins->time = time += ins->time;
        ins->spread = spread += ins->spread;
        bool tells = g[i + 1].lined != g[i].lined;
        l->hits += ins->told + (tells ? ran - ins->begun : 0);
        l->exclusive += time;
        l->spread += spread;
        if (pairs && i > 0)
            pairs[g[i - 1].opcode * PT_HEAT_OPCODES + g[i].opcode] +=
                ran - ins->begun;
    }
    return PT_OK;
}

enum pt_status
pt_heat_finish(struct pt_heat *c)
{
    enum pt_status st = PT_OK;
    c->desyncs += walk_desyncs(c);
    for (uint32_t i = 0; i < c->ncodes && st == PT_OK; i++)
        if (c->codes[i] && c->codes[i]->graph)
            st = finish_code(c, c->codes[i]);
    return st;
}
