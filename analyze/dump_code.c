/* Instructions to read: a line each, which fits the terminal if there is one,
 * and lines between them for the events that lie there. */
#include "analyze/dump.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT = PT_DUMP_TEXT,
    WHEN_WIDTH = 10 + 2 + 15 + 2 + 6 + 2,
    PLACE_WIDTH = 18,
    PLACE_NARROW = 12, /* below WIDE columns in all */
    WIDE = 100,
    COLUMNS_WIDTH = 9,
    ROOM_LEAST = 44, /* for the rest, or the columns are left out */
    WAY_WIDTH = 14,
    INDENT_MOST = 40,
    PART_LEAST = 12,
    NAME_LEAST = 6,
};

static unsigned
place_width(const struct pt_out *o)
{
    return o->fit && o->width < WIDE ? PLACE_NARROW : PLACE_WIDTH;
}

static bool
has_columns(const struct pt_out *o)
{
    return !o->fit || o->width >= WHEN_WIDTH + PLACE_WIDTH + 2 + COLUMNS_WIDTH +
                                      2 + ROOM_LEAST;
}

void
pt_dump_code_head(struct pt_out *o)
{
    pt_out_style(o, PT_STYLE_BOLD);
    pt_out_printf(o, "%10s  %15s  %6s  %-*s  ", "seq", "time", "thread",
                  (int)place_width(o), "place");
    if (has_columns(o))
        pt_out_printf(o, "%-*s  ", COLUMNS_WIDTH, "columns");
    pt_out_text(o, "code");
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_char(o, '\n');
}

/* "4-9", or "4-14:1" where it ends in line 14. */
static unsigned
put_columns(struct pt_out *o, uint32_t line, const struct pt_position *at)
{
    char columns[48] = "";
    if (at && at->column >= 0 && at->end_line != line)
        snprintf(columns, sizeof columns, "%" PRId32 "-%" PRIu32 ":%" PRId32,
                 at->column, at->end_line, at->end_column);
    else if (at && at->column >= 0)
        snprintf(columns, sizeof columns, "%" PRId32 "-%" PRId32, at->column,
                 at->end_column);
    pt_out_printf(o, "%-*s  ", COLUMNS_WIDTH, columns);
    unsigned used = (unsigned)strlen(columns);
    return (used < COLUMNS_WIDTH ? COLUMNS_WIDTH : used) + 2;
}

/* "app.py:12" and the columns; returns how wide that is. */
static unsigned
put_place(struct pt_out *o, const struct pt_code *code, uint32_t line,
          const struct pt_position *at)
{
    char file[TEXT] = "", number[16] = "";
    unsigned width = place_width(o);
    if (code)
        pt_dump_text_file(code, file);
    if (code && line)
        snprintf(number, sizeof number, ":%" PRIu32, line);
    if (o->fit)
        pt_text_shorten(file, width - (unsigned)strlen(number));
    unsigned used = pt_text_width(file) + (unsigned)strlen(number);
    pt_out_style(o, PT_STYLE_DIM);
    pt_out_text(o, file);
    pt_out_text(o, number);
    pt_out_spaces(o, (used < width ? width - used : 0) + 2);
    used = (used < width ? width : used) + 2;
    if (has_columns(o))
        used += put_columns(o, line, at);
    pt_out_style(o, PT_STYLE_PLAIN);
    return used;
}

/* The function, the way "+6 -> +8" in its bytecode, what it did there, and in
 * brackets what that means. */
struct line {
    struct pt_str function, meaning;
    char from[16], to[24], what[TEXT];
    unsigned pad;                /* the way is at least as wide */
    char name[TEXT], more[TEXT]; /* function and meaning, made to fit */
};

/* Only its beginnings: it is long, and there are many. */
static void
start_line(struct line *l)
{
    l->function = l->meaning = (struct pt_str){0};
    l->pad = 0;
    l->from[0] = l->to[0] = l->what[0] = l->name[0] = l->more[0] = 0;
}

static unsigned
way_width(const struct line *l)
{
    unsigned way = (unsigned)(strlen(l->from) + strlen(l->to));
    return way == 0 ? 0 : (way < l->pad ? l->pad : way) + 2;
}

static unsigned
excess(const struct line *l, unsigned room)
{
    unsigned used = way_width(l) + pt_text_width(l->what);
    if (*l->name)
        used += pt_text_width(l->name) + 2;
    if (*l->more)
        used += pt_text_width(l->more) + 3;
    return used > room ? used - room : 0;
}

static void
squeeze(const struct line *l, char *text, unsigned least, unsigned room)
{
    unsigned over = excess(l, room);
    pt_dump_text_give(text, least, &over);
}

/* What can be missed goes first: the opcode is what the line is for. */
static void
fit(struct line *l, unsigned room)
{
    pt_text_escape(l->function, l->name, sizeof l->name);
    pt_text_escape(l->meaning, l->more, sizeof l->more);
    squeeze(l, l->more, PART_LEAST, room);
    squeeze(l, l->name, PART_LEAST, room);
    if (excess(l, room))
        l->pad = 0;
    squeeze(l, l->name, NAME_LEAST, room);
    if (excess(l, room))
        l->from[0] = 0;
    squeeze(l, l->more, NAME_LEAST, room);
    if (excess(l, room))
        l->name[0] = 0;
    if (excess(l, room))
        l->to[0] = l->from[0] = 0;
    if (excess(l, room))
        l->more[0] = 0;
    squeeze(l, l->what, 0, room);
}

static void
put_line(struct pt_out *o, struct line *l, unsigned room)
{
    if (o->fit) {
        fit(l, room);
        pt_out_text(o, l->name);
        pt_out_text(o, *l->name ? "  " : "");
    } else {
        pt_out_str(o, l->function);
        pt_out_text(o, l->function.len ? "  " : "");
    }
    pt_out_text(o, l->from);
    pt_out_text(o, l->to);
    unsigned way = (unsigned)(strlen(l->from) + strlen(l->to));
    pt_out_spaces(o, way_width(l) - way);
    pt_out_text(o, l->what);
    if (o->fit ? *l->more == 0 : l->meaning.len == 0)
        return;
    pt_out_text(o, " (");
    if (o->fit)
        pt_out_text(o, l->more);
    else
        pt_out_str(o, l->meaning);
    pt_out_char(o, ')');
}

static void
describe(const struct pt_merged *m, const struct pt_dump_ins *ins,
         struct line *l)
{
    char op[TEXT / 2] = "?", arg[16] = "";
    if (ins->from != UINT32_MAX)
        snprintf(l->from, sizeof l->from, "+%" PRIu32 " ", ins->from);
    snprintf(l->to, sizeof l->to, "-> +%" PRIu32, m->event->pos);
    l->pad = WAY_WIDTH;
    if (ins->op)
        pt_text_escape(ins->op->name, op, sizeof op);
    if (ins->op && ins->op->flags & PT_OP_ARG)
        snprintf(arg, sizeof arg, " %" PRIu32, ins->arg);
    snprintf(l->what, sizeof l->what, "%s%s", op, arg);
    l->meaning = ins->meaning;
}

/* An event by its name and what it says; an exception stands where it was
 * raised, and a handler where that leads. */
static bool
tell(const struct pt_session *s, struct pt_disassembler *d,
     const struct pt_merged *m, const struct pt_dump_value *value, char *text)
{
    char what[TEXT], type[PT_NAME_TEXT], from[16] = "";
    const struct pt_event *e = m->event;
    const char *kind = pt_kind_name(e->kind);
    uint32_t code = m->step.framed ? m->step.frame.id : 0;
    uint32_t off = m->step.framed ? m->step.frame.off : UINT32_MAX;
    if (off != UINT32_MAX)
        snprintf(from, sizeof from, " +%" PRIu32,
                 pt_disassembler_place(d, code, off));
    if (e->kind == PT_HANDLED) {
        snprintf(text, TEXT, "%s%s -> +%" PRIu32, kind, from, e->pos);
        return true;
    }
    if (e->kind == PT_EXCEPTION) {
        int n = snprintf(text, TEXT, "%s%s %s", kind, from,
                         e->arg == PT_RERAISED ? "again " : "");
        pt_text_escape(pt_name_type(s->trace, e->id, type), text + n,
                       TEXT - (size_t)n);
        return true;
    }
    bool framed = pt_dump_text_what(s->trace, m, value, what);
    size_t n = strlen(what);
    while (n && what[n - 1] == ' ')
        what[--n] = 0;
    snprintf(text, TEXT, "%s%s%.*s", kind ? kind : "?", n ? " " : "", TEXT - 64,
             what);
    return framed;
}

void
pt_dump_code_line(struct pt_session *s, struct pt_disassembler *d,
                  const struct pt_merged *m, const struct pt_dump_ins *ins,
                  const struct pt_dump_value *value)
{
    struct pt_out *o = s->out;
    char when[TEXT];
    struct line line;
    start_line(&line);
    const struct pt_code *code =
        m->step.framed ? pt_trace_code(s->trace, m->step.frame.id) : NULL;
    bool framed = true;
    if (ins)
        describe(m, ins, &line);
    else
        framed = tell(s, d, m, value, line.what);
    if (framed)
        line.function = code ? code->qualname : (struct pt_str){"?", 1};
    pt_dump_text_when(m, when);
    pt_out_text(o, when);
    unsigned used = (unsigned)strlen(when) + put_place(o, framed ? code : NULL,
                                                       m->step.frame.line,
                                                       ins ? &ins->at : NULL);
    unsigned room = o->width > used ? o->width - used : 0;
    unsigned most = o->fit && room / 4 < INDENT_MOST ? room / 4 : INDENT_MOST;
    unsigned depth = m->step.depth < most ? (unsigned)m->step.depth : most;
    pt_out_spaces(o, depth);
    put_line(o, &line, room > depth ? room - depth : 0);
    pt_out_char(o, '\n');
}
