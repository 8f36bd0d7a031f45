/* The Trace Event Format: a pair of events for each call.  Pairs, for two calls
 * that begin in the same nanosecond nest by the order of the events alone.
 *
 * Its tracks are named by process and thread numbers, which the kernel gives
 * again when their owner has ended: of those who shared one, all but the first
 * get a number that no kernel gives. */
#include "analyze/export.h"
#include "analyze/thread_ids.h"

#include <stdlib.h>

enum { ABOVE_ALL_PIDS = 1 << 22 };

struct state {
    uint32_t *pids, *tids; /* by id of the trace */
    uint32_t nprocesses, nthreads;
    bool *named; /* processes */
};

/* --- numbers -------------------------------------------------------------- */

struct number {
    uint64_t key;
    uint32_t id;
};

static int
compare_numbers(const void *a, const void *b)
{
    const struct number *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The low half of a key is the native number. */
static void
give_numbers(struct number *numbers, uint32_t n, uint32_t *out)
{
    qsort(numbers, n, sizeof *numbers, compare_numbers);
    for (uint32_t i = 0; i < n; i++) {
        bool taken = i && numbers[i].key == numbers[i - 1].key;
        uint32_t native = (uint32_t)numbers[i].key;
        out[numbers[i].id] =
            taken || native == 0 ? ABOVE_ALL_PIDS + numbers[i].id : native;
    }
}

static enum pt_status
number_tracks(struct pt_export *x)
{
    struct state *s = x->state;
    s->nprocesses = pt_trace_process_count(x->trace) + 1;
    s->nthreads = pt_trace_thread_count(x->trace) + 1;
    uint32_t most = s->nprocesses > s->nthreads ? s->nprocesses : s->nthreads;
    s->pids = calloc(s->nprocesses, sizeof *s->pids);
    s->tids = calloc(s->nthreads, sizeof *s->tids);
    s->named = calloc(s->nprocesses, sizeof *s->named);
    struct number *numbers = calloc(most, sizeof *numbers);
    if (!s->pids || !s->tids || !s->named || !numbers) {
        free(numbers);
        return PT_ENOMEM;
    }
    for (uint32_t id = 0; id < s->nprocesses; id++) {
        const struct pt_process *p = pt_trace_process(x->trace, id);
        numbers[id] = (struct number){p ? p->pid : 0, id};
    }
    give_numbers(numbers, s->nprocesses, s->pids);
    for (uint32_t id = 0; id < s->nthreads; id++) {
        const struct pt_thread *t = pt_trace_thread(x->trace, id);
        numbers[id] =
            (struct number){t ? (uint64_t)t->process << 32 | t->tid : 0, id};
    }
    give_numbers(numbers, s->nthreads, s->tids);
    free(numbers);
    return PT_OK;
}

/* 0 where it is not known. */
static uint32_t
process_of(const struct pt_export *x, uint32_t thread)
{
    const struct state *s = x->state;
    const struct pt_thread *t = pt_trace_thread(x->trace, thread);
    return t && t->process < s->nprocesses ? t->process : 0;
}

/* --- events --------------------------------------------------------------- */

/* Opens an event: what every one has.  Damage may have taken a thread's
 * definition: it is then of a process of its own kind. */
static void
open_event(struct pt_export *x, const char *phase, uint32_t thread)
{
    const struct state *s = x->state;
    struct pt_json *j = &x->json;
    pt_json_open(j, '{');
    pt_json_member_text(j, "ph", phase);
    pt_json_member_u64(j, "pid", s->pids[process_of(x, thread)]);
    pt_json_member_u64(j, "tid",
                       thread < s->nthreads
                           ? s->tids[thread]
                           : ABOVE_ALL_PIDS + (uint64_t)thread);
}

static void
put_time(struct pt_json *j, int64_t time)
{
    pt_json_key(j, "ts");
    pt_json_micros(j, time);
}

static void
put_name(struct pt_export *x, const char *what, uint32_t thread,
         struct pt_str name)
{
    struct pt_json *j = &x->json;
    open_event(x, "M", thread);
    pt_json_member_text(j, "name", what);
    pt_json_key(j, "args");
    pt_json_open(j, '{');
    pt_json_member_str(j, "name", name);
    pt_json_close(j, '}');
    pt_json_close(j, '}');
}

/* Tracks stand in the order in which they began, as ids do. */
static void
put_order(struct pt_export *x, const char *what, uint32_t thread,
          uint32_t order)
{
    struct pt_json *j = &x->json;
    open_event(x, "M", thread);
    pt_json_member_text(j, "name", what);
    pt_json_key(j, "args");
    pt_json_open(j, '{');
    pt_json_member_u64(j, "sort_index", order);
    pt_json_close(j, '}');
    pt_json_close(j, '}');
}

/* Names a thread, and its process where that has none yet. */
static void
put_names(struct pt_export *x, uint32_t thread)
{
    struct state *s = x->state;
    uint32_t process = process_of(x, thread);
    if (!s->named[process]) {
        s->named[process] = true;
        put_name(x, "process_name", thread, pt_export_process(x, process));
        put_order(x, "process_sort_index", thread, process);
    }
    put_name(x, "thread_name", thread, pt_export_thread(x, thread));
    put_order(x, "thread_sort_index", thread, thread);
}

static enum pt_status
begin(struct pt_export *x)
{
    struct pt_json *j = &x->json;
    struct pt_thread_ids threads;
    enum pt_status st = number_tracks(x);
    if (st == PT_OK)
        st = pt_thread_ids_init(&threads, x->trace);
    if (st != PT_OK)
        return st;
    pt_json_init(j, x->out, 3);
    pt_json_open(j, '{');
    pt_json_member_text(j, "displayTimeUnit", "ns");
    pt_json_key(j, "traceEvents");
    pt_json_open(j, '[');
    for (size_t i = 0; i < threads.n; i++)
        if (pt_export_wants(x, threads.ids[i]))
            put_names(x, threads.ids[i]);
    pt_thread_ids_clear(&threads);
    return pt_export_status(x);
}

static enum pt_status
begun(void *state, const struct pt_span_lane *lane)
{
    struct pt_export *x = state;
    struct pt_json *j = &x->json;
    char buffer[PT_NAME_TEXT];
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    struct pt_function_name f = pt_export_function(x, span, buffer);
    open_event(x, "B", lane->thread);
    put_time(j, span->start);
    pt_json_member_text(j, "cat", span->callable ? "c" : "python");
    pt_json_member_str(j, "name", f.name);
    if (!span->callable || span->partial) {
        pt_json_key(j, "args");
        pt_json_open(j, '{');
        if (!span->callable) {
            pt_json_member_str(j, "file", f.file);
            pt_json_member_u64(j, "line", f.line);
        }
        if (span->partial)
            pt_json_member_bool(j, "partial", true);
        pt_json_close(j, '}');
    }
    pt_json_close(j, '}');
    return pt_export_status(x);
}

/* The name is not needed, but some viewers pair by it. */
static enum pt_status
ended(void *state, const struct pt_span_lane *lane, int64_t time)
{
    struct pt_export *x = state;
    struct pt_json *j = &x->json;
    char buffer[PT_NAME_TEXT];
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    open_event(x, "E", lane->thread);
    put_time(j, time);
    pt_json_member_str(j, "name", pt_export_function(x, span, buffer).name);
    pt_json_close(j, '}');
    return pt_export_status(x);
}

static enum pt_status
gap(void *state, const struct pt_span_lane *lane, int64_t time, uint64_t lost)
{
    struct pt_export *x = state;
    struct pt_json *j = &x->json;
    open_event(x, "i", lane->thread);
    put_time(j, time);
    pt_json_member_text(j, "cat", "gap");
    pt_json_member_text(j, "name", "gap: events are missing");
    pt_json_member_text(j, "s", "t");
    pt_json_key(j, "args");
    pt_json_open(j, '{');
    pt_json_maybe_u64(j, "lost", lost != UINT64_MAX, lost);
    pt_json_close(j, '}');
    pt_json_close(j, '}');
    return pt_export_status(x);
}

static enum pt_status
end(struct pt_export *x)
{
    struct pt_json *j = &x->json;
    const struct pt_header *h = pt_trace_header(x->trace);
    pt_json_close(j, ']');
    pt_json_key(j, "otherData");
    pt_json_open(j, '{');
    pt_json_member_text(j, "exporter", "ptana " PT_VERSION);
    pt_json_member_str(j, "recorder", h->writer);
    pt_json_member_str(j, "preset", h->preset);
    pt_json_member_i64(j, "unix_ns_at_0", h->clock.unix_ns);
    pt_json_close(j, '}');
    pt_json_close(j, '}');
    pt_json_finish(j);
    return PT_OK;
}

static void
clear(struct pt_export *x)
{
    struct state *s = x->state;
    free(s->pids);
    free(s->tids);
    free(s->named);
}

const struct pt_export_format pt_export_chrome = {
    .name = "chrome",
    .size = sizeof(struct state),
    .begin = begin,
    .begun = begun,
    .ended = ended,
    .gap = gap,
    .end = end,
    .clear = clear,
};
