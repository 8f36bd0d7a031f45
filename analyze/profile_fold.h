/* The profile's arithmetic: calls and times per function, and, where asked for,
 * per pair of caller and callee and per path of the tree of calls.
 *
 * Counts as cProfile does: a call is an activation (call, resume, throw, or a
 * C call of a builtin or a method); primitive calls and inclusive time are
 * those of activations outside any other of the same function on the same
 * thread. Time between two stack events belongs to the function on top, so
 * exclusive times need nothing but the stack, which each chunk's keyframe
 * gives.  Hidden spans (types and callable objects) leave their time with the
 * function below.  An activation open at the end of its thread
 * ends there.
 *
 * Partial profiles of the same trace, over different threads, merge.
 * Thread rule: a profile belongs to one thread. */
#ifndef PT_ANALYZE_PROFILE_FOLD_H
#define PT_ANALYZE_PROFILE_FOLD_H

#include "analyze/calltree.h"
#include "analyze/histogram.h"
#include "analyze/pass.h"

struct pt_profile_function {
    uint64_t calls;                /* activations */
    uint64_t primitive;            /* outermost ones */
    uint64_t exclusive, inclusive; /* ns; hostile times wrap around */
    uint64_t min, max;             /* inclusive, of one activation */
    uint64_t wait;        /* suspended between a yield and its resume, or while
                             another greenlet ran */
    uint64_t compensated; /* ns that were taken out of the exclusive time */
    uint32_t level;       /* activations on the current stack */
    uint32_t last_caller, last_edge; /* the edge found last */
    struct pt_histogram *times;      /* inclusive, of each activation */
};

struct pt_profile_edge {
    uint32_t caller, callee; /* functions; no caller is 0 */
    uint32_t level;
    uint64_t calls, primitive;
    uint64_t exclusive, inclusive;
};

/* What a function is: code object or callable (the first of those that share
 * file, line and names). */
struct pt_profile_name {
    uint32_t id;
    bool callable;
};

/* What counts as one function. */
enum pt_profile_by {
    PT_PROFILE_BY_FUNCTION,
    PT_PROFILE_BY_FILE, /* all of a file; "~": all C functions */
    PT_PROFILE_BY_MODULE,
};

struct pt_profile_options {
    enum pt_profile_by by;
    bool all_calls;  /* types and callable objects are functions, too */
    bool edges;      /* keep callers */
    bool tree;       /* keep the tree of calls */
    bool threads;    /* ... with a root for each thread */
    bool compensate; /* take out what recording took (struct pt_costs) */
    struct pt_calltree_options limits; /* of the tree; all zero: the usual */
};

struct pt_profile {
    const struct pt_trace *trace;
    const struct pt_filter *filter;
    struct pt_profile_options options;
    struct pt_profile_function *functions; /* [0]: outside of all */
    struct pt_profile_name *names;
    struct pt_str *groups; /* names of files or modules; NULL: by function */
    uint32_t nfunctions;   /* [0] included */
    struct pt_profile_edge *edges; /* [0]: none */
    uint32_t nedges;
    struct pt_calltree *tree; /* NULL where it is not asked for */
    uint64_t desyncs, unmatched, unfinished;
    uint64_t events;
    uint64_t compensated; /* ns that were taken out */
    uint64_t below;       /* ns by which functions would have been below zero */
    bool uncosted;        /* of a process it is not known what recording took */
    struct pt_profile_state *state;
};

enum pt_status pt_profile_new(const struct pt_trace *, const struct pt_filter *,
                              const struct pt_profile_options *,
                              struct pt_profile **out);
void pt_profile_free(struct pt_profile *);
struct pt_fold pt_profile_fold(struct pt_profile *);
/* Ends what is still open; after the pass, before the numbers are read. */
enum pt_status pt_profile_finish(struct pt_profile *);
/* Adds a finished profile of the same trace and options to another. */
enum pt_status pt_profile_merge(struct pt_profile *into,
                                const struct pt_profile *from);

/* The thread that counts: what a greenlet runs, its carrier does. */
uint32_t pt_profile_thread(const struct pt_trace *, uint32_t id);

/* profile_edges.c: the edge from `caller` to `callee`, made if it is new; 0
 * without memory. */
uint32_t pt_profile_edge_find(struct pt_profile *, uint32_t caller,
                              uint32_t callee);

/* profile_waits.c: suspended frames by key.  The table is bounded: of very many
 * abandoned generators, the oldest are forgotten. */
struct pt_profile_waits;
enum pt_status pt_profile_waits_new(struct pt_profile_waits **out);
void pt_profile_waits_free(struct pt_profile_waits *);
/* A frame is suspended or goes on; the ns it waited when both are now known, in
 * whatever order they came (threads are folded one after the other), else 0. */
uint64_t pt_profile_waits_suspend(struct pt_profile_waits *, uint64_t key,
                                  int64_t time);
uint64_t pt_profile_waits_resume(struct pt_profile_waits *, uint64_t key,
                                 int64_t time);

#endif
