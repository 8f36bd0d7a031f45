/* The reports of a coverage, on one that was made by hand. */
#include "analyze/coverage/excerpt.h"
#include "analyze/coverage/regions.h"
#include "analyze/coverage/report.h"
#include "analyze/coverage/view.h"
#include "tests/unit/coverage_sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- totals --------------------------------------------------------------- */

Test(coverage_total, of_a_file)
{
    struct pt_cov_total t = pt_cov_file_total(&coverage_sample.files[0]);
    cr_expect_eq(t.lines.of, 8);
    cr_expect_eq(t.lines.have, 6);
    cr_expect_eq(t.excluded, 2);
    cr_expect_eq(t.arcs.of, 2);
    cr_expect_eq(t.arcs.have, 1);
    cr_expect_eq(t.partial, 1);
    cr_expect_eq(t.conditions.of, 6);
    cr_expect_eq(t.conditions.have, 3);
    cr_expect_eq(t.alone.of, 3);
    cr_expect_eq(t.alone.have, 1);
    cr_expect_float_eq(pt_cov_percent(&t, true), 70.0, 1e-9);
    cr_expect_float_eq(pt_cov_percent(&t, false), 75.0, 1e-9);
    struct pt_cov_total all = pt_coverage_total(&coverage_sample);
    cr_expect_eq(all.lines.of, 10);
    cr_expect_eq(all.lines.have, 6);
}

/* A line that lacks nothing by "no branch", and one that never ran. */
Test(coverage_total, of_a_line)
{
    struct pt_cov_arc arcs[] = {
        {5, 6, 0, true, true}, {5, 7, 0, true, true}, {5, 8, 3, false, false}};
    struct pt_cov_line line = {5, PT_COV_NO_BRANCH, 1};
    struct pt_cov_total t = {0};
    pt_cov_total_line(&t, &line, arcs, 3);
    cr_expect_eq(t.arcs.of, 2);
    cr_expect_eq(t.arcs.have, 2);
    cr_expect_eq(t.partial, 0);
    line = (struct pt_cov_line){5, 0, 0};
    t = (struct pt_cov_total){0};
    pt_cov_total_line(&t, &line, arcs, 3);
    cr_expect_eq(t.arcs.have, 0);
    cr_expect_eq(t.partial, 0, "it did not run at all");
}

Test(coverage_total, percent_is_all_or_nothing_only_if_it_is)
{
    char text[PT_NUMBER_TEXT];
    cr_expect_str_eq(pt_cov_percent_text(0, 0, text), "0");
    cr_expect_str_eq(pt_cov_percent_text(0.01, 0, text), "1");
    cr_expect_str_eq(pt_cov_percent_text(99.99, 0, text), "99");
    cr_expect_str_eq(pt_cov_percent_text(100, 0, text), "100");
    cr_expect_str_eq(pt_cov_percent_text(99.999, 2, text), "99.99");
    cr_expect_str_eq(pt_cov_percent_text(66.666, 1, text), "66.7");
    struct pt_cov_total nothing = {0};
    cr_expect_float_eq(pt_cov_percent(&nothing, true), 100, 0);
}

/* --- regions -------------------------------------------------------------- */

static void
expect_region(const struct pt_cov_file *f, const struct pt_cov_regions *r,
              uint32_t region, const uint32_t *lines, uint32_t n)
{
    cr_assert_eq(r->start[region + 1] - r->start[region], n);
    for (uint32_t i = 0; i < n; i++)
        cr_expect_eq(f->lines[r->rows[r->start[region] + i]].line, lines[i]);
}

Test(coverage_regions, bodies_belong_to_the_innermost)
{
    const struct pt_cov_file *f = &coverage_sample.files[0];
    struct pt_cov_regions r;
    cr_assert_eq(pt_cov_regions_init(&r, f, false), PT_OK);
    expect_region(f, &r, 0, (uint32_t[]){2, 3, 4}, 3);
    expect_region(f, &r, 1, NULL, 0);
    expect_region(f, &r, 2, (uint32_t[]){8}, 1);
    expect_region(f, &r, 3, (uint32_t[]){13}, 1);
    expect_region(f, &r, 4, (uint32_t[]){1, 6, 7, 11, 12}, 5);
    pt_cov_regions_clear(&r);
    cr_assert_eq(pt_cov_regions_init(&r, f, true), PT_OK);
    expect_region(f, &r, 1, (uint32_t[]){8}, 1);
    expect_region(f, &r, 4, (uint32_t[]){1, 2, 3, 4, 6, 7, 11, 12, 13}, 9);
    pt_cov_regions_clear(&r);
}

/* Definitions that lie within themselves, end before they begin, go far. */
Test(coverage_regions, hostile_definitions)
{
    enum { N = 500 };
    static struct pt_cov_function functions[N];
    static struct pt_cov_line lines[N];
    for (uint32_t i = 0; i < N; i++) {
        functions[i] = (struct pt_cov_function){
            .first = i / 3, .last = i % 7 ? UINT32_MAX : 0, .body = i};
        functions[i].class_ = i % 5 == 0;
        lines[i].line = i + 1;
    }
    struct pt_cov_file f = {
        .functions = functions, .lines = lines, .nfunctions = N, .nlines = N};
    struct pt_cov_regions r;
    cr_assert_eq(pt_cov_regions_init(&r, &f, false), PT_OK);
    cr_expect_eq(r.start[N + 1], N, "each line has one region");
    pt_cov_regions_clear(&r);
}

/* --- excerpts ------------------------------------------------------------- */

Test(coverage_excerpt, joins_lines_and_cuts_between_characters)
{
    struct pt_source_text text = {
        .text = {"if (\xc3\xa4\xc3\xa4\xc3\xa4  and\n \tb):\r\n", 21}};
    char buffer[64];
    pt_cov_excerpt(&text, &(struct pt_cov_span){1, 4, 2, 3}, buffer, 64);
    cr_expect_str_eq(buffer, "\xc3\xa4\xc3\xa4\xc3\xa4 and b");
    pt_cov_excerpt(&text, &(struct pt_cov_span){1, 4, 2, 3}, buffer, 9);
    cr_expect_str_eq(buffer, "\xc3\xa4\xc3\xa4...");
    pt_cov_excerpt(&text, &(struct pt_cov_span){1, 90, 4000000000u, 1}, buffer,
                   64);
    cr_expect_str_eq(buffer, "b):");
    cr_expect_eq(pt_cov_excerpt(&text, &(struct pt_cov_span){0}, buffer, 64),
                 0);
}

/* --- lcov ----------------------------------------------------------------- */

Test(coverage_lcov, the_sample)
{
    char *got = coverage_written(&coverage_sample, pt_cov_lcov, NULL);
    cr_expect_str_eq(got, "TN:\n"
                          "SF:pkg/a, <b>.py\n"
                          "FN:1,f:1\n"
                          "FNDA:2,f:1\n"
                          "FN:7,C.m\n"
                          "FNDA:0,C.m\n"
                          "FN:13,f\n"
                          "FNDA:0,f\n"
                          "FNF:3\n"
                          "FNH:1\n"
                          "BRDA:2,0,0,2\n"
                          "BRDA:2,0,1,0\n"
                          "BRF:2\n"
                          "BRH:1\n"
                          "MCDC:2,2,t,2,0,a\n"
                          "MCDC:2,2,f,1,0,a\n"
                          "MCDC:2,2,t,0,1,b\n"
                          "MCDC:2,2,f,0,1,b\n"
                          "MCDC:8,1,t,0,0,f(1, 0)\n"
                          "MCDC:8,1,f,0,0,f(1, 0)\n"
                          "MCF:6\n"
                          "MCH:2\n"
                          "DA:1,1\n"
                          "DA:2,2\n"
                          "DA:3,2\n"
                          "DA:4,0\n"
                          "DA:6,1\n"
                          "DA:7,1\n"
                          "DA:8,0\n"
                          "DA:11,1\n"
                          "LF:8\n"
                          "LH:6\n"
                          "end_of_record\n"
                          "TN:\n"
                          "SF:pkg/unused\\x0a.py\n"
                          "FNF:0\n"
                          "FNH:0\n"
                          "BRF:0\n"
                          "BRH:0\n"
                          "MCF:0\n"
                          "MCH:0\n"
                          "DA:1,0\n"
                          "DA:2,0\n"
                          "LF:2\n"
                          "LH:0\n"
                          "end_of_record\n");
    free(got);
}

/* --- JSON ----------------------------------------------------------------- */

static void
expect_part(const char *text, const char *part)
{
    cr_expect(strstr(text, part), "no %s in\n%s", part, text);
}

Test(coverage_json, the_sample)
{
    char *got = coverage_written(&coverage_sample, pt_cov_json, NULL);
    expect_part(got, "\"format\": 3,\n");
    expect_part(got, "\"branch_coverage\": true");
    expect_part(got, "\"executed_lines\": [1, 2, 3, 6, 7, 11, 12],\n");
    expect_part(got, "\"missing_lines\": [4, 8],\n");
    expect_part(got, "\"excluded_lines\": [12, 13],\n");
    expect_part(got, "\"executed_branches\": [[2, 3]],\n");
    expect_part(got, "\"missing_branches\": [[2, 4]],\n");
    expect_part(got, "\"summary\": {\"covered_lines\": 6, "
                     "\"num_statements\": 8, \"percent_covered\": 70.0, "
                     "\"percent_covered_display\": \"70\", "
                     "\"missing_lines\": 2, \"excluded_lines\": 2, "
                     "\"num_branches\": 2, \"num_partial_branches\": 1, "
                     "\"covered_branches\": 1, \"missing_branches\": 1},\n");
    /* Of two functions of a name, coverage.py has the last. */
    expect_part(got, "\"functions\": {\"C.m\": {\"executed_lines\": [], ");
    expect_part(got, "\"f\": {\"executed_lines\": [], ");
    expect_part(got, "\"classes\": {\"C\": {");
    expect_part(got, "\"vectors\": [[\"TT\", \"T\", 2, \"120+3\", 0], "
                     "[\"F-\", \"F\", 1, \"99+0\", 1]], \"mcdc\": "
                     "[true, false], \"pairs\": [[0, 1], null], "
                     "\"missing\": [null, \"TF\"]}");
    expect_part(got, "\"hits\": {\"1\": 1, \"2\": 2, ");
    expect_part(got, "\"lacks\": \"not parsed: nobody has its text\"");
    expect_part(got, "\"pkg/unused\\n.py\": {\n");
    expect_part(got, "\"percent_covered\": 58.333333333333336,\n");
    free(got);
}

/* --- annotated sources ---------------------------------------------------- */

Test(coverage_annotate, the_sample)
{
    struct pt_out_options how = {NULL, "never", 80};
    char *got = coverage_written(&coverage_sample, pt_cov_annotate, &how);
    cr_expect_str_eq(
        got,
        "pkg/a, <b>.py\n"
        "70%: lines 6/8, branches 1/2, conditions 3/6, MC/DC 1/3\n"
        "\n"
        ">      1     1  def f(a, b):\n"
        ">      2     2      if a and b:  # <both>\n"
        "                to 3: 2 times, to 4: never\n"
        "                  1  true 2, false 1            a\n"
        "                  2  true 2, never false        b\n"
        "                MC/DC: 1 of 2 conditions shown to decide alone\n"
        "                  #1   TT -> T  2 times, first at trace 1, 120+3\n"
        "                  #2   F- -> F  1 time, first at trace 2, 99+0\n"
        "                  1  decides alone: #1 and #2 show it\n"
        "                  2  not shown to decide alone; missing: TF\n"
        ">      2     3          return 1\n"
        "!      0     4      return 2\n"
        "             5\n"
        ">      1     6  class C:\n"
        ">      1     7      def m(self):\n"
        "!      0     8          return f(1, 0) or 'no\\\n"
        "!            9  thing'\n"
        "            10\n"
        ">      1    11  f(1, 1); f(0, 1)\n"
        "-           12  if 0:  # pragma: no cover\n"
        "-           13      def f(): pass\n"
        "\n"
        "pkg/unused\\x0a.py\n"
        "0%: lines 0/2, branches 0/0, conditions 0/0, MC/DC 0/0\n"
        "not parsed: nobody has its text\n"
        "\n"
        "!      0     1\n"
        "!      0     2\n");
    free(got);
}

/* Lines that do not fit go on behind the margin; tabs are blanks. */
Test(coverage_annotate, wraps_and_colours)
{
    static const char text[] = "\tif aaaaaaaaaaaaaaaaaaaaaaaa:\n";
    static struct pt_cov_line lines[] = {{1, 0, 123456789}};
    static struct pt_cov_condition conditions[] = {
        {{1, 4, 1, 28}, 0, PT_COV_DECIDED, 1, 1, 0}};
    static struct pt_cov_file file = {.path = {"x", 1},
                                      .text = {text, sizeof text - 1},
                                      .lines = lines,
                                      .nlines = 1,
                                      .conditions = conditions,
                                      .nconditions = 1};
    static const struct pt_coverage c = {.files = &file, .nfiles = 1};
    struct pt_out_options how = {NULL, "always", 40};
    char *got = coverage_written(&c, pt_cov_annotate, &how);
    cr_expect_str_eq(got,
                     "\033[1mx\033[0m\n100%: lines 1/1\n\n"
                     ">   123M     1  "
                     "        \033[1mif\033[0m \033[32maaaaaaaaaaaaa\033[0m\n"
                     "                \033[32maaaaaaaaaaa\033[0m:\n");
    free(got);
}

/* --- the view ------------------------------------------------------------- */

static void
expect_runs(const struct pt_cov_row *row, const char *expected)
{
    char text[512];
    size_t used = 0;
    for (uint32_t i = 0; i < row->nruns; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%c%u[%.*s]",
            "pkSC"[row->runs[i].token], row -> runs[i].condition,
            (int)row->runs[i].len, row->text.data + row->runs[i].start);
    cr_expect_str_eq(text, expected);
}

Test(coverage_view, conditions_within_conditions_over_lines)
{
    static const char text[] = "\xef\xbb\xbfx = f(a and\r"
                               "b) or '''c # in\n"
                               "def''' # in";
    static struct pt_cov_condition conditions[] = {
        {.span = {1, 4, 2, 2}},
        {.span = {2, 6, 3, 6}},
        {.span = {1, 6, 1, 7}},
        {.span = {2, 0, 2, 1}},
        {.span = {3, 4000000000u, 3, 4000000001u}},
        {.span = {9, 0, 8, 0}},
    };
    struct pt_cov_file f = {.text = {text, sizeof text - 1},
                            .conditions = conditions,
                            .nconditions = 6};
    struct pt_cov_view *v;
    struct pt_cov_row row;
    cr_assert_eq(pt_cov_view_new(&f, &v), PT_OK);
    cr_assert_eq(pt_cov_view_next(v, &row), PT_OK);
    expect_runs(&row, "p0[x = ]p1[f(]p3[a]p1[ ]k1[and]");
    cr_assert_eq(pt_cov_view_next(v, &row), PT_OK);
    expect_runs(&row, "p4[b]p1[)]p0[ ]k0[or]p0[ ]S2['''c # in]");
    cr_assert_eq(pt_cov_view_next(v, &row), PT_OK);
    expect_runs(&row, "S2[def''']p0[ ]C0[# in]");
    cr_expect_eq(row.number, 3);
    cr_expect_eq(pt_cov_view_next(v, &row), PT_END);
    pt_cov_view_free(v);
}

Test(coverage_view, strings_that_end_and_that_do_not)
{
    static const char text[] = "x = rb'a\\'b' 'open\n"
                               "if 'goes \\\n"
                               "on' in x:\n"
                               "\"\"\"never\n"
                               "closed \\";
    struct pt_cov_file f = {.text = {text, sizeof text - 1}};
    struct pt_cov_view *v;
    struct pt_cov_row row;
    static const char *const expected[] = {
        "p0[x = ]S0[rb'a\\'b']p0[ ]S0['open]",
        "k0[if]p0[ ]S0['goes \\]",
        "S0[on']p0[ ]k0[in]p0[ x:]",
        "S0[\"\"\"never]",
        "S0[closed \\]",
    };
    cr_assert_eq(pt_cov_view_new(&f, &v), PT_OK);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(pt_cov_view_next(v, &row), PT_OK);
        expect_runs(&row, expected[i]);
    }
    cr_expect_eq(pt_cov_view_next(v, &row), PT_END);
    pt_cov_view_free(v);
}
