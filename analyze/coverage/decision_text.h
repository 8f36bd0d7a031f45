/* A decision in lines of text: its conditions with what they came to, and the
 * evaluations that MC/DC is told by.
 * Thread rule: as the output. */
#ifndef PT_ANALYZE_COVERAGE_DECISION_TEXT_H
#define PT_ANALYZE_COVERAGE_DECISION_TEXT_H

#include "analyze/coverage/excerpt.h"
#include "analyze/output.h"

/* What a condition is like, as reports colour it. */
enum pt_cov_condition_look {
    PT_COV_LOOK_BOTH,    /* it was true, and false */
    PT_COV_LOOK_TRUE,    /* never false */
    PT_COV_LOOK_FALSE,   /* never true */
    PT_COV_LOOK_NEVER,   /* not evaluated */
    PT_COV_LOOK_UNKNOWN, /* evaluated; nothing tells what it came to */
    PT_COV_LOOK_CONSTANT,
    PT_COV_LOOKS
};
enum pt_cov_condition_look
pt_cov_condition_look(const struct pt_cov_condition *);
/* "true 3, false 1", "true 2, never false", "never evaluated" ...; a buffer of
 * PT_COV_OUTCOMES bytes. */
enum { PT_COV_OUTCOMES = 96 };
const char *pt_cov_outcomes(const struct pt_cov_condition *, char *buffer);

/* How many conditions of a decision were shown to decide alone, of those that
 * can; 0 of 0 where nobody asked. */
struct pt_cov_share pt_cov_decision_alone(const struct pt_cov_decision *);

/* Prints row `decision` of the file, each line behind `indent` blanks: its
 * conditions, and where it has MC/DC, the evaluations.  `traces`: how many
 * traces there are, whose numbers are told where they are several. */
void pt_cov_decision_text(struct pt_out *, const struct pt_cov_file *,
                          uint32_t decision, struct pt_source_text *,
                          uint32_t traces, unsigned indent);

#endif
