/* The syntax chunk from the inside: its tables, as both the log and the parser
 * have them, and the making of a syntax from what either of them says.
 * Thread rule: none, plain data. */
#ifndef PT_FORMAT_SYNTAX_H
#define PT_FORMAT_SYNTAX_H

#include "format/alloc.h"

#include <pt/syntax.h>

/* More rows than lines of the longest source are no syntax. */
enum { PT_SYNTAX_ROWS = 1 << 24, PT_SYNTAX_TABLES = 6 };

/* A table is an array of structures of nothing but 32-bit numbers. */
struct pt_syntax_table {
    const char *name;
    const char *const *columns;
    unsigned ncolumns;
    size_t rows, count; /* offsets in struct pt_syntax */
};
extern const struct pt_syntax_table pt_syntax_tables[PT_SYNTAX_TABLES];

static inline size_t
pt_syntax_count(const struct pt_syntax *s, const struct pt_syntax_table *t)
{
    return *(const size_t *)(const void *)((const char *)s + t->count);
}

static inline const uint32_t *
pt_syntax_rows(const struct pt_syntax *s, const struct pt_syntax_table *t)
{
    return *(const uint32_t *const *)(const void *)((const char *)s + t->rows);
}

/* A syntax with nothing in it yet, and the memory of what it will point to. */
struct pt_syntax_made {
    struct pt_syntax syntax; /* first: what is given away is freed by it */
    struct pt_pool pool;
};
enum pt_status pt_syntax_new(struct pt_syntax_made **out);

/* Gives a table `n` rows, zeroed; NULL when out of memory. */
uint32_t *pt_syntax_room(struct pt_syntax_made *,
                         const struct pt_syntax_table *, size_t n);
/* Cuts `text`, which each name ends with a newline, into names. */
enum pt_status pt_syntax_names(struct pt_syntax_made *, struct pt_str text);
/* Sets the failure to a copy of `text`, made fit to print. */
enum pt_status pt_syntax_fail(struct pt_syntax_made *, struct pt_str text);

/* True when every number is one that struct pt_syntax allows, so that whoever
 * follows them ends, and within their tables. */
bool pt_syntax_valid(const struct pt_syntax *);

/* The body of the chunk, and back.  PT_EDAMAGED, PT_ENOMEM.  _head reads only
 * what it is about. */
struct pt_buf;
void pt_syntax_write(struct pt_buf *, const struct pt_syntax *,
                     struct pt_buf *scratch);
enum pt_status pt_syntax_read(struct pt_str item, struct pt_syntax **out);
enum pt_status pt_syntax_head(struct pt_str item, uint32_t *source,
                              uint32_t *version);

#endif
