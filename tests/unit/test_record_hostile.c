/* The collector on producers that break the protocol: their own recording
 * ends with a gap, everything else goes on, nothing is read or written out of
 * bounds (run these with SAN=address,undefined). */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A process with one thread and one call, whose producer `breaks` then does
 * something wrong. */
static void
expect_stop(void (*breaks)(struct fake_lane *))
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    fake_drain(&f);
    breaks(&l);
    fake_drain(&f);
    cr_assert(f.t->stopped);
    cr_assert_eq(atomic_load(&f.t->map.arena->stop), PT_STOP_PROTOCOL);
    cr_assert_eq(f.notes.count, 1);
    cr_assert_eq(f.journal.gaps, 1);

    /* what it still publishes is thrown away, and space is given back */
    uint64_t head = l.off + 64;
    fake_publish(&l, head);
    fake_drain(&f);
    cr_assert_eq(atomic_load(&pt_arena_slot(&f.t->map, 0)->tail), head);

    /* another process is not touched by it */
    struct pt_tracee *bad = f.t;
    fake_process(&f, FAKE_MAIN + 1);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 6);
    FAKE_PUT(&l, PT_W_CALL, 1);
    fake_end(&l);
    fake_drain(&f);
    cr_assert(!f.t->stopped);
    enum pt_ending ending = PT_ENDED_EXIT;
    cr_assert_eq(pt_tracee_finish(bad, &f.journal, &ending, 0), PT_OK);
    pt_tracee_free(bad, &f.journal);
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_CALL), 2);
    cr_assert_eq(fake_count(&f, PT_GAP), 1);
    size_t n;
    struct pt_event *e = fake_events(&f, 6, &n);
    cr_assert_eq(n, 3);
    free(e);
    fake_clear(&f);
}

#define BREAKS(name, ...)                                                      \
    static void break_##name(struct fake_lane *l)                              \
    {                                                                          \
        __VA_ARGS__;                                                           \
    }                                                                          \
    Test(record_hostile, name)                                                 \
    {                                                                          \
        expect_stop(break_##name);                                             \
    }

BREAKS(unknown_record, FAKE_PUT(l, PT_W_LIMIT))
BREAKS(unknown_record_63, FAKE_PUT(l, 63))
BREAKS(undefined_code, FAKE_PUT(l, PT_W_CALL, FAKE_CODES + 1))
BREAKS(undefined_code_0, FAKE_PUT(l, PT_W_CALL, 0))
BREAKS(undefined_code_huge, FAKE_PUT(l, PT_W_CALL_KEY, UINT32_MAX, 0, 0))
BREAKS(undefined_resume, FAKE_PUT(l, PT_W_RESUME, 255, 0, 0))
BREAKS(undefined_callable, FAKE_PUT(l, PT_W_C_CALL, FAKE_CALLABLES + 1))
BREAKS(undefined_type, FAKE_PUT(l, PT_W_EXCEPTION, 0, FAKE_TYPES + 1))
BREAKS(undefined_frame, FAKE_PUT(l, PT_W_FRAME, 99, 0, 0, 0))
BREAKS(undefined_frame_c, FAKE_PUT(l, PT_W_FRAME_C, 99))
BREAKS(c_call_in_a_c_call, FAKE_PUT(l, PT_W_FRAME_C, 1);
       FAKE_PUT(l, PT_W_FRAME_C, 1))
BREAKS(time_before_the_recording, FAKE_PUT(l, PT_W_TIME, 1, 0))
BREAKS(time_far_away, FAKE_PUT(l, PT_W_TIME, 0, UINT32_MAX))
BREAKS(begin_far_away, FAKE_PUT(l, PT_W_BEGIN, 5, 0, UINT32_MAX))
BREAKS(event_outside_a_thread, FAKE_PUT(l, PT_W_END); FAKE_PUT(l, PT_W_CALL, 1))
BREAKS(return_outside_a_thread, FAKE_PUT(l, PT_W_END);
       FAKE_PUT(l, PT_W_RETURN, 1))
BREAKS(undefined_return, FAKE_PUT(l, PT_W_RETURN, 99))
BREAKS(undefined_unwind, FAKE_PUT(l, PT_W_UNWIND, 0))
BREAKS(end_twice, FAKE_PUT(l, PT_W_END); FAKE_PUT(l, PT_W_END))
BREAKS(head_goes_back, fake_publish(l, l->off - 4))
BREAKS(head_too_far, fake_publish(l, l->off + l->size + 4))
BREAKS(head_wraps, fake_publish(l, UINT64_MAX - 3))
BREAKS(head_unaligned, fake_publish(l, l->off + 2))
BREAKS(torn_record, l->ring[l->off / 4] = PT_W_CALL;
       fake_publish(l, l->off + 4))
BREAKS(padding_alone, l->ring[l->off / 4] = PT_W_PAD;
       fake_publish(l, l->off + 4))
BREAKS(too_many_slots,
       atomic_store(&l->f->t->map.arena->slots_used, PT_SLOTS + 1))
BREAKS(defs_head_goes_back, atomic_store(&l->f->t->map.arena->defs_head, 1))
BREAKS(defs_head_too_far,
       atomic_store(&l->f->t->map.arena->defs_head, UINT64_MAX / 2))

/* A record across a segment's end: the producer forgot to pad. */
static void
break_segment(struct fake_lane *l)
{
    uint32_t segment = l->size / PT_SEGMENTS;
    while (l->off + 4 < segment)
        FAKE_PUT(l, PT_W_C_RETURN);
    l->ring[l->off / 4] = PT_W_CALL;
    l->ring[l->off / 4 + 1] = 1;
    fake_publish(l, l->off + 8);
}
Test(record_hostile, across_a_segment)
{
    expect_stop(break_segment);
}

static void
define(struct fake_lane *l, const uint32_t *words, size_t n)
{
    fake_defs_put(l->f, words, n * sizeof *words);
}
#define DEFINE(l, ...)                                                         \
    define(l, (const uint32_t[]){__VA_ARGS__},                                 \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

BREAKS(definition_too_short, DEFINE(l, 8, PT_M_TYPE))
BREAKS(definition_too_long, DEFINE(l, PT_DEF_LIMIT + 1, PT_M_TYPE, 9))
BREAKS(definition_unknown, DEFINE(l, 12, 99, 1))
BREAKS(definition_string_outside, DEFINE(l, 20, PT_M_TYPE, 9, 1000, 0))
BREAKS(definition_twice, DEFINE(l, 20, PT_M_TYPE, 1, 0, 0))
BREAKS(definition_id_0, DEFINE(l, 20, PT_M_TYPE, 0, 0, 0))
BREAKS(definition_id_huge, DEFINE(l, 20, PT_M_TYPE, UINT32_MAX, 0, 0))
BREAKS(process_twice, DEFINE(l, 24, PT_M_PROCESS, 2, 0, 0, 0))
BREAKS(code_torn, DEFINE(l, 16, PT_M_CODE, 99, 0))
BREAKS(code_names_claimed, DEFINE(l, 68, PT_M_CODE, 99, 0, 0, 0, 1, 1, 1, 1, 1,
                                  1, 1, 0, 0, 0, UINT32_MAX))
BREAKS(callable_of_no_kind, DEFINE(l, 32, PT_M_CALLABLE, 99, 9, 0, 0, 0, 0))
BREAKS(const_undefined_code,
       DEFINE(l, 116, PT_M_CODE, 99, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0,
              0, 0, 1, PT_CONST_CODE, 98, 0, 0, 0, 0, 0, 0, 0))
BREAKS(const_tuple_without_items,
       DEFINE(l, 116, PT_M_CODE, 99, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0,
              0, 0, 1, PT_CONST_TUPLE, 1000, 0, 0, 0, 0, 0, 0, 0))
BREAKS(const_of_no_kind,
       DEFINE(l, 116, PT_M_CODE, 99, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0,
              0, 0, 1, PT_CONST_OTHER + 1, 0, 0, 0, 0, 0, 0, 0, 0))

/* A definition that claims 64 MB and never comes is waited for, for free. */
Test(record_hostile, promised_definition)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    DEFINE(&l, PT_DEF_LIMIT, PT_M_NOTE, 0);
    fake_drain(&f);
    cr_assert(!f.t->stopped);
    cr_assert_lt(f.t->defs.room, 1 << 20);
    fake_close(&f);
    fake_clear(&f);
}

/* Notes cannot drive the terminal, nor fill memory. */
Test(record_hostile, notes)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    for (uint32_t i = 0; i < 1000; i++)
        DEFINE(&l, 20, PT_M_NOTE, 0, 4, 0x1b414141 + i);
    fake_drain(&f);
    cr_assert_eq(f.notes.count, PT_NOTE_LIMIT);
    cr_assert_eq(f.notes.more, 1000 - PT_NOTE_LIMIT);
    cr_assert_eq(f.notes.text[0][3], '?');
    fake_close(&f);
    fake_clear(&f);
}

/* More frames than a keyframe holds. */
Test(record_hostile, bottomless_stack, .timeout = 60)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    l.wait = true;
    fake_begin(&l, 5);
    for (uint32_t i = 0; i < PT_SHADOW_LIMIT + 8; i++) {
        FAKE_PUT(&l, PT_W_CALL, 1);
        if (i % 4096 == 0)
            fake_drain(&f);
    }
    fake_drain(&f);
    cr_assert(f.t->stopped);
    fake_close(&f);
    fake_clear(&f);
}

/* Random words, mostly of known kinds and small ids. */
Test(record_hostile, random_records, .timeout = 60)
{
    srandom(1);
    for (int round = 0; round < 300; round++) {
        struct fake f;
        struct fake_lane l;
        fake_open(&f, round % 2 ? 0 : 1u << PT_CALL);
        fake_claim(&l, &f, (uint32_t)random() % 100);
        fake_begin(&l, 5);
        for (int i = 0; i < 2000; i++) {
            uint32_t w[5];
            for (int k = 0; k < 5; k++)
                w[k] = (uint32_t)random() % 3;
            uint32_t kind = (uint32_t)random() % (PT_W_LIMIT + 1);
            if (random() % 100 != 0 && (kind >= PT_W_TIME || kind == 0))
                kind = PT_W_CALL + (uint32_t)random() % 16;
            w[0] = kind | (uint32_t)random() << PT_WORD_KIND_BITS;
            fake_put(&l, w,
                     random() % 50 == 0 ? 1 + (unsigned)random() % 5 : 5);
            if (random() % 100 == 0)
                fake_drain(&f);
        }
        fake_drain(&f);
        fake_close(&f);
        fake_clear(&f);
    }
}

Test(record_hostile, random_definitions, .timeout = 60)
{
    srandom(2);
    for (int round = 0; round < 300; round++) {
        struct fake f;
        struct fake_lane l;
        fake_open(&f, 0);
        fake_claim(&l, &f, 0);
        for (int i = 0; i < 50; i++) {
            uint32_t w[64];
            unsigned n = 3 + (unsigned)random() % 60;
            for (unsigned k = 0; k < n; k++)
                w[k] = random() % 8 == 0 ? (uint32_t)random()
                                         : (uint32_t)random() % 8;
            w[0] = n * 4;
            w[1] = 1 + (uint32_t)random() % 6;
            w[2] = 10 + (uint32_t)i;
            define(&l, w, n);
            fake_drain(&f);
        }
        fake_close(&f);
        fake_clear(&f);
    }
}
