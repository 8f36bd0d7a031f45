/* Values as points of proof: what must have run before one was looked at. */
#include "tests/unit/test_replay_flow.h"

#include <criterion/criterion.h>

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

static struct pt_event
value(uint32_t off)
{
    return fl_at(PT_VALUE, off);
}

Test(replay_values, between_events)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    ran(&f, value(0), "");
    ran(&f, value(2), "");
    ran(&f, value(2), "");
    ran(&f, fl_at(PT_C_CALL, 4), "L2 2 4");
    ran(&f, value(4), "");
    ran(&f, fl_end(PT_C_RETURN), "");
    ran(&f, value(12), "");
    ran(&f, fl_branch(12, 14), "12");
    ran(&f, value(14), "");
    ran(&f, value(20), "L3 14 16");
    ran(&f, fl_end(PT_RETURN), "L5 20");
    flow_end(&f);
}

/* Nothing is guessed: a value behind a branch of which nothing was told is a
 * desync, and the frame stays where it was. */
Test(replay_values, misfits)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    ran(&f, fl_call(code, -1), "");
    flow_step(&f, value(18));
    cr_expect(f.walked.desynced && f.walked.desync.reason == PT_DESYNC_BRANCH);
    flow_step(&f, value(1000));
    cr_expect(f.walked.desynced && f.walked.desync.reason == PT_DESYNC_PLACE);
    ran(&f, fl_branch(12, 14), "L2 2 4 12");
    flow_end(&f);
}

/* A chunk that begins behind a value tells nothing twice, and the same lines.
 */
Test(replay_values, keyframes)
{
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f, conditional, NULL);
    flow_ready(&f);
    struct pt_frame frame = {.id = code,
                             .seq = 1,
                             .off = 12,
                             .at = PT_AT_JUMPED,
                             .dst = 14,
                             .next = 20,
                             .time = INT64_MIN};
    cr_expect_str_eq(flow_sync(&f, &frame, 1), "");
    ran(&f, fl_end(PT_RETURN), "L5 20");
    pt_walk_lose(f.walk);
    frame.next = 16;
    cr_expect_str_eq(flow_sync(&f, &frame, 1), "");
    ran(&f, fl_end(PT_RETURN), "16 L5 20");
    /* as the walk itself has it */
    ran(&f, fl_call(code, -1), "");
    ran(&f, fl_branch(12, 14), "L2 2 4 12");
    ran(&f, value(16), "L3 14");
    cr_expect_str_eq(flow_sync(&f, &frame, 1), "");
    ran(&f, fl_end(PT_RETURN), "16 L5 20");
    flow_end(&f);
}
