/* ptana profile --lines: hits and time of each line beside the source. */
#include "analyze/profile_lines.h"

#include <pt/flow.h>

#include <stdlib.h>

enum { TEXT_LIMIT = 10 };

static int
compare_lines(const void *a, const void *b)
{
    const struct pt_heat_line *x = *(const struct pt_heat_line *const *)a;
    const struct pt_heat_line *y = *(const struct pt_heat_line *const *)b;
    if (x->fn != y->fn)
        return x->fn < y->fn ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static enum pt_status
sort_lines(struct pt_profile_lines *out)
{
    const struct pt_heat *c = out->heat->heat;
    out->n = c->nlines;
    out->lines = malloc(((size_t)c->nlines + 1) * sizeof *out->lines);
    if (!out->lines)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < c->nlines; i++)
        out->lines[i] = &c->lines[i];
    qsort(out->lines, out->n, sizeof *out->lines, compare_lines);
    return PT_OK;
}

uint32_t
pt_profile_lines_of(const struct pt_profile_lines *l, uint32_t fn,
                    uint32_t *first)
{
    uint32_t low = 0, high = l->n, end;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (l->lines[mid]->fn < fn)
            low = mid + 1;
        else
            high = mid;
    }
    for (end = low; end < l->n && l->lines[end]->fn == fn; end++)
        ;
    *first = low;
    return end - low;
}

/* Where the trace tells of lines; PT_EUSAGE where it does not. */
static enum pt_status
find_source_of(struct pt_session *s, enum pt_heat_source *out)
{
    const struct pt_header *h = pt_trace_header(s->trace);
    const char *lacks = pt_flow_lacks(s->trace);
    bool told = pt_trace_told(s->trace) >> PT_LINE & 1,
         timed = h->stamped >> PT_LINE & 1;
    *out = told && (timed || lacks) ? PT_HEAT_OF_LINES : PT_HEAT_OF_FLOW;
    return lacks && !told
               ? pt_session_fail(s, PT_EUSAGE,
                                 "%s has no lines: %s; --preset=lines "
                                 "records them with their times, the "
                                 "default, flow, at less cost",
                                 pt_trace_path(s->trace), lacks)
               : PT_OK;
}

static enum pt_status
report(struct pt_session *s, const struct pt_profile_heat *heat)
{
    const struct pt_profile_config *config = s->config;
    struct pt_profile_lines lines = {.heat = heat};
    bool text = pt_session_format(s, "text");
    enum pt_status st = pt_profile_rows_make(s, heat->functions, &lines.rows);
    if (st != PT_OK)
        return st;
    lines.rows.total += heat->heat->native;
    if (text && !config->limit && !config->all && lines.rows.n > TEXT_LIMIT)
        lines.rows.shown = TEXT_LIMIT;
    st = sort_lines(&lines);
    if (st == PT_OK)
        st = text ? pt_profile_lines_text(s, &lines)
                  : pt_profile_lines_json(s, &lines);
    pt_profile_rows_clear(&lines.rows);
    free(lines.lines);
    return st;
}

static enum pt_status
run(struct pt_session *s)
{
    enum pt_heat_source source;
    struct pt_profile_heat heat;
    enum pt_status st =
        pt_profile_heat_sort(s, "exclusive|inclusive|calls|name|file", "lines");
    if (st == PT_OK)
        st = find_source_of(s, &source);
    if (st == PT_OK)
        st = pt_profile_heat_measure(s, source, false, &heat);
    if (st != PT_OK)
        return st;
    st = report(s, &heat);
    pt_profile_heat_clear(&heat);
    return st;
}

const struct pt_profile_view pt_profile_lines = {
    .option = "lines",
    .takes = "sort|limit|all|filter|all-calls",
    .formats = "text|json",
    .run = run,
};
