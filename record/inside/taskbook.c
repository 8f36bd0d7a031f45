/* What is said of the task at an address holds until it ends, or another is
 * made there. */
#include "taskbook.h"
#include "addresses.h"
#include "awaits.h"
#include "objects.h"
#include "peek.h"
#include "text.h"

#include <stdlib.h>

struct task {
    const PyObject *object;
    uint64_t process; /* where the id is valid */
    uint32_t id;      /* 0 none */
};

static struct pt_addresses tasks;
static uint32_t last; /* id given */

static struct {
    PyObject *coro, *name, *state, *exception, *waiter, *get_name;
} names;

static _Thread_local struct pt_task_step running;

/* The thread's lane is there from now on, and with it, in a forked process, the
 * number of the process. */
static void
join(void)
{
    const struct pt_lane *l = pt_lane;
    if (l == NULL || l->limit == 0)
        pt_lane_slow(PT_TIME_BYTES, PT_W_TASK);
}

/* --- definitions -----------------------------------------------------------
 */

static bool
send(uint32_t type, uint32_t id, const uint32_t *about, PyObject *name)
{
    struct pt_def d = {0};
    pt_def_begin(&d, type, id);
    for (int i = 0; about != NULL && i < 2; i++)
        pt_def_u32(&d, about[i]);
    pt_def_text(&d, name);
    bool sent = pt_def_commit(&d);
    free(d.data);
    return sent;
}

static uint32_t
define(PyObject *task, PyObject *coroutine, PyObject *name)
{
    PyCodeObject *code = coroutine != NULL ? pt_peek_code(coroutine) : NULL;
    uint32_t id = last + 1;
    if (id >= PT_LOCAL_IDS)
        return 0;
    const uint32_t about[] = {running.process == pt_producer.number ? running.id
                                                                    : 0,
                              code != NULL ? pt_code_id(code) : 0};
    if (!send(PT_M_TASK, id, about, name))
        return 0;
    last = id;
    struct task *t = pt_addresses_meet(&tasks, sizeof *t, task);
    if (t != NULL)
        *t = (struct task){task, pt_producer.number, id};
    return id;
}

static uint32_t
known(const PyObject *task)
{
    const struct task *t = pt_addresses_find(&tasks, sizeof *t, task);
    return t != NULL && t->process == pt_producer.number ? t->id : 0;
}

/* By asyncio's own method where it is in C: the name may be a number until it
 * is asked for. */
static PyObject *
name_of(PyObject *task)
{
    PyObject *get = _PyType_Lookup(Py_TYPE(task), names.get_name);
    if (get != NULL && Py_IS_TYPE(get, &PyMethodDescr_Type)) {
        const PyMethodDef *d = ((PyMethodDescrObject *)get)->d_method;
        PyObject *name =
            d->ml_flags == METH_NOARGS ? d->ml_meth(task, NULL) : NULL;
        PyErr_Clear();
        return name;
    }
    return pt_peek(task, names.name);
}

void
pt_task_forget(const PyObject *task)
{
    struct task *t = pt_addresses_find(&tasks, sizeof *t, task);
    if (t != NULL)
        t->id = 0;
}

uint32_t
pt_task_id(PyObject *task)
{
    join();
    uint32_t id = known(task);
    if (id != 0)
        return id;
    PyObject *coroutine = pt_peek(task, names.coro); /* owned */
    PyObject *name = name_of(task);                  /* owned */
    id = define(task, coroutine, name);
    Py_XDECREF(coroutine);
    Py_XDECREF(name);
    return id;
}

uint32_t
pt_task_new(PyObject *task, PyObject *coroutine, PyObject *name)
{
    join();
    return define(task, coroutine, name);
}

void
pt_task_rename(PyObject *task, PyObject *name)
{
    PyObject *asked = name == NULL ? name_of(task) : NULL; /* owned */
    uint32_t id = known(task);
    if (id != 0)
        send(PT_M_TASK_NAME, id, NULL, asked != NULL ? asked : name);
    Py_XDECREF(asked);
}

/* --- events ----------------------------------------------------------------
 */

void
pt_task_tell(uint32_t id, enum pt_task_act act)
{
    if (id != 0)
        pt_emit(PT_TIMED(PT_W_TASK, 2), id, (uint32_t)act, 0, 0, 0);
}

struct pt_task_step
pt_task_enter(uint32_t id)
{
    struct pt_task_step before = running;
    running = (struct pt_task_step){pt_producer.number, id};
    return before;
}

void
pt_task_leave(struct pt_task_step before)
{
    running = before;
}

static enum pt_task_act
act_of(PyObject *task)
{
    PyObject *state = pt_peek(task, names.state); /* owned */
    enum pt_task_act act = PT_TASK_WAITS;
    if (pt_peek_is(state, "CANCELLED"))
        act = PT_TASK_CANCELLED;
    else if (pt_peek_is(state, "FINISHED")) {
        PyObject *e = pt_peek(task, names.exception); /* owned */
        act = e != NULL && e != Py_None ? PT_TASK_RAISED : PT_TASK_RETURNED;
        Py_XDECREF(e);
    }
    Py_XDECREF(state);
    return act;
}

static void
tell_awaited(PyObject *task)
{
    PyObject *state = pt_peek(task, names.state); /* owned */
    if (pt_peek_is(state, "PENDING"))
        pt_task_tell(pt_task_id(task), PT_TASK_AWAITS);
    Py_XDECREF(state);
}

PyObject *
pt_task_stop(PyObject *task)
{
    enum pt_task_act act = act_of(task);
    uint32_t id = pt_task_id(task);
    PyObject *waiter = NULL;
    if (act == PT_TASK_WAITS)
        waiter = pt_peek(task, names.waiter); /* owned */
    if (waiter != NULL && waiter != Py_None) {
        PyObject *coroutine = pt_peek(task, names.coro); /* owned */
        pt_awaits(waiter, coroutine, tell_awaited);
        Py_XDECREF(coroutine);
    }
    pt_task_tell(id, act);
    if (act != PT_TASK_WAITS)
        pt_task_forget(task);
    Py_XDECREF(waiter); /* the task holds it */
    return waiter;
}

bool
pt_taskbook_init(void)
{
    names.coro = PyUnicode_InternFromString("_coro");
    names.name = PyUnicode_InternFromString("_name");
    names.state = PyUnicode_InternFromString("_state");
    names.exception = PyUnicode_InternFromString("_exception");
    names.waiter = PyUnicode_InternFromString("_fut_waiter");
    names.get_name = PyUnicode_InternFromString("get_name");
    return names.coro != NULL && names.name != NULL && names.state != NULL &&
           names.exception != NULL && names.waiter != NULL &&
           names.get_name != NULL && pt_awaits_init();
}
