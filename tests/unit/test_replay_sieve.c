/* Rules that follow the stack: what is left of random traces, by the cursor and
 * by chunks of any length, against rules written down once more. */
#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS = 6000, CODES = 5, CALLABLES = 2 };

/* --- traces --------------------------------------------------------------- */

/* A thread that calls, returns and makes C calls at random, each event at a
 * time of its own; the same for a seed, whatever the chunks are. */
static struct pt_trace *
make(struct synth *s, uint64_t seed, uint32_t chunk)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    uint32_t codes[CODES], callables[CALLABLES];
    synth_begin(s);
    for (unsigned i = 0; i < CODES; i++)
        codes[i] = synth_code(s, names[i]);
    for (unsigned i = 0; i < CALLABLES; i++)
        callables[i] = synth_callable(s, PT_CALLABLE_BUILTIN, names[i]);
    s->thread = synth_thread(s, 1);
    for (int64_t time = 1; time <= EVENTS; time++) {
        bool in_c =
            s->stack.depth && s->stack.frames[s->stack.depth - 1].callable;
        uint32_t what = dice(&seed, 20);
        struct pt_event e =
            what < 8    ? ev_enter(PT_CALL, time, codes[dice(&seed, CODES)], 0)
            : what < 9  ? ev_enter(PT_RESUME, time, codes[dice(&seed, CODES)],
                                   1 + dice(&seed, 3))
            : what < 12 ? ev_c_call(time, callables[dice(&seed, CALLABLES)])
            : what < 13 ? ev_gap(time, 3)
            : what < 14 ? ev_plain(PT_THREAD, time)
            : what < 15 ? ev_at(PT_BRANCH, 2 * dice(&seed, 8))
            : in_c && what & 1    ? ev_plain(PT_C_RETURN, time)
            : s->stack.depth == 0 ? ev_enter(PT_CALL, time, codes[0], 0)
            : what < 19           ? ev_plain(PT_RETURN, time)
                                  : ev_plain(PT_YIELD, time);
        if (what < 9 && s->stack.depth) {
            e.has |= PT_HAS(OFF);
            e.pos = 2 * dice(&seed, 8);
        }
        if (what == 13)
            e.has |= PT_HAS(ARG);
        synth_event(s, &e);
        if (chunk && time % chunk == 0)
            synth_flush(s);
    }
    return synth_end(s);
}

/* --- the rules once more -------------------------------------------------- */

/* What a filter lets pass: a bit per code; --function, --max-depth. */
struct oracle {
    unsigned keeps, opens; /* bit per code id */
    unsigned depth;
    const struct pt_rule *rules;
    size_t nrules;
};

struct entry {
    bool callable, kept, within;
    uint32_t count, off;
};

/* What is left: the event's seq, and where its caller stands if it enters. */
struct left {
    uint64_t seq;
    uint32_t off; /* UINT32_MAX none */
    uint8_t kind;
};

struct lefts {
    struct left items[EVENTS];
    size_t n;
};

static size_t
python_top(const struct entry *stack, size_t n)
{
    while (n && stack[n - 1].callable)
        n--;
    return n;
}

static bool
closes_c_calls(uint8_t kind)
{
    return pt_kind_leaves(kind) || kind == PT_C_CALL || kind == PT_BRANCH;
}

static void
judge(const struct oracle *o, const struct pt_trace *trace, struct lefts *out)
{
    struct entry stack[EVENTS + 1];
    size_t n = 0;
    struct pt_cursor *c;
    struct pt_merged m;
    out->n = 0;
    cr_assert_eq(pt_cursor_new(trace, NULL, &c), PT_OK);
    while (pt_cursor_next(c, &m) == PT_OK) {
        const struct pt_event *e = m.event;
        uint32_t off = UINT32_MAX;
        bool kept = e->kind == PT_GAP || e->kind == PT_THREAD;
        if (closes_c_calls(e->kind))
            n = python_top(stack, n);
        size_t top = python_top(stack, n);
        if (top && e->has & PT_HAS(OFF))
            stack[top - 1].off = e->pos;
        if (pt_kind_enters(e->kind)) {
            struct entry new = {false, false, o->opens == 0, 0, UINT32_MAX};
            for (size_t i = 0; i < n; i++) {
                new.within |= !stack[i].callable &&stack[i].within;
                new.count += !stack[i].callable &&stack[i].kept;
                if (!stack[i].callable && stack[i].kept)
                    off = stack[i].off;
            }
            new.within |= o->opens >> e->id & 1;
            new.kept =
                o->keeps >> e->id & 1 && new.within &&new.count < o->depth;
            kept = new.kept;
            stack[n++] = new;
            if (!(e->has & PT_HAS(OFF)))
                off = UINT32_MAX;
        } else if (!kept) {
            kept = top && stack[top - 1].kept;
            if (e->kind == PT_C_CALL)
                stack[n++] = (struct entry){.callable = true};
            else if (e->kind == PT_C_RETURN)
                n -= n && stack[n - 1].callable;
            else if (pt_kind_leaves(e->kind))
                n -= n > 0;
        }
        if (kept)
            out->items[out->n++] = (struct left){m.seq, off, e->kind};
    }
    pt_cursor_free(c);
}

/* --- what replay makes of it ---------------------------------------------- */

static struct pt_filter *
filter_of(const struct pt_trace *trace, const struct oracle *o)
{
    struct pt_filter_spec spec = {.rules = o->rules, .nrules = o->nrules};
    struct pt_filter *f;
    cr_assert_eq(pt_filter_new(trace, &spec, NULL, &f), PT_OK);
    return f;
}

static void
expect_left(const struct left *want, uint64_t seq, const struct pt_event *e)
{
    cr_assert_eq(seq, want->seq);
    cr_assert_eq(e->kind, want->kind);
    if (pt_kind_enters(e->kind))
        cr_assert_eq(e->has & PT_HAS(OFF) ? e->pos : UINT32_MAX, want->off,
                     "the caller of event %lu", (unsigned long)seq);
}

/* By the cursor; its stack only has frames that are left. */
static void
expect_cursor(const struct pt_trace *trace, const struct pt_filter *f,
              const struct lefts *want)
{
    struct pt_cursor *c;
    struct pt_merged m;
    size_t n = 0;
    cr_assert_eq(pt_cursor_new(trace, f, &c), PT_OK);
    while (pt_cursor_next(c, &m) == PT_OK) {
        cr_assert_lt(n, want->n);
        expect_left(&want->items[n++], m.seq, m.event);
        for (size_t i = 0; i < m.stack->depth; i++)
            if (!m.stack->frames[i].callable)
                cr_assert(pt_filter_code(f, m.stack->frames[i].id));
        cr_assert_leq(m.stack->depth, 2 * (size_t)f->depth);
    }
    cr_expect_eq(n, want->n);
    pt_cursor_free(c);
}

/* By chunks, each of which is judged by itself, and whose stack is that to
 * which the chunk before has led. */
static void
expect_chunks(const struct pt_trace *trace, const struct pt_filter *f,
              const struct lefts *want)
{
    struct pt_decoder *d;
    struct pt_sieve *sieve;
    struct pt_events whole, left;
    struct pt_stack stack = {0};
    struct pt_step step;
    size_t n = 0;
    cr_assert_eq(pt_decoder_new(trace, &d), PT_OK);
    cr_assert_eq(pt_sieve_new(f, &sieve), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        uint32_t counted = 0;
        if (pt_trace_chunk(trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(d, i, &whole), PT_OK);
        cr_assert_eq(pt_sieve_chunk(sieve, &whole, &left), PT_OK);
        cr_assert_eq(left.info->events, whole.info->events);
        cr_assert_eq(pt_stack_sync(&stack, &left), PT_OK);
        for (uint32_t k = 0; k < left.info->events; k++) {
            const struct pt_event *e = &left.events[k];
            uint64_t seq = left.info->seq + k;
            cr_assert_eq(pt_stack_step(&stack, e, seq, &step), PT_OK);
            if (e->kind == PT_KIND_NONE)
                continue;
            cr_assert_lt(n, want->n);
            expect_left(&want->items[n++], seq, e);
        }
        for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
            counted += left.info->counts[k];
        cr_assert_leq(counted, left.info->events);
    }
    cr_expect_eq(n, want->n);
    cr_expect_eq(stack.desyncs, 0u);
    pt_stack_clear(&stack);
    pt_sieve_free(sieve);
    pt_decoder_free(d);
}

static const struct pt_rule rules[] = {
    {PT_RULE_EXCLUDE, "b"},  {PT_RULE_EXCLUDE, "d"},   {PT_RULE_FUNCTION, "c"},
    {PT_RULE_FUNCTION, "d"}, {PT_RULE_MAX_DEPTH, "2"}, {PT_RULE_ONLY, "[a-c]"},
};
/* Ids of code objects are 1 to 5. */
static const struct oracle oracles[] = {
    {1 << 1 | 1 << 3 | 1 << 5, 0, 1 << 20, &rules[0], 2},
    {1 << 1 | 1 << 2 | 1 << 3 | 1 << 5, 1 << 3, 1 << 20, &rules[1], 2},
    {~0u, 1 << 3 | 1 << 4, 1 << 20, &rules[2], 2},
    {~0u, 1 << 4, 2, &rules[3], 2},
    {~0u, 0, 2, &rules[4], 1},
    {1 << 1 | 1 << 2 | 1 << 3, 0, 2, &rules[4], 2},
    {1 << 1 | 1 << 2 | 1 << 3, 0, 1 << 20, &rules[5], 1},
};

static void
check(uint32_t chunk)
{
    static struct lefts want;
    struct synth s;
    struct pt_trace *trace = make(&s, 7 + chunk, chunk);
    for (size_t i = 0; i < sizeof oracles / sizeof *oracles; i++) {
        struct pt_filter *f = filter_of(trace, &oracles[i]);
        judge(&oracles[i], trace, &want);
        cr_assert_gt(want.n, 100u);
        cr_assert_lt(want.n, (size_t)EVENTS);
        expect_cursor(trace, f, &want);
        expect_chunks(trace, f, &want);
        pt_filter_free(f);
    }
    pt_trace_close(trace);
    synth_clear(&s);
}

Test(replay_sieve, one_chunk)
{
    check(0);
}

Test(replay_sieve, chunks)
{
    check(97);
}

Test(replay_sieve, chunks_of_one_event)
{
    check(1);
}

/* --- --start-at ----------------------------------------------------------- */

static void
expect_from(const struct pt_trace *trace, const char *place, uint64_t seq)
{
    const struct pt_rule rule = {PT_RULE_START_AT, place};
    const struct oracle o = {.rules = &rule, .nrules = 1};
    static struct lefts want;
    struct pt_filter *f = filter_of(trace, &o);
    struct pt_cursor *c;
    struct pt_merged m;
    cr_assert_eq(pt_cursor_new(trace, f, &c), PT_OK);
    want.n = 0;
    while (pt_cursor_next(c, &m) == PT_OK)
        want.items[want.n++] = (struct left){m.seq, UINT32_MAX, m.event->kind};
    pt_cursor_free(c);
    cr_assert_gt(want.n, 0u);
    cr_expect_eq(want.items[0].seq, seq);
    cr_expect_eq(want.n, EVENTS - seq);
    pt_filter_free(f);
}

/* From the first call of a function on, whatever resumed it before. */
Test(replay_sieve, starts)
{
    for (uint32_t chunk = 1; chunk < 300; chunk = 2 * chunk + 1) {
        struct synth s;
        struct pt_trace *trace = make(&s, 5, chunk);
        struct pt_cursor *c;
        struct pt_merged m;
        uint64_t first = UINT64_MAX;
        cr_assert_eq(pt_cursor_new(trace, NULL, &c), PT_OK);
        while (first == UINT64_MAX && pt_cursor_next(c, &m) == PT_OK)
            if (m.event->kind == PT_CALL && m.event->id == 5)
                first = m.seq;
        pt_cursor_free(c);
        cr_assert_gt(first, 0u);
        expect_from(trace, "e", first);
        pt_trace_close(trace);
        synth_clear(&s);
    }
}
