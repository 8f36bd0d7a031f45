/* Line tables, decoded: the place of each code unit. */
#include "format/linetable.h"

#include <pt/replay.h>

#include <stdlib.h>

struct pt_lines {
    uint32_t units;
    uint32_t nplaces;
    struct pt_position *places; /* [0] is "unknown" */
    uint32_t *unit;             /* code unit to index into places */
};

enum pt_status
pt_lines_new(const struct pt_code *code, struct pt_lines **out)
{
    struct pt_lines *l = calloc(1, sizeof *l);
    size_t units = code->bytecode.len / 2;
    if (!l)
        return PT_ENOMEM;
    if (units > UINT32_MAX)
        units = UINT32_MAX;
    l->units = (uint32_t)units;
    /* An entry takes at least a byte and covers at least a unit. */
    size_t most = code->linetable.len < units ? code->linetable.len : units;
    l->places = calloc(most + 1, sizeof *l->places);
    l->unit = calloc(units + 1, sizeof *l->unit);
    if (!l->places || !l->unit) {
        pt_lines_free(l);
        return PT_ENOMEM;
    }
    l->places[0] = (struct pt_position){0, 0, -1, -1};
    l->nplaces = 1;
    struct pt_linetable table =
        pt_linetable_over(code->linetable, code->firstline);
    struct pt_location at;
    uint32_t unit = 0;
    while (unit < l->units && pt_linetable_next(&table, &at)) {
        l->places[l->nplaces] = (struct pt_position){at.line, at.end_line,
                                                     at.column, at.end_column};
        for (unsigned n = at.units; n && unit < l->units; n--)
            l->unit[unit++] = l->nplaces;
        l->nplaces++;
    }
    *out = l;
    return PT_OK;
}

void
pt_lines_free(struct pt_lines *l)
{
    if (!l)
        return;
    free(l->places);
    free(l->unit);
    free(l);
}

struct pt_position
pt_lines_at(const struct pt_lines *l, uint32_t off)
{
    return l->places[off / 2 < l->units ? l->unit[off / 2] : 0];
}

/* --- all code objects of a trace ------------------------------------------ */

struct pt_line_cache {
    const struct pt_trace *trace;
    uint32_t count;
    enum pt_status status;
    struct pt_lines **lines;
};

enum pt_status
pt_line_cache_new(const struct pt_trace *trace, struct pt_line_cache **out)
{
    struct pt_line_cache *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->trace = trace;
    c->count = pt_trace_code_count(trace);
    c->lines = calloc((size_t)c->count + 1, sizeof *c->lines);
    if (!c->lines) {
        free(c);
        return PT_ENOMEM;
    }
    *out = c;
    return PT_OK;
}

void
pt_line_cache_free(struct pt_line_cache *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i <= c->count; i++)
        pt_lines_free(c->lines[i]);
    free(c->lines);
    free(c);
}

uint32_t
pt_line_cache_at(struct pt_line_cache *c, uint32_t id, uint32_t off)
{
    if (id == 0 || id > c->count || off == UINT32_MAX)
        return 0;
    if (!c->lines[id]) {
        const struct pt_code *code = pt_trace_code(c->trace, id);
        enum pt_status st =
            code ? pt_lines_new(code, &c->lines[id]) : PT_ENOTFOUND;
        if (st == PT_ENOMEM)
            c->status = st;
        if (st != PT_OK)
            return 0;
    }
    return pt_lines_at(c->lines[id], off).line;
}

enum pt_status
pt_line_cache_status(const struct pt_line_cache *c)
{
    return c->status;
}

uint32_t
pt_line_cache_first(struct pt_line_cache *c, uint32_t id)
{
    const struct pt_code *code = pt_trace_code(c->trace, id);
    return code ? code->firstline : 0;
}
