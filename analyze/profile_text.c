/* The profile as a table that fits the width. */
#include "analyze/columns.h"
#include "analyze/names.h"
#include "analyze/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_LEAST = 32,
    NAME_COMMON = 60,
    FILE_LEAST = 10,
    BLOCKED_NAMED = 4,
    BLOCKED_HEAD = 46,
    BLOCKED_TEXT = 256
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
static const struct pt_heading columns[COLUMNS] = {
    {"calls", 0},    {"exclusive", 0}, {"%", 0},   {"inclusive", 0},
    {"per call", 1}, {"min", 6},       {"p50", 4}, {"p90", 5},
    {"p99", 3},      {"max", 3},       {"wait", 2}};

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

const char *
pt_profile_calls(uint64_t calls, uint64_t primitive, char *buffer)
{
    if (calls == primitive)
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64, calls);
    else
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64 "/%" PRIu64, calls,
                 primitive);
    return buffer;
}

static const char *
cell(const void *table, size_t row, unsigned column, char *buffer)
{
    const struct pt_profile_rows *rows = table;
    const struct pt_profile_row *r = &rows->rows[row];
    const struct pt_profile_function *f = r->fn;
    uint64_t ns = 0;
    switch ((enum column)column) {
    case CALLS:
        return pt_profile_calls(f->calls, f->primitive, buffer);
    case SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
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

/* Chooses columns for the width; what is left for the names. */
static unsigned
lay_out(const struct pt_profile_rows *rows, const struct pt_out *o,
        struct pt_columns *table)
{
    bool waits = false;
    for (size_t i = 0; i < rows->shown; i++)
        waits |= rows->rows[i].fn->wait != 0;
    for (unsigned c = 0; c < COLUMNS; c++)
        table->kept |= (unsigned)is_sorted_by(rows, (enum column)c) << c;
    pt_columns_measure(table);
    if (!waits && !is_sorted_by(rows, WAIT))
        table->widths[WAIT] = 0;
    unsigned always = pt_columns_fixed(table);
    unsigned room = o->width > always ? o->width - always : 0;
    return pt_columns_fit(table, o->width, name_room(rows, o, room));
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

void
pt_profile_put_name(struct pt_session *s, const struct pt_profile_row *r,
                    unsigned width)
{
    char name[1024];
    bool file = strcmp(r->kind, "file") == 0;
    pt_text_escape(file ? relative(s, r->name) : r->name, name, sizeof name);
    if (file && strcmp(name, "~") == 0)
        snprintf(name, sizeof name, "~ (functions in C)");
    if (s->out->fit && file)
        shorten_path(name, width);
    else if (s->out->fit)
        pt_text_shorten(name, width);
    pt_out_text(s->out, name);
    pt_out_char(s->out, '\n');
}

/* Where it does not fit, the file gives way before the name does, and both lose
 * their middle. */
void
pt_profile_put_function(struct pt_session *s, const struct pt_profile_row *r,
                        unsigned width)
{
    char name[1024], file[1024];
    if (strcmp(r->kind, "python") != 0) {
        pt_profile_put_name(s, r, width);
        return;
    }
    pt_text_escape(r->name, name, sizeof name);
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

unsigned
pt_profile_put_thread(struct pt_session *s, uint32_t id, unsigned width)
{
    const struct pt_thread *t = pt_trace_thread(s->trace, id);
    const struct pt_process *p =
        t ? pt_trace_process(s->trace, t->process) : NULL;
    struct pt_growing g = {0};
    char name[1024], ids[64] = "";
    pt_name_thread(s->trace, id, &g);
    pt_text_escape(pt_growing_whole(&g), name, sizeof name);
    pt_growing_free(&g);
    /* Without a name it is called by its number, or as the main one. */
    if (t && t->name.len)
        snprintf(ids, sizeof ids, "  tid %" PRIu32 ", pid %" PRIu32, t->tid,
                 p ? p->pid : 0);
    else if (p)
        snprintf(ids, sizeof ids, "  pid %" PRIu32, p->pid);
    unsigned used = pt_text_width(ids);
    if (s->out->fit)
        pt_text_shorten(name,
                        used + FILE_LEAST < width ? width - used : FILE_LEAST);
    pt_out_style(s->out, PT_STYLE_BOLD);
    pt_out_text(s->out, name);
    pt_out_style(s->out, PT_STYLE_PLAIN);
    pt_out_style(s->out, PT_STYLE_DIM);
    pt_out_text(s->out, ids);
    pt_out_style(s->out, PT_STYLE_PLAIN);
    return pt_text_width(name) + used;
}

/* What the functions of C that can wait took, the longest of them by name. */
static void
put_blocked(struct pt_out *o, const struct pt_profile_rows *rows)
{
    const struct pt_profile_row *most[BLOCKED_NAMED] = {NULL};
    char buffer[PT_NUMBER_TEXT];
    uint64_t total = 0;
    unsigned n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const struct pt_profile_row *r = &rows->rows[i];
        if (!r->blocks || r->fn->exclusive == 0)
            continue;
        total += r->fn->exclusive;
        unsigned at = n < BLOCKED_NAMED ? n++ : BLOCKED_NAMED;
        for (; at > 0 && most[at - 1]->fn->exclusive < r->fn->exclusive; at--)
            if (at < BLOCKED_NAMED)
                most[at] = most[at - 1];
        if (at < BLOCKED_NAMED)
            most[at] = r;
    }
    if (n == 0 || total < rows->total / 200)
        return;
    pt_out_printf(
        o, "%s of it in C functions that can wait: ", duration(total, buffer));
    for (unsigned i = 0, used = 0; i < n; i++) {
        char item[BLOCKED_TEXT];
        size_t len = pt_text_escape(most[i]->name, item, sizeof item / 2);
        snprintf(item + len, sizeof item - len, " %s",
                 duration(most[i]->fn->exclusive, buffer));
        used += pt_text_width(item) + 2;
        if (i && o->fit && BLOCKED_HEAD + used > o->width)
            break;
        pt_out_printf(o, "%s%s", i ? ", " : "", item);
    }
    pt_out_char(o, '\n');
}

void
pt_profile_head(struct pt_session *s, const struct pt_profile *p,
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
    put_blocked(s->out, rows);
    if (p->options.compensate) {
        pt_out_printf(s->out, "without %s that recording took",
                      duration(p->compensated, a));
        if (p->below)
            pt_out_printf(s->out, "; functions that took less than that: %s",
                          duration(p->below, b));
        pt_out_char(s->out, '\n');
    }
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
pt_profile_more(struct pt_session *s, const struct pt_profile *p,
                const struct pt_profile_rows *rows)
{
    if (rows->shown < rows->n)
        pt_out_printf(s->out, "\n%zu more %s%s; --all shows them\n",
                      rows->n - rows->shown, pt_profile_what(p),
                      pt_text_plural(rows->n - rows->shown));
}

void
pt_profile_text(struct pt_session *s, const struct pt_profile *p,
                const struct pt_profile_rows *rows)
{
    struct pt_columns table = {.columns = columns,
                               .n = COLUMNS,
                               .cell = cell,
                               .table = rows,
                               .rows = rows->shown};
    unsigned name = lay_out(rows, s->out, &table);
    pt_profile_head(s, p, rows);
    pt_columns_head(&table, s->out, pt_profile_what(p));
    for (size_t i = 0; i < rows->shown; i++) {
        pt_columns_row(&table, s->out, i);
        pt_profile_put_function(s, &rows->rows[i], name);
    }
    pt_profile_more(s, p, rows);
}
