/* The view of lines as text: each function with its source. */
#include "analyze/columns.h"
#include "analyze/profile_lines.h"
#include "analyze/source_text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONTEXT = 4, /* so many lines without code stand between two of code */
    SOURCE_LEAST = 32,
    TEXT = 1024
};

enum column { LINE, HITS, EXCLUSIVE, INCLUSIVE, SHARE, PERHIT, COLUMNS };

static const struct pt_heading columns[COLUMNS] = {
    {"line", 0},      {"hits", 0}, {"exclusive", 0},
    {"inclusive", 0}, {"%", 0},    {"per hit", 1}};

/* A row: a line, or, where `number` is 0, what stands for lines left out or for
 * what has none. */
struct row {
    uint32_t number;
    const struct pt_heat_line *line; /* NULL: no code */
    const struct pt_profile_function *fn;
};

struct block {
    const struct pt_profile_row *function;
    size_t first, n;
};

struct report {
    struct row *rows;
    size_t n, capacity;
    struct block *blocks;
    size_t nblocks;
};

/* --- rows ----------------------------------------------------------------- */

static enum pt_status
add_row(struct report *r, struct row row)
{
    if (r->n == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 256;
        struct row *rows = realloc(r->rows, capacity * sizeof *rows);
        if (!rows)
            return PT_ENOMEM;
        r->rows = rows;
        r->capacity = capacity;
    }
    r->rows[r->n++] = row;
    return PT_OK;
}

/* The lines of a function, with those between that have no code. */
static enum pt_status
add_block(struct report *r, const struct pt_profile_lines *l,
          const struct pt_profile_row *function)
{
    uint32_t first, last = 0,
                    n = pt_profile_lines_of(l, function->index, &first);
    struct block *block = &r->blocks[r->nblocks++];
    enum pt_status st = PT_OK;
    *block = (struct block){function, r->n, 0};
    for (uint32_t i = 0; i < n && st == PT_OK; i++) {
        const struct pt_heat_line *line = l->lines[first + i];
        if (line->line == 0 && !pt_profile_lines_ran(line))
            continue;
        if (last && line->line - last > CONTEXT + 1)
            st = add_row(r, (struct row){0, NULL, function->fn});
        else
            while (st == PT_OK && last && ++last < line->line)
                st = add_row(r, (struct row){last, NULL, function->fn});
        if (st == PT_OK)
            st = add_row(r, (struct row){line->line, line, function->fn});
        last = line->line;
    }
    block->n = r->n - block->first;
    return st;
}

static const char *
cell(const void *table, size_t index, unsigned column, char *buffer)
{
    const struct row *row = &((const struct report *)table)->rows[index];
    const struct pt_heat_line *l = row->line;
    buffer[0] = 0;
    if (column == LINE) {
        if (row->number == 0)
            return l ? "-" : "...";
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu32, row->number);
        return buffer;
    }
    if (!l || (column != HITS && !pt_profile_lines_ran(l)))
        return buffer;
    uint64_t inclusive = pt_heat_inclusive(l);
    double whole = (double)row->fn->inclusive * (1u << PT_HEAT_BITS);
    switch ((enum column)column) {
    case HITS:
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64, l->hits);
        break;
    case EXCLUSIVE:
        return pt_profile_heat_text(l->exclusive, !l->spread, buffer);
    case INCLUSIVE:
        return pt_profile_heat_text(inclusive, !l->spread, buffer);
    case SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
                 whole > 0 ? 100 * (double)inclusive / whole : 0.0);
        break;
    case PERHIT:
        if (l->hits)
            return pt_profile_heat_text(inclusive / l->hits, !l->spread,
                                        buffer);
        break;
    case LINE:
    case COLUMNS:
        break;
    }
    return buffer;
}

/* --- blocks --------------------------------------------------------------- */

static void
put_title(struct pt_session *s, const struct pt_profile_row *f)
{
    char calls[PT_NUMBER_TEXT], own[PT_NUMBER_TEXT], all[PT_NUMBER_TEXT];
    pt_profile_put_function(s, f, s->out->width);
    pt_out_printf(s->out, "%s call%s, %s exclusive, %s inclusive\n",
                  pt_text_grouped(f->fn->calls, calls),
                  pt_text_plural(f->fn->calls),
                  pt_text_duration((int64_t)f->fn->exclusive, own),
                  pt_text_duration((int64_t)f->fn->inclusive, all));
}

/* A source line loses its end, not its middle. */
static void
cut_end(char *text, unsigned width)
{
    if (pt_text_width(text) <= width)
        return;
    size_t i = 0;
    for (unsigned n = 0; text[i]; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && n++ + 2 == width)
            break;
    text[i] = text[i + 1] = '.'; /* more than two columns are left */
    text[i + 2] = 0;
}

static struct pt_str
find_source(const struct row *row, struct pt_source_text *source)
{
    return row->number ? pt_source_text_line(source, row->number)
                       : (struct pt_str){"", 0};
}

static void
put_source(struct pt_session *s, const struct row *row,
           struct pt_source_text *source, unsigned indent, unsigned width)
{
    char text[TEXT] = "";
    bool code = row->line != NULL;
    if (row->number)
        pt_source_text_show(find_source(row, source), indent, text,
                            sizeof text);
    else if (code)
        snprintf(text, sizeof text, "(no line of its own)");
    if (s->out->fit)
        cut_end(text, width);
    if (!code || !row->number)
        pt_out_style(s->out, PT_STYLE_DIM);
    pt_out_text(s->out, text);
    if (!code || !row->number)
        pt_out_style(s->out, PT_STYLE_PLAIN);
    pt_out_char(s->out, '\n');
}

/* What all lines of the block are indented by. */
static unsigned
find_indent(const struct report *r, const struct block *b,
            struct pt_source_text *source)
{
    unsigned indent = UINT_MAX;
    for (size_t i = b->first; i < b->first + b->n; i++) {
        struct pt_str line = r->rows[i].line ? find_source(&r->rows[i], source)
                                             : (struct pt_str){"", 0};
        unsigned own = pt_source_text_indent(line);
        if (line.len && own < indent)
            indent = own;
    }
    return indent == UINT_MAX ? 0 : indent;
}

static void
put_block(struct pt_session *s, const struct pt_profile_lines *l,
          const struct report *r, const struct block *b,
          const struct pt_columns *table, unsigned width)
{
    const struct pt_profile *p = l->heat->functions;
    const struct pt_code *code =
        pt_trace_code(s->trace, p->names[b->function->index].id);
    const struct pt_source *source =
        code ? pt_trace_source(s->trace, code->source) : NULL;
    struct pt_source_text text = {
        source ? source->text : (struct pt_str){"", 0}, 0, 0};
    put_title(s, b->function);
    pt_columns_head(table, s->out,
                    text.text.len ? "source"
                                  : "(the source is not in the trace)");
    unsigned indent = find_indent(r, b, &text);
    for (size_t i = b->first; i < b->first + b->n; i++) {
        const struct row *row = &r->rows[i];
        if (!find_source(row, &text).len && (row->number || !row->line)) {
            pt_columns_bare(table, s->out, i);
            continue;
        }
        pt_columns_row(table, s->out, i);
        put_source(s, row, &text, indent, width);
    }
}

enum pt_status
pt_profile_lines_text(struct pt_session *s, const struct pt_profile_lines *l)
{
    const struct pt_profile_rows *rows = &l->rows;
    struct report r = {.blocks = calloc(rows->shown + 1, sizeof *r.blocks)};
    enum pt_status st = r.blocks ? PT_OK : PT_ENOMEM;
    for (size_t i = 0; i < rows->shown && st == PT_OK; i++)
        st = add_block(&r, l, &rows->rows[i]);
    if (st == PT_OK) {
        struct pt_columns table = {.columns = columns,
                                   .n = COLUMNS,
                                   .cell = cell,
                                   .table = &r,
                                   .rows = r.n};
        pt_columns_measure(&table);
        unsigned width = pt_columns_fit(&table, s->out->width, SOURCE_LEAST);
        pt_profile_head(s, l->heat->functions, rows);
        for (size_t i = 0; i < r.nblocks; i++) {
            if (i > 0)
                pt_out_char(s->out, '\n');
            put_block(s, l, &r, &r.blocks[i], &table, width);
        }
        if (rows->shown < rows->n)
            pt_out_printf(s->out, "\n%zu more function%s; --all shows %s\n",
                          rows->n - rows->shown,
                          pt_text_plural(rows->n - rows->shown),
                          rows->n - rows->shown == 1 ? "it" : "them");
    }
    free(r.blocks);
    free(r.rows);
    return st;
}
