#include "record/drain.h"
#include "record/problem.h"

/* A record's length in words, by enum pt_word. */
static const uint8_t record_words[PT_W_LIMIT] = {
    [PT_W_PAD] = 1,          [PT_W_CALL] = 2,         [PT_W_CALL_KEY] = 4,
    [PT_W_RETURN] = 2,       [PT_W_YIELD] = 2,        [PT_W_RESUME] = 4,
    [PT_W_THROW] = 4,        [PT_W_UNWIND] = 2,       [PT_W_LINE] = 2,
    [PT_W_INSTRUCTION] = 2,  [PT_W_BRANCH] = 3,       [PT_W_JUMP] = 3,
    [PT_W_EXCEPTION] = 3,    [PT_W_HANDLED] = 2,      [PT_W_C_CALL] = 2,
    [PT_W_C_RETURN] = 1,     [PT_W_C_EXCEPTION] = 1,  [PT_W_CALL_AT] = 3,
    [PT_W_CALL_KEY_AT] = 5,  [PT_W_RESUME_AT] = 6,    [PT_W_THROW_AT] = 6,
    [PT_W_YIELD_AT] = 3,     [PT_W_EXCEPTION_AT] = 5, [PT_W_C_CALL_AT] = 3,
    [PT_W_BRANCH_TIMED] = 3, [PT_W_BRANCH_NEAR] = 1,  [PT_W_TIME] = 3,
    [PT_W_BEGIN] = 4,        [PT_W_END] = 1,          [PT_W_GAP] = 3,
    [PT_W_FRAME] = 5,
};

/* No recording lasts 2^56 ticks; below that no sum and no product wraps. */
enum { TICK_BITS = 56 };

enum { WORD_KIND = (1 << PT_WORD_KIND_BITS) - 1 };
enum { UNIT = 2 }; /* bytes of a code unit */

/* What a decoding run needs, and where it stands. */
struct run {
    const uint32_t *p; /* next word, in shared memory */
    uint32_t avail;    /* words up to the segment's or head's end */
    bool padded;       /* the rest of the segment is padding */
    uint32_t word;     /* of a record that does not fit the stack: word 0 ... */
    uint32_t code;     /* ... and its code, not to be read again */
    const struct pt_defs *defs;
    struct pt_lane *lane;
    struct pt_journal *journal;
    struct pt_error *error;
};

/* Relaxed and atomic, so that a value that was checked is the one used. */
static inline uint32_t
word(const uint32_t *p, unsigned i)
{
    return __atomic_load_n(p + i, __ATOMIC_RELAXED);
}

static inline uint64_t
two_words(const uint32_t *p, unsigned i)
{
    return word(p, i) | (uint64_t)word(p, i + 1) << 32;
}

static __attribute__((noinline, cold)) enum pt_status
broken(struct run *run, const char *what, uint32_t value)
{
    return pt_problem_set(run->error, PT_EDAMAGED, 0, "%s (%u)", what, value);
}

static enum pt_status
too_deep(struct run *run)
{
    return broken(run, "a stack deeper than", PT_SHADOW_LIMIT);
}

/* A time as the producer counts it, in quanta of the bare counter. */
static enum pt_status
absolute_time(struct run *run, uint64_t quanta, uint64_t *time)
{
    uint64_t origin = pt_timebase_origin(run->journal->clock);
    if (quanta < origin ||
        (quanta - origin) >> (TICK_BITS - run->journal->clock->quantum_log2) !=
            0)
        return broken(run, "a time outside the recording", (uint32_t)quanta);
    *time = quanta - origin;
    return PT_OK;
}

static enum pt_status
begin_thread(struct run *run, uint32_t tid, uint64_t quanta)
{
    if (run->defs->process == 0)
        return broken(run, "a thread before its process was told", tid);
    uint64_t time = 0;
    enum pt_status st = absolute_time(run, quanta, &time);
    if (st == PT_OK)
        st = pt_lane_begin(run->lane, run->journal, run->defs->process, tid,
                           time, (struct pt_str){NULL, 0});
    return st;
}

static enum pt_status
tell_frame(struct run *run, uint32_t id, uint64_t key, uint32_t off)
{
    uint32_t code = pt_idmap_find(&run->defs->codes, id);
    if (code == 0)
        return broken(run, "an undefined code object", id);
    struct pt_frame frame = {
        .key = key,
        .seq = UINT64_MAX,
        .id = code,
        .off = off,
        .at = run->journal->flow ? PT_AT_INSIDE : PT_AT_UNKNOWN,
        .time = INT64_MIN,
    };
    enum pt_status st = pt_lane_tell(run->lane, run->journal, &frame);
    return st == PT_ELIMIT ? too_deep(run) : st;
}

/* --- frames whose beginning or end was not told
 * ------------------------------- */

/* Room for one more event, while block and stack still agree. */
static enum pt_status
make_room(struct run *run)
{
    return run->lane->block->n >= run->journal->limit
               ? pt_lane_flush(run->lane, run->journal)
               : PT_OK;
}

static enum pt_status
push(struct run *run, uint8_t kind, uint8_t mask, uint32_t id, uint32_t off,
     uint32_t dst, uint64_t arg)
{
    if (run->journal->stamped >> kind & 1)
        mask |= PT_HAS(TIME);
    return pt_block_push(run->lane->block, kind, mask, run->lane->time, id, off,
                         dst, arg);
}

static enum pt_status
imply_call(struct run *run, uint32_t id)
{
    struct pt_lane *lane = run->lane;
    struct pt_shadow *s = &lane->shadow;
    enum pt_status st = make_room(run);
    if (st != PT_OK)
        return st;
    st = pt_shadow_grow(s);
    if (st != PT_OK)
        return st == PT_ELIMIT ? too_deep(run) : st;
    bool stamped = run->journal->stamped >> PT_CALL & 1;
    *++s->top =
        (struct pt_frame){.seq = PT_SEQ_PENDING | lane->block->n,
                          .id = id,
                          .off = UINT32_MAX,
                          .at = PT_AT_UNKNOWN,
                          .time = stamped ? (int64_t)lane->time : INT64_MIN};
    return push(run, PT_CALL, PT_HAS(CODE) | PT_HAS(ARG), id, 0, 0, PT_IMPLIED);
}

/* Makes run->code the stack's top.  If it lies deeper, the frames above it
 * have ended without a word; if it is not there, it began without one: a
 * signal that is handled at RESUME does that (spec/cpython.md).  A C call on
 * top may well have called it, and stays. */
static enum pt_status
mend(struct run *run)
{
    struct pt_shadow *s = &run->lane->shadow;
    size_t depth = pt_shadow_depth(s);
    while (depth > 0 &&
           (s->base[depth].callable || s->base[depth].id != run->code))
        depth--;
    if (depth == 0)
        return imply_call(run, run->code);
    while (pt_shadow_depth(s) > depth) {
        enum pt_status st = make_room(run);
        if (st == PT_OK && !s->top->callable)
            st = push(run, PT_UNWIND, PT_HAS(ARG), 0, 0, 0, PT_IMPLIED);
        if (st != PT_OK)
            return st;
        s->top--;
    }
    return PT_OK;
}

/* The place of an exception in the frame that mend() has made the top. */
static enum pt_status
mended_exception(struct run *run)
{
    uint32_t where = word(run->p, 2), last = word(run->p, 4);
    uint32_t type = pt_idmap_find(&run->defs->types, word(run->p, 3));
    if (type == 0)
        return broken(run, "an undefined type", word(run->p, 3));
    struct pt_frame *top = run->lane->shadow.top;
    top->at = PT_AT_RAISED;
    top->off = last;
    top->dst = where >> 2;
    uint8_t mask = PT_HAS(OFF) | PT_HAS(DST) | PT_HAS(TYPE) | PT_HAS(ARG);
    return push(run, PT_EXCEPTION, mask, type, where >> 2, last, where & 3);
}

/* A record of a frame that is not the stack's top: implied events first. */
static enum pt_status
mended(struct run *run)
{
    static const uint8_t kinds[PT_W_LIMIT] = {
        [PT_W_RETURN] = PT_RETURN,          [PT_W_YIELD] = PT_YIELD,
        [PT_W_YIELD_AT] = PT_YIELD,         [PT_W_UNWIND] = PT_UNWIND,
        [PT_W_EXCEPTION_AT] = PT_EXCEPTION,
    };
    uint32_t record = run->word & WORD_KIND;
    run->lane->time += run->word >> PT_WORD_KIND_BITS;
    enum pt_status st = mend(run);
    if (st == PT_OK)
        st = make_room(run);
    if (st != PT_OK)
        return st;
    if (record == PT_W_EXCEPTION_AT) {
        st = mended_exception(run);
    } else if (record == PT_W_YIELD_AT) {
        st = push(run, PT_YIELD, PT_HAS(OFF), 0, word(run->p, 2), 0, 0);
        run->lane->shadow.top--;
    } else {
        st = push(run, kinds[record], 0, 0, 0, 0, 0);
        run->lane->shadow.top--;
    }
    if (st != PT_OK)
        return st;
    run->p += record_words[record];
    run->avail -= record_words[record];
    return PT_OK;
}

/* The rare records, which deal with the lane as a whole. */
static enum pt_status
decode_control(struct run *run, uint32_t kind)
{
    const uint32_t *p = run->p;
    struct pt_lane *lane = run->lane;
    if (kind == PT_W_BEGIN)
        return begin_thread(run, word(p, 1), two_words(p, 2));
    if (lane->thread == 0)
        return broken(run, "an event outside a thread, kind", kind);
    switch (kind) {
    case PT_W_TIME:
        return absolute_time(run, two_words(p, 1), &lane->time);
    case PT_W_END:
        lane->time += word(p, 0) >> PT_WORD_KIND_BITS;
        return pt_lane_end(lane, run->journal);
    case PT_W_GAP:
        lane->time += word(p, 0) >> PT_WORD_KIND_BITS;
        return pt_lane_gap(lane, run->journal, two_words(p, 1));
    case PT_W_FRAME:
        return tell_frame(run, word(p, 1), two_words(p, 2), word(p, 4));
    default:
        return broken(run, "no such record", kind);
    }
}

/* Decodes events until the run's words or the block's room are used up, or a
 * record comes that is for others (PT_END, *control): a control record, or the
 * end of a frame that is not the stack's top.  With `all` every kind carries a
 * time and the compiler knows each event's shape; with `flow` the records that
 * say where they happened are allowed, and frames keep where they stand.  One
 * long switch, because its state has to stay in registers: this is what limits
 * how many programs one collector can follow.
 *
 * The stack follows DESIGN section 3: a C call whose end is missing is closed
 * by the next event that cannot lie inside it. */
static inline __attribute__((always_inline)) enum pt_status
decode_events(struct run *run, const bool all, const bool flow,
              uint32_t *control)
{
    struct pt_lane *lane = run->lane;
    struct pt_block *b = lane->block;
    const uint32_t stamped = run->journal->stamped;
    const uint32_t limit = run->journal->limit;
    const struct pt_idmap codes = run->defs->codes;
    const struct pt_idmap callables = run->defs->callables;
    const struct pt_idmap types = run->defs->types;
    const uint32_t *p = run->p;
    uint32_t avail = run->avail;
    uint64_t time = lane->time;
    struct pt_frame *top = lane->shadow.top;
    enum pt_status st = PT_OK;

#define STAMPED(KIND) (all || (stamped >> PT_##KIND & 1))
#define PUT(KIND, MASK, ID, POS, DST_, ARG_)                                   \
    st = pt_block_push(b, PT_##KIND,                                           \
                       STAMPED(KIND) ? (MASK) | PT_HAS(TIME) : (MASK), time,   \
                       ID, POS, DST_, ARG_)
#define ENTER(KIND, ID, KEY, CALLABLE)                                         \
    do {                                                                       \
        if (top + 1 == lane->shadow.end) {                                     \
            lane->shadow.top = top;                                            \
            st = pt_shadow_grow(&lane->shadow);                                \
            if (st != PT_OK)                                                   \
                goto out;                                                      \
            top = lane->shadow.top;                                            \
        }                                                                      \
        top++;                                                                 \
        top->key = (KEY);                                                      \
        top->seq = PT_SEQ_PENDING | b->n;                                      \
        top->id = (ID);                                                        \
        top->line = 0;                                                         \
        top->off = UINT32_MAX;                                                 \
        top->callable = (CALLABLE);                                            \
        top->at = flow && !(CALLABLE) ? PT_AT_START : PT_AT_UNKNOWN;           \
        top->dst = 0;                                                          \
        top->time = STAMPED(KIND) ? (int64_t)time : INT64_MIN;                 \
    } while (0)
/* Closes C calls; the top is then the frame of the record's code, `POP` frames
 * less. */
#define OWNER(POP)                                                             \
    do {                                                                       \
        id = pt_idmap_find(&codes, word(p, 1));                                \
        if (id == 0)                                                           \
            UNDEFINED("code object", word(p, 1));                              \
        struct pt_frame *own = top - top->callable;                            \
        if (__builtin_expect(own->id != id, 0)) {                              \
            time -= w >> PT_WORD_KIND_BITS; /* mended() adds it */             \
            run->word = w;                                                     \
            run->code = id;                                                    \
            *control = kind;                                                   \
            st = PT_END;                                                       \
            goto out;                                                          \
        }                                                                      \
        top = own - (POP);                                                     \
    } while (0)
/* The frame below the one about to be entered is at `OFF`.  While it unwinds,
 * what runs meanwhile was called from the instruction that raised. */
#define CALLER(OFF)                                                            \
    do {                                                                       \
        struct pt_frame *caller = top - top->callable;                         \
        if ((OFF) != PT_NOWHERE &&                                             \
            !(caller->at == PT_AT_RAISED && caller->off == (OFF))) {           \
            caller->off = (OFF);                                               \
            caller->at = PT_AT_INSIDE;                                         \
        }                                                                      \
    } while (0)
#define STAND(AT, OFF, DST_)                                                   \
    do {                                                                       \
        top->off = (OFF);                                                      \
        top->dst = (DST_);                                                     \
        top->at = (AT);                                                        \
    } while (0)
#define PLACED(WHERE) ((WHERE) == PT_NOWHERE ? 0 : PT_HAS(OFF))
#define UNDEFINED(WHAT, ID)                                                    \
    do {                                                                       \
        st = broken(run, "an undefined " WHAT, ID);                            \
        goto out;                                                              \
    } while (0)

    while (avail > 0 && b->n < limit) {
        uint32_t w = word(p, 0);
        uint32_t kind = w & WORD_KIND, len, id, off, dst;
        uint64_t key;
        if (kind >= PT_W_LIMIT ||
            (!flow && kind >= PT_W_CALL_AT && kind < PT_W_TIME)) {
            st = broken(run, "no such record", kind);
            goto out;
        }
        len = record_words[kind];
        if (len > avail) {
            st = broken(run, "a record across the end, kind", kind);
            goto out;
        }
        if (__builtin_expect(kind < PT_W_BRANCH_NEAR, 1))
            time += w >> PT_WORD_KIND_BITS;
        switch (kind) {
        case PT_W_PAD:
            avail = 0;
            run->padded = true;
            continue;
        case PT_W_CALL:
            id = pt_idmap_find(&codes, word(p, 1));
            if (id == 0)
                UNDEFINED("code object", word(p, 1));
            ENTER(CALL, id, 0, 0);
            PUT(CALL, PT_HAS(CODE), id, 0, 0, 0);
            break;
        case PT_W_CALL_KEY:
            id = pt_idmap_find(&codes, word(p, 1));
            if (id == 0)
                UNDEFINED("code object", word(p, 1));
            key = two_words(p, 2);
            ENTER(CALL, id, key, 0);
            PUT(CALL, PT_HAS(CODE) | PT_HAS(ARG), id, 0, 0, key);
            break;
        case PT_W_RESUME:
            id = pt_idmap_find(&codes, word(p, 1));
            if (id == 0)
                UNDEFINED("code object", word(p, 1));
            key = two_words(p, 2);
            ENTER(RESUME, id, key, 0);
            PUT(RESUME, PT_HAS(CODE) | PT_HAS(ARG), id, 0, 0, key);
            break;
        case PT_W_THROW:
            id = pt_idmap_find(&codes, word(p, 1));
            if (id == 0)
                UNDEFINED("code object", word(p, 1));
            key = two_words(p, 2);
            ENTER(THROW, id, key, 0);
            PUT(THROW, PT_HAS(CODE) | PT_HAS(ARG), id, 0, 0, key);
            break;
        case PT_W_RETURN:
            OWNER(1);
            PUT(RETURN, 0, 0, 0, 0, 0);
            break;
        case PT_W_YIELD:
            OWNER(1);
            PUT(YIELD, 0, 0, 0, 0, 0);
            break;
        case PT_W_UNWIND:
            OWNER(1);
            PUT(UNWIND, 0, 0, 0, 0, 0);
            break;
        case PT_W_LINE:
            top -= top->callable;
            id = word(p, 1);
            top->line = id;
            PUT(LINE, PT_HAS(LINE), 0, id, 0, 0);
            break;
        case PT_W_INSTRUCTION:
            top -= top->callable;
            id = word(p, 1);
            if (!flow)
                top->off = id;
            PUT(INSTRUCTION, PT_HAS(OFF), 0, id, 0, 0);
            break;
        case PT_W_BRANCH:
        case PT_W_BRANCH_TIMED:
            off = word(p, 1);
            dst = word(p, 2);
            top -= top->callable;
            STAND(flow ? PT_AT_JUMPED : PT_AT_UNKNOWN, off, flow ? dst : 0);
            if (flow && kind == PT_W_BRANCH_TIMED)
                st = pt_block_push(b, PT_BRANCH,
                                   PT_HAS(TIME) | PT_HAS(OFF) | PT_HAS(DST),
                                   time, 0, off, dst, 0);
            else
                PUT(BRANCH, PT_HAS(OFF) | PT_HAS(DST), 0, off, dst, 0);
            break;
        case PT_W_BRANCH_NEAR:
            off = w >> PT_WORD_KIND_BITS & (PT_NEAR_LIMIT - 1);
            dst = w >> (PT_WORD_KIND_BITS + PT_NEAR_BITS);
            off *= UNIT;
            dst *= UNIT;
            top -= top->callable;
            STAND(PT_AT_JUMPED, off, dst);
            PUT(BRANCH, PT_HAS(OFF) | PT_HAS(DST), 0, off, dst, 0);
            break;
        case PT_W_JUMP:
            off = word(p, 1);
            dst = word(p, 2);
            top -= top->callable;
            STAND(flow ? PT_AT_JUMPED : PT_AT_UNKNOWN, off, flow ? dst : 0);
            PUT(JUMP, PT_HAS(OFF) | PT_HAS(DST), 0, off, dst, 0);
            break;
        case PT_W_EXCEPTION: {
            uint32_t where = word(p, 1);
            id = pt_idmap_find(&types, word(p, 2));
            if (id == 0)
                UNDEFINED("type", word(p, 2));
            top -= top->callable;
            top->off = where >> 2;
            PUT(EXCEPTION, PT_HAS(OFF) | PT_HAS(TYPE) | PT_HAS(ARG), id,
                where >> 2, 0, where & 3);
            break;
        }
        case PT_W_HANDLED:
            top -= top->callable;
            off = word(p, 1);
            if (flow)
                STAND(PT_AT_JUMPED, top->off, off);
            else
                top->off = off;
            PUT(HANDLED, PT_HAS(OFF), 0, off, 0, 0);
            break;
        case PT_W_C_CALL:
            id = pt_idmap_find(&callables, word(p, 1));
            if (id == 0)
                UNDEFINED("callable", word(p, 1));
            top -= top->callable;
            ENTER(C_CALL, id, 0, 1);
            PUT(C_CALL, PT_HAS(CALLEE), id, 0, 0, 0);
            break;
        case PT_W_C_RETURN:
            top -= top->callable;
            PUT(C_RETURN, 0, 0, 0, 0, 0);
            break;
        case PT_W_C_EXCEPTION:
            top -= top->callable;
            PUT(C_EXCEPTION, 0, 0, 0, 0, 0);
            break;
        case PT_W_CALL_AT:
        case PT_W_CALL_KEY_AT:
            id = pt_idmap_find(&codes, word(p, 1));
            if (id == 0)
                UNDEFINED("code object", word(p, 1));
            key = kind == PT_W_CALL_AT ? 0 : two_words(p, 2);
            off = word(p, kind == PT_W_CALL_AT ? 2 : 4);
            CALLER(off);
            ENTER(CALL, id, key, 0);
            if (kind == PT_W_CALL_AT)
                PUT(CALL, PT_HAS(CODE) | PLACED(off), id, off, 0, 0);
            else
                PUT(CALL, PT_HAS(CODE) | PT_HAS(ARG) | PLACED(off), id, off, 0,
                    key);
            break;
        case PT_W_RESUME_AT:
        case PT_W_THROW_AT:
            id = pt_idmap_find(&codes, word(p, 1));
            if (id == 0)
                UNDEFINED("code object", word(p, 1));
            key = two_words(p, 2);
            off = word(p, 4);
            dst = word(p, 5);
            CALLER(off);
            ENTER(RESUME, id, key, 0);
            STAND(kind == PT_W_RESUME_AT ? PT_AT_JUMPED : PT_AT_THROWN, dst,
                  dst);
            if (kind == PT_W_RESUME_AT)
                PUT(RESUME,
                    PT_HAS(CODE) | PT_HAS(DST) | PT_HAS(ARG) | PLACED(off), id,
                    off, dst, key);
            else
                PUT(THROW,
                    PT_HAS(CODE) | PT_HAS(DST) | PT_HAS(ARG) | PLACED(off), id,
                    off, dst, key);
            break;
        case PT_W_YIELD_AT:
            off = word(p, 2);
            OWNER(1);
            PUT(YIELD, PT_HAS(OFF), 0, off, 0, 0);
            break;
        case PT_W_EXCEPTION_AT: {
            uint32_t where = word(p, 2);
            OWNER(0);
            id = pt_idmap_find(&types, word(p, 3));
            if (id == 0)
                UNDEFINED("type", word(p, 3));
            off = where >> 2;
            dst = word(p, 4);
            STAND(PT_AT_RAISED, dst, off);
            PUT(EXCEPTION,
                PT_HAS(OFF) | PT_HAS(DST) | PT_HAS(TYPE) | PT_HAS(ARG), id, off,
                dst, where & 3);
            break;
        }
        case PT_W_C_CALL_AT:
            id = pt_idmap_find(&callables, word(p, 1));
            if (id == 0)
                UNDEFINED("callable", word(p, 1));
            off = word(p, 2);
            top -= top->callable;
            STAND(PT_AT_INSIDE, off, 0);
            ENTER(C_CALL, id, 0, 1);
            PUT(C_CALL, PT_HAS(CALLEE) | PT_HAS(OFF), id, off, 0, 0);
            break;
        default:
            *control = kind;
            st = PT_END;
            goto out;
        }
        if (st != PT_OK)
            goto out;
        p += len;
        avail -= len;
    }
out:
    run->p = p;
    run->avail = avail;
    lane->time = time;
    lane->shadow.top = top;
    return st;
#undef STAMPED
#undef PUT
#undef ENTER
#undef OWNER
#undef CALLER
#undef STAND
#undef PLACED
#undef UNDEFINED
}

static enum pt_status
decode_all_stamped(struct run *run, uint32_t *control)
{
    return decode_events(run, true, false, control);
}

static enum pt_status
decode_some_stamped(struct run *run, uint32_t *control)
{
    return decode_events(run, false, false, control);
}

static enum pt_status
decode_flow(struct run *run, uint32_t *control)
{
    return decode_events(run, false, true, control);
}

/* The kinds that come from records with a time of their own. */
enum { TIMED_KINDS = (1 << (PT_C_EXCEPTION + 1)) - 2 };

/* An idle lane may only meet a thread's begin, or padding. */
static enum pt_status
decode_idle(struct run *run, uint32_t *control)
{
    *control = word(run->p, 0) & WORD_KIND;
    if (*control == PT_W_PAD) {
        run->avail = 0;
        run->padded = true;
        return PT_OK;
    }
    if (*control >= PT_W_LIMIT || record_words[*control] > run->avail)
        return broken(run, "no such record", *control);
    return PT_END;
}

/* Decodes one contiguous run of words. */
static enum pt_status
decode_run(struct run *run)
{
    uint32_t asked = run->journal->stamped & TIMED_KINDS;
    while (run->avail > 0) {
        uint32_t control = 0;
        enum pt_status st;
        if (run->lane->thread == 0)
            st = decode_idle(run, &control);
        else if (run->journal->flow)
            st = decode_flow(run, &control);
        else if (asked == TIMED_KINDS)
            st = decode_all_stamped(run, &control);
        else
            st = decode_some_stamped(run, &control);
        if (st == PT_ELIMIT)
            return too_deep(run);
        if (st == PT_END && control < PT_W_BRANCH_NEAR &&
            run->lane->thread != 0) {
            st = mended(run);
        } else if (st == PT_END) {
            st = decode_control(run, control);
            run->p += record_words[control];
            run->avail -= record_words[control];
        } else if (st == PT_OK && run->avail > 0) {
            st = pt_lane_flush(run->lane, run->journal);
        }
        if (st != PT_OK)
            return st;
    }
    return PT_OK;
}

void
pt_drain_publish(struct pt_slot *slot, uint64_t tail)
{
    atomic_store_explicit(&slot->tail, tail, memory_order_release);
    atomic_fetch_add(&slot->tail_word, 1);
    if (atomic_load(&slot->waiting) != 0)
        pt_futex_wake(&slot->tail_word);
}

enum pt_status
pt_drain_slot(const struct pt_arena_map *map, uint32_t i, uint64_t head,
              const struct pt_defs *defs, struct pt_lane *lane,
              struct pt_journal *journal, struct pt_error *error)
{
    uint32_t size;
    const uint32_t *ring = pt_arena_ring(map, i, &size);
    uint32_t segment = size / PT_SEGMENTS;
    struct pt_slot *slot = pt_arena_slot(map, i);
    struct run run = {
        .defs = defs, .lane = lane, .journal = journal, .error = error};

    if (head < lane->tail || head - lane->tail > size || head % 4 != 0)
        return broken(&run, "an impossible ring position", (uint32_t)head);

    uint64_t published = lane->tail;
    while (lane->tail < head) {
        uint64_t at = lane->tail;
        uint64_t end = at - at % segment + segment;
        uint64_t stop = head < end ? head : end;
        run.p = ring + at % size / 4;
        run.avail = (uint32_t)(stop - at) / 4;
        run.padded = false;
        enum pt_status st = decode_run(&run);
        if (st != PT_OK)
            return st;
        if (run.padded && head < end)
            return broken(&run, "padding that was published alone", 0);
        lane->tail = run.padded ? end : stop;
        if (lane->tail == end) {
            pt_drain_publish(slot, lane->tail);
            published = lane->tail;
        }
    }
    if (published != lane->tail)
        pt_drain_publish(slot, lane->tail);
    return PT_OK;
}
