#include "legacy_code.h"

#if !PT_HAVE_MONITORING
#include "opcodes.h" /* generated for this interpreter */

#include <pt/log.h>

#define NEED_OPCODE_TABLES
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <internal/pycore_opcode.h>
#pragma GCC diagnostic pop

struct pt_legacy_op pt_legacy_ops[256];

static enum pt_turn
turn(unsigned op)
{
    switch (op) {
    case EXTENDED_ARG:
        return PT_TURN_EXTEND;
    case JUMP_FORWARD:
    case SEND:
        return PT_TURN_JUMP;
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
        return PT_TURN_BACK;
    case YIELD_VALUE:
    case RETURN_VALUE:
    case RAISE_VARARGS:
    case RERAISE:
        return PT_TURN_AWAY;
    default:
        return opcode_table[op].flags & (PT_OP_JREL | PT_OP_JBACK | PT_OP_JABS)
                   ? PT_TURN_BRANCH
                   : PT_TURN_NONE;
    }
}

void
pt_legacy_ops_init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint8_t plain = _PyOpcode_Deopt[i];
        uint8_t units = (uint8_t)(1 + _PyOpcode_Caches[plain]);
        enum pt_turn t = turn(plain);
        pt_legacy_ops[i] = (struct pt_legacy_op){
            .width = t == PT_TURN_NONE ? units : PT_FAR,
            .units = units,
            .turn = (uint8_t)t,
            .rethrow = plain == RERAISE || plain == RAISE_VARARGS ||
                       plain == END_ASYNC_FOR,
            .plain = plain,
        };
    }
}

const _Py_CODEUNIT *
pt_legacy_extended(const _Py_CODEUNIT *at, uint32_t *arg)
{
    *arg = _Py_OPARG(*at);
    while (pt_legacy_op(at)->turn == PT_TURN_EXTEND) {
        at++;
        *arg = *arg << 8 | _Py_OPARG(*at);
    }
    return at;
}

const _Py_CODEUNIT *
pt_legacy_instruction(const pt_pyframe *f)
{
    const _Py_CODEUNIT *i = _PyCode_CODE(f->f_code);
    if (f->prev_instr < i)
        return i;
    while (i + pt_legacy_op(i)->units <= f->prev_instr)
        i += pt_legacy_op(i)->units;
    return i;
}

/* --- raising again -------------------------------------------------------- */

/* The frame's stack is saved before each trace event. */
static inline PyObject *
peek(const pt_pyframe *f, int depth)
{
    int i = f->stacktop - depth;
    return i >= f->f_code->co_nlocalsplus ? f->localsplus[i] : NULL;
}

/* The exception that a bare `raise` finds; it complains in the ordinary way
 * where there is none. */
static PyObject *
handled_exception(PyThreadState *t)
{
    const _PyErr_StackItem *item = t->exc_info;
    while ((item->exc_value == NULL || item->exc_value == Py_None) &&
           item->previous_item != NULL)
        item = item->previous_item;
    return item->exc_value;
}

PyTypeObject *
pt_legacy_rethrows(PyThreadState *t, const pt_pyframe *f, uint32_t *last)
{
    const _Py_CODEUNIT *at = f->prev_instr;
    int arg = (int)_Py_OPARG(*at);
    PyObject *value = NULL, *saved = NULL; /* borrowed */
    switch (pt_legacy_op(at)->plain) {
    case RERAISE:
        value = peek(f, 1);
        saved = arg != 0 ? peek(f, arg + 1) : NULL;
        break;
    case RAISE_VARARGS:
        value = arg == 0 ? handled_exception(t) : NULL;
        break;
    case END_ASYNC_FOR:
        value = peek(f, 1);
        if (value != NULL &&
            PyErr_GivenExceptionMatches(value, PyExc_StopAsyncIteration))
            return NULL;
        break;
    default:
        break;
    }
    if (value == NULL || !PyExceptionInstance_Check(value))
        return NULL;
    *last = saved != NULL && PyLong_CheckExact(saved)
                ? pt_compat_small(saved) * (uint32_t)sizeof(_Py_CODEUNIT)
                : pt_legacy_off(f, at);
    return Py_TYPE(value);
}

#endif
