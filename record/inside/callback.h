/* What the callbacks of sys.monitoring are made of.  A callback returns None
 * (or DISABLE, where filters say so for good), touches no reference count, and
 * raises nothing. */
#ifndef PT_INSIDE_CALLBACK_H
#define PT_INSIDE_CALLBACK_H

#include "builtin.h"
#include "objects.h"

struct pt_callback {
    struct pt_builtin builtin;
    vectorcallfunc plain; /* what records the event itself */
    vectorcallfunc inner; /* that, or what tells of values around it */
    vectorcallfunc begun; /* function.vectorcall, once recording begins */
};

static inline struct pt_callback *
pt_callback_of(PyObject *self)
{
    return (struct pt_callback *)(void *)((char *)self -
                                          offsetof(struct pt_callback,
                                                   builtin.function));
}

/* A callback saves no register: whatever calls a function is a tail call of one
 * that is not inlined (1 to 2 ns an event, spec/decisions.md). */
#define PT_TAIL __attribute__((noinline, cold))
#define PT_BODY static inline __attribute__((always_inline))

/* From 3.13 on extensions can tell events (PyMonitoring_FirePyStartEvent and
 * others), and what they name as code can be any object. */
static inline bool
pt_is_code(const PyObject *o)
{
    return PY_VERSION_HEX < 0x030D0000 || PT_LIKELY(PyCode_Check(o));
}

/* A callback of events in code objects: CALLBACK(on_jump) { ... a, n ... } */
#define CALLBACK(name)                                                         \
    PT_BODY PyObject *name##_told(PyObject *self, PyObject *const *a,          \
                                  size_t n, PyObject *kw);                     \
    static PyObject *name(PyObject *self, PyObject *const *a, size_t n,        \
                          PyObject *kw)                                        \
    {                                                                          \
        if (!pt_is_code(a[0]))                                                 \
            Py_RETURN_NONE;                                                    \
        return name##_told(self, a, n, kw);                                    \
    }                                                                          \
    PT_BODY PyObject *name##_told(PyObject *self, PyObject *const *a,          \
                                  size_t n, PyObject *kw)

/* pt_emit_slow(), then None. */
PyObject *pt_callback_slow(unsigned record, uint32_t a, uint32_t b, uint32_t c,
                           uint32_t d, uint32_t e);

/* What a call runs: bound methods, which can be nested, are taken off. C_RETURN
 * names what CALL named as a bound method: both must be told alike. */
static inline PyObject *
pt_call_target(PyObject *f)
{
    while (PT_UNLIKELY(PyMethod_Check(f)))
        f = PyMethod_GET_FUNCTION(f);
    return f;
}

/* Whether a call runs C.  Python functions have events of their own. */
static inline bool
pt_calls_c(PyObject *f)
{
    const PyTypeObject *t = Py_TYPE(f);
    return t == &PyMethodDescr_Type || t == &PyCFunction_Type ||
           !PyFunction_Check(pt_call_target(f));
}

/* A callback of a code object whose id is at hand but for its first event:
 *   CODE_CALLBACK(on_return) { ... a, id ... } */
#define CODE_CALLBACK(name)                                                    \
    PT_BODY PyObject *name##_of(PyObject *const *a, uint32_t id);              \
    static PT_TAIL PyObject *name##_new(PyObject *const *a)                    \
    {                                                                          \
        return name##_of(a, pt_code_define((PyCodeObject *)a[0]));             \
    }                                                                          \
    CALLBACK(name)                                                             \
    {                                                                          \
        uint32_t id;                                                           \
        if (PT_UNLIKELY(!pt_code_known((PyCodeObject *)a[0], &id)))            \
            return name##_new(a);                                              \
        return name##_of(a, id);                                               \
    }                                                                          \
    PT_BODY PyObject *name##_of(PyObject *const *a, uint32_t id)

/* A callback of a callable of C: the same with its id.  Calls of Python
 * functions, which have events of their own, are left out. */
#define CALLABLE_CALLBACK(name)                                                \
    PT_BODY PyObject *name##_of(PyObject *const *a, uint32_t id);              \
    static PT_TAIL PyObject *name##_any(PyObject *const *a)                    \
    {                                                                          \
        PyObject *f = pt_call_target(a[2]);                                    \
        if (PyFunction_Check(f))                                               \
            Py_RETURN_NONE;                                                    \
        return name##_of(a, pt_callable_any(f));                               \
    }                                                                          \
    CALLBACK(name)                                                             \
    {                                                                          \
        uint32_t id;                                                           \
        if (PT_LIKELY(pt_callable_known(a[2], &id)))                           \
            return name##_of(a, id);                                           \
        if (PyFunction_Check(a[2]))                                            \
            Py_RETURN_NONE;                                                    \
        return name##_any(a);                                                  \
    }                                                                          \
    PT_BODY PyObject *name##_of(PyObject *const *a, uint32_t id)

/* Writes a record and returns from the callback. */
#define PT_EMIT(record, a, b, c, d, e)                                         \
    do {                                                                       \
        uint32_t a_ = (a), b_ = (b), c_ = (c), d_ = (d), e_ = (e);             \
        if (PT_LIKELY(pt_emit_fast(record, a_, b_, c_, d_, e_)))               \
            Py_RETURN_NONE;                                                    \
        return pt_callback_slow(record, a_, b_, c_, d_, e_);                   \
    } while (0)
#define PT_EMIT0(word) PT_EMIT(PT_TIMED(word, 0), 0, 0, 0, 0, 0)
#define PT_EMIT1(word, a) PT_EMIT(PT_TIMED(word, 1), a, 0, 0, 0, 0)
#define PT_EMIT2(word, a, b) PT_EMIT(PT_TIMED(word, 2), a, b, 0, 0, 0)

#endif
