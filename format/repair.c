#include "format/error.h"
#include "format/meta.h"
#include "format/logfile.h"
#include "format/trace.h"

/* The end chunk of a repaired log: what the old one said, with what is there
 * counted anew. */
static struct pt_end
new_end(const struct pt_trace *t, uint64_t events, uint64_t gaps, int64_t time)
{
    static const char reason[] = "repaired";
    struct pt_end end = {.time = time};
    if (t->has_end)
        end = t->end;
    bool whole = t->has_end && t->end.events == events;
    end.events = events;
    end.gaps = gaps;
    if (!whole)
        end.reason = (struct pt_str){reason, sizeof reason - 1};
    return end;
}

/* The code objects of an events chunk, for the index. */
static void
collect_codes(const struct pt_trace *t, const struct pt_events *ev,
              struct pt_idset *codes)
{
    pt_idset_begin(codes, t->defs.codes.count);
    for (uint32_t i = 0; i < ev->info->events; i++)
        if (ev->events[i].has & PT_HAS(CODE))
            pt_idset_add(codes, ev->events[i].id);
    for (size_t i = 0; i < ev->depth; i++)
        if (!ev->stack[i].callable)
            pt_idset_add(codes, ev->stack[i].id);
}

struct repair {
    const struct pt_trace *trace;
    struct pt_decoder *decoder;
    struct pt_unpacker unpacker;
    struct pt_logfile file;
    struct pt_idset codes;
    struct pt_error *error;
    struct pt_buf header; /* the item of the header chunk */
    uint64_t events;
    uint64_t gaps;
    int64_t time;
};

/* Copies one chunk if it is whole and means something.  One that a later
 * version wrote is not dropped: then the whole log is left as it is. */
static enum pt_status
copy(struct repair *r, size_t i)
{
    const struct pt_chunk_info *info = &r->trace->chunks[i];
    struct pt_idset *codes = NULL;
    struct pt_str item;
    enum pt_status st;
    bool header = info->type == PT_CHUNK_HEADER;
    if (info->type == PT_CHUNK_INDEX || info->type == PT_CHUNK_END)
        return PT_OK;
    if (info->type == PT_CHUNK_EVENTS) {
        struct pt_events ev;
        st = pt_decoder_events(r->decoder, i, &ev);
        if (st == PT_EDAMAGED)
            return PT_OK;
        if (st != PT_OK) {
            if (r->error != NULL)
                *r->error = *pt_decoder_error(r->decoder);
            return st;
        }
        collect_codes(r->trace, &ev, &r->codes);
        codes = &r->codes;
    }
    struct pt_error own;
    st = pt_trace_load(r->trace, i, &r->unpacker, NULL, &item, &own);
    if (st == PT_EDAMAGED)
        return PT_OK;
    if (st != PT_OK) {
        if (r->error != NULL)
            *r->error = own;
        return st;
    }
    if (header) {
        pt_buf_add(&r->header, item.data, item.len);
        if (r->header.failed)
            return pt_error_memory(r->error);
    }
    st = pt_logfile_copy(&r->file, info, r->unpacker.file.data,
                         r->unpacker.file.len, codes, r->error);
    if (st == PT_OK && info->type == PT_CHUNK_EVENTS) {
        r->events += info->events;
        r->gaps += info->gaps;
        if (info->time_last > r->time)
            r->time = info->time_last;
    }
    return st;
}

/* The header chunk that was understood comes first, wherever it was found. */
static enum pt_status
copy_all(struct repair *r)
{
    const struct pt_trace *t = r->trace;
    enum pt_status st = copy(r, t->header_chunk);
    for (size_t i = 0; i < t->nchunks && st == PT_OK; i++)
        if (t->chunks[i].type != PT_CHUNK_HEADER)
            st = copy(r, i);
    if (st == PT_OK && r->header.len == 0)
        st = pt_error_set(r->error, PT_EIO, 0, -1,
                          "%s changed while it was read; try again", t->path);
    return st;
}

enum pt_status
pt_trace_repair(const struct pt_trace *t, const char *path,
                struct pt_error *error)
{
    struct repair r = {.trace = t, .error = error};
    /* Not `.part`: the trace itself may have that name. */
    enum pt_status st =
        pt_logfile_open(&r.file, path, ".repair", 0, false, error);
    if (st != PT_OK)
        return st;
    if (pt_unpacker_init(&r.unpacker) != PT_OK ||
        pt_decoder_new(t, &r.decoder) != PT_OK)
        st = pt_error_memory(error);
    if (st == PT_OK)
        st = copy_all(&r);
    if (st == PT_OK) {
        struct pt_end end = new_end(t, r.events, r.gaps, r.time);
        st = pt_logfile_finish(
            &r.file, (struct pt_str){(const char *)r.header.data, r.header.len},
            &end, error);
    }
    pt_logfile_close(&r.file, true);
    pt_buf_clear(&r.header);
    pt_idset_clear(&r.codes);
    pt_decoder_free(r.decoder);
    pt_unpacker_clear(&r.unpacker);
    return st;
}
