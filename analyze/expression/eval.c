/* From the nodes of an expression to its value. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"

#include <string.h>

enum { STEPS_MOST = 5000000 };
static const size_t memory_most = 64u << 20;

static const struct pt_value *eval(struct pt_eval *, const struct pt_node *);

/* --- names ----------------------------------------------------------------
 */

static int
shown(struct pt_str s)
{
    return (int)(s.len < 100 ? s.len : 100);
}

/* FOUND with a linked value; ABSENT without having failed. */
static enum pt_name_found
look_up(struct pt_eval *e, struct pt_str name, const struct pt_value **out)
{
    const struct pt_value *recorded = NULL;
    char why[PT_EXPR_TEXT] = "";
    enum pt_name_found found =
        e->scope->find ? e->scope->find(e->scope->self, name, &recorded, why)
                       : PT_NAME_ABSENT;
    *out = NULL;
    if (found == PT_NAME_UNKNOWN)
        pt_eval_unknown(e, "%s", why[0] ? why : "it was not recorded");
    else if (found == PT_NAME_FOUND && recorded->kind == PT_VALUE_UNBOUND)
        pt_eval_raise(e, "NameError: '%.*s' has no value here", shown(name),
                      name.data);
    else if (found == PT_NAME_FOUND)
        *out = pt_eval_link(e, recorded);
    return found;
}

static const struct pt_value *
named(struct pt_eval *e, struct pt_str name)
{
    const struct pt_value *value;
    if (look_up(e, name, &value) != PT_NAME_ABSENT)
        return value;
    value = pt_eval_builtin_type(e, name);
    if (value || e->failed)
        return value;
    if (pt_expr_is_builtin(name))
        return pt_eval_unknown(e, "'%.*s' can only be called", shown(name),
                               name.data);
    return pt_eval_raise(e, "NameError: name '%.*s' is not defined",
                         shown(name), name.data);
}

/* --- displays -------------------------------------------------------------
 */

/* The values of nodes, one after the other. */
static struct pt_value *
values(struct pt_eval *e, struct pt_node *const *nodes, size_t n)
{
    struct pt_value *made = pt_eval_alloc(e, n, sizeof *made);
    for (size_t i = 0; i < n && made; i++) {
        const struct pt_node *from = nodes[i];
        if (from->kind == PT_NODE_KEYWORD)
            from = from->items[0];
        const struct pt_value *v = eval(e, from);
        if (!v)
            return NULL;
        made[i] = *v;
    }
    return made;
}

static const struct pt_value *
display(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *items = values(e, node->items, node->n);
    if (!items)
        return NULL;
    switch (node->kind) {
    case PT_NODE_TUPLE:
        return pt_eval_object(e, PT_CLASS_TUPLE, PT_FORM_SEQUENCE, items,
                              node->n);
    case PT_NODE_LIST:
        return pt_eval_object(e, PT_CLASS_LIST, PT_FORM_SEQUENCE, items,
                              node->n);
    case PT_NODE_SET:
        return pt_eval_set(e, PT_CLASS_SET, items, node->n);
    default:
        return pt_eval_dict(e, items, node->n / 2);
    }
}

/* --- calls ----------------------------------------------------------------
 */

/* Appends "a.b.c" of names and attributes; false of anything else. */
static bool
dotted(const struct pt_node *node, struct pt_growing *g)
{
    if (node->kind == PT_NODE_ATTRIBUTE) {
        if (!dotted(node->items[0], g))
            return false;
        pt_growing_text(g, ".");
    } else if (node->kind != PT_NODE_NAME)
        return false;
    pt_growing_str(g, node->text);
    return !g->failed;
}

/* A type as isinstance() is given it: classes are rarely recorded, so that a
 * name stands for the type that is called so. */
static const struct pt_value *
type_named(struct pt_eval *e, const struct pt_node *node)
{
    struct pt_growing g = {0};
    const struct pt_value *made = NULL, *name;
    if (node->kind == PT_NODE_TUPLE) {
        struct pt_value *items = pt_eval_alloc(e, node->n, sizeof *items);
        for (uint32_t i = 0; items && i < node->n; i++) {
            const struct pt_value *one = type_named(e, node->items[i]);
            if (!one)
                return NULL;
            items[i] = *one;
        }
        return items ? pt_eval_object(e, PT_CLASS_TUPLE, PT_FORM_SEQUENCE,
                                      items, node->n)
                     : NULL;
    }
    made = eval(e, node);
    if (made || !dotted(node, &g)) {
        pt_growing_free(&g);
        return made;
    }
    e->failed = false;
    name = pt_eval_str_copy(e, pt_growing_whole(&g));
    pt_growing_free(&g);
    return name ? pt_eval_object(e, PT_CLASS_TYPE, PT_FORM_TEXT, name, 1)
                : NULL;
}

static const struct pt_value *
call(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_node *function = node->items[0];
    const struct pt_value *value;
    size_t n = node->n - 1, nkeywords = 0;
    if (function->kind != PT_NODE_NAME)
        return pt_eval_unknown(e, "methods are not called: nothing of the "
                                  "program is run");
    enum pt_name_found found = look_up(e, function->text, &value);
    if (found == PT_NAME_UNKNOWN || e->failed)
        return NULL;
    if (found == PT_NAME_FOUND && pt_eval_class(e, value) != PT_CLASS_TYPE &&
        pt_eval_class(e, value) != PT_CLASS_BUILTIN)
        return pt_eval_unknown(e,
                               "'%.*s' is not called: nothing of the "
                               "program is run",
                               shown(function->text), function->text.data);
    bool typed = pt_eval_is_text(function->text, "isinstance") && n == 2;
    struct pt_value *args = values(e, node->items + 1, typed ? 1 : n);
    struct pt_value both[2];
    if (!args)
        return NULL;
    if (typed) {
        const struct pt_value *type = type_named(e, node->items[2]);
        if (!type)
            return NULL;
        both[0] = args[0];
        both[1] = *type;
        args = both;
    }
    struct pt_str *keywords = pt_eval_alloc(e, n, sizeof *keywords);
    if (!keywords)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (node->items[1 + i]->kind == PT_NODE_KEYWORD)
            keywords[nkeywords++] = node->items[1 + i]->text;
    return pt_eval_call(e, function->text, args, n, keywords, nkeywords);
}

/* --- operators ------------------------------------------------------------
 */

static const struct pt_value *
compare(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *left = eval(e, node->items[0]);
    enum pt_tri answer = PT_YES;
    for (uint32_t i = 1; i < node->n && answer == PT_YES; i++) {
        const struct pt_value *right = left ? eval(e, node->items[i]) : NULL;
        if (!right)
            return NULL;
        answer =
            pt_eval_compare(e, (enum pt_operator)node->ops[i - 1], left, right);
        left = right;
    }
    return answer == PT_FAILED ? NULL : pt_eval_bool(e, answer == PT_YES);
}

/* and, or. */
static const struct pt_value *
logic(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *left = eval(e, node->items[0]);
    enum pt_tri truth = left ? pt_eval_truth(e, left) : PT_FAILED;
    if (truth == PT_FAILED)
        return NULL;
    bool decided = (truth == PT_YES) == (node->kind == PT_NODE_OR);
    return decided ? left : eval(e, node->items[1]);
}

static const struct pt_value *
choice(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *condition = eval(e, node->items[0]);
    enum pt_tri truth = condition ? pt_eval_truth(e, condition) : PT_FAILED;
    if (truth == PT_FAILED)
        return NULL;
    return eval(e, node->items[truth == PT_YES ? 1 : 2]);
}

static const struct pt_value *
subscript(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *of = eval(e, node->items[0]);
    const struct pt_node *index = node->items[1];
    if (!of)
        return NULL;
    if (index->kind != PT_NODE_SLICE) {
        const struct pt_value *at = eval(e, index);
        return at ? pt_eval_subscript(e, of, at) : NULL;
    }
    const struct pt_value *bounds[3] = {NULL, NULL, NULL};
    for (unsigned i = 0; i < 3; i++)
        if (index->items[i] && !(bounds[i] = eval(e, index->items[i])))
            return NULL;
    return pt_eval_slice(e, of, bounds);
}

static const struct pt_value *
binary(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *a = eval(e, node->items[0]);
    const struct pt_value *b = a ? eval(e, node->items[1]) : NULL;
    return b ? pt_eval_binary(e, (enum pt_operator)node->op, a, b) : NULL;
}

static const struct pt_value *
eval(struct pt_eval *e, const struct pt_node *node)
{
    const struct pt_value *a;
    enum pt_tri truth;
    if (!pt_eval_step(e))
        return NULL;
    switch ((enum pt_node_kind)node->kind) {
    case PT_NODE_CONST:
        return &node->value;
    case PT_NODE_NAME:
        return named(e, node->text);
    case PT_NODE_ATTRIBUTE:
        a = eval(e, node->items[0]);
        return a ? pt_eval_attribute(e, a, node->text) : NULL;
    case PT_NODE_SUBSCRIPT:
        return subscript(e, node);
    case PT_NODE_CALL:
        return call(e, node);
    case PT_NODE_UNARY:
        a = eval(e, node->items[0]);
        return a ? pt_eval_unary(e, (enum pt_operator)node->op, a) : NULL;
    case PT_NODE_BINARY:
        return binary(e, node);
    case PT_NODE_COMPARE:
        return compare(e, node);
    case PT_NODE_AND:
    case PT_NODE_OR:
        return logic(e, node);
    case PT_NODE_NOT:
        a = eval(e, node->items[0]);
        truth = a ? pt_eval_truth(e, a) : PT_FAILED;
        return truth == PT_FAILED ? NULL : pt_eval_bool(e, truth == PT_NO);
    case PT_NODE_CHOICE:
        return choice(e, node);
    case PT_NODE_SLICE:
    case PT_NODE_KEYWORD:
        return pt_eval_unknown(e, "a slice among several indices is not "
                                  "evaluated");
    default:
        return display(e, node);
    }
}

/* --- the whole ------------------------------------------------------------
 */

static struct pt_eval
begin(const struct pt_expr_scope *scope, struct pt_expr_result *out)
{
    *out = (struct pt_expr_result){.memory.limit = memory_most};
    return (struct pt_eval){.scope = scope, .result = out, .steps = STEPS_MOST};
}

enum pt_status
pt_expr_eval(const struct pt_expr *expr, const struct pt_expr_scope *scope,
             struct pt_expr_result *out)
{
    struct pt_eval e = begin(scope, out);
    out->value = eval(&e, expr->root);
    return PT_OK;
}

enum pt_status
pt_expr_test(const struct pt_expr *expr, const struct pt_expr_scope *scope,
             struct pt_expr_result *out, bool *truth)
{
    struct pt_eval e = begin(scope, out);
    out->value = eval(&e, expr->root);
    *truth = out->value && pt_eval_truth(&e, out->value) == PT_YES;
    if (e.failed)
        out->value = NULL;
    return PT_OK;
}

void
pt_expr_result_clear(struct pt_expr_result *r)
{
    pt_arena_clear(&r->memory);
    r->value = NULL;
}

enum pt_status
pt_expr_link(const struct pt_expr_scope *scope, const struct pt_value *value,
             struct pt_expr_result *out)
{
    struct pt_eval e = begin(scope, out);
    out->value = pt_eval_link(&e, value);
    return PT_OK;
}

int
pt_expr_equal(const struct pt_expr_scope *scope, const struct pt_value *a,
              const struct pt_value *b)
{
    struct pt_expr_result result;
    struct pt_eval e = begin(scope, &result);
    const struct pt_value *x = pt_eval_link(&e, a);
    const struct pt_value *y = x ? pt_eval_link(&e, b) : NULL;
    enum pt_tri same = y ? pt_eval_same_or_equal(&e, x, y) : PT_FAILED;
    pt_expr_result_clear(&result);
    return same == PT_FAILED ? -1 : same == PT_YES;
}
