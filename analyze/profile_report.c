/* The profile's reports: text that fits the width, JSON, pstats. */
#include "analyze/json.h"
#include "analyze/marshal.h"
#include "analyze/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- text ----------------------------------------------------------------- */

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

/* --- JSON ----------------------------------------------------------------- */

static void
json_row(struct pt_json *j, const struct pt_profile_row *r)
{
    const struct pt_profile_function *f = r->fn;
    bool known = f->calls != 0;
    const struct {
        const char *key;
        uint64_t value;
    } times[] = {{"min", f->min},
                 {"max", f->max},
                 {"p50", r->p50},
                 {"p90", r->p90},
                 {"p99", r->p99}};
    pt_json_open(j, '{');
    pt_json_member_str(j, "name", r->name);
    pt_json_member_str(j, "file", r->file);
    pt_json_member_u64(j, "line", r->line);
    pt_json_member_text(j, "kind", r->kind);
    pt_json_member_str(j, "label", r->label);
    pt_json_member_u64(j, "calls", f->calls);
    pt_json_member_u64(j, "primitive", f->primitive);
    pt_json_member_u64(j, "exclusive", f->exclusive);
    pt_json_member_u64(j, "inclusive", f->inclusive);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        pt_json_maybe_u64(j, times[i].key, known, times[i].value);
    }
    pt_json_member_u64(j, "wait", f->wait);
    pt_json_close(j, '}');
}

void
pt_profile_json(struct pt_session *s, const struct pt_profile *p,
                const struct pt_profile_rows *rows)
{
    struct pt_json j;
    pt_json_init(&j, s->out, 3);
    pt_json_open(&j, '{');
    pt_json_member_u64(&j, "version", 1);
    pt_json_member_text(&j, "unit", "ns");
    pt_json_key(&j, "functions");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < rows->shown; i++)
        json_row(&j, &rows->rows[i]);
    pt_json_close(&j, ']');
    pt_json_member_u64(&j, "gaps", s->trouble.gaps);
    pt_json_member_u64(&j, "desyncs", s->trouble.desyncs);
    pt_json_member_u64(&j, "lost", s->trouble.lost);
    pt_json_member_u64(&j, "damaged", s->trouble.bad_chunks);
    pt_json_member_u64(&j, "events", p->events);
    pt_json_member_u64(&j, "threads", rows->threads);
    pt_json_member_u64(&j, "total", rows->total);
    pt_json_member_u64(&j, "duration",
                       (uint64_t)rows->last - (uint64_t)rows->first);
    pt_json_close(&j, '}');
    pt_json_finish(&j);
}

/* --- pstats --------------------------------------------------------------- */

/* Rows by pstats key, so that those which share one are written as one. */
static int
compare_keys(const void *a, const void *b)
{
    const struct pt_profile_row *x = *(struct pt_profile_row *const *)a;
    const struct pt_profile_row *y = *(struct pt_profile_row *const *)b;
    const struct pt_str s[4] = {x->file, y->file, x->label, y->label};
    for (unsigned i = 0; i < 4; i += 2) {
        size_t n = s[i].len < s[i + 1].len ? s[i].len : s[i + 1].len;
        int c = n ? memcmp(s[i].data, s[i + 1].data, n) : 0;
        if (c || s[i].len != s[i + 1].len)
            return c ? c : s[i].len < s[i + 1].len ? -1 : 1;
    }
    return (x->line > y->line) - (x->line < y->line);
}

/* Callers of one key: edges by (key of callee, key of caller). */
struct caller {
    uint32_t callee, caller; /* keys */
    const struct pt_profile_edge *edge;
};

static int
compare_callers(const void *a, const void *b)
{
    const struct caller *x = a, *y = b;
    if (x->callee != y->callee)
        return x->callee < y->callee ? -1 : 1;
    return (x->caller > y->caller) - (x->caller < y->caller);
}

static double
seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void
put_key(struct pt_out *o, const struct pt_profile_row *r)
{
    pt_marshal_tuple(o, 3);
    pt_marshal_str(o, r->file);
    pt_marshal_int(o, r->line);
    pt_marshal_str(o, r->label);
}

/* The callers of `key`, those of equal key summed; *at moves behind them. */
static void
put_callers(struct pt_out *o, struct pt_profile_row **first_of,
            const struct caller *callers, size_t n, uint32_t key, size_t *at)
{
    pt_marshal_dict_open(o);
    while (*at < n && callers[*at].callee == key) {
        uint32_t caller = callers[*at].caller;
        struct pt_profile_edge sum = {0};
        for (; *at < n && callers[*at].callee == key &&
               callers[*at].caller == caller;
             ++*at) {
            const struct pt_profile_edge *e = callers[*at].edge;
            sum.calls += e->calls;
            sum.primitive += e->primitive;
            sum.exclusive += e->exclusive;
            sum.inclusive += e->inclusive;
        }
        put_key(o, first_of[caller]);
        pt_marshal_tuple(o, 4);
        pt_marshal_int(o, sum.calls);
        pt_marshal_int(o, sum.primitive);
        pt_marshal_float(o, seconds(sum.exclusive));
        pt_marshal_float(o, seconds(sum.inclusive));
    }
    pt_marshal_dict_close(o);
}

static size_t
gather_callers(const struct pt_profile *p, const uint32_t *key_of,
               struct caller *callers)
{
    size_t n = 0;
    for (uint32_t i = 1; i < p->nedges; i++) {
        const struct pt_profile_edge *e = &p->edges[i];
        if (e->calls && key_of[e->caller] && key_of[e->callee])
            callers[n++] =
                (struct caller){key_of[e->callee], key_of[e->caller], e};
    }
    qsort(callers, n, sizeof *callers, compare_callers);
    return n;
}

static void
put_stats(struct pt_out *o, struct pt_profile_row **sorted, size_t n,
          struct pt_profile_row **first_of, const uint32_t *key_of,
          const struct caller *callers, size_t ncallers)
{
    size_t at = 0;
    pt_marshal_dict_open(o);
    for (size_t i = 0; i < n;) {
        uint32_t key = key_of[sorted[i]->index];
        struct pt_profile_function sum = {0};
        for (; i < n && key_of[sorted[i]->index] == key; i++) {
            const struct pt_profile_function *f = sorted[i]->fn;
            sum.calls += f->calls;
            sum.primitive += f->primitive;
            sum.exclusive += f->exclusive;
            sum.inclusive += f->inclusive;
        }
        put_key(o, first_of[key]);
        pt_marshal_tuple(o, 5);
        pt_marshal_int(o, sum.primitive);
        pt_marshal_int(o, sum.calls);
        pt_marshal_float(o, seconds(sum.exclusive));
        pt_marshal_float(o, seconds(sum.inclusive));
        put_callers(o, first_of, callers, ncallers, key, &at);
    }
    pt_marshal_dict_close(o);
}

enum pt_status
pt_profile_pstats(struct pt_session *s, const struct pt_profile *p,
                  const struct pt_profile_rows *rows)
{
    size_t n = rows->shown;
    struct pt_profile_row **sorted = calloc(n + 1, sizeof *sorted);
    struct pt_profile_row **first_of = calloc(n + 2, sizeof *first_of);
    uint32_t *key_of = calloc(p->nfunctions, sizeof *key_of);
    struct caller *callers = calloc(p->nedges + 1, sizeof *callers);
    enum pt_status st = PT_ENOMEM;
    if (sorted && first_of && key_of && callers) {
        for (size_t i = 0; i < n; i++)
            sorted[i] = &rows->rows[i];
        qsort(sorted, n, sizeof *sorted, compare_keys);
        uint32_t key = 0;
        for (size_t i = 0; i < n; i++) {
            if (i == 0 || compare_keys(&sorted[i - 1], &sorted[i]) != 0)
                first_of[++key] = sorted[i];
            key_of[sorted[i]->index] = key;
        }
        size_t ncallers = gather_callers(p, key_of, callers);
        put_stats(s->out, sorted, n, first_of, key_of, callers, ncallers);
        st = PT_OK;
    }
    free(sorted);
    free(first_of);
    free(key_of);
    free(callers);
    return st;
}
