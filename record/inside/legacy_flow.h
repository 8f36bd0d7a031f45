/* Flow on CPython 3.11 (spec/format.md): events that say where they happen,
 * from the trace function.
 *
 * 3.11 tells of each instruction that starts, not of where branches go.  So
 * each frame's last instruction is kept, and a record is written only where
 * the next one does not simply follow:
 *
 *   the last one          is told as
 *   a conditional jump    a branch, wherever it went
 *   a jump back           a jump, in code with a silent loop (loops.h)
 *   another jump, SEND    nothing: a walk knows
 *   one that raised       handled
 *   any other             a gap: the program's own trace function moved on
 *
 * Thread rule: needs the GIL.  Each thread has its own stack of frames, which
 * follows calls and returns and ends with the thread. */
#ifndef PT_INSIDE_LEGACY_FLOW_H
#define PT_INSIDE_LEGACY_FLOW_H

#include "legacy_code.h"

#if !PT_HAVE_MONITORING
#include "producer.h"

/* Once, before the first event; false where the system refuses. */
bool pt_legacy_flow_init(void);

/* PyTrace_CALL: a frame begins, goes on, or is thrown into. */
void pt_legacy_flow_enter(PyFrameObject *);
/* PyTrace_RETURN: it ends or is suspended; `value` is NULL when it unwinds. */
void pt_legacy_flow_leave(PyFrameObject *, const PyObject *value);
/* PyTrace_EXCEPTION. */
void pt_legacy_flow_exception(PyFrameObject *, PyTypeObject *type);
/* PyTrace_C_CALL. */
void pt_legacy_flow_c_call(PyFrameObject *, PyObject *callee);

/* Recording begins in the middle of the thread, whose innermost frame is this:
 * takes the stack as it is.  `next`: the frame's instruction comes next. */
void pt_legacy_flow_join(const pt_pyframe *, bool next);

/* Events went by unseen: logs a gap and takes the stack as it is. */
void pt_legacy_flow_lose(void);

/* A frame as the events have told it. */
struct pt_place {
    const pt_pyframe *frame;
    const _Py_CODEUNIT *last; /* the latest instruction that started */
    enum {
        PT_PLACE_RUNS,
        PT_PLACE_LINED, /* `last` was told by its line already */
        PT_PLACE_RAISED /* `last` raised */
    } state;
};
extern _Thread_local struct pt_place *pt_place_top /* never NULL */
    __attribute__((tls_model("initial-exec")));

/* A stack of them; its first entry is no frame.  All zero is an empty one. */
struct pt_places {
    struct pt_place *base, *end, *top;
};

/* The thread's stack is another greenlet's from now on: *from receives the one
 * it had, and *to, which is emptied, is the one it has. */
void pt_legacy_flow_swap(struct pt_places *from, struct pt_places *to);

void pt_legacy_flow_turn(PyFrameObject *);
void pt_legacy_flow_rethrow(PyFrameObject *);

/* Whether the instruction that starts simply follows the one before. */
static inline bool
pt_legacy_flow_follows(const struct pt_place *p, const pt_pyframe *frame)
{
    return p->frame == frame && p->state == PT_PLACE_RUNS &&
           frame->prev_instr == p->last + pt_legacy_op(p->last)->width;
}

/* An instruction starts.  Comes before what else is recorded of it. */
static inline void
pt_legacy_flow_step(PyFrameObject *f)
{
    struct pt_place *p = pt_place_top;
    if (PT_LIKELY(pt_legacy_flow_follows(p, f->f_frame)))
        p->last = f->f_frame->prev_instr;
    else
        pt_legacy_flow_turn(f);
}

/* An instruction starts: all there is to do where it follows the one before
 * and raises nothing again; false, and nothing is done, elsewhere. */
static inline bool
pt_legacy_flow_plain(PyFrameObject *f)
{
    const pt_pyframe *frame = f->f_frame;
    struct pt_place *p = pt_place_top;
    if (PT_UNLIKELY(!pt_legacy_flow_follows(p, frame) ||
                    pt_legacy_op(frame->prev_instr)->rethrow))
        return false;
    p->last = frame->prev_instr;
    return true;
}

/* PyTrace_LINE: the same, for what is recorded of its line. */
static inline void
pt_legacy_flow_line(PyFrameObject *f)
{
    pt_legacy_flow_step(f);
    pt_place_top->state = PT_PLACE_LINED;
}

/* Comes after what else is recorded of an instruction that starts. */
static inline void
pt_legacy_flow_started(PyFrameObject *f)
{
    if (PT_UNLIKELY(pt_legacy_op(f->f_frame->prev_instr)->rethrow))
        pt_legacy_flow_rethrow(f);
}

#endif
#endif
