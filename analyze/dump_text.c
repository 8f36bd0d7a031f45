/* Events to read: a line each, which fits the terminal if there is one. */
#include "analyze/dump.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    KIND_WIDTH = 11,
    BEFORE =
        10 + 2 + 15 + 2 + 6 + 2 + KIND_WIDTH + 2, /* what stands in front */
    INDENT_MOST = 40,
    NAME_LEAST = 12,
    TEXT = 2 * PT_NAME_TEXT,
};

void
pt_dump_text_head(struct pt_out *o)
{
    pt_out_style(o, PT_STYLE_BOLD);
    pt_out_printf(o, "%10s  %15s  %6s  %-*s  %s", "seq", "time", "thread",
                  KIND_WIDTH, "event", "where");
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_char(o, '\n');
}

/* What the event itself says; false where there is no more to say. */
static bool
what(const struct pt_trace *trace, const struct pt_merged *m, char *text)
{
    const struct pt_event *e = m->event;
    char name[PT_NAME_TEXT];
    size_t used;
    text[0] = 0;
    switch (e->kind) {
    case PT_C_CALL:
    case PT_C_RETURN:
    case PT_C_EXCEPTION:
        used = pt_text_escape(pt_name_callable(trace, m->step.callee, name),
                              text, TEXT - 2);
        memcpy(text + used, "  ", 3);
        return true;
    case PT_INSTRUCTION:
    case PT_HANDLED:
        snprintf(text, TEXT, "+%" PRIu32 "  ", e->pos);
        return true;
    case PT_BRANCH:
    case PT_JUMP:
        snprintf(text, TEXT, "+%" PRIu32 " -> +%" PRIu32 "  ", e->pos, e->dst);
        return true;
    case PT_EXCEPTION:
        used = (size_t)snprintf(text, TEXT, "+%" PRIu32 " %s", e->pos,
                                e->arg == PT_RERAISED ? "again " : "");
        used += pt_text_escape(pt_name_type(trace, e->id, name), text + used,
                               TEXT - 2 - used);
        memcpy(text + used, "  ", 3);
        return true;
    case PT_GAP:
        if (e->arg == UINT64_MAX)
            snprintf(text, TEXT, "events are missing here");
        else
            snprintf(text, TEXT, "%" PRIu64 " event%s missing here", e->arg,
                     e->arg == 1 ? " is" : "s are");
        return false;
    case PT_THREAD:
    case PT_PROCESS:
        snprintf(text, TEXT, "%s", e->arg ? "begins" : "ends");
        return false;
    case PT_CALL:
    case PT_UNWIND:
        if (e->arg == PT_IMPLIED)
            snprintf(text, TEXT, "(not told) ");
        return true;
    default:
        return true;
    }
}

/* "(file.py:12)" of the event's frame. */
static void
place(const struct pt_code *code, uint32_t line, char *text)
{
    size_t at = code->file.len, used;
    while (at && code->file.data[at - 1] != '/')
        at--;
    text[0] = '(';
    used = 1 + pt_text_escape(
                   (struct pt_str){code->file.data + at, code->file.len - at},
                   text + 1, TEXT - 20);
    if (line)
        snprintf(text + used, 20, ":%" PRIu32 ")", line);
    else
        snprintf(text + used, 20, ")");
}

static void
put_where(struct pt_session *s, const struct pt_merged *m, unsigned room)
{
    struct pt_out *o = s->out;
    char first[TEXT], name[TEXT], file[TEXT];
    const struct pt_code *code =
        m->step.framed ? pt_trace_code(s->trace, m->step.frame.id) : NULL;
    bool more = what(s->trace, m, first);
    if (code)
        pt_text_escape(code->qualname, name, sizeof name);
    else
        memcpy(name, "?", 2);
    if (o->fit) {
        unsigned least = pt_text_width(name);
        if (least > NAME_LEAST)
            least = NAME_LEAST;
        pt_text_shorten(first, more && room > least ? room - least : room);
    }
    pt_out_text(o, first);
    if (!more)
        return;
    if (!code) {
        pt_out_text(o, name);
        return;
    }
    place(code, m->step.frame.line, file);
    if (o->fit) {
        unsigned used = pt_text_width(first), f = pt_text_width(file) + 2;
        unsigned left = room > used ? room - used : 0;
        if (f + NAME_LEAST > left)
            f = 0; /* no room for the file */
        pt_text_shorten(name, left - f);
        if (f == 0)
            file[0] = 0;
    }
    pt_out_text(o, name);
    if (file[0]) {
        pt_out_style(o, PT_STYLE_DIM);
        pt_out_text(o, "  ");
        pt_out_text(o, file);
        pt_out_style(o, PT_STYLE_PLAIN);
    }
}

void
pt_dump_text_line(struct pt_session *s, const struct pt_merged *m)
{
    struct pt_out *o = s->out;
    int64_t t = m->event->time;
    const char *name = pt_kind_name(m->event->kind);
    char thread[16], time[40];
    snprintf(thread, sizeof thread, "#%" PRIu32, m->thread);
    snprintf(time, sizeof time, "%s%" PRId64 ".%09" PRId64, t < 0 ? "-" : "",
             t < 0 ? -(t / 1000000000) : t / 1000000000,
             t < 0 ? -(t % 1000000000) : t % 1000000000);
    pt_out_printf(o, "%10" PRIu64 "  %15s  %6s  %-*s  ", m->seq, time, thread,
                  KIND_WIDTH, name ? name : "?");
    unsigned room = o->width > BEFORE ? o->width - BEFORE : 0;
    unsigned most = o->fit && room / 3 < INDENT_MOST ? room / 3 : INDENT_MOST;
    unsigned depth = m->step.depth < most ? (unsigned)m->step.depth : most;
    pt_out_spaces(o, depth);
    put_where(s, m, room > depth ? room - depth : 0);
    pt_out_char(o, '\n');
}
