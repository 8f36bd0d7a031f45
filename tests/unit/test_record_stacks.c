/* Greenlets: the stacks of a thread, each with events of its own. */
#include "record/stacks.h"
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const unsigned DT = 1 << PT_WORD_KIND_BITS;

/* The kinds of one thread of the log, in order. */
static size_t
kinds_of(struct fake *f, uint32_t thread, uint8_t *out, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(f->trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(f->trace, i);
        struct pt_events e;
        if (info->type != PT_CHUNK_EVENTS || info->thread != thread)
            continue;
        cr_assert_eq(pt_decoder_events(f->decoder, i, &e), PT_OK);
        for (uint32_t k = 0; k < info->events && n < most; k++)
            out[n++] = e.events[k].kind;
    }
    return n;
}

static void
expect(struct fake *f, uint32_t thread, const uint8_t *kinds, size_t n)
{
    uint8_t got[64];
    cr_assert_eq(kinds_of(f, thread, got, sizeof got), n, "thread %u", thread);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(got[i], kinds[i], "thread %u, event %zu", thread, i);
}
#define EXPECT(f, thread, ...)                                                 \
    expect(f, thread, (const uint8_t[]){__VA_ARGS__},                          \
           sizeof((const uint8_t[]){__VA_ARGS__}))

/* Frames of both stacks are open at once; each end finds its own. */
Test(record_stacks, switches)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_C_CALL, 1);
    FAKE_PUT(&l, PT_W_SWITCH | 10 * DT, 1, 77);
    FAKE_PUT(&l, PT_W_CALL | DT, 2);
    FAKE_PUT(&l, PT_W_SWITCH | 10 * DT, 0, 0);
    fake_drain(&f);
    FAKE_PUT(&l, PT_W_C_RETURN);
    FAKE_PUT(&l, PT_W_SWITCH | DT, 1, 77);
    FAKE_PUT(&l, PT_W_RETURN, 2);
    FAKE_PUT(&l, PT_W_SWITCH, 0, 0);
    FAKE_PUT(&l, PT_W_SWITCH, 0, 0); /* nothing changes */
    FAKE_PUT(&l, PT_W_RETURN, 1);
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);

    cr_assert_eq(pt_trace_thread_count(f.trace), 2);
    cr_assert_eq(pt_trace_thread(f.trace, 1)->carrier, 0);
    cr_assert_eq(pt_trace_thread(f.trace, 2)->carrier, 1);
    cr_assert_eq(pt_trace_thread(f.trace, 2)->tid, 5);
    EXPECT(&f, 1, PT_THREAD, PT_CALL, PT_C_CALL, PT_SWITCH, PT_SWITCH,
           PT_C_RETURN, PT_SWITCH, PT_SWITCH, PT_RETURN, PT_THREAD);
    EXPECT(&f, 2, PT_THREAD, PT_SWITCH, PT_CALL, PT_SWITCH, PT_SWITCH,
           PT_RETURN, PT_SWITCH, PT_THREAD);
    fake_clear(&f);
}

/* Who leaves, who goes on, and that the one is before the other. */
Test(record_stacks, numbers_and_times)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_SWITCH | 10 * DT, 1, 77);
    FAKE_PUT(&l, PT_W_CALL | 3 * DT, 2);
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);
    size_t n;
    struct pt_event *e = fake_events(&f, 5, &n);
    const struct pt_event *left = NULL, *entered = NULL, *call = NULL;
    for (size_t i = 0; i < n; i++) {
        if (e[i].kind == PT_SWITCH && e[i].has & PT_HAS(DST))
            entered = &e[i];
        else if (e[i].kind == PT_SWITCH)
            left = &e[i];
        else if (e[i].kind == PT_CALL)
            call = &e[i];
    }
    cr_assert(left && entered && call);
    cr_assert_eq(left->arg, 77);
    cr_assert_eq(entered->arg, 77);
    cr_assert_eq(entered->dst, 0);
    cr_assert_lt(left->time, entered->time);
    cr_assert_lt(entered->time, call->time);
    free(e);
    fake_clear(&f);
}

/* A stack serves one greenlet after the other; what one has left open has
 * ended when the next begins. */
Test(record_stacks, stack_is_used_again)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_SWITCH, 1, 1);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_RETURN, 1);
    FAKE_PUT(&l, PT_W_SWITCH, 0, 0);
    FAKE_PUT(&l, PT_W_SWITCH, 1, 2);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_C_CALL, 1);
    FAKE_PUT(&l, PT_W_SWITCH, 0, 0);
    FAKE_PUT(&l, PT_W_SWITCH, 1, 3);
    FAKE_PUT(&l, PT_W_SWITCH, 0, 0);
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);
    cr_assert_eq(pt_trace_thread_count(f.trace), 2);
    EXPECT(&f, 2, PT_THREAD, PT_SWITCH, PT_CALL, PT_RETURN, PT_SWITCH,
           PT_SWITCH, PT_CALL, PT_C_CALL, PT_SWITCH, PT_UNWIND, PT_SWITCH,
           PT_SWITCH, PT_THREAD);
    fake_clear(&f);
}

/* A gap says on which stack it goes on, and that one is told. */
Test(record_stacks, gap)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_GAP, 3, 0, 2, 9);
    FAKE_PUT(&l, PT_W_FRAME, 3, 0, 0, 44);
    FAKE_PUT(&l, PT_W_RETURN, 3);
    FAKE_PUT(&l, PT_W_SWITCH, 0, 0);
    FAKE_PUT(&l, PT_W_RETURN, 1);
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);
    EXPECT(&f, 1, PT_THREAD, PT_CALL, PT_SWITCH, PT_RETURN, PT_THREAD);
    EXPECT(&f, 2, PT_THREAD, PT_GAP, PT_RETURN, PT_SWITCH, PT_THREAD);
    fake_clear(&f);
}

/* More stacks than have a block: all of their events are there. */
Test(record_stacks, many, .timeout = 60)
{
    enum { MANY = PT_STACKS_WITH_BLOCK + 500, ROUNDS = 3 };
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    l.wait = true;
    fake_begin(&l, 5);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 1; i <= MANY; i++) {
            FAKE_PUT(&l, PT_W_SWITCH, i, i);
            FAKE_PUT(&l, PT_W_CALL, 1 + round);
            if (i % 200 == 0)
                fake_drain(&f);
        }
    }
    for (uint32_t i = 1; i <= MANY; i++) {
        FAKE_PUT(&l, PT_W_SWITCH, i, i);
        for (unsigned round = ROUNDS; round-- > 0;)
            FAKE_PUT(&l, PT_W_RETURN, 1 + round);
        if (i % 200 == 0)
            fake_drain(&f);
    }
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);
    cr_assert_eq(pt_trace_thread_count(f.trace), MANY + 1);
    cr_assert_eq(fake_count(&f, PT_CALL), (size_t)ROUNDS * MANY);
    cr_assert_eq(fake_count(&f, PT_RETURN), (size_t)ROUNDS * MANY);
    cr_assert_eq(fake_count(&f, PT_UNWIND), 0);
    cr_assert_eq(f.journal.live, 0);
    fake_clear(&f);
}

/* A number that no recorder gives ends the process's recording. */
Test(record_stacks, broken)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_SWITCH, 1, 1);
    FAKE_PUT(&l, PT_W_SWITCH, PT_STACKS_LIMIT, 1);
    fake_drain(&f);
    cr_assert(f.t->stopped);
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_GAP), 1);
    fake_clear(&f);
}
