/* Heat: the loop over a chunk's events.  It follows the stack rules of
 * <pt/replay.h>. */
#include "analyze/heat_state.h"
#include "analyze/profile_state.h"

#include <stdlib.h>

/* A frame key counts up from 1 in each process. */
enum { FRAMES_LEAST = 64, KEY_BITS = 40 };

/* A C call on top has ended, when one of these comes. */
#define CLOSING                                                                \
    (1u << PT_RETURN | 1u << PT_YIELD | 1u << PT_UNWIND | 1u << PT_C_CALL |    \
     1u << PT_LINE | 1u << PT_INSTRUCTION | 1u << PT_BRANCH | 1u << PT_JUMP |  \
     1u << PT_EXCEPTION | 1u << PT_HANDLED)

/* --- the stack ------------------------------------------------------------ */

static struct pt_heat_frame *
top_of(struct pt_heat_state *s)
{
    return s->depth ? &s->frames[s->depth - 1] : NULL;
}

static bool
is_hidden_call(const struct pt_heat *c, uint32_t id)
{
    const struct pt_profile_state *p = c->plan->functions->state;
    return p->callable_fn[id < p->ncallables ? id : 0] == PT_PROFILE_HIDDEN;
}

/* Pushes a frame or a C call, to which nothing is counted yet. */
static enum pt_status
push(struct pt_heat *c, uint32_t id, bool callable, uint64_t key,
     struct pt_heat_frame **out)
{
    struct pt_heat_state *s = c->state;
    struct pt_heat_code *code = NULL;
    if (s->depth > PT_STACK_LIMIT)
        return PT_EDAMAGED;
    if (s->depth == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : FRAMES_LEAST;
        struct pt_heat_frame *frames =
            realloc(s->frames, capacity * sizeof *frames);
        if (!frames)
            return PT_ENOMEM;
        s->frames = frames;
        s->capacity = capacity;
    }
    enum pt_status st = callable ? PT_OK : pt_heat_code_of(c, id, &code);
    if (st != PT_OK)
        return st;
    struct pt_heat_frame *below = top_of(s), *f = &s->frames[s->depth++];
    if (below)
        pt_heat_cover(c, below);
    *f = (struct pt_heat_frame){.code = code,
                                .key = key,
                                .start = s->clock,
                                .at = PT_INS_NONE,
                                .ran = PT_INS_NONE,
                                .visible = below ? below->visible : 0,
                                .callable = callable};
    if (code) {
        f->visible = (uint32_t)s->depth;
        f->line = code->unknown;
        c->functions[code->fn].level++;
    } else if (callable && !is_hidden_call(c, id))
        f->visible = PT_HEAT_NATIVE;
    *out = f;
    return PT_OK;
}

static void
pop(struct pt_heat *c)
{
    struct pt_heat_state *s = c->state;
    struct pt_heat_frame *f = &s->frames[--s->depth];
    pt_heat_uncover(c, f);
    if (f->code) {
        struct pt_heat_function *fn = &c->functions[f->code->fn];
        if (--fn->level == 0)
            fn->inclusive += s->clock - f->start;
    }
    if (s->depth)
        pt_heat_uncover(c, &s->frames[s->depth - 1]);
}

static void
close_c_calls(struct pt_heat *c, int64_t now)
{
    struct pt_heat_state *s = c->state;
    if (!s->depth || !s->frames[s->depth - 1].callable)
        return;
    pt_heat_settle(c, now);
    while (s->depth && s->frames[s->depth - 1].callable) {
        pop(c);
        c->unfinished += s->live;
    }
}

/* --- where frames stand --------------------------------------------------- */

static void
place(struct pt_heat_frame *f, uint32_t off)
{
    if (f && f->code && f->code->graph)
        f->at = pt_graph_index(f->code->graph, off);
}

static struct pt_heat_resumed *
resumed_of(struct pt_heat_state *s, uint64_t key)
{
    uint64_t hash = (key + s->scope) * UINT64_C(0x9e3779b97f4a7c15);
    return &s->resumed[hash >> 50 & (PT_HEAT_RESUMED - 1)];
}

/* Line events do not tell of the line in which a frame goes on. */
static void
note_yield(struct pt_heat *c, const struct pt_heat_frame *f)
{
    if (!c->state->resumed || !f->code)
        return;
    f->code->yielded = f->line;
    if (f->key)
        *resumed_of(c->state, f->key) = (struct pt_heat_resumed){
            f->key + c->state->scope, f->code->fn, f->line};
}

static void
begin_line(struct pt_heat *c, struct pt_heat_frame *f, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    if (!s->resumed || !f->code)
        return;
    if (e->kind == PT_CALL) {
        f->line = f->code->first;
        return;
    }
    const struct pt_heat_resumed *r = resumed_of(s, f->key);
    bool known =
        f->key && r->key == f->key + s->scope && r->code == f->code->fn;
    f->line = known ? r->line : f->code->yielded;
}

/* --- events --------------------------------------------------------------- */

static enum pt_status
on_enter(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    struct pt_heat_frame *f, *below = top_of(s);
    pt_heat_settle(c, e->time);
    if (below && !below->callable && e->has & PT_HAS(OFF))
        place(below, e->pos);
    enum pt_status st = push(c, e->id, false, pt_event_key(e), &f);
    if (st != PT_OK)
        return st;
    if (e->has & PT_HAS(DST))
        place(f, e->dst);
    else if (e->kind == PT_CALL && f->code && f->code->graph)
        f->at = f->code->graph->start;
    begin_line(c, f, e);
    if (f->code)
        c->functions[f->code->fn].calls += s->live;
    return PT_OK;
}

static void
on_leave(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    pt_heat_settle(c, e->time);
    if (!s->depth) {
        c->unmatched += s->live;
        return;
    }
    if (e->kind == PT_YIELD)
        note_yield(c, top_of(s));
    pop(c);
}

static enum pt_status
on_c_call(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_frame *f;
    pt_heat_settle(c, e->time);
    if (e->has & PT_HAS(OFF))
        place(top_of(c->state), e->pos);
    return push(c, e->id, true, 0, &f);
}

static void
on_c_end(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    pt_heat_settle(c, e->time);
    if (s->depth && s->frames[s->depth - 1].callable)
        pop(c);
    else
        c->unmatched += s->live;
}

static void
on_line(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_frame *f = top_of(c->state);
    if (c->plan->options.source != PT_HEAT_OF_LINES)
        return;
    pt_heat_settle(c, e->time);
    if (!f || !f->code)
        return;
    f->line = pt_heat_place_of(f->code, e->pos);
    c->lines[f->line].hits += c->state->live;
}

static enum pt_status
on_instruction(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_frame *f = top_of(c->state);
    if (c->plan->options.source != PT_HEAT_OF_INSTRUCTIONS)
        return PT_OK;
    pt_heat_settle(c, e->time);
    if (!f || !f->code || !f->code->graph)
        return PT_OK;
    uint32_t at = pt_graph_index(f->code->graph, e->pos);
    return at == PT_INS_NONE
               ? PT_OK
               : pt_heat_run(c, f, (struct pt_run){at, at}, PT_INS_NONE);
}

/* Another greenlet goes on, or this one does: what was before that is not its
 * own. */
static void
on_switch(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    s->out |= (e->has & PT_HAS(DST)) != 0;
    pt_heat_settle(c, e->time);
    s->out = !(e->has & PT_HAS(DST));
}

/* The time up to here is nobody's, and where the frame stands is not known. */
static void
on_gap(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    struct pt_heat_frame *f = top_of(s);
    s->nruns = 0;
    s->steps = 0;
    if (e->time > s->last)
        s->last = e->time;
    if (f && f->code) {
        f->at = f->ran = PT_INS_NONE;
        f->line = f->code->unknown;
    }
}

static enum pt_status
on_event(struct pt_heat *c, const struct pt_event *e)
{
    struct pt_heat_state *s = c->state;
    switch (e->kind) {
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
        return on_enter(c, e);
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
        on_leave(c, e);
        return PT_OK;
    case PT_C_CALL:
        return on_c_call(c, e);
    case PT_C_RETURN:
    case PT_C_EXCEPTION:
        on_c_end(c, e);
        return PT_OK;
    case PT_LINE:
        on_line(c, e);
        return PT_OK;
    case PT_INSTRUCTION:
        return on_instruction(c, e);
    case PT_SWITCH:
        on_switch(c, e);
        return PT_OK;
    case PT_GAP:
        on_gap(c, e);
        return PT_OK;
    default:
        if (e->has & PT_HAS(TIME))
            pt_heat_settle(c, e->time);
        if (e->has & PT_HAS(OFF))
            place(top_of(s), e->pos);
        return PT_OK;
    }
}

/* --- what ran before an event --------------------------------------------- */

/* Whether the range parts what ran behind an event. */
static bool
is_parted(const struct pt_filter *f, uint64_t behind)
{
    return f && f->ranged &&
           ((f->from_k && behind + 1 == f->from.seq) ||
            (f->to_placed && behind == f->to.seq));
}

/* Counts those instructions, one by one, that the range holds. */
static enum pt_status
run_part(struct pt_heat *c, struct pt_heat_frame *f,
         const struct pt_walked *walked, struct pt_moment behind)
{
    const struct pt_filter *filter = c->plan->functions->filter;
    struct pt_heat_state *s = c->state;
    struct pt_expand x;
    struct pt_fine fine;
    bool live = s->live;
    uint32_t before = walked->before;
    enum pt_status st = PT_OK;
    pt_expand_begin(&x, walked);
    while (st == PT_OK && pt_expand_next(&x, &fine)) {
        if (fine.kind != PT_INSTRUCTION)
            continue;
        s->live = pt_filter_place(filter, behind, fine.k, behind.time);
        st = pt_heat_run(c, f, (struct pt_run){fine.index, fine.index}, before);
        before = fine.off / 2;
    }
    s->live = live;
    return st;
}

static enum pt_status
run_walked(struct pt_heat *c, const struct pt_walked *walked,
           struct pt_moment behind)
{
    struct pt_heat_state *s = c->state;
    size_t depth = s->depth;
    while (depth > 0 && s->frames[depth - 1].callable)
        depth--;
    struct pt_heat_frame *f = depth ? &s->frames[depth - 1] : NULL;
    if (!walked->graph || !f || !f->code || !f->code->graph ||
        f->code->graph != walked->graph)
        return PT_OK;
    if (is_parted(c->plan->functions->filter, behind.seq))
        return run_part(c, f, walked, behind);
    enum pt_status st = PT_OK;
    uint32_t before = walked->before;
    for (size_t i = 0; i < walked->nruns && st == PT_OK; i++) {
        st = pt_heat_run(c, f, walked->runs[i], before);
        before = walked->graph->ins[walked->runs[i].last].off / 2;
    }
    return st;
}

/* --- chunks --------------------------------------------------------------- */

static enum pt_status
load_stack(struct pt_heat *c, const struct pt_events *chunk)
{
    struct pt_heat_frame *f;
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < chunk->depth && st == PT_OK; i++) {
        const struct pt_frame *k = &chunk->stack[i];
        st = push(c, k->id, k->callable, k->key, &f);
        if (st != PT_OK || !f->code)
            continue;
        if (k->off != UINT32_MAX)
            place(f, k->off);
        if (k->at != PT_AT_THROWN)
            f->ran = f->at;
        if (c->plan->options.source == PT_HEAT_OF_LINES)
            f->line = pt_heat_place_of(f->code, k->line);
    }
    return st;
}

static bool
is_within(const struct pt_filter *f, struct pt_moment at)
{
    return !pt_moment_before(at.time, at.seq, f->from.time, f->from.seq) &&
           !pt_moment_before(f->to.time, f->to.seq, at.time, at.seq);
}

/* What ran behind the last event, then the event itself; PT_END where the range
 * is over. */
static enum pt_status
step(struct pt_heat *c, const struct pt_event *e, struct pt_moment behind,
     uint64_t seq)
{
    struct pt_heat_state *s = c->state;
    const struct pt_filter *f = c->plan->functions->filter;
    bool ranged = f && f->ranged;
    enum pt_status st = PT_OK;
    if (e->kind < PT_KIND_LIMIT && CLOSING >> e->kind & 1)
        close_c_calls(c, e->time);
    if (ranged)
        s->live = pt_filter_place(f, behind, 1, behind.time);
    if (s->walk) {
        struct pt_walked walked;
        st = pt_walk_step(s->walk, e, seq, &walked);
        if (st == PT_OK)
            st = run_walked(c, &walked, behind);
    }
    if (st == PT_OK && ranged) {
        if (pt_moment_before(f->to.time, f->to.seq, e->time, seq)) {
            pt_heat_settle(c, f->to.time);
            return PT_END;
        }
        s->live = is_within(f, (struct pt_moment){e->time, seq});
    }
    c->events += s->live && e->kind != PT_KIND_NONE;
    return st == PT_OK ? on_event(c, e) : st;
}

static enum pt_status
begin_chunk(struct pt_heat *c, const struct pt_events *chunk,
            struct pt_moment behind)
{
    struct pt_heat_state *s = c->state;
    const struct pt_filter *f = c->plan->functions->filter;
    struct pt_walked walked;
    s->depth = s->nruns = 0;
    s->steps = s->clock = 0;
    s->last = behind.time;
    if (f && f->ranged && f->from.time > s->last)
        s->last = f->from.time;
    if (f && f->starts && !pt_filter_begun(f, chunk->info->process, behind, 0))
        s->last = pt_filter_first(f, chunk->info);
    s->live = true;
    s->out = false;
    s->scope = (uint64_t)chunk->info->process << KEY_BITS;
    enum pt_status st = load_stack(c, chunk);
    if (st != PT_OK || !s->walk)
        return st;
    pt_walk_lose(s->walk);
    return pt_walk_sync(s->walk, chunk, &walked);
}

static enum pt_status
fold_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_heat *c = state;
    struct pt_heat_state *s = c->state;
    struct pt_moment behind = pt_heat_plan_behind(c->plan, chunk->info);
    uint64_t seq = chunk->info->seq;
    enum pt_status st = begin_chunk(c, chunk, behind);
    for (uint32_t i = 0; i < chunk->info->events && st == PT_OK; i++, seq++) {
        const struct pt_event *e = &chunk->events[i];
        st = step(c, e, behind, seq);
        behind = (struct pt_moment){e->time, seq};
    }
    /* Of events that a filter has taken out the time is left. */
    if (st == PT_OK)
        pt_heat_settle(c, chunk->info->time_last);
    while (s->depth)
        pop(c);
    return st == PT_END ? PT_OK : st;
}

struct pt_fold
pt_heat_fold(struct pt_heat *c)
{
    return (struct pt_fold){.state = c, .chunk = fold_chunk};
}
