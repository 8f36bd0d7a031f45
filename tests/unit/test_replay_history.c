/* Histories against the cursor: the same items, forwards, backwards and at
 * random, of traces that are whole, that are damaged, and that were recorded.
 */
#include "tests/unit/test_replay_flow.h"

#include <pt/history.h>

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One item, as both tell it. */
struct item {
    struct pt_event event;
    uint64_t seq, k;
    uint32_t process, thread, index, code, line, off, callee;
    uint64_t entered; /* seq of the frame's call */
    uint64_t stack;   /* hash of the thread's */
    bool timed, walked, framed;
};

struct items {
    struct item *all;
    size_t n, capacity;
};

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
static struct items
of_cursor(const struct pt_trace *trace, uint32_t thread, bool *whole)
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

static struct item
here(struct pt_history *h)
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

static void
expect_same(const struct item *want, const struct item *got, const char *where)
{
    cr_assert(same(want, got), "%s:\nwant %s\ngot  %s", where, text(want),
              text(got));
}

static struct pt_history *
open_history(const struct pt_trace *trace, uint32_t thread, uint64_t cache)
{
    struct pt_history_options options = {.cache = cache, .thread = thread};
    struct pt_history *h;
    cr_assert_eq(pt_history_open(trace, &options, &h), PT_OK);
    return h;
}

/* All items of a grain forwards, then all backwards. */
static void
expect_both_ways(struct pt_history *h, const struct items *list,
                 enum pt_grain grain, const char *where)
{
    enum pt_status st;
    size_t n = 0;
    pt_history_begin(h);
    while ((st = pt_history_next(h, grain)) == PT_OK) {
        struct item got = here(h);
        cr_assert_lt(n, list->n, "%s: too much: %s", where, text(&got));
        expect_same(&list->all[n++], &got, where);
    }
    cr_assert_eq(st, PT_END, "%s: %s", where, pt_status_name(st));
    cr_assert_eq(n, list->n, "%s: %zu of %zu", where, n, list->n);
    cr_assert_eq(pt_history_next(h, grain), PT_END);
    while ((st = pt_history_prev(h, grain)) == PT_OK) {
        struct item got = here(h);
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
        struct item got = here(h);
        expect_same(want, &got, where);
        expect_threads(h, list, i);
        bool back = dice(&dice_seed, 2);
        for (unsigned step = dice(&dice_seed, 8); step > 0; step--) {
            if (back ? i-- == 0 : ++i == list->n)
                break;
            st = back ? pt_history_prev(h, PT_GRAIN_ITEM)
                      : pt_history_next(h, PT_GRAIN_ITEM);
            cr_assert_eq(st, PT_OK);
            got = here(h);
            expect_same(&list->all[i], &got, where);
        }
    }
}

/* All of it, with the least cache and with enough. */
static void
expect_history(const struct pt_trace *trace, uint32_t thread, const char *where)
{
    struct items all = of_cursor(trace, thread, NULL);
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

/* From now on the trace is one that was recorded without flow. */
static void
without_flow(const struct pt_trace *trace)
{
    struct pt_header *header = (struct pt_header *)pt_trace_header(trace);
    header->optional &= ~(uint32_t)PT_OPTIONAL_FLOW;
}

/* --- whole traces ----------------------------------------------------------
 */

static struct pt_trace *
make_threads(struct synth *s, uint32_t threads, uint32_t events, uint32_t chunk)
{
    synth_begin(s);
    uint32_t codes[3] = {synth_code(s, "a"), synth_code(s, "b"),
                         synth_code(s, "c")};
    uint32_t callee = synth_callable(s, PT_CALLABLE_BUILTIN, "len");
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
            s->stack = t[i].stack;
            s->thread = t[i].id;
            for (uint32_t n = 1 + dice(&state, chunk); n && t[i].left; n--) {
                struct pt_event e;
                t[i].time += dice(&state, 20);
                t[i].left--;
                switch (s->stack.depth ? dice(&state, 6) : 0) {
                case 0:
                    e = ev_enter(PT_CALL, t[i].time, codes[dice(&state, 3)], 0);
                    break;
                case 1:
                    e = ev_plain(PT_RETURN, t[i].time);
                    break;
                case 2:
                    e = ev_c_call(t[i].time, callee);
                    break;
                case 3:
                    e = ev_plain(PT_C_RETURN, t[i].time);
                    break;
                default:
                    e = ev_line(1 + dice(&state, 20));
                }
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

Test(replay_history, threads_both_ways)
{
    static const uint32_t shapes[][3] = {
        {1, 500, 50}, {2, 500, 7}, {7, 300, 40}, {40, 60, 11}};
    for (unsigned i = 0; i < 4; i++) {
        struct synth s;
        struct pt_trace *trace =
            make_threads(&s, shapes[i][0], shapes[i][1], shapes[i][2]);
        expect_history(trace, 0, "threads");
        without_flow(trace);
        expect_history(trace, 0, "threads without flow");
        expect_history(trace, 1, "one thread");
        pt_trace_close(trace);
        synth_clear(&s);
    }
}

/* --- damaged traces --------------------------------------------------------
 */

/* Whatever the file says, going back is the reverse of going on, and what the
 * cursor can read is what the history has. */
static void
expect_damaged(const struct pt_trace *trace, const char *where)
{
    bool whole;
    struct items all = of_cursor(trace, 0, &whole);
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

Test(replay_history, corpus)
{
    glob_t found;
    unsigned opened = 0;
    cr_assert_eq(glob("tests/corpus/*.ptr", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct pt_trace *trace;
        if (pt_trace_open(found.gl_pathv[i], NULL, &trace) != PT_OK)
            continue;
        opened++;
        expect_damaged(trace, found.gl_pathv[i]);
        pt_trace_close(trace);
    }
    cr_expect_gt(opened, 10u);
    globfree(&found);
}

/* Traces named by a pattern in the environment, for use by hand. */
Test(replay_history, given_files)
{
    const char *pattern = getenv("PT_HISTORY_FILES");
    glob_t found;
    if (!pattern || glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct pt_trace *trace;
        cr_assert_eq(pt_trace_open(found.gl_pathv[i], NULL, &trace), PT_OK);
        expect_history(trace, 0, found.gl_pathv[i]);
        pt_trace_close(trace);
    }
    globfree(&found);
}

/* --- searching -------------------------------------------------------------
 */

static bool
is_target(const struct item *i, bool flow, const struct pt_target *t)
{
    if (t->line == 0)
        return i->event.kind == PT_CALL && i->event.id == t->code;
    return i->event.kind == PT_LINE && i->walked == flow &&
           i->event.pos == t->line && i->framed && i->code == t->code;
}

/* From random items, the n-th target each way is that of the list. */
static void
expect_finds(struct pt_history *h, const struct items *all, bool flow,
             const struct pt_target *targets, size_t n, uint64_t seed)
{
    struct pt_search *s;
    size_t *hits = malloc((all->n + 1) * sizeof *hits), nhits = 0;
    for (size_t i = 0; i < all->n; i++)
        for (size_t t = 0; t < n; t++)
            if (is_target(&all->all[i], flow, &targets[t])) {
                hits[nhits++] = i;
                break;
            }
    cr_assert_eq(pt_search_new(h, targets, n, &s), PT_OK);
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
        struct item got = here(h);
        expect_same(want, &got, "search");
    }
    pt_search_free(s);
    free(hits);
}

/* Lines and calls of one code object, of two, and what never ran. */
static void
expect_searches(const struct pt_trace *trace, uint32_t code, uint32_t lines)
{
    struct items all = of_cursor(trace, 0, NULL);
    bool flow = !pt_flow_lacks(trace);
    for (unsigned least = 0; least < 2; least++) {
        struct pt_history *h = open_history(trace, 0, least);
        for (uint32_t line = 0; line < lines; line++) {
            const struct pt_target targets[] = {
                {code + 1, line}, {code, line}, {code, line + 1}};
            expect_finds(h, &all, flow, targets, 1, line);
            expect_finds(h, &all, flow, targets, 3, line);
        }
        const struct pt_target never = {code, 100000};
        expect_finds(h, &all, flow, &never, 1, 1);
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

/* --- flow ------------------------------------------------------------------
 */

/*  0 RESUME  2 LOAD  4 FOR_ITER to 24  8 LOAD  10 CALL  18 JUMP_BACKWARD to 4
 * 20 END_FOR  22 POP_TOP  24 RETURN_VALUE */
static const char looping[] =
    "1: RESUME; LOAD; FOR_ITER 6; 2: LOAD; 3: CALL; JUMP_BACKWARD 8;"
    "1: END_FOR; POP_TOP; 4: RETURN_VALUE";
enum { LOOP = 4, BODY = 8, CALLS = 10, DONE = 24 };

enum { FLOW_DEPTH = 12 };

/* A program that calls itself and loops, at random. */
struct flow_thread {
    uint32_t id, process, code;
    struct pt_block *block;
    uint64_t time, state;
    struct pt_frame stack[FLOW_DEPTH], key[FLOW_DEPTH];
    size_t depth, key_depth;
    bool looping[FLOW_DEPTH]; /* in the loop's body */
};

static void
flow_push(struct flow *f, struct flow_thread *t, uint8_t kind, unsigned mask,
          uint32_t off, uint32_t dst)
{
    if (t->block->n == 0) {
        memcpy(t->key, t->stack, sizeof t->key);
        t->key_depth = t->depth;
    }
    t->time += 1 + dice(&t->state, 30);
    cr_assert_eq(pt_block_push(t->block, kind, (uint8_t)mask, t->time, t->code,
                               off, dst, kind == PT_GAP ? 5 : 0),
                 PT_OK);
    if (t->depth && mask & PT_HAS(OFF)) {
        struct pt_frame *top = &t->stack[t->depth - 1];
        top->off = off;
        top->at = kind == PT_BRANCH ? PT_AT_JUMPED : PT_AT_INSIDE;
        top->dst = dst;
    }
}

static void
flow_flush(struct flow *f, struct flow_thread *t)
{
    if (t->block->n)
        cr_assert_eq(pt_writer_events(f->writer, t->block, t->process, t->id,
                                      t->key, t->key_depth, NULL),
                     PT_OK);
}

static void
flow_enter(struct flow *f, struct flow_thread *t)
{
    unsigned mask = PT_HAS(TIME) | PT_HAS(CODE) | (t->depth ? PT_HAS(OFF) : 0);
    flow_push(f, t, PT_CALL, mask, CALLS, 0);
    t->looping[t->depth] = false;
    t->stack[t->depth++] = (struct pt_frame){.id = t->code,
                                             .seq = UINT64_MAX,
                                             .off = UINT32_MAX,
                                             .at = PT_AT_START,
                                             .time = (int64_t)t->time};
}

/* One or two events; `damage` in a hundred times something that does not fit,
 * or a gap. */
static void
flow_turn(struct flow *f, struct flow_thread *t, uint32_t damage)
{
    unsigned stamp = dice(&t->state, 4) ? 0 : PT_HAS(TIME);
    unsigned mask = PT_HAS(OFF) | PT_HAS(DST) | stamp;
    if (dice(&t->state, 100) < damage) {
        if (dice(&t->state, 3) == 0)
            flow_push(f, t, PT_GAP, PT_HAS(TIME) | PT_HAS(ARG), 0, 0);
        else if (t->depth)
            flow_push(f, t, PT_BRANCH, mask, LOOP,
                      2 * dice(&t->state, DONE / 2 + 2));
        return;
    }
    if (t->depth == 0) {
        flow_enter(f, t);
        return;
    }
    bool *in = &t->looping[t->depth - 1];
    if (*in && t->depth < FLOW_DEPTH && dice(&t->state, 3) == 0) {
        flow_enter(f, t);
    } else if (dice(&t->state, 3)) {
        flow_push(f, t, PT_BRANCH, mask, LOOP, BODY);
        *in = true;
    } else {
        flow_push(f, t, PT_BRANCH, mask, LOOP, DONE);
        flow_push(f, t, PT_RETURN, stamp, 0, 0);
        t->depth--;
    }
}

static uint32_t
make_flow(struct flow *f, uint32_t threads, uint32_t turns, uint32_t damage)
{
    struct flow_thread *t = calloc(threads, sizeof *t);
    uint64_t state = 5, time = 1;
    flow_begin(f, PY_3_13);
    uint32_t code = flow_code(f, looping, NULL);
    struct pt_process process = {.interpreter = f->interpreter, .pid = 7};
    uint32_t pid;
    cr_assert_eq(pt_writer_process(f->writer, &process, &pid), PT_OK);
    for (uint32_t i = 0; i < threads; i++) {
        struct pt_thread thread = {.process = pid, .tid = 10 + i};
        t[i] = (struct flow_thread){.code = code, .process = pid, .state = i};
        cr_assert_eq(pt_writer_thread(f->writer, &thread, &t[i].id), PT_OK);
        cr_assert_eq(pt_block_new(&t[i].block), PT_OK);
    }
    for (uint32_t turn = 0; turn < turns; turn++) {
        struct flow_thread *now = &t[dice(&state, threads)];
        now->time = now->time < time ? time : now->time;
        for (uint32_t n = 1 + dice(&state, 30); n; n--)
            flow_turn(f, now, damage);
        time = now->time - dice(&state, 20);
        if (dice(&state, 4) == 0)
            flow_flush(f, now);
    }
    for (uint32_t i = 0; i < threads; i++) {
        flow_flush(f, &t[i]);
        pt_block_free(t[i].block);
    }
    free(t);
    flow_ready(f);
    return code;
}

Test(replay_history, flow_both_ways)
{
    for (uint32_t threads = 1; threads < 5; threads += 3) {
        struct flow f;
        uint32_t code = make_flow(&f, threads, 150, 0);
        expect_history(f.trace, 0, "flow");
        expect_history(f.trace, 1, "flow of one thread");
        expect_searches(f.trace, code, 5);
        flow_end(&f);
    }
}

Test(replay_history, flow_that_does_not_fit)
{
    struct flow f;
    uint32_t code = make_flow(&f, 3, 150, 6);
    expect_history(f.trace, 0, "flow with desyncs");
    expect_searches(f.trace, code, 5);
    flow_end(&f);
}

/* --- chunks that cannot be read --------------------------------------------
 */

/* Spoils the bodies of some of a file's events chunks. */
static size_t
spoil(const char *path, uint64_t seed)
{
    struct pt_trace *trace;
    size_t spoilt = 0;
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(pt_trace_open(path, NULL, &trace), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        if (info->type != PT_CHUNK_EVENTS || dice(&seed, 4))
            continue;
        uint64_t body = info->offset + PT_CHUNK_HEADER_SIZE;
        fseek(file, (long)(body + info->packed_size - 1), SEEK_SET);
        int last = fgetc(file);
        fseek(file, -1, SEEK_CUR);
        fputc(last ^ 0x55, file);
        spoilt++;
    }
    pt_trace_close(trace);
    fclose(file);
    return spoilt;
}

Test(replay_history, chunks_that_cannot_be_read)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct flow f;
        make_flow(&f, 1 + 2 * (seed % 2), 120, 2);
        pt_trace_close(f.trace);
        size_t spoilt = spoil(f.place.path, seed);
        cr_assert_gt(spoilt, 0u);
        cr_assert_eq(pt_trace_open(f.place.path, NULL, &f.trace), PT_OK);
        expect_damaged(f.trace, "spoilt");
        struct pt_history *h = open_history(f.trace, 0, 1);
        while (pt_history_next(h, PT_GRAIN_EVENT) == PT_OK)
            ;
        cr_expect_eq(pt_history_trouble(h).bad_chunks, spoilt);
        pt_history_close(h);
        flow_end(&f);
    }
}

/* What is missing is told behind it, from whatever side one comes. */
Test(replay_history, holes_are_told)
{
    struct synth s;
    struct pt_here at;
    synth_begin(&s);
    uint32_t code = synth_code(&s, "f");
    s.thread = synth_thread(&s, 1);
    for (int64_t i = 0; i < 5; i++) {
        struct pt_event e = i == 3 ? ev_gap(100 * i, 17)
                                   : ev_enter(PT_CALL, 100 * i + 1, code, 0);
        synth_event(&s, &e);
        e = ev_plain(PT_RETURN, 100 * i + 50);
        if (i != 3)
            synth_event(&s, &e);
        synth_flush(&s);
    }
    struct pt_trace *trace = synth_end(&s);
    size_t chunks = 0;
    FILE *file = fopen(s.place.path, "r+b");
    cr_assert_not_null(file);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        if (info->type != PT_CHUNK_EVENTS)
            continue;
        if (chunks == 1 || chunks == 2) {
            fseek(file, (long)info->offset + PT_CHUNK_HEADER_SIZE + 8,
                  SEEK_SET);
            fputc(0xee, file);
        }
        chunks++;
    }
    fclose(file);
    pt_trace_close(trace);
    cr_assert_eq(pt_trace_open(s.place.path, NULL, &trace), PT_OK);
    without_flow(trace);
    struct pt_history *h = open_history(trace, 0, 0);
    cr_assert_eq(pt_history_seek(h, 2, 0), PT_EDAMAGED);
    cr_assert_eq(pt_history_here(h, &at), PT_END, "the position stays");
    cr_assert_eq(pt_history_seek(h, 6, 0), PT_OK);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    cr_expect_eq(at.event->kind, PT_GAP);
    cr_expect_eq(at.ran, PT_RAN_GAP);
    cr_expect_eq(at.missing, 17u + 4u, "%lu", (unsigned long)at.missing);
    cr_assert_eq(pt_history_next(h, PT_GRAIN_EVENT), PT_OK);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    cr_expect_eq(at.ran, PT_RAN_UNTOLD);
    pt_history_begin(h);
    pt_history_next(h, PT_GRAIN_EVENT);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    cr_expect_eq(at.seq, 0u);
    cr_expect_eq(at.missing, 0u);
    cr_expect_eq(pt_history_trouble(h).bad_chunks, 2u);
    cr_expect_eq(pt_history_trouble(h).gaps, 1u);
    cr_expect_eq(pt_history_trouble(h).lost, 17u);
    pt_history_close(h);
    pt_trace_close(trace);
    synth_clear(&s);
}

/* --- by time ----------------------------------------------------------------
 */

Test(replay_history, times)
{
    struct synth s;
    struct pt_trace *trace = make_threads(&s, 6, 200, 30);
    without_flow(trace);
    struct items all = of_cursor(trace, 0, NULL);
    struct pt_history *h = open_history(trace, 0, 1);
    struct pt_here at;
    cr_assert_eq(pt_history_seek_time(h, all.all[0].event.time - 1), PT_OK);
    cr_expect_eq(pt_history_here(h, &at), PT_END, "before all");
    cr_assert_eq(pt_history_next(h, PT_GRAIN_ITEM), PT_OK);
    struct item got = here(h);
    expect_same(&all.all[0], &got, "the first");
    for (size_t i = 0; i + 1 < all.n; i++) {
        if (all.all[i].event.time == all.all[i + 1].event.time)
            continue;
        cr_assert_eq(pt_history_seek_time(h, all.all[i].event.time), PT_OK);
        got = here(h);
        expect_same(&all.all[i], &got, "by time");
        cr_assert_eq(pt_history_seek_time(h, all.all[i + 1].event.time - 1),
                     PT_OK);
        got = here(h);
        expect_same(&all.all[i], &got, "by a time between");
    }
    cr_assert_eq(pt_history_seek_time(h, INT64_MAX), PT_OK);
    got = here(h);
    expect_same(&all.all[all.n - 1], &got, "behind all");
    pt_history_close(h);
    free(all.all);
    pt_trace_close(trace);
    synth_clear(&s);
}
