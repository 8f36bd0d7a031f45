#include "replay/dialect.h"

#include <string.h>

/* What a name does not tell is keyed on the version. */
enum {
    HEX_3_12 = 0x030c0000, /* LINE comes from sys.monitoring's tables */
    HEX_3_13 = 0x030d0000, /* FOR_ITER skips END_FOR and POP_TOP ... */
    HEX_3_14 = 0x030e0000  /* ... and here POP_ITER runs */
};

/* Opcodes that do more than go on with the next one.  Others that jump are
 * conditional, and what has no name is none. */
static const struct {
    const char *name;
    uint8_t cls, flags, traits;
} rules[] = {
    {"CACHE", PT_INS_INVALID, 0, PT_TRAIT_SILENT},
    {"RESUME", PT_INS_NEXT, PT_INS_RESUMES,
     PT_TRAIT_SILENT | PT_TRAIT_LINELESS},
    {"END_FOR", PT_INS_NEXT, 0,
     PT_TRAIT_SILENT | PT_TRAIT_LINELESS | PT_TRAIT_SKIPPED},
    {"END_SEND", PT_INS_NEXT, 0, PT_TRAIT_LINELESS},
    {"END_ASYNC_FOR", PT_INS_NEXT, PT_INS_LINGERS,
     PT_TRAIT_LINELESS | PT_TRAIT_UNHANDLED},
    {"POP_ITER", PT_INS_NEXT, PT_INS_LINGERS,
     PT_TRAIT_LINELESS | PT_TRAIT_SETTLED},
    {"NOT_TAKEN", PT_INS_NEXT, PT_INS_OUTCOME, 0},
    {"POP_TOP", PT_INS_NEXT, 0, PT_TRAIT_POPS},
    {"EXTENDED_ARG", PT_INS_NEXT, 0, PT_TRAIT_EXTENDS},
    {"RETURN_GENERATOR", PT_INS_NEXT, 0, PT_TRAIT_CREATES},
    {"RETURN_VALUE", PT_INS_RETURN, 0, 0},
    {"RETURN_CONST", PT_INS_RETURN, 0, 0},
    {"INTERPRETER_EXIT", PT_INS_RETURN, 0, 0},
    {"YIELD_VALUE", PT_INS_YIELD, 0, 0},
    {"RAISE_VARARGS", PT_INS_RAISE, 0, 0},
    {"RERAISE", PT_INS_RAISE, 0, 0},
    {"FOR_ITER", PT_INS_FOR, 0, 0},
    {"SEND", PT_INS_SEND, 0, 0},
    {"JUMP_FORWARD", PT_INS_JUMP, 0, 0},
    {"JUMP_BACKWARD", PT_INS_JUMP, 0, 0},
    {"JUMP_BACKWARD_NO_INTERRUPT", PT_INS_JUMP, 0, 0},
};

static enum pt_op_jump
jump_of(const struct pt_opcode *op, enum pt_ins_class cls)
{
    /* 3.14 gives END_ASYNC_FOR an argument that points back, and no jump. */
    if (cls != PT_INS_COND && cls != PT_INS_JUMP && cls != PT_INS_FOR &&
        cls != PT_INS_SEND)
        return PT_JUMPS_NOT;
    return op->flags & PT_OP_JREL    ? PT_JUMPS_FORWARD
           : op->flags & PT_OP_JBACK ? PT_JUMPS_BACK
           : op->flags & PT_OP_JABS  ? PT_JUMPS_TO
                                     : PT_JUMPS_NOT;
}

static struct pt_op
describe(const struct pt_opcode *op)
{
    const unsigned jumps = PT_OP_JREL | PT_OP_JBACK | PT_OP_JABS;
    struct pt_op out = {.cls = op->name.len == 0   ? PT_INS_INVALID
                               : op->flags & jumps ? PT_INS_COND
                                                   : PT_INS_NEXT,
                        .caches = op->caches};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strlen(rules[i].name) != op->name.len ||
            memcmp(rules[i].name, op->name.data, op->name.len) != 0)
            continue;
        out.cls = rules[i].cls;
        out.flags = rules[i].flags;
        out.traits = rules[i].traits;
        break;
    }
    out.jump = (uint8_t)jump_of(op, out.cls);
    return out;
}

void
pt_dialect_init(struct pt_dialect *d, const struct pt_interpreter *python)
{
    for (unsigned i = 0; i < 256; i++)
        d->ops[i] = describe(&python->opcodes[i]);
    d->jumps_back = python->hexversion < HEX_3_12;
    d->pops_loops =
        python->hexversion >= HEX_3_13 && python->hexversion < HEX_3_14;
}
