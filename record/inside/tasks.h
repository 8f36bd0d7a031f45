/* Tasks of asyncio: which of them runs is told whenever that changes.
 *
 * The accelerator module _asyncio runs the steps of tasks in C, from what it
 * gives to the loop to call, so nothing of it can be seen from outside.  Where
 * a step begins is wrapped in the module itself:
 *
 *   a task's first step, and after a bare yield   TaskStepMethWrapper.__call__
 *   its next, when what it waited for is done     task_wakeup, found at the
 * first wait that is seen the first of an eager task                    within
 * Task.__init__ of a task that is written in Python           _enter_task,
 * _leave_task
 *
 * So nothing is paid where no task runs, and the loop may be any.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_TASKS_H
#define PT_INSIDE_TASKS_H

#include "compat.h"

/* Once, when the hooks are on. */
void pt_tasks_start(void);

#endif
