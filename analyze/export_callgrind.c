/* Callgrind's profile format, for callgrind_annotate and KCachegrind: what each
 * function cost itself, by line where lines were stamped, and what it called
 * from which line.
 *
 * The viewers add a function's calls to its own cost.  So that recursion is not
 * counted twice, a call of a function that is on the stack already has no
 * inclusive cost; what all calls of a function cost is thus its inclusive time
 * as the profile has it. */
#include "analyze/export.h"

#include <stdlib.h>
#include <string.h>

enum { COSTS_LEAST = 256 };

/* A function: its id, and one bit that tells callables; 0 is none. */
typedef uint64_t function;

struct cost {
    function fn, callee; /* callee 0: the function's own cost */
    uint32_t line;       /* in `fn` */
    uint64_t calls, ns;
};

struct state {
    struct cost *costs;  /* a hash table: fn 0 is free */
    size_t n, size;      /* a power of two */
    uint32_t *levels[2]; /* open calls by id, of code and of callables */
    uint32_t *files;     /* by code id: a number for its file */
    uint8_t *told[2];    /* functions by id, whose name was written */
    uint8_t *file_told;  /* files by number */
    bool by_line;        /* lines were stamped */
    uint64_t total;
};

/* --- ids ------------------------------------------------------------------ */

/* What nothing defines is 0. */
static uint32_t
known_id(const struct pt_export *x, const struct pt_span *span)
{
    uint32_t n = span->callable ? pt_trace_callable_count(x->trace)
                                : pt_trace_code_count(x->trace);
    return span->id <= n ? span->id : 0;
}

static function
function_of(const struct pt_export *x, const struct pt_span *span)
{
    return ((uint64_t)known_id(x, span) << 1 | span->callable) + 1;
}

static struct pt_function_name
name_of(const struct pt_export *x, function fn, char *buffer)
{
    return pt_name_function(x->trace, (uint32_t)(fn - 1) >> 1, (fn - 1) & 1,
                            buffer);
}

/* --- costs ---------------------------------------------------------------- */

static struct cost *
slot_of(const struct state *s, function fn, function callee, uint32_t line)
{
    uint64_t hash = fn * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ callee) * UINT64_C(0xc2b2ae3d27d4eb4f);
    hash = (hash ^ line) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = hash >> 20;; i++) {
        struct cost *c = &s->costs[i & (s->size - 1)];
        if (c->fn == 0 ||
            (c->fn == fn && c->callee == callee && c->line == line))
            return c;
    }
}

static bool
grow(struct state *s)
{
    struct state old = *s;
    s->size = s->size ? 2 * s->size : COSTS_LEAST;
    s->costs = calloc(s->size, sizeof *s->costs);
    if (!s->costs) {
        *s = old;
        return false;
    }
    for (size_t i = 0; i < old.size; i++) {
        const struct cost *c = &old.costs[i];
        if (c->fn)
            *slot_of(s, c->fn, c->callee, c->line) = *c;
    }
    free(old.costs);
    return true;
}

/* Where no line is known it is the function's first. */
static enum pt_status
add(struct pt_export *x, function fn, function callee, uint32_t line,
    uint64_t calls, uint64_t ns)
{
    struct state *s = x->state;
    char buffer[PT_NAME_TEXT];
    if (s->n >= s->size / 2 && !grow(s))
        return PT_ENOMEM;
    if (line == 0)
        line = name_of(x, fn, buffer).line;
    struct cost *c = slot_of(s, fn, callee, line);
    if (c->fn == 0) {
        *c = (struct cost){.fn = fn, .callee = callee, .line = line};
        s->n++;
    }
    c->calls += calls;
    c->ns += ns;
    return PT_OK;
}

/* --- the pass ------------------------------------------------------------- */

static enum pt_status
spent(void *state, const struct pt_span_lane *lane, uint64_t ns, uint32_t line)
{
    struct pt_export *x = state;
    struct state *s = x->state;
    s->total += ns;
    return add(x, function_of(x, &lane->spans[lane->depth - 1]), 0,
               s->by_line ? line : 0, 0, ns);
}

static enum pt_status
begun(void *state, const struct pt_span_lane *lane)
{
    struct pt_export *x = state;
    struct state *s = x->state;
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    s->levels[span->callable][known_id(x, span)]++;
    return PT_OK;
}

/* The call is counted when it ends; so is one that began before the range. */
static enum pt_status
ended(void *state, const struct pt_span_lane *lane, int64_t time)
{
    struct pt_export *x = state;
    struct state *s = x->state;
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    uint32_t left = --s->levels[span->callable][known_id(x, span)];
    /* A function that took no time is still there. */
    enum pt_status st = add(x, function_of(x, span), 0, 0, 0, 0);
    if (st != PT_OK || lane->depth < 2)
        return st;
    uint64_t ns = (uint64_t)time - (uint64_t)span->start - span->wait;
    return add(x, function_of(x, span - 1), function_of(x, span), span->line, 1,
               left ? 0 : ns);
}

/* --- files ---------------------------------------------------------------- */

struct code_file {
    struct pt_str file;
    uint32_t id;
};

static int
compare_files(const void *a, const void *b)
{
    const struct code_file *x = a, *y = b;
    size_t n = x->file.len < y->file.len ? x->file.len : y->file.len;
    int c = n ? memcmp(x->file.data, y->file.data, n) : 0;
    return c ? c : (x->file.len > y->file.len) - (x->file.len < y->file.len);
}

/* Numbers from 2 on; 1 is that of the C functions. */
static enum pt_status
number_files(struct pt_export *x)
{
    struct state *s = x->state;
    uint32_t n = pt_trace_code_count(x->trace) + 1, number = 1;
    char buffer[PT_NAME_TEXT];
    struct code_file *files = calloc(n, sizeof *files);
    if (!files)
        return PT_ENOMEM;
    for (uint32_t id = 0; id < n; id++) {
        struct pt_function_name f =
            pt_name_function(x->trace, id, false, buffer);
        files[id] = (struct code_file){f.file, id};
    }
    qsort(files, n, sizeof *files, compare_files);
    for (uint32_t i = 0; i < n; i++) {
        number += i == 0 || compare_files(&files[i], &files[i - 1]) != 0;
        s->files[files[i].id] = number;
    }
    free(files);
    return PT_OK;
}

static enum pt_status
begin(struct pt_export *x)
{
    struct state *s = x->state;
    const uint32_t lines = 1u << PT_LINE | 1u << PT_INSTRUCTION;
    size_t codes = pt_trace_code_count(x->trace) + (size_t)1;
    size_t callables = pt_trace_callable_count(x->trace) + (size_t)1;
    s->by_line = pt_trace_header(x->trace)->stamped & lines;
    s->levels[0] = calloc(codes, sizeof *s->levels[0]);
    s->levels[1] = calloc(callables, sizeof *s->levels[1]);
    s->files = calloc(codes, sizeof *s->files);
    s->told[0] = calloc(codes, 1);
    s->told[1] = calloc(callables, 1);
    s->file_told = calloc(codes + 2, 1);
    if (!s->levels[0] || !s->levels[1] || !s->files || !s->told[0] ||
        !s->told[1] || !s->file_told)
        return PT_ENOMEM;
    return number_files(x);
}

/* --- the file ------------------------------------------------------------- */

/* Of one function, its own costs by line, then its calls. */
static int
compare_costs(const void *a, const void *b)
{
    const struct cost *x = a, *y = b;
    if (x->fn != y->fn)
        return x->fn < y->fn ? -1 : 1;
    if (x->callee != y->callee)
        return x->callee < y->callee ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* "(7) name", and from the second time on "(7)". */
static void
put_compressed(struct pt_out *o, uint64_t number, uint8_t *told,
               struct pt_str name)
{
    pt_out_char(o, '(');
    pt_out_u64(o, number);
    pt_out_char(o, ')');
    if (!*told) {
        pt_out_char(o, ' ');
        pt_out_str(o, name);
    }
    *told = 1;
}

/* Viewers know a function by file and name: what may share those in one file
 * gets its line, too. */
static bool
is_anonymous(struct pt_str name)
{
    static const char module[] = "<module>";
    return name.len && name.data[name.len - 1] == '>' &&
           !(name.len == sizeof module - 1 &&
             memcmp(name.data, module, name.len) == 0);
}

static void
put_function(struct pt_export *x, function fn, const char *file_key,
             const char *name_key)
{
    struct state *s = x->state;
    char buffer[PT_NAME_TEXT];
    struct pt_function_name f = name_of(x, fn, buffer);
    unsigned callable = (fn - 1) & 1;
    uint32_t id = (uint32_t)((fn - 1) >> 1);
    uint32_t file = callable ? 1 : s->files[id];
    bool fresh = !s->told[callable][id];
    pt_out_text(x->out, file_key);
    put_compressed(x->out, file, &s->file_told[file], f.file);
    pt_out_text(x->out, name_key);
    put_compressed(x->out, fn, &s->told[callable][id], f.name);
    if (fresh && is_anonymous(f.name) && f.line) {
        pt_out_char(x->out, ':');
        pt_out_u64(x->out, f.line);
    }
    pt_out_char(x->out, '\n');
}

/* A line and its cost. */
static void
put_cost(struct pt_out *o, uint32_t line, uint64_t ns)
{
    pt_out_u64(o, line);
    pt_out_char(o, ' ');
    pt_out_u64(o, ns);
    pt_out_char(o, '\n');
}

static void
put_costs(struct pt_export *x, const struct cost *c)
{
    char buffer[PT_NAME_TEXT];
    if (c->callee) {
        put_function(x, c->callee, "cfi=", "\ncfn=");
        pt_out_text(x->out, "calls=");
        pt_out_u64(x->out, c->calls);
        pt_out_char(x->out, ' ');
        pt_out_u64(x->out, name_of(x, c->callee, buffer).line);
        pt_out_char(x->out, '\n');
    }
    put_cost(x->out, c->line, c->ns);
}

static void
put_head(struct pt_export *x)
{
    const struct state *s = x->state;
    pt_out_text(x->out, "# callgrind format\nversion: 1\n"
                        "creator: ptana " PT_VERSION "\n");
    if (pt_trace_process_count(x->trace) > 0) {
        pt_out_text(x->out, "cmd: ");
        pt_out_str(x->out, pt_export_process(x, 1));
        pt_out_char(x->out, '\n');
    }
    pt_out_text(x->out, "positions: line\nevents: ns\nsummary: ");
    pt_out_u64(x->out, s->total);
    pt_out_char(x->out, '\n');
}

static enum pt_status
end(struct pt_export *x)
{
    struct state *s = x->state;
    size_t n = 0;
    for (size_t i = 0; i < s->size; i++)
        if (s->costs[i].fn)
            s->costs[n++] = s->costs[i];
    if (n)
        qsort(s->costs, n, sizeof *s->costs, compare_costs);
    put_head(x);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || s->costs[i].fn != s->costs[i - 1].fn)
            put_function(x, s->costs[i].fn, "\nfl=", "\nfn=");
        put_costs(x, &s->costs[i]);
    }
    pt_out_text(x->out, "\ntotals: ");
    pt_out_u64(x->out, s->total);
    pt_out_char(x->out, '\n');
    return pt_export_status(x);
}

static enum pt_status
thread(struct pt_export *x, uint32_t id)
{
    return PT_OK;
}

static void
clear(struct pt_export *x)
{
    struct state *s = x->state;
    free(s->costs);
    for (unsigned i = 0; i < 2; i++) {
        free(s->levels[i]);
        free(s->told[i]);
    }
    free(s->files);
    free(s->file_told);
}

/* Thread by thread: what is open is counted by function alone. */
const struct pt_export_format pt_export_callgrind = {
    .name = "callgrind",
    .size = sizeof(struct state),
    .lines = true,
    .thread_by_thread = true,
    .begin = begin,
    .thread = thread,
    .begun = begun,
    .ended = ended,
    .spent = spent,
    .thread_end = thread,
    .end = end,
    .clear = clear,
};
