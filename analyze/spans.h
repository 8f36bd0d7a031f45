/* Calls as they begin and end, thread by thread, for what writes a timeline.
 *
 * Follows the stack rules of <pt/replay.h> over chunks in file order and tells
 * a sink of each activation's beginning and end.  What is counted is what the
 * profile counts (analyze/profile_fold.h): types and callable objects are no
 * spans of their own, and their time is the one's below; a span that is open
 * when its thread ends, ends there; what a gap took away is known by the
 * keyframe behind it.  Of one thread, beginnings and ends come nested,
 * and their times never decrease.  Memory grows with the depth of the
 * stacks, never with the events.
 * Thread rule: a handle belongs to one thread. */
#ifndef PT_ANALYZE_SPANS_H
#define PT_ANALYZE_SPANS_H

#include "analyze/pass.h"

struct pt_span {
    int64_t start;      /* ns */
    uint64_t exclusive; /* ns so far */
    uint64_t wait;      /* ns, while other greenlets ran; told at the end */
    uint64_t away;      /* of spans.c */
    size_t at;          /* of spans.c: how deep in the thread's stack it is */
    uint32_t id;        /* code or callable */
    uint32_t line;      /* of the caller when it called, 0 unknown */
    uint32_t note;      /* the sink's own; 0 at first */
    bool callable;
    bool partial; /* it began before what is told */
};

/* A thread, at one moment. */
struct pt_span_lane {
    uint32_t thread, process;
    struct pt_span *spans; /* open ones, outermost first */
    size_t depth;
};

/* Whom it is told; `spent` and `gap` may be NULL.  Whatever is not PT_OK ends
 * the pass with that status. */
struct pt_span_sink {
    void *state;
    /* The last of the lane's spans begins, or ends at `time`. */
    enum pt_status (*begun)(void *state, const struct pt_span_lane *);
    enum pt_status (*ended)(void *state, const struct pt_span_lane *,
                            int64_t time);
    /* Of the last span's exclusive time, `ns` while it stood at `line` (0
     * unknown). */
    enum pt_status (*spent)(void *state, const struct pt_span_lane *,
                            uint64_t ns, uint32_t line);
    /* Events are missing here: `lost` of them, or UINT64_MAX. */
    enum pt_status (*gap)(void *state, const struct pt_span_lane *,
                          int64_t time, uint64_t lost);
};

struct pt_spans_options {
    bool all_calls; /* types and callable objects are spans, too */
    bool lines;     /* spans and `spent` know lines */
};

struct pt_spans;

/* `filter` may be NULL; it, the trace and the sink are borrowed. */
enum pt_status pt_spans_new(const struct pt_trace *, const struct pt_filter *,
                            const struct pt_spans_options *,
                            const struct pt_span_sink *, struct pt_spans **out);
void pt_spans_free(struct pt_spans *);
struct pt_fold pt_spans_fold(struct pt_spans *);
/* Ends what is still open; after the pass. */
enum pt_status pt_spans_finish(struct pt_spans *);
/* Adds desyncs, unmatched and unfinished. */
void pt_spans_tell(const struct pt_spans *, struct pt_trouble *);

#endif
