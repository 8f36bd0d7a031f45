/* Which part of a trace: positions, times, threads and processes, resolved once
 * against a trace's directory and definitions. */
#include "replay/filter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pt_status
pt_filter_fail(struct pt_error *error, enum pt_status status, const char *fmt,
               ...)
{
    va_list ap;
    if (!error)
        return status;
    *error = (struct pt_error){.status = status, .offset = -1, .seq = -1};
    va_start(ap, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, ap);
    va_end(ap);
    return status;
}

bool
pt_time_parse(const char *text, int64_t *out)
{
    static const struct {
        const char *name;
        long double ns;
    } units[] = {{"ns", 1},      {"us", 1e3L}, {"ms", 1e6L},  {"s", 1e9L},
                 {"min", 6e10L}, {"m", 6e10L}, {"h", 3.6e12L}};
    char *end;
    if (!strchr("0123456789.", text[0]) || !text[0])
        return false;
    long double value = strtold(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end != text && strcmp(end, units[i].name) == 0) {
            value = value * units[i].ns + 0.5L;
            if (!(value < 9.2e18L))
                return false;
            *out = (int64_t)value;
            return true;
        }
    return false;
}

static bool
parse_u64(const char *text, const char **end, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *end = p;
    *out = value;
    return p != text;
}

enum pt_status
pt_filter_time(const struct pt_trace *trace, uint64_t seq, int64_t *time,
               struct pt_error *error)
{
    size_t n = pt_trace_chunk_count(trace);
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(trace, i);
        if (c->type != PT_CHUNK_EVENTS || seq < c->seq ||
            seq - c->seq >= c->events)
            continue;
        struct pt_decoder *d;
        struct pt_events events;
        enum pt_status st = pt_decoder_new(trace, &d);
        if (st != PT_OK)
            return st;
        st = pt_decoder_events(d, i, &events);
        if (st == PT_OK)
            *time = events.events[seq - c->seq].time;
        else if (st == PT_EDAMAGED) {
            *time = c->time_first;
            st = PT_OK;
        } else if (error)
            *error = *pt_decoder_error(d);
        pt_decoder_free(d);
        return st;
    }
    return pt_filter_fail(error, PT_ENOTFOUND,
                          "%s holds no event %" PRIu64
                          "; ptana info tells how many "
                          "there are",
                          pt_trace_path(trace), seq);
}

/* One end of a range, as it is stored in the filter. */
struct bound {
    struct pt_moment at;
    uint64_t k;
    bool placed;
};

static enum pt_status
resolve(const struct pt_trace *trace, const char *text, bool from,
        struct bound *out, struct pt_error *error)
{
    uint64_t seq, k = 0;
    int64_t time = 0;
    const char *p;
    if (pt_time_parse(text, &time)) {
        *out = (struct bound){.at = {time, from ? 0 : UINT64_MAX}};
        return PT_OK;
    }
    if (!parse_u64(text, &p, &seq) ||
        (*p && (*p != '+' || !parse_u64(p + 1, &p, &k) || *p)))
        return pt_filter_fail(
            error, PT_EUSAGE,
            "\"%s\" is no position; write SEQ, SEQ+K, or a time such "
            "as 1.5s, 20ms, 300us",
            text);
    enum pt_status st = pt_filter_time(trace, seq, &time, error);
    if (st != PT_OK)
        return st;
    /* What follows SEQ by K instructions lies behind SEQ itself. */
    *out = (struct bound){{time, from && k ? seq + 1 : seq}, k, true};
    return PT_OK;
}

static enum pt_status
resolve_range(const struct pt_trace *trace, const struct pt_filter_spec *spec,
              struct pt_filter *f, struct pt_error *error)
{
    struct bound from = {.at = {INT64_MIN, 0}};
    struct bound to = {.at = {INT64_MAX, UINT64_MAX}};
    enum pt_status st = PT_OK;
    if (spec->from)
        st = resolve(trace, spec->from, true, &from, error);
    if (st == PT_OK && spec->to)
        st = resolve(trace, spec->to, false, &to, error);
    if (st != PT_OK)
        return st;
    f->from = from.at;
    f->from_k = from.k;
    f->from_placed = from.placed;
    f->to = to.at;
    f->to_k = to.k;
    f->to_placed = to.placed;
    f->ranged = spec->from || spec->to;
    uint64_t seq = from.at.seq - (from.k != 0);
    bool same = from.placed && to.placed && seq == to.at.seq;
    if (pt_moment_before(to.at.time, to.at.seq, from.at.time, seq) ||
        (same && to.k < from.k))
        return pt_filter_fail(
            error, PT_EUSAGE,
            "the range from %s to %s ends before it begins; exchange "
            "them",
            spec->from, spec->to);
    return PT_OK;
}

bool
pt_filter_place(const struct pt_filter *f, struct pt_moment at, uint64_t k,
                int64_t time)
{
    if (!f->ranged)
        return true;
    if (f->to_placed
            ? pt_moment_before(f->to.time, f->to.seq, at.time, at.seq) ||
                  (at.seq == f->to.seq && k > f->to_k)
            : time > f->to.time)
        return false;
    if (!f->from_placed)
        return time >= f->from.time;
    if (k == 0 || f->from_k == 0 || at.seq + 1 != f->from.seq)
        return !pt_moment_before(at.time, at.seq, f->from.time, f->from.seq);
    return k >= f->from_k;
}

/* The time of the last event; false where there is none, or none that could
 * be named by --from. */
static bool
trace_end(const struct pt_trace *trace, int64_t *last)
{
    *last = -1;
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(trace, i);
        if (c->type == PT_CHUNK_EVENTS && c->events && c->time_last > *last)
            *last = c->time_last;
    }
    return *last >= 0;
}

static bool
matches_thread(const char *pattern, uint32_t id, const struct pt_thread *thread)
{
    const char *end;
    uint64_t n;
    bool hash = pattern[0] == '#';
    if (parse_u64(pattern + hash, &end, &n) && !*end)
        return hash ? n == id : thread && n == thread->tid;
    return thread && pt_glob_name(pattern, thread->name);
}

static bool
matches_process(const struct pt_trace *trace, const char *pattern, uint32_t id)
{
    const struct pt_process *process = pt_trace_process(trace, id);
    const char *end;
    uint64_t n;
    bool hash = pattern[0] == '#';
    if (!parse_u64(pattern + hash, &end, &n) || *end)
        return false;
    return hash ? n == id : process && n == process->pid;
}

/* A process of which nothing was recorded has no thread. */
static bool
has_process(const struct pt_trace *trace, const char *pattern)
{
    for (uint32_t id = 1; id <= pt_trace_process_count(trace); id++)
        if (pt_trace_process(trace, id) && matches_process(trace, pattern, id))
            return true;
    return false;
}

/* Keeps the threads that one of the patterns names; every pattern must name
 * something. */
static enum pt_status
select_threads(const struct pt_trace *trace, const char *const *patterns,
               size_t n, bool by_thread, struct pt_filter *f,
               struct pt_error *error)
{
    if (n == 0)
        return PT_OK;
    uint8_t *hit = calloc(f->nthreads, 1);
    if (!hit)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        bool found = !by_thread && has_process(trace, patterns[i]);
        for (uint32_t id = 1; id < f->nthreads; id++) {
            const struct pt_thread *t = pt_trace_thread(trace, id);
            if (by_thread
                    ? !matches_thread(patterns[i], id, t)
                    : !t || !matches_process(trace, patterns[i], t->process))
                continue;
            hit[id] = 1;
            found = true;
        }
        if (!found) {
            free(hit);
            return pt_filter_fail(error, PT_ENOTFOUND,
                                  "%s has no %s \"%s\"; ptana info lists them",
                                  pt_trace_path(trace),
                                  by_thread ? "thread" : "process",
                                  patterns[i]);
        }
    }
    for (uint32_t id = 0; id < f->nthreads; id++)
        f->threads[id] &= hit[id];
    free(hit);
    return PT_OK;
}

enum pt_status
pt_filter_new(const struct pt_trace *trace, const struct pt_filter_spec *spec,
              struct pt_error *error, struct pt_filter **out)
{
    struct pt_filter *f = calloc(1, sizeof *f);
    if (!f)
        return PT_ENOMEM;
    f->nthreads = pt_trace_thread_count(trace) + 1;
    f->threads = malloc(f->nthreads);
    enum pt_status st = f->threads ? PT_OK : PT_ENOMEM;
    if (f->threads)
        memset(f->threads, 1, f->nthreads);
    int64_t last;
    if (st == PT_OK)
        st = resolve_range(trace, spec, f, error);
    if (st == PT_OK && spec->from && trace_end(trace, &last) &&
        f->from.time > last)
        st = pt_filter_fail(error, PT_ENOTFOUND,
                            "nothing is as late as %s: %s ends at %" PRId64
                            ".%09" PRId64 "s",
                            spec->from, pt_trace_path(trace), last / 1000000000,
                            last % 1000000000);
    if (st == PT_OK)
        st = select_threads(trace, spec->threads, spec->nthreads, true, f,
                            error);
    if (st == PT_OK)
        st = select_threads(trace, spec->processes, spec->nprocesses, false, f,
                            error);
    if (st == PT_OK)
        st = pt_filter_rules(trace, spec, f, error);
    if (st != PT_OK) {
        if (st == PT_ENOMEM)
            pt_filter_fail(error, st, "out of memory");
        pt_filter_free(f);
        return st;
    }
    *out = f;
    return PT_OK;
}

void
pt_filter_free(struct pt_filter *f)
{
    if (!f)
        return;
    free(f->threads);
    free(f->codes);
    free(f->starts);
    free(f);
}

static const struct pt_start *
start_of(const struct pt_filter *f, uint32_t process)
{
    return f->starts && process < f->nstarts ? &f->starts[process] : NULL;
}

bool
pt_filter_begun(const struct pt_filter *f, uint32_t process,
                struct pt_moment at, uint64_t k)
{
    const struct pt_start *s = start_of(f, process);
    if (!s || pt_moment_before(s->at.time, s->at.seq, at.time, at.seq))
        return true;
    return at.time == s->at.time && at.seq == s->at.seq && k >= s->k;
}

int64_t
pt_filter_first(const struct pt_filter *f, const struct pt_chunk_info *c)
{
    const struct pt_start *s = start_of(f, c->process);
    int64_t first = c->time_first;
    if (f->from.time > first)
        first = f->from.time;
    return s && s->time > first ? s->time : first;
}

bool
pt_filter_chunk(const struct pt_filter *f, const struct pt_chunk_info *c)
{
    const struct pt_start *s = start_of(f, c->process);
    if (c->thread < f->nthreads && !f->threads[c->thread])
        return false;
    if (s && c->time_last < s->at.time)
        return false;
    return c->time_last >= f->from.time && c->time_first <= f->to.time;
}
