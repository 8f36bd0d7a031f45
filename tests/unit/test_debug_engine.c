/* The debugger's engine on traces made at random, sound and damaged: each
 * motion has its reverse, and none leaves the trace. */
#include "tests/unit/test_replay_history.h"

#include "analyze/debug/engine.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { TURNS = 300, MOTIONS = 12 };

static struct pt_place
place_of(struct pt_engine *e)
{
    struct pt_place p;
    cr_assert_eq(pt_engine_place(e, &p), PT_OK);
    return p;
}

static bool
is_same(const struct pt_place *a, const struct pt_place *b)
{
    return a->thread == b->thread && a->seq == b->seq && a->k == b->k &&
           a->event.kind == b->event.kind && a->depth == b->depth;
}

/* -1, 0 or 1, within a thread. */
static int
order(const struct pt_place *a, const struct pt_place *b)
{
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->k != b->k ? (a->k < b->k ? -1 : 1) : 0;
}

/* So many steps one way and as many back lead to where they began, if they
 * begin at a step and the thread has as many. */
static void
expect_inverse(struct pt_engine *e, enum pt_motion motion, uint64_t n)
{
    struct pt_halt halt;
    cr_assert_eq(pt_engine_move(e, motion, false, 1, &halt), PT_OK);
    if (halt.reason != PT_HALT_MOVED)
        return;
    struct pt_place start = place_of(e);
    for (unsigned reverse = 0; reverse < 2; reverse++) {
        cr_assert_eq(pt_engine_move(e, motion, reverse, n, &halt), PT_OK);
        if (halt.reason != PT_HALT_MOVED)
            continue;
        cr_assert_eq(pt_engine_move(e, motion, !reverse, n, &halt), PT_OK);
        struct pt_place back = place_of(e);
        cr_expect(is_same(&start, &back),
                  "motion %u from %lu+%lu came back to %lu+%lu", motion,
                  (unsigned long)start.seq, (unsigned long)start.k,
                  (unsigned long)back.seq, (unsigned long)back.k);
        cr_assert_eq(pt_engine_goto(e, start.seq, start.k), PT_OK);
    }
}

/* A motion stays in its thread and goes its way, or not at all. */
static void
expect_onward(struct pt_engine *e, enum pt_motion motion, bool reverse)
{
    struct pt_halt halt;
    struct pt_place before = place_of(e);
    enum pt_status st = pt_engine_move(e, motion, reverse, 1, &halt);
    struct pt_place after = place_of(e);
    cr_assert_eq(after.thread, before.thread);
    if (st == PT_EUSAGE) {
        cr_expect(is_same(&before, &after));
        return;
    }
    cr_assert(st == PT_OK || st == PT_EDAMAGED || st == PT_ENOTFOUND,
              "motion %u: %s", motion, pt_status_name(st));
    if (st == PT_OK && halt.reason == PT_HALT_MOVED)
        cr_expect_eq(order(&before, &after), reverse ? 1 : -1,
                     "motion %u (%u) from %lu+%lu to %lu+%lu", motion, reverse,
                     (unsigned long)before.seq, (unsigned long)before.k,
                     (unsigned long)after.seq, (unsigned long)after.k);
}

static void
expect_engine(const struct pt_trace *trace, const char *where)
{
    struct items all = items_of_cursor(trace, 0, NULL);
    struct pt_engine *e;
    uint64_t seed = 7;
    cr_assert_eq(pt_engine_new(trace, NULL, &e), PT_OK, "%s", where);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        const struct item *i = &all.all[dice(&seed, (uint32_t)all.n)];
        if (pt_engine_goto(e, i->seq, i->k) != PT_OK)
            continue;
        if (turn % 3 == 0) {
            expect_inverse(e, PT_MOVE_STEP, 1 + dice(&seed, 5));
            expect_inverse(e, PT_MOVE_STEPI, 1 + dice(&seed, 5));
            continue;
        }
        for (unsigned m = 0; m < MOTIONS; m++)
            expect_onward(e, (enum pt_motion)dice(&seed, PT_MOVE_CONTINUE),
                          dice(&seed, 2));
    }
    pt_engine_free(e);
    free(all.all);
}

Test(debug_engine, sound_traces)
{
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        struct flow f;
        make_flow(&f, threads, 150, 0);
        expect_engine(f.trace, "sound");
        flow_end(&f);
    }
}

Test(debug_engine, where_events_are_missing)
{
    for (uint32_t damage = 2; damage <= 10; damage += 4) {
        struct flow f;
        make_flow(&f, 2, 150, damage);
        expect_engine(f.trace, "damaged");
        flow_end(&f);
    }
}
