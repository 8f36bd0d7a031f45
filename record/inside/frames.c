/* Keys by the address of a frame: one that has ended keeps its entry until
 * another starts there. */
#include "frames.h"
#include "addresses.h"
#include "gate.h"
#include "objects.h"

#include <stdlib.h>

struct entry {
    const pt_pyframe *frame;
    uint64_t key;
};

static struct pt_addresses frames;
static uint64_t last; /* key given */

uint64_t
pt_key_new(const pt_pyframe *f)
{
    struct entry *e = pt_addresses_meet(&frames, sizeof *e, f);
    return e != NULL ? e->key = ++last : 0;
}

uint64_t
pt_key_find(const pt_pyframe *f)
{
    const struct entry *e = pt_addresses_find(&frames, sizeof *e, f);
    return e != NULL ? e->key : pt_key_new(f);
}

bool
pt_frame_suspended(const pt_pyframe *f)
{
    if (!pt_compat_frame_generator(f))
        return false;
    const _PyErr_StackItem *own = pt_compat_frame_exceptions(f);
    const _PyErr_StackItem *e = pt_compat_tstate()->exc_info;
    while (e != NULL && e != own)
        e = e->previous_item;
    return e == NULL;
}

bool
pt_frame_told(const pt_pyframe *f)
{
    return pt_compat_frame_real(f) && !pt_frame_suspended(f) &&
           pt_gate_recorded(f);
}

/* Whether a record begins the innermost frame. */
static bool
enters(unsigned kind)
{
    switch (kind) {
    case PT_W_CALL:
    case PT_W_CALL_KEY:
    case PT_W_RESUME:
    case PT_W_THROW:
    case PT_W_CALL_AT:
    case PT_W_CALL_KEY_AT:
    case PT_W_RESUME_AT:
    case PT_W_THROW_AT:
        return true;
    default:
        return false;
    }
}

/* Whether a record is of the instruction that the innermost frame is about to
 * run. */
static bool
starts_next(unsigned kind)
{
    return kind == PT_W_LINE || kind == PT_W_INSTRUCTION;
}

/* Whether the innermost frame stands behind what a record tells of. */
static bool
is_ahead(unsigned kind)
{
    switch (kind) {
    case PT_W_BRANCH:
    case PT_W_BRANCH_TIMED:
    case PT_W_BRANCH_NEAR:
    case PT_W_JUMP:
        return PT_JUMPS_AHEAD;
    default:
        return false;
    }
}

/* Is being told of by pt_frames_tell_moved(). */
static _Thread_local const pt_pyframe *moved;

/* As FRAME has it; `starts` is true of one whose instruction the next record is
 * of, `ahead` of one that stands behind the next record. */
static uint32_t
place_of(const pt_pyframe *f, bool starts, bool ahead)
{
    uint32_t off = pt_compat_frame_off(f);
    return f == moved || starts ? off | PT_FRAME_NEXT
           : ahead              ? PT_NOWHERE
                                : off;
}

void
pt_frames_tell(unsigned next)
{
    PyThreadState *tstate = pt_compat_tstate();
    if (tstate == NULL)
        return;
    const pt_pyframe *top = pt_compat_current(tstate);
    while (top != NULL && !pt_compat_frame_real(top))
        top = top->previous;
    if (enters(next) && top != NULL)
        top = top->previous;
    for (const pt_pyframe *f = top; moved != NULL && f != NULL; f = f->previous)
        if (f == moved)
            top = f;

    /* Ids first: a definition may have to be sent, and room for the frames
     * must not be taken meanwhile.  What is too deep loses its outermost. */
    uint32_t n = 0, limit = pt_frames_limit();
    for (const pt_pyframe *f = top; f != NULL; f = f->previous)
        if (n < limit && pt_frame_told(f))
            n++;
    const pt_pyframe **stack = calloc(n + 1, sizeof *stack);
    if (stack == NULL)
        return;
    uint32_t i = n;
    for (const pt_pyframe *f = top; f != NULL && i > 0; f = f->previous)
        if (pt_frame_told(f))
            stack[--i] = f;
    for (i = 0; i < n && stack[i] != NULL; i++)
        pt_code_id(pt_compat_frame_code(stack[i]));
    for (i = 0; i < n && stack[i] != NULL; i++) {
        const pt_pyframe *f = stack[i];
        uint64_t key = pt_compat_frame_generator(f) ? pt_key_find(f) : 0;
        bool starts = f == top && starts_next(next);
        uint32_t off = place_of(f, starts, f == top && is_ahead(next));
        if (!pt_emit_frame(pt_code_id(pt_compat_frame_code(f)), key, off,
                           n - 1 - i))
            break;
    }
    free(stack);
}

void
pt_frames_tell_moved(const pt_pyframe *f)
{
    moved = f;
    pt_emit_gap();
    moved = NULL;
}
