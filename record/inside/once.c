#include "once.h"

#if PT_HAVE_MONITORING
#include "callback.h"
#include "gate.h"
#include "outcomes.h"
#include "tool.h"

#include <string.h>

static struct {
    PyObject *disable;             /* sys.monitoring.DISABLE */
    PyObject *set_local_events;    /* all owned, for good */
    PyObject *tool, *instructions; /* small integers, immortal */
} once;

static inline PyCodeObject *
code(PyObject *const *a)
{
    return (PyCodeObject *)a[0];
}

static inline uint32_t
here(void)
{
    return pt_compat_frame_off(pt_compat_current(pt_compat_tstate()));
}

/* Of code objects only: no rule that depends on the stack goes with this. */
static inline bool
left_out(PyCodeObject *co)
{
    return pt_gate.filtered && pt_gate_never(co);
}

/* Where the thread has no room it is its own gap: the event must not be
 * switched off for what was not told, so this waits for room. */
static void
tell_branch(uint32_t id, uint32_t off, uint32_t dst)
{
    pt_emit(PT_UNTIMED(PT_W_BRANCH_IN, 3), id, off, dst, 0, 0);
}

/* Where nobody asks for it, 3.13 does not tell the line that a class or a
 * generator expression begins with (spec/cpython.md). */
CALLBACK(on_start)
{
    return once.disable;
}

#if PT_OUTCOMES_BY_BRANCH

/* The instruction at `off` runs: the way of a branch that is watched there. */
static void
reach(PyCodeObject *co, uint32_t off)
{
    uint32_t id, branch;
    struct pt_outcomes *o = pt_code_known(co, &id) ? pt_outcomes_of(id) : NULL;
    if (o != NULL && pt_outcomes_reached(o, off, &branch))
        tell_branch(id, branch, off);
}

CALLBACK(on_instruction)
{
    reach(code(a), pt_compat_small(a[1]));
    return once.disable;
}

static struct pt_outcomes *
begin_outcomes(PyCodeObject *co, uint32_t id)
{
    PyObject *bytes = PyCode_GetCode(co); /* owned */
    struct pt_outcomes *o = NULL;
    if (bytes != NULL)
        o = pt_outcomes_new(
            id, (const unsigned char *)PyBytes_AS_STRING(bytes),
            (size_t)PyBytes_GET_SIZE(bytes),
            (const unsigned char *)PyBytes_AS_STRING(co->co_exceptiontable),
            (size_t)PyBytes_GET_SIZE(co->co_exceptiontable));
    Py_XDECREF(bytes);
    PyErr_Clear();
    return o;
}

static bool
watch(PyCodeObject *co)
{
    PyObject *args[] = {once.tool, (PyObject *)co, once.instructions};
    PyObject *r = PyObject_Vectorcall(once.set_local_events, args, 3, NULL);
    Py_XDECREF(r);
    PyErr_Clear();
    return r != NULL;
}

static __attribute__((noinline)) PyObject *
first_branch(PyObject *const *a)
{
    if (left_out(code(a)))
        return once.disable;
    uint32_t id = pt_code_id(code(a));
    struct pt_outcomes *o = begin_outcomes(code(a), id);
    uint32_t off = pt_compat_small(a[1]), dst = pt_compat_small(a[2]);
    tell_branch(id, off, dst);
    if (o != NULL)
        pt_outcomes_branch(o, off, dst);
    Py_RETURN_NONE;
}

/* The way was not seen, or an event is to be switched off. */
static __attribute__((noinline)) PyObject *
turn(PyObject *const *a, uint32_t id, struct pt_outcomes *o,
     enum pt_outcome way)
{
    uint32_t off = pt_compat_small(a[1]);
    if (way == PT_OUTCOME_NEW || way == PT_OUTCOME_LAST)
        tell_branch(id, off, pt_compat_small(a[2]));
    if (way == PT_OUTCOME_WATCH && !watch(code(a))) {
        pt_outcomes_keep(o, off);
        Py_RETURN_NONE;
    }
    if (way == PT_OUTCOME_NEW)
        Py_RETURN_NONE;
    return once.disable;
}

CALLBACK(on_branch)
{
    uint32_t id;
    struct pt_outcomes *o =
        pt_code_known(code(a), &id) ? pt_outcomes_of(id) : NULL;
    if (PT_UNLIKELY(o == NULL))
        return first_branch(a);
    enum pt_outcome way =
        pt_outcomes_branch(o, pt_compat_small(a[1]), pt_compat_small(a[2]));
    if (PT_LIKELY(way == PT_OUTCOME_SEEN))
        Py_RETURN_NONE;
    return turn(a, id, o, way);
}

#else

static void
reach(PyCodeObject *co, uint32_t off)
{
}

/* Each way has an event of its own, at the place that flow.c tells of. */
CALLBACK(on_branch)
{
    if (!left_out(code(a)))
        tell_branch(pt_code_id(code(a)), here(), pt_compat_small(a[2]));
    return once.disable;
}

#endif

/* Where LINE is told of an instruction, CPython does not tell INSTRUCTION of it
 * as well that time (3.12, 3.13). */
CALLBACK(on_line)
{
    if (left_out(code(a)))
        return once.disable;
    uint32_t off = here();
    pt_emit(PT_UNTIMED(PT_W_LINE_IN, 2), pt_code_id(code(a)), off, 0, 0, 0);
    reach(code(a), off);
    return once.disable;
}

struct answer {
    const char *event;
    vectorcallfunc call;
    bool everywhere;
};

static const struct answer *
find(const char *event)
{
    static const struct answer table[] = {
        {"PY_START", on_start, true},
        {"LINE", on_line, true},
#if PT_OUTCOMES_BY_BRANCH
        {"BRANCH", on_branch, true},
        {"INSTRUCTION", on_instruction, false},
#else
        {"BRANCH_LEFT", on_branch, true},
        {"BRANCH_RIGHT", on_branch, true},
#endif
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].event, event) == 0)
            return &table[i];
    return NULL;
}

vectorcallfunc
pt_once_callback(const char *event)
{
    const struct answer *a = find(event);
    return a != NULL ? a->call : NULL;
}

bool
pt_once_everywhere(const char *event)
{
    const struct answer *a = find(event);
    return a != NULL && a->everywhere;
}

bool
pt_once_init(PyObject *monitoring, PyObject *events, int tool)
{
    once.disable = PyObject_GetAttrString(monitoring, "DISABLE");
    once.set_local_events =
        PyObject_GetAttrString(monitoring, "set_local_events");
    once.tool = PyLong_FromLong(tool);
    once.instructions = PyLong_FromLong(pt_tool_event(events, "INSTRUCTION"));
    return once.disable != NULL && once.set_local_events != NULL &&
           once.tool != NULL && once.instructions != NULL;
}

#endif
