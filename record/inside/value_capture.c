#include "value_capture.h"
#include "producer.h"
#include "value_cbor.h"
#include "value_encode.h"
#include "value_redact.h"

#include <string.h>

bool
pt_capture_init(void)
{
    const struct pt_config *c = &pt_producer.arena->config;
    char regex[PT_REDACT_TEXT];
    memcpy(regex, c->redact, sizeof regex - 1);
    regex[sizeof regex - 1] = '\0';
    const struct pt_value_limits limits = {.depth = c->value_depth,
                                           .length = c->value_length,
                                           .bytes = c->value_bytes,
                                           .record = c->record_bytes};
    pt_value_init(&limits);
    return pt_redact_init(regex) &&
           pt_value_code_init(c->values == PT_VALUES_LOCALS);
}

static inline uint32_t
destination(enum pt_value_role role, uint32_t index)
{
    return (uint32_t)role << PT_ROLE_SHIFT | index;
}

void
pt_capture_mark(uint32_t off, uint32_t dst, unsigned mark)
{
    const uint8_t bytes[] = {PT_CBOR_ARRAY << 5 | 1, (uint8_t)mark};
    pt_emit_value(off, dst, bytes, sizeof bytes);
}

uint64_t
pt_capture(uint32_t off, uint32_t dst, PyObject *o)
{
    uint64_t hash = pt_value_look(NULL, o);
    struct pt_encoded v = pt_value_tell(NULL, o);
    pt_emit_value(off, dst, v.data, v.size);
    return hash;
}

/* --- the arguments of Python functions -------------------------------------
 */

PyObject *
pt_capture_local(const pt_pyframe *f, const PyCodeObject *co, uint32_t i)
{
    PyObject *o = pt_compat_slot(f, i);
    if (o != NULL && pt_capture_is_cell(co, i) && PyCell_Check(o))
        return PyCell_GET(o);
    return o;
}

uint32_t
pt_capture_parameters(const PyCodeObject *co)
{
    int n = co->co_argcount + co->co_kwonlyargcount;
    n += (co->co_flags & CO_VARARGS) != 0;
    n += (co->co_flags & CO_VARKEYWORDS) != 0;
    return (uint32_t)n;
}

void
pt_capture_arguments(const pt_pyframe *f, uint32_t off)
{
    PyCodeObject *co = pt_compat_frame_code(f);
    const struct pt_value_code *c = pt_value_code(co);
    uint32_t n = pt_capture_parameters(co);
    for (uint32_t i = 0; i < n && i < c->locals; i++) {
        uint32_t dst = destination(PT_ROLE_LOCAL, i);
        if (c->secret[i])
            pt_capture_mark(off, dst, PT_MARK_REDACTED);
        else
            pt_capture(off, dst, pt_capture_local(f, co, i));
    }
}

/* --- those of C functions --------------------------------------------------
 */

/* The tuple that a call was seen to spread, before it is told
 * (PT_VALUE_SPREADS). */
static _Thread_local struct {
    const pt_pyframe *frame;
    const PyObject *tuple; /* only compared */
    uint32_t off;
} spread __attribute__((tls_model("initial-exec")));

/* A call that is about to be made, and how much of it was told. */
struct call {
    const pt_pyframe *frame;
    uint32_t off, top; /* `top`: the stack's, as an index of slots */
    uint32_t arguments, keywords;
};

/* More are not told, as nobody reads so many. */
enum { ARGUMENTS_MOST = 255 };

/* The k-th object from the top of the stack, the top being 1. */
static PyObject *
stack(const struct call *c, uint32_t k)
{
    return k <= c->top ? pt_compat_slot(c->frame, c->top - k) : NULL;
}

static void
tell_argument(struct call *c, PyObject *o)
{
    uint32_t dst = destination(PT_ROLE_ARGUMENT, c->arguments++);
    if (c->arguments <= ARGUMENTS_MOST)
        pt_capture(c->off, dst, o);
    else if (c->arguments == ARGUMENTS_MOST + 1)
        pt_capture_mark(c->off, dst, PT_MARK_UNREAD);
}

static void
tell_keyword(struct call *c, PyObject *name, PyObject *o)
{
    uint32_t dst = destination(PT_ROLE_KEYWORD, c->keywords++);
    if (c->keywords > ARGUMENTS_MOST)
        return;
    pt_value_look(name, o);
    struct pt_encoded v = pt_value_tell(name, o);
    pt_emit_value(c->off, dst, v.data, v.size);
}

/* `n` arguments whose last is the k-th from the top; of those the last have the
 * names, a tuple or NULL. */
static void
tell_positions(struct call *c, uint32_t n, uint32_t k, PyObject *names)
{
    bool named = names != NULL && PyTuple_CheckExact(names);
    uint32_t nnames = named ? (uint32_t)PyTuple_GET_SIZE(names) : 0;
    nnames = nnames < n ? nnames : n;
    for (uint32_t i = 0; i < n - nnames; i++)
        tell_argument(c, stack(c, k + n - 1 - i));
    for (uint32_t i = 0; i < nnames; i++)
        tell_keyword(c, PyTuple_GET_ITEM(names, i),
                     stack(c, k + nnames - 1 - i));
}

/* f(*tuple, **dict): the tuple is the k-th from the top. */
static void
tell_spread(struct call *c, uint32_t k, PyObject *pairs)
{
    PyObject *tuple = stack(c, k), *key, *value; /* borrowed */
    bool sure =
        !PT_VALUE_SPREADS || (spread.frame == c->frame &&
                              spread.off == c->off && spread.tuple == tuple);
    if (tuple == NULL || !sure) {
        pt_capture_mark(c->off, destination(PT_ROLE_ARGUMENT, c->arguments),
                        PT_MARK_UNREAD);
    } else if (PyTuple_CheckExact(tuple)) {
        for (Py_ssize_t i = 0;
             i < PyTuple_GET_SIZE(tuple) && c->arguments <= ARGUMENTS_MOST; i++)
            tell_argument(c, PyTuple_GET_ITEM(tuple, i));
    }
    Py_ssize_t at = 0;
    if (pairs == NULL || !PyDict_CheckExact(pairs))
        return;
    while (c->keywords <= ARGUMENTS_MOST &&
           PyDict_Next(pairs, &at, &key, &value))
        tell_keyword(c, key, value);
}

void
pt_capture_spread(const pt_pyframe *f, uint32_t off)
{
    const struct pt_value_code *c = pt_value_code(pt_compat_frame_code(f));
    const struct pt_value_unit *u = pt_value_unit(c, off);
    spread.frame = NULL;
    if (u == NULL || u->depth == PT_VALUE_NO_DEPTH)
        return;
    uint32_t k = 1 + (u->arg & 1);
    PyObject *o = u->depth >= k ? pt_compat_slot(f, c->locals + u->depth - k)
                                : NULL; /* borrowed */
    if (o == NULL || !PyTuple_CheckExact(o))
        return;
    spread.frame = f;
    spread.tuple = o;
    spread.off = off;
}

/* 3.11 and 3.12 name the keywords of a call in an instruction before it. */
static PyObject *
names_before(const struct pt_value_code *c, PyCodeObject *co, uint32_t at)
{
#ifdef KW_NAMES
    while (at > 0 && c->unit[at].op != KW_NAMES) {
        at--;
        unsigned op = c->unit[at].op;
        if (c->unit[at].at & PT_UNIT_START && op != EXTENDED_ARG &&
            op != KW_NAMES && PT_COMPAT_NOT_PRECALL(op))
            return NULL;
    }
    if (c->unit[at].op == KW_NAMES &&
        c->unit[at].arg < (uint32_t)PyTuple_GET_SIZE(co->co_consts))
        return PyTuple_GET_ITEM(co->co_consts, c->unit[at].arg);
#endif
    return NULL;
}

/* What a function of C is bound to, which is not on the stack; of a __new__,
 * it is among the arguments as well. */
static PyObject *
bound_to(PyObject *callable)
{
    if (!PyCFunction_Check(callable))
        return NULL;
    PyObject *self = PyCFunction_GET_SELF(callable);
    if (self == NULL || PyModule_Check(self) ||
        (PyType_Check(self) &&
         strcmp(((PyCFunctionObject *)callable)->m_ml->ml_name, "__new__") ==
             0))
        return NULL;
    return self;
}

void
pt_capture_c_arguments(const pt_pyframe *f, uint32_t off, PyObject *callable)
{
    PyCodeObject *co = pt_compat_frame_code(f);
    const struct pt_value_code *code = pt_value_code(co);
    const struct pt_value_unit *u = pt_value_unit(code, off);
    if (u == NULL || u->depth == PT_VALUE_NO_DEPTH)
        return;
    struct call c = {.frame = f, .off = off, .top = code->locals + u->depth};
    PyObject *self = bound_to(callable);
    PyObject *names = NULL;
    uint32_t n = u->arg, above = 0;
    if (self != NULL)
        tell_argument(&c, self);
    switch (u->op) {
#ifdef CALL_KW
    case CALL_KW:
        names = stack(&c, 1);
        above = 1;
#endif
        /* fall through */
    case CALL:
        if (names == NULL)
            names = names_before(code, co, (uint32_t)(u - code->unit));
        /* an object that a method was found in is an argument */
        if (stack(&c, above + n + (PT_COMPAT_SELF_ABOVE ? 1 : 2)) != NULL)
            n++;
        tell_positions(&c, n, above + 1, names);
        break;
    case CALL_FUNCTION_EX:
        if (PT_VALUE_SPREADS)
            tell_spread(&c, 1 + (n & 1), n & 1 ? stack(&c, 1) : NULL);
        else
            tell_spread(&c, 2, stack(&c, 1));
        break;
#ifdef LOAD_SUPER_ATTR
    case LOAD_SUPER_ATTR:
        if (n & 2)
            tell_positions(&c, 2, 1, NULL);
        break;
#endif
    default:
        break;
    }
}

PyObject *
pt_capture_top(const pt_pyframe *f, uint32_t off)
{
    const struct pt_value_code *c = pt_value_code(pt_compat_frame_code(f));
    const struct pt_value_unit *u = pt_value_unit(c, off);
    if (u == NULL || u->depth == PT_VALUE_NO_DEPTH || u->depth == 0)
        return NULL;
    return pt_compat_slot(f, c->locals + u->depth - 1);
}
