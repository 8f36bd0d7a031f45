/* The views --callers and --callees: the pairs of caller and callee that a
 * function is in, with the share that each has in its time. */
#include "analyze/columns.h"
#include "analyze/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_LIMIT = 20, NAME_LEAST = 32 };

/* A function, or one that called it or was called by it. */
struct line {
    enum { FUNCTION, CALLER, CALLEE, HIDDEN } what;
    const struct pt_profile_row *row; /* of a function */
    const struct pt_profile_edge *edge;
    uint64_t whole; /* ns, of which this has a share */
    size_t hidden;  /* callers or callees that are not shown */
};

struct lines {
    const struct pt_profile *profile;
    struct line *lines;
    size_t n;
};

/* The edges, by the function that they are looked up for. */
struct edges {
    const struct pt_profile *profile;
    uint32_t *by_callee, *by_caller;
    size_t n;
};

/* --- edges ---------------------------------------------------------------- */

static int
compare(const struct pt_profile_edge *a, const struct pt_profile_edge *b,
        uint32_t x, uint32_t y)
{
    if (x != y)
        return x < y ? -1 : 1;
    if (a->inclusive != b->inclusive)
        return a->inclusive > b->inclusive ? -1 : 1;
    if (a->calls != b->calls)
        return a->calls > b->calls ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int
by_callee(const void *x, const void *y, void *with)
{
    const struct pt_profile_edge *edges = with;
    const struct pt_profile_edge *a = &edges[*(const uint32_t *)x];
    const struct pt_profile_edge *b = &edges[*(const uint32_t *)y];
    return compare(a, b, a->callee, b->callee);
}

static int
by_caller(const void *x, const void *y, void *with)
{
    const struct pt_profile_edge *edges = with;
    const struct pt_profile_edge *a = &edges[*(const uint32_t *)x];
    const struct pt_profile_edge *b = &edges[*(const uint32_t *)y];
    return compare(a, b, a->caller, b->caller);
}

static enum pt_status
sort_edges(const struct pt_profile *p, struct edges *e)
{
    *e = (struct edges){.profile = p};
    e->by_callee = calloc(p->nedges + 1, sizeof *e->by_callee);
    e->by_caller = calloc(p->nedges + 1, sizeof *e->by_caller);
    if (!e->by_callee || !e->by_caller)
        return PT_ENOMEM;
    for (uint32_t i = 1; i < p->nedges; i++)
        if (p->edges[i].calls || p->edges[i].inclusive)
            e->by_callee[e->n] = e->by_caller[e->n] = i, e->n++;
    qsort_r(e->by_callee, e->n, sizeof *e->by_callee, by_callee, p->edges);
    qsort_r(e->by_caller, e->n, sizeof *e->by_caller, by_caller, p->edges);
    return PT_OK;
}

static void
clear_edges(struct edges *e)
{
    free(e->by_callee);
    free(e->by_caller);
}

/* The edges of function `fn`: those that lead to it, or from it. */
static const uint32_t *
edges_of(const struct edges *e, uint32_t fn, bool callers, size_t *n)
{
    const uint32_t *sorted = callers ? e->by_callee : e->by_caller;
    size_t low = 0, high = e->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct pt_profile_edge *edge = &e->profile->edges[sorted[mid]];
        if ((callers ? edge->callee : edge->caller) < fn)
            low = mid + 1;
        else
            high = mid;
    }
    for (*n = 0; low + *n < e->n; ++*n) {
        const struct pt_profile_edge *edge =
            &e->profile->edges[sorted[low + *n]];
        if ((callers ? edge->callee : edge->caller) != fn)
            break;
    }
    return sorted + low;
}

/* --- text ----------------------------------------------------------------- */

enum { CALLS, SHARE, INCLUSIVE, EXCLUSIVE, PERCALL, COLUMNS };

static const struct pt_heading columns[COLUMNS] = {{"calls", 0},
                                                   {"%", 0},
                                                   {"inclusive", 0},
                                                   {"exclusive", 1},
                                                   {"per call", 2}};

static const char *
cell(const void *table, size_t row, unsigned column, char *buffer)
{
    const struct line *l = &((const struct lines *)table)->lines[row];
    struct pt_profile_edge e = {0};
    if (l->what == HIDDEN)
        return "";
    if (l->edge)
        e = *l->edge;
    else
        e = (struct pt_profile_edge){.calls = l->row->fn->calls,
                                     .primitive = l->row->fn->primitive,
                                     .inclusive = l->row->fn->inclusive,
                                     .exclusive = l->row->fn->exclusive};
    switch (column) {
    case CALLS:
        return pt_profile_calls(e.calls, e.primitive, buffer);
    case SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
                 l->whole ? 100.0 * (double)e.inclusive / (double)l->whole
                          : 0.0);
        return buffer;
    case INCLUSIVE:
        return pt_text_duration((int64_t)e.inclusive, buffer);
    case EXCLUSIVE:
        return pt_text_duration((int64_t)e.exclusive, buffer);
    default:
        if (e.primitive == 0)
            return "-";
        return pt_text_duration((int64_t)(e.inclusive / e.primitive), buffer);
    }
}

/* Appends the callers or callees of a row. */
static void
add_lines(struct lines *l, const struct edges *e,
          const struct pt_profile_row *row, bool callers, size_t most)
{
    size_t n;
    const uint32_t *at = edges_of(e, row->index, callers, &n);
    for (size_t i = 0; i < n && i < most; i++)
        l->lines[l->n++] = (struct line){.what = callers ? CALLER : CALLEE,
                                         .edge = &e->profile->edges[at[i]],
                                         .whole = row->fn->inclusive};
    if (n > most)
        l->lines[l->n++] = (struct line){.what = HIDDEN, .hidden = n - most};
}

static enum pt_status
put_line(struct pt_session *s, const struct lines *l, const struct line *line,
         unsigned width)
{
    static const char *const arrows[][2] = {{"<- ", "-> "}, {"← ", "→ "}};
    struct pt_profile_row row = {0};
    if (line->what == FUNCTION) {
        pt_profile_put_function(s, line->row, width);
        return PT_OK;
    }
    if (line->what == HIDDEN) {
        pt_out_printf(s->out, "  ... %zu more; --all shows them\n",
                      line->hidden);
        return PT_OK;
    }
    bool caller = line->what == CALLER;
    uint32_t fn = caller ? line->edge->caller : line->edge->callee;
    pt_out_text(s->out, "  ");
    pt_out_text(s->out, arrows[s->out->utf8][!caller]);
    if (fn == 0) {
        pt_out_text(s->out, "(outermost of a thread)\n");
        return PT_OK;
    }
    enum pt_status st = pt_profile_row_name(l->profile, fn, &row);
    if (st == PT_OK)
        pt_profile_put_function(s, &row, width - 5);
    free(row.owned);
    return st;
}

static enum pt_status
text(struct pt_session *s, const struct pt_profile *p,
     const struct pt_profile_rows *rows, const struct edges *e)
{
    const struct pt_profile_config *config = s->config;
    size_t most = config->all ? SIZE_MAX : TEXT_LIMIT;
    /* An edge stands at most twice, below its caller and its callee. */
    struct lines l = {.profile = p};
    l.lines = calloc(2 * e->n + 3 * rows->shown + 1, sizeof *l.lines);
    if (!l.lines)
        return PT_ENOMEM;
    for (size_t i = 0; i < rows->shown; i++) {
        const struct pt_profile_row *row = &rows->rows[i];
        l.lines[l.n++] = (struct line){.row = row, .whole = row->fn->inclusive};
        if (pt_profile_row_matches(p, row, &config->callers))
            add_lines(&l, e, row, true, most);
        if (pt_profile_row_matches(p, row, &config->callees))
            add_lines(&l, e, row, false, most);
    }
    struct pt_columns table = {.columns = columns,
                               .n = COLUMNS,
                               .cell = cell,
                               .table = &l,
                               .rows = l.n};
    pt_columns_measure(&table);
    unsigned width = pt_columns_fit(&table, s->out->width, NAME_LEAST);
    pt_profile_head(s, p, rows);
    pt_columns_head(&table, s->out, pt_profile_what(p));
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < l.n && st == PT_OK; i++) {
        if (i && l.lines[i].what == FUNCTION)
            pt_out_char(s->out, '\n');
        pt_columns_row(&table, s->out, i);
        st = put_line(s, &l, &l.lines[i], width);
    }
    pt_profile_more(s, p, rows);
    free(l.lines);
    return st;
}

/* --- JSON ----------------------------------------------------------------- */

static enum pt_status
json_edges(struct pt_json *j, const struct edges *e, uint32_t function,
           bool callers)
{
    size_t n;
    const uint32_t *at = edges_of(e, function, callers, &n);
    const struct pt_profile *p = e->profile;
    pt_json_key(j, callers ? "callers" : "callees");
    pt_json_open(j, '[');
    for (size_t i = 0; i < n; i++) {
        const struct pt_profile_edge *edge = &p->edges[at[i]];
        uint32_t fn = callers ? edge->caller : edge->callee;
        struct pt_profile_row row = {0};
        enum pt_status st = PT_OK;
        if (fn)
            st = pt_profile_row_name(p, fn, &row);
        if (st != PT_OK)
            return st;
        pt_json_open(j, '{');
        if (fn)
            pt_profile_json_name(j, &row);
        else {
            pt_json_key(j, "name");
            pt_json_null(j);
        }
        pt_json_member_u64(j, "calls", edge->calls);
        pt_json_member_u64(j, "primitive", edge->primitive);
        pt_json_member_u64(j, "exclusive", edge->exclusive);
        pt_json_member_u64(j, "inclusive", edge->inclusive);
        pt_json_close(j, '}');
        free(row.owned);
    }
    pt_json_close(j, ']');
    return PT_OK;
}

static enum pt_status
json(struct pt_session *s, const struct pt_profile *p,
     const struct pt_profile_rows *rows, const struct edges *e)
{
    const struct pt_profile_config *config = s->config;
    struct pt_json j;
    enum pt_status st = PT_OK;
    pt_profile_json_open(&j, s);
    pt_json_key(&j, "functions");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < rows->shown && st == PT_OK; i++) {
        const struct pt_profile_row *row = &rows->rows[i];
        pt_json_open(&j, '{');
        pt_profile_json_row(&j, row);
        if (pt_profile_row_matches(p, row, &config->callers))
            st = json_edges(&j, e, row->index, true);
        if (st == PT_OK && pt_profile_row_matches(p, row, &config->callees))
            st = json_edges(&j, e, row->index, false);
        pt_json_close(&j, '}');
    }
    pt_json_close(&j, ']');
    pt_profile_json_close(&j, s, p, rows);
    return st;
}

/* --- the views ------------------------------------------------------------ */

static enum pt_status
report(struct pt_session *s, const struct pt_profile *p,
       const struct pt_profile_rows *rows)
{
    struct edges edges;
    enum pt_status st = sort_edges(p, &edges);
    if (st == PT_OK)
        st = (pt_session_format(s, "text") ? text : json)(s, p, rows, &edges);
    clear_edges(&edges);
    return st;
}

/* The functions that are shown are those that either option names. */
static enum pt_status
choose(struct pt_profile_config *config)
{
    size_t n = config->callers.n + config->callees.n;
    const char **items = calloc(n, sizeof *items);
    if (!items)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = i < config->callers.n
                       ? config->callers.items[i]
                       : config->callees.items[i - config->callers.n];
    config->filter = (struct pt_text_list){items, n};
    return PT_OK;
}

static enum pt_status
run(struct pt_session *s)
{
    struct pt_profile_config *config = s->config;
    struct pt_profile_options how = {.edges = true};
    enum pt_status st = choose(config);
    return st == PT_OK ? pt_profile_report(s, &how, report) : st;
}

const struct pt_profile_view pt_profile_callers = {
    .option = "callers",
    .takes = "callees|sort|limit|all|min-time|all-calls|by-file|by-module|"
             "compensate",
    .formats = "text|json",
    .run = run,
};
const struct pt_profile_view pt_profile_callees = {
    .option = "callees",
    .takes = "sort|limit|all|min-time|all-calls|by-file|by-module|"
             "compensate",
    .formats = "text|json",
    .run = run,
};
