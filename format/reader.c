#include "format/error.h"
#include "format/meta.h"
#include "format/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- opening -------------------------------------------------------------- */

/* What the definitions of a file may take: they are a few times its size, and
 * a small file may be packed well. */
enum { POOL_FLOOR = 256 << 20, POOL_FACTOR = 64 };

void
pt_trace_note(struct pt_trace *t, uint64_t offset, const char *format, ...)
{
    struct pt_damage *d = &t->damage;
    if (d->first_offset >= 0 && (uint64_t)d->first_offset <= offset)
        return;
    char what[128];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    d->first_offset = (int64_t)offset;
    snprintf(d->text, sizeof d->text, "%s: %s (at byte %llu); run ptana repair",
             t->path, what, (unsigned long long)offset);
}

static enum pt_status
read_header(struct pt_trace *t, size_t i, struct pt_str item,
            struct pt_error *error)
{
    struct pt_header h;
    enum pt_status st = pt_header_read(item, &t->pool, &h);
    if (st == PT_EUNSUPPORTED)
        return pt_error_set(
            error, st, 0, (int64_t)t->chunks[i].offset,
            "%s is of format %u.%u (required features %#x), this program "
            "reads format 1; use a newer one",
            t->path, h.version >> 16, h.version & 0xffff, h.required);
    if (st == PT_OK) {
        t->header = h;
        t->has_header = true;
        t->header_chunk = i;
    }
    return st;
}

/* Interprets one chunk that is needed at once. */
static enum pt_status
open_chunk(struct pt_trace *t, size_t i, struct pt_unpacker *u,
           struct pt_error *error)
{
    uint8_t type = t->chunks[i].type;
    struct pt_str item;
    const char *why = "";
    enum pt_status st;
    switch (type) {
    case PT_CHUNK_HEADER:
        if (t->has_header) /* the copy at the end */
            return PT_OK;
        st = pt_trace_load(t, i, u, &t->pool, &item, error);
        if (st == PT_OK) {
            st = read_header(t, i, item, error);
            why = "the header";
        }
        break;
    case PT_CHUNK_DEFINITIONS:
        st = pt_trace_load(t, i, u, &t->pool, &item, error);
        if (st == PT_OK)
            st = pt_defs_read(&t->defs, item, &why);
        break;
    case PT_CHUNK_END:
        st = pt_trace_load(t, i, u, &t->pool, &item, error);
        if (st == PT_OK) {
            st = pt_end_read(item, &t->end);
            why = "the end chunk";
            t->has_end = st == PT_OK;
        }
        break;
    case PT_CHUNK_INDEX:
        st = pt_trace_load(t, i, u, NULL, &item, error);
        break;
    default:
        if (pt_chunk_known(type))
            return PT_OK;
        if (!(type & PT_CHUNK_OPTIONAL))
            return pt_error_set(error, PT_EUNSUPPORTED, 0,
                                (int64_t)t->chunks[i].offset,
                                "%s has chunks of type %u, which format 1.0 "
                                "does not know; use a newer program",
                                t->path, type);
        t->damage.unknown_chunks++;
        return PT_OK;
    }
    if (st == PT_EDAMAGED || st == PT_ELIMIT) {
        t->damage.bad_chunks++;
        pt_trace_note(t, t->chunks[i].offset, "a chunk is damaged%s%s",
                      *why ? ": " : "", why);
        return PT_OK;
    }
    return st == PT_ENOMEM ? pt_error_memory(error) : st;
}

/* A file that does not begin with our magic is taken for damaged only when a
 * chunk is found near its beginning; a stranger's file is not searched. */
static enum pt_status
check_magic(struct pt_trace *t, struct pt_error *error)
{
    static const uint8_t magic[4] = {0x57, 0x2a, 0x4d, 0x18};
    uint8_t start[1 << 14];
    size_t n = t->size < sizeof start ? (size_t)t->size : sizeof start;
    enum pt_status st = pt_trace_pread(t, start, n, 0, error);
    if (st != PT_OK)
        return st;
    if (n < PT_CHUNK_HEADER_SIZE || memmem(start, n, magic, 4) == NULL)
        return pt_error_set(error, PT_ENOTRACE, 0, 0,
                            "%s is not a ptrec trace; give the file that "
                            "ptrec wrote",
                            t->path);
    return PT_OK;
}

static enum pt_status
open_all(struct pt_trace *t, struct pt_error *error)
{
    enum pt_status st = check_magic(t, error);
    if (st != PT_OK)
        return st;
    struct pt_unpacker u;
    if (pt_unpacker_init(&u) != PT_OK)
        return pt_error_memory(error);
    st = pt_trace_indexed(t, &u, error);
    if (st == PT_ENOTFOUND) {
        t->nchunks = 0;
        st = pt_trace_scan(t, &u, error);
    }
    if (st == PT_ENOMEM)
        st = pt_error_memory(error);
    if (st == PT_OK && t->nchunks == 0)
        st = pt_error_set(error, PT_ENOTRACE, 0, 0,
                          "%s holds no whole chunk of a ptrec trace; record "
                          "again",
                          t->path);
    for (size_t i = 0; i < t->nchunks && st == PT_OK; i++)
        st = open_chunk(t, i, &u, error);
    pt_unpacker_clear(&u);
    if (st != PT_OK)
        return st;
    if (!t->has_header)
        return pt_error_set(error, PT_EDAMAGED, 0, 0,
                            "%s has lost its header chunk, without which its "
                            "times mean nothing; record again",
                            t->path);
    t->damage.torn = !t->has_end;
    if (t->damage.torn)
        pt_trace_note(t, t->size, "it was not closed well");
    return PT_OK;
}

enum pt_status
pt_trace_open_fd(int fd, const char *name, struct pt_error *error,
                 struct pt_trace **out)
{
    struct stat sb;
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        close(fd);
        return pt_error_set(error, PT_ENOTRACE, 0, -1,
                            "%s is not a regular file; give the file that "
                            "ptrec wrote",
                            name);
    }
    size_t len = strlen(name);
    struct pt_trace *t = pt_alloc_zero(1, sizeof *t);
    char *path = pt_alloc(len + 1);
    if (t == NULL || path == NULL) {
        pt_alloc_free(t);
        pt_alloc_free(path);
        close(fd);
        return pt_error_memory(error);
    }
    memcpy(path, name, len + 1);
    t->fd = fd;
    t->path = path;
    t->size = (uint64_t)sb.st_size;
    t->damage.first_offset = -1;
    uint64_t limit = t->size > UINT64_MAX / 4 / POOL_FACTOR
                         ? UINT64_MAX / 4
                         : POOL_FLOOR + t->size * POOL_FACTOR;
    pt_pool_init(&t->pool, limit);
    t->defs.pool = &t->pool;
    enum pt_status st = open_all(t, error);
    if (st != PT_OK) {
        pt_trace_close(t);
        return st;
    }
    *out = t;
    return PT_OK;
}

static enum pt_status
cannot_open(struct pt_error *error, const char *path, int sys)
{
    return pt_error_set(error, PT_EIO, sys, -1,
                        "%s cannot be opened (%s); give the name of a trace "
                        "that you may read",
                        path, strerror(sys));
}

enum pt_status
pt_trace_open(const char *path, struct pt_error *error, struct pt_trace **out)
{
    /* Not blocking: the name may be that of a pipe. */
    enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK };
    int fd = open(path, FLAGS);
    if (fd >= 0)
        return pt_trace_open_fd(fd, path, error, out);
    int sys = errno;
    if (sys == ENOENT) {
        size_t len = strlen(path) + sizeof ".part";
        char *part = pt_alloc(len);
        if (part == NULL)
            return pt_error_memory(error);
        snprintf(part, len, "%s.part", path);
        fd = open(part, FLAGS);
        enum pt_status st;
        if (fd >= 0)
            st = pt_trace_open_fd(fd, part, error, out);
        else
            st = cannot_open(error, errno == ENOENT ? path : part, errno);
        pt_alloc_free(part);
        return st;
    }
    return cannot_open(error, path, sys);
}

void
pt_trace_close(struct pt_trace *t)
{
    if (t == NULL)
        return;
    if (t->fd >= 0)
        close(t->fd);
    pt_defs_tables_clear(&t->defs);
    pt_pool_clear(&t->pool);
    pt_alloc_free(t->chunks);
    pt_alloc_free(t->path);
    pt_alloc_free(t);
}

/* --- accessors ------------------------------------------------------------ */

const struct pt_damage *
pt_trace_damage(const struct pt_trace *t)
{
    return &t->damage;
}

const char *
pt_trace_path(const struct pt_trace *t)
{
    return t->path;
}

uint64_t
pt_trace_size(const struct pt_trace *t)
{
    return t->size;
}

const struct pt_header *
pt_trace_header(const struct pt_trace *t)
{
    return &t->header;
}

const struct pt_end *
pt_trace_end(const struct pt_trace *t)
{
    return t->has_end ? &t->end : NULL;
}

size_t
pt_trace_chunk_count(const struct pt_trace *t)
{
    return t->nchunks;
}

const struct pt_chunk_info *
pt_trace_chunk(const struct pt_trace *t, size_t i)
{
    return i < t->nchunks ? &t->chunks[i] : NULL;
}

#define TABLE(noun, table)                                                     \
    uint32_t pt_trace_##noun##_count(const struct pt_trace *t)                 \
    {                                                                          \
        return t->defs.table.count;                                            \
    }                                                                          \
    const struct pt_##noun *pt_trace_##noun(const struct pt_trace *t,          \
                                            uint32_t id)                       \
    {                                                                          \
        return pt_table_get(&t->defs.table, id);                               \
    }

TABLE(code, codes)
TABLE(callable, callables)
TABLE(type, types)
TABLE(source, sources)
TABLE(interpreter, interpreters)
TABLE(process, processes)
TABLE(thread, threads)
TABLE(task, tasks)

const struct pt_process_end *
pt_trace_process_end(const struct pt_trace *t, uint32_t id)
{
    return pt_table_get(&t->defs.process_ends, id);
}

const struct pt_costs *
pt_trace_costs(const struct pt_trace *t, uint32_t process)
{
    return pt_table_get(&t->defs.costs, process);
}

uint32_t
pt_trace_string_count(const struct pt_trace *t)
{
    return t->defs.strings.count;
}

struct pt_str
pt_trace_string(const struct pt_trace *t, uint32_t id)
{
    const struct pt_str *s = pt_table_get(&t->defs.strings, id);
    return s != NULL ? *s : (struct pt_str){NULL, 0};
}
