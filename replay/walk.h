/* The inside of a walk, which walk.c, path.c and keyframe.c share: where each
 * frame stands, and what must have run for it to come from there to where the
 * next event is.
 *
 *                    call                       resume
 *                      |                           |
 *                      v                           v
 *   branch, jump --> NEXT <---- handled -----------'
 *                      |  what lies between runs
 *                      v
 *                   INSIDE --exception--> RAISED --unwind--> (gone)
 *
 *   LINGERS  as NEXT, but the instruction that branched may still call: an
 *            iterator's finalizer (POP_ITER and END_ASYNC_FOR of 3.14)
 *   THROWN   suspended, and thrown into: the exception event comes next
 *   LOST     until an event says where it is
 *
 * A value moves a frame that is NEXT or INSIDE on to NEXT.
 *
 * An exception that FOR_ITER or SEND swallows is told as one, and no handled
 * event follows: RAISED there can also go on as if the iterator had ended.
 * Thread rule: as <pt/flow.h>. */
#ifndef PT_REPLAY_WALK_H
#define PT_REPLAY_WALK_H

#include <pt/flow.h>
#include <pt/replay.h>

enum pt_walk_state {
    PT_WALK_LOST,
    PT_WALK_NEXT,
    PT_WALK_INSIDE,
    PT_WALK_RAISED,
    PT_WALK_LINGERS,
    PT_WALK_THROWN
};

struct pt_walk_frame {
    const struct pt_graph *graph; /* NULL: never to be walked */
    uint32_t code;
    uint32_t at;     /* NEXT: the instruction to run, else the one that ran */
    uint32_t to;     /* RAISED: the handler; LINGERS: what comes next */
    uint32_t before; /* code unit of the last instruction, for LINE */
    uint8_t state;   /* enum pt_walk_state */
};

struct pt_walk {
    struct pt_graph_cache *graphs;
    struct pt_walk_frame *frames; /* outermost first */
    size_t depth, capacity;
    struct pt_run *runs;
    size_t nruns, runs_capacity;
    bool known; /* the frames are those of the events so far */
    uint64_t desyncs[PT_DESYNC_COUNT];
};

/* What a step works on. */
struct pt_walk_step {
    struct pt_walk *walk;
    const struct pt_event *event; /* NULL: a chunk's keyframe */
    uint64_t seq;
    struct pt_walked *out;
};

/* Makes room for `depth` frames; PT_ELIMIT, PT_ENOMEM. */
enum pt_status pt_walk_reserve(struct pt_walk *, size_t depth);

/* The byte offset a frame stands at, UINT32_MAX unknown. */
uint32_t pt_walk_offset(const struct pt_walk_frame *);

/* Of a frame that went to instruction `to` by what was told at `at`: the one
 * before `to`, if that may still be at work (LINGERS); 3.14 tells the end of an
 * async for at its SEND.  Else PT_INS_NONE. */
static inline uint32_t
pt_walk_lingers(const struct pt_graph *g, uint32_t at, uint32_t to)
{
    if (at == PT_INS_NONE || to == PT_INS_NONE || to == 0 ||
        !(g->ins[to - 1].flags & PT_INS_LINGERS))
        return PT_INS_NONE;
    return at == to - 1 || g->ins[at].target != to ? to - 1 : PT_INS_NONE;
}

/* Counts a desync, and forgets what the step ran; the frame stays. */
void pt_walk_desync(struct pt_walk_step *, const struct pt_walk_frame *,
                    enum pt_desync_reason, uint32_t target);

/* Runs a frame that is NEXT or INSIDE until instruction `target` has run, or,
 * where that is PT_INS_NONE, until one that returns has.  Where it does not get
 * there that is a desync, the frame stays as it was, and *arrived is false. */
enum pt_status pt_path_run(struct pt_walk_step *, struct pt_walk_frame *,
                           uint32_t target, bool *arrived);

/* Runs a frame until instruction `target` is next: a value was looked at there.
 * Where the instruction is at work, or an exception is, nothing runs.  Where it
 * does not get there it is as with pt_path_run(). */
enum pt_status pt_path_reach(struct pt_walk_step *, struct pt_walk_frame *,
                             uint32_t target);

/* Makes a frame NEXT, INSIDE or LOST: the event shows that nothing of what its
 * last instruction began is under way any more. */
void pt_path_settle(struct pt_walk_step *, struct pt_walk_frame *);

#endif
