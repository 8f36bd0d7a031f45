/* The collector on records that say where they happened: their events, and the
 * places that a keyframe gives the frames on the stack. */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint32_t
near(uint32_t off, uint32_t dst)
{
    return PT_W_BRANCH_NEAR | (off / 2 | dst / 2 << PT_NEAR_BITS)
                                  << PT_WORD_KIND_BITS;
}

static void
open_thread(struct fake *f, struct fake_lane *l)
{
    fake_open_flow(f);
    fake_claim(l, f, 0);
    fake_begin(l, 77);
}

static struct pt_event *
events_of(struct fake *f, struct fake_lane *l, size_t *n)
{
    fake_end(l);
    cr_assert(fake_drain(f));
    fake_close(f);
    return fake_events(f, 77, n);
}

Test(record_flow, every_record)
{
    static const uint8_t kinds[] = {
        PT_THREAD, PT_CALL,    PT_BRANCH, PT_BRANCH, PT_BRANCH, PT_C_CALL,
        PT_CALL,   PT_YIELD,   PT_RESUME, PT_YIELD,  PT_THROW,  PT_EXCEPTION,
        PT_UNWIND, PT_HANDLED, PT_RETURN, PT_THREAD};
    struct fake f;
    struct fake_lane l;
    size_t n;
    open_thread(&f, &l);
    FAKE_PUT(&l, PT_W_CALL_AT, 1, PT_NOWHERE);
    FAKE_PUT(&l, near(6, 16382));
    FAKE_PUT(&l, PT_W_BRANCH, 20000, 6);
    FAKE_PUT(&l, PT_W_BRANCH_TIMED, 8, 30);
    FAKE_PUT(&l, PT_W_C_CALL_AT, 3, 32);
    FAKE_PUT(&l, PT_W_CALL_KEY_AT, 2, 5, 6, 32);
    FAKE_PUT(&l, PT_W_YIELD_AT, 2, 40);
    FAKE_PUT(&l, PT_W_RESUME_AT, 2, 5, 6, 34, 42);
    FAKE_PUT(&l, PT_W_YIELD_AT, 2, 44);
    FAKE_PUT(&l, PT_W_THROW_AT, 2, 5, 6, 36, 44);
    FAKE_PUT(&l, PT_W_EXCEPTION_AT, 2, 44 << 2 | PT_RAISED, 2, 46);
    FAKE_PUT(&l, PT_W_UNWIND, 2);
    FAKE_PUT(&l, PT_W_HANDLED, 50);
    FAKE_PUT(&l, PT_W_RETURN, 1);
    struct pt_event *e = events_of(&f, &l, &n);
    cr_assert_eq(n, sizeof kinds);
    for (size_t i = 0; i < n; i++)
        cr_expect_eq(e[i].kind, kinds[i], "event %zu", i);
    cr_expect(!(e[1].has & PT_HAS(OFF)));
    cr_expect(e[2].pos == 6 && e[2].dst == 16382);
    cr_expect(!(e[2].has & PT_HAS(TIME)));
    cr_expect(e[3].pos == 20000 && e[3].dst == 6);
    cr_expect(e[4].pos == 8 && e[4].dst == 30 && e[4].has & PT_HAS(TIME));
    cr_expect_eq(e[5].pos, 32);
    cr_expect(e[6].pos == 32 && e[6].arg == UINT64_C(0x600000005));
    cr_expect_eq(e[7].pos, 40);
    cr_expect(e[8].pos == 34 && e[8].dst == 42);
    cr_expect(e[10].pos == 36 && e[10].dst == 44);
    cr_expect(e[11].pos == 44 && e[11].dst == 46 && e[11].arg == PT_RAISED);
    cr_expect_eq(e[13].pos, 50);
    free(e);
    fake_clear(&f);
}

/* Writes what has come as one chunk; the next one's keyframe shows the stack.
 */
static struct pt_frame
top_after(void (*put)(struct fake_lane *), size_t *depth)
{
    struct fake f;
    struct fake_lane l;
    struct pt_events events = {0};
    struct pt_frame top = {0};
    open_thread(&f, &l);
    FAKE_PUT(&l, PT_W_CALL_AT, 1, PT_NOWHERE);
    put(&l);
    cr_assert(fake_drain(&f));
    /* with nothing in between, the first flush looks and the second writes */
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pt_tracee_flush(f.t, &f.journal), PT_OK);
    FAKE_PUT(&l, PT_W_C_RETURN);
    fake_end(&l);
    cr_assert(fake_drain(&f));
    fake_close(&f);
    for (size_t i = 0; i < pt_trace_chunk_count(f.trace); i++)
        if (pt_trace_chunk(f.trace, i)->type == PT_CHUNK_EVENTS)
            cr_assert_eq(pt_decoder_events(f.decoder, i, &events), PT_OK);
    cr_assert(events.depth > 0);
    *depth = events.depth;
    top = events.stack[events.depth - 1];
    if (events.depth > 1)
        top.line = events.stack[events.depth - 2].at << 16 |
                   events.stack[events.depth - 2].off;
    fake_clear(&f);
    return top;
}

static void
put_nothing(struct fake_lane *l)
{
}

static void
put_branch(struct fake_lane *l)
{
    FAKE_PUT(l, near(6, 20));
}

static void
put_call(struct fake_lane *l)
{
    FAKE_PUT(l, PT_W_CALL_AT, 2, 14);
}

static void
put_raise(struct fake_lane *l)
{
    FAKE_PUT(l, PT_W_EXCEPTION_AT, 1, 8 << 2 | PT_RAISED, 2, 10);
}

static void
put_finalizer(struct fake_lane *l)
{
    put_raise(l);
    FAKE_PUT(l, PT_W_CALL_AT, 2, 10);
}

static void
put_handled(struct fake_lane *l)
{
    put_raise(l);
    FAKE_PUT(l, PT_W_HANDLED, 30);
}

static void
put_resume(struct fake_lane *l)
{
    FAKE_PUT(l, PT_W_RESUME_AT, 2, 5, 0, 12, 40);
}

static void
put_throw(struct fake_lane *l)
{
    FAKE_PUT(l, PT_W_THROW_AT, 2, 5, 0, 12, 40);
}

Test(record_flow, where_frames_stand)
{
    static const struct {
        void (*put)(struct fake_lane *);
        enum pt_at at;
        uint32_t off, dst;
        enum pt_at below;
        uint32_t below_off;
    } cases[] = {
        {put_nothing, PT_AT_START, UINT32_MAX, 0, 0, 0},
        {put_branch, PT_AT_JUMPED, 6, 20, 0, 0},
        {put_call, PT_AT_START, UINT32_MAX, 0, PT_AT_INSIDE, 14},
        {put_raise, PT_AT_RAISED, 10, 8, 0, 0},
        {put_finalizer, PT_AT_START, UINT32_MAX, 0, PT_AT_RAISED, 10},
        {put_handled, PT_AT_JUMPED, 10, 30, 0, 0},
        {put_resume, PT_AT_JUMPED, 40, 40, PT_AT_INSIDE, 12},
        {put_throw, PT_AT_THROWN, 40, 40, PT_AT_INSIDE, 12},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t depth;
        struct pt_frame top = top_after(cases[i].put, &depth);
        cr_expect_eq(top.at, cases[i].at, "case %zu", i);
        cr_expect_eq(top.off, cases[i].off, "case %zu", i);
        cr_expect_eq(top.dst, cases[i].dst, "case %zu", i);
        cr_expect_eq(depth, cases[i].below ? 2 : 1, "case %zu", i);
        if (cases[i].below)
            cr_expect_eq(top.line, cases[i].below << 16 | cases[i].below_off,
                         "case %zu", i);
    }
}

/* An exception in a frame that was never announced. */
Test(record_flow, exception_elsewhere)
{
    struct fake f;
    struct fake_lane l;
    size_t n;
    open_thread(&f, &l);
    FAKE_PUT(&l, PT_W_CALL_AT, 1, PT_NOWHERE);
    FAKE_PUT(&l, PT_W_EXCEPTION_AT, 2, 44 << 2 | PT_RAISED, 2, 46);
    FAKE_PUT(&l, PT_W_UNWIND, 2);
    FAKE_PUT(&l, PT_W_RETURN, 1);
    struct pt_event *e = events_of(&f, &l, &n);
    cr_assert_eq(n, 7);
    cr_expect(e[2].kind == PT_CALL && e[2].arg == PT_IMPLIED);
    cr_expect(e[3].kind == PT_EXCEPTION && e[3].pos == 44 && e[3].dst == 46);
    cr_expect(e[4].kind == PT_UNWIND && e[5].kind == PT_RETURN);
    free(e);
    fake_clear(&f);
}

/* Frames that are told after a gap: what is under way, and what comes next in
 * one that a debugger has moved. */
Test(record_flow, told_frames)
{
    struct fake f;
    struct fake_lane l;
    struct pt_events ev;
    size_t last = 0;
    open_thread(&f, &l);
    FAKE_PUT(&l, PT_W_GAP, 1, 0, 0, 0);
    FAKE_PUT(&l, PT_W_FRAME | 1 << PT_WORD_KIND_BITS, 1, 0, 0, 14);
    FAKE_PUT(&l, PT_W_FRAME, 2, 0, 0, 30 | PT_FRAME_NEXT);
    FAKE_PUT(&l, PT_W_RETURN, 2);
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);
    for (size_t i = 0; i < pt_trace_chunk_count(f.trace); i++)
        if (pt_trace_chunk(f.trace, i)->type == PT_CHUNK_EVENTS)
            last = i;
    cr_assert_eq(pt_decoder_events(f.decoder, last, &ev), PT_OK);
    cr_assert_eq(ev.depth, 2);
    cr_expect(ev.stack[0].at == PT_AT_INSIDE && ev.stack[0].off == 14);
    cr_expect(ev.stack[1].at == PT_AT_JUMPED && ev.stack[1].dst == 30);
    cr_expect_eq(ev.stack[1].off, UINT32_MAX);
    fake_clear(&f);
}

/* Records with places are of flow alone. */
Test(record_flow, not_without_flow)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 77);
    FAKE_PUT(&l, PT_W_CALL_AT, 1, PT_NOWHERE);
    fake_drain(&f);
    cr_expect(f.t->stopped);
    fake_close(&f);
    fake_clear(&f);
}
