/* An open trace from the inside: what reader, recovery, decoder and repair
 * share.  Not for other folders.
 * Thread rule: read-only once pt_trace_open() has returned; loading needs an
 * unpacker of the thread's own. */
#ifndef PT_FORMAT_TRACE_H
#define PT_FORMAT_TRACE_H

#include "format/alloc.h"
#include "format/chunk.h"
#include "format/defs.h"

#include <pt/reader.h>

struct ZSTD_DCtx_s;

struct pt_trace {
    int fd;
    char *path;
    uint64_t size;
    struct pt_header header;
    bool has_header;
    size_t header_chunk; /* the one `header` was read from */
    struct pt_end end;
    bool has_end;
    struct pt_chunk_info *chunks;
    size_t nchunks;
    size_t cap;
    struct pt_damage damage;
    struct pt_pool pool; /* definitions and the items they borrow from */
    struct pt_defs defs;
};

/* What unpacking needs, reused from chunk to chunk. */
struct pt_unpacker {
    struct ZSTD_DCtx_s *zstd;
    struct pt_buf file; /* header and packed bytes of the last chunk loaded */
    struct pt_buf item;
};

enum pt_status pt_unpacker_init(struct pt_unpacker *);
void pt_unpacker_clear(struct pt_unpacker *);

/* Reads, checks and unpacks chunk `i`.  The item lies in the unpacker's own
 * memory or, where `pool` is not NULL, in the pool. */
enum pt_status pt_trace_load(const struct pt_trace *, size_t i,
                             struct pt_unpacker *, struct pt_pool *pool,
                             struct pt_str *item, struct pt_error *);

/* All of `n` bytes at `offset`, or PT_EIO (also when the file has become
 * shorter). */
enum pt_status pt_trace_pread(const struct pt_trace *, void *to, size_t n,
                              uint64_t offset, struct pt_error *);

/* Notes damage at `offset`; the first keeps its text. */
__attribute__((format(printf, 3, 4))) void
pt_trace_note(struct pt_trace *, uint64_t offset, const char *format, ...);

/* The directory: from the index at the file's end, which is PT_ENOTFOUND where
 * it is not there or cannot be trusted, or by scanning. */
enum pt_status pt_trace_indexed(struct pt_trace *, struct pt_unpacker *,
                                struct pt_error *);
enum pt_status pt_trace_scan(struct pt_trace *, struct pt_unpacker *,
                             struct pt_error *);

/* Appends to the directory. */
enum pt_status pt_trace_add_chunk(struct pt_trace *,
                                  const struct pt_chunk_info *);

/* As pt_trace_open() for an open file, which the trace takes over, also on
 * failure; `name` is for messages. */
enum pt_status pt_trace_open_fd(int fd, const char *name, struct pt_error *,
                                struct pt_trace **out);

#endif
