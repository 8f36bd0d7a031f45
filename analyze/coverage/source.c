/* One source of a collection, opened. */
#include "analyze/coverage/collection.h"
#include "analyze/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t
version_of(const struct pt_trace *trace, const struct pt_code *code)
{
    const struct pt_interpreter *python =
        pt_trace_interpreter(trace, code->interpreter);
    return python ? python->hexversion >> 16 : 0;
}

/* The Python that ran it; NULL unknown. */
static const struct pt_interpreter *
python_of(const struct pt_collection *c, const struct pt_cov_entry *e)
{
    if (e->n == 0)
        return NULL;
    const struct pt_cov_member *m = &c->members[e->first];
    const struct pt_trace *trace = c->inputs[m->trace].trace;
    return pt_trace_interpreter(trace,
                                pt_trace_code(trace, m->id)->interpreter);
}

struct pt_str
pt_collection_stdlib(const struct pt_collection *c, size_t i)
{
    const struct pt_interpreter *python = python_of(c, &c->entries[i]);
    return python ? python->stdlib : (struct pt_str){NULL, 0};
}

bool
pt_collection_is_script(const struct pt_collection *c, size_t i)
{
    const struct pt_cov_entry *e = &c->entries[i];
    const struct pt_interpreter *python = python_of(c, e);
    struct pt_str path = python ? python->executable : (struct pt_str){NULL, 0};
    const char *own = memrchr(e->path, '/', e->length);
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    return own && slash && own - e->path == slash - path.data &&
           memcmp(e->path, path.data, (size_t)(slash - path.data)) == 0;
}

bool
pt_collection_ran(const struct pt_collection *c, size_t i)
{
    return c->entries[i].n > 0;
}

/* --- what ran ------------------------------------------------------------- */

static void
take_off(uint64_t *from, const uint64_t *what, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        from[i] -= from[i] < what[i] ? from[i] : what[i];
}

/* What ran in the range; NULL where nothing did. */
static enum pt_status
count(const struct pt_cov_input *in, uint32_t id, struct pt_code_counts **out)
{
    struct pt_code_counts *before;
    enum pt_status st = pt_counts_code(in->counts, id, out);
    if (st == PT_ENOTFOUND) {
        *out = NULL;
        return PT_OK;
    }
    if (st != PT_OK)
        return st;
    st = pt_counts_code(in->before, id, &before);
    if (st == PT_ENOTFOUND)
        return PT_OK;
    if (st != PT_OK)
        return st;
    uint32_t n = (*out)->graph->n;
    take_off((*out)->ran, before->ran, n);
    take_off((*out)->next, before->next, n);
    take_off((*out)->jump, before->jump, n);
    take_off((*out)->raised, before->raised, n);
    pt_code_counts_free(before);
    return PT_OK;
}

static enum pt_status
open_code(const struct pt_cov_input *in, struct pt_cov_code *c)
{
    c->graph = pt_graph_cache_at(in->graphs, c->id);
    if (!c->graph && pt_graph_cache_status(in->graphs) != PT_OK)
        return PT_ENOMEM;
    if (in->steps)
        return pt_steps_code(in->steps, c->id, &c->steps, &c->nsteps,
                             &c->calls);
    c->once = in->once != NULL;
    enum pt_status st = c->once ? pt_once_code(in->once, c->id, &c->counts)
                                : count(in, c->id, &c->counts);
    if (st != PT_OK || !c->counts)
        return st;
    if (c->graph && c->graph->start < c->graph->n)
        c->calls = c->counts->ran[c->graph->start];
    return pt_steps_of_counts(c->counts, &c->steps, &c->nsteps);
}

static enum pt_status
open_codes(const struct pt_collection *c, const struct pt_cov_entry *e,
           struct pt_cov_source *out)
{
    enum pt_status st = PT_OK;
    out->codes = calloc(e->n + (size_t)1, sizeof *out->codes);
    if (!out->codes)
        return PT_ENOMEM;
    for (uint32_t i = 0; st == PT_OK && i < e->n; i++) {
        const struct pt_cov_member *m = &c->members[e->first + i];
        const struct pt_cov_input *in = &c->inputs[m->trace];
        const struct pt_code *code = pt_trace_code(in->trace, m->id);
        struct pt_cov_code *to = &out->codes[out->ncodes++];
        *to = (struct pt_cov_code){.trace = m->trace,
                                   .id = m->id,
                                   .version = version_of(in->trace, code),
                                   .code = code};
        st = open_code(in, to);
    }
    return st;
}

/* --- syntax --------------------------------------------------------------- */

/* The newest version below `limit` of those that ran it, 0 none; of a file that
 * none ran, of those that ran anything. */
static uint32_t
newest(const struct pt_collection *c, const struct pt_cov_source *s,
       uint32_t limit)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < s->ncodes; i++)
        if (s->codes[i].version < limit && s->codes[i].version > best)
            best = s->codes[i].version;
    for (size_t t = 0; s->ncodes == 0 && t < c->ninputs; t++) {
        const struct pt_trace *trace = c->inputs[t].trace;
        for (uint32_t i = 1; i <= pt_trace_interpreter_count(trace); i++) {
            const struct pt_interpreter *p = pt_trace_interpreter(trace, i);
            if (p && p->hexversion >> 16 < limit && p->hexversion >> 16 > best)
                best = p->hexversion >> 16;
        }
    }
    return best;
}

static enum pt_status
obtain(struct pt_collection *c, const struct pt_cov_entry *e, uint32_t version,
       struct pt_cov_source *s)
{
    struct pt_error error = {.text = ""};
    struct pt_obtain *from = c->inputs[e->trace].obtain;
    enum pt_status st =
        e->source
            ? pt_obtain_syntax(from, e->source, version, &error, &s->syntax)
            : pt_obtain_text(from, s->text, version, &error, &s->syntax);
    s->version = version;
    if (st == PT_ENOMEM || st == PT_OK)
        return st;
    if (!s->lacks[0])
        snprintf(s->lacks, sizeof s->lacks, "%s",
                 error.text[0] ? error.text : pt_status_name(st));
    s->syntax = NULL;
    return PT_OK;
}

/* What a parser refuses has no syntax. */
static void
refuse_failure(struct pt_cov_source *s)
{
    char text[PT_ERROR_TEXT];
    if (!s->syntax || s->syntax->failure.len == 0)
        return;
    pt_text_escape(s->syntax->failure, text, sizeof text);
    snprintf(s->lacks, sizeof s->lacks, "not parsed: %.200s", text);
    pt_syntax_free(s->syntax);
    s->syntax = NULL;
}

static enum pt_status
open_syntax(struct pt_collection *c, const struct pt_cov_entry *e,
            struct pt_cov_source *s)
{
    enum pt_status st = PT_OK;
    if (!e->source && !e->text) {
        snprintf(s->lacks, sizeof s->lacks, "the trace does not have its text");
        return PT_OK;
    }
    uint32_t version = UINT32_MAX;
    while (st == PT_OK && !s->syntax && (version = newest(c, s, version)) != 0)
        st = obtain(c, e, version, s);
    if (s->syntax)
        s->lacks[0] = 0;
    refuse_failure(s);
    return st;
}

enum pt_status
pt_collection_open(struct pt_collection *c, size_t i,
                   struct pt_cov_source **out)
{
    const struct pt_cov_entry *e = &c->entries[i];
    struct pt_cov_source *s = calloc(1, sizeof *s);
    if (!s)
        return PT_ENOMEM;
    s->path = pt_collection_path(c, i);
    if (e->source)
        s->text = pt_trace_source(c->inputs[e->trace].trace, e->source)->text;
    else
        s->text = (struct pt_str){e->text, e->size};
    s->others = e->others;
    enum pt_status st = open_codes(c, e, s);
    if (st == PT_OK)
        st = open_syntax(c, e, s);
    if (st == PT_OK)
        *out = s;
    else
        pt_collection_close(s);
    return st;
}

void
pt_collection_close(struct pt_cov_source *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->ncodes; i++) {
        pt_code_counts_free(s->codes[i].counts);
        free(s->codes[i].steps);
    }
    free(s->codes);
    pt_syntax_free(s->syntax);
    free(s);
}
