#include "flow.h"

#if PT_HAVE_MONITORING
#include "callback.h"
#include "frames.h"
#include "gate.h"
#include "loops.h"

#include <string.h>

enum { UNIT = 2, STAMP_EVERY = 32 };

static struct {
    PyObject *set_local_events; /* owned, for good */
    PyObject *tool, *jump;      /* small integers, immortal */
} flow;

static inline const pt_pyframe *
running(void)
{
    return pt_compat_current(pt_compat_tstate());
}

/* The frame in whose name another one begins: of a recording without filters,
 * and with them. */
typedef const pt_pyframe *caller_of(const pt_pyframe *);

#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t
place_below(const pt_pyframe *f, caller_of *caller)
{
    const pt_pyframe *below = caller(f);
    return below != NULL ? pt_compat_frame_off(below) : PT_NOWHERE;
}

static inline PyCodeObject *
code(PyObject *const *a)
{
    return (PyCodeObject *)a[0];
}

INLINE PyObject *
emit_start_keyed(const pt_pyframe *f, uint32_t id, uint32_t below)
{
    uint64_t key = pt_key_new(f);
    PT_EMIT(PT_TIMED(PT_W_CALL_KEY_AT, 4), id, (uint32_t)key,
            (uint32_t)(key >> 32), below, 0);
}

static __attribute__((noinline)) PyObject *
start_keyed(const pt_pyframe *f, uint32_t id)
{
    return emit_start_keyed(f, id, place_below(f, pt_compat_below));
}

CODE_CALLBACK(on_start)
{
    const pt_pyframe *f = running();
    if (PT_UNLIKELY(code(a)->co_flags & PT_SUSPENDABLE))
        return start_keyed(f, id);
    PT_EMIT2(PT_W_CALL_AT, id, place_below(f, pt_compat_below));
}

CODE_CALLBACK(on_start_filtered)
{
    const pt_pyframe *f = running();
    uint32_t below = place_below(f, pt_gate_below);
    if (code(a)->co_flags & PT_SUSPENDABLE)
        return emit_start_keyed(f, id, below);
    PT_EMIT2(PT_W_CALL_AT, id, below);
}

INLINE PyObject *
emit_resume(PyObject *const *a, uint32_t id, caller_of *caller)
{
    const pt_pyframe *f = running();
    uint64_t key = pt_key_find(f);
    PT_EMIT(PT_TIMED(PT_W_RESUME_AT, 5), id, (uint32_t)key,
            (uint32_t)(key >> 32), place_below(f, caller),
            pt_compat_small(a[1]));
}

CODE_CALLBACK(on_resume)
{
    return emit_resume(a, id, pt_compat_below);
}

CODE_CALLBACK(on_resume_filtered)
{
    return emit_resume(a, id, pt_gate_below);
}

/* throw() goes down to the innermost generator of a chain of `yield from`:
 * those between are on the list of frames, and do not run. */
INLINE PyObject *throw(PyObject *const *a, caller_of *caller)
{
    const pt_pyframe *f = running();
    uint64_t key = pt_compat_frame_started(f) ? pt_key_find(f) : pt_key_new(f);
    const pt_pyframe *below = caller(f);
    while (below != NULL && pt_frame_suspended(below))
        below = caller(below);
    PT_EMIT(PT_TIMED(PT_W_THROW_AT, 5), pt_code_id(code(a)), (uint32_t)key,
            (uint32_t)(key >> 32),
            below != NULL ? pt_compat_frame_off(below) : PT_NOWHERE,
            pt_compat_small(a[1]));
}

CALLBACK(on_throw)
{
    return throw(a, pt_compat_below);
}

CALLBACK(on_throw_filtered)
{
    return throw(a, pt_gate_below);
}

CODE_CALLBACK(on_yield)
{
    PT_EMIT2(PT_W_YIELD_AT, id, pt_compat_small(a[1]));
}

static __attribute__((noinline)) PyObject *
branch_far(uint32_t off, uint32_t dst)
{
    PT_EMIT(PT_UNTIMED(PT_W_BRANCH, 2), off, dst, 0, 0, 0);
}

static __attribute__((noinline)) PyObject *
branch_timed(uint32_t off, uint32_t dst)
{
    PT_EMIT2(PT_W_BRANCH_TIMED, off, dst);
}

/* Most branches are one word.  Every few of a thread's carry the time, so that
 * what lies between two events is never far from a known moment. */
static inline __attribute__((always_inline)) PyObject *
emit_branch(uint32_t off, uint32_t dst)
{
    static _Thread_local unsigned count
        __attribute__((tls_model("initial-exec")));
    if (PT_UNLIKELY(++count % STAMP_EVERY == 0))
        return branch_timed(off, dst);
    if (PT_UNLIKELY((off | dst) >= PT_NEAR_LIMIT * UNIT))
        return branch_far(off, dst);
    PT_EMIT(PT_UNTIMED(PT_W_BRANCH_NEAR, 0),
            off / UNIT | dst / UNIT << PT_NEAR_BITS, 0, 0, 0, 0);
}

CALLBACK(on_branch)
{
    return emit_branch(pt_compat_small(a[1]), pt_compat_small(a[2]));
}

/* 3.14 tells of most branches not where they are decided but at the instruction
 * that they lead to, and names as their place whatever ran before that: another
 * when INSTRUCTION is told as well, and one that does not say which way a
 * branch went whose two ways meet.  The frame stands at what tells. */
CALLBACK(on_branch_at)
{
    return emit_branch(pt_compat_frame_off(running()), pt_compat_small(a[2]));
}

static PyObject *
emit_exception(PyObject *const *a, enum pt_raise how)
{
    PT_EMIT(PT_TIMED(PT_W_EXCEPTION_AT, 4), pt_code_id(code(a)),
            pt_compat_small(a[1]) << 2 | (uint32_t)how,
            pt_type_id(Py_TYPE(a[2])), pt_compat_frame_off(running()), 0);
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

CALLABLE_CALLBACK(on_c_call)
{
    PT_EMIT2(PT_W_C_CALL_AT, id, pt_compat_small(a[1]));
}

vectorcallfunc
pt_flow_callback(const char *event, bool filtered)
{
    static const struct {
        const char *event;
        vectorcallfunc call, filtered;
    } table[] = {
        {"BRANCH_LEFT", on_branch_at, NULL},
        {"BRANCH_RIGHT", on_branch_at, NULL},
        {"PY_START", on_start, on_start_filtered},
        {"PY_RESUME", on_resume, on_resume_filtered},
        {"PY_THROW", on_throw, on_throw_filtered},
        {"PY_YIELD", on_yield, NULL},
        {"BRANCH", on_branch, NULL},
        {"RAISE", on_raise, NULL},
        {"RERAISE", on_reraise, NULL},
        {"STOP_ITERATION", on_stop_iteration, NULL},
        {"CALL", on_c_call, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].event, event) == 0)
            return filtered && table[i].filtered != NULL ? table[i].filtered
                                                         : table[i].call;
    return NULL;
}

bool
pt_flow_init(PyObject *monitoring, int tool, long jump)
{
    flow.set_local_events =
        PyObject_GetAttrString(monitoring, "set_local_events");
    flow.tool = PyLong_FromLong(tool);
    flow.jump = PyLong_FromLong(jump);
    return flow.set_local_events != NULL && flow.tool != NULL &&
           flow.jump != NULL;
}

void
pt_flow_watch(PyCodeObject *co)
{
    if (flow.jump == NULL)
        return;
    PyObject *bytes = PyCode_GetCode(co); /* owned */
    bool silent = bytes != NULL &&
                  pt_loops_silent((unsigned char *)PyBytes_AS_STRING(bytes),
                                  (size_t)PyBytes_GET_SIZE(bytes));
    Py_XDECREF(bytes);
    if (!silent)
        return;
    PyObject *args[] = {flow.tool, (PyObject *)co, flow.jump};
    Py_XDECREF(PyObject_Vectorcall(flow.set_local_events, args, 3, NULL));
}

#endif
