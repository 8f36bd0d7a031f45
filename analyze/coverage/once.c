#include "analyze/coverage/once.h"
#include "analyze/coverage/steps.h"

#include <stdlib.h>

/* Bits of an instruction. */
enum { BEGINS = 1, WENT_ON = 2, JUMPED = 4 };

struct pt_once {
    struct pt_graph_cache *graphs;
    const struct pt_filter *filter;
    uint8_t **codes; /* by code id: a byte an instruction; NULL nothing ran */
    uint32_t ncodes;
};

enum pt_status
pt_once_new(struct pt_graph_cache *graphs, const struct pt_filter *filter,
            struct pt_once **out)
{
    struct pt_once *o = calloc(1, sizeof *o);
    if (!o)
        return PT_ENOMEM;
    o->graphs = graphs;
    o->filter = filter;
    *out = o;
    return PT_OK;
}

void
pt_once_free(struct pt_once *o)
{
    if (!o)
        return;
    for (uint32_t i = 0; i < o->ncodes; i++)
        free(o->codes[i]);
    free(o->codes);
    free(o);
}

/* --- events --------------------------------------------------------------- */

static enum pt_status
make_room(struct pt_once *o, uint32_t code)
{
    uint32_t n = o->ncodes ? o->ncodes : 64;
    while (n <= code)
        n *= 2;
    uint8_t **codes = realloc(o->codes, n * sizeof *codes);
    if (!codes)
        return PT_ENOMEM;
    for (uint32_t i = o->ncodes; i < n; i++)
        codes[i] = NULL;
    o->codes = codes;
    o->ncodes = n;
    return PT_OK;
}

/* From 3.14 on what a branch led to can be what tells of it: the branch before,
 * which was not taken, or the loop whose end it is. */
static void
note_led_here(uint8_t *told, const struct pt_graph *g, uint32_t at)
{
    if (g->ins[at].flags & PT_INS_OUTCOME && at > 0) {
        told[at - 1] |= WENT_ON;
        return;
    }
    for (uint32_t i = 0; i < g->n; i++)
        if (g->ins[i].cls == PT_INS_FOR && g->ins[i].target == at)
            told[i] |= JUMPED;
}

static void
note_branch(uint8_t *told, const struct pt_graph *g, uint32_t at, uint32_t dst)
{
    uint32_t to = pt_graph_index(g, dst);
    bool decides =
        g->ins[at].cls == PT_INS_COND || g->ins[at].cls == PT_INS_FOR;
    if (to == PT_INS_NONE)
        return;
    if (decides)
        told[at] |= to == g->ins[at].target ? JUMPED : WENT_ON;
    else
        note_led_here(told, g, at);
}

static enum pt_status
note(struct pt_once *o, const struct pt_event *e)
{
    const uint8_t needs = PT_HAS(CODE) | PT_HAS(OFF);
    bool line = e->kind == PT_LINE;
    if ((!line && e->kind != PT_BRANCH) || (e->has & needs) != needs)
        return PT_OK;
    const struct pt_graph *g = pt_graph_cache_at(o->graphs, e->id);
    if (!g)
        return pt_graph_cache_status(o->graphs);
    uint32_t i = pt_graph_index(g, e->pos);
    if (i == PT_INS_NONE)
        return PT_OK;
    enum pt_status st = e->id < o->ncodes ? PT_OK : make_room(o, e->id);
    if (st == PT_OK && !o->codes[e->id])
        o->codes[e->id] = calloc(g->n + (size_t)1, 1);
    if (st != PT_OK || !o->codes[e->id])
        return PT_ENOMEM;
    if (line)
        o->codes[e->id][i] |= BEGINS;
    else
        note_branch(o->codes[e->id], g, i, e->dst);
    return PT_OK;
}

static enum pt_status
fold_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_once *o = state;
    uint32_t i, end;
    enum pt_status st = PT_OK;
    pt_cov_range(o->filter, chunk, &i, &end);
    for (; st == PT_OK && i < end; i++)
        st = note(o, &chunk->events[i]);
    return st;
}

struct pt_fold
pt_once_fold(struct pt_once *o)
{
    return (struct pt_fold){.state = o, .chunk = fold_chunk};
}

/* --- what follows from them ----------------------------------------------- */

struct reach {
    const uint8_t *told;
    struct pt_code_counts *counts;
    uint32_t *todo;
    uint32_t n;
};

static void
visit(struct reach *r, uint32_t i)
{
    if (r->counts->ran[i])
        return;
    r->counts->ran[i] = 1;
    r->todo[r->n++] = i;
}

/* Goes on from `from`, unless a line begins there that was not told. */
static void
go(struct reach *r, uint32_t from, uint32_t to, uint64_t *way)
{
    const struct pt_graph *g = r->counts->graph;
    if (to >= g->n || (!(r->told[to] & BEGINS) &&
                       pt_graph_tells_line(g, to, g->ins[from].off / 2)))
        return;
    *way = 1;
    visit(r, to);
}

static void
follow(struct reach *r, uint32_t i)
{
    struct pt_code_counts *c = r->counts;
    const struct pt_ins *ins = &c->graph->ins[i];
    bool branches = ins->cls == PT_INS_COND || ins->cls == PT_INS_FOR;
    if (branches ? r->told[i] & WENT_ON
                 : ins->cls == PT_INS_NEXT || ins->cls == PT_INS_YIELD ||
                       ins->cls == PT_INS_SEND)
        go(r, i, i + 1, &c->next[i]);
    if (branches ? r->told[i] & JUMPED
                 : ins->cls == PT_INS_JUMP || ins->cls == PT_INS_SEND)
        go(r, i, ins->target, &c->jump[i]);
    /* A way that was told was gone, wherever its line begins. */
    if (r->told[i] & WENT_ON)
        c->next[i] = 1;
    if (r->told[i] & JUMPED)
        c->jump[i] = 1;
}

/* A handler in the line that raised is not told of (END_ASYNC_FOR): what ran,
 * and can only have come from the instruction before it, tells. */
static enum pt_status
trace_back(struct reach *r)
{
    const struct pt_graph *g = r->counts->graph;
    uint8_t *entered = calloc(g->n + (size_t)1, 1);
    if (!entered)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < g->n; i++)
        if (g->ins[i].target < g->n)
            entered[g->ins[i].target] = 1;
    for (uint32_t k = 0; k < g->nguards; k++)
        if (g->guards[k].handler < g->n)
            entered[g->guards[k].handler] = 1;
    for (uint32_t i = g->n; i-- > 1;)
        if (r->counts->ran[i] && !entered[i] &&
            g->ins[i - 1].cls == PT_INS_NEXT) {
            r->counts->ran[i - 1] = 1;
            r->counts->next[i - 1] = 1;
        }
    free(entered);
    return PT_OK;
}

/* A handler that ran was raised to: from the last instruction that it guards
 * and that ran. */
static void
find_raises(struct pt_code_counts *c)
{
    const struct pt_graph *g = c->graph;
    for (uint32_t k = 0; k < g->nguards; k++) {
        const struct pt_guard *guard = &g->guards[k];
        uint32_t last = PT_INS_NONE;
        if (guard->handler >= g->n || !c->ran[guard->handler])
            continue;
        for (uint32_t i = pt_graph_index(g, 2 * guard->start);
             i < g->n && g->ins[i].off / 2 < guard->end; i++)
            last = c->ran[i] ? i : last;
        if (last != PT_INS_NONE &&
            pt_graph_handler(g, g->ins[last].off) == guard->handler)
            c->raised[last] = 1;
    }
}

enum pt_status
pt_once_code(const struct pt_once *o, uint32_t code,
             struct pt_code_counts **out)
{
    *out = NULL;
    if (code >= o->ncodes || !o->codes[code])
        return PT_OK;
    const struct pt_graph *g = pt_graph_cache_at(o->graphs, code);
    if (!g)
        return pt_graph_cache_status(o->graphs);
    struct reach r = {.told = o->codes[code],
                      .todo = malloc((g->n + (size_t)1) * sizeof *r.todo)};
    enum pt_status st = r.todo ? pt_code_counts_new(g, &r.counts) : PT_ENOMEM;
    if (st == PT_OK && g->start < g->n)
        visit(&r, g->start);
    for (uint32_t i = 0; st == PT_OK && i < g->n; i++)
        if (r.told[i])
            visit(&r, i);
    while (st == PT_OK && r.n > 0)
        follow(&r, r.todo[--r.n]);
    free(r.todo);
    if (st == PT_OK)
        st = trace_back(&r);
    if (st != PT_OK) {
        pt_code_counts_free(r.counts);
        return st;
    }
    find_raises(r.counts);
    *out = r.counts;
    return PT_OK;
}
