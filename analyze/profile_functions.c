/* The view without an option: function by function. */
#include "analyze/profile.h"

static enum pt_status
run(struct pt_session *s)
{
    const struct pt_profile_config *config = s->config;
    bool pstats = pt_session_format(s, "pstats");
    struct pt_profile_options how = {.all_calls = config->all_calls,
                                     .edges = pstats};
    struct pt_profile *p;
    struct pt_profile_rows rows;
    if (pstats && pt_out_is_terminal(s->out))
        return pt_session_fail(s, PT_EUSAGE,
                               "pstats is binary and this is a terminal; "
                               "write it to a file with -o FILE");
    enum pt_status st = pt_profile_measure(s, &how, &p);
    if (st != PT_OK)
        return st;
    st = pt_profile_rows_make(s, p, &rows);
    if (st == PT_OK) {
        if (pstats)
            st = pt_profile_pstats(s, p, &rows);
        else if (pt_session_format(s, "json"))
            pt_profile_json(s, p, &rows);
        else
            pt_profile_text(s, p, &rows);
        pt_profile_rows_clear(&rows);
    }
    pt_profile_free(p);
    return st;
}

const struct pt_profile_view pt_profile_functions = {
    .takes = "sort|limit|all|filter|all-calls",
    .formats = "text|json|pstats",
    .run = run,
};
