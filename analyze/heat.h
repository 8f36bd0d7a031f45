/* The heat of a trace's lines and instructions: how often each ran, and for how
 * long.
 *
 * Where lines, or instructions, were recorded, an event each, the time from one
 * to the next is that of the first.  Where they follow from the flow, the time
 * between two stamps, in which nothing but one frame ran, is spread evenly over
 * the instructions that ran meanwhile; what one line alone ran then is as exact
 * as if the line had a stamp.  No time is lost or counted twice: what the lines
 * of a function took is what the function took by itself (profile_fold.h).
 *
 * A line belongs to a function: to the one it is written in, so that lambdas,
 * comprehensions and generator expressions, which have no name of their own,
 * run on lines of what is around them.  The time with calls of a line is that
 * during which a frame of its function stood in it, counted once however often
 * the function is on the stack.
 *
 * Each chunk is folded by itself, so that parts over any chunks merge.  Memory
 * is by the code objects that ran, and the depth of one chunk's stack.
 * Thread rule: it belongs to one thread; its plan may be shared. */
#ifndef PT_ANALYZE_HEAT_H
#define PT_ANALYZE_HEAT_H

#include "analyze/pass.h"
#include "analyze/profile_fold.h"

/* What tells of lines or instructions. */
enum pt_heat_source {
    PT_HEAT_OF_FLOW,
    PT_HEAT_OF_LINES,       /* line events */
    PT_HEAT_OF_INSTRUCTIONS /* instruction events */
};

/* Times are in units of 2^-12 ns, unless they are said to be ns. */
enum {
    PT_HEAT_BITS = 12,
    PT_HEAT_OPCODES = 256,
    PT_HEAT_PAIRS = PT_HEAT_OPCODES * PT_HEAT_OPCODES
};

/* What all parts share: which code belongs to which function, and where each
 * chunk's time begins. */
struct pt_heat_plan;
struct pt_heat_options {
    enum pt_heat_source source;
    bool pairs; /* count which opcodes follow which */
    /* Of each of the profile's functions: 1 where its instructions are counted;
     * borrowed; NULL: all. */
    const uint8_t *picked;
};
/* `functions` gives the numbers of functions, and what is hidden; it is
 * borrowed, and nothing is folded into it.  PT_ENOMEM. */
enum pt_status pt_heat_plan_new(const struct pt_profile *functions,
                                const struct pt_heat_options *,
                                struct pt_heat_plan **out);
void pt_heat_plan_free(struct pt_heat_plan *);

struct pt_heat_line {
    uint64_t hits;
    uint64_t exclusive;
    uint64_t spread;  /* the part of it that was shared out among lines */
    uint64_t covered; /* ns during which it waited for what it called */
    uint64_t nested;  /* exclusive while it waited for a call of itself */
    uint32_t fn;
    uint32_t line;  /* 0: not known */
    uint32_t level; /* frames that wait in it */
};

/* With all that was called from it. */
static inline uint64_t
pt_heat_inclusive(const struct pt_heat_line *l)
{
    return l->exclusive + (l->covered << PT_HEAT_BITS) - l->nested;
}

struct pt_heat_instruction {
    uint64_t ran;
    uint64_t time, spread;
    uint64_t begun, told; /* paths that begin here, and those with a line */
    uint32_t line;        /* index of the line */
    uint32_t until;       /* the last one from here on that is of this line */
};

/* A code object.  Until pt_heat_finish() `ran`, `time` and `spread` are
 * differences to those of the instruction before. */
struct pt_heat_code {
    uint32_t fn;
    uint32_t unknown;             /* the function's line 0 */
    uint32_t first;               /* its first line's index */
    uint32_t yielded;             /* where it was suspended last */
    const struct pt_graph *graph; /* NULL: none */
    struct pt_heat_instruction *ins;
    struct pt_heat_place *places; /* its lines in order */
    uint32_t nplaces;
    bool picked;
};

struct pt_heat_function {
    uint64_t calls;
    uint64_t inclusive; /* ns */
    uint32_t level;
};

struct pt_heat {
    const struct pt_heat_plan *plan;
    struct pt_heat_code **codes; /* by code id; NULL where none ran */
    uint32_t ncodes;
    struct pt_heat_line *lines; /* in no order */
    uint32_t nlines;
    struct pt_heat_function *functions; /* by the profile's numbers */
    uint64_t **pairs; /* by interpreter: [first * PT_HEAT_OPCODES
                         + second], or NULL; those
                         within a path are not in it until the end */
    uint64_t native;  /* ns, in C functions */
    uint64_t events, desyncs, unmatched, unfinished;
    struct pt_heat_state *state;
};

enum pt_status pt_heat_new(const struct pt_heat_plan *, struct pt_heat **out);
void pt_heat_free(struct pt_heat *);
struct pt_fold pt_heat_fold(struct pt_heat *);
/* Adds what another part has of the same plan; before both are finished. */
enum pt_status pt_heat_merge(struct pt_heat *into, const struct pt_heat *);
/* Sums up; nothing more may come. */
enum pt_status pt_heat_finish(struct pt_heat *);

#endif
