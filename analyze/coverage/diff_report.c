/* What became uncovered, as text and as JSON. */
#include "analyze/coverage/diff.h"
#include "analyze/coverage/excerpt.h"
#include "analyze/coverage/report.h"
#include "analyze/json.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXCERPT = 60 };

/* Both kinds of report are filled by one walk over the files. */
struct report {
    const struct pt_coverage *then, *now;
    struct pt_out *out;
    struct pt_json json;
    uint64_t lost; /* of what was covered */
    uint64_t lost_lines, won_lines, fresh_lines;
    bool any; /* a file was told of */
};

struct printer {
    void (*changed)(struct report *, const struct pt_cov_changes *);
    void (*alone)(struct report *, const struct pt_cov_file *, bool gone);
};

/* Files are in order of their paths in both. */
static enum pt_status
walk(struct report *r, const struct printer *p)
{
    const struct pt_cov_file *then = r->then->files, *now = r->now->files;
    uint32_t nthen = r->then->nfiles, nnow = r->now->nfiles;
    while (nthen || nnow) {
        int order = !nthen  ? 1
                    : !nnow ? -1
                            : pt_name_compare(then->path, now->path);
        if (order < 0) {
            p->alone(r, then++, true);
            nthen--;
            continue;
        }
        if (order > 0) {
            p->alone(r, now++, false);
            nnow--;
            continue;
        }
        struct pt_cov_changes changes;
        enum pt_status st = pt_cov_changes_init(&changes, then++, now++);
        nthen--;
        nnow--;
        if (st != PT_OK)
            return st;
        r->lost += pt_cov_changes_lost(&changes);
        r->lost_lines += changes.lost.n;
        r->won_lines += changes.won.n;
        r->fresh_lines += changes.fresh.n;
        p->changed(r, &changes);
        pt_cov_changes_clear(&changes);
    }
    return PT_OK;
}

/* --- text ----------------------------------------------------------------- */

/* "12-14, 20": statements without another between them are a range. */
static void
put_ranges(struct report *r, const char *what, const struct pt_cov_file *f,
           const struct pt_cov_rows *rows, enum pt_style style)
{
    if (rows->n == 0)
        return;
    pt_out_text(r->out, "  ");
    pt_out_style(r->out, style);
    pt_out_printf(r->out, "%-22s", what);
    pt_out_style(r->out, PT_STYLE_PLAIN);
    for (uint32_t i = 0, end; i < rows->n; i = end) {
        for (end = i + 1; end < rows->n; end++)
            if (rows->rows[end] != rows->rows[end - 1] + 1)
                break;
        pt_out_printf(r->out, "%s%" PRIu32, i ? ", " : "",
                      f->lines[rows->rows[i]].line);
        if (end > i + 1)
            pt_out_printf(r->out, "-%" PRIu32,
                          f->lines[rows->rows[end - 1]].line);
    }
    pt_out_char(r->out, '\n');
}

static void
put_arcs(struct report *r, const struct pt_cov_file *f,
         const struct pt_cov_rows *rows)
{
    if (rows->n == 0)
        return;
    pt_out_text(r->out, "  ");
    pt_out_style(r->out, PT_STYLE_BAD);
    pt_out_printf(r->out, "%-22s", "branches not taken");
    pt_out_style(r->out, PT_STYLE_PLAIN);
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct pt_cov_arc *a = &f->arcs[rows->rows[i]];
        pt_out_printf(r->out, "%s%" PRId32 "->", i ? ", " : "", a->from);
        if (a->to > 0)
            pt_out_printf(r->out, "%" PRId32, a->to);
        else
            pt_out_text(r->out, "exit");
    }
    pt_out_char(r->out, '\n');
}

static void
put_conditions(struct report *r, const char *what, const struct pt_cov_file *f,
               const struct pt_cov_rows *rows)
{
    struct pt_source_text text = {.text = f->text};
    char excerpt[EXCERPT];
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct pt_cov_span *s = &f->conditions[rows->rows[i]].span;
        size_t len = pt_cov_excerpt(&text, s, excerpt, sizeof excerpt);
        pt_out_text(r->out, "  ");
        pt_out_style(r->out, PT_STYLE_BAD);
        pt_out_printf(r->out, "%-22s", what);
        pt_out_style(r->out, PT_STYLE_PLAIN);
        pt_out_printf(r->out, "%" PRIu32 ": ", s->line);
        pt_out_str(r->out, (struct pt_str){excerpt, len});
        pt_out_char(r->out, '\n');
    }
}

static void
put_path(struct report *r, struct pt_str path)
{
    if (r->any)
        pt_out_char(r->out, '\n');
    r->any = true;
    pt_out_style(r->out, PT_STYLE_BOLD);
    pt_out_str(r->out, path);
    pt_out_style(r->out, PT_STYLE_PLAIN);
}

static void
put_percents(struct report *r, const struct pt_cov_total *then,
             const struct pt_cov_total *now)
{
    bool arcs = r->now->has_arcs;
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT];
    pt_out_printf(r->out, "%s%% -> %s%%\n",
                  pt_cov_percent_text(pt_cov_percent(then, arcs), 0, a),
                  pt_cov_percent_text(pt_cov_percent(now, arcs), 0, b));
}

static void
text_changed(struct report *r, const struct pt_cov_changes *c)
{
    struct pt_cov_total then = pt_cov_file_total(c->then),
                        now = pt_cov_file_total(c->now);
    if (pt_cov_changes_lost(c) == 0 && c->won.n == 0 && c->fresh.n == 0)
        return;
    put_path(r, c->now->path);
    pt_out_text(r->out, "  ");
    put_percents(r, &then, &now);
    put_ranges(r, "not run any more", c->now, &c->lost, PT_STYLE_BAD);
    put_ranges(r, "new, not run", c->now, &c->fresh, PT_STYLE_WARN);
    put_arcs(r, c->now, &c->arcs);
    put_conditions(r, "never true any more", c->now, &c->yes);
    put_conditions(r, "never false any more", c->now, &c->no);
    put_conditions(r, "decides no more alone", c->now, &c->alone);
    put_ranges(r, "run now", c->now, &c->won, PT_STYLE_GOOD);
}

static void
text_alone(struct report *r, const struct pt_cov_file *f, bool gone)
{
    struct pt_cov_total t = pt_cov_file_total(f);
    char text[PT_NUMBER_TEXT];
    put_path(r, f->path);
    if (gone)
        pt_out_text(r->out, "  not in this report any more\n");
    else
        pt_out_printf(
            r->out, "  new, %s%%\n",
            pt_cov_percent_text(pt_cov_percent(&t, r->now->has_arcs), 0, text));
}

enum pt_status
pt_cov_diff_text(const struct pt_coverage *then, const struct pt_coverage *now,
                 struct pt_out *out, uint64_t *lost)
{
    static const struct printer printer = {text_changed, text_alone};
    struct report r = {.then = then, .now = now, .out = out};
    struct pt_cov_total a = pt_coverage_total(then), b = pt_coverage_total(now);
    enum pt_status st = walk(&r, &printer);
    if (r.any)
        pt_out_char(out, '\n');
    pt_out_printf(out,
                  "%" PRIu64 " line%s not run any more, %" PRIu64
                  " new and not run, %" PRIu64 " run now; in all ",
                  r.lost_lines, pt_text_plural(r.lost_lines), r.fresh_lines,
                  r.won_lines);
    put_percents(&r, &a, &b);
    *lost = r.lost;
    return st;
}

/* --- JSON ----------------------------------------------------------------- */

static void
json_lines(struct pt_json *j, const char *key, const struct pt_cov_file *f,
           const struct pt_cov_rows *rows)
{
    pt_json_key(j, key);
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < rows->n; i++)
        pt_json_u64(j, f->lines[rows->rows[i]].line);
    pt_json_close(j, ']');
}

static void
json_arcs(struct pt_json *j, const struct pt_cov_changes *c)
{
    pt_json_key(j, "lost_branches");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < c->arcs.n; i++) {
        const struct pt_cov_arc *a = &c->now->arcs[c->arcs.rows[i]];
        pt_json_open(j, '[');
        pt_json_i64(j, a->from);
        pt_json_i64(j, a->to);
        pt_json_close(j, ']');
    }
    pt_json_close(j, ']');
}

static void
json_conditions(struct pt_json *j, const char *key, const struct pt_cov_file *f,
                const struct pt_cov_rows *rows)
{
    pt_json_key(j, key);
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < rows->n; i++)
        pt_cov_json_span(j, &f->conditions[rows->rows[i]].span);
    pt_json_close(j, ']');
}

static void
json_percent(struct report *r, const char *key, const struct pt_cov_total *t)
{
    pt_json_key(&r->json, key);
    pt_json_double(&r->json, pt_cov_percent(t, r->now->has_arcs));
}

static void
json_changed(struct report *r, const struct pt_cov_changes *c)
{
    struct pt_json *j = &r->json;
    struct pt_cov_total then = pt_cov_file_total(c->then),
                        now = pt_cov_file_total(c->now);
    pt_json_key_str(j, c->now->path);
    pt_json_open(j, '{');
    json_percent(r, "percent_covered_then", &then);
    json_percent(r, "percent_covered", &now);
    json_lines(j, "lost_lines", c->now, &c->lost);
    json_lines(j, "new_missing_lines", c->now, &c->fresh);
    json_lines(j, "gained_lines", c->now, &c->won);
    if (r->now->has_arcs)
        json_arcs(j, c);
    if (r->now->has_conditions) {
        json_conditions(j, "never_true_any_more", c->now, &c->yes);
        json_conditions(j, "never_false_any_more", c->now, &c->no);
    }
    if (r->now->has_mcdc)
        json_conditions(j, "lost_mcdc", c->now, &c->alone);
    pt_json_close(j, '}');
}

static void
json_alone(struct report *r, const struct pt_cov_file *f, bool gone)
{
    struct pt_cov_total t = pt_cov_file_total(f);
    pt_json_key_str(&r->json, f->path);
    pt_json_open(&r->json, '{');
    if (gone) {
        json_percent(r, "percent_covered_then", &t);
        pt_json_key(&r->json, "percent_covered");
        pt_json_null(&r->json);
    } else {
        pt_json_key(&r->json, "percent_covered_then");
        pt_json_null(&r->json);
        json_percent(r, "percent_covered", &t);
    }
    pt_json_close(&r->json, '}');
}

enum pt_status
pt_cov_diff_json(const struct pt_coverage *then, const struct pt_coverage *now,
                 struct pt_out *out, uint64_t *lost)
{
    static const struct printer printer = {json_changed, json_alone};
    struct report r = {.then = then, .now = now, .out = out};
    struct pt_cov_total a = pt_coverage_total(then), b = pt_coverage_total(now);
    pt_json_init(&r.json, out, 4);
    pt_json_open(&r.json, '{');
    pt_json_member_u64(&r.json, "version", 1);
    pt_json_key(&r.json, "files");
    pt_json_open(&r.json, '{');
    enum pt_status st = walk(&r, &printer);
    pt_json_close(&r.json, '}');
    pt_json_key(&r.json, "totals");
    pt_json_open(&r.json, '{');
    json_percent(&r, "percent_covered_then", &a);
    json_percent(&r, "percent_covered", &b);
    pt_json_member_u64(&r.json, "lost", r.lost);
    pt_json_member_u64(&r.json, "lost_lines", r.lost_lines);
    pt_json_member_u64(&r.json, "new_missing_lines", r.fresh_lines);
    pt_json_member_u64(&r.json, "gained_lines", r.won_lines);
    pt_json_close(&r.json, '}');
    pt_json_close(&r.json, '}');
    pt_json_finish(&r.json);
    *lost = r.lost;
    return st;
}
