/* The profile's loop.  It follows the stack rules of <pt/replay.h> on its own
 * spans, since 30 million events a second leave no room for a general step. */
#include "analyze/profile_fold.h"
#include "analyze/profile_state.h"

#include <stdlib.h>
#include <string.h>

/* A frame key counts up from 1 in each process. */
enum { SPANS_LEAST = 64, KEY_BITS = 40 };

/* --- spans ---------------------------------------------------------------- */

static enum pt_status
lane_grow(struct pt_lane *l)
{
    size_t used = (size_t)(l->top - l->base), size = (size_t)(l->end - l->base);
    if (size > PT_STACK_LIMIT)
        return PT_EDAMAGED;
    size = size ? 2 * size : SPANS_LEAST;
    struct pt_span *base = realloc(l->base, size * sizeof *base);
    if (!base)
        return PT_ENOMEM;
    if (!l->base)
        memset(base, 0, sizeof *base);
    l->base = base;
    l->top = base + used;
    l->end = base + size;
    return PT_OK;
}

static inline uint32_t
function_of(const struct pt_profile_state *s, uint32_t id, bool callable)
{
    if (callable)
        return s->callable_fn[id < s->ncallables ? id : 0];
    return s->code_fn[id < s->ncodes ? id : 0];
}

static uint32_t
edge_of(struct pt_profile *p, uint32_t caller, uint32_t callee)
{
    struct pt_profile_function *f = &p->functions[callee];
    if (f->last_edge && f->last_caller == caller)
        return f->last_edge;
    uint32_t edge = pt_profile_edge_find(p, caller, callee);
    f->last_caller = caller;
    f->last_edge = edge;
    return edge;
}

static inline uint32_t
node_of(struct pt_profile *p, const struct pt_span *below, uint32_t fn)
{
    const struct pt_calltree_node *n = &p->tree->nodes[below->node];
    if (__builtin_expect(n->last_fn == fn, 1))
        return n->last;
    return pt_profile_tree_find(p, below, fn);
}

/* Pushes a span whose place has been made; the caller's time is settled. */
static inline void
enter(struct pt_profile *p, struct pt_lane *l, uint32_t id, bool callable,
      int64_t start, uint64_t key, unsigned keeps)
{
    const struct pt_span *below = l->top;
    struct pt_span *span = ++l->top;
    uint32_t fn = function_of(p->state, id, callable);
    *span = (struct pt_span){.start = start,
                             .away = l->away,
                             .cost = l->taken,
                             .key = key,
                             .fn = fn,
                             .id = id,
                             .callable = callable};
    if (fn == PT_PROFILE_HIDDEN) {
        span->fn = below->fn;
        span->edge = below->edge;
        span->node = below->node;
        span->hidden = 1;
        return;
    }
    p->functions[fn].level++;
    if (keeps & KEEPS_EDGES) {
        span->edge = edge_of(p, below->fn, fn);
        p->edges[span->edge].level++;
    }
    if (keeps & KEEPS_TREE)
        span->node = node_of(p, below, fn);
}

/* What recording took since the last time that was settled. */
static inline uint64_t
take_costs(struct pt_lane *l)
{
    uint64_t taken = l->cost / 1000, since = taken - l->taken;
    l->taken = taken;
    return since;
}

/* The time since the last event goes to the span on top, or, while another
 * greenlet runs, to none. */
static inline void
settle(struct pt_profile *p, struct pt_lane *l, int64_t now, unsigned keeps)
{
    uint64_t time = (uint64_t)now - (uint64_t)l->last;
    if (__builtin_expect(l->out, 0)) {
        l->away += time;
        if (keeps & KEEPS_TREE)
            p->tree->nodes[l->top->node].wait += time;
        l->last = now;
        return;
    }
    if (keeps & TAKES_COSTS) {
        uint64_t costs = take_costs(l);
        p->functions[l->top->fn].compensated += costs;
        time -= costs;
    }
    p->functions[l->top->fn].exclusive += time;
    if (keeps & KEEPS_EDGES)
        p->edges[l->top->edge].exclusive += time;
    if (keeps & KEEPS_TREE)
        p->tree->nodes[l->top->node].exclusive += time;
    l->last = now;
}

static bool
leave_edge(struct pt_profile *p, const struct pt_span *span, uint64_t time)
{
    struct pt_profile_edge *e = &p->edges[span->edge];
    bool outermost = --e->level == 0;
    if (outermost)
        e->inclusive += time;
    if (!span->partial) {
        e->calls++;
        e->primitive += outermost;
    }
    return outermost;
}

/* Ends the span on top; its time is settled.  False without memory. */
static inline bool
leave(struct pt_profile *p, struct pt_lane *l, int64_t now, unsigned keeps)
{
    const struct pt_span *span = l->top--;
    if (span->hidden)
        return true;
    struct pt_profile_function *f = &p->functions[span->fn];
    uint64_t away = l->away - span->away;
    uint64_t time = (uint64_t)now - (uint64_t)span->start - away;
    if (keeps & TAKES_COSTS)
        time -= l->taken - span->cost;
    bool outermost = --f->level == 0;
    if (outermost) {
        f->inclusive += time;
        f->wait += away;
    }
    if ((keeps & KEEPS_EDGES) && span->edge)
        leave_edge(p, span, time);
    if (span->partial)
        return true;
    if (keeps & KEEPS_TREE)
        p->tree->nodes[span->node].calls++;
    f->primitive += outermost;
    if ((keeps & TAKES_COSTS) && (int64_t)time < 0)
        time = 0;
    if (time > f->max)
        f->max = time;
    if (time < f->min || f->calls == 0)
        f->min = time;
    f->calls++;
    if (__builtin_expect(!f->times, 0)) {
        f->times = calloc(1, sizeof *f->times);
        if (!f->times)
            return false;
    }
    return pt_histogram_add(f->times, time);
}

/* --- lanes ---------------------------------------------------------------- */

/* Functions and edges count the activations on one stack, the current one. */
static void
switch_levels(struct pt_profile *p, const struct pt_lane *l, uint32_t by)
{
    for (const struct pt_span *s = l->base; l->base && s <= l->top; s++) {
        if (s == l->base || s->hidden)
            continue;
        p->functions[s->fn].level += by;
        if (p->options.edges && s->edge)
            p->edges[s->edge].level += by;
    }
}

static void
make_current(struct pt_profile *p, struct pt_lane *l)
{
    if (p->state->current == l)
        return;
    if (p->state->current)
        switch_levels(p, p->state->current, UINT32_MAX); /* minus one */
    switch_levels(p, l, 1);
    p->state->current = l;
}

/* Ends all spans above `depth` at `end`; their time is settled. */
static bool
leave_above(struct pt_profile *p, struct pt_lane *l, size_t depth, int64_t end)
{
    bool ok = true;
    while ((size_t)(l->top - l->base) > depth)
        ok &= leave(p, l, end < l->top->start ? l->top->start : end,
                    p->state->keeps);
    return ok;
}

/* Events are missing up to `time`, which belongs to nobody. */
static void
lose(struct pt_lane *l, int64_t time)
{
    if (l->known)
        l->alive = l->last;
    l->known = l->out = false;
    if (time > l->last)
        l->last = time;
}

/* How many spans from the bottom are those of the keyframe. */
static size_t
common_depth(const struct pt_lane *l, const struct pt_frame *stack,
             size_t depth)
{
    size_t n = 0, have = (size_t)(l->top - l->base);
    while (n < depth && n < have && l->base[n + 1].id == stack[n].id &&
           l->base[n + 1].callable == stack[n].callable &&
           l->base[n + 1].key == stack[n].key)
        n++;
    return n;
}

/* Takes over a stack that the events so far did not lead to: what is on both
 * goes on, the rest of ours ended when we last knew of it, the rest of theirs
 * is new and partial. */
static enum pt_status
load_stack(struct pt_profile *p, struct pt_lane *l,
           const struct pt_frame *stack, size_t depth, size_t common)
{
    if (!leave_above(p, l, common, l->known ? l->last : l->alive))
        return PT_ENOMEM;
    for (size_t i = common; i < depth; i++) {
        const struct pt_frame *f = &stack[i];
        enum pt_status st = l->top + 1 < l->end ? PT_OK : lane_grow(l);
        if (st != PT_OK)
            return st;
        int64_t start = f->time;
        if (start == INT64_MIN || start > l->last)
            start = l->last;
        if (p->filter && start < p->filter->from.time)
            start = p->filter->from.time;
        enter(p, l, f->id, f->callable, start, f->key, p->state->keeps);
        l->top->partial = 1;
    }
    return PT_OK;
}

static void
close_c_calls(struct pt_profile *p, struct pt_lane *l, int64_t now)
{
    unsigned keeps = p->state->keeps;
    if (now < l->last)
        now = l->last;
    settle(p, l, now, keeps);
    while (l->top > l->base && l->top->callable) {
        leave(p, l, now, keeps);
        p->unfinished++;
    }
}

/* --- the loop ------------------------------------------------------------- */

static inline enum pt_status
on_enter(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
         bool callable, unsigned keeps)
{
    if (__builtin_expect(l->top + 1 >= l->end, 0)) {
        enum pt_status st = lane_grow(l);
        if (st != PT_OK)
            return st;
    }
    int64_t now = e->time > l->last ? e->time : l->last;
    settle(p, l, now, keeps);
    enter(p, l, e->id, callable, now, callable ? 0 : pt_event_key(e), keeps);
    return PT_OK;
}

static inline bool
on_leave(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
         unsigned keeps)
{
    int64_t now = e->time > l->last ? e->time : l->last;
    settle(p, l, now, keeps);
    return leave(p, l, now, keeps);
}

/* Another greenlet goes on, or this one does. */
static void
on_switch(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e)
{
    settle(p, l, e->time > l->last ? e->time : l->last, p->state->keeps);
    l->out = !(e->has & PT_HAS(DST));
}

static void
add_wait(struct pt_profile *p, const struct pt_span *s, uint64_t time)
{
    p->functions[s->hidden ? 0 : s->fn].wait += time;
    if (p->tree)
        p->tree->nodes[s->hidden ? 0 : s->node].wait += time;
}

static void
on_suspend(struct pt_profile *p, const struct pt_span *s, int64_t now)
{
    if (s->key)
        add_wait(p, s,
                 pt_profile_waits_suspend(p->state->waits,
                                          s->key + p->state->scope, now));
}

static void
on_resume(struct pt_profile *p, const struct pt_span *s)
{
    if (s->key)
        add_wait(p, s,
                 pt_profile_waits_resume(p->state->waits,
                                         s->key + p->state->scope, s->start));
}

/* An event that is implied was not recorded. */
static inline uint32_t
cost_before(const struct pt_profile *p, const struct pt_event *e)
{
    return e->arg == PT_IMPLIED ? 0 : p->state->costs->of[e->kind].before;
}

static inline uint32_t
cost_after(const struct pt_profile *p, const struct pt_event *e)
{
    return e->arg == PT_IMPLIED ? 0 : p->state->costs->of[e->kind].after;
}

/* Inlined into its callers below, so that `keeps` is a constant. */
static inline __attribute__((always_inline)) enum pt_status
fold_events(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
            const struct pt_event *end, unsigned keeps)
{
    enum pt_status st = PT_OK;
    bool ok = true;
    for (; e < end && ok && st == PT_OK; e++) {
        if (keeps & TAKES_COSTS)
            l->cost += cost_before(p, e);
        switch (e->kind) {
        case PT_CALL:
            st = on_enter(p, l, e, false, keeps);
            break;
        case PT_RESUME:
        case PT_THROW:
            st = on_enter(p, l, e, false, keeps);
            if (st == PT_OK)
                on_resume(p, l->top);
            break;
        case PT_RETURN:
        case PT_YIELD:
        case PT_UNWIND:
            if (__builtin_expect(l->top->callable, 0))
                close_c_calls(p, l, e->time);
            if (__builtin_expect(l->top == l->base, 0)) {
                p->unmatched++;
                break;
            }
            if (e->kind == PT_YIELD)
                on_suspend(p, l->top, e->time);
            ok = on_leave(p, l, e, keeps);
            break;
        case PT_C_CALL:
            if (__builtin_expect(l->top->callable, 0))
                close_c_calls(p, l, e->time);
            st = on_enter(p, l, e, true, keeps);
            break;
        case PT_C_RETURN:
        case PT_C_EXCEPTION:
            if (__builtin_expect(!l->top->callable, 0))
                p->unmatched++;
            else
                ok = on_leave(p, l, e, keeps);
            break;
        case PT_LINE:
        case PT_INSTRUCTION:
        case PT_BRANCH:
        case PT_JUMP:
        case PT_EXCEPTION:
        case PT_HANDLED:
            if (__builtin_expect(l->top->callable, 0))
                close_c_calls(p, l, e->time);
            break;
        case PT_SWITCH:
            on_switch(p, l, e);
            break;
        case PT_GAP:
            lose(l, e->time);
            break;
        default:
            break;
        }
        if (keeps & TAKES_COSTS)
            l->cost += cost_after(p, e);
    }
    return !ok ? PT_ENOMEM : st;
}

static enum pt_status
fold_flat(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
          const struct pt_event *end)
{
    return fold_events(p, l, e, end, 0);
}

static enum pt_status
fold_callers(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
             const struct pt_event *end)
{
    return fold_events(p, l, e, end, KEEPS_EDGES);
}

static enum pt_status
fold_tree(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
          const struct pt_event *end)
{
    return fold_events(p, l, e, end, KEEPS_TREE);
}

static enum pt_status
fold_all(struct pt_profile *p, struct pt_lane *l, const struct pt_event *e,
         const struct pt_event *end)
{
    return fold_events(p, l, e, end, KEEPS_EDGES | KEEPS_TREE);
}

/* Dearer, and rarely asked for. */
static enum pt_status
fold_compensated(struct pt_profile *p, struct pt_lane *l,
                 const struct pt_event *e, const struct pt_event *end)
{
    return fold_events(p, l, e, end, p->state->keeps | TAKES_COSTS);
}

/* By what is kept. */
static enum pt_status (*const loops[])(struct pt_profile *, struct pt_lane *,
                                       const struct pt_event *,
                                       const struct pt_event *) = {
    fold_flat,        fold_callers,     fold_tree,        fold_all,
    fold_compensated, fold_compensated, fold_compensated, fold_compensated};

/* Steps over the events before the range, so that it starts with the stack as
 * it was; *first is the first event inside. */
static enum pt_status
skip_before(struct pt_profile *p, struct pt_lane *l,
            const struct pt_events *chunk, size_t *first)
{
    const struct pt_filter *f = p->filter;
    struct pt_stack *s = &p->state->before;
    struct pt_step step;
    size_t i = 0, n = chunk->info->events;
    enum pt_status st = pt_stack_sync(s, chunk);
    s->known = false;
    for (; st == PT_OK && i < n; i++) {
        const struct pt_event *e = &chunk->events[i];
        if (!pt_moment_before(e->time, chunk->info->seq + i, f->from.time,
                              f->from.seq))
            break;
        if (e->kind == PT_SWITCH)
            l->out = !(e->has & PT_HAS(DST));
        st = pt_stack_step(s, e, chunk->info->seq + i, &step);
    }
    *first = i;
    if (st != PT_OK)
        return st;
    /* Where nothing is inside, the next chunk's keyframe tells the same. */
    l->last = l->alive = f->from.time;
    st = load_stack(p, l, s->frames, s->depth, 0);
    l->known = true;
    return st;
}

static enum pt_status
sync(struct pt_profile *p, struct pt_lane *l, const struct pt_events *chunk)
{
    bool gap = chunk->events[0].kind == PT_GAP;
    size_t depth = (size_t)(l->top - l->base);
    size_t common = common_depth(l, chunk->stack, chunk->depth);
    enum pt_status st = PT_OK;
    if (gap)
        lose(l, chunk->events[0].time);
    if (common != depth || common != chunk->depth) {
        if (l->known) {
            p->desyncs++;
            if (chunk->info->time_first > l->last)
                settle(p, l, chunk->info->time_first, p->state->keeps);
        }
        st = load_stack(p, l, chunk->stack, chunk->depth, common);
    }
    l->known = true;
    return st;
}

/* Of a chunk that has been sieved, those that are left. */
static uint64_t
count_events(const struct pt_event *e, size_t n, const struct pt_filter *f)
{
    uint64_t none = 0;
    for (size_t i = 0; f && f->sieves && i < n; i++)
        none += e[i].kind == PT_KIND_NONE;
    return n - none;
}

static enum pt_status
fold_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_profile *p = state;
    const struct pt_filter *f = p->filter;
    uint32_t thread = chunk->info->thread;
    if (thread >= p->state->nlanes)
        thread = 0;
    struct pt_lane *l = &p->state->lanes[thread];
    size_t first = 0, n = chunk->info->events;
    p->state->scope = (uint64_t)chunk->info->process << KEY_BITS;
    if (p->options.compensate)
        p->state->costs = pt_profile_costs(p, chunk->info->process);
    enum pt_status st = PT_OK;
    if (l->over || n == 0)
        return PT_OK;
    if (!l->base) {
        if ((st = lane_grow(l)) != PT_OK ||
            (st = pt_profile_tree_begin(p, l, thread)) != PT_OK)
            return st;
        l->last = l->alive = chunk->info->time_first;
    }
    make_current(p, l);
    if (f && f->ranged &&
        pt_moment_before(chunk->events[0].time, chunk->info->seq, f->from.time,
                         f->from.seq))
        st = skip_before(p, l, chunk, &first);
    else
        st = sync(p, l, chunk);
    while (f && f->ranged && n > first &&
           pt_moment_before(f->to.time, f->to.seq, chunk->events[n - 1].time,
                            chunk->info->seq + n - 1)) {
        n--;
        l->over = true;
    }
    if (st == PT_OK)
        st = loops[p->state->keeps](p, l, chunk->events + first,
                                    chunk->events + n);
    p->events += count_events(chunk->events + first, n - first, f);
    int64_t last = f && l->over ? f->to.time : chunk->info->time_last;
    if (st == PT_OK && l->known && last > l->last)
        settle(p, l, last, p->state->keeps);
    return p->state->failed ? PT_ENOMEM : st;
}

static enum pt_status
bad_chunk(void *state, const struct pt_chunk_info *info)
{
    struct pt_profile *p = state;
    uint32_t thread = info->thread < p->state->nlanes ? info->thread : 0;
    struct pt_lane *l = &p->state->lanes[thread];
    if (l->base && !l->over)
        lose(l, info->time_last);
    return PT_OK;
}

struct pt_fold
pt_profile_fold(struct pt_profile *p)
{
    return (struct pt_fold){.state = p, .chunk = fold_chunk, .bad = bad_chunk};
}

enum pt_status
pt_profile_finish(struct pt_profile *p)
{
    for (uint32_t i = 0; i < p->state->nlanes; i++) {
        struct pt_lane *l = &p->state->lanes[i];
        if (!l->base)
            continue;
        make_current(p, l);
        if (!leave_above(p, l, 0, l->known ? l->last : l->alive))
            return PT_ENOMEM;
    }
    if (p->options.compensate)
        pt_profile_costs_finish(p);
    if (p->tree)
        pt_calltree_finish(p->tree);
    return PT_OK;
}
