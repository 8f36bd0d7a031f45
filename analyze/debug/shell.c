/* Lines of commands, from wherever they come. */
#include "analyze/debug/debugger.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST = 16, /* files that run files */
    REFUSAL = 1024
};

bool
pt_debug_refuse(struct pt_debugger *d, const char *fmt, ...)
{
    char text[REFUSAL], escaped[REFUSAL];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pt_text_escape((struct pt_str){text, strlen(text)}, escaped,
                   sizeof escaped);
    pt_out_printf(d->out, "%s\n", escaped);
    return false;
}

bool
pt_debug_check(struct pt_debugger *d, enum pt_status st)
{
    switch (st) {
    case PT_OK:
        return true;
    case PT_EDAMAGED:
        return pt_debug_refuse(d, "A part of the trace that this needs is "
                                  "damaged; ptana verify tells more.");
    case PT_ENOTFOUND:
    case PT_END:
        return pt_debug_refuse(d, "There is no such place in the trace.");
    case PT_EUSAGE:
        return pt_debug_refuse(d, "The trace does not tell of that.");
    default:
        break;
    }
    d->status = st;
    d->quit = true;
    return pt_debug_refuse(d, "This cannot go on: %s.",
                           st == PT_ENOMEM ? "out of memory"
                                           : pt_status_name(st));
}

bool
pt_debug_nothing(struct pt_debugger *d, const char *args)
{
    return *args == 0 || pt_debug_refuse(d, "What to do with \"%s\"?", args);
}

bool
pt_debug_count(struct pt_debugger *d, const char *args, uint64_t least,
               uint64_t *out)
{
    char *end;
    if (*args == 0)
        return true;
    unsigned long long n = strtoull(args, &end, 10);
    if (!isdigit((unsigned char)*args) || *end || n < least)
        return pt_debug_refuse(d, "\"%s\" is no number from %llu on.", args,
                               (unsigned long long)least);
    *out = n;
    return true;
}

/* --- one line --------------------------------------------------------------
 */

/* A copy without blanks at its ends. */
static char *
trimmed(const char *line)
{
    while (isspace((unsigned char)*line))
        line++;
    size_t len = strlen(line);
    while (len && isspace((unsigned char)line[len - 1]))
        len--;
    return strndup(line, len);
}

/* A line of the commands of a breakpoint. */
static bool
collect(struct pt_debugger *d, const char *line)
{
    struct pt_breakpoint *b = d->collecting;
    if (strcmp(line, "end") == 0) {
        d->collecting = NULL;
        return true;
    }
    size_t len = strlen(line), had = b->commands ? strlen(b->commands) : 0;
    char *all = realloc(b->commands, had + len + 2);
    if (!all)
        return pt_debug_check(d, PT_ENOMEM);
    memcpy(all + had, line, len);
    memcpy(all + had + len, "\n", 2);
    b->commands = all;
    return true;
}

static bool
dispatch(struct pt_debugger *d, const char *line)
{
    bool several;
    size_t len = strcspn(line, " \t");
    const struct pt_command *c = pt_command_find(line, len, &several);
    if (!c && several)
        return pt_debug_refuse(
            d, "\"%.*s\" can be several commands; help lists them.", (int)len,
            line);
    if (!c)
        return pt_debug_refuse(
            d, "There is no command \"%.*s\"; help lists what there is.",
            (int)len, line);
    const char *args = line + len + strspn(line + len, " \t");
    char *repeat = c->repeats ? strdup(line) : NULL;
    free(d->last);
    d->last = repeat;
    return c->run(d, args);
}

bool
pt_debug_line(struct pt_debugger *d, const char *line, bool typed)
{
    char *text = trimmed(line);
    bool done = true;
    if (!text)
        return pt_debug_check(d, PT_ENOMEM);
    if (typed && *text == 0 && d->last && !d->collecting) {
        free(text);
        text = strdup(d->last);
        if (!text)
            return pt_debug_check(d, PT_ENOMEM);
    }
    if (d->collecting)
        done = collect(d, text);
    else if (*text && *text != '#')
        done = dispatch(d, text);
    free(text);
    d->refused |= !done;
    return done;
}

/* --- files -----------------------------------------------------------------
 */

bool
pt_debug_file(struct pt_debugger *d, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    bool done = true;
    if (d->depth >= DEEPEST)
        return pt_debug_refuse(d, "%s: files that run files %d deep.", path,
                               DEEPEST);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file)
        return pt_debug_refuse(d, "%s cannot be read: %s.", path,
                               strerror(errno));
    d->depth++;
    while (done && !d->quit && !pt_interrupted(NULL) &&
           getline(&line, &size, file) >= 0)
        done = pt_debug_line(d, line, false);
    d->depth--;
    d->collecting = NULL;
    free(line);
    if (file != stdin)
        fclose(file);
    return done;
}

bool
pt_command_source(struct pt_debugger *d, const char *args)
{
    if (*args == 0)
        return pt_debug_refuse(d, "source FILE: which file?");
    return pt_debug_file(d, args);
}

bool
pt_command_echo(struct pt_debugger *d, const char *args)
{
    pt_out_printf(d->out, "%s\n", args);
    return true;
}

bool
pt_command_quit(struct pt_debugger *d, const char *args)
{
    if (!pt_debug_nothing(d, args))
        return false;
    d->quit = true;
    return true;
}
