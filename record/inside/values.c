/* What is told when:
 *
 *   PY_START        the arguments, behind it
 *   CALL of C       its arguments, behind it
 *   INSTRUCTION     the result, where a call of C has just returned; what the
 *                   run before did, where another begins
 *   PY_RETURN PY_YIELD  what the run did, and the value, before it
 *   PY_RESUME       what was sent, behind it
 *   RAISE           what the run did, before it; the exception, behind it
 *
 * INSTRUCTION is switched off for good where none of that can be: what is left
 * of it is about one event a call, and one a line (spec/cpython.md). */
#include "values.h"

#if PT_HAVE_MONITORING
#include "value_capture.h"
#include "value_lines.h"

#include <stdio.h>
#include <string.h>

static struct {
    PyObject *disable; /* owned, for good */
    bool lines;        /* --values=locals */
    bool instructions; /* they are recorded for their own sake */
    unsigned at; /* enum pt_value_unit_flag: where INSTRUCTION is wanted */
} values;

/* A call of C that has returned in the frame, and whose result the instruction
 * after it will show. */
static _Thread_local struct {
    const pt_pyframe *frame;
    uint32_t off;
} returned __attribute__((tls_model("initial-exec")));

static inline const pt_pyframe *
running(void)
{
    return pt_compat_current(pt_compat_tstate());
}

static inline PyObject *
plain(PyObject *self, PyObject *const *a, size_t n, PyObject *kw)
{
    return pt_callback_of(self)->plain(self, a, n, kw);
}

static inline uint32_t
role(enum pt_value_role r)
{
    return (uint32_t)r << PT_ROLE_SHIFT;
}

/* --- calls -----------------------------------------------------------------
 */

CALLBACK(on_start)
{
    PyObject *r = plain(self, a, n, kw);
    const pt_pyframe *f = running();
    uint32_t off = pt_compat_small(a[1]);
    if (values.lines)
        pt_lines_enter(f, off);
    else
        pt_capture_arguments(f, off);
    return r;
}

/* Only what is worth it: nearly all are sent None. */
CALLBACK(on_resume)
{
    PyObject *r = plain(self, a, n, kw);
    const pt_pyframe *f = running();
    uint32_t off = pt_compat_small(a[1]);
    PyObject *sent = pt_capture_top(f, off); /* borrowed */
    if (sent != NULL && sent != Py_None)
        pt_capture(off, role(PT_ROLE_SENT), sent);
    return r;
}

CALLBACK(on_leave)
{
    uint32_t off = pt_compat_small(a[1]);
    if (values.lines)
        pt_lines_tell(running(), off);
    pt_capture(off, role(PT_ROLE_RETURN), a[2]);
    return plain(self, a, n, kw);
}

CALLBACK(on_c_call)
{
    PyObject *r = plain(self, a, n, kw);
    returned.frame = NULL;
    if (pt_calls_c(a[2]))
        pt_capture_c_arguments(running(), pt_compat_small(a[1]), a[2]);
    return r;
}

CALLBACK(on_c_return)
{
    PyObject *r = plain(self, a, n, kw);
    if (pt_calls_c(a[2])) {
        returned.frame = running();
        returned.off = pt_compat_small(a[1]);
    }
    return r;
}

/* --- exceptions ------------------------------------------------------------
 */

CALLBACK(on_raise)
{
    uint32_t off = pt_compat_small(a[1]);
    const pt_pyframe *f = running();
    returned.frame = NULL;
    /* What is reported can be a code unit before the instruction. */
    if (values.lines)
        pt_lines_break(f, pt_compat_frame_off(f));
    PyObject *r = plain(self, a, n, kw);
    pt_capture(off, role(PT_ROLE_EXCEPTION), a[2]);
    return r;
}

/* --- instructions ----------------------------------------------------------
 */

static void
tell_result(const pt_pyframe *f, const struct pt_value_unit *u, uint32_t off)
{
    uint32_t back = (uint32_t)(u->back * sizeof(_Py_CODEUNIT));
    if (returned.frame != f || returned.off + back != off)
        return;
    returned.frame = NULL;
    PyObject *top = pt_capture_top(f, off); /* borrowed */
    if (top != NULL)
        pt_capture(off, role(PT_ROLE_RESULT), top);
}

/* An event of another code object than the frame's is of an extension's. */
CALLBACK(on_instruction)
{
    const pt_pyframe *f = running();
    uint32_t off = pt_compat_small(a[1]);
    const struct pt_value_unit *u =
        pt_value_unit(pt_value_code((PyCodeObject *)a[0]), off);
    unsigned at = u != NULL ? u->at & values.at : 0;
    if (at & PT_UNIT_RESULT)
        tell_result(f, u, off);
    if (at & PT_UNIT_RUN)
        pt_lines_next(f, off, u->run);
    if (at & PT_UNIT_SPREAD)
        pt_capture_spread(f, off);
    if (values.instructions)
        return plain(self, a, n, kw);
    if (at == 0)
        return values.disable;
    Py_RETURN_NONE;
}

/* -------------------------------------------------------------------------- */

bool
pt_values_init(PyObject *monitoring, char *why, size_t whylen)
{
    bool calls = pt_producer.events >> PT_C_CALL & 1;
    if (!PT_VALUES_KNOWN) {
        snprintf(why, whylen, "%s", PT_VALUES_REFUSED);
        return false;
    }
    values.lines = pt_producer.values == PT_VALUES_LOCALS;
    values.instructions = pt_producer.events >> PT_INSTRUCTION & 1;
    values.at = (values.lines ? PT_UNIT_RUN : 0u) |
                (calls ? PT_UNIT_RESULT | PT_UNIT_SPREAD : 0u);
    values.disable = PyObject_GetAttrString(monitoring, "DISABLE");
    if (values.disable != NULL && pt_capture_init())
        return true;
    snprintf(why, whylen, "--redact: no regular expression, or no memory");
    return false;
}

vectorcallfunc
pt_values_callback(const char *event)
{
    static const struct {
        const char *event;
        vectorcallfunc call;
    } table[] = {
        {"PY_START", on_start},  {"PY_RESUME", on_resume},
        {"PY_RETURN", on_leave}, {"PY_YIELD", on_leave},
        {"CALL", on_c_call},     {"C_RETURN", on_c_return},
        {"RAISE", on_raise},     {"INSTRUCTION", on_instruction},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].event, event) == 0)
            return table[i].call;
    return NULL;
}
#endif
