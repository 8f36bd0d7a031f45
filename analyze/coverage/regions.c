#include "analyze/coverage/regions.h"

#include "analyze/names.h"

#include <stdlib.h>

/* CPython's tokenizer allows 100 levels of indentation. */
enum { MOST_DEEP = 100 };

/* A definition around the line that is looked at. */
struct open {
    uint32_t row;
    uint32_t class_; /* row + 1 of the class that its lines belong to, or 0 */
};

struct sweep {
    const struct pt_cov_file *file;
    struct open open[MOST_DEEP]; /* the outermost first */
    uint32_t depth, next;        /* next: the first row that is not yet open */
};

static void
enter(struct sweep *s, uint32_t row)
{
    const struct pt_cov_function *f = &s->file->functions[row];
    while (s->depth &&
           s->file->functions[s->open[s->depth - 1].row].last < f->first)
        s->depth--;
    if (s->depth == MOST_DEEP)
        return;
    struct open *outer = s->depth ? &s->open[s->depth - 1] : NULL;
    uint32_t class_ = outer ? outer->class_ : 0;
    if (outer && !f->class_ && s->file->functions[outer->row].class_)
        class_ = outer->row + 1;
    s->open[s->depth++] = (struct open){row, class_};
}

/* The region of a line, which is not before those asked for until now. */
static uint32_t
region_of(struct sweep *s, uint32_t line, bool classes)
{
    const struct pt_cov_function *f = s->file->functions;
    while (s->next < s->file->nfunctions && f[s->next].first <= line)
        enter(s, s->next++);
    while (s->depth && f[s->open[s->depth - 1].row].last < line)
        s->depth--;
    for (uint32_t i = s->depth; i-- > 0;) {
        const struct open *o = &s->open[i];
        if (f[o->row].class_ || line < f[o->row].body || line > f[o->row].last)
            continue;
        if (!classes)
            return o->row;
        return o->class_ ? o->class_ - 1 : s->file->nfunctions;
    }
    return s->file->nfunctions;
}

enum pt_status
pt_cov_regions_init(struct pt_cov_regions *r, const struct pt_cov_file *f,
                    bool classes)
{
    struct sweep s = {.file = f};
    uint32_t *of = calloc((size_t)f->nlines + 1, sizeof *of);
    r->rows = calloc((size_t)f->nlines + 1, sizeof *r->rows);
    r->start = calloc((size_t)f->nfunctions + 3, sizeof *r->start);
    if (!of || !r->rows || !r->start) {
        free(of);
        pt_cov_regions_clear(r);
        return PT_ENOMEM;
    }
    /* Counted two places further, so that filling in moves each start to where
     * it belongs. */
    for (uint32_t i = 0; i < f->nlines; i++) {
        of[i] = region_of(&s, f->lines[i].line, classes);
        r->start[of[i] + 2]++;
    }
    for (uint32_t i = 2; i <= f->nfunctions + 2; i++)
        r->start[i] += r->start[i - 1];
    for (uint32_t i = 0; i < f->nlines; i++)
        r->rows[r->start[of[i] + 1]++] = i;
    free(of);
    return PT_OK;
}

void
pt_cov_regions_clear(struct pt_cov_regions *r)
{
    free(r->rows);
    free(r->start);
    *r = (struct pt_cov_regions){0};
}

struct pt_cov_total
pt_cov_regions_total(const struct pt_cov_regions *r,
                     const struct pt_cov_file *f, uint32_t region)
{
    struct pt_cov_total t = {0};
    uint32_t low = 0, n;
    for (uint32_t i = r->start[region]; i < r->start[region + 1]; i++) {
        const struct pt_cov_line *line = &f->lines[r->rows[i]];
        const struct pt_cov_arc *a = pt_cov_arcs_from(f, line->line, &low, &n);
        pt_cov_total_line(&t, line, a, n);
    }
    return t;
}

struct named {
    struct pt_str name;
    uint32_t row;
};

static int
by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = pt_name_compare(x->name, y->name);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

enum pt_status
pt_cov_regions_last(const struct pt_cov_file *f, bool classes, bool *last)
{
    struct named *names = calloc((size_t)f->nfunctions + 1, sizeof *names);
    uint32_t n = 0;
    if (!names)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < f->nfunctions; i++)
        if (f->functions[i].class_ == classes)
            names[n++] = (struct named){f->functions[i].name, i};
    qsort(names, n, sizeof *names, by_name);
    for (uint32_t i = 0; i < n; i++)
        last[names[i].row] =
            i + 1 == n || pt_name_compare(names[i].name, names[i + 1].name);
    free(names);
    return PT_OK;
}
