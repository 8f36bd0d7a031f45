/* The view --threads: what each thread did, and in which function most. */
#include "analyze/columns.h"
#include "analyze/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_LIMIT = 40, NAME_LEAST = 48, HEAVIEST_LEAST = 24 };

struct line {
    uint32_t thread;     /* the trace's id */
    uint64_t time, wait; /* ns; of its functions */
    uint64_t calls;
    int64_t first, last; /* ns, of its events; both 0 where it has none */
    uint32_t heaviest;   /* the function that took most by itself, 0 none */
    uint64_t most;       /* ns, of that */
    bool dated;
};

struct lines {
    const struct pt_profile *profile;
    const struct pt_profile_rows *rows;
    struct line *lines; /* those of most time first */
    size_t n, shown;
};

/* A function's time in the thread that is being added up. */
struct own {
    uint32_t root;
    uint64_t ns;
};

/* --- sums ----------------------------------------------------------------- */

/* Adds up the paths below a thread's root. */
static void
sum_paths(const struct pt_calltree *t, uint32_t root, struct own *own,
          struct line *out)
{
    const struct pt_calltree_node *nodes = t->nodes;
    uint32_t i = nodes[root].first;
    while (i) {
        const struct pt_calltree_node *n = &nodes[i];
        out->time += n->exclusive;
        out->wait += n->wait;
        out->calls += n->calls;
        if (n->fn != PT_CALLTREE_MORE) {
            struct own *f = &own[n->fn];
            *f = (struct own){root,
                              n->exclusive + (f->root == root ? f->ns : 0)};
            if (f->ns > out->most) {
                out->most = f->ns;
                out->heaviest = n->fn;
            }
        }
        if (n->first) {
            i = n->first;
            continue;
        }
        while (i != root && nodes[i].next == 0)
            i = nodes[i].parent;
        i = i == root ? 0 : nodes[i].next;
    }
}

/* When each thread's events begin and end, within the range. */
static enum pt_status
date(const struct pt_session *s, struct lines *l)
{
    uint32_t n = pt_trace_thread_count(s->trace) + 1;
    struct line **by_thread = calloc(n, sizeof *by_thread);
    const struct pt_filter *f = s->filter;
    if (!by_thread)
        return PT_ENOMEM;
    for (size_t i = 0; i < l->n; i++)
        if (l->lines[i].thread < n)
            by_thread[l->lines[i].thread] = &l->lines[i];
    for (size_t i = 0; i < pt_trace_chunk_count(s->trace); i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(s->trace, i);
        if (c->type != PT_CHUNK_EVENTS || c->events == 0 ||
            !pt_filter_chunk(f, c))
            continue;
        uint32_t id = pt_profile_thread(s->trace, c->thread);
        struct line *line = id < n ? by_thread[id] : NULL;
        if (!line)
            continue;
        int64_t first =
            c->time_first < f->from.time ? f->from.time : c->time_first;
        int64_t last = c->time_last > f->to.time ? f->to.time : c->time_last;
        if (!line->dated || first < line->first)
            line->first = first;
        if (!line->dated || last > line->last)
            line->last = last;
        line->dated = true;
    }
    free(by_thread);
    return PT_OK;
}

static int
by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->time != y->time)
        return x->time > y->time ? -1 : 1;
    return (x->thread > y->thread) - (x->thread < y->thread);
}

static enum pt_status
gather(struct pt_session *s, struct lines *l)
{
    const struct pt_calltree *t = l->profile->tree;
    const struct pt_profile_config *config = s->config;
    struct own *own = calloc(l->profile->nfunctions, sizeof *own);
    uint64_t least, limit = config->limit                  ? config->limit
                            : pt_session_format(s, "text") ? TEXT_LIMIT
                                                           : SIZE_MAX;
    size_t roots = 0;
    enum pt_status st = pt_profile_min_time(s, l->rows->total, &least);
    for (uint32_t i = t->nodes[0].first; i; i = t->nodes[i].next)
        roots++;
    l->lines = calloc(roots + 1, sizeof *l->lines);
    if (!own || !l->lines)
        st = PT_ENOMEM;
    for (uint32_t i = t->nodes[0].first; i && st == PT_OK;
         i = t->nodes[i].next) {
        struct line *line = &l->lines[l->n];
        *line = (struct line){.thread = t->nodes[i].thread};
        sum_paths(t, i, own, line);
        l->n += line->time >= least;
    }
    free(own);
    if (st == PT_OK)
        st = date(s, l);
    if (st != PT_OK)
        return st;
    qsort(l->lines, l->n, sizeof *l->lines, by_time);
    l->shown = config->all || limit > l->n ? l->n : (size_t)limit;
    return PT_OK;
}

/* --- text ----------------------------------------------------------------- */

enum { CALLS, TIME, SHARE, WAIT, FIRST, LAST, COLUMNS };

static const struct pt_heading columns[COLUMNS] = {{"calls", 0}, {"time", 0},
                                                   {"%", 0},     {"wait", 2},
                                                   {"first", 1}, {"last", 1}};

static const char *
cell(const void *table, size_t row, unsigned column, char *buffer)
{
    const struct lines *l = table;
    const struct line *line = &l->lines[row];
    uint64_t total = l->rows->total;
    switch (column) {
    case CALLS:
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64, line->calls);
        return buffer;
    case TIME:
        return pt_text_duration((int64_t)line->time, buffer);
    case SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
                 total ? 100.0 * (double)line->time / (double)total : 0.0);
        return buffer;
    case WAIT:
        return line->wait ? pt_text_duration((int64_t)line->wait, buffer) : "-";
    case FIRST:
        return pt_text_duration(line->first, buffer);
    default:
        return pt_text_duration(line->last, buffer);
    }
}

static enum pt_status
put_heaviest(struct pt_session *s, const struct lines *l,
             const struct line *line, unsigned width)
{
    struct pt_profile_row row = {0};
    if (line->heaviest == 0 || (s->out->fit && width < HEAVIEST_LEAST)) {
        pt_out_char(s->out, '\n');
        return PT_OK;
    }
    double share = 100.0 * (double)line->most / (double)line->time;
    unsigned used = 2 + sizeof "100.0 % in " - 1;
    enum pt_status st = pt_profile_row_name(l->profile, line->heaviest, &row);
    if (st != PT_OK)
        return st;
    pt_out_printf(s->out, "  %.1f %% in ", share);
    pt_profile_put_name(s, &row, width - used);
    free(row.owned);
    return PT_OK;
}

static enum pt_status
text(struct pt_session *s, const struct lines *l)
{
    struct pt_columns table = {.columns = columns,
                               .n = COLUMNS,
                               .cell = cell,
                               .table = l,
                               .rows = l->shown};
    bool waits = false;
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < l->shown; i++)
        waits |= l->lines[i].wait != 0;
    pt_columns_measure(&table);
    if (!waits)
        table.widths[WAIT] = 0;
    unsigned width = pt_columns_fit(&table, s->out->width, NAME_LEAST);
    pt_profile_head(s, l->profile, l->rows);
    pt_columns_head(&table, s->out, "thread");
    for (size_t i = 0; i < l->shown && st == PT_OK; i++) {
        pt_columns_row(&table, s->out, i);
        unsigned used = pt_profile_put_thread(s, l->lines[i].thread, width);
        st = put_heaviest(s, l, &l->lines[i], used < width ? width - used : 0);
    }
    if (l->shown < l->n)
        pt_out_printf(s->out, "\n%zu more thread%s; --all shows them\n",
                      l->n - l->shown, pt_text_plural(l->n - l->shown));
    return st;
}

/* --- JSON ----------------------------------------------------------------- */

static enum pt_status
json(struct pt_session *s, const struct lines *l)
{
    struct pt_json j;
    pt_profile_json_open(&j, s);
    pt_json_key(&j, "rows");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < l->shown; i++) {
        const struct line *line = &l->lines[i];
        pt_json_open(&j, '{');
        pt_profile_json_thread(&j, s->trace, line->thread);
        pt_json_member_u64(&j, "calls", line->calls);
        pt_json_member_u64(&j, "exclusive", line->time);
        pt_json_member_u64(&j, "wait", line->wait);
        pt_json_maybe_i64(&j, "first", line->dated, line->first);
        pt_json_maybe_i64(&j, "last", line->dated, line->last);
        pt_json_key(&j, "heaviest");
        if (line->heaviest) {
            struct pt_profile_row row = {0};
            enum pt_status st =
                pt_profile_row_name(l->profile, line->heaviest, &row);
            if (st != PT_OK)
                return st;
            pt_json_open(&j, '{');
            pt_profile_json_name(&j, &row);
            pt_json_member_u64(&j, "exclusive", line->most);
            pt_json_close(&j, '}');
            free(row.owned);
        } else
            pt_json_null(&j);
        pt_json_close(&j, '}');
    }
    pt_json_close(&j, ']');
    pt_profile_json_close(&j, s, l->profile, l->rows);
    return PT_OK;
}

/* --- the view ------------------------------------------------------------- */

static enum pt_status
report(struct pt_session *s, const struct pt_profile *p,
       const struct pt_profile_rows *rows)
{
    struct lines l = {.profile = p, .rows = rows};
    enum pt_status st = gather(s, &l);
    if (st == PT_OK)
        st = (pt_session_format(s, "text") ? text : json)(s, &l);
    free(l.lines);
    return st;
}

static enum pt_status
run(struct pt_session *s)
{
    struct pt_profile_options how = {.tree = true, .threads = true};
    return pt_profile_report(s, &how, report);
}

const struct pt_profile_view pt_profile_threads = {
    .option = "threads",
    .takes = "limit|all|min-time|all-calls|by-file|by-module|"
             "compensate",
    .formats = "text|json",
    .run = run,
};
