/* What the opcodes of one interpreter mean to a control-flow graph.  The one
 * place outside record/ where CPython's versions differ: by the names in the
 * log's opcode table, and where names do not tell, by the hexversion.
 * Thread rule: plain data. */
#ifndef PT_REPLAY_DIALECT_H
#define PT_REPLAY_DIALECT_H

#include <pt/graph.h>

enum pt_op_trait {
    PT_TRAIT_SILENT = 1,    /* no INSTRUCTION event */
    PT_TRAIT_LINELESS = 2,  /* starts no line by itself */
    PT_TRAIT_UNHANDLED = 4, /* starts no line as a handler either */
    PT_TRAIT_SKIPPED = 8,   /* an exhausted loop goes on behind it */
    PT_TRAIT_CREATES = 16,  /* makes the generator: the frame begins after it */
    PT_TRAIT_EXTENDS = 32,  /* EXTENDED_ARG */
    PT_TRAIT_POPS = 64,     /* POP_TOP */
    PT_TRAIT_SETTLED = 128  /* starts no line as the target of a jump */
};

enum pt_op_jump { PT_JUMPS_NOT, PT_JUMPS_FORWARD, PT_JUMPS_BACK, PT_JUMPS_TO };

struct pt_op {
    uint8_t cls;    /* enum pt_ins_class */
    uint8_t flags;  /* _RESUMES, _OUTCOME, _LINGERS */
    uint8_t traits; /* enum pt_op_trait */
    uint8_t caches;
    uint8_t jump; /* enum pt_op_jump */
};

struct pt_dialect {
    struct pt_op ops[256];
    bool jumps_back; /* LINE by the rule of 3.11 */
    bool pops_loops; /* an exhausted loop skips a POP_TOP as well */
};

void pt_dialect_init(struct pt_dialect *, const struct pt_interpreter *);

#endif
