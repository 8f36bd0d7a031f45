/* The recorder's own producers and the collector, in one process, with the bell
 * between them: threads that come and go, definitions on the way, and a
 * collector that is slow, or stops. */
#include "producing.h"
#include "record/bell.h"
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 8 };

struct work {
    struct fake f;
    struct pt_ringer ringer;
    uint64_t events; /* of a thread, in each round */
    bool lines;
    _Atomic uint32_t running;
    pthread_t threads[THREADS];
};

static void *
one_round(void *arg)
{
    struct work *w = arg;
    uint32_t code = producing_define(FAKE_CODES);
    if (w->lines)
        producing_lines(code, w->events);
    else
        producing_calls(code, w->events);
    return NULL;
}

/* A thread of the program starts one after the other, so that slots are taken
 * over. */
static void *
rounds(void *arg)
{
    struct work *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, one_round, w), 0);
        pthread_join(thread, NULL);
    }
    atomic_fetch_sub(&w->running, 1);
    return NULL;
}

static void
begin(struct work *w, enum pt_on_full on_full)
{
    struct pt_error error;
    fake_open(&w->f, 0);
    w->f.t->map.arena->config.on_full = on_full;
    cr_assert_eq(pt_ringer_start(&w->ringer, &error), PT_OK);
    producing_start(w->f.t->map.arena, w->ringer.map.bell);
    atomic_store(&w->running, THREADS);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&w->threads[i], NULL, rounds, w), 0);
}

/* As the collector's loop, which sleeps when nothing comes; `slow`: it also
 * sleeps when something does. */
static void
turn(struct work *w, bool slow)
{
    struct pollfd p = {.fd = w->ringer.fd, .events = POLLIN};
    if (fake_drain(&w->f) && !slow)
        return;
    pt_ringer_listen(&w->ringer, true);
    poll(&p, 1, 10);
    pt_ringer_listen(&w->ringer, false);
    pt_ringer_hush(&w->ringer);
    if (slow)
        usleep(10000);
}

static void
end(struct work *w)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(w->threads[i], NULL);
    fake_close(&w->f);
    pt_ringer_stop(&w->ringer);
}

Test(record_producer, waits_for_room, .timeout = 60)
{
    static struct work w = {.events = 20000};
    begin(&w, PT_FULL_WAIT);
    while (atomic_load(&w.running) > 0)
        turn(&w, false);
    end(&w);
    cr_assert_eq(w.f.journal.gaps, 0);
    cr_assert_eq(fake_count(&w.f, PT_CALL), THREADS * ROUNDS * w.events);
    cr_assert_eq(fake_count(&w.f, PT_RETURN), THREADS * ROUNDS * w.events);
    cr_assert_eq(fake_count(&w.f, PT_THREAD), THREADS * ROUNDS * 2);
    cr_assert_eq(pt_trace_code_count(w.f.trace), FAKE_CODES + THREADS * ROUNDS);
    fake_clear(&w.f);
}

/* Each line is there, or is counted in a gap. */
Test(record_producer, drops_where_there_is_no_room, .timeout = 60)
{
    static struct work w = {.events = 500000, .lines = true};
    begin(&w, PT_FULL_DROP);
    while (atomic_load(&w.running) > 0)
        turn(&w, true);
    end(&w);
    cr_assert_gt(w.f.journal.gaps, 0);
    uint64_t all = THREADS * ROUNDS * (w.events + 1);
    cr_assert_geq(fake_count(&w.f, PT_LINE) + pt_trace_end(w.f.trace)->lost +
                      fake_count(&w.f, PT_CALL),
                  all);
    cr_assert_leq(fake_count(&w.f, PT_LINE) + pt_trace_end(w.f.trace)->lost,
                  all);
    fake_clear(&w.f);
}

/* Nobody waits for a collector that gives up, and it lets all go on. */
Test(record_producer, stops, .timeout = 60)
{
    static struct work w = {.events = 200000};
    begin(&w, PT_FULL_WAIT);
    for (int i = 0; i < 20; i++)
        turn(&w, false);
    pt_tracee_stop(w.f.t, PT_STOP_DISK);
    while (atomic_load(&w.running) > 0)
        turn(&w, false);
    end(&w);
    cr_assert_eq(w.f.journal.gaps, 0);
    fake_clear(&w.f);
}
