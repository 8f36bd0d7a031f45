#include "format/lost.h"

#include "format/columns.h"

#include <stdio.h>
#include <string.h>

/* A reader's tables reach that far in any file, however small, and have room
 * for so many; what is beyond was made up and stays undefined. */
enum { LARGEST_ID = 2 << 20, LOST_LIMIT = 1 << 18 };

enum { NAME = 32 };

void
pt_lost_clear(struct pt_lost *l)
{
    for (unsigned k = 0; k < PT_LOST_KINDS; k++)
        pt_buf_clear(&l->given[k]);
    pt_defs_out_clear(&l->defs);
}

static bool
defined(const struct pt_defs *d, enum pt_lost_kind kind, uint32_t id)
{
    const struct pt_table *const tables[PT_LOST_KINDS] = {
        [PT_LOST_CODE] = &d->codes,     [PT_LOST_CALLABLE] = &d->callables,
        [PT_LOST_TYPE] = &d->types,     [PT_LOST_PROCESS] = &d->processes,
        [PT_LOST_THREAD] = &d->threads, [PT_LOST_TASK] = &d->tasks,
    };
    return pt_table_get(tables[kind], id) != NULL;
}

/* Sets an id's bit: PT_END when it was set already. */
static enum pt_status
give(struct pt_buf *bits, uint32_t id)
{
    size_t byte = id / 8, grown = byte + 1;
    if (grown > bits->len) {
        uint8_t *room = pt_buf_room(bits, grown - bits->len);
        if (room == NULL)
            return PT_ENOMEM;
        memset(room, 0, grown - bits->len);
        bits->len = grown;
    }
    uint8_t bit = (uint8_t)(1 << id % 8);
    if (bits->data[byte] & bit)
        return PT_END;
    bits->data[byte] |= bit;
    return PT_OK;
}

static enum pt_status
put(struct pt_lost *l, enum pt_lost_kind kind, uint32_t id,
    const struct pt_chunk_info *info)
{
    char text[NAME];
    int len = snprintf(text, sizeof text, "<lost %u>", id);
    const struct pt_str name = {text, (size_t)len}, none = {"", 0};
    switch (kind) {
    case PT_LOST_CODE: {
        const struct pt_code code = {
            .file = {"<lost>", 6}, .name = name, .qualname = name};
        return pt_defs_put_code(&l->defs, &code, id);
    }
    case PT_LOST_CALLABLE: {
        const struct pt_callable callable = {.kind = PT_CALLABLE_OBJECT,
                                             .module = none,
                                             .owner = none,
                                             .name = name,
                                             .label = none};
        return pt_defs_put_callable(&l->defs, &callable, id);
    }
    case PT_LOST_TYPE: {
        const struct pt_type type = {.module = none, .name = name};
        return pt_defs_put_type(&l->defs, &type, id);
    }
    case PT_LOST_PROCESS: {
        const struct pt_process process = {.time = info->time_first,
                                           .executable = name,
                                           .argv = &name,
                                           .argc = 1};
        return pt_defs_put_process(&l->defs, &process, id);
    }
    case PT_LOST_TASK: {
        const struct pt_task task = {.process = info->process, .name = name};
        return pt_defs_put_task(&l->defs, &task, id);
    }
    default: {
        const struct pt_thread thread = {
            .process = info->process, .time = info->time_first, .name = name};
        return pt_defs_put_thread(&l->defs, &thread, id);
    }
    }
}

static enum pt_status
need(struct pt_lost *l, enum pt_lost_kind kind, uint32_t id,
     const struct pt_chunk_info *info)
{
    if (id == 0 || defined(&l->trace->defs, kind, id) || id > LARGEST_ID ||
        l->n == LOST_LIMIT)
        return PT_OK;
    enum pt_status st = give(&l->given[kind], id);
    if (st != PT_OK)
        return st == PT_END ? PT_OK : st;
    l->n++;
    return put(l, kind, id, info);
}

enum pt_status
pt_lost_define(struct pt_lost *l, const struct pt_events *chunk)
{
    const struct pt_chunk_info *info = chunk->info;
    enum pt_status st = need(l, PT_LOST_PROCESS, info->process, info);
    if (st == PT_OK)
        st = need(l, PT_LOST_THREAD, info->thread, info);
    for (size_t i = 0; i < chunk->depth && st == PT_OK; i++) {
        const struct pt_frame *f = &chunk->stack[i];
        st =
            need(l, f->callable ? PT_LOST_CALLABLE : PT_LOST_CODE, f->id, info);
    }
    for (uint32_t i = 0; i < info->events && st == PT_OK; i++) {
        const struct pt_event *e = &chunk->events[i];
        if (e->has & PT_HAS(CODE))
            st = need(l, PT_LOST_CODE, e->id, info);
        else if (e->has & PT_HAS(CALLEE))
            st = need(l, PT_LOST_CALLABLE, e->id, info);
        else if (e->has & PT_HAS(TYPE))
            st = need(l, PT_LOST_TYPE, e->id, info);
        else if (e->kind == PT_TASK && e->arg < UINT32_MAX)
            st = need(l, PT_LOST_TASK, (uint32_t)e->arg, info);
    }
    return st;
}

uint32_t
pt_lost_largest(const struct pt_lost *l, enum pt_lost_kind kind)
{
    return (uint32_t)(l->given[kind].len * 8);
}

/* The item of one gap, which has the time `since`. */
static void
write_gap(struct pt_buf *b, const struct pt_block *block, int64_t since)
{
    struct pt_buf scratch = {0};
    struct pt_time_range range;
    b->len = 0;
    pt_cbor_map(b, 5);
    pt_cbor_text(b, "n");
    pt_cbor_uint(b, block->n);
    pt_cbor_text(b, "since");
    pt_cbor_int(b, since);
    pt_cbor_text(b, "shapes");
    pt_cbor_array(b, 1);
    pt_cbor_array(b, 2);
    pt_cbor_uint(b, block->shapes[0]);
    pt_cbor_uint(b, block->masks[0]);
    pt_cbor_text(b, "stack");
    pt_cbor_array(b, 0);
    pt_cbor_text(b, "columns");
    pt_columns_write(b, block, 1, &scratch, &range);
    b->failed |= scratch.failed;
    pt_buf_clear(&scratch);
}

enum pt_status
pt_lost_gap(struct pt_chunk_info *info, uint64_t events, int64_t time,
            struct pt_buf *item)
{
    struct pt_block *block;
    enum pt_status st = pt_block_new(&block);
    if (st != PT_OK)
        return st;
    st = pt_block_push(block, PT_GAP, PT_HAS(ARG), 0, 0, 0, 0, events);
    if (st == PT_OK)
        write_gap(item, block, time);
    pt_block_free(block);
    if (st != PT_OK)
        return st;
    *info = (struct pt_chunk_info){
        .type = PT_CHUNK_EVENTS,
        .process = info->process,
        .thread = info->thread,
        .seq = info->seq,
        .events = 1,
        .gaps = 1,
        .time_first = time,
        .time_last = time,
        .counts = {[PT_GAP] = 1},
    };
    return item->failed ? PT_ENOMEM : PT_OK;
}
