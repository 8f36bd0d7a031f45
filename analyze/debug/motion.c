/* Motions: each is a step of the view, or a run to a breakpoint. */
#include "analyze/debug/state.h"

/* --- steps -----------------------------------------------------------------
 */

/* Out of a loop: over, to a line of this frame beyond where it stands, or to
 * its caller. */
static enum pt_status
until(struct pt_engine *e, bool forward)
{
    struct pt_activation frame, now;
    struct pt_here here;
    uint32_t line = 0;
    enum pt_status st = pt_view_python(&e->view, 0, &frame);
    if (st == PT_OK)
        st = pt_history_here(e->view.history, &here);
    if (st == PT_OK)
        line = here.frame.line;
    while (st == PT_OK) {
        st = pt_view_over(&e->view, pt_engine_stops(e), forward);
        if (st == PT_OK)
            st = pt_history_here(e->view.history, &here);
        if (st == PT_OK)
            st = pt_view_python(&e->view, 0, &now);
        if (st != PT_OK || now.id != frame.id || now.key != frame.key ||
            (frame.key == 0 && now.seq != frame.seq))
            return st;
        if (forward ? here.frame.line > line : here.frame.line < line)
            return PT_OK;
    }
    return st;
}

static enum pt_status
leave(struct pt_engine *e, bool forward, uint8_t *ended)
{
    struct pt_activation frame;
    enum pt_status st = pt_view_python(&e->view, e->selected, &frame);
    if (st != PT_OK)
        return st == PT_END ? PT_EUSAGE : st;
    return forward ? pt_view_leave(&e->view, frame, ended)
                   : pt_view_unenter(&e->view, frame);
}

static enum pt_status
step(struct pt_engine *e, enum pt_motion motion, bool forward, uint8_t *ended)
{
    struct pt_view *v = &e->view;
    enum pt_stops stops = pt_engine_stops(e);
    bool fine = motion == PT_MOVE_STEPI || motion == PT_MOVE_NEXTI;
    if (fine && pt_engine_lacks(e, PT_GRAIN_INSTRUCTION))
        return PT_EUSAGE;
    switch (motion) {
    case PT_MOVE_STEP:
        return pt_view_step(v, stops, forward);
    case PT_MOVE_NEXT:
        return pt_view_over(v, stops, forward);
    case PT_MOVE_UNTIL:
        return until(e, forward);
    case PT_MOVE_STEPI:
        return pt_view_step(v, PT_STOPS_INSTRUCTIONS, forward);
    case PT_MOVE_NEXTI:
        return pt_view_over(v, PT_STOPS_INSTRUCTIONS, forward);
    case PT_MOVE_FINISH:
    case PT_MOVE_CONTINUE:
        break;
    }
    return leave(e, forward, ended);
}

/* --- what comes first ------------------------------------------------------
 */

/* The step was interrupted, or failed: nothing has happened. */
static enum pt_status
take_back(struct pt_engine *e, const struct pt_place *from, enum pt_status st,
          struct pt_halt *out)
{
    enum pt_status back = pt_engine_restore(e, from);
    if (st != PT_ELIMIT || back != PT_OK)
        return st == PT_ELIMIT ? back : st;
    *out = (struct pt_halt){.reason = PT_HALT_INTERRUPTED};
    return PT_OK;
}

/* A step has come to its end; a breakpoint on the way there comes first.  It
 * may have passed over calls that took long, which the index leaves out. */
static enum pt_status
pass_breakpoints(struct pt_engine *e, enum pt_motion motion, bool reverse,
                 const struct pt_place *from, struct pt_breakpoint **hit)
{
    struct pt_place to;
    *hit = NULL;
    if (e->breakpoints.n == 0)
        return PT_OK;
    if (motion == PT_MOVE_STEP || motion == PT_MOVE_STEPI)
        return pt_engine_passed(e, from, hit);
    enum pt_status st = pt_engine_place(e, &to);
    if (st == PT_OK)
        st = pt_engine_restore(e, from);
    if (st == PT_OK)
        st = pt_engine_run(e, reverse, &to, hit);
    if (st != PT_OK || *hit)
        return st;
    st = pt_engine_restore(e, &to);
    return st == PT_OK ? pt_engine_passed(e, &to, hit) : st;
}

static enum pt_status
move_once(struct pt_engine *e, enum pt_motion motion, bool reverse,
          struct pt_halt *out)
{
    struct pt_place from;
    struct pt_breakpoint *hit = NULL;
    enum pt_halt_reason edge = reverse ? PT_HALT_BEGIN : PT_HALT_END;
    uint8_t ended = PT_KIND_NONE;
    enum pt_status st = pt_engine_place(e, &from);
    if (st != PT_OK)
        return st;
    bool runs = motion == PT_MOVE_CONTINUE;
    st = runs ? pt_engine_run(e, reverse, NULL, &hit)
              : step(e, motion, !reverse, &ended);
    bool done = st == PT_END || (runs && st == PT_OK && !hit);
    if (st != PT_OK && st != PT_END)
        return take_back(e, &from, st, out);
    st = !runs ? pt_engine_follow(e)
         : hit ? PT_OK
               : pt_engine_goto_edge(e, !reverse);
    if (st == PT_OK && !runs)
        st = pass_breakpoints(e, motion, reverse, &from, &hit);
    if (st != PT_OK)
        return take_back(e, &from, st, out);
    *out = (struct pt_halt){.reason = hit    ? PT_HALT_BREAKPOINT
                                      : done ? edge
                                             : PT_HALT_MOVED,
                            .breakpoint = hit,
                            .ended = hit ? PT_KIND_NONE : ended};
    return PT_OK;
}

enum pt_status
pt_engine_move(struct pt_engine *e, enum pt_motion motion, bool reverse,
               uint64_t count, struct pt_halt *out)
{
    struct pt_halt halt = {.reason = PT_HALT_MOVED};
    enum pt_status st = PT_OK;
    for (uint64_t i = 0; i < count + (count == 0); i++) {
        st = move_once(e, motion, reverse, &halt);
        if (st != PT_OK || halt.reason != PT_HALT_MOVED)
            break;
    }
    if (st == PT_OK)
        *out = halt;
    return st;
}

/* --- to a place ------------------------------------------------------------
 */

enum pt_status
pt_engine_advance(struct pt_engine *e, const struct pt_target *targets,
                  size_t n, bool reverse, bool leaving, struct pt_halt *out)
{
    struct pt_breakpoints *all = &e->breakpoints;
    struct pt_place from, end;
    struct pt_breakpoint *hit;
    uint8_t ended = PT_KIND_NONE;
    enum pt_status st = pt_engine_place(e, &from);
    if (st == PT_OK && leaving) {
        st = leave(e, !reverse, &ended);
        if (st == PT_END)
            st = PT_OK;
        if (st == PT_OK)
            st = pt_engine_place(e, &end);
        if (st == PT_OK)
            st = pt_engine_restore(e, &from);
    }
    if (st != PT_OK)
        return take_back(e, &from, st, out);
    unsigned last = all->last;
    struct pt_breakpoint *own = pt_breakpoint_add(all, PT_BREAK_PLACE, "");
    if (!own)
        return PT_ENOMEM;
    all->last = last;
    own->targets = (struct pt_target *)targets;
    own->n = n;
    pt_engine_breakpoints_changed(e);
    st = pt_engine_run(e, reverse, leaving ? &end : NULL, &hit);
    bool reached = hit == own;
    own->targets = NULL;
    pt_breakpoint_delete(all, own);
    pt_engine_breakpoints_changed(e);
    if (st == PT_OK && !hit)
        st = leaving ? pt_engine_restore(e, &end)
                     : pt_engine_goto_edge(e, !reverse);
    if (st != PT_OK)
        return take_back(e, &from, st, out);
    *out =
        (struct pt_halt){.reason = reached || (!hit && leaving) ? PT_HALT_MOVED
                                   : hit     ? PT_HALT_BREAKPOINT
                                   : reverse ? PT_HALT_BEGIN
                                             : PT_HALT_END,
                         .breakpoint = reached ? NULL : hit,
                         .ended = hit ? PT_KIND_NONE : ended};
    return PT_OK;
}
