#include "record/shadow.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_FRAMES = 64 };

enum pt_status
pt_shadow_init(struct pt_shadow *s)
{
    *s = (struct pt_shadow){0};
    s->base = calloc(FIRST_FRAMES, sizeof *s->base);
    if (s->base == NULL)
        return PT_ENOMEM;
    s->top = s->base;
    s->end = s->base + FIRST_FRAMES;
    return PT_OK;
}

void
pt_shadow_clear(struct pt_shadow *s)
{
    free(s->base);
    free(s->key);
    *s = (struct pt_shadow){0};
}

enum pt_status
pt_shadow_grow(struct pt_shadow *s)
{
    size_t used = (size_t)(s->top - s->base) + 1;
    size_t room = (size_t)(s->end - s->base);
    if (used < room)
        return PT_OK;
    if (room >= PT_SHADOW_LIMIT)
        return PT_ELIMIT;
    struct pt_frame *more = realloc(s->base, room * 2 * sizeof *more);
    if (more == NULL)
        return PT_ENOMEM;
    s->base = more;
    s->top = more + used - 1;
    s->end = more + room * 2;
    return PT_OK;
}

void
pt_shadow_reset(struct pt_shadow *s)
{
    s->top = s->base;
    s->key_depth = 0;
}

static enum pt_status
key_reserve(struct pt_shadow *s, size_t depth)
{
    if (depth <= s->key_capacity)
        return PT_OK;
    size_t room =
        s->key_capacity < FIRST_FRAMES ? FIRST_FRAMES : s->key_capacity;
    while (room < depth)
        room *= 2;
    struct pt_frame *more = realloc(s->key, room * sizeof *more);
    if (more == NULL)
        return PT_ENOMEM;
    s->key = more;
    s->key_capacity = room;
    return PT_OK;
}

enum pt_status
pt_shadow_tell(struct pt_shadow *s, const struct pt_frame *frame)
{
    enum pt_status st = pt_shadow_grow(s);
    if (st == PT_OK)
        st = key_reserve(s, s->key_depth + 1);
    if (st != PT_OK)
        return st;
    *++s->top = *frame;
    s->key[s->key_depth++] = *frame;
    return PT_OK;
}

const struct pt_frame *
pt_shadow_keyframe(struct pt_shadow *s, const struct pt_timebase *base)
{
    for (size_t i = 0; i < s->key_depth; i++) {
        if (s->key[i].time != INT64_MIN)
            s->key[i].time = pt_timebase_ns(base, (uint64_t)s->key[i].time);
    }
    return s->key;
}

enum pt_status
pt_shadow_settle(struct pt_shadow *s, uint64_t seq)
{
    /* Frames of this block lie above all older ones. */
    for (struct pt_frame *f = s->top; f > s->base; f--) {
        if ((f->seq & PT_SEQ_PENDING) == 0 || f->seq == UINT64_MAX)
            break;
        f->seq = seq + (f->seq & ~PT_SEQ_PENDING);
    }
    size_t depth = pt_shadow_depth(s);
    enum pt_status st = key_reserve(s, depth);
    if (st != PT_OK)
        return st;
    if (depth > 0)
        memcpy(s->key, s->base + 1, depth * sizeof *s->key);
    s->key_depth = depth;
    return PT_OK;
}
