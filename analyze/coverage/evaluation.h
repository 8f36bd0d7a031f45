/* The inside of evaluations, shared by evaluations.c, evaluate.c and
 * evaluate_frame.c. */
#ifndef PT_ANALYZE_COVERAGE_EVALUATION_H
#define PT_ANALYZE_COVERAGE_EVALUATION_H

#include "analyze/coverage/asks.h"
#include "analyze/coverage/evaluations.h"
#include "analyze/coverage/vectors.h"

/* What became of one condition. */
struct pt_tries {
    uint64_t count[2];  /* how often it was false, true */
    uint64_t undecided; /* ... evaluated, and not known */
    uint64_t raised;    /* among these, those that an exception ended */
};

/* A decision whose evaluations are followed. */
struct pt_followed {
    const struct pt_decisions *decisions;
    const struct pt_decision *own;
    const struct pt_leaf *leaves; /* own->n */
    struct pt_tries *tries;       /* own->n */
    /* Of each leaf, the fewest leaves that a jump asks for with it. */
    uint8_t *least;
    struct pt_paths paths;
};

/* A source whose decisions were told to a file. */
struct pt_judged {
    struct pt_decisions *decisions;
    struct pt_followed **followed; /* of each decision, or NULL */
    uint32_t *marks; /* ... the number of the watch, of `nwatches`,
                        that listed it last */
    uint32_t nwatches;
    uint32_t file;
};

/* What a branch means, by the index of its instruction. */
struct pt_meaning {
    struct pt_followed *followed; /* NULL: nothing */
    uint8_t first, last;          /* it asks for conditions first .. last - 1 */
    uint8_t only;                 /* the one of these that is no constant, or
                                     PT_DECISION_MOST */
    bool odd;                     /* negations above it */
    bool jumps, blind;            /* see asks.h */
};

/* A code object that has followed decisions. */
struct pt_watch {
    const struct pt_judged *judged;
    const struct pt_graph *graph;
    struct pt_meaning *meanings; /* of those asks that mean something */
    uint32_t *meaning;           /* of each instruction: + 1, or 0 */
    uint32_t *inside;            /* see asks.h */
    uint32_t *decisions; /* that it has, ascending: what else its instructions
                            lie in are those of the code around it */
    uint32_t ndecisions;
};

/* A trace's code objects that are watched, by id; NULL where not. */
struct pt_watches {
    struct pt_watch **by_code;
    uint32_t n;
    bool any;
};

struct pt_evaluations {
    struct pt_judged **judged; /* each of its own allocation */
    size_t njudged, capacity;
    struct pt_watches *traces;
    size_t ntraces;
};

/* --- one frame ------------------------------------------------------------ */

/* What is under way in one frame. */
struct pt_evaluating {
    struct pt_underway *list;
    uint32_t raised; /* index of the instruction that has just raised, + 1 */
};

/* An evaluation under way. */
struct pt_underway {
    struct pt_underway *next;
    struct pt_followed *followed;
    struct pt_path path; /* `at`: what it waits for */
    uint64_t seq;
};

/* Where they come from and go to: a pool of them, and the trace's number. */
struct pt_evaluator {
    struct pt_underway *spare;
    uint32_t trace;
    uint64_t seq; /* of the current event */
    enum pt_status failed;
};

/* A branch, an exception and the beginning of a handler in a frame; `index` is
 * of the instruction. */
void pt_evaluate_branch(struct pt_evaluator *, const struct pt_watch *,
                        struct pt_evaluating *, uint32_t index, uint32_t to);
void pt_evaluate_raise(struct pt_evaluator *, const struct pt_watch *,
                       struct pt_evaluating *, uint32_t index);
void pt_evaluate_handler(struct pt_evaluator *, const struct pt_watch *,
                         struct pt_evaluating *, uint32_t index);
/* An exception leaves the frame. */
void pt_evaluate_unwind(struct pt_evaluator *, const struct pt_watch *,
                        struct pt_evaluating *);
/* All that are under way were cut short. */
void pt_evaluate_end(struct pt_evaluator *, struct pt_evaluating *);
/* All that are under way are forgotten. */
void pt_evaluate_drop(struct pt_evaluator *, struct pt_evaluating *);

#endif
