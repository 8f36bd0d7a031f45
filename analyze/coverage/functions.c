/* Functions and classes of a source, and how often they were called. */
#include "analyze/coverage/lines.h"
#include "analyze/repr.h"

#include <stdlib.h>
#include <string.h>

/* More than Python's parser takes; a damaged syntax can go in circles. */
enum { NESTED_LIMIT = 200 };

static bool
defines(const struct pt_statement *s)
{
    return s->kind == PT_STATEMENT_DEF || s->kind == PT_STATEMENT_CLASS;
}

static struct pt_str
name_of(const struct pt_syntax *s, const struct pt_statement *st)
{
    return st->name && st->name <= s->nnames ? s->names[st->name - 1]
                                             : (struct pt_str){NULL, 0};
}

/* The function or class that a statement stands in; NULL none. */
static const struct pt_statement *
around(const struct pt_syntax *s, const struct pt_statement *st)
{
    for (unsigned n = 0; n < NESTED_LIMIT && st->suite < s->nsuites; n++) {
        uint32_t owner = s->suites[st->suite].owner;
        if (owner == 0 || owner > s->nstatements)
            return NULL;
        st = &s->statements[owner - 1];
        if (defines(st))
            return st;
    }
    return NULL;
}

/* "Outer.method", as coverage.py names it; the caller's to free. */
static enum pt_status
qualify(const struct pt_syntax *s, const struct pt_statement *st,
        struct pt_str *out)
{
    const struct pt_statement *path[NESTED_LIMIT];
    size_t n = 0;
    struct pt_growing text = {0};
    for (; st && n < NESTED_LIMIT; st = around(s, st))
        path[n++] = st;
    while (n-- > 0) {
        pt_growing_str(&text, name_of(s, path[n]));
        if (n)
            pt_growing_text(&text, ".");
    }
    if (text.failed) {
        pt_growing_free(&text);
        return PT_ENOMEM;
    }
    *out = pt_growing_whole(&text);
    return PT_OK;
}

/* Where the body of statement `i` begins: the next statement is the first that
 * stands in it. */
static uint32_t
body_of(const struct pt_syntax *s, size_t i)
{
    const struct pt_statement *next = &s->statements[i + 1];
    return i + 1 < s->nstatements && next->suite < s->nsuites &&
                   s->suites[next->suite].owner == i + 1
               ? next->line
               : s->statements[i].line;
}

static int
compare(const void *a, const void *b)
{
    const struct pt_code *x = (*(const struct pt_cov_code *const *)a)->code;
    const struct pt_code *y = (*(const struct pt_cov_code *const *)b)->code;
    return (x->firstline > y->firstline) - (x->firstline < y->firstline);
}

/* What was called of the code objects of one name that begin at one line. */
static uint64_t
calls_of(const struct pt_cov_code **codes, size_t n, uint32_t line,
         struct pt_str name)
{
    size_t low = 0, high = n;
    uint64_t calls = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (codes[middle]->code->firstline < line)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && codes[low]->code->firstline == line; low++) {
        struct pt_str own = codes[low]->code->name;
        if (own.len == name.len &&
            (own.len == 0 || memcmp(own.data, name.data, own.len) == 0))
            calls += codes[low]->calls;
    }
    return calls;
}

static bool
is_excluded(const struct pt_cov_file *f, const struct pt_statement *st)
{
    const struct pt_cov_line *line = pt_cov_line_before(f, st->line);
    return line && line->line >= st->first && line->flags & PT_COV_EXCLUDED;
}

enum pt_status
pt_cov_functions(const struct pt_cov_source *source, struct pt_cov_file *f)
{
    const struct pt_syntax *s = source->syntax;
    enum pt_status st = PT_OK;
    size_t n = 0;
    for (size_t i = 0; s && i < s->nstatements; i++)
        n += defines(&s->statements[i]);
    f->functions = calloc(n + 1, sizeof *f->functions);
    const struct pt_cov_code **codes =
        malloc((source->ncodes + (size_t)1) * sizeof *codes);
    if (!f->functions || !codes) {
        free(codes);
        return PT_ENOMEM;
    }
    for (uint32_t i = 0; i < source->ncodes; i++)
        codes[i] = &source->codes[i];
    if (source->ncodes)
        qsort(codes, source->ncodes, sizeof *codes, compare);
    for (size_t i = 0; st == PT_OK && s && i < s->nstatements; i++) {
        const struct pt_statement *def = &s->statements[i];
        if (!defines(def))
            continue;
        struct pt_cov_function *to = &f->functions[f->nfunctions++];
        *to = (struct pt_cov_function){
            .first = def->first,
            .last = def->end_line,
            .line = def->line,
            .body = body_of(s, i),
            .class_ = def->kind == PT_STATEMENT_CLASS,
            .excluded = is_excluded(f, def),
            .calls =
                calls_of(codes, source->ncodes, def->first, name_of(s, def))};
        st = qualify(s, def, &to->name);
    }
    free(codes);
    return st;
}
