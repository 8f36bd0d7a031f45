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
    COLUMNS_WIDTH = 9,
    ROOM_LEAST = 44, /* for the rest, or the columns are left out */
    INDENT_MOST = 40,
    PART_LEAST = 12,
    NAME_LEAST = 6,
};

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
                  PLACE_WIDTH, "place");
    if (has_columns(o))
        pt_out_printf(o, "%-*s  ", COLUMNS_WIDTH, "columns");
    pt_out_text(o, "code");
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_char(o, '\n');
}

/* "app.py:12", then "4-9", or "4-14:1" where it ends in line 14. */
static void
put_place(struct pt_out *o, const struct pt_code *code, uint32_t line,
          const struct pt_position *at)
{
    char file[TEXT] = "", number[16] = "", columns[48] = "";
    if (code)
        pt_dump_text_file(code, file);
    if (code && line)
        snprintf(number, sizeof number, ":%" PRIu32, line);
    if (o->fit)
        pt_text_shorten(file, PLACE_WIDTH - (unsigned)strlen(number));
    unsigned used = pt_text_width(file) + (unsigned)strlen(number);
    pt_out_style(o, PT_STYLE_DIM);
    pt_out_text(o, file);
    pt_out_text(o, number);
    pt_out_spaces(o, used < PLACE_WIDTH ? PLACE_WIDTH - used : 0);
    if (has_columns(o)) {
        if (at && at->column >= 0 && at->end_line != line)
            snprintf(columns, sizeof columns,
                     "%" PRId32 "-%" PRIu32 ":%" PRId32, at->column,
                     at->end_line, at->end_column);
        else if (at && at->column >= 0)
            snprintf(columns, sizeof columns, "%" PRId32 "-%" PRId32,
                     at->column, at->end_column);
        pt_out_printf(o, "  %-*s", COLUMNS_WIDTH, columns);
    }
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_text(o, "  ");
}

/* The function, what it did, and in brackets what that means. */
static void
put_code(struct pt_out *o, struct pt_str function, const char *what,
         struct pt_str meaning, unsigned room)
{
    char name[TEXT] = "", more[TEXT] = "", all[4 * TEXT];
    if (!o->fit) {
        pt_out_str(o, function);
        pt_out_text(o, function.len ? "  " : "");
        pt_out_text(o, what);
        if (meaning.len) {
            pt_out_text(o, " (");
            pt_out_str(o, meaning);
            pt_out_char(o, ')');
        }
        return;
    }
    pt_text_escape(function, name, sizeof name);
    pt_text_escape(meaning, more, sizeof more);
    unsigned used = pt_text_width(name) + 2 + pt_text_width(what) +
                    (*more ? 3 + pt_text_width(more) : 0);
    unsigned over = used > room ? used - room : 0;
    pt_dump_text_give(more, PART_LEAST, &over);
    pt_dump_text_give(name, PART_LEAST, &over);
    pt_dump_text_give(more, NAME_LEAST, &over);
    pt_dump_text_give(name, NAME_LEAST, &over);
    snprintf(all, sizeof all, "%s%s%s%s%s%s", name, *name ? "  " : "", what,
             *more ? " (" : "", more, *more ? ")" : "");
    pt_text_shorten(all, room);
    pt_out_text(o, all);
}

/* "+6 -> +8  LOAD_FAST 0" */
static void
describe(const struct pt_merged *m, const struct pt_dump_ins *ins, char *text)
{
    char from[16] = "", way[48], op[TEXT / 2] = "?", arg[16] = "";
    if (ins->from != UINT32_MAX)
        snprintf(from, sizeof from, "+%" PRIu32 " ", ins->from);
    snprintf(way, sizeof way, "%s-> +%" PRIu32, from, m->event->pos);
    if (ins->op)
        pt_text_escape(ins->op->name, op, sizeof op);
    if (ins->op && ins->op->flags & PT_OP_ARG)
        snprintf(arg, sizeof arg, " %" PRIu32, ins->arg);
    snprintf(text, TEXT, "%-14s  %s%s", way, op, arg);
}

/* An event by its name and what it says; an exception stands where it was
 * raised, and a handler where that leads. */
static bool
tell(const struct pt_session *s, struct pt_disassembler *d,
     const struct pt_merged *m, char *text)
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
    bool framed = pt_dump_text_what(s->trace, m, what);
    size_t n = strlen(what);
    while (n && what[n - 1] == ' ')
        what[--n] = 0;
    snprintf(text, TEXT, "%s%s%.*s", kind ? kind : "?", n ? " " : "", TEXT - 64,
             what);
    return framed;
}

void
pt_dump_code_line(struct pt_session *s, struct pt_disassembler *d,
                  const struct pt_merged *m, const struct pt_dump_ins *ins)
{
    struct pt_out *o = s->out;
    char when[TEXT], what[TEXT];
    const struct pt_code *code =
        m->step.framed ? pt_trace_code(s->trace, m->step.frame.id) : NULL;
    bool framed = true;
    if (ins)
        describe(m, ins, what);
    else
        framed = tell(s, d, m, what);
    struct pt_str function = {0}, meaning = {0};
    if (framed)
        function = code ? code->qualname : (struct pt_str){"?", 1};
    if (ins)
        meaning = ins->meaning;
    pt_dump_text_when(m, when);
    pt_out_text(o, when);
    put_place(o, framed ? code : NULL, m->step.frame.line,
              ins ? &ins->at : NULL);
    unsigned used = (unsigned)strlen(when) + PLACE_WIDTH + 2 +
                    (has_columns(o) ? COLUMNS_WIDTH + 2 : 0);
    unsigned room = o->width > used ? o->width - used : 0;
    unsigned most = o->fit && room / 4 < INDENT_MOST ? room / 4 : INDENT_MOST;
    unsigned depth = m->step.depth < most ? (unsigned)m->step.depth : most;
    pt_out_spaces(o, depth);
    put_code(o, function, what, meaning, room - (room > depth ? depth : room));
    pt_out_char(o, '\n');
}
