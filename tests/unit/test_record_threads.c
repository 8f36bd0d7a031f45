/* Threads that come and go, many at once, and more than there is room for. */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

static const unsigned DT = 1 << PT_WORD_KIND_BITS;

Test(record_threads, adoption)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    for (uint32_t i = 0; i < 300; i++) {
        fake_claim(&l, &f, 0);
        fake_begin(&l, 100 + i);
        FAKE_PUT(&l, PT_W_CALL, 1);
        if (i % 3 == 0)
            fake_end(&l);    /* as it should */
        else if (i % 3 == 1) /* the begin of the next ends it */
            atomic_store(&pt_arena_slot(&f.t->map, 0)->state, PT_SLOT_DEAD);
        if (i % 7 == 0)
            fake_drain(&f);
    }
    fake_close(&f);
    cr_assert_eq(pt_trace_thread_count(f.trace), 300);
    cr_assert_eq(fake_count(&f, PT_THREAD), 600);
    cr_assert_eq(fake_count(&f, PT_CALL), 300);
    size_t n;
    struct pt_event *e = fake_events(&f, 250, &n);
    cr_assert_eq(n, 3);
    free(e);
    fake_clear(&f);
}

Test(record_threads, dead_thread_is_ended_early)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 9);
    fake_drain(&f);
    cr_assert_eq(f.journal.live, 1);
    atomic_store(&pt_arena_slot(&f.t->map, 0)->state, PT_SLOT_DEAD);
    fake_drain(&f);
    cr_assert_eq(f.journal.live, 0);
    fake_close(&f);
    fake_clear(&f);
}

Test(record_threads, dropped_and_unslotted)
{
    struct fake f;
    struct fake_lane l, m;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    fake_claim(&m, &f, 1);
    fake_begin(&m, 6);
    fake_end(&m);
    atomic_store(&pt_arena_slot(&f.t->map, 0)->dropped, 30);
    atomic_store(&pt_arena_slot(&f.t->map, 1)->dropped, 4);
    atomic_store(&f.t->map.arena->unslotted, 2);
    fake_drain(&f);
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_GAP), 3);
    cr_assert_eq(pt_trace_end(f.trace)->lost, 34);
    cr_assert_eq(f.notes.count, 1);
    fake_clear(&f);
}

struct crowd {
    struct fake *f;
    uint32_t slot;
    uint64_t events;
};

static void *
crowd_main(void *arg)
{
    struct crowd *c = arg;
    struct fake_lane l;
    fake_claim(&l, c->f, c->slot);
    l.wait = true;
    fake_begin(&l, 1000 + c->slot);
    for (uint64_t i = 0; i < c->events; i += 4) {
        FAKE_PUT(&l, PT_W_CALL | 1 * DT, 1 + (uint32_t)i % FAKE_CODES);
        FAKE_PUT(&l, PT_W_LINE | 1 * DT, (uint32_t)i);
        FAKE_PUT(&l, PT_W_BRANCH | 1 * DT, 2, 4);
        FAKE_PUT(&l, PT_W_RETURN | 1 * DT, 1 + (uint32_t)i % FAKE_CODES);
    }
    fake_end(&l);
    return NULL;
}

static void
crowd(uint32_t threads, uint64_t events, uint32_t first)
{
    struct fake f;
    fake_open(&f, 0);
    pthread_t *id = calloc(threads, sizeof *id);
    struct crowd *c = calloc(threads, sizeof *c);
    for (uint32_t i = 0; i < threads; i++) {
        c[i] = (struct crowd){&f, first + i, events};
        cr_assert_eq(pthread_create(&id[i], NULL, crowd_main, &c[i]), 0);
    }
    uint64_t done = 0;
    while (done < threads) {
        fake_drain(&f);
        done = 0;
        for (uint32_t i = 0; i < threads; i++)
            done += atomic_load(&pt_arena_slot(&f.t->map, first + i)->state) ==
                    PT_SLOT_DEAD;
    }
    for (uint32_t i = 0; i < threads; i++)
        pthread_join(id[i], NULL);
    fake_close(&f);
    cr_assert_eq(f.journal.gaps, 0);
    cr_assert_eq(fake_count(&f, PT_CALL), threads * events / 4);
    cr_assert_eq(fake_count(&f, PT_RETURN), threads * events / 4);
    cr_assert_eq(fake_count(&f, PT_THREAD), (uint64_t)threads * 2);
    size_t n;
    struct pt_event *e = fake_events(&f, 1000 + first, &n);
    cr_assert_eq(n, events + 2);
    for (size_t i = 1; i + 1 < n; i += 4) {
        cr_assert(e[i].kind == PT_CALL && e[i + 3].kind == PT_RETURN);
        cr_assert_eq(e[i + 1].pos, i - 1);
    }
    free(e);
    free(id);
    free(c);
    fake_clear(&f);
}

Test(record_threads, four_fast_threads, .timeout = 60)
{
    crowd(4, 400000, 0);
}

Test(record_threads, many_threads_in_small_rings, .timeout = 60)
{
    crowd(200, 4000, PT_RINGS_MEDIUM);
}
