/* What the tests of graphs and walks share: code objects from a line of text,
 * in the dialect of one CPython or another, and a walk over events.
 * Thread rule: one thread; Criterion runs each test in a process of its own. */
#ifndef PT_TEST_REPLAY_FLOW_H
#define PT_TEST_REPLAY_FLOW_H

#include "tests/unit/test_replay.h"

#include <pt/flow.h>

/* A part of an exception table, in code units. */
struct guard {
    uint8_t start, end, handler;
};

struct flow {
    struct place place;
    struct pt_writer *writer;
    uint32_t interpreter;
    uint32_t hexversion;
    struct pt_trace *trace;
    struct pt_graph_cache *graphs;
    struct pt_walk *walk;
    struct pt_walked walked; /* of the last step */
    uint64_t seq;
    char text[1024];
};

enum {
    PY_3_11 = 0x030b07f0,
    PY_3_12 = 0x030c01f0,
    PY_3_13 = 0x030d00f0,
    PY_3_14 = 0x030e00f0
};

/* A trace recorded by the given version; definitions can be made. */
void flow_begin(struct flow *, uint32_t hexversion);
/* A code object: "1: RESUME; LOAD; CALL; 2: RETURN_VALUE", each instruction
 * with an argument where it needs one, "N:" the line from there on.  CALL has 3
 * caches, SEND and FOR_ITER 1; `guards` ends with an `end` of 0. */
uint32_t flow_code(struct flow *, const char *text, const struct guard *guards);
/* The same from bytes. */
uint32_t flow_bytes(struct flow *, struct pt_str bytecode,
                    struct pt_str exctable);
/* Closes the trace and opens it for reading; an empty walk. */
void flow_ready(struct flow *);
const struct pt_graph *flow_graph(struct flow *, uint32_t code);
void flow_end(struct flow *);

/* One event; what ran before it, as "2 L5 4" (instructions by offset, lines),
 * "lost", or "desync REASON".  Valid until the next call. */
const char *flow_step(struct flow *, struct pt_event);
/* A chunk with this keyframe begins: "" or "desync REASON". */
const char *flow_sync(struct flow *, const struct pt_frame *, size_t depth);

/* Where the frames stand, as keyframes have it (spec/format.md 6.3). */
struct stand {
    struct pt_frame frames[64];
    size_t depth;
};
/* Follows one event. */
void stand_step(struct stand *, const struct pt_event *);

/* Shorthands; offsets in bytes, -1 where there is none. */
struct pt_event fl_call(uint32_t code, int caller);
struct pt_event fl_resume(uint32_t code, int caller, uint32_t dst);
struct pt_event fl_throw(uint32_t code, int caller, uint32_t dst);
struct pt_event fl_branch(uint32_t off, uint32_t dst);
struct pt_event fl_jump(uint32_t off, uint32_t dst);
struct pt_event fl_raise(uint32_t off, uint32_t last, uint64_t how);
struct pt_event fl_at(uint8_t kind, uint32_t off); /* handled, yield, c_call */
struct pt_event fl_end(uint8_t kind);              /* return, unwind */

#endif
