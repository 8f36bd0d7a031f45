/* Arcs between lines: those that a text allows, as coverage.py reads them from
 * the syntax, and those that were taken, as its tracer would have seen them.
 *
 * coverage.py's answers depend on the Python that runs it: 6.5, the last one
 * that Debian has for 3.11, and 7.x for later ones do not allow the same arcs,
 * and from 3.14 on 7.x learns of branches instead of lines.  The version that
 * was traced chooses.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COVERAGE_ARCS_H
#define PT_ANALYZE_COVERAGE_ARCS_H

#include "analyze/coverage/collect.h"
#include "analyze/coverage/model.h"

/* Arcs in any order, some perhaps more than once. */
struct pt_cov_arcs {
    struct pt_cov_arc *at;
    size_t n, capacity;
};

/* PT_ENOMEM. */
enum pt_status pt_cov_arcs_add(struct pt_cov_arcs *, const struct pt_cov_arc *);
/* Sorts by from, to; of several alike, one stays, whose counts add up. */
void pt_cov_arcs_settle(struct pt_cov_arcs *);
/* Of settled ones; NULL where there is none. */
struct pt_cov_arc *pt_cov_arcs_find(const struct pt_cov_arcs *, int32_t from,
                                    int32_t to);
/* Of settled ones: the index of the first that starts from there or later. */
size_t pt_cov_arcs_start(const struct pt_cov_arcs *, int32_t from);
void pt_cov_arcs_clear(struct pt_cov_arcs *);

/* A `with` is left through its own line: END -> WITH -> NEXT, of which
 * coverage.py 7 makes END -> NEXT. */
struct pt_cov_with {
    int32_t end, with, next;
};

/* What a text allows. */
struct pt_cov_allowed {
    const struct pt_syntax *syntax; /* borrowed */
    bool old;                       /* by the rules of 6.5 */
    struct pt_cov_arcs arcs;        /* settled; all are `possible` */
    struct pt_cov_with *withs;
    size_t nwiths;
};

/* `version` is the Python's that ran the text, `text` the source.  `callables`
 * are lines of lambdas and comprehensions, whose end 6.5 takes for a way out of
 * their line; they and the text may be missing, at the cost of these arcs.
 * PT_ELIMIT where suites are nested deeper than Python's own parser would let
 * them be, PT_ENOMEM. */
enum pt_status pt_cov_arcs_allow(const struct pt_syntax *, uint32_t version,
                                 struct pt_str text, const uint32_t *callables,
                                 size_t ncallables, struct pt_cov_allowed *out);
void pt_cov_allowed_clear(struct pt_cov_allowed *);

/* The first line of the logical line that `line` is part of; -N likewise. */
int32_t pt_cov_allowed_line(const struct pt_cov_allowed *, int32_t line);
/* Takes the way through the lines of `with` out of arcs, which it settles.
 * PT_ENOMEM. */
enum pt_status pt_cov_arcs_straighten(const struct pt_cov_allowed *,
                                      struct pt_cov_arcs *);

/* The lines of a source's lambdas and comprehensions, the caller's to free.
 * PT_ENOMEM. */
enum pt_status pt_cov_callables(const struct pt_cov_source *, uint32_t **lines,
                                size_t *n);

/* Adds the arcs that a code object took, between first lines where `allowed` is
 * not NULL.  PT_ENOMEM. */
enum pt_status pt_cov_arcs_take(const struct pt_cov_allowed *,
                                const struct pt_cov_code *,
                                struct pt_cov_arcs *);

/* A source's arcs, for a file whose lines are known; without its syntax, only
 * those that were taken.  PT_ENOMEM. */
enum pt_status pt_cov_arcs_fill(const struct pt_cov_source *,
                                struct pt_cov_file *);
/* A source's conditional jumps that a trace of the flow tells of. */
enum pt_status pt_cov_jumps_fill(const struct pt_cov_source *,
                                 struct pt_cov_file *);

#endif
