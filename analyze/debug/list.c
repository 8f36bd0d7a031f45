/* Commands that show source and instructions. */
#include "analyze/debug/debugger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { AROUND = 5, LISTED = 10, LINE_TEXT = 1024 };

/* --- source ----------------------------------------------------------------
 */

static bool
has_lines(struct pt_debugger *d, uint32_t code, uint32_t line)
{
    struct pt_str text;
    /* An empty line is no end: its text is not NULL, but it is "" there, too;
     * so the source's own is asked. */
    return pt_debug_source(d, code, line, &text) &&
           d->text.at < d->text.text.len;
}

static bool
put_lines(struct pt_debugger *d, uint32_t code, uint32_t first, uint32_t last,
          uint32_t here)
{
    char text[LINE_TEXT];
    struct pt_str line;
    const struct pt_code *c = pt_trace_code(d->trace, code);
    if (!pt_debug_source(d, code, first, &line))
        return pt_debug_refuse(
            d,
            "The trace has no source of %.*s; disassemble shows its "
            "instructions.",
            c ? (int)c->file.len : 1, c ? c->file.data : "?");
    if (!has_lines(d, code, first))
        return pt_debug_refuse(d, "The file has no line %" PRIu32 ".", first);
    for (uint32_t n = first; n <= last && has_lines(d, code, n); n++) {
        pt_debug_source(d, code, n, &line);
        pt_source_text_show(line, 0, text, sizeof text);
        bool marked = n == here;
        if (marked)
            pt_out_style(d->out, PT_STYLE_BOLD);
        pt_out_printf(d->out, "%" PRIu32 "%s\t%s", n, marked ? " =>" : "",
                      text);
        if (marked)
            pt_out_style(d->out, PT_STYLE_PLAIN);
        pt_out_char(d->out, '\n');
    }
    d->listed_code = code;
    d->listed_first = first;
    d->listed_last = last;
    return true;
}

static bool
put_around(struct pt_debugger *d, uint32_t code, uint32_t line, uint32_t here)
{
    uint32_t first = line > AROUND ? line - AROUND : 1;
    return put_lines(d, code, first, first + LISTED - 1, here);
}

static bool
list_on(struct pt_debugger *d, bool back, uint32_t here)
{
    if (!back) {
        if (d->listed_last >= UINT32_MAX - LISTED)
            return pt_debug_refuse(d, "That was the last line.");
        return put_lines(d, d->listed_code, d->listed_last + 1,
                         d->listed_last + LISTED, here);
    }
    if (d->listed_first <= 1)
        return pt_debug_refuse(d, "That was the first line.");
    uint32_t last = d->listed_first - 1;
    return put_lines(d, d->listed_code, last > LISTED ? last - LISTED + 1 : 1,
                     last, here);
}

bool
pt_command_list(struct pt_debugger *d, const char *args)
{
    struct pt_located at;
    struct pt_frame f = {0};
    size_t n = 0;
    if (!pt_debug_check(d, pt_engine_frames(d->engine,
                                            pt_engine_selected(d->engine), &f,
                                            1, &n)))
        return false;
    bool framed = n && !f.callable;
    uint32_t code = d->listed_code;
    uint32_t here = framed && (!code || code == f.id) ? f.line : 0;
    if (code && (*args == 0 || strcmp(args, "-") == 0))
        return list_on(d, *args == '-', here);
    if (*args == 0 || strcmp(args, "-") == 0)
        return framed ? put_around(d, f.id, f.line, f.line)
                      : pt_debug_refuse(d, "No Python code is running here.");
    char *end;
    unsigned long first = strtoul(args, &end, 10), last;
    if (first && *end == ',' && framed) {
        last = strtoul(end + 1, &end, 10);
        if (*end || last < first || last >= UINT32_MAX)
            return pt_debug_refuse(d, "\"%s\" is no FIRST,LAST.", args);
        return put_lines(d, f.id, (uint32_t)first, (uint32_t)last, f.line);
    }
    if (first && *end == 0 && first < UINT32_MAX && framed)
        return put_around(d, f.id, (uint32_t)first, f.line);
    if (pt_locate(d->trace, args, framed ? f.id : 0, f.line, &at) != PT_OK)
        return pt_debug_refuse(d, "%s.", at.error.text);
    code = at.targets[0].code;
    free(at.targets);
    return put_around(d, code, at.line, framed && code == f.id ? f.line : 0);
}

/* --- instructions ----------------------------------------------------------
 */

static bool
put_code(struct pt_debugger *d, uint32_t code, uint32_t off)
{
    const struct pt_code *c = pt_trace_code(d->trace, code);
    const struct pt_graph *g = pt_graph_cache_at(d->graphs, code);
    struct pt_lines *lines;
    uint32_t line = 0;
    if (!c || !g)
        return pt_debug_check(d, pt_graph_cache_status(d->graphs)) &&
               pt_debug_refuse(d, "The trace has no bytecode of it.");
    if (!pt_debug_check(d, pt_lines_new(c, &lines)))
        return false;
    pt_out_style(d->out, PT_STYLE_BOLD);
    pt_out_str(d->out, c->qualname);
    pt_out_style(d->out, PT_STYLE_PLAIN);
    pt_out_text(d->out, " in ");
    pt_debug_put_file(d, c->file);
    pt_out_char(d->out, '\n');
    for (uint32_t i = 0; i < g->n && !pt_interrupted(NULL); i++) {
        uint32_t at = pt_lines_at(lines, g->ins[i].off).line;
        if (at && at != line)
            pt_out_printf(d->out, "%" PRIu32 "\n", at);
        line = at ? at : line;
        pt_debug_put_ins(d, g, i, g->ins[i].off == off);
    }
    pt_lines_free(lines);
    return true;
}

bool
pt_command_disassemble(struct pt_debugger *d, const char *args)
{
    struct pt_located at;
    struct pt_frame f;
    struct pt_place p;
    if (*args) {
        if (pt_locate(d->trace, args, 0, 0, &at) != PT_OK)
            return pt_debug_refuse(d, "%s.", at.error.text);
        bool done = true;
        for (size_t i = 0; i < at.n && done; i++)
            done = put_code(d, at.targets[i].code, UINT32_MAX);
        free(at.targets);
        return done;
    }
    if (!pt_debug_frame(d, &f) ||
        !pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    if (f.callable)
        return pt_debug_refuse(d, "A C function has no bytecode.");
    uint32_t off = f.off;
    if (p.graph && p.framed && p.frame.seq == f.seq)
        off = p.graph->ins[p.index].off;
    return put_code(d, f.id, off);
}
