/* Commands about breakpoints. */
#include "analyze/debug/debugger.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pt_breakpoints *
all(struct pt_debugger *d)
{
    return pt_engine_breakpoints(d->engine);
}

static bool
changed(struct pt_debugger *d)
{
    pt_engine_breakpoints_changed(d->engine);
    return true;
}

/* --- making them -----------------------------------------------------------
 */

/* The parts of "WHERE [thread N] [if CONDITION]", within a text that is cut. */
struct parts {
    char *where;
    char *condition; /* NULL none */
    uint32_t thread;
};

/* The last " word " of a text, cut there; what follows it, or NULL. */
static char *
cut_at(char *text, const char *word)
{
    size_t len = strlen(word);
    for (char *p = strstr(text, word); p; p = strstr(p + 1, word)) {
        bool begins = p == text || isspace((unsigned char)p[-1]);
        if (!begins || !isspace((unsigned char)p[len]))
            continue;
        char *rest = p + len;
        while (p > text && isspace((unsigned char)p[-1]))
            p--;
        *p = 0;
        while (isspace((unsigned char)*rest))
            rest++;
        return rest;
    }
    return NULL;
}

static bool
parse(struct pt_debugger *d, char *text, struct parts *out)
{
    uint64_t thread = 0;
    out->where = text;
    out->condition = cut_at(text, "if");
    if (out->condition && !*out->condition)
        return pt_debug_refuse(d, "if what?");
    char *number = cut_at(text, "thread");
    if (number && *number == '#')
        number++;
    if (number && (!*number || !pt_debug_count(d, number, 1, &thread)))
        return *number ? false : pt_debug_refuse(d, "Which thread?");
    if (thread > UINT32_MAX ||
        (thread && !pt_trace_thread(d->trace, (uint32_t)thread)))
        return pt_debug_refuse(d,
                               "There is no thread #%" PRIu64 "; info "
                               "threads lists them.",
                               thread);
    out->thread = (uint32_t)thread;
    return true;
}

static void
say_place(struct pt_debugger *d, const struct pt_breakpoint *b,
          const struct pt_located *at)
{
    pt_out_printf(d->out, "%s %u at ",
                  b->log         ? "Logpoint"
                  : b->temporary ? "Temporary breakpoint"
                                 : "Breakpoint",
                  b->number);
    pt_debug_put_file(d, at->file);
    pt_out_printf(d->out, ":%" PRIu32, at->line);
    if (at->n > 1)
        pt_out_printf(d->out, " (%zu code objects)", at->n);
    pt_out_char(d->out, '\n');
}

/* Where it stands the selected frame says what file a number is of; without a
 * place it is this one. */
static bool
locate(struct pt_debugger *d, const char *where, struct pt_located *out)
{
    struct pt_frame f = {0};
    char line[16];
    size_t n = 0;
    enum pt_status st =
        pt_engine_frames(d->engine, pt_engine_selected(d->engine), &f, 1, &n);
    if (st != PT_OK)
        return pt_debug_check(d, st);
    if (*where == 0 && n && f.line) {
        snprintf(line, sizeof line, "%" PRIu32, f.line);
        where = line;
    }
    st = pt_locate(d->trace, where, n ? f.id : 0, n ? f.line : 0, out);
    if (st == PT_OK && out->targets[0].line &&
        pt_engine_lacks(d->engine, PT_GRAIN_LINE)) {
        free(out->targets);
        return pt_debug_refuse(
            d,
            "The trace does not tell of lines: %s; a function's name does, or "
            "ptrec run --preset=flow.",
            pt_engine_lacks(d->engine, PT_GRAIN_LINE));
    }
    return st == PT_OK || pt_debug_refuse(d, "%s.", out->error.text);
}

/* Whether a condition, if there is one, makes sense; else a sentence. */
static bool
is_expression(struct pt_debugger *d, const char *condition)
{
    struct pt_expr *e;
    if (!condition)
        return true;
    if (!pt_debug_parse(d, condition, &e))
        return false;
    pt_expr_free(e);
    return true;
}

static bool
add_place(struct pt_debugger *d, const char *args, bool temporary,
          const char *log)
{
    struct parts parts = {0};
    struct pt_located at;
    char *text = strdup(args);
    if (!text)
        return pt_debug_check(d, PT_ENOMEM);
    if (!parse(d, text, &parts) || !is_expression(d, parts.condition) ||
        !locate(d, parts.where, &at)) {
        free(text);
        return false;
    }
    struct pt_breakpoint *b =
        pt_breakpoint_add(all(d), PT_BREAK_PLACE, parts.where);
    char *condition = parts.condition ? strdup(parts.condition) : NULL;
    char *message = log ? strdup(log) : NULL;
    if (!b || (parts.condition && !condition) || (log && !message)) {
        free(condition);
        free(message);
        free(at.targets);
        free(text);
        return pt_debug_check(d, PT_ENOMEM);
    }
    b->targets = at.targets;
    b->n = at.n;
    b->thread = parts.thread;
    b->condition = condition;
    b->log = message;
    b->temporary = temporary;
    say_place(d, b, &at);
    free(text);
    return changed(d);
}

bool
pt_command_break(struct pt_debugger *d, const char *args)
{
    return add_place(d, args, false, NULL);
}

bool
pt_command_tbreak(struct pt_debugger *d, const char *args)
{
    return add_place(d, args, true, NULL);
}

bool
pt_command_logpoint(struct pt_debugger *d, const char *args)
{
    const char *comma = strchr(args, ',');
    if (!comma || comma == args)
        return pt_debug_refuse(d, "Say where and what: logpoint WHERE,TEXT.");
    char *where = strndup(args, (size_t)(comma - args));
    if (!where)
        return pt_debug_check(d, PT_ENOMEM);
    comma++;
    while (isspace((unsigned char)*comma))
        comma++;
    bool done = add_place(d, where, false, comma);
    free(where);
    return done;
}

/* --- catching --------------------------------------------------------------
 */

struct catching {
    const char *word, *what;
    enum pt_break_kind kind;
    uint32_t kinds; /* that the recording must have */
    const char *preset;
    enum pt_status (*locate)(const struct pt_trace *, const char *, uint32_t **,
                             size_t *);
};

static const struct catching catchings[] = {
    {"exception", "exceptions", PT_BREAK_EXCEPTION, 1u << PT_EXCEPTION, "flow",
     pt_locate_types},
    {"call", "C calls", PT_BREAK_C_CALL, 1u << PT_C_CALL, "flow",
     pt_locate_callables},
    {"thread", "threads", PT_BREAK_THREAD, 0, "", NULL},
};

bool
pt_command_catch(struct pt_debugger *d, const char *args)
{
    const struct catching *c = NULL;
    size_t len = strcspn(args, " \t");
    const char *name = args + len + strspn(args + len, " \t");
    uint32_t *ids = NULL;
    size_t n = 0;
    for (size_t i = 0; i < sizeof catchings / sizeof *catchings && len; i++)
        if (strncmp(catchings[i].word, args, len) == 0)
            c = &catchings[i];
    if (!c)
        return pt_debug_refuse(
            d, "catch what? exception [TYPE], call NAME, or thread");
    if (c->kinds && !(pt_trace_header(d->trace)->events & c->kinds))
        return pt_debug_refuse(
            d, "The trace has no %s; ptrec run --preset=%s records them.",
            c->what, c->preset);
    if (*name && !c->locate)
        return pt_debug_refuse(d, "What to do with \"%s\"?", name);
    if (!*name && c->kind == PT_BREAK_C_CALL)
        return pt_debug_refuse(d, "catch call NAME: of which function?");
    enum pt_status st = *name ? c->locate(d->trace, name, &ids, &n) : PT_OK;
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(d, "The trace has no %s of the name \"%s\".",
                               c->what, name);
    struct pt_breakpoint *b =
        st == PT_OK ? pt_breakpoint_add(all(d), c->kind, args) : NULL;
    if (!b) {
        free(ids);
        return pt_debug_check(d, PT_ENOMEM);
    }
    b->ids = ids;
    b->n = n;
    b->any = !*name;
    pt_out_printf(d->out, "Catchpoint %u (%s)\n", b->number, args);
    return changed(d);
}

/* --- changing them ---------------------------------------------------------
 */

/* The breakpoint whose number begins `args`; *rest is what follows.  Without a
 * number the last one where `last`. */
static struct pt_breakpoint *
numbered(struct pt_debugger *d, const char *args, bool last, const char **rest)
{
    char *end = (char *)args;
    struct pt_breakpoints *list = all(d);
    if (*args == 0 && last && list->n) {
        *rest = args;
        return list->list[list->n - 1];
    }
    unsigned long n =
        isdigit((unsigned char)*args) ? strtoul(args, &end, 10) : 0;
    struct pt_breakpoint *b =
        n && n <= UINT32_MAX && (*end == 0 || isspace((unsigned char)*end))
            ? pt_breakpoint_find(list, (unsigned)n)
            : NULL;
    if (!b) {
        pt_debug_refuse(d, "There is no breakpoint \"%s\".", args);
        return NULL;
    }
    *rest = end + strspn(end, " \t");
    return b;
}

static bool
for_each(struct pt_debugger *d, const char *args,
         void (*act)(struct pt_breakpoints *, struct pt_breakpoint *))
{
    struct pt_breakpoint *b;
    if (*args == 0)
        for (size_t i = all(d)->n; i-- > 0;)
            act(all(d), all(d)->list[i]);
    while (*args) {
        if (!(b = numbered(d, args, false, &args)))
            return false;
        act(all(d), b);
        changed(d);
    }
    return changed(d);
}

static void
enable(struct pt_breakpoints *list, struct pt_breakpoint *b)
{
    b->enabled = true;
}

static void
disable(struct pt_breakpoints *list, struct pt_breakpoint *b)
{
    b->enabled = false;
}

bool
pt_command_delete(struct pt_debugger *d, const char *args)
{
    return for_each(d, args, pt_breakpoint_delete);
}

bool
pt_command_enable(struct pt_debugger *d, const char *args)
{
    return for_each(d, args, enable);
}

bool
pt_command_disable(struct pt_debugger *d, const char *args)
{
    return for_each(d, args, disable);
}

bool
pt_command_ignore(struct pt_debugger *d, const char *args)
{
    const char *rest;
    uint64_t count = 0;
    struct pt_breakpoint *b = numbered(d, args, false, &rest);
    if (!b)
        return false;
    if (!*rest)
        return pt_debug_refuse(d, "Ignore how many of its hits?");
    if (!pt_debug_count(d, rest, 0, &count))
        return false;
    b->ignore = count;
    pt_out_printf(d->out, "The next %" PRIu64 " hits of %u are passed over.\n",
                  count, b->number);
    return true;
}

bool
pt_command_condition(struct pt_debugger *d, const char *args)
{
    const char *rest;
    struct pt_breakpoint *b = numbered(d, args, false, &rest);
    if (!b || !is_expression(d, *rest ? rest : NULL))
        return false;
    char *condition = *rest ? strdup(rest) : NULL;
    if (*rest && !condition)
        return pt_debug_check(d, PT_ENOMEM);
    free(b->condition);
    b->condition = condition;
    if (!condition)
        pt_out_printf(d->out, "Breakpoint %u stops always.\n", b->number);
    return true;
}

bool
pt_command_commands(struct pt_debugger *d, const char *args)
{
    const char *rest;
    struct pt_breakpoint *b = numbered(d, args, true, &rest);
    if (!b || !pt_debug_nothing(d, rest))
        return false;
    free(b->commands);
    b->commands = NULL;
    d->collecting = b;
    return true;
}

/* --- telling of them -------------------------------------------------------
 */

bool
pt_info_breakpoints(struct pt_debugger *d, const char *args)
{
    static const char *const kinds[] = {
        [PT_BREAK_PLACE] = "breakpoint", [PT_BREAK_EXCEPTION] = "catch",
        [PT_BREAK_C_CALL] = "catch",     [PT_BREAK_THREAD] = "catch",
        [PT_BREAK_WATCH] = "watch",
    };
    if (!pt_debug_nothing(d, args))
        return false;
    if (all(d)->n == 0)
        pt_out_text(d->out, "There are no breakpoints.\n");
    for (size_t i = 0; i < all(d)->n; i++) {
        const struct pt_breakpoint *b = all(d)->list[i];
        pt_out_printf(d->out, "%-4u %-10s %-3s ", b->number,
                      b->log ? "logpoint" : kinds[b->kind],
                      b->enabled ? "on" : "off");
        pt_out_text(d->out, b->text);
        if (b->thread)
            pt_out_printf(d->out, " thread #%" PRIu32, b->thread);
        if (b->temporary)
            pt_out_text(d->out, ", once");
        pt_out_char(d->out, '\n');
        if (b->condition)
            pt_out_printf(d->out, "     if %s\n", b->condition);
        if (b->log)
            pt_out_printf(d->out, "     prints %s\n", b->log);
        if (b->hits)
            pt_out_printf(d->out, "     hit %" PRIu64 " time%s\n", b->hits,
                          pt_text_plural(b->hits));
        if (b->ignore)
            pt_out_printf(d->out, "     passes over %" PRIu64 " more\n",
                          b->ignore);
        for (const char *p = b->commands; p && *p;) {
            int len = (int)strcspn(p, "\n");
            pt_out_printf(d->out, "       %.*s\n", len, p);
            p += len + (p[len] == '\n');
        }
    }
    return true;
}
