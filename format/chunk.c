#include "format/chunk.h"

#include "format/alloc.h"
#include "format/bytes.h"

#include <xxhash.h>

/* Where the fields lie in the frame. */
enum {
    AT_MAGIC = 0,
    AT_SIZE = 4,
    AT_VERSION = 8,
    AT_TYPE = 9,
    AT_MUST_ZERO = 10,
    AT_IGNORE = 11,
    AT_PROCESS = 12,
    AT_THREAD = 16,
    AT_EVENTS = 20,
    AT_SEQ = 24,
    AT_GAPS = 32,
    AT_RESERVED = 36,
    AT_TIME_FIRST = 40,
    AT_TIME_LAST = 48,
    AT_RAW = 56,
    AT_PACKED = 64,
    AT_COUNTS = 72,
    AT_HASH = 200,
    AT_SELF = 208,
};
_Static_assert(AT_COUNTS + 4 * PT_KIND_LIMIT == AT_HASH, "counts");
_Static_assert(AT_SELF + 8 == PT_CHUNK_HEADER_SIZE, "size");

uint64_t
pt_hash64(const void *data, size_t len)
{
    return XXH64(data, len, 0);
}

void
pt_chunk_encode(const struct pt_chunk_header *h,
                uint8_t out[PT_CHUNK_HEADER_SIZE])
{
    const struct pt_chunk_info *i = &h->info;
    pt_put32(out + AT_MAGIC, PT_CHUNK_MAGIC);
    pt_put32(out + AT_SIZE, PT_CHUNK_HEADER_SIZE - 8);
    out[AT_VERSION] = PT_CHUNK_HEADER_VERSION;
    out[AT_TYPE] = i->type;
    out[AT_MUST_ZERO] = h->must_zero;
    out[AT_IGNORE] = h->ignore;
    pt_put32(out + AT_PROCESS, i->process);
    pt_put32(out + AT_THREAD, i->thread);
    pt_put32(out + AT_EVENTS, i->events);
    pt_put64(out + AT_SEQ, i->seq);
    pt_put32(out + AT_GAPS, i->gaps);
    pt_put32(out + AT_RESERVED, 0);
    pt_put64(out + AT_TIME_FIRST, (uint64_t)i->time_first);
    pt_put64(out + AT_TIME_LAST, (uint64_t)i->time_last);
    pt_put64(out + AT_RAW, i->raw_size);
    pt_put64(out + AT_PACKED, i->packed_size);
    for (size_t k = 0; k < PT_KIND_LIMIT; k++)
        pt_put32(out + AT_COUNTS + 4 * k, i->counts[k]);
    pt_put64(out + AT_HASH, h->hash);
    pt_put64(out + AT_SELF, pt_hash64(out, AT_SELF));
}

enum pt_status
pt_chunk_decode(const uint8_t in[PT_CHUNK_HEADER_SIZE],
                struct pt_chunk_header *out)
{
    if (pt_get32(in + AT_MAGIC) != PT_CHUNK_MAGIC ||
        pt_get32(in + AT_SIZE) != PT_CHUNK_HEADER_SIZE - 8)
        return PT_EDAMAGED;
    if (pt_get64(in + AT_SELF) != pt_hash64(in, AT_SELF) &&
        !pt_testing.ignore_checksums)
        return PT_EDAMAGED;
    struct pt_chunk_header h = {0};
    h.version = in[AT_VERSION];
    if (h.version != PT_CHUNK_HEADER_VERSION) {
        out->version = h.version;
        return PT_EUNSUPPORTED;
    }
    struct pt_chunk_info *i = &h.info;
    i->type = in[AT_TYPE];
    h.must_zero = in[AT_MUST_ZERO];
    h.ignore = in[AT_IGNORE];
    i->process = pt_get32(in + AT_PROCESS);
    i->thread = pt_get32(in + AT_THREAD);
    i->events = pt_get32(in + AT_EVENTS);
    i->seq = pt_get64(in + AT_SEQ);
    i->gaps = pt_get32(in + AT_GAPS);
    i->time_first = (int64_t)pt_get64(in + AT_TIME_FIRST);
    i->time_last = (int64_t)pt_get64(in + AT_TIME_LAST);
    i->raw_size = pt_get64(in + AT_RAW);
    i->packed_size = pt_get64(in + AT_PACKED);
    for (size_t k = 0; k < PT_KIND_LIMIT; k++)
        i->counts[k] = pt_get32(in + AT_COUNTS + 4 * k);
    h.hash = pt_get64(in + AT_HASH);
    *out = h;
    return PT_OK;
}

bool
pt_chunk_known(uint8_t type)
{
    switch (type) {
    case PT_CHUNK_HEADER:
    case PT_CHUNK_DEFINITIONS:
    case PT_CHUNK_SYNTAX:
    case PT_CHUNK_EVENTS:
    case PT_CHUNK_VALUES:
    case PT_CHUNK_OUTPUT:
    case PT_CHUNK_INDEX:
    case PT_CHUNK_END:
    case PT_CHUNK_VARIABLES:
        return true;
    default:
        return false;
    }
}
