/* The pass that follows evaluations: which frames there are, on every stack,
 * and what is under way in each.  What is under way in a frame that is
 * suspended waits for it by the frame's key, wherever it goes on. */
#include "analyze/coverage/evaluation.h"
#include "analyze/coverage/steps.h"
#include "analyze/pass.h"

#include <stdlib.h>
#include <string.h>

struct frame {
    const struct pt_watch *watch; /* NULL: nothing of it is followed */
    struct pt_evaluating now;
    uint64_t key, entered; /* the seq of the event that entered it */
    uint32_t code;
};

/* A stack: a thread's, or one that greenlets run on. */
struct stack {
    struct frame *frames;
    size_t depth, capacity;
};

/* What is under way in a suspended frame. */
struct suspended {
    struct suspended *next;
    struct pt_evaluating now;
    uint64_t key;
    uint32_t process;
};
enum { SUSPENDED_LISTS = 4096 }; /* a power of two */

struct run {
    struct pt_evaluator evaluator;
    const struct pt_watches *watches;
    const struct pt_filter *filter;
    struct stack *stacks; /* by thread id */
    uint32_t nstacks;
    struct suspended **suspended; /* by key */
};

/* --- suspended frames ----------------------------------------------------- */

static struct suspended **
find_suspended(struct run *r, uint32_t process, uint64_t key)
{
    uint64_t hash = (key + process) * 0x9e3779b97f4a7c15u >> 32;
    struct suspended **at = &r->suspended[hash & (SUSPENDED_LISTS - 1)];
    while (*at && ((*at)->key != key || (*at)->process != process))
        at = &(*at)->next;
    return at;
}

/* What waited for a frame. */
static struct pt_evaluating
take_suspended(struct run *r, uint32_t process, uint64_t key)
{
    struct suspended **at = find_suspended(r, process, key), *s = *at;
    struct pt_evaluating now = {0};
    if (!key || !s)
        return now;
    now = s->now;
    *at = s->next;
    free(s);
    return now;
}

static void
suspend(struct run *r, uint32_t process, struct frame *f)
{
    struct suspended *s = f->key ? malloc(sizeof *s) : NULL;
    if (!s) {
        if (f->key)
            r->evaluator.failed = PT_ENOMEM;
        pt_evaluate_end(&r->evaluator, &f->now);
        return;
    }
    struct suspended **at = find_suspended(r, process, f->key);
    *s = (struct suspended){
        .next = *at, .now = f->now, .key = f->key, .process = process};
    *at = s;
    f->now = (struct pt_evaluating){0};
}

/* --- stacks --------------------------------------------------------------- */

static struct frame *
push(struct run *r, struct stack *s, uint32_t code, uint64_t key, uint64_t seq)
{
    if (s->depth == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 64;
        struct frame *frames =
            s->depth < PT_STACK_LIMIT
                ? realloc(s->frames, capacity * sizeof *frames)
                : NULL;
        if (!frames) {
            r->evaluator.failed =
                s->depth < PT_STACK_LIMIT ? PT_ENOMEM : PT_ELIMIT;
            return NULL;
        }
        s->frames = frames;
        s->capacity = capacity;
    }
    struct frame *f = &s->frames[s->depth++];
    *f = (struct frame){
        .watch = code < r->watches->n ? r->watches->by_code[code] : NULL,
        .key = key,
        .entered = seq,
        .code = code};
    return f;
}

/* The keyframe says which frames there are.  Those that are still there keep
 * what is under way; where others are gone, events are missing. */
static void
sync(struct run *r, struct stack *s, const struct pt_events *chunk)
{
    size_t old = s->depth, kept = 0;
    s->depth = 0;
    for (size_t i = 0; i < chunk->depth && !r->evaluator.failed; i++) {
        const struct pt_frame *k = &chunk->stack[i];
        if (k->callable)
            continue;
        const struct frame *was = &s->frames[s->depth];
        if (kept == s->depth && kept < old && was->code == k->id &&
            was->entered == k->seq) {
            s->depth = ++kept;
            continue;
        }
        for (; old > kept; old--)
            pt_evaluate_drop(&r->evaluator, &s->frames[old - 1].now);
        push(r, s, k->id, k->key, k->seq);
    }
    for (; old > s->depth; old--)
        pt_evaluate_drop(&r->evaluator, &s->frames[old - 1].now);
}

/* --- events --------------------------------------------------------------- */

static void
enter(struct run *r, struct stack *s, const struct pt_events *chunk,
      const struct pt_event *e)
{
    uint64_t key = pt_event_key(e);
    struct frame *f = push(r, s, e->id, key, r->evaluator.seq);
    if (!f || !key)
        return;
    f->now = take_suspended(r, chunk->info->process, key);
    if (e->kind == PT_CALL || !f->watch)
        pt_evaluate_end(&r->evaluator, &f->now);
}

static void
leave(struct run *r, struct stack *s, const struct pt_events *chunk,
      const struct pt_event *e)
{
    if (s->depth == 0)
        return;
    struct frame *f = &s->frames[--s->depth];
    if (f->now.list && e->kind == PT_YIELD)
        suspend(r, chunk->info->process, f);
    else if (f->watch && e->kind == PT_UNWIND)
        pt_evaluate_unwind(&r->evaluator, f->watch, &f->now);
    else
        pt_evaluate_end(&r->evaluator, &f->now);
}

/* What happens in a frame that is watched. */
static void
follow(struct run *r, struct frame *f, const struct pt_event *e)
{
    const struct pt_graph *g = f->watch->graph;
    uint32_t last =
        e->kind == PT_EXCEPTION && e->has & PT_HAS(DST) ? e->dst : e->pos;
    uint32_t at = pt_graph_index(g, last), to = pt_graph_index(g, e->dst);
    if (at == PT_INS_NONE)
        return;
    if (e->kind == PT_BRANCH)
        pt_evaluate_branch(&r->evaluator, f->watch, &f->now, at, to);
    else if (e->kind == PT_HANDLED)
        pt_evaluate_handler(&r->evaluator, f->watch, &f->now, at);
    else if (e->arg == PT_RAISED)
        pt_evaluate_raise(&r->evaluator, f->watch, &f->now, at);
}

static void
on_event(struct run *r, struct stack *s, const struct pt_events *chunk,
         const struct pt_event *e, bool counts)
{
    switch (e->kind) {
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
        enter(r, s, chunk, e);
        break;
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
        leave(r, s, chunk, e);
        break;
    case PT_BRANCH:
    case PT_EXCEPTION:
    case PT_HANDLED:
        if (counts && s->depth && s->frames[s->depth - 1].watch)
            follow(r, &s->frames[s->depth - 1], e);
        break;
    case PT_GAP:
        for (size_t i = 0; i < s->depth; i++)
            pt_evaluate_drop(&r->evaluator, &s->frames[i].now);
        break;
    default:
        break;
    }
}

static enum pt_status
fold_chunk(void *state, const struct pt_events *chunk)
{
    struct run *r = state;
    uint32_t first, end;
    if (chunk->info->thread >= r->nstacks)
        return PT_OK;
    struct stack *s = &r->stacks[chunk->info->thread];
    pt_cov_range(r->filter, chunk, &first, &end);
    sync(r, s, chunk);
    for (uint32_t i = 0; i < end && r->evaluator.failed == PT_OK; i++) {
        r->evaluator.seq = chunk->info->seq + i;
        on_event(r, s, chunk, &chunk->events[i], i >= first);
    }
    return r->evaluator.failed;
}

/* Its frames are those of the next keyframe. */
static enum pt_status
fold_bad(void *state, const struct pt_chunk_info *info)
{
    struct run *r = state;
    struct stack *s =
        info->thread < r->nstacks ? &r->stacks[info->thread] : NULL;
    for (; s && s->depth > 0; s->depth--)
        pt_evaluate_drop(&r->evaluator, &s->frames[s->depth - 1].now);
    return PT_OK;
}

/* --- a pass --------------------------------------------------------------- */

/* What is still under way was cut short by the trace's end. */
static void
finish(struct run *r)
{
    for (uint32_t i = 0; r->stacks && i < r->nstacks; i++) {
        for (size_t k = 0; k < r->stacks[i].depth; k++)
            pt_evaluate_end(&r->evaluator, &r->stacks[i].frames[k].now);
        free(r->stacks[i].frames);
    }
    for (size_t i = 0; r->suspended && i < SUSPENDED_LISTS; i++)
        for (struct suspended *s; (s = r->suspended[i]) != NULL;) {
            pt_evaluate_end(&r->evaluator, &s->now);
            r->suspended[i] = s->next;
            free(s);
        }
    for (struct pt_underway *u; (u = r->evaluator.spare) != NULL;) {
        r->evaluator.spare = u->next;
        free(u);
    }
    free(r->stacks);
    free(r->suspended);
}

enum pt_status
pt_evaluations_run(struct pt_evaluations *e, uint32_t number,
                   const struct pt_trace *trace, const struct pt_filter *filter,
                   struct pt_error *error)
{
    const struct pt_watches *watches = &e->traces[number];
    struct pt_trouble known = {0};
    if (!watches->any)
        return PT_OK;
    struct run r = {.evaluator.trace = number,
                    .watches = watches,
                    .filter = filter,
                    .nstacks = pt_trace_thread_count(trace) + 1};
    r.stacks = calloc(r.nstacks, sizeof *r.stacks);
    r.suspended = calloc(SUSPENDED_LISTS, sizeof *r.suspended);
    enum pt_status st = r.stacks && r.suspended ? PT_OK : PT_ENOMEM;
    struct pt_fold fold = {.state = &r, .chunk = fold_chunk, .bad = fold_bad};
    if (st == PT_OK)
        st = pt_pass_run(trace, filter, &fold, 1, &known, error);
    finish(&r);
    return st == PT_OK ? r.evaluator.failed : st;
}
