/* The two reports of ptana info. */
#include "analyze/info.h"
#include "analyze/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LABEL = 12, THREADS_SHOWN = 20, PROCESSES_SHOWN = 20 };

/* --- text ----------------------------------------------------------------- */

static void
label(struct pt_session *s, const char *text)
{
    pt_out_style(s->out, PT_STYLE_BOLD);
    pt_out_printf(s->out, "%-*s", LABEL, text);
    pt_out_style(s->out, PT_STYLE_PLAIN);
}

void
pt_info_words(struct pt_out *o, const struct pt_str *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            pt_out_char(o, ' ');
        bool quote = words[i].len == 0;
        for (size_t k = 0; k < words[i].len; k++)
            quote |= strchr(" \t\n'\"\\$*?;&|<>()`#", words[i].data[k]) != NULL;
        if (!quote) {
            pt_out_str(o, words[i]);
            continue;
        }
        /* As a shell takes it: '\'' is a quote between two quoted parts. */
        struct pt_str rest = words[i];
        pt_out_char(o, '\'');
        for (const char *q;
             rest.len && (q = memchr(rest.data, '\'', rest.len));) {
            size_t len = (size_t)(q - rest.data);
            pt_out_str(o, (struct pt_str){rest.data, len});
            pt_out_text(o, "'\\''");
            rest = (struct pt_str){q + 1, rest.len - len - 1};
        }
        pt_out_str(o, rest);
        pt_out_char(o, '\'');
    }
}

/* What less than everything was recorded by. */
static void
put_filters(struct pt_session *s, const struct pt_header *h)
{
    if (h->nfilters == 0)
        return;
    label(s, "filters");
    for (size_t i = 0; i < h->nfilters; i++) {
        pt_out_text(s->out, i ? " --" : "--");
        pt_info_words(s->out, &h->filters[i], 1);
    }
    pt_out_text(s->out, "\n");
}

static struct pt_str
clock_source(const struct pt_header *h)
{
    return (struct pt_str){h->clock.source,
                           strnlen(h->clock.source, sizeof h->clock.source)};
}

/* The preset's name does not tell what options added or left out. */
static void
put_kinds(struct pt_out *o, uint32_t mask)
{
    const char *before = " (";
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        if (mask >> k & 1 && pt_kind_name(k)) {
            pt_out_text(o, before);
            pt_out_text(o, pt_kind_name(k));
            before = " ";
        }
    if (before[1] == 0)
        pt_out_char(o, ')');
}

static void
text_head(struct pt_session *s, const struct pt_info *info)
{
    const struct pt_header *h = pt_trace_header(s->trace);
    const struct pt_damage *d = pt_trace_damage(s->trace);
    const struct pt_end *end = pt_trace_end(s->trace);
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT], lost[PT_LOST_TEXT];
    struct tm tm;
    time_t when = (time_t)(h->clock.unix_ns / 1000000000);

    label(s, "trace");
    pt_out_printf(s->out, "%s, %s, ", pt_trace_path(s->trace),
                  pt_text_size(pt_trace_size(s->trace), a));
    if (end)
        pt_out_str(s->out, end->reason);
    else
        pt_out_text(s->out, d->torn ? "torn: it was not closed well"
                                    : "without an end");
    uint64_t bad = d->bad_chunks + s->trouble.bad_chunks;
    if (bad)
        pt_out_printf(s->out, ", but %s damaged chunk%s",
                      pt_text_grouped(bad, a), pt_text_plural(bad));
    if (info->gaps)
        pt_out_printf(
            s->out, "; %s lost in %s gap%s", pt_session_lost(&s->trouble, lost),
            pt_text_grouped(info->gaps, a), pt_text_plural(info->gaps));
    pt_out_char(s->out, '\n');
    if (d->text[0]) {
        label(s, "damage");
        pt_out_printf(s->out, "%s\n", pt_session_damage(s));
    }
    label(s, "recorded");
    if (h->clock.unix_ns > 0 && gmtime_r(&when, &tm))
        pt_out_printf(s->out, "%04d-%02d-%02d %02d:%02d:%02d UTC ",
                      tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                      tm.tm_min, tm.tm_sec);
    pt_out_text(s->out, "by ");
    pt_out_str(s->out, h->writer);
    pt_out_text(s->out, " on ");
    pt_out_str(s->out, h->host);
    pt_out_text(s->out, ", ");
    pt_out_str(s->out, h->system);
    pt_out_text(s->out, "\n");
    label(s, "command");
    pt_info_words(s->out, h->argv, h->argc);
    pt_out_text(s->out, "\n");
    label(s, "directory");
    pt_out_str(s->out, h->cwd);
    pt_out_text(s->out, "\n");
    label(s, "preset");
    pt_out_str(s->out, h->preset);
    put_kinds(s->out, h->events);
    double quantum = ldexp((double)h->clock.quantum * (double)h->clock.mult,
                           -(int)h->clock.shift);
    pt_out_text(s->out, "; clock ");
    pt_out_str(s->out, clock_source(h));
    pt_out_printf(s->out, ", in steps of %.3g ns\n", quantum);
    put_filters(s, h);
    label(s, "duration");
    pt_out_printf(s->out, "%s, %s events\n",
                  pt_text_duration(pt_info_duration(info), a),
                  pt_text_grouped(info->events, b));
}

static void
put_ending(struct pt_out *o, const struct pt_process_end *e)
{
    const char *name = NULL;
    switch (e ? e->ending : PT_ENDED_UNKNOWN) {
    case PT_ENDED_EXIT:
        pt_out_printf(o, "exited with status %d", e->value);
        return;
    case PT_ENDED_SIGNAL:
        name = sigabbrev_np(e->value);
        pt_out_printf(o, "ended by signal %d%s%s", e->value, name ? " SIG" : "",
                      name ? name : "");
        return;
    case PT_ENDED_EXEC:
        pt_out_text(o, "became another program (exec)");
        return;
    case PT_ENDED_GONE:
        pt_out_text(o, "ended, nobody could learn how");
        return;
    default:
        pt_out_text(o, "end unknown: the recording stopped before it did");
    }
}

static void
text_threads(struct pt_session *s, const struct pt_info *info, uint32_t process)
{
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT], c[PT_NUMBER_TEXT];
    uint32_t shown = 0, more = 0;
    for (uint32_t id = 1; id <= pt_trace_thread_count(s->trace); id++) {
        const struct pt_thread *t = pt_trace_thread(s->trace, id);
        const struct pt_info_thread *n = &info->threads[id];
        if (!t || t->process != process)
            continue;
        if (shown++ >= THREADS_SHOWN) {
            more++;
            continue;
        }
        pt_out_printf(s->out, "  #%-4" PRIu32 " tid %-8" PRIu32 " %12s events",
                      id, t->tid, pt_text_grouped(n->events, a));
        if (n->events)
            pt_out_printf(s->out, "  %10s to %10s",
                          pt_text_duration(n->first, b),
                          pt_text_duration(n->last, c));
        if (t->name.len) {
            pt_out_text(s->out, "  ");
            pt_out_str(s->out, t->name);
        }
        if (t->carrier)
            pt_out_printf(s->out, "  greenlets of #%" PRIu32, t->carrier);
        pt_out_char(s->out, '\n');
    }
    if (more)
        pt_out_printf(s->out, "  and %" PRIu32 " more threads\n", more);
}

static void
text_processes(struct pt_session *s, const struct pt_info *info)
{
    char a[PT_NUMBER_TEXT];
    uint32_t shown = 0, more = 0;
    for (uint32_t id = 1; id <= pt_trace_process_count(s->trace); id++) {
        const struct pt_process *p = pt_trace_process(s->trace, id);
        const struct pt_interpreter *py;
        if (!p)
            continue;
        if (shown++ >= PROCESSES_SHOWN) {
            more++;
            continue;
        }
        pt_out_char(s->out, '\n');
        label(s, "process");
        pt_out_printf(s->out, "pid %" PRIu32 ", ", p->pid);
        put_ending(s->out, pt_trace_process_end(s->trace, id));
        pt_out_text(s->out, "\n  ");
        pt_info_words(s->out, p->argv, p->argc);
        py = pt_trace_interpreter(s->trace, p->interpreter);
        if (py) {
            struct pt_str version = py->version;
            const char *space =
                version.len ? memchr(version.data, ' ', version.len) : NULL;
            if (space)
                version.len = (size_t)(space - version.data);
            pt_out_text(s->out, "\n  Python ");
            pt_out_str(s->out, version);
            pt_out_text(s->out, " (");
            pt_out_str(s->out, p->executable);
            pt_out_text(s->out, ")");
        }
        pt_out_char(s->out, '\n');
        text_threads(s, info, id);
    }
    if (more)
        pt_out_printf(s->out,
                      "\nand %s more process%s: ptana info --processes\n",
                      pt_text_grouped(more, a), more == 1 ? "" : "es");
}

static void
text_counts(struct pt_session *s, const struct pt_info *info)
{
    char a[PT_NUMBER_TEXT], b[PT_LOST_TEXT];
    uint32_t codes = pt_trace_code_count(s->trace);
    uint32_t callables = pt_trace_callable_count(s->trace);
    uint32_t sources = pt_trace_source_count(s->trace);
    pt_out_char(s->out, '\n');
    label(s, "events");
    pt_out_printf(s->out, "%s in %s chunk%s\n",
                  pt_text_grouped(info->events, a),
                  pt_text_grouped(info->event_chunks, b),
                  pt_text_plural(info->event_chunks));
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++) {
        if (info->kinds[k] == 0)
            continue;
        const char *name = pt_kind_name(k);
        char number[16];
        snprintf(number, sizeof number, "kind %u", k);
        pt_out_printf(s->out, "  %-12s %15s  %5.1f %%\n", name ? name : number,
                      pt_text_grouped(info->kinds[k], a),
                      100.0 * (double)info->kinds[k] / (double)info->events);
    }
    if (info->gaps)
        pt_out_printf(
            s->out, "  %s gap%s, %s lost\n", pt_text_grouped(info->gaps, a),
            pt_text_plural(info->gaps), pt_session_lost(&s->trouble, b));
    pt_out_char(s->out, '\n');
    label(s, "bytes");
    pt_out_printf(s->out, "%s\n", pt_text_grouped(pt_trace_size(s->trace), a));
    pt_out_printf(s->out, "  %-12s %15s", "events",
                  pt_text_grouped(info->event_bytes, a));
    if (info->events)
        pt_out_printf(s->out, "  %.3f an event",
                      (double)info->event_bytes / (double)info->events);
    pt_out_printf(s->out,
                  "\n  %-12s %15s  %" PRIu32 " code object%s, %" PRIu32
                  " callable%s, %" PRIu32 " source%s\n",
                  "definitions", pt_text_grouped(info->definition_bytes, a),
                  codes, pt_text_plural(codes), callables,
                  pt_text_plural(callables), sources, pt_text_plural(sources));
    if (info->syntax_bytes)
        pt_out_printf(s->out, "  %-12s %15s\n", "syntax",
                      pt_text_grouped(info->syntax_bytes, a));
    if (info->value_bytes) {
        uint64_t values = info->kinds[PT_VALUE];
        pt_out_printf(s->out, "  %-12s %15s", "values",
                      pt_text_grouped(info->value_bytes, a));
        if (values)
            pt_out_printf(s->out, "  %.3f a value",
                          (double)info->value_bytes / (double)values);
        pt_out_char(s->out, '\n');
    }
    pt_out_printf(s->out, "  %-12s %15s  header, index, end\n", "other",
                  pt_text_grouped(info->other_bytes, a));
}

void
pt_info_text(struct pt_session *s, const struct pt_info *info)
{
    text_head(s, info);
    text_processes(s, info);
    text_counts(s, info);
}

/* --- JSON ----------------------------------------------------------------- */

static void
member_strs(struct pt_json *j, const char *key, const struct pt_str *values,
            size_t n)
{
    pt_json_key(j, key);
    pt_json_open(j, '[');
    for (size_t i = 0; i < n; i++)
        pt_json_str(j, values[i]);
    pt_json_close(j, ']');
}

static void
member_kinds(struct pt_json *j, const char *key, uint32_t mask)
{
    pt_json_key(j, key);
    pt_json_open(j, '[');
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        if (mask & 1u << k && pt_kind_name(k))
            pt_json_text(j, pt_kind_name(k));
    pt_json_close(j, ']');
}

static void
json_header(struct pt_json *j, const struct pt_header *h)
{
    pt_json_key(j, "header");
    pt_json_open(j, '{');
    pt_json_member_u64(j, "version", h->version);
    pt_json_member_str(j, "writer", h->writer);
    pt_json_member_str(j, "preset", h->preset);
    member_strs(j, "filters", h->filters, h->nfilters);
    pt_json_member_str(j, "host", h->host);
    pt_json_member_str(j, "system", h->system);
    pt_json_member_str(j, "cwd", h->cwd);
    pt_json_member_str(j, "uuid", h->uuid);
    member_strs(j, "argv", h->argv, h->argc);
    member_kinds(j, "events", h->events);
    member_kinds(j, "stamped", h->stamped);
    pt_json_key(j, "clock");
    pt_json_open(j, '{');
    pt_json_member_str(j, "source", clock_source(h));
    pt_json_member_u64(j, "origin", h->clock.origin);
    pt_json_member_u64(j, "mult", h->clock.mult);
    pt_json_member_u64(j, "shift", h->clock.shift);
    pt_json_member_u64(j, "quantum", h->clock.quantum);
    pt_json_member_i64(j, "unix_ns", h->clock.unix_ns);
    pt_json_close(j, '}');
    pt_json_close(j, '}');
}

static void
json_processes(struct pt_json *j, const struct pt_trace *trace)
{
    static const struct pt_process_end none = {.ending = PT_ENDED_UNKNOWN};
    pt_json_key(j, "processes");
    pt_json_open(j, '[');
    for (uint32_t id = 1; id <= pt_trace_process_count(trace); id++) {
        const struct pt_process *p = pt_trace_process(trace, id);
        const struct pt_process_end *e = pt_trace_process_end(trace, id);
        if (!p)
            continue;
        bool ended = e != NULL;
        if (!ended)
            e = &none;
        pt_json_open(j, '{');
        pt_json_member_u64(j, "id", id);
        pt_json_member_u64(j, "pid", p->pid);
        pt_json_member_u64(j, "parent", p->parent);
        pt_json_member_u64(j, "interpreter", p->interpreter);
        pt_json_member_i64(j, "time", p->time);
        pt_json_member_str(j, "executable", p->executable);
        pt_json_member_str(j, "cwd", p->cwd);
        member_strs(j, "argv", p->argv, p->argc);
        pt_json_key(j, "ended");
        pt_json_open(j, '{');
        pt_json_member_text(j, "how", pt_info_ending(e));
        pt_json_maybe_i64(j, "value",
                          e->ending == PT_ENDED_EXIT ||
                              e->ending == PT_ENDED_SIGNAL,
                          e->value);
        pt_json_maybe_i64(j, "time", ended, e->time);
        pt_json_member_u64(j, "lost", e->lost);
        pt_json_close(j, '}');
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
json_threads(struct pt_json *j, const struct pt_trace *trace,
             const struct pt_info *info)
{
    pt_json_key(j, "threads");
    pt_json_open(j, '[');
    for (uint32_t id = 1; id <= pt_trace_thread_count(trace); id++) {
        const struct pt_thread *t = pt_trace_thread(trace, id);
        const struct pt_info_thread *n = &info->threads[id];
        if (!t)
            continue;
        pt_json_open(j, '{');
        pt_json_member_u64(j, "id", id);
        pt_json_member_u64(j, "process", t->process);
        pt_json_member_u64(j, "tid", t->tid);
        pt_json_member_str(j, "name", t->name);
        pt_json_member_u64(j, "carrier", t->carrier);
        pt_json_member_i64(j, "time", t->time);
        pt_json_member_u64(j, "events", n->events);
        pt_json_maybe_i64(j, "first", n->events, n->first);
        pt_json_maybe_i64(j, "last", n->events, n->last);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
json_interpreters(struct pt_json *j, const struct pt_trace *trace)
{
    pt_json_key(j, "interpreters");
    pt_json_open(j, '[');
    for (uint32_t id = 1; id <= pt_trace_interpreter_count(trace); id++) {
        const struct pt_interpreter *p = pt_trace_interpreter(trace, id);
        if (!p)
            continue;
        pt_json_open(j, '{');
        pt_json_member_u64(j, "id", id);
        pt_json_member_u64(j, "hexversion", p->hexversion);
        pt_json_member_str(j, "version", p->version);
        pt_json_member_str(j, "soabi", p->soabi);
        pt_json_member_str(j, "executable", p->executable);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static void
json_amounts(struct pt_json *j, const struct pt_session *s,
             const struct pt_info *info)
{
    pt_json_member_i64(j, "duration", pt_info_duration(info));
    pt_json_member_u64(j, "events", info->events);
    pt_json_key(j, "kinds");
    pt_json_open(j, '{');
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        if (info->kinds[k] && pt_kind_name(k))
            pt_json_member_u64(j, pt_kind_name(k), info->kinds[k]);
    pt_json_close(j, '}');
    pt_json_member_u64(j, "gaps", info->gaps);
    pt_json_member_u64(j, "lost", info->lost);
    pt_json_member_u64(j, "chunks", info->chunks);
    pt_json_key(j, "bytes");
    pt_json_open(j, '{');
    pt_json_member_u64(j, "total", pt_trace_size(s->trace));
    pt_json_member_u64(j, "events", info->event_bytes);
    pt_json_member_u64(j, "definitions", info->definition_bytes);
    pt_json_member_u64(j, "syntax", info->syntax_bytes);
    if (info->value_bytes)
        pt_json_member_u64(j, "values", info->value_bytes);
    pt_json_member_u64(j, "other", info->other_bytes);
    pt_json_key(j, "per_event");
    if (info->events)
        pt_json_fixed(j, (double)info->event_bytes / (double)info->events, 4);
    else
        pt_json_null(j);
    pt_json_close(j, '}');
    pt_json_key(j, "definitions");
    pt_json_open(j, '{');
    pt_json_member_u64(j, "strings", pt_trace_string_count(s->trace));
    pt_json_member_u64(j, "codes", pt_trace_code_count(s->trace));
    pt_json_member_u64(j, "callables", pt_trace_callable_count(s->trace));
    pt_json_member_u64(j, "types", pt_trace_type_count(s->trace));
    pt_json_member_u64(j, "sources", pt_trace_source_count(s->trace));
    pt_json_close(j, '}');
}

void
pt_info_json(struct pt_session *s, const struct pt_info *info)
{
    const struct pt_damage *d = pt_trace_damage(s->trace);
    const struct pt_end *end = pt_trace_end(s->trace);
    const char *path = pt_trace_path(s->trace);
    struct pt_json j;
    pt_json_init(&j, s->out, 3);
    pt_json_open(&j, '{');
    pt_json_member_u64(&j, "version", 1);
    pt_json_member_text(&j, "path", path);
    pt_json_member_bool(&j, "torn", d->torn);
    pt_json_key(&j, "ending");
    if (end)
        pt_json_str(&j, end->reason);
    else
        pt_json_null(&j);
    pt_json_key(&j, "damage");
    pt_json_open(&j, '{');
    pt_json_member_u64(&j, "bad_chunks", d->bad_chunks);
    pt_json_member_u64(&j, "unknown_chunks", d->unknown_chunks);
    pt_json_member_u64(&j, "trailing", d->trailing);
    pt_json_member_i64(&j, "first_offset", d->first_offset);
    pt_json_member_text(&j, "text", d->text);
    pt_json_close(&j, '}');
    json_header(&j, pt_trace_header(s->trace));
    json_amounts(&j, s, info);
    json_interpreters(&j, s->trace);
    json_processes(&j, s->trace);
    json_threads(&j, s->trace, info);
    pt_json_close(&j, '}');
    pt_json_finish(&j);
}
