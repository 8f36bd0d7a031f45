/* The profile's rows and its three reports. */
#ifndef PT_ANALYZE_PROFILE_H
#define PT_ANALYZE_PROFILE_H

#include "analyze/analyzer.h"
#include "analyze/profile_fold.h"

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

void pt_profile_text(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
void pt_profile_json(struct pt_session *, const struct pt_profile *,
                     const struct pt_profile_rows *);
enum pt_status pt_profile_pstats(struct pt_session *, const struct pt_profile *,
                                 const struct pt_profile_rows *);

#endif
