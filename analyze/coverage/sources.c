/* A collection: which sources there are, and each of them opened.
 *
 * A file is its path.  Where traces, or one process that imported it again,
 * have several texts of it, the last one is meant: code that was made of
 * another has lines of its own, which are none of this text. */
#include "analyze/coverage/collection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- paths ---------------------------------------------------------------- */

/* What os.path.abspath() makes of a name; the caller's to free. */
static char *
absolute(struct pt_str cwd, struct pt_str file, size_t *length)
{
    bool relative = file.len == 0 || file.data[0] != '/';
    const struct pt_str parts[] = {relative ? cwd : (struct pt_str){NULL, 0},
                                   file};
    char *path = malloc(cwd.len + file.len + 4);
    size_t n = 0;
    if (!path)
        return NULL;
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0, len; i < parts[p].len; i += len + 1) {
            const char *name = parts[p].data + i;
            const char *slash = memchr(name, '/', parts[p].len - i);
            len = slash ? (size_t)(slash - name) : parts[p].len - i;
            if (len == 0 || (len == 1 && name[0] == '.'))
                continue;
            if (len == 2 && memcmp(name, "..", 2) == 0) {
                while (n > 0 && path[--n] != '/')
                    ;
                continue;
            }
            path[n++] = '/';
            memcpy(path + n, name, len);
            n += len;
        }
    if (n == 0)
        path[n++] = '/';
    path[n] = 0;
    *length = n;
    return path;
}

/* --- entries -------------------------------------------------------------- */

/* Entries by path, while they are found. */
struct finder {
    struct pt_collection *collection;
    uint32_t *slots; /* entry + 1; a power of two of them */
    size_t size;
};

static uint64_t
hash_of(const char *path, size_t length)
{
    uint64_t hash = length;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)path[i]) * UINT64_C(0x100000001b3);
    return hash * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static bool
is_path(const struct pt_cov_entry *e, const char *path, size_t length)
{
    return e->length == length && memcmp(e->path, path, length) == 0;
}

static enum pt_status
grow(struct finder *f)
{
    const struct pt_collection *c = f->collection;
    size_t size = f->size ? 2 * f->size : 256;
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return PT_ENOMEM;
    for (uint32_t e = 0; e < c->nentries; e++) {
        size_t i =
            hash_of(c->entries[e].path, c->entries[e].length) & (size - 1);
        while (slots[i])
            i = (i + 1) & (size - 1);
        slots[i] = e + 1;
    }
    free(f->slots);
    f->slots = slots;
    f->size = size;
    return PT_OK;
}

static enum pt_status
append(struct pt_collection *c, char *path, size_t length)
{
    if (c->nentries == c->capacity) {
        uint32_t capacity = c->capacity ? 2 * c->capacity : 64;
        struct pt_cov_entry *entries =
            realloc(c->entries, capacity * sizeof *entries);
        if (!entries)
            return PT_ENOMEM;
        c->entries = entries;
        c->capacity = capacity;
    }
    c->entries[c->nentries++] =
        (struct pt_cov_entry){.path = path, .length = length};
    return PT_OK;
}

/* The number of the entry of a path, which is taken over. */
static enum pt_status
entry_of(struct finder *f, char *path, size_t length, uint32_t *out)
{
    struct pt_collection *c = f->collection;
    enum pt_status st = 2 * (size_t)c->nentries >= f->size ? grow(f) : PT_OK;
    if (st != PT_OK) {
        free(path);
        return st;
    }
    size_t i = hash_of(path, length) & (f->size - 1);
    while (f->slots[i] && !is_path(&c->entries[f->slots[i] - 1], path, length))
        i = (i + 1) & (f->size - 1);
    if (!f->slots[i]) {
        st = append(c, path, length);
        if (st == PT_OK) {
            f->slots[i] = c->nentries;
            path = NULL;
        }
    }
    free(path);
    *out = st == PT_OK ? f->slots[i] - 1 : 0;
    return st;
}

/* Whether the text of a source is known; that of an empty file is. */
static bool
has_text(const struct pt_source *s)
{
    return s && (s->text.len > 0 || s->hash != 0);
}

/* --- which code objects belong to them ------------------------------------ */

/* A file that is none, as "<string>" or "<frozen os>". */
static bool
is_no_file(struct pt_str file)
{
    return file.len == 0 || file.data[0] == '<';
}

static enum pt_status
find_of_trace(struct finder *f, uint32_t number, uint32_t *known)
{
    struct pt_collection *c = f->collection;
    const struct pt_trace *trace = c->inputs[number].trace;
    struct pt_str cwd = pt_trace_header(trace)->cwd;
    for (uint32_t id = 1; id <= pt_trace_code_count(trace); id++) {
        const struct pt_code *code = pt_trace_code(trace, id);
        if (!code || is_no_file(code->file))
            continue;
        const struct pt_source *s = pt_trace_source(trace, code->source);
        uint32_t file = s ? known[code->source] : 0, entry;
        if (file == 0) {
            size_t length;
            bool placed = s && s->path.len > 0;
            char *path = absolute(cwd, placed ? s->path : code->file, &length);
            enum pt_status st =
                path ? entry_of(f, path, length, &entry) : PT_ENOMEM;
            if (st != PT_OK)
                return st;
            file = entry + 1;
            if (s)
                known[code->source] = file;
        }
        c->members[c->nmembers++] =
            (struct pt_cov_member){file - 1, number, id};
        struct pt_cov_entry *e = &c->entries[file - 1];
        if (has_text(s) &&
            (e->source == 0 || e->trace < number || e->source < code->source)) {
            e->trace = number;
            e->source = code->source;
        }
    }
    return PT_OK;
}

static enum pt_status
find_all(struct finder *f)
{
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; st == PT_OK && i < f->collection->ninputs; i++) {
        uint32_t n = pt_trace_source_count(f->collection->inputs[i].trace);
        uint32_t *known = calloc((size_t)n + 1, sizeof *known);
        st = known ? find_of_trace(f, i, known) : PT_ENOMEM;
        free(known);
    }
    return st;
}

static bool
same_text(const struct pt_source *a, const struct pt_source *b)
{
    return a == b || (a->hash == b->hash && a->text.len == b->text.len &&
                      (a->text.len == 0 ||
                       memcmp(a->text.data, b->text.data, a->text.len) == 0));
}

static const struct pt_source *
source_of(const struct pt_collection *c, const struct pt_cov_entry *e)
{
    return e->source ? pt_trace_source(c->inputs[e->trace].trace, e->source)
                     : NULL;
}

/* Whether a code object was made of the text that its file's entry has. */
static bool
is_of_text(const struct pt_collection *c, const struct pt_cov_member *m)
{
    const struct pt_trace *trace = c->inputs[m->trace].trace;
    const struct pt_source *chosen = source_of(c, &c->entries[m->file]);
    const struct pt_source *own =
        pt_trace_source(trace, pt_trace_code(trace, m->id)->source);
    return has_text(own) && chosen ? same_text(own, chosen) : !chosen;
}

static void
drop_others(struct pt_collection *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->nmembers; i++) {
        if (is_of_text(c, &c->members[i]))
            c->members[n++] = c->members[i];
        else
            c->entries[c->members[i].file].others++;
    }
    c->nmembers = n;
}

/* --- order ---------------------------------------------------------------- */

static int
compare_entries(const void *a, const void *b)
{
    const struct pt_cov_entry *x = a, *y = b;
    size_t n = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->path, y->path, n);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static int
compare_members(const void *a, const void *b)
{
    const struct pt_cov_member *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->trace != y->trace)
        return x->trace < y->trace ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Sorts by file as they are numbered, then the files by path. */
static void
put_in_order(struct pt_collection *c)
{
    if (c->nmembers)
        qsort(c->members, c->nmembers, sizeof *c->members, compare_members);
    for (uint32_t i = c->nmembers; i-- > 0;) {
        struct pt_cov_entry *e = &c->entries[c->members[i].file];
        e->first = i;
        e->n++;
    }
    if (c->nentries)
        qsort(c->entries, c->nentries, sizeof *c->entries, compare_entries);
}

enum pt_status
pt_collection_finish(struct pt_collection *c)
{
    struct finder f = {.collection = c};
    size_t n = 0;
    for (size_t i = 0; i < c->ninputs; i++)
        n += pt_trace_code_count(c->inputs[i].trace);
    c->members = malloc((n + 1) * sizeof *c->members);
    enum pt_status st = c->members ? find_all(&f) : PT_ENOMEM;
    free(f.slots);
    if (st != PT_OK)
        return st;
    drop_others(c);
    put_in_order(c);
    return PT_OK;
}

enum pt_status
pt_collection_extend(struct pt_collection *c, struct pt_str path,
                     struct pt_str text)
{
    size_t length;
    char *copy = absolute((struct pt_str){NULL, 0}, path, &length);
    char *kept = malloc(text.len + 1);
    struct pt_cov_entry key = {.path = copy, .length = length};
    bool there =
        copy && c->nentries &&
        bsearch(&key, c->entries, c->nentries, sizeof key, compare_entries);
    enum pt_status st = !copy || !kept ? PT_ENOMEM
                        : there        ? PT_OK
                                       : append(c, copy, length);
    if (st != PT_OK || there) {
        free(copy);
        free(kept);
        return st;
    }
    if (text.len)
        memcpy(kept, text.data, text.len);
    struct pt_cov_entry e = c->entries[c->nentries - 1];
    e.text = kept;
    e.size = text.len;
    uint32_t at = c->nentries - 1;
    while (at > 0 && compare_entries(&c->entries[at - 1], &e) > 0) {
        c->entries[at] = c->entries[at - 1];
        at--;
    }
    c->entries[at] = e;
    return PT_OK;
}

void
pt_collection_forget(struct pt_collection *c)
{
    for (uint32_t i = 0; i < c->nentries; i++) {
        free(c->entries[i].path);
        free(c->entries[i].text);
    }
    free(c->entries);
    free(c->members);
}

size_t
pt_collection_count(const struct pt_collection *c)
{
    return c->nentries;
}

struct pt_str
pt_collection_path(const struct pt_collection *c, size_t i)
{
    return (struct pt_str){c->entries[i].path, c->entries[i].length};
}
