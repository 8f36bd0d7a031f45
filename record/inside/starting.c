#include "starting.h"

#if PT_HAVE_MONITORING
#include "gate.h"
#include "objects.h"

static struct {
    PyObject *set_local_events, *disable; /* owned, for good */
    PyObject *tool, *local;               /* owned, for good */
    void (*begin)(void);
} starting;

static inline PyCodeObject *
code(PyObject *const *a)
{
    return (PyCodeObject *)a[0];
}

static void
begin(void)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    pt_gate.waiting = false;
    pt_producer.midway = true;
    starting.begin();
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
}

static PyObject *
again(PyObject *self, PyObject *const *a, size_t n, PyObject *kw)
{
    return pt_callback_of(self)->builtin.function.vectorcall(self, a, n, kw);
}

CALLBACK(on_start)
{
    uint32_t traits = pt_code_traits(code(a));
    if (traits & PT_CODE_STARTS) {
        begin();
        return again(self, a, n, kw);
    }
    if (traits & PT_CODE_LINES) {
        PyObject *args[] = {starting.tool, a[0], starting.local};
        Py_XDECREF(
            PyObject_Vectorcall(starting.set_local_events, args, 3, NULL));
        PyErr_Clear();
    }
    return starting.disable;
}

/* The stack is told at once: the line's first instruction comes next. */
CALLBACK(on_line)
{
    if (!pt_choose_line(code(a), pt_compat_small(a[1])))
        return starting.disable;
    begin();
    pt_lane_slow(PT_TIME_BYTES, PT_W_LINE);
    return again(self, a, n, kw);
}

CALLBACK(on_other)
{
    Py_RETURN_NONE;
}

CALLBACK(on_line_later)
{
    return starting.disable;
}

vectorcallfunc
pt_starting(enum pt_kind kind)
{
    return kind == PT_CALL ? on_start : kind == PT_LINE ? on_line : on_other;
}

vectorcallfunc
pt_starting_over(void)
{
    return on_line_later;
}

bool
pt_starting_init(PyObject *monitoring, int tool, long local, void (*when)(void))
{
    starting.set_local_events =
        PyObject_GetAttrString(monitoring, "set_local_events");
    starting.disable = PyObject_GetAttrString(monitoring, "DISABLE");
    starting.tool = PyLong_FromLong(tool);
    starting.local = PyLong_FromLong(local);
    starting.begin = when;
    return starting.set_local_events != NULL && starting.disable != NULL &&
           starting.tool != NULL && starting.local != NULL;
}

#endif
