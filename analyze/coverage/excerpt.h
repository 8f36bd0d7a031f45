/* A piece of a source as one line of a report.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COVERAGE_EXCERPT_H
#define PT_ANALYZE_COVERAGE_EXCERPT_H

#include "analyze/coverage/model.h"
#include "analyze/source_text.h"

/* The text of a span, its white space made single blanks, not escaped; what
 * does not fit `size` is cut with "..." at its end, no character halved.  "" of
 * what is not in the text.  Asked for in ascending order, it costs what the
 * lines are long. */
size_t pt_cov_excerpt(struct pt_source_text *, const struct pt_cov_span *,
                      char *buffer, size_t size);

#endif
