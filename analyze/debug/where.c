/* How places look. */
#include "analyze/debug/debugger.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <string.h>

enum { LINE_TEXT = 1024 };

void
pt_debug_put_file(struct pt_debugger *d, struct pt_str file)
{
    struct pt_str cwd = pt_trace_header(d->trace)->cwd;
    if (cwd.len && file.len > cwd.len + 1 && file.data[cwd.len] == '/' &&
        memcmp(file.data, cwd.data, cwd.len) == 0) {
        file.data += cwd.len + 1;
        file.len -= cwd.len + 1;
    }
    pt_out_str(d->out, file);
}

void
pt_debug_put_seq(struct pt_debugger *d, uint64_t seq, uint64_t k)
{
    pt_out_u64(d->out, seq);
    if (k) {
        pt_out_char(d->out, '+');
        pt_out_u64(d->out, k);
    }
}

void
pt_debug_put_thread(struct pt_debugger *d, uint32_t thread)
{
    struct pt_growing name = {0};
    pt_name_thread(d->trace, thread, &name);
    pt_out_printf(d->out, "#%" PRIu32 " (", thread);
    pt_out_str(d->out, pt_growing_whole(&name));
    pt_out_char(d->out, ')');
    pt_growing_free(&name);
}

static void
put_function(struct pt_debugger *d, uint32_t id, bool callable)
{
    char buffer[PT_NAME_TEXT];
    pt_out_str(d->out, pt_name_function(d->trace, id, callable, buffer).name);
}

void
pt_debug_put_frame(struct pt_debugger *d, const struct pt_frame *f)
{
    const struct pt_code *c =
        f->callable ? NULL : pt_trace_code(d->trace, f->id);
    pt_out_style(d->out, PT_STYLE_BOLD);
    put_function(d, f->id, f->callable);
    pt_out_style(d->out, PT_STYLE_PLAIN);
    if (f->callable)
        pt_out_text(d->out, " (C)");
    if (!c)
        return;
    pt_out_text(d->out, " at ");
    pt_debug_put_file(d, c->file);
    if (f->line)
        pt_out_printf(d->out, ":%" PRIu32, f->line);
}

/* --- source and instructions -----------------------------------------------
 */

bool
pt_debug_source(struct pt_debugger *d, uint32_t code, uint32_t line,
                struct pt_str *out)
{
    const struct pt_code *c = pt_trace_code(d->trace, code);
    const struct pt_source *s = c ? pt_trace_source(d->trace, c->source) : NULL;
    if (!s || s->text.len == 0)
        return false;
    if (d->source != c->source)
        d->text = (struct pt_source_text){.text = s->text};
    d->source = c->source;
    *out = pt_source_text_line(&d->text, line);
    return true;
}

void
pt_debug_put_ins(struct pt_debugger *d, const struct pt_graph *g,
                 uint32_t index, bool here)
{
    const struct pt_ins *ins = &g->ins[index];
    const struct pt_opcode *op = pt_operands_opcode(d->operands, g->code, ins);
    struct pt_growing meaning = {0};
    pt_out_printf(d->out, "%s +%-5" PRIu32 " ", here ? "=>" : "  ", ins->off);
    if (op)
        pt_out_str(d->out, op->name);
    else
        pt_out_char(d->out, '?');
    if (op && op->flags & PT_OP_ARG) {
        pt_out_spaces(d->out,
                      op->name.len < 28 ? 28 - (unsigned)op->name.len : 1);
        pt_out_printf(d->out, " %" PRIu32, ins->arg);
        pt_operands_put(d->operands, g->code, ins, &meaning);
        if (meaning.used) {
            pt_out_text(d->out, " (");
            pt_out_str(d->out, pt_growing_whole(&meaning));
            pt_out_char(d->out, ')');
        }
        pt_growing_free(&meaning);
    }
    pt_out_char(d->out, '\n');
}

/* --- events ----------------------------------------------------------------
 */

void
pt_debug_put_event(struct pt_debugger *d, const struct pt_place *p)
{
    static const char *const said[PT_KIND_LIMIT] = {
        [PT_CALL] = " is called",
        [PT_RETURN] = " has returned",
        [PT_YIELD] = " is suspended",
        [PT_RESUME] = " goes on",
        [PT_THROW] = " goes on with an exception",
        [PT_UNWIND] = " is left by an exception",
        [PT_C_CALL] = " is called",
        [PT_C_RETURN] = " has returned",
        [PT_C_EXCEPTION] = " has raised",
    };
    const struct pt_event *e = &p->event;
    const char *kind = pt_kind_name(e->kind);
    char name[PT_NAME_TEXT];
    switch (e->kind) {
    case PT_EXCEPTION:
        pt_out_str(d->out, pt_name_type(d->trace, e->id, name));
        pt_out_text(d->out,
                    e->arg == PT_RERAISED ? " is raised again" : " is raised");
        return;
    case PT_HANDLED:
        pt_out_text(d->out, "the exception is handled");
        return;
    case PT_THREAD:
        pt_out_text(d->out, "thread ");
        pt_debug_put_thread(d, p->thread);
        pt_out_text(d->out, e->arg ? " begins" : " ends");
        return;
    case PT_PROCESS:
        pt_out_printf(d->out, "process #%" PRIu32 " %s", p->process,
                      e->arg ? "begins" : "ends");
        return;
    case PT_GAP:
        if (e->arg == UINT64_MAX)
            pt_out_text(d->out, "events are missing here");
        else
            pt_out_printf(d->out, "%" PRIu64 " events are missing here",
                          e->arg);
        return;
    default:
        break;
    }
    bool c = e->kind == PT_C_CALL || e->kind == PT_C_RETURN ||
             e->kind == PT_C_EXCEPTION;
    if (e->kind >= PT_KIND_LIMIT || !said[e->kind] || (!c && !p->framed)) {
        pt_out_text(d->out, kind ? kind : "an event of an unknown kind");
        return;
    }
    put_function(d, c ? p->callee : p->frame.id, c);
    pt_out_text(d->out, said[e->kind]);
}

/* What lies between this place and the one before it cannot be told. */
static void
put_way(struct pt_debugger *d, const struct pt_place *p)
{
    if (p->event.kind == PT_THREAD)
        return; /* nothing of Python runs where a thread begins or ends */
    if (p->ran == PT_RAN_DESYNC)
        pt_out_printf(d->out,
                      "[what ran before is not known: the log does not fit the "
                      "code: %s]\n",
                      pt_desync_text(p->desync));
    else if (p->ran == PT_RAN_LOST)
        pt_out_text(d->out, "[what ran before is not known: the frame's "
                            "position was not]\n");
    else if (p->ran == PT_RAN_GAP)
        pt_out_text(d->out, "[events are missing before this place]\n");
}

/* --- the place -------------------------------------------------------------
 */

bool
pt_debug_frame(struct pt_debugger *d, struct pt_frame *out)
{
    size_t n = 0;
    enum pt_status st =
        pt_engine_frames(d->engine, pt_engine_selected(d->engine), out, 1, &n);
    if (st != PT_OK)
        return pt_debug_check(d, st);
    return n ? true : pt_debug_refuse(d, "No Python code is running here.");
}

static void
put_line(struct pt_debugger *d, const struct pt_place *p,
         const struct pt_frame *f)
{
    char text[LINE_TEXT];
    struct pt_str line;
    bool fine = p->walked && p->event.kind == PT_INSTRUCTION;
    if (f->line)
        pt_out_printf(d->out, "%" PRIu32 "\t", f->line);
    bool source = f->line && pt_debug_source(d, f->id, f->line, &line);
    if (source) {
        pt_source_text_show(line, 0, text, sizeof text);
        pt_out_text(d->out, text);
    } else if (f->line)
        pt_out_text(d->out, "(the trace has no source of this file)");
    if (f->line)
        pt_out_char(d->out, '\n');
    if (p->graph && (fine || !source))
        pt_debug_put_ins(d, p->graph, p->index, true);
}

bool
pt_debug_show(struct pt_debugger *d, bool whole)
{
    struct pt_place p;
    struct pt_frame f;
    size_t n = 0;
    if (!pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    if (p.thread != d->shown_thread && d->shown_thread) {
        pt_out_text(d->out, "[Thread ");
        pt_debug_put_thread(d, p.thread);
        pt_out_text(d->out, "]\n");
        whole = true;
    }
    d->shown_thread = p.thread;
    d->listed_code = 0;
    if (!p.begun) {
        pt_out_text(d->out, "The thread has not begun yet.\n");
        return true;
    }
    put_way(d, &p);
    if (!p.walked && p.event.kind != PT_LINE &&
        p.event.kind != PT_INSTRUCTION && p.event.kind != PT_VALUE) {
        pt_out_char(d->out, '[');
        pt_debug_put_event(d, &p);
        pt_out_text(d->out, "]\n");
        whole = true;
    }
    if (!pt_debug_check(d, pt_engine_frames(d->engine,
                                            pt_engine_selected(d->engine), &f,
                                            1, &n)))
        return false;
    if (n == 0) {
        d->shown_frame = UINT64_MAX;
        return true;
    }
    if (whole || f.seq != d->shown_frame) {
        pt_debug_put_frame(d, &f);
        pt_out_char(d->out, '\n');
    }
    d->shown_frame = f.seq;
    put_line(d, &p, &f);
    pt_debug_displays(d);
    return true;
}
