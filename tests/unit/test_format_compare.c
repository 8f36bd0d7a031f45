#include "tests/unit/test_format.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
str_equal(struct pt_str a, struct pt_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool
strs_equal(const struct pt_str *a, size_t n, const struct pt_str *b, size_t m)
{
    if (n != m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!str_equal(a[i], b[i]))
            return false;
    return true;
}

/* By bits: NaN equals itself, and 0.0 is not -0.0. */
static bool
double_equal(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

bool
const_equal(const struct pt_const *a, const struct pt_const *b)
{
    return a->kind == b->kind && a->n == b->n && a->i == b->i &&
           double_equal(a->f, b->f) && double_equal(a->g, b->g) &&
           str_equal(a->s, b->s);
}

bool
code_equal(const struct pt_code *a, const struct pt_code *b)
{
    if (a->nconsts != b->nconsts)
        return false;
    for (size_t i = 0; i < a->nconsts; i++)
        if (!const_equal(&a->consts[i], &b->consts[i]))
            return false;
    return a->interpreter == b->interpreter && a->source == b->source &&
           a->firstline == b->firstline && a->argcount == b->argcount &&
           a->posonly == b->posonly && a->kwonly == b->kwonly &&
           a->flags == b->flags && a->stacksize == b->stacksize &&
           a->nlocals == b->nlocals && str_equal(a->file, b->file) &&
           str_equal(a->name, b->name) && str_equal(a->qualname, b->qualname) &&
           str_equal(a->bytecode, b->bytecode) &&
           str_equal(a->linetable, b->linetable) &&
           str_equal(a->exctable, b->exctable) &&
           str_equal(a->localkinds, b->localkinds) &&
           strs_equal(a->names, a->nnames, b->names, b->nnames) &&
           strs_equal(a->locals, a->nlocalsplus, b->locals, b->nlocalsplus);
}

bool
event_equal(const struct pt_event *a, const struct pt_event *b)
{
    return a->time == b->time && a->arg == b->arg && a->id == b->id &&
           a->pos == b->pos && a->dst == b->dst && a->kind == b->kind &&
           a->has == b->has;
}

bool
frame_equal(const struct pt_frame *a, const struct pt_frame *b)
{
    return a->key == b->key && a->seq == b->seq && a->id == b->id &&
           a->line == b->line && a->off == b->off &&
           a->callable == b->callable && a->at == b->at && a->dst == b->dst &&
           a->time == b->time;
}

bool
header_equal(const struct pt_header *a, const struct pt_header *b)
{
    return a->required == b->required && a->optional == b->optional &&
           a->clock.origin == b->clock.origin &&
           a->clock.mult == b->clock.mult && a->clock.shift == b->clock.shift &&
           a->clock.quantum == b->clock.quantum &&
           strcmp(a->clock.source, b->clock.source) == 0 &&
           a->clock.unix_ns == b->clock.unix_ns &&
           str_equal(a->writer, b->writer) && str_equal(a->preset, b->preset) &&
           str_equal(a->host, b->host) && str_equal(a->system, b->system) &&
           str_equal(a->cwd, b->cwd) && str_equal(a->uuid, b->uuid) &&
           strs_equal(a->argv, a->argc, b->argv, b->argc) &&
           strs_equal(a->filters, a->nfilters, b->filters, b->nfilters) &&
           a->events == b->events && a->stamped == b->stamped;
}

static bool
interpreter_equal(const struct pt_interpreter *a,
                  const struct pt_interpreter *b)
{
    for (unsigned op = 0; op < 256; op++)
        if (!str_equal(a->opcodes[op].name, b->opcodes[op].name) ||
            a->opcodes[op].flags != b->opcodes[op].flags ||
            a->opcodes[op].caches != b->opcodes[op].caches)
            return false;
    return a->hexversion == b->hexversion &&
           str_equal(a->version, b->version) && str_equal(a->soabi, b->soabi) &&
           str_equal(a->executable, b->executable) &&
           str_equal(a->stdlib, b->stdlib);
}

static bool
source_equal(const struct pt_source *a, const struct pt_source *b)
{
    return str_equal(a->file, b->file) && str_equal(a->path, b->path) &&
           str_equal(a->text, b->text) && a->hash == b->hash;
}

static bool
callable_equal(const struct pt_callable *a, const struct pt_callable *b)
{
    return a->kind == b->kind && str_equal(a->module, b->module) &&
           str_equal(a->owner, b->owner) && str_equal(a->name, b->name) &&
           str_equal(a->label, b->label);
}

static bool
type_equal(const struct pt_type *a, const struct pt_type *b)
{
    return str_equal(a->module, b->module) && str_equal(a->name, b->name);
}

static bool
process_equal(const struct pt_process *a, const struct pt_process *b)
{
    return a->parent == b->parent && a->interpreter == b->interpreter &&
           a->pid == b->pid && a->time == b->time &&
           str_equal(a->executable, b->executable) &&
           str_equal(a->cwd, b->cwd) &&
           strs_equal(a->argv, a->argc, b->argv, b->argc);
}

/* The name may come later, in a chunk that is not there. */
static bool
thread_equal(const struct pt_thread *a, const struct pt_thread *b)
{
    return a->process == b->process && a->tid == b->tid && a->time == b->time &&
           a->carrier == b->carrier &&
           (a->name.len == 0 || str_equal(a->name, b->name));
}

static bool
task_equal(const struct pt_task *a, const struct pt_task *b)
{
    return a->process == b->process && a->parent == b->parent &&
           a->code == b->code &&
           (a->name.len == 0 || str_equal(a->name, b->name));
}

/* Repair's stand-in for a definition that is lost. */
static bool
is_lost(struct pt_str name, uint32_t id)
{
    char text[32];
    int n = snprintf(text, sizeof text, "<lost %u>", id);
    return str_equal(name, (struct pt_str){text, (size_t)n});
}

bool
defs_within(const struct pt_trace *part, const struct pt_trace *whole)
{
#define WITHIN(noun, lost)                                                     \
    for (uint32_t id = 1; id <= pt_trace_##noun##_count(part); id++) {         \
        const struct pt_##noun *a = pt_trace_##noun(part, id);                 \
        const struct pt_##noun *b = pt_trace_##noun(whole, id);                \
        if (a != NULL && !(lost) && (b == NULL || !noun##_equal(a, b)))        \
            return false;                                                      \
    }
    WITHIN(interpreter, false)
    WITHIN(source, false)
    WITHIN(code, is_lost(a->name, id))
    WITHIN(callable, is_lost(a->name, id))
    WITHIN(type, is_lost(a->name, id))
    WITHIN(process, is_lost(a->executable, id))
    WITHIN(thread, a->tid == 0)
    WITHIN(task, is_lost(a->name, id))
#undef WITHIN
    for (uint32_t id = 1; id <= pt_trace_string_count(part); id++)
        if (!str_equal(pt_trace_string(part, id), pt_trace_string(whole, id)))
            return false;
    return true;
}

struct all_events
read_all(const char *path)
{
    struct all_events all = {0};
    struct pt_trace *t;
    struct pt_decoder *d;
    cr_assert_eq(pt_trace_open(path, NULL, &t), PT_OK);
    cr_assert_eq(pt_decoder_new(t, &d), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++)
        all.n += pt_trace_chunk(t, i)->events;
    all.events = calloc(all.n + 1, sizeof *all.events);
    cr_assert_not_null(all.events);
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        struct pt_events ev;
        if (pt_trace_chunk(t, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(d, i, &ev), PT_OK, "%s",
                     pt_decoder_error(d)->text);
        cr_assert(ev.info->seq + ev.info->events <= all.n);
        for (uint32_t k = 0; k < ev.info->events; k++)
            all.events[ev.info->seq + k] = ev.events[k];
    }
    pt_decoder_free(d);
    pt_trace_close(t);
    return all;
}
