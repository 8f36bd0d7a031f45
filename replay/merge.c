/* All threads in one order.
 *
 * Each thread is a stream; a heap holds the streams by the moment of their next
 * event, or of their next chunk, which is decoded when it comes to the top.
 * One decoder serves all streams: a stream copies a window of its chunk's
 * events and the chunk is decoded again when the window is used up.  Windows
 * shrink as more streams are in the middle of a chunk, so that a thousand
 * threads at once cost time rather than memory. */
#include "replay/fine.h"
#include "replay/sieve.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_BUDGET = 1 << 21, /* events in all windows together */
    WINDOW_LEAST = 1 << 10,
};

struct stream {
    size_t chunk, chunks_end; /* into cursor.order: this chunk, end of thread */
    struct pt_event *window;
    size_t capacity, at, filled;
    size_t start;          /* index in its chunk of window[0] */
    bool open;             /* the chunk's keyframe has been taken */
    bool follows;          /* it comes behind a chunk that was read */
    struct pt_moment next; /* of window[at] */
    struct pt_stack stack;
    struct pt_rest rest; /* of a filter that sieves */
    struct pt_fine_stream fine;
};

struct pt_cursor {
    const struct pt_trace *trace;
    const struct pt_filter *filter;
    bool sieves;
    struct pt_decoder *decoder;
    struct pt_line_cache *lines;
    struct pt_events decoded;
    size_t decoded_chunk; /* SIZE_MAX: none */
    size_t *order;        /* events chunks by thread, then seq */
    struct stream *streams;
    size_t nstreams;
    struct stream **heap;
    size_t nheap;
    size_t open; /* streams that hold a window */
    struct pt_trouble trouble;
    struct pt_event event; /* the caller's, for its window may go */
};

/* --- heap ----------------------------------------------------------------- */

/* What follows from the flow comes right behind the event it follows. */
static const struct pt_moment *
key(const struct stream *s)
{
    return s->fine.walk && !s->fine.drained ? &s->fine.last : &s->next;
}

static bool
before(const struct stream *a, const struct stream *b)
{
    const struct pt_moment *x = key(a), *y = key(b);
    return pt_moment_before(x->time, x->seq, y->time, y->seq);
}

static void
sink(struct pt_cursor *c, size_t i)
{
    struct stream *s = c->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= c->nheap)
            break;
        if (child + 1 < c->nheap && before(c->heap[child + 1], c->heap[child]))
            child++;
        if (!before(c->heap[child], s))
            break;
        c->heap[i] = c->heap[child];
        i = child;
    }
    c->heap[i] = s;
}

static void
order_heap(struct pt_cursor *c)
{
    for (size_t i = c->nheap; i-- > 0;)
        sink(c, i);
}

static void
drop_top(struct pt_cursor *c)
{
    c->heap[0] = c->heap[--c->nheap];
    if (c->nheap)
        sink(c, 0);
}

/* --- streams -------------------------------------------------------------- */

static const struct pt_chunk_info *
chunk_of(const struct pt_cursor *c, const struct stream *s)
{
    return pt_trace_chunk(c->trace, c->order[s->chunk]);
}

static void
release_window(struct pt_cursor *c, struct stream *s)
{
    if (s->window)
        c->open--;
    free(s->window);
    s->window = NULL;
    s->capacity = s->at = s->filled = 0;
}

/* Leaves out a chunk; what its last event is followed by is told in the next
 * one. */
static void
leave_out(struct stream *s, const struct pt_chunk_info *info)
{
    s->follows = false;
    pt_stack_lose(&s->stack);
    pt_stack_lose(&s->rest.stack);
    pt_fine_leave(&s->fine, (struct pt_moment){info->time_last,
                                               info->seq + info->events - 1});
}

/* What a walk tells behind the last event of a chunk takes the next one. */
static bool
wanted(const struct pt_cursor *c, const struct stream *s,
       const struct pt_chunk_info *info)
{
    return !c->filter || (s->fine.walk && s->follows) ||
           pt_filter_chunk(c->filter, info);
}

/* Goes to the thread's next chunk that the filter wants; false at its end. */
static bool
next_chunk(struct pt_cursor *c, struct stream *s)
{
    s->open = false;
    s->start = s->at = s->filled = 0;
    for (; s->chunk < s->chunks_end; s->chunk++) {
        const struct pt_chunk_info *info = chunk_of(c, s);
        if (info->events == 0)
            continue;
        if (!wanted(c, s, info)) {
            leave_out(s, info);
            continue;
        }
        s->follows = false;
        s->next = (struct pt_moment){info->time_first, info->seq};
        return true;
    }
    release_window(c, s);
    return false;
}

/* Fills the window from index `start` of the stream's chunk. */
static enum pt_status
fill(struct pt_cursor *c, struct stream *s)
{
    size_t index = c->order[s->chunk];
    if (c->decoded_chunk != index) {
        c->decoded_chunk = SIZE_MAX;
        enum pt_status st = pt_decoder_events(c->decoder, index, &c->decoded);
        if (st != PT_OK)
            return st;
        c->decoded_chunk = index;
    }
    if (!s->open) {
        enum pt_status st = pt_stack_sync(&s->stack, &c->decoded);
        if (st == PT_OK && c->sieves)
            st = pt_rest_sync(&s->rest, c->filter, &s->stack, &c->decoded);
        if (st == PT_OK)
            st = pt_fine_sync(&s->fine, &c->decoded);
        if (st != PT_OK)
            return st == PT_ELIMIT ? PT_EDAMAGED : st;
        s->open = true;
    }
    if (s->start >= c->decoded.info->events)
        return PT_EDAMAGED;
    if (!s->window)
        c->open++;
    size_t most = WINDOW_BUDGET / c->open;
    size_t left = c->decoded.info->events - s->start;
    if (most < WINDOW_LEAST)
        most = WINDOW_LEAST;
    if (most > left)
        most = left;
    if (!s->window || s->capacity < most ||
        s->capacity > 4 * most + WINDOW_LEAST) {
        free(s->window);
        s->capacity = 0;
        s->window = malloc(most * sizeof *s->window);
        if (!s->window) {
            c->open--;
            return PT_ENOMEM;
        }
        s->capacity = most;
    }
    memcpy(s->window, c->decoded.events + s->start, most * sizeof *s->window);
    s->at = 0;
    s->filled = most;
    return PT_OK;
}

/* Makes the stream on top ready: on return window[at] is its next event.
 * PT_END where the heap has to be looked at again. */
static enum pt_status
prepare(struct pt_cursor *c, struct stream *s)
{
    if (s->at < s->filled)
        return PT_OK;
    enum pt_status st = fill(c, s);
    if (st == PT_OK)
        st = pt_line_cache_status(c->lines);
    if (st == PT_EDAMAGED) {
        c->trouble.bad_chunks++;
        leave_out(s, chunk_of(c, s));
        s->chunk++;
        if (next_chunk(c, s))
            sink(c, 0);
        else
            drop_top(c);
        return PT_END;
    }
    if (st != PT_OK)
        return st;
    struct pt_moment now = {s->window[0].time, chunk_of(c, s)->seq + s->start};
    if (now.time != s->next.time || now.seq != s->next.seq) {
        s->next = now;
        sink(c, 0);
        return PT_END;
    }
    return PT_OK;
}

/* Moves the stream on top behind its current event. */
static void
advance(struct pt_cursor *c, struct stream *s)
{
    const struct pt_chunk_info *info = chunk_of(c, s);
    s->at++;
    size_t index = s->start + s->at;
    if (index >= info->events) {
        s->chunk++;
        s->follows = true;
        if (c->open > 16)
            release_window(c, s);
        if (!next_chunk(c, s)) {
            drop_top(c);
            return;
        }
    } else {
        s->next.seq = info->seq + index;
        if (s->at < s->filled)
            s->next.time = s->window[s->at].time;
        else {
            /* Known when the next window is filled; until then as early as
             * the last one, which keeps the order. */
            s->start = index;
            s->at = s->filled = 0;
        }
    }
    sink(c, 0);
}

/* --- the cursor ----------------------------------------------------------- */

struct order_key {
    uint32_t thread;
    uint64_t seq;
    size_t index;
};

static int
compare_keys(const void *a, const void *b)
{
    const struct order_key *x = a, *y = b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static enum pt_status
make_streams(struct pt_cursor *c)
{
    size_t n = pt_trace_chunk_count(c->trace), used = 0;
    struct order_key *keys = malloc((n + 1) * sizeof *keys);
    c->order = calloc(n + 1, sizeof *c->order);
    if (!keys || !c->order) {
        free(keys);
        return PT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(c->trace, i);
        if (info->type == PT_CHUNK_EVENTS)
            keys[used++] = (struct order_key){info->thread, info->seq, i};
    }
    qsort(keys, used, sizeof *keys, compare_keys);
    for (size_t i = 0; i < used; i++) {
        c->order[i] = keys[i].index;
        c->nstreams += i == 0 || keys[i].thread != keys[i - 1].thread;
    }
    c->streams = calloc(c->nstreams + 1, sizeof *c->streams);
    c->heap = calloc(c->nstreams + 1, sizeof *c->heap);
    size_t s = SIZE_MAX;
    for (size_t i = 0; i < used && c->streams && c->heap; i++) {
        if (i == 0 || keys[i].thread != keys[i - 1].thread)
            c->streams[++s].chunk = i;
        c->streams[s].chunks_end = i + 1;
    }
    free(keys);
    return c->streams && c->heap ? PT_OK : PT_ENOMEM;
}

enum pt_status
pt_cursor_new(const struct pt_trace *trace, const struct pt_filter *filter,
              struct pt_cursor **out)
{
    struct pt_cursor *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->trace = trace;
    c->filter = filter;
    c->sieves = filter && filter->sieves;
    c->decoded_chunk = SIZE_MAX;
    enum pt_status st = pt_decoder_new(trace, &c->decoder);
    if (st == PT_OK)
        st = pt_line_cache_new(trace, &c->lines);
    if (st == PT_OK)
        st = make_streams(c);
    if (st != PT_OK) {
        pt_cursor_free(c);
        return st;
    }
    for (size_t i = 0; i < c->nstreams; i++) {
        c->streams[i].stack.lines = c->lines;
        c->streams[i].rest.stack.lines = c->lines;
        const struct pt_chunk_info *first = chunk_of(c, &c->streams[i]);
        pt_fine_leave(&c->streams[i].fine,
                      (struct pt_moment){first->time_first, first->seq});
        if (next_chunk(c, &c->streams[i]))
            c->heap[c->nheap++] = &c->streams[i];
    }
    order_heap(c);
    *out = c;
    return PT_OK;
}

const struct pt_error *
pt_cursor_error(const struct pt_cursor *c)
{
    return pt_decoder_error(c->decoder);
}

void
pt_cursor_free(struct pt_cursor *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->streams && i < c->nstreams; i++) {
        free(c->streams[i].window);
        pt_stack_clear(&c->streams[i].stack);
        pt_rest_clear(&c->streams[i].rest);
        pt_fine_clear(&c->streams[i].fine);
    }
    pt_decoder_free(c->decoder);
    pt_line_cache_free(c->lines);
    free(c->order);
    free(c->streams);
    free(c->heap);
    free(c);
}

static bool
visible(const struct pt_filter *f, const struct stream *s,
        const struct pt_merged *m)
{
    if (!f)
        return true;
    const struct pt_moment *at = m->walked ? &s->fine.last : &s->next;
    return pt_filter_place(f, *at, m->k, m->event->time) &&
           pt_filter_begun(f, m->process, *at, m->k);
}

static void
count_gap(struct pt_cursor *c, const struct pt_event *e)
{
    c->trouble.gaps++;
    if (e->arg == UINT64_MAX)
        c->trouble.unknown++;
    else
        c->trouble.lost += e->arg;
}

enum pt_status
pt_cursor_walk(struct pt_cursor *c, struct pt_graph_cache *graphs)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < c->nstreams && st == PT_OK; i++)
        st = pt_fine_begin(&c->streams[i].fine, graphs);
    order_heap(c);
    return st;
}

/* The event on top: one that follows from the flow, else the logged one; PT_END
 * where the heap has to be looked at again.  *kept: no rule leaves it out. */
static enum pt_status
take(struct pt_cursor *c, struct stream *s, struct pt_merged *out, bool *kept)
{
    const struct pt_chunk_info *info = chunk_of(c, s);
    const struct pt_event *event = &s->window[s->at];
    *out = (struct pt_merged){.stack = c->sieves ? &s->rest.stack : &s->stack,
                              .process = info->process,
                              .thread = info->thread};
    *kept = true;
    bool behind = s->fine.walk && !s->fine.drained;
    enum pt_status st =
        pt_fine_next(&s->fine, event, s->next.seq, &s->stack, out);
    if (st == PT_OK && c->sieves)
        st = pt_rest_follow(&s->rest, &s->stack, out->event, out->seq,
                            &out->step, kept);
    if (st != PT_END)
        return st;
    if (behind) {
        sink(c, 0);
        return PT_END;
    }
    c->event = *event;
    out->event = &c->event;
    out->seq = s->next.seq;
    out->timed = event->has & PT_HAS(TIME);
    if (s->fine.walk)
        c->event.time =
            pt_fine_pass(&s->fine, event, s->filled - s->at, out->seq);
    st = c->sieves ? pt_rest_step(&s->rest, c->filter, &s->stack, &c->event,
                                  out->seq, &out->step, kept)
                   : pt_stack_step(&s->stack, &c->event, out->seq, &out->step);
    if (st == PT_OK && c->event.kind == PT_GAP) {
        pt_fine_lose(&s->fine);
        count_gap(c, &c->event);
    }
    return st;
}

enum pt_status
pt_cursor_next(struct pt_cursor *c, struct pt_merged *out)
{
    while (c->nheap) {
        struct stream *s = c->heap[0];
        enum pt_status st = prepare(c, s);
        if (st == PT_END)
            continue;
        if (st != PT_OK)
            return st;
        if (c->filter && c->filter->ranged &&
            pt_moment_before(c->filter->to.time, c->filter->to.seq,
                             key(s)->time, key(s)->seq))
            return PT_END;
        bool kept;
        st = take(c, s, out, &kept);
        if (st == PT_END)
            continue;
        if (st != PT_OK)
            return st;
        bool show = kept && visible(c->filter, s, out);
        if (!out->walked)
            advance(c, s);
        if (show)
            return PT_OK;
    }
    return pt_line_cache_status(c->lines) == PT_OK ? PT_END : PT_ENOMEM;
}

struct pt_trouble
pt_cursor_trouble(const struct pt_cursor *c)
{
    struct pt_trouble t = c->trouble;
    for (size_t i = 0; i < c->nstreams; i++) {
        const struct pt_walk *walk = c->streams[i].fine.walk;
        for (unsigned r = 0; walk && r < PT_DESYNC_COUNT; r++)
            t.misfits += pt_walk_desyncs(walk, r);
        t.desyncs += c->streams[i].stack.desyncs;
        t.unmatched += c->streams[i].stack.unmatched;
        t.unfinished += c->streams[i].stack.unfinished;
    }
    t.desyncs += t.misfits;
    return t;
}
