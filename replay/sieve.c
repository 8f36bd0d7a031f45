/* Rules that follow the stack, and what they leave of a chunk. */
#include "replay/sieve.h"

#include <stdlib.h>
#include <string.h>

/* --- marks ---------------------------------------------------------------- */

void
pt_marks_clear(struct pt_marks *m)
{
    free(m->marks);
    *m = (struct pt_marks){0};
}

/* Marks the entry of the stack behind those that are marked. */
static enum pt_status
mark_next(struct pt_marks *m, const struct pt_filter *f,
          const struct pt_stack *s)
{
    const struct pt_frame *frame = &s->frames[m->n];
    if (m->n == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 64;
        struct pt_mark *marks = realloc(m->marks, capacity * sizeof *marks);
        if (!marks)
            return PT_ENOMEM;
        m->marks = marks;
        m->capacity = capacity;
    }
    struct pt_mark mark = {.within = !f->opens};
    if (m->n)
        mark = m->marks[m->n - 1];
    if (!frame->callable) {
        bool opens = f->codes && frame->id < f->ncodes &&
                     f->codes[frame->id] & PT_FILTER_OPENS;
        mark.within |= opens;
        mark.kept = pt_filter_code(f, frame->id) && mark.within &&
                    mark.count < f->depth;
        mark.count += mark.kept;
        if (mark.kept)
            mark.nearest = (uint32_t)m->n + 1;
    }
    m->marks[m->n++] = mark;
    return PT_OK;
}

enum pt_status
pt_marks_sync(struct pt_marks *m, const struct pt_filter *f,
              const struct pt_stack *s)
{
    enum pt_status st = PT_OK;
    m->n = 0;
    while (st == PT_OK && m->n < s->depth)
        st = mark_next(m, f, s);
    return st;
}

/* The events in a frame close C calls on top, whose marks are the frame's. */
static const struct pt_mark *
top_mark(const struct pt_marks *m, const struct pt_stack *s)
{
    size_t n = m->n < s->depth ? m->n : s->depth;
    return n ? &m->marks[n - 1] : NULL;
}

bool
pt_marks_kept(const struct pt_marks *m, const struct pt_stack *s)
{
    const struct pt_mark *top = top_mark(m, s);
    return top && top->kept;
}

/* The kinds that happen in a frame. */
static bool
is_framed(unsigned kind)
{
    switch (kind) {
    case PT_THREAD:
    case PT_PROCESS:
    case PT_TASK:
    case PT_SWITCH:
    case PT_MARK:
    case PT_OUTPUT:
    case PT_GAP:
        return false;
    default:
        return true;
    }
}

/* The caller is the nearest frame that is left, and so is its place. */
static void
move_caller(const struct pt_stack *s, const struct pt_mark *caller,
            struct pt_event *e)
{
    uint32_t off = caller && caller->nearest
                       ? s->frames[caller->nearest - 1].off
                       : UINT32_MAX;
    e->pos = off == UINT32_MAX ? 0 : off;
    if (off == UINT32_MAX)
        e->has &= (uint8_t)~PT_HAS(OFF);
}

enum pt_status
pt_marks_step(struct pt_marks *m, const struct pt_filter *f,
              struct pt_stack *stack, struct pt_event *e, uint64_t seq,
              bool *kept)
{
    struct pt_step step;
    bool enters = pt_kind_enters(e->kind);
    bool pushes = enters || e->kind == PT_C_CALL;
    *kept = !is_framed(e->kind) || pt_marks_kept(m, stack);
    enum pt_status st = pt_stack_step(stack, e, seq, &step);
    if (st != PT_OK)
        return st;
    size_t below = stack->depth - pushes;
    if (m->n > below)
        m->n = below;
    if (pushes)
        st = mark_next(m, f, stack);
    if (st != PT_OK || !enters)
        return st;
    const struct pt_mark *caller = below ? &m->marks[below - 1] : NULL;
    *kept = m->marks[below].kept;
    if (*kept && e->has & PT_HAS(OFF) && !(caller && caller->kept))
        move_caller(stack, caller, e);
    return PT_OK;
}

size_t
pt_marks_left(const struct pt_marks *m, const struct pt_stack *s,
              struct pt_frame *frames)
{
    size_t n = 0;
    for (size_t i = 0; i < s->depth; i++)
        if (m->marks[i].kept)
            frames[n++] = s->frames[i];
    return n;
}

/* --- chunks --------------------------------------------------------------- */

struct pt_sieve {
    const struct pt_filter *filter;
    struct pt_stack stack;
    struct pt_marks marks;
    struct pt_chunk_info info;
    struct pt_event *events;
    size_t nevents; /* room */
    struct pt_frame *frames;
    size_t nframes; /* room */
};

enum pt_status
pt_sieve_new(const struct pt_filter *filter, struct pt_sieve **out)
{
    struct pt_sieve *s = calloc(1, sizeof *s);
    if (!s)
        return PT_ENOMEM;
    s->filter = filter;
    *out = s;
    return PT_OK;
}

void
pt_sieve_free(struct pt_sieve *s)
{
    if (!s)
        return;
    pt_stack_clear(&s->stack);
    pt_marks_clear(&s->marks);
    free(s->events);
    free(s->frames);
    free(s);
}

static enum pt_status
reserve(struct pt_sieve *s, const struct pt_chunk_info *info)
{
    if (s->nevents >= info->events && s->events)
        return PT_OK;
    free(s->events);
    s->nevents = 0;
    s->events = malloc(((size_t)info->events + 1) * sizeof *s->events);
    if (!s->events)
        return PT_ENOMEM;
    s->nevents = info->events;
    return PT_OK;
}

/* The stack that is left becomes the chunk's. */
static enum pt_status
tell_stack(struct pt_sieve *s, struct pt_events *out)
{
    if (s->nframes < s->stack.depth || !s->frames) {
        free(s->frames);
        s->nframes = 0;
        s->frames = malloc((s->stack.depth + 1) * sizeof *s->frames);
        if (!s->frames)
            return PT_ENOMEM;
        s->nframes = s->stack.depth;
    }
    out->stack = s->frames;
    out->depth = pt_marks_left(&s->marks, &s->stack, s->frames);
    return PT_OK;
}

/* How many events of the chunk come before --start-at. */
static size_t
count_before(const struct pt_sieve *s, const struct pt_events *chunk)
{
    const struct pt_chunk_info *info = chunk->info;
    size_t n = 0;
    while (s->filter->starts && n < info->events &&
           !pt_filter_begun(
               s->filter, info->process,
               (struct pt_moment){chunk->events[n].time, info->seq + n}, 0))
        n++;
    return n;
}

/* --start-at lies in the chunk, and what the stack is by now is where it
 * begins: as in a recording, nothing is known of how the frames came there. */
static enum pt_status
begin_here(struct pt_sieve *s, struct pt_events *out)
{
    enum pt_status st = tell_stack(s, out);
    for (size_t n = 0; st == PT_OK && n < out->depth; n++) {
        s->frames[n].seq = UINT64_MAX;
        s->frames[n].time = INT64_MIN;
        s->frames[n].at = PT_AT_UNKNOWN;
        s->frames[n].dst = 0;
    }
    int64_t first = pt_filter_first(s->filter, &s->info);
    s->info.time_first = first < s->info.time_last ? first : s->info.time_last;
    return st;
}

/* In the place of an event that is left out; `placed` where it tells of a frame
 * that is left. */
static struct pt_event
nothing(const struct pt_event *e, bool placed)
{
    struct pt_event none = {.time = e->time};
    if (placed) {
        none.pos = e->pos;
        none.has = PT_HAS(OFF);
    }
    return none;
}

enum pt_status
pt_sieve_chunk(struct pt_sieve *s, const struct pt_events *chunk,
               struct pt_events *out)
{
    size_t n = chunk->info->events, before = count_before(s, chunk);
    enum pt_status st = reserve(s, chunk->info);
    s->info = *chunk->info;
    memset(s->info.counts, 0, sizeof s->info.counts);
    s->stack.known = false;
    if (st == PT_OK)
        st = pt_stack_sync(&s->stack, chunk);
    if (st == PT_OK)
        st = pt_marks_sync(&s->marks, s->filter, &s->stack);
    *out = (struct pt_events){&s->info, s->events, NULL, 0, chunk->clock};
    if (st == PT_OK)
        st = tell_stack(s, out);
    for (size_t i = 0; st == PT_OK && i < n; i++) {
        struct pt_event *e = &s->events[i];
        bool kept = false;
        *e = chunk->events[i];
        bool calls = pt_kind_enters(e->kind) && e->has & PT_HAS(OFF) &&
                     pt_marks_kept(&s->marks, &s->stack);
        st = pt_marks_step(&s->marks, s->filter, &s->stack, e,
                           chunk->info->seq + i, &kept);
        if (i < before || !kept)
            *e = nothing(e, i >= before && calls);
        else if (e->kind < PT_KIND_LIMIT)
            s->info.counts[e->kind]++;
        if (st == PT_OK && i + 1 == before)
            st = begin_here(s, out);
    }
    return st;
}
