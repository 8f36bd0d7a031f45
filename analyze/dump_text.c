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
    PART_LEAST = 12, /* of a name, before the file's is cut */
    FILE_LEAST = 6,
    TEXT = PT_DUMP_TEXT,
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

/* runs #3 worker (fetch) */
static void
describe_task(const struct pt_trace *trace, const struct pt_event *e,
              char *text)
{
    const struct pt_task *task = pt_event_task(trace, e);
    const struct pt_code *code = task ? pt_trace_code(trace, task->code) : NULL;
    const char *act = pt_task_act_name(e->dst);
    size_t used = (size_t)snprintf(text, TEXT, "%s #%" PRIu64 " ",
                                   act ? act : "?", e->arg);
    if (task)
        used += pt_text_escape(task->name, text + used, TEXT - 4 - used);
    if (!code)
        return;
    memcpy(text + used, " (", 3);
    used += 2;
    used += pt_text_escape(code->qualname, text + used, TEXT - 2 - used);
    memcpy(text + used, ")", 2);
}

bool
pt_dump_text_what(const struct pt_trace *trace, const struct pt_merged *m,
                  const struct pt_dump_value *value, char *text)
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
    case PT_VALUE:
        if (value)
            pt_dump_value_text(value, text);
        return true;
    case PT_GAP:
        if (e->arg == UINT64_MAX)
            snprintf(text, TEXT, "events are missing here");
        else
            snprintf(text, TEXT, "%" PRIu64 " event%s missing here", e->arg,
                     e->arg == 1 ? " is" : "s are");
        return false;
    case PT_SWITCH:
        if (e->has & PT_HAS(DST))
            snprintf(text, TEXT, "greenlet %" PRIu64 " goes on, after %" PRIu32,
                     e->arg, e->dst);
        else
            snprintf(text, TEXT, "to greenlet %" PRIu64, e->arg);
        return false;
    case PT_TASK:
        describe_task(trace, e, text);
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

void
pt_dump_text_file(const struct pt_code *code, char *text)
{
    size_t at = code->file.len;
    while (at && code->file.data[at - 1] != '/')
        at--;
    pt_text_escape((struct pt_str){code->file.data + at, code->file.len - at},
                   text, TEXT);
}

void
pt_dump_text_give(char *text, unsigned least, unsigned *over)
{
    unsigned now = pt_text_width(text);
    unsigned cut = now > least ? now - least : 0;
    if (cut > *over)
        cut = *over;
    if (cut == 0)
        return;
    pt_text_shorten(text, now - cut);
    *over -= cut;
}

static void
put_where(struct pt_session *s, const struct pt_merged *m,
          const struct pt_dump_value *value, unsigned room)
{
    struct pt_out *o = s->out;
    char first[TEXT], name[TEXT] = "?", file[TEXT] = "", line[16] = "";
    const struct pt_code *code =
        m->step.framed ? pt_trace_code(s->trace, m->step.frame.id) : NULL;
    bool more = pt_dump_text_what(s->trace, m, value, first);
    if (!more) {
        if (o->fit)
            pt_text_shorten(first, room);
        pt_out_text(o, first);
        return;
    }
    if (code) {
        pt_text_escape(code->qualname, name, sizeof name);
        pt_dump_text_file(code, file);
        if (m->step.frame.line)
            snprintf(line, sizeof line, ":%" PRIu32, m->step.frame.line);
    }
    if (o->fit) {
        unsigned used = pt_text_width(first) + pt_text_width(name);
        if (code)
            used += 4 + pt_text_width(file) + (unsigned)strlen(line);
        unsigned over = used > room ? used - room : 0;
        pt_dump_text_give(name, PART_LEAST, &over);
        pt_dump_text_give(first, PART_LEAST, &over);
        pt_dump_text_give(file, FILE_LEAST, &over);
        if (over && pt_text_width(file) > 2) {
            /* A cut name of six letters tells less than a whole function. */
            unsigned got = pt_text_width(file) - 2;
            over -= got < over ? got : over;
            memcpy(file, "..", 3);
        }
        pt_dump_text_give(name, FILE_LEAST, &over);
        pt_dump_text_give(first, FILE_LEAST, &over);
    }
    pt_out_text(o, first);
    pt_out_text(o, name);
    if (!code)
        return;
    pt_out_style(o, PT_STYLE_DIM);
    pt_out_text(o, "  (");
    pt_out_text(o, file);
    pt_out_text(o, line);
    pt_out_char(o, ')');
    pt_out_style(o, PT_STYLE_PLAIN);
}

void
pt_dump_text_when(const struct pt_merged *m, char *text)
{
    int64_t t = m->event->time;
    char thread[16], time[40], seq[48];
    snprintf(thread, sizeof thread, "#%" PRIu32, m->thread);
    if (m->k)
        snprintf(seq, sizeof seq, "%" PRIu64 "+%" PRIu64, m->seq, m->k);
    else
        snprintf(seq, sizeof seq, "%" PRIu64, m->seq);
    snprintf(time, sizeof time, "%s%s%" PRId64 ".%09" PRId64,
             m->timed ? "" : "~", t < 0 ? "-" : "",
             t < 0 ? -(t / 1000000000) : t / 1000000000,
             t < 0 ? -(t % 1000000000) : t % 1000000000);
    snprintf(text, TEXT, "%10s  %15s  %6s  ", seq, time, thread);
}

void
pt_dump_text_line(struct pt_session *s, const struct pt_merged *m,
                  const struct pt_dump_value *value)
{
    struct pt_out *o = s->out;
    char when[TEXT];
    const char *name = pt_kind_name(m->event->kind);
    pt_dump_text_when(m, when);
    pt_out_text(o, when);
    pt_out_printf(o, "%-*s  ", KIND_WIDTH, name ? name : "?");
    unsigned room = o->width > BEFORE ? o->width - BEFORE : 0;
    unsigned most = o->fit && room / 3 < INDENT_MOST ? room / 3 : INDENT_MOST;
    unsigned depth = m->step.depth < most ? (unsigned)m->step.depth : most;
    pt_out_spaces(o, depth);
    put_where(s, m, value, room > depth ? room - depth : 0);
    pt_out_char(o, '\n');
}
