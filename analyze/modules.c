#include "analyze/modules.h"

#include <stdlib.h>
#include <string.h>

struct pt_modules {
    const struct pt_trace *trace;
    struct pt_str *packages; /* directories with an __init__.py, sorted */
    size_t n;
};

static const struct pt_str init_py = {"/__init__.py", 12};

static bool
ends_with(struct pt_str s, struct pt_str end)
{
    return s.len >= end.len &&
           memcmp(s.data + s.len - end.len, end.data, end.len) == 0;
}

static int
compare(const void *a, const void *b)
{
    const struct pt_str *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int c = n ? memcmp(x->data, y->data, n) : 0;
    return c ? c : (x->len > y->len) - (x->len < y->len);
}

enum pt_status
pt_modules_new(const struct pt_trace *trace, struct pt_modules **out)
{
    uint32_t codes = pt_trace_code_count(trace);
    struct pt_modules *m = calloc(1, sizeof *m);
    struct pt_str *all = calloc((size_t)codes + 1, sizeof *all);
    if (!m || !all) {
        free(m);
        free(all);
        return PT_ENOMEM;
    }
    size_t n = 0;
    for (uint32_t id = 1; id <= codes; id++) {
        const struct pt_code *c = pt_trace_code(trace, id);
        if (c && ends_with(c->file, init_py))
            all[n++] = (struct pt_str){c->file.data, c->file.len - init_py.len};
    }
    qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++)
        if (m->n == 0 || compare(&all[m->n - 1], &all[i]) != 0)
            all[m->n++] = all[i];
    m->trace = trace;
    m->packages = all;
    *out = m;
    return PT_OK;
}

void
pt_modules_free(struct pt_modules *m)
{
    if (!m)
        return;
    free(m->packages);
    free(m);
}

/* What precedes the last slash; empty where there is none. */
static struct pt_str
directory(struct pt_str path)
{
    while (path.len && path.data[path.len - 1] != '/')
        path.len--;
    path.len -= path.len != 0;
    return path;
}

/* Where in a path what follows the last `mark` begins; 0 without one. */
static size_t
behind(struct pt_str path, const char *mark)
{
    size_t len = strlen(mark);
    for (size_t i = path.len; i >= len; i--)
        if (memcmp(path.data + i - len, mark, len) == 0)
            return i;
    return 0;
}

/* Where the module's name begins in its file's. */
static size_t
root_of(const struct pt_modules *m, const struct pt_code *code)
{
    static const char *const marks[] = {"/site-packages/", "/dist-packages/",
                                        ".zip/"};
    const struct pt_interpreter *python =
        pt_trace_interpreter(m->trace, code->interpreter);
    struct pt_str file = code->file, dir = directory(file);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t at = behind(file, marks[i]);
        if (at)
            return at;
    }
    struct pt_str lib = python ? python->stdlib : (struct pt_str){0};
    if (lib.len && file.len > lib.len && file.data[lib.len] == '/' &&
        memcmp(file.data, lib.data, lib.len) == 0)
        return lib.len + 1;
    while (dir.len &&
           bsearch(&dir, m->packages, m->n, sizeof *m->packages, compare))
        dir = directory(dir);
    return dir.len ? dir.len + 1 : file.len && file.data[0] == '/';
}

void
pt_module_put(const struct pt_modules *m, const struct pt_code *code,
              struct pt_growing *g)
{
    static const char frozen[] = "<frozen ";
    static const struct pt_str py = {".py", 3}, init = {"/__init__", 9};
    struct pt_str name = code->file;
    size_t skip = sizeof frozen - 1;
    if (name.len > skip && memcmp(name.data, frozen, skip) == 0 &&
        name.data[name.len - 1] == '>') {
        pt_growing_str(g,
                       (struct pt_str){name.data + skip, name.len - skip - 1});
        return;
    }
    if (name.len == 0 || name.data[0] == '<') {
        pt_growing_str(g, name);
        return;
    }
    size_t root = root_of(m, code);
    name = (struct pt_str){name.data + root, name.len - root};
    name.len -= ends_with(name, py) ? py.len : 0;
    name.len -= ends_with(name, init) ? init.len : 0;
    for (size_t i = 0; i < name.len; i++)
        pt_growing_put(g, name.data[i] == '/' ? "." : name.data + i, 1);
}
