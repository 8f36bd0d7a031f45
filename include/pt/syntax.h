/* What only a parser knows of a source text.
 *
 * A syntax is made by Python's own parser, of the minor version that ran the
 * program, for one source: its statements and the suites they stand in, the
 * expressions whose truth is asked for, lines that belong together, comments,
 * and the lines that have code.  A trace has it for some of its sources
 * (`ptrec run --syntax`).  Nothing here tells what ran.
 *
 * Lines count from 1; columns from 0, in bytes of the line's text in UTF-8,
 * whatever the file's encoding.  Rows are numbered from 0; a column that names
 * a row of another table, or none, has the number + 1, or 0.  All rows are in
 * the order of the text, the outer before the inner.
 * Thread rule: a syntax is plain data that nobody changes; the handle of a
 * trace's syntaxes belongs to one thread. */
#ifndef PT_SYNTAX_H
#define PT_SYNTAX_H

#include <pt/log.h>

/* Numbers are part of the format. */
enum pt_statement_kind {
    PT_STATEMENT_EXPRESSION = 1,
    PT_STATEMENT_DOCSTRING = 2,  /* of a module, class or function */
    PT_STATEMENT_CONSTANT = 3,   /* a constant alone: it has no code */
    PT_STATEMENT_ASSIGN = 4,     /* also x += 1 and x: int = 1 */
    PT_STATEMENT_ANNOTATION = 5, /* x: int */
    PT_STATEMENT_DELETE = 6,
    PT_STATEMENT_PASS = 7,
    PT_STATEMENT_RETURN = 8,
    PT_STATEMENT_RAISE = 9,
    PT_STATEMENT_BREAK = 10,
    PT_STATEMENT_CONTINUE = 11,
    PT_STATEMENT_ASSERT = 12,
    PT_STATEMENT_IMPORT = 13, /* also from ... import */
    PT_STATEMENT_GLOBAL = 14, /* also nonlocal */
    PT_STATEMENT_TYPE = 15,   /* type X = ... */
    PT_STATEMENT_DEF = 16,
    PT_STATEMENT_CLASS = 17,
    PT_STATEMENT_IF = 18,
    PT_STATEMENT_FOR = 19,
    PT_STATEMENT_WHILE = 20,
    PT_STATEMENT_WITH = 21,
    PT_STATEMENT_TRY = 22,
    PT_STATEMENT_MATCH = 23,
    PT_STATEMENT_LIMIT = 24
};
enum pt_statement_flag {
    PT_STATEMENT_ASYNC = 1, /* async def, for, with */
    PT_STATEMENT_ELIF = 2,  /* an if that is written elif */
    PT_STATEMENT_STAR = 4   /* a try whose handlers are except* */
};

struct pt_statement {
    uint32_t kind, flags;
    uint32_t suite; /* the row it stands in; 0 is the module's */
    uint32_t line, column, end_line, end_column; /* without decorators */
    uint32_t first; /* the line of its first decorator, else `line` */
    uint32_t name;  /* of a def, a class: row of names + 1; else 0 */
};

enum pt_suite_kind {
    PT_SUITE_MODULE = 0, /* row 0, and no other */
    PT_SUITE_BODY = 1,
    PT_SUITE_ELSE = 2,
    PT_SUITE_EXCEPT = 3,
    PT_SUITE_FINALLY = 4,
    PT_SUITE_CASE = 5,
    PT_SUITE_LIMIT = 6
};
enum pt_suite_flag {
    PT_SUITE_IMPLICIT = 1,    /* the else that holds an elif and nothing more,
                                 without a header of its own */
    PT_SUITE_IRREFUTABLE = 2, /* a case that always matches */
    PT_SUITE_BARE = 4         /* an except that names nothing */
};

/* The statements behind one colon. */
struct pt_suite {
    uint32_t kind, flags;
    uint32_t owner;                    /* statement + 1; 0 of the module */
    uint32_t line, column;             /* where its header begins */
    uint32_t colon_line, colon_column; /* line 0: it has no header */
    uint32_t end_line;                 /* of the last statement */
};

enum pt_expression_op {
    PT_EXPRESSION_ATOM = 1, /* a condition: none of the following */
    PT_EXPRESSION_AND = 2,
    PT_EXPRESSION_OR = 3,
    PT_EXPRESSION_NOT = 4,
    PT_EXPRESSION_CHAIN = 5,   /* a < b < c: its parts are a < b and b < c */
    PT_EXPRESSION_TERNARY = 6, /* its parts are the two values; its test is a
                                  decision of its own, behind it */
    PT_EXPRESSION_LIMIT = 7
};
/* What asks for the truth of a decision, which is a tree of expressions. */
enum pt_context {
    PT_CONTEXT_INNER = 0, /* not a root: it has a parent */
    PT_CONTEXT_VALUE = 1, /* itself: a and b, not a, a < b < c */
    PT_CONTEXT_IF = 2,
    PT_CONTEXT_ELIF = 3,
    PT_CONTEXT_WHILE = 4,
    PT_CONTEXT_ASSERT = 5,
    PT_CONTEXT_TERNARY = 6,
    PT_CONTEXT_COMPREHENSION = 7, /* an `if` of one */
    PT_CONTEXT_GUARD = 8,         /* of a case */
    PT_CONTEXT_LIMIT = 9
};
enum pt_expression_flag {
    PT_EXPRESSION_TRUE = 1, /* whatever runs; the compiler need not ask */
    PT_EXPRESSION_FALSE = 2
};

/* A decision, or a part of one. */
struct pt_expression {
    uint32_t op, context, flags;
    uint32_t parent;    /* expression + 1; 0 of a root */
    uint32_t statement; /* that it stands in, + 1 */
    uint32_t line, column, end_line, end_column; /* without parentheses */
};

/* A logical line of more than one. */
struct pt_logical {
    uint32_t first, last;
};
/* Where a comment begins; it ends with the line. */
struct pt_comment {
    uint32_t line, column;
};
/* A line that the compiler has instructions for, each once. */
struct pt_code_line {
    uint32_t line;
};

struct pt_syntax {
    uint32_t source;  /* id */
    uint32_t version; /* of Python: major << 8 | minor */
    uint32_t lines;   /* of the text */
    /* Why it could not be parsed; then there is nothing else.  "" if it was. */
    struct pt_str failure;
    const struct pt_statement *statements;
    const struct pt_suite *suites;
    const struct pt_expression *expressions;
    const struct pt_logical *logical; /* ascending, none within another */
    const struct pt_comment *comments;
    const struct pt_code_line *code; /* ascending */
    const struct pt_str *names;
    size_t nstatements, nsuites, nexpressions, nlogical, ncomments, ncode,
        nnames;
};

void pt_syntax_free(struct pt_syntax *);

/* --- a trace's syntaxes --------------------------------------------------- */

/* Which syntax a trace has.  A damaged chunk counts as none, and in the number
 * that pt_syntaxes_bad() gives. */
struct pt_trace;
struct pt_syntaxes;
enum pt_status pt_syntaxes_new(const struct pt_trace *,
                               struct pt_syntaxes **out);
void pt_syntaxes_free(struct pt_syntaxes *);
uint32_t pt_syntaxes_bad(const struct pt_syntaxes *);

/* One of them: what it is about, and the chunk that it is in. */
struct pt_syntax_place {
    uint32_t source, version;
    size_t chunk;
};
size_t pt_syntaxes_count(const struct pt_syntaxes *);
const struct pt_syntax_place *pt_syntaxes_place(const struct pt_syntaxes *,
                                                size_t i);

/* The syntax of a source for one version of Python, the caller's to free.
 * PT_ENOTFOUND where the trace has none, PT_EDAMAGED, PT_ENOMEM. */
enum pt_status pt_syntaxes_load(struct pt_syntaxes *, uint32_t source,
                                uint32_t version, struct pt_syntax **out);

#endif
