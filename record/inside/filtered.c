#include "filtered.h"

#if PT_HAVE_MONITORING
#include "gate.h"

#include <string.h>

static PyObject *disable; /* sys.monitoring.DISABLE; owned, for good */

static inline PyCodeObject *
code(PyObject *const *a)
{
    return (PyCodeObject *)a[0];
}

static inline const pt_pyframe *
running(void)
{
    return pt_compat_current(pt_compat_tstate());
}

static inline PyObject *
inner(PyObject *self, PyObject *const *a, size_t n, PyObject *kw)
{
    return pt_callback_of(self)->inner(self, a, n, kw);
}

static inline PyObject *
none(void)
{
    Py_RETURN_NONE;
}

/* --- frames come and go --------------------------------------------------- */

static inline PyObject *
enter(PyObject *self, PyObject *const *a, size_t n, PyObject *kw)
{
    return pt_gate_enter(running()) ? inner(self, a, n, kw) : none();
}

static inline PyObject *
leave(PyObject *self, PyObject *const *a, size_t n, PyObject *kw)
{
    const pt_pyframe *f = running();
    PyObject *r = pt_gate_recorded(f) ? inner(self, a, n, kw) : none();
    pt_gate_leave(f);
    return r;
}

CALLBACK(on_enter)
{
    return pt_gate_never(code(a)) ? disable : enter(self, a, n, kw);
}

CALLBACK(on_throw)
{
    return enter(self, a, n, kw);
}

CALLBACK(on_leave)
{
    return pt_gate_never(code(a)) ? disable : leave(self, a, n, kw);
}

CALLBACK(on_unwind)
{
    return leave(self, a, n, kw);
}

/* --- what happens in one -------------------------------------------------- */

CALLBACK(on_own)
{
    if (pt_gate_never(code(a)))
        return disable;
    return pt_gate_recorded(running()) ? inner(self, a, n, kw) : none();
}

CALLBACK(on_own_always)
{
    return pt_gate_recorded(running()) ? inner(self, a, n, kw) : none();
}

vectorcallfunc
pt_filtered(enum pt_kind kind, const char *event)
{
    switch (kind) {
    case PT_CALL:
    case PT_RESUME:
        return on_enter;
    case PT_THROW:
        return on_throw;
    case PT_RETURN:
    case PT_YIELD:
        return on_leave;
    case PT_UNWIND:
        return on_unwind;
    case PT_LINE:
    case PT_INSTRUCTION:
    case PT_BRANCH:
    case PT_JUMP:
    case PT_C_CALL:
        return on_own;
    case PT_EXCEPTION:
        return strcmp(event, "STOP_ITERATION") == 0 ? on_own : on_own_always;
    default:
        return on_own_always;
    }
}

bool
pt_filtered_init(PyObject *monitoring)
{
    disable = PyObject_GetAttrString(monitoring, "DISABLE");
    return disable != NULL;
}

#endif
