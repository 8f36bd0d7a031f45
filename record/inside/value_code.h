/* What is known of a code object before it runs, for the sake of values: how
 * deep the stack is at each instruction, where a call's result is on top of it,
 * and which variables each line stores and loads.
 *
 * Found out once, when the code object is first met, and kept behind it.
 * Thread rule: needs the GIL; borrows. */
#ifndef PT_INSIDE_VALUE_CODE_H
#define PT_INSIDE_VALUE_CODE_H

#include "compat.h"

enum {
    PT_VALUE_NO_DEPTH = 0xffff, /* not known, or never reached */
    PT_VALUE_NO_RUN = 0xffff
};

/* Before 3.14 a call with * turns what is no tuple into one where the frame
 * does not see it: then its stack has what was freed, when CALL is told. */
#define PT_VALUE_SPREADS (PY_VERSION_HEX < 0x030E0000)

enum pt_value_unit_flag {
    PT_UNIT_RESULT = 1, /* comes after a call */
    PT_UNIT_SPREAD = 2, /* is CALL_FUNCTION_EX */
    PT_UNIT_RUN = 4,    /* a run of a line begins */
    PT_UNIT_START = 8   /* an instruction begins, or its EXTENDED_ARG */
};

struct pt_value_unit {
    uint16_t depth; /* of the stack when the instruction begins */
    uint16_t run;   /* which it is part of, where lines are followed */
    uint8_t op, at; /* opcode; enum pt_value_unit_flag */
    uint8_t back;   /* of a PT_UNIT_RESULT: units back to the call */
    uint8_t pad;
    uint32_t arg;
};

/* A variable of a run: enum pt_value_role << PT_ROLE_SHIFT | index. */
struct pt_value_use {
    uint32_t dst;
    bool stored; /* else only loaded */
};

/* Code of one line that lies together, and that is entered at its beginning. */
struct pt_value_run {
    uint32_t first, n; /* of `uses` */
    bool changes;      /* can change what is in a variable's object */
};

struct pt_value_code {
    uint32_t units, nruns;
    uint32_t locals,
        names; /* variables of each kind; names 0 if none is used */
    struct pt_value_unit *unit;
    struct pt_value_run *run;
    struct pt_value_use *uses;
    uint8_t *secret; /* of locals, then of names: not to be told */
};

/* Takes a place behind code objects, and whether lines are followed.  Once. */
bool pt_value_code_init(bool lines);

const struct pt_value_code *pt_value_code_make(PyCodeObject *);

#pragma GCC visibility push(hidden)
extern Py_ssize_t pt_value_code_extra;
#pragma GCC visibility pop

/* Never NULL; without memory one that knows of no instruction. */
static inline const struct pt_value_code *
pt_value_code(PyCodeObject *co)
{
    const struct pt_value_code *c = pt_compat_extra(co, pt_value_code_extra);
    return c != NULL ? c : pt_value_code_make(co);
}

/* The unit at a byte offset, or NULL. */
static inline const struct pt_value_unit *
pt_value_unit(const struct pt_value_code *c, uint32_t off)
{
    uint32_t i = off / (uint32_t)sizeof(_Py_CODEUNIT);
    return i < c->units ? &c->unit[i] : NULL;
}

/* --- what value_code.c puts together -------------------------------------- */

/* Fills in the depths.  `op`, `arg` and PT_UNIT_START are there. */
bool pt_value_depths(struct pt_value_code *, PyCodeObject *);
/* Fills in runs and uses; false without memory. */
bool pt_value_runs(struct pt_value_code *, PyCodeObject *);

/* How an instruction is followed by others. */
struct pt_value_flow {
    uint32_t next;   /* unit of the instruction after it, whether or not it
                        is reached from here */
    uint32_t target; /* unit that it can jump to */
    bool jumps, falls;
};
struct pt_value_flow pt_value_flow(const struct pt_value_code *, uint32_t at);

/* The handlers of exceptions: calls found(context, target unit, stack depth
 * there) for each. */
void pt_value_handlers(PyCodeObject *,
                       void (*found)(void *context, uint32_t target,
                                     uint32_t depth),
                       void *context);

/* What kinds of instructions there are, by their names. */
enum pt_value_op {
    PT_OP_CALLS = 1,   /* its result is on top of the stack then */
    PT_OP_CHANGES = 2, /* can change an object */
    PT_OP_STORES = 4,  /* binds or unbinds a variable */
    PT_OP_LOADS = 8,
    PT_OP_TWO = 16,     /* two locals, in four bits of its argument each */
    PT_OP_FIRST = 32,   /* PT_OP_STORES is of the first, loads the second */
    PT_OP_IS_NAME = 64, /* of co_names, else a local */
    PT_OP_SHIFTED = 128 /* whose index is above the lowest bit */
};
extern uint8_t pt_value_ops[256];

#endif
