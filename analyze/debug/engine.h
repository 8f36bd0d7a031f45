/* Run control over a trace: where the debugger is, how it moves in either
 * direction, and what it stops at.  Front ends print; nothing here does.
 *
 * The position is one moment of all threads and, of one of them, the item that
 * is about to happen (a line, an instruction) or has happened (an event of the
 * log).  Steps stay in the current thread; continue goes through all threads,
 * merged by time.  Moving back is the reverse of moving on, and costs the same:
 * calls that are passed over are found by the stacks that chunks begin with.
 * Thread rule: an engine belongs to one thread; the trace may be shared. */
#ifndef PT_ANALYZE_DEBUG_ENGINE_H
#define PT_ANALYZE_DEBUG_ENGINE_H

#include "analyze/debug/breakpoint.h"

struct pt_engine;

/* --- what front ends are asked ---------------------------------------------
 */

/* All may be NULL.  They are called with the engine where the breakpoint was
 * hit; they may look at it, and must not move it. */
struct pt_engine_hooks {
    void *state;
    /* Whether the breakpoint's condition holds. */
    bool (*holds)(void *state, struct pt_engine *, struct pt_breakpoint *);
    /* Prints the breakpoint's message; the engine then goes on. */
    void (*log)(void *state, struct pt_engine *, struct pt_breakpoint *);
    /* The next event, or in reverse the last, of `thread` that changed what a
     * watch is about, behind event `seq`, or, in reverse, up to it.
     * PT_ENOTFOUND where there is none. */
    enum pt_status (*change)(void *state, struct pt_breakpoint *, bool reverse,
                             uint64_t seq, uint64_t *out);
    /* Asked now and then while something is looked for: true ends it. */
    bool (*interrupted)(void *state);
};

/* The trace is borrowed.  Stands at the first item; PT_ENOTFOUND where the
 * trace has no event that can be read, PT_ENOMEM. */
enum pt_status pt_engine_new(const struct pt_trace *,
                             const struct pt_engine_hooks *,
                             struct pt_engine **out);
void pt_engine_free(struct pt_engine *);

/* --- where it is ------------------------------------------------------------
 */

/* Of the current thread. */
struct pt_place {
    uint32_t thread, process;
    bool begun; /* false: the thread has no item yet, and the rest is 0 */
    uint64_t seq, k;
    struct pt_event event; /* as struct pt_here has it */
    bool walked, timed;
    struct pt_frame frame; /* the one the item belongs to, where `framed` */
    bool framed;
    const struct pt_graph *graph; /* of a walked item */
    uint32_t index;
    uint32_t callee; /* of events of C calls */
    size_t depth;    /* frames and C calls on the stack */
    uint8_t ran, desync;
    uint64_t missing;
};

enum pt_status pt_engine_place(struct pt_engine *, struct pt_place *out);
/* At most n entries of the current thread's stack, innermost first, without the
 * `skip` innermost. */
enum pt_status pt_engine_frames(struct pt_engine *, size_t skip,
                                struct pt_frame *, size_t n, size_t *count);

/* The selected frame's entry on that stack, counted from the innermost; C calls
 * are entries, but only a Python frame is selected by itself.  Whatever moves
 * the engine selects the innermost Python frame. */
size_t pt_engine_selected(const struct pt_engine *);
enum pt_status pt_engine_select(struct pt_engine *, size_t entry);

/* The thread that steps and frames are about; PT_ENOTFOUND.  The moment stays.
 */
enum pt_status pt_engine_thread(struct pt_engine *, uint32_t thread);
/* All threads at this moment. */
size_t pt_engine_threads(const struct pt_engine *);
enum pt_status pt_engine_thread_state(struct pt_engine *, size_t i,
                                      struct pt_thread_state *out);
enum pt_status pt_engine_thread_frames(struct pt_engine *, size_t i,
                                       size_t skip, struct pt_frame *, size_t n,
                                       size_t *count);

/* NULL where the trace tells of this grain, else what is missing. */
const char *pt_engine_lacks(const struct pt_engine *, enum pt_grain);
const struct pt_trace *pt_engine_trace(const struct pt_engine *);
struct pt_trouble pt_engine_trouble(const struct pt_engine *);

/* --- moving ------------------------------------------------------------------
 */

enum pt_motion {
    PT_MOVE_STEP,   /* to the start of a line, in any frame; where the trace has
                       no lines, to where a frame begins or ends */
    PT_MOVE_NEXT,   /* ... in this frame, whatever it calls, or, once it has
                       ended, in its caller.  A generator or coroutine that is
                       suspended has not ended if it goes on later */
    PT_MOVE_UNTIL,  /* as next, to a line further down: out of a loop */
    PT_MOVE_FINISH, /* behind the end of the selected frame; in reverse, to
                       before its call */
    PT_MOVE_STEPI,  /* by instructions, in any frame */
    PT_MOVE_NEXTI,  /* ... in this frame or its caller */
    PT_MOVE_CONTINUE /* to a breakpoint, in any thread */
};

enum pt_halt_reason {
    PT_HALT_MOVED,       /* it went where it was sent */
    PT_HALT_BREAKPOINT,  /* ... or a breakpoint came first */
    PT_HALT_BEGIN,       /* nothing comes before this place */
    PT_HALT_END,         /* nothing comes behind it */
    PT_HALT_INTERRUPTED, /* by the hook; it stands where it was */
};

struct pt_halt {
    enum pt_halt_reason reason;
    struct pt_breakpoint *breakpoint; /* borrowed; NULL unless it was one */
    uint8_t ended; /* finish: kind of the event that ended the frame, 0 none */
};

/* Moves `count` times (0 is 1), until something other than MOVED comes.
 * PT_EUSAGE where the trace lacks what the motion goes by, or the thread has no
 * Python frame to leave; the position then stays. */
enum pt_status pt_engine_move(struct pt_engine *, enum pt_motion, bool reverse,
                              uint64_t count, struct pt_halt *out);
/* To any of the targets, or a breakpoint; where `leaving`, also when the
 * selected frame ends. */
enum pt_status pt_engine_advance(struct pt_engine *, const struct pt_target *,
                                 size_t n, bool reverse, bool leaving,
                                 struct pt_halt *out);
/* To the n-th time that a target ran in the whole trace; negative: from its
 * end.  PT_ENOTFOUND where there are fewer; the position stays. */
enum pt_status pt_engine_goto_nth(struct pt_engine *, const struct pt_target *,
                                  size_t n, int64_t nth);

/* To an event, or the k-th instruction behind it; as pt_history_seek(). */
enum pt_status pt_engine_goto(struct pt_engine *, uint64_t seq, uint64_t k);
/* To the last event that is not later. */
enum pt_status pt_engine_goto_time(struct pt_engine *, int64_t time);
/* To the first or the last item of all. */
enum pt_status pt_engine_goto_edge(struct pt_engine *, bool last);

/* What made the program fail. */
struct pt_failure {
    bool found;
    bool known;    /* `type` is: the trace has exceptions */
    uint32_t type; /* id, of the exception that nobody caught */
};
/* To where it was raised, of the first process before others; where there is
 * none, to the last item of its first thread. */
enum pt_status pt_engine_goto_failure(struct pt_engine *,
                                      struct pt_failure *out);

/* --- breakpoints
 * -------------------------------------------------------------
 */

/* The list, in the order of their numbers; the caller changes it through
 * <analyze/debug/breakpoint.h> and then says so. */
struct pt_breakpoints *pt_engine_breakpoints(struct pt_engine *);
void pt_engine_breakpoints_changed(struct pt_engine *);

#endif
