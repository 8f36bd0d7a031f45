/* Prints the graphs of all code objects of a trace, a line of JSON each, for
 * oracle.py to compare with what `dis` makes of them. */
#include <pt/flow.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void
print_hex(const char *key, struct pt_str s)
{
    printf("\"%s\":\"", key);
    for (size_t i = 0; i < s.len; i++)
        printf("%02x", (unsigned char)s.data[i]);
    printf("\",");
}

/* -1 where there is none. */
static int64_t
offset_at(const struct pt_graph *g, uint32_t index)
{
    return index == PT_INS_NONE ? -1 : (int64_t)g->ins[index].off;
}

static void
print_graph(const struct pt_code *code, const struct pt_graph *g)
{
    putchar('{');
    print_hex("name", code->qualname);
    print_hex("code", code->bytecode);
    print_hex("lines", code->linetable);
    print_hex("table", code->exctable);
    printf("\"firstline\":%" PRIu32 ",\"start\":%" PRId64 ",\"ins\":[",
           code->firstline, offset_at(g, g->start));
    for (uint32_t i = 0; i < g->n; i++) {
        const struct pt_ins *ins = &g->ins[i];
        printf("%s[%" PRIu32 ",%u,%" PRIu32 ",%" PRId64 ",%" PRId64
               ",%d,%d,%" PRId64 "]",
               i ? "," : "", ins->off, ins->opcode, ins->arg,
               offset_at(g, ins->target),
               ins->flags & PT_INS_PLACED ? (int64_t)ins->line : -1,
               (ins->flags & PT_INS_FIRES) != 0,
               (ins->flags & PT_INS_STARTS) != 0,
               offset_at(g, pt_graph_handler(g, ins->off)));
    }
    printf("]}\n");
}

int
main(int argc, char **argv)
{
    struct pt_trace *trace;
    struct pt_graph_cache *graphs;
    if (argc != 2 || pt_trace_open(argv[1], NULL, &trace) != PT_OK ||
        pt_graph_cache_new(trace, &graphs) != PT_OK)
        return EXIT_FAILURE;
    for (uint32_t id = 1; id <= pt_trace_code_count(trace); id++) {
        const struct pt_graph *g = pt_graph_cache_at(graphs, id);
        if (!g)
            return EXIT_FAILURE;
        print_graph(pt_trace_code(trace, id), g);
    }
    pt_graph_cache_free(graphs);
    pt_trace_close(trace);
    return EXIT_SUCCESS;
}
