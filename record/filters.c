#include "record/filters.h"
#include "record/problem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pt_status
store(struct pt_filters *f, enum pt_rule_kind kind, const char *value,
      struct pt_error *error)
{
    const char *name = pt_rule_name(kind);
    char *at = f->text + f->used;
    size_t room = sizeof f->text - 1 - f->used; /* the empty one at the end */
    int n = kind == PT_RULE_EXCLUDE_STDLIB
                ? snprintf(at, room, "%s", name)
                : snprintf(at, room, "%s=%s", name, value);
    if (n < 0 || (size_t)n >= room) {
        *at = '\0';
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "--%s: all filters together must be shorter "
                              "than %d bytes",
                              name, PT_FILTER_TEXT);
    }
    struct pt_str *list = realloc(f->list, (f->n + 1) * sizeof *list);
    if (list == NULL)
        return pt_problem_set(error, PT_ENOMEM, 0, "out of memory");
    f->list = list;
    f->list[f->n++] = (struct pt_str){at, (size_t)n};
    f->used += (size_t)n + 1;
    f->text[f->used] = '\0';
    return PT_OK;
}

static enum pt_status
add_source(struct pt_filters *f, const char *value, struct pt_error *error)
{
    char cwd[PATH_MAX] = "", name[PT_RULE_TEXT], real[PATH_MAX];
    struct stat s;
    if (getcwd(cwd, sizeof cwd) == NULL)
        cwd[0] = '\0';
    bool there = stat(value, &s) == 0 && S_ISDIR(s.st_mode);
    bool path = strchr(value, '/') != NULL;
    if (!there && path)
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "--source=%.200s is no directory here; name one, "
                              "or a package as in --source=json",
                              value);
    if (!pt_rule_source(value, (struct pt_str){cwd, strlen(cwd)}, there, name,
                        sizeof name))
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "--source=%.200s: the name is too long", value);
    enum pt_status st = store(f, PT_RULE_SOURCE, name, error);
    if (st == PT_OK && there && realpath(value, real) != NULL &&
        strcmp(real, name) != 0)
        st = store(f, PT_RULE_SOURCE, real, error);
    return st;
}

enum pt_status
pt_filters_add(struct pt_filters *f, enum pt_rule_kind kind, const char *value,
               struct pt_error *error)
{
    struct pt_rule rule = {(uint8_t)kind, value};
    const char *fault = pt_rule_fault(&rule);
    if (fault != NULL)
        return pt_problem_set(error, PT_EUSAGE, 0, "--%s=%.200s %s",
                              pt_rule_name(kind), value, fault);
    return kind == PT_RULE_SOURCE ? add_source(f, value, error)
                                  : store(f, kind, value, error);
}

bool
pt_filters_have(const struct pt_filters *f, enum pt_rule_kind kind)
{
    struct pt_rule rule;
    for (size_t i = 0; i < f->n; i++)
        if (pt_rule_parse(f->list[i].data, &rule) && rule.kind == kind)
            return true;
    return false;
}

void
pt_filters_clear(struct pt_filters *f)
{
    free(f->list);
    *f = (struct pt_filters){0};
}

void
pt_filters_tell(const struct pt_filters *f, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->n && used < size; i++) {
        int n = snprintf(out + used, size - used, "%s--%s", i > 0 ? " " : "",
                         f->list[i].data);
        if (n > 0)
            used += (size_t)n;
    }
}
