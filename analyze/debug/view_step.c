/* Steps of a view: by lines, over calls, out of frames. */
#include "analyze/debug/view_inside.h"

/* --- steps -----------------------------------------------------------------
 */

static enum pt_status
next(struct pt_view *v, enum pt_grain grain, bool forward)
{
    enum pt_status st = forward ? pt_history_next(v->history, grain)
                                : pt_history_prev(v->history, grain);
    return st == PT_END ? pt_view_stay(v, forward) : st;
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
            if (pt_view_interrupted(v))
                return PT_ELIMIT;
            st = next(v, PT_GRAIN_EVENT, forward);
            if (st == PT_OK)
                st = pt_history_here(v->history, &here);
        } while (st == PT_OK && !pt_view_is_stop(v, stops, &here));
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
    enum pt_status st = pt_view_depth(v, &depth);
    if (st == PT_OK && depth <= f->height)
        return PT_EDAMAGED;
    if (st == PT_OK)
        st = pt_view_entry(v, depth - f->height - 1, &call);
    if (st == PT_OK)
        st = pt_view_seq(v, &seq);
    if (st == PT_OK)
        st = pt_view_last(v, &call, seq, &last);
    if (st == PT_OK)
        st = pt_history_seek(v->history, last, 0);
    /* A C call whose end was not told is closed by what its caller does. */
    if (st == PT_OK && call.callable)
        st = pt_view_runs(v, f, &in_f);
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
    enum pt_status st = pt_view_go_end(v, f, from, &below);
    if (st != PT_OK)
        return st;
    st = pt_view_go_resumed(v, f);
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
        st = pt_view_seq(v, seen);
        return st == PT_OK ? skip_call(v, f, at) : st;
    }
    *at = true;
    st = follow(v, f, *seen);
    return st == PT_OK ? pt_view_seq(v, seen) : st;
}

static enum pt_status
over_forward(struct pt_view *v, enum pt_stops stops, struct pt_activation f)
{
    struct pt_here here;
    uint64_t seen = 0, seq, k;
    bool at = false, stop;
    enum pt_status st = pt_view_seq(v, &seen);
    while (st == PT_OK) {
        if (pt_view_interrupted(v))
            return PT_ELIMIT;
        stop = false;
        if (at)
            st = pt_view_stops(v, stops, &stop);
        if (st == PT_OK && !stop)
            st = pt_view_step(v, stops, true);
        if (st != PT_OK || f.height == 0)
            return st;
        st = pt_view_runs(v, &f, &stop);
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
    st = pt_view_caller(v, f, &below);
    if (st == PT_OK || st == PT_END)
        st = pt_view_go_suspended(v, f);
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
    enum pt_status st = pt_view_depth(v, &depth);
    if (st == PT_OK && depth <= f->height)
        return PT_OK;
    if (st == PT_OK)
        st = pt_view_entry(v, depth - f->height - 1, &call);
    if (st == PT_OK)
        st = pt_view_seq(v, &seq);
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
        if (pt_view_interrupted(v))
            return PT_ELIMIT;
        enum pt_status st = pt_view_step(v, stops, false);
        if (st == PT_OK)
            st = pt_view_runs(v, &f, &stop);
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
    enum pt_status st = pt_view_seq(v, &from);
    *ended = PT_KIND_NONE;
    while (st == PT_OK) {
        st = pt_view_go_end(v, &a, from, NULL);
        if (st != PT_OK)
            return st;
        st = pt_history_here(v->history, &here);
        if (st == PT_OK)
            *ended = here.event->kind;
        if (st == PT_OK)
            st = pt_view_go_resumed(v, &a);
        if (st == PT_OK)
            st = pt_view_seq(v, &from);
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
    if (st == PT_OK && a.key && PT_GOES_ON >> here.event->kind & 1)
        st = pt_view_go_entering(v, &a, 1u << PT_CALL, false);
    if (st == PT_ENOTFOUND) /* it began before the trace did */
        st = pt_history_seek(v->history, a.seq, 0);
    if (st == PT_OK)
        st = next(v, PT_GRAIN_ITEM, false);
    return st == PT_OK ? pt_view_settle(v->history) : st;
}
