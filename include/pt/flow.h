/* From a log of the flow to every instruction and line that ran.
 *
 * A trace whose header has PT_OPTIONAL_FLOW tells what decides a program's
 * path: where frames begin and go on, which way branches went, what raised and
 * where.  All else follows from the code objects: a graph is what a code object
 * can do, a walk is what a thread did, and expanding a step of it gives the
 * INSTRUCTION and LINE events that CPython would have told.
 *
 * Nothing here is guessed.  Where the log and the bytecode do not fit, that is
 * a desync: the instructions of that step are left out, the frame's position is
 * unknown until an event gives it, and the walk goes on.
 * Thread rule: every handle belongs to one thread; the trace may be shared. */
#ifndef PT_FLOW_H
#define PT_FLOW_H

#include <pt/graph.h>

/* NULL where the trace can be walked, else what is missing: a phrase such as
 * "it was not recorded with --preset=flow". */
const char *pt_flow_lacks(const struct pt_trace *);

/* --- what a thread did ---------------------------------------------------- */

/* X(enumerator, what does not fit) */
#define PT_DESYNCS(X)                                                          \
    X(BRANCH, "a conditional jump lies between, without its event")            \
    X(END, "the code ends, raises or yields before")                           \
    X(LOOP, "a loop without an event comes first")                             \
    X(PLACE, "no such instruction is there")                                   \
    X(DESTINATION, "the instruction does not lead there")                      \
    X(HANDLER, "the exception table says otherwise")                           \
    X(RAISE, "no exception was told")                                          \
    X(SUSPENDED, "the frame was suspended, and nothing resumed it")            \
    X(KEYFRAME, "the chunk's keyframe has it elsewhere")
enum pt_desync_reason {
#define X(id, text) PT_DESYNC_##id,
    PT_DESYNCS(X)
#undef X
        PT_DESYNC_COUNT
};
/* The table's text; static storage. */
const char *pt_desync_text(unsigned reason);

struct pt_desync {
    uint64_t seq;    /* of the event that does not fit */
    uint32_t code;   /* of the frame */
    uint32_t off;    /* where the frame stood; UINT32_MAX unknown */
    uint32_t target; /* where the event says it is; UINT32_MAX it does not */
    uint8_t kind;    /* the event's */
    uint8_t reason;  /* enum pt_desync_reason */
};

/* Instructions first .. last of a graph that ran one after the other. */
struct pt_run {
    uint32_t first, last;
};

/* What ran between a thread's last event and this one, all in one frame. */
struct pt_walked {
    uint32_t code;                /* of that frame; 0: there is none */
    const struct pt_graph *graph; /* NULL: no instruction ran */
    const struct pt_run *runs;    /* borrowed until the walk's next call */
    size_t nruns;
    uint32_t before; /* code unit that the frame stood at before, or
                        none; a cache's is meant as such */
    bool lost;       /* what ran is not known: the frame's position was not */
    bool desynced;   /* `desync` says how: nothing is told as run */
    struct pt_desync desync;
};

struct pt_walk;

/* A walk of one thread; the cache is borrowed and may serve many. */
enum pt_status pt_walk_new(struct pt_graph_cache *, struct pt_walk **out);
void pt_walk_free(struct pt_walk *);
/* Starts a chunk of the walk's thread: takes its keyframe, or, where the walk
 * comes from the chunk before, compares it; nothing runs, but `out` can be
 * desynced.  PT_ELIMIT, PT_ENOMEM. */
enum pt_status pt_walk_sync(struct pt_walk *, const struct pt_events *,
                            struct pt_walked *out);
/* Events are missing here: the next keyframe is taken as it is. */
void pt_walk_lose(struct pt_walk *);
/* Applies one event.  What ran before it is in `out`; of the kinds line and
 * instruction no notice is taken.  PT_ELIMIT past PT_STACK_LIMIT, PT_ENOMEM. */
enum pt_status pt_walk_step(struct pt_walk *, const struct pt_event *,
                            uint64_t seq, struct pt_walked *out);
/* How many desyncs of one reason there were. */
uint64_t pt_walk_desyncs(const struct pt_walk *, unsigned reason);

/* --- instructions and lines ----------------------------------------------- */

/* One reconstructed event.  `k` counts the instructions since the thread's last
 * logged event from 1; a line has the k of the instruction that starts it, and
 * comes before it. */
struct pt_fine {
    uint64_t k;
    uint32_t index; /* of the instruction */
    uint32_t off;   /* its byte offset */
    uint32_t line;  /* 0 where it has none */
    uint8_t kind;   /* PT_LINE or PT_INSTRUCTION */
};

/* An iterator over a step; the fields are its own. */
struct pt_expand {
    const struct pt_graph *graph;
    const struct pt_run *run, *end;
    uint64_t k;
    uint32_t index, before;
    bool lined;
};

/* `walked` has to stay as it is while it is expanded. */
void pt_expand_begin(struct pt_expand *, const struct pt_walked *walked);
/* The next event in the order in which CPython tells them; false at the end. */
bool pt_expand_next(struct pt_expand *, struct pt_fine *out);
/* How many instructions and lines a step gives, at once. */
void pt_expand_count(const struct pt_walked *, uint64_t *instructions,
                     uint64_t *lines);

#endif
