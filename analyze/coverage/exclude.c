/* Which lines are excluded.  A line that matches a pattern excludes itself; one
 * that ends in the colon of a suite, the suite; and one of the decorators or
 * the signature of a function, the function. */
#include "analyze/coverage/lines.h"

#include <stdlib.h>
#include <string.h>

#define PRAGMA(what) "#\\s*(pragma|PRAGMA)[:\\s]?\\s*(no|NO)\\s*" what

/* The defaults of both releases; then those that 7.11 has besides. */
static const char *const excluded[] = {
    PRAGMA("(cover|COVER)"),
    "^\\s*(((async )?def .*?)?\\)(\\s*->.*?)?:\\s*)?\\.\\.\\.\\s*(#|$)",
    "if (typing\\.)?TYPE_CHECKING:",
};
enum { EXCLUDED_OLD = 1, EXCLUDED_ALL = 3 };
static const char *const no_branch[] = {
    PRAGMA("(branch|BRANCH)"),
    "while (True|1|False|0):",
    "if (True|1|False|0):",
};

enum pt_status
pt_exclusion_init(struct pt_exclusion *x, bool modern, const char *const *more,
                  size_t n, struct pt_error *error)
{
    size_t own = modern ? EXCLUDED_ALL : EXCLUDED_OLD;
    const char **all = malloc((own + n) * sizeof *all);
    *x = (struct pt_exclusion){.modern = modern};
    if (!all)
        return PT_ENOMEM;
    memcpy(all, excluded, own * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[own + i] = more[i];
    enum pt_status st = pt_patterns_new(all, own + n, error, &x->excluded);
    free(all);
    if (st == PT_OK)
        st = pt_patterns_new(no_branch, 3, error, &x->no_branch);
    if (st != PT_OK)
        pt_exclusion_clear(x);
    return st;
}

void
pt_exclusion_clear(struct pt_exclusion *x)
{
    pt_patterns_free(x->excluded);
    pt_patterns_free(x->no_branch);
    *x = (struct pt_exclusion){.modern = false};
}

/* --- lines of the text ---------------------------------------------------- */

enum {
    MATCHES = 16, /* the pattern of an exclusion, or lies in its match */
    STARTS = 32   /* it begins a logical line */
};

struct marking {
    const struct pt_cov_source *source;
    bool modern;
    uint8_t *marks;
    uint32_t lines;
    struct pt_str text; /* as coverage.py reads it */
    uint32_t *before;   /* of each line, how many before it have a mark */
};

/* Lines end in \n, form feeds are spaces, and there is no mark of the byte
 * order; the caller frees text.data. */
static bool
normalize(struct pt_str from, struct pt_str *text)
{
    static const char mark[] = "\xef\xbb\xbf";
    char *to = malloc(from.len + 1);
    size_t n = 0, i = from.len >= 3 && !memcmp(from.data, mark, 3) ? 3 : 0;
    if (!to)
        return false;
    for (; i < from.len; i++) {
        char c = from.data[i];
        if (c == '\r' && i + 1 < from.len && from.data[i + 1] == '\n')
            continue;
        to[n++] = c == '\r' ? '\n' : c == '\f' ? ' ' : c;
    }
    *text = (struct pt_str){to, n};
    return true;
}

static uint32_t
first_of(const struct marking *m, uint32_t line)
{
    return m->source->syntax ? pt_cov_first_line(m->source->syntax, line)
                             : line;
}

static void
mark(struct marking *m, uint32_t line, uint8_t bit)
{
    if (line <= m->lines)
        m->marks[line] |= bit;
}

static uint32_t
count_ends(struct pt_str text, size_t from, size_t to)
{
    uint32_t n = 0;
    for (; from < to; from++)
        n += text.data[from] == '\n';
    return n;
}

/* Marks the lines of each match in a text that begins with `line`. */
static void
mark_matches(struct marking *m, const struct pt_patterns *p, struct pt_str text,
             uint32_t line, uint8_t bit)
{
    size_t at = 0, begin, end, from = 0;
    while (pt_patterns_find(p, text, from, &begin, &end)) {
        line += count_ends(text, at, begin);
        uint32_t last = line + count_ends(text, begin, end);
        for (uint32_t i = line; i <= last; i++)
            mark(m, m->modern && bit == PT_MARK_NO_BRANCH ? first_of(m, i) : i,
                 bit);
        at = begin;
        from = end > begin ? end : end + 1;
    }
}

/* 6.5 looks at each line by itself. */
static void
mark_all(struct marking *m, const struct pt_patterns *p, uint8_t bit)
{
    if (m->modern) {
        mark_matches(m, p, m->text, 1, bit);
        return;
    }
    uint32_t line = 1;
    for (size_t i = 0; i <= m->text.len; line++) {
        const char *data = m->text.data + i;
        const char *end = memchr(data, '\n', m->text.len - i);
        size_t len = end ? (size_t)(end - data) : m->text.len - i;
        mark_matches(m, p, (struct pt_str){data, len}, line, bit);
        i += len + 1;
    }
}

/* Neither empty, nor a comment, nor the rest of a longer logical line. */
static void
mark_starts(struct marking *m)
{
    const struct pt_syntax *s = m->source->syntax;
    bool begins = true;
    uint32_t line = 1;
    for (size_t i = 0; i < m->text.len; i++) {
        char c = m->text.data[i];
        if (c == '\n') {
            line++;
            begins = true;
        } else if (begins && c != ' ' && c != '\t') {
            begins = false;
            if (c != '#')
                mark(m, line, STARTS);
        }
    }
    for (size_t i = 0; i < s->nlogical; i++)
        for (uint32_t k = s->logical[i].first + 1;
             k <= s->logical[i].last && k <= m->lines; k++)
            m->marks[k] &= (uint8_t)~STARTS;
}

static void
count_marks(struct marking *m, uint8_t bit)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i <= m->lines; i++) {
        m->before[i] = n;
        n += (m->marks[i] & bit) != 0;
    }
    m->before[m->lines + 1] = n;
}

static bool
any(const struct marking *m, uint32_t first, uint32_t last)
{
    if (last > m->lines)
        last = m->lines;
    return first <= last && m->before[last + 1] > m->before[first];
}

/* --- suites --------------------------------------------------------------- */

/* What stands behind a colon. */
struct body {
    uint32_t colon; /* its line */
    uint32_t end;
    const struct pt_statement *owner; /* NULL none */
};

/* 6.5: from a decorator that matches on, all of them, and the function. */
static bool
excludes_decorators(struct marking *m, const struct pt_statement *owner)
{
    bool excluding = false;
    if (m->modern || !owner || owner->first >= owner->line)
        return false;
    if (!any(m, owner->first, owner->line - 1))
        return false;
    for (uint32_t i = owner->first; i < owner->line && i <= m->lines; i++) {
        excluding |= (m->marks[i] & (STARTS | MATCHES)) == (STARTS | MATCHES);
        if (excluding && m->marks[i] & STARTS)
            m->marks[i] |= MATCHES;
    }
    return excluding;
}

/* Excludes a body, unless it lies in one that is; gives where that ends. */
static uint32_t
exclude_body(struct marking *m, struct body b, uint32_t until)
{
    const struct pt_syntax *s = m->source->syntax;
    uint32_t first = m->modern ? pt_cov_first_line(s, b.colon) : b.colon;
    if (b.colon <= until || b.colon > m->lines ||
        !(any(m, first, b.colon) || excludes_decorators(m, b.owner)))
        return until;
    m->marks[b.colon] |= MATCHES;
    for (uint32_t i = pt_cov_last_line(s, b.colon) + 1;
         i <= b.end && i <= m->lines; i++)
        if (m->marks[i] & STARTS)
            m->marks[i] |= MATCHES;
    return b.end;
}

static const struct pt_statement *
owner_of(const struct pt_syntax *s, const struct pt_suite *suite)
{
    return suite->owner && suite->owner <= s->nstatements
               ? &s->statements[suite->owner - 1]
               : NULL;
}

static void
exclude_suites(struct marking *m)
{
    const struct pt_syntax *s = m->source->syntax;
    uint32_t until = 0;
    for (size_t i = 0; i < s->nstatements; i++) {
        const struct pt_statement *st = &s->statements[i];
        struct body b = {pt_cov_last_line(s, st->line), st->end_line, NULL};
        if (st->kind == PT_STATEMENT_MATCH)
            until = exclude_body(m, b, until);
    }
    until = 0;
    for (size_t i = 0; i < s->nsuites; i++) {
        const struct pt_suite *suite = &s->suites[i];
        const struct pt_statement *owner = owner_of(s, suite);
        bool decorated = owner && suite->kind == PT_SUITE_BODY &&
                         (owner->kind == PT_STATEMENT_DEF ||
                          owner->kind == PT_STATEMENT_CLASS);
        struct body b = {suite->colon_line, suite->end_line,
                         decorated ? owner : NULL};
        if (suite->colon_line)
            until = exclude_body(m, b, until);
    }
}

/* 7.11: all lines of a function whose decorators or signature are excluded. */
static void
exclude_functions(struct marking *m)
{
    const struct pt_syntax *s = m->source->syntax;
    uint32_t until = 0;
    count_marks(m, PT_MARK_EXCLUDED);
    for (size_t i = 0; i < s->nstatements; i++) {
        const struct pt_statement *st = &s->statements[i];
        if ((st->kind != PT_STATEMENT_DEF && st->kind != PT_STATEMENT_CLASS) ||
            st->end_line <= until || !any(m, st->first, st->line))
            continue;
        for (uint32_t k = st->first; k <= st->end_line && k <= m->lines; k++)
            m->marks[k] |= PT_MARK_EXCLUDED;
        until = st->end_line;
    }
}

enum pt_status
pt_exclusion_mark(const struct pt_exclusion *x,
                  const struct pt_cov_source *source, uint8_t *marks,
                  uint32_t lines)
{
    struct marking m = {
        .source = source, .modern = x->modern, .marks = marks, .lines = lines};
    m.before = malloc(((size_t)lines + 2) * sizeof *m.before);
    if (!m.before || !normalize(source->text, &m.text)) {
        free(m.before);
        return PT_ENOMEM;
    }
    mark_all(&m, x->excluded, MATCHES);
    mark_all(&m, x->no_branch, PT_MARK_NO_BRANCH);
    if (source->syntax) {
        mark_starts(&m);
        count_marks(&m, MATCHES);
        exclude_suites(&m);
    }
    for (uint32_t i = 1; i <= lines; i++)
        if (marks[i] & MATCHES)
            mark(&m, first_of(&m, i), PT_MARK_EXCLUDED);
    if (source->syntax && m.modern)
        exclude_functions(&m);
    for (uint32_t i = 0; i <= lines; i++)
        marks[i] &= PT_MARK_EXCLUDED | PT_MARK_NO_BRANCH;
    free((void *)(uintptr_t)m.text.data);
    free(m.before);
    return PT_OK;
}
