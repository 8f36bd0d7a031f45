/* Patterns, exclusions and statements, without a trace. */
#include "analyze/coverage/lines.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

/* --- patterns ------------------------------------------------------------- */

static bool
glob(const char *pattern, const char *path)
{
    struct pt_patterns *p;
    struct pt_error error;
    cr_assert_eq(pt_patterns_globs(&pattern, 1, "/home/u", &error, &p), PT_OK,
                 "%s: %s", pattern, error.text);
    bool matches = pt_patterns_match(p, (struct pt_str){path, strlen(path)});
    pt_patterns_free(p);
    return matches;
}

Test(coverage_pattern, globs_as_coverage_has_them)
{
    static const struct {
        const char *glob, *path;
        bool matches;
    } cases[] = {
        {"*.py", "/home/u/a.py", true},
        {"*.py", "/home/u/b/a.py", true},
        {"a.py", "/x/a.py", true},
        {"a.py", "/x/ba.py", false},
        {"b/a.py", "/home/u/b/a.py", true},
        {"b/a.py", "/x/b/a.py", false},
        {"./b/*", "/home/u/b/a.py", true},
        {"b/*", "/home/u/b/c/a.py", true},
        {"b/*.py", "/home/u/b/c/a.py", false},
        {"*/b/*", "/x/y/b/a.py", true},
        {"*/b/*", "/b/a.py", true},
        {"/x/**/a.py", "/x/a.py", true},
        {"/x/**/a.py", "/x/y/z/a.py", true},
        {"/x/**/a.py", "/xy/a.py", false},
        {"**/t*", "/x/y/two.py", true},
        {"**/t*", "/x/t/wo.py", false},
        {"/x/?.py", "/x/a.py", true},
        {"/x/?.py", "/x/ab.py", false},
        {"/x/[ab].py", "/x/b.py", true},
        {"/x/[!ab].py", "/x/!.py",
         true}, /* a set of expressions, of no globs */
        {"/x/a+(b){1}$.py", "/x/a+(b){1}$.py", true},
        {"/x/a.py", "/x/a.py\n", false},
        {"/x/a.py", "/x/a-py", false},
        {"", "/x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(glob(cases[i].glob, cases[i].path), cases[i].matches,
                     "%s and %s", cases[i].glob, cases[i].path);
}

Test(coverage_pattern, what_is_none)
{
    static const char *const bad[] = {"a***b", "a**", "**a",
                                      "x/**y", "[a",  "a]"};
    static const char *const regexes[] = {"(", "a{2,1}", "[", "\\C", "(?<n"};
    struct pt_patterns *p;
    struct pt_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error.text[0] = 0;
        cr_expect_eq(pt_patterns_globs(&bad[i], 1, "/", &error, &p), PT_EUSAGE,
                     "%s", bad[i]);
        cr_expect(strstr(error.text, bad[i]), "%s", error.text);
    }
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        error.text[0] = 0;
        cr_expect_eq(pt_patterns_new(&regexes[i], 1, &error, &p), PT_EUSAGE,
                     "%s", regexes[i]);
        cr_expect(strstr(error.text, regexes[i]), "%s", error.text);
    }
}

Test(coverage_pattern, any_of_a_set_in_any_bytes)
{
    const char *const set[] = {"^b$", "a|x", "\\bd"};
    struct pt_patterns *p, *none;
    struct pt_error error;
    size_t begin, end;
    cr_assert_eq(pt_patterns_new(set, 3, &error, &p), PT_OK);
    cr_expect(pt_patterns_find(p, STR("c\nb\nd"), 0, &begin, &end));
    cr_expect_eq(begin, 2u);
    cr_expect_eq(end, 3u);
    cr_expect(pt_patterns_find(p, STR("c\nb\nd"), 3, &begin, &end));
    cr_expect_eq(begin, 4u);
    cr_expect_not(pt_patterns_find(p, STR("c\nb\nd"), 5, &begin, &end));
    cr_expect_not(pt_patterns_find(p, STR("c"), 9, &begin, &end));
    cr_expect(pt_patterns_match(p, STR("\xff\xfe x \xc3")));
    cr_expect_not(pt_patterns_match(p, (struct pt_str){NULL, 0}));
    pt_patterns_free(p);
    cr_assert_eq(pt_patterns_new(NULL, 0, &error, &none), PT_OK);
    cr_expect_not(pt_patterns_match(none, STR("")));
    pt_patterns_free(none);
}

/* --- lines ---------------------------------------------------------------- */

/* What is told of a text whose code is all in module and functions that never
 * ran. */
static void
lines_of(struct pt_str text, struct pt_syntax *syntax, bool modern,
         struct pt_cov_file *f)
{
    struct pt_cov_source source = {.text = text, .syntax = syntax};
    struct pt_exclusion x;
    struct pt_error error;
    memset(f, 0, sizeof *f);
    cr_assert_eq(pt_exclusion_init(&x, modern, NULL, 0, &error), PT_OK);
    cr_assert_eq(pt_cov_lines(&source, &x, f), PT_OK);
    cr_assert_eq(pt_cov_functions(&source, f), PT_OK);
    pt_exclusion_clear(&x);
}

static void
clear(struct pt_cov_file *f)
{
    for (uint32_t i = 0; i < f->nfunctions; i++)
        free((void *)(uintptr_t)f->functions[i].name.data);
    free(f->functions);
    free(f->lines);
}

/* "1 2x 5n": lines, those that are excluded, those without branches. */
static void
expect_lines(const struct pt_cov_file *f, const char *expected)
{
    char text[256] = "";
    for (uint32_t i = 0; i < f->nlines; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u%s%s",
                 i ? " " : "", f->lines[i].line,
                 f->lines[i].flags & PT_COV_EXCLUDED ? "x" : "",
                 f->lines[i].flags & PT_COV_NO_BRANCH ? "n" : "");
    cr_expect_str_eq(text, expected);
}

/* def f(      1  decorated in line 1
 *     a):     3
 *     "d"     4
 *     while   5  pragma: no branch */
static const char program[] = "@d # pragma: no cover\n"
                              "def f(\n"
                              "    a):\n"
                              "    'd'\n"
                              "    while a: # pragma: no branch\n"
                              "\n"
                              "        pass\n"
                              "x = 1\n";
static const struct pt_statement statements[] = {
    {PT_STATEMENT_DEF, 0, 0, 2, 0, 7, 12, 1, 1},
    {PT_STATEMENT_DOCSTRING, 0, 1, 4, 4, 4, 7, 4, 0},
    {PT_STATEMENT_WHILE, 0, 1, 5, 4, 7, 12, 5, 0},
    {PT_STATEMENT_PASS, 0, 2, 7, 8, 7, 12, 7, 0},
    {PT_STATEMENT_ASSIGN, 0, 0, 8, 0, 8, 5, 8, 0},
};
static const struct pt_suite suites[] = {
    {PT_SUITE_MODULE, 0, 0, 1, 0, 0, 0, 8},
    {PT_SUITE_BODY, 0, 1, 2, 0, 3, 6, 7},
    {PT_SUITE_BODY, 0, 3, 5, 4, 5, 11, 7},
};
static const struct pt_logical logical[] = {{2, 3}};
static const struct pt_code_line code[] = {{1}, {2}, {3}, {5}, {7}, {8}};
static const struct pt_str names[] = {{"f", 1}};
static const struct pt_syntax syntax = {.version = 3 << 8 | 12,
                                        .lines = 8,
                                        .statements = statements,
                                        .suites = suites,
                                        .logical = logical,
                                        .code = code,
                                        .names = names,
                                        .nstatements = 5,
                                        .nsuites = 3,
                                        .nlogical = 1,
                                        .ncode = 6,
                                        .nnames = 1};

Test(coverage_lines, rules_of_both_releases)
{
    struct pt_cov_file f;
    struct pt_syntax s = syntax;
    lines_of(STR(program), &s, true, &f);
    expect_lines(&f, "1x 2x 3x 4x 5xn 6x 7x 8");
    cr_assert_eq(f.nfunctions, 1u);
    cr_expect_eq(f.functions[0].name.len, 1u);
    cr_expect(f.functions[0].excluded);
    cr_expect_eq(f.functions[0].first, 1u);
    clear(&f);
    /* 6.5 leaves out what is no beginning of a logical line. */
    lines_of(STR(program), &s, false, &f);
    expect_lines(&f, "1x 2x 4x 5xn 7x 8");
    clear(&f);
}

Test(coverage_lines, ends_of_lines_are_alike)
{
    char dos[2 * sizeof program];
    size_t n = 0;
    struct pt_cov_file f;
    struct pt_syntax s = syntax;
    for (const char *p = program; *p; p++) {
        if (*p == '\n')
            dos[n++] = '\r';
        dos[n++] = *p;
    }
    lines_of((struct pt_str){dos, n}, &s, true, &f);
    expect_lines(&f, "1x 2x 3x 4x 5xn 6x 7x 8");
    clear(&f);
    for (size_t i = 0; i < n; i++)
        if (dos[i] == '\r')
            dos[i] = '\n';
    for (size_t i = n = 0; i < sizeof program - 1; i++)
        dos[n++] = program[i] == '\n' ? '\r' : program[i];
    lines_of((struct pt_str){dos, n}, &s, true, &f);
    expect_lines(&f, "1x 2x 3x 4x 5xn 6x 7x 8");
    clear(&f);
}

Test(coverage_lines, nothing_is_asked_of_a_parser)
{
    struct pt_cov_file f;
    lines_of(STR(program), NULL, true, &f);
    expect_lines(&f, "1x");
    clear(&f);
    lines_of((struct pt_str){NULL, 0}, NULL, false, &f);
    expect_lines(&f, "");
    clear(&f);
}

/* Numbers that no parser writes: they end, and stay inside of the text. */
Test(coverage_lines, hostile_syntax)
{
    const uint32_t numbers[] = {0, 1, 2, 3, 7, 9, UINT32_MAX - 1, UINT32_MAX};
    struct pt_statement st[5];
    struct pt_suite su[3];
    struct pt_logical lo[1];
    struct pt_code_line co[6];
    uint64_t dice = 1;
    for (unsigned round = 0; round < 3000; round++) {
        struct pt_cov_file f;
        struct pt_syntax s = syntax;
        uint32_t *rows[] = {(uint32_t *)st, (uint32_t *)su, (uint32_t *)lo,
                            (uint32_t *)co};
        const size_t sizes[] = {sizeof st, sizeof su, sizeof lo, sizeof co};
        memcpy(st, statements, sizeof st);
        memcpy(su, suites, sizeof su);
        memcpy(lo, logical, sizeof lo);
        memcpy(co, code, sizeof co);
        for (unsigned k = 0; k < 1 + round % 5; k++) {
            dice = dice * UINT64_C(6364136223846793005) + 1;
            size_t table = dice >> 60 & 3;
            size_t at = (dice >> 33) % (sizes[table] / sizeof(uint32_t));
            rows[table][at] = numbers[dice >> 50 & 7];
        }
        s.statements = st;
        s.suites = su;
        s.logical = lo;
        s.code = co;
        s.version = 3 << 8 | (round % 3 ? 14 : 12);
        lines_of(STR(program), &s, round % 2, &f);
        for (uint32_t i = 0; i < f.nlines; i++) {
            cr_assert_geq(f.lines[i].line, 1u);
            cr_assert_leq(f.lines[i].line, 9u);
            cr_assert(i == 0 || f.lines[i - 1].line < f.lines[i].line);
        }
        clear(&f);
    }
}

/* --- steps ---------------------------------------------------------------- */

Test(coverage_lines, hits_are_starts_of_statements)
{
    struct pt_cov_step steps[] = {
        {0, 2, 3},             /* the frame begins in it */
        {2, 2, 4},             /* a jump back to the line itself */
        {2, 3, 5},             /* to another line of the same statement ... */
        {3, 2, 5},             /* ... and back */
        {5, 3, 7},             /* into its middle, from another */
        {3, 8, 1}, {8, 99, 1}, /* no such line */
    };
    struct pt_cov_code one = {.steps = steps, .nsteps = 7};
    static const char text[] = "\n(a,\n b)\n\nwhile a:\n\n pass\nx = 1\n";
    struct pt_syntax s = syntax;
    struct pt_cov_source source = {
        .text = STR(text), .syntax = &s, .codes = &one, .ncodes = 1};
    struct pt_exclusion x;
    struct pt_error error;
    struct pt_cov_file f = {.nlines = 0};
    s.nstatements = 0;
    s.nsuites = 1;
    cr_assert_eq(pt_exclusion_init(&x, true, NULL, 0, &error), PT_OK);
    cr_assert_eq(pt_cov_lines(&source, &x, &f), PT_OK);
    expect_lines(&f, "1 2 5 7 8");
    cr_assert_eq(f.nlines, 5u);
    cr_expect_eq(f.lines[0].hits, 0u);
    cr_expect_eq(f.lines[1].hits, 14u);
    cr_expect_eq(f.lines[2].hits, 0u);
    cr_expect_eq(f.lines[4].hits, 1u);
    pt_exclusion_clear(&x);
    clear(&f);
}
