/* Heat: what is counted of a code object, and the lines of a function. */
#include "analyze/heat_state.h"
#include "analyze/profile_state.h"

#include <stdlib.h>

enum { SLOTS_LEAST = 256 };

/* --- lines ---------------------------------------------------------------- */

static size_t
slot_of(const struct pt_heat *c, uint32_t fn, uint32_t line)
{
    const struct pt_heat_state *s = c->state;
    uint64_t hash = ((uint64_t)fn << 32 | line) * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = hash >> 20 & (s->nslots - 1);
    while (s->slots[i] && (c->lines[s->slots[i] - 1].fn != fn ||
                           c->lines[s->slots[i] - 1].line != line))
        i = (i + 1) & (s->nslots - 1);
    return i;
}

static enum pt_status
grow_slots(struct pt_heat *c)
{
    struct pt_heat_state *s = c->state;
    size_t size = s->nslots ? 2 * s->nslots : SLOTS_LEAST;
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return PT_ENOMEM;
    free(s->slots);
    s->slots = slots;
    s->nslots = size;
    for (uint32_t i = 0; i < c->nlines; i++)
        slots[slot_of(c, c->lines[i].fn, c->lines[i].line)] = i + 1;
    return PT_OK;
}

enum pt_status
pt_heat_line_find(struct pt_heat *c, uint32_t fn, uint32_t line, uint32_t *out)
{
    struct pt_heat_state *s = c->state;
    enum pt_status st = PT_OK;
    if (2 * ((size_t)c->nlines + 1) > s->nslots)
        st = grow_slots(c);
    if (st != PT_OK)
        return st;
    size_t slot = slot_of(c, fn, line);
    if (s->slots[slot]) {
        *out = s->slots[slot] - 1;
        return PT_OK;
    }
    if (c->nlines == s->lines_capacity) {
        uint32_t capacity = c->nlines ? 2 * c->nlines : SLOTS_LEAST;
        struct pt_heat_line *lines =
            realloc(c->lines, capacity * sizeof *lines);
        if (!lines)
            return PT_ENOMEM;
        c->lines = lines;
        s->lines_capacity = capacity;
    }
    *out = c->nlines;
    c->lines[c->nlines] = (struct pt_heat_line){.fn = fn, .line = line};
    s->slots[slot] = ++c->nlines;
    return PT_OK;
}

/* --- code objects --------------------------------------------------------- */

static enum pt_status
make_instructions(struct pt_heat *c, struct pt_heat_code *code)
{
    const struct pt_graph *g = code->graph;
    enum pt_status st = PT_OK;
    code->ins = calloc(g->n + (size_t)1, sizeof *code->ins);
    if (!code->ins)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < g->n && st == PT_OK; i++) {
        if (i > 0 && g->ins[i].line == g->ins[i - 1].line)
            code->ins[i].line = code->ins[i - 1].line;
        else
            st = pt_heat_line_find(c, code->fn, g->ins[i].line,
                                   &code->ins[i].line);
    }
    for (uint32_t i = g->n; i-- > 0;)
        code->ins[i].until =
            i + 1 < g->n && code->ins[i + 1].line == code->ins[i].line
                ? code->ins[i + 1].until
                : i;
    return st;
}

static int
compare_places(const void *a, const void *b)
{
    const struct pt_heat_place *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

static enum pt_status
make_places(struct pt_heat_code *code)
{
    uint32_t n = code->graph->n, kept = 0;
    struct pt_heat_place *places = calloc(n + (size_t)1, sizeof *places);
    if (!places)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        places[i] =
            (struct pt_heat_place){code->graph->ins[i].line, code->ins[i].line};
    qsort(places, n, sizeof *places, compare_places);
    for (uint32_t i = 0; i < n; i++)
        if (places[i].line &&
            (!kept || places[kept - 1].line != places[i].line))
            places[kept++] = places[i];
    code->places = places;
    code->nplaces = kept;
    return PT_OK;
}

uint32_t
pt_heat_place_of(const struct pt_heat_code *code, uint32_t line)
{
    uint32_t low = 0, high = code->nplaces;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (code->places[mid].line < line)
            low = mid + 1;
        else
            high = mid;
    }
    return low < code->nplaces && code->places[low].line == line
               ? code->places[low].index
               : code->unknown;
}

static void
free_code(struct pt_heat_code *code)
{
    if (!code)
        return;
    free(code->ins);
    free(code->places);
    free(code);
}

static enum pt_status
make_code(struct pt_heat *c, uint32_t id, uint32_t fn,
          struct pt_heat_code **out)
{
    const struct pt_heat_options *how = &c->plan->options;
    struct pt_heat_code *code = calloc(1, sizeof *code);
    if (!code)
        return PT_ENOMEM;
    code->fn = c->plan->owner[fn];
    code->picked = !how->picked || how->picked[fn] || how->picked[code->fn];
    code->graph = pt_graph_cache_at(c->state->graphs, id);
    enum pt_status st =
        code->graph ? PT_OK : pt_graph_cache_status(c->state->graphs);
    if (st == PT_OK)
        st = pt_heat_line_find(c, code->fn, 0, &code->unknown);
    if (st == PT_OK && code->graph)
        st = make_instructions(c, code);
    if (st == PT_OK && code->graph && how->source == PT_HEAT_OF_LINES)
        st = make_places(code);
    if (st != PT_OK) {
        free_code(code);
        return st;
    }
    const struct pt_code *def = pt_trace_code(c->plan->functions->trace, id);
    code->first = pt_heat_place_of(code, def ? def->firstline : 0);
    code->yielded = code->unknown;
    *out = code;
    return PT_OK;
}

enum pt_status
pt_heat_code_of(struct pt_heat *c, uint32_t id, struct pt_heat_code **out)
{
    const struct pt_profile_state *p = c->plan->functions->state;
    uint32_t known = id < c->ncodes ? id : 0;
    enum pt_status st = PT_OK;
    if (!c->codes[known])
        st = make_code(c, known, p->code_fn[known], &c->codes[known]);
    if (st == PT_OK)
        *out = c->codes[known];
    return st;
}

uint64_t *
pt_heat_pairs_of(struct pt_heat *c, const struct pt_heat_code *code)
{
    const struct pt_trace *trace = c->plan->functions->trace;
    const struct pt_code *def = pt_trace_code(trace, code->graph->code);
    uint32_t id = def ? def->interpreter : 0;
    if (id > pt_trace_interpreter_count(trace))
        id = 0;
    if (!c->pairs[id])
        c->pairs[id] = calloc(PT_HEAT_PAIRS, sizeof **c->pairs);
    return c->pairs[id];
}

/* --- all of it ------------------------------------------------------------ */

static enum pt_status
make_state(struct pt_heat *c)
{
    const struct pt_profile *p = c->plan->functions;
    const struct pt_heat_options *how = &c->plan->options;
    struct pt_heat_state *s = c->state;
    uint32_t interpreters = pt_trace_interpreter_count(p->trace);
    c->ncodes = p->state->ncodes;
    c->codes = calloc(c->ncodes, sizeof *c->codes);
    c->functions = calloc(p->nfunctions, sizeof *c->functions);
    c->pairs = calloc((size_t)interpreters + 1, sizeof *c->pairs);
    if (!c->codes || !c->functions || !c->pairs)
        return PT_ENOMEM;
    enum pt_status st = pt_graph_cache_new(p->trace, &s->graphs);
    if (st == PT_OK && how->source == PT_HEAT_OF_FLOW)
        st = pt_walk_new(s->graphs, &s->walk);
    if (st == PT_OK && how->source == PT_HEAT_OF_LINES) {
        s->resumed = calloc(PT_HEAT_RESUMED, sizeof *s->resumed);
        st = s->resumed ? PT_OK : PT_ENOMEM;
    }
    return st;
}

enum pt_status
pt_heat_new(const struct pt_heat_plan *plan, struct pt_heat **out)
{
    struct pt_heat *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->plan = plan;
    c->state = calloc(1, sizeof *c->state);
    enum pt_status st = c->state ? make_state(c) : PT_ENOMEM;
    if (st != PT_OK) {
        pt_heat_free(c);
        return st;
    }
    *out = c;
    return PT_OK;
}

static void
free_state(struct pt_heat_state *s)
{
    if (!s)
        return;
    pt_walk_free(s->walk);
    pt_graph_cache_free(s->graphs);
    free(s->frames);
    free(s->runs);
    free(s->slots);
    free(s->resumed);
    free(s);
}

void
pt_heat_free(struct pt_heat *c)
{
    if (!c)
        return;
    uint32_t interpreters =
        pt_trace_interpreter_count(c->plan->functions->trace);
    for (uint32_t i = 0; c->codes && i < c->ncodes; i++)
        free_code(c->codes[i]);
    for (uint32_t i = 0; c->pairs && i <= interpreters; i++)
        free(c->pairs[i]);
    free_state(c->state);
    free(c->codes);
    free(c->pairs);
    free(c->lines);
    free(c->functions);
    free(c);
}
