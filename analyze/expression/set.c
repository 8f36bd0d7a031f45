/* Sets and dicts: without what comes twice, and what sets are to each other. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"

#include <string.h>

/* What within a value has no hash; NULL where all has one. */
static const struct pt_value *
unhashable(struct pt_eval *e, const struct pt_value *value, unsigned depth)
{
    const struct pt_value *v = pt_eval_plain(value), *found = NULL;
    /* Once the steps are used up, the evaluation has failed already. */
    if (v->kind != PT_VALUE_OBJECT || depth == PT_REPR_DEPTH ||
        !pt_eval_step(e))
        return NULL;
    enum pt_class class = pt_eval_class(e, v);
    if (class == PT_CLASS_TUPLE && v->form == PT_FORM_SEQUENCE) {
        for (uint32_t i = 0; !found && i < v->n; i++)
            found = unhashable(e, &v->items[i], depth + 1);
        return found;
    }
    bool set = v->form == PT_FORM_SET && class != PT_CLASS_FROZENSET;
    bool list = v->form == PT_FORM_SEQUENCE || v->form == PT_FORM_MAPPING;
    return list || set ? v : NULL;
}

bool
pt_eval_hashable(struct pt_eval *e, const struct pt_value *v, const char *as)
{
    char whole[PT_NAME_TEXT], part[PT_NAME_TEXT];
    const struct pt_value *found = unhashable(e, v, 0);
    if (!found)
        return !e->failed;
    const char *type = pt_eval_type_name(e, found, part);
    if (e->scope->hexversion >= 0x030e0000)
        pt_eval_raise(e,
                      "TypeError: cannot use '%s' as a %s (unhashable type: "
                      "'%s')",
                      pt_eval_type_name(e, v, whole), as, type);
    else
        pt_eval_raise(e, "TypeError: unhashable type: '%s'", type);
    return false;
}

/* Where `item` is among the first `n`, by steps; n where it is not; false where
 * that is not known. */
static bool
find(struct pt_eval *e, const struct pt_value *items, size_t n, size_t step,
     const struct pt_value *item, size_t *at)
{
    for (*at = 0; *at < n; *at += step) {
        enum pt_tri found = pt_eval_same_or_equal(e, &items[*at], item);
        if (found != PT_NO)
            return found == PT_YES;
    }
    return true;
}

const struct pt_value *
pt_eval_set(struct pt_eval *e, enum pt_class class,
            const struct pt_value *items, size_t n)
{
    struct pt_value *kept = pt_eval_alloc(e, n, sizeof *kept);
    size_t used = 0, at;
    for (size_t i = 0; i < n && kept; i++) {
        if (!pt_eval_hashable(e, &items[i], "set element") ||
            !find(e, kept, used, 1, &items[i], &at))
            return NULL;
        if (at == used)
            kept[used++] = items[i];
    }
    return kept ? pt_eval_object(e, class, PT_FORM_SET, kept, used) : NULL;
}

const struct pt_value *
pt_eval_dict(struct pt_eval *e, const struct pt_value *pairs, size_t n)
{
    struct pt_value *kept = pt_eval_alloc(e, n, 2 * sizeof *kept);
    size_t used = 0, at;
    for (size_t i = 0; i < n && kept; i++) {
        if (!pt_eval_hashable(e, &pairs[2 * i], "dict key") ||
            !find(e, kept, used, 2, &pairs[2 * i], &at))
            return NULL;
        if (at == used) {
            kept[used] = pairs[2 * i];
            used += 2;
        }
        kept[at + 1] = pairs[2 * i + 1];
    }
    return kept ? pt_eval_object(e, PT_CLASS_DICT, PT_FORM_MAPPING, kept, used)
                : NULL;
}

const struct pt_value *
pt_eval_set_operation(struct pt_eval *e, enum pt_operator op,
                      const struct pt_value *a, const struct pt_value *b)
{
    if (a->cut || b->cut)
        return pt_eval_cut(e, a->cut ? a : b);
    struct pt_value *kept = pt_eval_alloc(e, (size_t)a->n + b->n, sizeof *kept);
    size_t used = 0, at;
    for (uint32_t i = 0; kept && i < a->n; i++) {
        if (!find(e, b->items, b->n, 1, &a->items[i], &at))
            return NULL;
        bool common = at < b->n;
        if (op == PT_OP_BITOR || common == (op == PT_OP_BITAND))
            kept[used++] = a->items[i];
    }
    bool both = op == PT_OP_BITOR || op == PT_OP_BITXOR;
    for (uint32_t i = 0; kept && both && i < b->n; i++) {
        if (!find(e, a->items, a->n, 1, &b->items[i], &at))
            return NULL;
        if (at == a->n)
            kept[used++] = b->items[i];
    }
    enum pt_class class = pt_eval_class(e, a);
    return kept ? pt_eval_object(e, class ? class : PT_CLASS_SET, PT_FORM_SET,
                                 kept, used)
                : NULL;
}

int
pt_eval_set_order(struct pt_eval *e, const struct pt_value *a,
                  const struct pt_value *b)
{
    size_t common = 0, at;
    if (a->cut || b->cut) {
        pt_eval_cut(e, a->cut ? a : b);
        return 3;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        if (!find(e, b->items, b->n, 1, &a->items[i], &at))
            return 3;
        common += at < b->n;
    }
    if (common == a->n)
        return common == b->n ? 0 : -1;
    return common == b->n ? 1 : 2;
}
