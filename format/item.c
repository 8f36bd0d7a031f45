#include "format/item.h"

#include "format/chunk.h"

#include <string.h>

static void
read_shapes(struct pt_cbor *c, struct pt_item *it)
{
    size_t n = pt_cbor_get_array(c);
    if (n > 256) {
        c->bad = true;
        return;
    }
    for (size_t s = 0; s < n && !c->bad; s++) {
        if (pt_cbor_get_array(c) != 2)
            c->bad = true;
        it->kinds[s] = (uint8_t)pt_cbor_get_uint(c, PT_KIND_LIMIT - 1);
        it->masks[s] = (uint8_t)pt_cbor_get_uint(c, UINT8_MAX);
        if (it->kinds[s] == 0)
            c->bad = true;
    }
    it->nshapes = (uint32_t)n;
}

static enum pt_status
read_stack(struct pt_stack *stack, struct pt_cbor *c, struct pt_item *it)
{
    size_t n = pt_cbor_get_array(c);
    if (c->bad || n > PT_LIMIT_STACK)
        return PT_EDAMAGED;
    if (!pt_alloc_room(&stack->frames, &stack->cap, n, sizeof *stack->frames))
        return PT_ENOMEM;
    for (size_t i = 0; i < n && !c->bad; i++) {
        struct pt_frame *f = &stack->frames[i];
        size_t items = pt_cbor_get_array(c);
        if (items < 7)
            c->bad = true;
        f->callable = (uint8_t)pt_cbor_get_uint(c, 1);
        /* A C call ends where the next begins (spec/format.md section 8). */
        if (f->callable && i > 0 && f[-1].callable)
            c->bad = true;
        f->id = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        f->key = pt_cbor_get_uint(c, UINT64_MAX);
        f->seq =
            pt_cbor_take_null(c) ? UINT64_MAX : pt_cbor_get_uint(c, UINT64_MAX);
        f->line = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        f->off = pt_cbor_take_null(c)
                     ? UINT32_MAX
                     : (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        f->time = pt_cbor_take_null(c) ? INT64_MIN : pt_cbor_get_int(c);
        f->at = PT_AT_UNKNOWN;
        f->dst = f->next = 0;
        size_t known = items >= 10 ? 10 : items >= 9 ? 9 : 7;
        if (!c->bad && known >= 9) {
            f->at = (uint8_t)pt_cbor_get_uint(c, PT_AT_LIMIT - 1);
            f->dst = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        }
        if (!c->bad && known >= 10)
            f->next = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        if (!c->bad)
            pt_cbor_skip(c, items - known);
    }
    it->depth = n;
    return PT_OK;
}

static void
read_columns(struct pt_cbor *c, struct pt_item *it)
{
    static const char *const names[PT_COLUMN_COUNT] = {
#define X(id, num, name, width) [num] = name,
        PT_COLUMNS (X)
#undef X
    };
    size_t pairs = pt_cbor_get_map(c);
    for (size_t i = 0; i < pairs && !c->bad; i++) {
        struct pt_str key = pt_cbor_get_text(c);
        unsigned k = 0;
        while (k < PT_COLUMN_COUNT &&
               (strlen(names[k]) != key.len ||
                memcmp(names[k], key.data, key.len) != 0))
            k++;
        if (k < PT_COLUMN_COUNT)
            pt_column_read(c, &it->columns[k]);
        else if (pt_str_is(key, "shape"))
            pt_column_read(c, &it->shape);
        else
            pt_cbor_skip(c, 1);
    }
}

/* A shape fills a field of struct pt_event once. */
static bool
shapes_valid(const struct pt_item *it)
{
    for (unsigned s = 0; s < it->nshapes; s++) {
        unsigned m = it->masks[s];
        unsigned ids = m & (PT_HAS(CODE) | PT_HAS(CALLEE) | PT_HAS(TYPE));
        unsigned pos = m & (PT_HAS(LINE) | PT_HAS(OFF));
        if ((ids & (ids - 1)) != 0 || (pos & (pos - 1)) != 0)
            return false;
    }
    return true;
}

static bool
transforms_known(struct pt_item *it)
{
    const struct pt_column_in *later = NULL;
    if (it->shape.transform == PT_LATER)
        later = &it->shape;
    for (unsigned k = 0; k < PT_COLUMN_COUNT; k++)
        if (it->columns[k].transform == PT_LATER)
            later = &it->columns[k];
    if (later)
        it->later = later->name;
    return !later;
}

enum pt_status
pt_item_read(struct pt_str bytes, struct pt_stack *frames, struct pt_item *it)
{
    struct pt_cbor c = pt_cbor_over(bytes.data, bytes.len);
    enum pt_status st = PT_OK;
    memset(it, 0, sizeof *it);
    size_t pairs = pt_cbor_get_map(&c);
    bool shapes = false, columns = false, stack = false;
    for (size_t i = 0; i < pairs && !c.bad && st == PT_OK; i++) {
        struct pt_str key = pt_cbor_get_text(&c);
        if (pt_str_is(key, "n")) {
            it->n = (uint32_t)pt_cbor_get_uint(&c, PT_BLOCK_EVENTS);
        } else if (pt_str_is(key, "since")) {
            it->since = pt_cbor_get_int(&c);
        } else if (pt_str_is(key, "clock")) {
            if (pt_cbor_get_array(&c) != 2)
                c.bad = true;
            it->clock.ticks = pt_cbor_get_uint(&c, UINT64_MAX);
            it->clock.unix_ns = pt_cbor_get_int(&c);
        } else if (pt_str_is(key, "shapes") && !shapes) {
            shapes = true;
            read_shapes(&c, it);
        } else if (pt_str_is(key, "stack") && !stack) {
            stack = true;
            st = read_stack(frames, &c, it);
        } else if (pt_str_is(key, "columns") && !columns) {
            columns = true;
            read_columns(&c, it);
        } else {
            pt_cbor_skip(&c, 1);
        }
    }
    if (st != PT_OK)
        return st;
    if (c.bad || c.at != c.end || !shapes || !columns || !shapes_valid(it))
        return PT_EDAMAGED;
    return transforms_known(it) ? PT_OK : PT_EUNSUPPORTED;
}
