/* The values of value events: read, and written by the one printer there is. */
#include "analyze/dump.h"
#include "analyze/names.h"
#include "analyze/value_text.h"

#include <pt/values.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct pt_dump_values {
    const struct pt_trace *trace;
    struct pt_values *values;
    struct pt_growing text;
};

enum pt_status
pt_dump_values_new(const struct pt_trace *trace, struct pt_dump_values **out)
{
    struct pt_dump_values *d = calloc(1, sizeof *d);
    if (!d)
        return PT_ENOMEM;
    d->trace = trace;
    enum pt_status st = pt_values_new(trace, &d->values);
    if (st == PT_OK)
        *out = d;
    else
        free(d);
    return st;
}

void
pt_dump_values_free(struct pt_dump_values *d)
{
    if (!d)
        return;
    pt_values_free(d->values);
    pt_growing_free(&d->text);
    free(d);
}

enum pt_status
pt_dump_values_at(struct pt_dump_values *d, const struct pt_merged *m,
                  size_t width, struct pt_dump_value *out)
{
    struct pt_recorded *r;
    enum pt_status st = pt_values_get(d->values, m->seq, &r);
    if (st != PT_OK)
        return st == PT_ENOTFOUND ? PT_EDAMAGED : st;
    d->text.used = 0;
    pt_value_line(&d->text, d->trace, &r->value, width);
    *out = (struct pt_dump_value){
        .text = pt_growing_whole(&d->text),
        .name = pt_name_variable(
            d->trace, m->step.framed ? m->step.frame.id : 0, r->role, r->index),
        .role = r->role,
        .index = r->index,
        .told = r->told,
        .known = r->value.kind != PT_VALUE_LOST};
    pt_recorded_free(r);
    return d->text.failed ? PT_ENOMEM : PT_OK;
}

/* x = 1; argument 0 = 1; result = 1 */
void
pt_dump_value_text(const struct pt_dump_value *v, char *text)
{
    const size_t most = PT_DUMP_TEXT - 4;
    size_t used;
    if (v->name.len)
        used = pt_text_escape(v->name, text, most / 2);
    else if (v->role < PT_ROLE_RESULT)
        used = (size_t)snprintf(text, most / 2, "%s %" PRIu32,
                                pt_name_role(v->role), v->index);
    else
        used = (size_t)snprintf(text, most / 2, "%s", pt_name_role(v->role));
    used += (size_t)snprintf(text + used, most - used, " = ");
    used += pt_text_escape(v->text, text + used, most - used);
    snprintf(text + used, PT_DUMP_TEXT - used, "  ");
}
