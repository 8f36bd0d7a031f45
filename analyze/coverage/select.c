/* Which files are reported.
 *
 * Here --source and --include do not sieve the frames, as elsewhere, but choose
 * files, as coverage.py has it: that gives the same numbers of what ran, and
 * can name files that did not run. */
#include "analyze/coverage/coverage.h"
#include "analyze/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 28 }; /* bytes; no source is that long */

struct pt_selection {
    struct pt_rules *rules; /* --source, of each trace */
    struct pt_choice *choices;
    size_t n;
    bool sources, installed; /* some are given; they may be of libraries */
    struct pt_patterns *include, *omit;
    bool includes;
    char cwd[PATH_MAX];
};

/* --- kinds of files ------------------------------------------------------- */

static bool
has_folder(struct pt_str path, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i + len + 2 <= path.len; i++)
        if (path.data[i] == '/' && path.data[i + 1 + len] == '/' &&
            memcmp(path.data + i + 1, name, len) == 0)
            return true;
    return false;
}

static bool
is_installed(struct pt_str path)
{
    return has_folder(path, "site-packages") ||
           has_folder(path, "dist-packages");
}

static bool
is_stdlib(struct pt_str path, struct pt_str stdlib)
{
    const struct pt_rule rule = {PT_RULE_EXCLUDE_STDLIB, ""};
    const struct pt_choice choice = {&rule, 1, {NULL, 0}};
    const struct pt_candidate c = {.file = path, .stdlib = stdlib};
    return pt_choice_names(&choice, PT_RULE_EXCLUDE_STDLIB, &c);
}

/* --- making --------------------------------------------------------------- */

static const struct pt_cov_config *
config_of(const struct pt_session *s)
{
    return s->config;
}

static enum pt_status
make_sources(struct pt_session *s, const struct pt_collection *c,
             struct pt_selection *x)
{
    struct pt_common common = {0};
    common.rules[PT_RULE_SOURCE] = config_of(s)->source;
    x->n = pt_collection_traces(c);
    x->sources = config_of(s)->source.n > 0;
    x->rules = calloc(x->n, sizeof *x->rules);
    x->choices = calloc(x->n, sizeof *x->choices);
    enum pt_status st = x->rules && x->choices ? PT_OK : PT_ENOMEM;
    for (size_t i = 0; st == PT_OK && i < x->n; i++) {
        const struct pt_trace *trace = pt_collection_trace(c, i);
        st = pt_rules_make(&common, trace, &x->rules[i], &s->error);
        x->choices[i] = (struct pt_choice){x->rules[i].list, x->rules[i].n,
                                           pt_trace_header(trace)->cwd};
        for (size_t k = 0; k < x->rules[i].n; k++) {
            const char *value = x->rules[i].list[k].value;
            char folder[PATH_MAX];
            int n = snprintf(folder, sizeof folder, "%s/", value);
            x->installed |= !strchr(value, '/') ||
                            (n < PATH_MAX &&
                             is_installed((struct pt_str){folder, (size_t)n}));
        }
    }
    return st;
}

static bool
is_source(const struct pt_selection *x, struct pt_str path)
{
    const struct pt_candidate c = {.file = path};
    for (size_t i = 0; i < x->n; i++)
        if (pt_choice_names(&x->choices[i], PT_RULE_SOURCE, &c))
            return true;
    return false;
}

/* --- files that nobody imported ------------------------------------------- */

struct extension {
    struct pt_collection *collection;
    struct pt_session *session;
};

static enum pt_status
read_file(const char *path, struct pt_str *out)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t have = 0;
    ssize_t n = 0;
    char *text = NULL;
    bool well = fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
                s.st_size < FILE_LIMIT;
    if (well)
        text = malloc((size_t)s.st_size + 1);
    while (text && have < (size_t)s.st_size &&
           (n = read(fd, text + have, (size_t)s.st_size - have)) > 0)
        have += (size_t)n;
    if (fd >= 0)
        close(fd);
    if (well && !text)
        return PT_ENOMEM;
    if (!well || n < 0) {
        free(text);
        return PT_EIO;
    }
    *out = (struct pt_str){text, have};
    return PT_OK;
}

static enum pt_status
extend(void *state, const char *path)
{
    struct extension *x = state;
    struct pt_str text;
    char real[PATH_MAX];
    enum pt_status st = realpath(path, real) ? read_file(real, &text) : PT_EIO;
    if (st == PT_EIO) {
        pt_out_say("warning: %s cannot be read, and is left out", path);
        return PT_OK;
    }
    if (st != PT_OK)
        return st;
    st = pt_collection_extend(x->collection,
                              (struct pt_str){real, strlen(real)}, text);
    free((void *)(uintptr_t)text.data);
    return st;
}

/* Where a package lies: a file of it that ran tells, or the folder that it is
 * in, from here; false where nothing does. */
static bool
find_package(const struct pt_collection *c, const char *package, char *out)
{
    char tail[PATH_MAX];
    struct stat s;
    int n = snprintf(tail, sizeof tail, "/%s/__init__.py", package);
    if (n >= PATH_MAX)
        return false;
    for (char *p = tail; p < tail + strlen("/") + strlen(package); p++)
        if (*p == '.')
            *p = '/';
    size_t len = (size_t)n;
    for (size_t i = 0; i < pt_collection_count(c); i++) {
        struct pt_str path = pt_collection_path(c, i);
        if (path.len < PATH_MAX && path.len >= len &&
            memcmp(path.data + path.len - len, tail, len) == 0) {
            size_t folder = path.len - strlen("/__init__.py");
            memcpy(out, path.data, folder);
            out[folder] = 0;
            return true;
        }
    }
    tail[len - strlen("/__init__.py")] = 0;
    snprintf(out, PATH_MAX, "%s", tail + 1);
    return stat(out, &s) == 0 && S_ISDIR(s.st_mode);
}

static enum pt_status
find_more(struct pt_session *s, struct pt_collection *c)
{
    struct extension x = {c, s};
    enum pt_status st = PT_OK;
    for (size_t i = 0; st == PT_OK && i < config_of(s)->source.n; i++) {
        const char *value = config_of(s)->source.items[i];
        char folder[PATH_MAX];
        struct stat at;
        if (stat(value, &at) == 0 && S_ISDIR(at.st_mode))
            st = pt_cov_walk(value, extend, &x);
        else if (!strchr(value, '/') && find_package(c, value, folder))
            st = pt_cov_walk(folder, extend, &x);
    }
    return st;
}

enum pt_status
pt_selection_new(struct pt_session *s, struct pt_collection *c,
                 struct pt_selection **out)
{
    const struct pt_cov_config *config = config_of(s);
    struct pt_selection *x = calloc(1, sizeof *x);
    if (!x)
        return PT_ENOMEM;
    if (!getcwd(x->cwd, sizeof x->cwd))
        x->cwd[0] = 0;
    x->includes = config->include.n > 0;
    enum pt_status st = make_sources(s, c, x);
    if (st == PT_OK)
        st = pt_patterns_globs(config->include.items, config->include.n, x->cwd,
                               &s->error, &x->include);
    if (st == PT_OK)
        st = pt_patterns_globs(config->omit.items, config->omit.n, x->cwd,
                               &s->error, &x->omit);
    if (st == PT_OK)
        st = find_more(s, c);
    if (st == PT_OK)
        *out = x;
    else
        pt_selection_free(x);
    return st;
}

void
pt_selection_free(struct pt_selection *x)
{
    if (!x)
        return;
    for (size_t i = 0; x->rules && i < x->n; i++)
        pt_rules_clear(&x->rules[i]);
    free(x->rules);
    free(x->choices);
    pt_patterns_free(x->include);
    pt_patterns_free(x->omit);
    free(x);
}

/* --- choosing ------------------------------------------------------------- */

bool
pt_selection_takes(const struct pt_selection *x, const struct pt_collection *c,
                   size_t i)
{
    struct pt_str path = pt_collection_path(c, i);
    bool ran = pt_collection_ran(c, i);
    if (x->sources) {
        /* What did not run is there because a source has it. */
        if ((ran && !is_source(x, path)) ||
            (is_installed(path) && !x->installed))
            return false;
    } else if (!x->includes && (is_installed(path) ||
                                is_stdlib(path, pt_collection_stdlib(c, i)) ||
                                pt_collection_is_script(c, i)))
        return false;
    return (!x->includes || pt_patterns_match(x->include, path)) &&
           !pt_patterns_match(x->omit, path);
}

struct pt_str
pt_selection_name(const struct pt_selection *x, struct pt_str path)
{
    size_t len = strlen(x->cwd);
    if (len > 0 && path.len > len + 1 && path.data[len] == '/' &&
        memcmp(path.data, x->cwd, len) == 0)
        return (struct pt_str){path.data + len + 1, path.len - len - 1};
    return path;
}
