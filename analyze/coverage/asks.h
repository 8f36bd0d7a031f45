/* What the conditional jumps of a code object ask for: which part of which
 * decision, and by which outcome they jump.
 *
 * The compiler makes copies of decisions, threads jumps, folds `not` into
 * comparisons and asks for values that have been asked for before; what it does
 * in which version is in spec/cpython.md.  A jump belongs to an expression by
 * the places of the jump and of the instructions that made the value.
 * Thread rule: read-only once made. */
#ifndef PT_ANALYZE_COVERAGE_ASKS_H
#define PT_ANALYZE_COVERAGE_ASKS_H

#include "analyze/coverage/decisions.h"

#include <pt/graph.h>

/* A conditional jump that asks for an expression's truth. */
struct pt_ask {
    uint32_t index; /* of the instruction */
    uint32_t row;   /* expression */
    bool jumps;     /* the expression's truth where it jumps */
    bool blind;     /* both ways lead to the same instruction, and nothing tells
                       them apart */
};

struct pt_asks {
    struct pt_ask *asks; /* by index */
    uint32_t n;
    /* Of each instruction, the innermost expression that it lies in, + 1. */
    uint32_t *inside;
    /* ... and whether it is for all of that, or all of its decision. */
    bool *whole;
};

/* `graph` is of `code`, and both are of the decisions' source. */
enum pt_status pt_asks_new(const struct pt_decisions *,
                           const struct pt_interpreter *,
                           const struct pt_code *code,
                           const struct pt_graph *graph, struct pt_asks **out);
void pt_asks_free(struct pt_asks *);

#endif
