/* From bytes of the file to a chunk's CBOR item, everything checked. */
#include "format/error.h"
#include "format/trace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum pt_status
pt_unpacker_init(struct pt_unpacker *u)
{
    memset(u, 0, sizeof *u);
    u->zstd = ZSTD_createDCtx();
    return u->zstd != NULL ? PT_OK : PT_ENOMEM;
}

void
pt_unpacker_clear(struct pt_unpacker *u)
{
    ZSTD_freeDCtx(u->zstd);
    pt_buf_clear(&u->file);
    pt_buf_clear(&u->item);
    u->zstd = NULL;
}

enum pt_status
pt_trace_pread(const struct pt_trace *t, void *to, size_t n, uint64_t offset,
               struct pt_error *error)
{
    uint8_t *p = to;
    while (n > 0) {
        ssize_t r = pread(t->fd, p, n, (off_t)offset);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return pt_error_set(error, PT_EIO, errno, (int64_t)offset,
                                "%s cannot be read (%s); check the disk",
                                t->path, strerror(errno));
        if (r == 0)
            return pt_error_set(error, PT_EIO, 0, (int64_t)offset,
                                "%s became shorter while it was read; open "
                                "it again",
                                t->path);
        p += r;
        offset += (uint64_t)r;
        n -= (size_t)r;
    }
    return PT_OK;
}

static enum pt_status
damaged(const struct pt_trace *t, const struct pt_chunk_info *want,
        struct pt_error *error, const char *what)
{
    enum pt_status st = pt_error_set(
        error, PT_EDAMAGED, 0, (int64_t)want->offset,
        "%s: the chunk at byte %llu is damaged (%s); run ptana repair", t->path,
        (unsigned long long)want->offset, what);
    if (error != NULL && want->events != 0)
        error->seq = (int64_t)want->seq;
    return st;
}

/* Reads header and packed bytes, and checks them against the directory. */
static enum pt_status
read_chunk(const struct pt_trace *t, const struct pt_chunk_info *want,
           struct pt_unpacker *u, struct pt_error *error)
{
    if (want->packed_size > t->size - PT_CHUNK_HEADER_SIZE ||
        want->packed_size > SIZE_MAX / 4)
        return damaged(t, want, error, "it is longer than the file");
    if (want->raw_size > pt_chunk_raw_limit(want->type))
        return damaged(t, want, error, "its size is beyond the limit");
    size_t n = PT_CHUNK_HEADER_SIZE + (size_t)want->packed_size;
    u->file.len = 0;
    u->file.failed = false;
    uint8_t *p = pt_buf_room(&u->file, n);
    if (p == NULL)
        return pt_error_memory(error);
    enum pt_status st = pt_trace_pread(t, p, n, want->offset, error);
    if (st != PT_OK)
        return st;
    u->file.len = n;
    struct pt_chunk_header h;
    if (pt_chunk_decode(p, &h) != PT_OK)
        return damaged(t, want, error, "its header");
    h.info.offset = want->offset;
    if (memcmp(&h.info.counts, &want->counts, sizeof h.info.counts) != 0 ||
        h.info.type != want->type || h.info.process != want->process ||
        h.info.thread != want->thread || h.info.seq != want->seq ||
        h.info.events != want->events || h.info.gaps != want->gaps ||
        h.info.time_first != want->time_first ||
        h.info.time_last != want->time_last ||
        h.info.raw_size != want->raw_size ||
        h.info.packed_size != want->packed_size)
        return damaged(t, want, error, "its header and the index differ");
    if (h.hash !=
            pt_hash64(p + PT_CHUNK_HEADER_SIZE, n - PT_CHUNK_HEADER_SIZE) &&
        !pt_testing.ignore_checksums)
        return damaged(t, want, error, "its checksum");
    if (h.must_zero != 0)
        return pt_error_set(error, PT_EUNSUPPORTED, 0, (int64_t)want->offset,
                            "%s: the chunk at byte %llu uses a feature of a "
                            "later version; use a newer program",
                            t->path, (unsigned long long)want->offset);
    return PT_OK;
}

enum pt_status
pt_trace_load(const struct pt_trace *t, size_t i, struct pt_unpacker *u,
              struct pt_pool *pool, struct pt_str *item, struct pt_error *error)
{
    const struct pt_chunk_info *info = &t->chunks[i];
    enum pt_status st = read_chunk(t, info, u, error);
    if (st != PT_OK)
        return st;
    const uint8_t *packed = u->file.data + PT_CHUNK_HEADER_SIZE;
    size_t n = (size_t)info->packed_size, raw = (size_t)info->raw_size;
    /* One frame, which says the same size itself, before room is made. */
    if (ZSTD_getFrameContentSize(packed, n) != raw ||
        ZSTD_findFrameCompressedSize(packed, n) != n)
        return damaged(t, info, error, "its zstd frame");
    uint8_t *to;
    if (pool != NULL) {
        to = pt_pool_take(pool, raw, 1);
        if (to == NULL && pool->limited)
            return damaged(t, info, error, "it unpacks beyond all limits");
    } else {
        u->item.len = 0;
        u->item.failed = false;
        to = pt_buf_room(&u->item, raw);
    }
    if (to == NULL)
        return pt_error_memory(error);
    size_t r = ZSTD_decompressDCtx(u->zstd, to, raw, packed, n);
    if (ZSTD_isError(r) || r != raw)
        return damaged(t, info, error, "its zstd frame");
    *item = (struct pt_str){(const char *)to, raw};
    return PT_OK;
}
