/* The reports of a coverage, a file for each.
 *
 * A report reads the model (model.h) and nothing else, and writes what it shows
 * into an output; what it keeps is bounded by one file of the coverage.
 * Thread rule: as the coverage and the output. */
#ifndef PT_ANALYZE_COVERAGE_REPORT_H
#define PT_ANALYZE_COVERAGE_REPORT_H

#include "analyze/coverage/model.h"
#include "analyze/output.h"

/* coverage.py's JSON, format 3, and what it has no place for as "ptrec". */
enum pt_status pt_cov_json(const struct pt_coverage *, struct pt_out *);
/* A span as both JSON reports have it: [line, column, end line, end column]. */
struct pt_json;
void pt_cov_json_span(struct pt_json *, const struct pt_cov_span *);
/* A tracefile of lcov; its MC/DC records are those of lcov 2. */
enum pt_status pt_cov_lcov(const struct pt_coverage *, struct pt_out *);
/* The sources, each line with how often it ran and what it lacks. */
enum pt_status pt_cov_annotate(const struct pt_coverage *, struct pt_out *);
/* A folder of pages.  It is made, or holds an earlier report, which gives way;
 * else PT_EUSAGE.  `error` is filled on failure. */
enum pt_status pt_cov_html(const struct pt_coverage *, const char *folder,
                           struct pt_error *error);

#endif
