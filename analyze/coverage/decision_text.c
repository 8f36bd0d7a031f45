#include "analyze/coverage/decision_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXCERPT = 256, OUTCOMES_WIDTH = 26, LEAST_EXCERPT = 16 };

enum pt_cov_condition_look
pt_cov_condition_look(const struct pt_cov_condition *c)
{
    if (c->state == PT_COV_CONSTANT)
        return PT_COV_LOOK_CONSTANT;
    if (c->yes && c->no)
        return PT_COV_LOOK_BOTH;
    if (c->undecided || c->state == PT_COV_ABSENT)
        return PT_COV_LOOK_UNKNOWN;
    return c->yes  ? PT_COV_LOOK_TRUE
           : c->no ? PT_COV_LOOK_FALSE
                   : PT_COV_LOOK_NEVER;
}

const char *
pt_cov_outcomes(const struct pt_cov_condition *c, char *buffer)
{
    size_t used = 0;
    const size_t size = PT_COV_OUTCOMES;
    if (c->state == PT_COV_CONSTANT)
        return "constant";
    if (c->state == PT_COV_ABSENT)
        return "not known";
    if (c->yes == 0 && c->no == 0 && c->undecided == 0)
        return "never evaluated";
    if (c->yes || c->no) {
        if (c->yes)
            used = (size_t)snprintf(buffer, size, "true %" PRIu64, c->yes);
        else
            used = (size_t)snprintf(buffer, size, "never true");
        if (c->no)
            used += (size_t)snprintf(buffer + used, size - used,
                                     ", false %" PRIu64, c->no);
        else
            used +=
                (size_t)snprintf(buffer + used, size - used, ", never false");
    }
    if (c->undecided)
        snprintf(buffer + used, size - used, "%sundecided %" PRIu64,
                 used ? ", " : "", c->undecided);
    return buffer;
}

struct pt_cov_share
pt_cov_decision_alone(const struct pt_cov_decision *d)
{
    struct pt_cov_share share = {0};
    for (uint32_t i = 0; d->alone && i < d->nconditions; i++) {
        share.of += d->alone[i].shown != PT_COV_ALONE_CANNOT;
        share.have += d->alone[i].shown == PT_COV_ALONE_YES;
    }
    return share;
}

/* --- lines ---------------------------------------------------------------- */

struct printing {
    struct pt_out *out;
    const struct pt_cov_file *file;
    const struct pt_cov_decision *decision;
    struct pt_source_text *text;
    uint32_t traces;
    unsigned indent;
};

static void
put_condition(const struct printing *p, uint32_t i)
{
    const struct pt_cov_condition *c =
        &p->file->conditions[p->decision->first + i];
    enum pt_cov_condition_look look = pt_cov_condition_look(c);
    char excerpt[EXCERPT], shown[4 * EXCERPT], outcomes[PT_COV_OUTCOMES];
    unsigned taken = p->indent + OUTCOMES_WIDTH + 6;
    unsigned width = p->out->width > taken + LEAST_EXCERPT
                         ? p->out->width - taken
                         : LEAST_EXCERPT;
    size_t len = pt_cov_excerpt(p->text, &c->span, excerpt, sizeof excerpt);
    pt_text_escape((struct pt_str){excerpt, len}, shown, sizeof shown);
    if (p->out->fit)
        pt_text_shorten(shown, width);
    pt_out_spaces(p->out, p->indent);
    pt_out_printf(p->out, "%3" PRIu32 "  ", i + 1);
    bool lacks = look != PT_COV_LOOK_BOTH && look != PT_COV_LOOK_CONSTANT &&
                 look != PT_COV_LOOK_UNKNOWN;
    pt_out_style(p->out, lacks ? PT_STYLE_WARN : PT_STYLE_PLAIN);
    pt_out_printf(p->out, "%-*s", OUTCOMES_WIDTH, pt_cov_outcomes(c, outcomes));
    pt_out_style(p->out, PT_STYLE_PLAIN);
    pt_out_char(p->out, ' ');
    pt_out_text(p->out, shown);
    pt_out_char(p->out, '\n');
}

static void
put_vector(const struct printing *p, uint32_t number)
{
    const struct pt_cov_vector *v = &p->decision->vectors[number];
    pt_out_spaces(p->out, p->indent);
    pt_out_printf(p->out, "  #%-3" PRIu32 " ", number + 1);
    pt_out_bytes(p->out, v->seen, p->decision->nconditions);
    pt_out_printf(p->out, " -> %c  %" PRIu64 " time%s, first at ", v->result,
                  v->count, pt_text_plural(v->count));
    if (p->traces > 1)
        pt_out_printf(p->out, "trace %" PRIu32 ", ", v->first.trace + 1);
    pt_out_printf(p->out, "%" PRIu64 "+%" PRIu64 "\n", v->first.seq,
                  v->first.k);
}

static void
put_alone(const struct printing *p, uint32_t i)
{
    const struct pt_cov_alone *a = &p->decision->alone[i];
    pt_out_spaces(p->out, p->indent);
    pt_out_printf(p->out, "%3" PRIu32 "  ", i + 1);
    if (a->shown == PT_COV_ALONE_YES)
        pt_out_printf(p->out,
                      "decides alone: #%" PRIu32 " and #%" PRIu32 " show it",
                      a->pair[0] + 1, a->pair[1] + 1);
    else if (a->shown == PT_COV_ALONE_CANNOT)
        pt_out_text(p->out, "cannot be shown to decide alone");
    else {
        pt_out_style(p->out, PT_STYLE_WARN);
        pt_out_text(p->out, "not shown to decide alone");
        if (a->missing) {
            pt_out_text(p->out, "; missing: ");
            pt_out_bytes(p->out, a->missing, p->decision->nconditions);
        }
        pt_out_style(p->out, PT_STYLE_PLAIN);
    }
    pt_out_char(p->out, '\n');
}

void
pt_cov_decision_text(struct pt_out *out, const struct pt_cov_file *f,
                     uint32_t decision, struct pt_source_text *text,
                     uint32_t traces, unsigned indent)
{
    const struct pt_cov_decision *d = &f->decisions[decision];
    struct printing p = {out, f, d, text, traces, indent};
    for (uint32_t i = 0; i < d->nconditions; i++)
        put_condition(&p, i);
    if (!d->alone)
        return;
    struct pt_cov_share alone = pt_cov_decision_alone(d);
    pt_out_spaces(out, indent);
    pt_out_printf(out,
                  "MC/DC: %" PRIu64 " of %" PRIu64 " condition%s shown to "
                  "decide alone\n",
                  alone.have, alone.of, pt_text_plural(alone.of));
    for (uint32_t i = 0; i < d->nvectors; i++)
        put_vector(&p, i);
    for (uint32_t i = 0; i < d->nconditions; i++)
        put_alone(&p, i);
}
