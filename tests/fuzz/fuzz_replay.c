#include "tests/fuzz/fuzz.h"

#include <pt/counts.h>
#include <pt/flow.h>
#include <pt/history.h>

#include <stdlib.h>

/* --- walking and counting ------------------------------------------------- */

/* Each instruction that a step ran is one of its graph's. */
static void
expand(const struct pt_walked *w)
{
    struct pt_expand x;
    struct pt_fine fine;
    uint64_t instructions, lines;
    pt_expand_count(w, &instructions, &lines);
    if (instructions + lines > 1000)
        return;
    pt_expand_begin(&x, w);
    while (pt_expand_next(&x, &fine)) {
        if (fine.index >= w->graph->n)
            broken("an instruction behind its code");
        if (fine.kind == PT_LINE ? lines-- == 0 : instructions-- == 0)
            broken("more ran than was counted");
    }
    if (instructions + lines != 0)
        broken("less ran than was counted");
}

/* How many steps of the chunk did not fit; false where the walk failed. */
static bool
walk_chunk(struct pt_walk *walk, const struct pt_events *events, uint64_t *bad)
{
    struct pt_walked walked;
    *bad = 0;
    if (pt_walk_sync(walk, events, &walked) != PT_OK)
        return false;
    for (uint32_t i = 0; i < events->info->events; i++) {
        if (pt_walk_step(walk, &events->events[i], events->info->seq + i,
                         &walked) != PT_OK)
            return false;
        *bad += walked.desynced;
        expand(&walked);
    }
    return true;
}

/* Counting the chunk notices what walking it from its keyframe on does, and
 * counts no more than its events and frames can have made run. */
static void
count_chunk(struct pt_graph_cache *graphs, const struct pt_trace *t,
            const struct pt_events *events)
{
    struct pt_counts *counts;
    struct pt_walk *walk;
    uint64_t bad, most = 2 * (uint64_t)events->info->events + events->depth;
    if (pt_counts_new(graphs, &counts) != PT_OK ||
        pt_walk_new(graphs, &walk) != PT_OK)
        broken("no counts");
    enum pt_status st = pt_counts_add(counts, events);
    if (walk_chunk(walk, events, &bad) != (st == PT_OK))
        broken("counting fails where walking does not");
    if (st == PT_OK && pt_counts_desyncs(counts) != bad)
        broken("counting and walking find other desyncs");
    for (uint32_t id = 1; st == PT_OK && id <= pt_trace_code_count(t); id++) {
        struct pt_code_counts *c;
        if (pt_counts_code(counts, id, &c) != PT_OK)
            continue;
        for (uint32_t i = 0; i < c->graph->n; i++)
            if (c->ran[i] > most)
                broken("more was counted than can have run");
        pt_code_counts_free(c);
    }
    pt_walk_free(walk);
    pt_counts_free(counts);
}

/* Walks all chunks as if they were one thread's, and counts each. */
static void
walk_all(const struct pt_trace *t)
{
    struct pt_graph_cache *graphs;
    struct pt_decoder *d;
    struct pt_walk *walk;
    uint64_t bad;
    if (pt_graph_cache_new(t, &graphs) != PT_OK ||
        pt_walk_new(graphs, &walk) != PT_OK || pt_decoder_new(t, &d) != PT_OK)
        broken("no walk");
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        struct pt_events events;
        if (pt_trace_chunk(t, i)->type != PT_CHUNK_EVENTS ||
            pt_decoder_events(d, i, &events) != PT_OK)
            continue;
        walk_chunk(walk, &events, &bad);
        count_chunk(graphs, t, &events);
    }
    pt_decoder_free(d);
    pt_walk_free(walk);
    pt_graph_cache_free(graphs);
}

/* --- moving --------------------------------------------------------------- */

enum { PLACES = 200, FRAMES = 8 };

struct place {
    uint64_t seq, k;
    size_t depth;
    uint32_t id, thread;
    uint8_t kind, ran;
};

static struct place
place_of(struct pt_history *h)
{
    struct pt_here here;
    if (pt_history_here(h, &here) != PT_OK)
        broken("a step to where nothing is");
    return (struct place){here.seq,       here.k,      here.depth,
                          here.event->id, here.thread, here.event->kind,
                          here.ran};
}

static bool
same_place(struct place a, struct place b)
{
    return a.seq == b.seq && a.k == b.k && a.depth == b.depth && a.id == b.id &&
           a.thread == b.thread && a.kind == b.kind && a.ran == b.ran;
}

static void
look(struct pt_history *h)
{
    for (size_t i = 0; i < pt_history_threads(h); i++) {
        struct pt_thread_state state;
        struct pt_frame frames[FRAMES];
        size_t n;
        if (pt_history_thread(h, i, &state) != PT_OK ||
            pt_history_frames(h, i, 0, frames, FRAMES, &n) != PT_OK)
            continue;
        if (n > FRAMES || n > state.depth)
            broken("more frames than there are");
    }
}

/* Forward, and back the same way; what a place tells is the same both ways.  A
 * chunk that cannot be used (it is of a later version) ends the way. */
static void
there_and_back(struct pt_history *h, enum pt_grain grain)
{
    static struct place places[PLACES];
    enum pt_status st = PT_OK;
    size_t n = 0;
    if (pt_history_lacks(h, grain))
        return;
    pt_history_begin(h);
    while (n < PLACES && (st = pt_history_next(h, grain)) == PT_OK)
        places[n++] = place_of(h);
    if (n == 0)
        return;
    look(h);
    if (st == PT_OK)
        st = pt_history_next(h, grain);
    if (st != PT_OK && st != PT_END)
        n--; /* the position stays */
    for (size_t i = n; i-- > 0;)
        if (pt_history_prev(h, grain) != PT_OK ||
            !same_place(place_of(h), places[i]))
            broken("the way back is another");
    if (pt_history_prev(h, grain) != PT_END)
        broken("there is more before the beginning");
}

static void
move(const struct pt_trace *t)
{
    struct pt_history_options options = {.cache = 1};
    struct pt_history *h;
    if (pt_history_open(t, &options, &h) != PT_OK)
        broken("no history");
    for (int grain = PT_GRAIN_ITEM; grain <= PT_GRAIN_INSTRUCTION; grain++)
        there_and_back(h, (enum pt_grain)grain);
    pt_history_close(h);
}

void
fuzz_replay(const struct pt_trace *t)
{
    walk_all(t);
    move(t);
}
