/* What a filter's rules say of the frames on a thread's stack.
 *
 * Beside each frame and C call of a stack stands a mark; one of a C call is
 * that of the frame below.  A frame that rules leave out is opaque, see
 * <pt/filter.h>.
 * Thread rule: as the stack's. */
#ifndef PT_REPLAY_SIEVE_H
#define PT_REPLAY_SIEVE_H

#include <pt/replay.h>

struct pt_mark {
    uint32_t count;   /* frames that are left, up to this one */
    uint32_t nearest; /* the innermost of them: its place from 1, 0 none */
    bool kept;        /* this one is */
    bool within;      /* a --function is on the stack, or none is asked for */
};

/* All zero is that of an empty stack. */
struct pt_marks {
    struct pt_mark *marks;
    size_t n, capacity;
};

void pt_marks_clear(struct pt_marks *);
/* Marks a stack that comes from a keyframe. */
enum pt_status pt_marks_sync(struct pt_marks *, const struct pt_filter *,
                             const struct pt_stack *);
/* Whether what happens in the stack's topmost Python frame is left. */
bool pt_marks_kept(const struct pt_marks *, const struct pt_stack *);
/* Applies an event to `stack`, which has been marked.  *kept: it is left; then
 * `event` is as a recording with the rules would have it. */
enum pt_status pt_marks_step(struct pt_marks *, const struct pt_filter *,
                             struct pt_stack *stack, struct pt_event *event,
                             uint64_t seq, bool *kept);
/* Stores what is left of a stack in `frames`, which has room for all of it;
 * returns how many they are. */
size_t pt_marks_left(const struct pt_marks *, const struct pt_stack *,
                     struct pt_frame *frames);

/* --- the same for a cursor ------------------------------------------------ */

/* A thread's stack without what rules leave out, beside the whole one. */
struct pt_rest {
    struct pt_marks marks;
    struct pt_stack stack;
};

void pt_rest_clear(struct pt_rest *);
/* A chunk begins, whose keyframe `whole` has taken. */
enum pt_status pt_rest_sync(struct pt_rest *, const struct pt_filter *,
                            const struct pt_stack *whole,
                            const struct pt_events *chunk);
/* Applies a logged event to both stacks, as pt_marks_step(). */
enum pt_status pt_rest_step(struct pt_rest *, const struct pt_filter *,
                            struct pt_stack *whole, struct pt_event *event,
                            uint64_t seq, struct pt_step *out, bool *kept);
/* ... one that follows from the flow, and has been applied to `whole`. */
enum pt_status pt_rest_follow(struct pt_rest *, const struct pt_stack *whole,
                              const struct pt_event *event, uint64_t seq,
                              struct pt_step *out, bool *kept);

#endif
