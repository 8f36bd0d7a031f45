/* Mutations of whole logs, for all fuzzers.  Bodies are compressed and have
 * checksums, so most mutations are made inside: a chunk is unpacked, its CBOR
 * item mutated, packed again, and signed.  Others change a field of a chunk's
 * header, take a chunk out, or put one in of another log. */
#include "tests/fuzz/fuzz.h"

#include "format/chunk.h"

#include <string.h>
#include <zstd.h>

enum { ITEM_MAX = 1 << 16, CHUNKS_MAX = 64 };

struct place {
    size_t at, len; /* of a chunk, header and body */
    struct pt_chunk_header header;
};

/* The chunks that can be found by walking. */
static size_t
find_chunks(const uint8_t *data, size_t size, struct place *places)
{
    size_t n = 0;
    for (size_t p = 0; n < CHUNKS_MAX && size - p >= PT_CHUNK_HEADER_SIZE;) {
        struct place *c = &places[n];
        if (pt_chunk_decode(data + p, &c->header) != PT_OK ||
            c->header.info.packed_size > size - p - PT_CHUNK_HEADER_SIZE)
            break;
        c->at = p;
        c->len = (size_t)pt_chunk_total(&c->header.info);
        p += c->len;
        n++;
    }
    return n;
}

/* Puts `n` bytes in the place of `old` ones at `at`; the new size. */
static size_t
splice(uint8_t *data, size_t size, size_t at, size_t old, const uint8_t *bytes,
       size_t n)
{
    memmove(data + at + n, data + at + old, size - at - old);
    if (n != 0)
        memcpy(data + at, bytes, n);
    return size - old + n;
}

/* The new size, or 0 where the chunk cannot be mutated so. */
static size_t
mutate_item(uint8_t *data, size_t size, size_t max, struct place *c)
{
    static uint8_t item[ITEM_MAX], packed[ITEM_MAX + 1024];
    size_t body = c->at + PT_CHUNK_HEADER_SIZE;
    size_t old = (size_t)c->header.info.packed_size;
    size_t n = ZSTD_decompress(item, sizeof item, data + body, old);
    if (ZSTD_isError(n))
        return 0;
    n = LLVMFuzzerMutate(item, n, sizeof item);
    size_t m = ZSTD_compress(packed, sizeof packed, item, n, 1);
    if (ZSTD_isError(m) || size - old + m > max)
        return 0;
    size = splice(data, size, body, old, packed, m);
    c->header.info.raw_size = n;
    c->header.info.packed_size = m;
    c->header.hash = pt_hash64(packed, m);
    pt_chunk_encode(&c->header, data + c->at);
    return size;
}

/* Type, process, thread, numbers and times, each 4 bytes of them at a time. */
static size_t
mutate_header(uint8_t *data, size_t size, struct place *c, unsigned seed)
{
    enum { FIRST = 8, FIELDS = (PT_CHUNK_HEADER_SIZE - 16 - FIRST) / 4 };
    uint8_t *header = data + c->at;
    uint8_t *fields = header + FIRST + seed % FIELDS * 4;
    LLVMFuzzerMutate(fields, 4, 4);
    if (pt_chunk_decode(header, &c->header) == PT_OK)
        pt_chunk_encode(&c->header, header);
    return size;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static struct place places[CHUNKS_MAX];
    size_t n = find_chunks(data, size, places), r = 0;
    unsigned how = seed % 16, more = seed / 16;
    if (n != 0 && how >= 4) {
        struct place *c = &places[more % n];
        more /= CHUNKS_MAX;
        if (how == 4)
            r = splice(data, size, c->at, c->len, NULL, 0);
        else if (how == 5)
            r = mutate_header(data, size, c, more);
        else
            r = mutate_item(data, size, max, c);
    }
    return r != 0 ? r : LLVMFuzzerMutate(data, size, max);
}

/* A chunk of the other log, before one of this. */
size_t
LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size,
                          const uint8_t *other, size_t other_size, uint8_t *out,
                          size_t max, unsigned seed)
{
    static struct place places[CHUNKS_MAX], others[CHUNKS_MAX];
    size_t n = find_chunks(data, size, places);
    size_t m = find_chunks(other, other_size, others);
    if (n == 0 || m == 0 || size > max)
        return 0;
    const struct place *from = &others[seed % m];
    size_t at = places[seed / CHUNKS_MAX % n].at;
    if (from->len > max - size)
        return 0;
    memcpy(out, data, size);
    return splice(out, size, at, 0, other + from->at, from->len);
}
