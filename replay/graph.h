/* Making graphs, for the cache of <pt/graph.h>.
 * Thread rule: as there. */
#ifndef PT_REPLAY_GRAPH_H
#define PT_REPLAY_GRAPH_H

#include "replay/dialect.h"

/* Decodes a code object of at most `limit` instructions; PT_ELIMIT, PT_ENOMEM.
 */
enum pt_status pt_graph_new(const struct pt_code *, uint32_t id,
                            const struct pt_dialect *, uint32_t limit,
                            struct pt_graph **out);
void pt_graph_free(struct pt_graph *);

/* Sets of each instruction `line`, `fired` and `lined`, and the flags _FIRES,
 * _STARTS and _PLACED. */
enum pt_status pt_graph_mark(struct pt_graph *, const struct pt_code *,
                             const struct pt_dialect *);

/* The code unit that an instruction's argument names, before what FOR_ITER
 * skips; PT_INS_NONE where it does not jump or leaves the code. */
uint32_t pt_graph_named(const struct pt_graph *, const struct pt_dialect *,
                        uint32_t index);

/* Whether instruction `i` goes on at its target after a StopIteration that was
 * told there.  A loop does so silently from 3.14 on, where the target tells
 * that it has ended. */
static inline bool
pt_graph_swallows(const struct pt_graph *g, uint32_t i)
{
    const struct pt_ins *ins = &g->ins[i];
    if (ins->target == PT_INS_NONE)
        return false;
    return ins->cls == PT_INS_SEND ||
           (ins->cls == PT_INS_FOR &&
            g->ins[ins->target].flags & PT_INS_LINGERS);
}

#endif
