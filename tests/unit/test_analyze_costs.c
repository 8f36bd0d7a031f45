/* A profile without what recording took, worked out by hand. */
#include "tests/unit/test_replay.h"

#include "analyze/profile_fold.h"

#include <criterion/criterion.h>

static const struct pt_costs costs = {.of = {[PT_CALL] = {10000, 20000},
                                             [PT_RETURN] = {5000, 15000},
                                             [PT_C_CALL] = {8000, 7000},
                                             [PT_C_RETURN] = {6000, 9000},
                                             [PT_BRANCH] = {2000, 2000}}};

/* A calls X of C, branches thrice, calls B; then B once more for 5 ns. */
static struct pt_trace *
make_trace(struct synth *s, bool with_costs)
{
    synth_begin(s);
    s->thread = synth_thread(s, 1);
    uint32_t a = synth_code(s, "a"), b = synth_code(s, "b");
    uint32_t x = synth_callable(s, PT_CALLABLE_BUILTIN, "x");
    struct pt_costs of = costs;
    of.process = s->process;
    if (with_costs)
        cr_assert_eq(pt_writer_costs(s->writer, &of), PT_OK);
    const struct pt_event events[] = {
        ev_enter(PT_CALL, 1000, a, 0), ev_c_call(1200, x),
        ev_plain(PT_C_RETURN, 1300),   ev_at(PT_BRANCH, 4),
        ev_at(PT_BRANCH, 4),           ev_at(PT_BRANCH, 4),
        ev_enter(PT_CALL, 1500, b, 0), ev_plain(PT_RETURN, 1700),
        ev_plain(PT_RETURN, 2000),     ev_enter(PT_CALL, 3000, b, 0),
        ev_plain(PT_RETURN, 3005),
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        synth_event(s, &events[i]);
    synth_flush(s);
    return synth_end(s);
}

static struct pt_profile *
make_profile(const struct pt_trace *trace)
{
    struct pt_profile_options options = {
        .edges = true, .tree = true, .compensate = true};
    struct pt_trouble trouble = {0};
    struct pt_profile *p;
    struct pt_error error;
    cr_assert_eq(pt_profile_new(trace, NULL, &options, &p), PT_OK);
    struct pt_fold fold = pt_profile_fold(p);
    cr_assert_eq(pt_pass_run(trace, NULL, &fold, 1, &trouble, &error), PT_OK);
    cr_assert_eq(pt_profile_finish(p), PT_OK);
    return p;
}

static const struct pt_profile_function *
function(const struct pt_profile *p, uint32_t id, bool callable)
{
    for (uint32_t i = 1; i < p->nfunctions; i++)
        if (p->names[i].id == id && p->names[i].callable == callable)
            return &p->functions[i];
    cr_assert(false, "no function %u", id);
    return NULL;
}

Test(analyze_costs, are_taken_out_where_they_were)
{
    struct synth s;
    struct pt_trace *trace = make_trace(&s, true);
    struct pt_profile *p = make_profile(trace);
    const struct pt_profile_function *a = function(p, 1, false),
                                     *b = function(p, 2, false),
                                     *x = function(p, 1, true);
    /* 200 - 20 - 8, 200 - 9 - 3 * 4 - 10, 300 - 15 - 5 */
    cr_expect_eq(a->exclusive, 172u + 169u + 280u);
    cr_expect_eq(x->exclusive, 100u - 7u - 6u);
    cr_expect_eq(x->max, 87u);
    /* 200 - 20 - 5, and 5 - 20 - 5, which no call can take */
    cr_expect_eq(b->exclusive, 175u - 20u);
    cr_expect_eq(b->min, 0u);
    cr_expect_eq(b->max, 175u);
    cr_expect_eq(a->inclusive, 621u + 87u + 175u);
    cr_expect_eq(p->below, 0u);
    cr_expect_not(p->uncosted);
    cr_expect_eq(p->compensated, 28u + 31u + 20u + 13u + 25u + 25u);
    const struct pt_calltree_node *root = &p->tree->nodes[0];
    cr_expect_eq(p->tree->nodes[root->first].inclusive, a->inclusive);
    pt_profile_free(p);
    pt_trace_close(trace);
    synth_clear(&s);
}

Test(analyze_costs, unknown_ones_are_told_of)
{
    struct synth s;
    struct pt_trace *trace = make_trace(&s, false);
    struct pt_profile *p = make_profile(trace);
    cr_expect_eq(function(p, 1, false)->inclusive, 1000u);
    cr_expect_eq(p->compensated, 0u);
    cr_expect(p->uncosted);
    pt_profile_free(p);
    pt_trace_close(trace);
    synth_clear(&s);
}
