/* The rules of a walk, one by one: what must have run between two events. */
#include "tests/unit/test_replay_flow.h"

#include <criterion/criterion.h>
#include <string.h>

#define ran(f, event, expected)                                                \
    do {                                                                       \
        const char *got_ = flow_step(f, event);                                \
        cr_expect_str_eq(got_, expected, "%s: got \"%s\"", #event, got_);      \
    } while (0)

/*   0 RESUME  2 LOAD  4 CALL  12 POP_JUMP_IF_FALSE to 18
 *  14 LOAD  16 JUMP_FORWARD to 20  18 LOAD  20 RETURN_VALUE */
static const char conditional[] =
    "1: RESUME; 2: LOAD; CALL; POP_JUMP_IF_FALSE 2; 3: LOAD; JUMP_FORWARD 1;"
    "4: LOAD; 5: RETURN_VALUE";

Test(replay_walk, branches)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(12, 14), "L2 2 4 12");
    ran(&f, fl_end(PT_RETURN), "L3 14 16 L5 20");
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(12, 18), "L2 2 4 12");
    ran(&f, fl_end(PT_RETURN), "L4 18 L5 20");
    flow_end(&f);
}

Test(replay_walk, k_counts_instructions)
{
    struct flow f;
    struct pt_expand expand;
    struct pt_fine fine;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    flow_step(&f, fl_call(code, -1));
    flow_step(&f, fl_branch(12, 18));
    static const struct pt_fine expected[] = {
        {1, 1, 2, 2, PT_LINE},
        {1, 1, 2, 2, PT_INSTRUCTION},
        {2, 2, 4, 2, PT_INSTRUCTION},
        {3, 3, 12, 2, PT_INSTRUCTION},
    };
    pt_expand_begin(&expand, &f.walked);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert(pt_expand_next(&expand, &fine));
        cr_expect_eq(fine.k, expected[i].k);
        cr_expect_eq(fine.index, expected[i].index);
        cr_expect_eq(fine.off, expected[i].off);
        cr_expect_eq(fine.line, expected[i].line);
        cr_expect_eq(fine.kind, expected[i].kind);
    }
    cr_expect_not(pt_expand_next(&expand, &fine));
    flow_end(&f);
}

/* A caller's offset can be that of a cache, and one instruction can call more
 * than once; nothing of the caller runs twice. */
Test(replay_walk, callers)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    uint32_t leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_call(leaf, 10), "L2 2 4");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_call(leaf, 4), "");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_at(PT_C_CALL, 4), "");
    ran(&f, fl_end(PT_C_RETURN), "");
    ran(&f, fl_call(leaf, 12), "12");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_branch(12, 18), "");
    ran(&f, fl_end(PT_RETURN), "L4 18 L5 20");
    flow_end(&f);
}

/* 3.12 stands at a cache of an inlined CALL, which has no line, and so tells of
 * the same line again at the target of a jump. */
Test(replay_walk, line_after_an_inlined_call)
{
    /* 0 RESUME 2 CALL 10 LOAD 12 POP_JUMP_IF_FALSE to 10-2 (never) */
    static const char text[] =
        "1: RESUME; 2: CALL; LOAD; POP_JUMP_BACKWARD_IF_TRUE 2; RETURN_VALUE";
    struct flow f;
    flow_begin(&f, PY_3_12);
    uint32_t code = flow_code(&f, text, NULL);
    uint32_t leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_call(leaf, 8), "L2 2");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_branch(12, 14), "L2 10 12");
    ran(&f, fl_end(PT_RETURN), "14");
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_call(leaf, 2), "L2 2");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_branch(12, 14), "10 12");
    flow_end(&f);
}

/*  0 RESUME  2 CALL  10 RETURN_VALUE
 * 12 PUSH_EXC_INFO  14 CALL  22 RERAISE  24 PUSH_EXC_INFO  26 RERAISE */
static const char handling[] = "1: RESUME; CALL; 2: RETURN_VALUE;"
                               "3: PUSH_EXC_INFO; CALL; RERAISE 1;"
                               "4: PUSH_EXC_INFO; RERAISE 1";
static const struct guard handlers[] = {{1, 5, 6}, {6, 12, 12}, {0, 0, 0}};

Test(replay_walk, exceptions)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, handling, handlers);
    uint32_t leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    /* a finalizer while the CALL is cleared up: the frame stays */
    ran(&f, fl_raise(2, 2, PT_RAISED), "L1 2");
    ran(&f, fl_call(leaf, 2), "");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_at(PT_HANDLED, 12), "");
    ran(&f, fl_call(leaf, 14), "L3 12 14");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    /* the re-raise sets the last instruction back to the CALL that raised */
    ran(&f, fl_raise(22, 2, PT_RERAISED), "22");
    ran(&f, fl_call(leaf, 2), "");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_at(PT_HANDLED, 24), "");
    ran(&f, fl_raise(26, 2, PT_RERAISED), "L4 24 26");
    ran(&f, fl_end(PT_UNWIND), "");
    flow_end(&f);
}

/* 3.13 reports an exception that comes out of an inlined call a code unit
 * before it, and asks its table there. */
Test(replay_walk, exception_reported_before_its_instruction)
{
    static const struct guard table[] = {{2, 6, 6}, {0, 0, 0}};
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f,
                              "1: RESUME; LOAD; CALL; 2: PUSH_EXC_INFO;"
                              "RETURN_VALUE",
                              table);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_raise(2, 4, PT_RAISED), "L1 2 4");
    ran(&f, fl_end(PT_UNWIND), ""); /* unit 1 is not guarded */
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_raise(4, 4, PT_RAISED), "L1 2 4");
    ran(&f, fl_end(PT_UNWIND), "desync HANDLER");
    flow_end(&f);
}

/*  0 RESUME  2 LOAD  4 FOR_ITER to 14 (END_FOR)  8 LOAD  10 JUMP_BACKWARD to 4
 *  12 LOAD (dead)  14 END_FOR  16 POP_TOP  18 RETURN_VALUE */
static const char loop[] = "1: RESUME; LOAD; FOR_ITER 3; 2: LOAD;"
                           "JUMP_BACKWARD 4; LOAD; 1: END_FOR; POP_TOP;"
                           "3: RETURN_VALUE";

Test(replay_walk, loops)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, loop, NULL);
    uint32_t next = flow_code(&f, "9: RESUME; RAISE_VARARGS", NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(4, 8), "L1 2 4");
    ran(&f, fl_branch(4, 8), "L2 8 10 L1 4");
    /* a __next__ raises StopIteration, which the loop swallows */
    ran(&f, fl_call(next, 4), "L2 8 10 L1 4");
    ran(&f, fl_raise(2, 2, PT_RAISED), "L9 2");
    ran(&f, fl_end(PT_UNWIND), "");
    ran(&f, fl_raise(4, 4, PT_RAISED), "");
    ran(&f, fl_branch(4, 18), "");
    ran(&f, fl_end(PT_RETURN), "L3 18");
    flow_end(&f);
}

Test(replay_walk, loop_of_3_14)
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
    uint32_t leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(6, 8), "L1 2 6");
    ran(&f, fl_branch(16, 18), "L2 8 10 L1 2 16");
    ran(&f, fl_call(leaf, 16), ""); /* the iterator's finalizer */
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_branch(20, 22), "L3 18 20");
    ran(&f, fl_end(PT_RETURN), "22 24");
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(16, 18), "L1 2 16");
    ran(&f, fl_branch(18, 24), "L3 18");
    ran(&f, fl_end(PT_RETURN), "24");
    /* an iterator that raises StopIteration, which the loop swallows */
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_raise(2, 2, PT_RAISED), "L1 2");
    ran(&f, fl_branch(16, 18), "16");
    ran(&f, fl_branch(18, 24), "L3 18");
    ran(&f, fl_end(PT_RETURN), "24");
    flow_end(&f);
}

/* The chunk ends while a loop that was left early closes its generator: what
 * writes keyframes knows from where it was called, the walk that it branched.
 */
Test(replay_walk, lingering_of_3_14)
{
    struct flow f;
    flow_begin(&f, PY_3_14);
    uint32_t code = flow_code(&f, "1: RESUME; POP_ITER; 2: RETURN_VALUE", NULL);
    uint32_t leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
    flow_ready(&f);
    struct pt_frame stack[] = {
        {.id = code, .at = PT_AT_INSIDE, .off = 2},
        {.id = leaf, .at = PT_AT_START, .off = UINT32_MAX}};
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        ran(&f, fl_call(code, -1), "");
        ran(&f, fl_branch(2, 4), "2");
        ran(&f, fl_call(leaf, 2), "");
        stack[0].off = elsewhere ? 4 : 2;
        const char *told = flow_sync(&f, stack, 2);
        cr_assert_eq(strncmp(told, "desync", 6) == 0, elsewhere, "%s", told);
        ran(&f, fl_end(PT_RETURN), "L9 2");
        ran(&f, fl_end(PT_RETURN), elsewhere ? "" : "L2 4");
    }
    flow_end(&f);
}

/* The end of an async for is told before it is known whether
 * the exception is the one that ends it. */
Test(replay_walk, async_loop_of_3_14)
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
    for (int ends = 0; ends < 2; ends++) {
        ran(&f, fl_call(code, -1), "");
        ran(&f, fl_raise(2, 2, PT_RAISED), "L1 2");
        ran(&f, fl_at(PT_HANDLED, 12), "");
        ran(&f, fl_branch(12, 14), "12");
        if (ends)
            ran(&f, fl_end(PT_RETURN), "L2 14");
        else {
            ran(&f, fl_raise(12, 2, PT_RERAISED), "");
            ran(&f, fl_end(PT_UNWIND), "");
        }
    }
    flow_end(&f);
}

/*  0 RETURN_GENERATOR  2 POP_TOP  4 RESUME 0  6 LOAD  8 SEND to 18
 *  12 YIELD_VALUE  14 RESUME 2  16 JUMP_BACKWARD to 8  18 END_SEND
 *  20 RETURN_VALUE */
static const char delegation[] =
    "1: RETURN_GENERATOR; POP_TOP; RESUME 0; 2: LOAD; SEND 3; YIELD_VALUE;"
    "RESUME 2; JUMP_BACKWARD 5; END_SEND; 3: RETURN_VALUE";

Test(replay_walk, generators)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, delegation, NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_at(PT_YIELD, 12), "L2 6 8 12");
    ran(&f, fl_resume(code, -1, 14), "");
    ran(&f, fl_at(PT_YIELD, 12), "16 8 12");
    /* the iterator has ended: no event tells */
    ran(&f, fl_resume(code, -1, 14), "");
    ran(&f, fl_end(PT_RETURN), "16 8 18 L3 20");
    /* ... or, where it raised StopIteration, an exception that goes nowhere */
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_raise(8, 8, PT_RAISED), "L2 6 8");
    ran(&f, fl_end(PT_RETURN), "18 L3 20");
    flow_end(&f);
}

/* The exception is told at the yield, or at the RESUME behind it. */
Test(replay_walk, throw)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, delegation, NULL);
    flow_ready(&f);
    for (uint32_t at = 12; at <= 14; at += 2) {
        ran(&f, fl_throw(code, -1, 12), "");
        ran(&f, fl_raise(12, at, PT_RAISED), "");
        ran(&f, fl_end(PT_UNWIND), "");
    }
    /* making the exception's traceback can start a collection */
    ran(&f, fl_throw(code, -1, 12), "");
    ran(&f, fl_call(code, 12), "");
    ran(&f, fl_end(PT_RETURN), "L2 6 8 18 L3 20");
    ran(&f, fl_raise(12, 12, PT_RAISED), "");
    ran(&f, fl_end(PT_UNWIND), "");
    ran(&f, fl_throw(code, -1, 12), "");
    ran(&f, fl_end(PT_UNWIND), ""); /* closed, where nothing guards it */
    ran(&f, fl_throw(code, -1, 12), "");
    ran(&f, fl_end(PT_RETURN), "desync SUSPENDED");
    flow_end(&f);
}

/* What jumps in a circle needs its jumps told. */
Test(replay_walk, silent_loops)
{
    /* 0 RESUME 2 CALL 10 JUMP_BACKWARD to 2 */
    static const char text[] = "1: RESUME; CALL; JUMP_BACKWARD 5; RETURN_VALUE";
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, text, NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_at(PT_C_CALL, 2), "L1 2");
    ran(&f, fl_jump(10, 2), "10");
    ran(&f, fl_at(PT_C_CALL, 2), "2");
    ran(&f, fl_jump(10, 2), "10");
    ran(&f, fl_end(PT_RETURN), "desync LOOP");
    flow_end(&f);
}

Test(replay_walk, desyncs)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    uint32_t other = flow_code(&f, handling, handlers);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_end(PT_RETURN), "desync BRANCH");
    cr_expect_eq(f.walked.desync.code, code);
    cr_expect_eq(f.walked.desync.kind, PT_RETURN);
    cr_expect_eq(f.walked.desync.target, UINT32_MAX);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(12, 20), "desync DESTINATION");
    ran(&f, fl_branch(12, 18), "lost"); /* and from here on it is known */
    ran(&f, fl_end(PT_RETURN), "L4 18 L5 20");
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(4, 18), "desync DESTINATION");
    ran(&f, fl_branch(1000, 18), "desync PLACE");
    ran(&f, fl_at(PT_C_CALL, 4), "lost");
    ran(&f, fl_branch(12, 18), "12");
    ran(&f, fl_at(PT_C_CALL, 4), "desync END");
    ran(&f, fl_at(PT_YIELD, 18), "desync PLACE");
    ran(&f, fl_call(other, -1), "");
    ran(&f, fl_at(PT_HANDLED, 12), "desync RAISE");
    ran(&f, fl_raise(14, 14, PT_RAISED), "L3 12 14");
    ran(&f, fl_at(PT_HANDLED, 12), "desync HANDLER");
    ran(&f, fl_end(PT_UNWIND), "desync RAISE");
    flow_end(&f);
}

/* A caller that cannot be where the event says may be a frame that was never
 * told of: the walk of the frame below goes on from where it was. */
Test(replay_walk, caller_elsewhere)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    uint32_t leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_at(PT_C_CALL, 4), "L2 2 4");
    ran(&f, fl_call(leaf, 0), "desync BRANCH");
    ran(&f, fl_end(PT_RETURN), "L9 2");
    ran(&f, fl_branch(12, 18), "12");
    flow_end(&f);
}

/* A frame that the log had to infer has no place until an event gives one. */
Test(replay_walk, implied_frames)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    struct pt_event implied = fl_call(code, -1), end = fl_end(PT_UNWIND);
    implied.has |= PT_HAS(ARG);
    implied.arg = PT_IMPLIED;
    end.has |= PT_HAS(ARG);
    end.arg = PT_IMPLIED;
    ran(&f, fl_call(code, -1), "");
    ran(&f, implied, "");
    ran(&f, fl_raise(0, 0, PT_RAISED), "lost");
    ran(&f, fl_end(PT_UNWIND), "");
    ran(&f, implied, "");
    ran(&f, fl_branch(12, 18), "lost");
    ran(&f, end, "");
    ran(&f, fl_branch(12, 18), "L2 2 4 12");
    flow_end(&f);
}

Test(replay_walk, keyframes)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    uint32_t other = flow_code(&f, handling, handlers);
    uint32_t gen = flow_code(&f, delegation, NULL);
    flow_ready(&f);
    struct pt_frame frames[] = {
        {.id = code, .off = 4, .at = PT_AT_INSIDE},
        {.id = 77, .callable = 1},
        {.id = gen, .off = 14, .dst = 12, .at = PT_AT_THROWN},
        {.id = other, .off = 2, .dst = 2, .at = PT_AT_RAISED},
        {.id = code, .off = 12, .dst = 18, .at = PT_AT_JUMPED},
        {.id = code, .off = UINT32_MAX, .at = PT_AT_UNKNOWN},
        {.id = code, .off = UINT32_MAX, .at = PT_AT_START},
    };
    cr_expect_str_eq(flow_sync(&f, frames, 7), "");
    ran(&f, fl_branch(12, 18), "L2 2 4 12");
    ran(&f, fl_end(PT_RETURN), "L4 18 L5 20");
    ran(&f, fl_end(PT_RETURN), "lost");
    ran(&f, fl_end(PT_RETURN), "L4 18 L5 20");
    /* the same frames as the walk has them; then one elsewhere */
    cr_expect_str_eq(flow_sync(&f, frames, 4), "");
    ran(&f, fl_at(PT_HANDLED, 12), "");
    ran(&f, fl_raise(22, 2, PT_RERAISED), "L3 12 14 22");
    ran(&f, fl_at(PT_HANDLED, 24), "");
    cr_expect_str_eq(flow_sync(&f, frames, 4), "desync KEYFRAME");
    ran(&f, fl_at(PT_HANDLED, 12), "");
    ran(&f, fl_raise(22, 2, PT_RERAISED), "L3 12 14 22");
    ran(&f, fl_end(PT_UNWIND), "desync HANDLER");
    ran(&f, fl_raise(12, 14, PT_RAISED), "");
    ran(&f, fl_end(PT_UNWIND), "");
    ran(&f, fl_branch(12, 18), "12");
    /* where events were lost, nothing is compared */
    ran(&f, ev_gap(1, 3), "");
    ran(&f, fl_end(PT_RETURN), "lost");
    frames[0].off = 18;
    cr_expect_str_eq(flow_sync(&f, frames, 1), "");
    ran(&f, fl_end(PT_RETURN), "L5 20");
    flow_end(&f);
}

/* 3.11 also tells the line at each jump back, and nothing of an instruction
 * that an EXTENDED_ARG extends. */
Test(replay_walk, lines_of_3_11)
{
    /* 0 RESUME 2 LOAD 4 POP_JUMP_BACKWARD_IF_TRUE to 2 6 EXTENDED_ARG
     * 8 LOAD 10 RETURN_VALUE */
    struct flow f;
    flow_begin(&f, PY_3_11);
    uint32_t code =
        flow_code(&f,
                  "1: RESUME; LOAD; POP_JUMP_BACKWARD_IF_TRUE 2; EXTENDED_ARG;"
                  "2: LOAD; RETURN_VALUE",
                  NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(4, 2), "L1 2 4");
    ran(&f, fl_branch(4, 6), "L1 2 4");
    ran(&f, fl_end(PT_RETURN), "6 10");
    flow_end(&f);
}
