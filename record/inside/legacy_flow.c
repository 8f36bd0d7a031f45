#include "legacy_flow.h"

#if !PT_HAVE_MONITORING
#include "frames.h"
#include "loops.h"
#include "objects.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNIT = sizeof(_Py_CODEUNIT),
    STAMP_EVERY = 32,
    PLACES_MIN = 64,
    SILENT_MIN = 1 << 10
};
enum { ROOM = 4 * (1 + PT_RECORD_WORDS) + PT_TIME_BYTES };

/* What lies below the outermost frame. */
static struct pt_place nobody;

_Thread_local struct pt_place *pt_place_top
    __attribute__((tls_model("initial-exec"))) = &nobody;

/* The thread's stack; its first entry is a nobody too. */
static _Thread_local struct {
    struct pt_place *base, *end;
} places __attribute__((tls_model("initial-exec")));

static pthread_key_t places_key; /* ends a thread's stack */

/* Code objects whose jumps back are recorded, a bit by local id.  It grows with
 * the ids and stays. */
static struct {
    unsigned char *bits;
    size_t size; /* bytes */
} silent;

static inline bool
wanted(enum pt_kind kind)
{
    return pt_producer.events >> kind & 1;
}

static inline uint32_t
place(const pt_pyframe *f)
{
    return f != NULL ? pt_compat_frame_off(f) : PT_NOWHERE;
}

/* RESUME's argument is 0 where a frame begins. */
static inline bool
is_at_resume(const pt_pyframe *f)
{
    return pt_legacy_op(f->prev_instr)->plain == RESUME;
}

/* --- loops ---------------------------------------------------------------- */

static bool
grow_silent(uint32_t id)
{
    size_t size = silent.size != 0 ? silent.size * 2 : SILENT_MIN;
    while (id / 8 >= size)
        size *= 2;
    unsigned char *bits = realloc(silent.bits, size);
    if (bits == NULL)
        return false;
    memset(bits + silent.size, 0, size - silent.size);
    silent.bits = bits;
    silent.size = size;
    return true;
}

/* A code object was met for the first time. */
static void
watch(PyCodeObject *co)
{
    uint32_t id = pt_code_id(co);
    if (id / 8 >= silent.size && !grow_silent(id))
        return;
    PyObject *bytes = PyCode_GetCode(co); /* owned */
    unsigned char bit = (unsigned char)(1u << id % 8);
    silent.bits[id / 8] &= (unsigned char)~bit;
    if (bytes == NULL ||
        pt_loops_silent((unsigned char *)PyBytes_AS_STRING(bytes),
                        (size_t)PyBytes_GET_SIZE(bytes)))
        silent.bits[id / 8] |= bit;
    Py_XDECREF(bytes);
}

/* True also where it is not known: a jump too many does no harm. */
static bool
has_silent_loop(PyCodeObject *co)
{
    uint32_t id = pt_code_id(co);
    return id / 8 >= silent.size || silent.bits[id / 8] >> id % 8 & 1;
}

/* --- the stack ------------------------------------------------------------ */

static bool
grow(void)
{
    size_t used =
        places.base != NULL ? (size_t)(pt_place_top - places.base) : 0;
    size_t n = places.base != NULL ? (size_t)(places.end - places.base) * 2
                                   : PLACES_MIN;
    struct pt_place *p = realloc(places.base, n * sizeof *p);
    if (p == NULL)
        return false;
    if (places.base == NULL)
        p[0] = nobody;
    places.base = p;
    places.end = p + n;
    pt_place_top = p + used;
    pthread_setspecific(places_key, p);
    return true;
}

/* Events can still come, if another key's destructor runs Python. */
static void
end_places(void *base)
{
    free(base);
    places.base = places.end = NULL;
    pt_place_top = &nobody;
}

/* Without memory the frame stays unknown, which its events will notice. */
static void
push(const pt_pyframe *f)
{
    if (pt_place_top + 1 >= places.end && !grow())
        return;
    *++pt_place_top = (struct pt_place){.frame = f, .last = f->prev_instr};
}

/* Takes the frames as they are, the innermost being `f`. */
static void
take(const pt_pyframe *f)
{
    size_t n = 0;
    if (places.base != NULL)
        pt_place_top = places.base;
    for (const pt_pyframe *i = f; i != NULL; i = i->previous)
        n += pt_frame_told(i);
    while (places.base + n >= places.end)
        if (!grow())
            return;
    pt_place_top = places.base + n;
    for (struct pt_place *p = pt_place_top; p > places.base; f = f->previous)
        if (pt_frame_told(f))
            *p-- =
                (struct pt_place){.frame = f, .last = pt_legacy_instruction(f)};
}

void
pt_legacy_flow_swap(struct pt_places *from, struct pt_places *to)
{
    *from = (struct pt_places){places.base, places.end, pt_place_top};
    places.base = to->base;
    places.end = to->end;
    pt_place_top = to->base != NULL ? to->top : &nobody;
    *to = (struct pt_places){0};
    pthread_setspecific(places_key, places.base);
}

void
pt_legacy_flow_lose(void)
{
    pt_emit_gap();
    take(pt_compat_current(pt_compat_tstate()));
}

void
pt_legacy_flow_join(const pt_pyframe *f, bool next)
{
    take(f);
    if (next && pt_place_top->frame == f)
        pt_place_top->state = PT_PLACE_LINED;
}

static bool
is_known(const pt_pyframe *f)
{
    const struct pt_place *p = pt_place_top;
    while (p->frame != NULL && p->frame != f)
        p--;
    return p->frame != NULL;
}

static void enter(const pt_pyframe *f, bool told);

/* The place of a frame that is not on top, though no event told of that.  A
 * generator whose delegate has finished by throw() goes on without one, and a
 * frame can raise before its RESUME is told. */
static __attribute__((noinline)) struct pt_place *
meet(const pt_pyframe *f)
{
    if (!is_known(f) && (pt_compat_frame_generator(f) || is_at_resume(f)))
        enter(f, false);
    else
        pt_legacy_flow_lose();
    return pt_place_top;
}

static inline struct pt_place *
find(const pt_pyframe *f)
{
    return PT_LIKELY(pt_place_top->frame == f) ? pt_place_top : meet(f);
}

/* --- frames come and go --------------------------------------------------- */

/* The frame in whose name `f` was called.  Frames that are suspended, because
 * throw() goes down a chain of `yield from`, and such that have returned,
 * because 3.11 clears them before it takes them off, are no callers. */
static bool
find_caller(const pt_pyframe *f, const pt_pyframe **out)
{
    const pt_pyframe *caller = f->previous;
    if (pt_place_top->frame == NULL)
        caller = NULL;
    while (caller != pt_place_top->frame && caller != NULL)
        caller = caller->previous;
    *out = caller;
    return caller == pt_place_top->frame;
}

/* Unless `told`, no event of CPython says that it goes on: it is in the middle
 * of what it does. */
static void
enter(const pt_pyframe *f, bool told)
{
    const pt_pyframe *caller;
    if (PT_UNLIKELY(!find_caller(f, &caller))) {
        pt_legacy_flow_lose(); /* the end of one went by: this one included */
        return;
    }
    uint32_t id = pt_code_id(f->f_code), below = place(caller);
    if (PT_LIKELY(!pt_compat_frame_generator(f))) {
        pt_emit(PT_TIMED(PT_W_CALL_AT, 2), id, below, 0, 0, 0);
        push(f);
        return;
    }
    bool fresh = is_at_resume(f) && _Py_OPARG(*f->prev_instr) == 0;
    uint64_t key =
        fresh || !pt_compat_frame_started(f) ? pt_key_new(f) : pt_key_find(f);
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
    uint32_t off = pt_compat_frame_off(f);
    if (fresh)
        pt_emit(PT_TIMED(PT_W_CALL_KEY_AT, 4), id, low, high, below, 0);
    else if (is_at_resume(f) || !told)
        pt_emit(PT_TIMED(PT_W_RESUME_AT, 5), id, low, high, below, off);
    else
        pt_emit(PT_TIMED(PT_W_THROW_AT, 5), id, low, high, below, off);
    push(f);
}

void
pt_legacy_flow_enter(PyFrameObject *f)
{
    enter(f->f_frame, true);
}

void
pt_legacy_flow_leave(PyFrameObject *object, const PyObject *value)
{
    const pt_pyframe *f = object->f_frame;
    struct pt_place *p = find(f);
    uint32_t id = pt_code_id(f->f_code);
    if (value == NULL)
        pt_emit(PT_TIMED(PT_W_UNWIND, 1), id, 0, 0, 0, 0);
    else if (pt_compat_frame_generator(f) &&
             _Py_OPCODE(*f->prev_instr) == YIELD_VALUE)
        pt_emit(PT_TIMED(PT_W_YIELD_AT, 2), id, pt_compat_frame_off(f), 0, 0,
                0);
    else
        pt_emit(PT_TIMED(PT_W_RETURN, 1), id, 0, 0, 0, 0);
    if (p->frame == f)
        pt_place_top = p - 1;
}

void
pt_legacy_flow_c_call(PyFrameObject *object, PyObject *callee)
{
    const pt_pyframe *f = object->f_frame;
    find(f);
    pt_emit(PT_TIMED(PT_W_C_CALL_AT, 2), pt_callable_id(callee),
            pt_compat_frame_off(f), 0, 0, 0);
}

/* --- from instruction to instruction -------------------------------------- */

/* With on-full=drop, a thread that has room again tells its stack, and so does
 * a forked one (whose lane was wiped) at its first event, and with it that this
 * frame is at the instruction which the record leads to: it must not follow
 * then.  True also where there is still no room. */
static bool
is_told(unsigned kind)
{
    struct pt_lane *l = pt_lane;
    if (PT_LIKELY(l == NULL || (l->dropped == 0 && l->limit != 0)))
        return false;
    pt_lane_slow(ROOM, kind);
    return true;
}

static inline void
emit_branch(uint32_t off, uint32_t dst)
{
    static _Thread_local unsigned count
        __attribute__((tls_model("initial-exec")));
    if (!wanted(PT_BRANCH) || is_told(PT_W_BRANCH))
        return;
    uint32_t near = off / UNIT | dst / UNIT << PT_NEAR_BITS;
    if (PT_UNLIKELY(++count % STAMP_EVERY == 0))
        pt_emit(PT_TIMED(PT_W_BRANCH_TIMED, 2), off, dst, 0, 0, 0);
    else if (PT_LIKELY((off | dst) < PT_NEAR_LIMIT * UNIT))
        pt_emit(PT_UNTIMED(PT_W_BRANCH_NEAR, 0), near, 0, 0, 0, 0);
    else
        pt_emit(PT_UNTIMED(PT_W_BRANCH, 2), off, dst, 0, 0, 0);
}

static void
emit_jump(PyCodeObject *co, uint32_t off, uint32_t dst)
{
    if (wanted(PT_JUMP) && has_silent_loop(co) && !is_told(PT_W_JUMP))
        pt_emit(PT_TIMED(PT_W_JUMP, 2), off, dst, 0, 0, 0);
}

static void
emit_handled(uint32_t off)
{
    if (wanted(PT_HANDLED) && !is_told(PT_W_HANDLED))
        pt_emit(PT_TIMED(PT_W_HANDLED, 1), off, 0, 0, 0, 0);
}

/* The instruction at `here` follows one that does not simply go on.  False
 * where it cannot. */
static bool
turned(const struct pt_place *p, const _Py_CODEUNIT *here)
{
    const pt_pyframe *f = p->frame;
    uint32_t arg, dst = pt_legacy_off(f, here);
    const _Py_CODEUNIT *last = pt_legacy_extended(p->last, &arg);
    uint32_t off = pt_legacy_off(f, last);
    switch (pt_legacy_op(last)->turn) {
    case PT_TURN_BRANCH:
        emit_branch(off, dst);
        return true;
    case PT_TURN_BACK:
        emit_jump(f->f_code, off, dst);
        return true;
    case PT_TURN_JUMP:
        return true;
    default:
        return here - last == pt_legacy_op(last)->width;
    }
}

void
pt_legacy_flow_turn(PyFrameObject *object)
{
    const pt_pyframe *f = object->f_frame;
    const _Py_CODEUNIT *here = f->prev_instr;
    struct pt_place *p = pt_place_top;
    if (p->frame != f) {
        meet(f);
        return;
    }
    bool follows = true;
    if (p->state == PT_PLACE_LINED)
        follows = here == p->last;
    else if (p->state == PT_PLACE_RAISED)
        emit_handled(pt_legacy_off(f, here));
    else
        follows = turned(p, here);
    p->state = PT_PLACE_RUNS;
    p->last = here;
    if (!follows) {
        pt_frames_tell_moved(f);
        take(f);
    }
}

/* --- exceptions ----------------------------------------------------------- */

/* The offset that decides who handles an exception.  It is that of the last
 * instruction, unless a signal's handler raised it: then it is that of the code
 * unit before the next one, which a jump back has already gone to, and which
 * is RESUME itself while its frame is not told. */
static uint32_t
reported(const pt_pyframe *f, const _Py_CODEUNIT *last, bool met)
{
    uint32_t arg, off = pt_compat_frame_off(f);
    const _Py_CODEUNIT *i = pt_legacy_extended(last, &arg);
    if (pt_legacy_op(i)->plain == JUMP_BACKWARD)
        return pt_legacy_off(f, i) - arg * UNIT;
    return met && arg != 0 && is_at_resume(f) ? off - UNIT : off;
}

static void
emit_exception(const pt_pyframe *f, uint32_t off, enum pt_raise how,
               PyTypeObject *type, uint32_t last)
{
    if (wanted(PT_EXCEPTION))
        pt_emit(PT_TIMED(PT_W_EXCEPTION_AT, 4), pt_code_id(f->f_code),
                off << 2 | (uint32_t)how, pt_type_id(type), last, 0);
}

/* FOR_ITER and SEND swallow what ends their iterator. */
static bool
is_swallowed(const struct pt_place *p, PyTypeObject *type)
{
    uint32_t arg;
    int op = pt_legacy_op(pt_legacy_extended(p->last, &arg))->plain;
    return (op == FOR_ITER || op == SEND) &&
           PyType_IsSubtype(type, (PyTypeObject *)PyExc_StopIteration);
}

void
pt_legacy_flow_exception(PyFrameObject *object, PyTypeObject *type)
{
    const pt_pyframe *f = object->f_frame;
    bool met = pt_place_top->frame != f;
    struct pt_place *p = find(f);
    if (p->frame != f)
        return;
    emit_exception(f, reported(f, p->last, met), PT_RAISED, type,
                   pt_compat_frame_off(f));
    if (!is_swallowed(p, type))
        p->state = PT_PLACE_RAISED;
}

void
pt_legacy_flow_rethrow(PyFrameObject *object)
{
    const pt_pyframe *f = object->f_frame;
    uint32_t last;
    PyTypeObject *type = pt_legacy_rethrows(pt_compat_tstate(), f, &last);
    if (type == NULL || pt_place_top->frame != f)
        return;
    emit_exception(f, pt_compat_frame_off(f), PT_RERAISED, type, last);
    pt_place_top->state = PT_PLACE_RAISED;
}

/* -------------------------------------------------------------------------- */

bool
pt_legacy_flow_init(void)
{
    pt_legacy_ops_init();
    pt_objects_watch = watch;
    return pthread_key_create(&places_key, end_places) == 0;
}

#endif
