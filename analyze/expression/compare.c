/* Truth, identity, equality and order, none of which is ever guessed. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"

#include <math.h>
#include <string.h>

/* How deep two values are compared: Python gives up too. */
enum { DEPTH_MOST = 200 };

static enum pt_tri
tri(bool yes)
{
    return yes ? PT_YES : PT_NO;
}

static enum pt_tri
untold(struct pt_eval *e, const struct pt_value *v, const char *what)
{
    char name[PT_NAME_TEXT];
    pt_eval_unknown(e,
                    "%s of a '%s' is up to its class, which ptana does not "
                    "run",
                    what, pt_eval_type_name(e, v, name));
    return PT_FAILED;
}

enum pt_tri
pt_eval_truth(struct pt_eval *e, const struct pt_value *value)
{
    const struct pt_value *v = pt_eval_plain(value);
    if (!pt_eval_told(e, v))
        return PT_FAILED;
    switch ((enum pt_value_kind)v->kind) {
    case PT_VALUE_NONE:
        return PT_NO;
    case PT_VALUE_BOOL:
    case PT_VALUE_INT:
        return tri(v->i != 0);
    case PT_VALUE_FLOAT:
        return tri(v->f != 0);
    case PT_VALUE_STR:
    case PT_VALUE_BYTES:
        return tri(v->length != 0);
    case PT_VALUE_OBJECT:
        break;
    default:
        return PT_YES;
    }
    switch (pt_eval_class(e, v)) {
    case PT_CLASS_TYPE:
    case PT_CLASS_FUNCTION:
    case PT_CLASS_BUILTIN:
    case PT_CLASS_MODULE:
    case PT_CLASS_SLICE:
        return PT_YES;
    case PT_CLASS_COMPLEX:
        if (v->n == 2)
            return tri(pt_eval_truth(e, &v->items[0]) == PT_YES ||
                       pt_eval_truth(e, &v->items[1]) == PT_YES);
        return untold(e, v, "the truth");
    case PT_CLASS_RANGE: {
        const struct pt_value *n = pt_eval_length(e, v);
        return n ? tri(n->i != 0) : PT_FAILED;
    }
    default:
        if (pt_eval_is_instance(e, v) || v->form > PT_FORM_MAPPING)
            return untold(e, v, "the truth");
        return tri(v->length != 0);
    }
}

/* --- identity -------------------------------------------------------------
 */

/* Objects of which there is one. */
static bool
is_single(const struct pt_value *v)
{
    return v->kind == PT_VALUE_NONE || v->kind == PT_VALUE_ELLIPSIS ||
           v->kind == PT_VALUE_NOTIMPLEMENTED || v->kind == PT_VALUE_BOOL;
}

static bool
same_kind(const struct pt_value *a, const struct pt_value *b)
{
    bool ints = (a->kind == PT_VALUE_INT || a->kind == PT_VALUE_BIGINT) &&
                (b->kind == PT_VALUE_INT || b->kind == PT_VALUE_BIGINT);
    return a->kind == b->kind || ints;
}

static bool
same_type(const struct pt_eval *e, const struct pt_value *a,
          const struct pt_value *b)
{
    enum pt_class class = pt_eval_class(e, a);
    return a->type == b->type ||
           (class != PT_CLASS_OTHER && class == pt_eval_class(e, b));
}

/* Types are told by name, and the text is all of them. */
static bool
are_types(const struct pt_eval *e, const struct pt_value *a,
          const struct pt_value *b)
{
    return pt_eval_class(e, a) == PT_CLASS_TYPE &&
           pt_eval_class(e, b) == PT_CLASS_TYPE && a->n && b->n;
}

enum pt_tri
pt_eval_is(struct pt_eval *e, const struct pt_value *a,
           const struct pt_value *b)
{
    if (!pt_eval_told(e, a) || !pt_eval_told(e, b))
        return PT_FAILED;
    if (!same_kind(a, b))
        return PT_NO;
    if (is_single(a))
        return tri(a->kind != PT_VALUE_BOOL || a->i == b->i);
    if (a == b)
        return PT_YES;
    if (a->kind == PT_VALUE_OBJECT) {
        if (are_types(e, a, b))
            return pt_eval_equal(e, &a->items[0], &b->items[0]);
        if (a->number && a->number == b->number)
            return PT_YES;
        if (!same_type(e, a, b))
            return PT_NO;
    } else if (pt_eval_equal(e, a, b) == PT_NO)
        return PT_NO;
    pt_eval_unknown(e, "whether these are the same object is not recorded; "
                       "compare with ==");
    return PT_FAILED;
}

/* --- equality -------------------------------------------------------------
 */

static enum pt_tri
strings_equal(struct pt_eval *e, const struct pt_value *a,
              const struct pt_value *b)
{
    size_t n = a->s.len < b->s.len ? a->s.len : b->s.len;
    if (a->length != b->length || (n && memcmp(a->s.data, b->s.data, n) != 0))
        return PT_NO;
    if (a->cut || b->cut) {
        pt_eval_cut(e, a->cut ? a : b);
        return PT_FAILED;
    }
    return tri(a->s.len == b->s.len);
}

/* What is left to say of several answers: a NO is one whatever else is not
 * known, and then the failure is forgotten. */
static bool
settle(struct pt_eval *e, enum pt_tri one, bool *unknown)
{
    if (one != PT_FAILED)
        return true;
    *unknown = true;
    return pt_eval_forgive(e);
}

/* Nothing was found to differ: equal, where that is all there is. */
static enum pt_tri
all_told(struct pt_eval *e, const struct pt_value *a, const struct pt_value *b,
         bool unknown)
{
    if (a->cut || b->cut)
        pt_eval_cut(e, a->cut ? a : b);
    else if (unknown)
        pt_eval_unknown(e, "whether some of the items are equal is not known");
    else
        return PT_YES;
    return PT_FAILED;
}

static enum pt_tri
sequences_equal(struct pt_eval *e, const struct pt_value *a,
                const struct pt_value *b)
{
    uint32_t n = a->n < b->n ? a->n : b->n;
    bool unknown = false;
    if (a->length != b->length)
        return PT_NO;
    for (uint32_t i = 0; i < n; i++) {
        enum pt_tri same = pt_eval_same_or_equal(e, &a->items[i], &b->items[i]);
        if (same == PT_NO)
            return PT_NO;
        if (!settle(e, same, &unknown))
            return PT_FAILED;
    }
    return all_told(e, a, b, unknown || n < a->length);
}

/* Each key of `a` is one of `b`, and, of dicts, has an equal value there. */
static enum pt_tri
entries_equal(struct pt_eval *e, const struct pt_value *a,
              const struct pt_value *b, uint32_t step)
{
    bool unknown = false;
    if (a->length != b->length)
        return PT_NO;
    for (uint32_t i = 0; i + step <= a->n; i += step) {
        enum pt_tri found = PT_NO;
        bool perhaps = false;
        for (uint32_t k = 0; k + step <= b->n && found == PT_NO; k += step) {
            found = pt_eval_same_or_equal(e, &a->items[i], &b->items[k]);
            if (found == PT_YES && step == 2) {
                enum pt_tri same = pt_eval_same_or_equal(e, &a->items[i + 1],
                                                         &b->items[k + 1]);
                if (same == PT_NO)
                    return PT_NO;
                if (!settle(e, same, &unknown))
                    return PT_FAILED;
            }
            if (!settle(e, found, &perhaps))
                return PT_FAILED;
            if (found == PT_FAILED)
                found = PT_NO;
        }
        if (found == PT_NO && !perhaps && !b->cut)
            return PT_NO;
        unknown = unknown || found == PT_NO;
    }
    return all_told(e, a, b, unknown);
}

/* The name of an enum's member; NULL of what is none. */
static const struct pt_value *
member_name(const struct pt_value *v)
{
    uint32_t first = v->form == PT_FORM_WRAPPED ? 1 : 0;
    if (v->kind != PT_VALUE_OBJECT ||
        (v->form != PT_FORM_RECORD && v->form != PT_FORM_WRAPPED))
        return NULL;
    for (uint32_t i = first; i + 1 < v->n; i += 2)
        if (v->items[i].kind == PT_VALUE_STR &&
            pt_eval_is_text(v->items[i].s, "_name_"))
            return &v->items[i + 1];
    return NULL;
}

static enum pt_tri
instances_equal(struct pt_eval *e, const struct pt_value *a,
                const struct pt_value *b)
{
    const struct pt_value *x = member_name(a), *y = member_name(b);
    if (x && y && a->type == b->type)
        return pt_eval_equal(e, x, y);
    bool instance = pt_eval_is_instance(e, a);
    return untold(e, instance ? a : b, "equality");
}

static enum pt_tri
ranges_equal(struct pt_eval *e, const struct pt_value *a,
             const struct pt_value *b)
{
    const struct pt_value *n = pt_eval_length(e, a), *m = pt_eval_length(e, b);
    if (!n || !m)
        return PT_FAILED;
    enum pt_tri same = pt_eval_equal(e, n, m);
    if (same != PT_YES || n->i == 0)
        return same;
    same = pt_eval_equal(e, &a->items[0], &b->items[0]);
    return same != PT_YES || n->i == 1
               ? same
               : pt_eval_equal(e, &a->items[2], &b->items[2]);
}

static enum pt_tri
objects_equal(struct pt_eval *e, const struct pt_value *a,
              const struct pt_value *b)
{
    enum pt_class class = pt_eval_class(e, a);
    if (are_types(e, a, b))
        return pt_eval_equal(e, &a->items[0], &b->items[0]);
    if (pt_eval_is_instance(e, a) || pt_eval_is_instance(e, b))
        return instances_equal(e, a, b);
    if (a->form != b->form)
        return PT_NO;
    switch (a->form) {
    case PT_FORM_SET:
        return entries_equal(e, a, b, 1);
    case PT_FORM_MAPPING:
        return entries_equal(e, a, b, 2);
    case PT_FORM_SEQUENCE:
        return same_type(e, a, b) ? sequences_equal(e, a, b) : PT_NO;
    default:
        break;
    }
    if (class != pt_eval_class(e, b))
        return PT_NO;
    if (class == PT_CLASS_RANGE && a->n == 3 && b->n == 3)
        return ranges_equal(e, a, b);
    if (a->form == PT_FORM_NUMBERS)
        return sequences_equal(e, a, b);
    return pt_eval_is(e, a, b);
}

/* Whether both are numbers, and what == has for them. */
static bool
numbers_equal(struct pt_eval *e, const struct pt_value *a,
              const struct pt_value *b, enum pt_tri *out)
{
    if (!pt_eval_is_number(a) || !pt_eval_is_number(b))
        return false;
    /* Of an int that was too large the sign and the bits are known. */
    if (a->cut || b->cut) {
        const struct pt_value *cut = a->cut ? a : b, *other = a->cut ? b : a;
        *out = PT_NO;
        if (other->kind == PT_VALUE_FLOAT ||
            (other->cut && other->length == cut->length && a->i == b->i)) {
            pt_eval_cut(e, cut);
            *out = PT_FAILED;
        }
    } else
        *out = tri(pt_eval_order(a, b) == 0);
    return true;
}

static enum pt_tri
equal(struct pt_eval *e, const struct pt_value *a, const struct pt_value *b)
{
    enum pt_tri answer;
    if (!pt_eval_told(e, a) || !pt_eval_told(e, b) || !pt_eval_step(e))
        return PT_FAILED;
    if (numbers_equal(e, a, b, &answer))
        return answer;
    bool instance = pt_eval_is_instance(e, a) || pt_eval_is_instance(e, b);
    bool complex = pt_eval_class(e, a) == PT_CLASS_COMPLEX ||
                   pt_eval_class(e, b) == PT_CLASS_COMPLEX;
    if (complex && (pt_eval_is_number(a) || pt_eval_is_number(b))) {
        pt_eval_unknown(e, "complex numbers are not calculated with");
        return PT_FAILED;
    }
    if (a->kind != b->kind)
        return instance ? instances_equal(e, a, b) : PT_NO;
    if (a->kind == PT_VALUE_STR || a->kind == PT_VALUE_BYTES)
        return strings_equal(e, a, b);
    return a->kind == PT_VALUE_OBJECT ? objects_equal(e, a, b) : PT_YES;
}

enum pt_tri
pt_eval_equal(struct pt_eval *e, const struct pt_value *a,
              const struct pt_value *b)
{
    if (++e->depth > DEPTH_MOST) {
        e->depth--;
        pt_eval_raise(e, "RecursionError: maximum recursion depth exceeded in "
                         "comparison");
        return PT_FAILED;
    }
    /* A member of an enum that is an int, too, keeps its wrapping. */
    bool members = member_name(a) && member_name(b) && a->type == b->type;
    enum pt_tri answer =
        members ? equal(e, a, b) : equal(e, pt_eval_plain(a), pt_eval_plain(b));
    e->depth--;
    return answer;
}

enum pt_tri
pt_eval_same_or_equal(struct pt_eval *e, const struct pt_value *a,
                      const struct pt_value *b)
{
    bool objects = a->kind == PT_VALUE_OBJECT && b->kind == PT_VALUE_OBJECT;
    if (a == b || (objects && a->number && a->number == b->number))
        return PT_YES;
    if (a->kind == PT_VALUE_FLOAT && b->kind == PT_VALUE_FLOAT && isnan(a->f) &&
        isnan(b->f)) {
        pt_eval_unknown(e, "whether the two nan are the same object is not "
                           "recorded");
        return PT_FAILED;
    }
    return pt_eval_equal(e, a, b);
}

/* --- order ----------------------------------------------------------------
 */

static bool
holds(enum pt_operator op, int order)
{
    switch (op) {
    case PT_OP_LT:
        return order < 0;
    case PT_OP_LE:
        return order <= 0;
    case PT_OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* By bytes, which in UTF-8 is by code points. */
static enum pt_tri
strings_order(struct pt_eval *e, enum pt_operator op, const struct pt_value *a,
              const struct pt_value *b)
{
    size_t n = a->s.len < b->s.len ? a->s.len : b->s.len;
    int c = n ? memcmp(a->s.data, b->s.data, n) : 0;
    if (c)
        return tri(holds(op, c));
    bool within =
        (a->cut && a->s.len <= b->s.len) || (b->cut && b->s.len <= a->s.len);
    if (within) {
        pt_eval_cut(e, a->cut ? a : b);
        return PT_FAILED;
    }
    return tri(holds(op, (a->s.len > b->s.len) - (a->s.len < b->s.len)));
}

static enum pt_tri
sequences_order(struct pt_eval *e, enum pt_operator op,
                const struct pt_value *a, const struct pt_value *b)
{
    uint32_t n = a->n < b->n ? a->n : b->n;
    for (uint32_t i = 0; i < n; i++) {
        enum pt_tri same = pt_eval_same_or_equal(e, &a->items[i], &b->items[i]);
        if (same == PT_NO)
            return pt_eval_compare(e, op, &a->items[i], &b->items[i]);
        if (same == PT_FAILED)
            return PT_FAILED;
    }
    bool within = (a->cut && n < b->length) || (b->cut && n < a->length);
    if (within && n < a->length && n < b->length) {
        pt_eval_cut(e, a->cut ? a : b);
        return PT_FAILED;
    }
    return tri(holds(op, (a->length > b->length) - (a->length < b->length)));
}

static enum pt_tri
numbers_order(struct pt_eval *e, enum pt_operator op, const struct pt_value *a,
              const struct pt_value *b)
{
    if (a->cut || b->cut) {
        pt_eval_cut(e, a->cut ? a : b);
        return PT_FAILED;
    }
    int order = pt_eval_order(a, b);
    return tri(order != 2 && holds(op, order));
}

static enum pt_tri
sets_order(struct pt_eval *e, enum pt_operator op, const struct pt_value *a,
           const struct pt_value *b)
{
    int order = pt_eval_set_order(e, a, b);
    if (order == 3)
        return PT_FAILED;
    return tri(order != 2 && holds(op, order));
}

static enum pt_tri
order(struct pt_eval *e, enum pt_operator op, const struct pt_value *a,
      const struct pt_value *b)
{
    char left[PT_NAME_TEXT], right[PT_NAME_TEXT];
    if (pt_eval_is_number(a) && pt_eval_is_number(b))
        return numbers_order(e, op, a, b);
    bool instance = pt_eval_is_instance(e, a) || pt_eval_is_instance(e, b);
    if (!instance && a->kind == b->kind) {
        if (a->kind == PT_VALUE_STR || a->kind == PT_VALUE_BYTES)
            return strings_order(e, op, a, b);
        if (a->kind == PT_VALUE_OBJECT && a->form == PT_FORM_SEQUENCE &&
            b->form == PT_FORM_SEQUENCE && same_type(e, a, b))
            return sequences_order(e, op, a, b);
        if (a->kind == PT_VALUE_OBJECT && a->form == PT_FORM_SET &&
            b->form == PT_FORM_SET)
            return sets_order(e, op, a, b);
    }
    if (instance)
        return untold(e, pt_eval_is_instance(e, a) ? a : b, "the order");
    pt_eval_raise(e,
                  "TypeError: '%s' not supported between instances of '%s' "
                  "and '%s'",
                  pt_operator_text[op], pt_eval_type_name(e, a, left),
                  pt_eval_type_name(e, b, right));
    return PT_FAILED;
}

enum pt_tri
pt_eval_compare(struct pt_eval *e, enum pt_operator op,
                const struct pt_value *left, const struct pt_value *right)
{
    const struct pt_value *a = pt_eval_plain(left), *b = pt_eval_plain(right);
    enum pt_tri answer;
    switch (op) {
    case PT_OP_EQ:
        return pt_eval_equal(e, left, right);
    case PT_OP_NE:
        answer = pt_eval_equal(e, left, right);
        return answer == PT_FAILED ? answer : tri(answer == PT_NO);
    case PT_OP_IS:
        return pt_eval_is(e, left, right);
    case PT_OP_IS_NOT:
        answer = pt_eval_is(e, left, right);
        return answer == PT_FAILED ? answer : tri(answer == PT_NO);
    case PT_OP_IN:
        return pt_eval_contains(e, right, left);
    case PT_OP_NOT_IN:
        answer = pt_eval_contains(e, right, left);
        return answer == PT_FAILED ? answer : tri(answer == PT_NO);
    default:
        break;
    }
    if (!pt_eval_told(e, a) || !pt_eval_told(e, b) || !pt_eval_step(e))
        return PT_FAILED;
    if (++e->depth > DEPTH_MOST) {
        pt_eval_raise(e, "RecursionError: maximum recursion depth exceeded in "
                         "comparison");
        answer = PT_FAILED;
    } else
        answer = order(e, op, a, b);
    e->depth--;
    return answer;
}
