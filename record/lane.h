/* One thread's way into the log: its pending block of events, its stack, and
 * what is written when either begins or ends.
 *
 * A lane serves one slot of an arena and, one after the other, the threads
 * that use the slot.
 *
 *   idle --begin--> running --end--> idle
 *                   running --(block full)--> flush --> running
 *                   running --gap--> flush, stack forgotten --> running
 *
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_LANE_H
#define PT_RECORD_LANE_H

#include "record/clock.h"
#include "record/shadow.h"
#include "record/told.h"

#include <pt/writer.h>

/* Events at which a block is written, at most.  One of the tests is built with
 * a tiny number, so that chunks end everywhere. */
#ifndef PT_BLOCK_MOST
#define PT_BLOCK_MOST PT_BLOCK_EVENTS
#endif

enum {
    PT_SPARE_BLOCKS = 8,
    PT_BLOCK_LEAST = 1024,      /* the same, however many threads */
    PT_PENDING_EVENTS = 4 << 20 /* events of all blocks together, about */
};

/* Where all lanes of a recording lead. */
struct pt_journal {
    struct pt_writer *writer;
    const struct pt_timebase *clock;
    uint32_t stamped; /* bit per kind that carries a time; those
                         that are not recorded count as such */
    bool flow;        /* events say where they happen */
    uint32_t live;    /* running lanes */
    uint32_t limit;   /* events at which a block is written */
    uint64_t threads, gaps, lost;
    uint64_t malformed; /* values that were none */
    struct pt_block *spare[PT_SPARE_BLOCKS];
    uint32_t spares;
};

void pt_journal_init(struct pt_journal *, const struct pt_timebase *,
                     uint32_t events, uint32_t stamped, bool flow);
void pt_journal_clear(struct pt_journal *);

struct pt_lane {
    uint64_t tail;   /* bytes of the ring that were taken */
    uint64_t time;   /* of the last event, quanta since the origin */
    uint32_t thread; /* trace-wide id, 0 while idle */
    uint32_t process;
    uint32_t tid;
    uint32_t carrier;         /* of another stack of a thread: that thread */
    uint32_t greenlet;        /* that runs, or has run last; 0 the first */
    struct pt_stacks *stacks; /* record/stacks.h; NULL: only this one */
    bool fresh;               /* the block holds the thread's begin alone */
    bool recent;            /* something was written since pt_tracee_flush() */
    struct pt_block *block; /* NULL while idle, or at rest */
    struct pt_shadow shadow;
    struct pt_told *told;         /* NULL until the first value */
    struct pt_incoming *incoming; /* record/values.h; the slot's own lane's */
};

/* Every call below may return what the writer returned, or PT_ENOMEM. */

/* A thread begins at `time` quanta; one that has not ended yet is ended. */
enum pt_status pt_lane_begin(struct pt_lane *, struct pt_journal *,
                             uint32_t process, uint32_t tid, uint64_t time,
                             struct pt_str name);
/* The thread ends, with all its stacks.  Nothing happens on an idle lane. */
enum pt_status pt_lane_end(struct pt_lane *, struct pt_journal *);
/* Writes the block, if there is one and anything in it. */
enum pt_status pt_lane_flush(struct pt_lane *, struct pt_journal *);
/* `count` events are missing here, UINT64_MAX unknown: says so, writes the
 * block, and forgets the stack, which pt_lane_tell() then builds anew. */
enum pt_status pt_lane_gap(struct pt_lane *, struct pt_journal *,
                           uint64_t count);
/* Writes the block and gives it back: nothing comes for a while.  And takes one
 * again. */
enum pt_status pt_lane_rest(struct pt_lane *, struct pt_journal *);
enum pt_status pt_lane_wake(struct pt_lane *, struct pt_journal *);
/* A frame that is on the stack already, outermost first. */
enum pt_status pt_lane_tell(struct pt_lane *, struct pt_journal *,
                            const struct pt_frame *);
/* Releases everything; pending events are lost. */
void pt_lane_clear(struct pt_lane *, struct pt_journal *);

#endif
