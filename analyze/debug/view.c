#include "analyze/debug/view_inside.h"

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

bool
pt_view_interrupted(const struct pt_view *v)
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

enum pt_status
pt_view_seq(struct pt_view *v, uint64_t *seq)
{
    struct pt_here here;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st == PT_OK)
        *seq = here.seq;
    return st;
}

bool
pt_view_is_stop(const struct pt_view *v, enum pt_stops stops,
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
        *out = pt_view_is_stop(v, stops, &here);
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

enum pt_status
pt_view_depth(struct pt_view *v, size_t *depth)
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
    enum pt_status st = pt_view_depth(v, &depth);
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
    enum pt_status st = pt_view_depth(v, &depth);
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
    enum pt_status st = pt_view_depth(v, &depth);
    *holds = false;
    if (st != PT_OK || depth < a->height)
        return st;
    st = pt_view_entry(v, depth - a->height, &there);
    *holds = st == PT_OK && is_same(&there, a);
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_view_runs(struct pt_view *v, const struct pt_activation *a, bool *out)
{
    struct pt_activation top;
    enum pt_status st = pt_view_python(v, 0, &top);
    *out = st == PT_OK && is_same(&top, a);
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_view_caller(struct pt_view *v, const struct pt_activation *a,
               struct pt_activation *out)
{
    size_t depth;
    enum pt_status st = pt_view_depth(v, &depth);
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
    if (pt_view_interrupted(v))
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

/* The last number from `low` on, and before `high`, at whose event an
 * activation is there: of an event, or, with `chunks`, of a chunk. */
static enum pt_status
halve(struct pt_view *v, const struct pt_activation *a, bool chunks,
      uint64_t low, uint64_t high, uint64_t *out)
{
    enum pt_status st = PT_OK;
    bool holds;
    while (st == PT_OK && high > low && high - low > 1) {
        uint64_t mid = low + (high - low) / 2;
        st = holds_at(v, a, chunks ? v->chunks[mid].seq : mid, &holds);
        if (holds)
            low = mid;
        else
            high = mid;
    }
    *out = low;
    return st;
}

/* The last chunk, from that of `from` on, at whose beginning it is there; in
 * leaps that double, as most calls are short. */
static enum pt_status
last_chunk(struct pt_view *v, const struct pt_activation *a, uint64_t from,
           uint64_t *out)
{
    uint64_t low = chunk_of(v, from), high = v->nchunks;
    bool holds = true;
    enum pt_status st = PT_OK;
    for (uint64_t leap = 1; st == PT_OK && leap < high - low; leap *= 2) {
        st = holds_at(v, a, v->chunks[low + leap].seq, &holds);
        if (holds)
            low += leap;
        else
            high = low + leap;
        if (!holds)
            break;
    }
    return st == PT_OK ? halve(v, a, true, low, high, out) : st;
}

enum pt_status
pt_view_last(struct pt_view *v, const struct pt_activation *a, uint64_t from,
             uint64_t *out)
{
    uint64_t chunk;
    if (v->nchunks == 0)
        return PT_END;
    enum pt_status st = last_chunk(v, a, from, &chunk);
    if (st != PT_OK)
        return st;
    const struct pt_view_chunk *c = &v->chunks[chunk];
    uint64_t low = from > c->seq ? from : c->seq;
    return halve(v, a, false, low, c->seq + c->events, out);
}

enum pt_status
pt_view_stay(struct pt_view *v, bool forward)
{
    enum pt_status st = forward ? pt_history_prev(v->history, PT_GRAIN_ITEM)
                                : pt_history_next(v->history, PT_GRAIN_ITEM);
    if (st == PT_OK)
        st = pt_view_settle(v->history);
    return st == PT_OK ? PT_END : st;
}

enum pt_status
pt_view_go_end(struct pt_view *v, const struct pt_activation *a, uint64_t from,
               struct pt_activation *below)
{
    uint64_t last;
    struct pt_activation caller = {0};
    enum pt_status st = pt_view_last(v, a, from, &last);
    if (st == PT_OK)
        st = pt_history_seek(v->history, last, 0);
    if (st == PT_OK && below) {
        st = pt_view_caller(v, a, &caller);
        *below = caller;
        st = st == PT_END ? PT_OK : st;
    }
    if (st == PT_OK)
        st = pt_history_next(v->history, PT_GRAIN_EVENT);
    return st == PT_END ? pt_view_stay(v, true) : st;
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
    return pt_view_interrupted(((const struct entering *)state)->view);
}

enum pt_status
pt_view_go_entering(struct pt_view *v, const struct pt_activation *a,
                    uint32_t kinds, bool forward)
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

enum pt_status
pt_view_go_resumed(struct pt_view *v, struct pt_activation *a)
{
    struct pt_here here;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st != PT_OK || here.event->kind != PT_YIELD || a->key == 0)
        return st == PT_OK ? PT_END : st;
    st = pt_view_go_entering(v, a, PT_GOES_ON, true);
    if (st == PT_OK)
        st = pt_view_python(v, 0, a);
    return st == PT_ENOTFOUND ? PT_END : st;
}

enum pt_status
pt_view_go_suspended(struct pt_view *v, struct pt_activation *a)
{
    struct pt_here here;
    struct pt_activation before;
    enum pt_status st = pt_history_here(v->history, &here);
    if (st != PT_OK || !(PT_GOES_ON >> here.event->kind & 1) || a->key == 0)
        return st == PT_OK ? PT_END : st;
    uint64_t entered = here.seq, seq = 0;
    st = pt_view_go_entering(v, a, PT_GOES_ON | 1u << PT_CALL, false);
    if (st == PT_ENOTFOUND)
        return PT_END;
    if (st == PT_OK)
        st = pt_view_python(v, 0, &before);
    if (st == PT_OK)
        st = pt_view_go_end(v, &before, before.seq, NULL);
    if (st == PT_OK)
        st = pt_view_seq(v, &seq);
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
