/* The tree's bounds: deep recursion, more paths than there is room for, and
 * what both leave true.  Its times are in test_analyze_profile.c. */
#include "tests/unit/test_replay.h"

#include "analyze/calltree.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct pt_calltree *
tree(uint32_t limit, uint32_t depth)
{
    struct pt_calltree_options options = {limit, depth};
    struct pt_calltree *t;
    cr_assert_eq(pt_calltree_new(&options, &t), PT_OK);
    return t;
}

static uint32_t
call(struct pt_calltree *t, uint32_t parent, uint32_t fn, uint64_t time)
{
    uint32_t node = pt_calltree_find(t, parent, fn);
    cr_assert_neq(node, 0u);
    t->nodes[node].calls++;
    t->nodes[node].exclusive += time;
    return node;
}

static uint64_t
all_calls(const struct pt_calltree *t)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < t->n; i++)
        n += t->nodes[i].calls;
    return n;
}

Test(analyze_calltree, paths_are_nodes)
{
    struct pt_calltree *t = tree(0, 0);
    uint32_t a = call(t, 0, 1, 5), ab = call(t, a, 2, 7), b = call(t, 0, 2, 1);
    cr_expect_neq(ab, b);
    cr_expect_eq(call(t, a, 2, 3), ab);
    cr_expect_eq(call(t, 0, 1, 2), a);
    pt_calltree_finish(t);
    cr_expect_eq(t->nodes[a].inclusive, 17u);
    cr_expect_eq(t->nodes[0].inclusive, 18u);
    cr_expect_eq(t->nodes[0].first, a);
    cr_expect_eq(t->nodes[a].next, b);
    cr_expect_eq(t->nodes[a].first, ab);
    cr_expect_eq(t->nodes[ab].depth, 2u);
    cr_expect(!t->folded);
    pt_calltree_free(t);
}

/* Two functions that call each other 100,000 deep. */
Test(analyze_calltree, recursion_is_folded)
{
    struct pt_calltree *t = tree(0, 0);
    uint32_t node = call(t, 0, 3, 1);
    for (unsigned i = 0; i < 100000; i++) {
        node = call(t, node, 1 + i % 2, 1);
        cr_assert_eq(t->nodes[node].fn, 1 + i % 2);
        cr_assert_leq(t->nodes[node].depth, (uint32_t)PT_CALLTREE_DEPTH);
    }
    cr_expect(t->folded);
    cr_expect_eq(t->n, (uint32_t)PT_CALLTREE_DEPTH + 1);
    cr_expect_eq(all_calls(t), 100001u);
    pt_calltree_finish(t);
    cr_expect_eq(t->nodes[0].inclusive, 100001u);
    pt_calltree_free(t);
}

/* A path that never repeats itself ends in one "more". */
Test(analyze_calltree, long_paths_end)
{
    struct pt_calltree *t = tree(0, 10);
    uint32_t node = 0;
    for (unsigned i = 1; i <= 1000; i++)
        node = call(t, node, i, 1);
    cr_expect_eq(t->nodes[node].fn, PT_CALLTREE_MORE);
    cr_expect_eq(t->nodes[node].calls, 990u);
    cr_expect_eq(t->n, 12u);
    cr_expect_eq(call(t, node, 5, 1), node, "nothing is told below");
    pt_calltree_free(t);
}

/* Millions of paths that come once each, among which one returns: it is kept,
 * the sums stay true, and the memory is what was allowed. */
Test(analyze_calltree, small_paths_give_way)
{
    enum { LIMIT = 4096, ROUNDS = 300000 };
    struct pt_calltree *t = tree(LIMIT, 0);
    uint64_t state = 5, calls = 1, time = 1000;
    uint32_t heavy = call(t, 0, 1, 0), top = call(t, heavy, 2, 1000);
    t->nodes[heavy].calls--;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (pt_calltree_is_full(t)) {
            /* The path that is running, which has used no time yet. */
            uint32_t running = call(t, call(t, 0, 99, 0), 98, 0), *now;
            uint8_t *kept = calloc(t->n, 1);
            kept[running] = kept[t->nodes[running].parent] = 1;
            calls += 2;
            cr_assert_eq(pt_calltree_prune(t, kept, &now), PT_OK);
            cr_assert_leq(t->n, (uint32_t)LIMIT / 2);
            cr_assert_eq(t->nodes[now[running]].fn, 98u);
            cr_assert_eq(t->nodes[now[top]].fn, 2u);
            heavy = now[heavy];
            top = now[top];
            free(kept);
            free(now);
        }
        uint32_t node = 0;
        for (unsigned k = 0; k < 4; k++, calls++, time++)
            node = call(t, node, 10 + dice(&state, 40), 1);
        call(t, top, 3, 5);
        calls++;
        time += 5;
    }
    pt_calltree_finish(t);
    cr_expect_eq(all_calls(t), calls);
    cr_expect_eq(t->nodes[0].inclusive, time);
    cr_expect_eq(t->nodes[heavy].inclusive, 1000 + 5 * (uint64_t)ROUNDS);
    cr_expect_eq(t->nodes[t->nodes[top].first].calls, (uint64_t)ROUNDS);
    cr_expect_gt(t->dropped, (uint64_t)ROUNDS);
    for (uint32_t i = 1; i < t->n; i++) {
        unsigned mores = 0;
        for (uint32_t c = t->nodes[i].first; c; c = t->nodes[c].next)
            mores += t->nodes[c].fn == PT_CALLTREE_MORE;
        cr_assert_leq(mores, 1u);
    }
    pt_calltree_free(t);
}

/* Roots of threads stay apart; trees of the same shape merge into one, also
 * where there is no room for all. */
Test(analyze_calltree, merges)
{
    for (uint32_t limit = 64; limit <= 1 << 16; limit *= 4) {
        struct pt_calltree *into = tree(limit, 0), *from = tree(0, 0);
        uint64_t state = 3;
        uint32_t one = pt_calltree_root(into, 1);
        call(into, one, 1, 10);
        cr_expect_eq(pt_calltree_root(into, 1), one);
        for (unsigned i = 0; i < 5000; i++) {
            uint32_t node = pt_calltree_root(from, 1 + dice(&state, 3));
            for (unsigned k = dice(&state, 5); k > 0; k--)
                node = call(from, node, 1 + dice(&state, 9), dice(&state, 100));
        }
        uint64_t calls = all_calls(from);
        pt_calltree_finish(from);
        cr_assert_eq(pt_calltree_merge(into, from), PT_OK);
        pt_calltree_finish(into);
        cr_expect_eq(all_calls(into), calls + 1);
        cr_expect_eq(into->nodes[0].inclusive, from->nodes[0].inclusive + 10);
        cr_expect(into->n <= limit + 1);
        if (limit == 1 << 16)
            cr_expect_eq(into->n, from->n);
        pt_calltree_free(into);
        pt_calltree_free(from);
    }
}
