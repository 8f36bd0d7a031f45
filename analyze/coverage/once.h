/* What ran, of a trace whose lines and branches are told once
 * (PT_OPTIONAL_ONCE): of each code object the instructions at which lines
 * began, and the ways that its branches went. Thread rule: as the cache. */
#ifndef PT_ANALYZE_COVERAGE_ONCE_H
#define PT_ANALYZE_COVERAGE_ONCE_H

#include "analyze/pass.h"

#include <pt/counts.h>

struct pt_once;
/* Both are borrowed; the filter may be NULL. */
enum pt_status pt_once_new(struct pt_graph_cache *, const struct pt_filter *,
                           struct pt_once **out);
void pt_once_free(struct pt_once *);
struct pt_fold pt_once_fold(struct pt_once *);

/* Counts of 1 where something ran: from the beginning of a line up to where the
 * next one begins, by the ways that were told.  What an exception left out
 * behind it on its line counts as run, and where a handler was raised to is
 * a guess.  The caller's to free; NULL where nothing ran. */
enum pt_status pt_once_code(const struct pt_once *, uint32_t code,
                            struct pt_code_counts **out);

#endif
