/* The functions of a profile as rows: named, chosen, and in order. */
#include "analyze/blocking.h"
#include "analyze/names.h"
#include "analyze/profile.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 40 };

/* --- names ---------------------------------------------------------------- */

enum pt_status
pt_profile_row_name(const struct pt_profile *p, uint32_t fn,
                    struct pt_profile_row *row)
{
    const struct pt_trace *trace = p->trace;
    const struct pt_profile_name *name = &p->names[fn];
    char buffer[PT_NAME_TEXT];
    if (p->groups) {
        bool file = p->options.by == PT_PROFILE_BY_FILE;
        row->name = row->label = p->groups[fn];
        row->file = file ? p->groups[fn] : (struct pt_str){0};
        row->kind = file ? "file" : "module";
        return PT_OK;
    }
    struct pt_function_name f =
        pt_name_function(trace, name->id, name->callable, buffer);
    row->name = row->label = f.name;
    row->file = f.file;
    row->line = f.line;
    row->kind = f.kind;
    if (!name->callable) {
        const struct pt_code *code = pt_trace_code(trace, name->id);
        row->label = code ? code->name : f.name;
        return PT_OK;
    }
    row->owned = malloc(f.name.len + 1);
    if (!row->owned)
        return PT_ENOMEM;
    memcpy(row->owned, f.name.data, f.name.len);
    row->name.data = row->owned;
    const struct pt_callable *c = pt_trace_callable(trace, name->id);
    row->label = c && c->label.len ? c->label : row->name;
    row->blocks = c && pt_callable_blocks(c);
    return PT_OK;
}

static bool
matches(const struct pt_profile *p, const struct pt_profile_row *row,
        const char *glob)
{
    const struct pt_profile_name *name = &p->names[row->index];
    if (p->options.by == PT_PROFILE_BY_FILE)
        return pt_match_file(glob, strlen(glob), row->name);
    const struct pt_code *code =
        name->callable || p->groups ? NULL : pt_trace_code(p->trace, name->id);
    return code ? pt_glob_code(glob, code) : pt_glob_name(glob, row->name);
}

bool
pt_profile_row_matches(const struct pt_profile *p,
                       const struct pt_profile_row *row,
                       const struct pt_text_list *globs)
{
    for (size_t i = 0; i < globs->n; i++)
        if (matches(p, row, globs->items[i]))
            return true;
    return false;
}

/* Whether --filter lets a row pass; each glob that does is noted in `used`. */
static bool
passes(const struct pt_session *s, const struct pt_profile *p,
       const struct pt_profile_row *row, bool *used)
{
    const struct pt_text_list *globs =
        &((struct pt_profile_config *)s->config)->filter;
    bool any = globs->n == 0;
    for (size_t i = 0; i < globs->n; i++)
        if (matches(p, row, globs->items[i]))
            used[i] = any = true;
    return any;
}

void
pt_profile_rows_clear(struct pt_profile_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->rows[i].owned);
    free(r->rows);
}

static bool
was_seen(const struct pt_profile_function *f)
{
    return f->calls || f->exclusive || f->inclusive || f->wait;
}

static enum pt_status
list_rows(const struct pt_session *s, const struct pt_profile *p, bool *used,
          struct pt_profile_rows *out)
{
    out->rows = calloc(p->nfunctions + 1, sizeof *out->rows);
    if (!out->rows)
        return PT_ENOMEM;
    for (uint32_t i = 1; i < p->nfunctions; i++) {
        const struct pt_profile_function *f = &p->functions[i];
        if (!was_seen(f))
            continue;
        out->total += f->exclusive;
        struct pt_profile_row *row = &out->rows[out->n];
        *row = (struct pt_profile_row){.fn = f, .index = i};
        enum pt_status st = pt_profile_row_name(p, i, row);
        if (st != PT_OK)
            return st;
        if (!passes(s, p, row, used)) {
            free(row->owned);
            continue;
        }
        out->n++;
        if (!f->times)
            continue;
        uint64_t *at[] = {&row->p50, &row->p90, &row->p99};
        static const double shares[] = {0.5, 0.9, 0.99};
        for (unsigned k = 0; k < 3; k++) {
            uint64_t v = (uint64_t)pt_histogram_percentile(f->times, f->calls,
                                                           shares[k]);
            *at[k] = v < f->min ? f->min : v > f->max ? f->max : v;
        }
    }
    return PT_OK;
}

/* --- order ---------------------------------------------------------------- */

/* What a row is sorted by; larger comes first. */
static double
sort_value(const struct pt_profile_row *r, const char *key)
{
    const struct pt_profile_function *f = r->fn;
    switch (key[0]) {
    case 'e':
        return (double)f->exclusive;
    case 'i':
        return (double)f->inclusive;
    case 'c':
        return (double)f->calls;
    case 'w':
        return (double)f->wait;
    case 'm':
        return (double)(key[1] == 'i' ? f->min : f->max);
    case 'p':
        if (key[1] == 'r')
            return (double)f->primitive;
        if (key[1] == 'e')
            return f->primitive ? (double)f->inclusive / (double)f->primitive
                                : 0;
        return (double)(key[1] == '5'   ? r->p50
                        : key[2] == '0' ? r->p90
                                        : r->p99);
    default:
        return 0;
    }
}

static int
compare_rows(const void *a, const void *b, void *key)
{
    const struct pt_profile_row *x = a, *y = b;
    int c;
    const char *by = key;
    double v = sort_value(x, by), w = sort_value(y, by);
    if (v != w)
        return v > w ? -1 : 1;
    if (by[0] == 'n' && (c = pt_name_compare(x->name, y->name)) != 0)
        return c;
    if ((c = pt_name_compare(x->file, y->file)) != 0)
        return c;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if ((c = pt_name_compare(x->name, y->name)) != 0)
        return c;
    return (x->index > y->index) - (x->index < y->index);
}

static enum pt_status
find_extent(const struct pt_session *s, struct pt_profile_rows *rows)
{
    const struct pt_filter *f = s->filter;
    bool any = false;
    uint8_t *seen = calloc((size_t)f->nthreads + 1, 1);
    if (!seen)
        return PT_ENOMEM;
    for (size_t i = 0; i < pt_trace_chunk_count(s->trace); i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(s->trace, i);
        if (c->type != PT_CHUNK_EVENTS || c->events == 0 ||
            !pt_filter_chunk(f, c))
            continue;
        if (!any || pt_filter_first(f, c) < rows->first)
            rows->first = pt_filter_first(f, c);
        if (!any || c->time_last > rows->last)
            rows->last = c->time_last;
        any = true;
        uint32_t id = pt_profile_thread(s->trace, c->thread);
        if (id < f->nthreads && !seen[id]) {
            seen[id] = 1;
            rows->threads++;
        }
    }
    free(seen);
    if (f->to.time < rows->last)
        rows->last = f->to.time;
    return PT_OK;
}

/* Leaves out the rows whose inclusive time is less. */
static void
drop_small(struct pt_profile_rows *r, uint64_t least)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].fn->inclusive >= least)
            r->rows[n++] = r->rows[i];
        else
            free(r->rows[i].owned);
    r->n = n;
}

/* --- the rows of a report ------------------------------------------------- */

const char *
pt_profile_what(const struct pt_profile *p)
{
    static const char *const names[] = {"function", "file", "module"};
    return names[p->options.by];
}

static const char *
by_option(const struct pt_profile *p)
{
    static const char *const options[] = {"", " --by-file", " --by-module"};
    return options[p->options.by];
}

enum pt_status
pt_profile_rows_make(struct pt_session *s, const struct pt_profile *p,
                     struct pt_profile_rows *out)
{
    const struct pt_profile_config *config = s->config;
    const char *key = config->sort ? config->sort : "exclusive";
    *out = (struct pt_profile_rows){.sort = key};
    bool *used = calloc(config->filter.n + 1, sizeof *used);
    enum pt_status st = used ? list_rows(s, p, used, out) : PT_ENOMEM;
    for (size_t i = 0; st == PT_OK && i < config->filter.n; i++)
        if (!used[i])
            st = pt_session_fail(s, PT_ENOTFOUND,
                                 "%s has no %s that matches \"%s\"; "
                                 "ptana profile --all%s shows what ran",
                                 pt_trace_path(s->trace), pt_profile_what(p),
                                 config->filter.items[i], by_option(p));
    free(used);
    uint64_t least = 0;
    if (st == PT_OK)
        st = pt_profile_min_time(s, out->total, &least);
    if (st == PT_OK) {
        qsort_r(out->rows, out->n, sizeof *out->rows, compare_rows,
                (char *)(uintptr_t)key);
        drop_small(out, least);
        uint64_t limit = config->limit                  ? config->limit
                         : pt_session_format(s, "text") ? TEXT_LIMIT
                                                        : 0;
        out->shown = limit && !config->all && limit < out->n ? limit : out->n;
        st = find_extent(s, out);
    }
    if (st != PT_OK)
        pt_profile_rows_clear(out);
    return st;
}
