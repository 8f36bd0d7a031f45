#include "format/index.h"

#include "format/chunk.h"

#include <stdlib.h>
#include <string.h>

void
pt_idset_clear(struct pt_idset *s)
{
    pt_alloc_free(s->stamp);
    pt_alloc_free(s->ids);
    memset(s, 0, sizeof *s);
}

void
pt_idset_begin(struct pt_idset *s, uint32_t largest)
{
    s->n = 0;
    s->now++;
    if (s->now == 0) {
        memset(s->stamp, 0, s->cap * sizeof *s->stamp);
        s->now = 1;
    }
    size_t old = s->cap;
    if (!pt_alloc_room(&s->stamp, &s->cap, (size_t)largest + 1,
                       sizeof *s->stamp)) {
        s->failed = true;
        return;
    }
    if (s->cap > old)
        memset(s->stamp + old, 0, (s->cap - old) * sizeof *s->stamp);
    s->stamp[0] = s->now; /* 0 is no id: it counts as there already */
}

void
pt_idset_add_slow(struct pt_idset *s, uint32_t id)
{
    s->stamp[id] = s->now;
    if (!pt_alloc_room(&s->ids, &s->ids_cap, s->n + 1, sizeof *s->ids)) {
        s->failed = true;
        return;
    }
    s->ids[s->n++] = id;
}

static int
by_value(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

void
pt_index_add(struct pt_buf *b, const struct pt_chunk_info *i,
             struct pt_idset *codes)
{
    pt_cbor_array(b, 13);
    pt_cbor_uint(b, i->offset);
    pt_cbor_uint(b, i->type);
    pt_cbor_uint(b, i->process);
    pt_cbor_uint(b, i->thread);
    pt_cbor_uint(b, i->seq);
    pt_cbor_uint(b, i->events);
    pt_cbor_uint(b, i->gaps);
    pt_cbor_int(b, i->time_first);
    pt_cbor_int(b, i->time_last);
    pt_cbor_uint(b, i->raw_size);
    pt_cbor_uint(b, i->packed_size);
    size_t kinds = 0;
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        kinds += i->counts[k] != 0;
    pt_cbor_array(b, 2 * kinds);
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++) {
        if (i->counts[k] == 0)
            continue;
        pt_cbor_uint(b, k);
        pt_cbor_uint(b, i->counts[k]);
    }
    size_t n = codes != NULL ? codes->n : 0;
    pt_cbor_array(b, n);
    if (n == 0)
        return;
    qsort(codes->ids, n, sizeof *codes->ids, by_value);
    uint32_t last = 0;
    for (size_t k = 0; k < n; k++) {
        pt_cbor_uint(b, codes->ids[k] - last);
        last = codes->ids[k];
    }
}

void
pt_index_write(struct pt_buf *b, const struct pt_buf *entries, size_t n)
{
    pt_cbor_map(b, 1);
    pt_cbor_text(b, "chunks");
    pt_cbor_array(b, n);
    pt_buf_add(b, entries->data, entries->len);
}

static void
read_counts(struct pt_cbor *c, uint32_t counts[PT_KIND_LIMIT])
{
    size_t n = pt_cbor_get_array(c);
    if (n % 2 != 0)
        c->bad = true;
    for (size_t i = 0; i < n && !c->bad; i += 2) {
        uint64_t kind = pt_cbor_get_uint(c, PT_KIND_LIMIT - 1);
        counts[kind] = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    }
}

static void
read_entry(struct pt_cbor *c, struct pt_chunk_info *i)
{
    size_t n = pt_cbor_get_array(c);
    if (n < 13)
        c->bad = true;
    i->offset = pt_cbor_get_uint(c, UINT64_MAX);
    i->type = (uint8_t)pt_cbor_get_uint(c, UINT8_MAX);
    i->process = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    i->thread = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    i->seq = pt_cbor_get_uint(c, UINT64_MAX);
    i->events = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    i->gaps = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    i->time_first = pt_cbor_get_int(c);
    i->time_last = pt_cbor_get_int(c);
    i->raw_size = pt_cbor_get_uint(c, UINT32_MAX);
    i->packed_size = pt_cbor_get_uint(c, UINT32_MAX);
    read_counts(c, i->counts);
    if (!c->bad)
        pt_cbor_skip(c, n - 12); /* code objects, and what comes later */
}

enum pt_status
pt_index_read(struct pt_str item, uint64_t limit, struct pt_chunk_info **out,
              size_t *n)
{
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    size_t pairs = pt_cbor_get_map(&c);
    struct pt_chunk_info *list = NULL;
    size_t count = 0;
    uint64_t end = 0;
    for (size_t p = 0; p < pairs && !c.bad; p++) {
        if (!pt_str_is(pt_cbor_get_text(&c), "chunks") || list != NULL) {
            pt_cbor_skip(&c, 1);
            continue;
        }
        count = pt_cbor_get_array(&c);
        /* A chunk takes this much of the file at least, so this bounds the
         * array by the file's size. */
        if (count > limit / PT_CHUNK_HEADER_SIZE || c.bad)
            return PT_EDAMAGED;
        list = pt_alloc_zero(count, sizeof *list);
        if (list == NULL)
            return PT_ENOMEM;
        for (size_t i = 0; i < count && !c.bad; i++) {
            read_entry(&c, &list[i]);
            if (list[i].offset != end)
                c.bad = true;
            end += pt_chunk_total(&list[i]);
        }
    }
    if (c.bad || c.at != c.end || list == NULL || end != limit) {
        pt_alloc_free(list);
        return PT_EDAMAGED;
    }
    *out = list;
    *n = count;
    return PT_OK;
}
