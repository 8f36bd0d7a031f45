/* Predicting a chunk's events from those before them.
 *
 * A program does the same things again: what a frame did last decides, most of
 * the time, what it does next.  Both sides of the log keep the same small model
 * (format/model.h) while they go through a chunk: the thread's stack, and for
 * every step of a frame the steps that came next, the latest first.  Then an
 * event is its rank among these, and the usual rank, 0, is not even written.
 * Only an event that did not come next here before, a literal, is stored.
 * The model is part of the format: spec/format.md, section 6.6.
 * Thread rule: a predictor belongs to one thread. */
#ifndef PT_FORMAT_PREDICT_H
#define PT_FORMAT_PREDICT_H

#include "format/alloc.h"

#include <pt/writer.h>

struct pt_predictor;

enum pt_status pt_predictor_new(struct pt_predictor **out);
void pt_predictor_free(struct pt_predictor *);

/* The events that are not simply of rank 0. */
struct pt_marks {
    struct pt_str runs;  /* before each mark, events of rank 0 */
    struct pt_str codes; /* a byte a mark */
    uint32_t literals;   /* how many of the marks are literals */
};

/* Takes the predicted events out of a block: what is left in its arrays, but
 * for the times, are the values of the literals, and `used` counts those.
 * `n`, the shapes and their counts stay.  The marks are the predictor's own
 * and live until its next use.  PT_ENOMEM. */
enum pt_status pt_predict_pack(struct pt_predictor *, struct pt_block *,
                               const struct pt_frame *stack, size_t depth,
                               struct pt_marks *out);

/* The reverse: fills `events` (n of them, at most PT_BLOCK_EVENTS) but for the
 * times; of each, `has` says whether it has one.  PT_EDAMAGED where the marks
 * do not make n events of all the literals.  PT_ENOMEM. */
enum pt_status pt_predict_unpack(struct pt_predictor *, const struct pt_marks *,
                                 const struct pt_event *literals,
                                 const struct pt_frame *stack, size_t depth,
                                 struct pt_event *events, uint32_t n);

#endif
