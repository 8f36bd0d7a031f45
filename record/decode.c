/* Events.  Everything here is compiled into one loop per way of recording, its
 * state in registers: this is what limits how many programs one collector can
 * follow.
 *
 * The stack follows spec/format.md: a C call whose end is missing is closed by
 * the next event that cannot lie inside it. */
#include "record/decode.h"

#define INLINE static inline __attribute__((always_inline))

enum { UNIT = 2 }; /* bytes of a code unit */

/* How the recording was made, known where the loop is compiled. */
enum way {
    ALL_STAMPED = 1, /* every kind carries a time */
    FLOW = 2         /* records may say where they happened */
};

struct state {
    struct run *run;
    struct pt_block *block;
    struct pt_frame *top; /* of the lane's stack */
    const uint32_t *p;    /* the record */
    uint32_t word;        /* its first */
    uint32_t stamped;     /* bit per kind that carries a time */
    uint64_t time;        /* of the event, quanta */
    struct pt_idmap codes, callables, types;
};

const uint8_t pt_record_words[PT_W_LIMIT] = {
    [PT_W_PAD] = 1,          [PT_W_CALL] = 2,         [PT_W_CALL_KEY] = 4,
    [PT_W_RETURN] = 2,       [PT_W_YIELD] = 2,        [PT_W_RESUME] = 4,
    [PT_W_THROW] = 4,        [PT_W_UNWIND] = 2,       [PT_W_LINE] = 2,
    [PT_W_INSTRUCTION] = 2,  [PT_W_BRANCH] = 3,       [PT_W_JUMP] = 3,
    [PT_W_EXCEPTION] = 3,    [PT_W_HANDLED] = 2,      [PT_W_C_CALL] = 2,
    [PT_W_C_RETURN] = 1,     [PT_W_C_EXCEPTION] = 1,  [PT_W_CALL_AT] = 3,
    [PT_W_CALL_KEY_AT] = 5,  [PT_W_RESUME_AT] = 6,    [PT_W_THROW_AT] = 6,
    [PT_W_YIELD_AT] = 3,     [PT_W_EXCEPTION_AT] = 5, [PT_W_C_CALL_AT] = 3,
    [PT_W_BRANCH_TIMED] = 3, [PT_W_BRANCH_NEAR] = 1,  [PT_W_TIME] = 3,
    [PT_W_BEGIN] = 4,        [PT_W_END] = 1,          [PT_W_GAP] = 5,
    [PT_W_FRAME] = 5,        [PT_W_FRAME_C] = 2,      [PT_W_SWITCH] = 3,
    [PT_W_TASK] = 3,         [PT_W_VALUE] = 3,        [PT_W_BYTES] = 1,
    [PT_W_LINE_IN] = 3,      [PT_W_BRANCH_IN] = 4,
};

INLINE bool
stamped(const struct state *s, unsigned way, unsigned kind)
{
    return way & ALL_STAMPED || s->stamped >> kind & 1;
}

INLINE enum pt_status
put(struct state *s, unsigned way, uint8_t kind, uint8_t mask, uint32_t id,
    uint32_t off, uint32_t dst, uint64_t arg)
{
    if (stamped(s, way, kind))
        mask |= PT_HAS(TIME);
    return pt_block_push(s->block, kind, mask, s->time, id, off, dst, arg);
}

/* --- the stack ------------------------------------------------------------ */

INLINE void
close_c_call(struct state *s)
{
    s->top -= s->top->callable;
}

INLINE enum pt_status
enter(struct state *s, unsigned way, unsigned kind, uint32_t id, uint64_t key)
{
    struct pt_shadow *shadow = &s->run->lane->shadow;
    if (s->top + 1 == shadow->end) {
        shadow->top = s->top;
        enum pt_status st = pt_shadow_grow(shadow);
        if (st != PT_OK)
            return st;
        s->top = shadow->top;
    }
    s->top++;
    s->top->key = key;
    s->top->seq = PT_SEQ_PENDING | s->block->n;
    s->top->id = id;
    s->top->line = 0;
    s->top->off = UINT32_MAX;
    s->top->callable = kind == PT_C_CALL;
    s->top->at = way & FLOW && kind == PT_CALL ? PT_AT_START : PT_AT_UNKNOWN;
    s->top->dst = 0;
    s->top->next = 0;
    s->top->time = stamped(s, way, kind) ? (int64_t)s->time : INT64_MIN;
    return PT_OK;
}

INLINE void
stand(struct state *s, enum pt_at at, uint32_t off, uint32_t dst)
{
    s->top->at = (uint8_t)at;
    s->top->off = off;
    s->top->dst = dst;
    s->top->next = 0;
}

/* The frame below the one about to be entered is at `off`.  While it unwinds,
 * what runs meanwhile was called from the instruction that raised; before what
 * was thrown into it is raised, from where it was suspended. */
INLINE void
stand_below(struct state *s, uint32_t off)
{
    struct pt_frame *below = s->top - s->top->callable;
    if (off == PT_NOWHERE || (below->at == PT_AT_RAISED && below->off == off) ||
        (below->at == PT_AT_THROWN && below->dst == off))
        return;
    below->at = below->at == PT_AT_RAISED ? PT_AT_UNKNOWN : PT_AT_INSIDE;
    below->off = off;
    below->next = 0;
}

/* Closes C calls and makes sure that the record's frame, word 1, is the top;
 * PT_END where it is not. */
INLINE enum pt_status
own_frame(struct state *s)
{
    uint32_t id = pt_idmap_find(&s->codes, word(s->p, 1));
    if (id == 0)
        return pt_run_broken(s->run, "an undefined code object", word(s->p, 1));
    struct pt_frame *own = s->top - s->top->callable;
    if (__builtin_expect(own->id != id, 0)) {
        s->time -= s->word >> PT_WORD_KIND_BITS; /* pt_mend() adds it */
        s->run->word = s->word;
        s->run->code = id;
        return PT_END;
    }
    s->top = own;
    return PT_OK;
}

/* --- records -------------------------------------------------------------- */

/* call, resume, throw: `keyed` has the frame's key, `placed` the caller's place
 * and, where the frame goes on, its own. */
INLINE enum pt_status
begin(struct state *s, unsigned way, uint8_t kind, bool keyed, bool placed)
{
    uint8_t mask = PT_HAS(CODE);
    uint32_t id = pt_idmap_find(&s->codes, word(s->p, 1));
    uint32_t off = 0, dst = 0;
    uint64_t key = keyed ? two_words(s->p, 2) : 0;
    if (id == 0)
        return pt_run_broken(s->run, "an undefined code object", word(s->p, 1));
    if (keyed)
        mask |= PT_HAS(ARG);
    if (placed) {
        off = word(s->p, keyed ? 4 : 2);
        stand_below(s, off);
        if (off != PT_NOWHERE)
            mask |= PT_HAS(OFF);
    }
    enum pt_status st = enter(s, way, kind, id, key);
    if (st != PT_OK)
        return st;
    if (placed && kind != PT_CALL) {
        dst = word(s->p, 5);
        mask |= PT_HAS(DST);
        stand(s, kind == PT_RESUME ? PT_AT_JUMPED : PT_AT_THROWN, dst, dst);
    }
    return put(s, way, kind, mask, id, off, dst, key);
}

/* return, yield, unwind. */
INLINE enum pt_status
end(struct state *s, unsigned way, uint8_t kind, bool placed)
{
    enum pt_status st = own_frame(s);
    if (st != PT_OK)
        return st;
    s->top--;
    return put(s, way, kind, placed ? PT_HAS(OFF) : 0, 0,
               placed ? word(s->p, 2) : 0, 0, 0);
}

INLINE enum pt_status
turn(struct state *s, unsigned way, uint8_t kind, uint32_t off, uint32_t dst)
{
    close_c_call(s);
    if (way & FLOW)
        stand(s, PT_AT_JUMPED, off, dst);
    else
        s->top->off = off;
    return put(s, way, kind, PT_HAS(OFF) | PT_HAS(DST), 0, off, dst, 0);
}

INLINE enum pt_status
branch_near(struct state *s, unsigned way)
{
    uint32_t off = s->word >> PT_WORD_KIND_BITS & (PT_NEAR_LIMIT - 1);
    uint32_t dst = s->word >> (PT_WORD_KIND_BITS + PT_NEAR_BITS);
    return turn(s, way, PT_BRANCH, off * UNIT, dst * UNIT);
}

INLINE enum pt_status
branch_timed(struct state *s)
{
    uint32_t off = word(s->p, 1), dst = word(s->p, 2);
    close_c_call(s);
    stand(s, PT_AT_JUMPED, off, dst);
    return pt_block_push(s->block, PT_BRANCH,
                         PT_HAS(TIME) | PT_HAS(OFF) | PT_HAS(DST), s->time, 0,
                         off, dst, 0);
}

INLINE enum pt_status
line(struct state *s, unsigned way)
{
    uint32_t number = word(s->p, 1);
    close_c_call(s);
    s->top->line = number;
    return put(s, way, PT_LINE, PT_HAS(LINE), 0, number, 0, 0);
}

/* A frame of flow stands where its own records say, not where others do that
 * were asked for beside them. */
INLINE enum pt_status
instruction(struct state *s, unsigned way)
{
    uint32_t off = word(s->p, 1);
    close_c_call(s);
    if (!(way & FLOW))
        s->top->off = off;
    return put(s, way, PT_INSTRUCTION, PT_HAS(OFF), 0, off, 0, 0);
}

INLINE enum pt_status
handled(struct state *s, unsigned way)
{
    uint32_t off = word(s->p, 1);
    close_c_call(s);
    if (way & FLOW)
        stand(s, PT_AT_JUMPED, s->top->off, off);
    else
        s->top->off = off;
    return put(s, way, PT_HANDLED, PT_HAS(OFF), 0, off, 0, 0);
}

/* `at` is the index of the word that says where and how. */
INLINE enum pt_status
exception(struct state *s, unsigned way, unsigned at, bool placed)
{
    uint32_t where = word(s->p, at), off = where >> 2, last = 0;
    uint32_t type = pt_idmap_find(&s->types, word(s->p, at + 1));
    uint8_t mask = PT_HAS(OFF) | PT_HAS(TYPE) | PT_HAS(ARG);
    if (type == 0)
        return pt_run_broken(s->run, "an undefined type", word(s->p, at + 1));
    if (placed) {
        enum pt_status st = own_frame(s);
        if (st != PT_OK)
            return st;
        last = word(s->p, at + 2);
        mask |= PT_HAS(DST);
        if ((where & 3) != PT_STOP_ITERATION)
            stand(s, PT_AT_RAISED, last, off);
    } else {
        close_c_call(s);
        s->top->off = off;
    }
    return put(s, way, PT_EXCEPTION, mask, type, off, last, where & 3);
}

INLINE enum pt_status
c_call(struct state *s, unsigned way, bool placed)
{
    uint32_t id = pt_idmap_find(&s->callables, word(s->p, 1));
    uint32_t off = placed ? word(s->p, 2) : 0;
    uint8_t mask = PT_HAS(CALLEE) | (placed ? PT_HAS(OFF) : 0);
    if (id == 0)
        return pt_run_broken(s->run, "an undefined callable", word(s->p, 1));
    close_c_call(s);
    if (placed)
        stand(s, PT_AT_INSIDE, off, 0);
    enum pt_status st = enter(s, way, PT_C_CALL, id, 0);
    return st == PT_OK ? put(s, way, PT_C_CALL, mask, id, off, 0, 0) : st;
}

INLINE enum pt_status
c_end(struct state *s, unsigned way, uint8_t kind)
{
    close_c_call(s);
    return put(s, way, kind, 0, 0, 0, 0, 0);
}

/* What is told once names its code object, as no frame is known. */
static enum pt_status
told_once(struct state *s, uint32_t record)
{
    bool branch = record == PT_W_BRANCH_IN;
    uint32_t id = pt_idmap_find(&s->codes, word(s->p, 1));
    if (id == 0)
        return pt_run_broken(s->run, "an undefined code object", word(s->p, 1));
    return pt_block_push(s->block, branch ? PT_BRANCH : PT_LINE,
                         PT_HAS(CODE) | PT_HAS(OFF) |
                             (branch ? PT_HAS(DST) : 0),
                         0, id, word(s->p, 2), branch ? word(s->p, 3) : 0, 0);
}

/* The records that say where they happened. */
INLINE enum pt_status
placed_event(struct state *s, unsigned way, uint32_t record)
{
    switch (record) {
    case PT_W_CALL_AT:
        return begin(s, way, PT_CALL, false, true);
    case PT_W_CALL_KEY_AT:
        return begin(s, way, PT_CALL, true, true);
    case PT_W_RESUME_AT:
        return begin(s, way, PT_RESUME, true, true);
    case PT_W_THROW_AT:
        return begin(s, way, PT_THROW, true, true);
    case PT_W_YIELD_AT:
        return end(s, way, PT_YIELD, true);
    case PT_W_EXCEPTION_AT:
        return exception(s, way, 2, true);
    case PT_W_C_CALL_AT:
        return c_call(s, way, true);
    case PT_W_BRANCH_TIMED:
        return branch_timed(s);
    case PT_W_BRANCH_NEAR:
        return branch_near(s, way);
    default:
        return PT_END;
    }
}

/* One record that is an event; PT_END for all others. */
INLINE enum pt_status
event(struct state *s, unsigned way, uint32_t record)
{
    switch (record) {
    case PT_W_CALL:
        return begin(s, way, PT_CALL, false, false);
    case PT_W_CALL_KEY:
        return begin(s, way, PT_CALL, true, false);
    case PT_W_RESUME:
        return begin(s, way, PT_RESUME, true, false);
    case PT_W_THROW:
        return begin(s, way, PT_THROW, true, false);
    case PT_W_RETURN:
        return end(s, way, PT_RETURN, false);
    case PT_W_YIELD:
        return end(s, way, PT_YIELD, false);
    case PT_W_UNWIND:
        return end(s, way, PT_UNWIND, false);
    case PT_W_LINE:
        return line(s, way);
    case PT_W_INSTRUCTION:
        return instruction(s, way);
    case PT_W_BRANCH:
        return turn(s, way, PT_BRANCH, word(s->p, 1), word(s->p, 2));
    case PT_W_JUMP:
        return turn(s, way, PT_JUMP, word(s->p, 1), word(s->p, 2));
    case PT_W_EXCEPTION:
        return exception(s, way, 1, false);
    case PT_W_HANDLED:
        return handled(s, way);
    case PT_W_C_CALL:
        return c_call(s, way, false);
    case PT_W_C_RETURN:
        return c_end(s, way, PT_C_RETURN);
    case PT_W_C_EXCEPTION:
        return c_end(s, way, PT_C_EXCEPTION);
    case PT_W_LINE_IN:
    case PT_W_BRANCH_IN:
        return told_once(s, record);
    default:
        return way & FLOW ? placed_event(s, way, record) : PT_END;
    }
}

/* --- the loop ------------------------------------------------------------- */

INLINE enum pt_status
decode(struct run *run, const unsigned way, uint32_t *control)
{
    struct pt_lane *lane = run->lane;
    const uint32_t limit = run->journal->limit;
    struct state s = {
        .run = run,
        .block = lane->block,
        .top = lane->shadow.top,
        .p = run->p,
        .stamped = run->journal->stamped,
        .time = lane->time,
        .codes = run->defs->codes,
        .callables = run->defs->callables,
        .types = run->defs->types,
    };
    uint32_t avail = run->avail;
    enum pt_status st = PT_OK;
    while (avail > 0 && s.block->n < limit) {
        s.word = word(s.p, 0);
        uint32_t record = s.word & WORD_KIND;
        if (record >= PT_W_LIMIT) {
            st = pt_run_broken(run, "no such record", record);
            break;
        }
        if (pt_record_words[record] > avail) {
            st = pt_run_broken(run, "a record across the end, kind", record);
            break;
        }
        if (record == PT_W_PAD) {
            avail = 0;
            run->padded = true;
            break;
        }
        if (__builtin_expect(record < PT_W_BRANCH_NEAR, 1))
            s.time += s.word >> PT_WORD_KIND_BITS;
        st = event(&s, way, record);
        if (st != PT_OK) {
            *control = record;
            break;
        }
        s.p += pt_record_words[record];
        avail -= pt_record_words[record];
    }
    run->p = s.p;
    run->avail = avail;
    lane->time = s.time;
    lane->shadow.top = s.top;
    return st;
}

static enum pt_status
decode_all_stamped(struct run *run, uint32_t *control)
{
    return decode(run, ALL_STAMPED, control);
}

static enum pt_status
decode_some_stamped(struct run *run, uint32_t *control)
{
    return decode(run, 0, control);
}

static enum pt_status
decode_flow(struct run *run, uint32_t *control)
{
    return decode(run, FLOW, control);
}

/* The kinds that come from records with a time of their own. */
enum { TIMED_KINDS = (1 << (PT_C_EXCEPTION + 1)) - 2 };

enum pt_status
pt_decode_events(struct run *run, uint32_t *control)
{
    if (run->journal->flow)
        return decode_flow(run, control);
    return (run->journal->stamped & TIMED_KINDS) == TIMED_KINDS
               ? decode_all_stamped(run, control)
               : decode_some_stamped(run, control);
}
