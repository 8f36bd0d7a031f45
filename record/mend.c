/* Frames of whose beginning or end CPython did not tell. */
#include "record/decode.h"

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
        return st == PT_ELIMIT ? pt_run_too_deep(run) : st;
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
find_frame(struct run *run)
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

static enum pt_status
put_exception(struct run *run)
{
    uint32_t where = word(run->p, 2), id = word(run->p, 3);
    uint32_t last = word(run->p, 4);
    uint32_t type = pt_idmap_find(&run->defs->types, id);
    if (type == 0)
        return pt_run_broken(run, "an undefined type", id);
    struct pt_frame *top = run->lane->shadow.top;
    if ((where & 3) != PT_STOP_ITERATION) {
        top->at = PT_AT_RAISED;
        top->off = last;
        top->dst = where >> 2;
        top->next = 0;
    }
    uint8_t mask = PT_HAS(OFF) | PT_HAS(DST) | PT_HAS(TYPE) | PT_HAS(ARG);
    return push(run, PT_EXCEPTION, mask, type, where >> 2, last, where & 3);
}

static enum pt_status
put_end(struct run *run, uint32_t record)
{
    bool placed = record == PT_W_YIELD_AT;
    uint8_t kind = record == PT_W_RETURN   ? PT_RETURN
                   : record == PT_W_UNWIND ? PT_UNWIND
                                           : PT_YIELD;
    enum pt_status st = push(run, kind, placed ? PT_HAS(OFF) : 0, 0,
                             placed ? word(run->p, 2) : 0, 0, 0);
    run->lane->shadow.top--;
    return st;
}

enum pt_status
pt_mend(struct run *run)
{
    uint32_t record = run->word & WORD_KIND;
    run->lane->time += run->word >> PT_WORD_KIND_BITS;
    enum pt_status st = find_frame(run);
    if (st == PT_OK)
        st = make_room(run);
    if (st != PT_OK)
        return st;
    st =
        record == PT_W_EXCEPTION_AT ? put_exception(run) : put_end(run, record);
    run->p += pt_record_words[record];
    run->avail -= pt_record_words[record];
    return st;
}
