/* calls: what the selected function called, around here. */
#include "analyze/debug/debugger.h"
#include "analyze/debug/view.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <stdlib.h>

enum { CALLS = 10, CALLS_MOST = 10000 };

struct call {
    uint64_t seq;
    uint32_t id;
    uint8_t kind; /* of the event that began it */
};

/* Whether an event begins a call that `frame` makes. */
static bool
is_call(const struct pt_here *here, const struct pt_activation *frame)
{
    unsigned kind = here->event->kind;
    return (pt_kind_enters(kind) || kind == PT_C_CALL) &&
           here->depth == frame->height + 1;
}

/* Where a view is in a call that the frame makes: to where that began. */
static enum pt_status
go_begin(struct pt_view *v, const struct pt_activation *frame,
         const struct pt_here *here)
{
    struct pt_activation call;
    if (here->depth <= frame->height)
        return PT_OK;
    enum pt_status st =
        pt_view_entry(v, here->depth - frame->height - 1, &call);
    if (st != PT_OK || call.seq > here->seq)
        return st == PT_OK ? PT_END : st;
    return pt_history_seek(v->history, call.seq, 0);
}

/* ... and behind its end. */
static enum pt_status
go_end(struct pt_view *v, const struct pt_activation *frame,
       const struct pt_here *here)
{
    struct pt_activation call;
    uint8_t ended;
    if (here->depth <= frame->height)
        return PT_OK;
    enum pt_status st =
        pt_view_entry(v, here->depth - frame->height - 1, &call);
    call.key = 0; /* this run of it, not where it goes on */
    return st == PT_OK ? pt_view_leave(v, call, &ended) : st;
}

/* The calls before or behind where a view stands, while the frame is there;
 * each is passed over as a whole. */
static enum pt_status
gather(struct pt_view *v, const struct pt_activation *frame, bool forward,
       struct call *calls, size_t most, size_t *n)
{
    struct pt_here here;
    bool holds = true;
    enum pt_status st = PT_OK;
    *n = 0;
    while (*n < most && st == PT_OK && !pt_interrupted(NULL)) {
        st = forward ? pt_history_next(v->history, PT_GRAIN_EVENT)
                     : pt_history_prev(v->history, PT_GRAIN_EVENT);
        if (st == PT_OK)
            st = pt_history_here(v->history, &here);
        if (st == PT_OK)
            st = pt_view_holds(v, frame, &holds);
        if (st == PT_OK && !forward && holds) {
            st = go_begin(v, frame, &here);
            if (st == PT_OK)
                st = pt_history_here(v->history, &here);
        }
        if (st != PT_OK || !holds)
            break;
        if (is_call(&here, frame))
            calls[(*n)++] =
                (struct call){here.seq, here.event->id, here.event->kind};
        if (forward)
            st = go_end(v, frame, &here);
    }
    return st == PT_END || st == PT_ENOTFOUND || st == PT_EDAMAGED ? PT_OK : st;
}

static void
put_call(struct pt_debugger *d, const struct call *c, bool current)
{
    char name[PT_NAME_TEXT];
    bool callable = c->kind == PT_C_CALL;
    pt_out_printf(d->out, "  %s %10" PRIu64 "  ", current ? "=>" : "  ",
                  c->seq);
    pt_out_str(d->out, pt_name_function(d->trace, c->id, callable, name).name);
    pt_out_text(d->out, callable               ? " (C)"
                        : c->kind == PT_RESUME ? " goes on"
                        : c->kind == PT_THROW  ? " goes on with an exception"
                                               : "");
    pt_out_char(d->out, '\n');
}

/* The call that is under way here is the one that is marked. */
static enum pt_status
show(struct pt_debugger *d, struct pt_view *v, const struct pt_place *p,
     size_t most, struct call *calls)
{
    struct pt_activation frame;
    struct pt_here here;
    size_t n;
    enum pt_status st = pt_view_seek(v, p->seq, p->k);
    if (st == PT_OK)
        st = pt_view_python(v, pt_engine_selected(d->engine), &frame);
    if (st == PT_OK)
        st = pt_history_here(v->history, &here);
    if (st != PT_OK)
        return st;
    bool within = here.depth > frame.height;
    st = go_begin(v, &frame, &here);
    if (st == PT_OK)
        st = pt_history_here(v->history, &here);
    struct call now = {here.seq, here.event->id, here.event->kind};
    within = within && st == PT_OK && is_call(&here, &frame);
    if (st == PT_OK || st == PT_END)
        st = gather(v, &frame, false, calls, most, &n);
    while (st == PT_OK && n > 0)
        put_call(d, &calls[--n], false);
    if (within)
        put_call(d, &now, true);
    else
        pt_out_printf(d->out, "  => %10" PRIu64 "  here\n", p->seq);
    if (st == PT_OK)
        st = pt_view_seek(v, p->seq, p->k);
    if (st == PT_OK)
        st = pt_history_here(v->history, &here);
    if (st == PT_OK)
        st = go_end(v, &frame, &here);
    if (st == PT_OK)
        st = gather(v, &frame, true, calls, most, &n);
    for (size_t i = 0; st == PT_OK && i < n; i++)
        put_call(d, &calls[i], false);
    return st == PT_END ? PT_OK : st;
}

bool
pt_command_calls(struct pt_debugger *d, const char *args)
{
    uint64_t most = CALLS;
    struct pt_frame f;
    struct pt_place p;
    struct pt_view view;
    if (!pt_debug_count(d, args, 1, &most) || !pt_debug_frame(d, &f) ||
        !pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    if (most > CALLS_MOST)
        most = CALLS_MOST;
    struct call *calls = calloc((size_t)most + 1, sizeof *calls);
    enum pt_status st =
        calls ? pt_view_open(&view, d->trace, p.thread, NULL) : PT_ENOMEM;
    if (st == PT_OK) {
        pt_debug_put_frame(d, &f);
        pt_out_char(d->out, '\n');
        st = show(d, &view, &p, (size_t)most, calls);
        pt_view_close(&view);
    }
    free(calls);
    return pt_debug_check(d, st);
}
