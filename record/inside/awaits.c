#include "awaits.h"
#include "peek.h"

#include <string.h>

/* Where a coroutine of asyncio keeps what it waits for: its first argument, or
 * an attribute of that. */
static const struct place {
    const char *module, *function;
    bool attribute; /* `_tasks` of the first argument */
} places[] = {
    {"asyncio.taskgroups", "TaskGroup.__aexit__", true},
    {"asyncio.taskgroups", "TaskGroup._aexit", true},
    {"asyncio.tasks", "_wait", false},
    {"asyncio.tasks", "wait_for", false},
    {"asyncio.tasks", "_cancel_and_wait", false},
};

static struct {
    PyObject *coro, *children, *tasks, *awaits, *name;
} names;

typedef void teller(PyObject *);

/* Futures have no coroutine. */
static bool
is_task(PyObject *o)
{
    PyObject *coroutine = pt_peek(o, names.coro); /* owned */
    Py_XDECREF(coroutine);
    return coroutine != NULL;
}

static void
tell_one(PyObject *o, teller *tell)
{
    if (is_task(o))
        tell(o);
}

static void
tell_all(PyObject *o, teller *tell)
{
    if (o == NULL)
        return;
    if (PyList_Check(o)) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); i++)
            tell_one(PyList_GET_ITEM(o, i), tell);
    } else if (PyAnySet_Check(o)) {
        Py_ssize_t at = 0;
        PyObject *item; /* borrowed */
        Py_hash_t hash;
        while (_PySet_NextEntry(o, &at, &item, &hash))
            tell_one(item, tell);
    } else {
        tell_one(o, tell);
    }
}

/* The coroutine in which the outermost one is suspended; owned. */
static PyObject *
innermost(PyObject *coroutine)
{
    Py_INCREF(coroutine);
    for (;;) {
        PyObject *in = PyCoro_CheckExact(coroutine)
                           ? pt_peek(coroutine, names.awaits)
                           : NULL; /* owned */
        if (in == NULL || !PyCoro_CheckExact(in)) {
            Py_XDECREF(in);
            return coroutine;
        }
        Py_DECREF(coroutine);
        coroutine = in;
    }
}

static const struct place *
place_of(PyObject *coroutine)
{
    const PyCodeObject *co = pt_peek_code(coroutine);
    const struct place *end = places + sizeof places / sizeof *places;
    for (const struct place *p = places; co != NULL && p < end; p++) {
        if (!pt_peek_is(co->co_qualname, p->function))
            continue;
        PyObject *globals =
            pt_compat_generator_frame((PyGenObject *)coroutine)->f_globals;
        PyObject *module = PyDict_CheckExact(globals)
                               ? PyDict_GetItemWithError(globals, names.name)
                               : NULL; /* borrowed */
        PyErr_Clear();
        if (pt_peek_is(module, p->module))
            return p;
    }
    return NULL;
}

static void
tell_kept(PyObject *coroutine, teller *tell)
{
    const struct place *p = place_of(coroutine);
    PyObject *first = p != NULL ? pt_peek_argument(coroutine) : NULL;
    if (first == NULL)
        return;
    if (!p->attribute) {
        tell_all(first, tell);
        return;
    }
    PyObject *kept = pt_peek(first, names.tasks); /* owned */
    tell_all(kept, tell);
    Py_XDECREF(kept);
}

void
pt_awaits(PyObject *waiter, PyObject *coroutine, teller *tell)
{
    if (is_task(waiter)) {
        tell(waiter);
        return;
    }
    PyObject *children = pt_peek(waiter, names.children); /* owned: gather's */
    if (children != NULL) {
        tell_all(children, tell);
        Py_DECREF(children);
    } else if (coroutine != NULL && PyCoro_CheckExact(coroutine)) {
        PyObject *inner = innermost(coroutine); /* owned */
        tell_kept(inner, tell);
        Py_DECREF(inner);
    }
}

bool
pt_awaits_init(void)
{
    names.coro = PyUnicode_InternFromString("_coro");
    names.children = PyUnicode_InternFromString("_children");
    names.tasks = PyUnicode_InternFromString("_tasks");
    names.awaits = PyUnicode_InternFromString("cr_await");
    names.name = PyUnicode_InternFromString("__name__");
    return names.coro != NULL && names.children != NULL &&
           names.tasks != NULL && names.awaits != NULL && names.name != NULL;
}
