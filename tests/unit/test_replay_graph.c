/* Graphs of code objects: decoding, blocks, and bytes that make no sense. */
#include "tests/unit/test_replay_flow.h"

#include <criterion/criterion.h>
#include <string.h>

Test(replay_graph, instructions)
{
    /* 0 RESUME 2 EXTENDED_ARG 4 POP_JUMP_IF_FALSE 258 (nowhere) 6 CALL
     * 14 JUMP_FORWARD to 18 16 LOAD 18 RETURN_VALUE */
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f,
                              "1: RESUME; EXTENDED_ARG 1;"
                              "POP_JUMP_IF_FALSE 2; 2: CALL; JUMP_FORWARD 1;"
                              "3: LOAD; RETURN_VALUE",
                              NULL);
    flow_ready(&f);
    const struct pt_graph *g = flow_graph(&f, code);
    cr_expect_eq(flow_graph(&f, code), g, "made once");
    cr_expect_eq(g->n, 7u);
    cr_expect_eq(g->start, 0u);
    cr_expect_eq(g->units, 10u);
    cr_expect_eq(g->turns, 1u);
    cr_expect_eq(g->ins[2].arg, 258u);
    cr_expect_eq(g->ins[2].cls, PT_INS_COND);
    cr_expect_eq(g->ins[2].target, PT_INS_NONE);
    cr_expect_eq(g->ins[4].target, 6u);
    cr_expect_eq(pt_graph_index(g, 6), 3u);
    cr_expect_eq(pt_graph_index(g, 12), 3u, "a cache is its instruction's");
    cr_expect_eq(pt_graph_index(g, 14), 4u);
    cr_expect_eq(pt_graph_index(g, 20), PT_INS_NONE);
    cr_expect_eq(pt_graph_index(g, UINT32_MAX), PT_INS_NONE);
    static const uint32_t runs[] = {2, 2, 2, 4, 4, 6, 6, 7};
    static const uint32_t lines[] = {1, 1, 1, 2, 2, 3, 3, 0};
    for (uint32_t i = 0; i < 8; i++) {
        cr_expect_eq(g->ins[i].run, runs[i], "run of %u", i);
        cr_expect_eq(g->ins[i].line, lines[i], "line of %u", i);
    }
    cr_expect_not(g->ins[0].flags & PT_INS_FIRES, "RESUME is not told");
    cr_expect(g->ins[1].flags & PT_INS_FIRES);
    cr_expect_null(pt_graph_cache_at(f.graphs, 0));
    cr_expect_null(pt_graph_cache_at(f.graphs, 99));
    flow_end(&f);
}

/* What FOR_ITER skips when its iterator is exhausted. */
Test(replay_graph, ends_of_loops)
{
    static const struct {
        uint32_t version, exit;
    } cases[] = {{PY_3_12, 4}, {PY_3_13, 5}, {PY_3_14, 4}};
    for (unsigned i = 0; i < 3; i++) {
        struct flow f;
        flow_begin(&f, cases[i].version);
        uint32_t code = flow_code(&f,
                                  "RESUME; FOR_ITER 1; LOAD; END_FOR; POP_TOP;"
                                  "RETURN_VALUE",
                                  NULL);
        flow_ready(&f);
        cr_expect_eq(flow_graph(&f, code)->ins[1].target, cases[i].exit);
        flow_end(&f);
    }
}

/* A generator's frame begins behind what makes the generator, also where that
 * stands behind a RESUME of its own (3.15). */
Test(replay_graph, start)
{
    struct flow f;
    flow_begin(&f, PY_3_14);
    uint32_t plain = flow_code(&f,
                               "RETURN_GENERATOR; POP_TOP; RESUME 0;"
                               "YIELD_VALUE; RESUME 1; RETURN_VALUE",
                               NULL);
    uint32_t early = flow_code(&f,
                               "RESUME 4; LOAD; RETURN_GENERATOR; POP_TOP;"
                               "RESUME 0; RETURN_VALUE",
                               NULL);
    uint32_t none = flow_code(&f, "LOAD; RETURN_VALUE", NULL);
    flow_ready(&f);
    cr_expect_eq(flow_graph(&f, plain)->start, 2u);
    cr_expect_eq(flow_graph(&f, early)->start, 4u);
    cr_expect_eq(flow_graph(&f, none)->start, PT_INS_NONE);
    flow_end(&f);
}

Test(replay_graph, handlers)
{
    static const struct guard table[] = {
        {1, 2, 5}, {2, 3, 4}, {4, 5, 5}, {0, 0, 0}};
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f,
                              "RESUME; LOAD; LOAD; RETURN_VALUE;"
                              "PUSH_EXC_INFO; RERAISE",
                              table);
    flow_ready(&f);
    const struct pt_graph *g = flow_graph(&f, code);
    static const uint32_t handlers[] = {PT_INS_NONE, 5, 4,
                                        PT_INS_NONE, 5, PT_INS_NONE};
    for (uint32_t i = 0; i < 6; i++)
        cr_expect_eq(pt_graph_handler(g, 2 * i), handlers[i], "unit %u", i);
    cr_expect_eq(pt_graph_handler(g, UINT32_MAX), PT_INS_NONE);
    flow_end(&f);
}

Test(replay_graph, blocks)
{
    /* 0 RESUME 1 LOAD 2 POP_JUMP_IF_FALSE to 5 | 3 LOAD 4 JUMP_FORWARD to 6 |
     * 5 LOAD | 6 RETURN_VALUE | 7 PUSH_EXC_INFO 8 RERAISE */
    static const struct guard table[] = {{3, 4, 7}, {0, 0, 0}};
    struct flow f;
    flow_begin(&f, PY_3_13);
    uint32_t code = flow_code(&f,
                              "RESUME; LOAD; POP_JUMP_IF_FALSE 2; LOAD;"
                              "JUMP_FORWARD 1; LOAD; RETURN_VALUE;"
                              "PUSH_EXC_INFO; RERAISE",
                              table);
    flow_ready(&f);
    struct pt_blocks *b;
    cr_assert_eq(pt_blocks_new(flow_graph(&f, code), &b), PT_OK);
    static const struct pt_basic_block blocks[] = {{0, 2}, {3, 3}, {4, 4},
                                                   {5, 5}, {6, 6}, {7, 8}};
    static const struct pt_edge edges[] = {
        {0, 1, PT_EDGE_NEXT},  {0, 3, PT_EDGE_JUMP}, {1, 2, PT_EDGE_NEXT},
        {1, 5, PT_EDGE_RAISE}, {2, 4, PT_EDGE_JUMP}, {3, 4, PT_EDGE_NEXT}};
    cr_assert_eq(b->n, 6u);
    cr_assert_eq(b->nedges, 6u);
    for (uint32_t i = 0; i < 6; i++) {
        cr_expect_eq(b->blocks[i].first, blocks[i].first);
        cr_expect_eq(b->blocks[i].last, blocks[i].last);
        cr_expect_eq(b->edges[i].from, edges[i].from, "edge %u", i);
        cr_expect_eq(b->edges[i].to, edges[i].to, "edge %u", i);
        cr_expect_eq(b->edges[i].kind, edges[i].kind, "edge %u", i);
        cr_expect_eq(pt_blocks_at(b, blocks[i].last), i);
    }
    pt_blocks_free(b);
    flow_end(&f);
}

/* --- bytes that make no sense --------------------------------------------- */

enum { CODES = 40, NOISE = 48 };

static uint32_t
noisy_code(struct flow *f, uint64_t *state)
{
    char bytes[2 * NOISE], table[NOISE];
    size_t units = dice(state, NOISE), ntable = dice(state, NOISE);
    for (size_t i = 0; i < units; i++) {
        bytes[2 * i] = (char)dice(state, 24); /* one of them has no name */
        bytes[2 * i + 1] = (char)dice(state, dice(state, 2) ? 8 : 256);
    }
    for (size_t i = 0; i < ntable; i++)
        table[i] = (char)dice(state, 4) ? (char)dice(state, 40)
                                        : (char)dice(state, 256);
    return flow_bytes(f, (struct pt_str){bytes, 2 * units},
                      (struct pt_str){table, ntable});
}

static void
check_graph(const struct pt_graph *g)
{
    struct pt_blocks *b;
    for (uint32_t i = 0; i <= g->n; i++) {
        const struct pt_ins *ins = &g->ins[i];
        cr_assert(ins->target == PT_INS_NONE || ins->target < g->n);
        cr_assert(ins->run >= i && ins->run <= g->n);
        cr_assert_neq(g->ins[ins->run].cls, PT_INS_NEXT);
    }
    for (uint32_t u = 0; u < g->units; u++) {
        uint32_t handler = pt_graph_handler(g, 2 * u);
        cr_assert_lt(g->at[u], g->n);
        cr_assert(handler == PT_INS_NONE || handler < g->n);
    }
    cr_assert_eq(pt_blocks_new(g, &b), PT_OK);
    for (uint32_t i = 0; i < b->nedges; i++)
        cr_assert(b->edges[i].from < b->n && b->edges[i].to < b->n);
    pt_blocks_free(b);
}

static struct pt_event
noisy_event(uint64_t *state)
{
    static const uint8_t kinds[] = {
        PT_CALL,      PT_RETURN,  PT_YIELD,  PT_RESUME, PT_THROW,   PT_UNWIND,
        PT_BRANCH,    PT_JUMP,    PT_BRANCH, PT_CALL,   PT_HANDLED, PT_C_CALL,
        PT_EXCEPTION, PT_HANDLED, PT_LINE,   PT_GAP};
    struct pt_event e = {.kind = kinds[dice(state, 100) ? dice(state, 15) : 15],
                         .has = (uint8_t)dice(state, 256),
                         .id = dice(state, CODES + 2),
                         .pos = dice(state, 2 * NOISE),
                         .dst = dice(state, 2 * NOISE),
                         .arg = dice(state, 4)};
    if (dice(state, 16) == 0)
        e.pos = UINT32_MAX;
    if (dice(state, 16) == 0)
        e.arg = PT_IMPLIED;
    return e;
}

static void
check_step(const struct pt_walked *w)
{
    struct pt_expand expand;
    struct pt_fine fine;
    uint64_t n = 0, instructions, lines;
    pt_expand_count(w, &instructions, &lines);
    pt_expand_begin(&expand, w);
    while (pt_expand_next(&expand, &fine)) {
        n++;
        if (!w->graph || fine.index >= w->graph->n)
            cr_assert_fail("an instruction of no graph");
    }
    cr_assert_eq(instructions + lines, n);
    if (w->graph)
        cr_assert_leq(w->nruns, w->graph->turns + (size_t)2);
}

Test(replay_graph, noise)
{
    static const uint32_t versions[] = {PY_3_11, PY_3_12, PY_3_13, PY_3_14};
    uint64_t state = 7, desyncs = 0, walked = 0;
    for (unsigned round = 0; round < 40; round++) {
        struct flow f;
        flow_begin(&f, versions[round % 4]);
        for (unsigned i = 0; i < CODES; i++)
            noisy_code(&f, &state);
        flow_ready(&f);
        for (uint32_t id = 1; id <= CODES; id++)
            if (pt_trace_code(f.trace, id))
                check_graph(flow_graph(&f, id));
        for (unsigned i = 0; i < 4000; i++) {
            struct pt_event e = noisy_event(&state);
            struct pt_frame k = {.id = dice(&state, CODES + 2),
                                 .off = dice(&state, 2 * NOISE),
                                 .dst = dice(&state, 2 * NOISE),
                                 .at = (uint8_t)dice(&state, 7)};
            if (dice(&state, 50) == 0)
                flow_sync(&f, &k, 1);
            cr_assert_eq(pt_walk_step(f.walk, &e, i, &f.walked), PT_OK);
            check_step(&f.walked);
            desyncs += f.walked.desynced;
            walked += f.walked.nruns;
        }
        flow_end(&f);
    }
    cr_expect_gt(desyncs, 0u);
    cr_expect_gt(walked, 0u);
}
