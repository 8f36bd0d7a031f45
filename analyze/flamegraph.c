/* ptana flamegraph: the tree of calls as one HTML page that needs nothing else.
 *
 * The page (flamegraph.html) is part of the program, and its data stands in it
 * as JSON: columns of the tree's nodes, parents before children, so that the
 * page can make any view of them. */
#include "analyze/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] =
#include "flamegraph_page.h"
    ;
static const char data_mark[] = "@DATA@";

enum { NODES_SHOWN = 100000 };

struct config {
    uint64_t limit;
    bool all_calls;
};

static const struct pt_option options[] = {
    {"limit", 'n', PT_OPTION_COUNT, offsetof(struct config, limit), "N",
     "draw the N paths of calls that took the longest, and what the others "
     "took as \"(less)\" beside them; default: 100000"},
    {"all-calls", 0, PT_OPTION_FLAG, offsetof(struct config, all_calls), NULL,
     "classes and callable objects are functions of their own, too; without, "
     "their time belongs to the caller, as with cProfile; recordings of "
     "CPython 3.12 or later have them"},
    {0}};

/* What is drawn.  Nodes of the page: the threads, then the paths. */
struct flame {
    const struct pt_session *session;
    const struct pt_profile *profile;
    const struct pt_calltree *tree;
    struct pt_json json;
    uint32_t *number;   /* by node: its number on the page plus one, 0: not */
    uint32_t *function; /* by function: the same; "(more)", "(less)" last */
    uint64_t *less;     /* by node: of children that are left out, ns ... */
    uint64_t *less_calls;
    uint32_t nthreads, nfunctions;
    uint64_t shown_from; /* inclusive time that the paths shown have at least */
    uint64_t left_out;   /* paths */
};

/* --- which paths ---------------------------------------------------------- */

static int
descending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x > *y ? -1 : *x < *y;
}

/* A path takes no less time than those that go on from it, so that what is
 * shown hangs together. */
static enum pt_status
choose(struct flame *f, uint64_t limit)
{
    const struct pt_calltree *t = f->tree;
    uint64_t *times = malloc(((size_t)t->n + 1) * sizeof *times);
    uint32_t n = 0;
    if (!times)
        return PT_ENOMEM;
    for (uint32_t i = 1; i < t->n; i++)
        if (t->nodes[i].depth)
            times[n++] = t->nodes[i].inclusive;
    qsort(times, n, sizeof *times, descending);
    f->shown_from = limit < n ? times[limit] + 1 : 0;
    free(times);
    for (uint32_t i = 1; i < t->n; i++) {
        const struct pt_calltree_node *node = &t->nodes[i];
        if (node->depth == 0)
            f->number[i] = ++f->nthreads;
        else if (node->inclusive >= f->shown_from && f->number[node->parent])
            f->number[i] = UINT32_MAX; /* known in put_data() */
        else {
            f->left_out++;
            f->less[node->parent] += node->exclusive;
            f->less_calls[node->parent] += node->calls;
        }
    }
    /* What hangs below something left out counts with it. */
    for (uint32_t i = t->n - 1; i > 0; i--) {
        const struct pt_calltree_node *node = &t->nodes[i];
        if (f->number[i])
            continue;
        f->less[node->parent] += f->less[i];
        f->less_calls[node->parent] += f->less_calls[i];
        f->less[i] = f->less_calls[i] = 0;
    }
    return PT_OK;
}

static bool
is_shown(const struct flame *f, uint32_t i)
{
    return f->tree->nodes[i].depth && f->number[i];
}

static bool
has_less(const struct flame *f, uint32_t i)
{
    return f->less[i] || f->less_calls[i];
}

/* --- columns -------------------------------------------------------------- */

static void
put_functions(struct flame *f)
{
    const struct pt_calltree *t = f->tree;
    struct pt_json *j = &f->json;
    char buffer[PT_NAME_TEXT];
    pt_json_key(j, "functions");
    pt_json_open(j, '[');
    for (uint32_t i = 1; i < t->n; i++) {
        uint32_t fn = t->nodes[i].fn;
        uint32_t at = fn < f->profile->nfunctions ? fn : f->profile->nfunctions;
        if (!is_shown(f, i) || f->function[at])
            continue;
        struct pt_function_name name = pt_export_name(f->profile, fn, buffer);
        f->function[at] = ++f->nfunctions;
        pt_json_open(j, '[');
        pt_json_str(j, name.name);
        pt_json_str(j, name.file);
        pt_json_u64(j, name.line);
        pt_json_close(j, ']');
    }
    pt_json_open(j, '[');
    pt_json_text(j, "(less)");
    pt_json_text(j, "~");
    pt_json_u64(j, 0);
    pt_json_close(j, ']');
    pt_json_close(j, ']');
}

enum column {
    COLUMN_PARENT,
    COLUMN_FUNCTION,
    COLUMN_CALLS,
    COLUMN_SELF,
    COLUMN_WAIT,
    COLUMNS
};
static const char *const columns[] = {"parent", "fn", "calls", "self", "wait"};

static uint64_t
cell(const struct flame *f, uint32_t i, enum column column)
{
    const struct pt_calltree_node *node = &f->tree->nodes[i];
    uint32_t last = f->profile->nfunctions;
    switch (column) {
    case COLUMN_PARENT:
        return f->number[node->parent] - 1;
    case COLUMN_FUNCTION:
        return f->function[node->fn < last ? node->fn : last] - 1;
    case COLUMN_CALLS:
        return node->calls;
    case COLUMN_SELF:
        return node->exclusive;
    default:
        return node->wait;
    }
}

/* ... of what is left out below node `i`. */
static uint64_t
less_cell(const struct flame *f, uint32_t i, enum column column)
{
    switch (column) {
    case COLUMN_PARENT:
        return f->number[i] - 1;
    case COLUMN_FUNCTION:
        return f->nfunctions;
    case COLUMN_CALLS:
        return f->less_calls[i];
    case COLUMN_SELF:
        return f->less[i];
    default:
        return 0;
    }
}

static void
put_columns(struct flame *f)
{
    const struct pt_calltree *t = f->tree;
    struct pt_json *j = &f->json;
    for (enum column column = 0; column < COLUMNS; column++) {
        pt_json_key(j, columns[column]);
        pt_json_open(j, '[');
        for (uint32_t i = 1; i < t->n; i++)
            if (is_shown(f, i))
                pt_json_u64(j, cell(f, i, column));
        for (uint32_t i = 1; i < t->n; i++)
            if (has_less(f, i))
                pt_json_u64(j, less_cell(f, i, column));
        pt_json_close(j, ']');
    }
}

/* --- the page ------------------------------------------------------------- */

static void
put_notes(struct flame *f)
{
    const struct pt_trouble *t = &f->session->trouble;
    struct pt_json *j = &f->json;
    char text[256], a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT];
    pt_json_key(j, "notes");
    pt_json_open(j, '[');
    if (f->left_out) {
        snprintf(text, sizeof text,
                 "%s path%s of less than %s %s drawn together as (less)",
                 pt_text_grouped(f->left_out, a), pt_text_plural(f->left_out),
                 pt_text_duration((int64_t)f->shown_from, b),
                 f->left_out == 1 ? "is" : "are");
        pt_json_text(j, text);
    }
    if (f->tree->folded)
        pt_json_text(j, "of very deep recursion, inner calls are drawn with "
                        "outer ones");
    if (t->gaps || t->bad_chunks || t->desyncs) {
        char lost[PT_LOST_TEXT];
        snprintf(text, sizeof text,
                 "incomplete: %" PRIu64 " gap%s (%s), %" PRIu64
                 " desync%s, %" PRIu64 " damaged chunk%s",
                 t->gaps, pt_text_plural(t->gaps),
                 t->gaps ? pt_session_lost(t, lost) : "no events", t->desyncs,
                 pt_text_plural(t->desyncs), t->bad_chunks,
                 pt_text_plural(t->bad_chunks));
        pt_json_text(j, text);
    }
    pt_json_close(j, ']');
}

static enum pt_status
put_data(struct flame *f)
{
    const struct pt_calltree *t = f->tree;
    const struct pt_trace *trace = f->session->trace;
    struct pt_json *j = &f->json;
    struct pt_growing name = {0};
    uint32_t number = f->nthreads;
    for (uint32_t i = 1; i < t->n; i++)
        if (is_shown(f, i))
            f->number[i] = ++number;
    pt_json_init(j, f->session->out, 2);
    j->html = true;
    pt_json_open(j, '{');
    pt_name_process(trace, 1, &name);
    pt_json_member_str(j, "title", pt_growing_whole(&name));
    pt_json_member_text(j, "trace", pt_trace_path(trace));
    pt_json_member_text(j, "from",
                        f->session->common.from ? f->session->common.from : "");
    pt_json_member_text(j, "to",
                        f->session->common.to ? f->session->common.to : "");
    put_notes(f);
    pt_json_key(j, "threads");
    pt_json_open(j, '[');
    for (uint32_t i = 1; i < t->n; i++) {
        if (t->nodes[i].depth)
            continue;
        name.used = 0;
        pt_export_track_name(trace, t->nodes[i].thread, &name);
        pt_json_str(j, pt_growing_whole(&name));
    }
    pt_json_close(j, ']');
    put_functions(f);
    put_columns(f);
    pt_json_close(j, '}');
    pt_json_finish(j);
    bool failed = name.failed;
    pt_growing_free(&name);
    return failed ? PT_ENOMEM : PT_OK;
}

static enum pt_status
put_page(struct flame *f)
{
    struct pt_out *o = f->session->out;
    const char *data = strstr(page, data_mark);
    pt_out_bytes(o, page, (size_t)(data - page));
    enum pt_status st = put_data(f);
    pt_out_text(o, data + sizeof data_mark - 1);
    return st;
}

static enum pt_status
draw(struct pt_session *s, const struct pt_profile *p)
{
    const struct config *config = s->config;
    const struct pt_calltree *t = p->tree;
    struct flame f = {.session = s, .profile = p, .tree = t};
    f.number = calloc((size_t)t->n + 1, sizeof *f.number);
    f.less = calloc((size_t)t->n + 1, sizeof *f.less);
    f.less_calls = calloc((size_t)t->n + 1, sizeof *f.less_calls);
    f.function = calloc((size_t)p->nfunctions + 1, sizeof *f.function);
    enum pt_status st =
        f.number && f.less && f.less_calls && f.function
            ? choose(&f, config->limit ? config->limit : NODES_SHOWN)
            : PT_ENOMEM;
    if (st == PT_OK)
        st = put_page(&f);
    free(f.number);
    free(f.less);
    free(f.less_calls);
    free(f.function);
    return st;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct config *config = s->config;
    struct pt_profile *p;
    if (pt_out_is_terminal(s->out))
        return pt_session_fail(s, PT_EUSAGE,
                               "a flame graph is a page of HTML and this is a "
                               "terminal; write it to a file with -o FILE");
    enum pt_status st = pt_export_profile(s, config->all_calls, true, &p);
    if (st != PT_OK)
        return st;
    st = draw(s, p);
    pt_profile_free(p);
    return st;
}

const struct pt_analyzer pt_analyzer_flamegraph = {
    .name = "flamegraph",
    .summary = "where the time went, as a page to look into",
    .description =
        "Writes a page of HTML that shows the tree of calls: a box for each "
        "path of functions, as wide as the time that was spent in it, below "
        "the one that called it. The page is one file and needs no network.\n"
        "A click makes a box as wide as the page, search marks functions by "
        "name or file and tells their share, and a box tells of itself when "
        "the pointer is on it. Inverted shows the functions by their own "
        "time, and below each who called it. Colours are by file.\n"
        "Threads are added up; the page can show each by itself. Calls and "
        "times are those of ptana profile --tree.",
    .examples = "ptana flamegraph -o flame.html # open it in a browser\n"
                "ptana flamegraph --thread=MainThread --from=1s -o flame.html",
    .options = options,
    .config_size = sizeof(struct config),
    .takes =
        PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_RULES | PT_TAKES_FORMAT,
    .run = run,
};
