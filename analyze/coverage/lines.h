/* The statements of a source, as coverage.py counts them, and how often each
 * started; what is excluded; and its functions.
 *
 * coverage.py's rules have changed: a source that 3.11 ran is read by those of
 * its release 6.5, another by those of 7.11, as these are the ones that people
 * have there.
 * Thread rule: as the patterns. */
#ifndef PT_ANALYZE_COVERAGE_LINES_H
#define PT_ANALYZE_COVERAGE_LINES_H

#include "analyze/coverage/collect.h"
#include "analyze/coverage/model.h"
#include "analyze/coverage/pattern.h"

enum { PT_COV_MODERN = 3 << 8 | 12 }; /* from this version on those of 7.11 */

/* Which lines count nowhere, and whose arcs are not asked for: patterns of one
 * of the two sets of rules, and the user's. */
struct pt_exclusion {
    bool modern; /* those of 7.11 */
    struct pt_patterns *excluded, *no_branch;
};
enum pt_status pt_exclusion_init(struct pt_exclusion *, bool modern,
                                 const char *const *more, size_t n,
                                 struct pt_error *);
void pt_exclusion_clear(struct pt_exclusion *);

/* The lines that the logical line of `line` begins and ends with. */
uint32_t pt_cov_first_line(const struct pt_syntax *, uint32_t line);
uint32_t pt_cov_last_line(const struct pt_syntax *, uint32_t line);

/* Sets bits of lines, a byte each, `lines` + 1 of them: of those that match a
 * pattern, and those that this excludes. */
enum { PT_MARK_EXCLUDED = 1, PT_MARK_NO_BRANCH = 2 };
enum pt_status pt_exclusion_mark(const struct pt_exclusion *,
                                 const struct pt_cov_source *, uint8_t *marks,
                                 uint32_t lines);

/* Fills lines and functions of a file, which are then the caller's. */
enum pt_status pt_cov_lines(const struct pt_cov_source *,
                            const struct pt_exclusion *, struct pt_cov_file *);
enum pt_status pt_cov_functions(const struct pt_cov_source *,
                                struct pt_cov_file *);

#endif
