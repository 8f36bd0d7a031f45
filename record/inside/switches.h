/* The stacks of a thread's greenlets, by number, and telling which of them runs
 * (PT_W_SWITCH).
 * Thread rule: needs the GIL; each call is about the calling thread. */
#ifndef PT_INSIDE_SWITCHES_H
#define PT_INSIDE_SWITCHES_H

#include "compat.h"

/* Once; false where the system refuses. */
bool pt_switches_init(void);

/* The thread has switched from greenlet `origin`, which has `ended`, to
 * `target`, whose frames are the thread's by now. */
void pt_switches_tell(const PyObject *origin, const PyObject *target,
                      bool ended);

/* Which greenlet runs, as it was told. */
struct pt_switches_mark {
    const PyObject *running;
    uint64_t birth; /* of the lane; 0: none yet */
    uint32_t stack, id;
};
struct pt_switches_mark pt_switches_mark(void);

/* The greenlet that ran at that mark runs again: is that known? */
void pt_switches_back(struct pt_switches_mark);

#endif
