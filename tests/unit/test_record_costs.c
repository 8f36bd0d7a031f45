/* What recording takes, from loops whose times are made up: that the costs they
 * were made of come out. */
#include "record/costs.h"

#include <criterion/criterion.h>

enum { TURNS = 64, QUANTUM_LOG2 = 3 };

/* A tick is half a ns. */
static const double tick = 0.5;

struct message {
    unsigned char bytes[1 << 14];
    size_t len;
};

static void
put(struct message *m, const void *p, size_t n)
{
    memcpy(m->bytes + m->len, p, n);
    m->len += n;
}

static void
put32(struct message *m, uint32_t v)
{
    put(m, &v, sizeof v);
}

static void
put64(struct message *m, uint64_t v)
{
    put(m, &v, sizeof v);
}

static uint64_t
ticks(double ns)
{
    return (uint64_t)(ns / tick * TURNS + 0.5);
}

static uint32_t
timed(unsigned word, double ns)
{
    double quantum = tick * (1 << QUANTUM_LOG2);
    return word | (uint32_t)(ns / quantum + 0.5) << PT_WORD_KIND_BITS;
}

/* A loop of flow: each turn has a pair of records of a callee, 60 ns apart, the
 * next one 100 ns later, and a branch without a time. */
static void
put_loop(struct message *m, double plain, double recorded, unsigned begin,
         unsigned words, unsigned end, unsigned end_words)
{
    uint32_t records[TURNS * 16];
    unsigned n = 0;
    for (int i = 0; i < TURNS; i++) {
        records[n++] = PT_W_BRANCH_NEAR | 5u << PT_WORD_KIND_BITS;
        if (begin == 0)
            continue;
        records[n++] = timed(begin, 100);
        for (unsigned k = 0; k < words; k++)
            records[n++] = 7;
        records[n++] = timed(end, 60);
        for (unsigned k = 0; k < end_words; k++)
            records[n++] = 7;
    }
    put64(m, ticks(plain));
    put64(m, ticks(recorded));
    put32(m, n * 4);
    put(m, records, n * 4);
}

static void
put_message(struct message *m)
{
    m->len = 0;
    put32(m, TURNS);
    put32(m, QUANTUM_LOG2);
    put_loop(m, 10, 30, 0, 0, 0, 0);
    put_loop(m, 50, 170, PT_W_CALL_AT, 2, PT_W_RETURN, 1);
    put_loop(m, 30, 110, PT_W_C_CALL_AT, 2, PT_W_C_RETURN, 0);
    put_loop(m, 20, 40, PT_W_RESUME_AT, 5, PT_W_YIELD_AT, 2);
    put64(m, 1000000);
    put64(m, (uint64_t)(1000000 * tick));
}

static struct pt_fields
fields(const struct message *m)
{
    return (struct pt_fields){.p = m->bytes, .end = m->bytes + m->len};
}

static void
expect(const struct pt_costs *c, unsigned kind, double before, double after)
{
    cr_expect_float_eq(c->of[kind].before / 1e3, before, 0.1,
                       "kind %u: before is %u ps", kind, c->of[kind].before);
    cr_expect_float_eq(c->of[kind].after / 1e3, after, 0.1,
                       "kind %u: after is %u ps", kind, c->of[kind].after);
}

/* A branch is 20 ns.  A call's turn takes 120 more, 100 without the branch; it
 * is 40 longer than the empty loop's, so that 60 - 20 of them are within. */
Test(costs, are_those_the_loops_were_made_of)
{
    struct message m;
    struct pt_costs costs = {0};
    put_message(&m);
    struct pt_fields b = fields(&m);
    cr_assert(pt_costs_find(&b, &costs));
    expect(&costs, PT_BRANCH, 10, 10);
    expect(&costs, PT_CALL, 30, 20);
    expect(&costs, PT_RETURN, 20, 30);
    /* 80 less 20; 60 less 10 within */
    expect(&costs, PT_C_CALL, 5, 25);
    expect(&costs, PT_C_RETURN, 25, 5);
    /* dearer within than in all: that is noise, and all of it is within */
    expect(&costs, PT_RESUME, 0, 0);
    expect(&costs, PT_GAP, 0, 0);
}

/* The process is not to be trusted. */
Test(costs, torn_or_absurd)
{
    struct message m;
    put_message(&m);
    size_t whole = m.len;
    for (m.len = 0; m.len < whole; m.len++) {
        struct pt_costs costs = {0};
        struct pt_fields b = fields(&m);
        cr_assert(!pt_costs_find(&b, &costs), "cut at %zu", m.len);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        struct pt_costs costs = {0};
        memset(m.bytes + 4, (int)byte, 40);
        for (size_t i = 0; i < whole; i += 97)
            m.bytes[i] = (unsigned char)(byte * 31 + i);
        struct pt_fields b = fields(&m);
        pt_costs_find(&b, &costs);
    }
}
