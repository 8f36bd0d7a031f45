/* The HTML report: what it escapes, and which folders it takes. */
#include "analyze/coverage/html.h"
#include "tests/unit/coverage_sample.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void
make_folder(void)
{
    strcpy(folder, "/tmp/pt-coverage-XXXXXX");
    cr_assert(mkdtemp(folder));
}

static void
remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(coverage_html, .init = make_folder, .fini = remove_folder);

static char *
contents(const char *name)
{
    enum { MOST = 1 << 16 };
    char path[PATH_MAX], *text = calloc(1, MOST);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    cr_assert_geq(fd, 0, "no %s", path);
    cr_assert_geq(read(fd, text, MOST - 1), 0);
    close(fd);
    return text;
}

static bool
is_there(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void
put(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static void
expect_part(const char *text, const char *part)
{
    cr_expect(strstr(text, part), "no %s in\n%s", part, text);
}

Test(coverage_html, the_sample)
{
    struct pt_error error;
    char name[PT_COV_PAGE_NAME];
    cr_assert_eq(pt_cov_html(&coverage_sample, folder, &error), PT_OK);
    char *index = contents("index.html");
    pt_cov_html_page(coverage_sample.files[0].path, name);
    expect_part(index, name);
    expect_part(index, ">pkg/a, &lt;b&gt;.py</a>");
    expect_part(index, ">pkg/unused\\x0a.py</a>");
    char *page = contents(name);
    expect_part(page, "<span class=\"c one\" title=\"true 2, never false\">b"
                      "</span>:  <span class=\"m\"># &lt;both&gt;</span>");
    expect_part(page, "<div class=\"line par\" id=\"L2\">");
    expect_part(page, "<div class=\"line mis\" id=\"L9\">");
    expect_part(page, "<div class=\"line exc\" id=\"L12\">");
    expect_part(page, "<span class=\"never\">&rarr; <a href=\"#L4\">4</a> "
                      "never</span>");
    expect_part(page, "no: missing <code>TF</code>");
    char *functions = contents("functions.html");
    expect_part(functions, "#L7\">C.m</a>");
    expect_part(functions, "class=\"none\">never</td>");
    free(index);
    free(page);
    free(functions);
}

Test(coverage_html, escapes_whatever_it_is)
{
    struct pt_coverage nothing = {0};
    struct pt_out_options options = {.color = "never"};
    struct pt_error error;
    struct pt_out *out;
    char path[PATH_MAX];
    static const char odd[] = "\"'<>&\t\x01\xff\xe2\x80\xae\xed\xa0\x80\xc3";
    snprintf(path, sizeof path, "%s/x", folder);
    options.path = path;
    cr_assert_eq(pt_out_open(&options, &error, &out), PT_OK);
    pt_cov_html_str(out, (struct pt_str){odd, sizeof odd - 1});
    cr_assert_eq(pt_out_close(out, &error), PT_OK);
    char *text = contents("x");
    cr_expect_str_eq(text, "&quot;&#39;&lt;&gt;&amp;\t\\x01\\xff\\u202e"
                           "\\xed\\xa0\\x80\\xc3");
    free(text);
    cr_expect_eq(pt_cov_html(&nothing, folder, &error), PT_EUSAGE,
                 "the folder holds what is not ours");
    expect_part(error.text, "something else than a report");
}

Test(coverage_html, takes_away_what_it_wrote_and_nothing_else)
{
    struct pt_coverage other = coverage_sample;
    struct pt_error error;
    char first[PT_COV_PAGE_NAME], second[PT_COV_PAGE_NAME];
    pt_cov_html_page(coverage_sample.files[0].path, first);
    pt_cov_html_page(coverage_sample.files[1].path, second);
    cr_assert_eq(pt_cov_html(&coverage_sample, folder, &error), PT_OK);
    put("notes.txt", "mine");
    cr_expect(is_there(first) && is_there(second));
    other.nfiles = 1;
    cr_assert_eq(pt_cov_html(&other, folder, &error), PT_OK);
    cr_expect(is_there(first) && !is_there(second) && is_there("notes.txt"));
    /* A list that was tampered with reaches nothing outside. */
    char outside[80];
    snprintf(outside, sizeof outside, "%s.txt", folder);
    FILE *file = fopen(outside, "w");
    cr_assert(file);
    fclose(file);
    char text[300];
    snprintf(text, sizeof text, "report of ptana coverage\n../%s\n%s\n..\n",
             strrchr(outside, '/') + 1, outside);
    put(".ptana-coverage", text);
    cr_assert_eq(pt_cov_html(&other, folder, &error), PT_OK);
    cr_expect_eq(access(outside, F_OK), 0);
    unlink(outside);
    put(".ptana-coverage", "a file of somebody's\n");
    cr_expect_eq(pt_cov_html(&other, folder, &error), PT_EUSAGE);
}

Test(coverage_html, folders_that_cannot_be)
{
    struct pt_error error;
    char path[PATH_MAX];
    put("file", "");
    snprintf(path, sizeof path, "%s/file", folder);
    cr_expect_eq(pt_cov_html(&coverage_sample, path, &error), PT_EUSAGE);
    expect_part(error.text, "is a file");
    snprintf(path, sizeof path, "%s/no/such", folder);
    cr_expect_eq(pt_cov_html(&coverage_sample, path, &error), PT_EIO);
    expect_part(error.text, "cannot be written (No such file");
    snprintf(path, sizeof path, "%s/new", folder);
    cr_expect_eq(pt_cov_html(&coverage_sample, path, &error), PT_OK);
}
