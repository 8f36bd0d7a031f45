/* Which code objects each chunk has: the part of the index that the directory
 * does not keep, because it grows with chunks and code objects. */
#include "format/alloc.h"
#include "format/cbor.h"

#include <pt/reader.h>

struct codes {
    uint32_t *ids;
    size_t n, cap;
};

/* Ids are told as differences, ascending. */
static bool
read_codes(struct pt_cbor *c, struct codes *codes)
{
    size_t n = pt_cbor_get_array(c);
    uint32_t id = 0;
    codes->n = 0;
    for (size_t i = 0; i < n && !c->bad; i++) {
        uint64_t next = id + pt_cbor_get_uint(c, UINT32_MAX);
        if (next > UINT32_MAX)
            c->bad = true;
        if (!pt_alloc_room(&codes->ids, &codes->cap, i + 1, sizeof *codes->ids))
            return false;
        id = (uint32_t)next;
        codes->ids[codes->n++] = id;
    }
    return true;
}

/* The entries are those of the directory, in its order. */
static enum pt_status
read_entries(struct pt_cbor *c, const struct pt_trace *trace,
             struct codes *codes, pt_chunk_codes *visit, void *state)
{
    enum { BEFORE_CODES = 11 }; /* fields between the offset and the codes */
    size_t n = pt_cbor_get_array(c), chunks = pt_trace_chunk_count(trace);
    size_t at = 0;
    for (size_t i = 0; i < n && !c->bad; i++) {
        size_t fields = pt_cbor_get_array(c);
        if (fields < BEFORE_CODES + 2)
            return PT_EDAMAGED;
        uint64_t offset = pt_cbor_get_uint(c, UINT64_MAX);
        pt_cbor_skip(c, BEFORE_CODES);
        if (!read_codes(c, codes))
            return PT_ENOMEM;
        pt_cbor_skip(c, fields - BEFORE_CODES - 2);
        while (at < chunks && pt_trace_chunk(trace, at)->offset < offset)
            at++;
        if (!c->bad && at < chunks &&
            pt_trace_chunk(trace, at)->offset == offset)
            visit(state, at, codes->ids, codes->n);
    }
    return c->bad ? PT_EDAMAGED : PT_OK;
}

static enum pt_status
read_index(const struct pt_trace *trace, struct pt_str item,
           pt_chunk_codes *visit, void *state)
{
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    struct codes codes = {NULL, 0, 0};
    size_t pairs = pt_cbor_get_map(&c);
    enum pt_status st = PT_ENOTFOUND;
    for (size_t p = 0; p < pairs && !c.bad && st == PT_ENOTFOUND; p++)
        if (pt_str_is(pt_cbor_get_text(&c), "chunks"))
            st = read_entries(&c, trace, &codes, visit, state);
        else
            pt_cbor_skip(&c, 1);
    pt_alloc_free(codes.ids);
    return c.bad && st == PT_ENOTFOUND ? PT_EDAMAGED : st;
}

enum pt_status
pt_trace_chunk_codes(const struct pt_trace *trace, struct pt_decoder *decoder,
                     pt_chunk_codes *visit, void *state)
{
    for (size_t i = pt_trace_chunk_count(trace); i-- > 0;) {
        struct pt_str item;
        if (pt_trace_chunk(trace, i)->type != PT_CHUNK_INDEX)
            continue;
        enum pt_status st = pt_decoder_raw(decoder, i, &item);
        if (st == PT_EUNSUPPORTED)
            return PT_ENOTFOUND; /* a later version's: optional */
        return st == PT_OK ? read_index(trace, item, visit, state) : st;
    }
    return PT_ENOTFOUND;
}
