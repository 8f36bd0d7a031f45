/* Writing a log.
 *
 * A writer makes `NAME.part`, appends chunks to it, and renames it to NAME
 * when it is closed well.  It gives every definition a trace-wide id by
 * content, numbers the events, and keeps no event in memory beyond the block
 * being packed.  It never asks for the time and never prints.
 * Thread rule: a writer belongs to one thread; several may coexist.
 * A writer that has failed stays failed: every later call returns the same
 * status, and pt_writer_error() tells why. */
#ifndef PT_WRITER_H
#define PT_WRITER_H

#include <pt/log.h>

struct pt_writer;
struct pt_block;
struct pt_block_values;
struct pt_syntax; /* <pt/syntax.h> */

struct pt_writer_options {
    int level;  /* zstd level; 0 means 1 */
    bool force; /* a `.part` that is there is replaced */
};

/* Creates `path`.part (O_EXCL) and writes the header chunk.  `error` (may be
 * NULL) is filled on failure, when *out stays untouched. */
enum pt_status pt_writer_open(const char *path, const struct pt_header *header,
                              const struct pt_writer_options *options,
                              struct pt_error *error, struct pt_writer **out);

/* Each gives the trace-wide id (from 1) of a definition, the same id for the
 * same content, except processes, threads and tasks, which are new at every
 * call. They are written before the next events chunk.  Strings are copied. */
enum pt_status pt_writer_string(struct pt_writer *, struct pt_str,
                                uint32_t *id);
enum pt_status pt_writer_interpreter(struct pt_writer *,
                                     const struct pt_interpreter *,
                                     uint32_t *id);
enum pt_status pt_writer_source(struct pt_writer *, const struct pt_source *,
                                uint32_t *id);
enum pt_status pt_writer_code(struct pt_writer *, const struct pt_code *,
                              uint32_t *id);
enum pt_status pt_writer_callable(struct pt_writer *,
                                  const struct pt_callable *, uint32_t *id);
enum pt_status pt_writer_type(struct pt_writer *, const struct pt_type *,
                              uint32_t *id);
enum pt_status pt_writer_process(struct pt_writer *, const struct pt_process *,
                                 uint32_t *id);
enum pt_status pt_writer_thread(struct pt_writer *, const struct pt_thread *,
                                uint32_t *id);
enum pt_status pt_writer_process_end(struct pt_writer *,
                                     const struct pt_process_end *);
/* Once a process. */
enum pt_status pt_writer_costs(struct pt_writer *, const struct pt_costs *);
enum pt_status pt_writer_task(struct pt_writer *, const struct pt_task *,
                              uint32_t *id);
/* Give a thread or a task a name after the fact. */
enum pt_status pt_writer_task_name(struct pt_writer *, uint32_t task,
                                   struct pt_str name);
enum pt_status pt_writer_thread_name(struct pt_writer *, uint32_t thread,
                                     struct pt_str name);

/* Writes pending definitions, then the block's values, if it has any, as one
 * chunk and its events as another, and empties the block.  `stack` is the
 * thread's running stack when the block began. *seq (may be NULL) receives the
 * number of the block's first event. */
enum pt_status pt_writer_events(struct pt_writer *, struct pt_block *,
                                uint32_t process, uint32_t thread,
                                const struct pt_frame *stack, size_t depth,
                                uint64_t *seq);

/* Writes pending definitions, then a syntax as one chunk.  PT_EUSAGE where it
 * is of no source of this log, or says what none may say; then nothing is
 * written. */
enum pt_status pt_writer_syntax(struct pt_writer *, const struct pt_syntax *);

/* Writes index, end and seek table, syncs nothing, and renames the file; its
 * own counts take the place of the end's `events` and `gaps`.  A writer that
 * has failed closes what is in the file, if it now can, and that is PT_OK.
 * Always releases the writer; on failure the .part stays as it is. */
enum pt_status pt_writer_close(struct pt_writer *, const struct pt_end *,
                               struct pt_error *error);

/* Releases the writer and leaves the .part file as it is.  NULL is fine. */
void pt_writer_abandon(struct pt_writer *);

const struct pt_error *pt_writer_error(const struct pt_writer *);

/* Bytes written so far, and how many of them are definitions, sources and
 * syntax. */
uint64_t pt_writer_bytes(const struct pt_writer *);
uint64_t pt_writer_definition_bytes(const struct pt_writer *);
uint64_t pt_writer_event_count(const struct pt_writer *);

/* What the next events chunk says of the clock, besides the header. */
void pt_writer_clock_pair(struct pt_writer *, struct pt_clock_pair);

/* --- blocks: the events of one chunk, column by column ------------------- */

enum {
    PT_BLOCK_EVENTS = 65536,
    PT_BLOCK_SHAPES = 64,
    PT_BLOCK_VALUE_BYTES = 4 << 20 /* of values, at which a block is full */
};

/* A shape is a kind together with the columns its event fills.  A block's
 * shapes are numbered as they are first used; each event stores its shape's
 * number in one byte.  The fields are public for pt_block_push() alone. */
struct pt_block {
    uint32_t n;        /* events */
    uint32_t capacity; /* grows to PT_BLOCK_EVENTS */
    uint32_t nshapes;
    uint32_t used[PT_COLUMN_COUNT]; /* values per column */
    uint8_t *shape;
    uint64_t *time; /* absolute, in quanta since the clock origin */
    uint64_t *arg;
    uint32_t *column[PT_COLUMN_COUNT];  /* NULL for time and arg */
    uint8_t shapes[PT_BLOCK_SHAPES];    /* kind */
    uint8_t masks[PT_BLOCK_SHAPES];     /* PT_HAS bits */
    uint32_t counts[PT_BLOCK_SHAPES];   /* events per shape */
    uint8_t number[PT_KIND_LIMIT][256]; /* shape number + 1 by kind and mask */
    struct pt_block_values *values;     /* NULL until the first */
};

enum pt_status pt_block_new(struct pt_block **out);
void pt_block_free(struct pt_block *);
void pt_block_reset(struct pt_block *);
/* Makes room for one more event (PT_ELIMIT at PT_BLOCK_EVENTS: write it out
 * first) and gives the number of a shape.  Called by pt_block_push(). */
enum pt_status pt_block_grow(struct pt_block *);
enum pt_status pt_block_shape(struct pt_block *, uint8_t kind, uint8_t mask,
                              uint8_t *number);

/* There is no room for another event, or there are enough values. */
bool pt_block_full(const struct pt_block *);

/* Appends one event.  Only the values whose PT_HAS bit is in `mask` are kept;
 * with constant `kind` and `mask` this compiles to a few stores. */
static inline __attribute__((always_inline)) enum pt_status
pt_block_push(struct pt_block *b, uint8_t kind, uint8_t mask, uint64_t quanta,
              uint32_t id, uint32_t pos, uint32_t dst, uint64_t arg)
{
    uint8_t s = b->number[kind][mask];
    if (b->n == b->capacity) {
        enum pt_status st = pt_block_grow(b);
        if (st != PT_OK)
            return st;
    }
    if (s == 0) {
        enum pt_status st = pt_block_shape(b, kind, mask, &s);
        if (st != PT_OK)
            return st;
        s++;
    }
    b->shape[b->n++] = (uint8_t)(s - 1);
    b->counts[s - 1]++;
    if (mask & PT_HAS(TIME))
        b->time[b->used[PT_COL_TIME]++] = quanta;
    if (mask & PT_HAS(ARG))
        b->arg[b->used[PT_COL_ARG]++] = arg;
    if (mask & PT_HAS(CODE))
        b->column[PT_COL_CODE][b->used[PT_COL_CODE]++] = id;
    if (mask & PT_HAS(CALLEE))
        b->column[PT_COL_CALLEE][b->used[PT_COL_CALLEE]++] = id;
    if (mask & PT_HAS(TYPE))
        b->column[PT_COL_TYPE][b->used[PT_COL_TYPE]++] = id;
    if (mask & PT_HAS(LINE))
        b->column[PT_COL_LINE][b->used[PT_COL_LINE]++] = pos;
    if (mask & PT_HAS(OFF))
        b->column[PT_COL_OFF][b->used[PT_COL_OFF]++] = pos;
    if (mask & PT_HAS(DST))
        b->column[PT_COL_DST][b->used[PT_COL_DST]++] = dst;
    return PT_OK;
}

/* Where a value was told: the record of that number, from 0, of the values of
 * the chunk whose first event is `seq`; UINT64_MAX: of the block itself. */
struct pt_value_place {
    bool known;
    uint32_t record;
    uint64_t seq;
};

/* What it takes to make a recorder's value one of the log's.  `told` hears of
 * each object that has a number, `find` tells where one was told; both may be
 * NULL. */
struct pt_value_maker {
    const uint32_t *types; /* trace-wide ids by the recorder's; 0 none */
    uint32_t ntypes;
    struct pt_value_place same; /* what the variable was told to be last */
    void *state;
    void (*told)(void *state, uint64_t number);
    struct pt_value_place (*find)(void *state, uint64_t number);
};

/* Appends a value event of a frame of `code`, and its value: `raw`, an item as
 * record/proto.h has it.  PT_EDAMAGED where it is none, and nothing is
 * appended; otherwise as pt_block_push(). */
enum pt_status pt_block_value(struct pt_block *, uint32_t code, uint32_t off,
                              uint32_t dst, struct pt_str raw,
                              const struct pt_value_maker *);
uint32_t pt_block_value_count(const struct pt_block *);

#endif
