/* The tasks that a suspended task waits for.
 *
 * A task waits for one future.  Where that is a task, the case is clear.  What
 * waits for several, or for one beneath a time limit, makes a future of its own
 * and is woken by callbacks: of asyncio's functions that do so, the tasks are
 * found where they keep them.  Of others nobody can tell.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_AWAITS_H
#define PT_INSIDE_AWAITS_H

#include "compat.h"

/* Interns the names of attributes; false without memory. */
bool pt_awaits_init(void);

/* Calls `tell` with each task (borrowed) that one waits for which is suspended
 * for the future `waiter` in `coroutine`, or NULL. */
void pt_awaits(PyObject *waiter, PyObject *coroutine,
               void (*tell)(PyObject *task));

#endif
