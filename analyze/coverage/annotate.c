/* The annotated sources: a mark as `coverage annotate` has it, how often a
 * statement began, the line with its conditions coloured, and below it what it
 * lacks. */
#include "analyze/coverage/decision_text.h"
#include "analyze/coverage/report.h"
#include "analyze/coverage/view.h"
#include "analyze/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "> 123456 12345  " */
enum { HITS = 6, NUMBER = 5, MARGIN = 2 + HITS + 1 + NUMBER + 2, TAB = 8 };

struct report {
    const struct pt_coverage *coverage;
    const struct pt_cov_file *file;
    struct pt_out *out;
    struct pt_source_text text; /* for excerpts */
};

/* --- the line itself ------------------------------------------------------ */

/* At most HITS characters. */
static const char *
hits_text(uint64_t hits, char *buffer)
{
    static const char units[] = "kMGTPE";
    if (hits < 1000000) {
        snprintf(buffer, PT_NUMBER_TEXT, "%" PRIu64, hits);
        return buffer;
    }
    const char *unit = units;
    for (hits /= 1000; hits >= 100000; hits /= 1000)
        unit++;
    snprintf(buffer, PT_NUMBER_TEXT, "%" PRIu64 "%c", hits, *unit);
    return buffer;
}

static enum pt_style
line_style(const struct pt_cov_row *row)
{
    return row->mark == '!'   ? PT_STYLE_BAD
           : row->mark == '-' ? PT_STYLE_DIM
           : row->missing     ? PT_STYLE_WARN
                              : PT_STYLE_PLAIN;
}

static void
put_margin(struct report *r, const struct pt_cov_row *row)
{
    char text[PT_NUMBER_TEXT];
    bool counted = row->line && !(row->line->flags & PT_COV_EXCLUDED);
    enum pt_style style = line_style(row);
    if (style != PT_STYLE_PLAIN)
        pt_out_style(r->out, style);
    pt_out_printf(r->out, "%c %*s %*" PRIu32 "%s", row->mark, HITS,
                  counted ? hits_text(row->line->hits, text) : "", NUMBER,
                  row->number, row->text.len ? "  " : "");
    if (style != PT_STYLE_PLAIN)
        pt_out_style(r->out, PT_STYLE_PLAIN);
}

static enum pt_style
run_style(const struct report *r, const struct pt_cov_row *row,
          const struct pt_cov_run *run)
{
    static const enum pt_style looks[PT_COV_LOOKS] = {
        [PT_COV_LOOK_BOTH] = PT_STYLE_GOOD,
        [PT_COV_LOOK_TRUE] = PT_STYLE_WARN,
        [PT_COV_LOOK_FALSE] = PT_STYLE_WARN,
        [PT_COV_LOOK_NEVER] = PT_STYLE_BAD,
        [PT_COV_LOOK_UNKNOWN] = PT_STYLE_PLAIN,
        [PT_COV_LOOK_CONSTANT] = PT_STYLE_DIM,
    };
    if (row->mark == '-')
        return PT_STYLE_DIM;
    if (run->condition)
        return looks[pt_cov_condition_look(
            &r->file->conditions[run->condition - 1])];
    if (row->mark == '!')
        return PT_STYLE_BAD;
    return run->token == PT_COV_TOKEN_COMMENT   ? PT_STYLE_DIM
           : run->token == PT_COV_TOKEN_KEYWORD ? PT_STYLE_BOLD
                                                : PT_STYLE_PLAIN;
}

struct pen {
    enum pt_style style;
    unsigned column; /* of the line, for tabs */
    unsigned used;   /* of the row that it is shown in */
};

/* A character, behind the margin of a row of its own where it does not fit. */
static void
put_character(struct report *r, struct pt_str character, struct pen *pen)
{
    char text[64] = "";
    bool tab = character.data[0] == '\t';
    unsigned width = TAB - pen->column % TAB;
    if (!tab) {
        pt_text_escape(character, text, sizeof text);
        width = pt_text_width(text);
    }
    if (r->out->fit && pen->used &&
        pen->used + width > r->out->width - MARGIN) {
        pt_out_style(r->out, PT_STYLE_PLAIN);
        pt_out_char(r->out, '\n');
        pt_out_spaces(r->out, MARGIN);
        pt_out_style(r->out, pen->style);
        pen->used = 0;
    }
    if (tab)
        pt_out_spaces(r->out, width);
    else
        pt_out_text(r->out, text);
    pen->column += width;
    pen->used += width;
}

static void
put_source(struct report *r, const struct pt_cov_row *row)
{
    struct pen pen = {0};
    for (uint32_t i = 0; i < row->nruns; i++) {
        const struct pt_cov_run *run = &row->runs[i];
        pen.style = run_style(r, row, run);
        if (pen.style != PT_STYLE_PLAIN)
            pt_out_style(r->out, pen.style);
        for (uint32_t at = 0; at < run->len;) {
            const char *p = row->text.data + run->start + at;
            uint32_t code;
            unsigned n = pt_utf8_next(p, run->len - at, &code);
            put_character(r, (struct pt_str){p, n}, &pen);
            at += n;
        }
        if (pen.style != PT_STYLE_PLAIN)
            pt_out_style(r->out, PT_STYLE_PLAIN);
    }
    pt_out_char(r->out, '\n');
}

/* --- what it lacks -------------------------------------------------------- */

static void
put_target(struct report *r, const struct pt_cov_arc *a)
{
    if (a->to > 0)
        pt_out_printf(r->out, "%" PRId32, a->to);
    else
        pt_out_text(r->out, "exit");
}

static void
put_arcs(struct report *r, const struct pt_cov_row *row)
{
    bool first = true;
    if (row->missing == 0)
        return;
    pt_out_spaces(r->out, MARGIN);
    pt_out_style(r->out, PT_STYLE_WARN);
    for (uint32_t i = 0; i < row->narcs; i++) {
        const struct pt_cov_arc *a = &row->arcs[i];
        if (!pt_cov_arc_counts(a, row->line))
            continue;
        pt_out_text(r->out, first ? "to " : ", to ");
        first = false;
        put_target(r, a);
        if (a->count)
            pt_out_printf(r->out, ": %" PRIu64 " time%s", a->count,
                          pt_text_plural(a->count));
        else
            pt_out_text(r->out, ": never");
    }
    pt_out_style(r->out, PT_STYLE_PLAIN);
    pt_out_char(r->out, '\n');
}

/* Whether there is something to say of a decision: it was evaluated, and lacks
 * an outcome, or MC/DC is asked for. */
static bool
is_told(const struct report *r, const struct pt_cov_decision *d)
{
    bool evaluated = false, lacks = false;
    for (uint32_t i = 0; i < d->nconditions; i++) {
        enum pt_cov_condition_look look =
            pt_cov_condition_look(&r->file->conditions[d->first + i]);
        evaluated |= look != PT_COV_LOOK_NEVER && look != PT_COV_LOOK_CONSTANT;
        lacks |= look != PT_COV_LOOK_BOTH && look != PT_COV_LOOK_CONSTANT &&
                 look != PT_COV_LOOK_UNKNOWN;
    }
    return evaluated && (lacks || d->alone);
}

static void
put_row(struct report *r, const struct pt_cov_row *row)
{
    put_margin(r, row);
    put_source(r, row);
    put_arcs(r, row);
    for (uint32_t i = 0; i < row->ndecisions && row->mark != '-'; i++)
        if (is_told(r, &r->file->decisions[row->decisions[i]]))
            pt_cov_decision_text(r->out, r->file, row->decisions[i], &r->text,
                                 r->coverage->ntraces, MARGIN);
}

/* --- files ---------------------------------------------------------------- */

static void
put_share(struct report *r, bool shown, const struct pt_cov_share *share,
          const char *what)
{
    if (shown)
        pt_out_printf(r->out, ", %s %" PRIu64 "/%" PRIu64, what, share->have,
                      share->of);
}

static void
put_head(struct report *r)
{
    const struct pt_coverage *c = r->coverage;
    struct pt_cov_total t = pt_cov_file_total(r->file);
    char text[PT_NUMBER_TEXT];
    pt_out_style(r->out, PT_STYLE_BOLD);
    pt_out_str(r->out, r->file->path);
    pt_out_style(r->out, PT_STYLE_PLAIN);
    pt_out_printf(r->out, "\n%s%%: lines %" PRIu64 "/%" PRIu64,
                  pt_cov_percent_text(pt_cov_percent(&t, c->has_arcs), 0, text),
                  t.lines.have, t.lines.of);
    put_share(r, c->has_arcs, &t.arcs, "branches");
    put_share(r, c->has_conditions, &t.conditions, "conditions");
    put_share(r, c->has_mcdc, &t.alone, "MC/DC");
    pt_out_char(r->out, '\n');
    if (r->file->lacks.len) {
        pt_out_style(r->out, PT_STYLE_WARN);
        pt_out_str(r->out, r->file->lacks);
        pt_out_style(r->out, PT_STYLE_PLAIN);
        pt_out_char(r->out, '\n');
    }
    pt_out_char(r->out, '\n');
}

static enum pt_status
put_file(struct report *r)
{
    struct pt_cov_view *view;
    struct pt_cov_row row;
    enum pt_status st = pt_cov_view_new(r->file, &view);
    if (st != PT_OK)
        return st;
    put_head(r);
    while ((st = pt_cov_view_next(view, &row)) == PT_OK)
        put_row(r, &row);
    pt_cov_view_free(view);
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_cov_annotate(const struct pt_coverage *c, struct pt_out *out)
{
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; st == PT_OK && i < c->nfiles; i++) {
        struct report r = {.coverage = c, .file = &c->files[i], .out = out};
        r.text.text = r.file->text;
        if (i)
            pt_out_char(out, '\n');
        st = put_file(&r);
    }
    return st;
}
