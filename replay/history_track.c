/* Where a thread is: its slots, one after the other and by moment. */
#include "replay/history.h"

const struct pt_chunk_info *
pt_history_info(const struct pt_history *h, size_t chunk)
{
    return pt_trace_chunk(h->trace, h->chunks[chunk].index);
}

struct pt_moment
pt_history_opens(const struct pt_history *h, const struct pt_history_track *t,
                 size_t chunk)
{
    struct pt_moment m = {h->chunks[chunk].floor,
                          pt_history_info(h, chunk)->seq};
    if (chunk > t->first) {
        const struct pt_chunk_info *last = pt_history_info(h, chunk - 1);
        m.seq = last->seq + last->events - 1;
    }
    return m;
}

struct pt_moment
pt_history_closes(const struct pt_history *h, size_t chunk)
{
    const struct pt_chunk_info *info = pt_history_info(h, chunk);
    int64_t floor = h->chunks[chunk].floor;
    return (struct pt_moment){info->time_last < floor ? floor : info->time_last,
                              info->seq + info->events - 1};
}

enum pt_status
pt_history_moment(struct pt_history *h, const struct pt_history_track *t,
                  struct pt_slot at, struct pt_moment *out)
{
    struct pt_page *page;
    const struct pt_chunk_info *info = pt_history_info(h, at.chunk);
    if (at.slot == 0)
        *out = pt_history_opens(h, t, at.chunk);
    else if (at.slot == info->events)
        *out = pt_history_closes(h, at.chunk);
    else {
        enum pt_status st = pt_history_page(h, at.chunk, false, &page);
        if (st != PT_OK)
            return st;
        *out = (struct pt_moment){pt_page_clock(page, at.slot - 1),
                                  info->seq + at.slot - 1};
    }
    return PT_OK;
}

/* The moment where it is at hand, else a bound from the directory. */
static void
estimate(struct pt_history *h, const struct pt_history_track *t,
         struct pt_stand *s)
{
    const struct pt_chunk_info *info = pt_history_info(h, s->at.chunk);
    s->exact = s->at.slot == 0 || s->at.slot == info->events ||
               h->cache[s->at.chunk].page;
    if (s->exact)
        s->exact = pt_history_moment(h, t, s->at, &s->moment) == PT_OK;
    if (!s->exact) {
        int64_t floor = h->chunks[s->at.chunk].floor;
        s->moment = (struct pt_moment){
            info->time_first < floor ? floor : info->time_first,
            info->seq + s->at.slot - 1};
    }
}

void
pt_track_after(struct pt_history *h, const struct pt_history_track *t,
               struct pt_slot at, struct pt_stand *out)
{
    bool inside = at.slot != PT_NO_SLOT &&
                  at.slot < pt_history_info(h, at.chunk)->events &&
                  !h->chunks[at.chunk].bad;
    *out = (struct pt_stand){.at = {at.chunk, at.slot + 1}};
    if (!inside) {
        size_t chunk = at.chunk + (at.slot != PT_NO_SLOT);
        while (chunk < t->end && h->chunks[chunk].bad)
            chunk++;
        out->none = chunk == t->end;
        if (out->none)
            return;
        out->at = (struct pt_slot){chunk, 0};
    }
    estimate(h, t, out);
}

void
pt_track_before(struct pt_history *h, const struct pt_history_track *t,
                struct pt_slot at, struct pt_stand *out)
{
    bool inside =
        at.slot != PT_NO_SLOT && at.slot > 0 && !h->chunks[at.chunk].bad;
    *out = (struct pt_stand){.at = {at.chunk, at.slot - 1}};
    if (!inside) {
        size_t chunk = at.chunk;
        while (chunk > t->first && h->chunks[chunk - 1].bad)
            chunk--;
        out->none = chunk == t->first;
        out->at = (struct pt_slot){t->first, PT_NO_SLOT};
        if (out->none)
            return;
        out->at.chunk = chunk - 1;
        out->at.slot = pt_history_info(h, chunk - 1)->events;
    }
    estimate(h, t, out);
}

enum pt_status
pt_track_settle(struct pt_history *h, struct pt_history_track *t,
                struct pt_stand *s, bool forward)
{
    struct pt_page *page;
    enum pt_status st = PT_OK;
    while (!s->none) {
        st = pt_history_page(h, s->at.chunk, false, &page);
        if (st == PT_OK && !s->exact) {
            st = pt_history_moment(h, t, s->at, &s->moment);
            s->exact = true;
        }
        if (st != PT_EDAMAGED)
            break;
        struct pt_slot at = s->at;
        if (forward)
            pt_track_after(h, t, at, s);
        else
            pt_track_before(h, t, at, s);
        st = PT_OK;
    }
    return st;
}

/* --- by moment -------------------------------------------------------------
 */

/* The last chunk that opens at or before `moment`; t->end where none does. */
static size_t
find_chunk(const struct pt_history *h, const struct pt_history_track *t,
           struct pt_moment moment)
{
    size_t low = t->first, high = t->end;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (pt_earlier(moment, pt_history_opens(h, t, mid)))
            high = mid;
        else
            low = mid + 1;
    }
    return low == t->first ? t->end : low - 1;
}

/* The last slot of a page that is not later, where its last one is. */
static uint32_t
find_slot(const struct pt_page *p, struct pt_moment moment)
{
    uint32_t low = 0, high = p->n - 1;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (pt_moment_before(moment.time, moment.seq, pt_page_clock(p, mid),
                             p->info->seq + mid))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Which slot of the chunk that is; PT_EDAMAGED where it cannot be read. */
static enum pt_status
choose_slot(struct pt_history *h, size_t chunk, struct pt_moment moment,
            uint32_t *out)
{
    const struct pt_chunk_info *info = pt_history_info(h, chunk);
    int64_t floor = h->chunks[chunk].floor;
    int64_t first = info->time_first < floor ? floor : info->time_first;
    struct pt_page *page;
    if (h->chunks[chunk].bad)
        return PT_EDAMAGED;
    if (!pt_earlier(moment, pt_history_closes(h, chunk))) {
        *out = info->events;
        return PT_OK;
    }
    if (pt_moment_before(moment.time, moment.seq, first, info->seq)) {
        *out = 0;
        return PT_OK;
    }
    enum pt_status st = pt_history_page(h, chunk, false, &page);
    if (st == PT_OK)
        *out = find_slot(page, moment);
    return st;
}

enum pt_status
pt_track_resolve(struct pt_history *h, struct pt_history_track *t,
                 struct pt_moment moment)
{
    size_t chunk = find_chunk(h, t, moment);
    uint32_t slot;
    if (chunk == t->end) {
        pt_track_rewind(h, t);
        return PT_OK;
    }
    enum pt_status st = choose_slot(h, chunk, moment, &slot);
    if (st == PT_OK) {
        t->at = (struct pt_stand){.at = {chunk, slot}};
        estimate(h, t, &t->at);
    } else if (st == PT_EDAMAGED)
        pt_track_before(h, t, (struct pt_slot){chunk, 0}, &t->at);
    else
        return st;
    pt_track_after(h, t, t->at.at, &t->next);
    t->resolved = true;
    return PT_OK;
}
