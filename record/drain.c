#include "record/drain.h"
#include "record/decode.h"
#include "record/problem.h"
#include "record/stacks.h"
#include "record/values.h"

/* No recording lasts 2^56 ticks; below that no sum and no product wraps. */
enum { TICK_BITS = 56 };

enum pt_status
pt_run_broken(struct run *run, const char *what, uint32_t value)
{
    return pt_problem_set(run->error, PT_EDAMAGED, 0, "%s (%u)", what, value);
}

enum pt_status
pt_run_too_deep(struct run *run)
{
    return pt_run_broken(run, "a stack deeper than", PT_SHADOW_LIMIT);
}

/* A time as the producer counts it, in quanta of the bare counter. */
static enum pt_status
absolute_time(struct run *run, uint64_t quanta, uint64_t *time)
{
    uint64_t origin = pt_timebase_origin(run->journal->clock);
    if (quanta < origin ||
        (quanta - origin) >> (TICK_BITS - run->journal->clock->quantum_log2) !=
            0)
        return pt_run_broken(run, "a time outside the recording",
                             (uint32_t)quanta);
    *time = quanta - origin;
    return PT_OK;
}

static enum pt_status
begin_thread(struct run *run, uint32_t tid, uint64_t quanta)
{
    if (run->defs->process == 0)
        return pt_run_broken(run, "a thread before its process was told", tid);
    uint64_t time = 0;
    enum pt_status st = absolute_time(run, quanta, &time);
    run->lane = run->own;
    if (st == PT_OK)
        st = pt_lane_begin(run->lane, run->journal, run->defs->process, tid,
                           time, (struct pt_str){NULL, 0});
    return st;
}

/* The thread goes on with another greenlet; `told` as for pt_stacks_switch().
 */
static enum pt_status
switch_stack(struct run *run, uint32_t number, uint32_t greenlet, uint64_t time,
             bool told)
{
    if (number >= PT_STACKS_LIMIT)
        return pt_run_broken(run, "a stack of a greenlet, number", number);
    enum pt_status st =
        pt_stacks_switch(run->own, run->journal, number, greenlet, time, told);
    run->lane = pt_stacks_lane(run->own);
    /* Of objects another stack may have told since. */
    if (run->lane->told != NULL)
        pt_told_forget_objects(run->lane->told);
    return st == PT_ELIMIT
               ? pt_run_broken(run, "more threads and greenlets than",
                               PT_LIVE_LIMIT)
               : st;
}

static enum pt_status
meet_gap(struct run *run)
{
    const uint32_t *p = run->p;
    uint64_t time = run->lane->time + (word(p, 0) >> PT_WORD_KIND_BITS);
    enum pt_status st = switch_stack(run, word(p, 3), word(p, 4), time, false);
    return st == PT_OK ? pt_lane_gap(run->lane, run->journal, two_words(p, 1))
                       : st;
}

static enum pt_status
tell_frame(struct run *run, uint32_t id, uint64_t key, uint32_t off)
{
    uint32_t code = pt_idmap_find(&run->defs->codes, id);
    if (code == 0)
        return pt_run_broken(run, "an undefined code object", id);
    bool next = off != PT_NOWHERE && off & PT_FRAME_NEXT;
    struct pt_frame frame = {
        .key = key,
        .seq = UINT64_MAX,
        .id = code,
        .off = next ? UINT32_MAX : off,
        .at = !run->journal->flow || off == PT_NOWHERE ? PT_AT_UNKNOWN
              : next                                   ? PT_AT_JUMPED
                                                       : PT_AT_INSIDE,
        .dst = next && run->journal->flow ? off - PT_FRAME_NEXT : 0,
        .time = INT64_MIN,
    };
    enum pt_status st = pt_lane_tell(run->lane, run->journal, &frame);
    return st == PT_ELIMIT ? pt_run_too_deep(run) : st;
}

static enum pt_status
tell_c_call(struct run *run, uint32_t id)
{
    uint32_t callee = pt_idmap_find(&run->defs->callables, id);
    const struct pt_frame *top = run->lane->shadow.top;
    if (callee == 0 || top->callable)
        return pt_run_broken(run, "an undefined callable", id);
    struct pt_frame frame = {.seq = UINT64_MAX,
                             .id = callee,
                             .off = UINT32_MAX,
                             .callable = 1,
                             .time = INT64_MIN};
    enum pt_status st = pt_lane_tell(run->lane, run->journal, &frame);
    return st == PT_ELIMIT ? pt_run_too_deep(run) : st;
}

static enum pt_status
meet_task(struct run *run)
{
    struct pt_lane *lane = run->lane;
    uint32_t act = word(run->p, 2);
    uint32_t id = pt_idmap_find(&run->defs->tasks, word(run->p, 1));
    if (id == 0)
        return pt_run_broken(run, "an undefined task", word(run->p, 1));
    if (pt_task_act_name(act) == NULL)
        return pt_run_broken(run, "no such act of a task", act);
    lane->time += word(run->p, 0) >> PT_WORD_KIND_BITS;
    return pt_block_push(lane->block, PT_TASK,
                         PT_HAS(TIME) | PT_HAS(DST) | PT_HAS(ARG), lane->time,
                         0, 0, act, id);
}

/* The rare records, which deal with the lane as a whole, and values.  *words is
 * how long the record is. */
static enum pt_status
decode_control(struct run *run, uint32_t kind, uint32_t *words)
{
    const uint32_t *p = run->p;
    struct pt_lane *lane = run->lane;
    *words = pt_record_words[kind];
    if (kind == PT_W_BEGIN)
        return begin_thread(run, word(p, 1), two_words(p, 2));
    if (lane->thread == 0)
        return pt_run_broken(run, "an event outside a thread, kind", kind);
    if (kind == PT_W_VALUE)
        return pt_run_value(run, words);
    if (kind == PT_W_BYTES)
        return pt_run_bytes(run, words);
    pt_lane_tear(run->own);
    switch (kind) {
    case PT_W_TIME:
        return absolute_time(run, two_words(p, 1), &lane->time);
    case PT_W_END:
        run->own->time = lane->time + (word(p, 0) >> PT_WORD_KIND_BITS);
        run->lane = run->own;
        return pt_lane_end(run->own, run->journal);
    case PT_W_GAP:
        return meet_gap(run);
    case PT_W_SWITCH:
        return switch_stack(run, word(p, 1), word(p, 2),
                            lane->time + (word(p, 0) >> PT_WORD_KIND_BITS),
                            true);
    case PT_W_TASK:
        return meet_task(run);
    case PT_W_FRAME:
        return tell_frame(run, word(p, 1), two_words(p, 2), word(p, 4));
    case PT_W_FRAME_C:
        return tell_c_call(run, word(p, 1));
    default:
        return pt_run_broken(run, "no such record", kind);
    }
}

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
    if (*control >= PT_W_LIMIT || pt_record_words[*control] > run->avail)
        return pt_run_broken(run, "no such record", *control);
    return PT_END;
}

/* Decodes one contiguous run of words. */
static enum pt_status
decode_run(struct run *run)
{
    while (run->avail > 0) {
        uint32_t control = 0;
        bool idle = run->lane->thread == 0;
        enum pt_status st =
            idle ? decode_idle(run, &control) : pt_decode_events(run, &control);
        if (st == PT_ELIMIT)
            return pt_run_too_deep(run);
        if (st == PT_END && control < PT_W_BRANCH_NEAR && !idle &&
            run->word != 0) {
            st = pt_mend(run);
            run->word = 0;
        } else if (st == PT_END) {
            uint32_t words;
            st = decode_control(run, control, &words);
            run->p += words;
            run->avail -= words;
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
    struct run run = {.defs = defs,
                      .own = lane,
                      .lane = pt_stacks_lane(lane),
                      .journal = journal,
                      .error = error};

    if (head < lane->tail || head - lane->tail > size || head % 4 != 0)
        return pt_run_broken(&run, "an impossible ring position",
                             (uint32_t)head);

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
            return pt_run_broken(&run, "padding that was published alone", 0);
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
