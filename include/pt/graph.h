/* What a code object can do: its instructions, where each leads, what CPython
 * tells of it, and the basic blocks they form.
 *
 * Read through the opcode table that is in the log: no version of CPython is
 * known to those who use a graph.  Hostile bytecode gives a graph of the same
 * form, whose indexes are in range.
 * Thread rule: a cache belongs to one thread; the trace may be shared. */
#ifndef PT_GRAPH_H
#define PT_GRAPH_H

#include <pt/reader.h>

/* How an instruction goes on. */
enum pt_ins_class {
    PT_INS_NEXT,  /* with the next one */
    PT_INS_JUMP,  /* at its target */
    PT_INS_COND,  /* with the next one or at its target: a branch event tells */
    PT_INS_FOR,   /* the same; the target is where an exhausted loop goes on */
    PT_INS_SEND,  /* with the next one, which yields, or at its target */
    PT_INS_YIELD, /* the frame is suspended; resumed, with the next one */
    PT_INS_RETURN, /* it ends the frame */
    PT_INS_RAISE,  /* it raises */
    PT_INS_INVALID /* it is none, or lies behind the end */
};

enum pt_ins_flag {
    PT_INS_FIRES = 1,  /* CPython tells INSTRUCTION for it */
    PT_INS_STARTS = 2, /* ... and LINE, unless the one before it has its line */
    PT_INS_RESUMES = 4,  /* RESUME: a frame begins or goes on here */
    PT_INS_OUTCOME = 8,  /* tells that the branch before it was not taken */
    PT_INS_LINGERS = 16, /* may still run code after its branch event */
    PT_INS_PLACED = 32 /* has a line; all that an empty module has is line 0 */
};

#define PT_INS_NONE UINT32_MAX /* no index */

struct pt_ins {
    uint32_t off;    /* byte offset */
    uint32_t arg;    /* EXTENDED_ARGs before it included */
    uint32_t target; /* index, PT_INS_NONE where it does not jump */
    uint32_t run;    /* index of the first one from here that is not _NEXT */
    uint32_t line;   /* 0 where it has none */
    uint32_t fired;  /* how many of those before it _FIRES ... */
    uint32_t lined;  /* ... and tell a line when all run in order */
    uint8_t opcode, cls, flags, caches;
};

/* Code units [start, end) whose exceptions go to instruction `handler`. */
struct pt_guard {
    uint32_t start, end, handler;
};

/* A code object, decoded through its interpreter's opcode table.  EXTENDED_ARG
 * is an instruction of its own, as it is for CPython's events.  Bytecode that
 * makes no sense gives instructions of class _INVALID and missing targets. */
struct pt_graph {
    uint32_t code; /* id */
    uint32_t n;    /* instructions */
    uint32_t units;
    uint32_t start;     /* index of the RESUME a frame begins at, or none */
    uint32_t turns;     /* instructions of class _JUMP and _SEND */
    uint32_t nguards;   /* in the order of `start`, apart */
    bool jumps_back;    /* LINE by the rule of 3.11: also at each jump back */
    struct pt_ins *ins; /* n, and one of class _INVALID behind them */
    uint32_t *at;       /* code unit to the index of its instruction, which
                           caches share */
    struct pt_guard *guards;
};

/* The index of the instruction that byte offset `off` lies in, or none. */
static inline uint32_t
pt_graph_index(const struct pt_graph *g, uint32_t off)
{
    return off / 2 < g->units ? g->at[off / 2] : PT_INS_NONE;
}

/* The index of the handler for an exception that was reported at `off`. */
uint32_t pt_graph_handler(const struct pt_graph *, uint32_t off);

/* Whether CPython tells a line at an instruction, when the frame has stood at
 * code unit `before`, PT_INS_NONE where it has just begun. */
bool pt_graph_tells_line(const struct pt_graph *, uint32_t index,
                         uint32_t before);

/* The graphs of a trace's code objects, made as they are asked for.  They live
 * as long as the cache; so does what is borrowed from it. */
struct pt_graph_cache;
enum pt_status pt_graph_cache_new(const struct pt_trace *,
                                  struct pt_graph_cache **out);
void pt_graph_cache_free(struct pt_graph_cache *);
/* NULL where the code object is not known, or memory or PT_GRAPH_LIMIT
 * instructions in all are used up. */
const struct pt_graph *pt_graph_cache_at(struct pt_graph_cache *,
                                         uint32_t code);
/* PT_ENOMEM once memory was too short for a graph: whoever meets a NULL asks,
 * for what he makes of it would be wrong. */
enum pt_status pt_graph_cache_status(const struct pt_graph_cache *);
enum { PT_GRAPH_LIMIT = 1 << 25 };

/* Basic blocks and the edges between them, by `from`. */
enum pt_edge_kind { PT_EDGE_NEXT, PT_EDGE_JUMP, PT_EDGE_RAISE };
struct pt_edge {
    uint32_t from, to; /* blocks */
    uint8_t kind;      /* enum pt_edge_kind */
};
struct pt_basic_block {
    uint32_t first, last; /* instructions */
};
struct pt_blocks {
    uint32_t n, nedges;
    struct pt_basic_block *blocks; /* in the order of `first`, without holes */
    struct pt_edge *edges;
};
enum pt_status pt_blocks_new(const struct pt_graph *, struct pt_blocks **out);
void pt_blocks_free(struct pt_blocks *);
/* The block that instruction `index` lies in. */
uint32_t pt_blocks_at(const struct pt_blocks *, uint32_t index);

#endif
