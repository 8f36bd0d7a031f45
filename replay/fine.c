#include "replay/fine.h"

#include <stddef.h>

enum pt_status
pt_fine_begin(struct pt_fine_stream *f, struct pt_graph_cache *graphs)
{
    return pt_walk_new(graphs, &f->walk);
}

void
pt_fine_clear(struct pt_fine_stream *f)
{
    pt_walk_free(f->walk);
    f->walk = NULL;
}

enum pt_status
pt_fine_sync(struct pt_fine_stream *f, const struct pt_events *events)
{
    f->stepped = f->drained = false;
    return f->walk ? pt_walk_sync(f->walk, events, &f->walked) : PT_OK;
}

void
pt_fine_lose(struct pt_fine_stream *f)
{
    f->stepped = f->drained = false;
    f->length = 0;
    if (f->walk)
        pt_walk_lose(f->walk);
}

void
pt_fine_leave(struct pt_fine_stream *f, struct pt_moment last)
{
    pt_fine_lose(f);
    f->last = last;
    f->from = f->to = last.time;
    f->passed = 0;
}

/* The share a/b of the way from t0 to t1. */
static int64_t
between(int64_t t0, int64_t t1, uint64_t a, uint64_t b)
{
    if (b == 0 || t1 <= t0)
        return t0;
    __int128 way = (__int128)t1 - t0; /* times of a damaged log lie anywhere */
    return (int64_t)(t0 + way * (int64_t)a / (int64_t)b);
}

static int64_t
time_of(const struct pt_fine_stream *f, uint32_t passed)
{
    return between(f->from, f->to, passed, f->length);
}

static enum pt_status
walk_to(struct pt_fine_stream *f, const struct pt_event *next, uint64_t seq)
{
    enum pt_status st = pt_walk_step(f->walk, next, seq, &f->walked);
    if (st != PT_OK)
        return st;
    f->stepped = true;
    f->drained = false;
    f->steps = 0;
    for (size_t i = 0; f->walked.graph && i < f->walked.nruns; i++)
        f->steps += f->walked.runs[i].last - f->walked.runs[i].first + 1;
    pt_expand_begin(&f->expand, &f->walked);
    return PT_OK;
}

enum pt_status
pt_fine_next(struct pt_fine_stream *f, const struct pt_event *next,
             uint64_t seq, struct pt_stack *stack, struct pt_merged *out)
{
    struct pt_fine fine;
    if (!f->walk || f->drained)
        return PT_END;
    if (!f->stepped) {
        enum pt_status st = walk_to(f, next, seq);
        if (st != PT_OK)
            return st;
    }
    if (!pt_expand_next(&f->expand, &fine)) {
        f->drained = true;
        return PT_END;
    }
    bool line = fine.kind == PT_LINE;
    f->event = (struct pt_event){
        .time = between(time_of(f, f->passed), time_of(f, f->passed + 1),
                        fine.k, f->steps + 1),
        .pos = line ? fine.line : fine.off,
        .kind = fine.kind,
        .has = line ? PT_HAS(LINE) : PT_HAS(OFF),
    };
    out->event = &f->event;
    out->seq = f->last.seq;
    out->k = fine.k;
    out->walked = true;
    out->timed = false;
    out->graph = f->walked.graph;
    out->index = fine.index;
    return pt_stack_step(stack, &f->event, f->last.seq, &out->step);
}

int64_t
pt_fine_pass(struct pt_fine_stream *f, const struct pt_event *event, size_t n,
             uint64_t seq)
{
    if (event->has & PT_HAS(TIME)) {
        size_t i = 1;
        while (i < n && !(event[i].has & PT_HAS(TIME)))
            i++;
        f->from = f->to = event->time;
        f->passed = 0;
        f->length = 0;
        if (i < n) {
            f->to = event[i].time;
            f->length = (uint32_t)i;
        }
    } else {
        f->passed++;
    }
    f->last = (struct pt_moment){event->time, seq};
    f->stepped = f->drained = false;
    return time_of(f, f->passed);
}
