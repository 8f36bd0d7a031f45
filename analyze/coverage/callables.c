/* Lambdas and comprehensions, which coverage.py 6.5 takes for functions.  Where
 * a source was imported, its code objects tell of them; else its words do. */
#include "analyze/coverage/arcs.h"
#include "analyze/coverage/tokens.h"
#include "analyze/coverage/view.h"
#include "analyze/source_text.h"

#include <stdlib.h>
#include <string.h>

struct found {
    uint32_t *lines;
    size_t n, capacity;
};

static enum pt_status
put(struct found *f, uint32_t line)
{
    if (f->n == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 32;
        uint32_t *lines = realloc(f->lines, capacity * sizeof *lines);
        if (!lines)
            return PT_ENOMEM;
        f->lines = lines;
        f->capacity = capacity;
    }
    f->lines[f->n++] = line;
    return PT_OK;
}

static bool
is_callable(struct pt_str name)
{
    static const char *const names[] = {"<lambda>", "<listcomp>", "<setcomp>",
                                        "<dictcomp>", "<genexpr>"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.len == strlen(names[i]) &&
            memcmp(name.data, names[i], name.len) == 0)
            return true;
    return false;
}

static bool
is_word(struct pt_str line, size_t at, const char *word)
{
    size_t n = strlen(word);
    return line.len - at >= n && memcmp(line.data + at, word, n) == 0;
}

/* Each lambda, and each `for` within brackets. */
static enum pt_status
find_in_line(struct found *f, struct pt_str line, uint32_t number,
             const uint8_t *tokens, int64_t *depth)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < line.len && st == PT_OK; i++) {
        bool begins = tokens[i] == PT_COV_TOKEN_KEYWORD &&
                      (i == 0 || tokens[i - 1] != PT_COV_TOKEN_KEYWORD);
        if (begins && (is_word(line, i, "lambda") ||
                       (*depth > 0 && is_word(line, i, "for"))))
            st = put(f, number);
        if (tokens[i] == PT_COV_TOKEN_PLAIN) {
            *depth += memchr("([{", line.data[i], 3) != NULL;
            *depth -= memchr(")]}", line.data[i], 3) != NULL;
        }
    }
    return st;
}

static enum pt_status
find_in_text(struct found *f, struct pt_str text, uint32_t lines)
{
    struct pt_source_text source = {.text = text};
    struct pt_cov_tokens state = {.quote = 0};
    uint8_t *tokens = NULL;
    size_t capacity = 0;
    int64_t depth = 0;
    enum pt_status st = PT_OK;
    for (uint32_t i = 1; i <= lines && st == PT_OK; i++) {
        struct pt_str line = pt_source_text_line(&source, i);
        if (line.len > capacity) {
            uint8_t *more = realloc(tokens, line.len);
            if (!more)
                st = PT_ENOMEM;
            else {
                tokens = more;
                capacity = line.len;
            }
        }
        if (st != PT_OK)
            break;
        pt_cov_tokens_line(&state, line, tokens);
        st = find_in_line(f, line, i, tokens, &depth);
    }
    free(tokens);
    return st;
}

enum pt_status
pt_cov_callables(const struct pt_cov_source *s, uint32_t **lines, size_t *n)
{
    struct found f = {.lines = NULL};
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < s->ncodes && st == PT_OK; i++)
        if (is_callable(s->codes[i].code->name))
            st = put(&f, s->codes[i].code->firstline);
    if (s->ncodes == 0 && st == PT_OK)
        st = find_in_text(&f, s->text, s->syntax->lines);
    if (st != PT_OK) {
        free(f.lines);
        return st;
    }
    *lines = f.lines;
    *n = f.n;
    return PT_OK;
}
