#include "record/values.h"

#include <pt/value.h>

#include <stdlib.h>
#include <string.h>

enum { WORD = 4, FIRST_BYTES = 256 };

void
pt_lane_forget(struct pt_lane *lane)
{
    if (lane->told != NULL)
        pt_told_forget(lane->told);
}

void
pt_lane_tear(struct pt_lane *own)
{
    if (own->incoming != NULL && own->incoming->open) {
        own->incoming->open = false;
        pt_lane_forget(own);
    }
}

void
pt_lane_free_values(struct pt_lane *lane)
{
    pt_told_free(lane->told);
    if (lane->incoming != NULL)
        free(lane->incoming->bytes);
    free(lane->incoming);
    lane->told = NULL;
    lane->incoming = NULL;
}

/* --- a whole value -------------------------------------------------------- */

static void
told(void *state, uint64_t number)
{
    const struct pt_lane *lane = state;
    pt_told_set_object(lane->told, number, pt_block_value_count(lane->block));
}

static struct pt_value_place
find(void *state, uint64_t number)
{
    const struct pt_lane *lane = state;
    return pt_told_object(lane->told, number);
}

/* A value is a point of proof: the frame has come to `off`, unless it is at
 * work there, or an exception is. */
static void
move(struct pt_lane *lane, uint32_t off)
{
    struct pt_frame *f = lane->shadow.top - lane->shadow.top->callable;
    bool there = (f->at == PT_AT_INSIDE && f->off == off) ||
                 (f->at == PT_AT_JUMPED && f->dst == off);
    if (f->at == PT_AT_RAISED || f->at == PT_AT_THROWN ||
        f->at == PT_AT_UNKNOWN)
        return;
    f->next = there ? 0 : off;
}

static enum pt_status
put(struct run *run, const struct pt_incoming *in)
{
    static const char unread[] = {'\x81', '\x08'};
    struct pt_lane *lane = run->lane;
    struct pt_frame *f = lane->shadow.top - lane->shadow.top->callable;
    uint32_t role = in->dst >> PT_ROLE_SHIFT;
    if (f == lane->shadow.base || role == 0 || role >= PT_ROLE_LIMIT) {
        run->journal->malformed++; /* of nobody's variable, or of none */
        return PT_OK;
    }
    if (lane->told == NULL && pt_told_new(&lane->told) != PT_OK)
        return PT_ENOMEM;
    enum pt_status st = pt_told_enter(lane->told, &lane->shadow);
    if (st != PT_OK)
        return st;
    struct pt_value_maker maker = {
        .types = run->defs->types.to,
        .ntypes = run->defs->types.limit,
        .same = pt_told_variable(lane->told, in->dst),
        .state = lane,
        .told = told,
        .find = find,
    };
    uint32_t record = pt_block_value_count(lane->block);
    struct pt_str raw = {in->bytes, in->size};
    bool same = raw.len == 2 && memcmp(raw.data, "\x81\x02", 2) == 0;
    st = pt_block_value(lane->block, f->id, in->off, in->dst, raw, &maker);
    if (st == PT_EDAMAGED) {
        raw = (struct pt_str){unread, sizeof unread};
        same = false;
        /* What it told of objects until it went wrong is not in the log. */
        pt_told_forget_objects(lane->told);
        run->journal->malformed++;
        st = pt_block_value(lane->block, f->id, in->off, in->dst, raw, &maker);
    }
    if (st == PT_OK && !same)
        st = pt_told_set(lane->told, in->dst, record);
    if (st == PT_OK && run->journal->flow)
        move(lane, in->off);
    if (st == PT_OK && pt_block_full(lane->block))
        st = pt_lane_flush(lane, run->journal);
    return st;
}

/* --- its records ---------------------------------------------------------- */

static bool
make_room(struct pt_incoming *in, size_t need)
{
    if (need <= in->room)
        return true;
    size_t room = in->room == 0 ? FIRST_BYTES : in->room;
    while (room < need)
        room *= 2;
    char *bytes = realloc(in->bytes, room);
    if (bytes == NULL)
        return false;
    in->bytes = bytes;
    in->room = room;
    return true;
}

enum pt_status
pt_run_value(struct run *run, uint32_t *words)
{
    const uint32_t *p = run->p;
    uint32_t size = word(p, 0) >> PT_WORD_KIND_BITS;
    struct pt_lane *own = run->own;
    *words = pt_record_words[PT_W_VALUE];
    pt_lane_tear(own);
    if (size == 0 || size > PT_LIMIT_VALUE)
        return pt_run_broken(run, "the size of a value", size);
    if (own->incoming == NULL)
        own->incoming = calloc(1, sizeof *own->incoming);
    if (own->incoming == NULL)
        return PT_ENOMEM;
    struct pt_incoming *in = own->incoming;
    in->off = word(p, 1);
    in->dst = word(p, 2);
    in->size = size;
    in->have = 0;
    in->open = true;
    return PT_OK;
}

enum pt_status
pt_run_bytes(struct run *run, uint32_t *words)
{
    uint32_t n = word(run->p, 0) >> PT_WORD_KIND_BITS;
    struct pt_incoming *in = run->own->incoming;
    uint32_t data = (n + WORD - 1) / WORD;
    *words = 1;
    if (n == 0 || n > PT_VALUE_PIECE || 1 + data > run->avail)
        return pt_run_broken(run, "bytes of a value, so many", n);
    *words = 1 + data;
    /* Behind a gap the rest of what it tore can follow. */
    if (in == NULL || !in->open)
        return PT_OK;
    if (n > in->size - in->have)
        return pt_run_broken(run, "more bytes than the value has", n);
    /* Whole words: the last one's padding is written over, or room behind. */
    if (!make_room(in, in->have + (size_t)data * WORD))
        return PT_ENOMEM;
    for (uint32_t i = 0; i < data; i++) {
        uint32_t w = word(run->p, 1 + i);
        memcpy(in->bytes + in->have + i * WORD, &w, WORD);
    }
    in->have += n;
    if (in->have < in->size)
        return PT_OK;
    in->open = false;
    return put(run, in);
}
