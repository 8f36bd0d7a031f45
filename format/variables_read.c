/* Which chunks have values of which variables, by the variables chunks. */
#include "format/values.h"

#include <string.h>

struct pt_variables {
    struct pt_buf items; /* of all variables chunks */
    /* Where each chunk's variables begin in `items`, and 1 more; 0 unknown. */
    size_t *at;
};

void
pt_variables_free(struct pt_variables *v)
{
    if (v == NULL)
        return;
    pt_buf_clear(&v->items);
    pt_alloc_free(v->at);
    pt_alloc_free(v);
}

/* What breaks off is right until there. */
static void
read_entries(struct pt_values *vs, struct pt_variables *v, size_t begin)
{
    struct pt_cbor c =
        pt_cbor_over(v->items.data + begin, v->items.len - begin);
    size_t pairs = pt_cbor_get_map(&c);
    for (size_t p = 0; p < pairs && !c.bad; p++) {
        if (!pt_str_is(pt_cbor_get_text(&c), "chunks")) {
            pt_cbor_skip(&c, 1);
            continue;
        }
        size_t n = pt_cbor_get_array(&c);
        for (size_t i = 0; i < n && !c.bad; i++) {
            size_t items = pt_cbor_get_array(&c);
            size_t chunk =
                pt_values_chunk(vs, pt_cbor_get_uint(&c, UINT64_MAX));
            size_t at = (size_t)(c.at - v->items.data);
            if (items < 2)
                return;
            pt_cbor_skip(&c, items - 1);
            if (!c.bad && chunk != SIZE_MAX)
                v->at[chunk] = at + 1;
        }
    }
}

static enum pt_status
load(struct pt_values *vs)
{
    struct pt_variables *v = pt_alloc_zero(1, sizeof *v);
    vs->variables = v;
    if (v == NULL)
        return PT_ENOMEM;
    v->at = pt_alloc_zero(vs->nchunks + 1, sizeof *v->at);
    if (v->at == NULL)
        return PT_ENOMEM;
    for (size_t i = 0; i < pt_trace_chunk_count(vs->trace); i++) {
        struct pt_str item;
        if (pt_trace_chunk(vs->trace, i)->type != PT_CHUNK_VARIABLES)
            continue;
        enum pt_status st = pt_decoder_raw(vs->decoder, i, &item);
        if (st == PT_EDAMAGED || st == PT_EUNSUPPORTED)
            continue;
        if (st != PT_OK)
            return st;
        size_t begin = v->items.len;
        if (item.len == 0)
            continue;
        pt_buf_add(&v->items, item.data, item.len);
        if (v->items.failed)
            return PT_ENOMEM;
        read_entries(vs, v, begin);
    }
    return PT_OK;
}

/* Whether the list has one that is wanted. */
static bool
has(struct pt_cbor *c, pt_wanted *wanted, void *state)
{
    size_t n = pt_cbor_get_array(c);
    uint64_t dst = 0;
    bool found = false;
    for (size_t i = 0; i < n && !c->bad && !found; i++) {
        dst += pt_cbor_get_uint(c, UINT32_MAX);
        found = !c->bad && wanted(state, (uint32_t)dst);
    }
    return found || c->bad;
}

enum pt_status
pt_values_may_have(struct pt_values *vs, size_t chunk, uint32_t code,
                   pt_wanted *wanted, void *state, bool *out)
{
    enum pt_status st = vs->variables == NULL ? load(vs) : PT_OK;
    if (st != PT_OK) {
        pt_variables_free(vs->variables);
        vs->variables = NULL;
        return st;
    }
    const struct pt_variables *v = vs->variables;
    *out = v->at[chunk] == 0;
    if (*out)
        return PT_OK;
    size_t at = v->at[chunk] - 1;
    struct pt_cbor c = pt_cbor_over(v->items.data + at, v->items.len - at);
    size_t n = pt_cbor_get_array(&c);
    uint64_t id = 0;
    for (size_t i = 0; i + 1 < n && !c.bad && id < code; i += 2) {
        id += pt_cbor_get_uint(&c, UINT32_MAX);
        if (id != code)
            pt_cbor_skip(&c, 1);
        else
            *out = has(&c, wanted, state);
    }
    *out |= c.bad;
    return PT_OK;
}
