/* The collector on a fake producer that keeps the protocol: records, times,
 * rings. */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const unsigned DT = 1 << PT_WORD_KIND_BITS;

Test(record_drain, every_kind)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 77);
    FAKE_PUT(&l, PT_W_CALL | 1 * DT, 1);
    FAKE_PUT(&l, PT_W_LINE | 2 * DT, 12);
    FAKE_PUT(&l, PT_W_INSTRUCTION | 3 * DT, 4);
    FAKE_PUT(&l, PT_W_BRANCH, 6, 20);
    FAKE_PUT(&l, PT_W_JUMP, 8, 2);
    FAKE_PUT(&l, PT_W_EXCEPTION, 10 << 2 | PT_RERAISED, 2);
    FAKE_PUT(&l, PT_W_HANDLED, 12);
    FAKE_PUT(&l, PT_W_C_CALL, 3);
    FAKE_PUT(&l, PT_W_C_RETURN);
    FAKE_PUT(&l, PT_W_C_CALL, 4);
    FAKE_PUT(&l, PT_W_C_EXCEPTION);
    FAKE_PUT(&l, PT_W_CALL_KEY, 2, 5, 6);
    FAKE_PUT(&l, PT_W_YIELD, 2);
    FAKE_PUT(&l, PT_W_RESUME, 2, 5, 6);
    FAKE_PUT(&l, PT_W_YIELD, 2);
    FAKE_PUT(&l, PT_W_THROW, 2, 5, 6);
    FAKE_PUT(&l, PT_W_UNWIND, 2);
    FAKE_PUT(&l, PT_W_RETURN | 9 * DT, 1);
    fake_end(&l);
    cr_assert(fake_drain(&f));
    cr_assert(!fake_drain(&f));
    fake_close(&f);

    size_t n;
    struct pt_event *e = fake_events(&f, 77, &n);
    static const uint8_t kinds[] = {
        PT_THREAD, PT_CALL,        PT_LINE,    PT_INSTRUCTION, PT_BRANCH,
        PT_JUMP,   PT_EXCEPTION,   PT_HANDLED, PT_C_CALL,      PT_C_RETURN,
        PT_C_CALL, PT_C_EXCEPTION, PT_CALL,    PT_YIELD,       PT_RESUME,
        PT_YIELD,  PT_THROW,       PT_UNWIND,  PT_RETURN,      PT_THREAD};
    cr_assert_eq(n, sizeof kinds);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(e[i].kind, kinds[i], "event %zu", i);
        cr_assert(e[i].has & PT_HAS(TIME));
    }
    cr_assert_eq(e[0].arg, 1);
    cr_assert(fake_is(pt_trace_code(f.trace, e[1].id)->name, "f1"));
    cr_assert_eq(e[2].pos, 12);
    cr_assert_eq(e[3].pos, 4);
    cr_assert(e[4].pos == 6 && e[4].dst == 20);
    cr_assert(e[5].pos == 8 && e[5].dst == 2);
    cr_assert(e[6].pos == 10 && e[6].arg == PT_RERAISED);
    cr_assert(fake_is(pt_trace_type(f.trace, e[6].id)->name, "KeyError"));
    cr_assert_eq(e[12].arg, UINT64_C(0x600000005));
    cr_assert_eq(e[16].arg, UINT64_C(0x600000005));
    int64_t quantum = pt_timebase_ns(&f.clock, 1000);
    cr_assert_leq(llabs((e[2].time - e[1].time) * 1000 - 2 * quantum), 2000);
    cr_assert_eq(e[n - 1].arg, 0);
    const struct pt_process_end *end = pt_trace_process_end(f.trace, 1);
    cr_assert(end->ending == PT_ENDED_EXIT && end->value == 3);
    free(e);
    fake_clear(&f);
}

Test(record_drain, only_calls_stamped)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 1u << PT_CALL);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 1);
    for (int i = 0; i < 1000; i++) {
        FAKE_PUT(&l, PT_W_CALL | 1 * DT, 1);
        FAKE_PUT(&l, PT_W_LINE, (uint32_t)i);
        FAKE_PUT(&l, PT_W_RETURN, 1);
    }
    fake_drain(&f);
    fake_close(&f);
    size_t n;
    struct pt_event *e = fake_events(&f, 1, &n);
    cr_assert_eq(n, 3002);
    cr_assert(e[1].has & PT_HAS(TIME));
    cr_assert(!(e[2].has & PT_HAS(TIME)));
    cr_assert_eq(e[2].time, e[1].time);
    free(e);
    fake_clear(&f);
}

/* Records of 4 bytes fill segments to the last byte, lap after lap. */
Test(record_drain, exactly_full_segments)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, PT_RINGS_MEDIUM);
    fake_begin(&l, 5);
    uint32_t segment = l.size / PT_SEGMENTS;
    uint64_t n = 0;
    for (int lap = 0; lap < 13; lap++) {
        do {
            FAKE_PUT(&l, PT_W_C_RETURN | 1 * DT);
            n++;
            /* often enough to meet each position near the end */
            if (segment - l.off % segment < 64)
                fake_drain(&f);
        } while (l.off % segment != 0);
        fake_drain(&f);
        cr_assert_eq(atomic_load(&pt_arena_slot(&f.t->map, l.slot)->tail),
                     l.off);
    }
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_C_RETURN), n);
    fake_clear(&f);
}

Test(record_drain, long_pause)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    uint64_t later = fake_now(&f) + (UINT64_C(1) << 33);
    FAKE_PUT(&l, PT_W_TIME, (uint32_t)later, (uint32_t)(later >> 32));
    FAKE_PUT(&l, PT_W_CALL, 1);
    fake_drain(&f);
    fake_close(&f);
    size_t n;
    struct pt_event *e = fake_events(&f, 5, &n);
    int64_t pause = pt_timebase_ns(&f.clock, UINT64_C(1) << 33);
    cr_assert_geq(e[1].time - e[0].time, pause);
    cr_assert_leq(e[1].time - e[0].time, pause + 1000000000);
    free(e);
    fake_clear(&f);
}
