#include "analyze/debug/view.h"

#include <stdlib.h>

enum { SOME = 16 }; /* frames looked at together */

/* --- opening ---------------------------------------------------------------
 */

static int
by_seq(const void *a, const void *b)
{
    const struct pt_view_chunk *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static enum pt_status
list_chunks(struct pt_view *v)
{
    size_t n = pt_trace_chunk_count(v->trace);
    v->chunks = calloc(n + 1, sizeof *v->chunks);
    if (!v->chunks)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(v->trace, i);
        if (info->type == PT_CHUNK_EVENTS && info->events &&
            info->thread == v->thread)
            v->chunks[v->nchunks++] =
                (struct pt_view_chunk){info->seq, info->events};
    }
    qsort(v->chunks, v->nchunks, sizeof *v->chunks, by_seq);
    return PT_OK;
}

enum pt_status
pt_view_open(struct pt_view *v, const struct pt_trace *trace, uint32_t thread,
             struct pt_history *history)
{
    /* Steps go back and forth in a few chunks. */
    const struct pt_history_options options = {.thread = thread,
                                               .cache = 64 << 20};
    *v = (struct pt_view){.trace = trace,
                          .history = history,
                          .borrowed = history != NULL,
                          .thread = thread};
    enum pt_status st = list_chunks(v);
    if (st == PT_OK && !history)
        st = pt_history_open(trace, &options, &v->history);
    if (st != PT_OK)
        pt_view_close(v);
    return st;
}

void
pt_view_close(struct pt_view *v)
{
    if (!v->borrowed)
        pt_history_close(v->history);
    free(v->chunks);
    *v = (struct pt_view){0};
}

static bool
interrupted(const struct pt_view *v)
{
    return v->interrupted && v->interrupted(v->state);
}

/* --- places ----------------------------------------------------------------
 */

/* Whether both are the line and the instruction that starts it. */
static bool
starts(const struct pt_here *line, const struct pt_here *ins)
{
    if (line->event->kind != PT_LINE || line->walked != ins->walked ||
        line->thread != ins->thread)
        return false;
    if (ins->walked)
        return line->seq == ins->seq && line->k == ins->k;
    return line->seq + 1 == ins->seq && line->framed && ins->framed &&
           line->frame.seq == ins->frame.seq && line->depth == ins->depth;
}

enum pt_status
pt_view_settle(struct pt_history *h)
{
    struct pt_here ins, line;
    enum pt_status st = pt_history_here(h, &ins);
    if (st != PT_OK || ins.event->kind != PT_INSTRUCTION)
        return st == PT_END ? PT_OK : st;
    st = pt_history_prev(h, PT_GRAIN_ITEM);
    if (st == PT_OK)
        st = pt_history_here(h, &line);
    if (st == PT_OK && starts(&line, &ins))
        return PT_OK;
    if (st != PT_OK && st != PT_END)
        return st;
    st = pt_history_next(h, PT_GRAIN_ITEM);
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_view_seek(struct pt_view *v, uint64_t seq, uint64_t k)
{
    enum pt_status st = pt_history_seek(v->history, seq, k);
    return st == PT_OK ? pt_view_settle(v->history) : st;
}

static enum pt_status
current_seq(struct pt_view *v, uint64_t *seq)
{
    struct pt_here here;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st == PT_OK)
        *seq = here.seq;
    return st;
}

static bool
is_stop(const struct pt_view *v, enum pt_stops stops,
        const struct pt_here *here)
{
    unsigned kind = here->event->kind;
    if (stops == PT_STOPS_CALLS)
        return pt_kind_enters(kind) || pt_kind_leaves(kind);
    return kind == (stops == PT_STOPS_LINES ? PT_LINE : PT_INSTRUCTION) &&
           here->walked == (pt_flow_lacks(v->trace) == NULL);
}

enum pt_status
pt_view_stops(struct pt_view *v, enum pt_stops stops, bool *out)
{
    struct pt_here here;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st == PT_OK)
        *out = is_stop(v, stops, &here);
    return st;
}

/* --- activations -----------------------------------------------------------
 */

static struct pt_activation
activation(const struct pt_frame *f, size_t height)
{
    return (struct pt_activation){.seq = f->seq,
                                  .key = f->key,
                                  .id = f->id,
                                  .height = height,
                                  .callable = f->callable};
}

static enum pt_status
depth_of(struct pt_view *v, size_t *depth)
{
    struct pt_thread_state state;
    enum pt_status st = pt_history_thread(v->history, 0, &state);
    if (st == PT_OK)
        *depth = state.depth;
    return st;
}

enum pt_status
pt_view_entry(struct pt_view *v, size_t entry, struct pt_activation *out)
{
    struct pt_frame f;
    size_t depth, n;
    enum pt_status st = depth_of(v, &depth);
    if (st == PT_OK)
        st = pt_history_frames(v->history, 0, entry, &f, 1, &n);
    if (st != PT_OK || n == 0 || entry >= depth)
        return st == PT_OK ? PT_END : st;
    *out = activation(&f, depth - entry);
    return PT_OK;
}

enum pt_status
pt_view_python(struct pt_view *v, size_t entry, struct pt_activation *out)
{
    struct pt_frame f[SOME];
    size_t depth, n;
    enum pt_status st = depth_of(v, &depth);
    for (; st == PT_OK && entry < depth; entry += n) {
        st = pt_history_frames(v->history, 0, entry, f, SOME, &n);
        if (st != PT_OK || n == 0)
            break;
        for (size_t i = 0; i < n && entry + i < depth; i++)
            if (!f[i].callable) {
                *out = activation(&f[i], depth - entry - i);
                return PT_OK;
            }
    }
    return st == PT_OK ? PT_END : st;
}

static bool
is_same(const struct pt_activation *a, const struct pt_activation *b)
{
    return a->height == b->height && a->seq == b->seq && a->id == b->id &&
           a->callable == b->callable;
}

enum pt_status
pt_view_holds(struct pt_view *v, const struct pt_activation *a, bool *holds)
{
    struct pt_activation there;
    size_t depth;
    enum pt_status st = depth_of(v, &depth);
    *holds = false;
    if (st != PT_OK || depth < a->height)
        return st;
    st = pt_view_entry(v, depth - a->height, &there);
    *holds = st == PT_OK && is_same(&there, a);
    return st == PT_END ? PT_OK : st;
}

/* Whether the activation is the one that runs, C calls aside. */
static enum pt_status
runs(struct pt_view *v, const struct pt_activation *a, bool *out)
{
    struct pt_activation top;
    enum pt_status st = pt_view_python(v, 0, &top);
    *out = st == PT_OK && is_same(&top, a);
    return st == PT_END ? PT_OK : st;
}

/* The Python frame below an activation that is on the stack. */
static enum pt_status
caller_of(struct pt_view *v, const struct pt_activation *a,
          struct pt_activation *out)
{
    size_t depth;
    enum pt_status st = depth_of(v, &depth);
    if (st != PT_OK)
        return st;
    return depth < a->height ? PT_END
                             : pt_view_python(v, depth - a->height + 1, out);
}

/* --- where an activation ends ----------------------------------------------
 */

/* What cannot be read holds nothing. */
static enum pt_status
holds_at(struct pt_view *v, const struct pt_activation *a, uint64_t seq,
         bool *holds)
{
    *holds = false;
    if (interrupted(v))
        return PT_ELIMIT;
    enum pt_status st = pt_history_seek(v->history, seq, 0);
    if (st == PT_OK)
        st = pt_view_holds(v, a, holds);
    return st == PT_EDAMAGED || st == PT_ENOTFOUND ? PT_OK : st;
}

/* The chunk that has event `seq`, or else the last before it. */
static size_t
chunk_of(const struct pt_view *v, uint64_t seq)
{
    size_t low = 0, high = v->nchunks;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (v->chunks[mid].seq <= seq)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* The last chunk, from that of `from` on, at whose beginning it is there; in
 * leaps that double, as most calls are short. */
static enum pt_status
last_chunk(struct pt_view *v, const struct pt_activation *a, uint64_t from,
           size_t *out)
{
    size_t low = chunk_of(v, from), high = v->nchunks;
    bool holds;
    enum pt_status st = PT_OK;
    for (size_t leap = 1; st == PT_OK && leap < high - low; leap *= 2) {
        st = holds_at(v, a, v->chunks[low + leap].seq, &holds);
        if (!holds) {
            high = low + leap;
            break;
        }
        low += leap;
    }
    while (st == PT_OK && high - low > 1) {
        size_t mid = low + (high - low) / 2;
        st = holds_at(v, a, v->chunks[mid].seq, &holds);
        if (holds)
            low = mid;
        else
            high = mid;
    }
    *out = low;
    return st;
}

/* The last event behind which an activation is there, which it is behind event
 * `from`. */
static enum pt_status
last_event(struct pt_view *v, const struct pt_activation *a, uint64_t from,
           uint64_t *out)
{
    size_t chunk;
    bool holds;
    enum pt_status st = last_chunk(v, a, from, &chunk);
    if (st != PT_OK || v->nchunks == 0)
        return st == PT_OK ? PT_END : st;
    const struct pt_view_chunk *c = &v->chunks[chunk];
    uint64_t low = from > c->seq ? from : c->seq, high = c->seq + c->events;
    while (st == PT_OK && high > low && high - low > 1) {
        uint64_t mid = low + (high - low) / 2;
        st = holds_at(v, a, mid, &holds);
        if (holds)
            low = mid;
        else
            high = mid;
    }
    *out = low;
    return st;
}

/* Where there is no more: the last item, or the first. */
static enum pt_status
stay(struct pt_view *v, bool forward)
{
    enum pt_status st = forward ? pt_history_prev(v->history, PT_GRAIN_ITEM)
                                : pt_history_next(v->history, PT_GRAIN_ITEM);
    if (st == PT_OK)
        st = pt_view_settle(v->history);
    return st == PT_OK ? PT_END : st;
}

/* To the event that ends an activation; `below` (may be NULL) receives the
 * Python frame that it was called from, whose height is 0 where there is none.
 */
static enum pt_status
go_end(struct pt_view *v, const struct pt_activation *a, uint64_t from,
       struct pt_activation *below)
{
    uint64_t last;
    struct pt_activation caller = {0};
    enum pt_status st = last_event(v, a, from, &last);
    if (st == PT_OK)
        st = pt_history_seek(v->history, last, 0);
    if (st == PT_OK && below) {
        st = caller_of(v, a, &caller);
        *below = caller;
        st = st == PT_END ? PT_OK : st;
    }
    if (st == PT_OK)
        st = pt_history_next(v->history, PT_GRAIN_EVENT);
    return st == PT_END ? stay(v, true) : st;
}

/* --- frames that are suspended ---------------------------------------------
 */

struct entering {
    const struct pt_view *view;
    uint64_t key;
    uint32_t code;
};

static bool
is_entering(void *state, const struct pt_event *e)
{
    const struct entering *x = state;
    return e->id == x->code && pt_event_key(e) == x->key;
}

static bool
is_ended(void *state, const struct pt_chunk_info *info)
{
    return interrupted(((const struct entering *)state)->view);
}

/* To the next event of `kinds` that enters the frame of a key, or the last
 * before; PT_ENOTFOUND. */
static enum pt_status
go_entering(struct pt_view *v, const struct pt_activation *a, uint32_t kinds,
            bool forward)
{
    struct entering x = {v, a->key, a->id};
    const struct pt_search_also also = {
        .kinds = kinds, .match = is_entering, .end = is_ended, .state = &x};
    struct pt_search *search;
    enum pt_status st = pt_search_new(v->history, NULL, 0, &search);
    if (st != PT_OK)
        return st;
    pt_search_also(search, &also);
    st = pt_search_go(search, forward ? 1 : -1);
    pt_search_free(search);
    return st == PT_END ? PT_ELIMIT : st;
}

static const uint32_t GOES_ON = 1u << PT_RESUME | 1u << PT_THROW;

/* A frame has just ended at an event: where it was only suspended, to where it
 * goes on, as a new activation.  PT_END where it does not; the position then
 * stays. */
static enum pt_status
go_resumed(struct pt_view *v, struct pt_activation *a)
{
    struct pt_here here;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st != PT_OK || here.event->kind != PT_YIELD || a->key == 0)
        return st == PT_OK ? PT_END : st;
    st = go_entering(v, a, GOES_ON, true);
    if (st == PT_OK)
        st = pt_view_python(v, 0, a);
    return st == PT_ENOTFOUND ? PT_END : st;
}

/* At the event that entered an activation: where that was suspended before, to
 * where it was, as the activation until then. */
static enum pt_status
go_suspended(struct pt_view *v, struct pt_activation *a)
{
    struct pt_here here;
    struct pt_activation before;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st != PT_OK || !(GOES_ON >> here.event->kind & 1) || a->key == 0)
        return st == PT_OK ? PT_END : st;
    uint64_t entered = here.seq, seq = 0;
    st = go_entering(v, a, GOES_ON | 1u << PT_CALL, false);
    if (st == PT_ENOTFOUND)
        return PT_END;
    if (st == PT_OK)
        st = pt_view_python(v, 0, &before);
    if (st == PT_OK)
        st = go_end(v, &before, before.seq, NULL);
    if (st == PT_OK)
        st = current_seq(v, &seq);
    if (st == PT_OK && seq < entered) {
        *a = before;
        return PT_OK;
    }
    if (st != PT_OK && st != PT_END)
        return st;
    /* What has no end before that is no suspension. */
    st = pt_history_seek(v->history, entered, 0);
    return st == PT_OK ? PT_END : st;
}

/* --- steps -----------------------------------------------------------------
 */

static enum pt_status
next(struct pt_view *v, enum pt_grain grain, bool forward)
{
    enum pt_status st = forward ? pt_history_next(v->history, grain)
                                : pt_history_prev(v->history, grain);
    return st == PT_END ? stay(v, forward) : st;
}

enum pt_status
pt_view_step(struct pt_view *v, enum pt_stops stops, bool forward)
{
    struct pt_here here;
    enum pt_status st;
    if (stops == PT_STOPS_LINES)
        return next(v, PT_GRAIN_LINE, forward);
    if (stops == PT_STOPS_CALLS) {
        do {
            if (interrupted(v))
                return PT_ELIMIT;
            st = next(v, PT_GRAIN_EVENT, forward);
            if (st == PT_OK)
                st = pt_history_here(v->history, &here);
        } while (st == PT_OK && !is_stop(v, stops, &here));
        return st;
    }
    /* The line stands for its first instruction, which is no step away. */
    st = pt_history_here(v->history, &here);
    if (st == PT_OK && forward && here.event->kind == PT_LINE)
        st = next(v, PT_GRAIN_INSTRUCTION, true);
    if (st == PT_OK || st == PT_END)
        st = next(v, PT_GRAIN_INSTRUCTION, forward);
    return st == PT_OK ? pt_view_settle(v->history) : st;
}

/* Behind the end of the call that frame `f` makes, so that no stop of `f` is
 * passed; `*at` tells whether the place itself is to be looked at. */
static enum pt_status
skip_call(struct pt_view *v, const struct pt_activation *f, bool *at)
{
    struct pt_activation call;
    uint64_t seq, last;
    bool in_f = false;
    size_t depth;
    enum pt_status st = depth_of(v, &depth);
    if (st == PT_OK && depth <= f->height)
        return PT_EDAMAGED;
    if (st == PT_OK)
        st = pt_view_entry(v, depth - f->height - 1, &call);
    if (st == PT_OK)
        st = current_seq(v, &seq);
    if (st == PT_OK)
        st = last_event(v, &call, seq, &last);
    if (st == PT_OK)
        st = pt_history_seek(v->history, last, 0);
    /* A C call whose end was not told is closed by what its caller does. */
    if (st == PT_OK && call.callable)
        st = runs(v, f, &in_f);
    *at = !in_f;
    if (st != PT_OK || in_f)
        return st;
    return next(v, PT_GRAIN_EVENT, true);
}

/* What comes next of frame `f`, which has ended: its next activation, or its
 * caller, or nothing, which is height 0. */
static enum pt_status
follow(struct pt_view *v, struct pt_activation *f, uint64_t from)
{
    struct pt_activation below;
    enum pt_status st = go_end(v, f, from, &below);
    if (st != PT_OK)
        return st;
    st = go_resumed(v, f);
    if (st != PT_END)
        return st;
    *f = below;
    return PT_OK;
}

static bool
is_unreadable(enum pt_status st)
{
    return st == PT_EDAMAGED || st == PT_ENOTFOUND;
}

/* From a stop that is not frame `f`'s to where to look on; `f` becomes what
 * comes next of it, with height 0 where that is nothing.  `*seen` is an event
 * behind which it is on the stack, `*at` tells whether the place itself is to
 * be looked at. */
static enum pt_status
go_on(struct pt_view *v, struct pt_activation *f, uint64_t *seen, bool *at)
{
    bool holds;
    enum pt_status st = pt_view_holds(v, f, &holds);
    if (st != PT_OK)
        return st;
    if (holds) {
        st = current_seq(v, seen);
        return st == PT_OK ? skip_call(v, f, at) : st;
    }
    *at = true;
    st = follow(v, f, *seen);
    return st == PT_OK ? current_seq(v, seen) : st;
}

static enum pt_status
over_forward(struct pt_view *v, enum pt_stops stops, struct pt_activation f)
{
    struct pt_here here;
    uint64_t seen = 0, seq, k;
    bool at = false, stop;
    enum pt_status st = current_seq(v, &seen);
    while (st == PT_OK) {
        if (interrupted(v))
            return PT_ELIMIT;
        stop = false;
        if (at)
            st = pt_view_stops(v, stops, &stop);
        if (st == PT_OK && !stop)
            st = pt_view_step(v, stops, true);
        if (st != PT_OK || f.height == 0)
            return st;
        st = runs(v, &f, &stop);
        if (st != PT_OK || stop)
            return st;
        st = pt_history_here(v->history, &here);
        if (st != PT_OK)
            return st;
        seq = here.seq;
        k = here.k;
        st = go_on(v, &f, &seen, &at);
        /* Where a chunk is missing, nobody knows what it did to the frame. */
        if (is_unreadable(st))
            return pt_view_seek(v, seq, k);
    }
    return st;
}

/* To where frame `f` was entered, and who was there before it. */
static enum pt_status
precede(struct pt_view *v, struct pt_activation *f)
{
    struct pt_activation below = {0};
    enum pt_status st = pt_history_seek(v->history, f->seq, 0);
    if (st != PT_OK)
        return st == PT_ENOTFOUND ? PT_EDAMAGED : st;
    st = caller_of(v, f, &below);
    if (st == PT_OK || st == PT_END)
        st = go_suspended(v, f);
    if (st != PT_END)
        return st;
    *f = below;
    return PT_OK;
}

/* Before the call that frame `f` makes. */
static enum pt_status
unskip_call(struct pt_view *v, const struct pt_activation *f)
{
    struct pt_activation call;
    size_t depth;
    uint64_t seq;
    enum pt_status st = depth_of(v, &depth);
    if (st == PT_OK && depth <= f->height)
        return PT_OK;
    if (st == PT_OK)
        st = pt_view_entry(v, depth - f->height - 1, &call);
    if (st == PT_OK)
        st = current_seq(v, &seq);
    /* Where it is not known when it was entered, each stop is looked at. */
    if (st != PT_OK || call.seq > seq)
        return st;
    st = pt_history_seek(v->history, call.seq, 0);
    return st == PT_ENOTFOUND || st == PT_EDAMAGED ? PT_OK : st;
}

static enum pt_status
over_back(struct pt_view *v, enum pt_stops stops, struct pt_activation f)
{
    bool holds, stop;
    for (;;) {
        if (interrupted(v))
            return PT_ELIMIT;
        enum pt_status st = pt_view_step(v, stops, false);
        if (st == PT_OK)
            st = runs(v, &f, &stop);
        if (st != PT_OK || stop)
            return st;
        st = pt_view_holds(v, &f, &holds);
        if (st == PT_OK && holds)
            st = unskip_call(v, &f);
        else if (st == PT_OK)
            st = precede(v, &f);
        if (st == PT_EDAMAGED)
            return PT_OK; /* nobody knows what called it */
        if (st != PT_OK)
            return st;
        if (f.height == 0)
            return pt_view_step(v, stops, false);
    }
}

enum pt_status
pt_view_over(struct pt_view *v, enum pt_stops stops, bool forward)
{
    struct pt_activation f;
    enum pt_status st = pt_view_python(v, 0, &f);
    if (st == PT_END)
        return pt_view_step(v, stops, forward);
    if (st != PT_OK)
        return st;
    return forward ? over_forward(v, stops, f) : over_back(v, stops, f);
}

/* --- out of a frame --------------------------------------------------------
 */

enum pt_status
pt_view_leave(struct pt_view *v, struct pt_activation a, uint8_t *ended)
{
    struct pt_here here;
    uint64_t from;
    enum pt_status st = current_seq(v, &from);
    *ended = PT_KIND_NONE;
    while (st == PT_OK) {
        st = go_end(v, &a, from, NULL);
        if (st != PT_OK)
            return st;
        st = pt_history_here(v->history, &here);
        if (st == PT_OK)
            *ended = here.event->kind;
        if (st == PT_OK)
            st = go_resumed(v, &a);
        if (st == PT_OK)
            st = current_seq(v, &from);
    }
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_view_unenter(struct pt_view *v, struct pt_activation a)
{
    struct pt_here here;
    enum pt_status st = pt_history_seek(v->history, a.seq, 0);
    if (st == PT_OK)
        st = pt_history_here(v->history, &here);
    if (st == PT_OK && a.key && GOES_ON >> here.event->kind & 1)
        st = go_entering(v, &a, 1u << PT_CALL, false);
    if (st == PT_ENOTFOUND) /* it began before the trace did */
        st = pt_history_seek(v->history, a.seq, 0);
    if (st == PT_OK)
        st = next(v, PT_GRAIN_ITEM, false);
    return st == PT_OK ? pt_view_settle(v->history) : st;
}
