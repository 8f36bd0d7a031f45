#include "legacy_plain.h"

#if !PT_HAVE_MONITORING
#include "frames.h"
#include "objects.h"

#include <opcode.h>

/* The instruction the frame is at; RESUME has one quickened form. */
static inline int
opcode_at(const PyFrameObject *f, int *arg)
{
    const _Py_CODEUNIT *u = f->f_frame->prev_instr;
    int op = _Py_OPCODE(*u);
    *arg = _Py_OPARG(*u);
    return op == RESUME_QUICK ? RESUME : op;
}

static void
emit_keyed(unsigned word, const PyFrameObject *f)
{
    bool fresh = word == PT_W_CALL_KEY || !pt_compat_frame_started(f->f_frame);
    uint64_t key = fresh ? pt_key_new(f->f_frame) : pt_key_find(f->f_frame);
    pt_emit(PT_TIMED(word, 3), pt_code_id(f->f_frame->f_code), (uint32_t)key,
            (uint32_t)(key >> 32), 0, 0);
}

/* One event for three things: the instruction tells which.  A frame starts at
 * RESUME 0 and goes on at another RESUME; thrown into, it still stands where
 * it was suspended. */
void
pt_legacy_plain_enter(const PyFrameObject *f)
{
    if (PT_LIKELY(!pt_compat_frame_generator(f->f_frame))) {
        pt_emit(PT_TIMED(PT_W_CALL, 1), pt_code_id(f->f_frame->f_code), 0, 0, 0,
                0);
        return;
    }
    int arg, op = opcode_at(f, &arg);
    if (op != RESUME)
        emit_keyed(PT_W_THROW, f);
    else if (arg == 0)
        emit_keyed(PT_W_CALL_KEY, f);
    else
        emit_keyed(PT_W_RESUME, f);
}

void
pt_legacy_plain_leave(const PyFrameObject *f, const PyObject *value)
{
    uint32_t id = pt_code_id(f->f_frame->f_code);
    int arg;
    if (value == NULL)
        pt_emit(PT_TIMED(PT_W_UNWIND, 1), id, 0, 0, 0, 0);
    else if (pt_compat_frame_generator(f->f_frame) &&
             opcode_at(f, &arg) == YIELD_VALUE)
        pt_emit(PT_TIMED(PT_W_YIELD, 1), id, 0, 0, 0, 0);
    else
        pt_emit(PT_TIMED(PT_W_RETURN, 1), id, 0, 0, 0, 0);
}

#endif
