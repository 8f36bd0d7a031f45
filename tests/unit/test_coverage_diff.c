/* Lines through the changes of a text, and what became uncovered. */
#include "analyze/coverage/diff.h"
#include "analyze/coverage/line_map.h"
#include "tests/unit/coverage_sample.h"
#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pt_str
str(const char *text)
{
    return (struct pt_str){text, strlen(text)};
}

/* --- lines through changes ------------------------------------------------ */

static void
expect_map(const char *then, const char *now, const char *expected)
{
    struct pt_line_map map;
    char got[256] = "";
    size_t used = 0;
    cr_assert_eq(pt_line_map_init(&map, str(then), str(now)), PT_OK);
    for (uint32_t i = 1; i <= map.n; i++)
        used += (size_t)snprintf(got + used, sizeof got - used, "%u ",
                                 pt_line_map_then(&map, i));
    cr_expect_str_eq(got, expected);
    cr_expect_eq(pt_line_map_then(&map, 0), 0);
    cr_expect_eq(pt_line_map_then(&map, map.n + 1), 0);
    cr_expect_eq(pt_line_map_then(&map, UINT32_MAX), 0);
    pt_line_map_clear(&map);
}

Test(coverage_line_map, of_small_texts)
{
    expect_map("a\nb\nc\n", "a\nb\nc\n", "1 2 3 ");
    expect_map("", "a\n", "0 ");
    expect_map("a\n", "", "");
    expect_map("a\nb\nc\n", "a\nx\nb\nc\ny\n", "1 0 2 3 0 ");
    expect_map("a\nb\nc\nd\n", "a\nd\n", "1 4 ");
    /* Ends of lines are no change, and the last may have none. */
    expect_map("a\nb", "a\r\nb\r", "1 2 ");
    /* Moved: one of both stays where it was. */
    expect_map("a\nb\nc\nd\ne\n", "c\nd\ne\na\nb\n", "3 4 5 0 0 ");
    /* Between unique lines, lines that are none. */
    expect_map("p\nq\np\nu\np\nr\np\n", "p\np\nu\np\nx\np\n", "1 3 4 5 0 7 ");
}

/* A text changed at random: what is mapped is the same line, in order, and what
 * is unique and was not touched is found. */
Test(coverage_line_map, of_random_texts)
{
    enum { LINES = 200 };
    uint64_t state = 7;
    for (unsigned round = 0; round < 200; round++) {
        char then[LINES * 8] = "", now[LINES * 16] = "";
        uint32_t origin[2 * LINES], n = 0;
        for (uint32_t i = 0; i < LINES; i++) {
            sprintf(then + strlen(then), "u%u\n", i);
            unsigned change = dice(&state, 10);
            if (change == 0)
                continue;
            if (change == 1) {
                sprintf(now + strlen(now), "x%u\n", dice(&state, 5));
                origin[n++] = 0;
            }
            sprintf(now + strlen(now), "u%u\n", i);
            origin[n++] = i + 1;
        }
        struct pt_line_map map;
        cr_assert_eq(pt_line_map_init(&map, str(then), str(now)), PT_OK);
        cr_assert_eq(map.n, n);
        for (uint32_t i = 0; i < n; i++)
            cr_expect_eq(map.then[i], origin[i], "line %u", i + 1);
        pt_line_map_clear(&map);
    }
}

/* --- what changed --------------------------------------------------------- */

static const char before[] = "def f(a, b):\n"
                             "    if a and b:\n"
                             "        return 1\n"
                             "    return 2\n"
                             "f(1, 1)\n";
static const char after[] = "import os\n"
                            "def f(a, b):\n"
                            "    if a and b:\n"
                            "        return 1\n"
                            "    new = 3\n"
                            "    return 2\n"
                            "f(1, 1)\n";

static struct pt_cov_line then_lines[] = {
    {1, 0, 1}, {2, 0, 2}, {3, 0, 1}, {4, 0, 1}, {5, 0, 0}};
static struct pt_cov_line now_lines[] = {{1, 0, 1}, {2, 0, 1}, {3, 0, 2},
                                         {4, 0, 2}, {5, 0, 0}, {6, 0, 0},
                                         {7, 0, 1}};
static struct pt_cov_arc then_arcs[] = {{2, 3, 1, true, true},
                                        {2, 4, 1, true, true}};
static struct pt_cov_arc now_arcs[] = {{3, 4, 2, true, true},
                                       {3, 5, 0, true, true}};
static struct pt_cov_condition then_conditions[] = {
    {{2, 7, 2, 8}, 0, PT_COV_DECIDED, 1, 1, 0},
    {{2, 13, 2, 14}, 0, PT_COV_DECIDED, 1, 0, 0}};
static struct pt_cov_condition now_conditions[] = {
    {{3, 7, 3, 8}, 0, PT_COV_DECIDED, 2, 0, 0},
    {{3, 13, 3, 14}, 0, PT_COV_DECIDED, 2, 0, 0}};
static struct pt_cov_alone shown[] = {{PT_COV_ALONE_YES, {0, 1}, NULL},
                                      {PT_COV_ALONE_NO, {0, 0}, "TF"}};
static struct pt_cov_alone unshown[] = {{PT_COV_ALONE_NO, {0, 0}, "F-"},
                                        {PT_COV_ALONE_NO, {0, 0}, "TF"}};
static struct pt_cov_decision then_decisions[] = {
    {.span = {2, 7, 2, 14}, .nconditions = 2, .alone = shown}};
static struct pt_cov_decision now_decisions[] = {
    {.span = {3, 7, 3, 14}, .nconditions = 2, .alone = unshown}};

#define FILE_OF(name, text_)                                                   \
    {                                                                          \
        .path = {"a.py", 4}, .text = {text_, sizeof text_ - 1},                \
        .lines = name##_lines,                                                 \
        .nlines = sizeof name##_lines / sizeof *name##_lines,                  \
        .arcs = name##_arcs, .narcs = 2, .conditions = name##_conditions,      \
        .nconditions = 2, .decisions = name##_decisions, .ndecisions = 1       \
    }
static struct pt_cov_file then_files[] = {
    FILE_OF(then, before),
    {.path = {"gone.py", 7}, .lines = then_lines, .nlines = 1}};
static struct pt_cov_file now_files[] = {
    FILE_OF(now, after),
    {.path = {"new.py", 6}, .lines = now_lines, .nlines = 1}};
static const struct pt_coverage then_coverage = {
    .files = then_files, .nfiles = 2, .has_arcs = true};
static const struct pt_coverage now_coverage = {.files = now_files,
                                                .nfiles = 2,
                                                .has_arcs = true,
                                                .has_conditions = true,
                                                .has_mcdc = true};
static uint64_t lost;

static enum pt_status
text_report(const struct pt_coverage *now, struct pt_out *out)
{
    return pt_cov_diff_text(&then_coverage, now, out, &lost);
}

static enum pt_status
json_report(const struct pt_coverage *now, struct pt_out *out)
{
    return pt_cov_diff_json(&then_coverage, now, out, &lost);
}

Test(coverage_diff, as_text)
{
    char *got = coverage_written(&now_coverage, text_report, NULL);
    cr_expect_eq(lost, 3);
    cr_expect_str_eq(got, "a.py  86% -> 67%\n"
                          "  not run any more      6\n"
                          "  new, not run          5\n"
                          "  never false any more  3: a\n"
                          "  decides no more alone 3: a\n"
                          "  run now               7\n"
                          "\n"
                          "gone.py  not in this report any more\n"
                          "\n"
                          "new.py  new, 100%\n"
                          "\n"
                          "1 line not run any more, 1 new and not run, 1 run "
                          "now; in all 88% -> 70%\n");
    free(got);
}

Test(coverage_diff, as_json)
{
    char *got = coverage_written(&now_coverage, json_report, NULL);
    cr_expect(strstr(got, "\"lost_lines\": [6],\n"), "%s", got);
    cr_expect(strstr(got, "\"new_missing_lines\": [5],\n"));
    cr_expect(strstr(got, "\"never_false_any_more\": [[3, 7, 3, 8]],\n"));
    cr_expect(strstr(got, "\"gone.py\": {\n"));
    free(got);
}

/* The same text, or one that nobody has: lines are what they were. */
Test(coverage_diff, of_texts_that_are_the_same)
{
    static struct pt_cov_line lines[] = {
        {1, 0, 1}, {2, 0, 1}, {3, 0, 0}, {4, PT_COV_EXCLUDED, 0}, {5, 0, 0}};
    static struct pt_cov_arc arcs[] = {{2, 3, 0, true, true},
                                       {2, 4, 1, true, true}};
    struct pt_cov_file then = then_files[0], now = then_files[0];
    struct pt_cov_changes c;
    now.lines = lines;
    now.arcs = arcs;
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(pt_cov_changes_init(&c, &then, &now), PT_OK);
        cr_expect_eq(c.lost.n, 1);
        cr_expect_eq(c.lost.rows[0], 2);
        cr_expect_eq(c.arcs.n, 1, "2->3 was taken");
        cr_expect_eq(c.fresh.n, 0);
        cr_expect_eq(c.won.n, 0);
        cr_expect_eq(pt_cov_changes_lost(&c), 2);
        pt_cov_changes_clear(&c);
        *(i ? &now.text : &then.text) = (struct pt_str){"", 0};
    }
}
