/* The page of a file: its source with hits, arcs and conditions, and a block
 * below each line that a decision ends at. */
#include "analyze/coverage/decision_text.h"
#include "analyze/coverage/html.h"
#include "analyze/coverage/view.h"

#include <inttypes.h>
#include <string.h>

enum { EXCERPT = 400 };

struct page {
    const struct pt_coverage *coverage;
    const struct pt_cov_file *file;
    struct pt_out *out;
    struct pt_source_text text; /* for excerpts */
};

static const char *const looks[PT_COV_LOOKS] = {
    [PT_COV_LOOK_BOTH] = "both",       [PT_COV_LOOK_TRUE] = "one",
    [PT_COV_LOOK_FALSE] = "one",       [PT_COV_LOOK_NEVER] = "never",
    [PT_COV_LOOK_UNKNOWN] = "unknown", [PT_COV_LOOK_CONSTANT] = "constant",
};

/* --- a line --------------------------------------------------------------- */

static const char *
line_class(const struct pt_cov_row *row)
{
    switch (row->mark) {
    case '-':
        return " exc";
    case '!':
        return " mis";
    case '>':
        return row->missing ? " par" : " run";
    default:
        return "";
    }
}

static void
put_run(struct page *p, const struct pt_cov_row *row,
        const struct pt_cov_run *run)
{
    static const char *const tokens[] = {
        [PT_COV_TOKEN_PLAIN] = NULL,
        [PT_COV_TOKEN_KEYWORD] = "k",
        [PT_COV_TOKEN_STRING] = "s",
        [PT_COV_TOKEN_COMMENT] = "m",
    };
    const char *token = tokens[run->token];
    bool told = run->condition && row->mark != '-';
    struct pt_str text = {row->text.data + run->start, run->len};
    if (told) {
        const struct pt_cov_condition *c =
            &p->file->conditions[run->condition - 1];
        char outcomes[PT_COV_OUTCOMES];
        pt_out_printf(p->out, "<span class=\"c %s%s%s\" title=\"%s\">",
                      looks[pt_cov_condition_look(c)], token ? " " : "",
                      token ? token : "", pt_cov_outcomes(c, outcomes));
    } else if (token)
        pt_out_printf(p->out, "<span class=\"%s\">", token);
    pt_cov_html_str(p->out, text);
    if (told || token)
        pt_out_text(p->out, "</span>");
}

/* Where a line that branches went, and where it never did. */
static void
put_arcs(struct page *p, const struct pt_cov_row *row)
{
    bool any = false;
    for (uint32_t i = 0; i < row->narcs; i++) {
        const struct pt_cov_arc *a = &row->arcs[i];
        if (!pt_cov_arc_counts(a, row->line))
            continue;
        pt_out_text(p->out, any ? " &ensp;" : "<span class=\"arcs\">");
        any = true;
        pt_out_text(p->out, pt_cov_arc_misses(a, row->line)
                                ? "<span class=\"never\">"
                                : "<span>");
        if (a->to > 0)
            pt_out_printf(p->out,
                          "&rarr; <a href=\"#L%" PRId32 "\">%" PRId32 "</a>",
                          a->to, a->to);
        else
            pt_out_text(p->out, "&rarr; exit");
        if (a->count)
            pt_out_printf(p->out, " &times;%" PRIu64 "</span>", a->count);
        else
            pt_out_text(p->out, " never</span>");
    }
    if (any)
        pt_out_text(p->out, "</span>");
}

static void
put_line(struct page *p, const struct pt_cov_row *row)
{
    bool counted = row->line && !(row->line->flags & PT_COV_EXCLUDED);
    pt_out_printf(p->out,
                  "<div class=\"line%s\" id=\"L%" PRIu32
                  "\"><a class=\"no\" href=\"#L%" PRIu32 "\">%" PRIu32
                  "</a><span class=\"hits\">",
                  line_class(row), row->number, row->number, row->number);
    if (counted)
        pt_out_u64(p->out, row->line->hits);
    pt_out_text(p->out, "</span><code>");
    for (uint32_t i = 0; i < row->nruns; i++)
        put_run(p, row, &row->runs[i]);
    pt_out_text(p->out, "</code>");
    put_arcs(p, row);
    pt_out_text(p->out, "</div>\n");
}

/* --- a decision ----------------------------------------------------------- */

static void
put_excerpt(struct page *p, const struct pt_cov_span *span)
{
    char text[EXCERPT];
    size_t len = pt_cov_excerpt(&p->text, span, text, sizeof text);
    pt_out_text(p->out, "<td class=\"text\"><code>");
    pt_cov_html_str(p->out, (struct pt_str){text, len});
    pt_out_text(p->out, "</code></td>");
}

static void
put_alone(struct page *p, const struct pt_cov_decision *d, uint32_t i)
{
    const struct pt_cov_alone *a = &d->alone[i];
    pt_out_text(p->out, "<td class=\"text\">");
    if (a->shown == PT_COV_ALONE_YES)
        pt_out_printf(p->out, "yes: #%" PRIu32 ", #%" PRIu32, a->pair[0] + 1,
                      a->pair[1] + 1);
    else if (a->shown == PT_COV_ALONE_CANNOT)
        pt_out_text(p->out, "cannot");
    else {
        pt_out_text(p->out, "no");
        if (a->missing) {
            pt_out_text(p->out, ": missing <code>");
            pt_cov_html_str(p->out,
                            (struct pt_str){a->missing, d->nconditions});
            pt_out_text(p->out, "</code>");
        }
    }
    pt_out_text(p->out, "</td>");
}

static void
put_conditions(struct page *p, const struct pt_cov_decision *d)
{
    char outcomes[PT_COV_OUTCOMES];
    pt_out_text(p->out, "<table>\n<tr><th></th><th>condition</th>"
                        "<th>outcomes</th>");
    if (d->alone)
        pt_out_text(p->out, "<th>decides alone</th>");
    pt_out_text(p->out, "</tr>\n");
    for (uint32_t i = 0; i < d->nconditions; i++) {
        const struct pt_cov_condition *c = &p->file->conditions[d->first + i];
        pt_out_printf(p->out, "<tr><td>%" PRIu32 "</td>", i + 1);
        put_excerpt(p, &c->span);
        pt_out_printf(p->out, "<td class=\"text\">%s</td>",
                      pt_cov_outcomes(c, outcomes));
        if (d->alone)
            put_alone(p, d, i);
        pt_out_text(p->out, "</tr>\n");
    }
    pt_out_text(p->out, "</table>\n");
}

static void
put_outcome(struct page *p, char outcome)
{
    bool known = outcome == 'T' || outcome == 'F';
    pt_out_printf(p->out, "<td class=\"center%s%.1s\">", known ? " " : "",
                  known ? &outcome : "");
    pt_cov_html_str(p->out, (struct pt_str){&outcome, 1});
    pt_out_text(p->out, "</td>");
}

static void
put_vectors(struct page *p, const struct pt_cov_decision *d)
{
    pt_out_text(p->out, "<table>\n<tr><th></th>");
    for (uint32_t i = 0; i < d->nconditions; i++)
        pt_out_printf(p->out, "<th>%" PRIu32 "</th>", i + 1);
    pt_out_text(p->out, "<th>result</th><th>times</th><th>first at</th>");
    if (p->coverage->ntraces > 1)
        pt_out_text(p->out, "<th>trace</th>");
    pt_out_text(p->out, "</tr>\n");
    for (uint32_t i = 0; i < d->nvectors; i++) {
        const struct pt_cov_vector *v = &d->vectors[i];
        pt_out_printf(p->out, "<tr><td>#%" PRIu32 "</td>", i + 1);
        for (uint32_t k = 0; k < d->nconditions; k++)
            put_outcome(p, v->seen[k]);
        put_outcome(p, v->result);
        pt_out_printf(p->out,
                      "<td>%" PRIu64 "</td><td>%" PRIu64 "+%" PRIu64 "</td>",
                      v->count, v->first.seq, v->first.k);
        if (p->coverage->ntraces > 1)
            pt_out_printf(p->out, "<td>%" PRIu32 "</td>", v->first.trace + 1);
        pt_out_text(p->out, "</tr>\n");
    }
    pt_out_text(p->out, "</table>\n");
}

/* Of a decision with one condition, the line says all; not its MC/DC. */
static void
put_decision(struct page *p, const struct pt_cov_decision *d)
{
    struct pt_cov_share alone = pt_cov_decision_alone(d), outcomes = {0};
    bool lacks = alone.have < alone.of;
    if (d->nconditions < 2 && !d->nvectors)
        return;
    for (uint32_t i = 0; i < d->nconditions; i++) {
        const struct pt_cov_condition *c = &p->file->conditions[d->first + i];
        bool decided = c->state == PT_COV_DECIDED;
        outcomes.of += decided ? 2 : 0;
        outcomes.have += decided ? (c->yes != 0) + (c->no != 0) : 0;
    }
    lacks |= outcomes.have < outcomes.of;
    pt_out_printf(p->out,
                  "<details class=\"decision\"><summary%s>%" PRIu32
                  " condition%s, %" PRIu64 " of %" PRIu64 " outcomes",
                  lacks ? " class=\"lacks\"" : "", d->nconditions,
                  pt_text_plural(d->nconditions), outcomes.have, outcomes.of);
    if (d->alone)
        pt_out_printf(p->out, "; MC/DC %" PRIu64 " of %" PRIu64, alone.have,
                      alone.of);
    pt_out_text(p->out, "</summary>\n");
    put_conditions(p, d);
    if (d->nvectors)
        put_vectors(p, d);
    pt_out_text(p->out, "</details>\n");
}

/* --- the page ------------------------------------------------------------- */

static void
put_head(struct page *p)
{
    struct pt_cov_total total = pt_cov_file_total(p->file);
    pt_cov_html_begin(p->out, p->file->path, true);
    pt_out_text(p->out, "<nav>\n");
    pt_cov_html_shares(p->out, p->coverage, &total);
    pt_out_text(p->out, "<button class=\"run\" data-hide=\"run\" "
                        "aria-pressed=\"true\">ran</button>\n"
                        "<button class=\"mis\" data-hide=\"mis\" "
                        "aria-pressed=\"true\">missing</button>\n");
    if (p->coverage->has_arcs)
        pt_out_text(p->out, "<button class=\"par\" data-hide=\"par\" "
                            "aria-pressed=\"true\">partial</button>\n");
    pt_out_text(p->out, "<button class=\"exc\" data-hide=\"exc\" "
                        "aria-pressed=\"true\">excluded</button>\n");
    if (p->coverage->has_conditions)
        pt_out_text(p->out, "<button data-hide=\"con\" aria-pressed=\"true\">"
                            "conditions</button>\n");
    pt_out_text(p->out, "<span><kbd>n</kbd> <kbd>p</kbd> next, previous that "
                        "lacks something; <kbd>u</kbd> all files</span>\n"
                        "</nav>\n</header>\n<main>\n");
    if (p->file->lacks.len) {
        pt_out_text(p->out, "<p class=\"note\">");
        pt_cov_html_str(p->out, p->file->lacks);
        pt_out_text(p->out, "</p>\n");
    }
}

enum pt_status
pt_cov_html_source(const struct pt_coverage *c, const struct pt_cov_file *f,
                   struct pt_out *out)
{
    struct page p = {.coverage = c, .file = f, .out = out};
    struct pt_cov_view *view;
    struct pt_cov_row row;
    p.text.text = f->text;
    enum pt_status st = pt_cov_view_new(f, &view);
    if (st != PT_OK)
        return st;
    put_head(&p);
    pt_out_text(out, "<div class=\"source\">\n");
    while ((st = pt_cov_view_next(view, &row)) == PT_OK) {
        put_line(&p, &row);
        for (uint32_t i = 0; i < row.ndecisions && row.mark != '-'; i++)
            put_decision(&p, &f->decisions[row.decisions[i]]);
    }
    pt_out_text(out, "</div>\n</main>\n");
    pt_cov_html_end(out, c);
    pt_cov_view_free(view);
    return st == PT_END ? PT_OK : st;
}
