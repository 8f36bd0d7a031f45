/* What the tests of replay and analyzers share: synthetic traces through the
 * public writer, one tick being 1 ns.
 * Thread rule: one thread; Criterion runs each test in a process of its own. */
#ifndef PT_TEST_REPLAY_H
#define PT_TEST_REPLAY_H

#include "tests/unit/test_format.h"

#include <pt/replay.h>

struct synth {
    struct place place;
    struct pt_writer *writer;
    struct pt_block *block;
    uint32_t interpreter, process, thread;
    struct pt_stack stack; /* as replay has it: the next chunk's keyframe */
    struct pt_frame *key;  /* of the block begun */
    size_t key_depth;
    uint64_t seq; /* of the block's first event, if none comes between */
};

/* A trace at place.path with one process and no thread yet. */
void synth_begin(struct synth *);
uint32_t synth_thread(struct synth *, uint32_t tid);
/* A code object called `name`; its line table gives line 1 + offset / 4. */
uint32_t synth_code(struct synth *, const char *name);
uint32_t synth_callable(struct synth *, uint8_t kind, const char *name);
/* Appends an event and follows the stack; a full block is written. */
void synth_event(struct synth *, const struct pt_event *);
/* Writes the block, if there is something in it, with its keyframe. */
void synth_flush(struct synth *);
/* Closes the file and opens it as a trace. */
struct pt_trace *synth_end(struct synth *);
/* Removes the file. */
void synth_clear(struct synth *);

/* Shorthands for the events of the tests; `time` of 0 is none. */
struct pt_event ev_enter(uint8_t kind, int64_t time, uint32_t code,
                         uint64_t key);
struct pt_event ev_plain(uint8_t kind, int64_t time); /* return, c_return ... */
struct pt_event ev_c_call(int64_t time, uint32_t callee);
struct pt_event ev_line(uint32_t line);
struct pt_event ev_at(uint8_t kind, uint32_t off);
struct pt_event ev_gap(int64_t time, uint64_t lost);

/* A number from 0 to n - 1; the same sequence in every run. */
uint32_t dice(uint64_t *state, uint32_t n);

#endif
