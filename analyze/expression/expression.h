/* Python expressions over recorded values: what a debugger's print, conditions
 * and watches take.
 *
 * Names, attributes, subscripts and slices, arithmetic, comparisons, boolean
 * logic, conditional expressions, displays, literals, % of strings, and calls
 * of len, str, repr, type, isinstance, abs, min, max, sum, any, all, sorted,
 * int, float, bool, list, tuple, set, dict, ord and chr.
 *
 * What they mean is what they mean in Python, for the builtin types; nothing of
 * the program is run, so that an instance of a subclass of one is taken for
 * what the builtin type says, and what a class would answer itself (the truth
 * of an instance, a method) is not known.  Neither is what was cut, redacted or
 * not recorded: then the result says so, and is no guess.
 * Thread rule: an expression belongs to one thread; the trace may be shared. */
#ifndef PT_ANALYZE_EXPRESSION_H
#define PT_ANALYZE_EXPRESSION_H

#include "analyze/arena.h"

#include <pt/reader.h>
#include <pt/value.h>

enum { PT_EXPR_TEXT = 400 };

struct pt_expr;

/* Parses `text`, which is copied.  PT_EUSAGE with a sentence in `why` (room for
 * PT_EXPR_TEXT) for what is no expression, PT_ENOMEM. */
enum pt_status pt_expr_parse(struct pt_str text, struct pt_expr **out,
                             char *why);
void pt_expr_free(struct pt_expr *);
/* As it was written. */
struct pt_str pt_expr_text(const struct pt_expr *);

enum pt_name_found {
    PT_NAME_FOUND,   /* with a value */
    PT_NAME_UNKNOWN, /* a variable whose value was not recorded */
    PT_NAME_ABSENT /* no variable of the scope; the builtins have their turn */
};

/* Where names are looked up. */
struct pt_expr_scope {
    const struct pt_trace *trace; /* names types; may be NULL */
    uint32_t hexversion; /* of the program's Python, 0 unknown: some results
                            differ between versions */
    /* `*value` receives what the name holds, to live until the result is
     * cleared; `why` (room for PT_EXPR_TEXT) why it is not known and which
     * switch records it. */
    enum pt_name_found (*find)(void *self, struct pt_str name,
                               const struct pt_value **value, char *why);
    void *self;
};

enum pt_expr_outcome {
    PT_EXPR_VALUE,
    PT_EXPR_RAISES, /* Python raises: `text` is "TypeError: ..." */
    PT_EXPR_UNKNOWN /* it depends on what is not known: `text` says on what */
};

struct pt_expr_result {
    enum pt_expr_outcome outcome;
    const struct pt_value *value; /* lives until the result is cleared or the
                                     expression freed */
    char text[PT_EXPR_TEXT];      /* of the other two; UTF-8, no controls */
    struct pt_arena memory;
};

/* Evaluates; the result is to be cleared, whatever it is.  PT_ENOMEM. */
enum pt_status pt_expr_eval(const struct pt_expr *,
                            const struct pt_expr_scope *,
                            struct pt_expr_result *out);
/* The same, and whether the value is true, as `if` has it: *truth is
 * meaningful where the outcome is a value. */
enum pt_status pt_expr_test(const struct pt_expr *,
                            const struct pt_expr_scope *,
                            struct pt_expr_result *out, bool *truth);
void pt_expr_result_clear(struct pt_expr_result *);

/* The value itself as a result, its references replaced by what they name, as
 * those of expressions are; it borrows from `value`. */
enum pt_status pt_expr_link(const struct pt_expr_scope *,
                            const struct pt_value *,
                            struct pt_expr_result *out);

/* Whether the two values are known to be equal, as == has it: 1 they are, 0
 * they are not, -1 it is not known.  For watches. */
int pt_expr_equal(const struct pt_expr_scope *, const struct pt_value *,
                  const struct pt_value *);

/* Whether a name that is no variable may be called all the same. */
bool pt_expr_is_builtin(struct pt_str name);

#endif
