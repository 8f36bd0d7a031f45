/* A thread's logged events with what flow implies between them: the next
 * reconstructed event, its stack and its time.
 * Thread rule: as the cursor that owns it. */
#ifndef PT_REPLAY_FINE_H
#define PT_REPLAY_FINE_H

#include <pt/flow.h>
#include <pt/replay.h>

/* Zero is nothing to walk.  The moment of an event that carries no time lies
 * between those that do, by how much ran meanwhile. */
struct pt_fine_stream {
    struct pt_walk *walk; /* NULL: only what was logged */
    struct pt_walked walked;
    struct pt_expand expand;
    bool stepped;            /* the next event has been walked to */
    bool drained;            /* ... and all before it has been told */
    struct pt_moment last;   /* of the last logged event */
    int64_t from, to;        /* stamps around it; equal where not known */
    uint32_t passed, length; /* events since `from`, from there to `to` */
    uint64_t steps;          /* instructions of this walked step */
    struct pt_event event;   /* the caller's until the next call */
};

enum pt_status pt_fine_begin(struct pt_fine_stream *, struct pt_graph_cache *);
void pt_fine_clear(struct pt_fine_stream *);
/* A chunk begins; it follows the last one where nothing was lost between. */
enum pt_status pt_fine_sync(struct pt_fine_stream *, const struct pt_events *);
/* Events are missing here. */
void pt_fine_lose(struct pt_fine_stream *);
/* ... up to the logged event at `last`, behind which it goes on. */
void pt_fine_leave(struct pt_fine_stream *, struct pt_moment last);

/* The next reconstructed event before `next` (number `seq`), in f->event and
 * applied to `stack`; PT_END where there is none (more). */
enum pt_status pt_fine_next(struct pt_fine_stream *,
                            const struct pt_event *next, uint64_t seq,
                            struct pt_stack *stack, struct pt_merged *out);

/* The logged event `event`, the first of `n` that are known, is passed.
 * Returns its time. */
int64_t pt_fine_pass(struct pt_fine_stream *, const struct pt_event *event,
                     size_t n, uint64_t seq);

#endif
