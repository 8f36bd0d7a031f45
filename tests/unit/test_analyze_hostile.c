/* Traces whose chunks are well formed and whose events are not: kinds and
 * columns at random, ids that are not defined, keyframes and times that
 * contradict all else.  Nothing may crash; under SAN= nothing may be undefined
 * either. */
#include "tests/unit/test_replay.h"

#include "analyze/heat.h"
#include "analyze/profile_fold.h"
#include "analyze/spans.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ROUNDS = 60, CHUNKS = 12, IDS = 4 };

static struct pt_event
random_event(uint64_t *state, int64_t base)
{
    struct pt_event e = {.kind = (uint8_t)(1 + dice(state, 23)),
                         .has = PT_HAS(TIME)};
    if (pt_kind_enters(e.kind))
        e.has |= PT_HAS(CODE) | PT_HAS(ARG);
    if (e.kind == PT_C_CALL)
        e.has |= PT_HAS(CALLEE);
    if (e.kind == PT_LINE)
        e.has |= PT_HAS(LINE);
    if (e.kind >= PT_INSTRUCTION && e.kind <= PT_HANDLED)
        e.has |= PT_HAS(OFF) | PT_HAS(DST);
    if (dice(state, 5) == 0) {
        static const uint8_t ids[] = {PT_HAS(CODE), PT_HAS(CALLEE),
                                      PT_HAS(TYPE), 0};
        static const uint8_t places[] = {PT_HAS(LINE), PT_HAS(OFF), 0};
        e.has = ids[dice(state, 4)] | places[dice(state, 3)];
        e.has |= dice(state, 2) ? PT_HAS(TIME) : PT_HAS(ARG);
    }
    e.time = dice(state, 20) ? base + dice(state, 3000)
                             : (int64_t)((uint64_t)dice(state, 1u << 30)
                                         << dice(state, 33));
    e.id = 1 + dice(state, dice(state, 9) ? IDS : 2 * IDS);
    e.pos = dice(state, 3) ? dice(state, 200) : UINT32_MAX - dice(state, 3);
    e.dst = dice(state, 200);
    e.arg = dice(state, 2) ? dice(state, 5) : UINT64_MAX;
    return e;
}

static struct pt_frame
random_frame(uint64_t *state)
{
    return (struct pt_frame){
        .key = dice(state, 3),
        .seq = dice(state, 9),
        .id = 1 + dice(state, dice(state, 9) ? IDS : 2 * IDS),
        .line = dice(state, 2),
        .off = dice(state, 2) ? UINT32_MAX : dice(state, 200),
        .callable = (uint8_t)dice(state, 2),
        .time = dice(state, 3)   ? (int64_t)dice(state, 1u << 30) - 5000000
                : dice(state, 2) ? INT64_MIN
                                 : INT64_MAX};
}

static struct pt_trace *
make(struct synth *s, uint64_t *state)
{
    struct pt_frame stack[8];
    uint32_t threads[3];
    synth_begin(s);
    for (unsigned i = 0; i < IDS; i++) {
        char name[2] = {(char)('a' + i), 0};
        synth_code(s, name);
        synth_callable(s, (uint8_t)(i + 1), name);
    }
    for (unsigned i = 0; i < 3; i++)
        threads[i] = synth_thread(s, i);
    for (unsigned c = 0; c < CHUNKS; c++) {
        unsigned n = 1 + dice(state, 300), depth = dice(state, 8);
        for (unsigned i = 0; i < n; i++) {
            struct pt_event e = random_event(state, 1000000 + 5000 * c);
            /* A block holds only so many shapes. */
            enum pt_status st =
                pt_block_push(s->block, e.kind, e.has, (uint64_t)e.time, e.id,
                              e.pos, e.dst, e.arg);
            cr_assert(st == PT_OK || st == PT_ELIMIT);
        }
        for (unsigned i = 0; i < depth; i++) {
            stack[i] = random_frame(state);
            /* Two of them on each other are damage. */
            if (i > 0 && stack[i - 1].callable)
                stack[i].callable = 0;
        }
        cr_assert_eq(pt_writer_events(s->writer, s->block, s->process,
                                      threads[dice(state, 3)], stack, depth,
                                      NULL),
                     PT_OK);
    }
    return synth_end(s);
}

static void
profile_it(const struct pt_trace *trace, const struct pt_filter *filter,
           bool edges, unsigned tree)
{
    struct pt_profile_options options = {.all_calls = edges,
                                         .edges = edges,
                                         .tree = tree != 0,
                                         .threads = tree > 1,
                                         .by = (enum pt_profile_by)(tree % 3),
                                         .limits = {16 << tree, 2 + tree}};
    struct pt_trouble trouble = {0};
    struct pt_error error;
    struct pt_profile *p;
    cr_assert_eq(pt_profile_new(trace, filter, &options, &p), PT_OK);
    struct pt_fold fold = pt_profile_fold(p);
    cr_expect_eq(pt_pass_run(trace, filter, &fold, 1, &trouble, &error), PT_OK);
    cr_expect_eq(pt_profile_finish(p), PT_OK);
    for (uint32_t i = 0; i < p->nfunctions; i++)
        cr_expect_eq(p->functions[i].level, 0u);
    for (uint32_t i = 1; p->tree && i < p->tree->n; i++)
        cr_expect_lt(p->tree->nodes[i].parent, i);
    pt_profile_free(p);
}

/* Lines and opcodes, in two parts: nothing stays on a stack. */
static void
heat_it(const struct pt_trace *trace, const struct pt_filter *filter,
        enum pt_heat_source source)
{
    struct pt_profile_options options = {.all_calls = source % 2};
    struct pt_heat_options how = {.source = source, .pairs = true};
    struct pt_trouble trouble = {0};
    struct pt_error error;
    struct pt_profile *p;
    struct pt_heat_plan *plan;
    struct pt_heat *parts[2];
    struct pt_fold folds[2];
    cr_assert_eq(pt_profile_new(trace, filter, &options, &p), PT_OK);
    cr_assert_eq(pt_heat_plan_new(p, &how, &plan), PT_OK);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(pt_heat_new(plan, &parts[i]), PT_OK);
        folds[i] = pt_heat_fold(parts[i]);
    }
    cr_expect_eq(pt_pass_spread(trace, filter, folds, 2, &trouble, &error),
                 PT_OK);
    cr_expect_eq(pt_heat_merge(parts[0], parts[1]), PT_OK);
    cr_expect_eq(pt_heat_finish(parts[0]), PT_OK);
    for (unsigned i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < p->nfunctions; k++)
            cr_expect_eq(parts[i]->functions[k].level, 0u);
        for (uint32_t k = 0; k < parts[i]->nlines; k++)
            cr_expect_eq(parts[i]->lines[k].level, 0u);
        pt_heat_free(parts[i]);
    }
    pt_heat_plan_free(plan);
    pt_profile_free(p);
}

/* What spans were told, by thread id. */
struct told {
    int64_t last[IDS];
    size_t depth[IDS];
    uint64_t calls, exclusive, spent;
};

static enum pt_status
begun(void *state, const struct pt_span_lane *lane)
{
    struct told *t = state;
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    cr_assert_lt(lane->thread, (uint32_t)IDS);
    cr_expect_eq(lane->depth, ++t->depth[lane->thread]);
    cr_expect_geq(span->start, t->last[lane->thread]);
    t->last[lane->thread] = span->start;
    return PT_OK;
}

static enum pt_status
ended(void *state, const struct pt_span_lane *lane, int64_t time)
{
    struct told *t = state;
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    cr_expect_eq(lane->depth, t->depth[lane->thread]--);
    cr_expect_geq(time, t->last[lane->thread]);
    t->last[lane->thread] = time;
    t->calls += !span->partial;
    t->exclusive += span->exclusive;
    return PT_OK;
}

static enum pt_status
spent(void *state, const struct pt_span_lane *lane, uint64_t ns, uint32_t line)
{
    ((struct told *)state)->spent += ns;
    return PT_OK;
}

/* Nested, in order, and as much as the profile has. */
static void
tell_spans(const struct pt_trace *trace, const struct pt_filter *filter,
           bool all_calls)
{
    struct told told = {.calls = 0};
    struct pt_spans_options how = {all_calls, false};
    struct pt_span_sink sink = {&told, begun, ended, spent, NULL};
    struct pt_profile_options options = {.all_calls = all_calls};
    struct pt_trouble trouble = {0};
    struct pt_error error;
    struct pt_spans *spans;
    struct pt_profile *p;
    for (unsigned i = 0; i < IDS; i++)
        told.last[i] = INT64_MIN;
    cr_assert_eq(pt_spans_new(trace, filter, &how, &sink, &spans), PT_OK);
    cr_assert_eq(pt_profile_new(trace, filter, &options, &p), PT_OK);
    struct pt_fold folds[] = {pt_spans_fold(spans), pt_profile_fold(p)};
    cr_expect_eq(pt_pass_run(trace, filter, folds, 2, &trouble, &error), PT_OK);
    cr_expect_eq(pt_spans_finish(spans), PT_OK);
    cr_expect_eq(pt_profile_finish(p), PT_OK);
    uint64_t calls = 0, exclusive = 0;
    for (uint32_t i = 1; i < p->nfunctions; i++) {
        calls += p->functions[i].calls;
        exclusive += p->functions[i].exclusive;
    }
    cr_expect_eq(told.calls, calls);
    cr_expect_eq(told.exclusive, exclusive);
    cr_expect_eq(told.spent, exclusive);
    for (unsigned i = 0; i < IDS; i++)
        cr_expect_eq(told.depth[i], 0u);
    pt_profile_free(p);
    pt_spans_free(spans);
}

static uint64_t
walk(const struct pt_trace *trace, const struct pt_filter *filter)
{
    struct pt_cursor *c;
    struct pt_merged m;
    enum pt_status st;
    uint64_t n = 0;
    cr_assert_eq(pt_cursor_new(trace, filter, &c), PT_OK);
    while ((st = pt_cursor_next(c, &m)) == PT_OK)
        n++;
    cr_expect_eq(st, PT_END);
    pt_cursor_free(c);
    return n;
}

Test(analyze_hostile, events_at_random)
{
    static const struct pt_rule rules[] = {{PT_RULE_EXCLUDE, "a"},
                                           {PT_RULE_FUNCTION, "b"},
                                           {PT_RULE_MAX_DEPTH, "2"}};
    struct pt_filter_spec spec = {.from = "3us", .to = "1001000ns"};
    uint64_t state = 11;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct synth s;
        struct pt_filter *filter;
        struct pt_trace *trace = make(&s, &state);
        spec.rules = &rules[round % 3];
        spec.nrules = 1 + round % 4 % (3 - round % 3);
        cr_assert_eq(pt_filter_new(trace, &spec, NULL, &filter), PT_OK);
        for (unsigned i = 0; i < 4; i++)
            profile_it(trace, i & 1 ? filter : NULL, i > 1, round % 5);
        for (unsigned i = 0; i < 2; i++)
            heat_it(trace, i ? filter : NULL, (enum pt_heat_source)(round % 3));
        for (unsigned i = 0; i < 4; i++)
            tell_spans(trace, i & 1 ? filter : NULL, i > 1);
        cr_expect_eq(walk(trace, NULL), pt_trace_end(trace)->events);
        walk(trace, filter);
        pt_filter_free(filter);
        pt_trace_close(trace);
        synth_clear(&s);
    }
}

/* A start is searched for, and may not be there. */
Test(analyze_hostile, starts_at_random)
{
    static const struct pt_rule rules[] = {{PT_RULE_START_AT, "c"},
                                           {PT_RULE_START_AT, "*.py:3"}};
    uint64_t state = 12;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct pt_filter_spec spec = {.rules = &rules[round & 1], .nrules = 1};
        struct synth s;
        struct pt_filter *filter = NULL;
        struct pt_trace *trace = make(&s, &state);
        enum pt_status st = pt_filter_new(trace, &spec, NULL, &filter);
        cr_assert(st == PT_OK || st == PT_ENOTFOUND || st == PT_EUSAGE);
        if (st == PT_OK) {
            profile_it(trace, filter, true, round % 5);
            heat_it(trace, filter, (enum pt_heat_source)(round % 3));
            walk(trace, filter);
        }
        pt_filter_free(filter);
        pt_trace_close(trace);
        synth_clear(&s);
    }
}
