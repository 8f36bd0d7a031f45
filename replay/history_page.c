/* A chunk of a history: decoding it, and walking it once. */
#include "replay/history_page.h"

#include <stdlib.h>
#include <string.h>

/* Runs that a chunk's events are kept apart by; a program has one or two an
 * event. */
enum { RUNS_LIMIT = 1 << 21 };

enum pt_status
pt_page_maker_init(struct pt_page_maker *m, const struct pt_trace *trace)
{
    *m = (struct pt_page_maker){.trace = trace};
    enum pt_status st = pt_decoder_new(trace, &m->decoder);
    if (st == PT_OK)
        st = pt_line_cache_new(trace, &m->lines);
    if (st == PT_OK && !pt_flow_lacks(trace)) {
        st = pt_graph_cache_new(trace, &m->graphs);
        if (st == PT_OK)
            st = pt_walk_new(m->graphs, &m->walk);
    }
    m->stack.lines = m->lines;
    return st;
}

void
pt_page_maker_clear(struct pt_page_maker *m)
{
    pt_decoder_free(m->decoder);
    pt_line_cache_free(m->lines);
    pt_walk_free(m->walk);
    pt_graph_cache_free(m->graphs);
    pt_stack_clear(&m->stack);
    free(m->levels);
}

void
pt_page_free(struct pt_page *p)
{
    if (!p)
        return;
    free(p->events);
    free(p->clock);
    free(p->keyframe);
    free(p->behind);
    free(p->steps);
    free(p->entries);
    free(p->nodes);
    free(p->runs);
    free(p);
}

static void
measure(struct pt_page *p)
{
    p->bytes = sizeof *p + p->n * sizeof *p->events;
    p->bytes += p->clock ? p->n * sizeof *p->clock : 0;
    p->bytes += p->keyframe ? p->depth * sizeof *p->keyframe : 0;
    p->bytes += p->behind ? (p->n + 1) * sizeof *p->behind : 0;
    p->bytes += p->steps ? (p->n + 1) * sizeof *p->steps : 0;
    p->bytes += p->entries_capacity * sizeof *p->entries;
    p->bytes += p->nodes_capacity * sizeof *p->nodes;
    p->bytes += p->runs_capacity * sizeof *p->runs;
}

/* --- decoding --------------------------------------------------------------
 */

static int64_t
clamp(int64_t time, int64_t low, int64_t high)
{
    return time < low ? low : time > high ? high : time;
}

/* Where times go back, or leave what the chunk's header says, the order is as
 * if they stood still. */
static enum pt_status
order(struct pt_page *p, int64_t floor)
{
    int64_t low = p->info->time_first, high = p->info->time_last;
    low = low < floor ? floor : low;
    high = high < low ? low : high;
    int64_t last = low;
    uint32_t i = 0;
    for (; i < p->n && p->events[i].time >= last; i++)
        last = p->events[i].time;
    if (i == p->n && last <= high)
        return PT_OK;
    p->clock = malloc(p->n * sizeof *p->clock);
    if (!p->clock)
        return PT_ENOMEM;
    for (i = 0, last = low; i < p->n; i++)
        p->clock[i] = last = clamp(p->events[i].time, last, high);
    return PT_OK;
}

/* No C call is directly in another one, and only damage has a tower of them. */
static bool
is_stack(const struct pt_events *e)
{
    for (size_t i = 1; i < e->depth; i++)
        if (e->stack[i].callable && e->stack[i - 1].callable)
            return false;
    return true;
}

static enum pt_status
take(struct pt_page *p, const struct pt_events *e, int64_t floor)
{
    p->info = e->info;
    p->n = e->info->events;
    p->depth = e->depth;
    p->events = malloc(p->n * sizeof *p->events);
    p->keyframe = malloc((p->depth + 1) * sizeof *p->keyframe);
    if (!p->events || !p->keyframe)
        return PT_ENOMEM;
    memcpy(p->events, e->events, p->n * sizeof *p->events);
    if (p->depth)
        memcpy(p->keyframe, e->stack, p->depth * sizeof *p->keyframe);
    for (uint32_t i = 0; p->info->gaps && i < p->n; i++) {
        if (p->events[i].kind != PT_GAP)
            continue;
        bool known = p->events[i].arg != UINT64_MAX;
        p->trouble.lost += known ? p->events[i].arg : 0;
        p->trouble.unknown += !known;
    }
    return order(p, floor);
}

enum pt_status
pt_page_new(struct pt_page_maker *m, size_t i, int64_t floor,
            struct pt_page **out)
{
    struct pt_events events;
    enum pt_status st = pt_decoder_events(m->decoder, i, &events);
    if (st != PT_OK)
        return st;
    if (events.info->events == 0 || !is_stack(&events))
        return PT_EDAMAGED;
    struct pt_page *p = calloc(1, sizeof *p);
    if (!p)
        return PT_ENOMEM;
    st = take(p, &events, floor);
    if (st != PT_OK) {
        pt_page_free(p);
        return st;
    }
    measure(p);
    *out = p;
    return PT_OK;
}

/* --- the persistent stack --------------------------------------------------
 */

/* Makes room for one more of an array's items. */
static bool
room(void **array, size_t *capacity, size_t used, size_t size)
{
    if (used < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity + *capacity / 2 : 1 << 10;
    void *grown = realloc(*array, wanted * size);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

static bool
add_entry(struct pt_page *p, const struct pt_frame *f, size_t depth,
          uint32_t *out)
{
    void *entries = p->entries;
    if (!room(&entries, &p->entries_capacity, p->nentries, sizeof *p->entries))
        return false;
    p->entries = entries;
    p->entries[p->nentries] = (struct pt_page_entry){.key = f->key,
                                                     .seq = f->seq,
                                                     .time = f->time,
                                                     .id = f->id,
                                                     .depth = (uint32_t)depth,
                                                     .callable = f->callable};
    *out = (uint32_t)p->nentries++;
    return true;
}

static bool
add_node(struct pt_page *p, struct pt_page_node node, uint32_t *out)
{
    void *nodes = p->nodes;
    if (!room(&nodes, &p->nodes_capacity, p->nnodes, sizeof *p->nodes))
        return false;
    p->nodes = nodes;
    p->nodes[p->nnodes] = node;
    *out = (uint32_t)p->nnodes++;
    return true;
}

static bool
is_entry(const struct pt_page_entry *e, const struct pt_frame *f)
{
    return e->seq == f->seq && e->id == f->id && e->key == f->key &&
           e->callable == f->callable;
}

/* The node of frame `f` on `parent`, which was `old` before, or nothing. */
static bool
renew(struct pt_page *p, const struct pt_frame *f, size_t depth,
      uint32_t parent, uint32_t old, uint32_t *out)
{
    struct pt_page_node node = {parent, 0, f->off, f->line};
    bool same =
        old != PT_NO_NODE && is_entry(&p->entries[p->nodes[old].entry], f);
    *out = old;
    if (same) {
        const struct pt_page_node *was = &p->nodes[old];
        if (was->parent == parent && was->off == f->off && was->line == f->line)
            return true;
        node.entry = was->entry;
    } else if (!add_entry(p, f, depth, &node.entry))
        return false;
    return add_node(p, node, out);
}

/* --- walking ---------------------------------------------------------------
 */

struct walking {
    struct pt_page_maker *maker;
    struct pt_page *page;
    size_t depth; /* of the stack that `levels` has nodes of */
};

/* Makes the nodes of the stack's entries from `low` on anew. */
static enum pt_status
follow(struct walking *w, size_t low)
{
    struct pt_page_maker *m = w->maker;
    size_t depth = m->stack.depth;
    if (depth > m->levels_capacity) {
        size_t capacity = m->stack.capacity;
        uint32_t *levels = realloc(m->levels, capacity * sizeof *levels);
        if (!levels)
            return PT_ENOMEM;
        m->levels = levels;
        m->levels_capacity = capacity;
    }
    for (size_t i = low; i < depth; i++) {
        uint32_t parent = i ? m->levels[i - 1] : PT_NO_NODE;
        uint32_t old = i < w->depth ? m->levels[i] : PT_NO_NODE;
        if (!renew(w->page, &m->stack.frames[i], i + 1, parent, old,
                   &m->levels[i]))
            return PT_ENOMEM;
    }
    w->depth = depth;
    return PT_OK;
}

/* The lowest entry that an event can change. */
static size_t
lowest(const struct pt_stack *s)
{
    size_t low = s->depth;
    while (low && s->frames[low - 1].callable)
        low--;
    return low ? low - 1 : 0;
}

static uint32_t
innermost(const struct walking *w)
{
    return w->depth ? w->maker->levels[w->depth - 1] : PT_NO_NODE;
}

/* The frame stands where the last of what ran has left it. */
static enum pt_status
settle(struct walking *w, const struct pt_walked *walked)
{
    struct pt_stack *stack = &w->maker->stack;
    struct pt_page_fine last;
    struct pt_step step;
    uint64_t n = pt_page_count(walked, PT_BY_ITEM);
    if (n == 0 || !pt_page_find(walked, PT_BY_ITEM, n, &last))
        return PT_OK;
    size_t low = lowest(stack);
    struct pt_event e = {
        .kind = PT_INSTRUCTION, .has = PT_HAS(OFF), .pos = last.fine.off};
    enum pt_status st = pt_stack_step(stack, &e, 0, &step);
    if (st == PT_OK && step.framed && stack->depth) {
        struct pt_frame *top = &stack->frames[stack->depth - 1];
        pt_page_stand(walked, &last, stack->lines, top);
    }
    return st == PT_OK ? follow(w, low) : st;
}

/* Keeps what ran before event `i`. */
static enum pt_status
keep(struct pt_page *p, uint32_t i, const struct pt_walked *walked)
{
    struct pt_page_step *step = &p->steps[i];
    step->before = walked->before;
    step->ran = walked->lost ? PT_RAN_LOST : PT_RAN_KNOWN;
    if (walked->desynced) {
        step->ran = PT_RAN_DESYNC;
        step->desync = walked->desync.reason;
        p->trouble.desyncs++;
        p->trouble.misfits++;
    }
    if (walked->nruns > RUNS_LIMIT - p->nruns) {
        step->ran = PT_RAN_LOST;
        return PT_OK;
    }
    for (size_t r = 0; walked->graph && r < walked->nruns; r++) {
        void *runs = p->runs;
        if (!room(&runs, &p->runs_capacity, p->nruns, sizeof *p->runs))
            return PT_ENOMEM;
        p->runs = runs;
        p->runs[p->nruns++] = walked->runs[r];
    }
    return PT_OK;
}

/* The node of what an event ended: as it was then. */
static enum pt_status
ended(struct walking *w, const struct pt_event *e, const struct pt_step *step,
      uint32_t *about)
{
    struct pt_page *p = w->page;
    const uint32_t *levels = w->maker->levels;
    bool c_end = e->kind == PT_C_RETURN || e->kind == PT_C_EXCEPTION;
    size_t depth = w->maker->stack.depth;
    *about = PT_NO_NODE;
    if (step->unmatched || depth >= w->depth ||
        !(c_end || pt_kind_leaves(e->kind)))
        return PT_OK;
    uint32_t parent = p->nodes[levels[depth]].parent;
    if (c_end || !step->framed)
        *about = levels[depth];
    else if (!renew(p, &step->frame, depth + 1, parent, levels[depth], about))
        return PT_ENOMEM;
    return PT_OK;
}

static enum pt_status
walk_event(struct walking *w, uint32_t i)
{
    struct pt_page_maker *m = w->maker;
    struct pt_page *p = w->page;
    const struct pt_event *e = &p->events[i];
    uint64_t seq = p->info->seq + i;
    struct pt_page_step *kept = &p->steps[i];
    struct pt_walked walked;
    struct pt_step step;
    enum pt_status st = PT_OK;
    *kept =
        (struct pt_page_step){.run = (uint32_t)p->nruns, .ran = PT_RAN_UNTOLD};
    if (m->walk) {
        st = pt_walk_step(m->walk, e, seq, &walked);
        if (st == PT_OK)
            st = keep(p, i, &walked);
        if (st == PT_OK && walked.graph)
            st = settle(w, &walked);
    }
    if (st != PT_OK)
        return st;
    if (e->kind == PT_GAP)
        kept->ran = PT_RAN_GAP;
    size_t low = lowest(&m->stack);
    st = pt_stack_step(&m->stack, e, seq, &step);
    if (st == PT_OK)
        st = ended(w, e, &step, &kept->about);
    if (st == PT_OK)
        st = follow(w, low < m->stack.depth ? low : m->stack.depth);
    p->behind[i + 1] = innermost(w);
    return st;
}

static enum pt_status
begin(struct walking *w)
{
    struct pt_page_maker *m = w->maker;
    struct pt_page *p = w->page;
    struct pt_events events = {.info = p->info,
                               .events = p->events,
                               .stack = p->keyframe,
                               .depth = p->depth};
    struct pt_walked walked;
    pt_stack_lose(&m->stack);
    m->stack.unmatched = m->stack.unfinished = 0;
    enum pt_status st = pt_stack_sync(&m->stack, &events);
    if (st == PT_OK && m->walk) {
        pt_walk_lose(m->walk);
        st = pt_walk_sync(m->walk, &events, &walked);
    }
    return st == PT_OK ? follow(w, 0) : st;
}

/* What a failed attempt has made is of no use. */
static void
unwalk(struct pt_page *p)
{
    free(p->behind);
    free(p->steps);
    free(p->entries);
    free(p->nodes);
    free(p->runs);
    p->behind = NULL;
    p->steps = NULL;
    p->entries = NULL;
    p->nodes = NULL;
    p->runs = NULL;
    p->nentries = p->nnodes = p->nruns = 0;
    p->entries_capacity = p->nodes_capacity = p->runs_capacity = 0;
    p->trouble.desyncs = p->trouble.misfits = 0;
}

enum pt_status
pt_page_walk(struct pt_page_maker *m, struct pt_page *p)
{
    struct walking w = {m, p, 0};
    if (p->walked)
        return PT_OK;
    p->behind = malloc((p->n + (size_t)1) * sizeof *p->behind);
    p->steps = malloc((p->n + (size_t)1) * sizeof *p->steps);
    enum pt_status st = p->behind && p->steps ? begin(&w) : PT_ENOMEM;
    if (st == PT_OK)
        p->behind[0] = innermost(&w);
    for (uint32_t i = 0; i < p->n && st == PT_OK; i++)
        st = walk_event(&w, i);
    if (st != PT_OK) {
        unwalk(p);
        return st == PT_ELIMIT ? PT_EDAMAGED : st;
    }
    p->steps[p->n] = (struct pt_page_step){.run = (uint32_t)p->nruns};
    p->trouble.unmatched = m->stack.unmatched;
    p->trouble.unfinished = m->stack.unfinished;
    free(p->keyframe);
    p->keyframe = NULL;
    p->walked = true;
    measure(p);
    return PT_OK;
}
