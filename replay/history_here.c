/* What is at a history's position. */
#include "replay/history.h"

#include <string.h>

/* Of one slot: its page, what ran in it, and one of its items. */
struct view {
    struct pt_page *page;
    struct pt_slot at;
    struct pt_walked walked;
    struct pt_page_fine fine; /* `items` of 0: the slot's event */
};

static enum pt_status
look(struct pt_history *h, struct pt_slot at, struct view *out)
{
    *out = (struct view){.at = at};
    enum pt_status st = pt_history_page(h, at.chunk, true, &out->page);
    if (st == PT_OK && h->maker.walk)
        pt_page_ran(out->page, h->maker.graphs, at.slot, &out->walked);
    return st;
}

/* The stack's innermost node. */
static uint32_t
top_node(const struct view *v)
{
    uint32_t node = v->page->behind[v->at.slot];
    return v->fine.items ? pt_page_python(v->page, node) : node;
}

static size_t
depth_of(const struct pt_page *p, uint32_t node)
{
    return node == PT_NO_NODE ? 0 : p->entries[p->nodes[node].entry].depth;
}

/* The frame of a node; the topmost stands where the item says. */
static struct pt_frame
frame_of(const struct pt_history *h, const struct view *v, uint32_t node)
{
    struct pt_frame f = pt_page_frame(v->page, node);
    if (v->fine.items && node == top_node(v))
        pt_page_stand(&v->walked, &v->fine, h->maker.lines, &f);
    return f;
}

/* --- the item --------------------------------------------------------------
 */

/* The frame and the callee of a logged event. */
static void
name_event(const struct view *v, struct pt_here *out)
{
    const struct pt_page *p = v->page;
    uint32_t node = p->steps[v->at.slot - 1].about;
    if (node == PT_NO_NODE)
        node = p->behind[v->at.slot];
    else if (p->entries[p->nodes[node].entry].callable)
        out->callee = p->entries[p->nodes[node].entry].id;
    if (out->event->kind == PT_C_CALL)
        out->callee = out->event->id;
    node = pt_page_python(p, node);
    out->framed = node != PT_NO_NODE;
    if (out->framed)
        out->frame = pt_page_frame(p, node);
}

static void
name_fine(const struct pt_history *h, const struct view *v, struct pt_here *out)
{
    out->k = v->fine.fine.k;
    out->walked = true;
    out->graph = v->walked.graph;
    out->index = v->fine.fine.index;
    out->framed = true;
    out->frame = frame_of(h, v, top_node(v));
}

static struct pt_event
event_of(const struct view *v)
{
    const struct pt_fine *f = &v->fine.fine;
    if (v->fine.items == 0)
        return v->page->events[v->at.slot - 1];
    bool line = f->kind == PT_LINE;
    return (struct pt_event){.pos = line ? f->line : f->off,
                             .kind = f->kind,
                             .has = line ? PT_HAS(LINE) : PT_HAS(OFF)};
}

/* How many events of damaged chunks lie before a chunk in its thread. */
static enum pt_status
count_hole(struct pt_history *h, const struct pt_history_track *t, size_t chunk,
           uint64_t *missing)
{
    struct pt_page *page;
    enum pt_status st = PT_EDAMAGED;
    *missing = 0;
    while (chunk > t->first && st == PT_EDAMAGED) {
        st = pt_history_page(h, --chunk, false, &page);
        if (st == PT_EDAMAGED)
            *missing += pt_history_info(h, chunk)->events;
    }
    return st == PT_EDAMAGED ? PT_OK : st;
}

static void
name_way(const struct view *v, uint64_t hole, struct pt_here *out)
{
    uint32_t i = v->fine.items ? v->at.slot : v->at.slot - 1;
    const struct pt_page_step *way = &v->page->steps[i];
    out->ran = way->ran;
    out->desync = way->desync;
    if (out->event->kind == PT_GAP)
        out->missing = out->event->arg;
    if (hole && i == 0) {
        bool more = out->missing > UINT64_MAX - hole;
        out->ran = PT_RAN_GAP;
        out->missing = more ? UINT64_MAX : out->missing + hole;
    }
}

enum pt_status
pt_history_here(struct pt_history *h, struct pt_here *out)
{
    const struct pt_history_track *t = h->track;
    struct view v;
    uint64_t hole = 0;
    enum pt_status st = PT_OK;
    if (!t)
        return PT_END;
    struct pt_slot at = t->at.at;
    if (at.slot <= 1)
        st = count_hole(h, t, at.chunk, &hole);
    if (st == PT_OK)
        st = look(h, at, &v);
    if (st != PT_OK)
        return st;
    if (h->item)
        pt_page_find(&v.walked, PT_BY_ITEM, h->item, &v.fine);
    h->event = event_of(&v);
    *out = (struct pt_here){.event = &h->event,
                            .seq = pt_history_opens(h, t, at.chunk).seq,
                            .process = t->process,
                            .thread = t->thread};
    if (at.slot)
        out->seq = v.page->info->seq + at.slot - 1;
    if (v.fine.items)
        name_fine(h, &v, out);
    else {
        name_event(&v, out);
        out->timed = h->event.has & PT_HAS(TIME);
    }
    if (h->maker.walk)
        h->event.time = pt_page_time(v.page, &v.walked, at.slot, out->k,
                                     h->chunks[at.chunk].floor);
    out->depth = depth_of(v.page, top_node(&v));
    name_way(&v, hole, out);
    return PT_OK;
}

/* --- threads ---------------------------------------------------------------
 */

/* A slot 0 in which nothing ran is where the chunk before it ended, unless that
 * cannot be read; PT_END where there is none. */
static enum pt_status
look_back(struct pt_history *h, const struct pt_history_track *t,
          struct view *out)
{
    struct pt_stand before;
    struct pt_slot at = out->at;
    if (at.slot || pt_page_count(&out->walked, PT_BY_ITEM))
        return PT_OK;
    if (at.chunk == t->first)
        return PT_END;
    pt_track_before(h, t, at, &before);
    if (before.none || before.at.chunk + 1 != at.chunk)
        return PT_OK;
    enum pt_status st = look(h, before.at, out);
    return st == PT_EDAMAGED ? look(h, at, out) : st;
}

/* Looks at the last item of a thread that is not later than the position;
 * PT_END where it has none. */
static enum pt_status
look_thread(struct pt_history *h, struct pt_history_track *t, struct view *out)
{
    enum pt_status st = PT_EDAMAGED;
    while (st == PT_EDAMAGED) {
        if (!t->resolved) {
            st = pt_track_resolve(h, t, h->moment);
            if (st != PT_OK)
                return st;
        }
        if (t->at.none)
            return PT_END;
        st = look(h, t->at.at, out);
        if (st == PT_EDAMAGED && t == h->track)
            return st;
        t->resolved = st != PT_EDAMAGED;
    }
    if (st == PT_OK && t != h->track)
        st = look_back(h, t, out);
    if (st != PT_OK)
        return st;
    uint64_t item =
        t == h->track ? h->item : pt_page_count(&out->walked, PT_BY_ITEM);
    pt_page_find(&out->walked, PT_BY_ITEM, item, &out->fine);
    return PT_OK;
}

size_t
pt_history_threads(const struct pt_history *h)
{
    return h->ntracks;
}

/* Whether nothing of a thread comes behind what is looked at. */
static bool
is_last(const struct pt_history_track *t, const struct view *v)
{
    return t->next.none &&
           v->fine.items == pt_page_count(&v->walked, PT_BY_ITEM);
}

enum pt_status
pt_history_thread(struct pt_history *h, size_t i, struct pt_thread_state *out)
{
    struct view v;
    if (i >= h->ntracks)
        return PT_ENOTFOUND;
    struct pt_history_track *t = &h->tracks[i];
    struct pt_thread_state state = {.thread = t->thread, .process = t->process};
    enum pt_status st = look_thread(h, t, &v);
    if (st != PT_OK && st != PT_END)
        return st;
    state.begun = st == PT_OK;
    state.ended = !state.begun && t->next.none;
    if (state.begun) {
        uint32_t slot = v.at.slot;
        state.ended = is_last(t, &v);
        state.seq = slot ? v.page->info->seq + slot - 1
                         : pt_history_opens(h, t, v.at.chunk).seq;
        state.time =
            slot ? v.page->events[slot - 1].time : h->chunks[v.at.chunk].floor;
        state.k = v.fine.items ? v.fine.fine.k : 0;
        state.depth = depth_of(v.page, top_node(&v));
    }
    *out = state;
    return PT_OK;
}

enum pt_status
pt_history_frames(struct pt_history *h, size_t i, size_t skip,
                  struct pt_frame *frames, size_t n, size_t *count)
{
    struct view v;
    if (i >= h->ntracks)
        return PT_ENOTFOUND;
    enum pt_status st = look_thread(h, &h->tracks[i], &v);
    if (st != PT_OK && st != PT_END)
        return st;
    uint32_t node = st == PT_OK ? top_node(&v) : PT_NO_NODE;
    for (; skip && node != PT_NO_NODE; skip--)
        node = v.page->nodes[node].parent;
    size_t used = 0;
    for (; used < n && node != PT_NO_NODE; used++) {
        frames[used] = frame_of(h, &v, node);
        node = v.page->nodes[node].parent;
    }
    *count = used;
    return PT_OK;
}

struct pt_trouble
pt_history_trouble(const struct pt_history *h)
{
    return h->trouble;
}
