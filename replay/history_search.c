/* Searching a history for the n-th time that something ran.
 *
 * Each thread has a front: a place that it has been searched up to, or the hit
 * found there.  The front that comes first in the merged order is next: a hit
 * is counted, another is moved through one chunk.  So no thread is searched
 * further than the hit that is found. */
#include "replay/history.h"

#include <stdlib.h>
#include <string.h>

struct wanted {
    uint32_t code;
    bool called; /* its beginnings are looked for */
    uint32_t *lines;
    size_t nlines;
    struct pt_page_wanted places;
};

struct pt_search {
    struct pt_history *history;
    struct wanted *wanted; /* by code; those that can run */
    size_t nwanted;
    uint8_t *told;  /* by chunk of the trace: the index tells its codes */
    uint8_t *holds; /* ... and one of them is wanted */
    struct pt_search_also also;
};

struct front {
    struct pt_slot at;
    uint64_t item;
    struct pt_moment moment;
    bool fresh, hit, none; /* `fresh`: no item of the slot has been passed */
};

/* --- what is looked for ----------------------------------------------------
 */

static const struct wanted *
find_wanted(const struct pt_search *s, uint32_t code)
{
    size_t low = 0, high = s->nwanted;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->wanted[mid].code < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->nwanted && s->wanted[low].code == code ? &s->wanted[low]
                                                           : NULL;
}

static int
compare_targets(const void *a, const void *b)
{
    const struct pt_target *x = a, *y = b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static bool
has_line(const struct wanted *w, uint32_t line)
{
    for (size_t i = 0; i < w->nlines; i++)
        if (w->lines[i] == line)
            return true;
    return false;
}

/* Lists the instructions at which a wanted line can start. */
static enum pt_status
list_places(struct wanted *w, const struct pt_graph *g)
{
    struct pt_page_wanted *p = &w->places;
    size_t n = 0;
    for (uint32_t i = 0; i < g->n; i++)
        n += has_line(w, g->ins[i].line);
    p->inside = malloc((n + 1) * sizeof *p->inside);
    p->first = malloc((n + 1) * sizeof *p->first);
    if (!p->inside || !p->first)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < g->n; i++) {
        if (!has_line(w, g->ins[i].line))
            continue;
        p->first[p->nfirst++] = i;
        if (g->ins[i + 1].lined > g->ins[i].lined)
            p->inside[p->ninside++] = i;
    }
    return PT_OK;
}

static void
clear(struct wanted *w)
{
    free(w->lines);
    free(w->places.inside);
    free(w->places.first);
    *w = (struct wanted){0};
}

/* Nothing of it can ever run. */
static void
drop_last(struct pt_search *s)
{
    clear(&s->wanted[--s->nwanted]);
}

static enum pt_status
list_wanted(struct pt_search *s, const struct pt_target *targets, size_t n)
{
    struct pt_graph_cache *graphs = s->history->maker.graphs;
    enum pt_status st = PT_OK;
    s->wanted = calloc(n + 1, sizeof *s->wanted);
    if (!s->wanted)
        return PT_ENOMEM;
    for (size_t i = 0; i < n && st == PT_OK;) {
        struct wanted *w = &s->wanted[s->nwanted++];
        size_t end = i;
        w->code = targets[i].code;
        while (end < n && targets[end].code == w->code)
            end++;
        w->lines = malloc((end - i) * sizeof *w->lines);
        if (!w->lines)
            return PT_ENOMEM;
        for (; i < end; i++) {
            w->called |= targets[i].line == 0;
            if (targets[i].line)
                w->lines[w->nlines++] = targets[i].line;
        }
        const struct pt_graph *g =
            graphs && w->nlines ? pt_graph_cache_at(graphs, w->code) : NULL;
        if (g)
            st = list_places(w, g);
        if (graphs && !w->called && !w->places.nfirst)
            drop_last(s);
    }
    return st;
}

/* --- the index -------------------------------------------------------------
 */

/* The index is only asked where a chunk need not be looked at. */
static void
mark_chunk(void *state, size_t chunk, const uint32_t *codes, size_t n)
{
    struct pt_search *s = state;
    s->told[chunk] = 1;
    for (size_t i = 0; i < n && !s->holds[chunk]; i++)
        s->holds[chunk] = find_wanted(s, codes[i]) != NULL;
}

static enum pt_status
use_index(struct pt_search *s)
{
    const struct pt_trace *trace = s->history->trace;
    size_t n = pt_trace_chunk_count(trace);
    s->told = calloc(n + 1, 1);
    s->holds = calloc(n + 1, 1);
    if (!s->told || !s->holds)
        return PT_ENOMEM;
    if (s->nwanted == 0) {
        memset(s->told, 1, n);
        return PT_OK;
    }
    enum pt_status st =
        pt_trace_chunk_codes(trace, s->history->maker.decoder, mark_chunk, s);
    return st == PT_EDAMAGED || st == PT_ENOTFOUND ? PT_OK : st;
}

/* --- making one ------------------------------------------------------------
 */

enum pt_status
pt_search_new(struct pt_history *h, const struct pt_target *targets, size_t n,
              struct pt_search **out)
{
    bool lines = false;
    for (size_t i = 0; i < n; i++)
        lines |= targets[i].line != 0;
    if (lines && pt_history_lacks(h, PT_GRAIN_LINE))
        return PT_EUSAGE;
    struct pt_search *s = calloc(1, sizeof *s);
    struct pt_target *sorted = malloc((n + 1) * sizeof *sorted);
    enum pt_status st = s && sorted ? PT_OK : PT_ENOMEM;
    if (st == PT_OK) {
        if (n)
            memcpy(sorted, targets, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, compare_targets);
        s->history = h;
        st = list_wanted(s, sorted, n);
    }
    if (st == PT_OK)
        st = use_index(s);
    free(sorted);
    if (st != PT_OK) {
        pt_search_free(s);
        return st;
    }
    *out = s;
    return PT_OK;
}

void
pt_search_free(struct pt_search *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nwanted; i++)
        clear(&s->wanted[i]);
    free(s->wanted);
    free(s->told);
    free(s->holds);
    free(s);
}

void
pt_search_also(struct pt_search *s, const struct pt_search_also *also)
{
    s->also = *also;
}

/* --- one chunk -------------------------------------------------------------
 */

/* Whether the directory tells of events in a chunk that are looked for. */
static bool
has_kinds(const struct pt_search *s, const struct pt_chunk_info *info)
{
    for (unsigned kind = 0; kind < PT_KIND_LIMIT; kind++)
        if (s->also.kinds >> kind & 1 && info->counts[kind])
            return true;
    return false;
}

/* Whether a chunk that is not walked yet can have one of the code objects. */
static bool
can_hold(const struct pt_search *s, const struct pt_page *p)
{
    for (size_t i = 0; p->keyframe && i < p->depth; i++)
        if (!p->keyframe[i].callable && find_wanted(s, p->keyframe[i].id))
            return true;
    for (uint32_t i = 0; i < p->n; i++)
        if (pt_kind_enters(p->events[i].kind) &&
            find_wanted(s, p->events[i].id))
            return true;
    return p->walked;
}

/* The chunk's page, where something that is looked for can be in it; walked
 * where one of the code objects can have run. */
static enum pt_status
open_chunk(const struct pt_search *s, size_t chunk, struct pt_page **out)
{
    struct pt_history *h = s->history;
    size_t index = h->chunks[chunk].index;
    bool events = has_kinds(s, pt_history_info(h, chunk));
    bool told = s->told[index];
    *out = NULL;
    if (told && !s->holds[index] && !events)
        return PT_OK;
    enum pt_status st = pt_history_page(h, chunk, false, out);
    if (st == PT_OK && (told ? s->holds[index] : can_hold(s, *out)))
        st = pt_history_page(h, chunk, true, out);
    else if (st == PT_OK && !events)
        *out = NULL;
    if (st == PT_EDAMAGED)
        *out = NULL;
    return st == PT_EDAMAGED ? PT_OK : st;
}

static bool
hits_event(const struct pt_search *s, const struct pt_page *p, uint32_t slot)
{
    const struct pt_event *e = &p->events[slot - 1];
    const struct wanted *w;
    if (e->kind < PT_KIND_LIMIT && s->also.kinds >> e->kind & 1 &&
        (!s->also.match || s->also.match(s->also.state, e)))
        return true;
    if (e->kind == PT_CALL) {
        w = find_wanted(s, e->id);
        return w && w->called;
    }
    if (e->kind != PT_LINE || e->has & PT_HAS(CODE) || s->history->maker.walk ||
        !p->walked)
        return false;
    uint32_t node = pt_page_python(p, p->behind[slot]);
    if (node == PT_NO_NODE)
        return false;
    w = find_wanted(s, p->entries[p->nodes[node].entry].id);
    return w && has_line(w, e->pos);
}

static bool
hits_fine(const struct pt_search *s, const struct pt_page *p,
          const struct front *f, bool forward, uint64_t *item)
{
    struct pt_walked walked;
    struct pt_graph_cache *graphs = s->history->maker.graphs;
    if (!graphs || !p->walked || !pt_page_ran(p, graphs, f->at.slot, &walked))
        return false;
    const struct wanted *w = find_wanted(s, walked.code);
    uint64_t from = !f->fresh ? f->item : forward ? 0 : UINT64_MAX;
    return w && w->places.nfirst &&
           pt_page_line(&walked, &w->places, from, forward, item);
}

/* Looks for a hit in the rest of the front's slot. */
static bool
search_slot(const struct pt_search *s, const struct pt_page *p, struct front *f,
            bool forward)
{
    bool event = f->at.slot && hits_event(s, p, f->at.slot);
    if (forward && f->fresh && event) {
        f->item = 0;
        return true;
    }
    if (hits_fine(s, p, f, forward, &f->item))
        return true;
    if (!forward && event && (f->fresh || f->item)) {
        f->item = 0;
        return true;
    }
    return false;
}

/* Moves a front to its next hit in its chunk, or through the chunk. */
static enum pt_status
search_chunk(const struct pt_search *s, const struct pt_history_track *t,
             struct front *f, bool forward)
{
    struct pt_history *h = s->history;
    struct pt_page *page;
    size_t chunk = f->at.chunk;
    enum pt_status st = open_chunk(s, chunk, &page);
    if (st != PT_OK)
        return st;
    f->hit = false;
    while (page && !f->hit) {
        f->hit = search_slot(s, page, f, forward);
        f->fresh = !f->hit;
        if (f->hit)
            return pt_history_moment(h, t, f->at, &f->moment);
        if (f->at.slot == (forward ? page->n : 0))
            break;
        f->at.slot += forward ? 1 : -1;
    }
    f->fresh = true;
    f->none = forward ? chunk + 1 == t->end : chunk == t->first;
    if (f->none)
        return PT_OK;
    f->at.chunk = forward ? chunk + 1 : chunk - 1;
    f->at.slot = forward ? 0 : pt_history_info(h, f->at.chunk)->events;
    f->moment = forward ? pt_history_opens(h, t, f->at.chunk)
                        : pt_history_closes(h, f->at.chunk);
    return PT_OK;
}

/* --- all threads -----------------------------------------------------------
 */

static struct front
front_of(const struct pt_history *h, const struct pt_history_track *t,
         bool forward)
{
    bool current = t == h->track;
    const struct pt_stand *from = current || !forward ? &t->at : &t->next;
    return (struct front){.at = from->at,
                          .moment = from->moment,
                          .none = from->none,
                          .item = current ? h->item : 0,
                          .fresh = !current};
}

static size_t
first_front(const struct front *fronts, size_t n, bool forward)
{
    size_t first = n;
    for (size_t i = 0; i < n; i++) {
        if (fronts[i].none)
            continue;
        if (first == n ||
            (forward ? pt_earlier(fronts[i].moment, fronts[first].moment)
                     : pt_earlier(fronts[first].moment, fronts[i].moment)))
            first = i;
    }
    return first;
}

enum pt_status
pt_search_go(struct pt_search *s, int64_t n)
{
    struct pt_history *h = s->history;
    bool forward = n > 0;
    uint64_t left = forward ? (uint64_t)n : -(uint64_t)n;
    if (n == 0)
        return PT_EUSAGE;
    enum pt_status st = pt_history_resolve(h);
    struct front *fronts = calloc(h->ntracks + 1, sizeof *fronts);
    if (st == PT_OK && !fronts)
        st = PT_ENOMEM;
    for (size_t i = 0; st == PT_OK && i < h->ntracks; i++)
        fronts[i] = front_of(h, &h->tracks[i], forward);
    while (st == PT_OK) {
        size_t i = first_front(fronts, h->ntracks, forward);
        if (i == h->ntracks) {
            st = PT_ENOTFOUND;
            break;
        }
        struct front *f = &fronts[i];
        if (f->hit && --left == 0) {
            pt_history_place(h, &h->tracks[i], f->at, f->moment, f->item);
            break;
        }
        if (s->also.end &&
            s->also.end(s->also.state, pt_history_info(h, f->at.chunk)))
            st = PT_END;
        else
            st = search_chunk(s, &h->tracks[i], f, forward);
    }
    free(fronts);
    return st;
}
