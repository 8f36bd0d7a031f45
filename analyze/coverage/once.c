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

/* The way that a branch of instruction `i` to `dst` went. */
static uint8_t
way_of(const struct pt_graph *g, uint32_t i, uint32_t dst)
{
    uint32_t to = pt_graph_index(g, dst);
    if (to == PT_INS_NONE)
        return 0;
    return to == g->ins[i].target ? JUMPED : WENT_ON;
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
    o->codes[e->id][i] |= line ? BEGINS : way_of(g, i, e->dst);
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
    *out = r.counts;
    return st;
}
