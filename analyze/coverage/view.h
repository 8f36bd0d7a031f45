/* A file of a coverage, line by line: what its text, its statements, its arcs
 * and its conditions say of each.
 *
 * What it keeps is bounded by the file: a few words for each condition and
 * decision, and for each byte of the longest line.
 * Thread rule: a view belongs to one thread. */
#ifndef PT_ANALYZE_COVERAGE_VIEW_H
#define PT_ANALYZE_COVERAGE_VIEW_H

#include "analyze/coverage/model.h"

enum pt_cov_token {
    PT_COV_TOKEN_PLAIN,
    PT_COV_TOKEN_KEYWORD,
    PT_COV_TOKEN_STRING,
    PT_COV_TOKEN_COMMENT
};

/* Bytes of a line that are shown alike. */
struct pt_cov_run {
    uint32_t start, len;
    uint32_t condition; /* row + 1 of the innermost they belong to; 0 none */
    uint8_t token;      /* enum pt_cov_token */
};

struct pt_cov_row {
    uint32_t number;
    struct pt_str text; /* without its end */
    /* '>' it ran, '!' it did not, '-' it is excluded, ' ' nothing to run: as
     * `coverage annotate` marks it, also within a statement of several lines */
    char mark;
    const struct pt_cov_line *line; /* NULL: no statement begins here */
    const struct pt_cov_arc *arcs;  /* from this line */
    uint32_t narcs, missing;        /* how many of them were not taken */
    const uint32_t *decisions;      /* rows of those that end here */
    uint32_t ndecisions;
    const struct pt_cov_run *runs;
    uint32_t nruns;
};

struct pt_cov_view;

/* The file is borrowed.  PT_ENOMEM. */
enum pt_status pt_cov_view_new(const struct pt_cov_file *,
                               struct pt_cov_view **out);
void pt_cov_view_free(struct pt_cov_view *);
/* The next line; of a file without text, the next that a statement begins at.
 * PT_END behind the last, PT_ENOMEM.  Arrays last until the next call. */
enum pt_status pt_cov_view_next(struct pt_cov_view *, struct pt_cov_row *);

#endif
