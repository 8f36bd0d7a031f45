/* The walk of a thread: where each frame of its stack stands, and what must
 * have run for it to come from there to where the next event is.
 *
 *                    call                       resume
 *                      |                           |
 *                      v                           v
 *   branch, jump --> NEXT <---- handled -----------'
 *                      |  what lies between runs
 *                      v
 *                   INSIDE --exception--> RAISED --unwind--> (gone)
 *
 *   LINGERS  as NEXT, but the instruction that branched may still call: an
 *            iterator's finalizer (POP_ITER and END_ASYNC_FOR of 3.14)
 *   THROWN   suspended, and thrown into: the exception event comes next
 *   LOST     until an event says where it is
 *
 * An exception that FOR_ITER or SEND swallows is told as one, and no handled
 * event follows: RAISED there can also go on as if the iterator had ended. */
#include <pt/flow.h>
#include <pt/replay.h>

#include <stdlib.h>
#include <string.h>

enum state { LOST, NEXT, INSIDE, RAISED, LINGERS, THROWN };

struct frame {
    const struct pt_graph *graph; /* NULL: never to be walked */
    uint32_t code;
    uint32_t at;     /* NEXT: the instruction to run, else the one that ran */
    uint32_t to;     /* RAISED: the handler; LINGERS: what comes next */
    uint32_t before; /* code unit of the last instruction, for LINE */
    uint8_t state;
};

struct pt_walk {
    struct pt_graph_cache *graphs;
    struct frame *frames; /* outermost first */
    size_t depth, capacity;
    struct pt_run *runs;
    size_t nruns, runs_capacity;
    bool known; /* the frames are those of the events so far */
    uint64_t desyncs[PT_DESYNC_COUNT];
};

/* More jumps than this between two events are no program's. */
enum { TURNS_LIMIT = 1 << 14 };

/* What a step works on. */
struct step {
    struct pt_walk *walk;
    const struct pt_event *event;
    uint64_t seq;
    struct pt_walked *out;
};

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

static enum pt_status
reserve(struct pt_walk *w, size_t depth)
{
    if (depth <= w->capacity)
        return PT_OK;
    if (depth > PT_STACK_LIMIT)
        return PT_ELIMIT;
    size_t capacity = w->capacity ? 2 * w->capacity : 64;
    if (capacity < depth)
        capacity = depth;
    struct frame *frames = realloc(w->frames, capacity * sizeof *frames);
    if (!frames)
        return PT_ENOMEM;
    w->frames = frames;
    w->capacity = capacity;
    return PT_OK;
}

static uint32_t
offset_of(const struct frame *f)
{
    return f->state == LOST || f->at >= f->graph->n ? UINT32_MAX
                                                    : f->graph->ins[f->at].off;
}

static void
desync(struct step *s, const struct frame *f, enum pt_desync_reason reason,
       uint32_t target)
{
    s->walk->desyncs[reason]++;
    s->walk->nruns = 0;
    if (s->out->desynced)
        return;
    s->out->desynced = true;
    s->out->desync = (struct pt_desync){.seq = s->seq,
                                        .code = f->code,
                                        .off = offset_of(f),
                                        .target = target,
                                        .kind = s->event ? s->event->kind : 0,
                                        .reason = (uint8_t)reason};
}

/* --- going on until an event ------------------------------------------------
 */

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

/* What comes after instruction `i`, which is none of class _NEXT, on the way to
 * an event of `kind` at `target`; PT_INS_NONE where only an event tells.
 *
 * SEND has no event when its iterator ends; that it goes on to yield shows in
 * the yield.  3.14 tells of a branch not where it is decided but at the
 * instruction it leads to. */
static uint32_t
follow(const struct pt_graph *g, uint32_t i, uint32_t target, uint8_t kind)
{
    const struct pt_ins *ins = &g->ins[i];
    switch (ins->cls) {
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

static enum pt_desync_reason
obstacle(const struct pt_graph *g, uint32_t i)
{
    unsigned cls = g->ins[i].cls;
    return cls == PT_INS_COND || cls == PT_INS_FOR ? PT_DESYNC_BRANCH
                                                   : PT_DESYNC_END;
}

/* The last code unit once a SEND has gone on at `next`.  3.12 stands at a cache
 * of it while a generator runs inlined, and when that has returned, just before
 * where it goes on. */
static uint32_t
behind_send(const struct frame *f, uint32_t next)
{
    const struct pt_ins *ins = f->graph->ins;
    bool cached = f->before > ins[f->at].off / 2 &&
                  f->before <= ins[f->at].off / 2 + ins[f->at].caches;
    return cached && next != f->at + 1 ? ins[next].off / 2 - 1 : f->before;
}

/* Runs the frame until `target` has run, or, where that is PT_INS_NONE, until
 * an instruction that returns has.  The frame is NEXT or INSIDE; where the walk
 * does not get there, it stays as it was, and that is a desync (*arrived).
 * What the log says is bounded by TURNS_LIMIT, not by time: a static loop would
 * never end. */
static enum pt_status
run_to(struct step *s, struct frame *f, uint32_t target, bool *arrived)
{
    const struct pt_graph *g = f->graph;
    uint32_t i = f->at, wanted = target;
    uint32_t turns = g->turns < TURNS_LIMIT ? g->turns : TURNS_LIMIT;
    uint32_t end = i;
    *arrived = false;
    s->out->graph = g;
    s->out->before = f->before;
    if (f->state == INSIDE) {
        if (i == target ||
            (target == PT_INS_NONE && g->ins[i].cls == PT_INS_RETURN)) {
            *arrived = true;
            return PT_OK;
        }
        i = g->ins[end].cls == PT_INS_NEXT
                ? i + 1
                : follow(g, end, target, s->event->kind);
        if (i != PT_INS_NONE && g->ins[end].cls == PT_INS_SEND)
            s->out->before = behind_send(f, i);
    }
    for (; i != PT_INS_NONE; i = follow(g, end, target, s->event->kind)) {
        enum pt_status st;
        end = g->ins[i].run;
        if (target == PT_INS_NONE && g->ins[end].cls == PT_INS_RETURN)
            wanted = end;
        if (i <= wanted && wanted <= end) {
            f->at = wanted;
            f->before = g->ins[wanted].off / 2;
            f->state = INSIDE;
            *arrived = true;
            return add_run(s->walk, i, wanted);
        }
        if (turns-- == 0) {
            desync(s, f, PT_DESYNC_LOOP,
                   target == PT_INS_NONE ? UINT32_MAX : g->ins[target].off);
            return PT_OK;
        }
        st = add_run(s->walk, i, end);
        if (st != PT_OK)
            return st;
    }
    desync(s, f, obstacle(g, end),
           target == PT_INS_NONE ? UINT32_MAX : g->ins[target].off);
    return PT_OK;
}

/* Makes the frame NEXT, INSIDE or LOST, when the event shows that nothing was
 * under way any more. */
static void
settle(struct step *s, struct frame *f)
{
    if (f->state == THROWN) {
        desync(s, f, PT_DESYNC_SUSPENDED, UINT32_MAX);
        f->state = LOST;
    }
    if (f->state == RAISED && f->graph->ins[f->at].cls == PT_INS_SEND)
        f->to = f->graph->ins[f->at].target;
    if (f->state != RAISED && f->state != LINGERS)
        return;
    if (f->to == PT_INS_NONE) {
        desync(s, f, PT_DESYNC_HANDLER, UINT32_MAX);
        f->state = LOST;
        return;
    }
    f->state = NEXT;
    f->at = f->to;
}

/* --- events in the frame itself --------------------------------------------
 */

/* Whether the instruction at `at` can have told that it leads to `to`. */
static bool
leads(const struct pt_graph *g, uint8_t kind, uint32_t at, uint32_t to)
{
    const struct pt_ins *ins = &g->ins[at];
    if (to == PT_INS_NONE || at >= g->n)
        return false;
    if (kind == PT_JUMP)
        return ins->cls == PT_INS_JUMP && to == ins->target;
    if (ins->cls == PT_INS_COND || ins->cls == PT_INS_FOR)
        return to == at + 1 || to == ins->target;
    return ins->flags & (PT_INS_OUTCOME | PT_INS_LINGERS) && to == at + 1;
}

/* 3.14 tells the end of an async for at its SEND. */
static uint32_t
branch_place(const struct frame *f, uint32_t at, uint32_t to)
{
    uint32_t here = f->state == NEXT || f->state == INSIDE ? f->at
                    : f->state == RAISED                   ? f->to
                                                           : PT_INS_NONE;
    if (here < f->graph->n && here + 1 == to &&
        f->graph->ins[here].flags & PT_INS_LINGERS)
        return here;
    return at;
}

static enum pt_status
on_branch(struct step *s, struct frame *f)
{
    const struct pt_event *e = s->event;
    const struct pt_graph *g = f->graph;
    uint32_t at = pt_graph_index(g, e->pos), to = pt_graph_index(g, e->dst);
    bool arrived = true;
    enum pt_status st = PT_OK;
    if (e->kind == PT_BRANCH)
        at = branch_place(f, at, to);
    if (at == PT_INS_NONE || !leads(g, e->kind, at, to)) {
        desync(s, f,
               at == PT_INS_NONE ? PT_DESYNC_PLACE : PT_DESYNC_DESTINATION,
               e->pos);
        f->state = LOST;
        return PT_OK;
    }
    if (f->state != LOST && !(f->state == RAISED && f->at == at)) {
        settle(s, f);
        if (f->state != LOST)
            st = run_to(s, f, at, &arrived);
    }
    f->before = g->ins[at].off / 2;
    if (g->ins[at].flags & PT_INS_LINGERS) {
        f->state = LINGERS;
        f->at = at;
        f->to = to;
    } else {
        f->state = NEXT;
        f->at = to;
    }
    return st;
}

/* An event that is told at instruction `at`, which runs. */
static enum pt_status
on_place(struct step *s, struct frame *f, uint32_t at)
{
    bool arrived = true;
    enum pt_status st = PT_OK;
    if (at == PT_INS_NONE) {
        desync(s, f, PT_DESYNC_PLACE, s->event->pos);
        f->state = LOST;
        return PT_OK;
    }
    settle(s, f);
    if (f->state != LOST)
        st = run_to(s, f, at, &arrived);
    f->state = INSIDE;
    f->at = at;
    f->before = f->graph->ins[at].off / 2;
    return st;
}

/* Where a thrown-in exception is told: at the yield that suspended the frame,
 * or at the RESUME behind it. */
static bool
beside(const struct frame *f, uint32_t at)
{
    return at == f->at || at == f->at + 1 || at + 1 == f->at;
}

static enum pt_status
on_exception(struct step *s, struct frame *f)
{
    const struct pt_event *e = s->event;
    if (e->arg == PT_STOP_ITERATION)
        return PT_OK; /* ends a loop, and changes no path */
    /* A re-raise sets the last instruction back to the one that raised. */
    bool again = e->arg == PT_RERAISED || !(e->has & PT_HAS(DST));
    uint32_t last = e->has & PT_HAS(DST) ? e->dst : e->pos;
    uint32_t at = pt_graph_index(f->graph, again ? e->pos : e->dst);
    enum pt_status st = PT_OK;
    if (at == PT_INS_NONE) {
        desync(s, f, PT_DESYNC_PLACE, again ? e->pos : e->dst);
        f->state = LOST;
        return PT_OK;
    }
    if (f->state == THROWN) {
        if (!beside(f, at))
            desync(s, f, PT_DESYNC_SUSPENDED, f->graph->ins[at].off);
    } else if (!((f->state == RAISED || f->state == LINGERS) && f->at == at)) {
        bool arrived;
        settle(s, f);
        if (f->state != LOST)
            st = run_to(s, f, at, &arrived);
    }
    uint32_t cause = pt_graph_index(f->graph, last);
    f->state = RAISED;
    f->at = cause != PT_INS_NONE ? cause : at;
    f->to = pt_graph_handler(f->graph, e->pos);
    f->before = last / 2;
    return st;
}

static void
on_handled(struct step *s, struct frame *f)
{
    uint32_t at = pt_graph_index(f->graph, s->event->pos);
    if (at == PT_INS_NONE)
        desync(s, f, PT_DESYNC_PLACE, s->event->pos);
    else if (f->state == RAISED && f->to != at)
        desync(s, f, PT_DESYNC_HANDLER, s->event->pos);
    else if (f->state != RAISED && f->state != LOST)
        desync(s, f, PT_DESYNC_RAISE, s->event->pos);
    f->state = at == PT_INS_NONE ? LOST : NEXT;
    f->at = at;
}

static enum pt_status
on_leave(struct step *s, struct frame *f)
{
    const struct pt_event *e = s->event;
    bool arrived;
    if (e->kind == PT_UNWIND) {
        if (e->has & PT_HAS(ARG) || f->state == LOST || f->state == THROWN)
            return PT_OK; /* implied, or of a frame that never ran */
        if (f->state != RAISED)
            desync(s, f, PT_DESYNC_RAISE, UINT32_MAX);
        else if (f->to != PT_INS_NONE)
            desync(s, f, PT_DESYNC_HANDLER, UINT32_MAX);
        return PT_OK;
    }
    uint32_t at = PT_INS_NONE;
    if (e->kind == PT_YIELD) {
        at = e->has & PT_HAS(OFF) ? pt_graph_index(f->graph, e->pos)
                                  : PT_INS_NONE;
        if (at == PT_INS_NONE || f->graph->ins[at].cls != PT_INS_YIELD) {
            desync(s, f, PT_DESYNC_PLACE, e->pos);
            return PT_OK;
        }
    }
    settle(s, f);
    return f->state == LOST ? PT_OK : run_to(s, f, at, &arrived);
}

/* --- frames come and go ----------------------------------------------------
 */

/* The frame on top called, or something ran in its name, at `off`.  Where the
 * walk does not get there the caller may be a frame that was never told of, so
 * that the position stays. */
static enum pt_status
on_caller(struct step *s, struct frame *f, uint32_t off)
{
    uint32_t at = pt_graph_index(f->graph, off);
    bool arrived = true;
    enum pt_status st = PT_OK;
    if (at == PT_INS_NONE) {
        desync(s, f, PT_DESYNC_PLACE, off);
        return PT_OK;
    }
    if ((f->state == RAISED || f->state == LINGERS) && f->at == at)
        return PT_OK; /* called while the instruction clears up */
    struct frame was = *f;
    settle(s, f);
    if (f->state == LOST) {
        f->state = INSIDE;
        f->at = at;
    } else
        st = run_to(s, f, at, &arrived);
    /* Before an inlined call 3.12 stands at the last cache of the CALL. */
    if (arrived)
        f->before = off / 2;
    else
        *f = was;
    return st;
}

static void
begin(struct frame *f, const struct pt_event *e)
{
    if (!f->graph || e->arg == PT_IMPLIED)
        return;
    if (e->kind == PT_CALL) {
        f->at = f->graph->start;
        f->state = NEXT;
    } else if (e->has & PT_HAS(DST)) {
        f->at = pt_graph_index(f->graph, e->dst);
        f->state = e->kind == PT_RESUME ? NEXT : THROWN;
    }
    if (f->at == PT_INS_NONE)
        f->state = LOST;
}

static enum pt_status
on_enter(struct step *s)
{
    struct pt_walk *w = s->walk;
    const struct pt_event *e = s->event;
    enum pt_status st = reserve(w, w->depth + 1);
    struct frame *caller = w->depth ? &w->frames[w->depth - 1] : NULL;
    s->out->lost = caller && (!caller->graph || caller->state == LOST);
    if (st == PT_OK && caller && caller->graph && e->has & PT_HAS(OFF))
        st = on_caller(s, caller, e->pos);
    if (st != PT_OK)
        return st;
    struct frame *f = &w->frames[w->depth++];
    *f = (struct frame){.graph = pt_graph_cache_at(w->graphs, e->id),
                        .code = e->id,
                        .at = PT_INS_NONE,
                        .before = PT_INS_NONE};
    begin(f, e);
    return PT_OK;
}

static enum pt_status
on_own(struct step *s)
{
    struct pt_walk *w = s->walk;
    struct frame *f = w->depth ? &w->frames[w->depth - 1] : NULL;
    const struct pt_event *e = s->event;
    enum pt_status st = PT_OK;
    bool leaves = pt_kind_leaves(e->kind);
    s->out->lost = !f || !f->graph || f->state == LOST;
    if (f && f->graph && (leaves || e->has & PT_HAS(OFF))) {
        if (leaves)
            st = on_leave(s, f);
        else if (e->kind == PT_EXCEPTION)
            st = on_exception(s, f);
        else if (e->kind == PT_HANDLED)
            on_handled(s, f);
        else if (e->kind == PT_C_CALL)
            st = on_place(s, f, pt_graph_index(f->graph, e->pos));
        else
            st = on_branch(s, f);
    }
    if (f && leaves)
        w->depth--;
    return st;
}

enum pt_status
pt_walk_step(struct pt_walk *w, const struct pt_event *e, uint64_t seq,
             struct pt_walked *out)
{
    struct step s = {w, e, seq, out};
    enum pt_status st = PT_OK;
    memset(out, 0, sizeof *out);
    w->nruns = 0;
    switch (e->kind) {
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
        st = on_enter(&s);
        break;
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
    case PT_BRANCH:
    case PT_JUMP:
    case PT_EXCEPTION:
    case PT_HANDLED:
    case PT_C_CALL:
        st = on_own(&s);
        break;
    case PT_GAP:
        pt_walk_lose(w);
        break;
    default:
        break;
    }
    out->runs = w->runs;
    out->nruns = w->nruns;
    if (out->nruns == 0)
        out->graph = NULL;
    return st;
}

/* --- keyframes -------------------------------------------------------------
 */

static void
place(struct frame *f, const struct pt_frame *k)
{
    const struct pt_graph *g = f->graph;
    uint32_t off = g ? pt_graph_index(g, k->off) : PT_INS_NONE;
    uint32_t dst = g ? pt_graph_index(g, k->dst) : PT_INS_NONE;
    if (off != PT_INS_NONE)
        f->before = k->off / 2;
    switch (g ? k->at : PT_AT_UNKNOWN) {
    case PT_AT_START:
        f->state = NEXT;
        f->at = g->start;
        f->before = PT_INS_NONE;
        break;
    case PT_AT_INSIDE:
        f->state = INSIDE;
        f->at = off;
        break;
    case PT_AT_JUMPED:
        f->state = NEXT;
        f->at = f->to = dst;
        if (off != PT_INS_NONE && g->ins[off].flags & PT_INS_LINGERS) {
            f->state = LINGERS;
            f->at = off;
        }
        break;
    case PT_AT_RAISED:
        f->state = RAISED;
        f->at = off;
        f->to = pt_graph_handler(g, k->dst);
        break;
    case PT_AT_THROWN:
        f->state = THROWN;
        f->at = dst;
        break;
    default:
        break;
    }
    if (f->at == PT_INS_NONE)
        f->state = LOST;
}

/* Whether two accounts of a frame do not contradict each other. */
static bool
agrees(const struct frame *a, const struct frame *b)
{
    if (a->state == LOST || b->state == LOST)
        return true;
    uint32_t x = a->state == LINGERS ? a->to : a->at;
    uint32_t y = b->state == LINGERS ? b->to : b->at;
    bool same = a->state == b->state ||
                (a->state == LINGERS && b->state == NEXT) ||
                (a->state == NEXT && b->state == LINGERS);
    return same && x == y && (a->state != RAISED || a->to == b->to);
}

enum pt_status
pt_walk_sync(struct pt_walk *w, const struct pt_events *chunk,
             struct pt_walked *out)
{
    struct step s = {w, NULL, chunk->info->seq, out};
    size_t depth = 0;
    enum pt_status st = reserve(w, chunk->depth);
    memset(out, 0, sizeof *out);
    w->nruns = 0;
    if (st != PT_OK)
        return st;
    /* A gap that opens the chunk lies between the two stacks. */
    if (chunk->info->events > 0 && chunk->events[0].kind == PT_GAP)
        w->known = false;
    for (size_t i = 0; i < chunk->depth; i++) {
        const struct pt_frame *k = &chunk->stack[i];
        if (k->callable)
            continue;
        struct frame *old =
            w->known && depth < w->depth && w->frames[depth].code == k->id
                ? &w->frames[depth]
                : NULL;
        struct frame f = {.graph = pt_graph_cache_at(w->graphs, k->id),
                          .code = k->id,
                          .at = PT_INS_NONE,
                          .before = PT_INS_NONE};
        place(&f, k);
        if (old && old->graph && !agrees(old, &f))
            desync(&s, old, PT_DESYNC_KEYFRAME, offset_of(&f));
        else if (old && old->graph && old->state != LOST)
            f = *old;
        w->frames[depth++] = f;
    }
    w->depth = depth;
    w->known = true;
    return PT_OK;
}
