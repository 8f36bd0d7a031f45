/* The conditions of all files below the terminal's table: decisions that lack
 * something, and what it adds up to. */
#include "analyze/coverage/coverage.h"
#include "analyze/coverage/decision_text.h"

#include <inttypes.h>
#include <string.h>

static bool
lacks(const struct pt_cov_file *f, const struct pt_cov_decision *d)
{
    const struct pt_cov_line *line = pt_cov_line_before(f, d->span.line);
    struct pt_cov_share alone = pt_cov_decision_alone(d);
    if (line && line->flags & PT_COV_EXCLUDED)
        return false;
    for (uint32_t i = 0; i < d->nconditions; i++) {
        const struct pt_cov_condition *c = &f->conditions[d->first + i];
        if (c->state == PT_COV_DECIDED && !(c->yes && c->no))
            return true;
    }
    return alone.have < alone.of;
}

/* "file.py:12  if a and b", as wide as the output. */
static void
print_place(struct pt_out *o, const struct pt_cov_file *f,
            const struct pt_cov_decision *d, struct pt_source_text *text)
{
    char excerpt[256], shown[4 * sizeof excerpt];
    size_t len = pt_cov_excerpt(text, &d->span, excerpt, sizeof excerpt);
    pt_text_escape((struct pt_str){excerpt, len}, shown, sizeof shown);
    if (o->fit && o->width > f->path.len + 24)
        pt_text_shorten(shown, o->width - (unsigned)f->path.len - 8);
    pt_out_char(o, '\n');
    pt_out_str(o, f->path);
    pt_out_printf(o, ":%" PRIu32 "  ", d->span.line);
    pt_out_style(o, PT_STYLE_BOLD);
    pt_out_text(o, shown);
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_char(o, '\n');
}

static void
print_decisions(struct pt_out *o, const struct pt_coverage *c,
                const struct pt_cov_file *f)
{
    struct pt_source_text places = {.text = f->text};
    for (uint32_t i = 0; i < f->ndecisions; i++) {
        if (!lacks(f, &f->decisions[i]))
            continue;
        struct pt_source_text text = {.text = f->text};
        print_place(o, f, &f->decisions[i], &places);
        pt_cov_decision_text(o, f, i, &text, c->ntraces, 2);
    }
}

static void
print_share(struct pt_out *o, const char *what, struct pt_cov_share share,
            unsigned digits)
{
    char text[PT_NUMBER_TEXT];
    double percent =
        share.of ? 100.0 * (double)share.have / (double)share.of : 100.0;
    pt_out_printf(o, "%s: %" PRIu64 " of %" PRIu64 ", %s%%\n", what, share.have,
                  share.of, pt_cov_percent_text(percent, digits, text));
}

void
pt_cov_conditions_text(struct pt_session *s, const struct pt_coverage *c)
{
    const struct pt_cov_config *config = s->config;
    struct pt_cov_total total = pt_coverage_total(c);
    unsigned digits = config->precision < 10 ? (unsigned)config->precision : 10;
    for (uint32_t i = 0; i < c->nfiles; i++)
        print_decisions(s->out, c, &c->files[i]);
    pt_out_char(s->out, '\n');
    print_share(s->out, "Outcomes of conditions", total.conditions, digits);
    if (c->has_mcdc)
        print_share(s->out, "MC/DC, conditions shown to decide alone",
                    total.alone, digits);
}
