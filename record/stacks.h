/* The stacks of a thread that runs greenlets.
 *
 * A greenlet has a stack of its own, and switching goes from one to another in
 * the middle of both.  So each has a lane of its own, which in the log is a
 * thread whose carrier is the real one: then the events of every stack follow
 * from each other.  The recorder numbers the stacks of a thread from 0, where
 * the thread itself began, and gives the number of a greenlet that has ended
 * to the next one: there are as many lanes as greenlets lived at once.
 *
 *   own lane (stack 0) --.        .-- stack 1: greenlet 1, then greenlet 7
 *                        |  ring  |
 *                        '--------+-- stack 2: greenlet 2
 *
 * Of the lanes that do not run, at most PT_STACKS_WITH_BLOCK keep a block.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_STACKS_H
#define PT_RECORD_STACKS_H

#include "record/lane.h"
#include "record/proto.h"

enum {
    PT_STACKS_WITH_BLOCK = 1024,
    PT_LIVE_LIMIT = 1 << 17 /* threads and greenlets of a recording, at once */
};

struct pt_stacks {
    struct pt_lane **lanes; /* by number; [0] is borrowed: the slot's own */
    uint32_t room;
    uint32_t now;
    /* those that have a block, in the order in which they got it: a ring */
    struct pt_lane *with_block[PT_STACKS_WITH_BLOCK];
    uint32_t first, blocks;
};

/* The lane of the stack that runs; `own` is the slot's. */
static inline struct pt_lane *
pt_stacks_lane(struct pt_lane *own)
{
    return own->stacks ? own->stacks->lanes[own->stacks->now] : own;
}

/* The thread, whose clock now stands at `time` quanta, goes on with greenlet
 * `greenlet` on stack `number`, below PT_STACKS_LIMIT.  With `told` both stacks
 * get their event, else nothing is known of what was in between.  PT_ELIMIT:
 * more of them than a recording can have. */
enum pt_status pt_stacks_switch(struct pt_lane *own, struct pt_journal *,
                                uint32_t number, uint32_t greenlet,
                                uint64_t time, bool told);

/* What is done to the slot's own lane, done to all others. */
enum pt_status pt_stacks_flush(struct pt_lane *own, struct pt_journal *);
enum pt_status pt_stacks_end(struct pt_lane *own, struct pt_journal *);
void pt_stacks_clear(struct pt_lane *own, struct pt_journal *);

#endif
