/* The file a log is written to: whole chunks or nothing, the index and the
 * seek table at the end, the rename when all is well.
 *
 * A chunk whose write fails is cut off again, so that the file always ends
 * with a whole chunk.
 * Thread rule: a log file belongs to one thread. */
#ifndef PT_FORMAT_LOGFILE_H
#define PT_FORMAT_LOGFILE_H

#include "format/alloc.h"
#include "format/chunk.h"
#include "format/index.h"

#include <pt/writer.h>

struct ZSTD_CCtx_s;

struct pt_logfile {
    int fd;
    char *path;    /* what the file will be called */
    char *working; /* what it is called until then */
    uint64_t offset;
    struct ZSTD_CCtx_s *zstd;
    struct pt_buf packed;
    struct pt_buf entries; /* of the index */
    struct pt_chunk_info *chunks;
    size_t nchunks;
    size_t cap;
};

/* Creates `path` + `suffix`; `force` replaces one that is there. */
enum pt_status pt_logfile_open(struct pt_logfile *, const char *path,
                               const char *suffix, int level, bool force,
                               struct pt_error *);

/* Packs `item` as one chunk.  Of `info` the type, process, thread, seq, events,
 * gaps, times and counts are taken; the rest is filled in.  `codes` (may be
 * NULL) are the index's. */
enum pt_status pt_logfile_chunk(struct pt_logfile *, struct pt_chunk_info *info,
                                struct pt_str item, struct pt_idset *codes,
                                struct pt_error *);

/* Appends a chunk that is packed already: header and packed bytes. */
enum pt_status pt_logfile_copy(struct pt_logfile *,
                               const struct pt_chunk_info *,
                               const uint8_t *bytes, size_t len,
                               struct pt_idset *codes, struct pt_error *);

/* Writes the copy of the header, index, end chunk and seek table, and gives
 * the file its name. */
enum pt_status pt_logfile_finish(struct pt_logfile *, struct pt_str header,
                                 const struct pt_end *, struct pt_error *);

/* Closes the file and releases everything; `remove` deletes the file where it
 * has not got its name. */
void pt_logfile_close(struct pt_logfile *, bool remove);

#endif
