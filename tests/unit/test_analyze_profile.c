/* The profile's loop against a slow and simple reference, on random events of
 * several threads with all there is: recursion, generators that wander between
 * threads, hidden calls, C calls without an end, ends without a beginning. */
#include "tests/unit/test_replay.h"

#include "analyze/profile_fold.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, CODES = 5, CALLABLES = 4, GENERATORS = 6, SPANS = 400 };
enum { PATHS = 1 << 14 }; /* distinct ones; a power of two */

/* --- the reference ---------------------------------------------------------
 */

struct span {
    int64_t start, children;
    uint32_t fn, id; /* fn 0: hidden */
    bool callable;
    uint64_t key;
};

struct sums {
    uint64_t calls, primitive;
    int64_t exclusive, inclusive, min, max, wait;
};

/* What a path of functions came to. */
struct path {
    uint64_t hash; /* 0: free */
    uint64_t calls;
    int64_t exclusive;
};

/* Functions: 1..CODES the codes, CODES + 1 .. the shown callables. */
struct reference {
    struct span stack[THREADS][SPANS];
    unsigned depth[THREADS];
    struct sums sums[CODES + CALLABLES + 1];
    struct sums edges[CODES + CALLABLES + 1][CODES + CALLABLES + 1];
    int64_t yielded[GENERATORS + 1];
    uint64_t unmatched, unfinished;
    struct path paths[PATHS];
    unsigned npaths;
};

static uint64_t
hash_step(uint64_t hash, uint32_t fn)
{
    return (hash ^ fn) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static struct path *
path_of(struct reference *r, uint64_t hash)
{
    uint64_t i = hash >> 40;
    while (r->paths[i % PATHS].hash && r->paths[i % PATHS].hash != hash)
        i++;
    struct path *p = &r->paths[i % PATHS];
    r->npaths += p->hash == 0;
    cr_assert_lt(r->npaths, (unsigned)PATHS);
    p->hash = hash;
    return p;
}

/* Of the functions on a stack, outermost first. */
static uint64_t
stack_hash(const struct reference *r, unsigned t)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < r->depth[t]; i++)
        if (r->stack[t][i].fn)
            hash = hash_step(hash, r->stack[t][i].fn);
    return hash;
}

static unsigned
activations(const struct reference *r, unsigned t, uint32_t fn)
{
    unsigned n = 0;
    for (unsigned i = 0; i < r->depth[t]; i++)
        n += r->stack[t][i].fn == fn;
    return n;
}

static uint32_t
caller_of(const struct reference *r, unsigned t, unsigned depth)
{
    while (depth--)
        if (r->stack[t][depth].fn)
            return r->stack[t][depth].fn;
    return 0;
}

/* Activations of `fn` called by `caller`. */
static unsigned
edge_activations(const struct reference *r, unsigned t, uint32_t caller,
                 uint32_t fn)
{
    unsigned n = 0;
    for (unsigned i = 0; i < r->depth[t]; i++)
        n += r->stack[t][i].fn == fn && caller_of(r, t, i) == caller;
    return n;
}

static void
sum(struct sums *s, int64_t time, int64_t own, bool outermost)
{
    s->min = s->calls == 0 || time < s->min ? time : s->min;
    s->max = time > s->max ? time : s->max;
    s->calls++;
    s->exclusive += own;
    s->primitive += outermost;
    s->inclusive += outermost ? time : 0;
}

static void
close_span(struct reference *r, unsigned t, int64_t now)
{
    struct span *s = &r->stack[t][r->depth[t] - 1];
    int64_t time = now - s->start, own = time - s->children;
    if (s->fn) {
        uint32_t caller = caller_of(r, t, r->depth[t] - 1);
        sum(&r->sums[s->fn], time, own, activations(r, t, s->fn) == 1);
        if (caller)
            sum(&r->edges[caller][s->fn], time, own,
                edge_activations(r, t, caller, s->fn) == 1);
        struct path *path = path_of(r, stack_hash(r, t));
        path->calls++;
        path->exclusive += own;
        if (r->depth[t] > 1)
            s[-1].children += time;
    } else if (r->depth[t] > 1)
        s[-1].children += s->children;
    r->depth[t]--;
}

static void
close_c(struct reference *r, unsigned t, int64_t now)
{
    while (r->depth[t] && r->stack[t][r->depth[t] - 1].callable) {
        close_span(r, t, now);
        r->unfinished++;
    }
}

static uint32_t
function(uint32_t id, bool callable)
{
    if (!callable)
        return id;
    return id <= 2 ? CODES + id : 0; /* builtin, method; type, object */
}

static void
refer(struct reference *r, unsigned t, const struct pt_event *e)
{
    bool callable = e->kind == PT_C_CALL;
    switch (e->kind) {
    case PT_C_CALL:
        close_c(r, t, e->time);
        /* fallthrough */
    case PT_CALL:
    case PT_RESUME:
        cr_assert_lt(r->depth[t], SPANS);
        r->stack[t][r->depth[t]++] =
            (struct span){.start = e->time,
                          .id = e->id,
                          .callable = callable,
                          .fn = function(e->id, callable),
                          .key = callable ? 0 : e->arg};
        if (e->kind == PT_RESUME)
            r->sums[e->id].wait += e->time - r->yielded[e->arg];
        break;
    case PT_C_RETURN:
        if (r->depth[t] && r->stack[t][r->depth[t] - 1].callable)
            close_span(r, t, e->time);
        else
            r->unmatched++;
        break;
    case PT_RETURN:
    case PT_YIELD:
        close_c(r, t, e->time);
        if (r->depth[t] == 0) {
            r->unmatched++;
            break;
        }
        if (e->kind == PT_YIELD)
            r->yielded[r->stack[t][r->depth[t] - 1].key] = e->time;
        close_span(r, t, e->time);
        break;
    default:
        close_c(r, t, e->time);
    }
}

/* --- random events ---------------------------------------------------------
 */

/* Generator `key` runs the code 1 + key % CODES. */
struct player {
    struct synth synth;
    struct reference *r;
    struct pt_stack stacks[THREADS];
    uint32_t threads[THREADS];
    enum { FRESH, SUSPENDED, RUNNING, DONE } generators[GENERATORS + 1];
    uint64_t state;
    int64_t time;
};

static uint64_t
pick(struct player *p, int wanted)
{
    uint64_t key = 1 + dice(&p->state, GENERATORS);
    return (int)p->generators[key] == wanted ? key : 0;
}

static struct pt_event
random_event(struct player *p, unsigned t)
{
    struct reference *r = p->r;
    unsigned depth = r->depth[t];
    uint64_t key;
    p->time += 1 + dice(&p->state, 3000);
    uint32_t what = dice(&p->state, 100);
    if (what < 25 && depth < 60)
        return ev_enter(PT_CALL, p->time, 1 + dice(&p->state, CODES), 0);
    if (what < 45 && depth < 60)
        return ev_c_call(p->time, 1 + dice(&p->state, CALLABLES));
    if (what < 60)
        return ev_plain(PT_C_RETURN, p->time);
    if (what < 64 && depth < 60 && (key = pick(p, FRESH)) != 0) {
        p->generators[key] = RUNNING;
        return ev_enter(PT_CALL, p->time, 1 + (uint32_t)key % CODES, key);
    }
    if (what < 74 && depth < 60 && (key = pick(p, SUSPENDED)) != 0) {
        p->generators[key] = RUNNING;
        return ev_enter(PT_RESUME, p->time, 1 + (uint32_t)key % CODES, key);
    }
    if (what < 78)
        return (struct pt_event){.kind = PT_EXCEPTION,
                                 .time = p->time,
                                 .has = PT_HAS(OFF) | PT_HAS(TIME)};
    /* An end: of a generator mostly a yield. */
    while (depth && r->stack[t][depth - 1].callable)
        depth--;
    key = depth ? r->stack[t][depth - 1].key : 0;
    bool yield = key && dice(&p->state, 8);
    if (key)
        p->generators[key] = yield ? SUSPENDED : DONE;
    return ev_plain(yield ? PT_YIELD : PT_RETURN, p->time);
}

static struct pt_trace *
play(struct player *p, uint64_t seed, unsigned events)
{
    struct synth *s = &p->synth;
    char name[2] = "a";
    p->state = seed;
    synth_begin(s);
    for (unsigned i = 1; i <= CODES; i++, name[0]++)
        cr_assert_eq(synth_code(s, name), i);
    for (unsigned i = 1; i <= CALLABLES; i++, name[0]++)
        cr_assert_eq(synth_callable(s, (uint8_t)i, name), i);
    for (unsigned t = 0; t < THREADS; t++)
        p->threads[t] = synth_thread(s, t + 1);
    s->thread = p->threads[0];
    for (unsigned n = 0, t = 0; n < events; n++) {
        struct pt_event e = random_event(p, t);
        synth_event(s, &e);
        refer(p->r, t, &e);
        if (dice(&p->state, 50) == 0 || n + 1 == events) {
            synth_flush(s);
            p->stacks[t] = s->stack;
            t = dice(&p->state, THREADS);
            s->stack = p->stacks[t];
            s->thread = p->threads[t];
        }
    }
    synth_flush(s);
    memset(&s->stack, 0, sizeof s->stack);
    return synth_end(s);
}

/* Ends open spans at the last event of their thread. */
static void
settle_reference(struct player *p, const struct pt_trace *trace)
{
    for (unsigned t = 0; t < THREADS; t++) {
        int64_t last = 0;
        for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
            const struct pt_chunk_info *c = pt_trace_chunk(trace, i);
            if (c->type == PT_CHUNK_EVENTS && c->thread == p->threads[t])
                last = c->time_last;
        }
        while (p->r->depth[t])
            close_span(p->r, t, last);
    }
}

/* --- comparison ------------------------------------------------------------
 */

static struct pt_profile *
profile_as(const struct pt_trace *trace, const struct pt_filter *filter,
           const struct pt_profile_options *options)
{
    struct pt_trouble trouble = {0};
    struct pt_profile *p;
    struct pt_error error;
    cr_assert_eq(pt_profile_new(trace, filter, options, &p), PT_OK);
    struct pt_fold fold = pt_profile_fold(p);
    cr_assert_eq(pt_pass_run(trace, filter, &fold, 1, &trouble, &error), PT_OK);
    cr_assert_eq(pt_profile_finish(p), PT_OK);
    return p;
}

static struct pt_profile *
profile(const struct pt_trace *trace, const struct pt_filter *filter)
{
    struct pt_profile_options options = {.edges = true, .tree = true};
    return profile_as(trace, filter, &options);
}

/* The reference's number of one of the profile's functions. */
static uint32_t
number(const struct pt_profile *p, uint32_t fn)
{
    return p->names[fn].id ? function(p->names[fn].id, p->names[fn].callable)
                           : 0;
}

/* The paths are the reference's; each node's time is its own and that of what
 * it called; and the nodes of a function add up to the function. */
static void
compare_tree(const struct pt_profile *p, struct reference *r)
{
    const struct pt_calltree *t = p->tree;
    uint64_t *hashes = calloc(t->n, sizeof *hashes);
    uint64_t *sums = calloc(t->n, sizeof *sums);
    uint64_t inclusive[CODES + CALLABLES + 1] = {0};
    uint64_t wait[CODES + CALLABLES + 1] = {0};
    unsigned seen = 0, listed = 0;
    for (uint32_t i = 1; i < t->n; i++) {
        const struct pt_calltree_node *n = &t->nodes[i];
        uint32_t fn = number(p, n->fn);
        cr_assert_lt(n->parent, i);
        hashes[i] = hash_step(hashes[n->parent], fn);
        const struct path *path = path_of(r, hashes[i]);
        cr_assert_eq(n->calls, path->calls);
        cr_assert_eq(n->exclusive, (uint64_t)path->exclusive);
        seen += path->calls != 0;
        wait[fn] += n->wait;
        sums[n->parent] += n->inclusive;
        bool outermost = true;
        for (uint32_t up = n->parent; up; up = t->nodes[up].parent)
            outermost &= t->nodes[up].fn != n->fn;
        inclusive[fn] += outermost ? n->inclusive : 0;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        const struct pt_calltree_node *n = &t->nodes[i];
        cr_assert_eq(n->inclusive, n->exclusive + sums[i]);
        for (uint32_t c = n->first; c; c = t->nodes[c].next, listed++) {
            cr_assert_eq(t->nodes[c].parent, i);
            cr_assert(t->nodes[c].next == 0 || t->nodes[c].next > c);
        }
    }
    for (unsigned i = 1; i <= CODES + CALLABLES; i++) {
        cr_assert_eq(inclusive[i], (uint64_t)r->sums[i].inclusive);
        cr_assert_eq(wait[i], (uint64_t)r->sums[i].wait);
    }
    cr_expect_eq(seen, r->npaths);
    cr_expect_eq(listed, t->n - 1);
    cr_expect_eq(t->dropped, 0u);
    free(hashes);
    free(sums);
}

static void
compare(const struct pt_profile *p, const struct reference *r)
{
    unsigned seen = 0, edges = 0;
    for (uint32_t i = 1; i < p->nfunctions; i++) {
        const struct pt_profile_function *f = &p->functions[i];
        const struct sums *s = &r->sums[number(p, i)];
        if (p->names[i].id == 0)
            continue;
        seen++;
        cr_assert_eq(f->level, 0u);
        cr_assert_eq(f->calls, s->calls);
        cr_assert_eq(f->primitive, s->primitive);
        cr_assert_eq(f->exclusive, s->exclusive);
        cr_assert_eq(f->inclusive, s->inclusive);
        cr_assert_eq(f->min, s->min);
        cr_assert_eq(f->max, s->max);
        cr_assert_eq(f->wait, s->wait);
    }
    cr_expect_eq(seen, CODES + 2u);
    for (uint32_t i = 1; i < p->nedges; i++) {
        const struct pt_profile_edge *e = &p->edges[i];
        if (e->caller == 0)
            continue;
        const struct sums *s =
            &r->edges[number(p, e->caller)][number(p, e->callee)];
        edges++;
        cr_assert_eq(e->calls, s->calls);
        cr_assert_eq(e->primitive, s->primitive);
        cr_assert_eq(e->exclusive, s->exclusive);
        cr_assert_eq(e->inclusive, s->inclusive);
    }
    for (unsigned a = 0; a <= CODES + CALLABLES; a++)
        for (unsigned b = 0; b <= CODES + CALLABLES; b++)
            edges -= r->edges[a][b].calls != 0;
    cr_expect_eq(edges, 0u);
    cr_expect_eq(p->unmatched, r->unmatched);
    cr_expect_eq(p->unfinished, r->unfinished);
    cr_expect_eq(p->desyncs, 0u);
}

Test(analyze_profile, agrees_with_the_reference)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct player *p = calloc(1, sizeof *p);
        p->r = calloc(1, sizeof *p->r);
        struct pt_trace *trace = play(p, seed, 3000);
        settle_reference(p, trace);
        struct pt_profile *whole = profile(trace, NULL);
        compare(whole, p->r);
        compare_tree(whole, p->r);
        pt_profile_free(whole);
        pt_trace_close(trace);
        synth_clear(&p->synth);
        for (unsigned t = 0; t < THREADS; t++)
            pt_stack_clear(&p->stacks[t]);
        free(p->r);
        free(p);
    }
}

/* With room for few paths the nodes still add up to the functions and to the
 * whole; what is not kept is "more", and a node that was kept has no less than
 * its path had since. */
Test(analyze_profile, small_trees_stay_true)
{
    for (uint32_t limit = 16; limit <= 1024; limit *= 4) {
        struct player *p = calloc(1, sizeof *p);
        p->r = calloc(1, sizeof *p->r);
        struct pt_trace *trace = play(p, limit, 20000);
        struct pt_profile_options options = {
            .tree = true, .threads = limit > 64, .limits = {limit, 0}};
        struct pt_profile *whole = profile_as(trace, NULL, &options);
        const struct pt_calltree *t = whole->tree;
        uint64_t calls = 0, all = 0, exclusive = 0;
        for (uint32_t i = 0; i < t->n; i++) {
            const struct pt_calltree_node *n = &t->nodes[i];
            calls += n->calls;
            exclusive += n->exclusive;
            if (n->fn != PT_CALLTREE_MORE && n->fn != 0)
                cr_assert_leq(n->calls, whole->functions[n->fn].calls);
        }
        for (uint32_t i = 1; i < whole->nfunctions; i++)
            all += whole->functions[i].calls;
        cr_expect_eq(calls, all);
        cr_expect_eq(exclusive, t->nodes[0].inclusive);
        cr_expect_gt(t->dropped, 0u);
        cr_expect_leq(t->n, limit + t->roots + 2);
        cr_expect_eq(t->roots, limit > 64 ? (uint32_t)THREADS : 0u);
        pt_profile_free(whole);
        pt_trace_close(trace);
        synth_clear(&p->synth);
        for (unsigned k = 0; k < THREADS; k++)
            pt_stack_clear(&p->stacks[k]);
        free(p->r);
        free(p);
    }
}

/* Profiles of each thread, merged, are the profile of all; but for the waits of
 * generators that went from one thread to another. */
Test(analyze_profile, merges)
{
    static const char *const names[] = {"#1", "#2", "#3"};
    struct player *p = calloc(1, sizeof *p);
    p->r = calloc(1, sizeof *p->r);
    struct pt_trace *trace = play(p, 7, 20000);
    struct pt_profile *whole = profile(trace, NULL), *sum = NULL;
    for (unsigned t = 0; t < THREADS; t++) {
        struct pt_filter_spec spec = {.threads = &names[t], .nthreads = 1};
        struct pt_filter *filter;
        cr_assert_eq(pt_filter_new(trace, &spec, NULL, &filter), PT_OK);
        struct pt_profile *part = profile(trace, filter);
        if (sum) {
            cr_assert_eq(pt_profile_merge(sum, part), PT_OK);
            pt_profile_free(part);
        } else
            sum = part;
        pt_filter_free(filter);
    }
    cr_expect_eq(sum->events, whole->events);
    cr_expect_eq(sum->unfinished, whole->unfinished);
    for (uint32_t i = 1; i < whole->nfunctions; i++) {
        const struct pt_profile_function *a = &whole->functions[i];
        const struct pt_profile_function *b = &sum->functions[i];
        cr_expect_eq(a->calls, b->calls);
        cr_expect_eq(a->primitive, b->primitive);
        cr_expect_eq(a->exclusive, b->exclusive);
        cr_expect_eq(a->inclusive, b->inclusive);
        cr_expect_eq(a->min, b->min);
        cr_expect_eq(a->max, b->max);
        if (a->calls)
            cr_expect_eq(pt_histogram_percentile(a->times, a->calls, 0.9),
                         pt_histogram_percentile(b->times, b->calls, 0.9));
    }
    /* All but the waits. */
    cr_expect_eq(sum->tree->n, whole->tree->n);
    cr_expect_eq(sum->tree->nodes[0].inclusive,
                 whole->tree->nodes[0].inclusive);
    pt_profile_free(whole);
    pt_profile_free(sum);
    pt_trace_close(trace);
    synth_clear(&p->synth);
    for (unsigned t = 0; t < THREADS; t++)
        pt_stack_clear(&p->stacks[t]);
    free(p->r);
    free(p);
}

/* Ever new generators that are left suspended take no memory without bound, and
 * the one that goes on is still known. */
Test(analyze_profile, waits_are_bounded)
{
    struct pt_profile_waits *w;
    cr_assert_eq(pt_profile_waits_new(&w), PT_OK);
    for (uint64_t key = 1; key <= 3000000; key++)
        cr_assert_eq(pt_profile_waits_suspend(w, key, (int64_t)key), 0);
    cr_expect_eq(pt_profile_waits_resume(w, 3000000, 3000500), 500);
    cr_expect_eq(pt_profile_waits_resume(w, 3000001, 3000600), 0);
    cr_expect_eq(pt_profile_waits_suspend(w, 3000001, 3000200), 400,
                 "the resume was read first, from another thread");
    pt_profile_waits_free(w);
}
