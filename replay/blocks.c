/* Basic blocks of a graph, and the edges between them. */
#include <pt/graph.h>

#include <stdlib.h>

static void
lead(uint8_t *leads, const struct pt_graph *g, uint32_t index)
{
    if (index < g->n)
        leads[index] = 1;
}

/* Marks the first instruction of each block. */
static uint32_t
mark_leaders(const struct pt_graph *g, uint8_t *leads)
{
    lead(leads, g, 0);
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->ins[i].cls == PT_INS_NEXT)
            continue;
        lead(leads, g, i + 1);
        lead(leads, g, g->ins[i].target);
    }
    /* What a guard covers begins and ends with a block, so that an exception
     * leads from a block to one handler. */
    for (uint32_t i = 0; i < g->nguards; i++) {
        lead(leads, g, g->at[g->guards[i].start]);
        lead(leads, g, g->guards[i].handler);
        if (g->guards[i].end < g->units)
            lead(leads, g, g->at[g->guards[i].end]);
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n; i++)
        n += leads[i];
    return n;
}

static void
add_edge(struct pt_blocks *b, uint32_t from, uint32_t index,
         enum pt_edge_kind kind)
{
    if (index == PT_INS_NONE || index > b->blocks[b->n - 1].last)
        return;
    b->edges[b->nedges++] =
        (struct pt_edge){from, pt_blocks_at(b, index), (uint8_t)kind};
}

static void
add_edges(struct pt_blocks *b, const struct pt_graph *g, uint32_t from)
{
    uint32_t last = b->blocks[from].last;
    const struct pt_ins *ins = &g->ins[last];
    switch (ins->cls) {
    case PT_INS_COND:
    case PT_INS_FOR:
    case PT_INS_SEND:
    case PT_INS_NEXT:
    case PT_INS_YIELD:
        add_edge(b, from, last + 1, PT_EDGE_NEXT);
        break;
    default:
        break;
    }
    if (ins->target != PT_INS_NONE)
        add_edge(b, from, ins->target, PT_EDGE_JUMP);
    add_edge(b, from, pt_graph_handler(g, ins->off), PT_EDGE_RAISE);
}

enum pt_status
pt_blocks_new(const struct pt_graph *g, struct pt_blocks **out)
{
    enum { EDGES = 3 }; /* of a block, at most */
    struct pt_blocks *b = calloc(1, sizeof *b);
    uint8_t *leads = calloc((size_t)g->n + 1, 1);
    if (!b || !leads) {
        free(b);
        free(leads);
        return PT_ENOMEM;
    }
    size_t n = mark_leaders(g, leads);
    b->blocks = malloc((n + 1) * sizeof *b->blocks);
    b->edges = malloc((EDGES * n + 1) * sizeof *b->edges);
    if (!b->blocks || !b->edges) {
        free(leads);
        pt_blocks_free(b);
        return PT_ENOMEM;
    }
    for (uint32_t i = 0; i < g->n; i++) {
        if (leads[i])
            b->blocks[b->n++].first = i;
        b->blocks[b->n - 1].last = i;
    }
    free(leads);
    for (uint32_t i = 0; i < b->n; i++)
        add_edges(b, g, i);
    *out = b;
    return PT_OK;
}

void
pt_blocks_free(struct pt_blocks *b)
{
    if (!b)
        return;
    free(b->blocks);
    free(b->edges);
    free(b);
}

uint32_t
pt_blocks_at(const struct pt_blocks *b, uint32_t index)
{
    uint32_t low = 0, high = b->n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (b->blocks[mid].first <= index)
            low = mid;
        else
            high = mid;
    }
    return low;
}
