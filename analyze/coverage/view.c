#include "analyze/coverage/view.h"

#include "analyze/coverage/tokens.h"
#include "analyze/source_text.h"

#include <stdlib.h>
#include <string.h>

/* Conditions around one place.  A parser allows fewer parentheses than this;
 * what a damaged trace has beyond is not coloured. */
enum { MOST_OPEN = 256 };

struct pt_cov_view {
    const struct pt_cov_file *file;
    struct pt_source_text text;
    struct pt_cov_tokens tokens;
    uint32_t number;               /* the last line that was told */
    uint32_t line, arc, condition; /* where each array is read on */
    uint32_t decision;             /* ... of by_end */
    bool covered;                  /* the last statement ran */
    uint32_t *by_start; /* rows of conditions, in order of the text */
    uint32_t *by_end;   /* rows of decisions, by their last line */
    uint32_t open[MOST_OPEN], nopen;
    /* Of the line, with room for `room` bytes. */
    uint32_t *owner;
    uint8_t *kinds;
    struct pt_cov_run *runs;
    size_t room;
};

/* --- order ---------------------------------------------------------------- */

static int
compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t
place(uint32_t line, uint32_t column)
{
    return (uint64_t)line << 32 | column;
}

/* The outer before the inner. */
static int
by_start(const void *a, const void *b, void *file)
{
    const struct pt_cov_file *f = file;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const struct pt_cov_span *x = &f->conditions[i].span,
                             *y = &f->conditions[j].span;
    int order = compare(place(x->line, x->column), place(y->line, y->column));
    if (order == 0)
        order = -compare(place(x->end_line, x->end_column),
                         place(y->end_line, y->end_column));
    return order ? order : compare(i, j);
}

static int
by_end(const void *a, const void *b, void *file)
{
    const struct pt_cov_file *f = file;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order =
        compare(f->decisions[i].span.end_line, f->decisions[j].span.end_line);
    return order ? order : compare(i, j);
}

static uint32_t *
sorted(uint32_t n, int (*order)(const void *, const void *, void *),
       const struct pt_cov_file *f)
{
    uint32_t *rows = calloc((size_t)n + 1, sizeof *rows);
    for (uint32_t i = 0; rows && i < n; i++)
        rows[i] = i;
    if (rows)
        qsort_r(rows, n, sizeof *rows, order, (void *)f);
    return rows;
}

enum pt_status
pt_cov_view_new(const struct pt_cov_file *f, struct pt_cov_view **out)
{
    struct pt_cov_view *v = calloc(1, sizeof *v);
    if (!v)
        return PT_ENOMEM;
    v->file = f;
    v->text.text = f->text;
    v->covered = true;
    v->by_start = sorted(f->nconditions, by_start, f);
    v->by_end = sorted(f->ndecisions, by_end, f);
    if (!v->by_start || !v->by_end) {
        pt_cov_view_free(v);
        return PT_ENOMEM;
    }
    *out = v;
    return PT_OK;
}

void
pt_cov_view_free(struct pt_cov_view *v)
{
    if (!v)
        return;
    free(v->by_start);
    free(v->by_end);
    free(v->owner);
    free(v->kinds);
    free(v->runs);
    free(v);
}

/* --- statements, arcs, decisions ------------------------------------------ */

static const struct pt_cov_line *
statement(const struct pt_cov_view *v)
{
    const struct pt_cov_file *f = v->file;
    return v->line < f->nlines && f->lines[v->line].line == v->number
               ? &f->lines[v->line]
               : NULL;
}

static void
find_rows(struct pt_cov_view *v, struct pt_cov_row *row)
{
    const struct pt_cov_file *f = v->file;
    while (v->line < f->nlines && f->lines[v->line].line < v->number)
        v->line++;
    row->line = statement(v);
    while (v->arc < f->narcs && f->arcs[v->arc].from < (int64_t)v->number)
        v->arc++;
    row->arcs = f->narcs ? f->arcs + v->arc : NULL;
    for (; v->arc < f->narcs && f->arcs[v->arc].from == (int64_t)v->number;
         v->arc++) {
        row->missing += row->line && row->line->hits &&
                        pt_cov_arc_misses(&f->arcs[v->arc], row->line);
        row->narcs++;
    }
    while (v->decision < f->ndecisions &&
           f->decisions[v->by_end[v->decision]].span.end_line < v->number)
        v->decision++;
    row->decisions = v->by_end + v->decision;
    while (v->decision + row->ndecisions < f->ndecisions &&
           f->decisions[row->decisions[row->ndecisions]].span.end_line ==
               v->number)
        row->ndecisions++;
}

/* --- marks ---------------------------------------------------------------- */

static struct pt_str
stripped(struct pt_str s)
{
    while (s.len && strchr(" \t\f\v", s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}

/* Blank, or a comment and nothing else. */
static bool
is_blank(struct pt_str s)
{
    s = stripped(s);
    return s.len == 0 || s.data[0] == '#';
}

/* "else:" alone, which is no statement and belongs to what follows. */
static bool
is_else(struct pt_str s)
{
    static const char word[] = "else";
    s = stripped(s);
    if (s.len < sizeof word || memcmp(s.data, word, sizeof word - 1) != 0)
        return false;
    s.data += sizeof word - 1;
    s.len -= sizeof word - 1;
    s = stripped(s);
    if (s.len == 0 || s.data[0] != ':')
        return false;
    return is_blank((struct pt_str){s.data + 1, s.len - 1});
}

/* The next statement from this line on that counts. */
static const struct pt_cov_line *
next_counted(const struct pt_cov_view *v)
{
    for (uint32_t i = v->line; i < v->file->nlines; i++)
        if (!(v->file->lines[i].flags & PT_COV_EXCLUDED))
            return &v->file->lines[i];
    return NULL;
}

static char
mark(struct pt_cov_view *v, const struct pt_cov_row *row)
{
    bool excluded = row->line && row->line->flags & PT_COV_EXCLUDED;
    if (row->line && !excluded)
        v->covered = row->line->hits != 0;
    if (v->file->text.len && is_blank(row->text))
        return ' ';
    if (is_else(row->text)) {
        const struct pt_cov_line *next = next_counted(v);
        return next && next->hits == 0 ? '!' : '>';
    }
    if (excluded)
        return '-';
    return v->covered ? '>' : '!';
}

/* --- colours -------------------------------------------------------------- */

static bool
make_room(struct pt_cov_view *v, size_t len)
{
    if (len <= v->room)
        return true;
    size_t room = len + len / 2 + 128;
    uint32_t *owner = realloc(v->owner, room * sizeof *owner);
    if (owner)
        v->owner = owner;
    uint8_t *kinds = realloc(v->kinds, room);
    if (kinds)
        v->kinds = kinds;
    struct pt_cov_run *runs = realloc(v->runs, room * sizeof *runs);
    if (runs)
        v->runs = runs;
    if (!owner || !kinds || !runs)
        return false;
    v->room = room;
    return true;
}

/* Which condition each byte belongs to: the inner ones are laid over the outer
 * ones. */
static void
lay_conditions(struct pt_cov_view *v, size_t len)
{
    const struct pt_cov_file *f = v->file;
    uint32_t kept = 0;
    memset(v->owner, 0, len * sizeof *v->owner);
    for (; v->condition < f->nconditions; v->condition++) {
        uint32_t row = v->by_start[v->condition];
        if (f->conditions[row].span.line > v->number)
            break;
        if (v->nopen < MOST_OPEN)
            v->open[v->nopen++] = row;
    }
    for (uint32_t i = 0; i < v->nopen; i++) {
        uint32_t row = v->open[i];
        const struct pt_cov_span *s = &f->conditions[row].span;
        if (s->end_line < v->number)
            continue;
        v->open[kept++] = row;
        size_t from = s->line == v->number ? s->column : 0;
        size_t to = s->end_line == v->number ? s->end_column : len;
        for (size_t k = from; k < to && k < len; k++)
            v->owner[k] = row + 1;
    }
    v->nopen = kept;
}

static uint32_t
find_runs(struct pt_cov_view *v, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++) {
        struct pt_cov_run *last = n ? &v->runs[n - 1] : NULL;
        if (last && last->token == v->kinds[i] &&
            last->condition == v->owner[i])
            last->len++;
        else
            v->runs[n++] =
                (struct pt_cov_run){(uint32_t)i, 1, v->owner[i], v->kinds[i]};
    }
    return n;
}

/* --- lines ---------------------------------------------------------------- */

/* Moves to the next line, if there is one. */
static bool
advance(struct pt_cov_view *v, struct pt_str *text)
{
    const struct pt_cov_file *f = v->file;
    *text = (struct pt_str){"", 0};
    if (f->text.len == 0) {
        while (v->line < f->nlines && f->lines[v->line].line <= v->number)
            v->line++;
        if (v->line == f->nlines)
            return false;
        v->number = f->lines[v->line].line;
        return true;
    }
    *text = pt_source_text_line(&v->text, ++v->number);
    return v->text.at < f->text.len;
}

enum pt_status
pt_cov_view_next(struct pt_cov_view *v, struct pt_cov_row *row)
{
    struct pt_str text;
    if (!advance(v, &text))
        return PT_END;
    if (!make_room(v, text.len + 1))
        return PT_ENOMEM;
    *row = (struct pt_cov_row){.number = v->number, .text = text};
    find_rows(v, row);
    row->mark = mark(v, row);
    pt_cov_tokens_line(&v->tokens, text, v->kinds);
    lay_conditions(v, text.len);
    row->nruns = find_runs(v, text.len);
    row->runs = v->runs;
    return PT_OK;
}
