/* Rules are looked at once for each code object, so that nothing here has to
 * be fast; strings are copied to where fnmatch() finds their end. */
#include <pt/choice.h>

#include "format/linetable.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define X(id, name) name,
    PT_RULES(X)
#undef X
};

const char *
pt_rule_name(unsigned kind)
{
    return kind < PT_RULE_LIMIT ? names[kind] : "";
}

bool
pt_rule_parse(const char *text, struct pt_rule *out)
{
    size_t len = strcspn(text, "=");
    for (unsigned k = 0; k < PT_RULE_LIMIT; k++) {
        if (strlen(names[k]) != len || memcmp(names[k], text, len) != 0)
            continue;
        bool valued = text[len] == '=';
        if (valued == (k == PT_RULE_EXCLUDE_STDLIB))
            return false;
        *out = (struct pt_rule){(uint8_t)k, text + len + valued};
        return true;
    }
    return false;
}

/* --- values --------------------------------------------------------------- */

/* A [ that nothing closes matches itself: hardly what was meant. */
static bool
is_open(const char *glob)
{
    for (const char *p = glob; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '[') {
            const char *from = p + 1 + (p[1] == '!' || p[1] == '^');
            p = *from ? strchr(from + 1, ']') : NULL;
            if (!p)
                return true;
        }
    }
    return false;
}

static bool
parse_depth(const char *value, uint32_t *out)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || n < 1 || n > PT_DEPTH_LIMIT)
        return false;
    *out = (uint32_t)n;
    return true;
}

const char *
pt_rule_fault(const struct pt_rule *r)
{
    uint32_t depth;
    size_t len = strlen(r->value);
    if (r->kind == PT_RULE_EXCLUDE_STDLIB)
        return NULL;
    if (r->kind == PT_RULE_MAX_DEPTH)
        return parse_depth(r->value, &depth)
                   ? NULL
                   : "takes a number of frames, from 1 to 1048576";
    if (len == 0)
        return "needs a value after =";
    if (len + strlen(names[r->kind]) + 2 > PT_RULE_TEXT)
        return "is longer than 4096 bytes";
    if (r->kind != PT_RULE_SOURCE && is_open(r->value))
        return "has a [ without its ]; write \\[ for the sign itself";
    return NULL;
}

uint32_t
pt_match_line(const char *pattern, size_t *file)
{
    const char *colon = strrchr(pattern, ':');
    char *end;
    *file = 0;
    if (!colon || colon == pattern || colon[1] < '0' || colon[1] > '9')
        return 0;
    unsigned long line = strtoul(colon + 1, &end, 10);
    if (*end || line == 0 || line > INT32_MAX)
        return 0;
    *file = (size_t)(colon - pattern);
    return (uint32_t)line;
}

/* Appends a path's parts to out[0..*len], without "." and "x/..". */
static bool
append(const char *path, size_t n, char *out, size_t *len, size_t size)
{
    for (size_t i = 0; i < n;) {
        size_t part = 0;
        while (i + part < n && path[i + part] != '/')
            part++;
        const char *p = path + i;
        i += part + 1;
        if (part == 0 || (part == 1 && p[0] == '.'))
            continue;
        if (part == 2 && p[0] == '.' && p[1] == '.') {
            while (*len > 0 && out[--*len] != '/')
                ;
            continue;
        }
        if (*len + part + 2 > size)
            return false;
        out[(*len)++] = '/';
        memcpy(out + *len, p, part);
        *len += part;
    }
    out[*len] = '\0';
    return true;
}

bool
pt_rule_source(const char *value, struct pt_str cwd, bool directory, char *out,
               size_t size)
{
    size_t len = 0, n = strlen(value);
    if (!directory && !strchr(value, '/') && strcmp(value, ".") != 0 &&
        strcmp(value, "..") != 0) {
        if (n >= size)
            return false;
        memcpy(out, value, n + 1);
        return true;
    }
    if (size < 2 ||
        (value[0] != '/' && !append(cwd.data, cwd.len, out, &len, size)) ||
        !append(value, n, out, &len, size))
        return false;
    if (len == 0)
        memcpy(out, "/", 2);
    return true;
}

/* --- names ---------------------------------------------------------------- */

static const char *
terminate(struct pt_str s, char buffer[PT_RULE_TEXT])
{
    size_t n = s.len < PT_RULE_TEXT - 1 ? s.len : PT_RULE_TEXT - 1;
    if (n)
        memcpy(buffer, s.data, n);
    buffer[n] = 0;
    return buffer;
}

/* The text behind its last `mark`; the whole where it has none. */
static const char *
behind(const char *text, char mark)
{
    const char *p = strrchr(text, mark);
    return p ? p + 1 : text;
}

bool
pt_glob_name(const char *pattern, struct pt_str name)
{
    char buffer[PT_RULE_TEXT];
    return fnmatch(pattern, terminate(name, buffer), 0) == 0 ||
           fnmatch(pattern, behind(buffer, '.'), 0) == 0;
}

bool
pt_match_file(const char *pattern, size_t len, struct pt_str file)
{
    char glob[PT_RULE_TEXT], buffer[PT_RULE_TEXT];
    terminate((struct pt_str){pattern, len}, glob);
    const char *p = terminate(file, buffer);
    while (fnmatch(glob, p, 0) != 0) {
        p = strchr(p, '/');
        if (!p)
            return false;
        p++;
    }
    return true;
}

static bool
matches(const char *pattern, struct pt_str file, struct pt_str name,
        struct pt_str qualname)
{
    return pt_glob_name(pattern, qualname) || pt_glob_name(pattern, name) ||
           pt_match_file(pattern, strlen(pattern), file);
}

bool
pt_glob_code(const char *pattern, const struct pt_code *code)
{
    return matches(pattern, code->file, code->name, code->qualname);
}

/* --- files ---------------------------------------------------------------- */

static bool
starts(struct pt_str s, const char *with, size_t len)
{
    return s.len >= len && memcmp(s.data, with, len) == 0;
}

/* The module whose code was frozen into the interpreter, in "<frozen NAME>";
 * "" where it is none. */
static struct pt_str
frozen_module(struct pt_str file)
{
    static const char head[] = "<frozen ";
    size_t n = sizeof head - 1;
    if (!starts(file, head, n) || file.data[file.len - 1] != '>')
        return (struct pt_str){NULL, 0};
    return (struct pt_str){file.data + n, file.len - n - 1};
}

/* Whether a dotted module's name, given as the file of it is without a suffix,
 * has `module` at its end, or, with `whole`, as its first parts. */
static bool
names_module(struct pt_str path, char dot, const char *module, size_t len,
             bool leads)
{
    if (path.len < len)
        return false;
    const char *p = leads ? path.data : path.data + path.len - len;
    for (size_t i = 0; i < len; i++)
        if (p[i] != (module[i] == '.' ? dot : module[i]))
            return false;
    if (leads)
        return path.len == len || p[len] == dot || p[len] == '.';
    return path.len == len || p[-1] == dot;
}

/* Without ".py", and without "/__init__" before it. */
static struct pt_str
without_suffix(struct pt_str file)
{
    static const char init[] = "/__init__";
    size_t n = sizeof init - 1;
    for (size_t i = file.len; i > 0 && file.data[i - 1] != '/'; i--)
        if (file.data[i - 1] == '.') {
            file.len = i - 1;
            break;
        }
    if (file.len > n && memcmp(file.data + file.len - n, init, n) == 0)
        file.len -= n;
    return file;
}

static bool
is_of_module(struct pt_str file, const char *module, size_t len)
{
    struct pt_str frozen = frozen_module(file);
    if (frozen.len)
        return names_module(frozen, '.', module, len, false);
    return names_module(without_suffix(file), '/', module, len, false);
}

/* Whether some directory on the way to the file, or the file, is the package.
 * What leads to the working directory does not count: a project often bears
 * its package's name. */
static bool
is_of_package(const struct pt_choice *c, struct pt_str file, const char *name)
{
    size_t len = strlen(name);
    struct pt_str frozen = frozen_module(file), path = file;
    if (frozen.len)
        return names_module(frozen, '.', name, len, true);
    if (c->cwd.len && starts(file, c->cwd.data, c->cwd.len) &&
        file.len > c->cwd.len && file.data[c->cwd.len] == '/')
        path = (struct pt_str){file.data + c->cwd.len, file.len - c->cwd.len};
    path = without_suffix(path);
    for (size_t i = 0; i < path.len; i++)
        if ((i == 0 || path.data[i - 1] == '/') &&
            names_module((struct pt_str){path.data + i, path.len - i}, '/',
                         name, len, true))
            return true;
    return false;
}

static bool
is_below(struct pt_str file, const char *directory)
{
    size_t len = strlen(directory);
    while (len > 0 && directory[len - 1] == '/')
        len--;
    return starts(file, directory, len) &&
           (file.len == len || file.data[len] == '/');
}

/* A source is stored as pt_rule_source() gives it. */
static bool
is_in_source(const struct pt_choice *c, struct pt_str file, const char *source)
{
    char buffer[PT_RULE_TEXT], name[PT_RULE_TEXT];
    if (source[0] != '/')
        return is_of_package(c, file, source);
    if (file.len == 0 || file.data[0] == '<')
        return false;
    return file.data[0] == '/'
               ? is_below(file, source)
               : pt_rule_source(terminate(file, name), c->cwd, true, buffer,
                                sizeof buffer) &&
                     is_below((struct pt_str){buffer, strlen(buffer)}, source);
}

/* Packages that were installed beside the library are not of it. */
static bool
is_of_stdlib(const struct pt_candidate *code)
{
    static const char *const others[] = {"/site-packages/", "/dist-packages/"};
    char buffer[PT_RULE_TEXT], directory[PT_RULE_TEXT];
    if (frozen_module(code->file).len)
        return true;
    if (code->stdlib.len == 0 ||
        !is_below(code->file, terminate(code->stdlib, directory)))
        return false;
    const char *rest =
        terminate(code->file, buffer) + strnlen(directory, sizeof directory);
    return !strstr(rest, others[0]) && !strstr(rest, others[1]);
}

/* --- functions ------------------------------------------------------------ */

bool
pt_match_has_line(const struct pt_candidate *code, uint32_t line)
{
    struct pt_linetable table =
        pt_linetable_over(code->linetable, code->firstline);
    struct pt_location at;
    while (pt_linetable_next(&table, &at))
        if (at.line == line)
            return true;
    return false;
}

bool
pt_match_function(const char *pattern, const struct pt_candidate *code)
{
    size_t file;
    uint32_t line = pt_match_line(pattern, &file);
    if (line)
        return pt_match_file(pattern, file, code->file) &&
               (code->firstline == line || (pt_match_has_line(code, line) &&
                                            !code->nests(code->code, line)));
    if (pt_glob_name(pattern, code->qualname))
        return true;
    char buffer[PT_RULE_TEXT];
    terminate(code->qualname, buffer);
    for (const char *dot = strchr(pattern, '.'); dot;
         dot = strchr(dot + 1, '.'))
        if (fnmatch(dot + 1, buffer, 0) == 0 &&
            is_of_module(code->file, pattern, (size_t)(dot - pattern)))
            return true;
    return false;
}

/* --- all rules ------------------------------------------------------------ */

bool
pt_choice_has(const struct pt_choice *c, enum pt_rule_kind kind)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->rules[i].kind == kind)
            return true;
    return false;
}

/* Whether one rule of a kind meets the code object. */
static bool
meets(const struct pt_choice *c, const struct pt_rule *r,
      const struct pt_candidate *code)
{
    switch (r->kind) {
    case PT_RULE_SOURCE:
        return is_in_source(c, code->file, r->value);
    case PT_RULE_INCLUDE:
    case PT_RULE_EXCLUDE:
        return matches(r->value, code->file, code->name, code->qualname);
    case PT_RULE_EXCLUDE_STDLIB:
        return is_of_stdlib(code);
    case PT_RULE_ONLY:
    case PT_RULE_FUNCTION:
    case PT_RULE_START_AT:
        return pt_match_function(r->value, code);
    default:
        return false;
    }
}

bool
pt_choice_names(const struct pt_choice *c, enum pt_rule_kind kind,
                const struct pt_candidate *code)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->rules[i].kind == kind && meets(c, &c->rules[i], code))
            return true;
    return false;
}

bool
pt_choice_starts_line(const struct pt_choice *c)
{
    size_t file;
    for (size_t i = 0; i < c->n; i++)
        if (c->rules[i].kind == PT_RULE_START_AT &&
            pt_match_line(c->rules[i].value, &file))
            return true;
    return false;
}

/* The line of a start-at in that file; 0 where it is of another or none. */
static uint32_t
start_line(const struct pt_rule *r, const struct pt_candidate *code)
{
    size_t file;
    uint32_t line =
        r->kind == PT_RULE_START_AT ? pt_match_line(r->value, &file) : 0;
    return line && pt_match_file(r->value, file, code->file) ? line : 0;
}

bool
pt_choice_starts(const struct pt_choice *c, const struct pt_candidate *code,
                 uint32_t line)
{
    size_t file;
    for (size_t i = 0; i < c->n; i++) {
        const struct pt_rule *r = &c->rules[i];
        if (line ? start_line(r, code) == line
                 : r->kind == PT_RULE_START_AT &&
                       !pt_match_line(r->value, &file) && meets(c, r, code))
            return true;
    }
    return false;
}

bool
pt_choice_starts_within(const struct pt_choice *c,
                        const struct pt_candidate *code)
{
    for (size_t i = 0; i < c->n; i++) {
        uint32_t line = start_line(&c->rules[i], code);
        if (line && pt_match_has_line(code, line))
            return true;
    }
    return false;
}

bool
pt_choice_takes(const struct pt_choice *c, const struct pt_candidate *code)
{
    static const uint8_t any[] = {PT_RULE_SOURCE, PT_RULE_INCLUDE,
                                  PT_RULE_ONLY};
    for (size_t k = 0; k < sizeof any; k++)
        if (pt_choice_has(c, any[k]) && !pt_choice_names(c, any[k], code))
            return false;
    return !pt_choice_names(c, PT_RULE_EXCLUDE, code) &&
           !pt_choice_names(c, PT_RULE_EXCLUDE_STDLIB, code);
}

uint32_t
pt_choice_depth(const struct pt_choice *c)
{
    uint32_t least = PT_DEPTH_LIMIT, depth;
    for (size_t i = 0; i < c->n; i++)
        if (c->rules[i].kind == PT_RULE_MAX_DEPTH &&
            parse_depth(c->rules[i].value, &depth) && depth < least)
            least = depth;
    return least;
}
