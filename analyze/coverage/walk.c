/* Files below a folder, as coverage.py looks for them. */
#include "analyze/coverage/coverage.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NESTED_LIMIT = 100 };

/* One that could be imported; others are an editor's or a tool's. */
static bool
is_module(const char *name)
{
    size_t len = strcspn(name, ".#~!$@%^&*()+=,");
    return len > 0 &&
           (strcmp(name + len, ".py") == 0 || strcmp(name + len, ".pyw") == 0);
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, in order; one that cannot be read is empty. */
static enum pt_status
list(const char *directory, char ***out, size_t *n)
{
    DIR *d = opendir(directory);
    char **names = NULL;
    enum pt_status st = PT_OK;
    const struct dirent *e;
    *n = 0;
    while (d && st == PT_OK && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char **more = realloc(names, (*n + 1) * sizeof *names);
        char *name = more ? strdup(e->d_name) : NULL;
        names = more ? more : names;
        if (name)
            names[(*n)++] = name;
        else
            st = PT_ENOMEM;
    }
    if (d)
        closedir(d);
    if (*n)
        qsort(names, *n, sizeof *names, compare);
    *out = names;
    return st;
}

static bool
is_package(const char *directory)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/__init__.py", directory);
    return n < (int)sizeof path && access(path, F_OK) == 0;
}

static enum pt_status
walk(const char *directory, unsigned depth, pt_walk_file *visit, void *state)
{
    char **names, path[4096];
    size_t n;
    enum pt_status st = list(directory, &names, &n);
    for (size_t i = 0; st == PT_OK && i < n; i++) {
        struct stat s;
        int len = snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        if (len >= (int)sizeof path || lstat(path, &s) != 0)
            continue;
        if (S_ISDIR(s.st_mode)) {
            if (depth < NESTED_LIMIT && is_package(path))
                st = walk(path, depth + 1, visit, state);
        } else if (is_module(names[i]))
            st = visit(state, path);
    }
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return st;
}

enum pt_status
pt_cov_walk(const char *directory, pt_walk_file *visit, void *state)
{
    return walk(directory, 0, visit, state);
}
