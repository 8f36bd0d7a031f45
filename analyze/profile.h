/* ptana profile: its options, its views, and the rows that most of them show.
 *
 * A view is one question put to a trace (the functions, the tree of calls, ...)
 * with its reports.  It is one file that exports a struct pt_profile_view, a
 * line in the table of profile.c, and the option that asks for it. */
#ifndef PT_ANALYZE_PROFILE_H
#define PT_ANALYZE_PROFILE_H

#include "analyze/analyzer.h"
#include "analyze/profile_fold.h"

struct pt_profile_config {
    const char *sort;
    uint64_t limit;
    struct pt_text_list filter;
    bool all_calls, all;
};

struct pt_profile_view {
    const char *option;  /* that asks for it; NULL: it is what there is without
                            one */
    const char *takes;   /* other options of its own it heeds: "a|b" */
    const char *formats; /* "text|json" */
    enum pt_status (*run)(struct pt_session *);
};

extern const struct pt_profile_view pt_profile_functions;

/* Profiles the session's trace, and says what it lacks; what was in the way is
 * in s->trouble. */
enum pt_status pt_profile_measure(struct pt_session *,
                                  const struct pt_profile_options *,
                                  struct pt_profile **out);

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

/* Names a function: all of a row but `fn`, `index` and percentiles.  PT_ENOMEM;
 * `owned` is to be freed. */
enum pt_status pt_profile_row_name(const struct pt_trace *,
                                   const struct pt_profile_name *,
                                   struct pt_profile_row *);
/* The functions that ran and that --filter lets pass, sorted and cut as the
 * options say; a glob that matches nothing is PT_ENOTFOUND. */
enum pt_status pt_profile_rows_make(struct pt_session *,
                                    const struct pt_profile *,
                                    struct pt_profile_rows *out);
void pt_profile_rows_clear(struct pt_profile_rows *);

/* --- reports -------------------------------------------------------------- */

/* How much there is in all, and what is missing. */
void pt_profile_head(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
/* "name  file:line" in `width` columns, with the end of the line. */
void pt_profile_put_function(struct pt_session *, const struct pt_profile_row *,
                             unsigned width);

void pt_profile_text(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
void pt_profile_json(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
enum pt_status pt_profile_pstats(struct pt_session *, const struct pt_profile *,
                                 const struct pt_profile_rows *);

#endif
