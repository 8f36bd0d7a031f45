/* The merged cursor and the filters, on traces of many threads. */
#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `threads` threads of `events` events each, in chunks of random length, whose
 * times overlap; each enters and leaves code objects at random. */
static struct pt_trace *
make(struct synth *s, uint32_t threads, uint32_t events, uint32_t chunk)
{
    synth_begin(s);
    uint32_t codes[3] = {synth_code(s, "a"), synth_code(s, "b"),
                         synth_code(s, "c")};
    struct {
        struct pt_stack stack;
        int64_t time;
        uint32_t id, left;
    } *t = calloc(threads, sizeof *t);
    uint64_t state = 42;
    for (uint32_t i = 0; i < threads; i++) {
        t[i].id = synth_thread(s, 1000 + i);
        t[i].left = events;
        t[i].time = 1 + dice(&state, 100);
    }
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < threads; i++) {
            uint32_t n = 1 + dice(&state, chunk);
            s->stack = t[i].stack;
            s->thread = t[i].id;
            for (; n && t[i].left; n--, t[i].left--) {
                t[i].time += dice(&state, 20);
                struct pt_event e = s->stack.depth && dice(&state, 2)
                                        ? ev_plain(PT_RETURN, t[i].time)
                                        : ev_enter(PT_CALL, t[i].time,
                                                   codes[dice(&state, 3)], 0);
                synth_event(s, &e);
            }
            synth_flush(s);
            t[i].stack = s->stack;
            more |= t[i].left != 0;
        }
    }
    memset(&s->stack, 0, sizeof s->stack);
    for (uint32_t i = 0; i < threads; i++)
        pt_stack_clear(&t[i].stack);
    free(t);
    return synth_end(s);
}

static void
expect_order(const struct pt_trace *trace, uint64_t total)
{
    struct pt_cursor *c;
    struct pt_merged m;
    int64_t time = INT64_MIN;
    uint64_t seq = 0, n = 0;
    enum pt_status st;
    uint8_t *seen = calloc(total, 1);
    cr_assert_eq(pt_cursor_new(trace, NULL, &c), PT_OK);
    while ((st = pt_cursor_next(c, &m)) == PT_OK) {
        cr_assert(n == 0 || pt_moment_before(time, seq, m.event->time, m.seq),
                  "event %lu", (unsigned long)m.seq);
        cr_assert_lt(m.seq, total);
        cr_assert_eq(seen[m.seq]++, 0);
        time = m.event->time;
        seq = m.seq;
        n++;
    }
    cr_expect_eq(st, PT_END);
    cr_expect_eq(n, total);
    cr_expect_eq(pt_cursor_next(c, &m), PT_END, "the end stays the end");
    struct pt_trouble t = pt_cursor_trouble(c);
    cr_expect_eq(t.desyncs + t.unmatched + t.gaps + t.bad_chunks, 0u);
    pt_cursor_free(c);
    free(seen);
}

Test(replay_merge, one_thread)
{
    struct synth s;
    struct pt_trace *trace = make(&s, 1, 5000, 1000);
    expect_order(trace, 5000);
    pt_trace_close(trace);
    synth_clear(&s);
}

Test(replay_merge, few_threads)
{
    struct synth s;
    struct pt_trace *trace = make(&s, 7, 3000, 50);
    expect_order(trace, 21000);
    pt_trace_close(trace);
    synth_clear(&s);
}

/* More events are open at once than windows may hold: chunks are decoded again
 * for each window. */
Test(replay_merge, thousand_threads_with_windows)
{
    struct synth s;
    struct pt_trace *trace = make(&s, 1000, 4000, 6000);
    expect_order(trace, 4000000);
    pt_trace_close(trace);
    synth_clear(&s);
}

static uint64_t
count(const struct pt_trace *trace, const struct pt_filter_spec *spec)
{
    struct pt_filter *f;
    struct pt_cursor *c;
    struct pt_merged m;
    uint64_t n = 0;
    cr_assert_eq(pt_filter_new(trace, spec, NULL, &f), PT_OK);
    cr_assert_eq(pt_cursor_new(trace, f, &c), PT_OK);
    while (pt_cursor_next(c, &m) == PT_OK)
        n++;
    pt_cursor_free(c);
    pt_filter_free(f);
    return n;
}

/* Cutting the merged order anywhere makes two parts that are the whole. */
Test(replay_merge, ranges_partition)
{
    struct synth s;
    struct pt_trace *trace = make(&s, 5, 2000, 300);
    for (unsigned seq = 0; seq < 10000; seq += 997) {
        char here[32], after[32];
        snprintf(here, sizeof here, "%u", seq);
        snprintf(after, sizeof after, "%u+1", seq);
        struct pt_filter_spec to = {.to = here}, from = {.from = after};
        cr_expect_eq(count(trace, &to) + count(trace, &from), 10000u);
        struct pt_filter_spec both = {.from = here, .to = here};
        cr_expect_eq(count(trace, &both), 1u);
    }
    struct pt_filter_spec early = {.to = "5us"}, late = {.from = "5001ns"};
    cr_expect_eq(count(trace, &early) + count(trace, &late), 10000u);
    pt_trace_close(trace);
    synth_clear(&s);
}

Test(replay_merge, filters_select)
{
    struct synth s;
    struct pt_trace *trace = make(&s, 4, 1000, 100);
    const char *thread[] = {"1001", "#4"}, *process[] = {"77"};
    static const struct pt_rule a[] = {{PT_RULE_INCLUDE, "a"},
                                       {PT_RULE_EXCLUDE, "a"},
                                       {PT_RULE_INCLUDE, "*.py"},
                                       {PT_RULE_EXCLUDE, "*.py"}};
    struct pt_filter_spec spec = {.threads = thread, .nthreads = 2};
    cr_expect_eq(count(trace, &spec), 2000u);
    spec.processes = process;
    spec.nprocesses = 1;
    cr_expect_eq(count(trace, &spec), 2000u);
    struct pt_filter_spec only = {.rules = &a[0], .nrules = 1};
    struct pt_filter_spec but = {.rules = &a[1], .nrules = 1};
    cr_expect_gt(count(trace, &only), 0u);
    cr_expect_eq(count(trace, &only) + count(trace, &but), 4000u);
    struct pt_filter_spec all = {.rules = &a[2], .nrules = 1};
    cr_expect_eq(count(trace, &all), 4000u);
    all = (struct pt_filter_spec){.rules = &a[3], .nrules = 1};
    cr_expect_eq(count(trace, &all), 0u);
    pt_trace_close(trace);
    synth_clear(&s);
}

Test(replay_merge, filters_refuse)
{
    struct synth s;
    struct pt_trace *trace = make(&s, 1, 10, 10);
    static const char *const bad[] = {
        "",    "x",      "1x", "1+", "1+x", "-1", "18446744073709551616",
        "1.5", "99999h9"};
    struct pt_filter *f;
    struct pt_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_filter_spec spec = {.from = bad[i]};
        cr_expect_eq(pt_filter_new(trace, &spec, &error, &f), PT_EUSAGE, "%s",
                     bad[i]);
        cr_expect_neq(error.text[0], 0);
    }
    struct pt_filter_spec spec = {.to = "10"};
    cr_expect_eq(pt_filter_new(trace, &spec, &error, &f), PT_ENOTFOUND);
    const char *nobody[] = {"#9"};
    spec = (struct pt_filter_spec){.threads = nobody, .nthreads = 1};
    cr_expect_eq(pt_filter_new(trace, &spec, &error, &f), PT_ENOTFOUND);
    for (uint8_t kind = 0; kind < PT_RULE_LIMIT; kind++) {
        const struct pt_rule rule = {kind, "nobody"};
        spec = (struct pt_filter_spec){.rules = &rule, .nrules = 1};
        if (kind == PT_RULE_EXCLUDE_STDLIB || kind == PT_RULE_MAX_DEPTH)
            continue;
        cr_expect_eq(pt_filter_new(trace, &spec, &error, &f), PT_ENOTFOUND);
        cr_expect_not_null(strstr(error.text, "\"nobody\""));
    }
    static const char *const turned[][2] = {{"5", "4"}, {"2s", "1s"}};
    for (size_t i = 0; i < 2; i++) {
        spec =
            (struct pt_filter_spec){.from = turned[i][0], .to = turned[i][1]};
        cr_expect_eq(pt_filter_new(trace, &spec, &error, &f), PT_EUSAGE);
    }
    spec = (struct pt_filter_spec){.processes = nobody, .nprocesses = 1};
    cr_expect_eq(pt_filter_new(trace, &spec, NULL, &f), PT_ENOTFOUND);
    pt_trace_close(trace);
    synth_clear(&s);
}
