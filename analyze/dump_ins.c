/* From an event of kind instruction to what ran: opcode, argument and its
 * meaning, place in the source. */
#include "analyze/dump.h"
#include "analyze/operand.h"

#include <stdlib.h>

struct pt_disassembler {
    const struct pt_trace *trace;
    struct pt_graph_cache *graphs; /* borrowed */
    struct pt_operands *operands;
    uint32_t ncodes;
    struct pt_lines **lines; /* by code id */
    bool failed;             /* memory was too short for some */
    struct pt_growing meaning;
};

enum pt_status
pt_disassembler_new(const struct pt_trace *trace, struct pt_graph_cache *graphs,
                    struct pt_disassembler **out)
{
    struct pt_disassembler *d = calloc(1, sizeof *d);
    if (!d)
        return PT_ENOMEM;
    d->trace = trace;
    d->graphs = graphs;
    d->ncodes = pt_trace_code_count(trace);
    d->lines = calloc((size_t)d->ncodes + 1, sizeof(struct pt_lines *));
    enum pt_status st =
        d->lines ? pt_operands_new(trace, &d->operands) : PT_ENOMEM;
    if (st != PT_OK) {
        pt_disassembler_free(d);
        return st;
    }
    *out = d;
    return PT_OK;
}

void
pt_disassembler_free(struct pt_disassembler *d)
{
    if (!d)
        return;
    for (uint32_t i = 0; d->lines && i <= d->ncodes; i++)
        pt_lines_free(d->lines[i]);
    free(d->lines);
    pt_operands_free(d->operands);
    pt_growing_free(&d->meaning);
    free(d);
}

static struct pt_position
position(struct pt_disassembler *d, uint32_t id, uint32_t off)
{
    const struct pt_code *code =
        id <= d->ncodes ? pt_trace_code(d->trace, id) : NULL;
    if (code && !d->lines[id])
        d->failed |= pt_lines_new(code, &d->lines[id]) == PT_ENOMEM;
    if (!code || !d->lines[id])
        return (struct pt_position){0, 0, -1, -1};
    return pt_lines_at(d->lines[id], off);
}

uint32_t
pt_disassembler_place(struct pt_disassembler *d, uint32_t code, uint32_t off)
{
    const struct pt_graph *g = pt_graph_cache_at(d->graphs, code);
    uint32_t index = g ? pt_graph_index(g, off) : PT_INS_NONE;
    return index == PT_INS_NONE ? off : g->ins[index].off;
}

enum pt_status
pt_disassembler_at(struct pt_disassembler *d, const struct pt_merged *m,
                   struct pt_dump_ins *out)
{
    uint32_t code = m->step.framed ? m->step.frame.id : 0;
    const struct pt_graph *g =
        m->graph ? m->graph : pt_graph_cache_at(d->graphs, code);
    uint32_t index = m->graph ? m->index
                     : g      ? pt_graph_index(g, m->event->pos)
                              : PT_INS_NONE;
    *out = (struct pt_dump_ins){
        .at = position(d, code, m->event->pos),
        .from = pt_disassembler_place(d, code, m->step.from),
    };
    if (d->failed)
        return PT_ENOMEM;
    if (index == PT_INS_NONE)
        return pt_graph_cache_status(d->graphs);
    d->meaning.used = 0;
    pt_operands_put(d->operands, code, &g->ins[index], &d->meaning);
    out->op = pt_operands_opcode(d->operands, code, &g->ins[index]);
    out->arg = g->ins[index].arg;
    out->meaning = pt_growing_whole(&d->meaning);
    return d->meaning.failed ? PT_ENOMEM : PT_OK;
}
