/* What a frame's variables held: random programs whose values are also kept
 * here, frame by frame, in the plainest way. */
#include "test_record_fake.h"

#include <pt/scope.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOCAL = PT_ROLE_LOCAL << PT_ROLE_SHIFT,
    FRAMES = 4096,  /* of a program, in all */
    DEPTH = 12,     /* of its stack */
    VARIABLES = 3,  /* of a frame */
    EVENTS = 20000, /* of the log */
    STEPS = 3000
};

struct frame {
    uint32_t code, level;
    uint64_t key, entered;   /* the events' numbers, from 0 */
    int64_t last[VARIABLES]; /* number of the last value event, -1 none */
    int64_t now[VARIABLES];  /* what it told */
};

struct told {
    unsigned frame, variable;
    int64_t before; /* the value event before of that variable, -1 none */
    int64_t value;
    int64_t vars[VARIABLES]; /* all last ones, this one counted */
    uint64_t entered;
    uint32_t level;
};

struct program {
    struct fake f;
    struct fake_lane l;
    struct frame frames[FRAMES];
    unsigned nframes, stack[DEPTH], depth;
    unsigned sleeping[DEPTH], nsleeping;
    struct told told[EVENTS]; /* by number of the event */
    bool is_told[EVENTS];
    uint64_t n;     /* events so far */
    uint64_t *seqs; /* in the log, by number */
    unsigned seed;
};

static unsigned
any(struct program *p, unsigned n)
{
    p->seed = p->seed * 1103515245 + 12345;
    return (p->seed >> 8) % n;
}

static void
put_call(struct program *p)
{
    if (p->depth == DEPTH || p->nframes == FRAMES)
        return;
    struct frame *f = &p->frames[p->nframes];
    *f = (struct frame){.code = 1 + any(p, 3),
                        .level = p->depth,
                        .entered = p->n,
                        .last = {-1, -1, -1}};
    uint32_t from = p->depth ? 4 : PT_NOWHERE;
    if (any(p, 3) == 0) {
        f->key = p->nframes + 1;
        FAKE_PUT(&p->l, PT_W_CALL_KEY_AT, f->code, (uint32_t)f->key, 0, from);
    } else
        FAKE_PUT(&p->l, PT_W_CALL_AT, f->code, from);
    p->stack[p->depth++] = p->nframes++;
    p->n++;
}

static void
put_resume(struct program *p)
{
    if (p->depth == DEPTH || p->nsleeping == 0)
        return;
    unsigned i = any(p, p->nsleeping), id = p->sleeping[i];
    struct frame *f = &p->frames[id];
    uint32_t from = p->depth ? 4 : PT_NOWHERE;
    FAKE_PUT(&p->l, PT_W_RESUME_AT, f->code, (uint32_t)f->key, 0, from, 8);
    f->entered = p->n++;
    f->level = p->depth;
    p->sleeping[i] = p->sleeping[--p->nsleeping];
    p->stack[p->depth++] = id;
}

static void
put_end(struct program *p)
{
    if (p->depth == 0)
        return;
    unsigned id = p->stack[--p->depth];
    const struct frame *f = &p->frames[id];
    if (f->key && p->nsleeping < DEPTH && any(p, 3) > 0) {
        FAKE_PUT(&p->l, PT_W_YIELD_AT, f->code, 6);
        p->sleeping[p->nsleeping++] = id;
    } else
        FAKE_PUT(&p->l, PT_W_RETURN, f->code);
    p->n++;
}

static void
put_value(struct program *p)
{
    if (p->depth == 0)
        return;
    unsigned id = p->stack[p->depth - 1], i = any(p, VARIABLES);
    struct frame *f = &p->frames[id];
    bool same = f->last[i] >= 0 && any(p, 2) == 0;
    struct told *t = &p->told[p->n];
    uint32_t word;
    if (same)
        word = 0x0281;
    else {
        f->now[i] = (int64_t)(p->n % 24);
        word = (uint32_t)f->now[i];
    }
    FAKE_PUT(&p->l, PT_W_VALUE | (same ? 2u : 1u) << PT_WORD_KIND_BITS, 6,
             LOCAL | i);
    FAKE_PUT(&p->l, PT_W_BYTES | (same ? 2u : 1u) << PT_WORD_KIND_BITS, word);
    *t = (struct told){.frame = id,
                       .variable = i,
                       .before = f->last[i],
                       .value = f->now[i],
                       .entered = f->entered,
                       .level = f->level};
    f->last[i] = (int64_t)p->n;
    memcpy(t->vars, f->last, sizeof t->vars);
    p->is_told[p->n++] = true;
}

static void
flush(struct program *p)
{
    fake_drain(&p->f);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pt_tracee_flush(p->f.t, &p->f.journal), PT_OK);
}

static void
play(struct program *p, unsigned seed)
{
    p->seed = seed;
    fake_open_flow(&p->f);
    fake_claim(&p->l, &p->f, 0);
    fake_begin(&p->l, 77);
    p->n = 1; /* the thread begins */
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned what = any(p, 100);
        if (what < 15)
            put_call(p);
        else if (what < 25)
            put_resume(p);
        else if (what < 45)
            put_end(p);
        else if (what < 97)
            put_value(p);
        else
            flush(p);
        if (i % 50 == 0)
            fake_drain(&p->f);
    }
    fake_end(&p->l);
    fake_drain(&p->f);
    fake_close(&p->f);
    p->seqs = calloc(p->n + 16, sizeof *p->seqs);
    uint64_t n = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(p->f.trace); i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(p->f.trace, i);
        for (uint32_t k = 0; c->type == PT_CHUNK_EVENTS && k < c->events; k++)
            if (n < p->n)
                p->seqs[n++] = c->seq + k;
    }
    cr_assert_eq(n, p->n);
}

static void
check(struct program *p, struct pt_values *values, struct pt_scopes *scopes,
      uint64_t n)
{
    const struct told *t = &p->told[n];
    const struct frame *f = &p->frames[t->frame];
    struct pt_scope scope = {.thread = 1,
                             .code = f->code,
                             .key = f->key,
                             .entered = p->seqs[t->entered],
                             .level = t->level};
    uint32_t dst = LOCAL | t->variable;
    struct pt_scope_value v;
    struct pt_recorded *r;
    cr_assert_eq(pt_values_get(values, p->seqs[n], &r), PT_OK);
    cr_assert(r->value.kind == PT_VALUE_INT && r->value.i == t->value,
              "event %d", (int)n);
    pt_recorded_free(r);
    cr_assert_eq(pt_scope_last(scopes, &scope, dst, p->seqs[n], &v), PT_OK);
    cr_assert(v.seq == p->seqs[n] && !v.gap);
    enum pt_status st = pt_scope_last(scopes, &scope, dst, p->seqs[n] - 1, &v);
    if (t->before < 0) {
        cr_assert_eq(st, PT_ENOTFOUND);
    } else {
        cr_assert(st == PT_OK && v.seq == p->seqs[t->before]);
        cr_assert_eq(pt_scope_next(scopes, &scope, dst, v.seq, &v), PT_OK);
        cr_assert_eq(v.seq, p->seqs[n]);
    }
    const struct pt_scope_value *all;
    size_t count, k = 0;
    cr_assert_eq(pt_scope_all(scopes, &scope, p->seqs[n], &all, &count), PT_OK);
    for (unsigned i = 0; i < VARIABLES; i++) {
        if (t->vars[i] < 0)
            continue;
        cr_assert(k < count && all[k].dst == (LOCAL | i) &&
                  all[k].seq == p->seqs[t->vars[i]]);
        k++;
    }
    cr_assert_eq(k, count);
    if (f->last[t->variable] == (int64_t)n)
        cr_assert_eq(pt_scope_next(scopes, &scope, dst, p->seqs[n], &v),
                     PT_ENOTFOUND);
}

Test(replay_scope, random_programs)
{
    static struct program p;
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct pt_values *values;
        struct pt_scopes *scopes;
        memset(&p, 0, sizeof p);
        play(&p, seed);
        cr_assert_eq(pt_values_new(p.f.trace, &values), PT_OK);
        cr_assert_eq(pt_scopes_new(p.f.trace, values, &scopes), PT_OK);
        unsigned checked = 0;
        for (uint64_t n = 0; n < p.n; n++)
            if (p.is_told[n]) {
                check(&p, values, scopes, n);
                checked++;
            }
        cr_expect_gt(checked, 100);
        cr_expect_eq(pt_values_lost(values), 0);
        pt_scopes_free(scopes);
        pt_values_free(values);
        fake_clear(&p.f);
        free(p.seqs);
    }
}
