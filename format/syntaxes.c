/* A trace's syntaxes: which chunk has which. */
#include "format/syntax.h"

#include <pt/reader.h>

struct pt_syntaxes {
    struct pt_decoder *decoder;
    struct pt_syntax_place *places;
    size_t n, cap;
    uint32_t bad;
};

static enum pt_status
find_all(struct pt_syntaxes *s, const struct pt_trace *trace)
{
    size_t nchunks = pt_trace_chunk_count(trace);
    for (size_t i = 0; i < nchunks; i++) {
        if (pt_trace_chunk(trace, i)->type != PT_CHUNK_SYNTAX)
            continue;
        struct pt_syntax_place p = {.chunk = i};
        struct pt_str item;
        enum pt_status st = pt_decoder_raw(s->decoder, i, &item);
        if (st == PT_OK)
            st = pt_syntax_head(item, &p.source, &p.version);
        /* A later version's is none of ours: it is optional. */
        if (st == PT_EDAMAGED || st == PT_EUNSUPPORTED) {
            s->bad++;
            continue;
        }
        if (st != PT_OK)
            return st;
        if (!pt_alloc_room(&s->places, &s->cap, s->n + 1, sizeof *s->places))
            return PT_ENOMEM;
        s->places[s->n++] = p;
    }
    return PT_OK;
}

enum pt_status
pt_syntaxes_new(const struct pt_trace *trace, struct pt_syntaxes **out)
{
    struct pt_syntaxes *s = pt_alloc_zero(1, sizeof *s);
    if (s == NULL)
        return PT_ENOMEM;
    enum pt_status st = pt_decoder_new(trace, &s->decoder);
    if (st == PT_OK)
        st = find_all(s, trace);
    if (st == PT_OK)
        *out = s;
    else
        pt_syntaxes_free(s);
    return st;
}

void
pt_syntaxes_free(struct pt_syntaxes *s)
{
    if (s == NULL)
        return;
    pt_decoder_free(s->decoder);
    pt_alloc_free(s->places);
    pt_alloc_free(s);
}

uint32_t
pt_syntaxes_bad(const struct pt_syntaxes *s)
{
    return s->bad;
}

size_t
pt_syntaxes_count(const struct pt_syntaxes *s)
{
    return s->n;
}

const struct pt_syntax_place *
pt_syntaxes_place(const struct pt_syntaxes *s, size_t i)
{
    return i < s->n ? &s->places[i] : NULL;
}

enum pt_status
pt_syntaxes_load(struct pt_syntaxes *s, uint32_t source, uint32_t version,
                 struct pt_syntax **out)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct pt_syntax_place *p = &s->places[i];
        if (p->source != source || p->version != version)
            continue;
        struct pt_str item;
        enum pt_status st = pt_decoder_raw(s->decoder, p->chunk, &item);
        return st == PT_OK ? pt_syntax_read(item, out) : st;
    }
    return PT_ENOTFOUND;
}
