/* Finding the point of failure: the raise that nobody caught. */
#include "analyze/debug/state.h"

#include <string.h>

enum {
    ORDERLY_MOST = 16,    /* of the program's frames that ended so */
    OUTERMOST_MOST = 256, /* ends of outermost frames that are looked at */
    EVENTS_MOST = 1 << 17 /* of a frame that are gone back through */
};

/* The main thread of the first process that ran: that which has its pid. */
static uint32_t
main_thread(const struct pt_engine *e)
{
    uint32_t first = e->threads[0], lowest = UINT32_MAX;
    for (size_t i = 0; i < e->nthreads; i++) {
        const struct pt_thread *t = pt_trace_thread(e->trace, e->threads[i]);
        if (t && !t->carrier && t->process < lowest) {
            lowest = t->process;
            first = e->threads[i];
        }
    }
    const struct pt_process *p = pt_trace_process(e->trace, lowest);
    for (size_t i = 0; p && i < e->nthreads; i++) {
        const struct pt_thread *t = pt_trace_thread(e->trace, e->threads[i]);
        if (t && !t->carrier && t->process == lowest && t->tid == p->pid)
            return e->threads[i];
    }
    return first;
}

/* Exceptions that end a program, or a generator, as it should. */
static bool
is_orderly(const struct pt_trace *trace, uint32_t type)
{
    static const char *const names[] = {"SystemExit", "GeneratorExit",
                                        "StopIteration", "StopAsyncIteration"};
    const struct pt_type *t = pt_trace_type(trace, type);
    for (size_t i = 0; t && i < sizeof names / sizeof *names; i++)
        if (t->name.len == strlen(names[i]) &&
            memcmp(t->name.data, names[i], t->name.len) == 0)
            return true;
    return false;
}

static bool
is_module(const struct pt_trace *trace, const struct pt_frame *f)
{
    static const char module[] = "<module>";
    const struct pt_code *c = pt_trace_code(trace, f->id);
    return c && c->qualname.len == sizeof module - 1 &&
           memcmp(c->qualname.data, module, sizeof module - 1) == 0;
}

/* Goes back to the event before; at the end of a frame other than that which
 * `within` entered, to where that began. */
static enum pt_status
back_over(struct pt_history *h, uint64_t within, struct pt_here *here)
{
    enum pt_status st = pt_history_prev(h, PT_GRAIN_EVENT);
    if (st == PT_OK)
        st = pt_history_here(h, here);
    if (st == PT_OK && pt_kind_leaves(here->event->kind) && here->framed &&
        here->frame.seq != within && here->frame.seq < here->seq) {
        st = pt_history_seek(h, here->frame.seq, 0);
        if (st == PT_OK)
            st = pt_history_here(h, here);
    }
    return st;
}

/* From the unwinding of a frame to the last raise in it, of a type where that
 * is not 0, and of an exception that is raised again only where `again`. */
static enum pt_status
find_raise(struct pt_view *v, uint64_t frame, uint32_t type, bool again,
           struct pt_here *out)
{
    for (size_t i = 0; i < EVENTS_MOST; i++) {
        enum pt_status st = back_over(v->history, frame, out);
        if (st != PT_OK)
            return st;
        if (v->interrupted && v->interrupted(v->state))
            return PT_ELIMIT;
        if (out->seq <= frame)
            return PT_END;
        if (out->event->kind == PT_EXCEPTION && out->framed &&
            out->frame.seq == frame &&
            (again || out->event->arg == PT_RAISED) &&
            (type == 0 || out->event->id == type))
            return PT_OK;
    }
    return PT_END;
}

/* One event back, values left aside: they tell of what was there. */
static enum pt_status
back_to_event(struct pt_history *h, struct pt_here *here)
{
    enum pt_status st = PT_OK;
    do {
        st = pt_history_prev(h, PT_GRAIN_EVENT);
        if (st == PT_OK)
            st = pt_history_here(h, here);
    } while (st == PT_OK && here->event->kind == PT_VALUE);
    return st;
}

/* From where a frame was unwound to where that came from: the raise, or, where
 * the trace has none, the innermost frame that was unwound with it. */
static enum pt_status
go_raise(struct pt_view *v, struct pt_here at, struct pt_failure *out)
{
    struct pt_here raise;
    enum pt_status st = PT_OK;
    while (st == PT_OK && at.framed) {
        uint64_t unwound = at.seq, frame = at.frame.seq;
        uint32_t type = out->type;
        if (type == 0) {
            st = find_raise(v, frame, 0, true, &raise);
            if (st == PT_OK) {
                type = out->type = raise.event->id;
                out->known = true;
            }
            if (st == PT_OK || st == PT_END)
                st = pt_history_seek(v->history, unwound, 0);
        }
        if (st == PT_OK && out->known)
            st = find_raise(v, frame, type, false, &raise);
        uint64_t seq = st == PT_OK && out->known ? raise.seq : unwound;
        if (st == PT_OK || st == PT_END)
            st = pt_history_seek(v->history, seq, 0);
        /* It came out of a frame that was called here, if one was unwound just
         * before. */
        if (st == PT_OK)
            st = back_to_event(v->history, &at);
        if (st == PT_OK && at.event->kind == PT_UNWIND)
            continue;
        return st == PT_OK || st == PT_END ? pt_history_seek(v->history, seq, 0)
                                           : st;
    }
    return st;
}

/* Goes back to the end of an outermost frame that an exception left.  PT_END
 * where the program's module returned, or nothing tells. */
static enum pt_status
find_unwound(struct pt_view *v, struct pt_here *here)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < OUTERMOST_MOST && st == PT_OK;) {
        st = pt_history_prev(v->history, PT_GRAIN_EVENT);
        if (st == PT_OK)
            st = pt_history_here(v->history, here);
        if (st != PT_OK || here->depth)
            return st == PT_OK ? PT_END : st;
        if (!pt_kind_leaves(here->event->kind) || !here->framed)
            continue;
        i++;
        if (here->event->kind == PT_UNWIND)
            return PT_OK;
        if (here->event->kind == PT_RETURN && is_module(v->trace, &here->frame))
            return PT_END;
        if (here->frame.seq < here->seq)
            st = pt_history_seek(v->history, here->frame.seq, 0);
    }
    return st == PT_OK ? PT_END : st;
}

/* To the raise of what nobody caught; PT_END where there is no such. */
static enum pt_status
find_failure(struct pt_engine *e, struct pt_failure *out)
{
    struct pt_view *v = &e->view;
    struct pt_here here;
    enum pt_status st = PT_OK;
    pt_history_end(v->history);
    for (size_t i = 0; i < ORDERLY_MOST && st == PT_OK; i++) {
        *out = (struct pt_failure){0};
        st = find_unwound(v, &here);
        uint64_t entered = st == PT_OK ? here.frame.seq : 0;
        if (st == PT_OK)
            st = go_raise(v, here, out);
        if (st == PT_OK && !is_orderly(e->trace, out->type)) {
            out->found = true;
            return PT_OK;
        }
        if (st == PT_OK)
            st = pt_history_seek(v->history, entered, 0);
    }
    return st == PT_OK ? PT_END : st;
}

enum pt_status
pt_engine_goto_failure(struct pt_engine *e, struct pt_failure *out)
{
    struct pt_view *v = &e->view;
    *out = (struct pt_failure){0};
    enum pt_status st = pt_engine_thread(e, main_thread(e));
    if (st == PT_OK)
        st = find_failure(e, out);
    if (st == PT_OK)
        return pt_engine_follow(e);
    /* What cannot be read is no failure of the program's. */
    if (st != PT_END && st != PT_ENOTFOUND && st != PT_EDAMAGED)
        return st;
    *out = (struct pt_failure){0};
    pt_history_end(v->history);
    st = pt_history_prev(v->history, PT_GRAIN_ITEM);
    if (st == PT_OK)
        st = pt_view_settle(v->history);
    return st == PT_OK ? pt_engine_follow(e) : st;
}
