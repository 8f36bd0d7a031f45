/* What runs without an event: from where a frame stands to where the next event
 * says it is. */
#include "replay/graph.h"
#include "replay/walk.h"

#include <stdlib.h>

/* More jumps than this between two events are no program's. */
enum { TURNS_LIMIT = 1 << 12 };

const char *
pt_desync_text(unsigned reason)
{
    static const char *const texts[] = {
#define X(id, text) text,
        PT_DESYNCS(X)
#undef X
    };
    return reason < PT_DESYNC_COUNT ? texts[reason] : "";
}

uint32_t
pt_walk_offset(const struct pt_walk_frame *f)
{
    return f->state == PT_WALK_LOST || f->at >= f->graph->n
               ? UINT32_MAX
               : f->graph->ins[f->at].off;
}

void
pt_walk_desync(struct pt_walk_step *s, const struct pt_walk_frame *f,
               enum pt_desync_reason reason, uint32_t target)
{
    s->walk->desyncs[reason]++;
    s->walk->nruns = 0;
    if (s->out->desynced)
        return;
    s->out->desynced = true;
    s->out->desync = (struct pt_desync){.seq = s->seq,
                                        .code = f->code,
                                        .off = pt_walk_offset(f),
                                        .target = target,
                                        .kind = s->event ? s->event->kind : 0,
                                        .reason = (uint8_t)reason};
}

static enum pt_status
add_run(struct pt_walk *w, uint32_t first, uint32_t last)
{
    if (w->nruns == w->runs_capacity) {
        size_t capacity = w->runs_capacity ? 2 * w->runs_capacity : 64;
        struct pt_run *runs = realloc(w->runs, capacity * sizeof *runs);
        if (!runs)
            return PT_ENOMEM;
        w->runs = runs;
        w->runs_capacity = capacity;
    }
    w->runs[w->nruns++] = (struct pt_run){first, last};
    return PT_OK;
}

/* What comes after instruction `i` on the way to an event of `kind` at
 * `target`; PT_INS_NONE where only an event tells.
 *
 * SEND has no event when its iterator ends; that it goes on to yield shows in
 * the yield.  3.14 tells of a branch not where it is decided but at the
 * instruction it leads to. */
static uint32_t
follow(const struct pt_graph *g, uint32_t i, uint32_t target, uint8_t kind)
{
    const struct pt_ins *ins = &g->ins[i];
    switch (ins->cls) {
    case PT_INS_NEXT:
        return i + 1;
    case PT_INS_JUMP:
        return ins->target;
    case PT_INS_SEND:
        return target == i + 1 ? target : ins->target;
    case PT_INS_COND:
    case PT_INS_FOR:
        if (kind != PT_BRANCH || target >= g->n)
            return PT_INS_NONE;
        if (target == i + 1 && g->ins[target].flags & PT_INS_OUTCOME)
            return target;
        if (target == ins->target && g->ins[target].flags & PT_INS_LINGERS)
            return target;
        return PT_INS_NONE;
    default:
        return PT_INS_NONE;
    }
}

/* The last code unit once a SEND has gone on at `next`.  3.12 stands at a cache
 * of it while a generator runs inlined, and when that has returned, just before
 * where it goes on. */
static uint32_t
behind_send(const struct pt_walk_frame *f, uint32_t next)
{
    const struct pt_ins *ins = f->graph->ins;
    bool cached = f->before > ins[f->at].off / 2 &&
                  f->before <= ins[f->at].off / 2 + ins[f->at].caches;
    return cached && next != f->at + 1 ? ins[next].off / 2 - 1 : f->before;
}

static void
blocked(struct pt_walk_step *s, const struct pt_walk_frame *f, uint32_t i,
        uint32_t target)
{
    const struct pt_ins *ins = f->graph->ins;
    unsigned cls = ins[i].cls;
    pt_walk_desync(s, f,
                   cls == PT_INS_COND || cls == PT_INS_FOR    ? PT_DESYNC_BRANCH
                   : cls == PT_INS_JUMP || cls == PT_INS_SEND ? PT_DESYNC_LOOP
                                                              : PT_DESYNC_END,
                   target == PT_INS_NONE ? UINT32_MAX : ins[target].off);
}

static bool
is_there(const struct pt_graph *g, uint32_t i, uint32_t target)
{
    return target == PT_INS_NONE ? g->ins[i].cls == PT_INS_RETURN : i == target;
}

/* Without an event the way is one function of the instruction, so that a walk
 * that has made more turns than there are goes round in circles. */
enum pt_status
pt_path_run(struct pt_walk_step *s, struct pt_walk_frame *f, uint32_t target,
            bool *arrived)
{
    const struct pt_graph *g = f->graph;
    uint32_t turns = (g->turns < TURNS_LIMIT ? g->turns : TURNS_LIMIT) + 1;
    uint32_t i = f->at, end = i;
    enum pt_status st = PT_OK;
    s->out->graph = g;
    s->out->before = f->before;
    *arrived = f->state == PT_WALK_INSIDE && is_there(g, i, target);
    if (*arrived)
        return PT_OK;
    if (f->state == PT_WALK_INSIDE) {
        i = follow(g, end, target, s->event->kind);
        if (i != PT_INS_NONE && g->ins[end].cls == PT_INS_SEND)
            s->out->before = behind_send(f, i);
    }
    for (; i != PT_INS_NONE; i = follow(g, end, target, s->event->kind)) {
        end = g->ins[i].run;
        uint32_t stop = is_there(g, end, target) ? end : target;
        if (i <= stop && stop <= end) {
            f->at = stop;
            f->before = g->ins[stop].off / 2;
            f->state = PT_WALK_INSIDE;
            *arrived = true;
            return add_run(s->walk, i, stop);
        }
        st = add_run(s->walk, i, end);
        if (st != PT_OK)
            return st;
        if (turns-- == 0)
            break;
    }
    blocked(s, f, end, target);
    return PT_OK;
}

void
pt_path_settle(struct pt_walk_step *s, struct pt_walk_frame *f)
{
    if (f->state == PT_WALK_THROWN) {
        pt_walk_desync(s, f, PT_DESYNC_SUSPENDED, UINT32_MAX);
        f->state = PT_WALK_LOST;
    }
    if (f->state == PT_WALK_RAISED && pt_graph_swallows(f->graph, f->at))
        f->to = f->graph->ins[f->at].target;
    if (f->state != PT_WALK_RAISED && f->state != PT_WALK_LINGERS)
        return;
    if (f->to == PT_INS_NONE) {
        pt_walk_desync(s, f, PT_DESYNC_HANDLER, UINT32_MAX);
        f->state = PT_WALK_LOST;
        return;
    }
    f->state = PT_WALK_NEXT;
    f->at = f->to;
}

/* Takes the last instruction that ran back: it is next. */
static void
take_back(struct pt_walk_step *s, struct pt_walk_frame *f, uint32_t target)
{
    struct pt_walk *w = s->walk;
    struct pt_run *last = &w->runs[w->nruns - 1];
    f->state = PT_WALK_NEXT;
    f->at = target;
    f->before = s->out->before;
    if (last->first < last->last)
        last->last--;
    else
        w->nruns--;
    if (w->nruns > 0)
        f->before = f->graph->ins[w->runs[w->nruns - 1].last].off / 2;
}

enum pt_status
pt_path_reach(struct pt_walk_step *s, struct pt_walk_frame *f, uint32_t target)
{
    bool lingers = f->state == PT_WALK_LINGERS && f->to == target;
    bool there = f->at == target &&
                 (f->state == PT_WALK_NEXT || f->state == PT_WALK_INSIDE);
    if (lingers || there || f->state == PT_WALK_RAISED ||
        f->state == PT_WALK_THROWN || f->state == PT_WALK_LOST)
        return PT_OK;
    struct pt_walk_frame was = *f;
    bool arrived;
    pt_path_settle(s, f);
    enum pt_status st = pt_path_run(s, f, target, &arrived);
    if (arrived && s->walk->nruns > 0)
        take_back(s, f, target);
    else if (!arrived)
        *f = was;
    return st;
}
