#include "analyze/coverage/arcs_tree.h"
#include "analyze/coverage/lines.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *
rows_new(size_t n)
{
    uint32_t *rows = malloc((n + 1) * sizeof *rows);
    for (size_t i = 0; rows && i <= n; i++)
        rows[i] = PT_COV_NO_ROW;
    return rows;
}

/* From the last row to the first, so that each list is in order. */
static void
link_rows(struct pt_cov_tree *t, const struct pt_syntax *s)
{
    for (size_t i = s->nstatements; i-- > 0;) {
        uint32_t suite = s->statements[i].suite;
        t->next[i] = t->first[suite];
        t->first[suite] = (uint32_t)i;
    }
    for (size_t i = s->nsuites; i-- > 0;) {
        uint32_t owner = s->suites[i].owner;
        if (owner == 0)
            continue;
        t->next_suite[i] = t->suites[owner - 1];
        t->suites[owner - 1] = (uint32_t)i;
    }
    for (size_t i = s->nexpressions; i-- > 0;) {
        const struct pt_expression *e = &s->expressions[i];
        if (e->context == PT_CONTEXT_IF || e->context == PT_CONTEXT_ELIF ||
            e->context == PT_CONTEXT_WHILE)
            t->test[e->statement - 1] = (uint32_t)i;
    }
}

enum pt_status
pt_cov_tree_init(struct pt_cov_tree *t, const struct pt_syntax *s)
{
    *t = (struct pt_cov_tree){
        .syntax = s,
        .first = rows_new(s->nsuites),
        .next = rows_new(s->nstatements),
        .suites = rows_new(s->nstatements),
        .next_suite = rows_new(s->nsuites),
        .test = rows_new(s->nstatements),
    };
    if (!t->first || !t->next || !t->suites || !t->next_suite || !t->test)
        return PT_ENOMEM;
    link_rows(t, s);
    return PT_OK;
}

void
pt_cov_tree_clear(struct pt_cov_tree *t)
{
    free(t->first);
    free(t->next);
    free(t->suites);
    free(t->next_suite);
    free(t->test);
    *t = (struct pt_cov_tree){0};
}

uint32_t
pt_cov_tree_suite(const struct pt_cov_tree *t, uint32_t row, uint32_t kind)
{
    uint32_t suite = t->suites[row];
    while (suite != PT_COV_NO_ROW && t->syntax->suites[suite].kind != kind)
        suite = t->next_suite[suite];
    return suite;
}

int32_t
pt_cov_tree_line(const struct pt_cov_tree *t, const struct pt_cov_allowed *a,
                 uint32_t row)
{
    return pt_cov_allowed_line(a, (int32_t)t->syntax->statements[row].first);
}

/* --- lines that have code ------------------------------------------------- */

size_t
pt_cov_tree_code_from(const struct pt_syntax *s, uint32_t line)
{
    size_t low = 0, high = s->ncode;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->code[mid].line < line)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool
pt_cov_tree_has_code(const struct pt_syntax *s, int32_t line)
{
    size_t i = pt_cov_tree_code_from(s, (uint32_t)line);
    return i < s->ncode &&
           s->code[i].line <= pt_cov_last_line(s, (uint32_t)line);
}

/* --- tests ---------------------------------------------------------------- */

enum pt_cov_constant
pt_cov_tree_constant(const struct pt_cov_tree *t, uint32_t row, bool simple)
{
    const struct pt_syntax *s = t->syntax;
    const uint32_t both = PT_EXPRESSION_TRUE | PT_EXPRESSION_FALSE;
    uint32_t root = t->test[row];
    if (root == PT_COV_NO_ROW || !(s->expressions[root].flags & both) ||
        (simple && s->expressions[root].op != PT_EXPRESSION_ATOM))
        return PT_COV_VARIES;
    /* Parts lie behind the root, in front of the next decision. */
    for (size_t i = root + 1; i < s->nexpressions; i++) {
        const struct pt_expression *e = &s->expressions[i];
        if (e->parent == 0 || e->parent <= root)
            break;
        if (!(e->flags & both))
            return PT_COV_VARIES;
    }
    return s->expressions[root].flags & PT_EXPRESSION_TRUE ? PT_COV_TRUE
                                                           : PT_COV_FALSE;
}

/* --- patterns ------------------------------------------------------------- */

/* The offset of a place in the text, its end where the text has none. */
static size_t
offset(struct pt_source_text *text, uint32_t line, uint32_t column)
{
    struct pt_str at = pt_source_text_line(text, line);
    if (at.len < column || at.len == 0)
        return text->text.len;
    return (size_t)(at.data - text->text.data) + column;
}

/* Where the pattern of a case ends: at the `if` of its guard, or the colon. */
static size_t
pattern_end(const struct pt_syntax *s, const struct pt_suite *suite,
            struct pt_source_text *text)
{
    size_t low = 0, high = s->nexpressions;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->expressions[mid].line < suite->line)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < s->nexpressions; low++) {
        const struct pt_expression *e = &s->expressions[low];
        if (e->line > suite->colon_line ||
            (e->line == suite->colon_line && e->column > suite->colon_column))
            break;
        if (e->context != PT_CONTEXT_GUARD || e->statement != suite->owner)
            continue;
        size_t end = offset(text, e->line, e->column);
        const char *data = text->text.data;
        while (end > 0 &&
               !(end > 1 && data[end - 2] == 'i' && data[end - 1] == 'f'))
            end--;
        return end > 1 ? end - 2 : 0;
    }
    return offset(text, suite->colon_line, suite->colon_column);
}

static bool
is_name(unsigned char c)
{
    return c == '_' || c >= 0x80 || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t
drop_space(const char *at, size_t n)
{
    while (n > 0 && memchr(" \t\f\n\r\\", at[n - 1], 6))
        n--;
    return n;
}

static size_t
drop_name(const char *at, size_t n)
{
    while (n > 0 && is_name((unsigned char)at[n - 1]))
        n--;
    return n;
}

/* Whether a comma stands outside of all brackets; one in a string counts. */
static bool
is_open_sequence(const char *at, size_t n)
{
    int depth = 0;
    for (size_t i = 0; i < n; i++) {
        depth += memchr("([{", at[i], 3) ? 1 : 0;
        depth -= memchr(")]}", at[i], 3) ? 1 : 0;
        if (depth < 0 || (at[i] == ',' && depth == 0))
            return true;
    }
    return false;
}

static bool
is_constant(const char *at, size_t n)
{
    return (n == 4 && memcmp(at, "None", n) == 0) ||
           (n == 4 && memcmp(at, "True", n) == 0) ||
           (n == 5 && memcmp(at, "False", n) == 0);
}

/* Whether it is a name, or ends with `as` and one; parentheses around it do
 * not matter. */
static bool
is_named(const char *at, size_t n)
{
    for (;;) {
        n = drop_space(at, n);
        for (; n > 0 && drop_space(at, 1) == 0; n--)
            at++;
        if (n < 2 || at[0] != '(' || at[n - 1] != ')')
            break;
        at++;
        n -= 2;
    }
    size_t name = drop_name(at, n);
    if (name == n || (at[name] >= '0' && at[name] <= '9'))
        return false;
    size_t end = drop_space(at, name), as = drop_name(at, end);
    if (end == 0)
        return !is_constant(at + name, n - name);
    return (end - as == 2 && memcmp(at + as, "as", 2) == 0 &&
            !is_open_sequence(at, as));
}

bool
pt_cov_tree_names(const struct pt_cov_tree *t, uint32_t row,
                  struct pt_source_text *text)
{
    const struct pt_suite *suite = &t->syntax->suites[row];
    size_t from = offset(text, suite->line, suite->column) + strlen("case");
    size_t to = pattern_end(t->syntax, suite, text);
    if (to <= from || to >= text->text.len)
        return suite->flags & PT_SUITE_IRREFUTABLE;
    return is_named(text->text.data + from, to - from);
}
