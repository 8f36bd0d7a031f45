/* What parse.py answers; the layout is told there. */
#include "format/syntax.h"
#include "syntax/parser.h"

#include <string.h>

enum { PARSED = 0, FAILED = 1, LONGEST_FAILURE = 200 };

/* A cursor over the answer; once something is not there, all is zero. */
struct answer {
    const char *at;
    size_t left;
    bool bad;
};

static uint32_t
word(struct answer *a)
{
    uint32_t v = 0;
    if (a->left < sizeof v) {
        a->bad = true;
        return 0;
    }
    memcpy(&v, a->at, sizeof v);
    a->at += sizeof v;
    a->left -= sizeof v;
    return v;
}

static enum pt_status
take_table(struct answer *a, struct pt_syntax_made *m,
           const struct pt_syntax_table *t)
{
    size_t n = word(a), size = t->ncolumns * sizeof(uint32_t);
    if (a->bad || n > PT_SYNTAX_ROWS || n > a->left / size)
        return PT_EDAMAGED;
    uint32_t *rows = pt_syntax_room(m, t, n);
    if (rows == NULL)
        return PT_ENOMEM;
    for (unsigned c = 0; c < t->ncolumns; c++)
        for (size_t i = 0; i < n; i++)
            rows[i * t->ncolumns + c] = word(a);
    return PT_OK;
}

static enum pt_status
take_syntax(struct answer *a, struct pt_syntax_made *m)
{
    enum pt_status st = PT_OK;
    m->syntax.lines = word(a);
    for (unsigned k = 0; k < PT_SYNTAX_TABLES && st == PT_OK; k++)
        st = take_table(a, m, &pt_syntax_tables[k]);
    if (st == PT_OK && a->left > 0 && a->at[a->left - 1] != '\n')
        st = PT_EDAMAGED;
    if (st == PT_OK)
        st = pt_syntax_names(m, (struct pt_str){a->at, a->left});
    return st;
}

enum pt_status
pt_parser_answer(struct pt_str answer, struct pt_syntax **out)
{
    struct answer a = {answer.data, answer.len, false};
    struct pt_syntax_made *m;
    enum pt_status st = pt_syntax_new(&m);
    if (st != PT_OK)
        return st;
    uint32_t verdict = word(&a);
    if (!a.bad && verdict == PARSED)
        st = take_syntax(&a, m);
    else if (verdict == FAILED && a.left > 0 && a.left <= LONGEST_FAILURE)
        st = pt_syntax_fail(m, (struct pt_str){a.at, a.left});
    else
        st = PT_EDAMAGED;
    if (st == PT_OK && (a.bad || !pt_syntax_valid(&m->syntax)))
        st = PT_EDAMAGED;
    if (st == PT_OK)
        *out = &m->syntax;
    else
        pt_syntax_free(&m->syntax);
    return st;
}
