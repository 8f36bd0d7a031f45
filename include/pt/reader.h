/* Reading a log.
 *
 * A trace is opened once: its chunk directory (from the index, or by scanning
 * the skippable frames of a torn file) and its definitions are in memory, its
 * events are decoded chunk by chunk on request.  Every byte of the file is
 * checked; damage is counted and skipped, never trusted.
 * Thread rule: after pt_trace_open() a trace is read-only and may be shared;
 * decoding needs a pt_decoder of the thread's own.
 * Lifetime: what accessors return is borrowed and lives as long as the trace.
 */
#ifndef PT_READER_H
#define PT_READER_H

#include <pt/log.h>

struct pt_trace;
struct pt_decoder;

/* Opens `path`; a name that is missing but for its `.part` is opened as that.
 * A torn or damaged file opens with what can be read (pt_trace_damage() tells);
 * PT_ENOTRACE if nothing of it is a trace.  `error` may be NULL. */
enum pt_status pt_trace_open(const char *path, struct pt_error *error,
                             struct pt_trace **out);
void pt_trace_close(struct pt_trace *);

/* What is wrong with the file as a whole. */
struct pt_damage {
    bool torn;               /* no end chunk: it was not closed well */
    uint32_t bad_chunks;     /* skipped: a checksum, a size or the CBOR fails */
    uint32_t unknown_chunks; /* skipped: optional and of a later version */
    uint64_t trailing;       /* bytes at the end that are no whole chunk */
    int64_t first_offset;    /* of the first damage, -1 none */
    char text[PT_ERROR_TEXT]; /* one sentence on the first damage */
};
const struct pt_damage *pt_trace_damage(const struct pt_trace *);

const char *pt_trace_path(const struct pt_trace *);
uint64_t pt_trace_size(const struct pt_trace *);
const struct pt_header *pt_trace_header(const struct pt_trace *);
const struct pt_end *pt_trace_end(const struct pt_trace *); /* NULL if torn */

/* All chunks in file order. */
size_t pt_trace_chunk_count(const struct pt_trace *);
const struct pt_chunk_info *pt_trace_chunk(const struct pt_trace *, size_t i);

/* Definitions; ids run from 1 to the count.  NULL for an id that is not
 * defined (damage can leave holes). */
uint32_t pt_trace_code_count(const struct pt_trace *);
const struct pt_code *pt_trace_code(const struct pt_trace *, uint32_t id);
uint32_t pt_trace_callable_count(const struct pt_trace *);
const struct pt_callable *pt_trace_callable(const struct pt_trace *,
                                            uint32_t id);
uint32_t pt_trace_type_count(const struct pt_trace *);
const struct pt_type *pt_trace_type(const struct pt_trace *, uint32_t id);
uint32_t pt_trace_source_count(const struct pt_trace *);
const struct pt_source *pt_trace_source(const struct pt_trace *, uint32_t id);
uint32_t pt_trace_interpreter_count(const struct pt_trace *);
const struct pt_interpreter *pt_trace_interpreter(const struct pt_trace *,
                                                  uint32_t id);
uint32_t pt_trace_process_count(const struct pt_trace *);
const struct pt_process *pt_trace_process(const struct pt_trace *, uint32_t id);
/* NULL while it is not known how the process ended. */
/* NULL where they were not measured. */
const struct pt_costs *pt_trace_costs(const struct pt_trace *,
                                      uint32_t process);
const struct pt_process_end *pt_trace_process_end(const struct pt_trace *,
                                                  uint32_t id);
uint32_t pt_trace_thread_count(const struct pt_trace *);
const struct pt_thread *pt_trace_thread(const struct pt_trace *, uint32_t id);
uint32_t pt_trace_task_count(const struct pt_trace *);
const struct pt_task *pt_trace_task(const struct pt_trace *, uint32_t id);
uint32_t pt_trace_string_count(const struct pt_trace *);
struct pt_str pt_trace_string(const struct pt_trace *, uint32_t id);

/* One decoded events chunk, borrowed from its decoder until the next call. */
struct pt_events {
    const struct pt_chunk_info *info;
    const struct pt_event *events; /* info->events of them */
    const struct pt_frame *stack;  /* the keyframe, outermost first */
    size_t depth;
    struct pt_clock_pair clock; /* read while the chunk was written */
};

enum pt_status pt_decoder_new(const struct pt_trace *, struct pt_decoder **out);
void pt_decoder_free(struct pt_decoder *);
/* Decodes chunk `i`, which must be an events chunk.  PT_EDAMAGED when it fails
 * its checks: the caller counts it as a gap and goes on. */
enum pt_status pt_decoder_events(struct pt_decoder *, size_t i,
                                 struct pt_events *out);
/* The CBOR item of any chunk, unpacked and checksummed but not interpreted. */
enum pt_status pt_decoder_raw(struct pt_decoder *, size_t i,
                              struct pt_str *out);
const struct pt_error *pt_decoder_error(const struct pt_decoder *);

/* Tells for each chunk that the index lists which code objects run in it: `n`
 * ids, ascending, borrowed for the call.  PT_ENOTFOUND where there is no index,
 * PT_EDAMAGED where it breaks off: what was told until then is right. */
typedef void pt_chunk_codes(void *state, size_t chunk, const uint32_t *codes,
                            size_t n);
enum pt_status pt_trace_chunk_codes(const struct pt_trace *,
                                    struct pt_decoder *, pt_chunk_codes *visit,
                                    void *state);

/* Writes what is whole in `trace` as a new, closed log at `path`. */
enum pt_status pt_trace_repair(const struct pt_trace *, const char *path,
                               struct pt_error *error);

#endif
