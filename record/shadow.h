/* A thread's running stack as the collector follows it from the records, and
 * a copy of it as of the current block's start: the block's keyframe.
 *
 * `seq` of a frame entered in the current block is PT_SEQ_PENDING plus the
 * event's index in the block, until the block is written and its first number
 * known.  `time` is in quanta since the clock's origin (INT64_MIN unknown)
 * until the keyframe is made.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_SHADOW_H
#define PT_RECORD_SHADOW_H

#include "record/clock.h"

#include <pt/log.h>

#define PT_SEQ_PENDING (UINT64_C(1) << 63)
enum { PT_SHADOW_LIMIT = 1 << 20 }; /* frames; no keyframe holds more */

struct pt_shadow {
    /* base[0] stands for "no frame", so that a top is always there. */
    struct pt_frame *base, *top, *end;
    struct pt_frame *key;
    size_t key_depth, key_capacity;
};

enum pt_status pt_shadow_init(struct pt_shadow *);
void pt_shadow_clear(struct pt_shadow *);

static inline size_t
pt_shadow_depth(const struct pt_shadow *s)
{
    return (size_t)(s->top - s->base);
}

/* Makes room for one more frame; PT_ELIMIT at PT_SHADOW_LIMIT. */
enum pt_status pt_shadow_grow(struct pt_shadow *);

/* Forgets the stack and the keyframe: it is about to be told anew. */
void pt_shadow_reset(struct pt_shadow *);

/* A frame that was on the stack before the block began. */
enum pt_status pt_shadow_tell(struct pt_shadow *, const struct pt_frame *);

/* The keyframe as the log wants it, borrowed until the next call; its depth
 * is key_depth.  Turns quanta into ns, so once a block. */
const struct pt_frame *pt_shadow_keyframe(struct pt_shadow *,
                                          const struct pt_timebase *);

/* The block was written, its first event is number `seq`: settles pending
 * numbers and keeps the stack as the next block's keyframe. */
enum pt_status pt_shadow_settle(struct pt_shadow *, uint64_t seq);

#endif
