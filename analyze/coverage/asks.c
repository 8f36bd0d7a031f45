/* Where the compiler leaves what it asks for.
 *
 * To ask for an operand of `a and b` as a value, it makes the operand, copies
 * it and jumps; the copy, what turns it into a bool, or the jump itself (3.11)
 * is placed at the whole of `a and b`, and what comes before lies in the
 * operand.  To ask for a condition in an `if`, it makes the value and jumps;
 * what makes the value is placed at the condition, and the jump is too, but for
 * 3.11, and where the jump was turned round to jump back in a loop. */
#include "analyze/coverage/asks.h"

#include <stdlib.h>
#include <string.h>

void
pt_asks_free(struct pt_asks *a)
{
    if (!a)
        return;
    free(a->asks);
    free(a->inside);
    free(a->whole);
    free(a);
}

/* What is looked at of an opcode, by its name. */
enum trait {
    TRAIT_TRUE = 1,     /* jumps if true */
    TRAIT_FALSE = 2,    /* ... if false */
    TRAIT_NONE = 4,     /* ... if None */
    TRAIT_NOT_NONE = 8, /* ... if not None */
    TRAIT_KEEPS = 16,   /* ... and keeps the value */
    TRAIT_VALUE = 32,   /* COPY, TO_BOOL: of the value that is asked for */
    TRAIT_INVERTS = 64, /* is, in: an odd argument inverts it */
    TRAIT_STORES = 128, /* the end of a := */
    TRAIT_FILLS = 256,  /* EXTENDED_ARG, NOP */
    TRAIT_FUSED = 512,  /* stores, and then loads */
    TRAIT_DROPS = 1024, /* POP_TOP */
    TRAIT_CONST = 2048  /* loads a constant */
};

struct asking {
    const struct pt_decisions *decisions;
    const struct pt_graph *graph;
    struct pt_lines *lines;
    uint32_t *from; /* of each instruction: a jump that goes there, + 1 ... */
    uint32_t *also; /* ... and of each jump: another one, + 1 */
    uint16_t traits[256];
    bool keeps;     /* this Python has jumps that keep the value */
    bool generates; /* the code is that of a generator expression */
};

static bool
has(struct pt_str name, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= name.len; i++)
        if (memcmp(name.data + i, part, n) == 0)
            return true;
    return false;
}

static bool
is(struct pt_str name, const char *all)
{
    return name.len == strlen(all) && memcmp(name.data, all, name.len) == 0;
}

static uint16_t
traits_of(struct pt_str name)
{
    unsigned t = 0;
    if (has(name, "JUMP")) {
        if (has(name, "NOT_NONE"))
            t = TRAIT_NOT_NONE;
        else if (has(name, "NONE"))
            t = TRAIT_NONE;
        else if (has(name, "IF_TRUE"))
            t = TRAIT_TRUE;
        else if (has(name, "IF_FALSE"))
            t = TRAIT_FALSE;
        if (has(name, "OR_POP"))
            t |= TRAIT_KEEPS;
    } else if (is(name, "COPY") || is(name, "TO_BOOL"))
        t = TRAIT_VALUE;
    else if (is(name, "IS_OP") || is(name, "CONTAINS_OP"))
        t = TRAIT_INVERTS;
    else if (is(name, "POP_TOP"))
        t = TRAIT_DROPS;
    else if (is(name, "LOAD_COMMON_CONSTANT"))
        t = TRAIT_CONST;
    else if (is(name, "EXTENDED_ARG") || is(name, "NOP"))
        t = TRAIT_FILLS;
    else if (name.len > 6 && memcmp(name.data, "STORE_", 6) == 0)
        t = TRAIT_STORES | (has(name, "_LOAD_") ? TRAIT_FUSED : 0);
    return (uint16_t)t;
}

static unsigned
trait(const struct asking *a, uint32_t i)
{
    return a->traits[a->graph->ins[i].opcode];
}

static struct pt_position
place(const struct asking *a, uint32_t i)
{
    return pt_lines_at(a->lines, a->graph->ins[i].off);
}

/* The instruction before `i`, or `i` where there is none. */
static uint32_t
before(const struct asking *a, uint32_t i)
{
    uint32_t p = i;
    while (p > 0 && trait(a, p - 1) & TRAIT_FILLS)
        p--;
    return p > 0 ? p - 1 : i;
}

static bool
is_same(struct pt_position a, struct pt_position b)
{
    return a.line == b.line && a.end_line == b.end_line &&
           a.column == b.column && a.end_column == b.end_column;
}

/* The instruction before `i` that is not placed where the whole is. */
static uint32_t
before_whole(const struct asking *a, uint32_t i, struct pt_position whole)
{
    for (;;) {
        uint32_t p = before(a, i);
        if (p == i || !is_same(place(a, p), whole))
            return p;
        i = p;
    }
}

/* The operand of `row` that a value at `p` is of.  What begins the first one
 * can be one instruction with what stands before `row`. */
static uint32_t
operand_at(const struct asking *a, uint32_t row, struct pt_position p)
{
    const struct pt_decisions *d = a->decisions;
    uint32_t part = d->child[row];
    if (!pt_decisions_covers(d, row, &p))
        return part - 1;
    for (; part; part = d->next[part - 1])
        if (pt_decisions_covers(d, part - 1, &p))
            return part - 1;
    return d->child[row] - 1;
}

/* The link of chain `row` of which the right side was made at `p`: the first
 * that ends there or later. */
static uint32_t
link_at(const struct asking *a, uint32_t row, struct pt_position p)
{
    const struct pt_decisions *d = a->decisions;
    uint32_t part = d->child[row], last = part;
    for (; part; part = d->next[part - 1]) {
        const struct pt_expression *e = &d->syntax->expressions[part - 1];
        last = part;
        if (p.end_line < e->end_line ||
            (p.end_line == e->end_line &&
             p.end_column <= (int32_t)e->end_column))
            break;
    }
    return last - 1;
}

/* The expression of several operands that is exactly at `p`, + 1. */
static uint32_t
operation_at(const struct asking *a, struct pt_position p, uint32_t ops)
{
    const struct pt_decisions *d = a->decisions;
    uint32_t row = pt_decisions_find(d, &p);
    bool found = row && d->child[row - 1] &&
                 pt_decisions_is_at(d, row - 1, &p) &&
                 ops >> d->syntax->expressions[row - 1].op & 1;
    return found ? row : 0;
}

/* What a jump asks for that tests a value's being None.  Where one instruction
 * stores a loop's variable and loads it again, as in `[x for x in y if x is
 * None]`, its place is that of the former; else it lies in the comparison. */
static uint32_t
find_none(const struct asking *a, uint32_t jump)
{
    const struct pt_decisions *d = a->decisions;
    struct pt_position at = place(a, jump), value = place(a, before(a, jump));
    uint32_t row;
    if (trait(a, before(a, jump)) & TRAIT_FUSED) {
        row = pt_decisions_behind(d, &value);
        if (row && pt_decisions_says_none(d, row - 1))
            return row;
    } else
        for (row = pt_decisions_find(d, &value); row; row = d->around[row - 1])
            if (!d->child[row - 1] && !pt_decisions_is_at(d, row - 1, &value) &&
                pt_decisions_says_none(d, row - 1))
                return row;
    row = pt_decisions_find(d, &at);
    return row && !d->child[row - 1] && pt_decisions_is_at(d, row - 1, &at) &&
                   pt_decisions_says_none(d, row - 1)
               ? row
               : 0;
}

/* Whether all ways that meet on the way from `value` to `jump` come out of
 * expression `row`. */
static bool
is_met_within(const struct asking *a, uint32_t value, uint32_t jump,
              uint32_t row)
{
    for (uint32_t i = value + 1; i <= jump; i++)
        for (uint32_t from = a->from[i]; from; from = a->also[from - 1]) {
            struct pt_position p = place(a, from - 1);
            if (p.line == 0) /* a jump of the compiler's own */
                p = place(a, before(a, from - 1));
            if (!pt_decisions_covers(a->decisions, row, &p))
                return false;
        }
    return true;
}

/* Which operand of `row`, or of one of its operands, the value at `p` is of:
 * from 3.14 on `a` of `(a and b) and c` is asked for with the place of all.
 * Outside of all it is what begins the first one, as in operand_at(). */
static uint32_t
innermost_at(const struct asking *a, uint32_t row, uint32_t value,
             uint32_t jump)
{
    const struct pt_decisions *d = a->decisions;
    struct pt_position p = place(a, value);
    bool outside = !pt_decisions_covers(d, row, &p);
    for (;;) {
        uint8_t op = (uint8_t)d->syntax->expressions[row].op;
        uint32_t part = d->child[row];
        bool chooses = op == PT_EXPRESSION_TERNARY && !outside;
        if (op != PT_EXPRESSION_AND && op != PT_EXPRESSION_OR && !chooses)
            return row;
        while (part && !outside && !pt_decisions_covers(d, part - 1, &p))
            part = d->next[part - 1];
        if (!part || !is_met_within(a, value, jump, part - 1))
            return row;
        row = part - 1;
    }
}

/* The link of a chain, or an operand of `and`, `or`, that is asked for with the
 * whole's place. */
static uint32_t
find_operand(const struct asking *a, uint32_t jump, uint32_t whole)
{
    const struct pt_decisions *d = a->decisions;
    uint32_t value = before(a, jump);
    struct pt_position p = place(a, value);
    const struct pt_expression *e = &d->syntax->expressions[whole - 1];
    struct pt_position all = {e->line, e->end_line, (int32_t)e->column,
                              (int32_t)e->end_column};
    if (is_same(p, all)) {
        value = before_whole(a, jump, all);
        p = place(a, value);
    }
    if (e->op == PT_EXPRESSION_CHAIN)
        return 1 + link_at(a, whole - 1, p);
    return 1 + innermost_at(a, operand_at(a, whole - 1, p), value, jump);
}

/* The expression whose truth a jump asks for, + 1; 0 where it is none. */
static uint32_t
find_asked(const struct asking *a, uint32_t jump)
{
    const struct pt_decisions *d = a->decisions;
    const uint32_t both = 1u << PT_EXPRESSION_AND | 1u << PT_EXPRESSION_OR;
    const uint32_t all = both | 1u << PT_EXPRESSION_CHAIN;
    if (trait(a, jump) & (TRAIT_NONE | TRAIT_NOT_NONE))
        return find_none(a, jump);
    uint32_t p = before(a, jump), row = 0;
    if (trait(a, p) & TRAIT_VALUE)
        row = operation_at(a, place(a, p), all);
    else if (trait(a, jump) & TRAIT_KEEPS)
        row = operation_at(a, place(a, jump), all);
    else if (a->keeps)
        row = operation_at(a, place(a, jump), both); /* a threaded one */
    if (row)
        return find_operand(a, jump, row);
    struct pt_position value = place(a, p);
    row = operation_at(a, value, 1u << PT_EXPRESSION_CHAIN);
    if (row)
        return find_operand(a, jump, row);
    row = pt_decisions_find(d, &value);
    if (row && pt_decisions_is_at(d, row - 1, &value))
        return row;
    while (row && d->child[row - 1])
        row = d->around[row - 1];
    return trait(a, p) & TRAIT_STORES ? row : 0;
}

/* Whether the comparison before the jump was inverted: `not a in b`. */
static bool
is_inverted(const struct asking *a, uint32_t jump, uint32_t row)
{
    const struct pt_decisions *d = a->decisions;
    uint32_t p = before(a, jump);
    while (p > 0 && trait(a, p) & TRAIT_VALUE)
        p = before(a, p);
    struct pt_position at = place(a, p);
    uint32_t parent = d->syntax->expressions[row].parent;
    if (!(trait(a, p) & TRAIT_INVERTS) || d->child[row] || !parent ||
        d->syntax->expressions[parent - 1].op == PT_EXPRESSION_CHAIN ||
        !pt_decisions_is_at(d, row, &at))
        return false;
    return (a->graph->ins[p].arg & 1) != pt_decisions_says_not(d, row);
}

static void
find(const struct asking *a, uint32_t i, struct pt_asks *out)
{
    const struct pt_ins *ins = &a->graph->ins[i];
    uint32_t row = find_asked(a, i);
    if (!row)
        return;
    row--;
    unsigned t = trait(a, i);
    bool jumps = t & (TRAIT_TRUE | TRAIT_NONE);
    if (t & (TRAIT_NONE | TRAIT_NOT_NONE))
        jumps ^= pt_decisions_says_not(a->decisions, row);
    else
        jumps ^= is_inverted(a, i, row);
    bool told = a->graph->ins[i + 1].flags & PT_INS_OUTCOME;
    out->asks[out->n++] = (struct pt_ask){
        .index = i,
        .row = row,
        .jumps = jumps,
        .blind = ins->target == i + 1 && !told,
    };
}

/* Whether the place of an instruction says nothing: `raise` of an assert is
 * placed at its test, what a generator expression yields by at what it yields,
 * and what drops a statement's value at the value. */
static bool
is_misplaced(const struct asking *a, uint32_t i)
{
    const struct pt_ins *ins = &a->graph->ins[i];
    return ins->cls == PT_INS_RAISE || trait(a, i) & TRAIT_DROPS ||
           (a->generates &&
            (ins->cls == PT_INS_YIELD || ins->flags & PT_INS_RESUMES));
}

/* The innermost expression that an instruction is for, + 1. */
static uint32_t
lies_in(const struct asking *a, uint32_t i)
{
    const struct pt_decisions *d = a->decisions;
    if (is_misplaced(a, i))
        return 0;
    struct pt_position p = place(a, i);
    uint32_t row = pt_decisions_find(d, &p);
    if (!row || d->syntax->expressions[row - 1].op != PT_EXPRESSION_CHAIN ||
        !d->child[row - 1])
        return row;
    if (pt_decisions_is_at(d, row - 1, &p))
        p = place(a, before_whole(a, i, p));
    return 1 + link_at(a, row - 1, p);
}

static bool
is_whole(const struct asking *a, uint32_t i, uint32_t row)
{
    const struct pt_decisions *d = a->decisions;
    struct pt_position p = place(a, i);
    uint32_t root = d->decisions[d->parts[row].decision].root;
    /* 3.11 places the None that a function returns where it was last. */
    return !(trait(a, i) & TRAIT_CONST) &&
           (pt_decisions_is_at(d, row, &p) || pt_decisions_is_at(d, root, &p));
}

static enum pt_status
begin(struct asking *a, struct pt_asks *out, const struct pt_interpreter *in,
      const struct pt_code *code)
{
    for (unsigned i = 0; i < 256; i++) {
        a->traits[i] = traits_of(in->opcodes[i].name);
        if (in->opcodes[i].flags & PT_OP_CONST)
            a->traits[i] |= TRAIT_CONST;
        a->keeps |= (a->traits[i] & TRAIT_KEEPS) != 0;
    }
    a->generates = is(code->name, "<genexpr>");
    size_t jumps = 0;
    for (uint32_t i = 0; i < a->graph->n; i++)
        jumps += a->graph->ins[i].cls == PT_INS_COND;
    out->asks = calloc(jumps + 1, sizeof *out->asks);
    out->inside = calloc((size_t)a->graph->n + 1, sizeof *out->inside);
    out->whole = calloc((size_t)a->graph->n + 1, sizeof *out->whole);
    a->from = calloc(2 * ((size_t)a->graph->n + 1), sizeof *a->from);
    if (!out->asks || !out->inside || !out->whole || !a->from)
        return PT_ENOMEM;
    a->also = a->from + a->graph->n + 1;
    for (uint32_t i = 0; i < a->graph->n; i++) {
        uint32_t target = a->graph->ins[i].target;
        if (target < a->graph->n) {
            a->also[i] = a->from[target];
            a->from[target] = i + 1;
        }
    }
    return pt_lines_new(code, &a->lines);
}

enum pt_status
pt_asks_new(const struct pt_decisions *decisions,
            const struct pt_interpreter *interpreter,
            const struct pt_code *code, const struct pt_graph *graph,
            struct pt_asks **out)
{
    struct asking a = {.decisions = decisions, .graph = graph};
    struct pt_asks *asks = calloc(1, sizeof *asks);
    if (!asks)
        return PT_ENOMEM;
    enum pt_status st = begin(&a, asks, interpreter, code);
    for (uint32_t i = 0; st == PT_OK && i < graph->n; i++) {
        asks->inside[i] = lies_in(&a, i);
        asks->whole[i] =
            asks->inside[i] && is_whole(&a, i, asks->inside[i] - 1);
        if (graph->ins[i].cls == PT_INS_COND)
            find(&a, i, asks);
    }
    pt_lines_free(a.lines);
    free(a.from);
    if (st != PT_OK) {
        pt_asks_free(asks);
        return st;
    }
    *out = asks;
    return PT_OK;
}
