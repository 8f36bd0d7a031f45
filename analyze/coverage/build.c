/* The model of each file that is selected, from its source of the collection.
 */
#include "analyze/coverage/arcs.h"
#include "analyze/coverage/coverage.h"
#include "analyze/coverage/evaluations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model's parts that belong to it; all else is the collection's. */
static void
clear_file(struct pt_cov_file *f)
{
    for (uint32_t i = 0; i < f->nfunctions; i++)
        free((void *)(uintptr_t)f->functions[i].name.data);
    free((void *)(uintptr_t)f->lacks.data);
    pt_cov_conditions_clear(f);
    free(f->functions);
    free(f->lines);
    free(f->arcs);
    free(f->jumps);
}

void
pt_coverage_clear(struct pt_coverage *c)
{
    for (uint32_t i = 0; i < c->nfiles; i++)
        clear_file(&c->files[i]);
    free(c->files);
    free((void *)(uintptr_t)c->traces);
    *c = (struct pt_coverage){.files = NULL};
}

static enum pt_status
say(struct pt_cov_file *f, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return PT_ENOMEM;
    f->lacks = (struct pt_str){copy, strlen(copy)};
    return PT_OK;
}

/* What a template's code, or any other that is no Python file, says is its
 * source may be none. */
static bool
should_be_python(struct pt_str path)
{
    const char *slash = memrchr(path.data, '/', path.len);
    const char *name = slash ? slash + 1 : path.data;
    size_t len = (size_t)(path.data + path.len - name);
    const char *dot = memrchr(name, '.', len);
    return !dot ||
           (len - (size_t)(dot - name) >= 3 && memcmp(dot, ".py", 3) == 0);
}

static enum pt_status
tell_lacks(const struct pt_cov_source *source, struct pt_cov_file *f)
{
    char text[2 * PT_ERROR_TEXT];
    int n = snprintf(text, sizeof text, "%s", source->lacks);
    if (source->others)
        snprintf(text + n, sizeof text - (size_t)n,
                 "%s%u code object%s of another text of it that ran %s left "
                 "out",
                 n ? "; " : "", source->others, pt_text_plural(source->others),
                 source->others == 1 ? "is" : "are");
    return say(f, text);
}

static enum pt_status
fill(const struct pt_cov_source *source, const struct pt_exclusion *rules,
     bool arcs, struct pt_cov_file *f)
{
    f->text = source->text;
    f->imported = source->ncodes > 0;
    f->parsed = source->syntax != NULL;
    enum pt_status st = tell_lacks(source, f);
    if (st == PT_OK)
        st = pt_cov_lines(source, &rules[source->version >= PT_COV_MODERN], f);
    if (st == PT_OK)
        st = pt_cov_functions(source, f);
    if (st == PT_OK && arcs)
        st = pt_cov_arcs_fill(source, f);
    if (st == PT_OK && arcs)
        st = pt_cov_jumps_fill(source, f);
    return st;
}

/* `evaluations` is NULL where nobody asked for conditions. */
static enum pt_status
add_file(struct pt_collection *all, size_t i, const struct pt_selection *x,
         const struct pt_exclusion *rules, struct pt_evaluations *evaluations,
         struct pt_coverage *out)
{
    struct pt_cov_source *source;
    enum pt_status st = pt_collection_open(all, i, &source);
    if (st != PT_OK)
        return st;
    if (source->syntax || should_be_python(source->path)) {
        struct pt_cov_file *f = &out->files[out->nfiles++];
        *f = (struct pt_cov_file){.path = pt_selection_name(x, source->path)};
        st = fill(source, rules, out->has_arcs, f);
        if (st == PT_OK && evaluations)
            st = pt_evaluations_add(evaluations, all, source, f,
                                    out->nfiles - 1);
    }
    pt_collection_close(source);
    return st;
}

static enum pt_status
begin(const struct pt_collection *all, struct pt_coverage *out)
{
    size_t n = pt_collection_traces(all);
    const char **traces = calloc(n + 1, sizeof *traces);
    *out = (struct pt_coverage){.traces = traces};
    out->files = calloc(pt_collection_count(all) + 1, sizeof *out->files);
    if (!traces || !out->files)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++)
        traces[out->ntraces++] = pt_trace_path(pt_collection_trace(all, i));
    return PT_OK;
}

/* --- conditions ----------------------------------------------------------- */

/* What the user asked for of a trace of the session's. */
static const struct pt_filter *
filter_of(const struct pt_session *s, const struct pt_trace *trace)
{
    if (trace == s->trace)
        return s->filter;
    for (size_t i = 0; i < s->nmore; i++)
        if (trace == s->more[i].trace)
            return s->more[i].filter;
    return s->other.filter;
}

/* Prepares for conditions, if they are asked for. */
static enum pt_status
begin_conditions(struct pt_session *s, const struct pt_collection *all,
                 struct pt_coverage *out, struct pt_evaluations **evaluations)
{
    const struct pt_cov_config *config = s->config;
    size_t n = pt_collection_traces(all);
    if (!config->conditions && !config->mcdc)
        return PT_OK;
    out->has_conditions = true;
    out->has_mcdc = config->mcdc;
    for (size_t i = 0; i < n; i++) {
        const struct pt_trace *trace = pt_collection_trace(all, i);
        const char *missing = pt_flow_lacks(trace);
        if (missing && n == 1)
            return pt_session_fail(s, PT_EUSAGE,
                                   "%s tells of no conditions: %s",
                                   pt_trace_path(trace), missing);
        if (missing)
            pt_out_say("warning: %s tells of no conditions: %s",
                       pt_trace_path(trace), missing);
    }
    return pt_evaluations_new(n, evaluations);
}

static enum pt_status
follow_conditions(struct pt_session *s, const struct pt_collection *all,
                  struct pt_evaluations *evaluations, struct pt_coverage *out)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < pt_collection_traces(all) && st == PT_OK; i++) {
        const struct pt_trace *trace = pt_collection_trace(all, i);
        if (!pt_flow_lacks(trace))
            st = pt_evaluations_run(evaluations, (uint32_t)i, trace,
                                    filter_of(s, trace), &s->error);
    }
    return st == PT_OK
               ? pt_evaluations_finish(evaluations, out->files, out->has_mcdc)
               : st;
}

static int
compare(const void *a, const void *b)
{
    struct pt_str x = ((const struct pt_cov_file *)a)->path;
    struct pt_str y = ((const struct pt_cov_file *)b)->path;
    int order = memcmp(x.data, y.data, x.len < y.len ? x.len : y.len);
    return order ? order : (x.len > y.len) - (x.len < y.len);
}

enum pt_status
pt_coverage_build(struct pt_session *s, struct pt_collection *all,
                  const struct pt_selection *x, struct pt_coverage *out)
{
    const struct pt_cov_config *config = s->config;
    const struct pt_text_list *more = &config->exclude_lines;
    struct pt_exclusion rules[2] = {{.modern = false}, {.modern = false}};
    struct pt_evaluations *evaluations = NULL;
    enum pt_status st = begin(all, out);
    out->has_arcs = config->branches;
    if (st == PT_OK)
        st = begin_conditions(s, all, out, &evaluations);
    for (size_t i = 0; st == PT_OK && i < 2; i++)
        st = pt_exclusion_init(&rules[i], i == 1, more->items, more->n,
                               &s->error);
    for (size_t i = 0; st == PT_OK && i < pt_collection_count(all); i++)
        if (pt_selection_takes(x, all, i))
            st = add_file(all, i, x, rules, evaluations, out);
    if (st == PT_OK && evaluations)
        st = follow_conditions(s, all, evaluations, out);
    pt_evaluations_free(evaluations);
    pt_exclusion_clear(&rules[0]);
    pt_exclusion_clear(&rules[1]);
    if (st != PT_OK)
        pt_coverage_clear(out);
    else if (out->nfiles)
        qsort(out->files, out->nfiles, sizeof *out->files, compare);
    return st;
}
