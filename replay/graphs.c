/* The graphs of a trace's code objects. */
#include "replay/graph.h"

#include <stdlib.h>

struct entry {
    struct pt_graph *graph;
    bool tried; /* NULL for good */
};

struct pt_graph_cache {
    const struct pt_trace *trace;
    uint32_t ncodes, ndialects;
    uint32_t left; /* instructions that may still be decoded */
    enum pt_status status;
    struct entry *entries;        /* by code id */
    struct pt_dialect **dialects; /* by interpreter id */
};

enum pt_status
pt_graph_cache_new(const struct pt_trace *trace, struct pt_graph_cache **out)
{
    struct pt_graph_cache *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->trace = trace;
    c->left = PT_GRAPH_LIMIT;
    c->ncodes = pt_trace_code_count(trace);
    c->ndialects = pt_trace_interpreter_count(trace);
    c->entries = calloc((size_t)c->ncodes + 1, sizeof *c->entries);
    c->dialects = calloc((size_t)c->ndialects + 1, sizeof *c->dialects);
    if (!c->entries || !c->dialects) {
        pt_graph_cache_free(c);
        return PT_ENOMEM;
    }
    *out = c;
    return PT_OK;
}

void
pt_graph_cache_free(struct pt_graph_cache *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; c->entries && i <= c->ncodes; i++)
        pt_graph_free(c->entries[i].graph);
    for (uint32_t i = 0; c->dialects && i <= c->ndialects; i++)
        free(c->dialects[i]);
    free(c->entries);
    free(c->dialects);
    free(c);
}

static const struct pt_dialect *
dialect_of(struct pt_graph_cache *c, uint32_t id)
{
    const struct pt_interpreter *python = pt_trace_interpreter(c->trace, id);
    if (!python || id > c->ndialects)
        return NULL;
    if (!c->dialects[id]) {
        c->dialects[id] = malloc(sizeof *c->dialects[id]);
        if (c->dialects[id])
            pt_dialect_init(c->dialects[id], python);
        else
            c->status = PT_ENOMEM;
    }
    return c->dialects[id];
}

static struct pt_graph *
make(struct pt_graph_cache *c, uint32_t id)
{
    const struct pt_code *code = pt_trace_code(c->trace, id);
    const struct pt_dialect *d = code ? dialect_of(c, code->interpreter) : NULL;
    struct pt_graph *graph = NULL;
    enum pt_status st = d ? pt_graph_new(code, id, d, c->left, &graph) : PT_OK;
    if (st == PT_ENOMEM)
        c->status = st;
    if (graph)
        c->left -= graph->n;
    return graph;
}

const struct pt_graph *
pt_graph_cache_at(struct pt_graph_cache *c, uint32_t id)
{
    if (id == 0 || id > c->ncodes)
        return NULL;
    struct entry *e = &c->entries[id];
    if (!e->tried) {
        e->tried = true;
        e->graph = make(c, id);
    }
    return e->graph;
}

enum pt_status
pt_graph_cache_status(const struct pt_graph_cache *c)
{
    return c->status;
}
