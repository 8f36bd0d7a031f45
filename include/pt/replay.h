/* From a log to what the program was doing: stacks, lines, merged order.
 *
 * Nothing here keeps more of a trace in memory than a few chunks.  What the
 * program's code objects mean is read from the trace's definitions; no version
 * of CPython is known here.
 * Thread rule: every handle belongs to one thread; the trace may be shared. */
#ifndef PT_REPLAY_H
#define PT_REPLAY_H

#include <pt/filter.h>
#include <pt/flow.h>
#include <pt/reader.h>

/* The frame key that a call, resume or throw brings; 0 where it has none. */
static inline uint64_t
pt_event_key(const struct pt_event *e)
{
    return e->arg == PT_IMPLIED ? 0 : e->arg;
}

/* The kinds (bit per kind) of which the log has each event, in its frame: those
 * that were asked for, and none where lines and branches are told once
 * (PT_OPTIONAL_ONCE). */
uint32_t pt_trace_told(const struct pt_trace *);

/* --- line tables ---------------------------------------------------------- */

/* A place in a source file; lines from 1, columns (UTF-8 bytes) from 0; 0 and
 * -1 where the code object does not say. */
struct pt_position {
    uint32_t line, end_line;
    int32_t column, end_column;
};

struct pt_lines;

/* Decodes the table of locations of CPython 3.11 and later.  A table that
 * breaks off leaves the rest of the code without lines. */
enum pt_status pt_lines_new(const struct pt_code *, struct pt_lines **out);
void pt_lines_free(struct pt_lines *);
/* Of the instruction at byte offset `off`; all unknown where it has none. */
struct pt_position pt_lines_at(const struct pt_lines *, uint32_t off);

/* The lines of all code objects of a trace, decoded as they are asked for. */
struct pt_line_cache;
enum pt_status pt_line_cache_new(const struct pt_trace *,
                                 struct pt_line_cache **out);
void pt_line_cache_free(struct pt_line_cache *);
/* 0 where the code object or its line is not known. */
uint32_t pt_line_cache_at(struct pt_line_cache *, uint32_t code, uint32_t off);
/* PT_ENOMEM once memory was too short for some lines: what is told of them is
 * wrong. */
enum pt_status pt_line_cache_status(const struct pt_line_cache *);
/* The line of a code object's header; 0 where it is not known. */
uint32_t pt_line_cache_first(struct pt_line_cache *, uint32_t code);

/* --- a thread's stack ----------------------------------------------------
 *
 *   call resume throw      push a Python frame
 *   return yield unwind    close C calls on top, pop the Python frame
 *   c_call                 close C calls on top, push a C call
 *   c_return c_exception   pop the C call on top
 *   line instruction branch jump exception handled
 *                          close C calls on top; they belong to the topmost
 *                          Python frame and give its line or offset
 *   all other kinds        leave the stack as it is
 *
 * A C call on top can only be closed by what cannot lie inside it: every event
 * of the Python frame below it but its own end.  Such a call is unfinished (its
 * end was never seen).  An end that has nothing to close is unmatched and
 * changes nothing.  A chunk's keyframe is authoritative: where it differs from
 * the replayed stack without a gap between, that is a desync.
 *
 * A frame's `line` is set by line events (0: unknown) and, where the stack has
 * line tables, by each event with an offset to which the table gives a line;
 * it begins with the code's first line at a call, unknown at resume and throw
 * (spec/format.md section 8).  Its `off` is the last instruction that it is
 * known to have run: an exception's is the one that raised, and a handler does
 * not move it. */

enum { PT_STACK_LIMIT = 1 << 24 }; /* frames; more is damage */

struct pt_stack {
    struct pt_frame *frames; /* outermost first */
    size_t depth;
    size_t capacity;
    uint64_t unmatched;          /* ends without a beginning */
    uint64_t unfinished;         /* C calls without an end */
    uint64_t desyncs;            /* keyframes that differ from the replay */
    bool known;                  /* the stack is that of the events so far */
    struct pt_line_cache *lines; /* borrowed; NULL: frames' lines are those of
                                    line events only */
};

/* What one event did. */
struct pt_step {
    struct pt_frame frame; /* the Python frame the event belongs to: the one
                              entered or left, else the topmost */
    uint32_t callee;       /* of C call events, 0 unknown */
    uint32_t unfinished;   /* C calls that this event closed first */
    uint32_t from;         /* where the frame stood before the event: the last
                              offset told of it, or UINT32_MAX */
    size_t depth;          /* entries below the frame or C call it is about */
    bool framed;           /* `frame` is known */
    bool unmatched;
};

/* All zero is an empty stack; _clear releases what it holds. */
void pt_stack_clear(struct pt_stack *);
/* Starts a chunk of the stack's thread: compares, counts a desync where the
 * stack was known and differs, and takes over the keyframe. */
enum pt_status pt_stack_sync(struct pt_stack *, const struct pt_events *);
/* Whether the frames are those of the chunk's keyframe. */
bool pt_stack_is(const struct pt_stack *, const struct pt_events *);
/* Events are missing here: the next keyframe is taken without a desync. */
void pt_stack_lose(struct pt_stack *);
/* Applies one event; PT_ELIMIT past PT_STACK_LIMIT, PT_ENOMEM. */
enum pt_status pt_stack_step(struct pt_stack *, const struct pt_event *,
                             uint64_t seq, struct pt_step *out);

/* --- all threads in one order --------------------------------------------- */

/* One event with its surroundings, borrowed until the next call. */
struct pt_merged {
    const struct pt_event *event;
    const struct pt_stack *stack; /* after the event, without frames that the
                                     filter leaves out */
    struct pt_step step;
    uint64_t seq;             /* of the event, or of the one it follows ... */
    uint64_t k;               /* ... as the k-th instruction; 0 if logged */
    uint32_t process, thread; /* trace-wide ids */
    bool timed;  /* the time was read from a clock, not set between others */
    bool walked; /* not in the log: it follows from the flow */
    /* Of an event that was walked: the graph's instruction it is about. */
    const struct pt_graph *graph;
    uint32_t index;
};

struct pt_cursor;

/* A cursor over the events that `filter` (may be NULL, borrowed) lets pass, as
 * a recording with its rules would have them, ordered by (time, seq).  Only
 * chunks whose time has come are decoded, and of each thread at most a window
 * of events is kept, so that memory is bounded by the threads that run at the
 * same time. */
enum pt_status pt_cursor_new(const struct pt_trace *, const struct pt_filter *,
                             struct pt_cursor **out);
void pt_cursor_free(struct pt_cursor *);
/* Before the first event: from now on the lines and instructions that the flow
 * implies are given as well, each behind the event it follows, and an event
 * without a time of its own gets one between its neighbours'.  `graphs` is
 * borrowed. */
enum pt_status pt_cursor_walk(struct pt_cursor *,
                              struct pt_graph_cache *graphs);
/* PT_OK, PT_END, or a failure that is none of the file's. */
enum pt_status pt_cursor_next(struct pt_cursor *, struct pt_merged *out);
/* What the reader said of a chunk when pt_cursor_next() failed; its text is ""
 * where the reason was another. */
const struct pt_error *pt_cursor_error(const struct pt_cursor *);

/* What was found on the way; whole after PT_END. */
struct pt_trouble {
    uint64_t gaps;    /* gap events */
    uint64_t lost;    /* events they count, where they know */
    uint64_t unknown; /* gaps that do not know */
    uint64_t desyncs; /* of the stack, and misfits */
    uint64_t misfits; /* events that do not fit the bytecode (<pt/flow.h>) */
    uint64_t unmatched;
    uint64_t unfinished;
    uint64_t bad_chunks; /* that failed while they were decoded */
};
struct pt_trouble pt_cursor_trouble(const struct pt_cursor *);

#endif
