#include "format/seek.h"

#include "format/bytes.h"
#include "format/chunk.h"

#define FOOTER_MAGIC 0x8F92EAB1u

enum pt_status
pt_seek_write(struct pt_buf *b, const struct pt_chunk_info *chunks, size_t n)
{
    if (n > PT_SEEK_MAX / 2)
        return PT_ELIMIT;
    size_t size = pt_seek_size(2 * (uint64_t)n);
    uint8_t *p = pt_buf_room(b, size);
    if (p == NULL)
        return PT_ENOMEM;
    b->len += size;
    pt_put32(p, PT_SEEK_MAGIC);
    pt_put32(p + 4, (uint32_t)(size - 8));
    p += 8;
    for (size_t i = 0; i < n; i++) {
        pt_put32(p, PT_CHUNK_HEADER_SIZE);
        pt_put32(p + 4, 0);
        pt_put32(p + 8, (uint32_t)chunks[i].packed_size);
        pt_put32(p + 12, (uint32_t)chunks[i].raw_size);
        p += PT_SEEK_CHUNK;
    }
    pt_put32(p, (uint32_t)(2 * n));
    p[4] = 0; /* no checksums */
    pt_put32(p + 5, FOOTER_MAGIC);
    return PT_OK;
}

bool
pt_seek_footer(const uint8_t footer[PT_SEEK_FOOTER], uint32_t *frames)
{
    if (pt_get32(footer + 5) != FOOTER_MAGIC || footer[4] != 0 ||
        pt_get32(footer) > PT_SEEK_MAX)
        return false;
    *frames = pt_get32(footer);
    return true;
}

bool
pt_seek_matches(const uint8_t *table, size_t size,
                const struct pt_chunk_info *chunks, size_t n)
{
    if (n > PT_SEEK_MAX / 2 || size != pt_seek_size(2 * (uint64_t)n) ||
        pt_get32(table) != PT_SEEK_MAGIC || pt_get32(table + 4) != size - 8)
        return false;
    uint32_t frames;
    if (!pt_seek_footer(table + size - PT_SEEK_FOOTER, &frames) ||
        frames != 2 * n)
        return false;
    const uint8_t *p = table + 8;
    for (size_t i = 0; i < n; i++, p += PT_SEEK_CHUNK) {
        if (pt_get32(p) != PT_CHUNK_HEADER_SIZE || pt_get32(p + 4) != 0 ||
            pt_get32(p + 8) != chunks[i].packed_size ||
            pt_get32(p + 12) != chunks[i].raw_size)
            return false;
    }
    return true;
}
