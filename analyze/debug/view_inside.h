/* What the files of a view share: whether, and until where, a frame is on the
 * stack.  Failures are as in view.h.
 * Thread rule: as <pt/history.h>. */
#ifndef PT_ANALYZE_DEBUG_VIEW_INSIDE_H
#define PT_ANALYZE_DEBUG_VIEW_INSIDE_H

#include "analyze/debug/view.h"

/* Kinds by which a frame that was suspended goes on. */
#define PT_GOES_ON (1u << PT_RESUME | 1u << PT_THROW)

/* Whether somebody wants an end of what takes long. */
bool pt_view_interrupted(const struct pt_view *v);

/* The number of the event at, or before, which it stands. */
enum pt_status pt_view_seq(struct pt_view *v, uint64_t *seq);

/* Whether an item is a stop. */
bool pt_view_is_stop(const struct pt_view *v, enum pt_stops stops,
                     const struct pt_here *here);

/* How many entries the stack has. */
enum pt_status pt_view_depth(struct pt_view *v, size_t *depth);

/* Whether the activation is the one that runs, C calls aside. */
enum pt_status pt_view_runs(struct pt_view *v, const struct pt_activation *a,
                            bool *out);

/* The Python frame below an activation that is on the stack. */
enum pt_status pt_view_caller(struct pt_view *v, const struct pt_activation *a,
                              struct pt_activation *out);

/* The last event behind which an activation is there, which it is behind event
 * `from`. */
enum pt_status pt_view_last(struct pt_view *v, const struct pt_activation *a,
                            uint64_t from, uint64_t *out);

/* Where there is no more: the last item, or the first. */
enum pt_status pt_view_stay(struct pt_view *v, bool forward);

/* To the event that ends an activation; `below` (may be NULL) receives the
 * Python frame that it was called from, whose height is 0 where there is none.
 */
enum pt_status pt_view_go_end(struct pt_view *v, const struct pt_activation *a,
                              uint64_t from, struct pt_activation *below);

/* To the next event of `kinds` that enters the frame of a key, or the last
 * before; PT_ENOTFOUND. */
enum pt_status pt_view_go_entering(struct pt_view *v,
                                   const struct pt_activation *a,
                                   uint32_t kinds, bool forward);

/* A frame has just ended at an event: where it was only suspended, to where it
 * goes on, as a new activation.  PT_END where it does not; the position then
 * stays. */
enum pt_status pt_view_go_resumed(struct pt_view *v, struct pt_activation *a);

/* At the event that entered an activation: where that was suspended before, to
 * where it was, as the activation until then. */
enum pt_status pt_view_go_suspended(struct pt_view *v, struct pt_activation *a);

#endif
