/* One table, keyed on opcode names; what a name does not tell is keyed on the
 * version.  Opcodes without a row have the meaning that their flags in the log
 * give them: a constant, a name, a local variable or cell, a jump.
 *
 *              3.11            3.12                 3.13
 * LOAD_GLOBAL  NULL + x        NULL + x             x + NULL
 * LOAD_ATTR    x               NULL|self + x        x + NULL|self
 * COMPARE_OP   arg             arg >> 4             arg >> 5, 16: bool(...)
 *
 * LOAD_SUPER_ATTR (3.12) marks its name as LOAD_ATTR does, and 3.15 a name that
 * is imported lazily.  END_ASYNC_FOR (3.14) names the SEND it ends.  IS_OP and
 * CONTAINS_OP are told for every version, as dis of 3.14 has it. */
#include "analyze/operand.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_3_12 = 0x030c0000, HEX_3_13 = 0x030d0000, HEX_3_15 = 0x030f0000 };

enum form {
    FORM_UNKNOWN, /* not looked up yet */
    FORM_NUMBER,  /* no more than its number */
    FORM_CONST,
    FORM_NAME,
    FORM_GLOBAL,
    FORM_ATTR,
    FORM_SUPER,
    FORM_LOCAL,
    FORM_PAIR,
    FORM_JUMP,
    FORM_FROM, /* as a jump, but it comes from there */
    FORM_IMPORT,
    FORM_COMPARE,
    FORM_WORD,  /* one of a list */
    FORM_FLAGS, /* those of a list whose bits are set */
    FORM_FORMAT
};

static const char *const comparisons[] = {"<", "<=", "==", "!=", ">", ">="};
static const char *const operators[] = {
    "+",  "&",  "//", "<<",  "@",   "*",  "%",   "|",   "**",
    ">>", "-",  "/",  "^",   "+=",  "&=", "//=", "<<=", "@=",
    "*=", "%=", "|=", "**=", ">>=", "-=", "/=",  "^=",  "[]"};
static const char *const unary[] = {
    "INTRINSIC_1_INVALID",         "INTRINSIC_PRINT",
    "INTRINSIC_IMPORT_STAR",       "INTRINSIC_STOPITERATION_ERROR",
    "INTRINSIC_ASYNC_GEN_WRAP",    "INTRINSIC_UNARY_POSITIVE",
    "INTRINSIC_LIST_TO_TUPLE",     "INTRINSIC_TYPEVAR",
    "INTRINSIC_PARAMSPEC",         "INTRINSIC_TYPEVARTUPLE",
    "INTRINSIC_SUBSCRIPT_GENERIC", "INTRINSIC_TYPEALIAS"};
static const char *const binary[] = {"INTRINSIC_2_INVALID",
                                     "INTRINSIC_PREP_RERAISE_STAR",
                                     "INTRINSIC_TYPEVAR_WITH_BOUND",
                                     "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
                                     "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
                                     "INTRINSIC_SET_TYPEPARAM_DEFAULT"};
static const char *const conversions[] = {"", "str", "repr", "ascii"};
static const char *const parts[] = {"defaults", "kwdefaults", "annotations",
                                    "closure", "annotate"};
static const char *const laziness[] = {NULL, "lazy", "eager", "lazy"};
static const char *const specials[] = {"__enter__", "__exit__", "__aenter__",
                                       "__aexit__"};
static const char *const common[] = {"AssertionError",
                                     "NotImplementedError",
                                     "tuple",
                                     "<built-in function all>",
                                     "<built-in function any>",
                                     "list",
                                     "set",
                                     "None",
                                     "''",
                                     "True",
                                     "False",
                                     "-1"};
static const char *const membership[] = {"in", "not in"};
static const char *const identity[] = {"is", "is not"};

#define WORDS(list) list, sizeof(list) / sizeof *(list)
static const struct rule {
    const char *name;
    enum form form;
    const char *const *words;
    size_t n;
} rules[] = {
    {"LOAD_GLOBAL", FORM_GLOBAL, NULL, 0},
    {"LOAD_ATTR", FORM_ATTR, NULL, 0},
    {"LOAD_SUPER_ATTR", FORM_SUPER, NULL, 0},
    {"LOAD_FAST_LOAD_FAST", FORM_PAIR, NULL, 0},
    {"LOAD_FAST_BORROW_LOAD_FAST_BORROW", FORM_PAIR, NULL, 0},
    {"STORE_FAST_LOAD_FAST", FORM_PAIR, NULL, 0},
    {"STORE_FAST_STORE_FAST", FORM_PAIR, NULL, 0},
    {"END_ASYNC_FOR", FORM_FROM, NULL, 0},
    {"IMPORT_NAME", FORM_IMPORT, NULL, 0},
    {"COMPARE_OP", FORM_COMPARE, NULL, 0},
    {"BINARY_OP", FORM_WORD, WORDS(operators)},
    {"CALL_INTRINSIC_1", FORM_WORD, WORDS(unary)},
    {"CALL_INTRINSIC_2", FORM_WORD, WORDS(binary)},
    {"CONVERT_VALUE", FORM_WORD, WORDS(conversions)},
    {"LOAD_COMMON_CONSTANT", FORM_WORD, WORDS(common)},
    {"LOAD_SPECIAL", FORM_WORD, WORDS(specials)},
    {"CONTAINS_OP", FORM_WORD, WORDS(membership)},
    {"IS_OP", FORM_WORD, WORDS(identity)},
    {"MAKE_FUNCTION", FORM_FLAGS, WORDS(parts)},
    {"SET_FUNCTION_ATTRIBUTE", FORM_FLAGS, WORDS(parts)},
    {"FORMAT_VALUE", FORM_FORMAT, NULL, 0},
};

/* What is looked up once: of an interpreter, and of a code object. */
struct forms {
    uint8_t form[256]; /* enum form */
    uint8_t rule[256]; /* index into rules, where it has one */
};
struct starts {
    uint32_t n;
    uint32_t *at; /* entry at which each item of the constants begins */
};

struct pt_operands {
    const struct pt_trace *trace;
    uint32_t ncodes, npythons;
    struct starts *starts; /* by code id */
    struct forms *forms;   /* by interpreter id */
};

enum pt_status
pt_operands_new(const struct pt_trace *trace, struct pt_operands **out)
{
    struct pt_operands *o = calloc(1, sizeof *o);
    if (!o)
        return PT_ENOMEM;
    o->trace = trace;
    o->ncodes = pt_trace_code_count(trace);
    o->npythons = pt_trace_interpreter_count(trace);
    o->starts = calloc((size_t)o->ncodes + 1, sizeof *o->starts);
    o->forms = calloc((size_t)o->npythons + 1, sizeof *o->forms);
    if (!o->starts || !o->forms) {
        pt_operands_free(o);
        return PT_ENOMEM;
    }
    *out = o;
    return PT_OK;
}

void
pt_operands_free(struct pt_operands *o)
{
    if (!o)
        return;
    for (uint32_t i = 0; o->starts && i <= o->ncodes; i++)
        free(o->starts[i].at);
    free(o->starts);
    free(o->forms);
    free(o);
}

/* --- looking up -----------------------------------------------------------
 */

static enum form
form_by_flags(unsigned flags)
{
    return !(flags & PT_OP_ARG)                              ? FORM_NUMBER
           : flags & PT_OP_CONST                             ? FORM_CONST
           : flags & PT_OP_NAME                              ? FORM_NAME
           : flags & (PT_OP_JREL | PT_OP_JBACK | PT_OP_JABS) ? FORM_JUMP
           : flags & (PT_OP_LOCAL | PT_OP_FREE)              ? FORM_LOCAL
                                                             : FORM_NUMBER;
}

static enum form
form_of(struct forms *f, const struct pt_opcode *op, uint8_t opcode)
{
    if (f->form[opcode] != FORM_UNKNOWN)
        return (enum form)f->form[opcode];
    f->form[opcode] = (uint8_t)form_by_flags(op->flags);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (op->flags & PT_OP_ARG && strlen(rules[i].name) == op->name.len &&
            memcmp(rules[i].name, op->name.data, op->name.len) == 0) {
            f->form[opcode] = (uint8_t)rules[i].form;
            f->rule[opcode] = (uint8_t)i;
        }
    return (enum form)f->form[opcode];
}

static const struct pt_interpreter *
python_of(const struct pt_operands *o, const struct pt_code *code)
{
    return code && code->interpreter <= o->npythons
               ? pt_trace_interpreter(o->trace, code->interpreter)
               : NULL;
}

const struct pt_opcode *
pt_operands_opcode(const struct pt_operands *o, uint32_t id,
                   const struct pt_ins *ins)
{
    const struct pt_interpreter *python =
        python_of(o, pt_trace_code(o->trace, id));
    return python ? &python->opcodes[ins->opcode] : NULL;
}

/* The constants are in pre-order: where the items lie has to be counted. */
static const struct starts *
starts_of(struct pt_operands *o, uint32_t id, const struct pt_code *code)
{
    struct starts *s = &o->starts[id];
    if (s->at || code->nconsts == 0 || code->nconsts > UINT32_MAX)
        return s;
    s->at = malloc(code->nconsts * sizeof *s->at);
    for (size_t i = 0; s->at && i < code->nconsts;
         i += pt_const_size(code->consts + i, code->nconsts - i))
        s->at[s->n++] = (uint32_t)i;
    return s;
}

/* --- writing --------------------------------------------------------------
 */

static void
put_one(struct pt_growing *g, const struct pt_str *names, size_t n,
        uint32_t index)
{
    if (index < n)
        pt_growing_str(g, names[index]);
}

/* A name whose argument's lowest bit tells of what is pushed beside it. */
static void
put_marked(struct pt_growing *g, const struct pt_code *code, uint32_t index,
           const char *mark, bool behind)
{
    if (index >= code->nnames)
        return;
    if (mark && !behind) {
        pt_growing_text(g, mark);
        pt_growing_text(g, " + ");
    }
    pt_growing_str(g, code->names[index]);
    if (mark && behind) {
        pt_growing_text(g, " + ");
        pt_growing_text(g, mark);
    }
}

static void
put_jump(struct pt_growing *g, const char *word, const struct pt_opcode *op,
         const struct pt_ins *ins)
{
    char text[32];
    int64_t unit =
        op->flags & PT_OP_JABS ? 0 : (int64_t)ins->off / 2 + 1 + op->caches;
    unit += op->flags & PT_OP_JBACK ? -(int64_t)ins->arg : (int64_t)ins->arg;
    if (unit < 0)
        return;
    snprintf(text, sizeof text, "%s +%" PRId64, word, 2 * unit);
    pt_growing_text(g, text);
}

static void
put_comparison(struct pt_growing *g, uint32_t version, uint32_t arg)
{
    bool newer = version >= HEX_3_13;
    uint32_t index = newer ? arg >> 5 : version >= HEX_3_12 ? arg >> 4 : arg;
    if (index >= sizeof comparisons / sizeof *comparisons)
        return;
    pt_growing_text(g, newer && arg & 16 ? "bool(" : "");
    pt_growing_text(g, comparisons[index]);
    pt_growing_text(g, newer && arg & 16 ? ")" : "");
}

static void
put_flags(struct pt_growing *g, const struct rule *rule, uint32_t arg)
{
    const char *between = "";
    for (size_t i = 0; i < rule->n; i++)
        if (arg >> i & 1) {
            pt_growing_text(g, between);
            pt_growing_text(g, rule->words[i]);
            between = ", ";
        }
}

static void
put_format(struct pt_growing *g, uint32_t arg)
{
    pt_growing_text(g, conversions[arg & 3]);
    if (arg & 4) {
        pt_growing_text(g, arg & 3 ? ", " : "");
        pt_growing_text(g, "with format");
    }
}

static void
put_const(struct pt_operands *o, uint32_t id, const struct pt_code *code,
          uint32_t arg, struct pt_growing *g)
{
    const struct starts *s = starts_of(o, id, code);
    if (arg < s->n)
        pt_repr_const(g, o->trace, code->consts + s->at[arg],
                      code->nconsts - s->at[arg]);
}

void
pt_operands_put(struct pt_operands *o, uint32_t id, const struct pt_ins *ins,
                struct pt_growing *g)
{
    const struct pt_code *code =
        id <= o->ncodes ? pt_trace_code(o->trace, id) : NULL;
    const struct pt_interpreter *python = python_of(o, code);
    if (!python)
        return;
    struct forms *forms = &o->forms[code->interpreter];
    const struct pt_opcode *op = &python->opcodes[ins->opcode];
    uint32_t arg = ins->arg, version = python->hexversion;
    bool behind = version >= HEX_3_13;
    enum form form = form_of(forms, op, ins->opcode);
    const struct rule *rule = &rules[forms->rule[ins->opcode]];
    switch (form) {
    case FORM_CONST:
        put_const(o, id, code, arg, g);
        break;
    case FORM_NAME:
        put_one(g, code->names, code->nnames, arg);
        break;
    case FORM_GLOBAL:
        put_marked(g, code, arg >> 1, arg & 1 ? "NULL" : NULL, behind);
        break;
    case FORM_ATTR:
        if (version < HEX_3_12)
            put_one(g, code->names, code->nnames, arg);
        else
            put_marked(g, code, arg >> 1, arg & 1 ? "NULL|self" : NULL, behind);
        break;
    case FORM_SUPER:
        put_marked(g, code, arg >> 2, arg & 1 ? "NULL|self" : NULL, behind);
        break;
    case FORM_PAIR:
        put_one(g, code->locals, code->nlocalsplus, arg >> 4);
        pt_growing_text(g, ", ");
        put_one(g, code->locals, code->nlocalsplus, arg & 15);
        break;
    case FORM_LOCAL:
        put_one(g, code->locals, code->nlocalsplus, arg);
        break;
    case FORM_JUMP:
        put_jump(g, "to", op, ins);
        break;
    case FORM_FROM:
        put_jump(g, "from", op, ins);
        break;
    case FORM_IMPORT:
        if (version < HEX_3_15)
            put_one(g, code->names, code->nnames, arg);
        else
            put_marked(g, code, arg >> 2, laziness[arg & 3], behind);
        break;
    case FORM_COMPARE:
        put_comparison(g, version, arg);
        break;
    case FORM_WORD:
        pt_growing_text(g, arg < rule->n ? rule->words[arg] : "");
        break;
    case FORM_FLAGS:
        put_flags(g, rule, arg);
        break;
    case FORM_FORMAT:
        put_format(g, arg);
        break;
    case FORM_UNKNOWN:
    case FORM_NUMBER:
        break;
    }
}
