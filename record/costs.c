#include "record/costs.h"
#include "record/decode.h"

/* One loop as it was timed, in ns a turn, and what its records show. */
struct loop {
    double plain, recorded;
    double pairs, others; /* of beginnings with their ends; of other events */
    double between;       /* ns from a beginning's time to its end's */
    double inside;        /* other events there, by pair */
};

/* The events of one loop that are a pair. */
struct pair {
    uint64_t begins, ends; /* bits by enum pt_word */
};

#define BIT(word) (UINT64_C(1) << (word))

static const struct pair pairs[PT_LOOPS] = {
    [PT_LOOP_CALLS] = {BIT(PT_W_CALL) | BIT(PT_W_CALL_AT), BIT(PT_W_RETURN)},
    [PT_LOOP_C_CALLS] = {BIT(PT_W_C_CALL) | BIT(PT_W_C_CALL_AT),
                         BIT(PT_W_C_RETURN)},
    [PT_LOOP_RESUMES] = {BIT(PT_W_RESUME) | BIT(PT_W_RESUME_AT),
                         BIT(PT_W_YIELD) | BIT(PT_W_YIELD_AT)},
};
static const uint64_t untimed =
    BIT(PT_W_PAD) | BIT(PT_W_BRANCH_NEAR) | BIT(PT_W_BEGIN) | BIT(PT_W_END) |
    BIT(PT_W_GAP) | BIT(PT_W_FRAME) | BIT(PT_W_FRAME_C);
static const uint64_t silent =
    BIT(PT_W_PAD) | BIT(PT_W_TIME) | BIT(PT_W_BEGIN) | BIT(PT_W_END) |
    BIT(PT_W_GAP) | BIT(PT_W_FRAME) | BIT(PT_W_FRAME_C) | BIT(PT_W_SWITCH);
/* Also in loops that are not about them: the loop itself is called. */
static const uint64_t calls = BIT(PT_W_CALL) | BIT(PT_W_CALL_AT) |
                              BIT(PT_W_CALL_KEY) | BIT(PT_W_CALL_KEY_AT) |
                              BIT(PT_W_RETURN);

/* Reads the records of one timing. */
static void
read_records(const struct pair *pair, struct pt_str bytes, double turns,
             double quantum, struct loop *out)
{
    uint64_t quanta = 0, begun = 0, between = 0;
    unsigned since = 0, inside = 0, npairs = 0, others = 0;
    bool open = false;
    for (size_t at = 0; at + 4 <= bytes.len;) {
        uint32_t word;
        memcpy(&word, bytes.data + at, sizeof word);
        unsigned kind = word & ((1u << PT_WORD_KIND_BITS) - 1);
        if (kind >= PT_W_LIMIT || kind == PT_W_PAD || kind == PT_W_TIME)
            break; /* a pause of a second: not a turn that counts */
        at += 4 * (size_t)pt_record_words[kind];
        if (!(untimed >> kind & 1))
            quanta += word >> PT_WORD_KIND_BITS;
        if (pair->begins >> kind & 1) {
            open = true;
            begun = quanta;
            since = 0;
        } else if (pair->ends >> kind & 1 && open) {
            open = false;
            between += quanta - begun;
            inside += since;
            npairs++;
        } else if (!((silent | calls) >> kind & 1)) {
            others++;
            since++;
        }
    }
    out->pairs = npairs / turns;
    out->others = others / turns;
    out->between = npairs == 0 ? 0 : (double)between * quantum / npairs;
    out->inside = npairs == 0 ? 0 : (double)inside / npairs;
}

static uint32_t
picoseconds(double ns)
{
    return ns <= 0 ? 0 : ns > 1e6 ? 1000000000u : (uint32_t)(ns * 1000);
}

static void
set(struct pt_costs *c, unsigned kind, double before, double after)
{
    c->of[kind].before = picoseconds(before);
    c->of[kind].after = picoseconds(after);
}

static double
at_least_0(double x)
{
    return x > 0 ? x : 0;
}

/* Costs of a pair: `within` is the callee's share. */
static bool
divide(const struct loop *loop, const struct loop *alone, double other,
       double *within, double *around)
{
    if (loop->pairs < 0.5)
        return false;
    double cost =
        (loop->recorded - loop->plain - loop->others * other) / loop->pairs;
    double own = at_least_0(loop->plain - alone->plain) / loop->pairs;
    *within = at_least_0(loop->between - loop->inside * other - own / 2);
    if (*within > cost)
        *within = at_least_0(cost);
    *around = at_least_0(cost - *within);
    return true;
}

static void
set_costs(const struct loop loops[PT_LOOPS], struct pt_costs *out)
{
    const struct loop *alone = &loops[PT_LOOP_ALONE];
    double other = 0, within, around;
    if (alone->others > 0.5)
        other = at_least_0(alone->recorded - alone->plain) / alone->others;
    static const uint8_t singles[] = {PT_LINE, PT_INSTRUCTION, PT_BRANCH,
                                      PT_JUMP};
    for (size_t i = 0; i < sizeof singles; i++)
        set(out, singles[i], other / 2, other / 2);
    if (divide(&loops[PT_LOOP_CALLS], alone, other, &within, &around)) {
        set(out, PT_CALL, around / 2, within / 2);
        set(out, PT_RETURN, within / 2, around / 2);
        set(out, PT_UNWIND, within / 2, around / 2);
        set(out, PT_EXCEPTION, within / 2, within / 2);
        set(out, PT_HANDLED, within / 2, within / 2);
    }
    if (divide(&loops[PT_LOOP_C_CALLS], alone, other, &within, &around)) {
        set(out, PT_C_CALL, around / 2, within / 2);
        set(out, PT_C_RETURN, within / 2, around / 2);
        set(out, PT_C_EXCEPTION, within / 2, around / 2);
    }
    if (divide(&loops[PT_LOOP_RESUMES], alone, other, &within, &around)) {
        set(out, PT_RESUME, around / 2, within / 2);
        set(out, PT_THROW, around / 2, within / 2);
        set(out, PT_YIELD, within / 2, around / 2);
    }
}

bool
pt_costs_find(struct pt_fields *b, struct pt_costs *out)
{
    struct loop loops[PT_LOOPS] = {0};
    struct pt_str records[PT_LOOPS];
    double turns = pt_fields_u32(b);
    uint32_t quantum_log2 = pt_fields_u32(b) & 63;
    for (int i = 0; i < PT_LOOPS; i++) {
        loops[i].plain = (double)pt_fields_u64(b);
        loops[i].recorded = (double)pt_fields_u64(b);
        records[i] = pt_fields_str(b);
    }
    double ticks = (double)pt_fields_u64(b), ns = (double)pt_fields_u64(b);
    if (b->bad || turns < 1 || ticks < 1)
        return false;
    double tick = ns / ticks;
    for (int i = 0; i < PT_LOOPS; i++) {
        loops[i].plain *= tick / turns;
        loops[i].recorded *= tick / turns;
        read_records(&pairs[i], records[i], turns,
                     tick * (double)(UINT64_C(1) << quantum_log2), &loops[i]);
    }
    set_costs(loops, out);
    return true;
}
