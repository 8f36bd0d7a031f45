/* What the pages of the HTML report share.
 * Thread rule: as the output. */
#ifndef PT_ANALYZE_COVERAGE_HTML_H
#define PT_ANALYZE_COVERAGE_HTML_H

#include "analyze/coverage/report.h"

/* --- html_text.c: pieces of a page ---------------------------------------- */

/* A string as text or as the value of an attribute: nothing of it is markup,
 * and what would not be seen, or would turn others around, is escaped. */
void pt_cov_html_str(struct pt_out *, struct pt_str);
/* From the page's first byte into its header; `up` links the list of files. */
void pt_cov_html_begin(struct pt_out *, struct pt_str title, bool up);
void pt_cov_html_shares(struct pt_out *, const struct pt_coverage *,
                        const struct pt_cov_total *);
/* The end of the page, with the traces it is made from. */
void pt_cov_html_end(struct pt_out *, const struct pt_coverage *);
/* Cells of a list: a number, and how much of something is covered. */
void pt_cov_html_number(struct pt_out *, uint64_t n);
void pt_cov_html_percent(struct pt_out *, double percent);

/* --- html_folder.c: where the pages lie ----------------------------------- */

enum { PT_COV_PAGE_NAME = 160 };

/* The name of a file's page, made of its path; a buffer of PT_COV_PAGE_NAME. */
const char *pt_cov_html_page(struct pt_str path, char *buffer);
/* Makes the folder, or takes one that holds an earlier report, of which it
 * removes the pages.  PT_EUSAGE where something else is there. */
enum pt_status pt_cov_html_folder(const char *folder,
                                  const struct pt_coverage *,
                                  struct pt_error *error);
/* Opens NAME in the folder; `path` of PATH_MAX bytes lasts until it is closed.
 */
enum pt_status pt_cov_html_open(const char *folder, const char *name,
                                char *path, struct pt_error *error,
                                struct pt_out **out);

/* --- html_source.c: the page of a file ------------------------------------ */

enum pt_status pt_cov_html_source(const struct pt_coverage *,
                                  const struct pt_cov_file *, struct pt_out *);

#endif
