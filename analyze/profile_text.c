/* The profile as a table that fits the width. */
#include "analyze/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CELL = 48,
    NAME_LEAST = 32,
    NAME_COMMON = 60,
    FILE_LEAST = 10,
    NAME_SHORT = 24
};

enum column {
    CALLS,
    EXCLUSIVE,
    SHARE,
    INCLUSIVE,
    PERCALL,
    MIN,
    P50,
    P90,
    P99,
    MAX,
    WAIT,
    COLUMNS
};

/* In the order they stand; those of low rank go first where room is short. */
static const struct {
    const char *title;
    unsigned rank;
} columns[COLUMNS] = {{"calls", 0},     {"exclusive", 0}, {"%", 0},
                      {"inclusive", 0}, {"per call", 1},  {"min", 6},
                      {"p50", 4},       {"p90", 5},       {"p99", 3},
                      {"max", 3},       {"wait", 2}};

/* Whether the rows are sorted by what a column shows. */
static bool
is_sorted_by(const struct pt_profile_rows *rows, enum column column)
{
    return strcmp(rows->sort,
                  column == PERCALL ? "percall" : columns[column].title) == 0;
}

/* What follows the last dot of a name. */
static unsigned
last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return pt_text_width(dot ? dot + 1 : name);
}

/* Columns that the functions need, so that the last part of each name and
 * something of its file stand whole; of no use for one that `most` cannot hold.
 */
static unsigned
name_room(const struct pt_profile_rows *rows, const struct pt_out *o,
          unsigned most)
{
    unsigned width = o->width;
    unsigned least = width >= 100 ? NAME_COMMON * width / 200 : NAME_LEAST;
    if (least < NAME_LEAST)
        least = NAME_LEAST;
    for (size_t i = 0; o->fit && i < rows->shown; i++) {
        char name[1024];
        pt_text_escape(rows->rows[i].name, name, sizeof name);
        unsigned need = last_part(name) + 2;
        if (strcmp(rows->rows[i].kind, "python") == 0)
            need += 2 + FILE_LEAST;
        if (need > least && need <= most)
            least = need;
    }
    return least;
}

static const char *
duration(uint64_t ns, char *buffer)
{
    return pt_text_duration((int64_t)ns, buffer);
}

static const char *
cell(const struct pt_profile_rows *rows, const struct pt_profile_row *r,
     enum column column, char *buffer)
{
    const struct pt_profile_function *f = r->fn;
    uint64_t ns = 0;
    switch (column) {
    case CALLS:
        if (f->calls == f->primitive)
            snprintf(buffer, CELL, "%" PRIu64, f->calls);
        else
            snprintf(buffer, CELL, "%" PRIu64 "/%" PRIu64, f->calls,
                     f->primitive);
        return buffer;
    case SHARE:
        snprintf(buffer, CELL, "%.1f",
                 rows->total
                     ? 100.0 * (double)f->exclusive / (double)rows->total
                     : 0.0);
        return buffer;
    case PERCALL:
        if (f->primitive)
            return duration(f->inclusive / f->primitive, buffer);
        break;
    case EXCLUSIVE:
        return duration(f->exclusive, buffer);
    case INCLUSIVE:
        return duration(f->inclusive, buffer);
    case MIN:
        ns = f->min;
        break;
    case P50:
        ns = r->p50;
        break;
    case P90:
        ns = r->p90;
        break;
    case P99:
        ns = r->p99;
        break;
    case MAX:
        ns = f->max;
        break;
    case WAIT:
        if (f->wait == 0)
            return "-";
        return duration(f->wait, buffer);
    case COLUMNS:
        break;
    }
    return f->calls ? duration(ns, buffer) : "-";
}

/* Chooses columns for the width; widths[c] is 0 for one that is left out. */
static unsigned
lay_out(const struct pt_profile_rows *rows, const struct pt_out *o,
        unsigned *widths)
{
    char buffer[CELL];
    bool waits = false;
    unsigned used = 0, always = 0, width = o->width;
    for (unsigned c = 0; c < COLUMNS; c++)
        widths[c] = (unsigned)strlen(columns[c].title);
    for (size_t i = 0; i < rows->shown; i++) {
        waits |= rows->rows[i].fn->wait != 0;
        for (unsigned c = 0; c < COLUMNS; c++) {
            unsigned n = (unsigned)strlen(
                cell(rows, &rows->rows[i], (enum column)c, buffer));
            if (n > widths[c])
                widths[c] = n;
        }
    }
    if (!waits && !is_sorted_by(rows, WAIT))
        widths[WAIT] = 0;
    for (unsigned c = 0; c < COLUMNS; c++) {
        unsigned n = widths[c] ? widths[c] + 2 : 0;
        used += n;
        if (columns[c].rank == 0 || is_sorted_by(rows, (enum column)c))
            always += n;
    }
    unsigned least = name_room(rows, o, width > always ? width - always : 0);
    for (unsigned rank = 6; rank > 0 && used + least > width; rank--)
        for (unsigned c = 0; c < COLUMNS; c++)
            if (columns[c].rank == rank && widths[c] &&
                !is_sorted_by(rows, (enum column)c)) {
                used -= widths[c] + 2;
                widths[c] = 0;
            }
    return used + NAME_SHORT < width ? width - used : NAME_SHORT;
}

static void
put_right(struct pt_out *o, const char *text, unsigned width)
{
    unsigned n = pt_text_width(text);
    pt_out_spaces(o, n < width ? width - n : 0);
    pt_out_text(o, text);
    pt_out_text(o, "  ");
}

/* The file as seen from the directory of the recording. */
static struct pt_str
relative(const struct pt_session *s, struct pt_str file)
{
    struct pt_str cwd = pt_trace_header(s->trace)->cwd;
    if (cwd.len > 1 && file.len > cwd.len + 1 && file.data[cwd.len] == '/' &&
        memcmp(file.data, cwd.data, cwd.len) == 0)
        return (struct pt_str){file.data + cwd.len + 1, file.len - cwd.len - 1};
    return file;
}

/* Leaves out leading directories, then the middle. */
static void
shorten_path(char *path, unsigned width)
{
    const char *rest = path;
    while (pt_text_width(rest) + 2 > width && (rest = strchr(rest, '/')))
        rest++;
    if (pt_text_width(path) > width && rest && rest != path) {
        memmove(path + 2, rest, strlen(rest) + 1);
        path[0] = path[1] = '.';
    }
    pt_text_shorten(path, width);
}

/* "name  file:line"; where it does not fit, the file gives way before the name
 * does, and both lose their middle. */
static void
put_function(struct pt_session *s, const struct pt_profile_row *r,
             unsigned width)
{
    char name[1024], file[1024];
    pt_text_escape(r->name, name, sizeof name);
    if (strcmp(r->kind, "python") != 0) {
        if (s->out->fit)
            pt_text_shorten(name, width);
        pt_out_text(s->out, name);
        pt_out_char(s->out, '\n');
        return;
    }
    size_t n = pt_text_escape(relative(s, r->file), file, sizeof file - 16);
    snprintf(file + n, 16, ":%" PRIu32, r->line);
    unsigned have = width - 2, w = pt_text_width(name), f = pt_text_width(file);
    if (s->out->fit && w + f > have) {
        unsigned least = have / 2, keep = w < have - least ? have - w : least;
        unsigned last = last_part(name) + 2;
        if (last > have - keep)
            keep = last + FILE_LEAST < have ? have - last : FILE_LEAST;
        if (f > keep)
            shorten_path(file, keep);
        f = pt_text_width(file);
        pt_text_shorten(name, have - f);
    }
    pt_out_style(s->out, PT_STYLE_BOLD);
    pt_out_text(s->out, name);
    pt_out_style(s->out, PT_STYLE_PLAIN);
    pt_out_text(s->out, "  ");
    pt_out_style(s->out, PT_STYLE_DIM);
    pt_out_text(s->out, file);
    pt_out_style(s->out, PT_STYLE_PLAIN);
    pt_out_char(s->out, '\n');
}

static void
put_head(struct pt_session *s, const struct pt_profile *p,
         const struct pt_profile_rows *rows)
{
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT], c[PT_NUMBER_TEXT];
    char lost[PT_LOST_TEXT];
    const struct pt_trouble *t = &s->trouble;
    pt_out_printf(s->out,
                  "%s in functions%s, %s from start to end, %s events, "
                  "%u thread%s\n",
                  duration(rows->total, a),
                  rows->threads > 1 ? " (all threads added up)" : "",
                  duration((uint64_t)rows->last - (uint64_t)rows->first, b),
                  pt_text_grouped(p->events, c), rows->threads,
                  pt_text_plural(rows->threads));
    if (t->gaps || t->desyncs || t->bad_chunks) {
        pt_out_style(s->out, PT_STYLE_WARN);
        pt_out_printf(s->out,
                      "incomplete: %s gap%s (%s), %s desync%s, %s damaged "
                      "chunk%s",
                      pt_text_grouped(t->gaps, a), pt_text_plural(t->gaps),
                      pt_session_lost(t, lost), pt_text_grouped(t->desyncs, b),
                      pt_text_plural(t->desyncs),
                      pt_text_grouped(t->bad_chunks, c),
                      pt_text_plural(t->bad_chunks));
        pt_out_style(s->out, PT_STYLE_PLAIN);
        pt_out_char(s->out, '\n');
    }
    pt_out_char(s->out, '\n');
}

void
pt_profile_text(struct pt_session *s, const struct pt_profile *p,
                const struct pt_profile_rows *rows)
{
    unsigned widths[COLUMNS];
    char buffer[CELL];
    unsigned name = lay_out(rows, s->out, widths);
    put_head(s, p, rows);
    pt_out_style(s->out, PT_STYLE_BOLD);
    for (unsigned c = 0; c < COLUMNS; c++)
        if (widths[c])
            put_right(s->out, columns[c].title, widths[c]);
    pt_out_text(s->out, "function");
    pt_out_style(s->out, PT_STYLE_PLAIN);
    pt_out_char(s->out, '\n');
    for (size_t i = 0; i < rows->shown; i++) {
        for (unsigned c = 0; c < COLUMNS; c++)
            if (widths[c])
                put_right(s->out,
                          cell(rows, &rows->rows[i], (enum column)c, buffer),
                          widths[c]);
        put_function(s, &rows->rows[i], name);
    }
    if (rows->shown < rows->n)
        pt_out_printf(s->out, "\n%zu more functions; --all shows them\n",
                      rows->n - rows->shown);
}
