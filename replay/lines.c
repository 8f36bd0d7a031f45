/* Line tables: co_linetable of CPython 3.11 and later (its
 * Objects/locations.md).  An entry's first byte is
 *
 *   1 c c c c l l l      c: form, l: code units - 1
 *
 * and varints are 6 bits a byte, low first, bit 6 set on all but the last. */
#include <pt/replay.h>

#include <stdlib.h>

enum {
    FORM_ONE_LINE = 10,
    FORM_NO_COLUMNS = 13,
    FORM_LONG = 14,
    FORM_NONE = 15
};

struct pt_lines {
    uint32_t units;
    uint32_t nplaces;
    struct pt_position *places; /* [0] is "unknown" */
    uint32_t *unit;             /* code unit to index into places */
};

struct input {
    const uint8_t *p, *end;
};

static bool
take_byte(struct input *in, uint8_t *out)
{
    if (in->p == in->end)
        return false;
    *out = *in->p++;
    return true;
}

static bool
take_varint(struct input *in, uint32_t *out)
{
    uint32_t value = 0;
    unsigned shift = 0;
    uint8_t b;
    do {
        if (shift > 30 || !take_byte(in, &b))
            return false;
        value |= (uint32_t)(b & 63) << shift;
        shift += 6;
    } while (b & 64);
    *out = value;
    return true;
}

static bool
take_signed(struct input *in, int64_t *out)
{
    uint32_t value;
    if (!take_varint(in, &value))
        return false;
    *out = value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
    return true;
}

/* Reads the rest of an entry of the given form; *line is the running line. */
static bool
take_place(struct input *in, unsigned form, int64_t *line,
           struct pt_position *at)
{
    int64_t delta = 0;
    uint32_t end_delta = 0, column = 0, end_column = 0;
    uint8_t b, c;
    if (form == FORM_NONE) {
        *at = (struct pt_position){0, 0, -1, -1};
        return true;
    }
    if (form >= FORM_NO_COLUMNS) {
        if (!take_signed(in, &delta))
            return false;
        if (form == FORM_LONG &&
            !(take_varint(in, &end_delta) && take_varint(in, &column) &&
              take_varint(in, &end_column)))
            return false;
    } else if (form >= FORM_ONE_LINE) {
        if (!take_byte(in, &b) || !take_byte(in, &c))
            return false;
        delta = form - FORM_ONE_LINE;
        column = b + 1u;
        end_column = c + 1u;
    } else {
        if (!take_byte(in, &b))
            return false;
        column = (form << 3 | b >> 4) + 1u;
        end_column = column + (b & 15);
    }
    *line += delta;
    if (*line < 0 || *line + end_delta > INT32_MAX || column > INT32_MAX ||
        end_column > INT32_MAX)
        return false;
    *at = (struct pt_position){(uint32_t)*line, (uint32_t)*line + end_delta,
                               (int32_t)column - 1, (int32_t)end_column - 1};
    return true;
}

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
    const uint8_t *data = (const uint8_t *)code->linetable.data;
    struct input in = {data, data ? data + code->linetable.len : data};
    int64_t line = code->firstline;
    uint32_t unit = 0;
    uint8_t first;
    while (unit < l->units && take_byte(&in, &first)) {
        struct pt_position *at = &l->places[l->nplaces];
        if (!(first & 128) || !take_place(&in, first >> 3 & 15, &line, at))
            break;
        for (unsigned n = (first & 7) + 1u; n && unit < l->units; n--)
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
        if (!code || pt_lines_new(code, &c->lines[id]) != PT_OK)
            return 0;
    }
    return pt_lines_at(c->lines[id], off).line;
}

uint32_t
pt_line_cache_first(struct pt_line_cache *c, uint32_t id)
{
    const struct pt_code *code = pt_trace_code(c->trace, id);
    return code ? code->firstline : 0;
}
