/* The JSON report: what coverage.py writes, key by key, so that whoever reads
 * that reads this; hits, conditions and MC/DC beside it. */
#include "analyze/coverage/regions.h"
#include "analyze/coverage/report.h"
#include "analyze/json.h"

#include <pt/version.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of coverage.py's JSON, whose third has regions. */
enum { FORMAT = 3 };

struct report {
    const struct pt_coverage *coverage;
    struct pt_json json;
};

/* Rows of a file's lines: all of them, or those of a region. */
struct rows {
    const struct pt_cov_file *file;
    const uint32_t *rows; /* NULL: 0, 1, 2 ... */
    uint32_t n;
};

static const struct pt_cov_line *
row(const struct rows *r, uint32_t i)
{
    return &r->file->lines[r->rows ? r->rows[i] : i];
}

/* --- as coverage.py ------------------------------------------------------- */

static bool
is_executed(const struct pt_cov_line *line)
{
    return line->hits != 0; /* an excluded one, too */
}

static bool
is_missing(const struct pt_cov_line *line)
{
    return line->hits == 0 && !(line->flags & PT_COV_EXCLUDED);
}

static bool
is_excluded(const struct pt_cov_line *line)
{
    return line->flags & PT_COV_EXCLUDED;
}

static void
put_lines(struct report *r, const char *key, const struct rows *rows,
          bool (*wanted)(const struct pt_cov_line *))
{
    pt_json_key(&r->json, key);
    pt_json_open(&r->json, '[');
    for (uint32_t i = 0; i < rows->n; i++)
        if (wanted(row(rows, i)))
            pt_json_u64(&r->json, row(rows, i)->line);
    pt_json_close(&r->json, ']');
}

static void
put_branches(struct report *r, const char *key, const struct rows *rows,
             bool executed)
{
    uint32_t low = 0, n;
    pt_json_key(&r->json, key);
    pt_json_open(&r->json, '[');
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct pt_cov_line *line = row(rows, i);
        const struct pt_cov_arc *a =
            pt_cov_arcs_from(rows->file, line->line, &low, &n);
        for (uint32_t k = 0; k < n; k++) {
            bool taken = pt_cov_arc_counts(&a[k], line) && a[k].count;
            if (!(executed ? taken : pt_cov_arc_misses(&a[k], line)))
                continue;
            pt_json_open(&r->json, '[');
            pt_json_i64(&r->json, a[k].from);
            pt_json_i64(&r->json, a[k].to);
            pt_json_close(&r->json, ']');
        }
    }
    pt_json_close(&r->json, ']');
}

static void
put_summary(struct report *r, const char *key, const struct pt_cov_total *t)
{
    struct pt_json *j = &r->json;
    bool arcs = r->coverage->has_arcs;
    double percent = pt_cov_percent(t, arcs);
    char text[PT_NUMBER_TEXT];
    pt_json_key(j, key);
    pt_json_open(j, '{');
    pt_json_member_u64(j, "covered_lines", t->lines.have);
    pt_json_member_u64(j, "num_statements", t->lines.of);
    pt_json_key(j, "percent_covered");
    pt_json_double(j, percent);
    pt_json_member_text(j, "percent_covered_display",
                        pt_cov_percent_text(percent, 0, text));
    pt_json_member_u64(j, "missing_lines", t->lines.of - t->lines.have);
    pt_json_member_u64(j, "excluded_lines", t->excluded);
    if (arcs) {
        pt_json_member_u64(j, "num_branches", t->arcs.of);
        pt_json_member_u64(j, "num_partial_branches", t->partial);
        pt_json_member_u64(j, "covered_branches", t->arcs.have);
        pt_json_member_u64(j, "missing_branches", t->arcs.of - t->arcs.have);
    }
    pt_json_close(j, '}');
}

/* What a file and a region of it have alike. */
static void
put_rows(struct report *r, const struct rows *rows)
{
    struct pt_cov_total total = {0};
    uint32_t low = 0, n;
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct pt_cov_line *line = row(rows, i);
        const struct pt_cov_arc *a =
            pt_cov_arcs_from(rows->file, line->line, &low, &n);
        pt_cov_total_line(&total, line, a, n);
    }
    put_lines(r, "executed_lines", rows, is_executed);
    put_summary(r, "summary", &total);
    put_lines(r, "missing_lines", rows, is_missing);
    put_lines(r, "excluded_lines", rows, is_excluded);
    if (r->coverage->has_arcs) {
        put_branches(r, "executed_branches", rows, true);
        put_branches(r, "missing_branches", rows, false);
    }
}

static void
put_region(struct report *r, struct pt_str name, const struct rows *rows)
{
    pt_json_key_str(&r->json, name);
    pt_json_open(&r->json, '{');
    put_rows(r, rows);
    pt_json_close(&r->json, '}');
}

static enum pt_status
put_regions(struct report *r, const struct pt_cov_file *f, const char *key,
            bool classes)
{
    struct pt_cov_regions regions;
    bool *shown = calloc((size_t)f->nfunctions + 1, sizeof *shown);
    if (!shown)
        return PT_ENOMEM;
    enum pt_status st = pt_cov_regions_last(f, classes, shown);
    if (st == PT_OK)
        st = pt_cov_regions_init(&regions, f, classes);
    if (st != PT_OK) {
        free(shown);
        return st;
    }
    pt_json_key(&r->json, key);
    pt_json_open(&r->json, '{');
    for (uint32_t i = 0; i <= f->nfunctions; i++) {
        uint32_t start = regions.start[i];
        struct rows rows = {f, regions.rows + start,
                            regions.start[i + 1] - start};
        if (i == f->nfunctions)
            put_region(r, (struct pt_str){"", 0}, &rows);
        else if (shown[i])
            put_region(r, f->functions[i].name, &rows);
    }
    pt_json_close(&r->json, '}');
    pt_cov_regions_clear(&regions);
    free(shown);
    return PT_OK;
}

/* --- ours ----------------------------------------------------------------- */

void
pt_cov_json_span(struct pt_json *j, const struct pt_cov_span *s)
{
    pt_json_open(j, '[');
    pt_json_u64(j, s->line);
    pt_json_u64(j, s->column);
    pt_json_u64(j, s->end_line);
    pt_json_u64(j, s->end_column);
    pt_json_close(j, ']');
}

static void
put_span(struct pt_json *j, const struct pt_cov_span *s)
{
    pt_json_key(j, "span");
    pt_cov_json_span(j, s);
}

static void
put_hits(struct pt_json *j, const struct pt_cov_file *f)
{
    char line[16];
    pt_json_key(j, "hits");
    pt_json_open(j, '{');
    for (uint32_t i = 0; i < f->nlines; i++) {
        snprintf(line, sizeof line, "%" PRIu32, f->lines[i].line);
        pt_json_member_u64(j, line, f->lines[i].hits);
    }
    pt_json_close(j, '}');
}

static void
put_functions(struct pt_json *j, const struct pt_cov_file *f)
{
    pt_json_key(j, "functions");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < f->nfunctions; i++) {
        const struct pt_cov_function *fn = &f->functions[i];
        pt_json_open(j, '{');
        pt_json_member_str(j, "name", fn->name);
        pt_json_member_text(j, "kind", fn->class_ ? "class" : "function");
        pt_json_member_u64(j, "line", fn->line);
        pt_json_member_u64(j, "end_line", fn->last);
        pt_json_member_u64(j, "calls", fn->calls);
        pt_json_member_bool(j, "excluded", fn->excluded);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
put_arcs(struct pt_json *j, const struct pt_cov_file *f)
{
    pt_json_key(j, "arcs");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < f->narcs; i++) {
        pt_json_open(j, '[');
        pt_json_i64(j, f->arcs[i].from);
        pt_json_i64(j, f->arcs[i].to);
        pt_json_u64(j, f->arcs[i].count);
        pt_json_close(j, ']');
    }
    pt_json_close(j, ']');
    pt_json_key(j, "jumps");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < f->njumps; i++) {
        const struct pt_cov_jump *jump = &f->jumps[i];
        pt_json_open(j, '{');
        put_span(j, &jump->span);
        pt_json_member_u64(j, "next", jump->next);
        pt_json_member_u64(j, "jump", jump->jump);
        pt_json_member_u64(j, "next_line", jump->next_line);
        pt_json_member_u64(j, "jump_line", jump->jump_line);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
put_conditions(struct pt_json *j, const struct pt_cov_file *f)
{
    static const char *const states[] = {
        [PT_COV_DECIDED] = "decided",
        [PT_COV_UNDECIDABLE] = "undecidable",
        [PT_COV_CONSTANT] = "constant",
        [PT_COV_ABSENT] = "absent",
    };
    pt_json_key(j, "conditions");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < f->nconditions; i++) {
        const struct pt_cov_condition *c = &f->conditions[i];
        pt_json_open(j, '{');
        put_span(j, &c->span);
        pt_json_member_u64(j, "decision", c->decision);
        pt_json_member_u64(j, "true", c->yes);
        pt_json_member_u64(j, "false", c->no);
        pt_json_member_u64(j, "undecided", c->undecided);
        pt_json_member_text(j, "state", states[c->state]);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
put_vector(struct report *r, const struct pt_cov_decision *d,
           const struct pt_cov_vector *v)
{
    struct pt_json *j = &r->json;
    char text[64];
    pt_json_open(j, '[');
    pt_json_str(j, (struct pt_str){v->seen, d->nconditions});
    pt_json_str(j, (struct pt_str){&v->result, 1});
    pt_json_u64(j, v->count);
    snprintf(text, sizeof text, "%" PRIu64 "+%" PRIu64, v->first.seq,
             v->first.k);
    pt_json_text(j, text);
    if (r->coverage->ntraces > 1)
        pt_json_u64(j, v->first.trace);
    pt_json_close(j, ']');
}

/* The columns of MC/DC, which have an entry for each condition; of a decision
 * that nobody asks MC/DC of, as it has one condition, it is null. */
static void
put_alone(struct pt_json *j, const struct pt_cov_decision *d)
{
    static const struct pt_cov_alone nobody = {.shown = PT_COV_ALONE_CANNOT};
    uint32_t n = d->nconditions;
    pt_json_key(j, "mcdc");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct pt_cov_alone *a = d->alone ? &d->alone[i] : &nobody;
        if (a->shown == PT_COV_ALONE_CANNOT)
            pt_json_null(j);
        else
            pt_json_bool(j, a->shown == PT_COV_ALONE_YES);
    }
    pt_json_close(j, ']');
    pt_json_key(j, "pairs");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct pt_cov_alone *a = d->alone ? &d->alone[i] : &nobody;
        if (a->shown != PT_COV_ALONE_YES) {
            pt_json_null(j);
            continue;
        }
        pt_json_open(j, '[');
        pt_json_u64(j, a->pair[0]);
        pt_json_u64(j, a->pair[1]);
        pt_json_close(j, ']');
    }
    pt_json_close(j, ']');
    pt_json_key(j, "missing");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct pt_cov_alone *a = d->alone ? &d->alone[i] : &nobody;
        if (a->missing)
            pt_json_str(j, (struct pt_str){a->missing, n});
        else
            pt_json_null(j);
    }
    pt_json_close(j, ']');
}

static void
put_decisions(struct report *r, const struct pt_cov_file *f)
{
    struct pt_json *j = &r->json;
    pt_json_key(j, "decisions");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < f->ndecisions; i++) {
        const struct pt_cov_decision *d = &f->decisions[i];
        pt_json_open(j, '{');
        put_span(j, &d->span);
        pt_json_key(j, "vectors");
        pt_json_open(j, '[');
        for (uint32_t k = 0; k < d->nvectors; k++)
            put_vector(r, d, &d->vectors[k]);
        pt_json_close(j, ']');
        if (r->coverage->has_mcdc)
            put_alone(j, d);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
put_own(struct report *r, const struct pt_cov_file *f)
{
    struct pt_json *j = &r->json;
    pt_json_key(j, "ptrec");
    pt_json_open(j, '{');
    pt_json_member_bool(j, "imported", f->imported);
    pt_json_member_bool(j, "parsed", f->parsed);
    pt_json_key(j, "lacks");
    if (f->lacks.len)
        pt_json_str(j, f->lacks);
    else
        pt_json_null(j);
    put_hits(j, f);
    put_functions(j, f);
    if (r->coverage->has_arcs)
        put_arcs(j, f);
    if (r->coverage->has_conditions || r->coverage->has_mcdc) {
        put_conditions(j, f);
        put_decisions(r, f);
    }
    pt_json_close(j, '}');
}

/* --- the document --------------------------------------------------------- */

static void
put_meta(struct report *r)
{
    struct pt_json *j = &r->json;
    struct timespec now;
    struct tm local;
    char text[64];
    size_t used = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &local))
        used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
    snprintf(text + used, sizeof text - used, ".%06ld", now.tv_nsec / 1000);
    pt_json_key(j, "meta");
    pt_json_open(j, '{');
    pt_json_member_u64(j, "format", FORMAT);
    pt_json_member_text(j, "version", PT_VERSION);
    pt_json_member_text(j, "timestamp", text);
    pt_json_member_bool(j, "branch_coverage", r->coverage->has_arcs);
    pt_json_member_bool(j, "show_contexts", false);
    pt_json_close(j, '}');
}

static enum pt_status
put_file(struct report *r, const struct pt_cov_file *f)
{
    struct rows all = {f, NULL, f->nlines};
    pt_json_key_str(&r->json, f->path);
    pt_json_open(&r->json, '{');
    put_rows(r, &all);
    enum pt_status st = put_regions(r, f, "functions", false);
    if (st == PT_OK)
        st = put_regions(r, f, "classes", true);
    put_own(r, f);
    pt_json_close(&r->json, '}');
    return st;
}

enum pt_status
pt_cov_json(const struct pt_coverage *c, struct pt_out *out)
{
    struct report r = {.coverage = c};
    struct pt_cov_total total = pt_coverage_total(c);
    enum pt_status st = PT_OK;
    pt_json_init(&r.json, out, 4);
    pt_json_open(&r.json, '{');
    put_meta(&r);
    pt_json_key(&r.json, "files");
    pt_json_open(&r.json, '{');
    for (uint32_t i = 0; st == PT_OK && i < c->nfiles; i++)
        st = put_file(&r, &c->files[i]);
    pt_json_close(&r.json, '}');
    put_summary(&r, "totals", &total);
    pt_json_key(&r.json, "ptrec");
    pt_json_open(&r.json, '{');
    pt_json_key(&r.json, "traces");
    pt_json_open(&r.json, '[');
    for (uint32_t i = 0; i < c->ntraces; i++)
        pt_json_text(&r.json, c->traces[i]);
    pt_json_close(&r.json, ']');
    pt_json_close(&r.json, '}');
    pt_json_close(&r.json, '}');
    pt_json_finish(&r.json);
    return st;
}
