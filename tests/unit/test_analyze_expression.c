/* Expressions over values as they are recorded: cut, redacted, shared, in
 * circles, instances.  What they mean over whole values of builtin types is
 * compared with Python in tests/values/expressions.py. */
#include "analyze/expression/expression.h"
#include "analyze/value_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define STR(text)                                                              \
    {                                                                          \
        .kind = PT_VALUE_STR, .s = {(text), sizeof(text) - 1},                 \
        .length = sizeof(text) - 1                                             \
    }
#define INT(number)                                                            \
    {                                                                          \
        .kind = PT_VALUE_INT, .i = (number)                                    \
    }

static struct pt_value
object(enum pt_class type, enum pt_value_form form,
       const struct pt_value *items, uint32_t n, uint64_t length)
{
    uint32_t told =
        form == PT_FORM_MAPPING || form == PT_FORM_RECORD ? n / 2 : n;
    return (struct pt_value){.kind = PT_VALUE_OBJECT,
                             .form = (uint8_t)form,
                             .type = type ? pt_class_id(type) : 0,
                             .length = length,
                             .cut = told < length,
                             .items = items,
                             .n = n};
}

struct named {
    const char *name;
    struct pt_value value;
};

/* self: names, one without a name behind them. */
static enum pt_name_found
find(void *self, struct pt_str name, const struct pt_value **value, char *why)
{
    if (name.len == 7 && memcmp(name.data, "unknown", 7) == 0) {
        snprintf(why, PT_EXPR_TEXT, "it was not recorded; --values=locals");
        return PT_NAME_UNKNOWN;
    }
    for (const struct named *n = self; n->name; n++)
        if (strlen(n->name) == name.len &&
            memcmp(n->name, name.data, name.len) == 0) {
            *value = &n->value;
            return PT_NAME_FOUND;
        }
    return PT_NAME_ABSENT;
}

/* `wanted`: "VALUE", or "! ..." with what the exception begins with, or "? ..."
 * with a part of why it is not known. */
static void
expect(struct named *names, const char *text, const char *wanted)
{
    struct pt_expr *expr;
    struct pt_expr_result r;
    struct pt_growing g = {0};
    char why[PT_EXPR_TEXT];
    const struct pt_expr_scope scope = {.find = find, .self = names};
    cr_assert_eq(pt_expr_parse((struct pt_str){text, strlen(text)}, &expr, why),
                 PT_OK, "%s: %s", text, why);
    cr_assert_eq(pt_expr_eval(expr, &scope, &r), PT_OK);
    if (*wanted == '!')
        cr_expect(r.outcome == PT_EXPR_RAISES &&
                      strncmp(r.text, wanted + 2, strlen(wanted + 2)) == 0,
                  "%s: outcome %d: %s", text, r.outcome, r.text);
    else if (*wanted == '?')
        cr_expect(r.outcome == PT_EXPR_UNKNOWN && strstr(r.text, wanted + 2),
                  "%s: outcome %d: %s", text, r.outcome, r.text);
    else {
        cr_expect_eq(r.outcome, PT_EXPR_VALUE, "%s: %s", text, r.text);
        if (r.value)
            pt_value_line(&g, NULL, r.value, 0);
        cr_expect(g.used == strlen(wanted) &&
                      memcmp(g.data, wanted, g.used) == 0,
                  "%s: %.*s", text, (int)g.used, g.data);
        pt_growing_free(&g);
    }
    pt_expr_result_clear(&r);
    pt_expr_free(expr);
}

struct row {
    const char *text, *wanted;
};

static void
expect_rows(struct named *names, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(names, rows[i].text, rows[i].wanted);
}
#define ROWS(names, rows) expect_rows(names, rows, sizeof rows / sizeof *rows)

Test(expression, what_is_cut)
{
    struct pt_value two[] = {INT(1), INT(2)};
    struct pt_value pair[] = {STR("a"), INT(1)};
    struct named names[] = {
        {"l", object(PT_CLASS_LIST, PT_FORM_SEQUENCE, two, 2, 1000)},
        {"deep", object(PT_CLASS_LIST, PT_FORM_SEQUENCE, NULL, 0, 3)},
        {"d", object(PT_CLASS_DICT, PT_FORM_MAPPING, pair, 2, 9)},
        {"st", object(PT_CLASS_SET, PT_FORM_SET, two, 2, 7)},
        {"s",
         {.kind = PT_VALUE_STR, .s = {"abc", 3}, .cut = true, .length = 9}},
        {"big",
         {.kind = PT_VALUE_BIGINT, .i = -1, .cut = true, .length = 90000}},
        {0}};
    static const struct row rows[] = {
        {"l[0]", "1"},
        {"l[-1000]", "1"},
        {"l[2]", "? --value-length"},
        {"l[-1]", "? was cut"},
        {"l[1000]", "! IndexError: list index out of range"},
        {"l[:2]", "[1, 2]"},
        {"l[:3]", "? was cut"},
        {"l[::-1]", "? was cut"},
        {"len(l)", "1000"},
        {"bool(l)", "True"},
        {"2 in l", "True"},
        {"3 in l", "? was cut"},
        {"l == [1, 3]", "False"},
        {"l == l * 1", "? was cut"},
        {"l < [2]", "True"},
        {"l < [1, 2]", "False"},
        {"l > [1, 2]", "True"},
        {"l < [1, 2, 3]", "? was cut"},
        {"l + [3]", "? was cut"},
        {"sum(l)", "? was cut"},
        {"str(l)", "? was cut"},
        {"len(deep)", "3"},
        {"deep[0]", "? --value-depth"},
        {"d['a']", "1"},
        {"d['b']", "? was cut"},
        {"'a' in d", "True"},
        {"'b' in d", "? was cut"},
        {"d == {'a': 2}", "False"},
        {"1 in st", "True"},
        {"3 in st", "? was cut"},
        {"s[1]", "'b'"},
        {"s[5]", "? --value-bytes"},
        {"s[9]", "! IndexError: string index out of range"},
        {"len(s)", "9"},
        {"s == 'abd'", "False"},
        {"s == 'abcdefghi'", "? was cut"},
        {"s == 'abc'", "False"},
        {"s < 'abd'", "True"},
        {"s < 'abcd'", "? was cut"},
        {"s > 'abc'", "? was cut"},
        {"'bc' in s", "True"},
        {"'z' in s", "? was cut"},
        {"s + '!'", "? was cut"},
        {"'%s' % s", "? was cut"},
        {"big == 5", "False"},
        {"big + 1", "? was cut"},
        {"big < 0", "? was cut"},
        {"-big", "? was cut"},
        {"str(big)", "? was cut"},
    };
    ROWS(names, rows);
}

Test(expression, what_is_not_told)
{
    struct pt_value some[] = {INT(1), {.kind = PT_VALUE_REDACTED}};
    struct named names[] = {
        {"secret", {.kind = PT_VALUE_REDACTED}},
        {"unread", {.kind = PT_VALUE_UNREAD}},
        {"gone", {.kind = PT_VALUE_UNBOUND}},
        {"lost", {.kind = PT_VALUE_LOST}},
        {"ref", {.kind = PT_VALUE_REF, .number = 3}},
        {"l", object(PT_CLASS_LIST, PT_FORM_SEQUENCE, some, 2, 2)},
        {0}};
    static const struct row rows[] = {
        {"secret", "<redacted>"},
        {"secret + 'x'", "? --no-redact"},
        {"secret is None", "? redacted"},
        {"secret == 1", "? redacted"},
        {"not secret", "? redacted"},
        {"unread.x", "? could not be read"},
        {"lost[0]", "? not there"},
        {"ref == 1", "? not told of here"},
        {"gone", "! NameError"},
        {"unknown", "? --values=locals"},
        {"unknown or 1", "? --values=locals"},
        {"0 and unknown", "0"},
        {"1 if True else unknown", "1"},
        {"nothing", "! NameError: name 'nothing' is not defined"},
        {"len", "? called"},
        {"1 in l", "True"},
        {"2 in l", "? not known"},
        {"l == [2, 2]", "False"},
        {"l == [1, 2]", "? not known"},
        {"l", "[1, <redacted>]"},
        {"str(l)", "? redacted"},
        {"print(1)", "? nothing of the program is run"},
        {"l.append(1)", "? methods"},
    };
    ROWS(names, rows);
}

Test(expression, instances)
{
    struct pt_value point[] = {STR("x"), INT(1), STR("y"), INT(2)};
    struct pt_value red[] = {STR("_name_"), STR("RED"), STR("_value_"), INT(1)};
    struct pt_value blue[] = {STR("_name_"), STR("BLUE"), STR("_value_"),
                              INT(1)};
    struct pt_value inner[] = {INT(7), INT(8)};
    struct pt_value list = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, inner, 2, 2);
    struct pt_value words[] = {list, STR("lang"), STR("en")};
    struct pt_value wrapped = object(0, PT_FORM_WRAPPED, words, 3, 1);
    struct pt_value numbered = object(0, PT_FORM_OPAQUE, NULL, 0, 0);
    wrapped.cut = false;
    numbered.number = 9;
    struct named names[] = {{"p", object(0, PT_FORM_RECORD, point, 4, 2)},
                            {"half", object(0, PT_FORM_RECORD, point, 2, 2)},
                            {"red", object(0, PT_FORM_RECORD, red, 4, 2)},
                            {"blue", object(0, PT_FORM_RECORD, blue, 4, 2)},
                            {"w", wrapped},
                            {"o", numbered},
                            {0}};
    static const struct row rows[] = {
        {"p.x + p.y", "3"},
        {"p.z", "? no recorded attribute 'z'"},
        {"half.y", "? was cut"},
        {"p is None", "False"},
        {"None is not p", "True"},
        {"p == None", "? up to its class"},
        {"p == p", "? up to its class"},
        {"not p", "? up to its class"},
        {"p + 1", "? up to its class"},
        {"p < 1", "? up to its class"},
        {"len(p)", "? up to its class"},
        {"p[0]", "? up to its class"},
        {"1 in p", "? up to its class"},
        {"str(p)", "? up to its class"},
        {"p", "object(x=1, y=2)"},
        {"[p.x, p]", "[1, object(x=1, y=2)]"},
        {"red == red", "True"},
        {"red == blue", "False"},
        {"w[1]", "8"},
        {"len(w)", "2"},
        {"w.lang", "'en'"},
        {"w == [7, 8]", "True"},
        {"sum(w)", "15"},
        {"isinstance(w, list)", "True"},
        {"isinstance(w, dict)", "False"},
        {"isinstance(p, Shape)", "? derives from"},
        {"isinstance(1, Shape)", "? derives from"},
        {"isinstance(1, (str, int))", "True"},
        {"o is o", "True"},
        {"o.x", "? no attributes are recorded"},
        {"{p: 1}", "{object(x=1, y=2): 1}"},
    };
    ROWS(names, rows);
}

Test(expression, shared_and_in_circles)
{
    /* l = [1]; x = [l, l]; c = [c] */
    struct pt_value one[] = {INT(1)};
    struct pt_value l = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, one, 1, 1);
    l.number = 4;
    struct pt_value both[] = {l, {.kind = PT_VALUE_REF, .number = 4}};
    struct pt_value self[] = {{.kind = PT_VALUE_REF, .number = 5}};
    struct pt_value c = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, self, 1, 1);
    c.number = 5;
    struct pt_value away[] = {{.kind = PT_VALUE_REF, .number = 99}};
    struct named names[] = {
        {"x", object(PT_CLASS_LIST, PT_FORM_SEQUENCE, both, 2, 2)},
        {"c", c},
        {"y", object(PT_CLASS_LIST, PT_FORM_SEQUENCE, away, 1, 1)},
        {0}};
    static const struct row rows[] = {
        {"x", "[[1], [1]]"},
        {"x[1]", "[1]"},
        {"x[0] is x[1]", "True"},
        {"x == [[1], [1]]", "True"},
        {"str(x)", "'[[1], [1]]'"},
        {"c[0][0][0] is c", "True"},
        {"c == c", "True"},
        {"c", "[[...]]"},
        {"len(c[0])", "1"},
        {"str(c)", "'[[...]]'"},
        {"c == [c]", "True"},
        {"c == [[[[1]]]]", "False"},
        {"y[0] + 1", "? not told of here"},
        {"y", "[<#99 ...>]"},
    };
    ROWS(names, rows);
}

/* Tuples that share at every level: 2^60 ways through them. */
Test(expression, shared_without_end)
{
    static struct pt_value levels[60][2];
    struct pt_value v = INT(0);
    for (size_t i = 0; i < 60; i++) {
        levels[i][0] = v;
        levels[i][1] =
            i ? (struct pt_value){.kind = PT_VALUE_REF, .number = 10 + i - 1}
              : v;
        v = object(PT_CLASS_TUPLE, PT_FORM_SEQUENCE, levels[i], 2, 2);
        v.number = 10 + i;
    }
    struct named names[] = {{"t", v}, {0}};
    static const struct row rows[] = {
        {"{t: 1} == 1", "? more memory or time"},
        {"str(t) == 1", "? more memory or time"},
        {"isinstance(1, t)", "! TypeError"},
        {"t == t", "True"},
    };
    ROWS(names, rows);
}

Test(expression, equal_for_watches)
{
    const struct pt_expr_scope scope = {.trace = NULL};
    struct pt_value one = INT(1), two = INT(2);
    struct pt_value real = {.kind = PT_VALUE_FLOAT, .f = 1};
    struct pt_value secret = {.kind = PT_VALUE_REDACTED};
    cr_expect_eq(pt_expr_equal(&scope, &one, &real), 1);
    cr_expect_eq(pt_expr_equal(&scope, &one, &two), 0);
    cr_expect_eq(pt_expr_equal(&scope, &one, &secret), -1);
}
