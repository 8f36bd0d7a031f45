/* The stack's depth at each instruction, as the compiler meant it: along the
 * flow, by what each opcode takes and leaves, and from the exception table,
 * which has the depth that a handler begins with. */
#include "value_code.h"

#include "opcodes.h" /* generated for this interpreter */

#include <pt/log.h>
#include <stdlib.h>
#include <string.h>

enum { JUMPS = PT_OP_JREL | PT_OP_JBACK | PT_OP_JABS };

struct pt_value_flow
pt_value_flow(const struct pt_value_code *c, uint32_t at)
{
    while (c->unit[at].op == EXTENDED_ARG && at + 1 < c->units)
        at++;
    const struct pt_value_unit *u = &c->unit[at];
    struct pt_value_flow f = {.next = at + 1 + opcode_table[u->op].caches};
    unsigned flags = opcode_table[u->op].flags;
    f.jumps = flags & JUMPS;
    f.falls = true;
    f.target = flags & PT_OP_JBACK ? f.next - u->arg : f.next + u->arg;
    switch (u->op) {
    case JUMP_FORWARD:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
    case RETURN_VALUE:
#ifdef RETURN_CONST
    case RETURN_CONST:
#endif
    case RAISE_VARARGS:
    case RERAISE:
        f.falls = false;
        break;
    default:
        break;
    }
    return f;
}

/* --- the exception table ---------------------------------------------------
 */

/* A number of six bits a byte, the highest first; bit 6: more follow. */
static bool
varint(const uint8_t **p, const uint8_t *end, uint32_t *out)
{
    uint32_t v = 0;
    while (*p < end) {
        uint8_t b = *(*p)++;
        v = v << 6 | (b & 63);
        if (!(b & 64)) {
            *out = v;
            return true;
        }
    }
    return false;
}

void
pt_value_handlers(PyCodeObject *co,
                  void (*found)(void *context, uint32_t target, uint32_t depth),
                  void *context)
{
    PyObject *table = co->co_exceptiontable; /* borrowed */
    if (table == NULL || !PyBytes_Check(table))
        return;
    const uint8_t *p = (const uint8_t *)PyBytes_AS_STRING(table);
    const uint8_t *end = p + PyBytes_GET_SIZE(table);
    uint32_t start, size, target, how;
    while (varint(&p, end, &start) && varint(&p, end, &size) &&
           varint(&p, end, &target) && varint(&p, end, &how))
        found(context, target, (how >> 1) + (how & 1) + 1);
}

/* --- depths ----------------------------------------------------------------
 */

struct walk {
    struct pt_value_code *c;
    uint32_t *todo; /* units whose depth is known and that are not done */
    size_t n;
};

static void
reach(void *context, uint32_t at, uint32_t depth)
{
    struct walk *w = context;
    if (at >= w->c->units || depth >= PT_VALUE_NO_DEPTH ||
        w->c->unit[at].depth != PT_VALUE_NO_DEPTH)
        return;
    w->c->unit[at].depth = (uint16_t)depth;
    w->todo[w->n++] = at;
}

/* What the stack grows by where the instruction is followed by the next. */
static int
effect(const struct pt_value_unit *u, bool jumps)
{
    switch (u->op) {
    case RETURN_GENERATOR:
        return 1; /* what the first send() sends */
#if PY_VERSION_HEX < 0x030C0000
    case PRECALL:
        return 0;
    case CALL:
        return -(int)u->arg - 1;
    case SEND:
        return jumps ? -1 : 0;
    case FOR_ITER:
        return jumps ? -1 : 1;
#else
    case SEND:
        return 0;
    case FOR_ITER:
        return jumps ? 0 : 1;
#if PY_VERSION_HEX < 0x030F0000
    case END_SEND:
        return -1;
#endif
#endif
    default:
        break;
    }
    bool has = opcode_table[u->op].flags & PT_OP_ARG;
    int arg = has || PY_VERSION_HEX >= 0x030D0000 ? (int)u->arg : 0;
    return PyCompile_OpcodeStackEffectWithJump(u->op, arg, jumps);
}

/* Where a loop goes on when its iterator has ended: behind what the
 * interpreter skips. */
static void
reach_end(struct walk *w, uint32_t target, int depth)
{
    if (target >= w->c->units)
        return;
#if PY_VERSION_HEX >= 0x030E0000 /* END_FOR is skipped, POP_ITER is not */
    reach(w, pt_value_flow(w->c, target).next, (uint32_t)depth);
#elif PY_VERSION_HEX >= 0x030D0000 /* END_FOR and POP_TOP */
    uint32_t pop = pt_value_flow(w->c, target).next;
    if (pop < w->c->units)
        reach(w, pt_value_flow(w->c, pop).next, (uint32_t)(depth - 1));
#elif PY_VERSION_HEX >= 0x030C0000 /* END_FOR */
    reach(w, pt_value_flow(w->c, target).next, (uint32_t)(depth - 1));
#else
    reach(w, target, (uint32_t)(depth - 1));
#endif
}

static void
step(struct walk *w, uint32_t at)
{
    struct pt_value_code *c = w->c;
    uint32_t depth = c->unit[at].depth, op = at;
    while (c->unit[op].op == EXTENDED_ARG && op + 1 < c->units) {
        op++;
        c->unit[op].depth = (uint16_t)depth;
    }
    const struct pt_value_unit *u = &c->unit[op];
    struct pt_value_flow f = pt_value_flow(c, op);
    int grows = f.falls ? effect(u, false) : 0;
    int jumped = f.jumps ? effect(u, true) : 0;
    if (f.falls && grows != PY_INVALID_STACK_EFFECT && (int)depth + grows >= 0)
        reach(w, f.next, depth + (uint32_t)grows);
    if (f.jumps && u->op == FOR_ITER && depth > 0)
        reach_end(w, f.target, (int)depth);
    else if (f.jumps && jumped != PY_INVALID_STACK_EFFECT &&
             (int)depth + jumped >= 0)
        reach(w, f.target, depth + (uint32_t)jumped);
}

/* The flow first: it knows more of what lies in a handler's way. */
bool
pt_value_depths(struct pt_value_code *c, PyCodeObject *co)
{
    struct walk w = {.c = c};
    w.todo = malloc((c->units + 1) * sizeof *w.todo);
    if (w.todo == NULL)
        return false;
    for (uint32_t i = 0; i < c->units; i++)
        c->unit[i].depth = PT_VALUE_NO_DEPTH;
    reach(&w, 0, 0);
    while (w.n > 0)
        step(&w, w.todo[--w.n]);
    pt_value_handlers(co, reach, &w);
    while (w.n > 0)
        step(&w, w.todo[--w.n]);
    free(w.todo);
    return true;
}
