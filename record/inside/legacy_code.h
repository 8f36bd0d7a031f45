/* Instructions of CPython 3.11 as they lie in memory: quickened, with inline
 * caches behind some.
 * Thread rule: needs the GIL.  Everything is borrowed. */
#ifndef PT_INSIDE_LEGACY_CODE_H
#define PT_INSIDE_LEGACY_CODE_H

#include "compat.h"

#if !PT_HAVE_MONITORING
#include <opcode.h>

/* How an instruction goes on. */
enum pt_turn {
    PT_TURN_NONE,   /* with the next one */
    PT_TURN_EXTEND, /* EXTENDED_ARG: the one behind it is not traced */
    PT_TURN_BRANCH, /* a conditional jump, a for loop among them */
    PT_TURN_BACK,   /* a jump back, always */
    PT_TURN_JUMP,   /* a jump forward, or SEND: the yield tells */
    PT_TURN_AWAY    /* out of the frame, or to a handler */
};

struct pt_legacy_op {
    int32_t width;   /* code units to the next one, PT_FAR where turn tells */
    uint8_t units;   /* code units, its caches included */
    uint8_t turn;    /* enum pt_turn */
    uint8_t rethrow; /* can raise without a trace event */
    uint8_t plain;   /* the opcode that it is a specialized form of */
};
#define PT_FAR INT32_MIN /* further than any code reaches */
/* By opcode, specialized ones included. */
extern struct pt_legacy_op pt_legacy_ops[256];

void pt_legacy_ops_init(void);

static inline const struct pt_legacy_op *
pt_legacy_op(const _Py_CODEUNIT *at)
{
    return &pt_legacy_ops[_Py_OPCODE(*at)];
}

static inline uint32_t
pt_legacy_off(const pt_pyframe *f, const _Py_CODEUNIT *at)
{
    return (uint32_t)(at - _PyCode_CODE(f->f_code)) *
           (uint32_t)sizeof(_Py_CODEUNIT);
}

/* The instruction behind the EXTENDED_ARGs at `at`, and its argument. */
const _Py_CODEUNIT *pt_legacy_extended(const _Py_CODEUNIT *at, uint32_t *arg);

/* The instruction that the code unit a frame is at belongs to. */
const _Py_CODEUNIT *pt_legacy_instruction(const pt_pyframe *);

/* The type of the exception that the instruction which the frame is about to
 * run raises again, of which no trace event tells; NULL where it does not.
 * *last is the offset that the frame then says it is at. */
PyTypeObject *pt_legacy_rethrows(PyThreadState *, const pt_pyframe *,
                                 uint32_t *last);

#endif
#endif
