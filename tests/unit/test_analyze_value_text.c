/* Recorded values as text: as Python's repr() has them, with marks for what is
 * not told; cycles, depth, widths. */
#include "analyze/value_text.h"

#include <criterion/criterion.h>
#include <string.h>

#define STR(text)                                                              \
    ((struct pt_value){.kind = PT_VALUE_STR,                                   \
                       .s = {(text), sizeof(text) - 1},                        \
                       .length = sizeof(text) - 1})
#define INT(n) ((struct pt_value){.kind = PT_VALUE_INT, .i = (n)})
#define ITEMS(array) .items = (array), .n = sizeof(array) / sizeof *(array)

static struct pt_value
object(enum pt_class type, enum pt_value_form form,
       const struct pt_value *items, uint32_t n)
{
    uint64_t pairs = form == PT_FORM_MAPPING || form == PT_FORM_RECORD ? 2 : 1;
    return (struct pt_value){.kind = PT_VALUE_OBJECT,
                             .form = (uint8_t)form,
                             .type = type ? pt_class_id(type) : 0,
                             .length = n / pairs,
                             .items = items,
                             .n = n};
}

static void
expect(struct pt_growing *g, const char *wanted)
{
    cr_expect(!g->failed && g->used == strlen(wanted) &&
                  memcmp(g->data, wanted, g->used) == 0,
              "\"%.*s\", not \"%s\"", (int)g->used, g->data, wanted);
    pt_growing_free(g);
}

static void
expect_line(struct pt_value v, size_t width, const char *wanted)
{
    struct pt_growing g = {0};
    pt_value_line(&g, NULL, &v, width);
    expect(&g, wanted);
}

Test(value_text, plain)
{
    static const unsigned char big[] = {1, 0, 0, 0, 0, 0, 0, 0, 0};
    struct pt_str magnitude = {(const char *)big, sizeof big};
    struct {
        struct pt_value v;
        const char *wanted;
    } rows[] = {
        {{.kind = PT_VALUE_UNBOUND}, "<unbound>"},
        {{.kind = PT_VALUE_NONE}, "None"},
        {{.kind = PT_VALUE_ELLIPSIS}, "Ellipsis"},
        {{.kind = PT_VALUE_NOTIMPLEMENTED}, "NotImplemented"},
        {{.kind = PT_VALUE_BOOL, .i = 1}, "True"},
        {INT(INT64_MIN), "-9223372036854775808"},
        {{.kind = PT_VALUE_BIGINT, .i = 1, .s = magnitude},
         "18446744073709551616"},
        {{.kind = PT_VALUE_BIGINT, .i = -1, .s = magnitude},
         "-18446744073709551616"},
        {{.kind = PT_VALUE_BIGINT, .i = -1, .cut = true, .length = 9000},
         "<negative int of 9000 bits>"},
        {{.kind = PT_VALUE_FLOAT, .f = 1e22}, "1e+22"},
        {{.kind = PT_VALUE_FLOAT, .f = 3}, "3.0"},
        {STR("it's"), "\"it's\""},
        {STR("\x1b[31m"), "'\\x1b[31m'"},
        {{.kind = PT_VALUE_STR,
          .s = {"ab\xc3\xa9", 4},
          .cut = true,
          .length = 9},
         "'ab\xc3\xa9'... (+6)"},
        {{.kind = PT_VALUE_BYTES, .s = {"a\0b", 3}, .length = 3}, "b'a\\x00b'"},
        {{.kind = PT_VALUE_REF, .number = 7}, "<#7 ...>"},
        {{.kind = PT_VALUE_REDACTED}, "<redacted>"},
        {{.kind = PT_VALUE_UNREAD}, "<unread>"},
        {{.kind = 200}, "<unread>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_line(rows[i].v, 0, rows[i].wanted);
}

Test(value_text, containers)
{
    struct pt_value two[] = {INT(1), STR("a")}, none[1];
    struct pt_value number[] = {INT(0), INT(9), INT(1)};
    struct pt_value complex[] = {INT(0), INT(2)};
    struct pt_value path[] = {STR("/tmp")},
                    shape[] = {STR("d"), INT(3), INT(4)};
    struct {
        enum pt_class type;
        enum pt_value_form form;
        const struct pt_value *items;
        uint32_t n;
        const char *wanted;
    } rows[] = {
        {PT_CLASS_LIST, PT_FORM_SEQUENCE, two, 2, "[1, 'a']"},
        {PT_CLASS_LIST, PT_FORM_SEQUENCE, none, 0, "[]"},
        {PT_CLASS_TUPLE, PT_FORM_SEQUENCE, two, 2, "(1, 'a')"},
        {PT_CLASS_TUPLE, PT_FORM_SEQUENCE, two, 1, "(1,)"},
        {PT_CLASS_TUPLE, PT_FORM_SEQUENCE, none, 0, "()"},
        {PT_CLASS_DEQUE, PT_FORM_SEQUENCE, two, 1, "deque([1])"},
        {PT_CLASS_SET, PT_FORM_SET, two, 2, "{1, 'a'}"},
        {PT_CLASS_SET, PT_FORM_SET, none, 0, "set()"},
        {PT_CLASS_FROZENSET, PT_FORM_SET, two, 1, "frozenset({1})"},
        {PT_CLASS_FROZENSET, PT_FORM_SET, none, 0, "frozenset()"},
        {PT_CLASS_DICT, PT_FORM_MAPPING, two, 2, "{1: 'a'}"},
        {PT_CLASS_DICT, PT_FORM_MAPPING, none, 0, "{}"},
        {PT_CLASS_RANGE, PT_FORM_NUMBERS, number, 3, "range(0, 9)"},
        {PT_CLASS_SLICE, PT_FORM_NUMBERS, number, 3, "slice(0, 9, 1)"},
        {PT_CLASS_COMPLEX, PT_FORM_NUMBERS, complex, 2, "2j"},
        {PT_CLASS_TYPE, PT_FORM_TEXT, path, 1, "<class '/tmp'>"},
        {PT_CLASS_MODULE, PT_FORM_TEXT, path, 1, "<module '/tmp'>"},
        {PT_CLASS_FUNCTION, PT_FORM_TEXT, path, 1, "<function /tmp>"},
        {PT_CLASS_OTHER, PT_FORM_TEXT, path, 1, "object('/tmp')"},
        {PT_CLASS_OTHER, PT_FORM_TEXT, none, 0, "<object object>"},
        {PT_CLASS_OTHER, PT_FORM_OPAQUE, none, 0, "<object object>"},
        {PT_CLASS_OTHER, PT_FORM_BUFFER, shape, 3, "<object 'd' of 3 x 4>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_line(
            object(rows[i].type, rows[i].form, rows[i].items, rows[i].n), 0,
            rows[i].wanted);
}

Test(value_text, attributes)
{
    struct pt_value one[] = {STR("no")};
    struct pt_value args = object(PT_CLASS_TUPLE, PT_FORM_SEQUENCE, one, 1);
    struct pt_value point[] = {STR("x"), INT(1), STR("y"), INT(2)};
    struct pt_value error[] = {STR("args"), args, STR("code"), INT(7)};
    struct pt_value member[] = {STR("_value_"), INT(1), STR("_name_"),
                                STR("RED")};
    struct pt_value words[] = {args, STR("lang"), STR("en")};
    expect_line(object(0, PT_FORM_RECORD, point, 4), 0, "object(x=1, y=2)");
    expect_line(object(0, PT_FORM_RECORD, error, 4), 0, "object('no', code=7)");
    expect_line(object(0, PT_FORM_RECORD, member, 4), 0, "<object.RED: 1>");
    expect_line(object(0, PT_FORM_WRAPPED, words, 3), 0,
                "object(('no',), lang='en')");
    struct pt_value cut = object(0, PT_FORM_RECORD, point, 2);
    cut.cut = true;
    cut.length = 5;
    expect_line(cut, 0, "object(x=1, ... (+4))");
    /* A name that is none, and a half of a pair, as only bad bytes have. */
    struct pt_value odd[] = {INT(1), INT(2), STR("y")};
    expect_line(object(0, PT_FORM_RECORD, odd, 3), 0, "object(1=2)");
}

Test(value_text, what_is_cut)
{
    struct pt_value two[] = {INT(1), INT(2)};
    struct pt_value v = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, two, 2);
    v.cut = true;
    v.length = 1000;
    expect_line(v, 0, "[1, 2, ... (+998)]");
    v.n = 0;
    expect_line(v, 0, "[... (+1000)]");
    v = object(PT_CLASS_TUPLE, PT_FORM_SEQUENCE, two, 1);
    v.cut = true;
    v.length = 2;
    expect_line(v, 0, "(1, ... (+1))");
    v = object(PT_CLASS_DICT, PT_FORM_MAPPING, two, 2);
    v.cut = true;
    v.length = 3;
    expect_line(v, 0, "{1: 2, ... (+2)}");
}

Test(value_text, references)
{
    struct pt_value inner[] = {INT(1)};
    struct pt_value list = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, inner, 1);
    list.number = 4;
    struct pt_value pair[] = {list, {.kind = PT_VALUE_REF, .number = 4}};
    struct pt_value outer = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, pair, 2);
    outer.number = 5;
    expect_line(outer, 0, "[#4=[1], <#4 ...>]");

    /* Linked: an item that is the object itself. */
    struct pt_value self[2] = {INT(1)};
    struct pt_value cycle = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, self, 2);
    cycle.number = 6;
    self[1] = cycle;
    expect_line(cycle, 0, "[1, [...]]");

    /* Shared at every level: 2^100 ways through it. */
    static struct pt_value levels[100][2];
    struct pt_value v = INT(0);
    for (size_t i = 0; i < 100; i++) {
        levels[i][0] = levels[i][1] = v;
        v = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, levels[i], 2);
        v.number = 10 + i;
    }
    struct pt_growing g = {0};
    pt_value_line(&g, NULL, &v, 0);
    cr_expect(g.used <= PT_VALUE_TEXT_MOST);
    pt_growing_free(&g);
    pt_value_tree(&g, NULL, &v, 40);
    cr_expect(g.used <= PT_VALUE_TEXT_MOST);
    pt_growing_free(&g);
}

Test(value_text, width)
{
    struct pt_value items[100];
    for (size_t i = 0; i < 100; i++)
        items[i] = STR("\xc3\xa9\xc3\xa9");
    struct pt_value v = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, items, 100);
    for (size_t width = 1; width < 200; width++) {
        struct pt_growing g = {0};
        pt_value_line(&g, NULL, &v, width);
        cr_expect(g.used <= width && g.used + 5 > width);
        uint32_t last = g.used > 3 ? (unsigned char)g.data[g.used - 4] : 0;
        cr_expect(last < 0xc0, "half a character");
        pt_growing_free(&g);
    }
    expect_line(v, 14, "['\xc3\xa9\xc3\xa9', '...");
}

Test(value_text, tree)
{
    struct pt_growing g = {0};
    struct pt_value inner[] = {INT(1), INT(2), INT(3)};
    struct pt_value list = object(PT_CLASS_LIST, PT_FORM_SEQUENCE, inner, 3);
    struct pt_value pairs[] = {STR("first"), list, STR("second"), list};
    struct pt_value dict = object(PT_CLASS_DICT, PT_FORM_MAPPING, pairs, 4);
    pt_value_tree(&g, NULL, &dict, 80);
    expect(&g, "{'first': [1, 2, 3], 'second': [1, 2, 3]}");
    pt_value_tree(&g, NULL, &dict, 26);
    expect(&g, "{\n    'first': [1, 2, 3],\n    'second': [1, 2, 3]\n}");
    pt_value_tree(&g, NULL, &dict, 22);
    expect(&g, "{\n    'first': [1, 2, 3],\n    'second': [\n"
               "        1,\n        2,\n        3\n    ]\n}");
}
