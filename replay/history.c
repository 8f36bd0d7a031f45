/* A history's position, and moving it. */
#include "replay/history.h"

const char *
pt_history_lacks(const struct pt_history *h, enum pt_grain grain)
{
    uint32_t kinds = pt_trace_told(h->trace);
    bool told = grain == PT_GRAIN_LINE          ? kinds >> PT_LINE & 1
                : grain == PT_GRAIN_INSTRUCTION ? kinds >> PT_INSTRUCTION & 1
                                                : 1;
    return told || h->maker.walk ? NULL : pt_flow_lacks(h->trace);
}

/* --- where the threads stand -----------------------------------------------
 */

void
pt_track_rewind(struct pt_history *h, struct pt_history_track *t)
{
    t->at = (struct pt_stand){.at = {t->first, PT_NO_SLOT}, .none = true};
    pt_track_after(h, t, t->at.at, &t->next);
    t->resolved = true;
}

static void
stand(struct pt_history *h, enum pt_history_state state, struct pt_moment m)
{
    h->state = state;
    h->moment = m;
    h->track = NULL;
    h->item = 0;
    h->ahead_known = h->behind_known = false;
    for (size_t i = 0; i < h->ntracks; i++)
        h->tracks[i].resolved = false;
}

void
pt_history_begin(struct pt_history *h)
{
    stand(h, PT_HISTORY_BEFORE, (struct pt_moment){INT64_MIN, 0});
    for (size_t i = 0; i < h->ntracks; i++)
        pt_track_rewind(h, &h->tracks[i]);
}

void
pt_history_end(struct pt_history *h)
{
    stand(h, PT_HISTORY_BEHIND, (struct pt_moment){INT64_MAX, UINT64_MAX});
}

void
pt_history_place(struct pt_history *h, struct pt_history_track *t,
                 struct pt_slot at, struct pt_moment moment, uint64_t item)
{
    stand(h, PT_HISTORY_AT, moment);
    h->track = t;
    h->item = item;
    t->at = (struct pt_stand){.at = at, .moment = moment, .exact = true};
    pt_track_after(h, t, at, &t->next);
    t->resolved = true;
}

enum pt_status
pt_history_resolve(struct pt_history *h)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < h->ntracks && st == PT_OK; i++)
        if (!h->tracks[i].resolved)
            st = pt_track_resolve(h, &h->tracks[i], h->moment);
    return st;
}

/* The other thread whose next slot is the earliest, or whose present one is
 * the latest; NULL where there is none. */
static struct pt_history_track *
best(struct pt_history *h, bool forward)
{
    struct pt_history_track *best = NULL;
    for (size_t i = 0; i < h->ntracks; i++) {
        struct pt_history_track *t = &h->tracks[i];
        const struct pt_stand *s = forward ? &t->next : &t->at;
        if (t == h->track || s->none)
            continue;
        if (!best || (forward ? pt_earlier(s->moment, best->next.moment)
                              : pt_earlier(best->at.moment, s->moment)))
            best = t;
    }
    return best;
}

/* To the next slot of all. */
static enum pt_status
advance(struct pt_history *h)
{
    enum pt_status st = pt_history_resolve(h);
    while (st == PT_OK) {
        if (!h->ahead_known)
            h->ahead = best(h, true);
        h->ahead_known = true;
        struct pt_history_track *t = h->track, *other = h->ahead;
        if (!t || t->next.none ||
            (other && pt_earlier(other->next.moment, t->next.moment)))
            t = other;
        if (!t) {
            pt_history_end(h);
            return PT_END;
        }
        struct pt_stand was = t->next;
        st = pt_track_settle(h, t, &t->next, true);
        if (st != PT_OK)
            break;
        if (t->next.none || !was.exact || t->next.at.chunk != was.at.chunk) {
            h->ahead_known = false;
            continue;
        }
        if (t != h->track)
            h->ahead_known = h->behind_known = false;
        t->at = t->next;
        pt_track_after(h, t, t->at.at, &t->next);
        h->track = t;
        h->moment = t->at.moment;
        h->state = PT_HISTORY_AT;
        return PT_OK;
    }
    return st;
}

/* The current thread goes back to `prev`; the current slot is now one of t. */
static void
go_back(struct pt_history *h, struct pt_history_track *t,
        const struct pt_stand *prev)
{
    if (h->track) {
        h->track->next = h->track->at;
        h->track->at = *prev;
    }
    if (t != h->track)
        h->ahead_known = h->behind_known = false;
    h->track = t;
    h->moment = t->at.moment;
    h->state = PT_HISTORY_AT;
}

/* To the last slot before this one. */
static enum pt_status
retreat(struct pt_history *h)
{
    struct pt_stand prev = {.none = true};
    enum pt_status st = pt_history_resolve(h);
    if (st == PT_OK && h->track) {
        pt_track_before(h, h->track, h->track->at.at, &prev);
        if (!prev.exact)
            st = pt_track_settle(h, h->track, &prev, false);
    }
    while (st == PT_OK) {
        if (!h->behind_known)
            h->behind = best(h, false);
        h->behind_known = true;
        struct pt_history_track *t = h->behind;
        struct pt_stand *s = t ? &t->at : NULL;
        if (!prev.none && (!s || pt_earlier(s->moment, prev.moment))) {
            t = h->track;
            s = &prev;
        }
        if (!s) {
            pt_history_begin(h);
            return PT_END;
        }
        size_t chunk = s->at.chunk;
        st = pt_track_settle(h, t, s, false);
        if (st == PT_OK && (s->none || s->at.chunk != chunk)) {
            if (s != &prev)
                pt_track_after(h, t, s->at, &t->next);
            h->behind_known = h->ahead_known = false;
            continue;
        }
        if (st == PT_OK)
            go_back(h, t, &prev);
        return st;
    }
    return st;
}

/* --- items of a slot -------------------------------------------------------
 */

static bool
matches(const struct pt_history *h, const struct pt_event *e,
        enum pt_grain grain)
{
    if (grain == PT_GRAIN_ITEM || grain == PT_GRAIN_EVENT)
        return true;
    return !h->maker.walk &&
           e->kind == (grain == PT_GRAIN_LINE ? PT_LINE : PT_INSTRUCTION);
}

static enum pt_page_measure
measure_of(enum pt_grain grain)
{
    return grain == PT_GRAIN_ITEM   ? PT_BY_ITEM
           : grain == PT_GRAIN_LINE ? PT_BY_LINE
                                    : PT_BY_INSTRUCTION;
}

/* How many of a measure come before item `item`, that itself not counted, or
 * up to it. */
static uint64_t
passed(const struct pt_walked *w, enum pt_page_measure measure, uint64_t item,
       bool itself)
{
    struct pt_page_fine at;
    if (item == 0 || !pt_page_find(w, PT_BY_ITEM, item, &at))
        return 0;
    bool line = at.fine.kind == PT_LINE;
    switch (measure) {
    case PT_BY_LINE:
        return at.lines - (line && !itself);
    case PT_BY_INSTRUCTION:
        return at.fine.k - (line || !itself);
    default:
        return item - !itself;
    }
}

/* Goes to the slot's next item of a grain, or the one before; where `fresh`,
 * from its beginning, or its end.  PT_END where there is none. */
static enum pt_status
step_item(struct pt_history *h, enum pt_grain grain, bool forward, bool fresh)
{
    struct pt_slot at = h->track->at.at;
    bool fine = grain != PT_GRAIN_EVENT && h->maker.walk;
    struct pt_page *page;
    struct pt_page_fine found;
    struct pt_walked walked;
    enum pt_page_measure measure = measure_of(grain);
    enum pt_status st = pt_history_page(h, at.chunk, fine, &page);
    if (st != PT_OK)
        return st;
    bool event = at.slot && matches(h, &page->events[at.slot - 1], grain);
    if (event && forward && fresh) {
        h->item = 0;
        return PT_OK;
    }
    if (!forward && !fresh && h->item == 0)
        return PT_END;
    if (fine && pt_page_ran(page, h->maker.graphs, at.slot, &walked)) {
        uint64_t n =
            forward ? (fresh ? 0 : passed(&walked, measure, h->item, true)) + 1
            : fresh ? pt_page_count(&walked, measure)
                    : passed(&walked, measure, h->item, false);
        if (pt_page_find(&walked, measure, n, &found)) {
            h->item = found.items;
            return PT_OK;
        }
    }
    if (!event || forward)
        return PT_END;
    h->item = 0;
    return PT_OK;
}

/* --- steps -----------------------------------------------------------------
 */

/* A page can turn out to be bad when it is walked: then it has no slots. */
static enum pt_status
try_item(struct pt_history *h, enum pt_grain grain, bool forward, bool fresh)
{
    enum pt_status st = step_item(h, grain, forward, fresh);
    return st == PT_EDAMAGED ? PT_END : st;
}

static enum pt_status
step(struct pt_history *h, enum pt_grain grain, bool forward)
{
    const struct pt_history was = *h;
    struct pt_slot slot = {0, 0};
    enum pt_status st = PT_END;
    if (pt_history_lacks(h, grain))
        return PT_EUSAGE;
    if (h->state == (forward ? PT_HISTORY_BEHIND : PT_HISTORY_BEFORE))
        return PT_END;
    if (h->track) {
        slot = h->track->at.at;
        st = try_item(h, grain, forward, false);
    }
    while (st == PT_END) {
        st = forward ? advance(h) : retreat(h);
        if (st == PT_END)
            return st;
        if (st == PT_OK)
            st = try_item(h, grain, forward, true);
    }
    if (st != PT_OK && was.track)
        pt_history_place(h, was.track, slot, was.moment, was.item);
    else if (st != PT_OK)
        stand(h, was.state, was.moment);
    return st;
}

enum pt_status
pt_history_next(struct pt_history *h, enum pt_grain grain)
{
    return step(h, grain, true);
}

enum pt_status
pt_history_prev(struct pt_history *h, enum pt_grain grain)
{
    return step(h, grain, false);
}

/* --- seeking ---------------------------------------------------------------
 */

/* The chunk of a thread that has event `seq`; t->end where none does. */
static size_t
find_seq(const struct pt_history *h, const struct pt_history_track *t,
         uint64_t seq)
{
    size_t low = t->first, high = t->end;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct pt_chunk_info *info = pt_history_info(h, mid);
        if (seq < info->seq)
            high = mid;
        else if (seq - info->seq >= info->events)
            low = mid + 1;
        else
            return mid;
    }
    return t->end;
}

static enum pt_status
seek_in(struct pt_history *h, struct pt_history_track *t, size_t chunk,
        uint64_t seq, uint64_t k)
{
    const struct pt_chunk_info *info = pt_history_info(h, chunk);
    struct pt_slot at = {chunk, (uint32_t)(seq - info->seq) + 1};
    struct pt_moment moment;
    struct pt_page_fine fine = {.items = 0};
    struct pt_walked walked;
    struct pt_page *page;
    if (k && at.slot == info->events)
        at = (struct pt_slot){chunk + 1, 0};
    if (at.chunk == t->end || (k && !h->maker.walk))
        return PT_ENOTFOUND;
    enum pt_status st = pt_history_page(h, at.chunk, k != 0, &page);
    if (st == PT_OK && k &&
        (!pt_page_ran(page, h->maker.graphs, at.slot, &walked) ||
         !pt_page_find(&walked, PT_BY_INSTRUCTION, k, &fine)))
        st = PT_ENOTFOUND;
    if (st == PT_OK)
        st = pt_history_moment(h, t, at, &moment);
    if (st == PT_OK)
        pt_history_place(h, t, at, moment, fine.items);
    return st;
}

enum pt_status
pt_history_seek(struct pt_history *h, uint64_t seq, uint64_t k)
{
    for (size_t i = 0; i < h->ntracks; i++) {
        struct pt_history_track *t = &h->tracks[i];
        size_t chunk = find_seq(h, t, seq);
        if (chunk != t->end)
            return seek_in(h, t, chunk, seq, k);
    }
    return PT_ENOTFOUND;
}

enum pt_status
pt_history_seek_time(struct pt_history *h, int64_t time)
{
    stand(h, PT_HISTORY_BEHIND, (struct pt_moment){time, UINT64_MAX});
    enum pt_status st = pt_history_prev(h, PT_GRAIN_EVENT);
    return st == PT_END ? PT_OK : st;
}
