/* Counts of programs made at random, of noise, and of recorded traces: those of
 * tests/exact, which names their directory by PT_TRACES. */
#include "tests/unit/test_replay_counts.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MOST = 80 };

struct random_program {
    uint64_t dice;
    struct pt_event events[EVENTS_MOST];
    size_t n;
    uint32_t leaf;
};

/* Statements that nest; returns their size in code units. */
static unsigned
random_body(uint64_t *state, unsigned level, char *out, size_t size)
{
    char inner[512];
    unsigned units = 0, n = 1 + dice(state, 3);
    size_t used = 0;
    out[0] = '\0';
    while (n-- > 0) {
        unsigned kind = dice(state, level < 2 ? 7 : 4), u = 0;
        if (kind >= 4)
            u = random_body(state, level + 1, inner, sizeof inner);
        size_t left = size - used;
        char *at = out + used;
        switch (kind) {
        case 0:
            snprintf(at, left, "LOAD;");
            units += 1;
            break;
        case 1:
        case 2:
            snprintf(at, left, "CALL;");
            units += 4;
            break;
        case 3:
            snprintf(at, left,
                     "SEND 3; YIELD_VALUE; RESUME 2; JUMP_BACKWARD 5;"
                     "END_SEND;");
            units += 6;
            break;
        case 4:
            snprintf(at, left, "POP_JUMP_IF_FALSE %u; %s", u, inner);
            units += 1 + u;
            break;
        case 5:
            snprintf(at, left,
                     "FOR_ITER %u; %s JUMP_BACKWARD %u; END_FOR; POP_TOP;",
                     u + 1, inner, u + 3);
            units += u + 5;
            break;
        default:
            snprintf(at, left, "%s JUMP_BACKWARD %u;", inner, u + 1);
            units += u + 1;
            break;
        }
        used += strlen(at);
    }
    return units;
}

static uint32_t
random_code(struct flow *f, uint64_t *state)
{
    enum { FIRST = 3, MOST = 44 }; /* units */
    char body[1024], text[2048];
    unsigned units;
    do
        units = random_body(state, 0, body, sizeof body);
    while (units > MOST);
    struct guard table[] = {
        {FIRST, (uint8_t)(FIRST + units), (uint8_t)(FIRST + units + 1)},
        {0, 0, 0}};
    snprintf(text, sizeof text,
             "1: RETURN_GENERATOR; POP_TOP; RESUME 0; %s RETURN_VALUE;"
             "PUSH_EXC_INFO; CALL; POP_JUMP_IF_FALSE 1; RETURN_VALUE;"
             "RERAISE 1",
             body);
    return flow_code(f, text, table);
}

static void
emit(struct random_program *p, struct pt_event e)
{
    p->events[p->n++] = e;
}

/* Something runs in the name of the instruction at `off`. */
static void
maybe_leaf(struct random_program *p, uint32_t off)
{
    if (dice(&p->dice, 3) == 0) {
        emit(p, fl_call(p->leaf, (int)off));
        emit(p, fl_end(PT_RETURN));
    }
}

/* Returns the handler, or none: the frame has ended. */
static uint32_t
raise_at(struct random_program *p, const struct pt_graph *g, uint32_t off,
         uint64_t how)
{
    uint32_t to = pt_graph_handler(g, off);
    emit(p, fl_raise(off, off, how));
    maybe_leaf(p, off);
    if (to == PT_INS_NONE)
        emit(p, fl_end(PT_UNWIND));
    else
        emit(p, fl_at(PT_HANDLED, g->ins[to].off));
    return to;
}

static uint32_t
run_branch(struct random_program *p, const struct pt_graph *g, uint32_t i)
{
    const struct pt_ins *ins = &g->ins[i];
    uint32_t to = dice(&p->dice, 2) ? i + 1 : ins->target;
    maybe_leaf(p, ins->off);
    if (dice(&p->dice, 12) == 0)
        return raise_at(p, g, ins->off, PT_RAISED);
    if (ins->cls == PT_INS_FOR && to != i + 1 && dice(&p->dice, 2))
        emit(p, fl_raise(ins->off, ins->off, PT_RAISED));
    emit(p, fl_branch(ins->off, g->ins[to].off));
    return to;
}

static uint32_t
run_send(struct random_program *p, const struct pt_graph *g, uint32_t i)
{
    const struct pt_ins *ins = &g->ins[i];
    maybe_leaf(p, ins->off);
    switch (dice(&p->dice, 6)) {
    case 0:
        return raise_at(p, g, ins->off, PT_RAISED);
    case 1:
        emit(p, fl_raise(ins->off, ins->off, PT_RAISED)); /* swallowed */
        return ins->target;
    case 2:
        return ins->target;
    default:
        return i + 1;
    }
}

/* Suspends the frame; it goes on, is thrown into, or is left for good. */
static uint32_t
run_yield(struct random_program *p, const struct pt_graph *g, uint32_t i)
{
    uint32_t off = g->ins[i].off;
    emit(p, fl_at(PT_YIELD, off));
    switch (dice(&p->dice, 8)) {
    case 0:
        return PT_INS_NONE;
    case 1:
        emit(p, fl_throw(g->code, -1, off));
        return raise_at(p, g, off, PT_RAISED);
    default:
        emit(p, fl_resume(g->code, -1, off + 2));
        return i + 1;
    }
}

/* One instruction; returns the next, or none: the frame has ended. */
static uint32_t
run_instruction(struct random_program *p, const struct pt_graph *g, uint32_t i)
{
    enum { CALL_CACHES = 3 };
    const struct pt_ins *ins = &g->ins[i];
    switch (ins->cls) {
    case PT_INS_COND:
    case PT_INS_FOR:
        return run_branch(p, g, i);
    case PT_INS_SEND:
        return run_send(p, g, i);
    case PT_INS_YIELD:
        return run_yield(p, g, i);
    case PT_INS_JUMP:
        if (dice(&p->dice, 20) == 0)
            return raise_at(p, g, ins->off, PT_RAISED);
        emit(p, fl_jump(ins->off, g->ins[ins->target].off));
        return ins->target;
    case PT_INS_RAISE:
        return raise_at(p, g, ins->off, PT_RERAISED);
    case PT_INS_RETURN:
        emit(p, fl_end(PT_RETURN));
        return PT_INS_NONE;
    default:
        if (ins->caches == CALL_CACHES) {
            maybe_leaf(p, ins->off + 2 * dice(&p->dice, 4));
            if (dice(&p->dice, 5) == 0)
                return raise_at(p, g, ins->off, PT_RAISED);
        }
        return i + 1;
    }
}

Test(replay_counts, random_programs)
{
    enum { PROGRAMS = 150, EVENTS = 60 };
    struct random_program *p = malloc(sizeof *p);
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        struct flow f;
        uint32_t i = PT_INS_NONE;
        uint64_t code_dice = seed;
        flow_begin(&f, PY_3_13);
        uint32_t code = random_code(&f, &code_dice);
        *p = (struct random_program){.dice = code_dice};
        p->leaf = flow_code(&f, "9: RESUME; RETURN_VALUE", NULL);
        flow_ready(&f);
        const struct pt_graph *g = flow_graph(&f, code);
        for (unsigned steps = 0; steps < 5000 && p->n < EVENTS; steps++) {
            if (i == PT_INS_NONE) {
                emit(p, fl_call(code, -1));
                i = g->start;
            }
            i = run_instruction(p, g, i);
        }
        cr_assert_leq(p->n, (size_t)EVENTS_MOST);
        check_events(&f, p->events, p->n);
        flow_end(&f);
    }
    free(p);
}

/* --- noise ---------------------------------------------------------------- */

enum { NOISE_EVENTS = 400, NOISE_FRAMES = 8 };

struct noise {
    struct pt_event events[NOISE_EVENTS];
    struct pt_frame frames[NOISE_FRAMES];
};

/* Ids from `code` on, of which two are defined; places beyond the code too. */
static void
make_noise(struct noise *n, uint64_t *state, uint32_t code)
{
    static const uint8_t kinds[] = {
        PT_CALL,   PT_RETURN, PT_YIELD,     PT_RESUME,  PT_THROW,
        PT_UNWIND, PT_BRANCH, PT_JUMP,      PT_HANDLED, PT_C_CALL,
        PT_GAP,    PT_BRANCH, PT_EXCEPTION, PT_CALL,    PT_RESUME};
    enum { KINDS = sizeof kinds, PLACES = 132 };
    for (unsigned i = 0; i < NOISE_EVENTS; i++) {
        struct pt_event *e = &n->events[i];
        *e = (struct pt_event){.kind = kinds[dice(state, KINDS)],
                               .has = (uint8_t)dice(state, 256),
                               .id = code + dice(state, 3),
                               .pos = dice(state, PLACES),
                               .dst = dice(state, PLACES),
                               .arg = dice(state, 4)};
        if (dice(state, 30) == 0)
            e->pos = e->dst = UINT32_MAX;
    }
    for (unsigned i = 0; i < NOISE_FRAMES; i++)
        n->frames[i] = (struct pt_frame){.id = code + dice(state, 3),
                                         .off = dice(state, PLACES),
                                         .dst = dice(state, PLACES),
                                         .callable = !dice(state, 4),
                                         .at = (uint8_t)dice(state, 8)};
}

static uint32_t
noise_code(struct flow *f, uint64_t *state)
{
    char bytes[128], table[32];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)dice(state, i % 2 ? 24 : 23);
    for (unsigned i = 0; i < sizeof table; i++)
        table[i] = (char)(i % 4 == 0 ? 0x80 | dice(state, 3) : dice(state, 24));
    uint32_t code = flow_bytes(f, (struct pt_str){bytes, sizeof bytes},
                               (struct pt_str){table, sizeof table});
    flow_bytes(f, S(""), S(""));
    return code;
}

/* How many desyncs a walk finds in one chunk. */
static uint64_t
walk_desyncs(struct pt_graph_cache *graphs, const struct pt_events *chunk)
{
    struct pt_walk *walk;
    struct pt_walked walked;
    uint64_t n = 0;
    cr_assert_eq(pt_walk_new(graphs, &walk), PT_OK);
    cr_assert_eq(pt_walk_sync(walk, chunk, &walked), PT_OK);
    for (uint32_t i = 0; i < chunk->info->events; i++) {
        cr_assert_eq(pt_walk_step(walk, &chunk->events[i], i, &walked), PT_OK);
        n += walked.desynced;
    }
    pt_walk_free(walk);
    return n;
}

/* Whatever comes out of noise, it comes out, no number is beyond what so many
 * events and frames can make, and what does not fit is told as a walk does. */
Test(replay_counts, hostile)
{
    enum { ROUNDS = 3000 };
    uint64_t state = 7, desyncs = 0;
    struct noise n;
    struct pt_chunk_info info = {.events = NOISE_EVENTS};
    struct pt_events chunk = {.info = &info,
                              .events = n.events,
                              .stack = n.frames,
                              .depth = NOISE_FRAMES};
    for (int round = 0; round < ROUNDS; round++) {
        struct flow f;
        struct pt_counts *counts;
        flow_begin(&f, round % 2 ? PY_3_14 : PY_3_12);
        uint32_t code = noise_code(&f, &state);
        flow_ready(&f);
        make_noise(&n, &state, code);
        cr_assert_eq(pt_counts_new(f.graphs, &counts), PT_OK);
        cr_assert_eq(pt_counts_add(counts, &chunk), PT_OK);
        cr_expect_eq(pt_counts_desyncs(counts), walk_desyncs(f.graphs, &chunk),
                     "round %d", round);
        desyncs += pt_counts_desyncs(counts);
        for (uint32_t id = code; id <= code + 1; id++) {
            struct pt_code_counts *c;
            if (pt_counts_code(counts, id, &c) != PT_OK)
                continue;
            for (uint32_t i = 0; i < c->graph->n; i++)
                cr_expect_leq(c->ran[i],
                              (uint64_t)2 * NOISE_EVENTS + NOISE_FRAMES);
            pt_code_counts_free(c);
        }
        pt_counts_free(counts);
        flow_end(&f);
    }
    cr_expect_gt(desyncs, (uint64_t)10 * ROUNDS);
}

/* --- recorded ------------------------------------------------------------- */

/* Whether a keyframe cannot say where a frame stands: then a walk that comes
 * from the chunk before knows more than one that begins there. */
static bool
has_unplaced(const struct pt_trace *trace, struct pt_decoder *decoder)
{
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        struct pt_events chunk;
        if (pt_trace_chunk(trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(decoder, i, &chunk), PT_OK);
        for (size_t k = 0; k < chunk.depth; k++)
            if (!chunk.stack[k].callable && chunk.stack[k].at == PT_AT_UNKNOWN)
                return true;
    }
    return false;
}

static void
expect_same(const struct pt_counts *a, const struct pt_counts *b, uint32_t code)
{
    struct pt_code_counts *x = NULL, *y = NULL;
    enum pt_status st = pt_counts_code(a, code, &x);
    cr_expect_eq(pt_counts_code(b, code, &y), st);
    for (uint32_t i = 0; st == PT_OK && y && i < x->graph->n; i++) {
        cr_expect_eq(x->ran[i], y->ran[i], "code %u, instruction %u", code, i);
        cr_expect_eq(x->next[i], y->next[i]);
        cr_expect_eq(x->jump[i], y->jump[i]);
        cr_expect_eq(x->raised[i], y->raised[i]);
    }
    pt_code_counts_free(x);
    pt_code_counts_free(y);
}

/* What a filter leaves of each chunk is enough to count what ran in the code
 * objects that it leaves. */
static void
check_sieved(const struct pt_trace *trace, struct pt_decoder *decoder,
             const char *excluded)
{
    const struct pt_rule rule = {PT_RULE_EXCLUDE, excluded};
    struct pt_filter_spec spec = {.rules = &rule, .nrules = 1};
    struct pt_filter *filter;
    struct pt_sieve *sieve;
    struct pt_graph_cache *graphs;
    struct pt_counts *counts[2];
    if (pt_filter_new(trace, &spec, NULL, &filter) != PT_OK)
        return; /* nothing is so called */
    cr_assert_eq(pt_sieve_new(filter, &sieve), PT_OK);
    cr_assert_eq(pt_graph_cache_new(trace, &graphs), PT_OK);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pt_counts_new(graphs, &counts[i]), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        struct pt_events chunk, left;
        if (pt_trace_chunk(trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(decoder, i, &chunk), PT_OK);
        cr_assert_eq(pt_sieve_chunk(sieve, &chunk, &left), PT_OK);
        cr_assert_eq(pt_counts_add(counts[0], &chunk), PT_OK);
        cr_assert_eq(pt_counts_add(counts[1], &left), PT_OK);
    }
    for (uint32_t id = 1; id <= pt_trace_code_count(trace); id++)
        if (pt_filter_code(filter, id))
            expect_same(counts[0], counts[1], id);
    cr_expect_leq(pt_counts_desyncs(counts[1]), pt_counts_desyncs(counts[0]));
    for (int i = 0; i < 2; i++)
        pt_counts_free(counts[i]);
    pt_graph_cache_free(graphs);
    pt_sieve_free(sieve);
    pt_filter_free(filter);
}

/* Chunks with even numbers are counted apart from the others. */
static bool
check_trace(const char *path)
{
    struct pt_trace *trace;
    struct pt_decoder *decoder;
    struct pt_graph_cache *graphs[2];
    struct pt_counts *counts[2];
    struct oracle o;
    cr_assert_eq(pt_trace_open(path, NULL, &trace), PT_OK);
    if (pt_flow_lacks(trace)) {
        pt_trace_close(trace);
        return false;
    }
    oracle_begin(&o, trace);
    cr_assert_eq(pt_decoder_new(trace, &decoder), PT_OK);
    o.apart = has_unplaced(trace, decoder);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pt_graph_cache_new(trace, &graphs[i]), PT_OK);
        cr_assert_eq(pt_counts_new(graphs[i], &counts[i]), PT_OK);
    }
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        struct pt_events chunk;
        if (pt_trace_chunk(trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(decoder, i, &chunk), PT_OK);
        oracle_add(&o, &chunk);
        cr_assert_eq(pt_counts_add(counts[i % 2], &chunk), PT_OK);
    }
    cr_assert_eq(pt_counts_merge(counts[0], counts[1]), PT_OK);
    int bad = oracle_compare(&o, counts[0]);
    cr_expect_eq(pt_counts_desyncs(counts[0]), o.desyncs);
    cr_expect_eq(bad, 0, "%s, %llu desyncs", path,
                 (unsigned long long)o.desyncs);
    for (int i = 0; i < 2; i++) {
        pt_counts_free(counts[i]);
        pt_graph_cache_free(graphs[i]);
    }
    oracle_end(&o);
    check_sieved(trace, decoder, "*[aeiou]");
    check_sieved(trace, decoder, "[n-z]*");
    pt_decoder_free(decoder);
    pt_trace_close(trace);
    return true;
}

Test(replay_counts, recorded)
{
    const char *folder = getenv("PT_TRACES");
    DIR *dir = folder ? opendir(folder) : NULL;
    struct dirent *entry;
    int compared = 0;
    while (dir && (entry = readdir(dir))) {
        char path[4096];
        size_t n = strlen(entry->d_name);
        if (n < 4 || strcmp(entry->d_name + n - 4, ".ptr") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        compared += check_trace(path);
    }
    if (folder)
        cr_expect_gt(compared, 0, "no trace of the flow in %s", folder);
    if (dir)
        closedir(dir);
}
