/* --start-at: where each process of a trace begins to count.
 *
 * As in a recording every process waits by itself, but for one that is forked
 * from a process that has begun.  That a process was forked shows in its first
 * chunk: a thread of it begins with frames that its parent had. */
#include "replay/filter.h"

#include <pt/history.h>

#include <stdlib.h>

static const struct pt_start never = {
    {INT64_MAX, UINT64_MAX}, UINT64_MAX, INT64_MAX};

struct search {
    const struct pt_trace *trace;
    const struct pt_choice *choice;
    struct pt_error *error;
    struct pt_target *targets;
    size_t n;
};

/* --- what is looked for --------------------------------------------------- */

static enum pt_status
add(struct search *s, uint32_t code, uint32_t line)
{
    struct pt_target *p = s->targets;
    if ((s->n & (s->n - 1)) == 0)
        p = realloc(p, (s->n ? 2 * s->n : 1) * sizeof *p);
    if (!p)
        return PT_ENOMEM;
    s->targets = p;
    p[s->n++] = (struct pt_target){code, line};
    return PT_OK;
}

/* The places in the trace that one rule names. */
static enum pt_status
list_rule(struct search *s, const struct pt_rule *rule)
{
    const struct pt_choice one = {rule, 1, s->choice->cwd};
    size_t file, before = s->n;
    uint32_t line = pt_match_line(rule->value, &file);
    enum pt_status st = PT_OK;
    for (uint32_t id = 1; id <= pt_trace_code_count(s->trace); id++) {
        struct pt_filter_code code = {s->trace, pt_trace_code(s->trace, id)};
        struct pt_candidate c;
        if (!code.code)
            continue;
        c = pt_filter_candidate(&code);
        if (pt_choice_starts(&one, &c, line) &&
            (line == 0 || pt_match_has_line(&c, line)))
            st = add(s, id, line);
        if (st != PT_OK)
            return st;
    }
    if (s->n == before)
        return pt_filter_fail(s->error, PT_ENOTFOUND,
                              "%s has no %s \"%s\"; ptana profile --all shows "
                              "what ran",
                              pt_trace_path(s->trace),
                              line ? "code at" : "function", rule->value);
    return PT_OK;
}

/* --- finding it ----------------------------------------------------------- */

static enum pt_status
found(struct search *s, const struct pt_here *here, struct pt_start *out)
{
    int64_t time;
    enum pt_status st = pt_filter_time(s->trace, here->seq, &time, s->error);
    if (st == PT_OK)
        *out = (struct pt_start){{time, here->seq}, here->k, here->event->time};
    return st;
}

/* The first time that a target ran in a thread, or, where that is 0, in all;
 * `process` receives which process that was, 0 none. */
static enum pt_status
find_first(struct search *s, uint32_t thread, struct pt_start *out,
           uint32_t *process)
{
    struct pt_history_options options = {.thread = thread};
    struct pt_history *history = NULL;
    struct pt_search *run = NULL;
    struct pt_here here;
    enum pt_status st = pt_history_open(s->trace, &options, &history);
    *process = 0;
    if (st == PT_OK)
        st = pt_search_new(history, s->targets, s->n, &run);
    if (st == PT_EUSAGE)
        pt_filter_fail(s->error, st,
                       "%s has no lines, so that nothing can start at one; "
                       "ptrec run --preset=flow records them",
                       pt_trace_path(s->trace));
    if (st == PT_OK)
        st = pt_search_go(run, 1);
    if (st == PT_OK)
        st = pt_history_here(history, &here);
    if (st == PT_OK)
        st = found(s, &here, out);
    if (st == PT_OK)
        *process = here.process;
    pt_search_free(run);
    pt_history_close(history);
    return st == PT_ENOTFOUND ? PT_OK : st;
}

static void
advance(struct pt_start *to, const struct pt_start *other)
{
    if (pt_moment_before(other->at.time, other->at.seq, to->at.time,
                         to->at.seq))
        *to = *other;
}

static enum pt_status
search_threads(struct search *s, struct pt_filter *f)
{
    enum pt_status st = PT_OK;
    for (uint32_t id = 1; st == PT_OK && id <= pt_trace_thread_count(s->trace);
         id++) {
        struct pt_start start;
        uint32_t process;
        st = find_first(s, id, &start, &process);
        if (st == PT_OK && process && process < f->nstarts)
            advance(&f->starts[process], &start);
    }
    return st;
}

/* --- processes ------------------------------------------------------------ */

/* How a process began. */
struct birth {
    bool seen, forked;
    int64_t time;
};

static enum pt_status
list_births(const struct pt_trace *trace, struct birth *births, uint32_t n)
{
    struct pt_decoder *decoder;
    struct pt_events events;
    enum pt_status st = pt_decoder_new(trace, &decoder);
    if (st != PT_OK)
        return st;
    for (size_t i = 0; st == PT_OK && i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(trace, i);
        if (c->type != PT_CHUNK_EVENTS || c->process >= n ||
            births[c->process].seen)
            continue;
        struct birth *b = &births[c->process];
        *b = (struct birth){true, false, c->time_first};
        st = pt_decoder_events(decoder, i, &events);
        if (st == PT_OK)
            b->forked = events.depth > 0;
        else if (st == PT_EDAMAGED)
            st = PT_OK;
    }
    pt_decoder_free(decoder);
    return st;
}

/* Lets what was forked from a process that had begun begin with its first
 * event.  A parent has the lower number. */
static enum pt_status
follow_forks(const struct pt_trace *trace, struct pt_filter *f)
{
    struct birth *births = calloc(f->nstarts, sizeof *births);
    enum pt_status st =
        births ? list_births(trace, births, f->nstarts) : PT_ENOMEM;
    for (uint32_t id = 1; st == PT_OK && id < f->nstarts; id++) {
        const struct pt_process *p = pt_trace_process(trace, id);
        if (p && births[id].forked && p->parent > 0 && p->parent < id &&
            births[id].time >= f->starts[p->parent].time)
            f->starts[id] = (struct pt_start){{INT64_MIN, 0}, 0, INT64_MIN};
    }
    free(births);
    return st;
}

enum pt_status
pt_filter_starts(const struct pt_trace *trace, const struct pt_choice *choice,
                 struct pt_filter *f, struct pt_error *error)
{
    struct search s = {trace, choice, error, NULL, 0};
    struct pt_start first;
    uint32_t process = 0;
    enum pt_status st = PT_OK;
    f->nstarts = pt_trace_process_count(trace) + 1;
    f->starts = malloc(f->nstarts * sizeof *f->starts);
    if (!f->starts)
        return PT_ENOMEM;
    for (uint32_t id = 0; id < f->nstarts; id++)
        f->starts[id] = never;
    for (size_t i = 0; i < choice->n && st == PT_OK; i++)
        if (choice->rules[i].kind == PT_RULE_START_AT)
            st = list_rule(&s, &choice->rules[i]);
    if (st == PT_OK)
        st = find_first(&s, 0, &first, &process);
    if (st == PT_OK && process == 0)
        st = pt_filter_fail(error, PT_ENOTFOUND,
                            "%s never gets to where --start-at begins",
                            pt_trace_path(trace));
    if (st == PT_OK && process < f->nstarts)
        f->starts[process] = first;
    /* Of several processes, the others come later. */
    if (st == PT_OK && f->nstarts > 2)
        st = search_threads(&s, f);
    if (st == PT_OK && f->nstarts > 2)
        st = follow_forks(trace, f);
    free(s.targets);
    return st;
}
