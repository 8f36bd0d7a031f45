/* Which ways the conditional jumps of code objects have gone, for recordings
 * that tell each way once.
 *
 * Before 3.14 both ways of a jump are one event, which can only be switched off
 * for both.  So it stays on until both were seen; but where it goes the same
 * way again and again, and nothing else leads to the instruction that the other
 * way begins with, that instruction can be watched in its stead: it runs when,
 * and only when, the jump goes there.
 * Thread rule: needs the GIL.  No Python object is touched. */
#ifndef PT_INSIDE_OUTCOMES_H
#define PT_INSIDE_OUTCOMES_H

#include "compat.h"

/* Elsewhere there is nothing to be known. */
#define PT_OUTCOMES_BY_BRANCH                                                  \
    (PT_HAVE_MONITORING && PY_VERSION_HEX < 0x030E0000)

#if PT_OUTCOMES_BY_BRANCH

struct pt_outcomes;

/* What is known of a code object's jumps, by its id; NULL where nothing is. */
struct pt_outcomes *pt_outcomes_of(uint32_t code);
/* Starts to know: of bytecode and exception table as the code object has them.
 * NULL without memory. */
struct pt_outcomes *pt_outcomes_new(uint32_t code,
                                    const unsigned char *bytecode, size_t bytes,
                                    const unsigned char *handlers,
                                    size_t nhandlers);

/* What to do once the jump at `off` went to `dst`, byte offsets. */
enum pt_outcome {
    PT_OUTCOME_SEEN, /* nothing: it was seen, the other way was not */
    PT_OUTCOME_NEW,  /* tell it */
    PT_OUTCOME_LAST, /* tell it, and switch the event off */
    PT_OUTCOME_OFF,  /* switch the event off */
    PT_OUTCOME_WATCH /* watch instructions, and switch the event off */
};
enum pt_outcome pt_outcomes_branch(struct pt_outcomes *, uint32_t off,
                                   uint32_t dst);

/* The instruction at `off` runs: true where that is the way which a jump that
 * is watched so had not gone, and *branch receives the jump's offset. */
bool pt_outcomes_reached(struct pt_outcomes *, uint32_t off, uint32_t *branch);

/* After PT_OUTCOME_WATCH, where instructions cannot be watched: the event of
 * the jump at `off` stays on. */
void pt_outcomes_keep(struct pt_outcomes *, uint32_t off);

#endif

#endif
