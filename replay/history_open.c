/* Opening a history: the chunks of each thread, in order. */
#include "replay/history.h"

#include <stdlib.h>

enum {
    CACHE_DEFAULT = 128 << 20,
    CHUNK_EVENTS = 1 << 16 /* at most, by the format */
};

/* --- opening ---------------------------------------------------------------
 */

static int
by_seq(const void *a, const void *b, void *trace)
{
    size_t x = ((const struct pt_history_chunk *)a)->index;
    size_t y = ((const struct pt_history_chunk *)b)->index;
    uint64_t s = pt_trace_chunk(trace, x)->seq;
    uint64_t t = pt_trace_chunk(trace, y)->seq;
    return s != t ? (s < t ? -1 : 1) : x < y ? -1 : x > y;
}

static int
by_thread(const void *a, const void *b, void *trace)
{
    size_t x = ((const struct pt_history_chunk *)a)->index;
    size_t y = ((const struct pt_history_chunk *)b)->index;
    uint32_t s = pt_trace_chunk(trace, x)->thread;
    uint32_t t = pt_trace_chunk(trace, y)->thread;
    return s != t ? (s < t ? -1 : 1) : by_seq(a, b, trace);
}

/* Leaves out chunks that claim the numbers of others, of which a moment and a
 * position would be two, or more events than a chunk has. */
static void
drop_claims(struct pt_history *h)
{
    size_t used = 0;
    uint64_t end = 0;
    for (size_t i = 0; i < h->nchunks; i++) {
        const struct pt_chunk_info *info = pt_history_info(h, i);
        if (info->seq < end || info->events > CHUNK_EVENTS ||
            info->seq > UINT64_MAX - CHUNK_EVENTS) {
            h->trouble.bad_chunks++;
            continue;
        }
        end = info->seq + info->events;
        h->chunks[used++] = h->chunks[i];
    }
    h->nchunks = used;
}

/* Sorts the chunks with events of a thread, or of all. */
static enum pt_status
list_chunks(struct pt_history *h, uint32_t thread)
{
    void *trace = (void *)h->trace;
    size_t n = pt_trace_chunk_count(h->trace), used = 0;
    h->chunks = calloc(n + 1, sizeof *h->chunks);
    if (!h->chunks)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(h->trace, i);
        if (info->type == PT_CHUNK_EVENTS && info->events)
            h->chunks[h->nchunks++].index = i;
    }
    qsort_r(h->chunks, h->nchunks, sizeof *h->chunks, by_seq, trace);
    drop_claims(h);
    for (size_t i = 0; i < h->nchunks; i++) {
        const struct pt_chunk_info *info = pt_history_info(h, i);
        if (thread && info->thread != thread)
            continue;
        h->trouble.gaps += info->gaps;
        h->chunks[used++] = h->chunks[i];
    }
    h->nchunks = used;
    qsort_r(h->chunks, used, sizeof *h->chunks, by_thread, trace);
    return PT_OK;
}

static enum pt_status
list_tracks(struct pt_history *h)
{
    struct pt_history_track *t = NULL;
    h->tracks = calloc(h->nchunks + 1, sizeof *h->tracks);
    if (!h->tracks)
        return PT_ENOMEM;
    for (size_t i = 0; i < h->nchunks; i++) {
        const struct pt_chunk_info *info = pt_history_info(h, i);
        if (!t || t->thread != info->thread) {
            t = &h->tracks[h->ntracks++];
            *t = (struct pt_history_track){
                .thread = info->thread, .process = info->process, .first = i};
            h->chunks[i].floor = info->time_first;
        } else
            h->chunks[i].floor = pt_history_closes(h, i - 1).time;
        t->end = i + 1;
    }
    return PT_OK;
}

enum pt_status
pt_history_open(const struct pt_trace *trace,
                const struct pt_history_options *options,
                struct pt_history **out)
{
    struct pt_history *h = calloc(1, sizeof *h);
    uint32_t thread = options ? options->thread : 0;
    if (!h)
        return PT_ENOMEM;
    h->trace = trace;
    h->budget = options && options->cache ? options->cache : CACHE_DEFAULT;
    enum pt_status st = pt_page_maker_init(&h->maker, trace);
    if (st == PT_OK)
        st = list_chunks(h, thread);
    if (st == PT_OK)
        st = list_tracks(h);
    if (st == PT_OK)
        st = pt_history_cache_init(h);
    if (st == PT_OK && thread && h->ntracks == 0)
        st = PT_ENOTFOUND;
    if (st != PT_OK) {
        pt_history_close(h);
        return st;
    }
    pt_history_begin(h);
    *out = h;
    return PT_OK;
}

void
pt_history_close(struct pt_history *h)
{
    if (!h)
        return;
    pt_history_cache_clear(h);
    pt_page_maker_clear(&h->maker);
    free(h->chunks);
    free(h->tracks);
    free(h);
}
