/* Where a walk begins: a chunk's keyframe. */
#include "replay/walk.h"

#include <string.h>

/* The state of a frame that stands as the keyframe says. */
static void
place(struct pt_walk_frame *f, const struct pt_frame *k)
{
    const struct pt_graph *g = f->graph;
    uint32_t off = g ? pt_graph_index(g, k->off) : PT_INS_NONE;
    uint32_t dst = g ? pt_graph_index(g, k->dst) : PT_INS_NONE;
    if (off != PT_INS_NONE)
        f->before = k->off / 2;
    switch (g ? k->at : PT_AT_UNKNOWN) {
    case PT_AT_START:
        f->state = PT_WALK_NEXT;
        f->at = g->start;
        f->before = PT_INS_NONE;
        break;
    case PT_AT_INSIDE:
        f->state = PT_WALK_INSIDE;
        f->at = off;
        break;
    case PT_AT_JUMPED:
        f->state = PT_WALK_NEXT;
        f->at = f->to = dst;
        if (pt_walk_lingers(g, off, dst) != PT_INS_NONE) {
            f->state = PT_WALK_LINGERS;
            f->at = dst - 1;
        }
        break;
    case PT_AT_RAISED:
        f->state = PT_WALK_RAISED;
        f->at = off;
        f->to = pt_graph_handler(g, k->dst);
        break;
    case PT_AT_THROWN:
        f->state = PT_WALK_THROWN;
        f->at = dst;
        break;
    default:
        break;
    }
    if (f->at == PT_INS_NONE)
        f->state = PT_WALK_LOST;
}

/* Goes on to where values have shown the frame to be.  What runs on the way was
 * told in the chunks before. */
static enum pt_status
advance(struct pt_walk_step *s, struct pt_walk_frame *f,
        const struct pt_frame *k)
{
    const struct pt_event value = {.kind = PT_VALUE};
    uint32_t next = f->graph ? pt_graph_index(f->graph, k->next) : PT_INS_NONE;
    if (k->next == 0 || k->at == PT_AT_UNKNOWN || f->state == PT_WALK_LOST)
        return PT_OK;
    if (next == PT_INS_NONE) {
        pt_walk_desync(s, f, PT_DESYNC_PLACE, k->next);
        return PT_OK;
    }
    s->event = &value;
    enum pt_status st = pt_path_reach(s, f, next);
    s->event = NULL;
    s->walk->nruns = 0;
    s->out->graph = NULL;
    return st;
}

/* Whether two accounts of a frame do not contradict each other.  Of an
 * instruction that lingers and calls, the one knows that it has branched, and
 * the other from where it called. */
static bool
agrees(const struct pt_walk_frame *a, const struct pt_walk_frame *b)
{
    if (a->state == PT_WALK_LOST || b->state == PT_WALK_LOST)
        return true;
    if ((a->state == PT_WALK_LINGERS && b->state == PT_WALK_INSIDE) ||
        (a->state == PT_WALK_INSIDE && b->state == PT_WALK_LINGERS))
        return a->at == b->at;
    bool lingers_a = a->state == PT_WALK_LINGERS;
    bool lingers_b = b->state == PT_WALK_LINGERS;
    bool same = a->state == b->state ||
                (lingers_a && b->state == PT_WALK_NEXT) ||
                (lingers_b && a->state == PT_WALK_NEXT);
    return same && (lingers_a ? a->to : a->at) == (lingers_b ? b->to : b->at) &&
           (a->state != PT_WALK_RAISED || a->to == b->to);
}

/* Takes one frame of the keyframe.  What the walk knows by itself is as good,
 * and it also knows which line was told last. */
static enum pt_status
take(struct pt_walk_step *s, size_t i, const struct pt_frame *k)
{
    struct pt_walk *w = s->walk;
    const struct pt_walk_frame *old = &w->frames[i];
    struct pt_walk_frame f = {.graph = pt_graph_cache_at(w->graphs, k->id),
                              .code = k->id,
                              .at = PT_INS_NONE,
                              .before = PT_INS_NONE};
    place(&f, k);
    enum pt_status st = advance(s, &f, k);
    if (st != PT_OK)
        return st;
    if (w->known && i < w->depth && old->code == k->id && old->graph) {
        if (!agrees(old, &f))
            pt_walk_desync(s, old, PT_DESYNC_KEYFRAME, pt_walk_offset(&f));
        else if (old->state != PT_WALK_LOST)
            return PT_OK;
    }
    w->frames[i] = f;
    return PT_OK;
}

enum pt_status
pt_walk_sync(struct pt_walk *w, const struct pt_events *chunk,
             struct pt_walked *out)
{
    struct pt_walk_step s = {w, NULL, chunk->info->seq, out};
    size_t depth = 0;
    enum pt_status st = pt_walk_reserve(w, chunk->depth);
    memset(out, 0, sizeof *out);
    w->nruns = 0;
    if (st != PT_OK)
        return st;
    /* A gap that opens the chunk lies between the two stacks. */
    if (chunk->info->events > 0 && chunk->events[0].kind == PT_GAP)
        w->known = false;
    for (size_t i = 0; i < chunk->depth && st == PT_OK; i++)
        if (!chunk->stack[i].callable)
            st = take(&s, depth++, &chunk->stack[i]);
    w->depth = depth;
    w->known = true;
    if (st != PT_OK)
        return st;
    return pt_graph_cache_status(w->graphs);
}
