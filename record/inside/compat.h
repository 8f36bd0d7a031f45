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
#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_genobject.h>
#include <internal/pycore_interpframe.h>
#endif
#if PY_VERSION_HEX >= 0x030D0000
#include <internal/pycore_setobject.h> /* _PySet_NextEntry() */
#endif
#pragma GCC diagnostic pop

#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x03100000
#error "no block for this CPython in record/inside/compat.h"
#endif
#ifdef Py_GIL_DISABLED
#error "free-threaded builds are not supported: see spec/free-threading.md"
#endif

#define PT_HAVE_MONITORING (PY_VERSION_HEX >= 0x030C0000)
/* repr(object.__reduce_ex__) is "<method '__reduce_ex__'>" */
#define PT_OBJECT_UNNAMED (PY_VERSION_HEX >= 0x030F0000)

/* Whether a frame stands at a jump's destination already when the jump is
 * told of. */
#define PT_JUMPS_AHEAD                                                         \
    (PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030D0000)

typedef struct _PyInterpreterFrame pt_pyframe;

/* True for the frames by which C code entered the interpreter: they run no
 * code of the program, and must not be asked for it. */
static inline bool
pt_compat_frame_shim(const pt_pyframe *f)
{
#if PY_VERSION_HEX >= 0x030E0000
    return f->owner >= FRAME_OWNED_BY_INTERPRETER;
#elif PY_VERSION_HEX >= 0x030C0000
    return f->owner == FRAME_OWNED_BY_CSTACK;
#else
    return false;
#endif
}

/* What the frame runs: code, or None.  A tagged reference from 3.14 on. */
static inline PyObject *
pt_compat_frame_executable(const pt_pyframe *f)
{
#if PY_VERSION_HEX >= 0x030E0000
    return PyStackRef_AsPyObjectBorrow(f->f_executable);
#elif PY_VERSION_HEX >= 0x030D0000
    return f->f_executable;
#else
    return (PyObject *)f->f_code;
#endif
}

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
    if (pt_compat_frame_shim(f))
        return false;
    PyObject *o = pt_compat_frame_executable(f);
    return o != NULL && PyCode_Check(o) &&
           !_PyFrame_IsIncomplete((pt_pyframe *)f);
}

/* Of a frame that is real. */
static inline PyCodeObject *
pt_compat_frame_code(const pt_pyframe *f)
{
    return (PyCodeObject *)pt_compat_frame_executable(f);
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
#ifdef RESUME_CHECK_JIT
    if (op == RESUME_CHECK_JIT)
        return true;
#endif
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
        if (pt_compat_frame_shim(f))
            continue;
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

/* The exception state of a generator whose frame this is. */
static inline const _PyErr_StackItem *
pt_compat_frame_exceptions(const pt_pyframe *f)
{
#if PY_VERSION_HEX >= 0x030E0000
    return &_PyGen_GetGeneratorFromFrame((pt_pyframe *)f)->gi_exc_state;
#else
    return &_PyFrame_GetGenerator((pt_pyframe *)f)->gi_exc_state;
#endif
}

/* The frame of a generator or coroutine, which keeps its code when it is over.
 */
static inline pt_pyframe *
pt_compat_generator_frame(PyGenObject *g)
{
    return (pt_pyframe *)&g->gi_iframe;
}

static inline PyCodeObject *
pt_compat_generator_code(PyGenObject *g)
{
#if PY_VERSION_HEX >= 0x030C0000
    return pt_compat_frame_code(pt_compat_generator_frame(g));
#else
    return g->gi_code;
#endif
}

/* A local variable of a frame that is suspended (borrowed), or NULL; of one
 * that functions within it share, its cell. */
static inline PyObject *
pt_compat_local(const pt_pyframe *f, int i)
{
#if PY_VERSION_HEX >= 0x030E0000
    return PyStackRef_IsNull(f->localsplus[i])
               ? NULL
               : PyStackRef_AsPyObjectBorrow(f->localsplus[i]);
#else
    return f->localsplus[i];
#endif
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
pt_compat_extra_request(freefunc release)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Eval_RequestCodeExtraIndex(release);
#else
    return _PyEval_RequestCodeExtraIndex(release);
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

/* Makes `o` an object that no reference count frees: one that is immortal, and
 * before 3.12 one that nobody counts down to nothing. */
static inline void
pt_compat_immortal(PyObject *o, PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030E0000
    o->ob_refcnt_full = _Py_STATIC_IMMORTAL_INITIAL_REFCNT;
#elif PY_VERSION_HEX >= 0x030C0000
    o->ob_refcnt = _Py_IMMORTAL_REFCNT;
#else
    o->ob_refcnt = 1 << 30;
#endif
    o->ob_type = type;
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
