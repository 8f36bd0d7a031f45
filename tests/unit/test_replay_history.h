/* What the tests of histories share: the items of a trace as the cursor has
 * them, a history compared with them, and traces made at random.
 * Thread rule: one thread; Criterion runs each test in a process of its own. */
#ifndef PT_TEST_REPLAY_HISTORY_H
#define PT_TEST_REPLAY_HISTORY_H

#include "tests/unit/test_replay_flow.h"

#include <pt/history.h>

/* One item, as both tell it. */
struct item {
    struct pt_event event;
    uint64_t seq, k;
    uint32_t process, thread, index, code, line, off, callee;
    uint64_t entered; /* seq of the frame's call */
    uint64_t stack;   /* hash of the thread's */
    bool timed, walked, framed;
};

struct items {
    struct item *all;
    size_t n, capacity;
};

/* All of a trace's items, or one thread's; the caller frees `all`.  `*whole`
 * (may be NULL) tells whether the cursor came to the end. */
struct items items_of_cursor(const struct pt_trace *, uint32_t thread,
                             bool *whole);
/* The item that a history is at. */
struct item item_here(struct pt_history *);
void expect_same(const struct item *want, const struct item *got,
                 const char *where);
/* `cache` in bytes; 0: the default. */
struct pt_history *open_history(const struct pt_trace *, uint32_t thread,
                                uint64_t cache);
/* All items of a grain forwards, then all backwards. */
void expect_both_ways(struct pt_history *, const struct items *, enum pt_grain,
                      const char *where);
/* All of it, with the least cache and with enough: both ways, at random, and
 * every thread's stack. */
void expect_history(const struct pt_trace *, uint32_t thread,
                    const char *where);
/* Whatever the file says, going back is the reverse of going on, and what the
 * cursor can read is what the history has. */
void expect_damaged(const struct pt_trace *, const char *where);
/* Searches for the first `lines` lines of code object `code` and for its calls,
 * and for those of the next one, against the list. */
void expect_searches(const struct pt_trace *, uint32_t code, uint32_t lines);

/* From now on the trace is one that was recorded without flow. */
void without_flow(const struct pt_trace *);
/* Threads that take turns, `events` each, in chunks of random length. */
struct pt_trace *make_threads(struct synth *, uint32_t threads, uint32_t events,
                              uint32_t chunk);
/* ... that loop and call themselves in a flow trace, where in `damage` of a
 * hundred turns something does not fit or is missing.  The code object. */
uint32_t make_flow(struct flow *, uint32_t threads, uint32_t turns,
                   uint32_t damage);

#endif
