/* ptana profile --opcodes: how often each opcode ran, for how long, and which
 * follows which. */
#include "analyze/columns.h"
#include "analyze/names.h"
#include "analyze/profile_heat.h"

#include <pt/flow.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 40, TEXT_PAIRS = 20 };

/* An opcode, or, where `next` is given, a pair. */
struct opcode {
    struct pt_str name, next;
    uint64_t ran, time;
    bool exact;
};

struct opcodes {
    struct opcode *rows;
    size_t n, shown;
    uint64_t ran, time; /* of all */
};

struct report {
    struct opcodes alone, pairs;
    const char *sort;
};

static const struct pt_str none = {"", 0};

static struct pt_str
name_of(const struct pt_interpreter *python, unsigned opcode)
{
    static const char *const unknown = "?";
    struct pt_str name = python ? python->opcodes[opcode].name : none;
    return name.len ? name : (struct pt_str){unknown, 1};
}

/* --- rows ----------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
    const struct opcode *x = a, *y = b;
    int c = pt_name_compare(x->name, y->name);
    return c ? c : pt_name_compare(x->next, y->next);
}

static int
compare_rows(const void *a, const void *b, void *key)
{
    const struct opcode *x = a, *y = b;
    const char *by = key;
    if (by[0] == 'e' && x->time != y->time)
        return x->time > y->time ? -1 : 1;
    if (by[0] != 'n' && x->ran != y->ran)
        return x->ran > y->ran ? -1 : 1;
    return compare_names(a, b);
}

/* Interpreters of different versions number the same opcode differently. */
static void
join(struct opcodes *o)
{
    size_t kept = 0;
    if (o->n)
        qsort(o->rows, o->n, sizeof *o->rows, compare_names);
    for (size_t i = 0; i < o->n; i++) {
        if (kept && compare_names(&o->rows[kept - 1], &o->rows[i]) == 0) {
            o->rows[kept - 1].ran += o->rows[i].ran;
            o->rows[kept - 1].time += o->rows[i].time;
            o->rows[kept - 1].exact &= o->rows[i].exact;
        } else
            o->rows[kept++] = o->rows[i];
    }
    o->n = kept;
    for (size_t i = 0; i < kept; i++) {
        o->ran += o->rows[i].ran;
        o->time += o->rows[i].time;
    }
}

static enum pt_status
count_alone(const struct pt_session *s, const struct pt_heat *c,
            struct opcodes *out)
{
    uint32_t n = pt_trace_interpreter_count(s->trace) + 1;
    bool exact = pt_trace_header(s->trace)->stamped >> PT_INSTRUCTION & 1;
    out->rows = calloc((size_t)n * PT_HEAT_OPCODES, sizeof *out->rows);
    if (!out->rows)
        return PT_ENOMEM;
    for (uint32_t id = 0; id < n; id++)
        for (unsigned op = 0; op < PT_HEAT_OPCODES; op++)
            out->rows[id * PT_HEAT_OPCODES + op] = (struct opcode){
                .name = name_of(pt_trace_interpreter(s->trace, id), op),
                .exact = exact};
    for (uint32_t i = 0; i < c->ncodes; i++) {
        const struct pt_heat_code *code = c->codes[i];
        const struct pt_code *def = pt_trace_code(s->trace, i);
        uint32_t id = def && def->interpreter < n ? def->interpreter : 0;
        for (uint32_t k = 0; code && code->graph && k < code->graph->n; k++) {
            unsigned op = code->graph->ins[k].opcode;
            out->rows[id * PT_HEAT_OPCODES + op].ran += code->ins[k].ran;
            out->rows[id * PT_HEAT_OPCODES + op].time += code->ins[k].time;
        }
    }
    for (size_t i = 0; i < (size_t)n * PT_HEAT_OPCODES; i++)
        if (out->rows[i].ran || out->rows[i].time)
            out->rows[out->n++] = out->rows[i];
    join(out);
    return PT_OK;
}

static enum pt_status
count_pairs(const struct pt_session *s, const struct pt_heat *c,
            struct opcodes *out)
{
    uint32_t ids = pt_trace_interpreter_count(s->trace) + 1;
    size_t most = 1;
    for (uint32_t id = 0; id < ids; id++)
        for (size_t i = 0; c->pairs[id] && i < PT_HEAT_PAIRS; i++)
            most += c->pairs[id][i] != 0;
    out->rows = calloc(most, sizeof *out->rows);
    if (!out->rows)
        return PT_ENOMEM;
    for (uint32_t id = 0; id < ids; id++) {
        const struct pt_interpreter *python =
            pt_trace_interpreter(s->trace, id);
        for (unsigned i = 0; c->pairs[id] && i < PT_HEAT_PAIRS; i++)
            if (c->pairs[id][i])
                out->rows[out->n++] = (struct opcode){
                    .name = name_of(python, i / PT_HEAT_OPCODES),
                    .next = name_of(python, i % PT_HEAT_OPCODES),
                    .ran = c->pairs[id][i]};
    }
    join(out);
    return PT_OK;
}

static void
choose(struct opcodes *o, const char *key, uint64_t limit)
{
    if (o->n)
        qsort_r(o->rows, o->n, sizeof *o->rows, compare_rows,
                (char *)(uintptr_t)key);
    o->shown = limit && limit < o->n ? limit : o->n;
}

/* --- text ----------------------------------------------------------------- */

enum column { EXECUTIONS, SHARE, TIME, TIME_SHARE, EACH, COLUMNS };

static const struct pt_heading columns[COLUMNS] = {
    {"executions", 0}, {"%", 0}, {"time", 0}, {"%", 0}, {"each", 1}};

static const char *
cell(const void *table, size_t row, unsigned column, char *buffer)
{
    const struct opcodes *all = table;
    const struct opcode *o = &all->rows[row];
    buffer[0] = 0;
    switch ((enum column)column) {
    case EXECUTIONS:
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64, o->ran);
        break;
    case SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
                 all->ran ? 100.0 * (double)o->ran / (double)all->ran : 0.0);
        break;
    case TIME:
        return pt_profile_heat_text(o->time, o->exact, buffer);
    case TIME_SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
                 all->time ? 100.0 * (double)o->time / (double)all->time : 0.0);
        break;
    case EACH:
        if (o->ran)
            return pt_profile_heat_text(o->time / o->ran, o->exact, buffer);
        break;
    case COLUMNS:
        break;
    }
    return buffer;
}

static void
put_table(struct pt_session *s, const struct opcodes *o, unsigned n,
          const char *title)
{
    struct pt_columns table = {
        .columns = columns, .n = n, .cell = cell, .table = o, .rows = o->shown};
    char text[PT_NAME_TEXT];
    pt_columns_measure(&table);
    unsigned width = pt_columns_fit(&table, s->out->width, 0);
    pt_columns_head(&table, s->out, title);
    for (size_t i = 0; i < o->shown; i++) {
        pt_columns_row(&table, s->out, i);
        size_t used = pt_text_escape(o->rows[i].name, text, sizeof text / 2);
        if (o->rows[i].next.len) {
            used += (size_t)snprintf(text + used, sizeof text - used, " -> ");
            pt_text_escape(o->rows[i].next, text + used, sizeof text - used);
        }
        if (s->out->fit)
            pt_text_shorten(text, width);
        pt_out_text(s->out, text);
        pt_out_char(s->out, '\n');
    }
    if (o->shown < o->n)
        pt_out_printf(s->out, "%zu more; --all shows them\n", o->n - o->shown);
}

static void
put_text(struct pt_session *s, const struct report *r,
         const struct pt_profile *p, const struct pt_profile_rows *extent)
{
    pt_profile_head(s, p, extent);
    put_table(s, &r->alone, COLUMNS, "opcode");
    pt_out_char(s->out, '\n');
    put_table(s, &r->pairs, TIME, "opcode -> the one that ran next");
}

/* --- JSON ----------------------------------------------------------------- */

static void
put_json(struct pt_session *s, const struct report *r,
         const struct pt_profile *p, const struct pt_profile_rows *extent)
{
    struct pt_json j;
    pt_profile_json_open(&j, s);
    pt_json_key(&j, "opcodes");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < r->alone.shown; i++) {
        const struct opcode *o = &r->alone.rows[i];
        pt_json_open(&j, '{');
        pt_json_member_str(&j, "name", o->name);
        pt_json_member_u64(&j, "executions", o->ran);
        pt_json_member_u64(&j, "time", pt_profile_heat_ns(o->time));
        pt_json_member_bool(&j, "exact", o->exact);
        pt_json_close(&j, '}');
    }
    pt_json_close(&j, ']');
    pt_json_key(&j, "pairs");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < r->pairs.shown; i++) {
        const struct opcode *o = &r->pairs.rows[i];
        pt_json_open(&j, '{');
        pt_json_member_str(&j, "first", o->name);
        pt_json_member_str(&j, "second", o->next);
        pt_json_member_u64(&j, "executions", o->ran);
        pt_json_close(&j, '}');
    }
    pt_json_close(&j, ']');
    pt_profile_json_close(&j, s, p, extent);
}

/* --- the view ------------------------------------------------------------- */

static enum pt_status
report(struct pt_session *s, const struct pt_profile_heat *heat)
{
    const struct pt_profile_config *config = s->config;
    bool text = pt_session_format(s, "text");
    struct report r = {.sort = config->sort ? config->sort : "exclusive"};
    struct pt_profile_rows extent;
    enum pt_status st = pt_profile_rows_make(s, heat->functions, &extent);
    if (st != PT_OK)
        return st;
    extent.total += heat->heat->native;
    st = count_alone(s, heat->heat, &r.alone);
    if (st == PT_OK)
        st = count_pairs(s, heat->heat, &r.pairs);
    if (st == PT_OK) {
        bool all = config->all || (!text && !config->limit);
        uint64_t limit = config->limit;
        choose(&r.alone, r.sort, all ? 0 : limit ? limit : TEXT_LIMIT);
        choose(&r.pairs, r.sort[0] == 'n' ? "name" : "calls",
               all     ? 0
               : limit ? limit
                       : TEXT_PAIRS);
        if (text)
            put_text(s, &r, heat->functions, &extent);
        else
            put_json(s, &r, heat->functions, &extent);
    }
    pt_profile_rows_clear(&extent);
    free(r.alone.rows);
    free(r.pairs.rows);
    return st;
}

/* Where the trace tells of instructions; PT_EUSAGE where it does not. */
static enum pt_status
find_source_of(struct pt_session *s, enum pt_heat_source *out)
{
    const struct pt_header *h = pt_trace_header(s->trace);
    const char *lacks = pt_flow_lacks(s->trace);
    bool told = h->events >> PT_INSTRUCTION & 1;
    bool timed = h->stamped >> PT_INSTRUCTION & 1;
    *out = told && (timed || lacks) ? PT_HEAT_OF_INSTRUCTIONS : PT_HEAT_OF_FLOW;
    return lacks && !told
               ? pt_session_fail(s, PT_EUSAGE,
                                 "%s has no instructions: %s; "
                                 "--preset=instructions records them with "
                                 "their times, the default, flow, at less "
                                 "cost",
                                 pt_trace_path(s->trace), lacks)
               : PT_OK;
}

static enum pt_status
run(struct pt_session *s)
{
    enum pt_heat_source source;
    struct pt_profile_heat heat;
    enum pt_status st =
        pt_profile_heat_sort(s, "exclusive|calls|name", "opcodes");
    if (st == PT_OK)
        st = find_source_of(s, &source);
    if (st == PT_OK)
        st = pt_profile_heat_measure(s, source, true, &heat);
    if (st != PT_OK)
        return st;
    st = report(s, &heat);
    pt_profile_heat_clear(&heat);
    return st;
}

const struct pt_profile_view pt_profile_opcodes = {
    .option = "opcodes",
    .takes = "sort|limit|all|filter|all-calls",
    .formats = "text|json",
    .run = run,
};
