#include "record/source.h"

#include "format/chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pt_source_entry {
    uint64_t hash;
    char *file;
    size_t len;
    uint32_t id;
};

enum { FIRST_ROOM = 64, FILES_LIMIT = 1 << 18 };

void
pt_sources_init(struct pt_sources *sources, const char *command)
{
    *sources = (struct pt_sources){.command = command};
}

void
pt_sources_clear(struct pt_sources *sources)
{
    for (size_t i = 0; i < sources->room; i++)
        free(sources->entries[i].file);
    free(sources->entries);
    free(sources->cwd);
    *sources = (struct pt_sources){0};
}

enum pt_status
pt_sources_cwd(struct pt_sources *sources, struct pt_str cwd)
{
    char *copy = strndup(cwd.len > 0 ? cwd.data : "", cwd.len);
    if (copy == NULL)
        return PT_ENOMEM;
    free(sources->cwd);
    sources->cwd = copy;
    return PT_OK;
}

/* FNV-1a: a process that makes names collide slows down its own recording. */
static uint64_t
hash_name(struct pt_str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.data[i]) * UINT64_C(0x100000001b3);
    return h;
}

static struct pt_source_entry *
find_entry(struct pt_source_entry *entries, size_t room, uint64_t hash,
           struct pt_str file)
{
    size_t i = hash & (room - 1);
    while (entries[i].file != NULL &&
           (entries[i].hash != hash || entries[i].len != file.len ||
            memcmp(entries[i].file, file.data, file.len) != 0))
        i = (i + 1) & (room - 1);
    return &entries[i];
}

static enum pt_status
make_room(struct pt_sources *s)
{
    if (s->room > 0 && s->count < s->room / 2)
        return PT_OK;
    size_t room = s->room == 0 ? FIRST_ROOM : s->room * 2;
    struct pt_source_entry *more = calloc(room, sizeof *more);
    if (more == NULL)
        return PT_ENOMEM;
    for (size_t i = 0; i < s->room; i++) {
        struct pt_source_entry *old = &s->entries[i];
        if (old->file != NULL)
            *find_entry(more, room, old->hash,
                        (struct pt_str){old->file, old->len}) = *old;
    }
    free(s->entries);
    s->entries = more;
    s->room = room;
    return PT_OK;
}

/* Copies a name to the bytes the kernel knows it by: a byte that is no UTF-8
 * stands in Python's string as a lone surrogate, U+DC80 to U+DCFF, which comes
 * here as ED B2 80 to ED B3 BF. */
static size_t
file_system_name(char *out, struct pt_str s)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (i + 2 < s.len && p[i] == 0xed && (p[i + 1] & 0xfe) == 0xb2) {
            out[n++] = (char)(p[i + 2] + (p[i + 1] & 1) * 0x40);
            i += 2;
        } else {
            out[n++] = s.data[i];
        }
    }
    return n;
}

/* The absolute path of `file`; NULL where it has none that can be opened. */
static char *
absolute_path(const struct pt_sources *s, struct pt_str file)
{
    if (file.len == 0 || file.len >= PATH_MAX ||
        memchr(file.data, '\0', file.len) != NULL)
        return NULL;
    const char *cwd = s->cwd != NULL ? s->cwd : "";
    bool relative = file.data[0] != '/';
    if (relative && cwd[0] != '/')
        return NULL;
    size_t before = relative ? strlen(cwd) + 1 : 0;
    char *path = malloc(before + file.len + 1);
    if (path == NULL)
        return NULL;
    if (relative) {
        memcpy(path, cwd, before - 1);
        path[before - 1] = '/';
    }
    path[before + file_system_name(path + before, file)] = '\0';
    return path;
}

/* The whole text of a regular file; NULL where there is none.  Never blocks
 * on a pipe or a device: the program waits while we do. */
static char *
read_text(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        st.st_size > PT_SOURCE_LIMIT) {
        close(fd);
        return NULL;
    }
    size_t size = (size_t)st.st_size, have = 0;
    char *text = malloc(size + 1);
    while (text != NULL && have < size) {
        ssize_t n = read(fd, text + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(text);
            text = NULL;
        }
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    close(fd);
    *len = have;
    return text;
}

static enum pt_status
write_file(struct pt_sources *s, struct pt_writer *writer, struct pt_str file,
           uint32_t *id)
{
    char *path = absolute_path(s, file);
    size_t len;
    char *text = path != NULL ? read_text(path, &len) : NULL;
    enum pt_status st = PT_OK;
    if (text != NULL) {
        struct pt_source source = {
            .file = file,
            .path = {path, strlen(path)},
            .text = {text, len},
            .hash = pt_hash64(text, len),
        };
        st = pt_writer_source(writer, &source, id);
        if (st == PT_OK)
            pt_syntaxer_offer(s->syntaxer, s->interpreter, *id, &source);
    }
    free(text);
    free(path);
    return st;
}

static bool
same(struct pt_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

/* "<string>" is what CPython calls the text of -c, but also any text given to
 * exec().  The first module of that name is the program itself, and its inner
 * code objects are told just before it. */
static enum pt_status
find_command(struct pt_sources *s, struct pt_writer *writer, struct pt_str file,
             struct pt_str name, uint32_t *id)
{
    struct pt_source source = {
        .file = file,
        .text = {s->command, strlen(s->command)},
    };
    source.hash = pt_hash64(source.text.data, source.text.len);
    if (same(name, "<module>"))
        s->command = NULL;
    enum pt_status st = pt_writer_source(writer, &source, id);
    if (st == PT_OK)
        pt_syntaxer_offer(s->syntaxer, s->interpreter, *id, &source);
    return st;
}

enum pt_status
pt_sources_find(struct pt_sources *s, struct pt_writer *writer,
                struct pt_str file, struct pt_str name, uint32_t *id)
{
    *id = 0;
    if (file.len == 0)
        return PT_OK;
    if (file.data[0] == '<' && file.data[file.len - 1] == '>') {
        if (s->command != NULL && same(file, "<string>"))
            return find_command(s, writer, file, name, id);
        return PT_OK;
    }
    enum pt_status st = make_room(s);
    if (st != PT_OK)
        return st;
    uint64_t hash = hash_name(file);
    struct pt_source_entry *e = find_entry(s->entries, s->room, hash, file);
    if (e->file == NULL && s->count < FILES_LIMIT) {
        uint32_t got = 0;
        st = write_file(s, writer, file, &got);
        if (st != PT_OK)
            return st;
        char *copy = malloc(file.len);
        if (copy == NULL)
            return PT_ENOMEM;
        memcpy(copy, file.data, file.len);
        *e = (struct pt_source_entry){hash, copy, file.len, got};
        s->count++;
    }
    *id = e->id;
    return PT_OK;
}
