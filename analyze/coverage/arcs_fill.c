/* Arcs and jumps of one source, of all its code objects. */
#include "analyze/coverage/arcs.h"
#include "analyze/coverage/lines.h"

#include <stdlib.h>

/* --- what the text allows ------------------------------------------------- */

static enum pt_status
allow(const struct pt_cov_source *s, struct pt_cov_allowed *out)
{
    uint32_t *lines = NULL;
    size_t n = 0;
    enum pt_status st = PT_OK;
    if (s->version < PT_COV_MODERN)
        st = pt_cov_callables(s, &lines, &n);
    if (st == PT_OK)
        st = pt_cov_arcs_allow(s->syntax, s->version, s->text, lines, n, out);
    free(lines);
    return st;
}

static enum pt_status
take(const struct pt_cov_source *s, const struct pt_cov_allowed *allowed,
     struct pt_cov_arcs *arcs)
{
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < s->ncodes && st == PT_OK; i++)
        st = pt_cov_arcs_take(allowed, &s->codes[i], arcs);
    pt_cov_arcs_settle(arcs);
    if (st == PT_OK && allowed)
        st = pt_cov_arcs_straighten(allowed, arcs);
    return st;
}

/* --- branches ------------------------------------------------------------- */

static bool
is_excluded(const struct pt_cov_file *f, int32_t line)
{
    const struct pt_cov_line *l =
        line > 0 ? pt_cov_line_before(f, (uint32_t)line) : NULL;
    return l && l->line == (uint32_t)line && l->flags & PT_COV_EXCLUDED;
}

static bool
branches(const struct pt_cov_file *f, const struct pt_cov_arc *a)
{
    return a->possible && a->from > 0 && !is_excluded(f, a->from) &&
           !is_excluded(f, a->to);
}

static int
compare_lines(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The lines of `class`, sorted. */
static uint32_t *
class_lines(const struct pt_syntax *s, size_t *n)
{
    uint32_t *lines = malloc((s->nstatements + 1) * sizeof *lines);
    *n = 0;
    for (size_t i = 0; lines && i < s->nstatements; i++)
        if (s->statements[i].kind == PT_STATEMENT_CLASS)
            lines[(*n)++] = s->statements[i].line;
    if (*n > 0)
        qsort(lines, *n, sizeof *lines, compare_lines);
    return lines;
}

/* Marks the arcs of lines that have several. */
static enum pt_status
mark_branches(const struct pt_cov_allowed *allowed, struct pt_cov_file *f)
{
    size_t nclasses = 0;
    uint32_t *classes = class_lines(allowed->syntax, &nclasses);
    if (!classes)
        return PT_ENOMEM;
    uint32_t i = 0;
    while (i < f->narcs) {
        uint32_t first = i, line = (uint32_t)f->arcs[i].from, n = 0;
        for (; i < f->narcs && f->arcs[i].from == f->arcs[first].from; i++)
            n += branches(f, &f->arcs[i]);
        /* In 6.5 a class leads to its body, too. */
        if (allowed->old && n > 0 && nclasses > 0 &&
            bsearch(&line, classes, nclasses, sizeof line, compare_lines))
            n--;
        for (uint32_t k = first; k < i; k++)
            f->arcs[k].branch = n > 1 && branches(f, &f->arcs[k]);
    }
    free(classes);
    return PT_OK;
}

enum pt_status
pt_cov_arcs_fill(const struct pt_cov_source *s, struct pt_cov_file *f)
{
    struct pt_cov_allowed allowed = {0};
    struct pt_cov_arcs arcs = {0};
    bool told = s->syntax && s->text.len > 0;
    enum pt_status st = told ? allow(s, &allowed) : PT_OK;
    /* Nobody writes such a text: only what was taken is known of it. */
    if (st == PT_ELIMIT) {
        told = false;
        st = PT_OK;
    }
    if (st == PT_OK)
        st = take(s, told ? &allowed : NULL, &arcs);
    for (size_t i = 0; i < allowed.arcs.n && st == PT_OK; i++)
        st = pt_cov_arcs_add(&arcs, &allowed.arcs.at[i]);
    pt_cov_arcs_settle(&arcs);
    if (st == PT_OK && arcs.n >= UINT32_MAX)
        st = PT_ELIMIT;
    if (st == PT_OK) {
        f->arcs = arcs.at;
        f->narcs = (uint32_t)arcs.n;
        if (told)
            st = mark_branches(&allowed, f);
    } else
        pt_cov_arcs_clear(&arcs);
    pt_cov_allowed_clear(&allowed);
    return st;
}
