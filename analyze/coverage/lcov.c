/* The lcov report: a tracefile as geninfo(1) describes it.
 *
 * It keeps to what lcov 1 and 2 both read: a function by its first line and a
 * name of its own, branches by number.  Records of MC/DC, which are lcov 2's,
 * are skipped by lcov 1. */
#include "analyze/coverage/excerpt.h"
#include "analyze/coverage/regions.h"
#include "analyze/coverage/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 256 };

struct report {
    const struct pt_coverage *coverage;
    struct pt_out *out;
};

/* A record ends with its line, and its fields at commas. */
static void
put_field(struct report *r, struct pt_str s, bool comma)
{
    char text[4096];
    pt_text_escape(s, text, sizeof text);
    for (char *p = text; !comma && (p = strchr(p, ',')) != NULL; p++)
        *p = ';';
    pt_out_text(r->out, text);
}

static void
put_count(struct report *r, const char *record, uint64_t n)
{
    pt_out_printf(r->out, "%s:%" PRIu64 "\n", record, n);
}

static void
put_lines(struct report *r, const struct pt_cov_file *f)
{
    uint64_t found = 0, hit = 0;
    for (uint32_t i = 0; i < f->nlines; i++) {
        const struct pt_cov_line *line = &f->lines[i];
        if (line->flags & PT_COV_EXCLUDED)
            continue;
        pt_out_printf(r->out, "DA:%" PRIu32 ",%" PRIu64 "\n", line->line,
                      line->hits);
        found++;
        hit += line->hits != 0;
    }
    put_count(r, "LF", found);
    put_count(r, "LH", hit);
}

/* lcov knows a function by its name, of which Python may have several. */
static void
put_name(struct report *r, const struct pt_cov_function *fn, bool last)
{
    put_field(r, fn->name, false);
    if (!last)
        pt_out_printf(r->out, ":%" PRIu32, fn->line);
    pt_out_char(r->out, '\n');
}

static enum pt_status
put_functions(struct report *r, const struct pt_cov_file *f)
{
    uint64_t found = 0, hit = 0;
    bool *last = calloc((size_t)f->nfunctions + 1, sizeof *last);
    enum pt_status st = last ? pt_cov_regions_last(f, false, last) : PT_ENOMEM;
    if (st != PT_OK) {
        free(last);
        return st;
    }
    for (uint32_t i = 0; i < f->nfunctions; i++) {
        const struct pt_cov_function *fn = &f->functions[i];
        if (fn->class_ || fn->excluded)
            continue;
        pt_out_printf(r->out, "FN:%" PRIu32 ",", fn->line);
        put_name(r, fn, last[i]);
        pt_out_printf(r->out, "FNDA:%" PRIu64 ",", fn->calls);
        put_name(r, fn, last[i]);
        found++;
        hit += fn->calls != 0;
    }
    put_count(r, "FNF", found);
    put_count(r, "FNH", hit);
    free(last);
    return PT_OK;
}

static void
put_branches(struct report *r, const struct pt_cov_file *f)
{
    uint64_t found = 0, hit = 0;
    uint32_t number = 0;
    for (uint32_t i = 0; i < f->narcs; i++) {
        const struct pt_cov_arc *a = &f->arcs[i];
        const struct pt_cov_line *line =
            a->from > 0 ? pt_cov_line_before(f, (uint32_t)a->from) : NULL;
        if (!line || (int64_t)line->line != a->from)
            continue;
        if (i == 0 || f->arcs[i - 1].from != a->from)
            number = 0;
        /* What `no branch` forgives is neither taken nor missing. */
        if (!pt_cov_arc_counts(a, line) ||
            (a->count == 0 && !pt_cov_arc_misses(a, line)))
            continue;
        pt_out_printf(r->out, "BRDA:%" PRId32 ",0,%" PRIu32 ",", a->from,
                      number++);
        if (line->hits)
            pt_out_printf(r->out, "%" PRIu64 "\n", a->count);
        else
            pt_out_text(r->out, "-\n");
        found++;
        hit += a->count != 0;
    }
    put_count(r, "BRF", found);
    put_count(r, "BRH", hit);
}

/* --- MC/DC ---------------------------------------------------------------- */

static bool
is_shown(const struct pt_cov_file *f, const struct pt_cov_decision *d)
{
    const struct pt_cov_line *line = pt_cov_line_before(f, d->span.line);
    return d->alone && !(line && line->flags & PT_COV_EXCLUDED);
}

/* Of the pair that shows a condition, how often it was as `sense` says. */
static uint64_t
sensed(const struct pt_cov_decision *d, uint32_t i, char sense)
{
    const struct pt_cov_alone *alone = &d->alone[i];
    for (unsigned k = 0; alone->shown == PT_COV_ALONE_YES && k < 2; k++)
        if (d->vectors[alone->pair[k]].seen[i] == sense)
            return d->vectors[alone->pair[k]].count;
    return 0;
}

/* The decisions that begin on one line are a group, as lcov wants all groups of
 * a line to differ in size. */
static void
put_group(struct report *r, const struct pt_cov_file *f,
          struct pt_source_text *text, uint32_t first, uint32_t end,
          uint64_t *found, uint64_t *hit)
{
    uint32_t size = 0, at = 0;
    char expression[TEXT];
    for (uint32_t i = first; i < end; i++)
        for (uint32_t k = 0; k < f->decisions[i].nconditions; k++)
            size += f->decisions[i].alone[k].shown != PT_COV_ALONE_CANNOT;
    for (uint32_t i = first; i < end; i++) {
        const struct pt_cov_decision *d = &f->decisions[i];
        for (uint32_t k = 0; k < d->nconditions; k++) {
            const struct pt_cov_span *span = &f->conditions[d->first + k].span;
            if (d->alone[k].shown == PT_COV_ALONE_CANNOT)
                continue;
            size_t len = pt_cov_excerpt(text, span, expression, TEXT);
            for (unsigned sense = 0; sense < 2; sense++) {
                uint64_t n = sensed(d, k, "TF"[sense]);
                pt_out_printf(r->out,
                              "MCDC:%" PRIu32 ",%" PRIu32 ",%c,%" PRIu64
                              ",%" PRIu32 ",",
                              d->span.line, size, "tf"[sense], n, at);
                put_field(r,
                          len ? (struct pt_str){expression, len}
                              : (struct pt_str){"?", 1},
                          true);
                pt_out_char(r->out, '\n');
                *hit += n != 0;
            }
            *found += 2;
            at++;
        }
    }
}

static void
put_decisions(struct report *r, const struct pt_cov_file *f)
{
    struct pt_source_text text = {.text = f->text};
    uint64_t found = 0, hit = 0;
    for (uint32_t i = 0, end; i < f->ndecisions; i = end) {
        end = i + 1;
        if (!is_shown(f, &f->decisions[i]))
            continue;
        while (end < f->ndecisions && is_shown(f, &f->decisions[end]) &&
               f->decisions[end].span.line == f->decisions[i].span.line)
            end++;
        put_group(r, f, &text, i, end, &found, &hit);
    }
    put_count(r, "MCF", found);
    put_count(r, "MCH", hit);
}

/* --- the tracefile -------------------------------------------------------- */

enum pt_status
pt_cov_lcov(const struct pt_coverage *c, struct pt_out *out)
{
    struct report r = {c, out};
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; st == PT_OK && i < c->nfiles; i++) {
        const struct pt_cov_file *f = &c->files[i];
        pt_out_text(out, "TN:\nSF:");
        put_field(&r, f->path, true);
        pt_out_char(out, '\n');
        st = put_functions(&r, f);
        if (c->has_arcs)
            put_branches(&r, f);
        if (c->has_mcdc)
            put_decisions(&r, f);
        put_lines(&r, f);
        pt_out_text(out, "end_of_record\n");
    }
    return st;
}
