#include "record/stacks.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

static enum pt_status
make_stacks(struct pt_lane *own)
{
    struct pt_stacks *s = calloc(1, sizeof *s);
    if (s == NULL)
        return PT_ENOMEM;
    s->lanes = calloc(FIRST_ROOM, sizeof *s->lanes);
    if (s->lanes == NULL) {
        free(s);
        return PT_ENOMEM;
    }
    s->room = FIRST_ROOM;
    s->lanes[0] = own;
    own->stacks = s;
    return PT_OK;
}

static enum pt_status
grow(struct pt_stacks *s, uint32_t number)
{
    uint32_t room = s->room;
    while (room <= number)
        room *= 2;
    struct pt_lane **lanes = realloc(s->lanes, room * sizeof(*lanes));
    if (lanes == NULL)
        return PT_ENOMEM;
    memset(lanes + s->room, 0, (room - s->room) * sizeof(*lanes));
    s->lanes = lanes;
    s->room = room;
    return PT_OK;
}

/* --- blocks --------------------------------------------------------------- */

/* A lane has got a block; the one that has had its own for longest gives it
 * back, where there are too many. */
static enum pt_status
count_block(struct pt_stacks *s, struct pt_journal *journal,
            struct pt_lane *lane)
{
    enum pt_status st = PT_OK;
    if (s->blocks == PT_STACKS_WITH_BLOCK) {
        if (s->with_block[s->first] == s->lanes[s->now])
            s->first = (s->first + 1) % PT_STACKS_WITH_BLOCK; /* now the last */
        st = pt_lane_rest(s->with_block[s->first], journal);
        s->first = (s->first + 1) % PT_STACKS_WITH_BLOCK;
        s->blocks--;
    }
    uint32_t i = (s->first + s->blocks++) % PT_STACKS_WITH_BLOCK;
    s->with_block[i] = lane;
    return st;
}

/* Makes the lane of a stack, or makes it ready for events. */
static enum pt_status
prepare(struct pt_lane *own, struct pt_journal *journal, uint32_t number,
        uint64_t time)
{
    struct pt_stacks *s = own->stacks;
    enum pt_status st = number < s->room ? PT_OK : grow(s, number);
    if (st != PT_OK || number == 0)
        return st;
    struct pt_lane *lane = s->lanes[number];
    if (lane != NULL && lane->block != NULL)
        return PT_OK;
    if (lane == NULL && journal->live >= PT_LIVE_LIMIT)
        return PT_ELIMIT;
    if (lane != NULL)
        st = pt_lane_wake(lane, journal);
    else {
        lane = calloc(1, sizeof *lane);
        if (lane == NULL)
            return PT_ENOMEM;
        lane->carrier = own->thread;
        s->lanes[number] = lane;
        st = pt_lane_begin(lane, journal, own->process, own->tid, time,
                           (struct pt_str){NULL, 0});
    }
    return st == PT_OK ? count_block(s, journal, lane) : st;
}

/* --- switching ------------------------------------------------------------ */

static enum pt_status
push(struct pt_lane *lane, struct pt_journal *journal, uint8_t kind,
     uint8_t mask, uint32_t dst, uint64_t arg)
{
    enum pt_status st = PT_OK;
    if (lane->block->n >= journal->limit || pt_block_full(lane->block))
        st = pt_lane_flush(lane, journal);
    if (journal->stamped >> kind & 1)
        mask |= PT_HAS(TIME);
    return st == PT_OK ? pt_block_push(lane->block, kind, mask, lane->time, 0,
                                       0, dst, arg)
                       : st;
}

/* Another greenlet begins on this stack, and of the one before nothing was
 * left: what is there has ended without a word. */
static enum pt_status
empty(struct pt_lane *lane, struct pt_journal *journal)
{
    struct pt_shadow *s = &lane->shadow;
    enum pt_status st = PT_OK;
    while (pt_shadow_depth(s) > 0 && st == PT_OK) {
        if (!s->top->callable)
            st = push(lane, journal, PT_UNWIND, PT_HAS(ARG), 0, PT_IMPLIED);
        s->top--;
    }
    return st;
}

static enum pt_status
tell(struct pt_lane *from, struct pt_lane *to, struct pt_journal *journal,
     uint32_t greenlet, uint64_t time)
{
    /* A little earlier than what is switched to, so that merged by time the
     * one is left before the other goes on. */
    if (time > from->time)
        from->time = time - 1;
    enum pt_status st =
        push(from, journal, PT_SWITCH, PT_HAS(ARG), 0, greenlet);
    to->time = time;
    if (st == PT_OK && to->greenlet != greenlet)
        st = empty(to, journal);
    if (st == PT_OK)
        st = push(to, journal, PT_SWITCH, PT_HAS(ARG) | PT_HAS(DST),
                  from->greenlet, greenlet);
    return st;
}

enum pt_status
pt_stacks_switch(struct pt_lane *own, struct pt_journal *journal,
                 uint32_t number, uint32_t greenlet, uint64_t time, bool told)
{
    struct pt_lane *from = pt_stacks_lane(own);
    enum pt_status st = PT_OK;
    if (own->stacks == NULL && number != 0)
        st = make_stacks(own);
    if (st == PT_OK && own->stacks != NULL)
        st = prepare(own, journal, number, time);
    if (st != PT_OK)
        return st;
    struct pt_lane *to = own->stacks != NULL ? own->stacks->lanes[number] : own;
    if (to != from && told)
        st = tell(from, to, journal, greenlet, time);
    to->time = time;
    to->greenlet = greenlet;
    if (own->stacks != NULL)
        own->stacks->now = number;
    return st;
}

/* --- all of them ---------------------------------------------------------- */

enum pt_status
pt_stacks_flush(struct pt_lane *own, struct pt_journal *journal)
{
    struct pt_stacks *s = own->stacks;
    enum pt_status st = PT_OK;
    for (uint32_t i = 1; s != NULL && i < s->room && st == PT_OK; i++) {
        struct pt_lane *lane = s->lanes[i];
        if (lane == NULL || lane->block == NULL)
            continue;
        if (!lane->recent)
            st = pt_lane_flush(lane, journal);
        lane->recent = false;
    }
    return st;
}

enum pt_status
pt_stacks_end(struct pt_lane *own, struct pt_journal *journal)
{
    struct pt_stacks *s = own->stacks;
    enum pt_status st = PT_OK;
    for (uint32_t i = 1; s != NULL && i < s->room && st == PT_OK; i++) {
        struct pt_lane *lane = s->lanes[i];
        if (lane == NULL)
            continue;
        if (lane->block == NULL)
            st = pt_lane_wake(lane, journal);
        if (st == PT_OK)
            st = pt_lane_end(lane, journal);
    }
    pt_stacks_clear(own, journal);
    return st;
}

void
pt_stacks_clear(struct pt_lane *own, struct pt_journal *journal)
{
    struct pt_stacks *s = own->stacks;
    own->stacks = NULL;
    for (uint32_t i = 1; s != NULL && i < s->room; i++) {
        if (s->lanes[i] != NULL)
            pt_lane_clear(s->lanes[i], journal);
        free(s->lanes[i]);
    }
    if (s != NULL)
        free(s->lanes);
    free(s);
}
