/* ptana coverage: its options, and the files between them and the reports.
 * Thread rule: as the session. */
#ifndef PT_ANALYZE_COVERAGE_COVERAGE_H
#define PT_ANALYZE_COVERAGE_COVERAGE_H

#include "analyze/analyzer.h"
#include "analyze/coverage/lines.h"

struct pt_cov_config {
    const char *python, *sort, *diff;
    struct pt_text_list source, include, omit, exclude_lines, fail_under;
    uint64_t precision;
    bool show_missing, skip_covered, skip_empty, functions, branches;
    bool conditions, mcdc, fail_on_loss;
};

/* --- select.c: which files are reported ----------------------------------- */

struct pt_selection;
/* Of a collection that is finished; --source adds files to it. */
enum pt_status pt_selection_new(struct pt_session *, struct pt_collection *,
                                struct pt_selection **out);
void pt_selection_free(struct pt_selection *);
bool pt_selection_takes(const struct pt_selection *,
                        const struct pt_collection *, size_t file);
/* The path as reports show it: from the working directory on, where it lies
 * below that. */
struct pt_str pt_selection_name(const struct pt_selection *, struct pt_str);

/* --- walk.c: files that can be imported ----------------------------------- */

/* Calls for each Python file below `directory`: of folders within it, those
 * that are packages.  A failure ends it, and is what it returns. */
typedef enum pt_status pt_walk_file(void *state, const char *path);
enum pt_status pt_cov_walk(const char *directory, pt_walk_file *visit,
                           void *state);

/* --- build.c: from a collection to the model ------------------------------ */

/* The coverage of the files that are selected; `out` is the caller's to clear,
 * and borrows from the collection. */
enum pt_status pt_coverage_build(struct pt_session *, struct pt_collection *,
                                 const struct pt_selection *,
                                 struct pt_coverage *out);
void pt_coverage_clear(struct pt_coverage *);

/* --- conditions_text.c ---------------------------------------------------- */

/* Below the table: decisions whose conditions lack an outcome, or, where MC/DC
 * was asked for, were not shown to decide alone; and what it adds up to. */
void pt_cov_conditions_text(struct pt_session *, const struct pt_coverage *);

/* --- summary.c, gate.c ---------------------------------------------------- */

/* The terminal's table. */
enum pt_status pt_cov_summary(struct pt_session *, const struct pt_coverage *);

/* PT_EUSAGE where --fail-under asks for what is none. */
enum pt_status pt_cov_gate_check(struct pt_session *);
/* Says what is below --fail-under; then the verdict is PT_EXIT_THRESHOLD. */
void pt_cov_gate(struct pt_session *, const struct pt_coverage *);

#endif
