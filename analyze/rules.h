/* From --source, --include and the other filters to the rules that they mean in
 * a trace.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_RULES_H
#define PT_ANALYZE_RULES_H

#include "analyze/analyzer.h"

/* The values are the command line's, but for the sources. */
struct pt_rules {
    struct pt_rule *list;
    size_t n;
    char **sources; /* owned */
    size_t nsources;
};

/* PT_EUSAGE, with a sentence in `error`, for a value that is none. */
enum pt_status pt_rules_make(const struct pt_common *, const struct pt_trace *,
                             struct pt_rules *out, struct pt_error *error);
void pt_rules_clear(struct pt_rules *);

#endif
