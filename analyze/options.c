#include "analyze/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_LIMIT = 48 };

static enum pt_status
refuse(struct pt_error *error, const char *fmt, ...)
{
    va_list ap;
    *error = (struct pt_error){.status = PT_EUSAGE, .offset = -1, .seq = -1};
    va_start(ap, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, ap);
    va_end(ap);
    return PT_EUSAGE;
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned
pt_word_distance(const char *a, const char *b)
{
    unsigned row[3][WORD_LIMIT + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_LIMIT || m > WORD_LIMIT)
        return UINT16_MAX;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *prev = row[(i + 2) % 3];
        unsigned *older = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(now[j - 1], prev[j]) + 1,
                           prev[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], older[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

static const struct pt_option *
find(const struct pt_option_group *groups, size_t n, const char *name,
     size_t len, char letter, void **values)
{
    for (size_t g = 0; g < n; g++)
        for (const struct pt_option *o = groups[g].options; o && o->name; o++)
            if (letter ? o->letter == letter
                       : strlen(o->name) == len &&
                             memcmp(o->name, name, len) == 0) {
                *values = groups[g].values;
                return o;
            }
    return NULL;
}

static enum pt_status
unknown(const struct pt_option_group *groups, size_t n, const char *word,
        struct pt_error *error)
{
    const char *best = NULL, *name = word + 2;
    unsigned nearest = 4;
    char head[WORD_LIMIT];
    size_t len = strcspn(name, "=");
    if (word[1] == '-' && len < sizeof head) {
        memcpy(head, name, len);
        head[len] = 0;
        for (size_t g = 0; g < n; g++)
            for (const struct pt_option *o = groups[g].options; o && o->name;
                 o++) {
                unsigned d = pt_word_distance(head, o->name);
                if (len > 1 && strncmp(head, o->name, len) == 0)
                    d = d < 1 ? d : 1;
                /* Half of another word is no typing error. */
                if (d < nearest && d <= (strlen(o->name) + 1) / 3) {
                    nearest = d;
                    best = o->name;
                }
            }
    }
    if (best)
        return refuse(error, "unknown option \"%.*s\"; did you mean --%s?",
                      (int)strcspn(word, "="), word, best);
    return refuse(error, "unknown option \"%.*s\"", (int)strcspn(word, "="),
                  word);
}

bool
pt_word_among(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = words;; p++) {
        size_t n = strcspn(p, "|");
        if (n == len && memcmp(p, word, n) == 0)
            return true;
        p += n;
        if (!*p)
            return false;
    }
}

static enum pt_status
append(struct pt_text_list *list, const char *value)
{
    const char **items = realloc(list->items, (list->n + 1) * sizeof *items);
    if (!items)
        return PT_ENOMEM;
    list->items = items;
    list->items[list->n++] = value;
    return PT_OK;
}

static enum pt_status
store(const struct pt_option *o, void *values, const char *value,
      struct pt_error *error)
{
    char *at = (char *)values + o->offset;
    switch (o->type) {
    case PT_OPTION_FLAG:
        *(bool *)at = true;
        return PT_OK;
    case PT_OPTION_CHOICE:
        if (!pt_word_among(o->arg, value))
            return refuse(error, "--%s takes one of %s, not \"%s\"", o->name,
                          o->arg, value);
        /* fallthrough */
    case PT_OPTION_TEXT:
        *(const char **)at = value;
        return PT_OK;
    case PT_OPTION_COUNT: {
        char *end;
        /* A number too large for 64 bits asks for no less than the largest. */
        unsigned long long n = strtoull(value, &end, 10);
        if (value[0] < '0' || value[0] > '9' || *end || n == 0)
            return refuse(error, "--%s takes a number from 1 on, not \"%s\"",
                          o->name, value);
        *(uint64_t *)at = n;
        return PT_OK;
    }
    case PT_OPTION_PAIRS: {
        struct pt_text_list *list = (struct pt_text_list *)at;
        enum pt_status st = append(list, o->name);
        return st == PT_OK ? append(list, value) : st;
    }
    case PT_OPTION_LIST:
        return append((struct pt_text_list *)at, value);
    }
    return PT_EUSAGE;
}

enum pt_status
pt_arguments_parse(const struct pt_option_group *groups, size_t n, int argc,
                   char **argv, struct pt_text_list *operands, size_t most,
                   struct pt_error *error)
{
    bool options = true;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *value = NULL;
        void *values;
        const struct pt_option *o;
        if (!options || word[0] != '-' || !word[1]) {
            if (operands->n == most)
                return refuse(error, "%s: what to do with \"%s\"?",
                              most ? "one trace at a time"
                                   : "no trace is named here",
                              word);
            enum pt_status added = append(operands, word);
            if (added != PT_OK)
                return added;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (word[1] == '-') {
            size_t len = strcspn(word + 2, "=");
            o = find(groups, n, word + 2, len, 0, &values);
            if (word[2 + len])
                value = word + 2 + len + 1;
        } else {
            o = find(groups, n, NULL, 0, word[1], &values);
            if (o && word[2])
                value = word + 2;
            else if (!o)
                o = find(groups, n, word + 1, strlen(word + 1), 0, &values);
        }
        if (!o)
            return unknown(groups, n, word, error);
        if (o->type == PT_OPTION_FLAG && value)
            return refuse(error, "--%s takes no value", o->name);
        if (o->type != PT_OPTION_FLAG && !value) {
            if (i + 1 == argc)
                return refuse(error, "--%s needs a value (%s)", o->name,
                              o->arg);
            value = argv[++i];
        }
        enum pt_status st = store(o, values, value, error);
        if (st != PT_OK)
            return st;
    }
    return PT_OK;
}

void
pt_arguments_clear(const struct pt_option_group *groups, size_t n)
{
    for (size_t g = 0; g < n; g++)
        for (const struct pt_option *o = groups[g].options; o && o->name; o++)
            if (o->type == PT_OPTION_LIST || o->type == PT_OPTION_PAIRS) {
                struct pt_text_list *list =
                    (struct pt_text_list *)((char *)groups[g].values +
                                            o->offset);
                free(list->items);
                *list = (struct pt_text_list){0};
            }
}
