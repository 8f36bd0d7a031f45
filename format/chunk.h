/* The skippable frame before each chunk: its bytes, and what they may say.
 * The layout's diagram is in spec/format.md, "Chunk header".
 * Thread rule: none, plain data. */
#ifndef PT_FORMAT_CHUNK_H
#define PT_FORMAT_CHUNK_H

#include <pt/log.h>

#include <stdbool.h>

enum {
    PT_CHUNK_MAGIC = 0x184D2A57,
    PT_CHUNK_HEADER_VERSION = 1,
    PT_SEEK_MAGIC = 0x184D2A5E,
};

/* Limits of a chunk's CBOR item; a writer keeps them, a reader refuses what
 * is beyond them before it allocates. */
#define PT_LIMIT_RAW (UINT64_C(256) << 20)
#define PT_LIMIT_EVENTS_RAW (UINT64_C(64) << 20)
#define PT_LIMIT_STACK (1u << 20) /* frames of a keyframe */

/* A chunk header with what only the reader and writer themselves need. */
struct pt_chunk_header {
    struct pt_chunk_info info; /* but for `offset` */
    uint8_t version;
    uint8_t must_zero;
    uint8_t ignore;
    uint64_t hash; /* XXH64 of the packed bytes */
};

void pt_chunk_encode(const struct pt_chunk_header *,
                     uint8_t out[PT_CHUNK_HEADER_SIZE]);

/* PT_OK; PT_EDAMAGED when this is no chunk header or fails its checksum;
 * PT_EUNSUPPORTED when it is one of a later version.  After
 * PT_EUNSUPPORTED only out->version means something. */
enum pt_status pt_chunk_decode(const uint8_t in[PT_CHUNK_HEADER_SIZE],
                               struct pt_chunk_header *out);

/* The largest raw_size that a chunk of `type` may have. */
static inline uint64_t
pt_chunk_raw_limit(uint8_t type)
{
    return type == PT_CHUNK_EVENTS || type == PT_CHUNK_VALUES
               ? PT_LIMIT_EVENTS_RAW
               : PT_LIMIT_RAW;
}

/* True for types this version of the library knows. */
bool pt_chunk_known(uint8_t type);

/* XXH64, seed 0. */
uint64_t pt_hash64(const void *data, size_t len);

/* The size of a whole chunk in the file. */
static inline uint64_t
pt_chunk_total(const struct pt_chunk_info *info)
{
    return PT_CHUNK_HEADER_SIZE + info->packed_size;
}

#endif
