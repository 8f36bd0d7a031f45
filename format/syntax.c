#include "format/syntax.h"

#include <string.h>

static const char *const statement_columns[] = {
    "kind",     "flags",      "suite", "line", "column",
    "end_line", "end_column", "first", "name"};
static const char *const suite_columns[] = {
    "kind",   "flags",      "owner",        "line",
    "column", "colon_line", "colon_column", "end_line"};
static const char *const expression_columns[] = {
    "op",   "context", "flags",    "parent",    "statement",
    "line", "column",  "end_line", "end_column"};
static const char *const logical_columns[] = {"first", "last"};
static const char *const comment_columns[] = {"line", "column"};
static const char *const code_columns[] = {"line"};

#define TABLE(field, columns, type)                                            \
    {                                                                          \
#field, columns, sizeof columns / sizeof *columns,                     \
            offsetof(struct pt_syntax, field),                                 \
            offsetof(struct pt_syntax, n##field)                               \
    }
#define SAME(columns, type)                                                    \
    _Static_assert(sizeof columns / sizeof *columns * sizeof(uint32_t) ==      \
                       sizeof(struct type),                                    \
                   "a column for each number of " #type)
SAME(statement_columns, pt_statement);
SAME(suite_columns, pt_suite);
SAME(expression_columns, pt_expression);
SAME(logical_columns, pt_logical);
SAME(comment_columns, pt_comment);
SAME(code_columns, pt_code_line);

const struct pt_syntax_table pt_syntax_tables[PT_SYNTAX_TABLES] = {
    TABLE(statements, statement_columns, pt_statement),
    TABLE(suites, suite_columns, pt_suite),
    TABLE(expressions, expression_columns, pt_expression),
    TABLE(logical, logical_columns, pt_logical),
    TABLE(comments, comment_columns, pt_comment),
    TABLE(code, code_columns, pt_code_line),
};

enum pt_status
pt_syntax_new(struct pt_syntax_made **out)
{
    struct pt_syntax_made *m = pt_alloc_zero(1, sizeof *m);
    if (m == NULL)
        return PT_ENOMEM;
    pt_pool_init(&m->pool, UINT64_MAX);
    *out = m;
    return PT_OK;
}

void
pt_syntax_free(struct pt_syntax *s)
{
    struct pt_syntax_made *m = (struct pt_syntax_made *)(void *)s;
    if (m == NULL)
        return;
    pt_pool_clear(&m->pool);
    pt_alloc_free(m);
}

uint32_t *
pt_syntax_room(struct pt_syntax_made *m, const struct pt_syntax_table *t,
               size_t n)
{
    uint32_t *rows = pt_pool_take(&m->pool, n, t->ncolumns * sizeof(uint32_t));
    if (rows == NULL)
        return NULL;
    memcpy((char *)&m->syntax + t->rows, &rows, sizeof rows);
    memcpy((char *)&m->syntax + t->count, &n, sizeof n);
    return rows;
}

static char *
copy(struct pt_syntax_made *m, struct pt_str text)
{
    char *own = pt_pool_take(&m->pool, text.len + 1, 1);
    if (own != NULL && text.len > 0)
        memcpy(own, text.data, text.len);
    return own;
}

enum pt_status
pt_syntax_names(struct pt_syntax_made *m, struct pt_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    char *own = copy(m, text);
    struct pt_str *names = pt_pool_take(&m->pool, n, sizeof *names);
    if (own == NULL || names == NULL)
        return PT_ENOMEM;
    const char *at = own;
    for (size_t i = 0; i < n; i++) {
        const char *end = memchr(at, '\n', (size_t)(own + text.len - at));
        names[i] = (struct pt_str){at, (size_t)(end - at)};
        at = end + 1;
    }
    m->syntax.names = names;
    m->syntax.nnames = n;
    return PT_OK;
}

enum pt_status
pt_syntax_fail(struct pt_syntax_made *m, struct pt_str text)
{
    char *own = copy(m, text);
    if (own == NULL)
        return PT_ENOMEM;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)own[i] < ' ' || own[i] == 0x7f)
            own[i] = ' ';
    m->syntax.failure = (struct pt_str){own, text.len};
    return PT_OK;
}

/* --- what a syntax may say ------------------------------------------------ */

static bool
span_valid(uint32_t lines, uint32_t line, uint32_t column, uint32_t end_line,
           uint32_t end_column)
{
    return line >= 1 && line <= end_line && end_line <= lines &&
           (line < end_line || column <= end_column);
}

static bool
statement_valid(const struct pt_syntax *s, size_t i)
{
    const struct pt_statement *t = &s->statements[i];
    return t->kind >= 1 && t->kind < PT_STATEMENT_LIMIT &&
           t->suite < s->nsuites && s->suites[t->suite].owner <= i &&
           t->name <= s->nnames && t->first >= 1 && t->first <= s->lines &&
           span_valid(s->lines, t->line, t->column, t->end_line, t->end_column);
}

/* A suite comes behind its owner and what that is in. */
static bool
suite_valid(const struct pt_syntax *s, size_t i)
{
    const struct pt_suite *t = &s->suites[i];
    if (i == 0)
        return t->kind == PT_SUITE_MODULE && t->owner == 0 &&
               t->end_line <= s->lines;
    return t->kind >= 1 && t->kind < PT_SUITE_LIMIT && t->owner >= 1 &&
           t->owner <= s->nstatements &&
           s->statements[t->owner - 1].suite < i && t->line >= 1 &&
           t->line <= t->end_line && t->end_line <= s->lines &&
           t->colon_line <= t->end_line;
}

static bool
expression_valid(const struct pt_syntax *s, size_t i)
{
    const struct pt_expression *t = &s->expressions[i];
    return t->op >= 1 && t->op < PT_EXPRESSION_LIMIT &&
           t->context < PT_CONTEXT_LIMIT && t->parent <= i &&
           (t->parent == 0) == (t->context != PT_CONTEXT_INNER) &&
           (t->parent == 0 ||
            s->expressions[t->parent - 1].op != PT_EXPRESSION_ATOM) &&
           t->statement >= 1 && t->statement <= s->nstatements &&
           span_valid(s->lines, t->line, t->column, t->end_line, t->end_column);
}

bool
pt_syntax_valid(const struct pt_syntax *s)
{
    if (s->failure.len > 0)
        return s->nstatements + s->nsuites + s->nexpressions + s->nlogical +
                   s->ncomments + s->ncode + s->nnames ==
               0;
    bool good = s->nsuites > 0;
    for (size_t i = 0; i < s->nstatements && good; i++)
        good = statement_valid(s, i);
    for (size_t i = 0; i < s->nsuites && good; i++)
        good = suite_valid(s, i);
    for (size_t i = 0; i < s->nexpressions && good; i++)
        good = expression_valid(s, i);
    for (size_t i = 0; i < s->nlogical && good; i++)
        good = s->logical[i].first > (i > 0 ? s->logical[i - 1].last : 0) &&
               s->logical[i].first < s->logical[i].last &&
               s->logical[i].last <= s->lines;
    for (size_t i = 0; i < s->ncomments && good; i++)
        good = s->comments[i].line > (i > 0 ? s->comments[i - 1].line : 0) &&
               s->comments[i].line <= s->lines;
    for (size_t i = 0; i < s->ncode && good; i++)
        good = s->code[i].line > (i > 0 ? s->code[i - 1].line : 0) &&
               s->code[i].line <= s->lines;
    return good;
}
