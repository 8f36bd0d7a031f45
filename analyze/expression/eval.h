/* Evaluating: what the files of analyze/expression share.
 *
 * A function that makes a value returns NULL when it could not; then `outcome`
 * and `text` of the evaluation say why.
 * Thread rule: as expression.h. */
#ifndef PT_EXPRESSION_EVAL_H
#define PT_EXPRESSION_EVAL_H

#include "analyze/expression/node.h"
#include "analyze/value_text.h"

#include <gmp.h>

struct pt_eval {
    const struct pt_expr_scope *scope;
    struct pt_expr_result *result;
    bool failed;    /* outcome and text are set */
    unsigned depth; /* of what is compared */
    size_t steps;   /* that may still be made */
};

/* --- failing: each returns NULL -------------------------------------------
 */

/* Python raises: "TypeError: ..." */
void *pt_eval_raise(struct pt_eval *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* It is not known. */
void *pt_eval_unknown(struct pt_eval *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* ... for more than was told of `v`: what was cut of it, and by which limit. */
void *pt_eval_cut(struct pt_eval *, const struct pt_value *v);
/* ... for memory or time. */
void *pt_eval_too_large(struct pt_eval *);
/* True where another step may be made. */
bool pt_eval_step(struct pt_eval *);
/* Whether all is told that can be asked of the value itself: false, and the
 * evaluation failed, of one that was redacted, unread or told elsewhere. */
bool pt_eval_told(struct pt_eval *, const struct pt_value *);

/* --- values ---------------------------------------------------------------
 */

void *pt_eval_alloc(struct pt_eval *, size_t n, size_t size);
const struct pt_value *pt_eval_bool(struct pt_eval *, bool);
const struct pt_value *pt_eval_i64(struct pt_eval *, int64_t);
const struct pt_value *pt_eval_float(struct pt_eval *, double);
/* Bytes that were allocated here. */
const struct pt_value *pt_eval_str(struct pt_eval *, struct pt_str);
const struct pt_value *pt_eval_bytes(struct pt_eval *, struct pt_str);
/* Copies. */
const struct pt_value *pt_eval_str_copy(struct pt_eval *, struct pt_str);
/* A container over `n` items, which are not copied. */
const struct pt_value *pt_eval_object(struct pt_eval *, enum pt_class,
                                      enum pt_value_form,
                                      const struct pt_value *items, size_t n);
/* As recorded, but with each reference replaced by what it names, so that the
 * value may go in circles. */
const struct pt_value *pt_eval_link(struct pt_eval *, const struct pt_value *);
/* The builtin value of an instance of a subclass of a builtin type; any other
 * value itself. */
const struct pt_value *pt_eval_plain(const struct pt_value *);

enum pt_class pt_eval_class(const struct pt_eval *, const struct pt_value *);
/* What Python's messages call the type of a value: "int"; in `buffer` of
 * PT_NAME_TEXT bytes, without controls. */
const char *pt_eval_type_name(const struct pt_eval *, const struct pt_value *,
                              char *buffer);
uint64_t pt_eval_points(struct pt_str); /* code points */
bool pt_eval_is_text(struct pt_str, const char *);
/* Whether a type with this value may do as it likes with operators. */
bool pt_eval_is_instance(const struct pt_eval *, const struct pt_value *);

/* --- answers that may not be known ----------------------------------------
 */

enum pt_tri {
    PT_NO,
    PT_YES,
    PT_FAILED /* not known, or raised */
};
enum pt_tri pt_eval_truth(struct pt_eval *, const struct pt_value *);
enum pt_tri pt_eval_equal(struct pt_eval *, const struct pt_value *,
                          const struct pt_value *);
/* As containers find their items: what is the same object is equal. */
enum pt_tri pt_eval_same_or_equal(struct pt_eval *, const struct pt_value *,
                                  const struct pt_value *);
enum pt_tri pt_eval_is(struct pt_eval *, const struct pt_value *,
                       const struct pt_value *);
enum pt_tri pt_eval_compare(struct pt_eval *, enum pt_operator,
                            const struct pt_value *, const struct pt_value *);
enum pt_tri pt_eval_contains(struct pt_eval *, const struct pt_value *of,
                             const struct pt_value *item);
/* Forgets a failure that is only that something was not known; false where it
 * is another. */
bool pt_eval_forgive(struct pt_eval *);
/* False, and it raised, for what has no hash; `as`: "dict key", "set
 * element". */
bool pt_eval_hashable(struct pt_eval *, const struct pt_value *,
                      const char *as);

/* --- numbers --------------------------------------------------------------
 */

bool pt_eval_is_int(const struct pt_value *);    /* or bool */
bool pt_eval_is_number(const struct pt_value *); /* int, bool, float */
/* Sets `z`, which is initialized, to the int. */
void pt_eval_mpz(mpz_t z, const struct pt_value *);
const struct pt_value *pt_eval_from_mpz(struct pt_eval *, const mpz_t);
/* -1, 0, 1; 2 where one is no number (nan). */
int pt_eval_order(const struct pt_value *, const struct pt_value *);
/* False, and it raised, where an int has no float near it. */
bool pt_eval_as_double(struct pt_eval *, const struct pt_value *, double *);
/* An index or a count: ints beyond 64 bits become the nearest. */
int64_t pt_eval_clamped(const struct pt_value *);
const struct pt_value *pt_eval_arithmetic(struct pt_eval *, enum pt_operator,
                                          const struct pt_value *,
                                          const struct pt_value *);
const struct pt_value *pt_eval_unary(struct pt_eval *, enum pt_operator,
                                     const struct pt_value *);
const struct pt_value *pt_eval_sum(struct pt_eval *, const struct pt_value *,
                                   size_t n, const struct pt_value *start);

/* --- operators and sequences ----------------------------------------------
 */

const struct pt_value *pt_eval_binary(struct pt_eval *, enum pt_operator,
                                      const struct pt_value *,
                                      const struct pt_value *);
const struct pt_value *pt_eval_subscript(struct pt_eval *,
                                         const struct pt_value *,
                                         const struct pt_value *index);
const struct pt_value *pt_eval_slice(struct pt_eval *, const struct pt_value *,
                                     const struct pt_value *const bounds[3]);
const struct pt_value *pt_eval_length(struct pt_eval *,
                                      const struct pt_value *);
/* What iterating gives, all of it. */
struct pt_items {
    const struct pt_value *items;
    size_t n;
    bool unordered; /* of a set that was made here: Python's order is not
                       known */
};
bool pt_eval_items(struct pt_eval *, const struct pt_value *,
                   struct pt_items *out);
/* A set or a dict over items or pairs, without what comes twice. */
const struct pt_value *pt_eval_set(struct pt_eval *, enum pt_class,
                                   const struct pt_value *items, size_t n);
const struct pt_value *pt_eval_dict(struct pt_eval *,
                                    const struct pt_value *pairs, size_t n);
const struct pt_value *pt_eval_set_operation(struct pt_eval *, enum pt_operator,
                                             const struct pt_value *,
                                             const struct pt_value *);
/* -1 subset, 0 equal, 1 superset, 2 neither; 3 failed. */
int pt_eval_set_order(struct pt_eval *, const struct pt_value *,
                      const struct pt_value *);

/* --- calls and text -------------------------------------------------------
 */

const struct pt_value *pt_eval_attribute(struct pt_eval *,
                                         const struct pt_value *,
                                         struct pt_str name);
const struct pt_value *pt_eval_type(struct pt_eval *, const struct pt_value *);
/* The builtin type of that name as a value; NULL without failing where there is
 * none. */
const struct pt_value *pt_eval_builtin_type(struct pt_eval *, struct pt_str);
/* Calls the builtin `name`; `keywords` name the last arguments. */
const struct pt_value *pt_eval_call(struct pt_eval *, struct pt_str name,
                                    const struct pt_value *args, size_t n,
                                    const struct pt_str *keywords,
                                    size_t nkeywords);
enum pt_tri pt_eval_isinstance(struct pt_eval *, const struct pt_value *,
                               const struct pt_value *type);
const struct pt_value *pt_eval_repr(struct pt_eval *, const struct pt_value *);
const struct pt_value *pt_eval_to_str(struct pt_eval *,
                                      const struct pt_value *);
const struct pt_value *pt_eval_int_of(struct pt_eval *, const struct pt_value *,
                                      const struct pt_value *base);
const struct pt_value *pt_eval_float_of(struct pt_eval *,
                                        const struct pt_value *);
/* format % args of a str. */
const struct pt_value *pt_eval_percent(struct pt_eval *,
                                       const struct pt_value *format,
                                       const struct pt_value *args);

#endif
