#include "analyze/coverage/pattern.h"
#include "analyze/repr.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pt_patterns {
    pcre2_code *code; /* NULL: no pattern */
    pcre2_match_data *match;
};

static enum pt_status
refuse(struct pt_error *error, const char *pattern, const char *why)
{
    *error = (struct pt_error){.status = PT_EUSAGE, .offset = -1, .seq = -1};
    snprintf(error->text, sizeof error->text, "\"%.80s\": %.120s", pattern,
             why);
    return PT_EUSAGE;
}

static pcre2_code *
compile(const char *pattern, size_t len, int *code, PCRE2_SIZE *offset)
{
    return pcre2_compile((PCRE2_SPTR)pattern, len,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE |
                             PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
                         code, offset, NULL);
}

/* What is wrong is told of the one pattern that it is in. */
static enum pt_status
check(const char *pattern, struct pt_error *error)
{
    int number;
    PCRE2_SIZE offset;
    PCRE2_UCHAR text[160];
    char why[200];
    pcre2_code *code = compile(pattern, strlen(pattern), &number, &offset);
    if (code) {
        pcre2_code_free(code);
        return PT_OK;
    }
    pcre2_get_error_message(number, text, sizeof text);
    snprintf(why, sizeof why, "%s (at %zu)", (const char *)text,
             (size_t)offset);
    return refuse(error, pattern, why);
}

static enum pt_status
make(const struct pt_growing *text, struct pt_error *error,
     struct pt_patterns **out)
{
    int number;
    PCRE2_SIZE offset;
    struct pt_patterns *p = text->failed ? NULL : calloc(1, sizeof *p);
    if (!p)
        return PT_ENOMEM;
    if (text->used) {
        p->code = compile(text->data, text->used, &number, &offset);
        if (!p->code) {
            free(p);
            return refuse(error, "",
                          "the patterns do not make one expression together");
        }
        p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
        if (!p->match) {
            pt_patterns_free(p);
            return PT_ENOMEM;
        }
        /* Without it they are slower, and no less right. */
        pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
    }
    *out = p;
    return PT_OK;
}

enum pt_status
pt_patterns_new(const char *const *patterns, size_t n, struct pt_error *error,
                struct pt_patterns **out)
{
    struct pt_growing text = {0};
    enum pt_status st = PT_OK;
    for (size_t i = 0; st == PT_OK && i < n; i++) {
        st = check(patterns[i], error);
        pt_growing_text(&text, i ? "|(?:" : "(?:");
        pt_growing_text(&text, patterns[i]);
        pt_growing_text(&text, ")");
    }
    if (st == PT_OK)
        st = make(&text, error, out);
    pt_growing_free(&text);
    return st;
}

/* --- globs ---------------------------------------------------------------- */

/* Appends what a glob means; NULL, or what is wrong with it. */
static const char *
put_glob(struct pt_growing *to, const char *glob)
{
    const char *p = glob;
    if (!strchr(glob, '/'))
        pt_growing_text(to, "(?:.*/)?");
    while (*p) {
        size_t stars = strspn(p, "*");
        bool begins = p == glob || p[-1] == '/';
        if (stars > 2)
            return "a glob has no more than two * together";
        if (stars == 2 && (!begins || (p[2] && p[2] != '/')))
            return "** stands between slashes only";
        if (stars && p[stars] == '/' && (stars == 2 || p == glob)) {
            pt_growing_text(to, "(?:.*/)?");
            p += stars + 1;
        } else if (stars && !p[stars] && p > glob && p[-1] == '/') {
            pt_growing_text(to, ".*");
            p += stars;
        } else if (stars) {
            pt_growing_text(to, "[^/]*");
            p += stars;
        } else if (*p == '?') {
            pt_growing_text(to, "[^/]");
            p++;
        } else if (*p == '[' && strchr(p, ']')) {
            size_t len = (size_t)(strchr(p, ']') - p) + 1;
            pt_growing_put(to, p, len);
            p += len;
        } else if (*p == '[' || *p == ']') {
            return "a [ has no ]";
        } else {
            if (strchr("\\^$.|+(){}", *p))
                pt_growing_text(to, "\\");
            pt_growing_put(to, p++, 1);
        }
    }
    return NULL;
}

static enum pt_status
put_whole(struct pt_growing *to, const char *glob, const char *before,
          struct pt_error *error)
{
    struct pt_growing whole = {0};
    if (before) {
        pt_growing_text(&whole, before);
        pt_growing_text(&whole, "/");
    }
    while (before && strncmp(glob, "./", 2) == 0)
        glob += 2;
    pt_growing_text(&whole, glob);
    pt_growing_put(&whole, "", 1);
    if (whole.failed) {
        pt_growing_free(&whole);
        return PT_ENOMEM;
    }
    pt_growing_text(to, to->used ? "|\\A(?:" : "\\A(?:");
    const char *fault = put_glob(to, whole.data);
    pt_growing_text(to, ")\\z");
    pt_growing_free(&whole);
    return fault ? refuse(error, glob, fault) : PT_OK;
}

enum pt_status
pt_patterns_globs(const char *const *globs, size_t n, const char *cwd,
                  struct pt_error *error, struct pt_patterns **out)
{
    struct pt_growing text = {0};
    enum pt_status st = PT_OK;
    for (size_t i = 0; st == PT_OK && i < n; i++) {
        st = put_whole(&text, globs[i], NULL, error);
        if (st == PT_OK && !strchr("*?/", globs[i][0]))
            st = put_whole(&text, globs[i], cwd, error);
    }
    if (st == PT_OK)
        st = make(&text, error, out);
    pt_growing_free(&text);
    return st;
}

/* --- matching ------------------------------------------------------------- */

void
pt_patterns_free(struct pt_patterns *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free(p);
}

bool
pt_patterns_find(const struct pt_patterns *p, struct pt_str text, size_t from,
                 size_t *begin, size_t *end)
{
    if (!p->code || from > text.len)
        return false;
    int n = pcre2_match(p->code, (PCRE2_SPTR)(text.data ? text.data : ""),
                        text.len, from, 0, p->match, NULL);
    if (n < 0)
        return false;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
    /* \K can move the beginning behind the end. */
    *begin = at[0] < at[1] ? at[0] : at[1];
    *end = at[1];
    return true;
}

bool
pt_patterns_match(const struct pt_patterns *p, struct pt_str text)
{
    size_t begin, end;
    return pt_patterns_find(p, text, 0, &begin, &end);
}
