#include "analyze/columns.h"

#include <string.h>

enum { LAST_LEAST = 24, GAP = 2 };

static bool
stays(const struct pt_columns *c, unsigned column)
{
    return c->columns[column].rank == 0 || c->kept >> column & 1;
}

void
pt_columns_measure(struct pt_columns *c)
{
    char buffer[PT_CELL_TEXT];
    for (unsigned i = 0; i < c->n; i++)
        c->widths[i] = pt_text_width(c->columns[i].title);
    for (size_t row = 0; row < c->rows; row++)
        for (unsigned i = 0; i < c->n; i++) {
            unsigned n = pt_text_width(c->cell(c->table, row, i, buffer));
            if (n > c->widths[i])
                c->widths[i] = n;
        }
}

static unsigned
taken(const struct pt_columns *c, unsigned column)
{
    return c->widths[column] ? c->widths[column] + GAP : 0;
}

unsigned
pt_columns_fixed(const struct pt_columns *c)
{
    unsigned used = 0;
    for (unsigned i = 0; i < c->n; i++)
        used += stays(c, i) ? taken(c, i) : 0;
    return used;
}

unsigned
pt_columns_fit(struct pt_columns *c, unsigned width, unsigned least)
{
    unsigned used = 0;
    for (unsigned i = 0; i < c->n; i++)
        used += taken(c, i);
    for (unsigned rank = PT_RANKS; rank > 0 && used + least > width; rank--)
        for (unsigned i = 0; i < c->n; i++)
            if (c->columns[i].rank == rank && !stays(c, i)) {
                used -= taken(c, i);
                c->widths[i] = 0;
            }
    return used + LAST_LEAST < width ? width - used : LAST_LEAST;
}

static void
put_right(struct pt_out *o, const char *text, unsigned width)
{
    unsigned n = pt_text_width(text);
    pt_out_spaces(o, n < width ? width - n : 0);
    pt_out_text(o, text);
    pt_out_spaces(o, GAP);
}

void
pt_columns_head(const struct pt_columns *c, struct pt_out *o, const char *last)
{
    pt_out_style(o, PT_STYLE_BOLD);
    for (unsigned i = 0; i < c->n; i++)
        if (c->widths[i])
            put_right(o, c->columns[i].title, c->widths[i]);
    pt_out_text(o, last);
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_char(o, '\n');
}

void
pt_columns_row(const struct pt_columns *c, struct pt_out *o, size_t row)
{
    char buffer[PT_CELL_TEXT];
    for (unsigned i = 0; i < c->n; i++)
        if (c->widths[i])
            put_right(o, c->cell(c->table, row, i, buffer), c->widths[i]);
}

void
pt_columns_bare(const struct pt_columns *c, struct pt_out *o, size_t row)
{
    char buffer[PT_CELL_TEXT];
    unsigned skipped = 0;
    for (unsigned i = 0; i < c->n; i++) {
        const char *text = c->cell(c->table, row, i, buffer);
        unsigned n = pt_text_width(text);
        if (!c->widths[i])
            continue;
        if (n) {
            pt_out_spaces(o,
                          skipped + (n < c->widths[i] ? c->widths[i] - n : 0));
            pt_out_text(o, text);
        }
        skipped = n ? GAP : skipped + taken(c, i);
    }
    pt_out_char(o, '\n');
}
