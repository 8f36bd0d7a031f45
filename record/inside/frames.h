/* Frames that can be suspended, and the stack as it is.
 *
 * A generator's or coroutine's frame lies inside its object from its start to
 * its end, so its address tells it from every other live one; a key, given at
 * the start and never again, tells it from those that come later.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_FRAMES_H
#define PT_INSIDE_FRAMES_H

#include "compat.h"
#include "producer.h"

#define PT_SUSPENDABLE (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)

/* A fresh key for the frame that starts; 0 when memory is short. */
uint64_t pt_key_new(const pt_pyframe *frame);
/* The key of a frame that goes on; a fresh one when it is not known. */
uint64_t pt_key_find(const pt_pyframe *frame);

/* Whether a generator's frame only hands a throw() on: one that runs has its
 * exception state among those of the calling thread. */
bool pt_frame_suspended(const pt_pyframe *frame);

/* Whether it is one of those that a stack is told with: it runs Python code,
 * and is recorded. */
bool pt_frame_told(const pt_pyframe *frame);

/* Emits PT_W_FRAME records for the calling thread's stack, outermost first, as
 * it is before a record of kind `next`.  A pt_stack_teller. */
void pt_frames_tell(unsigned next);

/* Tells, by a gap, that a frame of the calling thread has been moved: that it
 * goes on with the instruction at its offset.  What lies above it on the stack
 * is a tracer's, of which nothing is told. */
void pt_frames_tell_moved(const pt_pyframe *);

#endif
