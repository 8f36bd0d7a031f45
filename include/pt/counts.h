/* How often everything ran, without walking.
 *
 * Between two events of a frame a flow trace leaves one path (<pt/flow.h>), so
 * that it is enough to count where paths begin and where they break off: a
 * constant amount of work for each event, and for each code object, once, a
 * sum along its instructions.  The numbers are those that walking every thread
 * and counting what ran would give.
 *
 * Where log and bytecode do not fit, that is noticed as a walk notices it: what
 * must have run and is not known is not counted, and pt_counts_desyncs() says
 * how often that was.
 *
 * Chunks are independent: a chunk's frames are counted from where its keyframe
 * has them to where its events leave them.  They can be given in any order,
 * and in parts to several counts that are merged; a chunk that is left out
 * takes with it what ran in it and nothing else.  A frame that the keyframe
 * cannot place is counted from its next event on, even if a walk that comes
 * from the chunk before knows more.  Memory is by the code objects that ran and
 * the depth of one chunk's stack.
 * Thread rule: a handle, and the cache it borrows, belong to one thread. */
#ifndef PT_COUNTS_H
#define PT_COUNTS_H

#include <pt/graph.h>

struct pt_counts;

/* `graphs` is borrowed for the counts' life.  PT_ENOMEM. */
enum pt_status pt_counts_new(struct pt_graph_cache *graphs,
                             struct pt_counts **out);
void pt_counts_free(struct pt_counts *);

/* Counts what ran in one chunk, of any thread.  PT_ELIMIT past PT_STACK_LIMIT,
 * PT_ENOMEM; a failure leaves part of the chunk counted, and is what every
 * later call returns. */
enum pt_status pt_counts_add(struct pt_counts *, const struct pt_events *);

/* Adds what `from` has counted, of other chunks of the same trace and through
 * the same or another cache.  PT_EUSAGE where code objects differ, PT_ENOMEM;
 * a failure is as above. */
enum pt_status pt_counts_merge(struct pt_counts *into,
                               const struct pt_counts *from);

/* How many desyncs there were: as many as a walk of each chunk by itself finds,
 * from its keyframe on. */
uint64_t pt_counts_desyncs(const struct pt_counts *);

/* Of one code object, `graph->n` numbers each, by instruction.  `next` and
 * `jump` say how often it was left for the one behind it and for its target,
 * `raised` how often for a handler.  A branch that was told counts as taken
 * even if the trace ends before anything ran behind it.  No code falls through
 * a jump: its `next` is 0. */
struct pt_code_counts {
    const struct pt_graph *graph; /* the cache's */
    uint64_t *ran, *next, *jump, *raised;
};

/* What has been counted so far; the result is the caller's to free.
 * PT_ENOTFOUND where nothing told of the code object, PT_ENOMEM. */
enum pt_status pt_counts_code(const struct pt_counts *, uint32_t code,
                              struct pt_code_counts **out);
/* All zero, of a graph that is borrowed; the caller's to free. */
enum pt_status pt_code_counts_new(const struct pt_graph *,
                                  struct pt_code_counts **out);
void pt_code_counts_free(struct pt_code_counts *);

/* How often the block was entered, and the edge taken; `blocks` is of the same
 * graph. */
uint64_t pt_code_counts_block(const struct pt_code_counts *,
                              const struct pt_blocks *blocks, uint32_t block);
uint64_t pt_code_counts_edge(const struct pt_code_counts *,
                             const struct pt_blocks *blocks, uint32_t edge);

#endif
