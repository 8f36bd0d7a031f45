/* What asyncio's tasks did: their steps, the time they ran and waited, and for
 * whom.
 *
 * A task runs while a step of its is the innermost one that has begun in a
 * thread: the time of a task that starts eagerly within it is that one's own.
 * It waits from a step's end to the next one's beginning; a task that still
 * waits, or runs, where its thread's events end did so until then.  Behind a
 * gap it is not known what runs, until a step begins.  Memory is by tasks and
 * by the depth of steps.
 * Thread rule: a fold belongs to one thread. */
#ifndef PT_ANALYZE_TASK_FOLD_H
#define PT_ANALYZE_TASK_FOLD_H

#include "analyze/pass.h"

struct pt_task_sums {
    uint64_t steps;
    uint64_t running, waiting; /* ns */
    uint64_t longest;          /* ns, of one wait for the task `awaited` */
    uint32_t awaited;          /* id of a task, 0 none */
    uint32_t thread;           /* that it ran in last, 0 none */
    uint8_t act; /* the last that changed what it does (enum pt_task_act):
                    runs, waits, or how it ended; 0 nothing yet */
    bool seen;
    uint32_t awaits; /* since its step began: the task it is to wait for */
    int64_t since;   /* ns, when it began to wait */
};

struct pt_tasks {
    struct pt_task_sums *sums; /* by the task's id; [0] of undefined ones */
    uint32_t n;
    uint64_t events;
    struct pt_task_lanes *lanes;
};

/* `filter` may be NULL; it and the trace are borrowed.  PT_ENOMEM. */
enum pt_status pt_tasks_new(const struct pt_trace *, const struct pt_filter *,
                            struct pt_tasks **out);
void pt_tasks_free(struct pt_tasks *);
struct pt_fold pt_tasks_fold(struct pt_tasks *);
/* Ends what is still open; after the pass. */
void pt_tasks_finish(struct pt_tasks *);

#endif
