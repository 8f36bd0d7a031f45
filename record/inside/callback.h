/* What the callbacks of sys.monitoring are made of.  A callback returns None
 * (never DISABLE: those events could not be had back), touches no reference
 * count, and raises nothing. */
#ifndef PT_INSIDE_CALLBACK_H
#define PT_INSIDE_CALLBACK_H

#include "objects.h"

#define CALLBACK(name)                                                         \
    static PyObject *name(PyObject *self, PyObject *const *a, size_t n,        \
                          PyObject *kw)

/* pt_emit_slow(), then None: a tail call, so that the callback itself has no
 * register to save. */
PyObject *pt_callback_slow(unsigned record, uint32_t a, uint32_t b, uint32_t c,
                           uint32_t d, uint32_t e);

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

/* What a call runs: bound methods, which can be nested, are taken off. C_RETURN
 * names what CALL named as a bound method: both must be told alike.  Python
 * functions have events of their own. */
static inline PyObject *
pt_call_target(PyObject *f)
{
    while (PT_UNLIKELY(PyMethod_Check(f)))
        f = PyMethod_GET_FUNCTION(f);
    return f;
}

#endif
