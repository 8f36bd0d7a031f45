/* Counts against walks: the same events must give the same numbers, however
 * they are cut into chunks.
 * Thread rule: one thread; Criterion runs each test in a process of its own. */
#ifndef PT_TEST_REPLAY_COUNTS_H
#define PT_TEST_REPLAY_COUNTS_H

#include "tests/unit/test_replay_flow.h"

#include <pt/counts.h>

/* Numbers of one code object, as struct pt_code_counts has them. */
struct numbers {
    uint64_t *ran, *next, *jump, *raised;
};

/* A frame: what ran last in it, or none where an event has told what comes
 * next; where the exception under way was reported, and where it was raised. */
struct oracle_frame {
    const struct pt_graph *graph;
    uint32_t code, last, pos, cause;
};

/* One thread of it. */
struct oracle_thread {
    struct pt_walk *walk;
    struct oracle_frame *frames;
    size_t depth, capacity;
};

/* What a walk counts. */
struct oracle {
    struct pt_graph_cache *graphs;
    struct numbers *numbers; /* by code */
    uint32_t ncodes;
    struct oracle_thread **threads; /* by id; as they come */
    uint32_t nthreads;
    uint64_t desyncs;
    bool apart; /* each chunk is walked from its keyframe on */
};

void oracle_begin(struct oracle *, const struct pt_trace *);
void oracle_end(struct oracle *);
/* A chunk of a thread, which is what the walks come to next. */
void oracle_add(struct oracle *, const struct pt_events *);
/* How many numbers of the two differ; the first few are logged. */
int oracle_compare(struct oracle *, const struct pt_counts *);

/* Counts events as a chunk of their own, whose keyframe is where those before
 * have led. */
void count_chunk(struct pt_counts *, struct stand *, const struct pt_event *,
                 size_t n);
/* The events as one chunk, then cut in two at every place, the parts counted
 * apart and merged: all give what a walk without a desync does. */
void check_events(struct flow *, const struct pt_event *, size_t n);

#define check(f, ...)                                                          \
    do {                                                                       \
        const struct pt_event events_[] = {__VA_ARGS__};                       \
        check_events(f, events_, sizeof events_ / sizeof *events_);            \
    } while (0)

#endif
