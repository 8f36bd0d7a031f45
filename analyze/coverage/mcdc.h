/* Modified condition/decision coverage: which conditions of a decision were
 * shown to decide alone.
 *
 * Masking MC/DC, as gcc's -fcondition-coverage has it: an evaluation shows one
 * outcome of a condition if the decision could have gone the other way had the
 * condition, that is, if none of the others that were asked for masks it.  Two
 * evaluations that show both outcomes are its pair.
 * Thread rule: none. */
#ifndef PT_ANALYZE_COVERAGE_MCDC_H
#define PT_ANALYZE_COVERAGE_MCDC_H

#include "analyze/coverage/vectors.h"

/* Of the `n` paths that were seen, what they show of each of the decision's
 * conditions: `alone` has room for all.  `pair` counts in `paths`; a `missing`
 * is the caller's to free. */
enum pt_status pt_mcdc(const struct pt_decisions *, const struct pt_decision *,
                       const struct pt_path_count *paths, uint32_t n,
                       struct pt_cov_alone *alone);

#endif
