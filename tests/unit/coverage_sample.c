#include "tests/unit/coverage_sample.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STR(s)                                                                 \
    {                                                                          \
        s, sizeof s - 1                                                        \
    }

static const char text[] = "def f(a, b):\n"
                           "    if a and b:  # <both>\n"
                           "        return 1\n"
                           "    return 2\n"
                           "\n"
                           "class C:\n"
                           "    def m(self):\n"
                           "        return f(1, 0) or 'no\\\n"
                           "thing'\n"
                           "\n"
                           "f(1, 1); f(0, 1)\n"
                           "if 0:  # pragma: no cover\n"
                           "    def f(): pass\n";

static struct pt_cov_line lines[] = {
    {1, 0, 1},
    {2, 0, 2},
    {3, 0, 2},
    {4, 0, 0},
    {6, 0, 1},
    {7, 0, 1},
    {8, 0, 0},
    {11, 0, 1},
    {12, PT_COV_EXCLUDED, 1},
    {13, PT_COV_EXCLUDED, 0},
};

static struct pt_cov_arc arcs[] = {
    {-1, 1, 1, true, false},  {1, 6, 1, true, false},  {2, 3, 2, true, true},
    {2, 4, 0, true, true},    {3, -1, 2, true, false}, {4, -1, 0, true, false},
    {12, 13, 0, true, false},
};

static struct pt_cov_jump jumps[] = {
    {{2, 7, 2, 8}, 4, 114, 2, 0, 2, 4},
};

static struct pt_cov_condition conditions[] = {
    {{2, 7, 2, 8}, 0, PT_COV_DECIDED, 2, 1, 0},
    {{2, 13, 2, 14}, 0, PT_COV_DECIDED, 2, 0, 0},
    {{8, 15, 8, 22}, 1, PT_COV_DECIDED, 0, 0, 0},
    {{8, 26, 9, 6}, 1, PT_COV_UNDECIDABLE, 0, 0, 0},
};

static struct pt_cov_vector vectors[] = {
    {"TT", 'T', 2, {0, 120, 3}},
    {"F-", 'F', 1, {1, 99, 0}},
};

static struct pt_cov_alone first[] = {
    {PT_COV_ALONE_YES, {0, 1}, NULL},
    {PT_COV_ALONE_NO, {0, 0}, "TF"},
};
static struct pt_cov_alone second[] = {
    {PT_COV_ALONE_NO, {0, 0}, NULL},
    {PT_COV_ALONE_CANNOT, {0, 0}, NULL},
};

static struct pt_cov_decision decisions[] = {
    {{2, 7, 2, 14}, 2, 0, 2, vectors, 2, first},
    {{8, 15, 9, 6}, 1, 2, 2, NULL, 0, second},
};

static struct pt_cov_function functions[] = {
    {STR("f"), 1, 4, 1, 2, false, false, 2},
    {STR("C"), 6, 9, 6, 7, true, false, 1},
    {STR("C.m"), 7, 9, 7, 8, false, false, 0},
    {STR("f"), 13, 13, 13, 13, false, false, 0},
};

static struct pt_cov_line unused_lines[] = {{1, 0, 0}, {2, 0, 0}};

static struct pt_cov_file files[] = {
    {
        .path = STR("pkg/a, <b>.py"),
        .text = STR(text),
        .lacks = STR(""),
        .imported = true,
        .parsed = true,
        .lines = lines,
        .arcs = arcs,
        .jumps = jumps,
        .conditions = conditions,
        .decisions = decisions,
        .functions = functions,
        .nlines = sizeof lines / sizeof *lines,
        .narcs = sizeof arcs / sizeof *arcs,
        .njumps = sizeof jumps / sizeof *jumps,
        .nconditions = sizeof conditions / sizeof *conditions,
        .ndecisions = sizeof decisions / sizeof *decisions,
        .nfunctions = sizeof functions / sizeof *functions,
    },
    {
        .path = STR("pkg/unused\n.py"),
        .lacks = STR("not parsed: nobody has its text"),
        .lines = unused_lines,
        .nlines = 2,
    },
};

static const char *const traces[] = {"one.ptr", "two.ptr"};

const struct pt_coverage coverage_sample = {
    .files = files,
    .nfiles = 2,
    .traces = traces,
    .ntraces = 2,
    .has_arcs = true,
    .has_conditions = true,
    .has_mcdc = true,
};

char *
coverage_written(const struct pt_coverage *c,
                 enum pt_status (*report)(const struct pt_coverage *,
                                          struct pt_out *),
                 const struct pt_out_options *how)
{
    enum { MOST = 1 << 20 };
    char path[] = "/tmp/pt-coverage-XXXXXX";
    struct pt_out_options options = how ? *how : (struct pt_out_options){0};
    struct pt_error error;
    struct pt_out *out;
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    options.path = path;
    cr_assert_eq(pt_out_open(&options, &error, &out), PT_OK);
    cr_expect_eq(report(c, out), PT_OK);
    cr_assert_eq(pt_out_close(out, &error), PT_OK);
    char *written = calloc(1, MOST);
    cr_assert_lt(read(fd, written, MOST - 1), MOST - 1);
    close(fd);
    unlink(path);
    return written;
}
