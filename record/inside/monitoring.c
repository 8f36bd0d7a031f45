/* sys.monitoring (PEP 669): CPython 3.12 and later.
 *
 * Each event has a callback object whose vectorcall is a function of ours: the
 * cheapest call CPython can make.  They are static builtin functions with
 * another vectorcall, so that no new type shows up in the program and the
 * garbage collector does not know them.  Where the recording has filters, a
 * callback of filtered.c comes first.
 *
 *   event               arguments
 *   PY_START PY_RESUME  code, offset
 *   PY_THROW PY_UNWIND RAISE RERAISE EXCEPTION_HANDLED  code, offset, exception
 *   PY_RETURN PY_YIELD  code, offset, value
 *   LINE                code, line
 *   INSTRUCTION         code, offset
 *   BRANCH JUMP         code, offset, destination
 *   BRANCH_LEFT BRANCH_RIGHT  the same: 3.14 and later have these for BRANCH
 *   CALL C_RETURN C_RAISE  code, offset, callable, first argument
 *   STOP_ITERATION      code, offset, exception */
#include "callback.h"
#include "filtered.h"
#include "flow.h"
#include "hooks.h"
#include "once.h"

#if PT_HAVE_MONITORING
#include "frames.h"
#include "gate.h"
#include "objects.h"
#include "starting.h"
#include "tool.h"
#include "values.h"
#include "wrap.h"

#include <stdio.h>
#include <string.h>

static inline PyCodeObject *
code(PyObject *const *a)
{
    return (PyCodeObject *)a[0];
}

PT_TAIL PyObject *
pt_callback_slow(unsigned record, uint32_t a, uint32_t b, uint32_t c,
                 uint32_t d, uint32_t e)
{
    pt_emit_slow(record, a, b, c, d, e);
    Py_RETURN_NONE;
}

/* A record of the frame that runs now, which can be suspended. */
static __attribute__((noinline)) PyObject *
emit_keyed(unsigned word, uint32_t id)
{
    const pt_pyframe *f = pt_compat_current(pt_compat_tstate());
    uint64_t key = word == PT_W_CALL_KEY || !pt_compat_frame_started(f)
                       ? pt_key_new(f)
                       : pt_key_find(f);
    PT_EMIT(PT_TIMED(word, 3), id, (uint32_t)key, (uint32_t)(key >> 32), 0, 0);
}

CODE_CALLBACK(on_start)
{
    if (PT_UNLIKELY(code(a)->co_flags & PT_SUSPENDABLE))
        return emit_keyed(PT_W_CALL_KEY, id);
    PT_EMIT1(PT_W_CALL, id);
}

CODE_CALLBACK(on_resume)
{
    return emit_keyed(PT_W_RESUME, id);
}

CODE_CALLBACK(on_throw)
{
    return emit_keyed(PT_W_THROW, id);
}

CODE_CALLBACK(on_return)
{
    PT_EMIT1(PT_W_RETURN, id);
}

CODE_CALLBACK(on_yield)
{
    PT_EMIT1(PT_W_YIELD, id);
}

CODE_CALLBACK(on_unwind)
{
    PT_EMIT1(PT_W_UNWIND, id);
}

CALLBACK(on_line)
{
    PT_EMIT1(PT_W_LINE, pt_compat_small(a[1]));
}

CALLBACK(on_instruction)
{
    PT_EMIT1(PT_W_INSTRUCTION, pt_compat_small(a[1]));
}

CALLBACK(on_branch)
{
    PT_EMIT2(PT_W_BRANCH, pt_compat_small(a[1]), pt_compat_small(a[2]));
}

CALLBACK(on_jump)
{
    PT_EMIT2(PT_W_JUMP, pt_compat_small(a[1]), pt_compat_small(a[2]));
}

static PyObject *
emit_exception(PyObject *const *a, enum pt_raise how)
{
    PT_EMIT2(PT_W_EXCEPTION, pt_compat_small(a[1]) << 2 | (uint32_t)how,
             pt_type_id(Py_TYPE(a[2])));
}

CALLBACK(on_raise)
{
    return emit_exception(a, PT_RAISED);
}

CALLBACK(on_reraise)
{
    return emit_exception(a, PT_RERAISED);
}

CALLBACK(on_stop_iteration)
{
    return emit_exception(a, PT_STOP_ITERATION);
}

CALLBACK(on_handled)
{
    PT_EMIT1(PT_W_HANDLED, pt_compat_small(a[1]));
}

CALLABLE_CALLBACK(on_c_call)
{
    PT_EMIT1(PT_W_C_CALL, id);
}

CALLBACK(on_c_return)
{
    if (PT_UNLIKELY(!pt_calls_c(a[2])))
        Py_RETURN_NONE;
    PT_EMIT0(PT_W_C_RETURN);
}

CALLBACK(on_c_raise)
{
    if (PT_UNLIKELY(!pt_calls_c(a[2])))
        Py_RETURN_NONE;
    PT_EMIT0(PT_W_C_EXCEPTION);
}

/* `set` is false for events that come with another one and cannot be asked
 * for by themselves. */
static struct hook {
    const char *event;
    vectorcallfunc call;
    enum pt_kind kind;
    bool set;
    struct pt_callback object;
} hooks[] = {
    {"PY_START", on_start, PT_CALL, true},
    {"PY_RESUME", on_resume, PT_RESUME, true},
    {"PY_THROW", on_throw, PT_THROW, true},
    {"PY_RETURN", on_return, PT_RETURN, true},
    {"PY_YIELD", on_yield, PT_YIELD, true},
    {"PY_UNWIND", on_unwind, PT_UNWIND, true},
    {"LINE", on_line, PT_LINE, true},
    {"INSTRUCTION", on_instruction, PT_INSTRUCTION, true},
#if PY_VERSION_HEX >= 0x030E0000
    {"BRANCH_LEFT", on_branch, PT_BRANCH, true},
    {"BRANCH_RIGHT", on_branch, PT_BRANCH, true},
#else
    {"BRANCH", on_branch, PT_BRANCH, true},
#endif
    {"JUMP", on_jump, PT_JUMP, true},
    {"RAISE", on_raise, PT_EXCEPTION, true},
    {"RERAISE", on_reraise, PT_EXCEPTION, true},
    {"STOP_ITERATION", on_stop_iteration, PT_EXCEPTION, true},
    {"EXCEPTION_HANDLED", on_handled, PT_HANDLED, true},
    {"CALL", on_c_call, PT_C_CALL, true},
    {"C_RETURN", on_c_return, PT_C_RETURN, false},
    {"C_RAISE", on_c_raise, PT_C_EXCEPTION, false},
};

static _Atomic bool reinstating; /* reinstate() is on its way */

/* Values need to be told of instructions, too. */
static bool
is_wanted(const struct hook *h)
{
    if (pt_producer.once)
        return pt_once_callback(h->event) != NULL;
    return pt_producer.events >> h->kind & 1 ||
           (pt_values_on() && h->kind == PT_INSTRUCTION);
}

/* The function that answers for a hook's event. */
static PyObject *
callback(struct hook *h)
{
    if (pt_producer.once)
        return pt_builtin_init(&h->object.builtin, pt_once_callback(h->event));
    bool filtered = pt_gate.filtered;
    vectorcallfunc flow =
        pt_producer.flow ? pt_flow_callback(h->event, filtered) : NULL;
    vectorcallfunc values =
        pt_values_on() ? pt_values_callback(h->event) : NULL;
    h->object.plain = flow != NULL ? flow : h->call;
    h->object.inner = values != NULL ? values : h->object.plain;
    h->object.begun =
        filtered ? pt_filtered(h->kind, h->event) : h->object.inner;
    if (!is_wanted(h))
        h->object.begun = pt_starting_over();
    return pt_builtin_init(&h->object.builtin, pt_gate.waiting
                                                   ? pt_starting(h->kind)
                                                   : h->object.begun);
}

/* Flow has jumps only where nothing else tells of a loop. */
static bool
asked_everywhere(const struct hook *h)
{
    return pt_producer.once
               ? pt_once_everywhere(h->event)
               : h->set && !(pt_producer.flow && h->kind == PT_JUMP);
}

/* What is asked of CPython once recording begins. */
static struct {
    int tool;
    long mask;
    long instruction; /* the bit of INSTRUCTION */
} asked;

static bool
set_events(PyObject *monitoring, long mask)
{
    PyObject *r =
        PyObject_CallMethod(monitoring, "set_events", "il", asked.tool, mask);
    Py_XDECREF(r);
    return r != NULL;
}

/* The moment of --start-at.  What was switched off until then comes back, also
 * that of other tools. */
static void
begin_recording(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        hooks[i].object.builtin.function.vectorcall = hooks[i].object.begun;
    if (monitoring == NULL || !set_events(monitoring, asked.mask))
        pt_def_note("sys.monitoring refused the hooks at --start-at: nothing "
                    "is recorded");
    else
        Py_XDECREF(PyObject_CallMethod(monitoring, "restart_events", NULL));
}

/* Until then only starts of code objects are asked for everywhere. */
static bool
wait_for_start(PyObject *monitoring, PyObject *events)
{
    long line = pt_tool_event(events, "LINE"), local = line;
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        const struct hook *h = &hooks[i];
        bool is_local = h->kind != PT_THROW && h->kind != PT_UNWIND &&
                        h->kind != PT_EXCEPTION && h->kind != PT_HANDLED;
        if (h->set && is_local && is_wanted(h))
            local |= pt_tool_event(events, h->event);
    }
    return pt_starting_init(monitoring, asked.tool, local, begin_recording) &&
           set_events(monitoring, pt_tool_event(events, "PY_START"));
}

static bool
register_hooks(PyObject *monitoring, PyObject *events, int tool)
{
    long mask = 0;
    asked.tool = tool;
    if (pt_producer.once && !pt_once_init(monitoring, events, tool))
        return false;
    asked.instruction = pt_tool_event(events, "INSTRUCTION");
    if (pt_gate.filtered && !pt_filtered_init(monitoring))
        return false;
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        struct hook *h = &hooks[i];
        long bit = pt_tool_event(events, h->event);
        bool waited = pt_gate.waiting && h->kind == PT_LINE;
        if (!(is_wanted(h) || waited) || bit < 0)
            continue;
        PyObject *r = PyObject_CallMethod(monitoring, "register_callback",
                                          "ilO", tool, bit, callback(h));
        if (r == NULL)
            return false;
        Py_DECREF(r);
        if (asked_everywhere(h) && is_wanted(h))
            mask |= bit;
        if (pt_producer.flow && h->kind == PT_JUMP) {
            if (!pt_flow_init(monitoring, tool, bit))
                return false;
            pt_objects_watch = pt_flow_watch;
        }
    }
    asked.mask = mask;
    return pt_gate.waiting ? wait_for_start(monitoring, events)
                           : set_events(monitoring, mask);
}

/* CPython loses INSTRUCTION events of a code object once another tool turns
 * LINE on there, also when that tool is off again (3.12 to 3.15; CPython facts
 * in spec/cpython.md).  A restart brings them back; setting our events anew
 * does not, as they have not changed.  What went by meanwhile is a gap. */
static int
reinstate(void *unused)
{
    reinstating = false;
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    if (monitoring != NULL)
        Py_XDECREF(PyObject_CallMethod(monitoring, "restart_events", NULL));
    PyErr_Clear();
    pt_emit_gap();
    return 0;
}

/* --- a profiler of the program ---------------------------------------------
 */

/* sys.setprofile(f) is itself a call, instrumented because of us: without us f
 * would not hear of its end.  So the first event of a profiler that is set
 * anew goes by one function more, which keeps this one back. */
static _Thread_local Py_tracefunc profiler;

static int
first_event(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    PyThreadState *t = pt_compat_tstate();
    Py_tracefunc user = profiler;
    if (t->c_profilefunc == first_event)
        t->c_profilefunc = user;
    return what == PyTrace_C_RETURN ? 0 : user(self, f, what, arg);
}

static PyObject *set_profile(PyObject *, PyObject *);
static PyObject *set_profile_all(PyObject *, PyObject *);
static struct pt_wrap setprofile = {"sys", "setprofile", set_profile, NULL};
static struct pt_wrap setprofile_all = {"sys", "_setprofileallthreads",
                                        set_profile_all, NULL};

static PyObject *
set_profiler(PyCFunction original, PyObject *module, PyObject *function)
{
    PyThreadState *t = pt_compat_tstate();
    bool had = t->c_profilefunc != NULL;
    PyObject *r = original(module, function);
    if (r != NULL && !had && t->c_profilefunc != NULL) {
        profiler = t->c_profilefunc;
        t->c_profilefunc = first_event;
    }
    return r;
}

static PyObject *
set_profile(PyObject *module, PyObject *function)
{
    return set_profiler(setprofile.original, module, function);
}

static PyObject *
set_profile_all(PyObject *module, PyObject *function)
{
    return set_profiler(setprofile_all.original, module, function);
}

/* Another tool is about to set itself up. */
static void
audit(const char *event)
{
    if (strncmp(event, "sys.", 4) != 0 ||
        !(asked.mask & asked.instruction || pt_producer.once) || reinstating)
        return;
    if ((strcmp(event + 4, "settrace") == 0 ||
         strcmp(event + 4, "setprofile") == 0 ||
         strcmp(event + 4, "monitoring.register_callback") == 0) &&
        Py_AddPendingCall(reinstate, NULL) == 0)
        reinstating = true;
}

bool
pt_hooks_start(char *why, size_t whylen)
{
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    PyObject *events = monitoring != NULL
                           ? PyObject_GetAttrString(monitoring, "events")
                           : NULL; /* owned */
    bool calls = pt_producer.events >> PT_C_CALL & 1;
    int tool = -1;
    why[0] = '\0';
    bool ok = events != NULL &&
              (!pt_values_on() || pt_values_init(monitoring, why, whylen)) &&
              (tool = pt_tool_take(monitoring, calls)) >= 0 &&
              register_hooks(monitoring, events, tool);
    if (!ok && why[0] == '\0')
        snprintf(why, whylen, "%s",
                 events == NULL
                     ? "sys.monitoring is missing from this interpreter"
                 : tool < 0 ? "other tools hold every sys.monitoring tool id"
                            : "sys.monitoring refused the hooks");
    if (ok && calls) {
        pt_wrap_install(&setprofile);
        pt_wrap_install(&setprofile_all);
    }
    PyErr_Clear();
    Py_XDECREF(events);
    return ok;
}

pt_hooks_auditor *const pt_hooks_audit = audit;

#endif
