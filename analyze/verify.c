/* ptana verify: decodes everything and checks that it fits together. */
#include "analyze/json.h"
#include "analyze/names.h"
#include "analyze/pass.h"
#include "analyze/thread_ids.h"
#include "analyze/verify_walk.h"
#include "analyze/analyzer.h"

#include <pt/flow.h>
#include <pt/values.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOLD = 20 }; /* findings that are told one by one */

struct thread_state {
    struct pt_stack stack;
    uint64_t next; /* least seq of the next chunk */
    int64_t time;
    bool begun;
};

struct verifier {
    struct pt_session *session;
    struct pt_thread_ids ids;
    struct thread_state *threads; /* in their order */
    uint64_t highest;             /* seq past the last chunk, over all */
    uint64_t chunks, events, findings, unresolved, disorder, lost_values;
    struct pt_values *values;
    bool text;
    bool walks; /* the trace can be walked */
    struct pt_walk_check walk;
};

static void __attribute__((format(printf, 3, 4)))
find(struct verifier *v, const struct pt_chunk_info *c, const char *fmt, ...)
{
    char what[160];
    va_list ap;
    if (v->findings++ >= TOLD || !v->text)
        return;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    pt_out_printf(v->session->out,
                  "chunk at byte %" PRIu64 " (thread #%" PRIu32 ", seq %" PRIu64
                  "): %s\n",
                  c->offset, c->thread, c->seq, what);
}

static void
check_order(struct verifier *v, struct thread_state *t,
            const struct pt_chunk_info *c)
{
    if (c->seq < v->highest || c->seq < t->next) {
        v->disorder++;
        find(v, c, "its numbers were given before, up to %" PRIu64,
             v->highest - 1);
    }
    if (t->begun && c->time_first < t->time) {
        v->disorder++;
        find(v, c, "it begins %" PRIu64 " ns before the thread's last event",
             (uint64_t)t->time - (uint64_t)c->time_first);
    }
    t->begun = true;
    t->time = c->time_last;
    t->next = c->seq + c->events;
    if (t->next > v->highest)
        v->highest = t->next;
}

static enum pt_status
check_value(struct verifier *v, uint64_t seq)
{
    struct pt_recorded *r = NULL;
    enum pt_status st = pt_values_get(v->values, seq, &r);
    pt_recorded_free(st == PT_OK ? r : NULL);
    return st == PT_ENOTFOUND || st == PT_EDAMAGED ? PT_OK : st;
}

static enum pt_status
check_events(struct verifier *v, struct thread_state *t,
             const struct pt_events *chunk)
{
    const struct pt_chunk_info *c = chunk->info;
    uint64_t bad_ids = 0, back = 0, strange = 0;
    uint32_t counts[PT_KIND_LIMIT] = {0};
    int64_t last = INT64_MIN;
    uint64_t lost = pt_values_lost(v->values);
    for (uint32_t i = 0; i < c->events; i++) {
        const struct pt_event *e = &chunk->events[i];
        struct pt_step step;
        enum pt_status st = pt_stack_step(&t->stack, e, c->seq + i, &step);
        if (st == PT_OK && e->kind == PT_VALUE)
            st = check_value(v, c->seq + i);
        if (st != PT_OK)
            return st;
        bad_ids += !pt_name_is_defined(v->session->trace, e);
        back += e->time < last;
        strange += !pt_kind_name(e->kind);
        if (e->kind < PT_KIND_LIMIT)
            counts[e->kind]++;
        last = e->time;
    }
    bool miscounted = false;
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        miscounted |= counts[k] != c->counts[k];
    lost = pt_values_lost(v->values) - lost;
    v->unresolved += bad_ids;
    v->lost_values += lost;
    if (lost)
        find(v, c, "values that are missing or make no sense: %" PRIu64, lost);
    v->disorder += back;
    if (bad_ids)
        find(v, c, "ids that are not defined: %" PRIu64, bad_ids);
    if (back)
        find(v, c, "events that go back in time: %" PRIu64, back);
    if (strange)
        find(v, c, "events of kinds unknown here: %" PRIu64, strange);
    if (miscounted)
        find(v, c, "its header miscounts the kinds");
    return PT_OK;
}

static enum pt_status
check_chunk(void *state, const struct pt_events *chunk)
{
    struct verifier *v = state;
    const struct pt_chunk_info *c = chunk->info;
    struct thread_state *t =
        &v->threads[pt_thread_ids_find(&v->ids, c->thread)];
    v->chunks++;
    v->events += c->events;
    if (!pt_trace_thread(v->session->trace, c->thread))
        find(v, c, "its thread is not defined");
    for (size_t i = 0; i < chunk->depth; i++) {
        const struct pt_frame *f = &chunk->stack[i];
        if (f->callable ? !pt_trace_callable(v->session->trace, f->id)
                        : !pt_trace_code(v->session->trace, f->id)) {
            v->unresolved++;
            find(v, c, "frame %zu of its keyframe is not defined", i);
        }
    }
    check_order(v, t, c);
    uint64_t desyncs = t->stack.desyncs;
    size_t depth = t->stack.depth;
    enum pt_status st = pt_stack_sync(&t->stack, chunk);
    if (t->stack.desyncs != desyncs)
        find(v, c,
             "desync: the events led to a stack of %zu, its keyframe is "
             "another, of %zu",
             depth, chunk->depth);
    return st == PT_OK ? check_events(v, t, chunk) : st;
}

static enum pt_status
bad_chunk(void *state, const struct pt_chunk_info *c)
{
    struct verifier *v = state;
    pt_stack_lose(&v->threads[pt_thread_ids_find(&v->ids, c->thread)].stack);
    find(v, c, "damaged, cannot be decoded");
    return PT_OK;
}

static void
report_text(struct verifier *v, uint64_t bad)
{
    struct pt_session *s = v->session;
    const struct pt_trouble *t = &s->trouble;
    const struct pt_damage *d = pt_trace_damage(s->trace);
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT], c[PT_NUMBER_TEXT];
    char e[PT_NUMBER_TEXT], lost[PT_LOST_TEXT];
    if (d->text[0])
        pt_out_printf(s->out, "%s\n", pt_session_damage(s));
    if (v->findings > TOLD)
        pt_out_printf(s->out, "... and %" PRIu64 " more\n", v->findings - TOLD);
    pt_out_printf(s->out,
                  "%s: %s; %s event%s in %s chunk%s%s, %s gap%s, %s desync%s",
                  pt_trace_path(s->trace),
                  bad > v->walk.differing ? "DAMAGED"
                  : bad         ? "WALKED OTHERWISE than it was recorded"
                  : d->torn     ? "TORN, but well up to its end"
                  : d->trailing ? "well, with something else behind it"
                                : "well",
                  pt_text_grouped(v->events, a), pt_text_plural(v->events),
                  pt_text_grouped(v->chunks, b), pt_text_plural(v->chunks),
                  bad && d->torn ? ", torn end" : "",
                  pt_text_grouped(t->gaps, c), pt_text_plural(t->gaps),
                  pt_text_grouped(t->desyncs, e), pt_text_plural(t->desyncs));
    if (t->gaps)
        pt_out_printf(s->out, ", %s lost", pt_session_lost(t, lost));
    if (t->unfinished)
        pt_out_printf(s->out, ", %" PRIu64 " C call%s without an end",
                      t->unfinished, pt_text_plural(t->unfinished));
    if (t->unmatched)
        pt_out_printf(s->out, ", %" PRIu64 " end%s without a beginning",
                      t->unmatched, pt_text_plural(t->unmatched));
    pt_out_char(s->out, '\n');
    if (v->walks)
        pt_walk_check_text(&v->walk);
}

static void
report_json(struct verifier *v, uint64_t bad)
{
    const struct pt_trouble *t = &v->session->trouble;
    const struct pt_damage *d = pt_trace_damage(v->session->trace);
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"chunks", v->chunks},
                  {"events", v->events},
                  {"findings", v->findings},
                  {"gaps", t->gaps},
                  {"lost", t->lost},
                  {"desyncs", t->desyncs},
                  {"unmatched", t->unmatched},
                  {"unfinished", t->unfinished},
                  {"bad_chunks", d->bad_chunks + t->bad_chunks},
                  {"unresolved", v->unresolved},
                  {"disorder", v->disorder},
                  {"lost_values", v->lost_values}};
    struct pt_json j;
    pt_json_init(&j, v->session->out, 2);
    pt_json_open(&j, '{');
    pt_json_member_u64(&j, "version", 1);
    pt_json_member_bool(&j, "well", bad == 0);
    pt_json_member_bool(&j, "torn", d->torn);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        pt_json_member_u64(&j, counts[i].key, counts[i].value);
    }
    if (v->walks) {
        pt_json_key(&j, "flow");
        pt_walk_check_json(&v->walk, &j);
    }
    pt_json_close(&j, '}');
    pt_json_finish(&j);
}

static enum pt_status
run(struct pt_session *s)
{
    struct verifier v = {.session = s, .text = pt_session_format(s, "text")};
    struct pt_fold folds[] = {
        {.state = &v, .chunk = check_chunk, .bad = bad_chunk}, {0}};
    v.walks = !pt_flow_lacks(s->trace);
    enum pt_status st = pt_values_new(s->trace, &v.values);
    if (st != PT_OK)
        return st;
    st = pt_thread_ids_init(&v.ids, s->trace);
    if (st != PT_OK) {
        pt_values_free(v.values);
        return st;
    }
    v.threads = calloc(v.ids.n + 1, sizeof *v.threads);
    st = v.threads ? PT_OK : PT_ENOMEM;
    if (st == PT_OK && v.walks)
        st = pt_walk_check_init(&v.walk, s, &v.ids, v.text, &folds[1]);
    if (st == PT_OK)
        st = pt_pass_run(s->trace, NULL, folds, 1 + v.walks, &s->trouble,
                         &s->error);
    s->trouble.desyncs += v.walk.desyncs;
    s->trouble.misfits += v.walk.desyncs;
    pt_walk_check_clear(&v.walk);
    for (size_t i = 0; v.threads && i < v.ids.n; i++) {
        s->trouble.desyncs += v.threads[i].stack.desyncs;
        s->trouble.unmatched += v.threads[i].stack.unmatched;
        s->trouble.unfinished += v.threads[i].stack.unfinished;
        pt_stack_clear(&v.threads[i].stack);
    }
    free(v.threads);
    pt_values_free(v.values);
    pt_thread_ids_clear(&v.ids);
    if (st != PT_OK)
        return st;
    const struct pt_damage *d = pt_trace_damage(s->trace);
    uint64_t bad = v.findings + v.walk.differing + d->bad_chunks;
    if (v.text)
        report_text(&v, bad);
    else
        report_json(&v, bad);
    s->verdict = bad ? PT_EXIT_DAMAGED : PT_EXIT_OK;
    return PT_OK;
}

const struct pt_analyzer pt_analyzer_verify = {
    .name = "verify",
    .summary = "check that a trace is whole and consistent",
    .description =
        "Decodes every event and checks that numbers and times grow, that "
        "every id is defined, that each chunk's header counts what it holds, "
        "that each value can be read, "
        "and that each chunk's keyframe is the stack to which the events "
        "before it led. Exits 3 when any of this fails, also without --strict; "
        "gaps and a torn end are only told, unless --strict is given. C calls "
        "without an end and "
        "ends without a beginning are told: CPython has some of both, for "
        "example where a signal's handler raises.\n"
        "In a trace of --preset=flow every thread is walked as well: the "
        "events must follow from each other through the bytecode. Where they "
        "do not, that is a desync, and what ran there is not known. If lines "
        "or instructions were recorded beside the flow "
        "(--events=+instruction,+line), they are compared with what the walk "
        "gives, one by one; a difference exits 3. Ten of each are told one by "
        "one.",
    .examples = "ptana verify run.ptr # say whether it is well\n"
                "ptana verify --strict run.ptr # exit 3 also on gaps",
    .takes = PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|json",
    .run = run,
};
