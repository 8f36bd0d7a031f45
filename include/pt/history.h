/* A position in a trace that moves both ways.
 *
 * Over the events of one thread, or of all merged as a cursor has them, with
 * the lines and instructions that follow from a flow trace as its finest steps.
 * Each item is at SEQ, or at SEQ+K behind that event (spec/format.md).  Going
 * back costs what going forward does: a chunk is decoded and walked once and
 * kept in a cache, whose size bounds the memory, however long the trace is.
 *
 * Each chunk is read by itself, from its keyframe on, so that what is told of a
 * position does not depend on the way there.  Where events are missing or do
 * not fit the code that is told, and nothing is guessed.
 * Thread rule: a history belongs to one thread; the trace may be shared. */
#ifndef PT_HISTORY_H
#define PT_HISTORY_H

#include <pt/replay.h>

struct pt_history;

struct pt_history_options {
    uint64_t cache;  /* bytes of decoded chunks; 0: 128 MiB.  The chunk in use
                        is kept, however large it is */
    uint32_t thread; /* trace-wide id; 0: all, merged by time */
};

/* Opens a trace, before its first event; `options` may be NULL.  The trace is
 * borrowed.  PT_ENOTFOUND for a thread without events, PT_ENOMEM. */
enum pt_status pt_history_open(const struct pt_trace *,
                               const struct pt_history_options *options,
                               struct pt_history **out);
void pt_history_close(struct pt_history *);

/* --- moving ----------------------------------------------------------------
 */

/* What one step goes to. */
enum pt_grain {
    PT_GRAIN_ITEM,       /* whatever is next: logged or reconstructed */
    PT_GRAIN_EVENT,      /* an event that is in the log */
    PT_GRAIN_LINE,       /* the start of a line: reconstructed where the trace
                            has flow, else as logged */
    PT_GRAIN_INSTRUCTION /* an instruction, in the same way */
};

/* NULL where the trace tells of this grain, else what is missing, as a
 * phrase. */
const char *pt_history_lacks(const struct pt_history *, enum pt_grain);

/* Before the first item, and behind the last. */
void pt_history_begin(struct pt_history *);
void pt_history_end(struct pt_history *);
/* To the event `seq`, or to the k-th instruction behind it.  PT_ENOTFOUND where
 * there is none, or none of this history's thread, PT_EDAMAGED where its chunk
 * cannot be read; the position stays. */
enum pt_status pt_history_seek(struct pt_history *, uint64_t seq, uint64_t k);
/* To the last event that is not later than `time` (ns) by its time in the log,
 * or before the first. */
enum pt_status pt_history_seek_time(struct pt_history *, int64_t time);
/* One step.  PT_END where there is none: then the position is behind the last
 * item or before the first.  PT_EUSAGE for a grain that the trace lacks, or a
 * failure that is none of the file's; the position stays. */
enum pt_status pt_history_next(struct pt_history *, enum pt_grain);
enum pt_status pt_history_prev(struct pt_history *, enum pt_grain);

/* --- what is there ---------------------------------------------------------
 */

/* Whether it is known what ran between the thread's event before and here. */
enum pt_ran {
    PT_RAN_KNOWN,  /* all of it is told */
    PT_RAN_UNTOLD, /* the trace has no flow: only what was logged is known */
    PT_RAN_LOST,   /* the frame's position was not known */
    PT_RAN_DESYNC, /* log and code do not fit; `desync` has the reason */
    PT_RAN_GAP     /* events are missing; `missing` has how many */
};

/* The item of a position; the event is borrowed until the next call. */
struct pt_here {
    const struct pt_event *event; /* its time is that of this item */
    uint64_t seq, k;              /* as struct pt_merged has them */
    uint32_t process, thread;     /* trace-wide ids */
    bool walked;                  /* not in the log: it follows from the flow */
    bool timed;  /* the time was read from a clock, not set between others */
    bool framed; /* `frame` is known */
    const struct pt_graph *graph; /* of a walked item: the instruction that it
                                     is about.  Lives as the history does */
    uint32_t index;
    uint32_t callee;       /* of C call events, 0 unknown */
    struct pt_frame frame; /* the Python frame the item belongs to: the one
                              entered or left, else the topmost */
    size_t depth;          /* entries on the stack after the item */
    uint8_t ran;           /* enum pt_ran; behind a damaged chunk _GAP */
    uint8_t desync;        /* enum pt_desync_reason */
    uint64_t missing;      /* events; UINT64_MAX unknown */
};

/* PT_END before the first item and behind the last. */
enum pt_status pt_history_here(struct pt_history *, struct pt_here *out);

/* A thread at the current position: its last item that is not later. */
struct pt_thread_state {
    uint32_t thread, process;
    bool begun, ended; /* it has an item before or here; none comes after */
    uint64_t seq, k;   /* of that item; K counts instructions */
    int64_t time;      /* of the event `seq` */
    size_t depth;      /* frames and C calls on its stack */
};
size_t pt_history_threads(const struct pt_history *);
/* The i-th thread; their order is that of their ids. */
enum pt_status pt_history_thread(struct pt_history *, size_t i,
                                 struct pt_thread_state *out);
/* At most `n` entries of the i-th thread's stack, innermost first, without the
 * `skip` innermost; *count receives how many. */
enum pt_status pt_history_frames(struct pt_history *, size_t i, size_t skip,
                                 struct pt_frame *frames, size_t n,
                                 size_t *count);

/* Gaps are those of the whole history, all else what the chunks showed that
 * were read so far, each counted once.  A keyframe is taken as it stands, not
 * compared with the chunk before it. */
struct pt_trouble pt_history_trouble(const struct pt_history *);

/* --- searching -------------------------------------------------------------
 */

/* A line of a code object, or, where it is 0, its being called. */
struct pt_target {
    uint32_t code, line;
};

struct pt_search;

/* Prepares a search for any of `n` targets, which are copied; PT_EUSAGE where
 * the trace tells of no lines, PT_ENOMEM.  The history is borrowed. */
enum pt_status pt_search_new(struct pt_history *, const struct pt_target *,
                             size_t n, struct pt_search **out);
void pt_search_free(struct pt_search *);
/* What else a search heeds; each function may be NULL. */
struct pt_search_also {
    uint32_t kinds; /* bit per kind: events that are hits, too ... */
    bool (*match)(void *state, const struct pt_event *); /* ... where it says
                                                            so */
    /* Asked before a chunk is looked at, which goes from info->seq on, whether
     * the search ends here. */
    bool (*end)(void *state, const struct pt_chunk_info *info);
    void *state;
};
void pt_search_also(struct pt_search *, const struct pt_search_also *);
/* Goes to the n-th time that a target ran behind the current position, or, for
 * a negative n, before it.  Chunks in which none of the code objects ran are
 * not walked, nor even decoded where the index tells.  PT_ENOTFOUND where there
 * are fewer, PT_END where the search was ended, PT_EUSAGE for 0; the position
 * then stays. */
enum pt_status pt_search_go(struct pt_search *, int64_t n);

#endif
