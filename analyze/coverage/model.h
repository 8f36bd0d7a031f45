/* What was covered: one structure that every report reads and every count
 * fills, whatever recorded it.
 *
 * A file is told of by its text: statements as a parser sees them, arcs between
 * lines as coverage.py counts them, and below that the truth: every conditional
 * jump, every condition, every evaluation of a decision.  Numbers of several
 * traces, processes and versions of Python add up in one coverage, as long as
 * a file's text is the same.
 *
 * Lines count from 1; columns from 0, in bytes of the line in UTF-8, as `ast`
 * counts them.  All arrays are in the order of the text.
 * Thread rule: plain data; a coverage belongs to one thread. */
#ifndef PT_ANALYZE_COVERAGE_MODEL_H
#define PT_ANALYZE_COVERAGE_MODEL_H

#include <pt/log.h>

#include <stdbool.h>

struct pt_cov_span {
    uint32_t line, column, end_line, end_column;
};

/* A moment of a trace: SEQ+K of the `trace`-th of those that were read. */
struct pt_cov_moment {
    uint32_t trace;
    uint64_t seq, k;
};

/* --- lines ---------------------------------------------------------------- */

enum pt_cov_line_flag {
    PT_COV_EXCLUDED = 1,  /* by a pragma or a pattern: it counts nowhere */
    PT_COV_NO_BRANCH = 2, /* `no branch`: its arcs count as taken */
};

/* The first line of a statement that has code. */
struct pt_cov_line {
    uint32_t line;
    uint32_t flags; /* enum pt_cov_line_flag */
    uint64_t hits;  /* how often it started; 0: missing */
};

/* --- arcs: from line to line ---------------------------------------------- */

/* One that the text allows, or that was taken.  `to` and `from` are lines; as
 * coverage.py has it, -N is the exit (`to`), or the entry (`from`), of the code
 * object whose first line is N. */
struct pt_cov_arc {
    int32_t from, to;
    uint64_t count; /* 0: never taken */
    bool possible;  /* the text allows it */
    bool branch;    /* `from` has several possible ones */
};

/* --- jumps: the truth below ----------------------------------------------- */

/* A conditional jump of one code object. */
struct pt_cov_jump {
    struct pt_cov_span span; /* line 0 where it has no place */
    uint32_t off;            /* byte offset */
    uint32_t opcode;
    uint64_t next, jump;           /* went on behind it, at its target */
    uint32_t next_line, jump_line; /* where these lead; 0 unknown */
};

/* --- conditions and decisions --------------------------------------------- */

enum pt_cov_condition_state {
    PT_COV_DECIDED,     /* its outcomes are known */
    PT_COV_UNDECIDABLE, /* it is evaluated, never asked: `b` of return a or b */
    PT_COV_CONSTANT,    /* folded away by the compiler */
    PT_COV_ABSENT       /* no instruction tells of it */
};

struct pt_cov_condition {
    struct pt_cov_span span;
    uint32_t decision;  /* row of decisions */
    uint8_t state;      /* enum pt_cov_condition_state */
    uint64_t yes, no;   /* how often it was true, false */
    uint64_t undecided; /* evaluated, and its truth is not known */
};

/* How evaluations went that were alike. */
struct pt_cov_vector {
    const char *seen; /* one of T F - ? for each of its conditions, no NUL */
    char result;      /* T F, or ? where it was cut short or is not known */
    uint64_t count;
    struct pt_cov_moment first; /* the first of them */
};

struct pt_cov_decision {
    struct pt_cov_span span;
    uint32_t context; /* enum pt_context of <pt/syntax.h> */
    uint32_t first,
        nconditions; /* rows of conditions, in order of evaluation */
    struct pt_cov_vector *vectors;
    uint32_t nvectors;
    /* Of each condition; NULL where nobody asked for MC/DC.  Masking MC/DC, as
     * gcc's -fcondition-coverage and clang's -fcoverage-mcdc have it. */
    struct pt_cov_alone *alone;
};

/* Whether a condition was shown to decide alone. */
struct pt_cov_alone {
    enum { PT_COV_ALONE_NO, PT_COV_ALONE_YES, PT_COV_ALONE_CANNOT } shown;
    uint32_t pair[2];    /* of vectors, if shown */
    const char *missing; /* one that would show it, beside one that was seen;
                            NULL none; no NUL */
};

/* --- functions, classes, files -------------------------------------------- */

struct pt_cov_function {
    struct pt_str name;   /* qualified as coverage.py does: outer.inner */
    uint32_t first, last; /* lines, decorators included */
    uint32_t line, body;  /* of its `def` or `class`, of its first statement */
    bool class_;          /* a class, whose "call" is the run of its body */
    bool excluded;
    uint64_t calls;
};

struct pt_cov_file {
    struct pt_str path; /* as the report shows it */
    struct pt_str text; /* its source; empty where nobody has it */
    /* Why there is less than could be ("not parsed: ..."), or "". */
    struct pt_str lacks;
    bool imported; /* false: --source found it, and nothing of it ran */
    bool parsed;   /* statements and decisions are those of a parser; else
                      lines are those of the bytecode */
    struct pt_cov_line *lines;
    struct pt_cov_arc *arcs; /* by from, to */
    struct pt_cov_jump *jumps;
    struct pt_cov_condition *conditions;
    struct pt_cov_decision *decisions;
    struct pt_cov_function *functions;
    uint32_t nlines, narcs, njumps, nconditions, ndecisions, nfunctions;
};

/* What a total counts; excluded ones are in neither number. */
struct pt_cov_share {
    uint64_t have, of;
};
struct pt_cov_total {
    struct pt_cov_share lines;
    struct pt_cov_share arcs;       /* those that branch */
    struct pt_cov_share conditions; /* two outcomes of each decided one */
    struct pt_cov_share alone;      /* conditions that can decide alone */
    uint64_t excluded;              /* lines */
    uint64_t partial; /* arcs that lines which ran did not take: BrPart */
};

struct pt_coverage {
    struct pt_cov_file *files; /* by path */
    uint32_t nfiles;
    const char *const *traces; /* their names, as given */
    uint32_t ntraces;
    bool has_arcs, has_conditions, has_mcdc; /* what was asked for */
};

/* The arcs that come from a line, *n of them; *low is 0, or what it was left at
 * by a call for a line before. */
const struct pt_cov_arc *pt_cov_arcs_from(const struct pt_cov_file *,
                                          uint32_t line, uint32_t *low,
                                          uint32_t *n);
/* Whether an arc counts, and whether as one that was not taken; `line` is the
 * one it comes from, NULL where there is none. */
bool pt_cov_arc_counts(const struct pt_cov_arc *,
                       const struct pt_cov_line *line);
bool pt_cov_arc_misses(const struct pt_cov_arc *,
                       const struct pt_cov_line *line);
/* Adds a line and the arcs that come from it. */
void pt_cov_total_line(struct pt_cov_total *, const struct pt_cov_line *,
                       const struct pt_cov_arc *arcs, uint32_t narcs);
void pt_cov_total_add(struct pt_cov_total *, const struct pt_cov_total *);
/* Of one file, and of all. */
struct pt_cov_total pt_cov_file_total(const struct pt_cov_file *);
struct pt_cov_total pt_coverage_total(const struct pt_coverage *);
/* (lines + arcs) / of, in percent, as coverage.py has it; 100 of nothing. */
double pt_cov_percent(const struct pt_cov_total *, bool arcs);
/* A percentage with `digits` decimals, without the sign; what is neither 0 nor
 * 100 is not shown as such.  Into `buffer` of PT_NUMBER_TEXT bytes. */
const char *pt_cov_percent_text(double percent, unsigned digits, char *buffer);
/* The statement that stands at `line` or begins before it; NULL none. */
const struct pt_cov_line *pt_cov_line_before(const struct pt_cov_file *,
                                             uint32_t line);

#endif
