/* The view of lines: functions, each with the rows of its source.
 * Thread rule: as the session. */
#ifndef PT_ANALYZE_PROFILE_LINES_H
#define PT_ANALYZE_PROFILE_LINES_H

#include "analyze/profile_heat.h"

/* The heat's lines, by function and number. */
struct pt_profile_lines {
    const struct pt_profile_heat *heat;
    const struct pt_heat_line **lines;
    uint32_t n;
    struct pt_profile_rows rows; /* the functions */
};

/* The lines of a function: from *first on; returns how many. */
uint32_t pt_profile_lines_of(const struct pt_profile_lines *, uint32_t fn,
                             uint32_t *first);
/* Whether something happened there. */
static inline bool
pt_profile_lines_ran(const struct pt_heat_line *l)
{
    return l->hits || l->exclusive || l->covered;
}

enum pt_status pt_profile_lines_text(struct pt_session *,
                                     const struct pt_profile_lines *);
enum pt_status pt_profile_lines_json(struct pt_session *,
                                     const struct pt_profile_lines *);

#endif
