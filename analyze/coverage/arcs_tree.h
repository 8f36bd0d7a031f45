/* A syntax as a tree to walk down: which statements stand in a suite, which
 * suites belong to a statement, which test it has.
 * Thread rule: plain data; the syntax is borrowed. */
#ifndef PT_ANALYZE_COVERAGE_ARCS_TREE_H
#define PT_ANALYZE_COVERAGE_ARCS_TREE_H

#include "analyze/coverage/arcs.h"
#include "analyze/source_text.h"

#define PT_COV_NO_ROW UINT32_MAX

struct pt_cov_tree {
    const struct pt_syntax *syntax;
    uint32_t *first;      /* of each suite: its first statement */
    uint32_t *next;       /* of each statement: the next one in its suite */
    uint32_t *suites;     /* of each statement: its first suite */
    uint32_t *next_suite; /* of each suite: the next one of its statement */
    uint32_t *test;       /* of each statement: what if, elif, while ask */
};

enum pt_cov_constant { PT_COV_VARIES, PT_COV_TRUE, PT_COV_FALSE };

/* PT_ENOMEM. */
enum pt_status pt_cov_tree_init(struct pt_cov_tree *, const struct pt_syntax *);
void pt_cov_tree_clear(struct pt_cov_tree *);

/* The first suite of that kind (enum pt_suite_kind), or none. */
uint32_t pt_cov_tree_suite(const struct pt_cov_tree *, uint32_t row,
                           uint32_t kind);
/* Where a statement begins, as the arcs have it. */
int32_t pt_cov_tree_line(const struct pt_cov_tree *,
                         const struct pt_cov_allowed *, uint32_t row);
/* The index of the first line of code from there on. */
size_t pt_cov_tree_code_from(const struct pt_syntax *, uint32_t line);
/* Whether the logical line that begins there has code. */
bool pt_cov_tree_has_code(const struct pt_syntax *, int32_t line);

/* Whether the test of an if or while is made of constants alone; `simple`:
 * of one constant. */
enum pt_cov_constant pt_cov_tree_constant(const struct pt_cov_tree *,
                                          uint32_t row, bool simple);
/* Whether the pattern of a case is a name, or ends with `as` and one. */
bool pt_cov_tree_names(const struct pt_cov_tree *, uint32_t suite,
                       struct pt_source_text *text);

#endif
