#include "loops.h"
#include "compat.h"

#include "opcodes.h" /* generated for this interpreter */

#include <opcode.h>
#include <pt/log.h>

enum { UNIT = 2, NOWHERE = -1 };
enum { JUMPS = PT_OP_JREL | PT_OP_JBACK | PT_OP_JABS };

/* One instruction: where it begins behind its EXTENDED_ARGs, where the next
 * one does, and what it jumps over. */
struct instruction {
    int op;
    long arg, next;
};

static struct instruction
decode(const unsigned char *code, long units, long at)
{
    struct instruction i = {.op = EXTENDED_ARG};
    while (at < units && i.op == EXTENDED_ARG) {
        i.op = code[at * UNIT];
        i.arg = i.arg << 8 | code[at * UNIT + 1];
        at++;
    }
    i.next = at + opcode_table[i.op].caches;
    return i;
}

/* Where it goes on when nothing tells, in code units. */
static long
silent_successor(const struct instruction *i)
{
    switch (i->op) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
        return i->next - i->arg;
    case JUMP_FORWARD:
    case SEND: /* when the iterator has ended, there is no event */
        return i->next + i->arg;
    case YIELD_VALUE:
    case RETURN_VALUE:
#ifdef RETURN_CONST
    case RETURN_CONST:
#endif
    case RAISE_VARARGS:
    case RERAISE:
        return NOWHERE;
    default: /* other jumps are conditional: there is a branch event */
        return opcode_table[i->op].flags & JUMPS ? NOWHERE : i->next;
    }
}

/* Whether the way from `at` comes back to the instruction that ends at `end`
 * without an event. */
static bool
returns(const unsigned char *code, long units, long at, long end)
{
    for (long steps = 0; steps < units && at >= 0 && at < units; steps++) {
        struct instruction i = decode(code, units, at);
        if (i.next == end)
            return true;
        at = silent_successor(&i);
    }
    return false;
}

bool
pt_loops_silent(const unsigned char *code, size_t bytes)
{
    long units = (long)(bytes / UNIT);
    for (long at = 0; at < units;) {
        struct instruction i = decode(code, units, at);
        if ((i.op == JUMP_BACKWARD || i.op == JUMP_BACKWARD_NO_INTERRUPT) &&
            returns(code, units, i.next - i.arg, i.next))
            return true;
        at = i.next;
    }
    return false;
}
