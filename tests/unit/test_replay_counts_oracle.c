/* What a walk counts, and comparing it. */
#include "tests/unit/test_replay_counts.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* --- what a walk counts --------------------------------------------------- */

void
oracle_begin(struct oracle *o, const struct pt_trace *trace)
{
    memset(o, 0, sizeof *o);
    o->ncodes = pt_trace_code_count(trace);
    o->numbers = calloc(o->ncodes + 1, sizeof *o->numbers);
    o->nthreads = pt_trace_thread_count(trace) + 1;
    o->threads = calloc(o->nthreads, sizeof(void *));
    cr_assert_eq(pt_graph_cache_new(trace, &o->graphs), PT_OK);
}

void
oracle_end(struct oracle *o)
{
    for (uint32_t i = 0; i <= o->ncodes; i++)
        free(o->numbers[i].ran);
    free(o->numbers);
    for (uint32_t i = 0; i < o->nthreads; i++) {
        if (o->threads[i]) {
            pt_walk_free(o->threads[i]->walk);
            free(o->threads[i]->frames);
        }
        free(o->threads[i]);
    }
    free(o->threads);
    pt_graph_cache_free(o->graphs);
}

static struct numbers *
numbers_of(struct oracle *o, const struct pt_graph *g)
{
    struct numbers *n = &o->numbers[g->code];
    if (!n->ran) {
        n->ran = calloc(4 * ((size_t)g->n + 1), sizeof *n->ran);
        n->next = n->ran + g->n;
        n->jump = n->next + g->n;
        n->raised = n->jump + g->n;
    }
    return n;
}

/* `from` led to `to`, without an event that tells of it. */
static void
pass(struct oracle *o, const struct pt_graph *g, uint32_t from, uint32_t to)
{
    if (from == PT_INS_NONE)
        return;
    if (g->ins[from].cls == PT_INS_JUMP || to != from + 1)
        numbers_of(o, g)->jump[from]++;
    else
        numbers_of(o, g)->next[from]++;
}

static void
add_walked(struct oracle *o, struct oracle_frame *f, const struct pt_walked *w)
{
    for (size_t r = 0; w->graph && r < w->nruns; r++) {
        for (uint32_t i = w->runs[r].first; i <= w->runs[r].last; i++) {
            numbers_of(o, w->graph)->ran[i]++;
            pass(o, w->graph, f->last, i);
            f->last = i;
        }
    }
}

/* A branch that 3.14 tells of at its outcome was passed on the walk there; what
 * is left is the step from there, which a crash may keep from being walked. */
static void
told_branch(struct oracle *o, struct oracle_frame *f, const struct pt_event *e)
{
    uint32_t at = pt_graph_index(f->graph, e->pos);
    uint32_t to = pt_graph_index(f->graph, e->dst);
    if (at == PT_INS_NONE || to == PT_INS_NONE)
        return;
    unsigned cls = f->graph->ins[at].cls;
    if (cls != PT_INS_COND && cls != PT_INS_FOR && cls != PT_INS_JUMP) {
        if (f->last == at && to == at + 1 &&
            f->graph->ins[at].flags & PT_INS_OUTCOME) {
            numbers_of(o, f->graph)->next[at]++;
            f->last = PT_INS_NONE;
        }
        return;
    }
    if (cls != PT_INS_JUMP && to == at + 1)
        numbers_of(o, f->graph)->next[at]++;
    else
        numbers_of(o, f->graph)->jump[at]++;
    f->last = PT_INS_NONE;
}

static void
told_exception(struct oracle_frame *f, const struct pt_event *e)
{
    if (e->arg == PT_STOP_ITERATION)
        return;
    f->pos = e->pos;
    f->cause = e->arg == PT_RERAISED ? e->pos : e->dst;
}

/* The edge to a handler begins where the exception was raised, or, where that
 * is not guarded by it, where it was reported. */
static void
told_handled(struct oracle *o, struct oracle_frame *f, const struct pt_event *e)
{
    const struct pt_graph *g = f->graph;
    uint32_t to = pt_graph_index(g, e->pos);
    f->last = PT_INS_NONE;
    if (f->cause == UINT32_MAX || to == PT_INS_NONE)
        return;
    uint32_t from = pt_graph_handler(g, f->cause) == to ? f->cause : f->pos;
    numbers_of(o, g)->raised[pt_graph_index(g, from)]++;
    f->cause = UINT32_MAX;
}

/* Room for one frame more than `depth`. */
static void
oracle_reserve(struct oracle_thread *t, size_t depth)
{
    if (depth < t->capacity)
        return;
    t->capacity = 2 * depth + 64;
    t->frames = realloc(t->frames, t->capacity * sizeof *t->frames);
    cr_assert_not_null(t->frames);
}

static void
oracle_enter(struct oracle *o, struct oracle_thread *t,
             const struct pt_event *e)
{
    oracle_reserve(t, t->depth);
    struct oracle_frame *f = &t->frames[t->depth++];
    *f = (struct oracle_frame){pt_graph_cache_at(o->graphs, e->id), e->id,
                               PT_INS_NONE, UINT32_MAX, UINT32_MAX};
    if (e->kind == PT_RESUME && f->graph && e->has & PT_HAS(DST)) {
        uint32_t at = pt_graph_index(f->graph, e->dst);
        if (at > 0 && at != PT_INS_NONE &&
            f->graph->ins[at - 1].cls == PT_INS_YIELD)
            numbers_of(o, f->graph)->next[at - 1]++;
    }
}

static void
oracle_step(struct oracle *o, struct oracle_thread *t, const struct pt_event *e)
{
    struct pt_walked w;
    struct oracle_frame *f = t->depth ? &t->frames[t->depth - 1] : NULL;
    cr_assert_eq(pt_walk_step(t->walk, e, 0, &w), PT_OK);
    o->desyncs += w.desynced;
    if (f)
        add_walked(o, f, &w);
    /* What called is not told as run, but what comes behind it is. */
    if (f && f->graph && w.lost && e->has & PT_HAS(OFF) &&
        (pt_kind_enters(e->kind) || e->kind == PT_C_CALL))
        f->last = pt_graph_index(f->graph, e->pos);
    if (pt_kind_enters(e->kind)) {
        oracle_enter(o, t, e);
        return;
    }
    if (pt_kind_leaves(e->kind))
        t->depth -= t->depth > 0;
    for (size_t i = 0; e->kind == PT_GAP && i < t->depth; i++)
        t->frames[i].graph = NULL;
    if (!f || !f->graph)
        return;
    if (e->kind == PT_BRANCH || e->kind == PT_JUMP)
        told_branch(o, f, e);
    else if (e->kind == PT_EXCEPTION)
        told_exception(f, e);
    else if (e->kind == PT_HANDLED)
        told_handled(o, f, e);
}

/* A chunk that goes on from the one before has the frames it left. */
static void
oracle_sync(struct oracle *o, struct oracle_thread *t,
            const struct pt_events *chunk)
{
    struct pt_walked w;
    size_t depth = 0;
    if (o->apart)
        pt_walk_lose(t->walk);
    cr_assert_eq(pt_walk_sync(t->walk, chunk, &w), PT_OK);
    o->desyncs += w.desynced;
    for (size_t i = 0; i < chunk->depth; i++) {
        const struct pt_frame *k = &chunk->stack[i];
        if (k->callable)
            continue;
        oracle_reserve(t, depth);
        struct oracle_frame *f = &t->frames[depth++];
        bool placed = !o->apart || k->at != PT_AT_UNKNOWN;
        if (depth <= t->depth && f->code == k->id && f->graph && placed)
            continue;
        *f = (struct oracle_frame){pt_graph_cache_at(o->graphs, k->id), k->id,
                                   PT_INS_NONE, UINT32_MAX, UINT32_MAX};
        if (k->at == PT_AT_INSIDE && f->graph)
            f->last = pt_graph_index(f->graph, k->off);
    }
    t->depth = depth;
}

void
oracle_add(struct oracle *o, const struct pt_events *chunk)
{
    cr_assert_lt(chunk->info->thread, o->nthreads);
    struct oracle_thread **t = &o->threads[chunk->info->thread];
    if (!*t) {
        *t = calloc(1, sizeof **t);
        cr_assert_eq(pt_walk_new(o->graphs, &(*t)->walk), PT_OK);
    }
    oracle_sync(o, *t, chunk);
    for (uint32_t i = 0; i < chunk->info->events; i++)
        oracle_step(o, *t, &chunk->events[i]);
}

/* --- comparing ------------------------------------------------------------ */

static uint64_t
sum(const uint64_t *numbers, uint32_t first, uint32_t last)
{
    uint64_t n = 0;
    for (uint32_t i = first; i <= last; i++)
        n += numbers[i];
    return n;
}

static int
differ(const char *what, const struct pt_graph *g, uint32_t i, uint64_t counted,
       uint64_t walked)
{
    if (counted == walked)
        return 0;
    cr_log_error("code %u, %s %u (offset %u): counted %llu, walked %llu",
                 g->code, what, i, i < g->n ? g->ins[i].off : 0,
                 (unsigned long long)counted, (unsigned long long)walked);
    return 1;
}

static int
compare_blocks(const struct pt_code_counts *c, const struct numbers *n)
{
    const struct pt_graph *g = c->graph;
    struct pt_blocks *b;
    int bad = 0;
    cr_assert_eq(pt_blocks_new(g, &b), PT_OK);
    for (uint32_t i = 0; i < b->n; i++)
        bad += differ("block", g, i, pt_code_counts_block(c, b, i),
                      n->ran[b->blocks[i].first]);
    for (uint32_t i = 0; i < b->nedges; i++) {
        const struct pt_basic_block *from = &b->blocks[b->edges[i].from];
        uint64_t walked = b->edges[i].kind == PT_EDGE_NEXT ? n->next[from->last]
                          : b->edges[i].kind == PT_EDGE_JUMP
                              ? n->jump[from->last]
                              : sum(n->raised, from->first, from->last);
        bad += differ("edge", g, i, pt_code_counts_edge(c, b, i), walked);
    }
    pt_blocks_free(b);
    return bad;
}

int
oracle_compare(struct oracle *o, const struct pt_counts *counts)
{
    int bad = 0;
    for (uint32_t code = 1; code <= o->ncodes && bad < 9; code++) {
        const struct pt_graph *g = pt_graph_cache_at(o->graphs, code);
        struct pt_code_counts *c;
        enum pt_status st = pt_counts_code(counts, code, &c);
        if (st == PT_ENOTFOUND || !g) {
            cr_expect_null(o->numbers[code].ran);
            continue;
        }
        cr_assert_eq(st, PT_OK);
        const struct numbers *n = numbers_of(o, g);
        for (uint32_t i = 0; i < g->n; i++) {
            bad += differ("instruction", g, i, c->ran[i], n->ran[i]);
            bad += differ("next of", g, i, c->next[i], n->next[i]);
            bad += differ("jump of", g, i, c->jump[i], n->jump[i]);
        }
        bad += compare_blocks(c, n);
        pt_code_counts_free(c);
    }
    return bad;
}

/* --- synthetic chunks ----------------------------------------------------- */

void
count_chunk(struct pt_counts *c, struct stand *s, const struct pt_event *events,
            size_t n)
{
    struct pt_chunk_info info = {.events = (uint32_t)n};
    struct stand at = *s;
    struct pt_events chunk = {
        .info = &info, .events = events, .stack = at.frames, .depth = at.depth};
    cr_assert_eq(pt_counts_add(c, &chunk), PT_OK);
    for (size_t i = 0; i < n; i++)
        stand_step(s, &events[i]);
}

void
check_events(struct flow *f, const struct pt_event *events, size_t n)
{
    struct oracle o;
    struct pt_chunk_info info = {.events = (uint32_t)n};
    struct pt_events whole = {.info = &info, .events = events};
    oracle_begin(&o, f->trace);
    oracle_add(&o, &whole);
    cr_expect_eq(o.desyncs, 0u);
    for (size_t cut = 0; cut <= n; cut++) {
        struct pt_counts *a, *b;
        struct stand s = {.depth = 0};
        cr_assert_eq(pt_counts_new(f->graphs, &a), PT_OK);
        cr_assert_eq(pt_counts_new(f->graphs, &b), PT_OK);
        count_chunk(a, &s, events, cut);
        count_chunk(b, &s, events + cut, n - cut);
        cr_assert_eq(pt_counts_merge(b, a), PT_OK);
        cr_expect_eq(oracle_compare(&o, b), 0, "cut at %zu of %zu", cut, n);
        pt_counts_free(a);
        pt_counts_free(b);
    }
    oracle_end(&o);
}
