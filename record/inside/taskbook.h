/* The tasks that are known, by object, and what is told of them.  A task is
 * defined when it is told of for the first time; a forked process defines those
 * that go on in it anew.
 * Thread rule: needs the GIL.  Objects are borrowed.  With an exception set,
 * nothing here may be called. */
#ifndef PT_INSIDE_TASKBOOK_H
#define PT_INSIDE_TASKBOOK_H

#include "compat.h"

#include <pt/event.h>

/* Interns the names of attributes; false without memory. */
bool pt_taskbook_init(void);

/* A new task has that address. */
void pt_task_forget(const PyObject *task);
/* The id of one that has begun to exist, 0 where it cannot be told of. */
uint32_t pt_task_id(PyObject *task);
/* The same of one that is only about to: its coroutine, and its name or NULL.
 */
uint32_t pt_task_new(PyObject *task, PyObject *coroutine, PyObject *name);
/* It is called that from now on; nothing where it was not told of. */
void pt_task_rename(PyObject *task, PyObject *name);

/* Tells what became of a task; nothing where the id is 0. */
void pt_task_tell(uint32_t id, enum pt_task_act);

/* The step that is under way in this thread; returns the one before. */
struct pt_task_step {
    uint64_t process; /* its number; an id is valid in one */
    uint32_t id;
};
struct pt_task_step pt_task_enter(uint32_t id);
void pt_task_leave(struct pt_task_step before);

/* Tells how a step of the task has ended, and what it waits for.  Returns what
 * that is, an object of the task's own (borrowed), or NULL. */
PyObject *pt_task_stop(PyObject *task);

#endif
