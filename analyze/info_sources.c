/* ptana info --sources: the source files, and which have syntax. */
#include "analyze/info.h"
#include "analyze/json.h"

#include <pt/syntax.h>

#include <inttypes.h>
#include <stdio.h>

/* Calls for each syntax of the source, or once with NULL where it has none. */
static enum pt_status
each_syntax(struct pt_session *s, struct pt_syntaxes *all, uint32_t source,
            void (*show)(struct pt_session *, const struct pt_syntax *,
                         void *state),
            void *state)
{
    bool any = false;
    for (size_t i = 0; i < pt_syntaxes_count(all); i++) {
        const struct pt_syntax_place *p = pt_syntaxes_place(all, i);
        struct pt_syntax *syntax;
        if (p->source != source)
            continue;
        enum pt_status st = pt_syntaxes_load(all, source, p->version, &syntax);
        if (st == PT_EDAMAGED) {
            s->trouble.bad_chunks++;
            continue;
        }
        if (st != PT_OK)
            return st;
        show(s, syntax, state);
        pt_syntax_free(syntax);
        any = true;
    }
    if (!any)
        show(s, NULL, state);
    return PT_OK;
}

static void
text_row(struct pt_session *s, const struct pt_syntax *syntax, void *state)
{
    const struct pt_source *source = state;
    char size[PT_NUMBER_TEXT], version[24] = "-";
    if (syntax != NULL)
        snprintf(version, sizeof version, "%" PRIu32 ".%" PRIu32,
                 syntax->version >> 8, syntax->version & 255);
    bool parsed = syntax != NULL && syntax->failure.len == 0;
    pt_out_printf(s->out, "%12s  %-7s", pt_text_size(source->text.len, size),
                  version);
    if (parsed)
        pt_out_printf(s->out, " %10zu %9zu  ", syntax->nstatements,
                      syntax->nexpressions);
    else
        pt_out_printf(s->out, " %10s %9s  ", "-", "-");
    pt_out_str(s->out, source->file);
    if (syntax != NULL && !parsed) {
        pt_out_text(s->out, " (");
        pt_out_str(s->out, syntax->failure);
        pt_out_text(s->out, ")");
    }
    pt_out_text(s->out, "\n");
}

static void
json_row(struct pt_session *s, const struct pt_syntax *syntax, void *state)
{
    struct pt_json *j = state;
    (void)s;
    if (syntax == NULL)
        return;
    char version[24];
    snprintf(version, sizeof version, "%" PRIu32 ".%" PRIu32,
             syntax->version >> 8, syntax->version & 255);
    pt_json_open(j, '{');
    pt_json_member_text(j, "python", version);
    pt_json_key(j, "failure");
    if (syntax->failure.len > 0)
        pt_json_str(j, syntax->failure);
    else
        pt_json_null(j);
    pt_json_member_u64(j, "lines", syntax->lines);
    pt_json_member_u64(j, "statements", syntax->nstatements);
    pt_json_member_u64(j, "expressions", syntax->nexpressions);
    pt_json_close(j, '}');
}

static enum pt_status
json_source(struct pt_session *s, struct pt_syntaxes *all, uint32_t id,
            struct pt_json *j)
{
    const struct pt_source *source = pt_trace_source(s->trace, id);
    pt_json_open(j, '{');
    pt_json_member_u64(j, "id", id);
    pt_json_member_str(j, "file", source->file);
    pt_json_member_str(j, "path", source->path);
    pt_json_member_u64(j, "bytes", source->text.len);
    pt_json_key(j, "syntax");
    pt_json_open(j, '[');
    enum pt_status st = each_syntax(s, all, id, json_row, j);
    pt_json_close(j, ']');
    pt_json_close(j, '}');
    return st;
}

enum pt_status
pt_info_sources(struct pt_session *s)
{
    struct pt_syntaxes *all;
    struct pt_json j;
    bool json = pt_session_format(s, "json");
    enum pt_status st = pt_syntaxes_new(s->trace, &all);
    if (st != PT_OK)
        return st;
    s->trouble.bad_chunks += pt_syntaxes_bad(all);
    if (json) {
        pt_json_init(&j, s->out, 3);
        pt_json_open(&j, '{');
        pt_json_member_u64(&j, "version", 1);
        pt_json_key(&j, "sources");
        pt_json_open(&j, '[');
    } else {
        pt_out_style(s->out, PT_STYLE_BOLD);
        pt_out_printf(s->out, "%12s  %-7s %10s %9s  %s\n", "size", "parsed",
                      "statements", "parts", "file");
        pt_out_style(s->out, PT_STYLE_PLAIN);
    }
    for (uint32_t id = 1; st == PT_OK && id <= pt_trace_source_count(s->trace);
         id++) {
        const struct pt_source *source = pt_trace_source(s->trace, id);
        if (source == NULL)
            continue;
        st = json
                 ? json_source(s, all, id, &j)
                 : each_syntax(s, all, id, text_row, (void *)(uintptr_t)source);
    }
    if (json) {
        pt_json_close(&j, ']');
        pt_json_close(&j, '}');
        pt_json_finish(&j);
    }
    pt_syntaxes_free(all);
    return st;
}
