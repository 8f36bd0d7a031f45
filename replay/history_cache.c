/* The pages that a history has read, least recently used first to go. */
#include "replay/history.h"

#include <stdlib.h>

enum pt_status
pt_history_cache_init(struct pt_history *h)
{
    h->cache = calloc(h->nchunks + 1, sizeof *h->cache);
    if (!h->cache)
        return PT_ENOMEM;
    h->cache[h->nchunks].newer = h->cache[h->nchunks].older = h->nchunks;
    return PT_OK;
}

void
pt_history_cache_clear(struct pt_history *h)
{
    for (size_t i = 0; h->cache && i < h->nchunks; i++)
        pt_page_free(h->cache[i].page);
    free(h->cache);
}

static void
unlink_page(struct pt_history *h, size_t i)
{
    struct pt_history_cached *c = &h->cache[i];
    h->cache[c->newer].older = c->older;
    h->cache[c->older].newer = c->newer;
}

/* The ring's head is older than the newest and newer than the oldest. */
static void
link_page(struct pt_history *h, size_t i)
{
    struct pt_history_cached *c = &h->cache[i], *head = &h->cache[h->nchunks];
    c->newer = h->nchunks;
    c->older = head->older;
    h->cache[head->older].newer = i;
    head->older = i;
}

static void
evict(struct pt_history *h, size_t keep)
{
    while (h->cached > h->budget) {
        size_t oldest = h->cache[h->nchunks].newer;
        if (oldest == keep || oldest == h->nchunks)
            break;
        struct pt_history_cached *c = &h->cache[oldest];
        unlink_page(h, oldest);
        h->cached -= c->page->bytes;
        pt_page_free(c->page);
        c->page = NULL;
    }
}

static void
forget(struct pt_history *h, size_t chunk)
{
    struct pt_history_cached *c = &h->cache[chunk];
    if (!c->page)
        return;
    unlink_page(h, chunk);
    h->cached -= c->page->bytes;
    pt_page_free(c->page);
    c->page = NULL;
}

static void
count(struct pt_history *h, const struct pt_trouble *t)
{
    h->trouble.lost += t->lost;
    h->trouble.unknown += t->unknown;
    h->trouble.desyncs += t->desyncs;
    h->trouble.misfits += t->misfits;
    h->trouble.unmatched += t->unmatched;
    h->trouble.unfinished += t->unfinished;
}

static enum pt_status
walk(struct pt_history *h, size_t chunk)
{
    struct pt_page *page = h->cache[chunk].page;
    if (page->walked)
        return PT_OK;
    h->cached -= page->bytes;
    enum pt_status st = pt_page_walk(&h->maker, page);
    h->cached += page->bytes;
    if (st == PT_OK && !h->chunks[chunk].counted) {
        h->chunks[chunk].counted = true;
        count(h, &page->trouble);
    }
    return st;
}

enum pt_status
pt_history_page(struct pt_history *h, size_t chunk, bool walked,
                struct pt_page **out)
{
    struct pt_history_chunk *c = &h->chunks[chunk];
    struct pt_history_cached *cached = &h->cache[chunk];
    enum pt_status st = PT_OK;
    if (c->bad)
        return PT_EDAMAGED;
    if (cached->page)
        unlink_page(h, chunk);
    else {
        st = pt_page_new(&h->maker, c->index, c->floor, &cached->page);
        if (st == PT_OK)
            h->cached += cached->page->bytes;
    }
    if (st == PT_OK) {
        link_page(h, chunk);
        if (walked)
            st = walk(h, chunk);
        evict(h, chunk);
    }
    if (st == PT_EDAMAGED) {
        forget(h, chunk);
        c->bad = true;
        h->trouble.bad_chunks++;
    }
    if (st == PT_OK)
        *out = cached->page;
    return st;
}
