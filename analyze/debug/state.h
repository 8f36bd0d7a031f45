/* The inside of an engine.
 * Thread rule: as <analyze/debug/engine.h>. */
#ifndef PT_ANALYZE_DEBUG_STATE_H
#define PT_ANALYZE_DEBUG_STATE_H

#include "analyze/debug/engine.h"
#include "analyze/debug/view.h"

struct pt_engine {
    const struct pt_trace *trace;
    struct pt_engine_hooks hooks;
    struct pt_history *all; /* stands at the moment */
    uint32_t *threads;      /* ids, by their place in `all` */
    size_t nthreads;
    struct pt_view view; /* of the current thread: at its item of the moment */
    size_t selected;
    struct pt_breakpoints breakpoints;
    struct pt_search *searches[2]; /* for them, in `all` and in the view; NULL:
                                      to be made */
};

/* --- engine.c ---------------------------------------------------------------
 */

bool pt_engine_interrupted(void *engine);
/* What steps go by in this trace. */
enum pt_stops pt_engine_stops(const struct pt_engine *);
/* After the view has moved: the moment becomes that of its item. */
enum pt_status pt_engine_follow(struct pt_engine *);
/* After the moment has: the thread becomes that of the item there. */
enum pt_status pt_engine_adopt(struct pt_engine *);
/* To the item of the current thread that was there before. */
enum pt_status pt_engine_restore(struct pt_engine *, const struct pt_place *);

/* --- hits.c -----------------------------------------------------------------
 */

/* To the first hit of a breakpoint that stops, or, in reverse, the last before;
 * *out is NULL where there is none, the position then anywhere.  With `until`
 * only in the current thread and before that place, and else in all. */
enum pt_status pt_engine_run(struct pt_engine *, bool reverse,
                             const struct pt_place *until,
                             struct pt_breakpoint **out);
/* The breakpoint that stops at the current place, which a step has reached, or
 * between `from` and there; counts its hit.  NULL where there is none. */
enum pt_status pt_engine_passed(struct pt_engine *, const struct pt_place *from,
                                struct pt_breakpoint **out);
void pt_engine_drop_searches(struct pt_engine *);

#endif
