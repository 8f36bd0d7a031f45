/* The view without an option: function by function. */
#include "analyze/profile.h"

static enum pt_status
report(struct pt_session *s, const struct pt_profile *p,
       const struct pt_profile_rows *rows)
{
    if (pt_session_format(s, "pstats"))
        return pt_profile_pstats(s, p, rows);
    if (pt_session_format(s, "json"))
        pt_profile_json(s, p, rows);
    else
        pt_profile_text(s, p, rows);
    return PT_OK;
}

static enum pt_status
run(struct pt_session *s)
{
    bool pstats = pt_session_format(s, "pstats");
    struct pt_profile_options how = {.edges = pstats};
    if (pstats && pt_out_is_terminal(s->out))
        return pt_session_fail(s, PT_EUSAGE,
                               "pstats is binary and this is a terminal; "
                               "write it to a file with -o FILE");
    return pt_profile_report(s, &how, report);
}

const struct pt_profile_view pt_profile_functions = {
    .takes = "sort|limit|all|filter|min-time|all-calls|by-file|by-module|"
             "compensate",
    .formats = "text|json|pstats",
    .run = run,
};
