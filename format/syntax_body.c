/* The body of the syntax chunk: spec/format.md, section 9. */
#include "format/columns.h"
#include "format/syntax.h"

#include <string.h>

/* --- writing -------------------------------------------------------------- */

static void
write_table(struct pt_buf *b, const struct pt_syntax *s,
            const struct pt_syntax_table *t, struct pt_buf *scratch,
            uint32_t *column)
{
    size_t n = pt_syntax_count(s, t);
    const uint32_t *rows = pt_syntax_rows(s, t);
    pt_cbor_text(b, t->name);
    pt_cbor_map(b, n > 0 ? t->ncolumns + 1 : 1);
    pt_cbor_text(b, "rows");
    pt_cbor_uint(b, n);
    for (unsigned c = 0; c < t->ncolumns && n > 0; c++) {
        for (size_t i = 0; i < n; i++)
            column[i] = rows[i * t->ncolumns + c];
        pt_column_write32(b, t->columns[c], column, n, scratch);
    }
}

void
pt_syntax_write(struct pt_buf *b, const struct pt_syntax *s,
                struct pt_buf *scratch)
{
    bool parsed = s->failure.len == 0;
    size_t most = 0;
    for (unsigned k = 0; k < PT_SYNTAX_TABLES; k++) {
        size_t n = pt_syntax_count(s, &pt_syntax_tables[k]);
        most = n > most ? n : most;
    }
    uint32_t *column = pt_alloc(most * sizeof *column);
    if (column == NULL) {
        b->failed = true;
        return;
    }
    pt_cbor_map(b, parsed ? 4 + PT_SYNTAX_TABLES : 4);
    pt_cbor_text(b, "source");
    pt_cbor_uint(b, s->source);
    pt_cbor_text(b, "python");
    pt_cbor_uint(b, s->version);
    pt_cbor_text(b, "lines");
    pt_cbor_uint(b, s->lines);
    if (!parsed) {
        pt_cbor_text(b, "failure");
        pt_cbor_str(b, s->failure);
    } else {
        pt_cbor_text(b, "names");
        pt_cbor_array(b, s->nnames);
        for (size_t i = 0; i < s->nnames; i++)
            pt_cbor_str(b, s->names[i]);
        for (unsigned k = 0; k < PT_SYNTAX_TABLES; k++)
            write_table(b, s, &pt_syntax_tables[k], scratch, column);
    }
    pt_alloc_free(column);
}

/* --- reading -------------------------------------------------------------- */

enum { MOST_COLUMNS = 9 };

/* The columns come before the rows are made: how many there are is a claim. */
static enum pt_status
read_table(struct pt_cbor *c, struct pt_syntax_made *m,
           const struct pt_syntax_table *t)
{
    struct pt_column_in in[MOST_COLUMNS] = {{0}};
    size_t pairs = pt_cbor_get_map(c), n = 0;
    for (size_t i = 0; i < pairs && !c->bad; i++) {
        struct pt_str key = pt_cbor_get_text(c);
        unsigned k = 0;
        while (k < t->ncolumns && !pt_str_is(key, t->columns[k]))
            k++;
        if (k < t->ncolumns)
            pt_column_read(c, &in[k]);
        else if (pt_str_is(key, "rows"))
            n = (size_t)pt_cbor_get_uint(c, PT_SYNTAX_ROWS);
        else
            pt_cbor_skip(c, 1);
    }
    if (c->bad || pt_syntax_rows(&m->syntax, t) != NULL)
        return PT_EDAMAGED; /* malformed, or told twice */
    for (unsigned k = 0; k < t->ncolumns; k++)
        if (n > 0 && (!in[k].present || in[k].bytes.len < n))
            return PT_EDAMAGED;
    uint32_t *rows = pt_syntax_room(m, t, n);
    uint32_t *column = pt_alloc(n * sizeof *column);
    enum pt_status st = rows != NULL && column != NULL ? PT_OK : PT_ENOMEM;
    for (unsigned k = 0; k < t->ncolumns && st == PT_OK; k++) {
        st = pt_column_get32(&in[k], n, column);
        for (size_t i = 0; i < n && st == PT_OK; i++)
            rows[i * t->ncolumns + k] = column[i];
    }
    pt_alloc_free(column);
    return st;
}

static enum pt_status
read_names(struct pt_cbor *c, struct pt_syntax_made *m)
{
    size_t n = pt_cbor_get_array(c);
    struct pt_buf text = {0};
    for (size_t i = 0; i < n && !c->bad; i++) {
        struct pt_str name = pt_cbor_get_str(c);
        if (c->bad || (name.len > 0 && memchr(name.data, '\n', name.len)))
            break;
        pt_buf_add(&text, name.data, name.len);
        pt_buf_add(&text, "\n", 1);
    }
    struct pt_str all = {(const char *)text.data, text.len};
    enum pt_status st = PT_EDAMAGED;
    if (text.failed)
        st = PT_ENOMEM;
    else if (!c->bad && m->syntax.names == NULL)
        st = pt_syntax_names(m, all);
    pt_buf_clear(&text);
    return st == PT_OK && m->syntax.nnames != n ? PT_EDAMAGED : st;
}

/* One pair of the body. */
static enum pt_status
read_pair(struct pt_cbor *c, struct pt_syntax_made *m)
{
    struct pt_syntax *s = &m->syntax;
    struct pt_str key = pt_cbor_get_text(c);
    if (pt_str_is(key, "source"))
        s->source = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX - 1);
    else if (pt_str_is(key, "python"))
        s->version = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    else if (pt_str_is(key, "lines"))
        s->lines = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
    else if (pt_str_is(key, "failure"))
        return pt_syntax_fail(m, pt_cbor_get_str(c));
    else if (pt_str_is(key, "names"))
        return read_names(c, m);
    else {
        for (unsigned k = 0; k < PT_SYNTAX_TABLES; k++)
            if (pt_str_is(key, pt_syntax_tables[k].name))
                return read_table(c, m, &pt_syntax_tables[k]);
        pt_cbor_skip(c, 1);
    }
    return c->bad ? PT_EDAMAGED : PT_OK;
}

enum pt_status
pt_syntax_read(struct pt_str item, struct pt_syntax **out)
{
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    struct pt_syntax_made *m;
    enum pt_status st = pt_syntax_new(&m);
    if (st != PT_OK)
        return st;
    size_t pairs = pt_cbor_get_map(&c);
    for (size_t i = 0; i < pairs && st == PT_OK && !c.bad; i++)
        st = read_pair(&c, m);
    if (st == PT_OK && (c.bad || c.at != c.end || m->syntax.source == 0 ||
                        !pt_syntax_valid(&m->syntax)))
        st = PT_EDAMAGED;
    if (st == PT_OK)
        *out = &m->syntax;
    else
        pt_syntax_free(&m->syntax);
    return st;
}

enum pt_status
pt_syntax_head(struct pt_str item, uint32_t *source, uint32_t *version)
{
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    size_t pairs = pt_cbor_get_map(&c);
    uint32_t id = 0, python = 0;
    for (size_t i = 0; i < pairs && !c.bad && (id == 0 || python == 0); i++) {
        struct pt_str key = pt_cbor_get_text(&c);
        if (pt_str_is(key, "source"))
            id = (uint32_t)pt_cbor_get_uint(&c, UINT32_MAX - 1);
        else if (pt_str_is(key, "python"))
            python = (uint32_t)pt_cbor_get_uint(&c, UINT32_MAX);
        else
            pt_cbor_skip(&c, 1);
    }
    if (c.bad || id == 0 || python == 0)
        return PT_EDAMAGED;
    *source = id;
    *version = python;
    return PT_OK;
}
