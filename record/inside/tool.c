#include "tool.h"

#if PT_HAVE_MONITORING
#include "builtin.h"
#include "wrap.h"

enum { TOOLS = 6 };

static int tool = -1;

long
pt_tool_event(PyObject *events, const char *name)
{
    PyObject *o = PyObject_GetAttrString(events, name); /* owned */
    long bit = o != NULL ? PyLong_AsLong(o) : -1;
    Py_XDECREF(o);
    PyErr_Clear();
    return bit;
}

/* --- what other tools are told of us ---------------------------------------
 */

static PyObject *get_events(PyObject *, PyObject *);
static PyObject *all_events(PyObject *, PyObject *);
static struct pt_wrap wrap_get_events = {"sys.monitoring", "get_events",
                                         get_events, NULL};
static struct pt_wrap wrap_all_events = {"sys.monitoring", "_all_events",
                                         all_events, NULL};

static PyObject *
get_events(PyObject *monitoring, PyObject *id)
{
    PyObject *bits = wrap_get_events.original(monitoring, id); /* owned */
    if (bits != NULL && PyLong_AsLong(id) == tool)
        Py_SETREF(bits, PyLong_FromLong(0));
    return bits;
}

/* {event's name: a bit for each tool}: what a tool asks before it begins,
 * CPython's own tests too. */
static PyObject *
all_events(PyObject *monitoring, PyObject *unused)
{
    PyObject *all = wrap_all_events.original(monitoring, unused); /* owned */
    PyObject *others = all != NULL ? PyDict_New() : NULL;         /* owned */
    PyObject *name, *tools;                                       /* borrowed */
    Py_ssize_t at = 0;
    while (others != NULL && PyDict_Next(all, &at, &name, &tools)) {
        long left = PyLong_AsLong(tools) & ~(1L << tool);
        PyObject *bits = left != 0 ? PyLong_FromLong(left) : NULL; /* owned */
        if (left != 0 &&
            (bits == NULL || PyDict_SetItem(others, name, bits) < 0))
            Py_CLEAR(others);
        Py_XDECREF(bits);
    }
    Py_XDECREF(all);
    return others;
}

/* --- the end of a tool's own set_events() -----------------------------------
 */

/* set_events(id, CALL) is itself a call, instrumented because of us: without us
 * the tool would not hear of its end.  So its first C_RETURN goes to a callback
 * of ours, which puts the tool's back and keeps this one from it. */
static struct ending {
    struct pt_builtin builtin;
    PyObject *callback; /* owned, the tool's; NULL while it is in place */
} endings[TOOLS];

static struct {
    PyObject *monitoring, *set_events; /* owned, for good */
    long call, c_return;
} told;

typedef PyObject *fastcall(PyObject *, PyObject *const *, Py_ssize_t);
static PyObject *set_events(PyObject *, PyObject *const *, Py_ssize_t);
static struct pt_wrap wrap_set_events = {
    "sys.monitoring", "set_events", (PyCFunction)(void (*)(void))set_events,
    NULL};

/* Returns the callback until then, owned, or NULL. */
static PyObject *
exchange(long id, PyObject *callback)
{
    PyObject *r = PyObject_CallMethod(told.monitoring, "register_callback",
                                      "llO", id, told.c_return, callback);
    PyErr_Clear();
    return r;
}

static PyObject *
on_ending(PyObject *self, PyObject *const *a, size_t n, PyObject *kw)
{
    struct ending *e =
        (struct ending *)(void *)((char *)self -
                                  offsetof(struct ending, builtin.function));
    PyObject *callback = e->callback; /* owned */
    e->callback = NULL;
    if (callback == NULL) /* another thread is here */
        Py_RETURN_NONE;
    Py_XDECREF(exchange(e - endings, callback));
    if (callback == Py_None ||
        (PyVectorcall_NARGS(n) > 2 && a[2] == told.set_events)) {
        Py_DECREF(callback);
        Py_RETURN_NONE;
    }
    PyObject *r = PyObject_Vectorcall(callback, a, n, kw);
    Py_DECREF(callback);
    return r;
}

static bool
has_call(PyObject *id)
{
    PyObject *bits = wrap_get_events.original(told.monitoring, id); /* owned */
    bool has = bits != NULL && (PyLong_AsLong(bits) & told.call) != 0;
    Py_XDECREF(bits);
    PyErr_Clear();
    return has;
}

static PyObject *
set_events(PyObject *monitoring, PyObject *const *a, Py_ssize_t n)
{
    fastcall *original = (fastcall *)(void (*)(void))wrap_set_events.original;
    int big = 0;
    long id = n == 2 && PyLong_Check(a[0])
                  ? PyLong_AsLongAndOverflow(a[0], &big)
                  : -1;
    bool other = id >= 0 && id < TOOLS && id != tool;
    bool had = other && has_call(a[0]);
    PyObject *r = original(monitoring, a, n);
    if (r == NULL || !other || had || !has_call(a[0]))
        return r;
    struct ending *e = &endings[id];
    PyObject *ours = (PyObject *)&e->builtin.function;
    PyObject *before = exchange(id, ours); /* owned */
    if (before == ours)
        Py_DECREF(before);
    else
        Py_XSETREF(e->callback, before);
    return r;
}

static void
keep_ends_back(PyObject *monitoring)
{
    PyObject *events = PyObject_GetAttrString(monitoring, "events"); /* owned */
    told.monitoring = Py_NewRef(monitoring);
    told.set_events = PyObject_GetAttrString(monitoring, "set_events");
    if (events != NULL && told.set_events != NULL) {
        told.call = pt_tool_event(events, "CALL");
        told.c_return = pt_tool_event(events, "C_RETURN");
        for (size_t i = 0; i < TOOLS; i++)
            pt_builtin_init(&endings[i].builtin, on_ending);
        pt_wrap_within(&wrap_set_events, monitoring);
    }
    Py_XDECREF(events);
    PyErr_Clear();
}

/* 5 first: nobody is known to use what is meant for optimizers, and CPython
 * asks tools from the highest id down, so that one that raises cannot keep an
 * event from us.  4 and 3 have no meaning, 1 is least used with others. */
int
pt_tool_take(PyObject *monitoring, bool calls)
{
    static const int order[TOOLS] = {5, 4, 3, 1, 0, 2};
    for (size_t i = 0; i < TOOLS && tool < 0; i++) {
        PyObject *r = PyObject_CallMethod(monitoring, "use_tool_id", "is",
                                          order[i], "ptrec"); /* owned */
        if (r != NULL)
            tool = order[i];
        Py_XDECREF(r);
        PyErr_Clear();
    }
    if (tool < 0)
        return -1;
    pt_wrap_within(&wrap_get_events, monitoring);
    pt_wrap_within(&wrap_all_events, monitoring);
    if (calls)
        keep_ends_back(monitoring);
    return tool;
}

#endif
