/* How evaluations of one decision went: those that went alike are one vector
 * with a count.
 * Thread rule: a table belongs to one thread. */
#ifndef PT_ANALYZE_COVERAGE_VECTORS_H
#define PT_ANALYZE_COVERAGE_VECTORS_H

#include "analyze/coverage/decisions.h"
#include "analyze/coverage/model.h"

/* The conditions that were asked for, a bit each, and what they were. */
struct pt_path {
    uint64_t known, values;
    uint16_t at; /* where it ended: PT_AT_TRUE, PT_AT_FALSE, or at what was cut
                    short or is not known */
};

struct pt_path_count {
    struct pt_path path;
    uint64_t count;
    struct pt_cov_moment first; /* of the earliest that was added */
};

/* All zero is an empty table. */
struct pt_paths {
    struct pt_path_count *slots; /* count 0: free */
    uint32_t n, capacity;
    uint64_t more; /* evaluations that found no room */
};

/* So many kinds of evaluations of a decision are told apart. */
enum { PT_PATHS_MOST = 4096 };

enum pt_status pt_paths_add(struct pt_paths *, struct pt_path,
                            struct pt_cov_moment);
void pt_paths_clear(struct pt_paths *);

/* The path as text: T F - ? for each condition of the decision, constants that
 * it came by included; its result. */
void pt_path_text(const struct pt_decisions *, const struct pt_decision *,
                  struct pt_path, char *seen);
char pt_path_result(struct pt_path);

#endif
