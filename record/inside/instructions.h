/* Bytecode, as PyCode_GetCode() gives it: never the adaptive one.
 * Thread rule: plain data. */
#ifndef PT_INSIDE_INSTRUCTIONS_H
#define PT_INSIDE_INSTRUCTIONS_H

#include "compat.h"

#include "opcodes.h" /* generated for this interpreter */

#include <opcode.h>
#include <pt/log.h>

enum { PT_UNIT = 2 }; /* bytes of a code unit */
enum { PT_JUMPS = PT_OP_JREL | PT_OP_JBACK | PT_OP_JABS };

/* One instruction with its EXTENDED_ARGs: where it is behind them, and where
 * the next one begins, in code units. */
struct pt_instruction {
    int op;
    long arg, at, next;
};

static inline struct pt_instruction
pt_instruction_at(const unsigned char *code, long units, long at)
{
    struct pt_instruction i = {.op = EXTENDED_ARG, .at = at};
    while (at < units && i.op == EXTENDED_ARG) {
        i.op = code[at * PT_UNIT];
        i.arg = i.arg << 8 | code[at * PT_UNIT + 1];
        i.at = at++;
    }
    i.next = at + opcode_table[i.op].caches;
    return i;
}

/* Where it jumps to, in code units; -1 where it does not. */
static inline long
pt_instruction_target(const struct pt_instruction *i)
{
    unsigned flags = opcode_table[i->op].flags;
    return flags & PT_OP_JBACK  ? i->next - i->arg
           : flags & PT_OP_JREL ? i->next + i->arg
           : flags & PT_OP_JABS ? i->arg
                                : -1;
}

/* Whether the next one never runs behind it. */
static inline bool
pt_instruction_leaves(const struct pt_instruction *i)
{
    switch (i->op) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case JUMP_FORWARD:
    case RETURN_VALUE:
#ifdef RETURN_CONST
    case RETURN_CONST:
#endif
    case RAISE_VARARGS:
    case RERAISE:
        return true;
    default:
        return false;
    }
}

#endif
