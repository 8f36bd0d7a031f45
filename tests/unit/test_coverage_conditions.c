/* The diagram of a decision, the text of its paths, and what they show. */
#include "analyze/coverage/mcdc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ROW(op, context, parent, column, end)                                  \
    {                                                                          \
        op, context, 0, parent, 1, 1, column, 1, end                           \
    }

/* if a and (b or not c): */
static const struct pt_expression rows[] = {
    ROW(PT_EXPRESSION_AND, PT_CONTEXT_IF, 0, 3, 21),
    ROW(PT_EXPRESSION_ATOM, PT_CONTEXT_INNER, 1, 3, 4),
    ROW(PT_EXPRESSION_OR, PT_CONTEXT_INNER, 1, 10, 20),
    ROW(PT_EXPRESSION_ATOM, PT_CONTEXT_INNER, 3, 10, 11),
    ROW(PT_EXPRESSION_NOT, PT_CONTEXT_INNER, 3, 15, 20),
    ROW(PT_EXPRESSION_ATOM, PT_CONTEXT_INNER, 5, 19, 20),
};
static const char text[] = "if a and (b or not c):\n    pass\n";

static struct pt_decisions *
make(const struct pt_expression *expressions, size_t n)
{
    static struct pt_syntax syntax;
    struct pt_decisions *d;
    syntax = (struct pt_syntax){
        .lines = 2, .expressions = expressions, .nexpressions = n};
    cr_assert_eq(
        pt_decisions_new(&syntax, (struct pt_str){text, sizeof text - 1}, &d),
        PT_OK);
    return d;
}

Test(coverage_conditions, outcomes_lead_to_the_next_condition)
{
    struct pt_decisions *d = make(rows, sizeof rows / sizeof *rows);
    cr_assert_eq(d->n, 1);
    const struct pt_decision *own = &d->decisions[0];
    cr_assert_eq(own->n, 3);
    cr_assert_eq(own->start, 0);
    cr_assert_eq(d->leaves[0].next[0], PT_AT_FALSE);
    cr_assert_eq(d->leaves[0].next[1], 1);
    cr_assert_eq(d->leaves[1].next[0], 2);
    cr_assert_eq(d->leaves[1].next[1], PT_AT_TRUE);
    cr_assert_eq(d->leaves[2].next[0], PT_AT_TRUE);
    cr_assert_eq(d->leaves[2].next[1], PT_AT_FALSE);
    cr_assert(d->leaves[2].odd && d->leaves[2].asked);
    pt_decisions_free(d);
}

Test(coverage_conditions, places_find_the_innermost)
{
    struct pt_decisions *d = make(rows, sizeof rows / sizeof *rows);
    struct pt_position c = {1, 1, 19, 20}, both = {1, 1, 12, 14},
                       none = {2, 2, 4, 8}, unknown = {1, 1, -1, -1};
    cr_assert_eq(pt_decisions_find(d, &c), 6);
    cr_assert_eq(pt_decisions_find(d, &both), 3);
    cr_assert_eq(pt_decisions_find(d, &none), 0);
    cr_assert_eq(pt_decisions_find(d, &unknown), 0);
    pt_decisions_free(d);
}

/* a=T b=F c=F; a=T b=F c=T; a=F: c and a decide, b was never true. */
Test(coverage_conditions, pairs_show_and_the_missing_one_is_named)
{
    struct pt_decisions *d = make(rows, sizeof rows / sizeof *rows);
    const struct pt_decision *own = &d->decisions[0];
    struct pt_path_count paths[] = {{{7, 1, PT_AT_TRUE}, 1, {0}},
                                    {{7, 5, PT_AT_FALSE}, 1, {0}},
                                    {{1, 0, PT_AT_FALSE}, 1, {0}}};
    struct pt_cov_alone alone[3];
    char seen[3];
    pt_path_text(d, own, paths[1].path, seen);
    cr_assert_eq(memcmp(seen, "TFT", 3), 0);
    pt_path_text(d, own, paths[2].path, seen);
    cr_assert_eq(memcmp(seen, "F--", 3), 0);
    cr_assert_eq(pt_mcdc(d, own, paths, 3, alone), PT_OK);
    cr_assert_eq(alone[0].shown, PT_COV_ALONE_YES);
    cr_assert_eq(alone[1].shown, PT_COV_ALONE_NO);
    cr_assert_eq(alone[2].shown, PT_COV_ALONE_YES);
    cr_assert_eq(memcmp(alone[1].missing, "TT-", 3), 0);
    free((char *)alone[1].missing);
    pt_decisions_free(d);
}

/* As the value of an assignment, nobody asks for the last one. */
Test(coverage_conditions, what_ends_unasked_cannot_be_shown)
{
    struct pt_expression value[] = {
        ROW(PT_EXPRESSION_OR, PT_CONTEXT_VALUE, 0, 4, 10),
        ROW(PT_EXPRESSION_ATOM, PT_CONTEXT_INNER, 1, 4, 5),
        ROW(PT_EXPRESSION_ATOM, PT_CONTEXT_INNER, 1, 9, 10)};
    struct pt_decisions *d = make(value, 3);
    struct pt_path_count paths[] = {{{1, 1, PT_AT_TRUE}, 1, {0}},
                                    {{1, 0, 1}, 1, {0}}};
    struct pt_cov_alone alone[2];
    cr_assert(d->leaves[0].asked && !d->leaves[1].asked);
    cr_assert_eq(pt_mcdc(d, &d->decisions[0], paths, 2, alone), PT_OK);
    cr_assert_eq(alone[0].shown, PT_COV_ALONE_CANNOT);
    cr_assert_eq(alone[1].shown, PT_COV_ALONE_CANNOT);
    pt_decisions_free(d);
}

/* Rows as a damaged file can have them: parents in any earlier place, parts
 * that lie nowhere, operations without parts. */
Test(coverage_conditions, hostile_rows_are_taken)
{
    enum { N = 200 };
    struct pt_expression any[N];
    uint32_t seed = 1;
    for (unsigned round = 0; round < 300; round++) {
        for (uint32_t i = 0; i < N; i++) {
            uint32_t r[8];
            for (unsigned k = 0; k < 8; k++)
                r[k] = (seed = seed * 1664525 + 1013904223) >> 8;
            bool root = i == 0 || r[0] % 8 == 0;
            uint32_t context = root ? 1 + r[1] % (PT_CONTEXT_LIMIT - 1) : 0;
            any[i] =
                (struct pt_expression){1 + r[2] % (PT_EXPRESSION_LIMIT - 1),
                                       context,
                                       r[3] % 4,
                                       root ? 0 : 1 + r[4] % i,
                                       1,
                                       r[5] % 5,
                                       r[6] % 40,
                                       r[5] % 5 + r[7] % 2,
                                       r[7] % 40};
        }
        struct pt_decisions *d = make(any, N);
        for (uint32_t i = 0; i < d->n; i++) {
            const struct pt_decision *own = &d->decisions[i];
            struct pt_cov_alone alone[N];
            struct pt_path_count path = {{1, 1, PT_AT_TRUE}, 1, {0}};
            if (!own->followed)
                continue;
            cr_assert_eq(pt_mcdc(d, own, &path, 1, alone), PT_OK);
            for (uint32_t k = 0; k < own->n; k++)
                free((char *)alone[k].missing);
        }
        for (uint32_t i = 0; i < N; i++) {
            for (uint32_t row = i + 1; row;)
                row = pt_decisions_outside(d, row - 1);
            (void)pt_decisions_says_not(d, i);
            (void)pt_decisions_says_none(d, i);
        }
        pt_decisions_free(d);
    }
}
