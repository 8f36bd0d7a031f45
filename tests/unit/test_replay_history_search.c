/* Searches of histories, against the list of a trace's items. */
#include "tests/unit/test_replay_history.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static bool
is_target(const struct item *i, bool flow, const struct pt_target *t)
{
    if (t->line == 0)
        return i->event.kind == PT_CALL && i->event.id == t->code;
    return i->event.kind == PT_LINE && i->walked == flow &&
           i->event.pos == t->line && i->framed && i->code == t->code;
}

static bool
is_odd(void *state, const struct pt_event *e)
{
    return e->kind % 2;
}

static bool
end_at_once(void *state, const struct pt_chunk_info *info)
{
    return true;
}

/* From random items, the n-th target, or event of `kinds` whose number is odd,
 * each way is that of the list. */
static void
expect_finds(struct pt_history *h, const struct items *all, bool flow,
             const struct pt_target *targets, size_t n, uint32_t kinds,
             uint64_t seed)
{
    const struct pt_search_also also = {.kinds = kinds, .match = is_odd};
    struct pt_search *s;
    size_t *hits = calloc(all->n + 1, sizeof *hits), nhits = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct item *at = &all->all[i];
        unsigned kind = at->event.kind;
        bool hit = !at->walked && kind % 2 && kinds >> kind & 1;
        for (size_t t = 0; t < n && !hit; t++)
            hit = is_target(at, flow, &targets[t]);
        if (hit)
            hits[nhits++] = i;
    }
    cr_assert_eq(pt_search_new(h, targets, n, &s), PT_OK);
    pt_search_also(s, &also);
    cr_expect_eq(pt_search_go(s, 0), PT_EUSAGE);
    for (unsigned turn = 0; turn < 100; turn++) {
        size_t from = dice(&seed, (uint32_t)all->n), low = 0, high;
        const struct item *start = &all->all[from];
        if (start->walked && start->event.kind == PT_LINE)
            continue;
        cr_assert_eq(pt_history_seek(h, start->seq, start->k), PT_OK);
        while (low < nhits && hits[low] < from)
            low++;
        high = low;
        while (high < nhits && hits[high] <= from)
            high++;
        size_t count = 1 + dice(&seed, 20);
        bool forward = dice(&seed, 2);
        size_t left = forward ? nhits - high : low;
        const struct item *want =
            count > left
                ? start
                : &all->all[hits[forward ? high + count - 1 : low - count]];
        cr_assert_eq(
            pt_search_go(s, forward ? (int64_t)count : -(int64_t)count),
            count > left ? PT_ENOTFOUND : PT_OK);
        struct item got = item_here(h);
        expect_same(want, &got, "search");
    }
    const struct pt_search_also ends = {.end = end_at_once};
    struct item start = item_here(h);
    pt_search_also(s, &ends);
    cr_expect_eq(pt_search_go(s, 1), PT_END);
    cr_expect_eq(pt_search_go(s, -1), PT_END);
    struct item got = item_here(h);
    expect_same(&start, &got, "ended");
    pt_search_free(s);
    free(hits);
}

/* Lines and calls of one code object, of two, and what never ran. */
void
expect_searches(const struct pt_trace *trace, uint32_t code, uint32_t lines)
{
    struct items all = items_of_cursor(trace, 0, NULL);
    bool flow = !pt_flow_lacks(trace);
    for (unsigned least = 0; least < 2; least++) {
        struct pt_history *h = open_history(trace, 0, least);
        for (uint32_t line = 0; line < lines; line++) {
            const struct pt_target targets[] = {
                {code + 1, line}, {code, line}, {code, line + 1}};
            expect_finds(h, &all, flow, targets, 1, 0, line);
            expect_finds(h, &all, flow, targets, 3, 0, line);
            expect_finds(h, &all, flow, targets, 1,
                         1u << PT_C_CALL | 1u << PT_CALL | 1u << PT_BRANCH,
                         line);
        }
        const struct pt_target never = {code, 100000};
        expect_finds(h, &all, flow, &never, 1, 0, 1);
        expect_finds(h, &all, flow, &never, 1, UINT32_MAX, 1);
        pt_history_close(h);
    }
    free(all.all);
}

Test(replay_history, search_in_logged_lines)
{
    struct synth s;
    struct pt_trace *trace = make_threads(&s, 5, 400, 60);
    without_flow(trace);
    expect_searches(trace, 1, 4);
    pt_trace_close(trace);
    synth_clear(&s);
}
