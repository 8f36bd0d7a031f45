/* ptana profile: its options, its views, and the rows that most of them show.
 *
 * A view is one question put to a trace (the functions, the tree of calls, ...)
 * with its reports.  It is one file that exports a struct pt_profile_view, a
 * line in the table of profile.c, and the option that asks for it. */
#ifndef PT_ANALYZE_PROFILE_H
#define PT_ANALYZE_PROFILE_H

#include "analyze/analyzer.h"
#include "analyze/json.h"
#include "analyze/profile_fold.h"

struct pt_profile_config {
    const char *sort, *min_time;
    uint64_t limit, depth;
    struct pt_text_list filter, callers, callees;
    bool all_calls, all, tree, threads, by_file, by_module, compensate, by_task;
    bool lines, opcodes;
};

struct pt_profile_view {
    const char *option;  /* that asks for it; NULL: it is what there is without
                            one */
    const char *takes;   /* other options of its own it heeds: "a|b" */
    const char *formats; /* "text|json" */
    enum pt_status (*run)(struct pt_session *);
};

extern const struct pt_profile_view pt_profile_functions, pt_profile_tree,
    pt_profile_callers, pt_profile_callees, pt_profile_threads,
    pt_profile_tasks, pt_profile_lines, pt_profile_opcodes;

struct pt_profile_rows;

typedef enum pt_status pt_profile_reporter(struct pt_session *,
                                           const struct pt_profile *,
                                           const struct pt_profile_rows *);
/* Profiles the session's trace, says what it lacks, and has it reported, with
 * the functions as rows.  What all views have in common is added to the
 * options. */
enum pt_status pt_profile_report(struct pt_session *,
                                 struct pt_profile_options *,
                                 pt_profile_reporter *);
/* What --min-time asks for, of `total`; 0 without it.  PT_EUSAGE. */
enum pt_status pt_profile_min_time(struct pt_session *, uint64_t total,
                                   uint64_t *ns);

/* --- rows ----------------------------------------------------------------- */

/* One function as it is reported.  Strings are borrowed from the trace, or
 * owned by the row (name of a callable). */
struct pt_profile_row {
    const struct pt_profile_function *fn;
    uint32_t index;      /* into the profile's functions */
    struct pt_str name;  /* co_qualname, "list.append" */
    struct pt_str file;  /* co_filename, "~" */
    struct pt_str label; /* the name in pstats: co_name, cProfile's label */
    uint32_t line;
    const char *kind; /* "python", "builtin", "method", ... */
    uint64_t p50, p90, p99;
    bool blocks; /* a C function that can wait (analyze/blocking.h) */
    char *owned;
};

struct pt_profile_rows {
    struct pt_profile_row *rows;
    size_t n;
    const char *sort;    /* the key they are sorted by */
    size_t shown;        /* the first of them are reported */
    uint64_t total;      /* exclusive time of all functions */
    int64_t first, last; /* ns, of the trace or the range */
    uint32_t threads;
};

/* Names function `fn`: all of a row but `fn`, `index` and percentiles.
 * PT_ENOMEM; `owned` is to be freed. */
enum pt_status pt_profile_row_name(const struct pt_profile *, uint32_t fn,
                                   struct pt_profile_row *);
/* "function", "file", "module". */
const char *pt_profile_what(const struct pt_profile *);
/* The functions that ran and that --filter lets pass, sorted and cut as the
 * options say; a glob that matches nothing is PT_ENOTFOUND. */
enum pt_status pt_profile_rows_make(struct pt_session *,
                                    const struct pt_profile *,
                                    struct pt_profile_rows *out);
/* Whether one of the globs matches a row. */
bool pt_profile_row_matches(const struct pt_profile *,
                            const struct pt_profile_row *,
                            const struct pt_text_list *globs);
void pt_profile_rows_clear(struct pt_profile_rows *);

/* --- reports -------------------------------------------------------------- */

/* How much there is in all, and what is missing. */
void pt_profile_head(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
/* Begins the object of a report, and ends it with what all reports tell. */
void pt_profile_json_open(struct pt_json *, struct pt_session *);
void pt_profile_json_close(struct pt_json *, const struct pt_session *,
                           const struct pt_profile *,
                           const struct pt_profile_rows *);
/* Members: of a function's name, of all that is known of it, "thread". */
void pt_profile_json_name(struct pt_json *, const struct pt_profile_row *);
void pt_profile_json_row(struct pt_json *, const struct pt_profile_row *);
void pt_profile_json_thread(struct pt_json *, const struct pt_trace *,
                            uint32_t id);
/* "name  file:line" in `width` columns, with the end of the line. */
void pt_profile_put_function(struct pt_session *, const struct pt_profile_row *,
                             unsigned width);

/* ... and without the file. */
void pt_profile_put_name(struct pt_session *, const struct pt_profile_row *,
                         unsigned width);
/* "name  tid, pid", without the end; how many columns it took. */
unsigned pt_profile_put_thread(struct pt_session *, uint32_t id,
                               unsigned width);
/* How many rows are not shown. */
void pt_profile_more(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
/* "3/1", in a buffer of PT_CELL_TEXT bytes. */
const char *pt_profile_calls(uint64_t calls, uint64_t primitive, char *buffer);

void pt_profile_text(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
void pt_profile_json(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
enum pt_status pt_profile_pstats(struct pt_session *, const struct pt_profile *,
                                 const struct pt_profile_rows *);

#endif
