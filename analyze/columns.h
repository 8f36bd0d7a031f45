/* A report's table: columns of numbers, which are left out by rank where the
 * width is short, before a last column of text, which takes what they leave.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COLUMNS_H
#define PT_ANALYZE_COLUMNS_H

#include "analyze/output.h"

enum { PT_COLUMNS_MOST = 16, PT_CELL_TEXT = 48, PT_RANKS = 8 };

struct pt_heading {
    const char *title;
    unsigned rank; /* the higher, the sooner it is left out; 0 never */
};

struct pt_columns {
    const struct pt_heading *columns;
    unsigned n;
    /* What stands in a cell: in `buffer` of PT_CELL_TEXT bytes, or static. */
    const char *(*cell)(const void *table, size_t row, unsigned column,
                        char *buffer);
    const void *table;
    size_t rows;
    unsigned kept; /* bits: columns that are never left out, whatever rank */
    unsigned widths[PT_COLUMNS_MOST]; /* 0: left out */
};

/* Finds the widths from titles and cells; a width may then be set to 0. */
void pt_columns_measure(struct pt_columns *);
/* What columns that cannot be left out take of a line. */
unsigned pt_columns_fixed(const struct pt_columns *);
/* Leaves columns out until the last one has `least` of `width`; what it has, at
 * least 24. */
unsigned pt_columns_fit(struct pt_columns *, unsigned width, unsigned least);
/* The line of titles, whole; the columns of a row, without the last one. */
void pt_columns_head(const struct pt_columns *, struct pt_out *,
                     const char *last);
void pt_columns_row(const struct pt_columns *, struct pt_out *, size_t row);
/* A row in whose last column nothing stands, with the end of the line. */
void pt_columns_bare(const struct pt_columns *, struct pt_out *, size_t row);

#endif
