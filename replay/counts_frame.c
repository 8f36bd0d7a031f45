/* From events to counters: what each of them says of the frame it happens in.
 * The states of a frame and the rules by which it comes from one to another
 * are those of a walk (walk.h), and so is what does not fit; only what runs
 * between is not gone through. */
#include "replay/counts.h"

/* --- paths ---------------------------------------------------------------- */

/* Counts, or takes back, what follows an instruction by itself. */
static inline void
follow(struct pt_tally *t, uint32_t i, int by)
{
    if (t->paths[i].way == PT_WAY_NEXT)
        t->counts[i].next += by;
    else if (t->paths[i].way == PT_WAY_JUMP)
        t->counts[i].jump += by;
}

static inline void
begin(struct pt_count_frame *f, uint32_t i)
{
    f->tally->counts[i].enter++;
    f->state = PT_WALK_NEXT;
    f->at = i;
}

/* Instruction `i` has run, and may still be under way. */
static inline void
stay(struct pt_count_frame *f, uint32_t i)
{
    follow(f->tally, i, 1);
    f->state = PT_WALK_INSIDE;
    f->at = i;
}

static inline bool
goes_on(const struct pt_count_frame *f)
{
    return f->state == PT_WALK_NEXT || f->state == PT_WALK_INSIDE;
}

void
pt_count_abandon(struct pt_count_frame *f)
{
    if (f->state == PT_WALK_NEXT)
        f->tally->counts[f->at].enter--;
    else if (f->state == PT_WALK_LINGERS)
        f->tally->counts[f->to].enter--;
    else if (f->state == PT_WALK_INSIDE)
        follow(f->tally, f->at, -1);
    f->state = PT_WALK_LOST;
}

/* The instruction of a frame that LINGERS is still at work, so that what is
 * behind it may not come: a keyframe would have it INSIDE too. */
static void
linger(struct pt_count_frame *f)
{
    if (f->state == PT_WALK_LINGERS)
        f->state = PT_WALK_INSIDE;
}

/* The event does not fit where the frame stands. */
static void
desync(struct pt_count_frame *f)
{
    f->tally->desyncs++;
    pt_count_abandon(f);
}

/* Where a frame goes on that is RAISED or LINGERS, if the event shows that the
 * instruction's work is done; PT_INS_NONE where it cannot. */
static uint32_t
goes_on_at(const struct pt_count_frame *f)
{
    const struct pt_graph *g = f->tally->graph;
    return f->state == PT_WALK_RAISED && pt_graph_swallows(g, f->at)
               ? g->ins[f->at].target
               : f->to;
}

/* Makes a frame NEXT, INSIDE or LOST, as pt_path_settle() does. */
static void
settle(struct pt_count_frame *f)
{
    struct pt_tally *t = f->tally;
    if (f->state == PT_WALK_THROWN) {
        desync(f);
        return;
    }
    if (f->state != PT_WALK_RAISED && f->state != PT_WALK_LINGERS)
        return;
    uint32_t to = goes_on_at(f);
    if (to == PT_INS_NONE) {
        desync(f);
        return;
    }
    if (f->state == PT_WALK_RAISED) {
        if (pt_graph_swallows(t->graph, f->at))
            t->counts[f->at].jump++;
        else {
            t->counts[f->from].raised++;
            t->counts[to].enter++;
        }
    }
    f->state = PT_WALK_NEXT;
    f->at = to;
}

static inline bool
is_sent(const struct pt_tally *t, uint32_t i)
{
    return i > 0 && t->graph->ins[i - 1].cls == PT_INS_SEND;
}

/* Whether a frame that goes on at `at` comes to instruction `i`: it is on its
 * path, or it is what a SEND on it yields by. */
static inline bool
leads_to(const struct pt_tally *t, uint32_t at, uint32_t i)
{
    return pt_way_leads(t->paths, at, i) ||
           (is_sent(t, i) && pt_way_leads(t->paths, at, i - 1));
}

/* Instruction `i` of the frame is under way.  What is behind it is counted
 * already, or is now. */
static void
arrive(struct pt_count_frame *f, uint32_t i)
{
    struct pt_tally *t = f->tally;
    if (!goes_on(f))
        settle(f);
    if (f->state != PT_WALK_LOST && !leads_to(t, f->at, i))
        desync(f);
    if (f->state == PT_WALK_LOST)
        follow(t, i, 1);
    else if (!pt_way_leads(t->paths, f->at, i)) {
        /* SEND did not end as it was taken to */
        t->counts[i - 1].jump--;
        t->counts[i - 1].next++;
    }
    f->state = PT_WALK_INSIDE;
    f->at = i;
}

/* --- events in the frame itself ------------------------------------------- */

/* 3.14 tells of a branch not where it is decided but at `to`, to which it
 * leads. */
static void
decide_before(struct pt_count_frame *f, uint32_t to)
{
    struct pt_tally *t = f->tally;
    if (!goes_on(f))
        settle(f);
    if (f->state == PT_WALK_LOST || f->at == to)
        return;
    uint32_t at = t->paths[f->at].stop;
    const struct pt_ins *ins = &t->graph->ins[at];
    unsigned flags = t->graph->ins[to].flags;
    if (ins->cls != PT_INS_COND && ins->cls != PT_INS_FOR)
        return;
    if (to == at + 1 && flags & PT_INS_OUTCOME)
        t->counts[at].next++;
    else if (to == ins->target && flags & PT_INS_LINGERS)
        t->counts[at].jump++;
    else
        return;
    f->state = PT_WALK_NEXT;
    f->at = to;
}

/* A branch told at an instruction that does not decide it. */
static void
on_outcome(struct pt_count_frame *f, uint32_t at, uint32_t to)
{
    unsigned flags = f->tally->graph->ins[at].flags;
    if (!(flags & (PT_INS_OUTCOME | PT_INS_LINGERS)) || to != at + 1) {
        desync(f);
        return;
    }
    if (f->state != PT_WALK_RAISED || f->at != at) {
        decide_before(f, at);
        arrive(f, at);
    } else
        follow(f->tally, at, 1);
    f->state = flags & PT_INS_LINGERS ? PT_WALK_LINGERS : PT_WALK_NEXT;
    f->at = flags & PT_INS_LINGERS ? at : to;
    f->to = to;
}

static void
on_branch(struct pt_count_frame *f, const struct pt_event *e)
{
    struct pt_tally *t = f->tally;
    const struct pt_graph *g = t->graph;
    uint32_t at = pt_graph_index(g, e->pos), to = pt_graph_index(g, e->dst);
    if (at == PT_INS_NONE || to == PT_INS_NONE) {
        desync(f);
        return;
    }
    unsigned cls = g->ins[at].cls;
    if ((cls != PT_INS_COND && cls != PT_INS_FOR) ||
        (to != at + 1 && to != g->ins[at].target)) {
        on_outcome(f, at, to);
        return;
    }
    /* The exception that ended the iterator has been told there. */
    if (f->state != PT_WALK_RAISED || f->at != at)
        arrive(f, at);
    if (to == at + 1)
        t->counts[at].next++;
    else
        t->counts[at].jump++;
    f->state = PT_WALK_NEXT;
    f->at = to;
}

static void
on_jump(struct pt_count_frame *f, const struct pt_event *e)
{
    struct pt_tally *t = f->tally;
    uint32_t at = pt_graph_index(t->graph, e->pos);
    uint32_t to = pt_graph_index(t->graph, e->dst);
    if (at == PT_INS_NONE || to == PT_INS_NONE ||
        t->graph->ins[at].cls != PT_INS_JUMP ||
        to != t->graph->ins[at].target) {
        desync(f);
        return;
    }
    if (f->state != PT_WALK_RAISED || f->at != at)
        arrive(f, at);
    else
        follow(t, at, 1);
    t->counts[at].next++;
    f->state = PT_WALK_NEXT;
    f->at = to;
}

/* The instruction from which an exception that was reported at `pos`, in a
 * frame whose last instruction was at `last`, leads to its handler.  A re-raise
 * sets the last one back to the one that first raised; and where CPython asks
 * the exception table for a place that has another handler, that is the one. */
static uint32_t
raiser(const struct pt_graph *g, uint32_t pos, uint32_t last)
{
    uint32_t at = pt_graph_index(g, pos), cause = pt_graph_index(g, last);
    if (at == PT_INS_NONE || cause == PT_INS_NONE)
        return at == PT_INS_NONE ? cause : at;
    return at == cause || g->ins[at].cls == PT_INS_RAISE ||
                   pt_graph_handler(g, pos) != pt_graph_handler(g, last)
               ? at
               : cause;
}

/* Where the throw into a suspended frame can be told. */
static bool
is_beside(const struct pt_count_frame *f, uint32_t at)
{
    return at != PT_INS_NONE &&
           (at == f->at || at == f->at + 1 || at + 1 == f->at);
}

static void
on_exception(struct pt_count_frame *f, const struct pt_event *e)
{
    const struct pt_graph *g = f->tally->graph;
    uint32_t last = e->has & PT_HAS(DST) ? e->dst : e->pos;
    uint32_t at = pt_graph_index(g, e->arg == PT_RERAISED ? e->pos : last);
    uint32_t cause = pt_graph_index(g, last);
    if (e->arg == PT_STOP_ITERATION)
        return; /* ends a loop, and changes no path */
    if (at == PT_INS_NONE || cause == PT_INS_NONE) {
        desync(f);
        return;
    }
    bool still = f->state == PT_WALK_RAISED || f->state == PT_WALK_LINGERS;
    if (f->state == PT_WALK_THROWN) {
        if (!is_beside(f, at))
            desync(f);
    } else if (still && f->at == at) {
        linger(f);
        pt_count_abandon(f);
    } else {
        arrive(f, at);
        follow(f->tally, at, -1);
    }
    f->state = PT_WALK_RAISED;
    f->at = cause;
    f->to = pt_graph_handler(g, e->pos);
    f->from = raiser(g, e->pos, last);
}

static void
on_handled(struct pt_count_frame *f, const struct pt_event *e)
{
    uint32_t at = pt_graph_index(f->tally->graph, e->pos);
    if (at != PT_INS_NONE && f->state == PT_WALK_RAISED && f->to == at)
        f->tally->counts[f->from].raised++;
    else if (at == PT_INS_NONE || f->state != PT_WALK_LOST)
        desync(f);
    if (at != PT_INS_NONE)
        begin(f, at);
}

static void
on_unwind(struct pt_count_frame *f, const struct pt_event *e)
{
    /* Implied, or of a frame in which nothing has run. */
    bool told = !(e->has & PT_HAS(ARG)) && f->state != PT_WALK_THROWN &&
                f->state != PT_WALK_LOST;
    if (told && (f->state != PT_WALK_RAISED || f->to != PT_INS_NONE))
        desync(f);
    else
        pt_count_abandon(f);
}

static void
on_yield(struct pt_count_frame *f, const struct pt_event *e)
{
    const struct pt_graph *g = f->tally->graph;
    uint32_t at = pt_graph_index(g, e->pos);
    if (!(e->has & PT_HAS(OFF)) || at == PT_INS_NONE ||
        g->ins[at].cls != PT_INS_YIELD)
        desync(f);
    else
        arrive(f, at);
}

static void
on_return(struct pt_count_frame *f)
{
    const struct pt_tally *t = f->tally;
    if (!goes_on(f))
        settle(f);
    if (f->state != PT_WALK_LOST &&
        t->graph->ins[t->paths[f->at].stop].cls != PT_INS_RETURN)
        desync(f);
}

static void
on_c_call(struct pt_count_frame *f, const struct pt_event *e)
{
    uint32_t at = pt_graph_index(f->tally->graph, e->pos);
    if (at == PT_INS_NONE)
        desync(f);
    else
        arrive(f, at);
}

void
pt_count_own(struct pt_count_frame *f, const struct pt_event *e)
{
    switch (e->kind) {
    case PT_RETURN:
        on_return(f);
        break;
    case PT_YIELD:
        on_yield(f, e);
        break;
    case PT_UNWIND:
        on_unwind(f, e);
        break;
    case PT_EXCEPTION:
        on_exception(f, e);
        break;
    case PT_HANDLED:
        on_handled(f, e);
        break;
    case PT_C_CALL:
        on_c_call(f, e);
        break;
    case PT_JUMP:
        on_jump(f, e);
        break;
    default:
        on_branch(f, e);
        break;
    }
}

/* --- frames come and go --------------------------------------------------- */

/* Whether what begins now, with its caller at `at`, is still the work of the
 * instruction that raised or branched last, or of the throw; see clears_up() of
 * a walk. */
static bool
clears_up(const struct pt_count_frame *f, uint32_t at)
{
    if (f->state == PT_WALK_LINGERS)
        return f->at == at;
    if (f->state == PT_WALK_THROWN)
        return is_beside(f, at);
    if (f->state != PT_WALK_RAISED)
        return false;
    unsigned cls = f->tally->graph->ins[f->at].cls;
    return f->at == at || (cls != PT_INS_FOR && cls != PT_INS_SEND);
}

/* Where the walk would not get there the caller may be a frame that was never
 * told of, so that the frame stays. */
void
pt_count_caller(struct pt_count_frame *f, uint32_t off)
{
    uint32_t at = pt_graph_index(f->tally->graph, off);
    if (clears_up(f, at)) {
        linger(f);
        return;
    }
    if (at == PT_INS_NONE) {
        f->tally->desyncs++;
        return;
    }
    bool pends = f->state == PT_WALK_RAISED || f->state == PT_WALK_LINGERS;
    uint32_t from = pends ? goes_on_at(f) : goes_on(f) ? f->at : PT_INS_NONE;
    if (from != PT_INS_NONE && !leads_to(f->tally, from, at))
        f->tally->desyncs++;
    else
        arrive(f, at);
}

void
pt_count_enter(struct pt_count_frame *f, const struct pt_event *e)
{
    const struct pt_graph *g = f->tally->graph;
    if (e->arg == PT_IMPLIED)
        return;
    if (e->kind == PT_CALL) {
        if (g->start != PT_INS_NONE)
            begin(f, g->start);
        return;
    }
    uint32_t at =
        e->has & PT_HAS(DST) ? pt_graph_index(g, e->dst) : PT_INS_NONE;
    if (at == PT_INS_NONE)
        return;
    f->at = at;
    if (e->kind == PT_THROW) {
        f->state = PT_WALK_THROWN;
    } else if (at > 0 && g->ins[at - 1].cls == PT_INS_YIELD) {
        f->tally->counts[at - 1].next++;
        f->state = PT_WALK_NEXT;
    } else
        begin(f, at);
}

void
pt_count_place(struct pt_count_frame *f, const struct pt_frame *k)
{
    const struct pt_graph *g = f->tally->graph;
    uint32_t off = pt_graph_index(g, k->off), dst = pt_graph_index(g, k->dst);
    switch (k->at) {
    case PT_AT_START:
        if (g->start != PT_INS_NONE)
            begin(f, g->start);
        break;
    case PT_AT_INSIDE:
        if (off != PT_INS_NONE)
            stay(f, off);
        break;
    case PT_AT_JUMPED:
        if (dst == PT_INS_NONE)
            break;
        begin(f, dst);
        if (pt_walk_lingers(g, off, dst) != PT_INS_NONE) {
            f->state = PT_WALK_LINGERS;
            f->at = dst - 1;
            f->to = dst;
        }
        break;
    case PT_AT_RAISED:
        f->to = pt_graph_handler(g, k->dst);
        f->from = raiser(g, k->dst, k->off);
        f->at = off;
        f->state = off != PT_INS_NONE ? PT_WALK_RAISED : PT_WALK_LOST;
        break;
    case PT_AT_THROWN:
        f->at = dst;
        f->state = dst != PT_INS_NONE ? PT_WALK_THROWN : PT_WALK_LOST;
        break;
    default:
        break;
    }
}
