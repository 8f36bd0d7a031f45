/* How fast a flow trace is read, walked and counted, on one core:
 *
 *     gen-replay FILE TIMES
 *
 * Prints a JSON object: how much there is, and the least seconds of each of
 * `TIMES` passes over the whole file.  `decode` only decodes; `walk` decodes
 * and walks every thread; `count` decodes, counts, and sums up each code
 * object.  The file is in the page cache after the first pass. */
#include <pt/counts.h>
#include <pt/flow.h>
#include <pt/reader.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct work {
    struct pt_trace *trace;
    struct pt_graph_cache *graphs;
    struct pt_walk **walks; /* by thread */
    struct pt_counts *counts;
    uint64_t events, instructions, lines, desyncs, ran;
};

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(enum pt_status st)
{
    if (st != PT_OK) {
        fprintf(stderr, "gen-replay: %s\n", pt_status_name(st));
        exit(4);
    }
}

static void
decode(struct work *w, const struct pt_events *chunk)
{
    w->events += chunk->info->events;
}

static void
walk(struct work *w, const struct pt_events *chunk)
{
    struct pt_walk **walk = &w->walks[chunk->info->thread];
    struct pt_walked walked;
    uint64_t instructions, lines;
    if (!*walk)
        must(pt_walk_new(w->graphs, walk));
    must(pt_walk_sync(*walk, chunk, &walked));
    w->desyncs += walked.desynced;
    for (uint32_t i = 0; i < chunk->info->events; i++) {
        must(pt_walk_step(*walk, &chunk->events[i], chunk->info->seq + i,
                          &walked));
        pt_expand_count(&walked, &instructions, &lines);
        w->instructions += instructions;
        w->lines += lines;
        w->desyncs += walked.desynced;
    }
}

static void
count(struct work *w, const struct pt_events *chunk)
{
    must(pt_counts_add(w->counts, chunk));
}

static void
sum_up(struct work *w)
{
    for (uint32_t id = 1; id <= pt_trace_code_count(w->trace); id++) {
        struct pt_code_counts *c;
        enum pt_status st = pt_counts_code(w->counts, id, &c);
        if (st == PT_ENOTFOUND)
            continue;
        must(st);
        for (uint32_t i = 0; i < c->graph->n; i++)
            w->ran += c->ran[i];
        pt_code_counts_free(c);
    }
}

/* One pass over all chunks; seconds. */
static double
pass(struct work *w, void (*does)(struct work *, const struct pt_events *))
{
    struct pt_decoder *decoder;
    struct pt_events chunk;
    double begun = now();
    must(pt_decoder_new(w->trace, &decoder));
    must(pt_graph_cache_new(w->trace, &w->graphs));
    must(pt_counts_new(w->graphs, &w->counts));
    for (size_t i = 0; i < pt_trace_chunk_count(w->trace); i++) {
        if (pt_trace_chunk(w->trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        must(pt_decoder_events(decoder, i, &chunk));
        if (chunk.info->thread > pt_trace_thread_count(w->trace))
            must(PT_EDAMAGED);
        does(w, &chunk);
    }
    if (does == count)
        sum_up(w);
    double seconds = now() - begun;
    for (uint32_t i = 0; i <= pt_trace_thread_count(w->trace); i++) {
        pt_walk_free(w->walks[i]);
        w->walks[i] = NULL;
    }
    pt_counts_free(w->counts);
    pt_graph_cache_free(w->graphs);
    pt_decoder_free(decoder);
    return seconds;
}

int
main(int argc, char **argv)
{
    void (*const does[])(struct work *,
                         const struct pt_events *) = {decode, walk, count};
    static const char *const names[] = {"decode", "walk", "count"};
    double least[3] = {1e9, 1e9, 1e9};
    struct work w = {0};
    unsigned long times = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (times == 0) {
        fprintf(stderr, "usage: gen-replay FILE TIMES\n");
        return 2;
    }
    must(pt_trace_open(argv[1], NULL, &w.trace));
    w.walks = calloc(pt_trace_thread_count(w.trace) + 1, sizeof(void *));
    if (!w.walks)
        must(PT_ENOMEM);
    for (unsigned long k = 0; k < times; k++) {
        w.events = w.instructions = w.lines = w.desyncs = w.ran = 0;
        for (int i = 0; i < 3; i++) {
            double seconds = pass(&w, does[i]);
            if (seconds < least[i])
                least[i] = seconds;
        }
    }
    printf("{\"events\": %" PRIu64 ", \"instructions\": %" PRIu64
           ", \"lines\": %" PRIu64 ", \"desyncs\": %" PRIu64
           ", \"counted\": %" PRIu64,
           w.events, w.instructions, w.lines, w.desyncs, w.ran);
    for (int i = 0; i < 3; i++)
        printf(", \"%s\": %.6f", names[i], least[i]);
    printf("}\n");
    free(w.walks);
    pt_trace_close(w.trace);
    return 0;
}
