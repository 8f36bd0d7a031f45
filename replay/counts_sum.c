/* From counters to numbers: what is counted of a code object, and the sum along
 * its instructions. */
#include "replay/counts.h"

#include <stdlib.h>

/* --- tallies -------------------------------------------------------------- */

static uint8_t
way_of(const struct pt_graph *g, uint32_t i)
{
    const struct pt_ins *ins = &g->ins[i];
    if (ins->cls == PT_INS_NEXT)
        return i + 1 < g->n ? PT_WAY_NEXT : PT_WAY_NONE;
    /* SEND is taken for one whose iterator has ended: no event tells of that */
    return (ins->cls == PT_INS_JUMP || ins->cls == PT_INS_SEND) &&
                   ins->target != PT_INS_NONE
               ? PT_WAY_JUMP
               : PT_WAY_NONE;
}

/* Gives each instruction the end of its path.  Each is gone over twice: on the
 * way to an end that is known, or to one that was passed before, and again. */
static void
find_stops(struct pt_tally *t)
{
    const uint32_t unknown = UINT32_MAX, passed = UINT32_MAX - 1;
    struct pt_path *paths = t->paths;
    uint32_t n = t->graph->n;
    for (uint32_t i = 0; i < n; i++)
        paths[i] =
            (struct pt_path){.stop = unknown, .way = way_of(t->graph, i)};
    for (uint32_t first = 0; first < n; first++) {
        uint32_t i = first;
        while (paths[i].stop == unknown && paths[i].way != PT_WAY_NONE) {
            paths[i].stop = passed;
            i = pt_way_end(t, i);
        }
        uint32_t stop = paths[i].stop < passed ? paths[i].stop : i;
        if (paths[i].stop == unknown)
            paths[i].stop = stop;
        for (i = first; paths[i].stop == passed; i = pt_way_end(t, i))
            paths[i].stop = stop;
    }
}

/* Where there is a circle, its instructions lead to each other. */
static void
mark_circles(struct pt_tally *t)
{
    struct pt_path *paths = t->paths;
    for (uint32_t first = 0; first < t->graph->n; first++) {
        uint32_t i = paths[first].stop;
        while (paths[i].way != PT_WAY_NONE && !paths[i].round) {
            paths[i].round = true;
            i = pt_way_end(t, i);
        }
    }
}

/* The instruction that comes next on the way, or none behind a root. */
static uint32_t
parent_of(const struct pt_tally *t, uint32_t i)
{
    return t->paths[i].stop == i ? PT_INS_NONE : pt_way_end(t, i);
}

/* Numbers the forest: `order` gets each instruction behind all that lead to
 * it, whose number `last` then has; from the roots on that becomes a range,
 * and `next` is what is left of it for others that lead there. */
static void
number_ways(struct pt_tally *t, uint32_t *order, uint32_t *next)
{
    struct pt_path *paths = t->paths;
    uint32_t n = t->graph->n, known = 0, roots = 0;
    for (uint32_t i = 0; i < n; i++) {
        paths[i].last = 1;
        if (parent_of(t, i) != PT_INS_NONE)
            next[parent_of(t, i)]++;
    }
    for (uint32_t i = 0; i < n; i++)
        if (next[i] == 0)
            order[known++] = i;
    for (uint32_t k = 0; k < known; k++) {
        uint32_t parent = parent_of(t, order[k]);
        if (parent == PT_INS_NONE)
            continue;
        paths[parent].last += paths[order[k]].last;
        if (--next[parent] == 0)
            order[known++] = parent;
    }
    while (known > 0) {
        uint32_t i = order[--known], parent = parent_of(t, i);
        uint32_t *from = parent == PT_INS_NONE ? &roots : &next[parent];
        paths[i].first = *from;
        *from += paths[i].last;
        paths[i].last = *from - 1;
        next[i] = paths[i].first + 1;
    }
}

enum pt_status
pt_tally_new(const struct pt_graph *g, struct pt_tally **out)
{
    struct pt_tally *t = calloc(1, sizeof *t);
    if (!t)
        return PT_ENOMEM;
    t->graph = g;
    t->paths = calloc(g->n + (size_t)1, sizeof *t->paths);
    t->counts = calloc(g->n + (size_t)1, sizeof *t->counts);
    uint32_t *work = calloc(2 * ((size_t)g->n + 1), sizeof *work);
    if (!t->paths || !t->counts || !work) {
        pt_tally_free(t);
        free(work);
        return PT_ENOMEM;
    }
    find_stops(t);
    mark_circles(t);
    number_ways(t, work, work + g->n + 1);
    free(work);
    *out = t;
    return PT_OK;
}

void
pt_tally_free(struct pt_tally *t)
{
    if (!t)
        return;
    free(t->paths);
    free(t->counts);
    free(t);
}

/* --- sums ----------------------------------------------------------------- */

/* A sum under way.  Ways join and never part: each instruction waits for those
 * whose ways lead to it, and what is left when none is ready are circles. */
struct sum {
    const struct pt_tally *tally;
    int64_t *ran;
    uint32_t *waits; /* for so many */
    uint8_t *done;
    uint8_t *broken; /* its way is not followed: events told of it */
};

static void
add_told(struct sum *s)
{
    const struct pt_graph *g = s->tally->graph;
    for (uint32_t i = 0; i < g->n; i++) {
        const struct pt_count *c = &s->tally->counts[i];
        unsigned cls = g->ins[i].cls, way = s->tally->paths[i].way;
        s->ran[i] += c->enter;
        if (way != PT_WAY_NONE)
            s->waits[pt_way_end(s->tally, i)]++;
        if (way != PT_WAY_NEXT && cls != PT_INS_JUMP && i + 1 < g->n)
            s->ran[i + 1] += c->next;
        if (way == PT_WAY_NONE && g->ins[i].target != PT_INS_NONE)
            s->ran[g->ins[i].target] += c->jump;
    }
}

/* Follows the ways from an instruction that waits for none. */
static void
run_on(struct sum *s, uint32_t i)
{
    const struct pt_tally *t = s->tally;
    while (s->waits[i] == 0 && !s->done[i]) {
        unsigned way = t->paths[i].way;
        s->done[i] = 1;
        if (way == PT_WAY_NONE || s->broken[i])
            return;
        uint32_t to = pt_way_end(t, i);
        s->ran[to] += s->ran[i] + (way == PT_WAY_NEXT ? t->counts[i].next
                                                      : t->counts[i].jump);
        s->waits[to]--;
        i = to;
    }
}

/* A circle has a jump that events told of (spec/format.md 6.5); but not every
 * jump is one that CPython tells of. */
static void
break_circle(struct sum *s, uint32_t first)
{
    const struct pt_tally *t = s->tally;
    uint32_t best = first, i = first;
    int64_t told = -1;
    do {
        if (t->graph->ins[i].cls == PT_INS_JUMP && t->counts[i].next > told) {
            told = t->counts[i].next;
            best = i;
        }
        i = pt_way_end(t, i);
    } while (i != first);
    uint32_t to = pt_way_end(t, best);
    s->broken[best] = 1;
    s->waits[to]--;
    if (told > 0)
        s->ran[to] += told;
    run_on(s, to);
}

static void
add_up(struct sum *s)
{
    uint32_t n = s->tally->graph->n;
    add_told(s);
    for (uint32_t i = 0; i < n; i++)
        run_on(s, i);
    for (uint32_t i = 0; i < n; i++)
        if (!s->done[i])
            break_circle(s, i);
}

static uint64_t
positive(int64_t count)
{
    return count > 0 ? (uint64_t)count : 0;
}

static void
put(const struct sum *s, struct pt_code_counts *out)
{
    const struct pt_tally *t = s->tally;
    for (uint32_t i = 0; i < t->graph->n; i++) {
        const struct pt_count *c = &t->counts[i];
        unsigned way = t->paths[i].way;
        bool jumps = t->graph->ins[i].cls == PT_INS_JUMP;
        int64_t ran = s->ran[i];
        out->ran[i] = positive(ran);
        out->next[i] =
            jumps ? 0 : positive(c->next + (way == PT_WAY_NEXT ? ran : 0));
        out->jump[i] =
            positive(s->broken[i] ? (jumps ? c->next : 0)
                                  : c->jump + (way == PT_WAY_JUMP ? ran : 0));
        out->raised[i] = positive(c->raised);
    }
}

enum pt_status
pt_code_counts_new(const struct pt_graph *g, struct pt_code_counts **out)
{
    struct pt_code_counts *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->graph = g;
    c->ran = calloc(4 * ((size_t)g->n + 1), sizeof *c->ran);
    if (!c->ran) {
        free(c);
        return PT_ENOMEM;
    }
    c->next = c->ran + g->n;
    c->jump = c->next + g->n;
    c->raised = c->jump + g->n;
    *out = c;
    return PT_OK;
}

enum pt_status
pt_counts_code(const struct pt_counts *c, uint32_t code,
               struct pt_code_counts **out)
{
    if (c->failed != PT_OK)
        return c->failed;
    if (code >= c->ntallies || !c->tallies[code])
        return PT_ENOTFOUND;
    const struct pt_tally *t = c->tallies[code];
    size_t n = (size_t)t->graph->n + 1;
    struct sum s = {.tally = t,
                    .ran = calloc(n, sizeof *s.ran),
                    .waits = calloc(n, sizeof *s.waits),
                    .done = calloc(n, 2)};
    s.broken = s.done ? s.done + n : NULL;
    struct pt_code_counts *result = NULL;
    enum pt_status st = pt_code_counts_new(t->graph, &result);
    if (!s.ran || !s.waits || !s.done)
        st = PT_ENOMEM;
    if (st == PT_OK) {
        add_up(&s);
        put(&s, result);
        *out = result;
    } else
        pt_code_counts_free(result);
    free(s.ran);
    free(s.waits);
    free(s.done);
    return st;
}

void
pt_code_counts_free(struct pt_code_counts *c)
{
    if (!c)
        return;
    free(c->ran);
    free(c);
}

uint64_t
pt_code_counts_block(const struct pt_code_counts *c,
                     const struct pt_blocks *blocks, uint32_t block)
{
    return c->ran[blocks->blocks[block].first];
}

uint64_t
pt_code_counts_edge(const struct pt_code_counts *c,
                    const struct pt_blocks *blocks, uint32_t edge)
{
    const struct pt_edge *e = &blocks->edges[edge];
    const struct pt_basic_block *from = &blocks->blocks[e->from];
    uint64_t sum = 0;
    if (e->kind == PT_EDGE_NEXT)
        return c->next[from->last];
    if (e->kind == PT_EDGE_JUMP)
        return c->jump[from->last];
    for (uint32_t i = from->first; i <= from->last; i++)
        sum += c->raised[i];
    return sum;
}
