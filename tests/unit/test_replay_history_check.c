/* Histories compared with the cursor, item by item. */
#include "tests/unit/test_replay_history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct item *
add(struct items *list)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 1024;
        list->all = realloc(list->all, list->capacity * sizeof *list->all);
    }
    memset(&list->all[list->n], 0, sizeof *list->all);
    return &list->all[list->n++];
}

static void
name(struct item *i, bool framed, const struct pt_frame *f)
{
    i->framed = framed;
    if (!framed)
        return;
    i->code = f->id;
    i->line = f->line;
    i->off = f->off;
    i->entered = f->seq;
}

/* Of the entries from the innermost out, each with all that is known of it. */
static uint64_t
hash_frame(uint64_t hash, const struct pt_frame *f)
{
    const uint64_t fields[] = {
        f->key, f->seq, f->id, f->callable, f->line, f->off, (uint64_t)f->time};
    for (unsigned i = 0; i < 7; i++)
        hash = (hash ^ fields[i]) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    return hash;
}

static uint64_t
hash_stack(const struct pt_stack *s)
{
    uint64_t hash = 0;
    for (size_t i = s->depth; i-- > 0;)
        hash = hash_frame(hash, &s->frames[i]);
    return hash;
}

/* ... of a history's thread, some entries at a time. */
static uint64_t
hash_thread(struct pt_history *h, size_t i)
{
    struct pt_frame frames[5];
    struct pt_thread_state state;
    uint64_t hash = 0;
    size_t n, all = 0;
    do {
        cr_assert_eq(pt_history_frames(h, i, all, frames, 5, &n), PT_OK);
        for (size_t k = 0; k < n; k++)
            hash = hash_frame(hash, &frames[k]);
        all += n;
    } while (n == 5);
    cr_assert_eq(pt_history_thread(h, i, &state), PT_OK);
    cr_assert_eq(state.depth, all);
    return hash;
}

static size_t
find_thread(struct pt_history *h, uint32_t thread)
{
    struct pt_thread_state state;
    for (size_t i = 0; i < pt_history_threads(h); i++) {
        cr_assert_eq(pt_history_thread(h, i, &state), PT_OK);
        if (state.thread == thread)
            return i;
    }
    cr_assert_fail("no thread %u", thread);
    return 0;
}

/* `*whole` (may be NULL) tells whether the cursor came to the end. */
struct items
items_of_cursor(const struct pt_trace *trace, uint32_t thread, bool *whole)
{
    enum pt_status st;
    struct pt_cursor *c;
    struct pt_graph_cache *graphs = NULL;
    struct pt_merged m;
    struct items list = {NULL, 0, 0};
    cr_assert_eq(pt_cursor_new(trace, NULL, &c), PT_OK);
    if (!pt_flow_lacks(trace)) {
        cr_assert_eq(pt_graph_cache_new(trace, &graphs), PT_OK);
        cr_assert_eq(pt_cursor_walk(c, graphs), PT_OK);
    }
    while ((st = pt_cursor_next(c, &m)) == PT_OK) {
        if (thread && m.thread != thread)
            continue;
        struct item *i = add(&list);
        i->event = *m.event;
        i->seq = m.seq;
        i->k = m.k;
        i->process = m.process;
        i->thread = m.thread;
        i->timed = m.timed;
        i->walked = m.walked;
        i->index = m.walked ? m.index : 0;
        i->callee = m.step.callee;
        i->stack = hash_stack(m.stack);
        name(i, m.step.framed, &m.step.frame);
    }
    if (whole)
        *whole = st == PT_END;
    pt_cursor_free(c);
    pt_graph_cache_free(graphs);
    return list;
}

struct item
item_here(struct pt_history *h)
{
    struct pt_here at;
    struct item i;
    memset(&i, 0, sizeof i);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    i.event = *at.event;
    i.seq = at.seq;
    i.k = at.k;
    i.process = at.process;
    i.thread = at.thread;
    i.timed = at.timed;
    i.walked = at.walked;
    i.index = at.walked ? at.index : 0;
    i.callee = at.callee;
    i.stack = hash_thread(h, find_thread(h, at.thread));
    name(&i, at.framed, &at.frame);
    return i;
}

static bool
same(const struct item *a, const struct item *b)
{
    return a->event.time == b->event.time && a->event.arg == b->event.arg &&
           a->event.id == b->event.id && a->event.pos == b->event.pos &&
           a->event.dst == b->event.dst && a->event.kind == b->event.kind &&
           a->event.has == b->event.has && a->seq == b->seq && a->k == b->k &&
           a->process == b->process && a->thread == b->thread &&
           a->index == b->index && a->code == b->code && a->line == b->line &&
           a->off == b->off && a->callee == b->callee &&
           a->entered == b->entered && a->stack == b->stack &&
           a->timed == b->timed && a->walked == b->walked &&
           a->framed == b->framed;
}

static const char *
text(const struct item *i)
{
    static char buffers[2][256];
    static unsigned turn;
    char *out = buffers[turn++ % 2];
    snprintf(out, sizeof buffers[0],
             "%lu+%lu %s pos %u dst %u thread %u t %ld%s code %u line %u off %d"
             " callee %u of %ld",
             (unsigned long)i->seq, (unsigned long)i->k,
             pt_kind_name(i->event.kind), i->event.pos, i->event.dst, i->thread,
             (long)i->event.time, i->timed ? "" : "~", i->code, i->line,
             (int)i->off, i->callee, (long)i->entered);
    return out;
}

void
expect_same(const struct item *want, const struct item *got, const char *where)
{
    cr_assert(same(want, got), "%s:\nwant %s\ngot  %s", where, text(want),
              text(got));
}

struct pt_history *
open_history(const struct pt_trace *trace, uint32_t thread, uint64_t cache)
{
    struct pt_history_options options = {.cache = cache, .thread = thread};
    struct pt_history *h;
    cr_assert_eq(pt_history_open(trace, &options, &h), PT_OK);
    return h;
}

/* All items of a grain forwards, then all backwards. */
void
expect_both_ways(struct pt_history *h, const struct items *list,
                 enum pt_grain grain, const char *where)
{
    enum pt_status st;
    size_t n = 0;
    pt_history_begin(h);
    while ((st = pt_history_next(h, grain)) == PT_OK) {
        struct item got = item_here(h);
        cr_assert_lt(n, list->n, "%s: too much: %s", where, text(&got));
        expect_same(&list->all[n++], &got, where);
    }
    cr_assert_eq(st, PT_END, "%s: %s", where, pt_status_name(st));
    cr_assert_eq(n, list->n, "%s: %zu of %zu", where, n, list->n);
    cr_assert_eq(pt_history_next(h, grain), PT_END);
    while ((st = pt_history_prev(h, grain)) == PT_OK) {
        struct item got = item_here(h);
        cr_assert_gt(n, 0u, "%s: too much back: %s", where, text(&got));
        expect_same(&list->all[--n], &got, where);
    }
    cr_assert_eq(st, PT_END);
    cr_assert_eq(n, 0u, "%s: %zu left", where, n);
    cr_assert_eq(pt_history_prev(h, grain), PT_END);
}

static struct items
of_grain(const struct items *all, bool flow, enum pt_grain grain)
{
    struct items list = {NULL, 0, 0};
    uint8_t kind = grain == PT_GRAIN_LINE ? PT_LINE : PT_INSTRUCTION;
    for (size_t i = 0; i < all->n; i++) {
        const struct item *item = &all->all[i];
        if (grain == PT_GRAIN_EVENT
                ? !item->walked
                : item->walked == flow && item->event.kind == kind)
            *add(&list) = *item;
    }
    return list;
}

/* Every thread is where its last item up to the i-th has left it. */
static void
expect_threads(struct pt_history *h, const struct items *list, size_t i)
{
    for (size_t t = 0; t < pt_history_threads(h); t++) {
        struct pt_thread_state state;
        size_t last = i + 1, next = i + 1;
        cr_assert_eq(pt_history_thread(h, t, &state), PT_OK);
        while (last && list->all[last - 1].thread != state.thread)
            last--;
        while (next < list->n && list->all[next].thread != state.thread)
            next++;
        cr_assert_eq(state.begun, last > 0);
        cr_assert_eq(state.ended, next == list->n, "thread %u at %zu",
                     state.thread, i);
        if (!last)
            continue;
        const struct item *want = &list->all[last - 1];
        cr_assert_eq(state.seq, want->seq);
        cr_assert_eq(state.k, want->k);
        cr_assert_eq(hash_thread(h, t), want->stack, "thread %u at %s",
                     state.thread, text(&list->all[i]));
    }
}

/* Seeks at random, and a few steps each way from there. */
static void
expect_seeks(struct pt_history *h, const struct items *list, uint64_t dice_seed,
             unsigned seeks, const char *where)
{
    for (unsigned n = 0; n < seeks && list->n; n++) {
        size_t i = dice(&dice_seed, (uint32_t)list->n);
        const struct item *want = &list->all[i];
        if (want->walked && want->event.kind == PT_LINE)
            continue;
        enum pt_status st = pt_history_seek(h, want->seq, want->k);
        cr_assert_eq(st, PT_OK, "%s: seek %s", where, text(want));
        struct item got = item_here(h);
        expect_same(want, &got, where);
        expect_threads(h, list, i);
        bool back = dice(&dice_seed, 2);
        for (unsigned step = dice(&dice_seed, 8); step > 0; step--) {
            if (back ? i-- == 0 : ++i == list->n)
                break;
            st = back ? pt_history_prev(h, PT_GRAIN_ITEM)
                      : pt_history_next(h, PT_GRAIN_ITEM);
            cr_assert_eq(st, PT_OK);
            got = item_here(h);
            expect_same(&list->all[i], &got, where);
        }
    }
}

/* All of it, with the least cache and with enough. */
void
expect_history(const struct pt_trace *trace, uint32_t thread, const char *where)
{
    struct items all = items_of_cursor(trace, thread, NULL);
    bool flow = !pt_flow_lacks(trace);
    for (unsigned least = 0; least < 2; least++) {
        struct pt_history *h = open_history(trace, thread, least);
        expect_seeks(h, &all, 7 + least, 200, where);
        if (!least)
            expect_both_ways(h, &all, PT_GRAIN_ITEM, where);
        for (int g = PT_GRAIN_EVENT; g <= PT_GRAIN_INSTRUCTION; g++) {
            struct items some = of_grain(&all, flow, (enum pt_grain)g);
            if (pt_history_lacks(h, (enum pt_grain)g))
                cr_expect_eq(pt_history_next(h, (enum pt_grain)g), PT_EUSAGE);
            else if (!least)
                expect_both_ways(h, &some, (enum pt_grain)g, where);
            free(some.all);
        }
        pt_history_close(h);
    }
    free(all.all);
}

/* Whatever the file says, going back is the reverse of going on, and what the
 * cursor can read is what the history has. */
void
expect_damaged(const struct pt_trace *trace, const char *where)
{
    bool whole;
    struct items all = items_of_cursor(trace, 0, &whole);
    for (unsigned least = 0; least < 2; least++) {
        struct pt_history *h = open_history(trace, 0, least);
        bool twice = pt_history_trouble(h).bad_chunks > 0;
        if (whole && !twice)
            expect_both_ways(h, &all, PT_GRAIN_ITEM, where);
        for (size_t i = 0; i < all.n; i++) {
            struct pt_here at;
            enum pt_status st = pt_history_seek(h, all.all[i].seq, i % 3);
            if (st == PT_OK) {
                cr_assert_eq(pt_history_here(h, &at), PT_OK);
                cr_assert_eq(at.k, i % 3);
            }
            pt_history_prev(h, PT_GRAIN_ITEM);
            pt_history_seek_time(h, all.all[i].event.time);
        }
        pt_history_close(h);
    }
    free(all.all);
}
