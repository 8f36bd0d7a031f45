#include "value_code.h"
#include "value_redact.h"

#include "opcodes.h" /* generated for this interpreter */

#include <stdlib.h>
#include <string.h>

enum { UNIT = sizeof(_Py_CODEUNIT) };

Py_ssize_t pt_value_code_extra;
uint8_t pt_value_ops[256];

/* Of a code object that there was no memory for. */
static struct pt_value_code nothing;
static bool follow_lines;

/* --- opcodes ---------------------------------------------------------------
 */

/* What changes objects, or runs code that can. */
static const struct {
    const char *name;
    uint8_t kind;
} kinds[] = {
    {"CALL", PT_OP_CALLS | PT_OP_CHANGES},
    {"CALL_KW", PT_OP_CALLS | PT_OP_CHANGES},
    {"CALL_FUNCTION_EX", PT_OP_CALLS | PT_OP_CHANGES},
    {"LOAD_SUPER_ATTR", PT_OP_CALLS},
    {"STORE_SUBSCR", PT_OP_CHANGES},
    {"STORE_SLICE", PT_OP_CHANGES},
    {"STORE_ATTR", PT_OP_CHANGES},
    {"DELETE_SUBSCR", PT_OP_CHANGES},
    {"DELETE_ATTR", PT_OP_CHANGES},
    {"BEFORE_WITH", PT_OP_CHANGES},
    {"BEFORE_ASYNC_WITH", PT_OP_CHANGES},
    {"WITH_EXCEPT_START", PT_OP_CHANGES},
    {"SEND", PT_OP_CHANGES},
    {"YIELD_VALUE", PT_OP_CHANGES},
    {"BINARY_OP", PT_OP_CHANGES}, /* in place */
    {"STORE_FAST", PT_OP_STORES},
    {"DELETE_FAST", PT_OP_STORES},
    {"STORE_DEREF", PT_OP_STORES},
    {"DELETE_DEREF", PT_OP_STORES},
    {"STORE_FAST_STORE_FAST", PT_OP_STORES | PT_OP_TWO},
    {"STORE_FAST_LOAD_FAST", PT_OP_STORES | PT_OP_TWO | PT_OP_FIRST},
    {"LOAD_FAST", PT_OP_LOADS},
    {"LOAD_FAST_CHECK", PT_OP_LOADS},
    {"LOAD_FAST_BORROW", PT_OP_LOADS},
    {"LOAD_FAST_LOAD_FAST", PT_OP_LOADS | PT_OP_TWO},
    {"LOAD_FAST_BORROW_LOAD_FAST_BORROW", PT_OP_LOADS | PT_OP_TWO},
    {"LOAD_DEREF", PT_OP_LOADS},
    {"LOAD_CLASSDEREF", PT_OP_LOADS},
    {"LOAD_FROM_DICT_OR_DEREF", PT_OP_LOADS},
    {"STORE_NAME", PT_OP_STORES | PT_OP_IS_NAME},
    {"DELETE_NAME", PT_OP_STORES | PT_OP_IS_NAME},
    {"STORE_GLOBAL", PT_OP_STORES | PT_OP_IS_NAME},
    {"DELETE_GLOBAL", PT_OP_STORES | PT_OP_IS_NAME},
    {"LOAD_NAME", PT_OP_LOADS | PT_OP_IS_NAME},
    {"LOAD_GLOBAL", PT_OP_LOADS | PT_OP_IS_NAME | PT_OP_SHIFTED},
};

static void
learn_opcodes(void)
{
    for (int op = 0; op < 256; op++)
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (opcode_table[op].name != NULL &&
                strcmp(opcode_table[op].name, kinds[i].name) == 0)
                pt_value_ops[op] = kinds[i].kind;
}

/* --- one code object -------------------------------------------------------
 */

static void
release(void *code)
{
    struct pt_value_code *c = code;
    if (c == NULL || c == &nothing)
        return;
    free(c->unit);
    free(c->run);
    free(c->uses);
    free(c->secret);
    free(c);
}

/* Fills in the instructions, and which of them come after calls. */
static void
decode(struct pt_value_code *c, const unsigned char *code)
{
    uint32_t at = 0, arg = 0, back = 0;
    while (at < c->units) {
        struct pt_value_unit *u = &c->unit[at];
        uint8_t op = code[at * UNIT];
        *u = (struct pt_value_unit){.op = op,
                                    .at = PT_UNIT_START,
                                    .arg = arg << 8 | code[at * UNIT + 1],
                                    .back = (uint8_t)back};
        if (back != 0)
            u->at |= PT_UNIT_RESULT;
        if (PT_VALUE_SPREADS && op == CALL_FUNCTION_EX)
            u->at |= PT_UNIT_SPREAD;
        uint32_t size = 1u + opcode_table[op].caches;
        arg = op == EXTENDED_ARG ? u->arg : 0;
        back = pt_value_ops[op] & PT_OP_CALLS ? size : 0;
        at += size;
    }
}

static void
find_secrets(struct pt_value_code *c, PyCodeObject *co)
{
    for (uint32_t i = 0; i < c->locals; i++)
        c->secret[i] =
            pt_redact_name(PyTuple_GET_ITEM(co->co_localsplusnames, i));
    for (uint32_t i = 0; i < c->names; i++)
        c->secret[c->locals + i] =
            pt_redact_name(PyTuple_GET_ITEM(co->co_names, i));
}

static bool
fill(struct pt_value_code *c, PyCodeObject *co)
{
    PyObject *bytes = PyCode_GetCode(co); /* owned */
    if (bytes == NULL)
        return false;
    c->units = (uint32_t)((size_t)PyBytes_GET_SIZE(bytes) / UNIT);
    c->locals = (uint32_t)co->co_nlocalsplus;
    c->unit = calloc(c->units + 1, sizeof *c->unit);
    bool ok = c->unit != NULL;
    if (ok) {
        decode(c, (const unsigned char *)PyBytes_AS_STRING(bytes));
        ok = pt_value_depths(c, co) && (!follow_lines || pt_value_runs(c, co));
    }
    Py_DECREF(bytes);
    if (ok)
        c->secret = calloc(c->locals + c->names + 1, 1);
    if (!ok || c->secret == NULL)
        return false;
    find_secrets(c, co);
    return true;
}

const struct pt_value_code *
pt_value_code_make(PyCodeObject *co)
{
    /* a pending exception, and a failure of ours, stay invisible */
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    struct pt_value_code *c = calloc(1, sizeof *c);
    if (c == NULL || !fill(c, co) ||
        pt_compat_extra_set(co, pt_value_code_extra, c) < 0) {
        release(c);
        c = &nothing;
    }
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return c;
}

bool
pt_value_code_init(bool lines)
{
    learn_opcodes();
    follow_lines = lines;
    pt_value_code_extra = pt_compat_extra_request(release);
    PyErr_Clear();
    return pt_value_code_extra >= 0;
}
