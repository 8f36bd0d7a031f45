#include "format/logfile.h"

#include "format/error.h"
#include "format/meta.h"
#include "format/seek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static const char *
remedy(int sys)
{
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return "make room on the disk";
    case EFBIG:
        return "raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
        return "choose a place you may write to";
    default:
        return "choose another place";
    }
}

static char *
join(const char *a, const char *b)
{
    size_t n = strlen(a) + strlen(b) + 1;
    char *s = pt_alloc(n);
    if (s != NULL)
        snprintf(s, n, "%s%s", a, b);
    return s;
}

static enum pt_status
create(struct pt_logfile *s, bool force, struct pt_error *error)
{
    /* Unlinked, not truncated: whoever reads the old one keeps it. */
    if (force && unlink(s->working) != 0 && errno != ENOENT)
        return pt_error_set(error, PT_EIO, errno, -1,
                            "%s cannot be replaced (%s); remove it", s->working,
                            strerror(errno));
    s->fd = open(s->working, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->fd >= 0)
        return PT_OK;
    if (errno == EEXIST)
        return pt_error_set(error, PT_EIO, errno, -1,
                            "%s is there already, another recording may be "
                            "writing it; wait, or remove it",
                            s->working);
    return pt_error_set(error, PT_EIO, errno, -1,
                        "%s cannot be created (%s); %s", s->working,
                        strerror(errno), remedy(errno));
}

enum pt_status
pt_logfile_open(struct pt_logfile *s, const char *path, const char *suffix,
                int level, bool force, struct pt_error *error)
{
    memset(s, 0, sizeof *s);
    s->fd = -1;
    s->path = join(path, "");
    s->working = join(path, suffix);
    if (s->path != NULL && s->working != NULL)
        s->zstd = ZSTD_createCCtx();
    enum pt_status st;
    if (s->zstd == NULL) {
        st = pt_error_memory(error);
    } else {
        if (level == 0)
            level = 1;
        size_t r =
            ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, level);
        st = ZSTD_isError(r)
                 ? pt_error_set(error, PT_EUSAGE, 0, -1,
                                "%s: compression level %d is not one of "
                                "zstd's; use 1 to 19",
                                path, level)
                 : create(s, force, error);
    }
    if (st != PT_OK)
        pt_logfile_close(s, false);
    return st;
}

/* All of it, or the file is cut back to where it was. */
static enum pt_status
put(struct pt_logfile *s, const uint8_t *p, size_t n, struct pt_error *error)
{
    uint64_t at = s->offset;
    while (n > 0) {
        bool fails = pt_testing_fails(&pt_testing.fail_write);
        ssize_t r = pwrite(s->fd, p, fails ? n / 2 : n, (off_t)at);
        if (fails) {
            errno = ENOSPC;
            r = -1;
        }
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            int sys = r < 0 ? errno : ENOSPC;
            /* Should this fail too, readers cope with the torn end. */
            int cut = ftruncate(s->fd, (off_t)s->offset);
            (void)cut;
            return pt_error_set(error, PT_EIO, sys, (int64_t)s->offset,
                                "%s cannot be written (%s); %s", s->working,
                                strerror(sys), remedy(sys));
        }
        p += r;
        at += (uint64_t)r;
        n -= (size_t)r;
    }
    s->offset = at;
    return PT_OK;
}

enum pt_status
pt_logfile_copy(struct pt_logfile *s, const struct pt_chunk_info *info,
                const uint8_t *bytes, size_t len, struct pt_idset *codes,
                struct pt_error *error)
{
    /* Memory first: a chunk in the file must be in the index. */
    struct pt_chunk_info own = *info;
    own.offset = s->offset;
    size_t before = s->entries.len;
    pt_index_add(&s->entries, &own, codes);
    if (s->entries.failed || (codes != NULL && codes->failed) ||
        !pt_alloc_room(&s->chunks, &s->cap, s->nchunks + 1,
                       sizeof *s->chunks)) {
        s->entries.failed = false;
        s->entries.len = before;
        return pt_error_memory(error);
    }
    enum pt_status st = put(s, bytes, len, error);
    if (st != PT_OK) {
        s->entries.len = before;
        return st;
    }
    s->chunks[s->nchunks++] = own;
    return PT_OK;
}

enum pt_status
pt_logfile_chunk(struct pt_logfile *s, struct pt_chunk_info *info,
                 struct pt_str item, struct pt_idset *codes,
                 struct pt_error *error)
{
    if (item.len > pt_chunk_raw_limit(info->type))
        return pt_error_set(error, PT_ELIMIT, 0, -1,
                            "%s: a chunk of %zu bytes is beyond the format's "
                            "limit; record less at once",
                            s->path, item.len);
    struct pt_buf *b = &s->packed;
    b->len = 0;
    b->failed = false;
    size_t bound = ZSTD_compressBound(item.len);
    uint8_t *p = pt_buf_room(b, PT_CHUNK_HEADER_SIZE + bound);
    if (p == NULL)
        return pt_error_memory(error);
    size_t n = ZSTD_compress2(s->zstd, p + PT_CHUNK_HEADER_SIZE, bound,
                              item.data, item.len);
    if (ZSTD_isError(n))
        return pt_error_set(error, PT_ENOMEM, 0, -1,
                            "%s cannot be compressed (%s); free some memory",
                            s->path, ZSTD_getErrorName(n));
    info->offset = s->offset;
    info->raw_size = item.len;
    info->packed_size = n;
    struct pt_chunk_header h = {.info = *info};
    h.hash = pt_hash64(p + PT_CHUNK_HEADER_SIZE, n);
    pt_chunk_encode(&h, p);
    enum pt_status st =
        pt_logfile_copy(s, info, p, PT_CHUNK_HEADER_SIZE + n, codes, error);
    /* One huge source must not hold its memory for the whole recording. */
    if (b->cap > 16u << 20)
        pt_buf_clear(b);
    return st;
}

/* The index chunk; a log too long for one does without. */
static enum pt_status
put_index(struct pt_logfile *s, struct pt_error *error)
{
    struct pt_buf b = {0};
    pt_index_write(&b, &s->entries, s->nchunks);
    enum pt_status st;
    struct pt_chunk_info info = {.type = PT_CHUNK_INDEX};
    if (b.failed)
        st = pt_error_memory(error);
    else if (b.len > PT_LIMIT_RAW)
        st = PT_OK;
    else
        st = pt_logfile_chunk(s, &info,
                              (struct pt_str){(const char *)b.data, b.len},
                              NULL, error);
    pt_buf_clear(&b);
    return st;
}

static enum pt_status
put_end(struct pt_logfile *s, const struct pt_end *end, struct pt_error *error)
{
    struct pt_buf b = {0};
    pt_end_write(&b, end);
    struct pt_chunk_info info = {.type = PT_CHUNK_END};
    enum pt_status st =
        b.failed
            ? pt_error_memory(error)
            : pt_logfile_chunk(s, &info,
                               (struct pt_str){(const char *)b.data, b.len},
                               NULL, error);
    if (st == PT_OK) {
        b.len = 0;
        st = pt_seek_write(&b, s->chunks, s->nchunks);
        if (st == PT_OK)
            st = put(s, b.data, b.len, error);
        else if (st == PT_ENOMEM)
            st = pt_error_memory(error);
        else
            st = PT_OK; /* too many chunks: a log is whole without it */
    }
    pt_buf_clear(&b);
    return st;
}

enum pt_status
pt_logfile_finish(struct pt_logfile *s, struct pt_str header,
                  const struct pt_end *end, struct pt_error *error)
{
    struct pt_chunk_info info = {.type = PT_CHUNK_HEADER};
    enum pt_status st = pt_logfile_chunk(s, &info, header, NULL, error);
    if (st == PT_OK)
        st = put_index(s, error);
    if (st == PT_OK)
        st = put_end(s, end, error);
    if (st != PT_OK)
        return st;
    int fd = s->fd;
    s->fd = -1;
    if (close(fd) != 0 && errno != EINTR)
        return pt_error_set(error, PT_EIO, errno, -1,
                            "%s cannot be written (%s); %s", s->working,
                            strerror(errno), remedy(errno));
    if (rename(s->working, s->path) != 0)
        return pt_error_set(error, PT_EIO, errno, -1,
                            "%s cannot be renamed to %s (%s); rename it "
                            "yourself",
                            s->working, s->path, strerror(errno));
    pt_alloc_free(s->working);
    s->working = NULL;
    return PT_OK;
}

void
pt_logfile_close(struct pt_logfile *s, bool remove)
{
    if (s->fd >= 0) {
        close(s->fd);
        if (remove)
            unlink(s->working);
    }
    ZSTD_freeCCtx(s->zstd);
    pt_buf_clear(&s->packed);
    pt_buf_clear(&s->entries);
    pt_alloc_free(s->chunks);
    pt_alloc_free(s->path);
    pt_alloc_free(s->working);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}
