/* Which function and which class the lines of a file belong to, as coverage.py
 * tells it: a function has the lines of its body, without those of functions
 * within; a class has the lines of its methods; "" has the others.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COVERAGE_REGIONS_H
#define PT_ANALYZE_COVERAGE_REGIONS_H

#include "analyze/coverage/model.h"

/* Region i < nfunctions is that row of the file's functions; nfunctions is what
 * lies outside of them.  `rows` has rows of the file's lines, region after
 * region; those of region i begin at start[i] and end at start[i + 1]. */
struct pt_cov_regions {
    uint32_t *rows, *start;
};

/* Of the functions, or of the classes; the caller's to clear.  PT_ENOMEM. */
enum pt_status pt_cov_regions_init(struct pt_cov_regions *,
                                   const struct pt_cov_file *, bool classes);
void pt_cov_regions_clear(struct pt_cov_regions *);
/* What the lines of a region, and the arcs from them, add up to. */
struct pt_cov_total pt_cov_regions_total(const struct pt_cov_regions *,
                                         const struct pt_cov_file *,
                                         uint32_t region);

/* Which rows of the file's functions, or classes, are the last definition of
 * their name: stored in `last`, which has nfunctions entries, for those alone
 * that are of the kind.  coverage.py's report has these.  PT_ENOMEM. */
enum pt_status pt_cov_regions_last(const struct pt_cov_file *, bool classes,
                                   bool *last);

#endif
