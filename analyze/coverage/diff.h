/* What a coverage has and lacks against an earlier one of the same program,
 * whose sources may have changed since.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COVERAGE_DIFF_H
#define PT_ANALYZE_COVERAGE_DIFF_H

#include "analyze/coverage/model.h"
#include "analyze/output.h"

/* Rows of one of a file's arrays. */
struct pt_cov_rows {
    uint32_t *rows;
    uint32_t n, room;
};

/* Of a file that both have; rows are those of the later one. */
struct pt_cov_changes {
    const struct pt_cov_file *then, *now;
    struct pt_cov_rows lost;    /* lines that ran, and do not any more */
    struct pt_cov_rows won;     /* ... that run now */
    struct pt_cov_rows fresh;   /* ... that are new, and do not run */
    struct pt_cov_rows arcs;    /* branches that were taken, and are not now */
    struct pt_cov_rows yes, no; /* conditions that were true, false once */
    struct pt_cov_rows alone;   /* conditions that were shown to decide alone */
};

/* Where one of the texts is not known, a line is that of the same number.  The
 * caller's to clear; PT_ENOMEM. */
enum pt_status pt_cov_changes_init(struct pt_cov_changes *,
                                   const struct pt_cov_file *then,
                                   const struct pt_cov_file *now);
void pt_cov_changes_clear(struct pt_cov_changes *);
/* How much that was covered is not any more. */
uint64_t pt_cov_changes_lost(const struct pt_cov_changes *);

/* The reports; *lost is the sum over all files, and what is reported of both
 * as `has_` says of the later one. */
enum pt_status pt_cov_diff_text(const struct pt_coverage *then,
                                const struct pt_coverage *now, struct pt_out *,
                                uint64_t *lost);
enum pt_status pt_cov_diff_json(const struct pt_coverage *then,
                                const struct pt_coverage *now, struct pt_out *,
                                uint64_t *lost);

#endif
