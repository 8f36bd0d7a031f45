#include "analyze/task_fold.h"

#include <stdlib.h>

/* Steps that have begun in a thread, the innermost last. */
struct lane {
    uint32_t *steps; /* ids of tasks */
    size_t n, cap;
    int64_t last; /* up to when the innermost one's time is settled */
};

struct pt_task_lanes {
    const struct pt_filter *filter;
    struct lane *lanes; /* by thread id; [0] of undefined ones */
    uint32_t n;
};

/* No program nests steps like this. */
enum { NESTED_MOST = 1 << 16, NESTED_LEAST = 16 };

enum pt_status
pt_tasks_new(const struct pt_trace *trace, const struct pt_filter *filter,
             struct pt_tasks **out)
{
    struct pt_tasks *t = calloc(1, sizeof *t);
    if (!t)
        return PT_ENOMEM;
    t->n = pt_trace_task_count(trace) + 1;
    t->sums = calloc(t->n, sizeof *t->sums);
    t->lanes = calloc(1, sizeof *t->lanes);
    if (t->lanes) {
        t->lanes->filter = filter;
        t->lanes->n = pt_trace_thread_count(trace) + 1;
        t->lanes->lanes = calloc(t->lanes->n, sizeof *t->lanes->lanes);
    }
    if (!t->sums || !t->lanes || !t->lanes->lanes) {
        pt_tasks_free(t);
        return PT_ENOMEM;
    }
    *out = t;
    return PT_OK;
}

void
pt_tasks_free(struct pt_tasks *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; t->lanes && t->lanes->lanes && i < t->lanes->n; i++)
        free(t->lanes->lanes[i].steps);
    if (t->lanes)
        free(t->lanes->lanes);
    free(t->lanes);
    free(t->sums);
    free(t);
}

/* --- steps ---------------------------------------------------------------- */

static uint64_t
between(int64_t from, int64_t to)
{
    return to > from ? (uint64_t)to - (uint64_t)from : 0;
}

static struct pt_task_sums *
innermost(struct pt_tasks *t, const struct lane *l)
{
    return l->n ? &t->sums[l->steps[l->n - 1]] : NULL;
}

static void
settle(struct pt_tasks *t, struct lane *l, int64_t now)
{
    struct pt_task_sums *s = innermost(t, l);
    if (s)
        s->running += between(l->last, now);
    if (now > l->last)
        l->last = now;
}

static void
end_wait(struct pt_task_sums *s, int64_t now)
{
    if (s->act != PT_TASK_WAITS)
        return;
    uint64_t time = between(s->since, now);
    s->waiting += time;
    if (s->awaits && time > s->longest) {
        s->longest = time;
        s->awaited = s->awaits;
    }
}

static enum pt_status
push(struct lane *l, uint32_t id)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : NESTED_LEAST;
        uint32_t *steps =
            cap > NESTED_MOST ? NULL : realloc(l->steps, cap * sizeof *steps);
        if (!steps)
            return cap > NESTED_MOST ? PT_EDAMAGED : PT_ENOMEM;
        l->steps = steps;
        l->cap = cap;
    }
    l->steps[l->n++] = id;
    return PT_OK;
}

/* A step's beginning can be missing, behind a gap or before the range. */
static void
pop(struct lane *l, uint32_t id)
{
    for (size_t i = l->n; i > 0; i--)
        if (l->steps[i - 1] == id) {
            l->n = i - 1;
            return;
        }
}

static enum pt_status
on_task(struct pt_tasks *t, struct lane *l, uint32_t thread,
        const struct pt_event *e)
{
    uint32_t id = e->arg < t->n ? (uint32_t)e->arg : 0;
    struct pt_task_sums *s = &t->sums[id], *running;
    int64_t now = e->time > l->last ? e->time : l->last;
    uint32_t act = e->dst;
    s->seen = true;
    settle(t, l, now);
    if (act == PT_TASK_RUNS) {
        end_wait(s, now);
        s->steps++;
        s->thread = thread;
        s->awaits = 0;
        s->act = PT_TASK_RUNS;
        return push(l, id);
    }
    if (act == PT_TASK_AWAITS && (running = innermost(t, l)) != NULL)
        running->awaits = id;
    if (!pt_task_act_stops(act))
        return PT_OK;
    if (s->act == PT_TASK_WAITS)
        end_wait(s, now); /* it ended without another step */
    pop(l, id);
    s->act = (uint8_t)act;
    s->since = now;
    s->thread = thread;
    return PT_OK;
}

/* --- the fold ------------------------------------------------------------- */

static void
forget(struct lane *l, int64_t time)
{
    l->n = 0;
    if (time > l->last)
        l->last = time;
}

static enum pt_status
fold_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_tasks *t = state;
    const struct pt_filter *f = t->lanes->filter;
    uint32_t thread = chunk->info->thread;
    struct lane *l = &t->lanes->lanes[thread < t->lanes->n ? thread : 0];
    enum pt_status st = PT_OK;
    int64_t last = chunk->info->time_last;
    for (uint32_t i = 0; i < chunk->info->events && st == PT_OK; i++) {
        const struct pt_event *e = &chunk->events[i];
        uint64_t seq = chunk->info->seq + i;
        if (e->kind != PT_TASK && e->kind != PT_GAP)
            continue;
        if (f && f->ranged &&
            (pt_moment_before(e->time, seq, f->from.time, f->from.seq) ||
             pt_moment_before(f->to.time, f->to.seq, e->time, seq)))
            continue;
        if (e->kind == PT_GAP)
            forget(l, e->time);
        else
            st = on_task(t, l, thread, e);
        t->events++;
    }
    if (f && f->ranged && last > f->to.time)
        last = f->to.time;
    settle(t, l, last);
    return st;
}

static enum pt_status
bad_chunk(void *state, const struct pt_chunk_info *info)
{
    struct pt_tasks *t = state;
    uint32_t thread = info->thread < t->lanes->n ? info->thread : 0;
    forget(&t->lanes->lanes[thread], info->time_last);
    return PT_OK;
}

struct pt_fold
pt_tasks_fold(struct pt_tasks *t)
{
    return (struct pt_fold){.state = t, .chunk = fold_chunk, .bad = bad_chunk};
}

void
pt_tasks_finish(struct pt_tasks *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct pt_task_sums *s = &t->sums[i];
        uint32_t thread = s->thread < t->lanes->n ? s->thread : 0;
        end_wait(s, t->lanes->lanes[thread].last);
    }
}
