/* CPython's private layouts, version by version: the one place that knows
 * them.  Everything here borrows; nothing allocates, raises, or runs Python.
 * Supporting a new CPython version starts with a block in this file
 * (spec/HACKING.md). */
#ifndef PT_INSIDE_COMPAT_H
#define PT_INSIDE_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <opcode.h>
#include <frameobject.h>
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#undef _PyGC_FINALIZED /* 3.11 has it twice */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wpointer-arith"
#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_runtime.h>
#pragma GCC diagnostic pop

#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030E0000
#error "no block for this CPython in record/inside/compat.h"
#endif
#ifdef Py_GIL_DISABLED
#error "free-threaded builds are not supported: see spec/decisions.md"
#endif

#define PT_HAVE_MONITORING (PY_VERSION_HEX >= 0x030C0000)

/* Whether a frame stands at a jump's destination already when the jump is
 * told of. */
#define PT_JUMPS_AHEAD                                                         \
    (PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030D0000)

typedef struct _PyInterpreterFrame pt_pyframe;

/* The reference count of an object that never dies; before 3.12 one that
 * nobody counts down to nothing. */
#if PY_VERSION_HEX >= 0x030C0000
#define PT_COMPAT_IMMORTAL _Py_IMMORTAL_REFCNT
#else
#define PT_COMPAT_IMMORTAL (1 << 30)
#endif

/* The innermost frame of a thread, which may be incomplete or a shim. */
static inline pt_pyframe *
pt_compat_current(PyThreadState *tstate)
{
#if PY_VERSION_HEX >= 0x030D0000
    return tstate->current_frame;
#else
    return tstate->cframe->current_frame;
#endif
}

/* The calling thread's state, or NULL. */
static inline PyThreadState *
pt_compat_tstate(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

/* True for a frame that runs Python code and has begun to. */
static inline bool
pt_compat_frame_real(const pt_pyframe *f)
{
#if PY_VERSION_HEX >= 0x030C0000
    if (f->owner == FRAME_OWNED_BY_CSTACK)
        return false;
#endif
#if PY_VERSION_HEX >= 0x030D0000
    return PyCode_Check(f->f_executable) &&
           !_PyFrame_IsIncomplete((pt_pyframe *)f);
#else
    return f->f_code != NULL && !_PyFrame_IsIncomplete((pt_pyframe *)f);
#endif
}

/* Of a frame that is real. */
static inline PyCodeObject *
pt_compat_frame_code(const pt_pyframe *f)
{
#if PY_VERSION_HEX >= 0x030D0000
    return (PyCodeObject *)f->f_executable;
#else
    return f->f_code;
#endif
}

static inline bool
pt_compat_frame_generator(const pt_pyframe *f)
{
    return f->owner == FRAME_OWNED_BY_GENERATOR;
}

/* The offset in bytes of the code unit the frame is at.  Before 3.13 this can
 * be an inline cache of the instruction rather than the instruction. */
static inline uint32_t
pt_compat_frame_off(const pt_pyframe *f)
{
    int unit = _PyInterpreterFrame_LASTI((pt_pyframe *)f);
    return unit < 0 ? 0 : (uint32_t)unit * (uint32_t)sizeof(_Py_CODEUNIT);
}

/* Whether the frame stands where 3.13 and later can run something in its name
 * before they tell that it begins or goes on: its eval breaker comes first. */
static inline bool
pt_compat_untold(const pt_pyframe *f)
{
#if PY_VERSION_HEX >= 0x030D0000
    int op = f->instr_ptr->op.code;
    return op == RESUME || op == RESUME_CHECK || op == INSTRUMENTED_RESUME;
#else
    return false;
#endif
}

/* The Python frame below `f` that has begun, or NULL. */
static inline const pt_pyframe *
pt_compat_below(const pt_pyframe *f)
{
    for (f = f->previous; f != NULL; f = f->previous) {
#if PY_VERSION_HEX >= 0x030C0000
        if (f->owner == FRAME_OWNED_BY_CSTACK)
            continue;
#endif
        if ((_PyInterpreterFrame_LASTI((pt_pyframe *)f) >=
                 pt_compat_frame_code(f)->_co_firsttraceable ||
             f->owner == FRAME_OWNED_BY_GENERATOR) &&
            !pt_compat_untold(f))
            break;
    }
    return f;
}

/* False for a generator's frame that has run nothing of its own: something can
 * be thrown into it all the same. */
static inline bool
pt_compat_frame_started(const pt_pyframe *f)
{
    return _PyInterpreterFrame_LASTI((pt_pyframe *)f) >=
           pt_compat_frame_code(f)->_co_firsttraceable;
}

/* What codeobject.c keeps behind co_extra; checked at load. */
struct pt_compat_extra {
    Py_ssize_t size;
    void *extras[1];
};

static inline void *
pt_compat_extra(const PyCodeObject *co, Py_ssize_t index)
{
    const struct pt_compat_extra *x = co->co_extra;
    return x != NULL && index < x->size ? x->extras[index] : NULL;
}

static inline Py_ssize_t
pt_compat_extra_request(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Eval_RequestCodeExtraIndex(NULL);
#else
    return _PyEval_RequestCodeExtraIndex(NULL);
#endif
}

static inline int
pt_compat_extra_set(PyCodeObject *co, Py_ssize_t index, void *value)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Code_SetExtra((PyObject *)co, index, value);
#else
    return _PyCode_SetExtra((PyObject *)co, index, value);
#endif
}

/* CPython allocates an audit hook with whatever raw allocator there is, and
 * frees it at exit with the one it has then: another one under -X dev, when the
 * hook was added before start-up.  So the entry is replaced by one of today.
 * The old one stays: it may be the one being called. */
static inline void
pt_compat_audit_own(int (*hook)(const char *, void *, void *))
{
#if PY_VERSION_HEX >= 0x030C0000
    _Py_AuditHookEntry **at = &_PyRuntime.audit_hooks.head;
#else
    _Py_AuditHookEntry **at = &_PyRuntime.audit_hook_head;
#endif
    while (*at != NULL && (void *)(*at)->hookCFunction != (void *)hook)
        at = &(*at)->next;
    _Py_AuditHookEntry *e = *at != NULL ? PyMem_RawMalloc(sizeof *e) : NULL;
    if (e != NULL) {
        *e = **at;
        *at = e;
    }
}

/* The value of an int that the interpreter itself made and that lies between
 * 0 and 2**30: offsets and line numbers of monitoring events. */
static inline uint32_t
pt_compat_small(PyObject *o)
{
#if PY_VERSION_HEX >= 0x030C0000
    return (uint32_t)((PyLongObject *)o)->long_value.ob_digit[0];
#else
    return (uint32_t)((PyLongObject *)o)->ob_digit[0];
#endif
}

#endif
