/* Which lines of a text were in an earlier one.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COVERAGE_LINE_MAP_H
#define PT_ANALYZE_COVERAGE_LINE_MAP_H

#include <pt/log.h>

struct pt_line_map {
    uint32_t *then; /* by line of the later text, from 1: the line of the
                       earlier one that it is; 0 where it is new */
    uint32_t n;     /* lines of the later text */
};

/* Lines are the same where their bytes are, without the end; what stayed in
 * order is found by lines that are unique (patience diff).  The caller's to
 * clear; PT_ENOMEM. */
enum pt_status pt_line_map_init(struct pt_line_map *, struct pt_str then,
                                struct pt_str now);
void pt_line_map_clear(struct pt_line_map *);
/* 0 where the line is new, or none. */
uint32_t pt_line_map_then(const struct pt_line_map *, uint32_t now);

#endif
