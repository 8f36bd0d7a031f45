/* From what users write to places in the code. */
#include "analyze/debug/breakpoint.h"
#include "analyze/names.h"

#include <pt/choice.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum pt_status
refuse(struct pt_located *out, enum pt_status status, const char *fmt, ...)
{
    va_list ap;
    free(out->targets);
    *out = (struct pt_located){.error = {status, 0, -1, -1, ""}};
    va_start(ap, fmt);
    vsnprintf(out->error.text, sizeof out->error.text, fmt, ap);
    va_end(ap);
    return status;
}

static enum pt_status
add(struct pt_located *out, uint32_t code, uint32_t line)
{
    struct pt_target *targets =
        realloc(out->targets, (out->n + 1) * sizeof *targets);
    if (!targets)
        return PT_ENOMEM;
    out->targets = targets;
    out->targets[out->n++] = (struct pt_target){code, line};
    return PT_OK;
}

static struct pt_candidate
candidate(const struct pt_code *c)
{
    return (struct pt_candidate){.file = c->file,
                                 .name = c->name,
                                 .qualname = c->qualname,
                                 .linetable = c->linetable,
                                 .firstline = c->firstline};
}

/* --- lines -----------------------------------------------------------------
 */

static bool
is_in(const struct pt_code *c, const char *file, size_t len)
{
    return len == c->file.len && memcmp(file, c->file.data, len) == 0
               ? true
               : pt_match_file(file, len, c->file);
}

/* The first line from `line` on that a code object has instructions of; 0 where
 * there is none. */
static enum pt_status
line_from(const struct pt_code *c, uint32_t line, uint32_t *out)
{
    struct pt_lines *lines;
    uint32_t best = 0;
    enum pt_status st = pt_lines_new(c, &lines);
    if (st != PT_OK)
        return st;
    for (uint32_t off = 0; off < c->bytecode.len; off += 2) {
        uint32_t at = pt_lines_at(lines, off).line;
        if (at >= line && (best == 0 || at < best))
            best = at;
    }
    pt_lines_free(lines);
    *out = best;
    return PT_OK;
}

/* Where no code object has the line, the next one that any of the file has. */
static enum pt_status
locate_line(const struct pt_trace *trace, const char *file, size_t len,
            uint32_t line, struct pt_located *out)
{
    uint32_t n = pt_trace_code_count(trace), found;
    bool known = false;
    enum pt_status st = PT_OK;
    for (uint32_t id = 1; id <= n && st == PT_OK; id++) {
        const struct pt_code *c = pt_trace_code(trace, id);
        if (!c || !is_in(c, file, len))
            continue;
        known = true;
        st = line_from(c, line, &found);
        if (st != PT_OK || found == 0 || (out->n && found > out->line))
            continue;
        if (found < out->line)
            out->n = 0;
        out->line = found;
        out->file = c->file;
        st = add(out, id, found);
    }
    if (st == PT_OK && !known)
        return refuse(out, PT_ENOTFOUND,
                      "no code of a file \"%.*s\" ran; info sources lists the "
                      "files",
                      (int)len, file);
    if (st == PT_OK && out->n == 0)
        return refuse(out, PT_ENOTFOUND,
                      "\"%.*s\" has no code at or behind line %u that was "
                      "loaded",
                      (int)len, file, line);
    return st;
}

/* --- functions -------------------------------------------------------------
 */

static enum pt_status
locate_function(const struct pt_trace *trace, const char *name,
                struct pt_located *out)
{
    uint32_t n = pt_trace_code_count(trace);
    const char *colon = strrchr(name, ':');
    size_t len = colon ? (size_t)(colon - name) : 0;
    const char *pattern = colon ? colon + 1 : name;
    enum pt_status st = PT_OK;
    for (uint32_t id = 1; id <= n && st == PT_OK; id++) {
        const struct pt_code *c = pt_trace_code(trace, id);
        if (!c || (len && !is_in(c, name, len)))
            continue;
        struct pt_candidate x = candidate(c);
        if (!pt_match_function(pattern, &x))
            continue;
        if (out->n == 0) {
            out->file = c->file;
            out->line = c->firstline;
        }
        st = add(out, id, 0);
    }
    if (st == PT_OK && out->n == 0)
        return refuse(out, PT_ENOTFOUND,
                      "no function \"%s\" was loaded; info functions lists "
                      "them",
                      name);
    return st;
}

/* --- all -------------------------------------------------------------------
 */

/* "12", "+3", "-3": a line of the current file; 0 for anything else. */
static enum pt_status
relative(const char *text, uint32_t line, uint32_t *out)
{
    char *end;
    bool sign = text[0] == '+' || text[0] == '-';
    if (text[sign] < '0' || text[sign] > '9')
        return PT_END;
    unsigned long n = strtoul(text + sign, &end, 10);
    if (*end || n > INT32_MAX)
        return *end ? PT_END : PT_EUSAGE;
    int64_t to = text[0] == '+'   ? (int64_t)line + (int64_t)n
                 : text[0] == '-' ? (int64_t)line - (int64_t)n
                                  : (int64_t)n;
    if (to < 1 || to > UINT32_MAX)
        return PT_EUSAGE;
    *out = (uint32_t)to;
    return PT_OK;
}

enum pt_status
pt_locate(const struct pt_trace *trace, const char *text, uint32_t here,
          uint32_t line, struct pt_located *out)
{
    const struct pt_code *c = pt_trace_code(trace, here);
    uint32_t to;
    size_t len;
    *out = (struct pt_located){0};
    if (text[0] == 0 || strlen(text) >= PT_RULE_TEXT)
        return refuse(out, PT_EUSAGE, "say where: FILE:LINE, LINE or FUNCTION");
    enum pt_status st = relative(text, line, &to);
    if (st == PT_EUSAGE)
        return refuse(out, st, "there is no line \"%s\"", text);
    if (st == PT_OK && !c)
        return refuse(out, PT_EUSAGE,
                      "no frame is selected whose file line %u could be of; "
                      "say FILE:%u",
                      to, to);
    if (st == PT_OK)
        st = locate_line(trace, c->file.data, c->file.len, to, out);
    else if ((to = pt_match_line(text, &len)))
        st = locate_line(trace, text, len, to, out);
    else
        st = locate_function(trace, text, out);
    if (st == PT_ENOMEM)
        refuse(out, st, "out of memory");
    return st;
}

/* --- names -----------------------------------------------------------------
 */

struct naming {
    uint32_t n;
    bool (*matches)(const struct pt_trace *, uint32_t id, const char *name);
};

static enum pt_status
list_ids(const struct pt_trace *trace, const struct naming *naming,
         const char *name, uint32_t **ids, size_t *n)
{
    uint32_t *list = malloc(((size_t)naming->n + 1) * sizeof *list);
    size_t used = 0;
    if (!list)
        return PT_ENOMEM;
    for (uint32_t id = 1; id <= naming->n; id++)
        if (naming->matches(trace, id, name))
            list[used++] = id;
    if (used == 0) {
        free(list);
        return PT_ENOTFOUND;
    }
    *ids = list;
    *n = used;
    return PT_OK;
}

static bool
is_type(const struct pt_trace *trace, uint32_t id, const char *name)
{
    char buffer[PT_NAME_TEXT];
    return pt_trace_type(trace, id) &&
           pt_glob_name(name, pt_name_type(trace, id, buffer));
}

static bool
is_callable(const struct pt_trace *trace, uint32_t id, const char *name)
{
    char buffer[PT_NAME_TEXT];
    return pt_trace_callable(trace, id) &&
           pt_glob_name(name, pt_name_callable(trace, id, buffer));
}

enum pt_status
pt_locate_types(const struct pt_trace *trace, const char *name, uint32_t **ids,
                size_t *n)
{
    const struct naming naming = {pt_trace_type_count(trace), is_type};
    return list_ids(trace, &naming, name, ids, n);
}

enum pt_status
pt_locate_callables(const struct pt_trace *trace, const char *name,
                    uint32_t **ids, size_t *n)
{
    const struct naming naming = {pt_trace_callable_count(trace), is_callable};
    return list_ids(trace, &naming, name, ids, n);
}
