/* Attributes, types, and the builtins that may be called. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"
#include "analyze/utf8.h"

#include <string.h>

/* --- types ----------------------------------------------------------------
 */

/* The types that are known by name, and what each derives from but object. */
static const struct {
    const char *name, *base;
} types[] = {{"bool", "int"},     {"int", NULL},     {"float", NULL},
             {"str", NULL},       {"bytes", NULL},   {"list", NULL},
             {"tuple", NULL},     {"dict", NULL},    {"set", NULL},
             {"frozenset", NULL}, {"complex", NULL}, {"range", NULL},
             {"slice", NULL},     {"type", NULL},    {"object", NULL},
             {"NoneType", NULL}};
enum { TYPES = sizeof types / sizeof *types };

static bool
is_known(struct pt_str name)
{
    for (size_t i = 0; i < TYPES; i++)
        if (pt_eval_is_text(name, types[i].name))
            return true;
    return false;
}

static const struct pt_value *
type_object(struct pt_eval *e, struct pt_str name)
{
    const struct pt_value *text = pt_eval_str_copy(e, name);
    return text ? pt_eval_object(e, PT_CLASS_TYPE, PT_FORM_TEXT, text, 1)
                : NULL;
}

const struct pt_value *
pt_eval_builtin_type(struct pt_eval *e, struct pt_str name)
{
    if (!is_known(name) || pt_eval_is_text(name, "NoneType"))
        return NULL;
    return type_object(e, name);
}

const struct pt_value *
pt_eval_type(struct pt_eval *e, const struct pt_value *v)
{
    char whole[PT_NAME_TEXT];
    if (!pt_eval_told(e, v))
        return NULL;
    if (v->kind == PT_VALUE_OBJECT)
        return type_object(e, pt_class_name(e->scope->trace, v->type, whole));
    const char *name = pt_eval_type_name(e, v, whole);
    return type_object(e, (struct pt_str){name, strlen(name)});
}

static struct pt_str
last_part(struct pt_str name)
{
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    if (!dot)
        return name;
    size_t skipped = (size_t)(dot + 1 - name.data);
    return (struct pt_str){dot + 1, name.len - skipped};
}

static bool
same_text(struct pt_str a, struct pt_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether `wanted` is the name of type `own`, with its module or without. */
static bool
is_named(struct pt_str own, struct pt_str wanted)
{
    bool dotted = wanted.len && memchr(wanted.data, '.', wanted.len);
    return same_text(own, wanted) ||
           (!dotted && same_text(last_part(own), wanted));
}

static enum pt_tri
is_of_type(struct pt_eval *e, const struct pt_value *v, struct pt_str wanted)
{
    char name[PT_NAME_TEXT];
    bool known = is_known(wanted);
    if (pt_eval_is_text(wanted, "object"))
        return PT_YES;
    for (;;) {
        const struct pt_value *own = pt_eval_type(e, v);
        if (!own)
            return PT_FAILED;
        struct pt_str is = own->items[0].s;
        if (is_named(is, wanted))
            return PT_YES;
        for (size_t i = 0; i < TYPES; i++)
            if (types[i].base && pt_eval_is_text(is, types[i].name) &&
                pt_eval_is_text(wanted, types[i].base))
                return PT_YES;
        if (v->kind != PT_VALUE_OBJECT || v->form != PT_FORM_WRAPPED || !v->n)
            break;
        v = &v->items[0];
    }
    /* What a named tuple is, too, is not told. */
    bool tuple = v->kind == PT_VALUE_OBJECT && v->form >= PT_FORM_RECORD &&
                 pt_eval_is_text(wanted, "tuple");
    bool opaque = v->kind == PT_VALUE_OBJECT && v->form == PT_FORM_OPAQUE &&
                  pt_eval_is_instance(e, v);
    if (known && !tuple && !opaque)
        return PT_NO;
    pt_eval_unknown(e, "what '%s' derives from is not recorded",
                    pt_eval_type_name(e, v, name));
    return PT_FAILED;
}

enum pt_tri
pt_eval_isinstance(struct pt_eval *e, const struct pt_value *v,
                   const struct pt_value *type)
{
    if (!pt_eval_told(e, v) || !pt_eval_told(e, type) || !pt_eval_step(e))
        return PT_FAILED;
    if (pt_eval_class(e, type) == PT_CLASS_TYPE && type->n &&
        type->items[0].kind == PT_VALUE_STR)
        return is_of_type(e, v, type->items[0].s);
    if (pt_eval_class(e, type) != PT_CLASS_TUPLE || type->cut) {
        pt_eval_raise(e, "TypeError: isinstance() arg 2 must be a type, a "
                         "tuple of types, or a union");
        return PT_FAILED;
    }
    for (uint32_t i = 0; i < type->n; i++) {
        enum pt_tri one = pt_eval_isinstance(e, v, &type->items[i]);
        if (one != PT_NO)
            return one;
    }
    return PT_NO;
}

/* --- attributes -----------------------------------------------------------
 */

/* An attribute of a number's or a type's own; NULL where it has none such. */
static const struct pt_value *
own_attribute(struct pt_eval *e, const struct pt_value *v, struct pt_str name)
{
    static const struct {
        const char *name;
        enum pt_class class;
        uint32_t item;
    } parts[] = {{"real", PT_CLASS_COMPLEX, 0}, {"imag", PT_CLASS_COMPLEX, 1},
                 {"start", PT_CLASS_RANGE, 0},  {"stop", PT_CLASS_RANGE, 1},
                 {"step", PT_CLASS_RANGE, 2},   {"start", PT_CLASS_SLICE, 0},
                 {"stop", PT_CLASS_SLICE, 1},   {"step", PT_CLASS_SLICE, 2}};
    enum pt_class class = pt_eval_class(e, v);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (class == parts[i].class && parts[i].item < v->n &&
            v->form == PT_FORM_NUMBERS && pt_eval_is_text(name, parts[i].name))
            return &v->items[parts[i].item];
    if (class == PT_CLASS_TYPE && v->n && v->items[0].kind == PT_VALUE_STR &&
        pt_eval_is_text(name, "__name__"))
        return pt_eval_str_copy(e, last_part(v->items[0].s));
    return NULL;
}

const struct pt_value *
pt_eval_attribute(struct pt_eval *e, const struct pt_value *v,
                  struct pt_str name)
{
    char type[PT_NAME_TEXT];
    int len = (int)(name.len < 100 ? name.len : 100);
    if (!pt_eval_told(e, v))
        return NULL;
    if (pt_eval_is_text(name, "__class__"))
        return pt_eval_type(e, v);
    bool special = name.len > 1 && memcmp(name.data, "__", 2) == 0;
    if (v->kind == PT_VALUE_NONE && !special)
        return pt_eval_raise(e,
                             "AttributeError: 'NoneType' object has no "
                             "attribute '%.*s'",
                             len, name.data);
    const char *what = pt_eval_type_name(e, v, type);
    bool attributes = v->kind == PT_VALUE_OBJECT &&
                      (v->form == PT_FORM_RECORD || v->form == PT_FORM_WRAPPED);
    uint32_t first = attributes && v->form == PT_FORM_WRAPPED ? 1 : 0;
    for (uint32_t i = first; attributes && i + 1 < v->n; i += 2)
        if (v->items[i].kind == PT_VALUE_STR && same_text(v->items[i].s, name))
            return &v->items[i + 1];
    const struct pt_value *own = own_attribute(e, v, name);
    if (own || e->failed)
        return own;
    if (attributes && v->cut)
        return pt_eval_cut(e, v);
    if (attributes)
        return pt_eval_unknown(e,
                               "'%s' has no recorded attribute '%.*s'; what "
                               "classes and properties give is not recorded",
                               what, len, name.data);
    if (pt_eval_is_instance(e, v))
        return pt_eval_unknown(e, "of a '%s' no attributes are recorded", what);
    return pt_eval_unknown(e,
                           "attribute '%.*s' of '%s' is not recorded; "
                           "methods are not run",
                           len, name.data, what);
}

/* --- the builtins ---------------------------------------------------------
 */

struct call {
    const struct pt_value *args; /* by position */
    size_t n;
    const struct pt_value *reverse;   /* keywords, NULL where not given */
    const struct pt_value *otherwise; /* default= */
};

typedef const struct pt_value *builtin(struct pt_eval *, const struct call *);

static const struct pt_value *
answer(struct pt_eval *e, enum pt_tri t)
{
    return t == PT_FAILED ? NULL : pt_eval_bool(e, t == PT_YES);
}

static const struct pt_value *
call_len(struct pt_eval *e, const struct call *c)
{
    return pt_eval_length(e, &c->args[0]);
}

static const struct pt_value *
call_str(struct pt_eval *e, const struct call *c)
{
    return c->n ? pt_eval_to_str(e, &c->args[0])
                : pt_eval_str_copy(e, (struct pt_str){"", 0});
}

static const struct pt_value *
call_repr(struct pt_eval *e, const struct call *c)
{
    return pt_eval_repr(e, &c->args[0]);
}

static const struct pt_value *
call_type(struct pt_eval *e, const struct call *c)
{
    return pt_eval_type(e, &c->args[0]);
}

static const struct pt_value *
call_isinstance(struct pt_eval *e, const struct call *c)
{
    return answer(e, pt_eval_isinstance(e, &c->args[0], &c->args[1]));
}

static const struct pt_value *
call_abs(struct pt_eval *e, const struct call *c)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(&c->args[0]);
    if (!pt_eval_told(e, v))
        return NULL;
    if (pt_eval_is_instance(e, v) || pt_eval_class(e, v) == PT_CLASS_COMPLEX)
        return pt_eval_unknown(e, "abs() of a '%s' is not evaluated",
                               pt_eval_type_name(e, v, name));
    if (!pt_eval_is_number(v))
        return pt_eval_raise(e, "TypeError: bad operand type for abs(): '%s'",
                             pt_eval_type_name(e, v, name));
    if (v->kind == PT_VALUE_FLOAT)
        return pt_eval_float(e, __builtin_fabs(v->f));
    return pt_eval_unary(e, v->i < 0 ? PT_OP_NEGATE : PT_OP_PLUS, v);
}

static const struct pt_value *
extreme(struct pt_eval *e, const struct call *c, enum pt_operator op,
        const char *name)
{
    struct pt_items all = {.items = c->args, .n = c->n};
    if (c->n == 1 && !pt_eval_items(e, &c->args[0], &all))
        return NULL;
    if (all.n == 0 && c->otherwise)
        return c->otherwise;
    if (all.n == 0)
        return pt_eval_raise(e,
                             e->scope->hexversion >= 0x030c0000
                                 ? "ValueError: %s() iterable argument is empty"
                                 : "ValueError: %s() arg is an empty sequence",
                             name);
    const struct pt_value *best = &all.items[0];
    for (size_t i = 1; i < all.n; i++) {
        enum pt_tri better = pt_eval_compare(e, op, &all.items[i], best);
        if (better == PT_FAILED)
            return NULL;
        if (better == PT_YES)
            best = &all.items[i];
    }
    return best;
}

static const struct pt_value *
call_min(struct pt_eval *e, const struct call *c)
{
    return extreme(e, c, PT_OP_LT, "min");
}

static const struct pt_value *
call_max(struct pt_eval *e, const struct call *c)
{
    return extreme(e, c, PT_OP_GT, "max");
}

static const struct pt_value *
call_sum(struct pt_eval *e, const struct call *c)
{
    struct pt_items all;
    const struct pt_value zero = {.kind = PT_VALUE_INT};
    const struct pt_value *start = c->n > 1 ? &c->args[1] : &zero;
    if (!pt_eval_items(e, &c->args[0], &all))
        return NULL;
    if (start->kind == PT_VALUE_STR)
        return pt_eval_raise(e, "TypeError: sum() can't sum strings [use "
                                "''.join(seq) instead]");
    if (start->kind == PT_VALUE_BYTES)
        return pt_eval_raise(e, "TypeError: sum() can't sum bytes [use "
                                "b''.join(seq) instead]");
    const struct pt_value *total = pt_eval_sum(e, all.items, all.n, start);
    return total == &zero ? pt_eval_i64(e, 0) : total;
}

static const struct pt_value *
quantified(struct pt_eval *e, const struct call *c, enum pt_tri decisive)
{
    struct pt_items all;
    if (!pt_eval_items(e, &c->args[0], &all))
        return NULL;
    for (size_t i = 0; i < all.n; i++) {
        enum pt_tri one = pt_eval_truth(e, &all.items[i]);
        if (one == PT_FAILED)
            return NULL;
        if (one == decisive)
            return pt_eval_bool(e, decisive == PT_YES);
    }
    return pt_eval_bool(e, decisive != PT_YES);
}

static const struct pt_value *
call_any(struct pt_eval *e, const struct call *c)
{
    return quantified(e, c, PT_YES);
}

static const struct pt_value *
call_all(struct pt_eval *e, const struct call *c)
{
    return quantified(e, c, PT_NO);
}

static const struct pt_value *
call_bool(struct pt_eval *e, const struct call *c)
{
    return c->n ? answer(e, pt_eval_truth(e, &c->args[0]))
                : pt_eval_bool(e, false);
}

static const struct pt_value *
call_int(struct pt_eval *e, const struct call *c)
{
    return c->n == 0
               ? pt_eval_i64(e, 0)
               : pt_eval_int_of(e, &c->args[0], c->n > 1 ? &c->args[1] : NULL);
}

static const struct pt_value *
call_float(struct pt_eval *e, const struct call *c)
{
    return c->n ? pt_eval_float_of(e, &c->args[0]) : pt_eval_float(e, 0);
}

/* What an argument iterates, if there is one, in Python's order. */
static bool
ordered(struct pt_eval *e, const struct call *c, struct pt_items *all)
{
    *all = (struct pt_items){0};
    if (c->n && !pt_eval_items(e, &c->args[0], all))
        return false;
    if (all->unordered)
        pt_eval_unknown(e, "the order of a set that ptana made is not known");
    return !all->unordered;
}

static const struct pt_value *
call_list(struct pt_eval *e, const struct call *c)
{
    struct pt_items all;
    return ordered(e, c, &all)
               ? pt_eval_object(e, PT_CLASS_LIST, PT_FORM_SEQUENCE, all.items,
                                all.n)
               : NULL;
}

static const struct pt_value *
call_tuple(struct pt_eval *e, const struct call *c)
{
    struct pt_items all;
    return ordered(e, c, &all)
               ? pt_eval_object(e, PT_CLASS_TUPLE, PT_FORM_SEQUENCE, all.items,
                                all.n)
               : NULL;
}

static const struct pt_value *
call_set(struct pt_eval *e, const struct call *c)
{
    struct pt_items all = {0};
    if (c->n && !pt_eval_items(e, &c->args[0], &all))
        return NULL;
    return pt_eval_set(e, PT_CLASS_SET, all.items, all.n);
}

static const struct pt_value *
call_frozenset(struct pt_eval *e, const struct call *c)
{
    struct pt_items all = {0};
    if (c->n && !pt_eval_items(e, &c->args[0], &all))
        return NULL;
    return pt_eval_set(e, PT_CLASS_FROZENSET, all.items, all.n);
}

static const struct pt_value *
call_dict(struct pt_eval *e, const struct call *c)
{
    const struct pt_value *v = c->n ? pt_eval_plain(&c->args[0]) : NULL;
    if (!v)
        return pt_eval_dict(e, NULL, 0);
    if (!pt_eval_told(e, v))
        return NULL;
    if (v->kind != PT_VALUE_OBJECT || v->form != PT_FORM_MAPPING)
        return pt_eval_unknown(e, "dict() of what is no dict is not evaluated");
    return v->cut ? pt_eval_cut(e, v) : pt_eval_dict(e, v->items, v->n / 2);
}

/* Merges two sorted runs, the left one first among equals. */
static bool
merge(struct pt_eval *e, const struct pt_value *from, struct pt_value *to,
      size_t left, size_t middle, size_t right)
{
    size_t i = left, k = middle;
    for (size_t at = left; at < right; at++) {
        enum pt_tri later = PT_NO;
        if (i < middle && k < right)
            later = pt_eval_compare(e, PT_OP_LT, &from[k], &from[i]);
        if (later == PT_FAILED)
            return false;
        bool second = i == middle || (k < right && later == PT_YES);
        to[at] = second ? from[k++] : from[i++];
    }
    return true;
}

static const struct pt_value *
call_sorted(struct pt_eval *e, const struct call *c)
{
    struct pt_items all;
    if (!pt_eval_items(e, &c->args[0], &all))
        return NULL;
    enum pt_tri reverse = c->reverse ? pt_eval_truth(e, c->reverse) : PT_NO;
    struct pt_value *a = pt_eval_alloc(e, all.n, sizeof *a), *swap;
    struct pt_value *b = pt_eval_alloc(e, all.n, sizeof *b);
    if (!a || !b || reverse == PT_FAILED)
        return NULL;
    /* Equal ones keep their order, reversed or not: as Python, from a reversed
     * list to a reversed list. */
    for (size_t i = 0; i < all.n; i++)
        a[i] = all.items[reverse == PT_YES ? all.n - 1 - i : i];
    for (size_t width = 1; width < all.n; width *= 2) {
        for (size_t left = 0; left < all.n; left += 2 * width) {
            size_t middle = left + width < all.n ? left + width : all.n;
            size_t right = middle + width < all.n ? middle + width : all.n;
            if (!merge(e, a, b, left, middle, right))
                return NULL;
        }
        swap = a;
        a = b;
        b = swap;
    }
    for (size_t i = 0; reverse == PT_YES && i < all.n; i++)
        b[i] = a[all.n - 1 - i];
    if (reverse == PT_YES)
        a = b;
    return pt_eval_object(e, PT_CLASS_LIST, PT_FORM_SEQUENCE, a, all.n);
}

static const struct pt_value *
call_ord(struct pt_eval *e, const struct call *c)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(&c->args[0]);
    uint32_t code = 0;
    if (!pt_eval_told(e, v))
        return NULL;
    bool str = v->kind == PT_VALUE_STR;
    if (!str && v->kind != PT_VALUE_BYTES)
        return pt_eval_raise(e,
                             "TypeError: ord() expected string of length 1, "
                             "but %s found",
                             pt_eval_type_name(e, v, name));
    if (v->length != 1)
        return pt_eval_raise(e,
                             "TypeError: ord() expected a character, but "
                             "string of length %llu found",
                             (unsigned long long)v->length);
    if (v->s.len == 0)
        return pt_eval_cut(e, v);
    if (str)
        pt_utf8_next(v->s.data, v->s.len, &code);
    else
        code = (unsigned char)v->s.data[0];
    return pt_eval_i64(e, code);
}

static const struct {
    const char *name;
    builtin *call;
    unsigned least, most; /* arguments */
} builtins[] = {
    {"len", call_len, 1, 1},
    {"str", call_str, 0, 1},
    {"repr", call_repr, 1, 1},
    {"type", call_type, 1, 1},
    {"isinstance", call_isinstance, 2, 2},
    {"abs", call_abs, 1, 1},
    {"min", call_min, 1, UINT32_MAX},
    {"max", call_max, 1, UINT32_MAX},
    {"sum", call_sum, 1, 2},
    {"any", call_any, 1, 1},
    {"all", call_all, 1, 1},
    {"sorted", call_sorted, 1, 1},
    {"int", call_int, 0, 2},
    {"float", call_float, 0, 1},
    {"bool", call_bool, 0, 1},
    {"list", call_list, 0, 1},
    {"tuple", call_tuple, 0, 1},
    {"set", call_set, 0, 1},
    {"frozenset", call_frozenset, 0, 1},
    {"dict", call_dict, 0, 1},
    {"ord", call_ord, 1, 1},
};
enum { BUILTINS = sizeof builtins / sizeof *builtins };

static size_t
builtin_index(struct pt_str name)
{
    size_t i = 0;
    while (i < BUILTINS && !pt_eval_is_text(name, builtins[i].name))
        i++;
    return i;
}

bool
pt_expr_is_builtin(struct pt_str name)
{
    return builtin_index(name) < BUILTINS;
}

const struct pt_value *
pt_eval_call(struct pt_eval *e, struct pt_str name, const struct pt_value *args,
             size_t n, const struct pt_str *keywords, size_t nkeywords)
{
    size_t i = builtin_index(name);
    int len = (int)(name.len < 100 ? name.len : 100);
    struct call c = {.args = args, .n = n - nkeywords};
    if (i == BUILTINS)
        return pt_eval_unknown(e,
                               "'%.*s' is not called: nothing of the "
                               "program is run",
                               len, name.data);
    bool extremes =
        builtins[i].call == call_min || builtins[i].call == call_max;
    for (size_t k = 0; k < nkeywords; k++) {
        const struct pt_value *given = &args[c.n + k];
        if (pt_eval_is_text(keywords[k], "reverse") &&
            builtins[i].call == call_sorted)
            c.reverse = given;
        else if (pt_eval_is_text(keywords[k], "default") && extremes &&
                 c.n == 1)
            c.otherwise = given;
        else
            return pt_eval_unknown(e,
                                   "%s() is not evaluated with a keyword "
                                   "argument like this",
                                   builtins[i].name);
    }
    unsigned least = builtins[i].least, most = builtins[i].most;
    unsigned wanted = c.n < least ? least : most;
    if (c.n >= least && c.n <= most)
        return builtins[i].call(e, &c);
    if (most == 1 && least == 1)
        return pt_eval_raise(e,
                             "TypeError: %s() takes exactly one argument "
                             "(%zu given)",
                             builtins[i].name, c.n);
    return pt_eval_raise(e, "TypeError: %s expected %s%u argument%s, got %zu",
                         builtins[i].name,
                         least == most ? ""
                         : c.n < least ? "at least "
                                       : "at most ",
                         wanted, wanted == 1 ? "" : "s", c.n);
}
