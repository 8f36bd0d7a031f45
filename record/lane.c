#include "record/stacks.h"
#include "record/values.h"

#include <time.h>

void
pt_journal_init(struct pt_journal *journal, const struct pt_timebase *clock,
                uint32_t events, uint32_t stamped, bool flow)
{
    *journal = (struct pt_journal){
        .clock = clock, .stamped = stamped | ~events, .flow = flow};
    journal->limit = PT_BLOCK_MOST;
}

void
pt_journal_clear(struct pt_journal *journal)
{
    while (journal->spares > 0)
        pt_block_free(journal->spare[--journal->spares]);
}

/* With a thousand threads, full blocks would take gigabytes: the more of
 * them, the earlier each is written. */
static void
count_live(struct pt_journal *journal, int change)
{
    journal->live += (uint32_t)change;
    uint32_t share = PT_PENDING_EVENTS / (journal->live + 1);
    if (share < PT_BLOCK_LEAST)
        share = PT_BLOCK_LEAST;
    journal->limit = share < PT_BLOCK_MOST ? share : PT_BLOCK_MOST;
}

static enum pt_status
take_block(struct pt_lane *lane, struct pt_journal *journal)
{
    if (journal->spares > 0) {
        lane->block = journal->spare[--journal->spares];
        return PT_OK;
    }
    return pt_block_new(&lane->block);
}

static void
give_block(struct pt_lane *lane, struct pt_journal *journal)
{
    if (lane->block != NULL && journal->spares < PT_SPARE_BLOCKS) {
        pt_block_reset(lane->block);
        journal->spare[journal->spares++] = lane->block;
    } else {
        pt_block_free(lane->block);
    }
    lane->block = NULL;
}

static void
release(struct pt_lane *lane, struct pt_journal *journal)
{
    give_block(lane, journal);
    pt_shadow_clear(&lane->shadow);
    pt_lane_free_values(lane);
    if (lane->thread != 0)
        count_live(journal, -1);
    lane->thread = 0;
}

static uint8_t
time_bit(const struct pt_journal *journal, unsigned kind)
{
    return journal->stamped >> kind & 1 ? PT_HAS(TIME) : 0;
}

static enum pt_status
push_edge(struct pt_lane *lane, struct pt_journal *journal, uint64_t begins)
{
    uint8_t mask = PT_HAS(ARG) | time_bit(journal, PT_THREAD);
    return pt_block_push(lane->block, PT_THREAD, mask, lane->time, 0, 0, 0,
                         begins);
}

enum pt_status
pt_lane_begin(struct pt_lane *lane, struct pt_journal *journal,
              uint32_t process, uint32_t tid, uint64_t time, struct pt_str name)
{
    enum pt_status st = pt_lane_end(lane, journal);
    if (st != PT_OK)
        return st;
    struct pt_thread thread = {
        .process = process,
        .tid = tid,
        .time = pt_timebase_ns(journal->clock, time),
        .name = name,
        .carrier = lane->carrier,
    };
    uint32_t id;
    st = pt_writer_thread(journal->writer, &thread, &id);
    if (st == PT_OK)
        st = pt_shadow_init(&lane->shadow);
    if (st == PT_OK)
        st = take_block(lane, journal);
    if (st != PT_OK) {
        release(lane, journal);
        return st;
    }
    lane->thread = id; /* from here on there is a block */
    lane->process = process;
    lane->tid = tid;
    lane->greenlet = 0;
    lane->time = time;
    count_live(journal, 1);
    journal->threads += lane->carrier == 0;
    st = push_edge(lane, journal, 1);
    lane->fresh = true;
    return st;
}

enum pt_status
pt_lane_end(struct pt_lane *lane, struct pt_journal *journal)
{
    if (lane->thread == 0)
        return PT_OK;
    enum pt_status st = pt_stacks_end(lane, journal);
    if (st == PT_OK &&
        (lane->block->n >= journal->limit || pt_block_full(lane->block)))
        st = pt_lane_flush(lane, journal);
    if (st == PT_OK)
        st = push_edge(lane, journal, 0);
    if (st == PT_OK)
        st = pt_lane_flush(lane, journal);
    release(lane, journal);
    return st;
}

enum pt_status
pt_lane_flush(struct pt_lane *lane, struct pt_journal *journal)
{
    if (lane->thread == 0 || lane->block == NULL || lane->block->n == 0)
        return PT_OK;
    struct pt_shadow *s = &lane->shadow;
    struct timespec now;
    uint64_t seq;
    clock_gettime(CLOCK_REALTIME, &now);
    pt_writer_clock_pair(
        journal->writer,
        (struct pt_clock_pair){.ticks = pt_timebase_ticks(journal->clock),
                               .unix_ns = (int64_t)now.tv_sec * 1000000000 +
                                          now.tv_nsec});
    lane->recent = true;
    enum pt_status st = pt_writer_events(
        journal->writer, lane->block, lane->process, lane->thread,
        pt_shadow_keyframe(s, journal->clock), s->key_depth, &seq);
    if (st != PT_OK)
        return st;
    lane->fresh = false;
    st = pt_shadow_settle(s, seq);
    return st == PT_OK && lane->told != NULL ? pt_told_settle(lane->told, seq)
                                             : st;
}

enum pt_status
pt_lane_gap(struct pt_lane *lane, struct pt_journal *journal, uint64_t count)
{
    enum pt_status st = PT_OK;
    if (lane->block->n >= journal->limit || pt_block_full(lane->block))
        st = pt_lane_flush(lane, journal);
    uint8_t mask = PT_HAS(ARG) | time_bit(journal, PT_GAP);
    if (st == PT_OK)
        st = pt_block_push(lane->block, PT_GAP, mask, lane->time, 0, 0, 0,
                           count);
    if (st == PT_OK)
        st = pt_lane_flush(lane, journal);
    pt_shadow_reset(&lane->shadow);
    pt_lane_forget(lane);
    journal->gaps++;
    if (count != UINT64_MAX)
        journal->lost += count;
    return st;
}

enum pt_status
pt_lane_tell(struct pt_lane *lane, struct pt_journal *journal,
             const struct pt_frame *frame)
{
    /* The keyframe is the stack before the block's first event.  The event
     * that says "a thread begins" does not change it. */
    if (lane->block->n > 0 && !(lane->fresh && lane->block->n == 1)) {
        enum pt_status st = pt_lane_flush(lane, journal);
        if (st != PT_OK)
            return st;
    }
    return pt_shadow_tell(&lane->shadow, frame);
}

enum pt_status
pt_lane_rest(struct pt_lane *lane, struct pt_journal *journal)
{
    enum pt_status st = pt_lane_flush(lane, journal);
    if (st == PT_OK)
        give_block(lane, journal);
    return st;
}

enum pt_status
pt_lane_wake(struct pt_lane *lane, struct pt_journal *journal)
{
    return take_block(lane, journal);
}

void
pt_lane_clear(struct pt_lane *lane, struct pt_journal *journal)
{
    pt_stacks_clear(lane, journal);
    release(lane, journal);
}
