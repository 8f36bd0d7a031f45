/* The stack that a recording with rules would have had, followed beside that of
 * one without. */
#include "replay/sieve.h"

#include <stdlib.h>

void
pt_rest_clear(struct pt_rest *r)
{
    pt_marks_clear(&r->marks);
    pt_stack_clear(&r->stack);
}

/* Where the events led to the same stack they decide what is known of it: the
 * keyframe has also heard of calls that are left out. */
enum pt_status
pt_rest_sync(struct pt_rest *r, const struct pt_filter *f,
             const struct pt_stack *whole, const struct pt_events *chunk)
{
    struct pt_events left = *chunk;
    enum pt_status st = pt_marks_sync(&r->marks, f, whole);
    struct pt_frame *frames = malloc((whole->depth + 1) * sizeof *frames);
    if (!frames)
        st = PT_ENOMEM;
    if (st == PT_OK) {
        left.stack = frames;
        left.depth = pt_marks_left(&r->marks, whole, frames);
        if (!r->stack.known || !pt_stack_is(&r->stack, &left))
            st = pt_stack_sync(&r->stack, &left);
    }
    free(frames);
    return st;
}

enum pt_status
pt_rest_step(struct pt_rest *r, const struct pt_filter *f,
             struct pt_stack *whole, struct pt_event *e, uint64_t seq,
             struct pt_step *out, bool *kept)
{
    enum pt_status st = pt_marks_step(&r->marks, f, whole, e, seq, kept);
    return st == PT_OK && *kept ? pt_stack_step(&r->stack, e, seq, out) : st;
}

enum pt_status
pt_rest_follow(struct pt_rest *r, const struct pt_stack *whole,
               const struct pt_event *e, uint64_t seq, struct pt_step *out,
               bool *kept)
{
    *kept = pt_marks_kept(&r->marks, whole);
    return *kept ? pt_stack_step(&r->stack, e, seq, out) : PT_OK;
}
