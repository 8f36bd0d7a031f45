/* pprof's profile.proto, gzipped: a sample for each path of calls, with the
 * calls that end there and the time spent there itself. */
#include "analyze/export.h"
#include "analyze/gzip.h"

#include <stdlib.h>
#include <string.h>

/* Field numbers of profile.proto. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14,
    TYPE_TYPE = 1,
    TYPE_UNIT = 2,
    SAMPLE_LOCATION = 1,
    SAMPLE_VALUE = 2,
    SAMPLE_LABEL = 3,
    LABEL_KEY = 1,
    LABEL_STR = 2,
    LABEL_NUM = 3,
    LOCATION_ID = 1,
    LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    LINE_LINE = 2,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_FILE = 4,
    FUNCTION_LINE = 5,
};

/* The first strings of the table; the others follow as they are needed. */
enum {
    S_EMPTY,
    S_CALLS,
    S_COUNT,
    S_TIME,
    S_NANOSECONDS,
    S_THREAD,
    S_TID,
    S_PID
};
static const char *const fixed[] = {
    "", "calls", "count", "time", "nanoseconds", "thread", "tid", "pid"};

struct writer {
    struct pt_export *x;
    struct pt_gzip *gzip;
    uint64_t strings;   /* written */
    uint32_t *location; /* by function, and last of "more"; 0 none */
    uint32_t nlocations;
    uint64_t *thread;                /* by root: the string that names it */
    struct pt_growing message, part; /* scratch */
    char *text;                      /* scratch, of `room` bytes */
    size_t room;
};

/* --- protocol buffers ----------------------------------------------------- */

static void
put_varint(struct pt_growing *g, uint64_t n)
{
    char bytes[10];
    size_t used = 0;
    for (; n >= 128; n >>= 7)
        bytes[used++] = (char)(n | 128);
    bytes[used++] = (char)n;
    pt_growing_put(g, bytes, used);
}

static void
put_number(struct pt_growing *g, unsigned field, uint64_t n)
{
    put_varint(g, field << 3);
    put_varint(g, n);
}

static void
put_bytes(struct pt_growing *g, unsigned field, const void *data, size_t len)
{
    put_varint(g, field << 3 | 2);
    put_varint(g, len);
    pt_growing_put(g, data, len);
}

/* Appends `part` to `message` and empties it. */
static void
put_part(struct writer *w, unsigned field)
{
    put_bytes(&w->message, field, w->part.data, w->part.used);
    w->part.used = 0;
}

/* Writes `message` as a field of the profile and empties it. */
static void
write_message(struct writer *w, unsigned field)
{
    struct pt_growing *head = &w->part;
    put_varint(head, field << 3 | 2);
    put_varint(head, w->message.used);
    pt_gzip_put(w->gzip, head->data, head->used);
    pt_gzip_put(w->gzip, w->message.data, w->message.used);
    w->message.used = head->used = 0;
}

static void
write_number(struct writer *w, unsigned field, uint64_t n)
{
    put_number(&w->part, field, n);
    pt_gzip_put(w->gzip, w->part.data, w->part.used);
    w->part.used = 0;
}

/* Adds a string to the table, as text that is UTF-8; its number, or 0 without
 * memory. */
static uint64_t
write_string(struct writer *w, struct pt_str s)
{
    size_t need = 4 * s.len + 8;
    if (need > w->room) {
        char *text = realloc(w->text, need);
        if (!text) {
            w->message.failed = true;
            return 0;
        }
        w->text = text;
        w->room = need;
    }
    size_t n = pt_text_escape(s, w->text, w->room);
    pt_growing_put(&w->message, w->text, n);
    write_message(w, PROFILE_STRING);
    return w->strings++;
}

/* --- the profile ---------------------------------------------------------- */

static void
write_head(struct writer *w)
{
    static const int types[][2] = {{S_CALLS, S_COUNT}, {S_TIME, S_NANOSECONDS}};
    const struct pt_header *h = pt_trace_header(w->x->trace);
    const struct pt_end *end = pt_trace_end(w->x->trace);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        write_string(w, (struct pt_str){fixed[i], strlen(fixed[i])});
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        put_number(&w->message, TYPE_TYPE, (uint64_t)types[i][0]);
        put_number(&w->message, TYPE_UNIT, (uint64_t)types[i][1]);
        write_message(w, PROFILE_SAMPLE_TYPE);
    }
    write_number(w, PROFILE_DEFAULT_SAMPLE_TYPE, S_TIME);
    write_number(w, PROFILE_TIME_NANOS, (uint64_t)h->clock.unix_ns);
    if (end && !w->x->session->filter->ranged)
        write_number(w, PROFILE_DURATION_NANOS, (uint64_t)end->time);
}

static uint32_t *
location_of(struct writer *w, const struct pt_profile *p, uint32_t fn)
{
    return &w->location[fn < p->nfunctions ? fn : p->nfunctions];
}

/* A function, and the one location in it, of the same number. */
static void
write_function(struct writer *w, const struct pt_profile *p, uint32_t fn)
{
    char buffer[PT_NAME_TEXT];
    uint32_t *location = location_of(w, p, fn);
    if (*location)
        return;
    *location = ++w->nlocations;
    struct pt_function_name f = pt_export_name(p, fn, buffer);
    uint64_t name = write_string(w, f.name), file = write_string(w, f.file);
    put_number(&w->message, FUNCTION_ID, *location);
    put_number(&w->message, FUNCTION_NAME, name);
    put_number(&w->message, FUNCTION_FILE, file);
    put_number(&w->message, FUNCTION_LINE, f.line);
    write_message(w, PROFILE_FUNCTION);
    put_number(&w->part, LINE_FUNCTION, *location);
    put_number(&w->part, LINE_LINE, f.line);
    put_number(&w->message, LOCATION_ID, *location);
    put_part(w, LOCATION_LINE);
    write_message(w, PROFILE_LOCATION);
}

static void
put_label(struct writer *w, uint64_t key, unsigned field, uint64_t value)
{
    put_number(&w->part, LABEL_KEY, key);
    put_number(&w->part, field, value);
    put_part(w, SAMPLE_LABEL);
}

static void
write_sample(struct writer *w, const struct pt_profile *p, uint32_t at)
{
    const struct pt_calltree *t = p->tree;
    const struct pt_trace *trace = w->x->trace;
    uint32_t n = pt_export_path(w->x, t, at);
    uint32_t root = t->nodes[w->x->path[0]].parent;
    uint32_t id = t->nodes[root].thread;
    for (uint32_t k = n; k-- > 0;)
        put_varint(&w->part, *location_of(w, p, t->nodes[w->x->path[k]].fn));
    put_part(w, SAMPLE_LOCATION);
    put_varint(&w->part, t->nodes[at].calls);
    put_varint(&w->part, t->nodes[at].exclusive);
    put_part(w, SAMPLE_VALUE);
    const struct pt_thread *thread = pt_trace_thread(trace, id);
    const struct pt_process *process =
        thread ? pt_trace_process(trace, thread->process) : NULL;
    put_label(w, S_THREAD, LABEL_STR, w->thread[root]);
    if (thread)
        put_label(w, S_TID, LABEL_NUM, thread->tid);
    if (process)
        put_label(w, S_PID, LABEL_NUM, process->pid);
    write_message(w, PROFILE_SAMPLE);
}

static enum pt_status
write_profile(struct writer *w, const struct pt_profile *p)
{
    const struct pt_calltree *t = p->tree;
    struct pt_export *x = w->x;
    write_head(w);
    for (uint32_t i = 1; i < t->n; i++) {
        const struct pt_calltree_node *node = &t->nodes[i];
        if (node->depth)
            write_function(w, p, node->fn);
        else
            w->thread[i] = write_string(w, pt_export_thread(x, node->thread));
    }
    for (uint32_t i = 1; i < t->n && x->out->status == PT_OK; i++)
        if (t->nodes[i].depth && (t->nodes[i].calls || t->nodes[i].exclusive))
            write_sample(w, p, i);
    pt_gzip_end(w->gzip);
    return w->message.failed || w->part.failed ? PT_ENOMEM
                                               : pt_export_status(x);
}

static enum pt_status
put_tree(struct pt_export *x, const struct pt_profile *p)
{
    struct writer w = {.x = x};
    w.location = calloc((size_t)p->nfunctions + 1, sizeof *w.location);
    w.thread = calloc((size_t)p->tree->n + 1, sizeof *w.thread);
    enum pt_status st =
        w.location && w.thread ? pt_gzip_new(x->out, &w.gzip) : PT_ENOMEM;
    if (st == PT_OK)
        st = write_profile(&w, p);
    pt_gzip_free(w.gzip);
    pt_growing_free(&w.message);
    pt_growing_free(&w.part);
    free(w.location);
    free(w.thread);
    free(w.text);
    return st;
}

const struct pt_export_format pt_export_pprof = {
    .name = "pprof", .binary = true, .by_thread = true, .tree = put_tree};
