/* One thread, and moving in it: by lines, over calls, out of frames.
 *
 * A frame that is on the stack is told from others by the event that entered
 * it.  It is on the stack without a break until it ends, so that its end is
 * found by halving: first among the chunks, then within one.
 * Thread rule: as <pt/history.h>. */
#ifndef PT_ANALYZE_DEBUG_VIEW_H
#define PT_ANALYZE_DEBUG_VIEW_H

#include <pt/history.h>

struct pt_view_chunk {
    uint64_t seq; /* of its first event */
    uint32_t events;
};

struct pt_view {
    const struct pt_trace *trace;
    struct pt_history *history; /* of this thread alone */
    bool borrowed;              /* ... and somebody else's */
    uint32_t thread;
    struct pt_view_chunk *chunks; /* in order */
    size_t nchunks;
    bool (*interrupted)(void *state); /* NULL: nobody asks */
    void *state;
};

/* An entry of the stack while it is there. */
struct pt_activation {
    uint64_t seq; /* of the event that entered it */
    uint64_t key;
    uint32_t id;   /* code or callable */
    size_t height; /* from 1, the outermost */
    bool callable;
};

/* What a step stops at. */
enum pt_stops {
    PT_STOPS_LINES,
    PT_STOPS_CALLS, /* where Python frames begin and end */
    PT_STOPS_INSTRUCTIONS
};

/* `history` is borrowed; NULL: one is opened.  PT_ENOTFOUND for a thread
 * without events. */
enum pt_status pt_view_open(struct pt_view *, const struct pt_trace *,
                            uint32_t thread, struct pt_history *history);
void pt_view_close(struct pt_view *);

/* To an event, or the k-th instruction behind it; an instruction that starts a
 * line stands for that line.  The position stays on failure. */
enum pt_status pt_view_seek(struct pt_view *, uint64_t seq, uint64_t k);
/* The same of where a history stands. */
enum pt_status pt_view_settle(struct pt_history *);

/* What follows gives PT_END where the thread has no more, then at its last
 * item, or its first; and PT_ELIMIT where it was interrupted, then anywhere. */

enum pt_status pt_view_step(struct pt_view *, enum pt_stops, bool forward);
/* ... in this frame or, once it has ended, in its caller. */
enum pt_status pt_view_over(struct pt_view *, enum pt_stops, bool forward);
/* Behind the end of an activation that is on the stack, whose event's kind goes
 * to *ended; the frame that a key names ends when it does not go on later. */
enum pt_status pt_view_leave(struct pt_view *, struct pt_activation,
                             uint8_t *ended);
/* Before its beginning. */
enum pt_status pt_view_unenter(struct pt_view *, struct pt_activation);

/* The activation at an entry of the stack, counted from the innermost; of
 * _python the innermost Python frame at or below that entry.  PT_END where
 * there is none. */
enum pt_status pt_view_entry(struct pt_view *, size_t entry,
                             struct pt_activation *out);
enum pt_status pt_view_python(struct pt_view *, size_t entry,
                              struct pt_activation *out);
/* Whether an activation is on the stack. */
enum pt_status pt_view_holds(struct pt_view *, const struct pt_activation *,
                             bool *holds);
/* Whether what the view stands at is a stop. */
enum pt_status pt_view_stops(struct pt_view *, enum pt_stops, bool *stops);

#endif
