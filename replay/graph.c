/* Bytecode to graph: instructions, where they lead, and who handles what they
 * raise.  The bytes are a file's: nothing in them is believed. */
#include "replay/graph.h"

#include <stdlib.h>

/* Opcode and argument. */
static const uint8_t *
unit_of(const struct pt_code *code, uint32_t unit)
{
    return (const uint8_t *)code->bytecode.data + 2 * (size_t)unit;
}

/* Instructions in the code; stops above `limit`. */
static uint32_t
count(const struct pt_code *code, const struct pt_dialect *d, uint32_t units,
      uint32_t limit)
{
    uint32_t n = 0;
    for (uint32_t u = 0; u < units && n <= limit; n++)
        u += 1u + d->ops[unit_of(code, u)[0]].caches;
    return n;
}

static void
decode(struct pt_graph *g, const struct pt_code *code,
       const struct pt_dialect *d)
{
    uint32_t u = 0, extended = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        const uint8_t *unit = unit_of(code, u);
        const struct pt_op *op = &d->ops[unit[0]];
        g->ins[i] = (struct pt_ins){
            .off = 2 * u,
            .arg = extended << 8 | unit[1],
            .target = PT_INS_NONE,
            .opcode = unit[0],
            .cls = op->cls,
            .flags = op->flags,
            .caches = op->caches,
        };
        extended = op->traits & PT_TRAIT_EXTENDS ? g->ins[i].arg : 0;
        for (uint32_t end = u + 1u + op->caches; u < end && u < g->units; u++)
            g->at[u] = i;
    }
    g->ins[g->n] = (struct pt_ins){.off = 2 * g->units,
                                   .target = PT_INS_NONE,
                                   .run = g->n,
                                   .cls = PT_INS_INVALID};
}

uint32_t
pt_graph_named(const struct pt_graph *g, const struct pt_dialect *d,
               uint32_t index)
{
    const struct pt_ins *ins = &g->ins[index];
    int64_t next = (int64_t)ins->off / 2 + 1 + ins->caches, arg = ins->arg;
    int64_t unit = -1;
    switch (d->ops[ins->opcode].jump) {
    case PT_JUMPS_FORWARD:
        unit = next + arg;
        break;
    case PT_JUMPS_BACK:
        unit = next - arg;
        break;
    case PT_JUMPS_TO:
        unit = arg;
        break;
    default:
        break;
    }
    return unit >= 0 && unit < g->units ? (uint32_t)unit : PT_INS_NONE;
}

static uint8_t
traits(const struct pt_graph *g, const struct pt_dialect *d, uint32_t index)
{
    return index < g->n ? d->ops[g->ins[index].opcode].traits : 0;
}

static void
link_targets(struct pt_graph *g, const struct pt_dialect *d)
{
    for (uint32_t i = 0; i < g->n; i++) {
        struct pt_ins *ins = &g->ins[i];
        g->turns += ins->cls == PT_INS_JUMP || ins->cls == PT_INS_SEND;
        uint32_t unit = pt_graph_named(g, d, i);
        if (unit == PT_INS_NONE || g->ins[g->at[unit]].off != 2 * unit)
            continue;
        uint32_t to = g->at[unit];
        if (ins->cls == PT_INS_FOR && traits(g, d, to) & PT_TRAIT_SKIPPED) {
            to++;
            to += d->pops_loops && traits(g, d, to) & PT_TRAIT_POPS;
        }
        if (to < g->n)
            ins->target = to;
    }
    for (uint32_t i = g->n; i-- > 0;)
        g->ins[i].run = g->ins[i].cls == PT_INS_NEXT ? g->ins[i + 1].run : i;
}

/* A frame that can be suspended begins behind what makes its generator. */
static uint32_t
find_start(const struct pt_graph *g, const struct pt_dialect *d)
{
    enum { WHERE = 3 }; /* the bits of RESUME's argument that say where */
    uint32_t start = PT_INS_NONE;
    for (uint32_t i = 0; i < g->n; i++) {
        if (traits(g, d, i) & PT_TRAIT_CREATES)
            start = PT_INS_NONE;
        else if (start == PT_INS_NONE && g->ins[i].flags & PT_INS_RESUMES &&
                 (g->ins[i].arg & WHERE) == 0)
            start = i;
    }
    return start;
}

/* --- exceptions: co_exceptiontable of 3.11 and later ----------------------
 *
 * An entry is four numbers, start, length, handler (code units) and depth,
 * each in groups of 6 bits, highest first, bit 6 set on all but the last. */

struct input {
    const uint8_t *p, *end;
};

static bool
take_number(struct input *in, uint32_t *out)
{
    uint32_t value = 0;
    uint8_t b;
    do {
        if (in->p == in->end || value >> 26)
            return false;
        b = *in->p++;
        value = value << 6 | (b & 63);
    } while (b & 64);
    *out = value;
    return true;
}

/* Takes the entries for as long as they are in order and lie in the code. */
static enum pt_status
read_guards(struct pt_graph *g, const struct pt_code *code)
{
    enum { LEAST = 4 }; /* bytes of an entry */
    const uint8_t *data = (const uint8_t *)code->exctable.data;
    struct input in = {data, data ? data + code->exctable.len : data};
    size_t most = code->exctable.len / LEAST;
    if (most > g->units)
        most = g->units;
    g->guards = malloc((most + 1) * sizeof *g->guards);
    if (!g->guards)
        return PT_ENOMEM;
    uint32_t start, size, handler, depth, last = 0;
    while (g->nguards < most && take_number(&in, &start) &&
           take_number(&in, &size) && take_number(&in, &handler) &&
           take_number(&in, &depth)) {
        if (start < last || size == 0 || start >= g->units ||
            size > g->units - start || handler >= g->units)
            break;
        last = start + size;
        g->guards[g->nguards++] =
            (struct pt_guard){start, last, g->at[handler]};
    }
    return PT_OK;
}

uint32_t
pt_graph_handler(const struct pt_graph *g, uint32_t off)
{
    uint32_t unit = off / 2, low = 0, high = g->nguards;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->guards[mid].end <= unit)
            low = mid + 1;
        else
            high = mid;
    }
    return low < g->nguards && g->guards[low].start <= unit
               ? g->guards[low].handler
               : PT_INS_NONE;
}

/* -------------------------------------------------------------------------- */

enum pt_status
pt_graph_new(const struct pt_code *code, uint32_t id,
             const struct pt_dialect *d, uint32_t limit, struct pt_graph **out)
{
    if (code->bytecode.len / 2 >= UINT32_MAX / 2)
        return PT_ELIMIT;
    uint32_t units = (uint32_t)(code->bytecode.len / 2);
    uint32_t n = count(code, d, units, limit);
    if (n > limit)
        return PT_ELIMIT;
    struct pt_graph *g = calloc(1, sizeof *g);
    if (!g)
        return PT_ENOMEM;
    g->code = id;
    g->n = n;
    g->units = units;
    g->jumps_back = d->jumps_back;
    g->ins = malloc((n + (size_t)1) * sizeof *g->ins);
    g->at = malloc((units + (size_t)1) * sizeof *g->at);
    enum pt_status st = g->ins && g->at ? PT_OK : PT_ENOMEM;
    if (st == PT_OK) {
        decode(g, code, d);
        link_targets(g, d);
        g->start = find_start(g, d);
        st = read_guards(g, code);
    }
    if (st == PT_OK)
        st = pt_graph_mark(g, code, d);
    if (st != PT_OK) {
        pt_graph_free(g);
        return st;
    }
    *out = g;
    return PT_OK;
}

void
pt_graph_free(struct pt_graph *g)
{
    if (!g)
        return;
    free(g->ins);
    free(g->at);
    free(g->guards);
    free(g);
}
