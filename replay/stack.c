/* A thread's stack: seeded by keyframes, driven by events.  The rules are in
 * <pt/replay.h>; the profile's loop follows the same ones on its own. */
#include <pt/replay.h>

#include <stdlib.h>
#include <string.h>

void
pt_stack_clear(struct pt_stack *s)
{
    free(s->frames);
    *s = (struct pt_stack){.lines = s->lines};
}

static enum pt_status
reserve(struct pt_stack *s, size_t depth)
{
    if (depth <= s->capacity)
        return PT_OK;
    if (depth > PT_STACK_LIMIT)
        return PT_ELIMIT;
    size_t capacity = s->capacity ? s->capacity * 2 : 64;
    if (capacity < depth)
        capacity = depth;
    struct pt_frame *frames = realloc(s->frames, capacity * sizeof *frames);
    if (!frames)
        return PT_ENOMEM;
    s->frames = frames;
    s->capacity = capacity;
    return PT_OK;
}

/* Lines and offsets are left out: a keyframe may know less of them. */
bool
pt_stack_is(const struct pt_stack *s, const struct pt_events *chunk)
{
    if (s->depth != chunk->depth)
        return false;
    for (size_t i = 0; i < s->depth; i++) {
        const struct pt_frame *a = &s->frames[i], *b = &chunk->stack[i];
        if (a->id != b->id || a->callable != b->callable || a->key != b->key)
            return false;
    }
    return true;
}

enum pt_status
pt_stack_sync(struct pt_stack *s, const struct pt_events *chunk)
{
    /* A gap that opens the chunk lies between the two stacks. */
    bool gap = chunk->info->events > 0 && chunk->events[0].kind == PT_GAP;
    if (s->known && !gap && !pt_stack_is(s, chunk))
        s->desyncs++;
    enum pt_status st = reserve(s, chunk->depth);
    if (st != PT_OK)
        return st;
    if (chunk->depth)
        memcpy(s->frames, chunk->stack, chunk->depth * sizeof *s->frames);
    s->depth = chunk->depth;
    s->known = true;
    for (size_t i = 0; s->lines && i < s->depth; i++) {
        struct pt_frame *f = &s->frames[i];
        if (!f->callable && f->line == 0)
            f->line = pt_line_cache_at(s->lines, f->id, f->off);
    }
    return PT_OK;
}

void
pt_stack_lose(struct pt_stack *s)
{
    s->known = false;
}

static void
close_c_calls(struct pt_stack *s, struct pt_step *out)
{
    while (s->depth && s->frames[s->depth - 1].callable) {
        s->depth--;
        s->unfinished++;
        out->unfinished++;
    }
}

static void
unmatched(struct pt_stack *s, struct pt_step *out)
{
    s->unmatched++;
    out->unmatched = true;
}

static enum pt_status
push(struct pt_stack *s, const struct pt_event *e, uint64_t seq, bool callable)
{
    enum pt_status st = reserve(s, s->depth + 1);
    if (st != PT_OK)
        return st;
    bool fresh = s->lines && e->kind == PT_CALL;
    s->frames[s->depth++] = (struct pt_frame){
        .key = callable ? 0 : pt_event_key(e),
        .seq = seq,
        .id = e->id,
        .line = fresh ? pt_line_cache_first(s->lines, e->id) : 0,
        .off = UINT32_MAX,
        .callable = callable,
        .time = e->time,
    };
    return PT_OK;
}

/* The Python frame on top, or the one below the C calls on top; or NULL. */
static struct pt_frame *
top(const struct pt_stack *s)
{
    size_t depth = s->depth;
    while (depth && s->frames[depth - 1].callable)
        depth--;
    return depth ? &s->frames[depth - 1] : NULL;
}

/* An event that says where that frame is: its line follows. */
static void
stand(struct pt_stack *s, uint32_t off)
{
    struct pt_frame *f = top(s);
    if (!f)
        return;
    uint32_t line = s->lines ? pt_line_cache_at(s->lines, f->id, off) : 0;
    f->off = off;
    if (line)
        f->line = line;
}

/* Which instruction was the last, after an event that tells of an exception. A
 * handler has run nothing yet.  What raised can be reported a code unit before
 * the instruction, unless the event names that as well; a re-raise has by then
 * set the frame's own to where the exception came from. */
static uint32_t
last_off(const struct pt_event *e, uint32_t before)
{
    if (e->kind == PT_HANDLED)
        return before;
    if (e->has & PT_HAS(DST) && e->arg != PT_RERAISED)
        return e->dst;
    return e->pos + 2 == before ? before : e->pos;
}

static void
name_frame(const struct pt_stack *s, struct pt_step *out)
{
    const struct pt_frame *f = top(s);
    if (f) {
        out->frame = *f;
        out->framed = true;
    }
}

static void
place(struct pt_stack *s, const struct pt_event *e, struct pt_step *out)
{
    close_c_calls(s, out);
    if (s->depth == 0) {
        unmatched(s, out);
        return;
    }
    if (e->kind == PT_LINE)
        s->frames[s->depth - 1].line = e->pos;
    else
        stand(s, e->pos);
    if (e->kind == PT_EXCEPTION || e->kind == PT_HANDLED)
        s->frames[s->depth - 1].off = last_off(e, out->from);
    out->depth = s->depth;
    name_frame(s, out);
}

uint32_t
pt_trace_told(const struct pt_trace *trace)
{
    const struct pt_header *h = pt_trace_header(trace);
    return h->optional & PT_OPTIONAL_ONCE ? 0 : h->events;
}

/* What is told once is of a frame that nothing else is known of. */
static void
place_once(struct pt_stack *s, const struct pt_event *e, struct pt_step *out)
{
    close_c_calls(s, out);
    out->frame = (struct pt_frame){.id = e->id, .off = e->pos};
    if (s->lines)
        out->frame.line = pt_line_cache_at(s->lines, e->id, e->pos);
    out->framed = true;
    out->depth = s->depth;
}

enum pt_status
pt_stack_step(struct pt_stack *s, const struct pt_event *e, uint64_t seq,
              struct pt_step *out)
{
    enum pt_status st = PT_OK;
    const struct pt_frame *running = top(s);
    *out = (struct pt_step){.from = running ? running->off : UINT32_MAX};
    switch (e->kind) {
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
        out->from = UINT32_MAX;
        out->depth = s->depth;
        if (e->has & PT_HAS(OFF))
            stand(s, e->pos);
        st = push(s, e, seq, false);
        if (st == PT_OK && e->has & PT_HAS(DST))
            stand(s, e->dst);
        if (st == PT_OK)
            name_frame(s, out);
        return st;
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
        close_c_calls(s, out);
        if (e->has & PT_HAS(OFF))
            stand(s, e->pos);
        name_frame(s, out);
        if (s->depth)
            s->depth--;
        else
            unmatched(s, out);
        out->depth = s->depth;
        return PT_OK;
    case PT_C_CALL:
        close_c_calls(s, out);
        if (e->has & PT_HAS(OFF))
            stand(s, e->pos);
        out->depth = s->depth;
        out->callee = e->id;
        name_frame(s, out);
        return push(s, e, seq, true);
    case PT_C_RETURN:
    case PT_C_EXCEPTION:
        if (s->depth && s->frames[s->depth - 1].callable)
            out->callee = s->frames[--s->depth].id;
        else
            unmatched(s, out);
        out->depth = s->depth;
        name_frame(s, out);
        return PT_OK;
    case PT_LINE:
    case PT_INSTRUCTION:
    case PT_BRANCH:
    case PT_JUMP:
    case PT_EXCEPTION:
    case PT_HANDLED:
        if (e->has & PT_HAS(CODE))
            place_once(s, e, out);
        else
            place(s, e, out);
        return PT_OK;
    case PT_GAP:
        pt_stack_lose(s);
        break;
    default:
        break;
    }
    out->depth = s->depth;
    name_frame(s, out);
    return PT_OK;
}
