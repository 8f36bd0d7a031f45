/* Finding the chunks of a file: by the index of a log that was closed well,
 * else by walking from chunk header to chunk header, and after damage by
 * searching for the next header whose checksum is right. */
#include "format/bytes.h"
#include "format/error.h"
#include "format/index.h"
#include "format/seek.h"
#include "format/trace.h"

#include <string.h>

enum pt_status
pt_trace_add_chunk(struct pt_trace *t, const struct pt_chunk_info *info)
{
    if (!pt_alloc_room(&t->chunks, &t->cap, t->nchunks + 1, sizeof *t->chunks))
        return PT_ENOMEM;
    t->chunks[t->nchunks++] = *info;
    return PT_OK;
}

static enum pt_status
refuse_version(const struct pt_trace *t, unsigned version, uint64_t offset,
               struct pt_error *error)
{
    return pt_error_set(error, PT_EUNSUPPORTED, 0, (int64_t)offset,
                        "%s has chunk headers of version %u, this program "
                        "knows version %d; use a newer one",
                        t->path, version, PT_CHUNK_HEADER_VERSION);
}

/* The chunk header at `offset`; PT_EDAMAGED where there is none, or where its
 * chunk does not fit in the file. */
static enum pt_status
header_at(const struct pt_trace *t, uint64_t offset, struct pt_chunk_header *h,
          struct pt_error *error)
{
    uint8_t bytes[PT_CHUNK_HEADER_SIZE];
    if (t->size - offset < sizeof bytes)
        return PT_EDAMAGED;
    enum pt_status st = pt_trace_pread(t, bytes, sizeof bytes, offset, error);
    if (st != PT_OK)
        return st;
    st = pt_chunk_decode(bytes, h);
    if (st == PT_EUNSUPPORTED)
        return refuse_version(t, h->version, offset, error);
    if (st != PT_OK)
        return st;
    h->info.offset = offset;
    if (h->info.packed_size > t->size - offset - sizeof bytes)
        return PT_EDAMAGED;
    return PT_OK;
}

/* --- by the index --------------------------------------------------------- */

/* The sizes of the last four frames before the seek table: index and end
 * chunk, each with its header. */
static bool
find_index(const struct pt_trace *t, uint64_t *table, uint64_t *index,
           uint64_t *end)
{
    enum { LAST = 4 * PT_SEEK_ENTRY };
    uint8_t b[LAST + PT_SEEK_FOOTER];
    struct pt_error ignored;
    uint32_t frames;
    if (t->size < sizeof b ||
        pt_trace_pread(t, b, sizeof b, t->size - sizeof b, &ignored) != PT_OK ||
        !pt_seek_footer(b + LAST, &frames) || frames < 4 ||
        pt_seek_size(frames) > t->size)
        return false;
    *table = t->size - pt_seek_size(frames);
    uint32_t size[4];
    for (size_t i = 0; i < 4; i++) {
        memcpy(&size[i], b + i * PT_SEEK_ENTRY, 4);
        size[i] = PT_LE32(size[i]);
    }
    uint64_t last = (uint64_t)size[2] + size[3];
    uint64_t both = last + size[0] + size[1];
    if (both > *table)
        return false;
    *index = *table - both;
    *end = *table - last;
    return true;
}

static bool
seek_table_good(const struct pt_trace *t, uint64_t at)
{
    uint64_t size = t->size - at;
    if (size != pt_seek_size(2 * (uint64_t)t->nchunks))
        return false;
    uint8_t *table = pt_alloc((size_t)size);
    struct pt_error ignored;
    bool good = table != NULL &&
                pt_trace_pread(t, table, (size_t)size, at, &ignored) == PT_OK &&
                pt_seek_matches(table, (size_t)size, t->chunks, t->nchunks);
    pt_alloc_free(table);
    return good;
}

enum pt_status
pt_trace_indexed(struct pt_trace *t, struct pt_unpacker *u,
                 struct pt_error *error)
{
    uint64_t table, index_at, end_at;
    if (!find_index(t, &table, &index_at, &end_at))
        return PT_ENOTFOUND;
    struct pt_chunk_header index, end;
    struct pt_error ignored;
    if (header_at(t, index_at, &index, &ignored) != PT_OK ||
        header_at(t, end_at, &end, &ignored) != PT_OK ||
        index.info.type != PT_CHUNK_INDEX || end.info.type != PT_CHUNK_END ||
        index_at + pt_chunk_total(&index.info) != end_at ||
        end_at + pt_chunk_total(&end.info) != table)
        return PT_ENOTFOUND;

    enum pt_status st = pt_trace_add_chunk(t, &index.info);
    if (st != PT_OK)
        return st;
    struct pt_str item;
    st = pt_trace_load(t, 0, u, NULL, &item, error);
    t->nchunks = 0;
    if (st != PT_OK)
        return st == PT_EDAMAGED ? PT_ENOTFOUND : st;
    struct pt_chunk_info *list;
    size_t n;
    st = pt_index_read(item, index_at, &list, &n);
    if (st != PT_OK)
        return st == PT_EDAMAGED ? PT_ENOTFOUND : st;
    pt_alloc_free(t->chunks);
    t->chunks = list;
    t->nchunks = t->cap = n;
    st = pt_trace_add_chunk(t, &index.info);
    if (st == PT_OK)
        st = pt_trace_add_chunk(t, &end.info);
    if (st == PT_OK && !seek_table_good(t, table))
        st = PT_ENOTFOUND;
    if (st != PT_OK)
        t->nchunks = 0;
    return st;
}

/* --- by scanning ---------------------------------------------------------- */

struct scan {
    struct pt_trace *trace;
    struct pt_unpacker *unpacker;
    struct pt_error *error;
    struct pt_buf window;
    uint64_t budget; /* bytes that may still be hashed to look back */
};

enum { WINDOW = 1 << 18 };

/* The next valid header at or after `from`: PT_OK, PT_ENOTFOUND or a
 * failure. */
static enum pt_status
search(struct scan *s, uint64_t from, struct pt_chunk_header *h)
{
    static const uint8_t magic[4] = {0x57, 0x2a, 0x4d, 0x18};
    const struct pt_trace *t = s->trace;
    s->window.len = 0;
    uint8_t *w = pt_buf_room(&s->window, WINDOW);
    if (w == NULL)
        return PT_ENOMEM;
    while (from < t->size && t->size - from >= PT_CHUNK_HEADER_SIZE) {
        size_t n = t->size - from < WINDOW ? (size_t)(t->size - from) : WINDOW;
        enum pt_status st = pt_trace_pread(t, w, n, from, s->error);
        if (st != PT_OK)
            return st;
        const uint8_t *p = w;
        while ((p = memmem(p, n - (size_t)(p - w), magic, sizeof magic))) {
            st = header_at(t, from + (uint64_t)(p - w), h, s->error);
            if (st != PT_EDAMAGED)
                return st;
            p++;
        }
        from += n - (n > 3 ? 3 : 0);
        if (n < WINDOW)
            break;
    }
    return PT_ENOTFOUND;
}

/* No chunk begins at `at`.  Where to search from: behind it, or, when the
 * chunk before it is itself damaged, inside that one, because bytes may have
 * been taken out of the file. */
static enum pt_status
look_back(struct scan *s, uint64_t at, uint64_t *from)
{
    struct pt_trace *t = s->trace;
    *from = at + 1;
    if (t->nchunks == 0)
        return PT_OK;
    struct pt_chunk_info last = t->chunks[t->nchunks - 1];
    if (last.offset + pt_chunk_total(&last) != at ||
        last.packed_size > s->budget)
        return PT_OK;
    s->budget -= last.packed_size;
    struct pt_str item;
    enum pt_status st =
        pt_trace_load(t, t->nchunks - 1, s->unpacker, NULL, &item, s->error);
    if (st == PT_EDAMAGED) {
        t->nchunks--;
        t->damage.bad_chunks++;
        pt_trace_note(t, last.offset, "a chunk's bytes are damaged");
        *from = last.offset + PT_CHUNK_HEADER_SIZE;
        st = PT_OK;
    }
    return st == PT_EUNSUPPORTED ? PT_OK : st;
}

/* True when the seek table of this directory is what is left of the file. */
static bool
is_seek_table(const struct pt_trace *t, uint64_t at)
{
    uint8_t magic[4];
    struct pt_error ignored;
    if (t->size - at < pt_seek_size(0) ||
        pt_trace_pread(t, magic, sizeof magic, at, &ignored) != PT_OK)
        return false;
    uint32_t m;
    memcpy(&m, magic, sizeof m);
    return PT_LE32(m) == PT_SEEK_MAGIC;
}

static enum pt_status
scan(struct scan *s)
{
    struct pt_trace *t = s->trace;
    uint64_t at = 0;
    while (at < t->size) {
        struct pt_chunk_header h;
        enum pt_status st = header_at(t, at, &h, s->error);
        if (st == PT_OK) {
            st = pt_trace_add_chunk(t, &h.info);
            if (st != PT_OK)
                return st;
            at += pt_chunk_total(&h.info);
            continue;
        }
        if (st != PT_EDAMAGED)
            return st;
        if (t->nchunks > 0 && t->chunks[t->nchunks - 1].type == PT_CHUNK_END &&
            is_seek_table(t, at) && seek_table_good(t, at))
            return PT_OK;
        uint64_t from;
        st = look_back(s, at, &from);
        if (st != PT_OK)
            return st;
        st = search(s, from, &h);
        if (st == PT_ENOTFOUND) {
            t->damage.trailing = t->size - at;
            pt_trace_note(t, at, "the bytes at the end are no whole chunk");
            return PT_OK;
        }
        if (st != PT_OK)
            return st;
        t->damage.bad_chunks += from == at + 1;
        pt_trace_note(t, at, "a chunk header is damaged");
        at = h.info.offset;
    }
    return PT_OK;
}

enum pt_status
pt_trace_scan(struct pt_trace *t, struct pt_unpacker *u, struct pt_error *error)
{
    /* A hostile file may hold many headers that each claim the rest of it;
     * looking back is given up once it has cost a few passes. */
    struct scan s = {
        .trace = t, .unpacker = u, .error = error, .budget = 4 * t->size};
    enum pt_status st = scan(&s);
    pt_buf_clear(&s.window);
    return st == PT_ENOMEM ? pt_error_memory(error) : st;
}
