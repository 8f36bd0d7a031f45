/* PyEval_SetProfile and PyEval_SetTrace: CPython 3.11.
 *
 * Each thread has one slot of each kind, and a program has as much right to
 * them as we have.  So the slots hold our functions, and what the program
 * sets is kept per thread and called after ours:
 *
 *   free --pt_hooks_start / new thread--> ours
 *   ours --sys.settrace(f), wrapped--> ours, f chained
 *   ours --PyEval_SetTrace from C--> theirs (audit event) --pending call-->
 *        ours, theirs chained; a gap is logged for what went by
 *
 * The slot's object stays the program's own, so sys.gettrace() tells the
 * truth.  Which slots are needed:
 *
 *   calls, C calls                    profile
 *   lines, instructions, exceptions   trace, besides profile for C calls
 *   flow                              the same
 *
 * Where both are held, calls and returns are taken from the profile slot; for
 * flow from the one that tells of instructions. */
#include "hooks.h"

#if !PT_HAVE_MONITORING
#include "gate.h"
#include "legacy_flow.h"
#include "legacy_plain.h"
#include "objects.h"
#include "values.h"
#include "wrap.h"

#include <internal/pycore_runtime.h>
#include <stdio.h>
#include <string.h>

/* A frame's f_trace_opcodes when the program itself did not ask for them: as
 * true as the 1 that the attribute's setter stores, and told from it. */
enum { OPCODES_FOR_US = 2 };

/* A frame's f_trace_lines when the program itself wants none of its lines. */
enum { LINES_FOR_US = 2 };

static struct {
    bool profile, trace;               /* slots that we hold ... */
    Py_tracefunc on_profile, on_trace; /* ... with these */
    bool lines, instructions, exceptions, flow;
    bool opcodes;           /* the trace slot has to see instructions */
    _Atomic bool disturbed; /* a slot may have been taken from C */
} legacy;

/* The program's own hooks of a thread. */
struct own {
    Py_tracefunc trace, profile;
};
static _Thread_local struct own own __attribute__((tls_model("initial-exec")));
static _Thread_local bool skip_return;
static _Thread_local bool joined; /* since a --start-at */
static _Thread_local bool busy;   /* the audit events are of our own making */

/* Hooks that were found in the slots of another thread, until it comes by and
 * makes them its own. */
enum { FOUND = 64 };
static struct found {
    PyThreadState *thread;
    struct own own;
} found[FOUND];
static uint32_t founds;

/* --- the slots ------------------------------------------------------------ */

/* Puts our functions into a thread's slots; what was there goes to *was.  True
 * if something had to be done. */
static bool
take_slots(PyThreadState *t, struct own *was)
{
    bool changed = false;
    if (t->interp != PyInterpreterState_Main())
        return false; /* ids and co_extra are the main interpreter's */
    if (legacy.profile && t->c_profilefunc != legacy.on_profile) {
        was->profile = t->c_profilefunc;
        t->c_profilefunc = legacy.on_profile;
        changed = true;
    }
    if (legacy.trace && t->c_tracefunc != legacy.on_trace) {
        was->trace = t->c_tracefunc;
        t->c_tracefunc = legacy.on_trace;
        changed = true;
    }
    if (t->tracing == 0)
        t->cframe->use_tracing = 255;
    return changed;
}

/* Hooks the other threads: those that have no hook at all, or, with
 * `disturbed`, those that have lost ours, which get a gap when they come by.
 * The list is locked because a thread can leave it without the GIL. */
static void
take_other_threads(bool disturbed)
{
    PyThreadState *self = pt_compat_tstate();
    PyThread_acquire_lock(_PyRuntime.interpreters.mutex, WAIT_LOCK);
    for (PyThreadState *t = PyInterpreterState_ThreadHead(self->interp);
         t != NULL; t = PyThreadState_Next(t)) {
        struct own was = {NULL, NULL};
        if (t == self)
            continue;
        if (!disturbed) {
            if (t->c_profilefunc == NULL && t->c_tracefunc == NULL)
                take_slots(t, &was);
        } else if (founds < FOUND && take_slots(t, &was)) {
            found[founds++] = (struct found){t, was};
        }
    }
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
}

/* Events of this thread went by unseen. */
static void
emit_gap(void)
{
    if (legacy.flow)
        pt_legacy_flow_lose();
    else
        pt_emit_gap();
}

/* Is there something that was found in our own slots? */
static void
adopt_found(void)
{
    PyThreadState *self = pt_compat_tstate();
    for (uint32_t i = 0; i < founds; i++) {
        if (found[i].thread == self) {
            own = found[i].own;
            found[i] = found[--founds];
            emit_gap();
            return;
        }
    }
}

/* --- events --------------------------------------------------------------- */

static inline uint32_t
offset(const PyFrameObject *f)
{
    return pt_compat_frame_off(f->f_frame);
}

static void
emit_exception(PyFrameObject *f, PyObject *arg)
{
    PyObject *o = arg != NULL && PyTuple_Check(arg) ? PyTuple_GET_ITEM(arg, 0)
                                                    : NULL; /* borrowed */
    PyTypeObject *type =
        o != NULL && PyType_Check(o) ? (PyTypeObject *)o : &PyBaseObject_Type;
    if (legacy.flow)
        pt_legacy_flow_exception(f, type);
    else
        pt_emit(PT_TIMED(PT_W_EXCEPTION, 2), offset(f) << 2 | PT_RAISED,
                pt_type_id(type), 0, 0, 0);
}

static void
emit_c_call(PyFrameObject *f, PyObject *callee)
{
    if (!(pt_producer.events >> PT_C_CALL & 1))
        return;
    if (legacy.flow)
        pt_legacy_flow_c_call(f, callee);
    else
        pt_emit(PT_TIMED(PT_W_C_CALL, 1), pt_callable_id(callee), 0, 0, 0, 0);
}

static void
on_instruction(PyFrameObject *f)
{
    if (legacy.flow)
        pt_legacy_flow_step(f);
    if (legacy.instructions)
        pt_emit(PT_TIMED(PT_W_INSTRUCTION, 1), offset(f), 0, 0, 0, 0);
    if (legacy.flow)
        pt_legacy_flow_started(f);
}

/* A tracer of the program can move the frame, or raise, before the instruction
 * starts: then it must have been told. */
static void
on_line(PyFrameObject *f)
{
    if (legacy.flow && (legacy.lines || own.trace != NULL))
        pt_legacy_flow_line(f);
    if (legacy.lines)
        pt_emit(PT_TIMED(PT_W_LINE, 1),
                f->f_lineno > 0 ? (uint32_t)f->f_lineno : 0, 0, 0, 0, 0);
}

/* Calls a hook of the program.  It can have replaced a slot; its way of failing
 * removes it; and it can have turned off, for its frame, what we need. */
static int
chain(Py_tracefunc user, PyObject *self, PyFrameObject *f, int what,
      PyObject *arg)
{
    int r = user(self, f, what, arg);
    PyThreadState *t = pt_compat_tstate();
    if (PT_UNLIKELY((legacy.trace && t->c_tracefunc != legacy.on_trace) ||
                    (legacy.profile && t->c_profilefunc != legacy.on_profile)))
        take_slots(t, &own);
    if (legacy.lines && !f->f_trace_lines)
        f->f_trace_lines = LINES_FOR_US;
    if (legacy.opcodes && !f->f_trace_opcodes)
        f->f_trace_opcodes = OPCODES_FOR_US;
    return r;
}

static int
chain_profile(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    if (PT_LIKELY(own.profile == NULL))
        return 0;
    bool skip = skip_return && what == PyTrace_C_RETURN;
    skip_return = false;
    return skip ? 0 : chain(own.profile, self, f, what, arg);
}

/* The program hears of no line and no instruction that it did not ask for. */
static int
chain_trace(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    if (PT_LIKELY(own.trace == NULL) ||
        (what == PyTrace_LINE && f->f_trace_lines == LINES_FOR_US) ||
        (what == PyTrace_OPCODE && f->f_trace_opcodes == OPCODES_FOR_US))
        return 0;
    return chain(own.trace, self, f, what, arg);
}

static int
on_profile(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    if (PT_UNLIKELY(founds != 0))
        adopt_found();
    switch (what) {
    case PyTrace_CALL:
        if (!legacy.flow)
            pt_legacy_plain_enter(f);
        break;
    case PyTrace_RETURN:
        if (!legacy.flow)
            pt_legacy_plain_leave(f, arg);
        break;
    case PyTrace_C_CALL:
        emit_c_call(f, arg);
        break;
    case PyTrace_C_RETURN:
        if (pt_producer.events >> PT_C_CALL & 1)
            pt_emit(PT_TIMED(PT_W_C_RETURN, 0), 0, 0, 0, 0, 0);
        break;
    case PyTrace_C_EXCEPTION:
        if (pt_producer.events >> PT_C_CALL & 1)
            pt_emit(PT_TIMED(PT_W_C_EXCEPTION, 0), 0, 0, 0, 0, 0);
        break;
    default:
        break;
    }
    return chain_profile(self, f, what, arg);
}

static int
on_trace(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    if (PT_UNLIKELY(founds != 0))
        adopt_found();
    switch (what) {
    case PyTrace_CALL:
        if (legacy.flow)
            pt_legacy_flow_enter(f);
        else if (!legacy.profile)
            pt_legacy_plain_enter(f);
        if (legacy.opcodes && !f->f_trace_opcodes)
            f->f_trace_opcodes = OPCODES_FOR_US;
        break;
    case PyTrace_RETURN:
        if (legacy.flow)
            pt_legacy_flow_leave(f, arg);
        else if (!legacy.profile)
            pt_legacy_plain_leave(f, arg);
        break;
    case PyTrace_LINE:
        on_line(f);
        break;
    case PyTrace_OPCODE:
        on_instruction(f);
        break;
    case PyTrace_EXCEPTION:
        if (legacy.exceptions)
            emit_exception(f, arg);
        break;
    default:
        break;
    }
    return chain_trace(self, f, what, arg);
}

/* --- a recording that leaves something out -------------------------------- */

/* Whether an event is recorded.  Both slots tell of frames that come and go:
 * `counts` is the one by which that is followed. */
static bool
passes(PyFrameObject *f, int what, bool counts)
{
    if (what != PyTrace_CALL)
        return pt_gate_recorded(f->f_frame);
    return counts ? pt_gate_enter(f->f_frame)
                  : !pt_gate_never(f->f_frame->f_code);
}

/* Has the frames that there are tell of their instructions.  What is made for
 * that is not the moment to collect. */
static void
trace_opcodes(PyThreadState *t)
{
    PyFrameObject *f = PyThreadState_GetFrame(t); /* owned */
    while (f != NULL) {
        PyFrameObject *below = PyFrame_GetBack(f); /* owned */
        if (!f->f_trace_opcodes)
            f->f_trace_opcodes = OPCODES_FOR_US;
        Py_DECREF(f);
        f = below;
    }
}

static void
trace_all_opcodes(void)
{
    enum { THREADS = 4096 };
    static PyThreadState *threads[THREADS];
    size_t n = 0;
    PyInterpreterState *interp = pt_compat_tstate()->interp;
    PyThread_acquire_lock(_PyRuntime.interpreters.mutex, WAIT_LOCK);
    for (PyThreadState *t = PyInterpreterState_ThreadHead(interp);
         t != NULL && n < THREADS; t = PyThreadState_Next(t))
        if (pt_compat_current(t) != NULL) /* it needs the GIL to end */
            threads[n++] = t;
    PyThread_release_lock(_PyRuntime.interpreters.mutex);
    int collects = PyGC_Disable();
    while (n > 0)
        trace_opcodes(threads[--n]);
    if (collects)
        PyGC_Enable();
}

/* --start-at: whether recording begins with this event, and so it does. */
static bool
begins(PyFrameObject *f, int what, bool counts)
{
    PyCodeObject *co = f->f_frame->f_code;
    bool now = (what == PyTrace_CALL && counts &&
                pt_code_traits(co) & PT_CODE_STARTS) ||
               (what == PyTrace_LINE && pt_code_traits(co) & PT_CODE_LINES &&
                f->f_lineno > 0 && pt_choose_line(co, (uint32_t)f->f_lineno));
    if (!now)
        return false;
    pt_gate.waiting = false;
    pt_producer.midway = true;
    legacy.opcodes = legacy.instructions || legacy.flow;
    if (legacy.opcodes)
        trace_all_opcodes();
    return true;
}

/* A thread's first event since: the stack it has is told.  False for the end of
 * a call of C that began before. */
static bool
join(PyFrameObject *f, int what)
{
    if (what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION)
        return false;
    bool next = what == PyTrace_LINE || what == PyTrace_OPCODE;
    bool enters = what == PyTrace_CALL;
    const pt_pyframe *top = enters ? f->f_frame->previous : f->f_frame;
    joined = true;
    pt_lane_slow(PT_TIME_BYTES, enters ? PT_W_CALL_AT
                                : next ? PT_W_LINE
                                       : PT_W_RETURN);
    if (legacy.flow)
        pt_legacy_flow_join(top, next);
    return true;
}

static int
filter(Py_tracefunc hook, Py_tracefunc otherwise, PyObject *self,
       PyFrameObject *f, int what, PyObject *arg, bool counts)
{
    if (PT_UNLIKELY(founds != 0))
        adopt_found();
    if (PT_UNLIKELY(pt_gate.waiting) && !begins(f, what, counts))
        return otherwise(self, f, what, arg);
    if (PT_UNLIKELY(pt_producer.midway && !joined) &&
        (counts || what != PyTrace_CALL) && !join(f, what))
        return otherwise(self, f, what, arg);
    int r = passes(f, what, counts) ? hook(self, f, what, arg)
                                    : otherwise(self, f, what, arg);
    if (what == PyTrace_RETURN && counts)
        pt_gate_leave(f->f_frame);
    return r;
}

static int
on_profile_filtered(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    return filter(on_profile, chain_profile, self, f, what, arg, !legacy.flow);
}

static int
on_trace_filtered(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    return filter(on_trace, chain_trace, self, f, what, arg,
                  legacy.flow || !legacy.profile);
}

/* The trace function of flow where nothing else is recorded of lines and
 * instructions: what most of them need, on_trace() for the rest.  Short,
 * because the interpreter guesses its next instruction by the branches taken
 * since, and guesses worse when the hook takes many (spec/decisions.md). */
static int
on_step(PyObject *self, PyFrameObject *f, int what, PyObject *arg)
{
    if (PT_LIKELY(founds == 0 && own.trace == NULL)) {
        if (PT_LIKELY(what == PyTrace_OPCODE && pt_legacy_flow_plain(f)))
            return 0;
        if (PT_LIKELY(what == PyTrace_LINE))
            return 0;
    }
    return on_trace(self, f, what, arg);
}

/* --- a program that sets its own hooks ------------------------------------ */

static PyObject *wrap_settrace(PyObject *, PyObject *);
static PyObject *wrap_setprofile(PyObject *, PyObject *);
static PyObject *wrap_start_new_thread(PyObject *, PyObject *);
static PyObject *wrap_start_new(PyObject *, PyObject *);

static struct pt_wrap settrace = {"sys", "settrace", wrap_settrace, NULL};
static struct pt_wrap setprofile = {"sys", "setprofile", wrap_setprofile, NULL};
static struct pt_wrap start_new_thread = {"_thread", "start_new_thread",
                                          wrap_start_new_thread, NULL};
static struct pt_wrap start_new = {"_thread", "start_new", wrap_start_new,
                                   NULL};

static PyObject *
set_own(PyCFunction original, PyObject *module, PyObject *function)
{
    bool had = own.profile != NULL;
    busy = true;
    PyObject *r = original(module, function);
    busy = false;
    if (r != NULL)
        take_slots(pt_compat_tstate(), &own);
    /* without us, the first event of a profiler is not the end of the call
     * that set it */
    skip_return = !had && own.profile != NULL;
    return r;
}

static PyObject *
wrap_settrace(PyObject *module, PyObject *function)
{
    return set_own(settrace.original, module, function);
}

static PyObject *
wrap_setprofile(PyObject *module, PyObject *function)
{
    return set_own(setprofile.original, module, function);
}

/* A new thread waits for the GIL, which this one still has. */
static PyObject *
start_thread(PyCFunction original, PyObject *module, PyObject *args)
{
    PyObject *r = original(module, args);
    if (r != NULL)
        take_other_threads(false);
    return r;
}

static PyObject *
wrap_start_new_thread(PyObject *module, PyObject *args)
{
    return start_thread(start_new_thread.original, module, args);
}

static PyObject *
wrap_start_new(PyObject *module, PyObject *args)
{
    return start_thread(start_new.original, module, args);
}

/* Someone took a slot from C (cProfile, coverage.py): put ours in front, and
 * tell that events went by unseen.  This runs on the main thread, the slot can
 * be any thread's. */
static int
pending(void *unused)
{
    legacy.disturbed = false;
    if (take_slots(pt_compat_tstate(), &own))
        emit_gap();
    take_other_threads(true);
    return 0;
}

/* Before a slot is set, by whomever.  On another than the main thread nothing
 * of ours may run again before the thread ends: its gap begins here. */
static void
audit(const char *event)
{
    static _Atomic bool told;
    if (busy || strncmp(event, "sys.set", 7) != 0 ||
        (strcmp(event + 7, "trace") != 0 && strcmp(event + 7, "profile") != 0))
        return;
    if (!atomic_exchange(&told, true))
        pt_def_note("a tool in the program takes CPython 3.11's tracing slot "
                    "from C: what goes by until ours is back is a gap");
    if (PyThread_get_thread_ident() != _PyRuntime.main_thread)
        pt_emit_gap();
    if (!legacy.disturbed && Py_AddPendingCall(pending, NULL) == 0)
        legacy.disturbed = true;
}

/* Kinds that the user named and that no hook of 3.11 tells of. */
static void
note_missing(uint32_t want)
{
    static const struct {
        enum pt_kind kind;
        const char *name;
    } missing[] = {
        {PT_BRANCH, "branch"}, {PT_JUMP, "jump"}, {PT_HANDLED, "handled"}};
    char text[160] = "CPython 3.11 has no events of kind";
    size_t n = strlen(text), none = n;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (want >> missing[i].kind & 1)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s %s",
                                  n == none ? "" : ",", missing[i].name);
    if (n != none)
        pt_def_note(text);
}

static void
set_wanted(uint32_t want)
{
    legacy.lines = want >> PT_LINE & 1;
    legacy.instructions = want >> PT_INSTRUCTION & 1;
    legacy.exceptions = want >> PT_EXCEPTION & 1;
    legacy.flow = pt_producer.flow;
    legacy.opcodes = legacy.instructions || legacy.flow;
    legacy.trace = legacy.lines || legacy.opcodes || legacy.exceptions;
    legacy.profile = !legacy.trace || (want >> PT_C_CALL & 1);
    bool filtered = pt_gate.filtered || pt_gate.waiting;
    if (pt_gate.waiting) {
        legacy.trace |= pt_choice_starts_line(&pt_choose);
        legacy.opcodes = false;
    }
    legacy.on_profile = filtered ? on_profile_filtered : on_profile;
    legacy.on_trace = filtered ? on_trace_filtered
                      : legacy.flow && !legacy.lines && !legacy.instructions
                          ? on_step
                          : on_trace;
}

/* Flow has to see each instruction here: 1.3 to 1.9 times what lines cost. */
static bool
start_flow(void)
{
    if (!legacy.lines && !legacy.instructions)
        pt_def_note("CPython 3.11 tells of no branches: --preset=lines costs "
                    "less there than --preset=flow, if lines are enough");
    return pt_legacy_flow_init();
}

bool
pt_hooks_start(char *why, size_t whylen)
{
    if (pt_producer.once) {
        snprintf(why, whylen,
                 "CPython 3.11 cannot switch single events off, which "
                 "--preset=coverage is made of: record with --preset=flow");
        return false;
    }
    struct pt_wrap *const wraps[] = {&settrace, &setprofile, &start_new_thread,
                                     &start_new};
    if (pt_producer.values != PT_VALUES_NONE) {
        snprintf(why, whylen, PT_VALUES_REFUSED);
        return false;
    }
    set_wanted(pt_producer.events);
    if (!legacy.flow)
        note_missing(pt_producer.events & pt_producer.arena->config.asked);
    else if (!start_flow()) {
        snprintf(why, whylen, "no key for what threads own");
        return false;
    }
    for (size_t i = 0; i < sizeof wraps / sizeof *wraps; i++) {
        if (!pt_wrap_install(wraps[i])) {
            PyErr_Clear();
            snprintf(why, whylen, "%s.%s is not the function CPython made",
                     wraps[i]->module, wraps[i]->name);
            return false;
        }
    }
    take_slots(pt_compat_tstate(), &own);
    take_other_threads(false);
    return true;
}

pt_hooks_auditor *const pt_hooks_audit = audit;

#endif
