/* What arguments of instructions mean, by version, and constants as repr() has
 * them; hostile ones too.  Against dis itself: tests/roundtrip/disassemble.py.
 */
#include "analyze/operand.h"
#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

static void
expect_text(struct pt_growing *g, const char *wanted, const char *what)
{
    cr_expect_not(g->failed);
    cr_expect(g->used == strlen(wanted) &&
                  (g->used == 0 || memcmp(g->data, wanted, g->used) == 0),
              "%s: \"%.*s\", not \"%s\"", what, (int)g->used,
              g->data ? g->data : "", wanted);
    g->used = 0;
}

/* --- constants ------------------------------------------------------------
 */

static void
expect_repr(const struct pt_const *c, size_t n, const char *wanted)
{
    struct pt_growing g = {0};
    pt_repr_const(&g, NULL, c, n);
    expect_text(&g, wanted, "repr");
    pt_growing_free(&g);
}

Test(analyze_repr, plain)
{
    static const struct {
        struct pt_const c;
        const char *wanted;
    } rows[] = {
        {{.kind = PT_CONST_NONE}, "None"},
        {{.kind = PT_CONST_ELLIPSIS}, "Ellipsis"},
        {{.kind = PT_CONST_BOOL, .i = 1}, "True"},
        {{.kind = PT_CONST_INT, .i = INT64_MIN}, "-9223372036854775808"},
        {{.kind = PT_CONST_BIGINT, .s = {"10000000000000000", 17}},
         "18446744073709551616"},
        {{.kind = PT_CONST_BIGINT, .s = {"-3b9aca00", 9}}, "-1000000000"},
        {{.kind = PT_CONST_BIGINT, .s = {"0", 1}}, "0"},
        {{.kind = PT_CONST_FLOAT, .f = 0.1}, "0.1"},
        {{.kind = PT_CONST_FLOAT, .f = -0.0}, "-0.0"},
        {{.kind = PT_CONST_FLOAT, .f = 1e16}, "1e+16"},
        {{.kind = PT_CONST_FLOAT, .f = 9999999999999998.0},
         "9999999999999998.0"},
        {{.kind = PT_CONST_FLOAT, .f = 1e-5}, "1e-05"},
        {{.kind = PT_CONST_FLOAT, .f = 0.0001}, "0.0001"},
        {{.kind = PT_CONST_FLOAT, .f = 5e-324}, "5e-324"},
        /* 2**-97: the nearest of 16 digits is not the one that reads back. */
        {{.kind = PT_CONST_FLOAT, .f = 0x1p-97}, "6.310887241768095e-30"},
        {{.kind = PT_CONST_FLOAT, .f = -INFINITY}, "-inf"},
        {{.kind = PT_CONST_FLOAT, .f = NAN}, "nan"},
        {{.kind = PT_CONST_COMPLEX, .f = 0, .g = 2}, "2j"},
        {{.kind = PT_CONST_COMPLEX, .f = -0.0, .g = -2.5}, "(-0-2.5j)"},
        {{.kind = PT_CONST_COMPLEX, .f = 1, .g = NAN}, "(1+nanj)"},
        {{.kind = PT_CONST_STR, .s = {"it's", 4}}, "\"it's\""},
        {{.kind = PT_CONST_STR, .s = {"'\"", 2}}, "'\\'\"'"},
        {{.kind = PT_CONST_STR, .s = {"\0\n\x7f\xc2\xa0\xc3\xa9", 7}},
         "'\\x00\\n\\x7f\\xa0\xc3\xa9'"},
        {{.kind = PT_CONST_STR, .s = {"\xed\xa0\x80\xe2\x80\x8b", 6}},
         "'\\ud800\\u200b'"},
        {{.kind = PT_CONST_STR, .s = {"\xff", 1}}, "'\xef\xbf\xbd'"},
        {{.kind = PT_CONST_STR}, "''"},
        {{.kind = PT_CONST_BYTES, .s = {"a'\xff\t", 4}}, "b\"a'\\xff\\t\""},
        {{.kind = PT_CONST_CODE, .n = 3}, "<code object>"},
        {{.kind = PT_CONST_OTHER, .s = {"Odd", 3}}, "<Odd>"},
        {{.kind = PT_CONST_TUPLE, .n = 0}, "()"},
        {{.kind = PT_CONST_FROZENSET, .n = 0}, "frozenset()"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_repr(&rows[i].c, 1, rows[i].wanted);
}

Test(analyze_repr, containers)
{
    const struct pt_const nested[] = {
        {.kind = PT_CONST_TUPLE, .n = 3},     {.kind = PT_CONST_INT, .i = 1},
        {.kind = PT_CONST_TUPLE, .n = 1},     {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_FROZENSET, .n = 2}, {.kind = PT_CONST_INT, .i = 2},
        {.kind = PT_CONST_INT, .i = 3},       {.kind = PT_CONST_INT, .i = 9}};
    expect_repr(nested, 8, "(1, (None,), frozenset({2, 3}))");
    cr_expect_eq(pt_const_size(nested, 8), 7);
    cr_expect_eq(pt_const_size(nested + 2, 6), 2);
    const struct pt_const slice[] = {{.kind = PT_CONST_SLICE},
                                     {.kind = PT_CONST_NONE},
                                     {.kind = PT_CONST_INT, .i = 5},
                                     {.kind = PT_CONST_NONE}};
    expect_repr(slice, 4, "slice(None, 5, None)");
}

/* Counts that claim more than is there, and nesting without end. */
Test(analyze_repr, hostile)
{
    enum { DEEP = 100000 };
    const struct pt_const greedy[] = {{.kind = PT_CONST_TUPLE, .n = UINT32_MAX},
                                      {.kind = PT_CONST_BOOL}};
    expect_repr(greedy, 2, "(False)");
    cr_expect_eq(pt_const_size(greedy, 2), 2);
    struct pt_const *deep = calloc(DEEP, sizeof *deep);
    for (size_t i = 0; i < DEEP; i++)
        deep[i] = (struct pt_const){.kind = PT_CONST_TUPLE, .n = 1};
    struct pt_growing g = {0};
    pt_repr_const(&g, NULL, deep, DEEP);
    cr_expect_lt(g.used, (size_t)4 * PT_REPR_DEPTH);
    cr_expect_eq(pt_const_size(deep, DEEP), DEEP);
    free(deep);
    char digits[5000];
    memset(digits, 'f', sizeof digits);
    struct pt_const big = {.kind = PT_CONST_BIGINT, .s = {digits, 3571}};
    g.used = 0;
    pt_repr_const(&g, NULL, &big, 1);
    cr_expect_eq(g.used, 4300);
    big.s.len = sizeof digits;
    g.used = 0;
    pt_repr_const(&g, NULL, &big, 1);
    cr_expect_eq(g.used, sizeof digits + 2);
    pt_growing_free(&g);
}

/* --- operands -------------------------------------------------------------
 */

enum { VERSIONS = 4 };
static const uint32_t versions[VERSIONS] = {0x030b07f0, 0x030c01f0, 0x030d00f0,
                                            0x030f02f0};

/* Opcode n + 1 is that of row n; what 3.15 has is not written where 3.13 has
 * the same. */
static const struct row {
    const char *name;
    uint8_t flags, caches;
    uint32_t arg;
    const char *wanted[VERSIONS];
} table[] = {
    {"NOP", 0, 0, 0, {"", "", ""}},
    {"CALL", PT_OP_ARG, 3, 2, {"", "", ""}},
    {"LOAD_CONST",
     PT_OP_ARG | PT_OP_CONST,
     0,
     1,
     {"(2, 's')", "(2, 's')", "(2, 's')"}},
    {"RETURN_CONST", PT_OP_ARG | PT_OP_CONST, 0, 2, {"0.5", "0.5", "0.5"}},
    {"KW_NAMES", PT_OP_ARG | PT_OP_CONST, 0, 3, {"", "", ""}},
    {"STORE_NAME", PT_OP_ARG | PT_OP_NAME, 0, 1, {"y", "y", "y"}},
    {"LOAD_GLOBAL",
     PT_OP_ARG | PT_OP_NAME,
     4,
     3,
     {"NULL + y", "NULL + y", "y + NULL"}},
    {"LOAD_GLOBAL", PT_OP_ARG | PT_OP_NAME, 4, 2, {"y", "y", "y"}},
    {"LOAD_ATTR",
     PT_OP_ARG | PT_OP_NAME,
     9,
     1,
     {"y", "NULL|self + x", "x + NULL|self"}},
    {"LOAD_SUPER_ATTR",
     PT_OP_ARG | PT_OP_NAME,
     1,
     5,
     {"NULL|self + y", "NULL|self + y", "y + NULL|self"}},
    {"LOAD_GLOBAL", PT_OP_ARG | PT_OP_NAME, 4, 9, {"", "", ""}},
    {"LOAD_FAST", PT_OP_ARG | PT_OP_LOCAL, 0, 0, {"a", "a", "a"}},
    {"LOAD_DEREF", PT_OP_ARG | PT_OP_FREE, 0, 2, {"c", "c", "c"}},
    {"LOAD_FAST", PT_OP_ARG | PT_OP_LOCAL, 0, UINT32_MAX, {"", "", ""}},
    {"STORE_FAST_LOAD_FAST",
     PT_OP_ARG | PT_OP_LOCAL,
     0,
     0x12,
     {"b, c", "b, c", "b, c"}},
    {"POP_JUMP_IF_TRUE",
     PT_OP_ARG | PT_OP_JREL,
     1,
     3,
     {"to +110", "to +110", "to +110"}},
    {"JUMP_BACKWARD",
     PT_OP_ARG | PT_OP_JREL | PT_OP_JBACK,
     0,
     3,
     {"to +96", "to +96", "to +96"}},
    {"JUMP_BACKWARD", PT_OP_ARG | PT_OP_JBACK, 0, 52, {"", "", ""}},
    {"JUMP_ABSOLUTE",
     PT_OP_ARG | PT_OP_JABS,
     0,
     7,
     {"to +14", "to +14", "to +14"}},
    {"COMPARE_OP", PT_OP_ARG, 1, 4, {">", "<", "<"}},
    {"COMPARE_OP", PT_OP_ARG, 1, 0x32, {"", "!=", "bool(<=)"}},
    {"COMPARE_OP", PT_OP_ARG, 1, UINT32_MAX, {"", "", ""}},
    {"BINARY_OP", PT_OP_ARG, 1, 25, {"^=", "^=", "^="}},
    {"BINARY_OP", PT_OP_ARG, 1, 26, {"[]", "[]", "[]"}},
    {"BINARY_OP", PT_OP_ARG, 1, 27, {"", "", ""}},
    {"IS_OP", PT_OP_ARG, 0, 1, {"is not", "is not", "is not"}},
    {"CONTAINS_OP", PT_OP_ARG, 0, 0, {"in", "in", "in"}},
    {"CALL_INTRINSIC_1",
     PT_OP_ARG,
     0,
     6,
     {"INTRINSIC_LIST_TO_TUPLE", "INTRINSIC_LIST_TO_TUPLE",
      "INTRINSIC_LIST_TO_TUPLE"}},
    {"MAKE_FUNCTION",
     PT_OP_ARG,
     0,
     9,
     {"defaults, closure", "defaults, closure", "defaults, closure"}},
    {"MAKE_FUNCTION", 0, 0, 9, {"", "", ""}},
    {"FORMAT_VALUE",
     PT_OP_ARG,
     0,
     6,
     {"repr, with format", "repr, with format", "repr, with format"}},
    {"FORMAT_VALUE",
     PT_OP_ARG,
     0,
     4,
     {"with format", "with format", "with format"}},
    {"CONVERT_VALUE", PT_OP_ARG, 0, 3, {"ascii", "ascii", "ascii"}},
    {"IMPORT_NAME", PT_OP_ARG | PT_OP_NAME, 0, 1, {"y", "y", "y", "x + lazy"}},
    {"IMPORT_NAME", PT_OP_ARG | PT_OP_NAME, 0, 6, {"", "", "", "y + eager"}},
    {"IMPORT_NAME", PT_OP_ARG | PT_OP_NAME, 0, 4, {"", "", "", "y"}},
    {"END_ASYNC_FOR",
     PT_OP_ARG | PT_OP_JREL | PT_OP_JBACK,
     0,
     3,
     {"from +96", "from +96", "from +96"}},
    {"LOAD_COMMON_CONSTANT", PT_OP_ARG, 0, 8, {"''", "''", "''"}},
    {"LOAD_COMMON_CONSTANT", PT_OP_ARG, 0, 12, {"", "", ""}},
    {"LOAD_SPECIAL", PT_OP_ARG, 0, 3, {"__aexit__", "__aexit__", "__aexit__"}},
    {"LOAD_FAST_BORROW_LOAD_FAST_BORROW",
     PT_OP_ARG | PT_OP_LOCAL,
     0,
     0x12,
     {"b, c", "b, c", "b, c"}},
};
enum { ROWS = sizeof table / sizeof *table };

static uint32_t
make_code(struct synth *s, uint32_t version)
{
    struct pt_interpreter *python = calloc(1, sizeof *python);
    python->hexversion = version;
    for (size_t i = 0; i < ROWS; i++)
        python->opcodes[i + 1] =
            (struct pt_opcode){{table[i].name, strlen(table[i].name)},
                               table[i].flags,
                               table[i].caches};
    const struct pt_str names[] = {STR("x"), STR("y")};
    const struct pt_str locals[] = {STR("a"), STR("b"), STR("c")};
    const struct pt_const consts[] = {{.kind = PT_CONST_NONE},
                                      {.kind = PT_CONST_TUPLE, .n = 2},
                                      {.kind = PT_CONST_INT, .i = 2},
                                      {.kind = PT_CONST_STR, .s = {"s", 1}},
                                      {.kind = PT_CONST_FLOAT, .f = 0.5}};
    struct pt_code code = {.file = STR("f.py"),
                           .name = STR("f"),
                           .qualname = STR("f"),
                           .names = names,
                           .nnames = 2,
                           .locals = locals,
                           .nlocalsplus = 3,
                           .localkinds = STR("   "),
                           .consts = consts,
                           .nconsts = 5};
    uint32_t id;
    cr_assert_eq(pt_writer_interpreter(s->writer, python, &code.interpreter),
                 PT_OK);
    cr_assert_eq(pt_writer_code(s->writer, &code, &id), PT_OK);
    free(python);
    return id;
}

Test(analyze_operand, by_version)
{
    struct synth s;
    struct pt_operands *o;
    struct pt_growing g = {0};
    uint32_t codes[VERSIONS];
    synth_begin(&s);
    for (size_t v = 0; v < VERSIONS; v++)
        codes[v] = make_code(&s, versions[v]);
    struct pt_trace *trace = synth_end(&s);
    cr_assert_eq(pt_operands_new(trace, &o), PT_OK);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t v = 0; v < VERSIONS; v++) {
            struct pt_ins ins = {
                .off = 100, .arg = table[i].arg, .opcode = (uint8_t)(i + 1)};
            const char *wanted = table[i].wanted[v];
            pt_operands_put(o, codes[v], &ins, &g);
            expect_text(&g, wanted ? wanted : table[i].wanted[v - 1],
                        table[i].name);
            const struct pt_opcode *op = pt_operands_opcode(o, codes[v], &ins);
            cr_assert(op && op->name.len == strlen(table[i].name));
        }
    struct pt_ins none = {.opcode = 255, .arg = 7};
    pt_operands_put(o, codes[0], &none, &g);
    pt_operands_put(o, 0, &none, &g);
    pt_operands_put(o, 1u << 30, &none, &g);
    expect_text(&g, "", "nothing");
    cr_expect_null(pt_operands_opcode(o, 1u << 30, &none));
    pt_operands_free(o);
    pt_growing_free(&g);
    pt_trace_close(trace);
    synth_clear(&s);
}

/* --- ranges ---------------------------------------------------------------
 */

static bool
holds(const struct pt_filter *f, int64_t time, uint64_t seq, uint64_t k)
{
    return pt_filter_place(f, (struct pt_moment){time, seq}, k,
                           time + (int64_t)k);
}

static struct pt_filter *
range(const struct pt_trace *trace, const char *from, const char *to)
{
    struct pt_filter_spec spec = {.from = from, .to = to};
    struct pt_filter *f = NULL;
    struct pt_error error;
    enum pt_status st = pt_filter_new(trace, &spec, &error, &f);
    cr_expect(st == PT_OK || st == PT_EUSAGE, "%s", error.text);
    return f;
}

/* Events 0 to 4 of one thread, at 100, 110 ...; event 2 is not stamped. */
Test(replay_range, of_instructions)
{
    struct synth s;
    synth_begin(&s);
    s.thread = synth_thread(&s, 7);
    uint32_t code = synth_code(&s, "f");
    struct pt_event events[] = {
        ev_enter(PT_CALL, 100, code, 0), ev_enter(PT_CALL, 110, code, 0),
        ev_line(3), ev_plain(PT_RETURN, 130), ev_plain(PT_RETURN, 140)};
    for (size_t i = 0; i < 5; i++)
        synth_event(&s, &events[i]);
    struct pt_trace *trace = synth_end(&s);

    struct pt_filter *f = range(trace, "1+3", "2+4");
    cr_assert(f);
    cr_expect_not(holds(f, 110, 1, 0));
    cr_expect_not(holds(f, 110, 1, 2));
    cr_expect(holds(f, 110, 1, 3));
    cr_expect(holds(f, 110, 1, 300));
    cr_expect(holds(f, 110, 2, 0));
    cr_expect(holds(f, 110, 2, 4));
    cr_expect_not(holds(f, 110, 2, 5));
    cr_expect_not(holds(f, 130, 3, 0));
    pt_filter_free(f);

    f = range(trace, "1", "1");
    cr_assert(f);
    cr_expect_not(holds(f, 100, 0, 50));
    cr_expect(holds(f, 110, 1, 0));
    cr_expect_not(holds(f, 110, 1, 1));
    pt_filter_free(f);

    f = range(trace, "1+2", "1+2");
    cr_assert(f);
    cr_expect_not(holds(f, 110, 1, 1));
    cr_expect(holds(f, 110, 1, 2));
    cr_expect_not(holds(f, 110, 1, 3));
    pt_filter_free(f);

    f = range(trace, "112ns", "115ns");
    cr_assert(f);
    cr_expect_not(holds(f, 110, 1, 1));
    cr_expect(holds(f, 110, 1, 2));
    cr_expect(holds(f, 110, 1, 5));
    cr_expect_not(holds(f, 110, 1, 6));
    pt_filter_free(f);

    cr_expect_null(range(trace, "1+3", "1+2"));
    cr_expect_null(range(trace, "2", "1+9"));
    pt_trace_close(trace);
    synth_clear(&s);
}
