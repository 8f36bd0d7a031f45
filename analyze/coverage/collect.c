/* A collection: reading the traces.  What their code objects make of files is
 * sources.c's. */
#include "analyze/coverage/collection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a part of a pass over a trace of the flow ---------------------------- */

/* Counts have no beginning in the middle of a chunk: what ran before the range
 * is counted apart, and taken off in the end. */
struct part {
    const struct pt_filter *filter;
    struct pt_graph_cache *graphs;
    struct pt_counts *counts, *before;
};

static void
clear_part(struct part *p)
{
    pt_counts_free(p->counts);
    pt_counts_free(p->before);
    pt_graph_cache_free(p->graphs);
}

static enum pt_status
init_part(struct part *p, const struct pt_trace *trace,
          const struct pt_filter *filter)
{
    *p = (struct part){.filter = filter};
    enum pt_status st = pt_graph_cache_new(trace, &p->graphs);
    if (st == PT_OK)
        st = pt_counts_new(p->graphs, &p->counts);
    if (st == PT_OK)
        st = pt_counts_new(p->graphs, &p->before);
    return st;
}

/* Counts the first `n` events of a chunk. */
static enum pt_status
add_first(struct pt_counts *c, const struct pt_events *chunk, uint32_t n)
{
    struct pt_chunk_info info = *chunk->info;
    struct pt_events head = *chunk;
    info.events = n;
    head.info = &info;
    return pt_counts_add(c, &head);
}

static enum pt_status
flow_chunk(void *state, const struct pt_events *chunk)
{
    struct part *p = state;
    uint32_t first, end;
    pt_cov_range(p->filter, chunk, &first, &end);
    if (first == 0 && end == chunk->info->events)
        return pt_counts_add(p->counts, chunk);
    if (first == end)
        return PT_OK;
    enum pt_status st = add_first(p->counts, chunk, end);
    /* What led to the range's first event lies before it, unless it is a K of
     * what lies behind the event before. */
    uint32_t out = first + (first > 0 && !p->filter->from_k);
    return st == PT_OK && out > 0 ? add_first(p->before, chunk, out) : st;
}

static enum pt_status
merge_part(struct part *into, const struct part *from)
{
    enum pt_status st = pt_counts_merge(into->counts, from->counts);
    return st == PT_OK ? pt_counts_merge(into->before, from->before) : st;
}

static enum pt_status
read_flow(struct pt_cov_input *in, const struct pt_filter *filter,
          struct pt_trouble *trouble, struct pt_error *error)
{
    struct part parts[PT_PASS_MOST];
    struct pt_fold folds[PT_PASS_MOST];
    size_t n = pt_pass_parts(in->trace, filter);
    enum pt_status st = PT_OK;
    memset(parts, 0, sizeof parts);
    for (size_t i = 0; i < n && st == PT_OK; i++) {
        st = init_part(&parts[i], in->trace, filter);
        folds[i] = (struct pt_fold){.state = &parts[i], .chunk = flow_chunk};
    }
    if (st == PT_OK)
        st = pt_pass_spread(in->trace, filter, folds, n, trouble, error);
    for (size_t i = 1; i < n; i++) {
        if (st == PT_OK)
            st = merge_part(&parts[0], &parts[i]);
        clear_part(&parts[i]);
    }
    if (st != PT_OK) {
        clear_part(&parts[0]);
        return st;
    }
    in->graphs = parts[0].graphs;
    in->counts = parts[0].counts;
    in->before = parts[0].before;
    uint64_t desyncs = pt_counts_desyncs(in->counts);
    trouble->desyncs += desyncs;
    trouble->misfits += desyncs;
    return PT_OK;
}

/* --- a trace of line events ----------------------------------------------- */

static enum pt_status
read_lines(struct pt_cov_input *in, const struct pt_filter *filter,
           struct pt_trouble *trouble, struct pt_error *error)
{
    struct pt_steps *parts[PT_PASS_MOST] = {NULL};
    struct pt_fold folds[PT_PASS_MOST];
    size_t n = pt_pass_parts(in->trace, filter);
    enum pt_status st = pt_graph_cache_new(in->trace, &in->graphs);
    for (size_t i = 0; i < n && st == PT_OK; i++) {
        st = pt_steps_new(filter, &parts[i]);
        if (st == PT_OK)
            folds[i] = pt_steps_fold(parts[i]);
    }
    if (st == PT_OK)
        st = pt_pass_spread(in->trace, filter, folds, n, trouble, error);
    for (size_t i = 1; i < n; i++) {
        if (st == PT_OK)
            st = pt_steps_merge(parts[0], parts[i]);
        pt_steps_free(parts[i]);
    }
    in->steps = parts[0];
    return st;
}

/* --- a trace of the preset coverage ----------------------------------------
 */

/* It is short: each line is told once. */
static enum pt_status
read_once(struct pt_cov_input *in, const struct pt_filter *filter,
          struct pt_trouble *trouble, struct pt_error *error)
{
    enum pt_status st = pt_graph_cache_new(in->trace, &in->graphs);
    if (st == PT_OK)
        st = pt_once_new(in->graphs, filter, &in->once);
    if (st != PT_OK)
        return st;
    struct pt_fold fold = pt_once_fold(in->once);
    return pt_pass_run(in->trace, filter, &fold, 1, trouble, error);
}

/* --- collections ---------------------------------------------------------- */

enum pt_status
pt_collection_new(const char *python, struct pt_collection **out)
{
    struct pt_collection *c = calloc(1, sizeof *c);
    if (!c)
        return PT_ENOMEM;
    c->python = python;
    *out = c;
    return PT_OK;
}

static void
clear_input(struct pt_cov_input *in)
{
    pt_counts_free(in->counts);
    pt_counts_free(in->before);
    pt_steps_free(in->steps);
    pt_once_free(in->once);
    pt_graph_cache_free(in->graphs);
    pt_obtain_free(in->obtain);
}

void
pt_collection_free(struct pt_collection *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->ninputs; i++)
        clear_input(&c->inputs[i]);
    pt_collection_forget(c);
    free(c->inputs);
    free(c);
}

static enum pt_status
no_lines(const struct pt_trace *trace, const char *lacks,
         struct pt_error *error)
{
    *error = (struct pt_error){.status = PT_EUSAGE, .offset = -1, .seq = -1};
    snprintf(error->text, sizeof error->text,
             "%.150s tells of no lines: %s; --preset=flow, the default, "
             "records all that coverage can tell",
             pt_trace_path(trace), lacks);
    return PT_EUSAGE;
}

enum pt_status
pt_collection_add(struct pt_collection *c, const struct pt_trace *trace,
                  const struct pt_filter *filter, struct pt_trouble *trouble,
                  struct pt_error *error)
{
    const char *lacks = pt_flow_lacks(trace);
    const struct pt_header *h = pt_trace_header(trace);
    bool lines = h->events >> PT_LINE & 1;
    if (lacks && !lines)
        return no_lines(trace, lacks, error);
    struct pt_cov_input *inputs =
        realloc(c->inputs, (c->ninputs + 1) * sizeof *inputs);
    if (!inputs)
        return PT_ENOMEM;
    c->inputs = inputs;
    struct pt_cov_input *in = &inputs[c->ninputs++];
    *in = (struct pt_cov_input){.trace = trace};
    enum pt_status st = pt_obtain_new(trace, c->python, &in->obtain);
    if (st != PT_OK)
        return st;
    if (h->optional & PT_OPTIONAL_ONCE)
        return read_once(in, filter, trouble, error);
    return lacks ? read_lines(in, filter, trouble, error)
                 : read_flow(in, filter, trouble, error);
}

size_t
pt_collection_traces(const struct pt_collection *c)
{
    return c->ninputs;
}

const struct pt_trace *
pt_collection_trace(const struct pt_collection *c, size_t i)
{
    return c->inputs[i].trace;
}
