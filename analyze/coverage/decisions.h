/* The decisions of a text: which conditions each has, and, for every outcome
 * of a condition, which one is asked for next.
 *
 * `and`, `or`, `not` and chained comparisons ask for one condition after the
 * other until the truth is known, so that the conditions of a decision are the
 * nodes of a binary decision diagram, and an evaluation is a path through it.
 * A ternary among them goes on with one of its values, as the decision that is
 * its test has it.
 * Thread rule: a set of decisions is read-only once made. */
#ifndef PT_ANALYZE_COVERAGE_DECISIONS_H
#define PT_ANALYZE_COVERAGE_DECISIONS_H

#include <pt/replay.h>
#include <pt/syntax.h>

/* Decisions of more conditions are counted, but their evaluations are not told
 * apart. */
enum { PT_DECISION_MOST = 64 };

/* Where an evaluation stands: at a condition by its number in the decision, at
 * ternary PT_AT_CHOICE + its number in the decision, or at the end. */
enum {
    PT_AT_CHOICE = 0x4000,
    PT_AT_NOWHERE = 0x7fff, /* it was cut short in the test of a ternary */
    PT_AT_TRUE = 0x8000,
    PT_AT_FALSE = 0x8001,
};

/* A leaf of a decision. */
struct pt_leaf {
    uint32_t row;      /* expression */
    uint16_t next[2];  /* where it goes on if it is false, true; constants are
                          passed over */
    uint16_t plain[2]; /* the same with constants */
    uint8_t constant;  /* PT_EXPRESSION_TRUE, _FALSE or 0 */
    bool odd;     /* it is negated an odd number of times in its decision */
    bool asked;   /* some instruction asks for its truth */
    bool reached; /* constants do not keep evaluations away from it */
};

/* A ternary among the conditions. */
struct pt_choice_point {
    uint32_t row;     /* expression */
    uint16_t next[2]; /* where it goes on with the value of else, of then */
    uint16_t plain[2];
    uint8_t fixed; /* its test is constant: PT_EXPRESSION_TRUE, _FALSE; or 0 */
};

struct pt_decision {
    uint32_t root;     /* expression */
    uint32_t first, n; /* leaves */
    uint32_t first_choice, nchoices;
    uint16_t start, plain_start; /* where an evaluation begins */
    /* The decision that has it as the test of a ternary, + 1, and which of
     * its choices that is. */
    uint32_t parent, choice;
    uint8_t context; /* enum pt_context */
    bool dead;       /* the compiler has no instruction for it */
    bool followed;   /* its evaluations can be told apart */
};

/* What is known of an expression as a part of a decision. */
struct pt_part {
    uint32_t decision;
    uint32_t first, last; /* leaves first .. last - 1 of the decision */
    uint32_t parent;      /* expression + 1, 0 of a root */
    uint8_t op;           /* enum pt_expression_op */
    bool odd;
};

/* ... of a decision that is followed, a bit each. */
static inline uint64_t
pt_part_bits(const struct pt_part *part)
{
    uint64_t until =
        part->last >= 64 ? UINT64_MAX : ((uint64_t)1 << part->last) - 1;
    return until & ~(((uint64_t)1 << (part->first & 63)) - 1);
}

struct pt_decisions {
    /* Borrowed, for asks.h and what is asked below of rows and text. */
    const struct pt_syntax *syntax;
    struct pt_str text;
    struct pt_decision *decisions; /* by root */
    struct pt_leaf *leaves;        /* by decision, in order of evaluation */
    struct pt_choice_point *choices;
    struct pt_part *parts;  /* of each expression */
    uint32_t *sorted;       /* expressions but links of chains, by place */
    uint32_t *around;       /* of each expression: the one it lies in, + 1 */
    uint32_t *child, *next; /* of each expression: its first part, and the next
                               part of its own parent, + 1 */
    size_t *lines;          /* where each line of `text` begins */
    uint32_t n, nleaves, nchoices, nsorted, nlines;
};

enum pt_status pt_decisions_new(const struct pt_syntax *, struct pt_str text,
                                struct pt_decisions **out);
void pt_decisions_free(struct pt_decisions *);

/* Whether expression `row` covers the position, or is exactly there. */
bool pt_decisions_covers(const struct pt_decisions *, uint32_t row,
                         const struct pt_position *);
bool pt_decisions_is_at(const struct pt_decisions *, uint32_t row,
                        const struct pt_position *);
/* The innermost expression that covers the position, + 1; 0 none.  Links of a
 * chain are not looked at. */
uint32_t pt_decisions_find(const struct pt_decisions *,
                           const struct pt_position *);
/* The expression around the decision that `row` is a part of, + 1; 0 none.  It
 * is one of an earlier decision, whatever a file says. */
uint32_t pt_decisions_outside(const struct pt_decisions *, uint32_t row);
/* The first condition that begins at the end of the position or later, + 1. */
uint32_t pt_decisions_behind(const struct pt_decisions *,
                             const struct pt_position *);
/* Whether the comparison that a condition is has a `not`: is not, not in. */
bool pt_decisions_says_not(const struct pt_decisions *, uint32_t row);
/* Whether it ends in `None`. */
bool pt_decisions_says_none(const struct pt_decisions *, uint32_t row);

/* One step past a constant, or past a ternary whose test is one; where neither
 * is at `at`, stays there. */
uint16_t pt_decisions_step(const struct pt_decisions *,
                           const struct pt_decision *, uint16_t at);

#endif
