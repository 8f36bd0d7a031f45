/* A frame's value events: looked for chunk by chunk. */
#include "format/values.h"

#include <pt/replay.h>
#include <pt/scope.h>

#include <stdlib.h>

struct pt_scopes {
    const struct pt_trace *trace;
    struct pt_values *values;
    struct pt_decoder *decoder;
    size_t decoded; /* the chunk that `events` is, SIZE_MAX none */
    struct pt_events events;
    struct pt_scope_value *found; /* of pt_scope_all() */
    size_t nfound, found_room;
};

/* What is looked for, and what came of it. */
struct hunt {
    struct pt_scopes *scopes;
    const struct pt_scope *scope;
    uint32_t dst; /* 0: all variables */
    bool forwards;
    uint64_t seq;
    bool found;
    struct pt_scope_value value;
    bool gap;  /* events were missing on the way */
    bool over; /* the frame began, or ended, in a chunk that was looked at */
};

enum pt_status
pt_scopes_new(const struct pt_trace *trace, struct pt_values *values,
              struct pt_scopes **out)
{
    struct pt_scopes *s = calloc(1, sizeof *s);
    if (!s)
        return PT_ENOMEM;
    s->trace = trace;
    s->values = values;
    s->decoded = SIZE_MAX;
    enum pt_status st = pt_decoder_new(trace, &s->decoder);
    if (st == PT_OK)
        *out = s;
    else
        pt_scopes_free(s);
    return st;
}

void
pt_scopes_free(struct pt_scopes *s)
{
    if (!s)
        return;
    pt_decoder_free(s->decoder);
    free(s->found);
    free(s);
}

/* --- one chunk ------------------------------------------------------------ */

/* The frame's place among the Python frames of a keyframe, from 1; 0 none. */
static size_t
find_frame(const struct pt_scope *scope, const struct pt_events *ev,
           size_t *level)
{
    size_t place = 0, n = 0;
    for (size_t i = 0; i < ev->depth; i++) {
        const struct pt_frame *f = &ev->stack[i];
        if (f->callable)
            continue;
        n++;
        bool is = scope->key != 0 ? f->key == scope->key
                  : scope->entered != UINT64_MAX
                      ? f->seq == scope->entered
                      : f->seq == UINT64_MAX && n == scope->level + 1;
        if (is && f->id == scope->code)
            place = n;
    }
    *level = n;
    return place;
}

static bool
enters(const struct pt_scope *scope, const struct pt_event *e, uint64_t seq)
{
    if (e->id != scope->code)
        return false;
    return scope->key != 0 ? pt_event_key(e) == scope->key
                           : seq == scope->entered;
}

static bool
is_variable(uint32_t dst)
{
    uint32_t role = dst >> PT_ROLE_SHIFT;
    return role == PT_ROLE_LOCAL || role == PT_ROLE_NAME;
}

static struct pt_scope_value *
find_value(const struct pt_scopes *s, uint32_t dst)
{
    for (size_t i = 0; i < s->nfound; i++)
        if (s->found[i].dst == dst)
            return &s->found[i];
    return NULL;
}

/* Keeps the last of each variable of the chunk that none was found of yet. */
static enum pt_status
add(struct pt_scopes *s, size_t before, struct pt_scope_value v)
{
    struct pt_scope_value *old = find_value(s, v.dst);
    if (old) {
        if (old >= s->found + before)
            *old = v;
        return PT_OK;
    }
    if (s->nfound == s->found_room) {
        size_t room = s->found_room ? 2 * s->found_room : 64;
        struct pt_scope_value *more = realloc(s->found, room * sizeof *more);
        if (!more)
            return PT_ENOMEM;
        s->found = more;
        s->found_room = room;
    }
    s->found[s->nfound++] = v;
    return PT_OK;
}

static bool
is_wanted(void *state, uint32_t dst)
{
    const struct hunt *h = state;
    return h->dst != 0 ? dst == h->dst
                       : is_variable(dst) && !find_value(h->scopes, dst);
}

/* A value event of the frame.  True when there is no need to look further. */
static bool
take(struct hunt *h, size_t before, const struct pt_event *e, uint64_t seq,
     enum pt_status *st)
{
    struct pt_scope_value v = {seq, e->dst, h->gap};
    if (h->dst == 0) {
        if (seq <= h->seq && is_variable(e->dst))
            *st = add(h->scopes, before, v);
        return seq > h->seq;
    }
    if (e->dst == h->dst && (h->forwards ? seq > h->seq : seq <= h->seq)) {
        h->value = v;
        h->found = true;
        return h->forwards;
    }
    return !h->forwards && seq > h->seq;
}

/* What was found before it in this chunk lies beyond a gap. */
static void
tell_gap(struct hunt *h, size_t before)
{
    h->value.gap = true;
    for (size_t i = before; i < h->scopes->nfound; i++)
        h->scopes->found[i].gap = true;
}

/* The frame's events are those of its place on the stack. */
static enum pt_status
look(struct hunt *h, const struct pt_events *ev)
{
    size_t level, place = find_frame(h->scope, ev, &level);
    size_t before = h->scopes->nfound;
    bool missing = h->gap;
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < ev->info->events && st == PT_OK; i++) {
        const struct pt_event *e = &ev->events[i];
        uint64_t seq = ev->info->seq + i;
        if (pt_kind_enters(e->kind)) {
            level++;
            if (enters(h->scope, e, seq)) {
                place = level;
                h->over |= !h->forwards && e->kind == PT_CALL;
            }
        } else if (pt_kind_leaves(e->kind)) {
            if (place == level && level > 0) {
                place = 0;
                h->over |= h->forwards && seq > h->seq &&
                           (h->scope->key == 0 || e->kind != PT_YIELD);
            }
            level -= level > 0;
        } else if (e->kind == PT_GAP) {
            level = place = 0;
            missing |= h->forwards == (seq > h->seq);
            if (seq <= h->seq)
                tell_gap(h, before);
            h->gap |= h->forwards && seq > h->seq;
        } else if (e->kind == PT_VALUE && place != 0 && place == level) {
            if (take(h, before, e, seq, &st))
                break;
        }
    }
    h->gap = missing;
    return st;
}

static enum pt_status
look_into(struct hunt *h, size_t chunk)
{
    struct pt_scopes *s = h->scopes;
    bool may;
    enum pt_status st = pt_values_may_have(s->values, chunk, h->scope->code,
                                           is_wanted, h, &may);
    size_t i = s->values->chunks[chunk].events;
    const struct pt_chunk_info *info = pt_trace_chunk(s->trace, i);
    if (st != PT_OK)
        return st;
    if (!may) {
        h->gap |= info->gaps != 0;
        return PT_OK;
    }
    if (s->decoded != i) {
        s->decoded = SIZE_MAX;
        st = pt_decoder_events(s->decoder, i, &s->events);
        if (st == PT_EDAMAGED || st == PT_EUNSUPPORTED) {
            h->gap = true;
            return PT_OK;
        }
        if (st != PT_OK)
            return st;
        s->decoded = i;
    }
    return look(h, &s->events);
}

/* --- a thread's chunks ---------------------------------------------------- */

/* Whether a chunk can still have events of the frame. */
static bool
is_beyond(const struct hunt *h, const struct pt_chunk_info *info)
{
    const struct pt_scope *s = h->scope;
    return !h->forwards && s->key == 0 && s->entered != UINT64_MAX &&
           info->seq + info->events <= s->entered;
}

static enum pt_status
hunt(struct hunt *h)
{
    const struct pt_values *vs = h->scopes->values;
    enum pt_status st = PT_OK;
    size_t at = pt_values_before(vs, h->seq);
    if (at == SIZE_MAX && h->forwards)
        at = 0;
    while (at < vs->nchunks && st == PT_OK && !h->found && !h->over) {
        const struct pt_chunk_info *info =
            pt_trace_chunk(h->scopes->trace, vs->chunks[at].events);
        if (info->thread == h->scope->thread) {
            if (is_beyond(h, info))
                break;
            st = look_into(h, at);
        }
        at += h->forwards ? 1 : (size_t)-1;
    }
    return st;
}

static enum pt_status
find(struct pt_scopes *s, struct hunt *h, struct pt_scope_value *out)
{
    s->nfound = 0;
    enum pt_status st = hunt(h);
    if (st != PT_OK)
        return st;
    if (!h->found)
        return PT_ENOTFOUND;
    *out = h->value;
    return PT_OK;
}

enum pt_status
pt_scope_last(struct pt_scopes *s, const struct pt_scope *scope, uint32_t dst,
              uint64_t seq, struct pt_scope_value *out)
{
    struct hunt h = {.scopes = s, .scope = scope, .dst = dst, .seq = seq};
    return find(s, &h, out);
}

enum pt_status
pt_scope_next(struct pt_scopes *s, const struct pt_scope *scope, uint32_t dst,
              uint64_t seq, struct pt_scope_value *out)
{
    struct hunt h = {
        .scopes = s, .scope = scope, .dst = dst, .forwards = true, .seq = seq};
    return find(s, &h, out);
}

static int
by_dst(const void *a, const void *b)
{
    const struct pt_scope_value *x = a, *y = b;
    return x->dst < y->dst ? -1 : x->dst > y->dst;
}

enum pt_status
pt_scope_all(struct pt_scopes *s, const struct pt_scope *scope, uint64_t seq,
             const struct pt_scope_value **out, size_t *n)
{
    struct hunt h = {.scopes = s, .scope = scope, .seq = seq};
    s->nfound = 0;
    enum pt_status st = hunt(&h);
    if (st != PT_OK)
        return st;
    if (s->nfound > 0)
        qsort(s->found, s->nfound, sizeof *s->found, by_dst);
    *out = s->found;
    *n = s->nfound;
    return PT_OK;
}
