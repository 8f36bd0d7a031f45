/* Which instructions CPython tells of, and which start a line.
 *
 * The rule for lines is that of initialize_lines() in Python/instrumentation.c:
 * where the line changes from one instruction to the next, and at each target
 * of a jump and each handler; there it is told unless the instruction that ran
 * before has the same.  3.11 has another rule, which needs no marks. */
#include "replay/graph.h"

#include <pt/replay.h>

static const struct pt_op *
op_at(const struct pt_graph *g, const struct pt_dialect *d, uint32_t index)
{
    return &d->ops[g->ins[index].opcode];
}

/* What lies before the first RESUME is not instrumented. */
static uint32_t
first_traceable(const struct pt_graph *g)
{
    uint32_t i = 0;
    while (i < g->n && !(g->ins[i].flags & PT_INS_RESUMES))
        i++;
    return i;
}

static void
mark_changes(struct pt_graph *g, const struct pt_dialect *d, uint32_t first)
{
    const struct pt_ins *last = &g->ins[g->n];
    for (uint32_t i = first; i < g->n; i++) {
        struct pt_ins *ins = &g->ins[i];
        if (op_at(g, d, i)->traits & PT_TRAIT_LINELESS)
            continue;
        if (ins->flags & PT_INS_PLACED &&
            (!(last->flags & PT_INS_PLACED) || last->line != ins->line))
            ins->flags |= PT_INS_STARTS;
        last = ins;
    }
}

static void
mark_target(struct pt_graph *g, const struct pt_dialect *d, uint32_t index)
{
    if (index < g->n && g->ins[index].flags & PT_INS_PLACED &&
        !(op_at(g, d, index)->traits & PT_TRAIT_SETTLED))
        g->ins[index].flags |= PT_INS_STARTS;
}

static void
mark_targets(struct pt_graph *g, const struct pt_dialect *d, uint32_t first)
{
    for (uint32_t i = first; i < g->n; i++) {
        uint32_t unit = pt_graph_named(g, d, i);
        bool skips =
            g->ins[i].cls == PT_INS_FOR || g->ins[i].cls == PT_INS_SEND;
        if (unit != PT_INS_NONE)
            mark_target(g, d, g->at[unit] + skips);
    }
    for (uint32_t i = 0; i < g->nguards; i++) {
        uint32_t handler = g->guards[i].handler;
        if (!(op_at(g, d, handler)->traits & PT_TRAIT_UNHANDLED))
            mark_target(g, d, handler);
    }
}

/* 3.11 does not stop between EXTENDED_ARG and what it extends. */
static bool
fires(const struct pt_graph *g, const struct pt_dialect *d, uint32_t index)
{
    if (op_at(g, d, index)->traits & PT_TRAIT_SILENT)
        return false;
    return !g->jumps_back || index == 0 ||
           !(op_at(g, d, index - 1)->traits & PT_TRAIT_EXTENDS);
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
pt_graph_tells_line(const struct pt_graph *g, uint32_t index, uint32_t before)
{
    const struct pt_ins *ins = &g->ins[index];
    if (!(ins->flags & PT_INS_FIRES))
        return false;
    return g->jumps_back ? line_or_jump(g, ins, before)
                         : line_changes(g, ins, before);
}

static void
count(struct pt_graph *g)
{
    uint32_t fired = 0, lined = 0, before = PT_INS_NONE;
    for (uint32_t i = 0; i <= g->n; i++) {
        g->ins[i].fired = fired;
        g->ins[i].lined = lined;
        if (i == g->n)
            break;
        fired += (g->ins[i].flags & PT_INS_FIRES) != 0;
        lined += pt_graph_tells_line(g, i, before);
        before = g->ins[i].off / 2;
    }
}

enum pt_status
pt_graph_mark(struct pt_graph *g, const struct pt_code *code,
              const struct pt_dialect *d)
{
    struct pt_lines *lines;
    enum pt_status st = pt_lines_new(code, &lines);
    if (st != PT_OK)
        return st;
    uint32_t first = first_traceable(g);
    for (uint32_t i = 0; i < g->n; i++) {
        struct pt_position p = pt_lines_at(lines, g->ins[i].off);
        g->ins[i].line = p.line;
        if (p.line || p.column >= 0)
            g->ins[i].flags |= PT_INS_PLACED;
        if (i >= first && fires(g, d, i))
            g->ins[i].flags |= PT_INS_FIRES;
    }
    g->ins[g->n].line = 0;
    pt_lines_free(lines);
    if (!g->jumps_back) {
        mark_changes(g, d, first);
        mark_targets(g, d, first);
    }
    count(g);
    return PT_OK;
}
