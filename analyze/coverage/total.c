/* What lines, arcs and conditions add up to. */
#include "analyze/coverage/model.h"
#include "analyze/output.h"

#include <stdio.h>

const struct pt_cov_line *
pt_cov_line_before(const struct pt_cov_file *f, uint32_t line)
{
    uint32_t low = 0, high = f->nlines;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (f->lines[middle].line <= line)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &f->lines[low - 1] : NULL;
}

const struct pt_cov_arc *
pt_cov_arcs_from(const struct pt_cov_file *f, uint32_t line, uint32_t *low,
                 uint32_t *n)
{
    uint32_t first = *low, high = f->narcs;
    while (first < high) {
        uint32_t middle = first + (high - first) / 2;
        if (f->arcs[middle].from < (int64_t)line)
            first = middle + 1;
        else
            high = middle;
    }
    uint32_t end = first;
    while (end < f->narcs && f->arcs[end].from == (int64_t)line)
        end++;
    *low = end;
    *n = end - first;
    return f->narcs ? f->arcs + first : NULL;
}

bool
pt_cov_arc_counts(const struct pt_cov_arc *a, const struct pt_cov_line *line)
{
    return a->branch && a->possible && line && !(line->flags & PT_COV_EXCLUDED);
}

bool
pt_cov_arc_misses(const struct pt_cov_arc *a, const struct pt_cov_line *line)
{
    return pt_cov_arc_counts(a, line) && a->count == 0 &&
           !(line->flags & PT_COV_NO_BRANCH);
}

void
pt_cov_total_line(struct pt_cov_total *t, const struct pt_cov_line *line,
                  const struct pt_cov_arc *arcs, uint32_t narcs)
{
    if (line->flags & PT_COV_EXCLUDED) {
        t->excluded++;
        return;
    }
    t->lines.of++;
    t->lines.have += line->hits != 0;
    for (uint32_t i = 0; i < narcs; i++) {
        bool misses = pt_cov_arc_misses(&arcs[i], line);
        t->arcs.of += pt_cov_arc_counts(&arcs[i], line);
        t->arcs.have += pt_cov_arc_counts(&arcs[i], line) && !misses;
        t->partial += misses && line->hits;
    }
}

static void
add_decision(struct pt_cov_total *t, const struct pt_cov_file *f,
             const struct pt_cov_decision *d)
{
    const struct pt_cov_line *line = pt_cov_line_before(f, d->span.line);
    if (line && line->flags & PT_COV_EXCLUDED)
        return;
    for (uint32_t i = 0; i < d->nconditions; i++) {
        const struct pt_cov_condition *c = &f->conditions[d->first + i];
        if (c->state == PT_COV_DECIDED) {
            t->conditions.of += 2;
            t->conditions.have += (c->yes != 0) + (c->no != 0);
        }
        if (d->alone && d->alone[i].shown != PT_COV_ALONE_CANNOT) {
            t->alone.of++;
            t->alone.have += d->alone[i].shown == PT_COV_ALONE_YES;
        }
    }
}

struct pt_cov_total
pt_cov_file_total(const struct pt_cov_file *f)
{
    struct pt_cov_total t = {0};
    uint32_t low = 0, n;
    for (uint32_t i = 0; i < f->nlines; i++) {
        const struct pt_cov_arc *a =
            pt_cov_arcs_from(f, f->lines[i].line, &low, &n);
        pt_cov_total_line(&t, &f->lines[i], a, n);
    }
    for (uint32_t i = 0; i < f->ndecisions; i++)
        add_decision(&t, f, &f->decisions[i]);
    return t;
}

static void
add_share(struct pt_cov_share *to, const struct pt_cov_share *share)
{
    to->have += share->have;
    to->of += share->of;
}

void
pt_cov_total_add(struct pt_cov_total *to, const struct pt_cov_total *t)
{
    add_share(&to->lines, &t->lines);
    add_share(&to->arcs, &t->arcs);
    add_share(&to->conditions, &t->conditions);
    add_share(&to->alone, &t->alone);
    to->excluded += t->excluded;
    to->partial += t->partial;
}

struct pt_cov_total
pt_coverage_total(const struct pt_coverage *c)
{
    struct pt_cov_total sum = {0};
    for (uint32_t i = 0; i < c->nfiles; i++) {
        struct pt_cov_total t = pt_cov_file_total(&c->files[i]);
        pt_cov_total_add(&sum, &t);
    }
    return sum;
}

double
pt_cov_percent(const struct pt_cov_total *t, bool arcs)
{
    uint64_t have = t->lines.have + (arcs ? t->arcs.have : 0);
    uint64_t of = t->lines.of + (arcs ? t->arcs.of : 0);
    return t->lines.of ? 100.0 * (double)have / (double)of : 100.0;
}

const char *
pt_cov_percent_text(double percent, unsigned digits, char *buffer)
{
    double near = 1;
    if (digits > 10)
        digits = 10;
    for (unsigned i = 0; i < digits; i++)
        near /= 10;
    if (percent > 0 && percent < near)
        percent = near;
    else if (percent > 100 - near && percent < 100)
        percent = 100 - near;
    snprintf(buffer, PT_NUMBER_TEXT, "%.*f", (int)digits, percent);
    return buffer;
}
