/* ptana profile: where the time went, function by function. */
#include "analyze/flow_check.h"
#include "analyze/names.h"
#include "analyze/profile.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 40 };

struct config {
    const char *sort;
    uint64_t limit;
    struct pt_text_list filter;
    bool all_calls, all;
};

static const struct pt_option options[] = {
    {"sort", 's', PT_OPTION_CHOICE, offsetof(struct config, sort),
     "exclusive|inclusive|calls|primitive|percall|min|max|p50|p90|p99|wait|"
     "name|file",
     "the order of the rows; default: exclusive"},
    {"limit", 'n', PT_OPTION_COUNT, offsetof(struct config, limit), "N",
     "show the first N rows; default: 40 in text, all otherwise"},
    {"all", 'a', PT_OPTION_FLAG, offsetof(struct config, all), NULL,
     "show all rows"},
    {"filter", 0, PT_OPTION_LIST, offsetof(struct config, filter), "GLOB",
     "show only functions whose name or file matches, as --include has it, and "
     "C functions by name; the times stay those of the whole; may be given "
     "again"},
    {"all-calls", 0, PT_OPTION_FLAG, offsetof(struct config, all_calls), NULL,
     "classes and callable objects are functions of their own, too; without, "
     "their time belongs to the caller, as with cProfile; recordings of "
     "CPython 3.12 or later have them"},
    {0}};

/* --- rows ----------------------------------------------------------------- */

static enum pt_status
name_row(const struct pt_session *s, const struct pt_profile *p,
         struct pt_profile_row *row)
{
    char buffer[PT_NAME_TEXT];
    const struct pt_profile_name *name = &p->names[row->index];
    if (!name->callable) {
        const struct pt_code *c = pt_trace_code(s->trace, name->id);
        row->kind = "python";
        if (c) {
            row->name = c->qualname;
            row->file = c->file;
            row->label = c->name;
            row->line = c->firstline;
        } else
            row->name = row->label = row->file = (struct pt_str){"?", 1};
        return PT_OK;
    }
    const struct pt_callable *c = pt_trace_callable(s->trace, name->id);
    struct pt_str text = pt_name_callable(s->trace, name->id, buffer);
    row->owned = malloc(text.len + 1);
    if (!row->owned)
        return PT_ENOMEM;
    memcpy(row->owned, text.data, text.len);
    row->name = (struct pt_str){row->owned, text.len};
    row->file = (struct pt_str){"~", 1};
    row->label = c && c->label.len ? c->label : row->name;
    row->kind = pt_name_callable_kind(c ? c->kind : 0);
    return PT_OK;
}

/* Whether one of the globs matches; each that does is noted in `used`. */
static bool
matches(const struct pt_session *s, const struct pt_profile_name *name,
        const struct pt_profile_row *row, bool *used)
{
    const struct pt_text_list *globs = &((struct config *)s->config)->filter;
    const struct pt_code *code =
        name->callable ? NULL : pt_trace_code(s->trace, name->id);
    bool any = globs->n == 0;
    for (size_t i = 0; i < globs->n; i++)
        if (code ? pt_glob_code(globs->items[i], code)
                 : pt_glob_name(globs->items[i], row->name))
            used[i] = any = true;
    return any;
}

static void
free_rows(struct pt_profile_rows *r)
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
make_rows(const struct pt_session *s, const struct pt_profile *p, bool *used,
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
        enum pt_status st = name_row(s, p, row);
        if (st != PT_OK)
            return st;
        if (!matches(s, &p->names[i], row, used)) {
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

static int
compare_str(struct pt_str a, struct pt_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

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
    if (by[0] == 'n' && (c = compare_str(x->name, y->name)) != 0)
        return c;
    if ((c = compare_str(x->file, y->file)) != 0)
        return c;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if ((c = compare_str(x->name, y->name)) != 0)
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
        if (!any || c->time_first < rows->first)
            rows->first = c->time_first;
        if (!any || c->time_last > rows->last)
            rows->last = c->time_last;
        any = true;
        const struct pt_thread *t = pt_trace_thread(s->trace, c->thread);
        uint32_t id = t && t->carrier ? t->carrier : c->thread;
        if (id < f->nthreads && !seen[id]) {
            seen[id] = 1;
            rows->threads++;
        }
    }
    free(seen);
    if (f->from.time > rows->first)
        rows->first = f->from.time;
    if (f->to.time < rows->last)
        rows->last = f->to.time;
    return PT_OK;
}

/* --- the analyzer --------------------------------------------------------- */

static enum pt_status
report(struct pt_session *s, const struct pt_profile *p)
{
    const struct config *config = s->config;
    const char *key = config->sort ? config->sort : "exclusive";
    struct pt_profile_rows rows = {.sort = key};
    bool *used = calloc(config->filter.n + 1, sizeof *used);
    enum pt_status st = used ? make_rows(s, p, used, &rows) : PT_ENOMEM;
    bool text = pt_session_format(s, "text");
    for (size_t i = 0; st == PT_OK && i < config->filter.n; i++)
        if (!used[i])
            st = pt_session_fail(s, PT_ENOTFOUND,
                                 "%s has no function that matches \"%s\"; "
                                 "ptana profile --all shows what ran",
                                 pt_trace_path(s->trace),
                                 config->filter.items[i]);
    free(used);
    if (st == PT_OK) {
        qsort_r(rows.rows, rows.n, sizeof *rows.rows, compare_rows,
                (char *)(uintptr_t)key);
        uint64_t limit = config->limit ? config->limit : text ? TEXT_LIMIT : 0;
        rows.shown = limit && !config->all && limit < rows.n ? limit : rows.n;
        st = find_extent(s, &rows);
    }
    if (st == PT_OK) {
        if (text)
            pt_profile_text(s, p, &rows);
        else if (pt_session_format(s, "json"))
            pt_profile_json(s, p, &rows);
        else
            st = pt_profile_pstats(s, p, &rows);
    }
    free_rows(&rows);
    return st;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct config *config = s->config;
    bool pstats = pt_session_format(s, "pstats");
    struct pt_profile_options how = {.all_calls = config->all_calls,
                                     .edges = pstats};
    struct pt_profile *p = NULL;
    if (pstats && pt_out_is_terminal(s->out))
        return pt_session_fail(s, PT_EUSAGE,
                               "pstats is binary and this is a terminal; "
                               "write it to a file with -o FILE");
    const struct pt_header *h = pt_trace_header(s->trace);
    if (!pt_session_lacks(s, 1u << PT_CALL, "calls", "calls") &&
        !(h->stamped & 1u << PT_CALL))
        pt_out_say("%s has no times of calls; ptrec run --preset=calls records "
                   "them",
                   pt_trace_path(s->trace));
    enum pt_status st = pt_profile_new(s->trace, s->filter, &how, &p);
    if (st != PT_OK)
        return st;
    struct pt_fold folds[2] = {pt_profile_fold(p)};
    struct pt_flow_check check;
    size_t n = 1;
    st = pt_flow_check_init(&check, s->trace, folds, &n);
    if (st == PT_OK)
        st = pt_pass_run(s->trace, s->filter, folds, n, &s->trouble, &s->error);
    if (st == PT_OK)
        st = pt_profile_finish(p);
    pt_flow_check_tell(&check, &s->trouble);
    pt_flow_check_clear(&check);
    s->trouble.desyncs += p->desyncs;
    s->trouble.unmatched += p->unmatched;
    s->trouble.unfinished += p->unfinished;
    if (st == PT_OK)
        st = report(s, p);
    pt_profile_free(p);
    return st;
}

const struct pt_analyzer pt_analyzer_profile = {
    .name = "profile",
    .summary = "calls and times of each function",
    .description =
        "Shows for each function how often it was called and the time spent in "
        "it: exclusive (its own) and inclusive (with all it called). Calls of "
        "a/b mean a in all, b of them not from within the same function; "
        "inclusive time counts only those, as cProfile does. % is the share of "
        "the exclusive time in that of all functions, and per call is "
        "inclusive by the b calls. min, p50, p90, p99 and max are of the "
        "inclusive time of each call (percentiles within 3 %), and wait is "
        "the time that a generator or coroutine was suspended, or that other "
        "greenlets ran before the function went on. Times are by "
        "the clock on the wall, and those of several threads are added up: "
        "all together may exceed the time from start to end.\n"
        "Of the columns from per call on, those are shown that leave room for "
        "the names; wait only where something waited. A column named by "
        "--sort is always shown, --width=300 shows all, and --format=json has "
        "all numbers. On a terminal, or with --width, long names and files "
        "lose their middle, but hardly ever a name's last part.\n"
        "A generator or coroutine counts a call each time it goes on; the time "
        "it was suspended is not in its running time but under wait. So is, "
        "for all that a greenlet was doing, the time of other greenlets. A "
        "call "
        "that was still open when its thread ended, ends there.\n"
        "Of a trace of the preset flow it also tells how often events did not "
        "fit the bytecode (desyncs); calls and times do not depend on that.\n"
        "With --from or --to, times are those inside the range, and a call "
        "counts if it began there.\n"
        "The pstats form is read by Python's pstats module and by the viewers "
        "that read cProfile's files.",
    .examples =
        "ptana profile # the 40 functions that took the longest\n"
        "ptana profile --sort=inclusive -n 10 # where the time went, from "
        "above\n"
        "ptana profile --filter='json*' # of what is in json/ or named so\n"
        "ptana profile --from=1s --to=2s # of one second\n"
        "ptana profile --format=pstats -o out.pstats # for pstats, snakeviz",
    .options = options,
    .config_size = sizeof(struct config),
    .takes = PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_GLOBS |
             PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|json|pstats",
    .run = run,
};
