#include "outcomes.h"

#if PT_OUTCOMES_BY_BRANCH
#include "instructions.h"

#include <stdlib.h>

/* So often a jump goes one way before the other way's beginning is watched. To
 * watch costs an event for each instruction of the code object that runs, once
 * (spec/decisions.md). */
enum { PATIENCE = 100 };

enum {
    WENT_ON = 1, /* to the next instruction */
    JUMPED = 2,
    WATCHED = 4, /* in the event's stead */
    KEPT = 8     /* the event stays: something else leads there, too */
};

struct unit {
    uint8_t seen;   /* of a jump: the bits above */
    uint8_t count;  /* how often it went again where it had been */
    uint8_t next;   /* units to the next instruction */
    uint8_t leads;  /* how many ways lead here, 2 is many */
    uint32_t from;  /* unit of the jump that is watched here, + 1 */
    uint32_t lands; /* of a jump: the unit that it goes to; 0 none */
};

struct pt_outcomes {
    uint32_t n;
    struct unit units[];
};

static struct {
    struct pt_outcomes **of; /* by the code object's id */
    uint32_t n;
} all;

struct pt_outcomes *
pt_outcomes_of(uint32_t code)
{
    return code < all.n ? all.of[code] : NULL;
}

static bool
make_room(uint32_t code)
{
    if (code < all.n)
        return true;
    uint32_t n = all.n != 0 ? all.n : 1024;
    while (n <= code)
        n *= 2;
    struct pt_outcomes **of = realloc(all.of, n * sizeof *of);
    if (of == NULL)
        return false;
    for (uint32_t i = all.n; i < n; i++)
        of[i] = NULL;
    all.of = of;
    all.n = n;
    return true;
}

static void
lead(struct pt_outcomes *o, long to)
{
    if (to >= 0 && to < (long)o->n && o->units[to].leads < 2)
        o->units[to].leads++;
}

/* A number of the exception table: six bits a byte, the highest first. */
static uint32_t
number(const unsigned char **p, const unsigned char *end)
{
    uint32_t v = 0;
    unsigned char b = 0x40;
    while (*p < end && b & 0x40) {
        b = *(*p)++;
        v = v << 6 | (b & 0x3f);
    }
    return v;
}

/* Handlers are reached from anywhere. */
static void
mark_handlers(struct pt_outcomes *o, const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;
    while (p < end) {
        number(&p, end); /* start */
        number(&p, end); /* length */
        uint32_t handler = number(&p, end);
        number(&p, end); /* depth */
        if (handler < o->n)
            o->units[handler].leads = 2;
    }
}

/* An exhausted loop goes on behind what would have ended it. */
static long
landing(const struct pt_outcomes *o, const unsigned char *code,
        const struct pt_instruction *i)
{
    long at = pt_instruction_target(i);
    if (i->op != FOR_ITER)
        return at;
    if (at < (long)o->n && code[at * PT_UNIT] == END_FOR)
        at++;
    if (PY_VERSION_HEX >= 0x030D0000 && at < (long)o->n &&
        code[at * PT_UNIT] == POP_TOP)
        at++;
    return at;
}

static void
mark_ways(struct pt_outcomes *o, const unsigned char *code)
{
    for (long at = 0; at < (long)o->n;) {
        struct pt_instruction i = pt_instruction_at(code, o->n, at);
        long lands = landing(o, code, &i);
        if (!pt_instruction_leaves(&i))
            lead(o, i.next);
        lead(o, pt_instruction_target(&i));
        for (long u = at; u < i.next && u < (long)o->n; u++) {
            o->units[u].next = (uint8_t)(i.next - u < 255 ? i.next - u : 255);
            o->units[u].lands = lands > 0 ? (uint32_t)lands : 0;
        }
        at = i.next;
    }
}

struct pt_outcomes *
pt_outcomes_new(uint32_t code, const unsigned char *bytecode, size_t bytes,
                const unsigned char *handlers, size_t nhandlers)
{
    size_t n = bytes / PT_UNIT;
    if (n >= UINT32_MAX || !make_room(code))
        return NULL;
    struct pt_outcomes *o = calloc(1, sizeof *o + (n + 1) * sizeof o->units[0]);
    if (o == NULL)
        return NULL;
    o->n = (uint32_t)n;
    mark_ways(o, bytecode);
    mark_handlers(o, handlers, nhandlers);
    free(all.of[code]);
    all.of[code] = o;
    return o;
}

/* The jump went one way only, for long. */
static enum pt_outcome
lose_patience(struct pt_outcomes *o, uint32_t at)
{
    struct unit *jump = &o->units[at];
    uint32_t other = jump->seen & WENT_ON ? jump->lands : at + jump->next;
    if (other == 0 || other >= o->n || o->units[other].leads != 1 ||
        o->units[other].from != 0) {
        jump->seen |= KEPT;
        return PT_OUTCOME_SEEN;
    }
    o->units[other].from = at + 1;
    jump->seen |= WATCHED;
    return PT_OUTCOME_WATCH;
}

enum pt_outcome
pt_outcomes_branch(struct pt_outcomes *o, uint32_t off, uint32_t dst)
{
    uint32_t at = off / PT_UNIT;
    if (at >= o->n)
        return PT_OUTCOME_NEW;
    struct unit *jump = &o->units[at];
    uint8_t way = dst / PT_UNIT == at + jump->next ? WENT_ON : JUMPED;
    if (!(jump->seen & way)) {
        jump->seen |= way;
        return (jump->seen & (WENT_ON | JUMPED)) == (WENT_ON | JUMPED)
                   ? PT_OUTCOME_LAST
                   : PT_OUTCOME_NEW;
    }
    /* restart_events() has brought it back */
    if (jump->seen & WATCHED ||
        (jump->seen & (WENT_ON | JUMPED)) == (WENT_ON | JUMPED))
        return PT_OUTCOME_OFF;
    if (jump->seen & KEPT || ++jump->count < PATIENCE)
        return PT_OUTCOME_SEEN;
    return lose_patience(o, at);
}

bool
pt_outcomes_reached(struct pt_outcomes *o, uint32_t off, uint32_t *branch)
{
    uint32_t at = off / PT_UNIT;
    if (at >= o->n || o->units[at].from == 0)
        return false;
    uint32_t from = o->units[at].from - 1;
    struct unit *jump = &o->units[from];
    uint8_t way = at == from + jump->next ? WENT_ON : JUMPED;
    o->units[at].from = 0;
    if (jump->seen & way)
        return false;
    jump->seen |= way;
    *branch = from * PT_UNIT;
    return true;
}

void
pt_outcomes_keep(struct pt_outcomes *o, uint32_t off)
{
    uint32_t at = off / PT_UNIT;
    for (uint32_t u = 0; at < o->n && u < o->n; u++)
        if (o->units[u].from == at + 1)
            o->units[u].from = 0;
    if (at < o->n)
        o->units[at].seen = (uint8_t)((o->units[at].seen & ~WATCHED) | KEPT);
}

#endif
