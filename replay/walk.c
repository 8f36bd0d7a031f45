/* The walk of a thread: what each event says of the frame it happens in. */
#include "replay/walk.h"

#include <stdlib.h>
#include <string.h>

const char *
pt_flow_lacks(const struct pt_trace *trace)
{
    const uint32_t needed = 1u << PT_CALL | 1u << PT_RETURN | 1u << PT_YIELD |
                            1u << PT_RESUME | 1u << PT_THROW | 1u << PT_UNWIND |
                            1u << PT_BRANCH | 1u << PT_JUMP |
                            1u << PT_EXCEPTION | 1u << PT_HANDLED;
    const struct pt_header *h = pt_trace_header(trace);
    if (!(h->optional & PT_OPTIONAL_FLOW))
        return "it was not recorded with --preset=flow";
    if ((h->events & needed) != needed)
        return "some of the kinds that --preset=flow records were left out";
    return NULL;
}

enum pt_status
pt_walk_new(struct pt_graph_cache *graphs, struct pt_walk **out)
{
    struct pt_walk *w = calloc(1, sizeof *w);
    if (!w)
        return PT_ENOMEM;
    w->graphs = graphs;
    *out = w;
    return PT_OK;
}

void
pt_walk_free(struct pt_walk *w)
{
    if (!w)
        return;
    free(w->frames);
    free(w->runs);
    free(w);
}

void
pt_walk_lose(struct pt_walk *w)
{
    w->known = false;
    for (size_t i = 0; i < w->depth; i++)
        w->frames[i].graph = NULL;
}

uint64_t
pt_walk_desyncs(const struct pt_walk *w, unsigned reason)
{
    return reason < PT_DESYNC_COUNT ? w->desyncs[reason] : 0;
}

enum pt_status
pt_walk_reserve(struct pt_walk *w, size_t depth)
{
    if (depth <= w->capacity)
        return PT_OK;
    if (depth > PT_STACK_LIMIT)
        return PT_ELIMIT;
    size_t capacity = w->capacity ? 2 * w->capacity : 64;
    if (capacity < depth)
        capacity = depth;
    struct pt_walk_frame *frames =
        realloc(w->frames, capacity * sizeof *frames);
    if (!frames)
        return PT_ENOMEM;
    w->frames = frames;
    w->capacity = capacity;
    return PT_OK;
}

/* Goes to instruction `at`, or to one that returns. */
static enum pt_status
reach(struct pt_walk_step *s, struct pt_walk_frame *f, uint32_t at,
      bool *arrived)
{
    pt_path_settle(s, f);
    *arrived = f->state == PT_WALK_LOST;
    return *arrived ? PT_OK : pt_path_run(s, f, at, arrived);
}

/* The event says where the frame is, and no such place is there. */
static enum pt_status
misplaced(struct pt_walk_step *s, struct pt_walk_frame *f,
          enum pt_desync_reason reason, uint32_t off)
{
    pt_walk_desync(s, f, reason, off);
    f->state = PT_WALK_LOST;
    return PT_OK;
}

/* --- events in the frame itself ------------------------------------------- */

/* Whether the instruction at `at` can have told that it leads to `to`. */
static bool
leads(const struct pt_graph *g, uint8_t kind, uint32_t at, uint32_t to)
{
    const struct pt_ins *ins = &g->ins[at];
    if (to == PT_INS_NONE)
        return false;
    if (kind == PT_JUMP)
        return ins->cls == PT_INS_JUMP && to == ins->target;
    if (ins->cls == PT_INS_COND || ins->cls == PT_INS_FOR)
        return to == at + 1 || to == ins->target;
    return ins->flags & (PT_INS_OUTCOME | PT_INS_LINGERS) && to == at + 1;
}

static enum pt_status
on_branch(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    const struct pt_event *e = s->event;
    const struct pt_graph *g = f->graph;
    uint32_t at = pt_graph_index(g, e->pos), to = pt_graph_index(g, e->dst);
    bool arrived;
    enum pt_status st = PT_OK;
    if (at == PT_INS_NONE)
        return misplaced(s, f, PT_DESYNC_PLACE, e->pos);
    if (!leads(g, e->kind, at, to))
        return misplaced(s, f, PT_DESYNC_DESTINATION, e->pos);
    /* The exception that ended the iterator has been told there. */
    if (f->state != PT_WALK_RAISED || f->at != at)
        st = reach(s, f, at, &arrived);
    f->before = g->ins[at].off / 2;
    f->to = to;
    if (g->ins[at].flags & PT_INS_LINGERS) {
        f->state = PT_WALK_LINGERS;
        f->at = at;
    } else {
        f->state = PT_WALK_NEXT;
        f->at = to;
    }
    return st;
}

static enum pt_status
on_c_call(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    uint32_t at = pt_graph_index(f->graph, s->event->pos);
    bool arrived;
    if (at == PT_INS_NONE)
        return misplaced(s, f, PT_DESYNC_PLACE, s->event->pos);
    enum pt_status st = reach(s, f, at, &arrived);
    f->state = PT_WALK_INSIDE;
    f->at = at;
    f->before = f->graph->ins[at].off / 2;
    return st;
}

/* A thrown-in exception is told at the yield that suspended the frame, or at
 * the RESUME behind it. */
static bool
beside(const struct pt_walk_frame *f, uint32_t at)
{
    return at == f->at || at == f->at + 1 || at + 1 == f->at;
}

static enum pt_status
on_exception(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    const struct pt_event *e = s->event;
    if (e->arg == PT_STOP_ITERATION)
        return PT_OK; /* ends a loop, and changes no path */
    /* The last instruction is exact, where what was reported can be a code unit
     * before it; but a re-raise sets it back to the one that first raised. */
    uint32_t last = e->has & PT_HAS(DST) ? e->dst : e->pos;
    uint32_t where = e->arg == PT_RERAISED ? e->pos : last;
    uint32_t at = pt_graph_index(f->graph, where);
    uint32_t cause = pt_graph_index(f->graph, last);
    enum pt_status st = PT_OK;
    if (at == PT_INS_NONE || cause == PT_INS_NONE)
        return misplaced(s, f, PT_DESYNC_PLACE, where);
    bool still = f->state == PT_WALK_RAISED || f->state == PT_WALK_LINGERS;
    bool arrived;
    if (f->state == PT_WALK_THROWN) {
        if (!beside(f, at))
            pt_walk_desync(s, f, PT_DESYNC_SUSPENDED, where);
    } else if (!still || f->at != at)
        st = reach(s, f, at, &arrived);
    f->state = PT_WALK_RAISED;
    f->at = cause;
    f->to = pt_graph_handler(f->graph, e->pos);
    f->before = last / 2;
    return st;
}

static enum pt_status
on_handled(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    uint32_t at = pt_graph_index(f->graph, s->event->pos);
    if (at == PT_INS_NONE)
        return misplaced(s, f, PT_DESYNC_PLACE, s->event->pos);
    if (f->state == PT_WALK_RAISED && f->to != at)
        pt_walk_desync(s, f, PT_DESYNC_HANDLER, s->event->pos);
    else if (f->state != PT_WALK_RAISED && f->state != PT_WALK_LOST)
        pt_walk_desync(s, f, PT_DESYNC_RAISE, s->event->pos);
    f->state = PT_WALK_NEXT;
    f->at = at;
    return PT_OK;
}

static enum pt_status
on_unwind(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    /* Implied, or of a frame in which nothing has run. */
    bool told = !(s->event->has & PT_HAS(ARG)) && f->state != PT_WALK_THROWN;
    if (told && f->state == PT_WALK_RAISED && f->to != PT_INS_NONE)
        pt_walk_desync(s, f, PT_DESYNC_HANDLER, UINT32_MAX);
    else if (told && f->state != PT_WALK_RAISED && f->state != PT_WALK_LOST)
        pt_walk_desync(s, f, PT_DESYNC_RAISE, UINT32_MAX);
    return PT_OK;
}

static enum pt_status
on_yield(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    uint32_t at = pt_graph_index(f->graph, s->event->pos);
    bool arrived;
    if (!(s->event->has & PT_HAS(OFF)) || at == PT_INS_NONE ||
        f->graph->ins[at].cls != PT_INS_YIELD)
        return misplaced(s, f, PT_DESYNC_PLACE, s->event->pos);
    return reach(s, f, at, &arrived);
}

static enum pt_status
on_value(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    uint32_t at = pt_graph_index(f->graph, s->event->pos);
    if (at != PT_INS_NONE)
        return pt_path_reach(s, f, at);
    pt_walk_desync(s, f, PT_DESYNC_PLACE, s->event->pos);
    return PT_OK;
}

static enum pt_status
on_own(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    bool arrived;
    switch (s->event->kind) {
    case PT_RETURN:
        return reach(s, f, PT_INS_NONE, &arrived);
    case PT_YIELD:
        return on_yield(s, f);
    case PT_UNWIND:
        return on_unwind(s, f);
    case PT_EXCEPTION:
        return on_exception(s, f);
    case PT_HANDLED:
        return on_handled(s, f);
    case PT_C_CALL:
        return on_c_call(s, f);
    case PT_VALUE:
        return on_value(s, f);
    default:
        return on_branch(s, f);
    }
}

/* --- frames come and go --------------------------------------------------- */

/* Whether what begins now, with its caller at `at`, is still the work of the
 * instruction that raised or branched last.  An exception that nobody swallows
 * is followed by handled or unwind in its frame, and one that is thrown in by
 * exception: between them a collection can call. */
static bool
clears_up(const struct pt_walk_frame *f, uint32_t at)
{
    if (f->state == PT_WALK_LINGERS)
        return f->at == at;
    if (f->state == PT_WALK_THROWN)
        return at != PT_INS_NONE && beside(f, at);
    if (f->state != PT_WALK_RAISED)
        return false;
    unsigned cls = f->graph->ins[f->at].cls;
    return f->at == at || (cls != PT_INS_FOR && cls != PT_INS_SEND);
}

/* The frame on top called, or something ran in its name, at `off`.  Where the
 * walk does not get there the caller may be a frame that was never told of, so
 * that the position stays. */
static enum pt_status
on_caller(struct pt_walk_step *s, struct pt_walk_frame *f, uint32_t off)
{
    uint32_t at = pt_graph_index(f->graph, off);
    if (clears_up(f, at))
        return PT_OK;
    if (at == PT_INS_NONE) {
        pt_walk_desync(s, f, PT_DESYNC_PLACE, off);
        return PT_OK;
    }
    struct pt_walk_frame was = *f;
    bool arrived;
    enum pt_status st = reach(s, f, at, &arrived);
    if (!arrived) {
        *f = was;
        return st;
    }
    f->state = PT_WALK_INSIDE;
    f->at = at;
    f->before = off / 2; /* of an inlined call in 3.12, a cache */
    return st;
}

/* Where a frame stands that has been entered. */
static void
begin(struct pt_walk_frame *f, const struct pt_event *e)
{
    if (!f->graph || e->arg == PT_IMPLIED)
        return;
    if (e->kind == PT_CALL) {
        f->at = f->graph->start;
        f->state = PT_WALK_NEXT;
    } else if (e->has & PT_HAS(DST)) {
        f->at = pt_graph_index(f->graph, e->dst);
        f->state = e->kind == PT_RESUME ? PT_WALK_NEXT : PT_WALK_THROWN;
        /* 3.11 can go on elsewhere than at a RESUME. */
        f->before = e->dst / 2 - 1;
    }
    if (f->at == PT_INS_NONE)
        f->state = PT_WALK_LOST;
}

static enum pt_status
on_enter(struct pt_walk_step *s, struct pt_walk_frame *caller)
{
    struct pt_walk *w = s->walk;
    const struct pt_event *e = s->event;
    enum pt_status st = PT_OK;
    if (caller && caller->graph && e->has & PT_HAS(OFF))
        st = on_caller(s, caller, e->pos);
    if (st == PT_OK)
        st = pt_walk_reserve(w, w->depth + 1);
    if (st != PT_OK)
        return st;
    struct pt_walk_frame *f = &w->frames[w->depth++];
    *f = (struct pt_walk_frame){.graph = pt_graph_cache_at(w->graphs, e->id),
                                .code = e->id,
                                .at = PT_INS_NONE,
                                .before = PT_INS_NONE};
    begin(f, e);
    return f->graph ? PT_OK : pt_graph_cache_status(w->graphs);
}

enum pt_status
pt_walk_step(struct pt_walk *w, const struct pt_event *e, uint64_t seq,
             struct pt_walked *out)
{
    const uint32_t own = 1u << PT_RETURN | 1u << PT_YIELD | 1u << PT_UNWIND |
                         1u << PT_BRANCH | 1u << PT_JUMP | 1u << PT_EXCEPTION |
                         1u << PT_HANDLED | 1u << PT_C_CALL | 1u << PT_VALUE;
    struct pt_walk_step s = {w, e, seq, out};
    struct pt_walk_frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;
    enum pt_status st = PT_OK;
    memset(out, 0, sizeof *out);
    w->nruns = 0;
    out->code = top ? top->code : 0;
    out->lost = top ? !top->graph || top->state == PT_WALK_LOST
                    : !pt_kind_enters(e->kind);
    if (pt_kind_enters(e->kind))
        st = on_enter(&s, top);
    else if (e->kind == PT_GAP)
        pt_walk_lose(w);
    else if (e->kind == PT_KIND_NONE) {
        /* The frame called what a filter has left out. */
        if (top && top->graph && e->has & PT_HAS(OFF))
            st = on_caller(&s, top, e->pos);
    } else if (e->kind < PT_KIND_LIMIT && own >> e->kind & 1) {
        bool leaves = pt_kind_leaves(e->kind);
        if (top && top->graph && (leaves || e->has & PT_HAS(OFF)))
            st = on_own(&s, top);
        w->depth -= leaves && top;
    }
    out->runs = w->runs;
    out->nruns = w->nruns;
    if (out->nruns == 0)
        out->graph = NULL;
    return st;
}
