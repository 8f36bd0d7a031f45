/* Syntax chunks: what was written is read, and nothing is that a reader could
 * not follow. */
#include "tests/unit/test_format.h"

#include "format/syntax.h"

#include <criterion/criterion.h>
#include <string.h>

static struct place place;

static void
setup(void)
{
    place_make(&place);
}

static void
teardown(void)
{
    place_remove(&place);
}

TestSuite(format_syntax, .init = setup, .fini = teardown, .timeout = 60);

/* A module with `if a < b < c: pass` on its second line, many times. */
enum { REPEATS = 700 };
static struct pt_statement statements[2 * REPEATS];
static struct pt_suite suites[1 + REPEATS];
static struct pt_expression expressions[3 * REPEATS];
static struct pt_logical logical[] = {{3, 5}, {6, 70000}};
static struct pt_comment comments[] = {{1, 0}, {7, 300}};
static struct pt_code_line code[] = {{2}, {66000}};
static struct pt_str names[] = {S("f"), S("\xc3\xa9")};

static struct pt_syntax
sample(uint32_t source)
{
    suites[0] = (struct pt_suite){.line = 1, .end_line = 70000};
    for (uint32_t i = 0; i < REPEATS; i++) {
        uint32_t line = 2 + i * 90, s = 2 * i;
        statements[s] = (struct pt_statement){
            PT_STATEMENT_IF, 0, 0, line, 0, line, 18, line, i % 3};
        statements[s + 1] = (struct pt_statement){
            PT_STATEMENT_PASS, 0, i + 1, line, 14, line, 18, line, 0};
        suites[i + 1] =
            (struct pt_suite){PT_SUITE_BODY, 0, s + 1, line, 0, line, 12, line};
        expressions[3 * i] = (struct pt_expression){
            PT_EXPRESSION_CHAIN, PT_CONTEXT_IF, 0, 0, s + 1, line, 3, line, 12};
        for (uint32_t k = 1; k < 3; k++)
            expressions[3 * i + k] = (struct pt_expression){PT_EXPRESSION_ATOM,
                                                            PT_CONTEXT_INNER,
                                                            0,
                                                            3 * i + 1,
                                                            s + 1,
                                                            line,
                                                            3 + 4 * (k - 1),
                                                            line,
                                                            8 + 4 * (k - 1)};
    }
    return (struct pt_syntax){.source = source,
                              .version = 0x30c,
                              .lines = 70000,
                              .statements = statements,
                              .suites = suites,
                              .expressions = expressions,
                              .logical = logical,
                              .comments = comments,
                              .code = code,
                              .names = names,
                              .nstatements = 2 * REPEATS,
                              .nsuites = 1 + REPEATS,
                              .nexpressions = 3 * REPEATS,
                              .nlogical = 2,
                              .ncomments = 2,
                              .ncode = 2,
                              .nnames = 2};
}

static struct pt_writer *
begin(uint32_t *source)
{
    struct pt_writer *w;
    struct pt_source text = {S("a.py"), S("/a.py"), S("x\n"), 1};
    cr_assert_eq(pt_writer_open(place.path, sample_header(), NULL, NULL, &w),
                 PT_OK);
    cr_assert_eq(pt_writer_source(w, &text, source), PT_OK);
    return w;
}

static void
finish(struct pt_writer *w)
{
    struct pt_end end = {.reason = S("complete")};
    cr_assert_eq(pt_writer_close(w, &end, NULL), PT_OK);
}

static void
same(const struct pt_syntax *a, const struct pt_syntax *b)
{
    for (unsigned k = 0; k < PT_SYNTAX_TABLES; k++) {
        const struct pt_syntax_table *t = &pt_syntax_tables[k];
        size_t n = pt_syntax_count(a, t);
        cr_assert_eq(n, pt_syntax_count(b, t), "%s", t->name);
        cr_expect_arr_eq(pt_syntax_rows(a, t), pt_syntax_rows(b, t),
                         n * t->ncolumns * sizeof(uint32_t), "%s", t->name);
    }
    cr_assert_eq(a->nnames, b->nnames);
    for (size_t i = 0; i < a->nnames; i++)
        cr_expect(str_equal(a->names[i], b->names[i]));
    cr_expect_eq(a->lines, b->lines);
    cr_expect(str_equal(a->failure, b->failure));
}

Test(format_syntax, written_and_read)
{
    uint32_t id;
    struct pt_writer *w = begin(&id);
    struct pt_syntax good = sample(id);
    struct pt_syntax bad = {
        .source = id, .version = 0x30d, .failure = S("SyntaxError: \xc3\xa9")};
    cr_assert_eq(pt_writer_syntax(w, &good), PT_OK);
    cr_assert_eq(pt_writer_syntax(w, &bad), PT_OK);
    finish(w);

    struct pt_trace *t;
    struct pt_syntaxes *all;
    struct pt_syntax *s;
    cr_assert_eq(pt_trace_open(place.path, NULL, &t), PT_OK);
    cr_assert_eq(pt_syntaxes_new(t, &all), PT_OK);
    cr_expect_eq(pt_syntaxes_count(all), 2);
    cr_expect_eq(pt_syntaxes_bad(all), 0);
    cr_assert_eq(pt_syntaxes_load(all, id, 0x30c, &s), PT_OK);
    same(s, &good);
    pt_syntax_free(s);
    cr_assert_eq(pt_syntaxes_load(all, id, 0x30d, &s), PT_OK);
    same(s, &bad);
    pt_syntax_free(s);
    cr_expect_eq(pt_syntaxes_load(all, id, 0x30e, &s), PT_ENOTFOUND);
    cr_expect_eq(pt_syntaxes_load(all, id + 1, 0x30c, &s), PT_ENOTFOUND);
    pt_syntaxes_free(all);
    pt_trace_close(t);
}

/* Each of these numbers is checked: a syntax with another is not written. */
Test(format_syntax, refused)
{
    uint32_t id;
    struct pt_writer *w = begin(&id);
    struct pt_syntax s = sample(id);
    const struct {
        uint32_t *where, value;
    } wrong[] = {
        {&s.source, 0},
        {&s.source, id + 1},
        {&s.lines, 69999},
        {&statements[4].kind, 0},
        {&statements[4].kind, PT_STATEMENT_LIMIT},
        {&statements[0].suite, 1},
        {&statements[3].suite, REPEATS + 1},
        {&statements[4].line, 0},
        {&statements[4].end_line, 181},
        {&statements[4].end_line, 70001},
        {&statements[5].column, 19},
        {&statements[4].name, 3},
        {&statements[4].first, 0},
        {&suites[0].kind, 1},
        {&suites[0].owner, 1},
        {&suites[1].kind, 0},
        {&suites[1].kind, PT_SUITE_LIMIT},
        {&suites[1].owner, 0},
        {&suites[1].owner, 2},
        {&suites[1].owner, 2 * REPEATS + 1},
        {&suites[1].line, 0},
        {&suites[1].end_line, 70001},
        {&suites[1].colon_line, 3},
        {&expressions[1].op, 0},
        {&expressions[1].op, PT_EXPRESSION_LIMIT},
        {&expressions[1].context, PT_CONTEXT_IF},
        {&expressions[0].context, PT_CONTEXT_LIMIT},
        {&expressions[0].context, PT_CONTEXT_INNER},
        {&expressions[1].parent, 2},
        {&expressions[2].parent, 2},
        {&expressions[1].statement, 0},
        {&expressions[1].statement, 2 * REPEATS + 1},
        {&logical[0].first, 5},
        {&logical[1].first, 5},
        {&logical[1].last, 70001},
        {&comments[1].line, 1},
        {&comments[1].line, 70001},
        {&code[1].line, 2},
        {&code[1].line, 70001},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t right = *wrong[i].where;
        *wrong[i].where = wrong[i].value;
        cr_expect_eq(pt_writer_syntax(w, &s), PT_EUSAGE, "number %zu", i);
        *wrong[i].where = right;
    }
    size_t *const counts[] = {&s.nsuites, &s.nstatements, &s.nnames};
    for (size_t i = 0; i < 3; i++) {
        size_t right = *counts[i];
        *counts[i] = right / 2;
        cr_expect_eq(pt_writer_syntax(w, &s), PT_EUSAGE, "count %zu", i);
        *counts[i] = right;
    }
    s.failure = S("and tables");
    cr_expect_eq(pt_writer_syntax(w, &s), PT_EUSAGE);
    s.failure.len = 0;
    cr_expect_eq(pt_writer_syntax(w, &s), PT_OK);
    finish(w);
}

/* Whatever byte of a body is changed, what is read can be followed. */
Test(format_syntax, damaged)
{
    struct pt_syntax good = sample(1), *s;
    good.nstatements = 8;
    good.nsuites = 5;
    good.nexpressions = 12;
    struct pt_buf body = {0}, scratch = {0};
    pt_syntax_write(&body, &good, &scratch);
    cr_assert(!body.failed && body.len < 4096);
    size_t read = 0;
    for (size_t i = 0; i < body.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            body.data[i] ^= (uint8_t)(1u << bit);
            struct pt_str item = {(const char *)body.data, body.len};
            enum pt_status st = pt_syntax_read(item, &s);
            cr_assert(st == PT_OK || st == PT_EDAMAGED);
            if (st == PT_OK) {
                cr_expect(pt_syntax_valid(s), "byte %zu", i);
                pt_syntax_free(s);
                read++;
            }
            body.data[i] ^= (uint8_t)(1u << bit);
        }
        struct pt_str cut = {(const char *)body.data, i};
        cr_assert_eq(pt_syntax_read(cut, &s), PT_EDAMAGED);
    }
    cr_expect(read > 0 && read < 8 * body.len);
    pt_buf_clear(&body);
    pt_buf_clear(&scratch);
}

/* Each allocation that fails is told, and leaks nothing. */
Test(format_syntax, out_of_memory)
{
    uint32_t id;
    struct pt_writer *w = begin(&id);
    struct pt_syntax good = sample(id), *s;
    cr_assert_eq(pt_writer_syntax(w, &good), PT_OK);
    finish(w);
    struct pt_trace *t;
    cr_assert_eq(pt_trace_open(place.path, NULL, &t), PT_OK);
    for (int64_t n = 0;; n++) {
        struct pt_syntaxes *all = NULL;
        pt_testing.failed = 0;
        pt_testing.fail_alloc = n;
        enum pt_status st = pt_syntaxes_new(t, &all);
        if (st == PT_OK)
            st = pt_syntaxes_load(all, id, 0x30c, &s);
        pt_testing.fail_alloc = -1;
        pt_syntaxes_free(all);
        if (st == PT_OK) {
            pt_syntax_free(s);
            cr_expect_gt(n, 5);
            break;
        }
        cr_assert_eq(st, PT_ENOMEM, "allocation %lld", (long long)n);
        cr_assert_lt(n, 1000);
    }
    pt_trace_close(t);
}
