#include "analyze/obtain.h"
#include "syntax/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pt_obtain {
    const struct pt_trace *trace;
    const char *python;
    struct pt_syntaxes *told; /* the trace's own */
    struct pt_parser parser;  /* of `running`, if its pid is not 0 */
    uint32_t running;
    uint32_t missing; /* a version that is not here, 0 none */
};

enum pt_status
pt_obtain_new(const struct pt_trace *trace, const char *python,
              struct pt_obtain **out)
{
    struct pt_obtain *o = calloc(1, sizeof *o);
    if (o == NULL)
        return PT_ENOMEM;
    o->trace = trace;
    o->python = python;
    o->parser.fd = -1;
    enum pt_status st = pt_syntaxes_new(trace, &o->told);
    if (st == PT_OK)
        *out = o;
    else
        pt_obtain_free(o);
    return st;
}

void
pt_obtain_free(struct pt_obtain *o)
{
    if (o == NULL)
        return;
    pt_parser_stop(&o->parser);
    pt_syntaxes_free(o->told);
    free(o);
}

static enum pt_status
not_here(const struct pt_obtain *o, uint32_t version, struct pt_error *error)
{
    unsigned major = version >> 8, minor = version & 255;
    *error = (struct pt_error){.status = PT_ENOTFOUND, .offset = -1, .seq = -1};
    if (o->python != NULL)
        snprintf(error->text, sizeof error->text,
                 "%.100s is no Python %u.%u, which ran the program and whose "
                 "parser is needed; name another with --python",
                 o->python, major, minor);
    else
        snprintf(error->text, sizeof error->text,
                 "no python%u.%u on PATH, which ran the program and whose "
                 "parser is needed; name one with --python, or record with "
                 "--syntax=all",
                 major, minor);
    return PT_ENOTFOUND;
}

/* Starts a parser of the version, if there is one. */
static enum pt_status
start(struct pt_obtain *o, uint32_t version, struct pt_error *error)
{
    char exact[32];
    snprintf(exact, sizeof exact, "python%u.%u", (unsigned)(version >> 8),
             (unsigned)(version & 255));
    const char *const names[] = {o->python != NULL ? o->python : exact,
                                 o->python != NULL ? NULL : "python3"};
    if (o->missing == version)
        return not_here(o, version, error);
    for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
        pt_parser_stop(&o->parser);
        if (pt_parser_start(&o->parser, names[i], 0, error) == PT_OK &&
            o->parser.version == version) {
            o->running = version;
            return PT_OK;
        }
    }
    pt_parser_stop(&o->parser);
    o->missing = version;
    return not_here(o, version, error);
}

enum pt_status
pt_obtain_text(struct pt_obtain *o, struct pt_str text, uint32_t version,
               struct pt_error *error, struct pt_syntax **out)
{
    if (o->parser.pid == 0 || o->running != version) {
        enum pt_status st = start(o, version, error);
        if (st != PT_OK)
            return st;
    }
    return pt_parser_parse(&o->parser, text, out);
}

enum pt_status
pt_obtain_syntax(struct pt_obtain *o, uint32_t source, uint32_t version,
                 struct pt_error *error, struct pt_syntax **out)
{
    const struct pt_source *s = pt_trace_source(o->trace, source);
    enum pt_status st = pt_syntaxes_load(o->told, source, version, out);
    if (st != PT_ENOTFOUND && st != PT_EDAMAGED)
        return st;
    if (s == NULL) {
        *error =
            (struct pt_error){.status = PT_ENOTFOUND, .offset = -1, .seq = -1};
        snprintf(error->text, sizeof error->text,
                 "%.150s has no source number %u", pt_trace_path(o->trace),
                 (unsigned)source);
        return PT_ENOTFOUND;
    }
    st = pt_obtain_text(o, s->text, version, error, out);
    if (st == PT_OK)
        (*out)->source = source;
    return st;
}
