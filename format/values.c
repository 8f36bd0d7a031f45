/* A trace's values: which chunk has which, and the chunks that were read last.
 */
#include "format/values.h"

#include "format/columns.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGES_SIZE = 64 << 20,  /* of pages that are kept ... */
    PAGES_MOST = 128 << 20, /* ... and that one tree may be made of */
    TREE_SIZE = 64 << 20
};

/* --- the list of chunks --------------------------------------------------- */

static int
by_seq(const void *a, const void *b)
{
    const struct pt_values_chunk *x = a, *y = b;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->events < y->events ? -1 : x->events > y->events;
}

/* Of several chunks that say the same number the first counts. */
static enum pt_status
list_chunks(struct pt_values *vs)
{
    size_t n = pt_trace_chunk_count(vs->trace), count = 0;
    for (size_t i = 0; i < n; i++)
        count += pt_trace_chunk(vs->trace, i)->counts[PT_VALUE] != 0;
    vs->chunks = pt_alloc(count * sizeof *vs->chunks);
    if (vs->chunks == NULL)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(vs->trace, i);
        if (info->type == PT_CHUNK_EVENTS && info->counts[PT_VALUE] != 0)
            vs->chunks[vs->nchunks++] =
                (struct pt_values_chunk){info->seq, i, SIZE_MAX};
    }
    qsort(vs->chunks, vs->nchunks, sizeof *vs->chunks, by_seq);
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(vs->trace, i);
        size_t at = info->type == PT_CHUNK_VALUES
                        ? pt_values_chunk(vs, info->seq)
                        : SIZE_MAX;
        if (at != SIZE_MAX && vs->chunks[at].values == SIZE_MAX)
            vs->chunks[at].values = i;
    }
    return PT_OK;
}

size_t
pt_values_before(const struct pt_values *vs, uint64_t seq)
{
    size_t low = 0, high = vs->nchunks;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vs->chunks[middle].seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

size_t
pt_values_chunk(const struct pt_values *vs, uint64_t seq)
{
    size_t at = pt_values_before(vs, seq);
    if (at == SIZE_MAX || vs->chunks[at].seq != seq)
        return SIZE_MAX;
    while (at > 0 && vs->chunks[at - 1].seq == seq)
        at--;
    return at;
}

enum pt_status
pt_values_new(const struct pt_trace *trace, struct pt_values **out)
{
    struct pt_values *vs = pt_alloc_zero(1, sizeof *vs);
    if (vs == NULL)
        return PT_ENOMEM;
    vs->trace = trace;
    enum pt_status st = pt_decoder_new(trace, &vs->decoder);
    if (st == PT_OK)
        st = list_chunks(vs);
    if (st == PT_OK)
        *out = vs;
    else
        pt_values_free(vs);
    return st;
}

static void
free_page(struct pt_values_page *p)
{
    if (p == NULL)
        return;
    pt_buf_clear(&p->bytes);
    pt_alloc_free(p->ends);
    pt_alloc_free(p->index);
    pt_alloc_free(p->off);
    pt_alloc_free(p->dst);
    pt_alloc_free(p);
}

void
pt_values_free(struct pt_values *vs)
{
    if (vs == NULL)
        return;
    for (size_t i = 0; i < vs->npages; i++)
        free_page(vs->pages[i]);
    pt_alloc_free(vs->pages);
    pt_alloc_free(vs->chunks);
    pt_variables_free(vs->variables);
    pt_decoder_free(vs->decoder);
    pt_alloc_free(vs);
}

uint64_t
pt_values_lost(const struct pt_values *vs)
{
    return vs->lost;
}

const char *
pt_values_lacks(const struct pt_trace *trace, enum pt_values_level level)
{
    struct pt_str values = pt_trace_header(trace)->values;
    bool locals = pt_str_is(values, "locals");
    if (locals || (level == PT_LEVEL_CALLS && values.len != 0))
        return NULL;
    return level == PT_LEVEL_CALLS ? "it was not recorded with --values=calls"
                                   : "it was not recorded with --values=locals";
}

/* --- pages ---------------------------------------------------------------- */

/* The chunk's item.  PT_EDAMAGED. */
static enum pt_status
read_item(struct pt_values_page *p, struct pt_str item)
{
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    struct pt_column_in sizes = {.present = false};
    struct pt_str bytes = {"", 0};
    uint64_t n = 0;
    size_t pairs = pt_cbor_get_map(&c);
    for (size_t i = 0; i < pairs && !c.bad; i++) {
        struct pt_str key = pt_cbor_get_text(&c);
        if (pt_str_is(key, "n"))
            n = pt_cbor_get_uint(&c, PT_BLOCK_EVENTS);
        else if (pt_str_is(key, "sizes"))
            pt_column_read(&c, &sizes);
        else if (pt_str_is(key, "bytes"))
            bytes = pt_cbor_get_bytes(&c);
        else
            pt_cbor_skip(&c, 1);
    }
    if (c.bad || c.at != c.end)
        return PT_EDAMAGED;
    p->ends = pt_alloc((n + 1) * sizeof *p->ends);
    if (bytes.len > 0)
        pt_buf_add(&p->bytes, bytes.data, bytes.len);
    if (p->ends == NULL || p->bytes.failed)
        return PT_ENOMEM;
    enum pt_status st = pt_column_get32(&sizes, (size_t)n, p->ends);
    if (st != PT_OK)
        return PT_EDAMAGED;
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        end += p->ends[i];
        if (end > bytes.len)
            return PT_EDAMAGED;
        p->ends[i] = (uint32_t)end;
    }
    if (end != bytes.len || (n > 0 && end == 0))
        return PT_EDAMAGED;
    p->n = (uint32_t)n;
    return PT_OK;
}

static enum pt_status
load_page(struct pt_values *vs, size_t chunk, struct pt_values_page *p)
{
    const struct pt_values_chunk *c = &vs->chunks[chunk];
    const struct pt_chunk_info *info = pt_trace_chunk(vs->trace, c->events);
    struct pt_str item;
    p->chunk = chunk;
    if (c->values == SIZE_MAX)
        return PT_OK;
    enum pt_status st = pt_decoder_raw(vs->decoder, c->values, &item);
    if (st == PT_OK)
        st = read_item(p, item);
    if (st == PT_EDAMAGED || st == PT_EUNSUPPORTED ||
        (st == PT_OK && p->n != info->counts[PT_VALUE])) {
        p->n = 0; /* whose values these are nobody can tell */
        st = PT_OK;
    }
    p->size = sizeof *p + p->bytes.cap + p->n * sizeof *p->ends +
              3 * info->counts[PT_VALUE] * sizeof(uint32_t);
    return st;
}

/* Only while no tree is being made, which reads from several. */
static void
drop_pages(struct pt_values *vs)
{
    while (vs->npages > 1 && vs->size > PAGES_SIZE) {
        size_t oldest = 0;
        for (size_t i = 1; i < vs->npages; i++)
            if (vs->pages[i]->used < vs->pages[oldest]->used)
                oldest = i;
        vs->size -= vs->pages[oldest]->size;
        free_page(vs->pages[oldest]);
        vs->pages[oldest] = vs->pages[--vs->npages];
    }
}

enum pt_status
pt_values_page(struct pt_values *vs, size_t chunk, struct pt_values_page **out)
{
    for (size_t i = 0; i < vs->npages; i++) {
        if (vs->pages[i]->chunk != chunk)
            continue;
        vs->pages[i]->used = ++vs->uses;
        *out = vs->pages[i];
        return PT_OK;
    }
    if (vs->size > PAGES_MOST)
        return PT_ELIMIT;
    struct pt_values_page *p = pt_alloc_zero(1, sizeof *p);
    if (p == NULL || !pt_alloc_room(&vs->pages, &vs->pages_cap, vs->npages + 1,
                                    sizeof(struct pt_values_page *))) {
        pt_alloc_free(p);
        return PT_ENOMEM;
    }
    enum pt_status st = load_page(vs, chunk, p);
    if (st != PT_OK) {
        free_page(p);
        return st;
    }
    p->used = ++vs->uses;
    vs->pages[vs->npages++] = p;
    vs->size += p->size;
    *out = p;
    return PT_OK;
}

enum pt_status
pt_values_events(struct pt_values *vs, struct pt_values_page *p)
{
    struct pt_events ev;
    if (p->index != NULL)
        return PT_OK;
    enum pt_status st =
        pt_decoder_events(vs->decoder, vs->chunks[p->chunk].events, &ev);
    if (st != PT_OK)
        return st;
    size_t n = ev.info->counts[PT_VALUE];
    uint32_t *index = pt_alloc(n * sizeof *index);
    uint32_t *off = pt_alloc(n * sizeof *off);
    uint32_t *dst = pt_alloc(n * sizeof *dst);
    if (index == NULL || off == NULL || dst == NULL) {
        pt_alloc_free(index);
        pt_alloc_free(off);
        pt_alloc_free(dst);
        return PT_ENOMEM;
    }
    p->nindex = 0;
    for (uint32_t i = 0; i < ev.info->events; i++) {
        if (ev.events[i].kind != PT_VALUE)
            continue;
        index[p->nindex] = i;
        off[p->nindex] = ev.events[i].pos;
        dst[p->nindex++] = ev.events[i].dst;
    }
    p->index = index;
    p->off = off;
    p->dst = dst;
    return PT_OK;
}

/* --- one event's value ---------------------------------------------------- */

/* The tree and its memory are one. */
struct tree {
    struct pt_recorded recorded; /* first: what is given away is freed by it */
    struct pt_pool pool;
};

void
pt_recorded_free(struct pt_recorded *r)
{
    struct tree *t = (struct tree *)(void *)r;
    if (t == NULL)
        return;
    pt_pool_clear(&t->pool);
    pt_alloc_free(t);
}

/* The number of the record of the chunk's event `i`; UINT32_MAX none. */
static uint32_t
record_of(const struct pt_values_page *p, uint64_t i)
{
    uint32_t low = 0, high = p->nindex;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->index[middle] < i)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->nindex && p->index[low] == i ? low : UINT32_MAX;
}

static enum pt_status
read_tree(struct pt_values *vs, struct pt_values_page *p, uint32_t record,
          struct tree *t)
{
    const struct pt_values_chunk *c = &vs->chunks[p->chunk];
    const struct pt_chunk_info *info = pt_trace_chunk(vs->trace, c->events);
    struct pt_recorded *r = &t->recorded;
    r->seq = c->seq + p->index[record];
    r->told = UINT64_MAX;
    r->process = info->process;
    r->thread = info->thread;
    r->off = p->off[record];
    r->index = p->dst[record] & ((1u << PT_ROLE_SHIFT) - 1);
    r->role = (uint8_t)(p->dst[record] >> PT_ROLE_SHIFT);
    size_t chunk;
    uint32_t told;
    enum pt_status st =
        pt_value_read(vs, p, record, &t->pool, &r->value, &chunk, &told);
    if (st != PT_OK || chunk == SIZE_MAX)
        return st;
    st = pt_values_page(vs, chunk, &p);
    if (st == PT_OK)
        st = pt_values_events(vs, p);
    if (st == PT_OK && told < p->nindex)
        r->told = vs->chunks[chunk].seq + p->index[told];
    return st == PT_EDAMAGED || st == PT_ELIMIT ? PT_OK : st;
}

enum pt_status
pt_values_get(struct pt_values *vs, uint64_t seq, struct pt_recorded **out)
{
    size_t chunk = pt_values_before(vs, seq);
    struct pt_values_page *p;
    if (chunk == SIZE_MAX)
        return PT_ENOTFOUND;
    drop_pages(vs);
    enum pt_status st = pt_values_page(vs, chunk, &p);
    if (st == PT_OK)
        st = pt_values_events(vs, p);
    if (st != PT_OK)
        return st;
    uint32_t record = record_of(p, seq - vs->chunks[chunk].seq);
    if (record == UINT32_MAX)
        return PT_ENOTFOUND;
    struct tree *t = pt_alloc_zero(1, sizeof *t);
    if (t == NULL)
        return PT_ENOMEM;
    pt_pool_init(&t->pool, TREE_SIZE);
    st = read_tree(vs, p, record, t);
    if (st == PT_OK)
        *out = &t->recorded;
    else
        pt_recorded_free(&t->recorded);
    return st;
}
