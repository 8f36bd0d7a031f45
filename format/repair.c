#include "format/error.h"
#include "format/logfile.h"
#include "format/lost.h"
#include "format/meta.h"

#include <string.h>

/* Places with missing numbers that get gaps; more of them are no accident. */
enum { HOLES = 4096 };

struct thread {
    size_t last;  /* its last chunk in the old log */
    int64_t time; /* when its events in the new log end */
    bool begun;
};

struct repair {
    const struct pt_trace *trace;
    struct pt_decoder *decoder;
    struct pt_unpacker unpacker;
    struct pt_logfile file;
    struct pt_idset codes;
    struct pt_lost lost;
    struct pt_error *error;
    struct pt_buf header;   /* the item of the header chunk */
    struct pt_buf item;     /* of a chunk that the old log does not have */
    struct pt_pool pool;    /* of `again` */
    struct pt_defs again;   /* the definitions copied so far */
    struct thread *threads; /* by id; those not defined share 0 */
    uint64_t next;          /* seq past the last chunk, copied or lost */
    unsigned holes;
    bool mended; /* something stands in for what is lost */
    struct pt_end end;
};

/* The code objects of an events chunk, for the index. */
static void
collect_codes(struct repair *r, const struct pt_events *ev)
{
    uint32_t largest = pt_lost_largest(&r->lost, PT_LOST_CODE);
    if (largest < r->trace->defs.codes.count)
        largest = r->trace->defs.codes.count;
    pt_idset_begin(&r->codes, largest);
    for (uint32_t i = 0; i < ev->info->events; i++)
        if (ev->events[i].has & PT_HAS(CODE))
            pt_idset_add(&r->codes, ev->events[i].id);
    for (size_t i = 0; i < ev->depth; i++)
        if (!ev->stack[i].callable)
            pt_idset_add(&r->codes, ev->stack[i].id);
}

static enum pt_status
own_chunk(struct repair *r, struct pt_chunk_info *info, struct pt_str item)
{
    r->mended = true;
    return pt_logfile_chunk(&r->file, info, item, NULL, r->error);
}

/* Copies the chunk that the unpacker holds. */
static enum pt_status
copy_packed(struct repair *r, const struct pt_chunk_info *info,
            struct pt_idset *codes)
{
    return pt_logfile_copy(&r->file, info, r->unpacker.file.data,
                           r->unpacker.file.len, codes, r->error);
}

/* Loads a chunk: PT_EDAMAGED, which is not for `error`, when it is not whole.
 */
static enum pt_status
load(struct repair *r, size_t i, struct pt_pool *pool, struct pt_str *item)
{
    struct pt_error own;
    enum pt_status st =
        pt_trace_load(r->trace, i, &r->unpacker, pool, item, &own);
    if (st != PT_OK && st != PT_EDAMAGED && r->error != NULL)
        *r->error = own;
    return st;
}

/* A chunk that is not to be interpreted. */
static enum pt_status
copy_other(struct repair *r, size_t i)
{
    struct pt_str item;
    enum pt_status st = load(r, i, NULL, &item);
    if (st != PT_OK)
        return st == PT_EDAMAGED ? PT_OK : st;
    if (r->trace->chunks[i].type == PT_CHUNK_HEADER) {
        pt_buf_add(&r->header, item.data, item.len);
        if (r->header.failed)
            return pt_error_memory(r->error);
    }
    return copy_packed(r, &r->trace->chunks[i], NULL);
}

/* Of a chunk with a malformed definition, those before it are kept: they are
 * what the reader of the old log has too.  They are found as it found them. */
static enum pt_status
copy_definitions(struct repair *r, size_t i)
{
    struct pt_str item;
    const char *why;
    enum pt_status st = load(r, i, &r->pool, &item);
    if (st != PT_OK)
        return st == PT_EDAMAGED ? PT_OK : st;
    st = pt_defs_read(&r->again, item, &why);
    if (st == PT_ENOMEM)
        return pt_error_memory(r->error);
    if (st == PT_OK)
        return copy_packed(r, &r->trace->chunks[i], NULL);
    if (r->again.ngood == 0)
        return PT_OK;
    struct pt_buf *b = &r->item;
    b->len = 0;
    pt_cbor_map(b, 1);
    pt_cbor_text(b, "defs");
    pt_cbor_array(b, r->again.ngood);
    pt_buf_add(b, r->again.good.data, r->again.good.len);
    if (b->failed)
        return pt_error_memory(r->error);
    struct pt_chunk_info info = {.type = PT_CHUNK_DEFINITIONS};
    return own_chunk(r, &info, (struct pt_str){(const char *)b->data, b->len});
}

/* --- events --------------------------------------------------------------- */

static struct thread *
thread_of(struct repair *r, uint32_t id)
{
    return &r->threads[id <= r->trace->defs.threads.count ? id : 0];
}

/* What the end chunk and the next chunks have to know of one just written. */
static void
written(struct repair *r, const struct pt_chunk_info *info)
{
    struct thread *t = thread_of(r, info->thread);
    t->begun = true;
    t->time = info->time_last;
    r->end.events += info->events;
    r->end.gaps += info->gaps;
    if (info->time_last > r->end.time)
        r->end.time = info->time_last;
}

/* Writes definitions of what the events name and the old log lacks. */
static enum pt_status
define_lost(struct repair *r, const struct pt_events *ev)
{
    enum pt_status st = pt_lost_define(&r->lost, ev);
    struct pt_str item = pt_defs_item(&r->lost.defs);
    if (st == PT_ENOMEM || item.data == NULL)
        return pt_error_memory(r->error);
    if (st != PT_OK || item.len == 0)
        return st;
    struct pt_chunk_info info = {.type = PT_CHUNK_DEFINITIONS};
    st = own_chunk(r, &info, item);
    pt_defs_sent(&r->lost.defs);
    return st;
}

/* A chunk that says that events are missing: without it the stack before the
 * place and that after it would contradict each other. */
static enum pt_status
put_gap(struct repair *r, struct pt_chunk_info info, uint64_t events,
        int64_t time)
{
    enum pt_status st = pt_lost_gap(&info, events, time, &r->item);
    if (st != PT_OK)
        return st == PT_ENOMEM ? pt_error_memory(r->error) : st;
    const struct pt_event gap = {.kind = PT_GAP};
    st = define_lost(r, &(struct pt_events){.info = &info, .events = &gap});
    if (st != PT_OK)
        return st;
    st = own_chunk(r, &info,
                   (struct pt_str){(const char *)r->item.data, r->item.len});
    if (st == PT_OK) {
        written(r, &info);
        if (events != UINT64_MAX)
            r->end.lost += events;
    }
    return st;
}

/* True for a thread that has events on both sides of chunk `i`. */
static bool
goes_on(const struct thread *t, size_t i)
{
    return t->begun && t->last >= i;
}

/* Numbers are missing before chunk `i`, and with them the chunk header that
 * said whose they were: each thread that goes on may lack events. */
static enum pt_status
put_gaps(struct repair *r, size_t i)
{
    const struct pt_chunk_info *next = &r->trace->chunks[i];
    const uint32_t nthreads = r->trace->defs.threads.count;
    struct pt_chunk_info info = *next;
    uint64_t missing = next->seq - r->next;
    uint32_t n = 0;
    enum pt_status st = PT_OK;
    if (r->holes++ >= HOLES)
        return PT_OK;
    for (uint32_t id = 1; id <= nthreads; id++)
        n += goes_on(&r->threads[id], i);
    info.seq = r->next;
    if (n == 0)
        return put_gap(r, info, missing, next->time_first);
    for (uint32_t id = 1; id <= nthreads && st == PT_OK; id++) {
        const struct pt_thread *t = pt_table_get(&r->trace->defs.threads, id);
        if (!goes_on(&r->threads[id], i) || t == NULL)
            continue;
        info.thread = id;
        info.process = t->process;
        st = put_gap(r, info, n == 1 ? missing : UINT64_MAX,
                     r->threads[id].time);
        if (++info.seq == next->seq)
            break;
    }
    return st;
}

static bool
is_damaged(const struct pt_trace *t)
{
    return t->damage.bad_chunks != 0 || t->damage.trailing != 0;
}

static void
count_lost(struct repair *r, const struct pt_events *ev)
{
    for (uint32_t i = 0; ev->info->gaps != 0 && i < ev->info->events; i++)
        if (ev->events[i].kind == PT_GAP && ev->events[i].arg != UINT64_MAX)
            r->end.lost += ev->events[i].arg;
}

static enum pt_status
copy_decoded(struct repair *r, const struct pt_events *ev, size_t i)
{
    struct pt_str item;
    enum pt_status st = PT_OK;
    if (is_damaged(r->trace) && ev->info->seq > r->next)
        st = put_gaps(r, i);
    if (st == PT_OK)
        st = define_lost(r, ev);
    if (st == PT_OK)
        st = load(r, i, NULL, &item);
    if (st != PT_OK)
        return st;
    collect_codes(r, ev);
    st = copy_packed(r, ev->info, &r->codes);
    if (st == PT_OK) {
        count_lost(r, ev);
        written(r, ev->info);
    }
    return st;
}

static enum pt_status
copy_events(struct repair *r, size_t i)
{
    const struct pt_chunk_info *info = &r->trace->chunks[i];
    struct pt_events ev;
    enum pt_status st = pt_decoder_events(r->decoder, i, &ev);
    if (st == PT_EDAMAGED)
        st = info->events == 0
                 ? PT_OK
                 : put_gap(r, *info, info->events, info->time_first);
    else if (st != PT_OK && r->error != NULL)
        *r->error = *pt_decoder_error(r->decoder);
    else if (st == PT_OK)
        st = copy_decoded(r, &ev, i);
    if (info->seq + info->events > r->next)
        r->next = info->seq + info->events;
    return st == PT_EDAMAGED ? PT_OK : st;
}

/* --- the log -------------------------------------------------------------- */

/* Copies one chunk if it is whole and means something.  One that a later
 * version wrote is not dropped: then the whole log is left as it is. */
static enum pt_status
copy(struct repair *r, size_t i)
{
    switch (r->trace->chunks[i].type) {
    case PT_CHUNK_INDEX:
    case PT_CHUNK_END:
        return PT_OK;
    case PT_CHUNK_DEFINITIONS:
        return copy_definitions(r, i);
    case PT_CHUNK_EVENTS:
        return copy_events(r, i);
    default:
        return copy_other(r, i);
    }
}

/* The header chunk that was understood comes first, wherever it was found. */
static enum pt_status
copy_all(struct repair *r)
{
    const struct pt_trace *t = r->trace;
    for (size_t i = 0; i < t->nchunks; i++)
        if (t->chunks[i].type == PT_CHUNK_EVENTS)
            thread_of(r, t->chunks[i].thread)->last = i;
    enum pt_status st = copy(r, t->header_chunk);
    for (size_t i = 0; i < t->nchunks && st == PT_OK; i++)
        if (t->chunks[i].type != PT_CHUNK_HEADER)
            st = copy(r, i);
    if (st == PT_OK && r->header.len == 0)
        st = pt_error_set(r->error, PT_EIO, 0, -1,
                          "%s changed while it was read; try again", t->path);
    return st;
}

/* The end chunk: what the old one said, with what is there counted anew. */
static struct pt_end
new_end(const struct repair *r)
{
    static const char reason[] = "repaired";
    const struct pt_trace *t = r->trace;
    if (t->has_end && t->end.events == r->end.events && !r->mended) {
        struct pt_end end = t->end;
        end.gaps = r->end.gaps;
        return end;
    }
    struct pt_end end = r->end;
    if (t->has_end)
        end.time = t->end.time;
    end.reason = (struct pt_str){reason, sizeof reason - 1};
    return end;
}

static enum pt_status
start(struct repair *r)
{
    const struct pt_trace *t = r->trace;
    pt_pool_init(&r->pool, t->pool.limit);
    r->again.pool = &r->pool;
    r->threads =
        pt_alloc_zero(t->defs.threads.count + (size_t)1, sizeof *r->threads);
    if (r->threads == NULL || pt_unpacker_init(&r->unpacker) != PT_OK ||
        pt_decoder_new(t, &r->decoder) != PT_OK)
        return pt_error_memory(r->error);
    return PT_OK;
}

static void
release(struct repair *r)
{
    pt_logfile_close(&r->file, true);
    pt_buf_clear(&r->header);
    pt_buf_clear(&r->item);
    pt_defs_tables_clear(&r->again);
    pt_pool_clear(&r->pool);
    pt_lost_clear(&r->lost);
    pt_idset_clear(&r->codes);
    pt_alloc_free(r->threads);
    pt_decoder_free(r->decoder);
    pt_unpacker_clear(&r->unpacker);
}

enum pt_status
pt_trace_repair(const struct pt_trace *t, const char *path,
                struct pt_error *error)
{
    struct repair r = {.trace = t, .error = error, .lost = {.trace = t}};
    /* Not `.part`: the trace itself may have that name. */
    enum pt_status st =
        pt_logfile_open(&r.file, path, ".repair", 0, false, error);
    if (st != PT_OK)
        return st;
    st = start(&r);
    if (st == PT_OK)
        st = copy_all(&r);
    if (st == PT_OK) {
        struct pt_end end = new_end(&r);
        st = pt_logfile_finish(
            &r.file, (struct pt_str){(const char *)r.header.data, r.header.len},
            &end, error);
    }
    release(&r);
    return st;
}
