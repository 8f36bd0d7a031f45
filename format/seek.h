/* The seek table of zstd's seekable format (contrib/seekable_format in zstd's
 * repository), without checksums: an entry for every frame of the file before
 * it, ours with decompressed size 0.  It is the last frame.
 * Thread rule: none. */
#ifndef PT_FORMAT_SEEK_H
#define PT_FORMAT_SEEK_H

#include "format/alloc.h"

#include <pt/log.h>

enum {
    PT_SEEK_FOOTER = 9,      /* number of frames, descriptor, magic */
    PT_SEEK_ENTRY = 8,       /* compressed size, decompressed size */
    PT_SEEK_CHUNK = 16,      /* the entries of a chunk's two frames */
    PT_SEEK_MAX = 0x8000000, /* frames */
};

/* The size of a table of `frames` entries, with the frame's own header. */
static inline uint64_t
pt_seek_size(uint64_t frames)
{
    return 8 + frames * PT_SEEK_ENTRY + PT_SEEK_FOOTER;
}

/* Appends the table for `n` chunks that lie end to end from offset 0. */
enum pt_status pt_seek_write(struct pt_buf *,
                             const struct pt_chunk_info *chunks, size_t n);

/* Reads a footer; gives the number of frames in *frames, or false. */
bool pt_seek_footer(const uint8_t footer[PT_SEEK_FOOTER], uint32_t *frames);

/* True when the table of `size` bytes is what pt_seek_write() makes of these
 * chunks. */
bool pt_seek_matches(const uint8_t *table, size_t size,
                     const struct pt_chunk_info *chunks, size_t n);

#endif
