/* What the views of lines and of opcodes share: the heat, measured on all
 * cores, and the functions they belong to. Thread rule: as the session. */
#ifndef PT_ANALYZE_PROFILE_HEAT_H
#define PT_ANALYZE_PROFILE_HEAT_H

#include "analyze/heat.h"
#include "analyze/profile.h"

struct pt_profile_heat {
    struct pt_profile *functions; /* with their calls and times */
    struct pt_heat_plan *plan;
    struct pt_heat *heat;
};

/* Measures the session's trace; all zero where it fails. */
enum pt_status pt_profile_heat_measure(struct pt_session *, enum pt_heat_source,
                                       bool pairs, struct pt_profile_heat *out);
void pt_profile_heat_clear(struct pt_profile_heat *);

/* Refuses a key of --sort that is none of `keys` ("a|b"), which `option` has.
 */
enum pt_status pt_profile_heat_sort(struct pt_session *, const char *keys,
                                    const char *option);

/* Units of a heat as ns, and as text: "~1.5 ms" where `spread` of it was set
 * between others; a buffer of PT_CELL_TEXT bytes. */
static inline uint64_t
pt_profile_heat_ns(uint64_t time)
{
    return (time + (1u << (PT_HEAT_BITS - 1))) >> PT_HEAT_BITS;
}
const char *pt_profile_heat_text(uint64_t time, bool exact, char *buffer);

#endif
