/* Counts, rule by rule; the cases are those of the walk's tests. */
#include "tests/unit/test_replay_counts.h"

#include <criterion/criterion.h>

static const char leaf_text[] = "9: RESUME; RETURN_VALUE";

/*   0 RESUME  2 LOAD  4 CALL  12 POP_JUMP_IF_FALSE to 18
 *  14 LOAD  16 JUMP_FORWARD to 20  18 LOAD  20 RETURN_VALUE */
static const char conditional[] =
    "1: RESUME; 2: LOAD; CALL; POP_JUMP_IF_FALSE 2; 3: LOAD; JUMP_FORWARD 1;"
    "4: LOAD; 5: RETURN_VALUE";

Test(replay_counts, numbers)
{
    struct flow f;
    struct pt_counts *counts;
    struct pt_code_counts *c;
    struct pt_blocks *b;
    struct stand s = {.depth = 0};
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    const struct pt_event events[] = {
        fl_call(code, -1), fl_branch(12, 18),         fl_end(PT_RETURN),
        fl_call(code, -1), fl_branch(12, 14),         fl_end(PT_RETURN),
        fl_call(code, -1), fl_branch(12, 14),         fl_end(PT_RETURN),
        fl_call(code, -1), fl_raise(4, 4, PT_RAISED), fl_end(PT_UNWIND),
        fl_call(code, -1), fl_branch(12, 18)};
    cr_assert_eq(pt_counts_new(f.graphs, &counts), PT_OK);
    cr_expect_eq(pt_counts_code(counts, code, &c), PT_ENOTFOUND);
    count_chunk(counts, &s, events, sizeof events / sizeof *events);
    cr_expect_eq(pt_counts_code(counts, 0, &c), PT_ENOTFOUND);
    cr_expect_eq(pt_counts_code(counts, 99, &c), PT_ENOTFOUND);
    cr_assert_eq(pt_counts_code(counts, code, &c), PT_OK);
    static const uint64_t ran[] = {5, 5, 5, 4, 2, 2, 1, 3};
    for (uint32_t i = 0; i < 8; i++)
        cr_expect_eq(c->ran[i], ran[i], "instruction %u", i);
    cr_assert_eq(pt_blocks_new(c->graph, &b), PT_OK);
    /* 0..12, 14..16, 18, 20; from the branch 2 and 2, one not gone on */
    static const uint64_t blocks[] = {5, 2, 1, 3}, edges[] = {2, 2, 2, 1};
    cr_assert_eq(b->n, 4u);
    cr_assert_eq(b->nedges, 4u);
    for (uint32_t i = 0; i < 4; i++) {
        cr_expect_eq(pt_code_counts_block(c, b, i), blocks[i], "block %u", i);
        cr_expect_eq(pt_code_counts_edge(c, b, i), edges[i], "edge %u", i);
    }
    pt_blocks_free(b);
    pt_code_counts_free(c);
    pt_counts_free(counts);
    flow_end(&f);
}

Test(replay_counts, callers)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    uint32_t leaf = flow_code(&f, leaf_text, NULL);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_call(leaf, 10), fl_end(PT_RETURN),
          fl_call(leaf, 4), fl_end(PT_RETURN), fl_at(PT_C_CALL, 4),
          fl_end(PT_C_RETURN), fl_call(leaf, 12), fl_end(PT_RETURN),
          fl_branch(12, 18), fl_call(leaf, 20), fl_end(PT_RETURN));
    flow_end(&f);
}

/*  0 RESUME  2 CALL  10 RETURN_VALUE
 * 12 PUSH_EXC_INFO  14 CALL  22 RERAISE  24 PUSH_EXC_INFO  26 RERAISE */
static const char handling[] = "1: RESUME; CALL; 2: RETURN_VALUE;"
                               "3: PUSH_EXC_INFO; CALL; RERAISE 1;"
                               "4: PUSH_EXC_INFO; RERAISE 1";
static const struct guard handlers[] = {{1, 5, 6}, {6, 12, 12}, {0, 0, 0}};

Test(replay_counts, exceptions)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, handling, handlers);
    uint32_t leaf = flow_code(&f, leaf_text, NULL);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_raise(2, 2, PT_RAISED), fl_call(leaf, 2),
          fl_end(PT_RETURN), fl_at(PT_HANDLED, 12), fl_call(leaf, 14),
          fl_end(PT_RETURN), fl_raise(22, 2, PT_RERAISED), fl_call(leaf, 2),
          fl_end(PT_RETURN), fl_at(PT_HANDLED, 24),
          fl_raise(26, 2, PT_RERAISED), fl_end(PT_UNWIND));
    flow_end(&f);
}

/* 3.13 reports an exception that comes out of an inlined call a code unit
 * before it: the same handler here, ... */
Test(replay_counts, exception_reported_before_its_instruction)
{
    static const struct guard table[] = {{1, 6, 6}, {0, 0, 0}};
    static const struct guard other[] = {{1, 2, 6}, {0, 0, 0}};
    static const char text[] =
        "1: RESUME; LOAD; CALL; 2: PUSH_EXC_INFO; RETURN_VALUE";
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, text, table);
    uint32_t apart = flow_code(&f, text, other); /* ... and there none */
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_raise(2, 4, PT_RAISED),
          fl_at(PT_HANDLED, 12), fl_end(PT_RETURN), fl_call(apart, -1),
          fl_raise(2, 4, PT_RAISED), fl_at(PT_HANDLED, 12), fl_end(PT_RETURN));
    flow_end(&f);
}

/*  0 RESUME  2 LOAD  4 FOR_ITER to 14 (END_FOR)  8 LOAD  10 JUMP_BACKWARD to 4
 *  12 LOAD (dead)  14 END_FOR  16 POP_TOP  18 RETURN_VALUE */
static const char loop[] = "1: RESUME; LOAD; FOR_ITER 3; 2: LOAD;"
                           "JUMP_BACKWARD 4; LOAD; 1: END_FOR; POP_TOP;"
                           "3: RETURN_VALUE";

Test(replay_counts, loops)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, loop, NULL);
    uint32_t next = flow_code(&f, "9: RESUME; RAISE_VARARGS", NULL);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_branch(4, 8), fl_branch(4, 8),
          fl_call(next, 4), fl_raise(2, 2, PT_RAISED), fl_end(PT_UNWIND),
          fl_raise(4, 4, PT_RAISED), fl_branch(4, 18), fl_end(PT_RETURN));
    flow_end(&f);
}

Test(replay_counts, loop_of_3_14)
{
    /* 0 RESUME 2 FOR_ITER to 14 6 NOT_TAKEN 8 LOAD 10 JUMP_BACKWARD to 2
     * 12 LOAD 14 END_FOR 16 POP_ITER 18 POP_JUMP_IF_FALSE to 24 20 NOT_TAKEN
     * 22 LOAD 24 RETURN_VALUE */
    static const char text[] =
        "1: RESUME; FOR_ITER 4; NOT_TAKEN; 2: LOAD; JUMP_BACKWARD 5; LOAD;"
        "1: END_FOR; POP_ITER; 3: POP_JUMP_IF_FALSE 2; NOT_TAKEN; LOAD;"
        "RETURN_VALUE";
    static const struct guard table[] = {{1, 6, 6}, {0, 0, 0}};
    struct flow f;
    flow_begin(&f, PY_3_14);
    uint32_t code = flow_code(&f, text, table);
    uint32_t leaf = flow_code(&f, leaf_text, NULL);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_branch(6, 8), fl_branch(16, 18),
          fl_call(leaf, 16), fl_end(PT_RETURN), fl_branch(20, 22),
          fl_end(PT_RETURN), fl_call(code, -1), fl_branch(16, 18),
          fl_branch(18, 24), fl_end(PT_RETURN));
    /* an iterator that raises StopIteration, which the loop swallows */
    check(&f, fl_call(code, -1), fl_raise(2, 2, PT_RAISED), fl_branch(16, 18),
          fl_branch(18, 24), fl_end(PT_RETURN));
    flow_end(&f);
}

Test(replay_counts, async_loop_of_3_14)
{
    /* 0 RESUME 2 CALL 10 RETURN_VALUE 12 END_ASYNC_FOR 14 RETURN_VALUE */
    static const struct guard table[] = {{1, 5, 6}, {0, 0, 0}};
    struct flow f;
    flow_begin(&f, PY_3_14);
    uint32_t code = flow_code(&f,
                              "1: RESUME; CALL; RETURN_VALUE;"
                              "END_ASYNC_FOR 5; 2: RETURN_VALUE",
                              table);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_raise(2, 2, PT_RAISED),
          fl_at(PT_HANDLED, 12), fl_branch(12, 14), fl_end(PT_RETURN));
    check(&f, fl_call(code, -1), fl_raise(2, 2, PT_RAISED),
          fl_at(PT_HANDLED, 12), fl_branch(12, 14),
          fl_raise(12, 2, PT_RERAISED), fl_end(PT_UNWIND));
    flow_end(&f);
}

/*  0 RETURN_GENERATOR  2 POP_TOP  4 RESUME 0  6 LOAD  8 SEND to 18
 *  12 YIELD_VALUE  14 RESUME 2  16 JUMP_BACKWARD to 8  18 END_SEND
 *  20 RETURN_VALUE */
static const char delegation[] =
    "1: RETURN_GENERATOR; POP_TOP; RESUME 0; 2: LOAD; SEND 3; YIELD_VALUE;"
    "RESUME 2; JUMP_BACKWARD 5; END_SEND; 3: RETURN_VALUE";

Test(replay_counts, generators)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, delegation, NULL);
    uint32_t leaf = flow_code(&f, leaf_text, NULL);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_call(leaf, 8), fl_end(PT_RETURN),
          fl_at(PT_YIELD, 12), fl_resume(code, -1, 14), fl_at(PT_YIELD, 12),
          fl_resume(code, -1, 14), fl_end(PT_RETURN));
    /* StopIteration out of the iterator, which SEND swallows */
    check(&f, fl_call(code, -1), fl_raise(8, 8, PT_RAISED), fl_call(leaf, 18),
          fl_end(PT_RETURN), fl_end(PT_RETURN));
    /* what a collection calls before the exception that was thrown in */
    check(&f, fl_call(code, -1), fl_at(PT_YIELD, 12), fl_throw(code, -1, 12),
          fl_call(leaf, 12), fl_end(PT_RETURN), fl_raise(12, 12, PT_RAISED),
          fl_end(PT_UNWIND));
    /* thrown into, or left */
    check(&f, fl_call(code, -1), fl_at(PT_YIELD, 12), fl_throw(code, -1, 12),
          fl_raise(12, 14, PT_RAISED), fl_end(PT_UNWIND), fl_call(code, -1),
          fl_at(PT_YIELD, 12), fl_throw(code, -1, 12), fl_end(PT_UNWIND));
    flow_end(&f);
}

/* What jumps in a circle has its jumps told, others not; and the frame can end
 * anywhere in it. */
Test(replay_counts, silent_loops)
{
    /* 0 RESUME 2 JUMP_FORWARD to 6 4 LOAD 6 CALL 14 JUMP_BACKWARD to 4 */
    static const char text[] =
        "1: RESUME; JUMP_FORWARD 1; LOAD; CALL; JUMP_BACKWARD 6; RETURN_VALUE";
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, text, NULL);
    uint32_t leaf = flow_code(&f, leaf_text, NULL);
    flow_ready(&f);
    check(&f, fl_call(code, -1), fl_jump(14, 4), fl_jump(14, 4),
          fl_call(leaf, 6), fl_end(PT_RETURN), fl_jump(14, 4),
          fl_raise(14, 14, PT_RAISED), fl_end(PT_UNWIND));
    check(&f, fl_call(code, -1), fl_raise(6, 6, PT_RAISED), fl_end(PT_UNWIND));
    check(&f, fl_call(code, -1), fl_jump(14, 4));
    flow_end(&f);
}

/* What runs after a gap in frames that were there before is not known. */
/* What runs after a gap in frames that were there before is not known. */
Test(replay_counts, gaps)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    const struct pt_event events[] = {
        fl_call(code, -1), fl_at(PT_C_CALL, 4), ev_gap(1, 3), fl_branch(12, 18),
        fl_call(code, -1), fl_branch(12, 14),   ev_gap(1, 3), fl_end(PT_RETURN),
        fl_end(PT_RETURN), fl_end(PT_RETURN)};
    struct pt_chunk_info info = {.events = sizeof events / sizeof *events};
    struct pt_events chunk = {.info = &info, .events = events};
    struct oracle o;
    struct pt_counts *counts;
    oracle_begin(&o, f.trace);
    oracle_add(&o, &chunk);
    cr_assert_eq(pt_counts_new(f.graphs, &counts), PT_OK);
    cr_assert_eq(pt_counts_add(counts, &chunk), PT_OK);
    cr_expect_eq(oracle_compare(&o, counts), 0);
    pt_counts_free(counts);
    oracle_end(&o);
    flow_end(&f);
}

/* Branches and ends that cannot follow from where a frame is: what a walk does
 * not count is not counted. */
Test(replay_counts, desyncs)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    uint32_t other = flow_code(&f, handling, handlers);
    flow_ready(&f);
    const struct pt_event events[] = {
        fl_call(code, -1),     fl_end(PT_RETURN),
        fl_call(code, -1),     fl_branch(12, 20),
        fl_branch(12, 18),     fl_end(PT_RETURN),
        fl_call(code, -1),     fl_branch(4, 18),
        fl_branch(1000, 18),   fl_at(PT_C_CALL, 4),
        fl_branch(12, 18),     fl_at(PT_C_CALL, 4),
        fl_at(PT_YIELD, 18),   fl_call(other, -1),
        fl_at(PT_HANDLED, 12), fl_raise(14, 14, PT_RAISED),
        fl_at(PT_HANDLED, 12), fl_end(PT_UNWIND)};
    struct pt_chunk_info info = {.events = sizeof events / sizeof *events};
    struct pt_events chunk = {.info = &info, .events = events};
    struct oracle o;
    struct pt_counts *counts;
    oracle_begin(&o, f.trace);
    oracle_add(&o, &chunk);
    cr_expect_gt(o.desyncs, 5u);
    cr_assert_eq(pt_counts_new(f.graphs, &counts), PT_OK);
    cr_assert_eq(pt_counts_add(counts, &chunk), PT_OK);
    for (uint32_t id = code; id <= other; id++) {
        struct pt_code_counts *c;
        cr_assert_eq(pt_counts_code(counts, id, &c), PT_OK);
        for (uint32_t i = 0; i < c->graph->n; i++)
            cr_expect_eq(c->ran[i], o.numbers[id].ran[i], "%u of %u", i, id);
        pt_code_counts_free(c);
    }
    pt_counts_free(counts);
    oracle_end(&o);
    flow_end(&f);
}

/* Parts of different traces do not add up, and what has failed stays so. */
Test(replay_counts, strangers)
{
    struct flow f, g;
    struct pt_counts *a, *b;
    struct pt_code_counts *c;
    struct stand s = {.depth = 0};
    flow_begin(&f, PY_3_13);
    flow_begin(&g, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    cr_assert_eq(flow_code(&g, leaf_text, NULL), code);
    flow_ready(&f);
    flow_ready(&g);
    const struct pt_event call = fl_call(code, -1);
    cr_assert_eq(pt_counts_new(f.graphs, &a), PT_OK);
    cr_assert_eq(pt_counts_new(g.graphs, &b), PT_OK);
    count_chunk(a, &s, &call, 1);
    cr_expect_eq(pt_counts_merge(b, a), PT_EUSAGE);
    cr_expect_eq(pt_counts_code(b, code, &c), PT_EUSAGE);
    cr_expect_eq(pt_counts_merge(a, b), PT_EUSAGE);
    pt_counts_free(a);
    pt_counts_free(b);
    flow_end(&f);
    flow_end(&g);
}
