#include <pt/writer.h>

#include "format/columns.h"
#include "format/defs.h"
#include "format/error.h"
#include "format/meta.h"
#include "format/logfile.h"
#include "format/syntax.h"
#include "format/value_item.h"

#include <string.h>

/* Pending definitions beyond this are written at once. */
enum { DEFS_FLUSH = 1 << 20 };

/* Entries of the index of variables beyond this are written at once. */
enum { VARIABLES_FLUSH = 1 << 18 };

struct pt_writer {
    struct pt_logfile file;
    struct pt_error error; /* status PT_OK: all is well */
    struct pt_defs_out defs;
    struct pt_clock clock;
    struct pt_clock_pair pair;
    struct pt_buf header; /* its item, written again at the end */
    struct pt_buf item;
    struct pt_buf scratch;
    struct pt_idset codes;
    struct pt_predictor *predictor; /* NULL: events are not predicted */
    struct pt_buf variables;        /* entries of the index, and how many */
    size_t nvariables;
    int64_t *last; /* by thread: ns of its last stamped event */
    size_t last_cap;
    uint64_t seq;
    uint64_t gaps;
    uint64_t definition_bytes;
};

static struct pt_str
as_str(const struct pt_buf *b)
{
    return (struct pt_str){(const char *)b->data, b->len};
}

static void
release(struct pt_writer *w)
{
    pt_logfile_close(&w->file, false);
    pt_defs_out_clear(&w->defs);
    pt_buf_clear(&w->header);
    pt_buf_clear(&w->item);
    pt_buf_clear(&w->scratch);
    pt_idset_clear(&w->codes);
    pt_predictor_free(w->predictor);
    pt_buf_clear(&w->variables);
    pt_alloc_free(w->last);
    pt_alloc_free(w);
}

enum pt_status
pt_writer_open(const char *path, const struct pt_header *header,
               const struct pt_writer_options *options, struct pt_error *error,
               struct pt_writer **out)
{
    if (!pt_clock_valid(&header->clock))
        return pt_error_set(error, PT_EUSAGE, 0, -1,
                            "%s: the clock's factors cannot be computed "
                            "with; report this",
                            path);
    struct pt_writer *w = pt_alloc_zero(1, sizeof *w);
    if (w == NULL)
        return pt_error_memory(error);
    w->clock = header->clock;
    struct pt_header told = *header;
    bool predicts = (header->optional & PT_OPTIONAL_FLOW) != 0;
    if (predicts)
        told.required |= PT_REQUIRED_PREDICTED;
    pt_header_write(&w->header, &told);
    enum pt_status st =
        w->header.failed ||
                (predicts && pt_predictor_new(&w->predictor) != PT_OK)
            ? pt_error_memory(error)
            : pt_logfile_open(&w->file, path, ".part",
                              options != NULL ? options->level : 0,
                              options != NULL && options->force, error);
    if (st != PT_OK) {
        w->file.fd = -1;
        release(w);
        return st;
    }
    struct pt_chunk_info info = {.type = PT_CHUNK_HEADER};
    st = pt_logfile_chunk(&w->file, &info, as_str(&w->header), NULL, error);
    if (st != PT_OK) {
        pt_logfile_close(&w->file, true);
        release(w);
        return st;
    }
    *out = w;
    return PT_OK;
}

/* --- definitions ---------------------------------------------------------- */

static enum pt_status
flush_definitions(struct pt_writer *w)
{
    struct pt_str item = pt_defs_item(&w->defs);
    if (item.data == NULL)
        return pt_error_memory(&w->error);
    if (item.len == 0)
        return PT_OK;
    struct pt_chunk_info info = {.type = PT_CHUNK_DEFINITIONS};
    uint64_t before = w->file.offset;
    enum pt_status st =
        pt_logfile_chunk(&w->file, &info, item, NULL, &w->error);
    if (st != PT_OK)
        return st;
    w->definition_bytes += w->file.offset - before;
    pt_defs_sent(&w->defs);
    return PT_OK;
}

/* What follows every definition: a failure that leaves the tables in doubt
 * sticks, and much that is pending is written. */
static enum pt_status
defined(struct pt_writer *w, enum pt_status st)
{
    if (st == PT_ENOMEM)
        return pt_error_memory(&w->error);
    if (st != PT_OK)
        return st;
    if (w->defs.pending.len > DEFS_FLUSH)
        return flush_definitions(w);
    return PT_OK;
}

#define DEFINE(noun, type)                                                     \
    enum pt_status pt_writer_##noun(struct pt_writer *w, type v, uint32_t *id) \
    {                                                                          \
        if (w->error.status != PT_OK)                                          \
            return w->error.status;                                            \
        return defined(w, pt_defs_add_##noun(&w->defs, v, id));                \
    }

DEFINE(string, struct pt_str)
DEFINE(interpreter, const struct pt_interpreter *)
DEFINE(source, const struct pt_source *)
DEFINE(code, const struct pt_code *)
DEFINE(callable, const struct pt_callable *)
DEFINE(type, const struct pt_type *)
DEFINE(process, const struct pt_process *)
DEFINE(task, const struct pt_task *)

enum pt_status
pt_writer_thread(struct pt_writer *w, const struct pt_thread *t, uint32_t *id)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    if (!pt_alloc_room(&w->last, &w->last_cap, w->defs.threads + 2,
                       sizeof *w->last))
        return pt_error_memory(&w->error);
    enum pt_status st = pt_defs_add_thread(&w->defs, t, id);
    if (st == PT_OK)
        w->last[*id] = t->time;
    return defined(w, st);
}

enum pt_status
pt_writer_process_end(struct pt_writer *w, const struct pt_process_end *e)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    return defined(w, pt_defs_add_process_end(&w->defs, e));
}

enum pt_status
pt_writer_costs(struct pt_writer *w, const struct pt_costs *costs)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    return defined(w, pt_defs_add_costs(&w->defs, costs));
}

enum pt_status
pt_writer_thread_name(struct pt_writer *w, uint32_t thread, struct pt_str name)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    return defined(w, pt_defs_add_thread_name(&w->defs, thread, name));
}

enum pt_status
pt_writer_task_name(struct pt_writer *w, uint32_t task, struct pt_str name)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    return defined(w, pt_defs_add_task_name(&w->defs, task, name));
}

/* --- events --------------------------------------------------------------- */

static void
write_stack(struct pt_buf *b, const struct pt_frame *stack, size_t depth)
{
    pt_cbor_array(b, depth);
    for (const struct pt_frame *f = stack; f != stack + depth; f++) {
        bool placed = f->at != PT_AT_UNKNOWN;
        pt_cbor_array(b, placed ? f->next != 0 ? 10 : 9 : 7);
        pt_cbor_uint(b, f->callable);
        pt_cbor_uint(b, f->id);
        pt_cbor_uint(b, f->key);
        if (f->seq == UINT64_MAX)
            pt_cbor_null(b);
        else
            pt_cbor_uint(b, f->seq);
        pt_cbor_uint(b, f->line);
        if (f->off == UINT32_MAX)
            pt_cbor_null(b);
        else
            pt_cbor_uint(b, f->off);
        if (f->time == INT64_MIN)
            pt_cbor_null(b);
        else
            pt_cbor_int(b, f->time);
        if (!placed)
            continue;
        pt_cbor_uint(b, f->at);
        pt_cbor_uint(b, f->dst);
        if (f->next != 0)
            pt_cbor_uint(b, f->next);
    }
}

static void
write_item(struct pt_writer *w, const struct pt_block *block,
           const struct pt_marks *marks, int64_t since,
           const struct pt_frame *stack, size_t depth,
           struct pt_time_range *range)
{
    struct pt_buf *b = &w->item;
    bool paired = w->pair.ticks != 0 || w->pair.unix_ns != 0;
    b->len = 0;
    pt_cbor_map(b, paired ? 6 : 5);
    pt_cbor_text(b, "n");
    pt_cbor_uint(b, block->n);
    pt_cbor_text(b, "since");
    pt_cbor_int(b, since);
    if (paired) {
        pt_cbor_text(b, "clock");
        pt_cbor_array(b, 2);
        pt_cbor_uint(b, w->pair.ticks);
        pt_cbor_int(b, w->pair.unix_ns);
        w->pair = (struct pt_clock_pair){0};
    }
    pt_cbor_text(b, "shapes");
    pt_cbor_array(b, block->nshapes);
    for (unsigned s = 0; s < block->nshapes; s++) {
        pt_cbor_array(b, 2);
        pt_cbor_uint(b, block->shapes[s]);
        pt_cbor_uint(b, block->masks[s]);
    }
    pt_cbor_text(b, "stack");
    write_stack(b, stack, depth);
    pt_cbor_text(b, "columns");
    uint32_t quantum = w->clock.quantum;
    if (marks != NULL)
        pt_columns_write_packed(b, block, marks, quantum, &w->scratch, range);
    else
        pt_columns_write(b, block, quantum, &w->scratch, range);
}

/* The time of an event is that of the last stamped one, so a chunk's range
 * takes in `since` where its first events have no time of their own. */
static void
chunk_times(const struct pt_writer *w, const struct pt_block *block,
            int64_t since, const struct pt_time_range *range,
            struct pt_chunk_info *info)
{
    info->time_first = info->time_last = since;
    if (!range->any)
        return;
    int64_t first = pt_clock_ns(&w->clock, range->first * w->clock.quantum);
    int64_t last = pt_clock_ns(&w->clock, range->last * w->clock.quantum);
    bool stamped = block->masks[block->shape[0]] & PT_HAS(TIME);
    info->time_first = stamped || first < since ? first : since;
    info->time_last = stamped || last > since ? last : since;
}

/* The code objects of the chunk: those that start in it and those that run
 * when it begins.  Each that starts is in a literal. */
static void
collect_codes(struct pt_writer *w, const struct pt_block *block,
              const struct pt_frame *stack, size_t depth)
{
    pt_idset_begin(&w->codes, w->defs.codes.count);
    const uint32_t *id = block->column[PT_COL_CODE];
    for (uint32_t i = 0; i < block->used[PT_COL_CODE]; i++)
        pt_idset_add(&w->codes, id[i]);
    for (size_t i = 0; i < depth; i++)
        if (!stack[i].callable)
            pt_idset_add(&w->codes, stack[i].id);
}

static enum pt_status
flush_variables(struct pt_writer *w)
{
    if (w->nvariables == 0)
        return PT_OK;
    w->item.len = 0;
    pt_variables_write(&w->item, &w->variables, w->nvariables);
    if (w->item.failed)
        return pt_error_memory(&w->error);
    struct pt_chunk_info info = {.type = PT_CHUNK_VARIABLES};
    w->variables.len = 0;
    w->nvariables = 0;
    return pt_logfile_chunk(&w->file, &info, as_str(&w->item), NULL, &w->error);
}

/* The values of a block, which has some: a record for each of its events. */
static enum pt_status
write_values(struct pt_writer *w, const struct pt_block *block,
             uint32_t process, uint32_t thread)
{
    struct pt_chunk_info info = {.type = PT_CHUNK_VALUES,
                                 .process = process,
                                 .thread = thread,
                                 .seq = w->seq};
    w->item.len = 0;
    pt_values_write(&w->item, block->values, &w->scratch);
    pt_variables_add(&w->variables, w->seq, block->values);
    if (w->item.failed || w->scratch.failed || w->variables.failed)
        return pt_error_memory(&w->error);
    w->nvariables++;
    enum pt_status st =
        pt_logfile_chunk(&w->file, &info, as_str(&w->item), NULL, &w->error);
    if (st == PT_OK && w->variables.len > VARIABLES_FLUSH)
        st = flush_variables(w);
    return st;
}

enum pt_status
pt_writer_events(struct pt_writer *w, struct pt_block *block, uint32_t process,
                 uint32_t thread, const struct pt_frame *stack, size_t depth,
                 uint64_t *seq)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    if (thread == 0 || thread > w->defs.threads)
        return PT_EUSAGE;
    if (depth > PT_LIMIT_STACK)
        return PT_ELIMIT;
    enum pt_status st = flush_definitions(w);
    if (st == PT_OK && pt_block_value_count(block) != 0)
        st = write_values(w, block, process, thread);
    if (st != PT_OK)
        return st;
    int64_t since = w->last[thread];
    struct pt_time_range range;
    struct pt_marks marks;
    bool predicts = w->predictor != NULL;
    if (predicts &&
        pt_predict_pack(w->predictor, block, stack, depth, &marks) != PT_OK)
        return pt_error_memory(&w->error);
    write_item(w, block, predicts ? &marks : NULL, since, stack, depth, &range);
    collect_codes(w, block, stack, depth);
    if (w->item.failed || w->scratch.failed || w->codes.failed)
        return pt_error_memory(&w->error);

    struct pt_chunk_info info = {
        .type = PT_CHUNK_EVENTS,
        .process = process,
        .thread = thread,
        .seq = w->seq,
        .events = block->n,
    };
    for (unsigned s = 0; s < block->nshapes; s++)
        info.counts[block->shapes[s]] += block->counts[s];
    info.gaps = info.counts[PT_GAP];
    chunk_times(w, block, since, &range, &info);
    st = pt_logfile_chunk(&w->file, &info, as_str(&w->item), &w->codes,
                          &w->error);
    if (st != PT_OK)
        return st;
    if (range.any)
        w->last[thread] =
            pt_clock_ns(&w->clock, range.final * w->clock.quantum);
    if (seq != NULL)
        *seq = w->seq;
    w->seq += block->n;
    w->gaps += info.gaps;
    pt_block_reset(block);
    return PT_OK;
}

void
pt_writer_clock_pair(struct pt_writer *w, struct pt_clock_pair pair)
{
    w->pair = pair;
}

/* --- syntax --------------------------------------------------------------- */

enum pt_status
pt_writer_syntax(struct pt_writer *w, const struct pt_syntax *syntax)
{
    if (w->error.status != PT_OK)
        return w->error.status;
    if (syntax->source == 0 || syntax->source > w->defs.sources.count ||
        !pt_syntax_valid(syntax))
        return PT_EUSAGE;
    enum pt_status st = flush_definitions(w);
    if (st != PT_OK)
        return st;
    w->item.len = 0;
    pt_syntax_write(&w->item, syntax, &w->scratch);
    if (w->item.failed || w->scratch.failed)
        return pt_error_memory(&w->error);
    struct pt_chunk_info info = {.type = PT_CHUNK_SYNTAX};
    uint64_t before = w->file.offset;
    st = pt_logfile_chunk(&w->file, &info, as_str(&w->item), NULL, &w->error);
    if (st == PT_OK)
        w->definition_bytes += w->file.offset - before;
    return st;
}

/* --- the end -------------------------------------------------------------- */

enum pt_status
pt_writer_close(struct pt_writer *w, const struct pt_end *end,
                struct pt_error *error)
{
    /* After a failure what is in the file is closed all the same: the chunk
     * that did not fit was cut off, so there may be room.  Definitions that
     * are still pending belong to events that were not written. */
    enum pt_status st = PT_OK;
    if (w->error.status == PT_OK)
        st = flush_definitions(w);
    if (st == PT_OK && w->error.status == PT_OK)
        st = flush_variables(w);
    struct pt_end own = *end;
    own.events = w->seq;
    own.gaps = w->gaps;
    if (st == PT_OK)
        st = pt_logfile_finish(&w->file, as_str(&w->header), &own, &w->error);
    if (st != PT_OK && error != NULL)
        *error = w->error;
    release(w);
    return st;
}

void
pt_writer_abandon(struct pt_writer *w)
{
    if (w != NULL)
        release(w);
}

const struct pt_error *
pt_writer_error(const struct pt_writer *w)
{
    return &w->error;
}

uint64_t
pt_writer_bytes(const struct pt_writer *w)
{
    return w->file.offset;
}

uint64_t
pt_writer_definition_bytes(const struct pt_writer *w)
{
    return w->definition_bytes;
}

uint64_t
pt_writer_event_count(const struct pt_writer *w)
{
    return w->seq;
}
