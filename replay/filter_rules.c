/* The rules of a filter, looked at once for each code object of a trace. */
#include "replay/filter.h"

#include <stdlib.h>

/* Code objects are constants of their own, never inside of a container. */
static bool
nests(const void *of, uint32_t line)
{
    const struct pt_filter_code *f = of;
    for (size_t i = 0; i < f->code->nconsts; i++) {
        const struct pt_const *c = &f->code->consts[i];
        const struct pt_code *code =
            c->kind == PT_CONST_CODE ? pt_trace_code(f->trace, c->n) : NULL;
        if (code && code->firstline == line)
            return true;
    }
    return false;
}

struct pt_candidate
pt_filter_candidate(const struct pt_filter_code *f)
{
    const struct pt_code *c = f->code;
    const struct pt_interpreter *python =
        pt_trace_interpreter(f->trace, c->interpreter);
    return (struct pt_candidate){
        .file = c->file,
        .name = c->name,
        .qualname = c->qualname,
        .linetable = c->linetable,
        .firstline = c->firstline,
        .stdlib = python ? python->stdlib : (struct pt_str){NULL, 0},
        .nests = nests,
        .code = f,
    };
}

/* A typing error is not an empty answer. */
static enum pt_status
check_rule(const struct pt_trace *trace, const struct pt_choice *all,
           const struct pt_rule *rule, struct pt_error *error)
{
    const struct pt_choice one = {rule, 1, all->cwd};
    bool function =
        rule->kind == PT_RULE_ONLY || rule->kind == PT_RULE_FUNCTION;
    if (!function && rule->kind != PT_RULE_SOURCE &&
        rule->kind != PT_RULE_INCLUDE && rule->kind != PT_RULE_EXCLUDE)
        return PT_OK;
    for (uint32_t id = 1; id <= pt_trace_code_count(trace); id++) {
        struct pt_filter_code code = {trace, pt_trace_code(trace, id)};
        struct pt_candidate c;
        if (!code.code)
            continue;
        c = pt_filter_candidate(&code);
        if (pt_choice_names(&one, (enum pt_rule_kind)rule->kind, &c))
            return PT_OK;
    }
    return pt_filter_fail(error, PT_ENOTFOUND,
                          "%s has no %s \"%s\"; ptana profile --all shows what "
                          "ran",
                          pt_trace_path(trace),
                          function ? "function" : "code that matches",
                          rule->value);
}

/* Code objects that the trace does not define match nothing, and stay. */
static enum pt_status
judge_codes(const struct pt_trace *trace, const struct pt_choice *choice,
            struct pt_filter *f)
{
    f->ncodes = pt_trace_code_count(trace) + 1;
    f->codes = malloc(f->ncodes);
    if (!f->codes)
        return PT_ENOMEM;
    for (uint32_t id = 0; id < f->ncodes; id++) {
        struct pt_filter_code code = {trace, pt_trace_code(trace, id)};
        struct pt_candidate c;
        f->codes[id] = PT_FILTER_KEEPS;
        if (!code.code)
            continue;
        c = pt_filter_candidate(&code);
        f->codes[id] = pt_choice_takes(choice, &c) ? PT_FILTER_KEEPS : 0;
        if (f->opens && pt_choice_names(choice, PT_RULE_FUNCTION, &c))
            f->codes[id] |= PT_FILTER_OPENS;
    }
    return PT_OK;
}

enum pt_status
pt_filter_rules(const struct pt_trace *trace, const struct pt_filter_spec *spec,
                struct pt_filter *f, struct pt_error *error)
{
    const struct pt_choice choice = {spec->rules, spec->nrules,
                                     pt_trace_header(trace)->cwd};
    enum pt_status st = PT_OK;
    f->depth = PT_DEPTH_LIMIT;
    if (spec->nrules == 0)
        return PT_OK;
    f->sieves = true;
    f->opens = pt_choice_has(&choice, PT_RULE_FUNCTION);
    f->depth = pt_choice_depth(&choice);
    for (size_t i = 0; i < spec->nrules && st == PT_OK; i++)
        st = check_rule(trace, &choice, &spec->rules[i], error);
    if (st == PT_OK)
        st = judge_codes(trace, &choice, f);
    if (st == PT_OK && pt_choice_has(&choice, PT_RULE_START_AT))
        st = pt_filter_starts(trace, &choice, f, error);
    return st;
}
