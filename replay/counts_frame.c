/* From events to counters: what each of them says of the frame it happens in.
 * The states of a frame and the rules by which it comes from one to another
 * are those of a walk (walk.h); only what runs between is not gone through.
 * None LINGERS: what it calls then is called from a place before it. */
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
    else if (f->state == PT_WALK_INSIDE)
        follow(f->tally, f->at, -1);
    f->state = PT_WALK_LOST;
}

/* Makes a frame NEXT, INSIDE or LOST, as pt_path_settle() does. */
static void
settle(struct pt_count_frame *f)
{
    struct pt_tally *t = f->tally;
    if (f->state == PT_WALK_RAISED) {
        const struct pt_ins *ins = &t->graph->ins[f->at];
        f->state = PT_WALK_LOST;
        if (ins->cls != PT_INS_SEND && f->to != PT_INS_NONE) {
            t->counts[f->from].raised++;
            begin(f, f->to);
        } else if (ins->cls == PT_INS_SEND && ins->target != PT_INS_NONE) {
            t->counts[f->at].jump++;
            f->at = ins->target;
            f->state = PT_WALK_NEXT;
        }
    } else if (f->state == PT_WALK_THROWN)
        f->state = PT_WALK_LOST;
}

static inline bool
is_sent(const struct pt_tally *t, uint32_t i)
{
    return i > 0 && t->graph->ins[i - 1].cls == PT_INS_SEND;
}

/* Whether a frame that goes on can come to instruction `i`: its path ends where
 * that of `i` does, or `i` is what the SEND on it yields by. */
static inline bool
leads_to(const struct pt_count_frame *f, uint32_t i)
{
    const struct pt_path *paths = f->tally->paths;
    uint32_t stop = paths[f->at].stop;
    return stop == paths[i].stop ||
           (is_sent(f->tally, i) && stop == paths[i - 1].stop);
}

/* Instruction `i` of the frame is under way.  What is behind it is counted
 * already, or is now. */
static void
arrive(struct pt_count_frame *f, uint32_t i)
{
    struct pt_tally *t = f->tally;
    if (!goes_on(f))
        settle(f);
    if (f->state != PT_WALK_LOST && !leads_to(f, i))
        pt_count_abandon(f);
    if (f->state == PT_WALK_LOST)
        follow(t, i, 1);
    else if (t->paths[f->at].stop != t->paths[i].stop) {
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
    if (f->state == PT_WALK_LOST)
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
    const struct pt_graph *g = f->tally->graph;
    /* the end of an async for is told at its SEND */
    if (goes_on(f) && f->at + 1 == to && g->ins[f->at].flags & PT_INS_LINGERS)
        at = f->at;
    unsigned flags = at == PT_INS_NONE ? 0 : g->ins[at].flags;
    if (!(flags & (PT_INS_OUTCOME | PT_INS_LINGERS)) || to != at + 1) {
        pt_count_abandon(f);
        return;
    }
    if (f->state != PT_WALK_RAISED || f->at != at) {
        decide_before(f, at);
        arrive(f, at);
    } else
        follow(f->tally, at, 1);
    f->state = PT_WALK_NEXT;
    f->at = to;
}

static void
on_branch(struct pt_count_frame *f, const struct pt_event *e)
{
    struct pt_tally *t = f->tally;
    const struct pt_graph *g = t->graph;
    uint32_t at = pt_graph_index(g, e->pos), to = pt_graph_index(g, e->dst);
    unsigned cls = at == PT_INS_NONE ? PT_INS_INVALID : g->ins[at].cls;
    if ((cls != PT_INS_COND && cls != PT_INS_FOR) || to == PT_INS_NONE ||
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
        pt_count_abandon(f);
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
        pt_count_abandon(f);
        return;
    }
    bool raised = f->state == PT_WALK_RAISED && f->at == at;
    if (f->state != PT_WALK_THROWN && !raised) {
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
    else
        pt_count_abandon(f);
    if (at != PT_INS_NONE)
        begin(f, at);
}

static void
on_yield(struct pt_count_frame *f, const struct pt_event *e)
{
    const struct pt_graph *g = f->tally->graph;
    uint32_t at = pt_graph_index(g, e->pos);
    if (!(e->has & PT_HAS(OFF)) || at == PT_INS_NONE ||
        g->ins[at].cls != PT_INS_YIELD)
        pt_count_abandon(f);
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
        pt_count_abandon(f);
}

static void
on_c_call(struct pt_count_frame *f, const struct pt_event *e)
{
    uint32_t at = pt_graph_index(f->tally->graph, e->pos);
    if (at == PT_INS_NONE)
        pt_count_abandon(f);
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
        pt_count_abandon(f);
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

/* Whether what begins now, with its caller at `at`, is still the work of what
 * raised or was thrown in; see clears_up() of a walk. */
static bool
clears_up(const struct pt_count_frame *f, uint32_t at)
{
    if (f->state == PT_WALK_THROWN)
        return at == f->at || at == f->at + 1 || at + 1 == f->at;
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
    if (at == PT_INS_NONE || clears_up(f, at) ||
        (goes_on(f) && !leads_to(f, at)))
        return;
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
        if (dst != PT_INS_NONE)
            begin(f, dst);
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
