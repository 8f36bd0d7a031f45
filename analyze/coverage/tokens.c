#include "analyze/coverage/tokens.h"
#include "analyze/coverage/view.h"

#include <string.h>

/* Sorted, for nothing but the eye; the soft ones are names more often. */
static const char *const keywords[] = {
    "False",  "None",   "True",    "and",      "as",       "assert", "async",
    "await",  "break",  "class",   "continue", "def",      "del",    "elif",
    "else",   "except", "finally", "for",      "from",     "global", "if",
    "import", "in",     "is",      "lambda",   "nonlocal", "not",    "or",
    "pass",   "raise",  "return",  "try",      "while",    "with",   "yield"};

static bool
is_word(unsigned char c)
{
    return c >= 128 || c == '_' || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_keyword(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i]) == len && memcmp(keywords[i], word, len) == 0)
            return true;
    return false;
}

/* r, b, f, u, t and pairs of them, before a quote. */
static bool
is_prefix(const char *word, size_t len)
{
    if (len > 2)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!strchr("rRbBfFuUtT", word[i]))
            return false;
    return true;
}

static bool
ends_string(const struct pt_cov_tokens *t, struct pt_str line, size_t i)
{
    if (line.data[i] != t->quote)
        return false;
    return !t->triple || (i + 2 < line.len && line.data[i + 1] == t->quote &&
                          line.data[i + 2] == t->quote);
}

/* From within a string to behind it, or to the line's end. */
static size_t
skip_string(struct pt_cov_tokens *t, struct pt_str line, size_t i)
{
    while (i < line.len) {
        if (line.data[i] == '\\') {
            if (i + 1 == line.len)
                return line.len; /* it goes on, with one quote, too */
            i += 2;
        } else if (ends_string(t, line, i)) {
            i += t->triple ? 3 : 1;
            t->quote = 0;
            return i;
        } else
            i++;
    }
    if (!t->triple)
        t->quote = 0; /* no Python: forgotten */
    return line.len;
}

static size_t
open_string(struct pt_cov_tokens *t, struct pt_str line, size_t i)
{
    t->quote = line.data[i];
    t->triple = i + 2 < line.len && line.data[i + 1] == t->quote &&
                line.data[i + 2] == t->quote;
    return skip_string(t, line, i + (t->triple ? 3 : 1));
}

void
pt_cov_tokens_line(struct pt_cov_tokens *t, struct pt_str line, uint8_t *tokens)
{
    size_t i = 0;
    memset(tokens, PT_COV_TOKEN_PLAIN, line.len);
    if (t->quote) {
        i = skip_string(t, line, 0);
        memset(tokens, PT_COV_TOKEN_STRING, i);
    }
    while (i < line.len) {
        size_t start = i;
        char c = line.data[i];
        uint8_t token = PT_COV_TOKEN_PLAIN;
        if (c == '#') {
            i = line.len;
            token = PT_COV_TOKEN_COMMENT;
        } else if (c == '"' || c == '\'') {
            i = open_string(t, line, i);
            token = PT_COV_TOKEN_STRING;
        } else if (is_word((unsigned char)c)) {
            while (i < line.len && is_word((unsigned char)line.data[i]))
                i++;
            if (i < line.len && (line.data[i] == '"' || line.data[i] == '\'') &&
                is_prefix(line.data + start, i - start)) {
                i = open_string(t, line, i);
                token = PT_COV_TOKEN_STRING;
            } else if (is_keyword(line.data + start, i - start))
                token = PT_COV_TOKEN_KEYWORD;
        } else
            i++;
        memset(tokens + start, token, i - start);
    }
}
