#include "loops.h"
#include "instructions.h"

enum { NOWHERE = -1 };

/* Where it goes on when nothing tells, in code units. */
static long
silent_successor(const struct pt_instruction *i)
{
    switch (i->op) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case JUMP_FORWARD:
    case SEND: /* when the iterator has ended, there is no event */
        return pt_instruction_target(i);
    case YIELD_VALUE:
        return NOWHERE;
    default: /* other jumps are conditional: there is a branch event */
        return pt_instruction_leaves(i) || opcode_table[i->op].flags & PT_JUMPS
                   ? NOWHERE
                   : i->next;
    }
}

/* Whether the way from `at` comes back to the instruction that ends at `end`
 * without an event. */
static bool
returns(const unsigned char *code, long units, long at, long end)
{
    for (long steps = 0; steps < units && at >= 0 && at < units; steps++) {
        struct pt_instruction i = pt_instruction_at(code, units, at);
        if (i.next == end)
            return true;
        at = silent_successor(&i);
    }
    return false;
}

bool
pt_loops_silent(const unsigned char *code, size_t bytes)
{
    long units = (long)(bytes / PT_UNIT);
    for (long at = 0; at < units;) {
        struct pt_instruction i = pt_instruction_at(code, units, at);
        if ((i.op == JUMP_BACKWARD || i.op == JUMP_BACKWARD_NO_INTERRUPT) &&
            returns(code, units, pt_instruction_target(&i), i.next))
            return true;
        at = i.next;
    }
    return false;
}
