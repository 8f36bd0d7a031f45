/* Counts of a trace: the frames of a chunk, and the tallies of code objects. */
#include "replay/counts.h"

#include <stdlib.h>

enum pt_status
pt_counts_new(struct pt_graph_cache *graphs, struct pt_counts **out)
{
    struct pt_counts *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->graphs = graphs;
    *out = c;
    return PT_OK;
}

void
pt_counts_free(struct pt_counts *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->ntallies; i++)
        pt_tally_free(c->tallies[i]);
    free(c->tallies);
    free(c->frames);
    free(c);
}

static enum pt_status
reserve(struct pt_counts *c, size_t depth)
{
    if (depth <= c->capacity)
        return PT_OK;
    if (depth > PT_STACK_LIMIT)
        return PT_ELIMIT;
    size_t capacity = c->capacity ? 2 * c->capacity : 64;
    if (capacity < depth)
        capacity = depth;
    struct pt_count_frame *frames =
        realloc(c->frames, capacity * sizeof *frames);
    if (!frames)
        return PT_ENOMEM;
    c->frames = frames;
    c->capacity = capacity;
    return PT_OK;
}

static enum pt_status
make_room(struct pt_counts *c, uint32_t code)
{
    uint32_t n = c->ntallies ? c->ntallies : 64;
    while (n <= code)
        n *= 2;
    struct pt_tally **tallies = realloc(c->tallies, n * sizeof *tallies);
    if (!tallies)
        return PT_ENOMEM;
    for (uint32_t i = c->ntallies; i < n; i++)
        tallies[i] = NULL;
    c->tallies = tallies;
    c->ntallies = n;
    return PT_OK;
}

/* The tally of a code object, made where there is none; NULL where there is no
 * graph. */
static enum pt_status
tally_of(struct pt_counts *c, uint32_t code, struct pt_tally **out)
{
    if (code < c->ntallies && c->tallies[code]) {
        *out = c->tallies[code];
        return PT_OK;
    }
    const struct pt_graph *g = pt_graph_cache_at(c->graphs, code);
    enum pt_status st = PT_OK;
    *out = NULL;
    if (!g)
        return pt_graph_cache_status(c->graphs);
    if (code >= c->ntallies)
        st = make_room(c, code);
    if (st == PT_OK)
        st = pt_tally_new(g, &c->tallies[code]);
    if (st == PT_OK)
        *out = c->tallies[code];
    return st;
}

static enum pt_status
add_tally(struct pt_counts *into, uint32_t code, const struct pt_tally *from)
{
    struct pt_tally *t;
    enum pt_status st = tally_of(into, code, &t);
    if (st != PT_OK)
        return st;
    if (!t || t->graph->n != from->graph->n)
        return PT_EUSAGE;
    t->desyncs += from->desyncs;
    for (uint32_t i = 0; i < t->graph->n; i++) {
        t->counts[i].enter += from->counts[i].enter;
        t->counts[i].next += from->counts[i].next;
        t->counts[i].jump += from->counts[i].jump;
        t->counts[i].raised += from->counts[i].raised;
    }
    return PT_OK;
}

enum pt_status
pt_counts_merge(struct pt_counts *into, const struct pt_counts *from)
{
    if (into->failed == PT_OK)
        into->failed = from->failed;
    for (uint32_t i = 0; into->failed == PT_OK && i < from->ntallies; i++)
        if (from->tallies[i])
            into->failed = add_tally(into, i, from->tallies[i]);
    return into->failed;
}

uint64_t
pt_counts_desyncs(const struct pt_counts *c)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < c->ntallies; i++)
        n += c->tallies[i] ? c->tallies[i]->desyncs : 0;
    return n;
}

/* --- chunks --------------------------------------------------------------- */

static enum pt_status
on_enter(struct pt_counts *c, const struct pt_event *e)
{
    struct pt_count_frame *caller = c->depth ? &c->frames[c->depth - 1] : NULL;
    struct pt_tally *tally;
    if (caller && caller->tally && e->has & PT_HAS(OFF))
        pt_count_caller(caller, e->pos);
    enum pt_status st = tally_of(c, e->id, &tally);
    if (st == PT_OK)
        st = reserve(c, c->depth + 1);
    if (st != PT_OK)
        return st;
    struct pt_count_frame *f = &c->frames[c->depth++];
    *f = (struct pt_count_frame){.tally = tally, .at = PT_INS_NONE};
    if (tally)
        pt_count_enter(f, e);
    return PT_OK;
}

/* Nothing ahead of where the frames stand is this chunk's. */
static void
forget(struct pt_counts *c)
{
    for (size_t i = c->forgotten; i < c->depth; i++) {
        if (c->frames[i].tally)
            pt_count_abandon(&c->frames[i]);
        c->frames[i].tally = NULL;
    }
    c->forgotten = c->depth;
}

static enum pt_status
step(struct pt_counts *c, const struct pt_event *e)
{
    const uint32_t own = 1u << PT_RETURN | 1u << PT_YIELD | 1u << PT_UNWIND |
                         1u << PT_BRANCH | 1u << PT_JUMP | 1u << PT_EXCEPTION |
                         1u << PT_HANDLED | 1u << PT_C_CALL;
    if (pt_kind_enters(e->kind))
        return on_enter(c, e);
    if (e->kind == PT_GAP) {
        forget(c);
        return PT_OK;
    }
    if (e->kind >= PT_KIND_LIMIT || c->depth == 0)
        return PT_OK;
    struct pt_count_frame *top = &c->frames[c->depth - 1];
    if (!(own >> e->kind & 1)) {
        /* It called what a filter has left out. */
        if (e->kind == PT_KIND_NONE && top->tally && e->has & PT_HAS(OFF))
            pt_count_caller(top, e->pos);
        return PT_OK;
    }
    bool leaves = pt_kind_leaves(e->kind);
    if (top->tally && (leaves || e->has & PT_HAS(OFF)))
        pt_count_own(top, e);
    c->depth -= leaves;
    if (c->forgotten > c->depth)
        c->forgotten = c->depth;
    return PT_OK;
}

static enum pt_status
take_keyframe(struct pt_counts *c, const struct pt_events *chunk)
{
    enum pt_status st = reserve(c, chunk->depth);
    c->depth = c->forgotten = 0;
    for (size_t i = 0; st == PT_OK && i < chunk->depth; i++) {
        const struct pt_frame *k = &chunk->stack[i];
        if (k->callable)
            continue;
        struct pt_count_frame *f = &c->frames[c->depth];
        *f = (struct pt_count_frame){.at = PT_INS_NONE};
        st = tally_of(c, k->id, &f->tally);
        if (st == PT_OK && f->tally)
            pt_count_place(f, k);
        c->depth++;
    }
    return st;
}

enum pt_status
pt_counts_add(struct pt_counts *c, const struct pt_events *chunk)
{
    if (c->failed != PT_OK)
        return c->failed;
    enum pt_status st = take_keyframe(c, chunk);
    for (uint32_t i = 0; st == PT_OK && i < chunk->info->events; i++)
        st = step(c, &chunk->events[i]);
    if (st == PT_OK)
        forget(c);
    c->failed = st;
    return st;
}
