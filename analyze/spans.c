#include "analyze/spans.h"
#include "analyze/thread_ids.h"

#include <stdlib.h>

enum { SPANS_LEAST = 64 };

/* One thread.  Its open spans are the frames of its stack that are not hidden:
 * each knows how deep its frame lies. */
struct lane {
    struct pt_span_lane told;
    size_t capacity; /* of told.spans */
    struct pt_stack stack;
    int64_t last;  /* time up to which all is accounted for */
    int64_t alive; /* while the stack is not known: when it last was */
    int64_t said;  /* of what the sink was told last */
    uint64_t away; /* ns for which other greenlets ran */
    bool begun, out, over;
};

struct pt_spans {
    const struct pt_trace *trace;
    const struct pt_filter *filter;
    struct pt_span_sink sink;
    struct pt_line_cache *lines;
    bool all_calls;
    struct pt_thread_ids threads;
    struct lane *lanes;
};

/* --- spans ---------------------------------------------------------------- */

static bool
is_hidden(const struct pt_spans *p, const struct pt_frame *f)
{
    if (!f->callable)
        return false;
    const struct pt_callable *c = pt_trace_callable(p->trace, f->id);
    return !p->all_calls && !(c && (c->kind == PT_CALLABLE_BUILTIN ||
                                    c->kind == PT_CALLABLE_METHOD));
}

static bool
grow(struct lane *l)
{
    size_t capacity = l->capacity ? 2 * l->capacity : SPANS_LEAST;
    struct pt_span *spans =
        realloc(l->told.spans, capacity * sizeof *l->told.spans);
    if (!spans)
        return false;
    l->told.spans = spans;
    l->capacity = capacity;
    return true;
}

/* The last span of a lane, or NULL. */
static struct pt_span *
last_span(const struct lane *l)
{
    return l->told.depth ? &l->told.spans[l->told.depth - 1] : NULL;
}

static uint32_t
line_of(const struct lane *l, const struct pt_span *span)
{
    return span && span->at <= l->stack.depth
               ? l->stack.frames[span->at - 1].line
               : 0;
}

/* Begins a span for the frame at `depth` of the stack, unless it is hidden. */
static enum pt_status
begin(struct pt_spans *p, struct lane *l, size_t depth, int64_t start,
      bool partial)
{
    const struct pt_frame *f = &l->stack.frames[depth - 1];
    if (is_hidden(p, f))
        return PT_OK;
    if (l->told.depth == l->capacity && !grow(l))
        return PT_ENOMEM;
    uint32_t line = line_of(l, last_span(l));
    l->said = start > l->said ? start : l->said;
    l->told.spans[l->told.depth++] = (struct pt_span){.start = l->said,
                                                      .away = l->away,
                                                      .at = depth,
                                                      .id = f->id,
                                                      .line = line,
                                                      .callable = f->callable,
                                                      .partial = partial};
    return p->sink.begun(p->sink.state, &l->told);
}

/* Ends the spans above `depth` of the stack; their time is settled. */
static enum pt_status
end_above(struct pt_spans *p, struct lane *l, size_t depth, int64_t time)
{
    enum pt_status st = PT_OK;
    struct pt_span *span;
    while (st == PT_OK && (span = last_span(l)) && span->at > depth) {
        span->wait = l->away - span->away;
        l->said = time > l->said ? time : l->said;
        st = p->sink.ended(p->sink.state, &l->told, l->said);
        l->told.depth--;
    }
    return st;
}

/* The time since the last event goes to the span on top, or, while another
 * greenlet runs, to none. */
static enum pt_status
settle(struct pt_spans *p, struct lane *l, int64_t now)
{
    struct pt_span *span = last_span(l);
    if (now <= l->last)
        return PT_OK;
    uint64_t time = (uint64_t)now - (uint64_t)l->last;
    l->last = now;
    if (l->out) {
        l->away += time;
        return PT_OK;
    }
    if (!span)
        return PT_OK;
    span->exclusive += time;
    return p->sink.spent
               ? p->sink.spent(p->sink.state, &l->told, time, line_of(l, span))
               : PT_OK;
}

/* Events are missing up to `time`, which belongs to nobody. */
static void
lose(struct lane *l, int64_t time)
{
    if (l->stack.known)
        l->alive = l->last;
    pt_stack_lose(&l->stack);
    l->out = false;
    if (time > l->last)
        l->last = time;
}

static enum pt_status
tell_gap(struct pt_spans *p, struct lane *l, uint64_t lost)
{
    if (!p->sink.gap)
        return PT_OK;
    return p->sink.gap(p->sink.state, &l->told, l->last, lost);
}

/* --- chunks --------------------------------------------------------------- */

static bool
is_before(const struct pt_filter *f, const struct pt_events *chunk, size_t i)
{
    return f && f->ranged &&
           pt_moment_before(chunk->events[i].time, chunk->info->seq + i,
                            f->from.time, f->from.seq);
}

static bool
is_behind(const struct pt_filter *f, const struct pt_events *chunk, size_t i)
{
    return f && f->ranged &&
           pt_moment_before(f->to.time, f->to.seq, chunk->events[i].time,
                            chunk->info->seq + i);
}

/* Begins the spans of the frames from `depth` on, which were there before the
 * events that we see. */
static enum pt_status
begin_partial(struct pt_spans *p, struct lane *l, size_t depth)
{
    enum pt_status st = PT_OK;
    for (; st == PT_OK && depth < l->stack.depth; depth++) {
        int64_t start = l->stack.frames[depth].time;
        if (start == INT64_MIN || start > l->last)
            start = l->last;
        if (p->filter && start < p->filter->from.time)
            start = p->filter->from.time;
        st = begin(p, l, depth + 1, start, true);
    }
    return st;
}

/* Steps over what lies before the range; *first is the first event inside. */
static enum pt_status
skip_before(struct pt_spans *p, struct lane *l, const struct pt_events *chunk,
            size_t *first)
{
    struct pt_step step;
    size_t i = 0;
    l->last = l->alive = p->filter->from.time;
    enum pt_status st = end_above(p, l, 0, l->last);
    if (st == PT_OK)
        st = pt_stack_sync(&l->stack, chunk);
    for (; st == PT_OK && i < chunk->info->events; i++) {
        const struct pt_event *e = &chunk->events[i];
        if (!is_before(p->filter, chunk, i))
            break;
        if (e->kind == PT_SWITCH)
            l->out = !(e->has & PT_HAS(DST));
        st = pt_stack_step(&l->stack, e, chunk->info->seq + i, &step);
    }
    *first = i;
    /* Where nothing is inside, the next chunk's keyframe tells the same. */
    if (st == PT_OK && i < chunk->info->events)
        st = begin_partial(p, l, 0);
    else
        pt_stack_clear(&l->stack);
    return st;
}

/* How many frames from the bottom are those of the keyframe. */
static size_t
common_depth(const struct pt_stack *s, const struct pt_events *chunk)
{
    size_t n = 0;
    while (n < s->depth && n < chunk->depth &&
           s->frames[n].id == chunk->stack[n].id &&
           s->frames[n].callable == chunk->stack[n].callable &&
           s->frames[n].key == chunk->stack[n].key)
        n++;
    return n;
}

/* Takes over the keyframe: what is on both stacks goes on, the rest of ours
 * ended when we last knew of it, the rest of theirs is new and partial. */
static enum pt_status
take_keyframe(struct pt_spans *p, struct lane *l, const struct pt_events *chunk)
{
    bool gap = chunk->events[0].kind == PT_GAP;
    if (gap)
        lose(l, chunk->events[0].time);
    size_t common = common_depth(&l->stack, chunk);
    bool same = common == l->stack.depth && common == chunk->depth;
    bool known = l->stack.known;
    enum pt_status st = PT_OK;
    if (!same && known)
        st = settle(p, l, chunk->info->time_first);
    if (st == PT_OK && !same)
        st = end_above(p, l, common, known ? l->last : l->alive);
    if (st == PT_OK)
        st = pt_stack_sync(&l->stack, chunk);
    return st == PT_OK ? begin_partial(p, l, common) : st;
}

/* Whether time is settled at an event, as the profile does it: where spans
 * begin or end, and, for who wants them, where lines do. */
static bool
is_settled(const struct pt_spans *p, const struct lane *l, unsigned kind)
{
    const struct pt_stack *s = &l->stack;
    bool in_c = s->depth && s->frames[s->depth - 1].callable;
    if (kind >= PT_LINE && kind <= PT_HANDLED)
        return in_c || p->lines;
    if (kind == PT_C_RETURN || kind == PT_C_EXCEPTION)
        return in_c;
    if (pt_kind_leaves(kind))
        return s->depth != 0;
    return pt_kind_enters(kind) || kind == PT_C_CALL || kind == PT_SWITCH;
}

static enum pt_status
follow(struct pt_spans *p, struct lane *l, const struct pt_event *e,
       uint64_t seq)
{
    struct pt_step step;
    if (e->kind == PT_GAP) {
        lose(l, e->time);
        return tell_gap(p, l, e->arg);
    }
    enum pt_status st =
        is_settled(p, l, e->kind) ? settle(p, l, e->time) : PT_OK;
    if (st == PT_OK)
        st = pt_stack_step(&l->stack, e, seq, &step);
    if (st != PT_OK)
        return st;
    if (e->kind == PT_SWITCH)
        l->out = !(e->has & PT_HAS(DST));
    /* Whatever the event ended lies above what it left. */
    st = end_above(p, l, step.depth, l->last);
    if (st == PT_OK && l->stack.depth > step.depth)
        st = begin(p, l, l->stack.depth, l->last, false);
    return st;
}

static enum pt_status
follow_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_spans *p = state;
    struct lane *l =
        &p->lanes[pt_thread_ids_find(&p->threads, chunk->info->thread)];
    size_t first = 0, n = chunk->info->events;
    enum pt_status st = PT_OK;
    if (l->over || n == 0)
        return PT_OK;
    l->told.process = chunk->info->process;
    if (!l->begun)
        l->last = l->alive = chunk->info->time_first;
    l->begun = true;
    if (is_before(p->filter, chunk, 0))
        st = skip_before(p, l, chunk, &first);
    else
        st = take_keyframe(p, l, chunk);
    while (n > first && is_behind(p->filter, chunk, n - 1)) {
        n--;
        l->over = true;
    }
    for (size_t i = first; st == PT_OK && i < n; i++)
        st = follow(p, l, &chunk->events[i], chunk->info->seq + i);
    int64_t last = l->over ? p->filter->to.time : chunk->info->time_last;
    if (st == PT_OK && l->stack.known)
        st = settle(p, l, last);
    /* No program has stacks that deep. */
    return st == PT_ELIMIT ? PT_EDAMAGED : st;
}

static enum pt_status
bad_chunk(void *state, const struct pt_chunk_info *info)
{
    struct pt_spans *p = state;
    struct lane *l = &p->lanes[pt_thread_ids_find(&p->threads, info->thread)];
    if (!l->begun || l->over)
        return PT_OK;
    lose(l, info->time_last);
    return tell_gap(p, l, info->events);
}

/* --- lifecycle ------------------------------------------------------------ */

enum pt_status
pt_spans_new(const struct pt_trace *trace, const struct pt_filter *filter,
             const struct pt_spans_options *options,
             const struct pt_span_sink *sink, struct pt_spans **out)
{
    struct pt_spans *p = calloc(1, sizeof *p);
    if (!p)
        return PT_ENOMEM;
    p->trace = trace;
    p->filter = filter;
    p->sink = *sink;
    p->all_calls = options->all_calls;
    enum pt_status st = pt_thread_ids_init(&p->threads, trace);
    if (st == PT_OK && options->lines)
        st = pt_line_cache_new(trace, &p->lines);
    if (st == PT_OK && !(p->lanes = calloc(p->threads.n + 1, sizeof *p->lanes)))
        st = PT_ENOMEM;
    if (st != PT_OK) {
        pt_spans_free(p);
        return st;
    }
    for (size_t i = 0; i < p->threads.n; i++) {
        p->lanes[i].told.thread = p->threads.ids[i];
        p->lanes[i].said = INT64_MIN;
        p->lanes[i].stack.lines = p->lines;
    }
    *out = p;
    return PT_OK;
}

void
pt_spans_free(struct pt_spans *p)
{
    if (!p)
        return;
    for (size_t i = 0; p->lanes && i < p->threads.n; i++) {
        free(p->lanes[i].told.spans);
        pt_stack_clear(&p->lanes[i].stack);
    }
    free(p->lanes);
    pt_thread_ids_clear(&p->threads);
    pt_line_cache_free(p->lines);
    free(p);
}

struct pt_fold
pt_spans_fold(struct pt_spans *p)
{
    return (struct pt_fold){
        .state = p, .chunk = follow_chunk, .bad = bad_chunk};
}

enum pt_status
pt_spans_finish(struct pt_spans *p)
{
    enum pt_status st = p->lines ? pt_line_cache_status(p->lines) : PT_OK;
    for (size_t i = 0; st == PT_OK && i < p->threads.n; i++) {
        struct lane *l = &p->lanes[i];
        st = end_above(p, l, 0, l->stack.known ? l->last : l->alive);
    }
    return st;
}

void
pt_spans_tell(const struct pt_spans *p, struct pt_trouble *t)
{
    for (size_t i = 0; i < p->threads.n; i++) {
        const struct pt_stack *s = &p->lanes[i].stack;
        t->desyncs += s->desyncs;
        t->unmatched += s->unmatched;
        t->unfinished += s->unfinished;
    }
}
