/* Sources are the one kind whose value needs thought: ptrec run looks whether
 * there is such a directory, and here the trace may be of another machine. */
#include "analyze/rules.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum pt_status
refuse(struct pt_error *error, const char *fmt, const char *name,
       const char *value, const char *fault)
{
    *error = (struct pt_error){.status = PT_EUSAGE, .offset = -1, .seq = -1};
    snprintf(error->text, sizeof error->text, fmt, name, value, fault);
    return PT_EUSAGE;
}

static bool
holds_code(const struct pt_trace *trace, const char *source)
{
    const struct pt_rule rule = {PT_RULE_SOURCE, source};
    const struct pt_choice choice = {&rule, 1, pt_trace_header(trace)->cwd};
    for (uint32_t id = 1; id <= pt_trace_code_count(trace); id++) {
        const struct pt_code *code = pt_trace_code(trace, id);
        struct pt_candidate c = {0};
        if (!code)
            continue;
        c.file = code->file;
        if (pt_choice_names(&choice, PT_RULE_SOURCE, &c))
            return true;
    }
    return false;
}

static enum pt_status
keep(struct pt_rules *r, const char *source)
{
    char *copy = strdup(source);
    if (!copy)
        return PT_ENOMEM;
    r->list[r->n++] = (struct pt_rule){PT_RULE_SOURCE, copy};
    r->sources[r->nsources++] = copy;
    return PT_OK;
}

/* A name without a slash is a directory where the trace has code below it, and
 * else a package.  A directory that is a link is meant by both its names. */
static enum pt_status
add_source(struct pt_rules *r, const struct pt_trace *trace, const char *value,
           struct pt_error *error)
{
    struct pt_str cwd = pt_trace_header(trace)->cwd;
    char name[PT_RULE_TEXT], real[PATH_MAX];
    bool fits = pt_rule_source(value, cwd, true, name, sizeof name);
    if (fits && !holds_code(trace, name))
        fits = pt_rule_source(value, cwd, false, name, sizeof name);
    if (!fits)
        return refuse(error, "--%s=%.200s %s", "source", value,
                      "is too long a name");
    enum pt_status st = PT_OK;
    bool linked = name[0] == '/' && realpath(name, real) &&
                  strcmp(name, real) != 0 && strlen(real) < PT_RULE_TEXT &&
                  holds_code(trace, real);
    if (!linked || holds_code(trace, name))
        st = keep(r, name);
    return st == PT_OK && linked ? keep(r, real) : st;
}

static enum pt_status
add(struct pt_rules *r, const struct pt_trace *trace, unsigned kind,
    const char *value, struct pt_error *error)
{
    const struct pt_rule rule = {(uint8_t)kind, value};
    const char *fault = pt_rule_fault(&rule);
    if (fault)
        return refuse(error, "--%s=%.200s %s", pt_rule_name(kind), value,
                      fault);
    if (kind == PT_RULE_SOURCE)
        return add_source(r, trace, value, error);
    r->list[r->n++] = rule;
    return PT_OK;
}

enum pt_status
pt_rules_make(const struct pt_common *common, const struct pt_trace *trace,
              struct pt_rules *out, struct pt_error *error)
{
    size_t most = 1;
    for (unsigned kind = 0; kind < PT_RULE_LIMIT; kind++)
        most += 2 * common->rules[kind].n; /* a source can be two */
    *out = (struct pt_rules){.list = calloc(most, sizeof *out->list),
                             .sources = calloc(most, sizeof *out->sources)};
    enum pt_status st = out->list && out->sources ? PT_OK : PT_ENOMEM;
    if (st == PT_OK && common->exclude_stdlib)
        st = add(out, trace, PT_RULE_EXCLUDE_STDLIB, "", error);
    for (unsigned kind = 0; kind < PT_RULE_LIMIT; kind++)
        for (size_t i = 0; st == PT_OK && i < common->rules[kind].n; i++)
            st = add(out, trace, kind, common->rules[kind].items[i], error);
    return st;
}

void
pt_rules_clear(struct pt_rules *r)
{
    for (size_t i = 0; i < r->nsources; i++)
        free(r->sources[i]);
    free(r->sources);
    free(r->list);
    *r = (struct pt_rules){0};
}
