/* Commands about values. */
#include "analyze/debug/debugger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_LEAST = 40, /* columns that a value is given at least */
    HISTORY = 20     /* values that history lists */
};

/* --- evaluating ------------------------------------------------------------
 */

bool
pt_debug_parse(struct pt_debugger *d, const char *text, struct pt_expr **out)
{
    char why[PT_EXPR_TEXT];
    enum pt_status st =
        pt_expr_parse((struct pt_str){text, strlen(text)}, out, why);
    if (st == PT_EUSAGE)
        return pt_debug_refuse(d, "\"%s\": %s", text, why);
    return pt_debug_check(d, st);
}

/* Names are those of the selected frame; without one there are none. */
static enum pt_status
scope_here(struct pt_debugger *d, struct pt_expr_scope *out)
{
    enum pt_status st = pt_locals_select(d->locals, d->engine);
    *out = st == PT_OK ? pt_locals_scope(d->locals)
                       : (struct pt_expr_scope){.trace = d->trace};
    return st == PT_ENOTFOUND ? PT_OK : st;
}

static enum pt_name_found
find_none(void *self, struct pt_str name, const struct pt_value **value,
          char *why)
{
    return PT_NAME_ABSENT;
}

/* Evaluates in the selected frame; the result is to be cleared. */
static enum pt_status
evaluate(struct pt_debugger *d, const struct pt_expr *e,
         struct pt_expr_result *out, bool *truth)
{
    struct pt_expr_scope scope;
    enum pt_status st = scope_here(d, &scope);
    if (!scope.find)
        scope.find = find_none;
    if (st == PT_OK)
        st = truth ? pt_expr_test(e, &scope, out, truth)
                   : pt_expr_eval(e, &scope, out);
    return st;
}

static unsigned
room(const struct pt_debugger *d, unsigned used)
{
    unsigned width = d->out->fit ? d->out->width : 0;
    if (width == 0)
        return 0;
    return width > used + LINE_LEAST ? width - used : LINE_LEAST;
}

static void
put_result(struct pt_debugger *d, const struct pt_expr_result *r, bool tree)
{
    struct pt_growing text = {0};
    if (r->outcome != PT_EXPR_VALUE) {
        pt_out_printf(d->out,
                      r->outcome == PT_EXPR_UNKNOWN ? "<not known: %s>" : "%s",
                      r->text);
        return;
    }
    if (tree)
        pt_value_tree(&text, d->trace, r->value, room(d, 0));
    else
        pt_value_line(&text, d->trace, r->value, room(d, 0));
    pt_out_bytes(d->out, text.data, text.used);
    pt_growing_free(&text);
}

bool
pt_command_print(struct pt_debugger *d, const char *args)
{
    struct pt_expr *e;
    struct pt_expr_result r = {0};
    if (*args == 0)
        return pt_debug_refuse(d, "print what?");
    if (!pt_debug_parse(d, args, &e))
        return false;
    enum pt_status st = evaluate(d, e, &r, NULL);
    if (st == PT_OK) {
        put_result(d, &r, true);
        pt_out_char(d->out, '\n');
    }
    pt_expr_result_clear(&r);
    pt_expr_free(e);
    return pt_debug_check(d, st);
}

/* --- conditions and logs ---------------------------------------------------
 */

bool
pt_debug_holds(void *state, struct pt_engine *engine, struct pt_breakpoint *b)
{
    struct pt_debugger *d = state;
    struct pt_expr *e;
    struct pt_expr_result r = {0};
    bool truth = true;
    if (!pt_debug_parse(d, b->condition, &e))
        return true;
    enum pt_status st = evaluate(d, e, &r, &truth);
    /* What cannot be told stops: it may be what is looked for. */
    bool told = st == PT_OK && r.outcome == PT_EXPR_VALUE;
    if (st == PT_OK && !told)
        pt_out_printf(d->out, "The condition of %u is not known here: %s\n",
                      b->number, r.text);
    pt_expr_result_clear(&r);
    pt_expr_free(e);
    return !told || truth;
}

/* "{EXPRESSION}" in a message stands for its value, "{{" for a brace. */
void
pt_debug_log(void *state, struct pt_engine *engine, struct pt_breakpoint *b)
{
    struct pt_debugger *d = state;
    const char *p = b->log;
    while (*p) {
        size_t plain = strcspn(p, "{");
        pt_out_bytes(d->out, p, plain);
        p += plain;
        const char *end = *p ? strchr(p, '}') : NULL;
        if (!end || p[1] == '{') {
            if (*p)
                pt_out_char(d->out, '{');
            p += *p ? 1 + (p[1] == '{') : 0;
            continue;
        }
        char *text = strndup(p + 1, (size_t)(end - p - 1));
        struct pt_expr *e;
        struct pt_expr_result r = {0};
        if (text && pt_debug_parse(d, text, &e)) {
            if (evaluate(d, e, &r, NULL) == PT_OK)
                put_result(d, &r, false);
            pt_expr_result_clear(&r);
            pt_expr_free(e);
        }
        free(text);
        p = end + 1;
    }
    pt_out_char(d->out, '\n');
}

/* --- display ---------------------------------------------------------------
 */

void
pt_debug_displays(struct pt_debugger *d)
{
    for (size_t i = 0; i < d->ndisplays; i++) {
        const struct pt_display *s = &d->displays[i];
        struct pt_expr_result r = {0};
        struct pt_str text = pt_expr_text(s->expr);
        pt_out_printf(d->out, "%u: ", s->number);
        pt_out_str(d->out, text);
        pt_out_text(d->out, " = ");
        if (evaluate(d, s->expr, &r, NULL) == PT_OK)
            put_result(d, &r, false);
        pt_out_char(d->out, '\n');
        pt_expr_result_clear(&r);
    }
}

bool
pt_command_display(struct pt_debugger *d, const char *args)
{
    struct pt_expr *e;
    if (*args == 0) {
        pt_debug_displays(d);
        return true;
    }
    if (!pt_debug_parse(d, args, &e))
        return false;
    struct pt_display *list =
        realloc(d->displays, (d->ndisplays + 1) * sizeof *list);
    if (!list) {
        pt_expr_free(e);
        return pt_debug_check(d, PT_ENOMEM);
    }
    d->displays = list;
    list[d->ndisplays++] =
        (struct pt_display){.number = ++d->last_display, .expr = e};
    return pt_command_print(d, args);
}

bool
pt_command_undisplay(struct pt_debugger *d, const char *args)
{
    uint64_t number = 0;
    size_t used = 0, n = d->ndisplays;
    if (!pt_debug_count(d, args, 1, &number))
        return false;
    for (size_t i = 0; i < n; i++)
        if (*args == 0 || d->displays[i].number == number)
            pt_expr_free(d->displays[i].expr);
        else
            d->displays[used++] = d->displays[i];
    d->ndisplays = used;
    return *args == 0 || used < n ||
           pt_debug_refuse(d, "There is no display \"%s\".", args);
}

/* --- variables -------------------------------------------------------------
 */

static void
put_value(struct pt_debugger *d, const struct pt_value *v, unsigned used)
{
    struct pt_growing text = {0};
    pt_value_line(&text, d->trace, v, room(d, used));
    pt_out_bytes(d->out, text.data, text.used);
    pt_growing_free(&text);
}

static void
put_variable(struct pt_debugger *d, const struct pt_variable *v)
{
    pt_out_str(d->out, v->name);
    if (v->value) {
        pt_out_text(d->out, " = ");
        put_value(d, v->value, (unsigned)v->name.len + 3);
    } else
        pt_out_printf(d->out, " is not known: %s",
                      pt_locals_missing(d->locals));
    if (v->value && v->gap)
        pt_out_text(d->out, "  (events are missing since)");
    pt_out_char(d->out, '\n');
}

/* How many of a code object's locals are arguments. */
static uint32_t
arguments_of(const struct pt_code *c)
{
    enum { VARARGS = 4, VARKEYWORDS = 8 }; /* of co_flags */
    return c->argcount + c->kwonly + !!(c->flags & VARARGS) +
           !!(c->flags & VARKEYWORDS);
}

/* The selected frame's variables, from here on borrowed from d->locals. */
static bool
list_here(struct pt_debugger *d, const struct pt_variable **list, size_t *n)
{
    enum pt_status st = pt_locals_select(d->locals, d->engine);
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(d, "No Python frame is selected.");
    if (st == PT_OK)
        st = pt_locals_list(d->locals, list, n);
    return pt_debug_check(d, st);
}

static bool
info_variables(struct pt_debugger *d, const char *args, bool arguments)
{
    const struct pt_variable *list;
    size_t n, shown = 0;
    if (!pt_debug_nothing(d, args) || !list_here(d, &list, &n))
        return false;
    const struct pt_scope *scope = pt_locals_frame(d->locals);
    const struct pt_code *c =
        scope ? pt_trace_code(d->trace, scope->code) : NULL;
    uint32_t most = c ? arguments_of(c) : 0;
    for (size_t i = 0; i < n; i++) {
        bool local = list[i].dst >> PT_ROLE_SHIFT == PT_ROLE_LOCAL;
        uint32_t index = list[i].dst & ((1u << PT_ROLE_SHIFT) - 1);
        if (list[i].hidden || (arguments && (!local || index >= most)))
            continue;
        put_variable(d, &list[i]);
        shown++;
    }
    if (shown == 0)
        pt_out_text(d->out, arguments ? "It has no arguments.\n"
                                      : "It has no variables.\n");
    return true;
}

bool
pt_info_locals(struct pt_debugger *d, const char *args)
{
    return info_variables(d, args, false);
}

bool
pt_info_args(struct pt_debugger *d, const char *args)
{
    return info_variables(d, args, true);
}

/* --- where a value came from -----------------------------------------------
 */

/* The variable of a name, and what it held. */
static bool
find_variable(struct pt_debugger *d, const char *name, struct pt_variable *out)
{
    const struct pt_variable *list;
    size_t n, len = strlen(name);
    if (!list_here(d, &list, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (list[i].name.len == len &&
            memcmp(list[i].name.data, name, len) == 0) {
            *out = list[i];
            if (out->value)
                return true;
            return pt_debug_refuse(d, "%s is not known: %s", name,
                                   pt_locals_missing(d->locals));
        }
    return pt_debug_refuse(d, "The selected frame has no variable \"%s\".",
                           name);
}

/* FILE:LINE  NAME = VALUE  (at SEQ) */
static enum pt_status
put_origin(struct pt_debugger *d, struct pt_view *v, const char *name,
           const struct pt_recorded *r)
{
    struct pt_here here;
    enum pt_status st = pt_view_seek(v, r->seq, 0);
    if (st == PT_OK)
        st = pt_history_here(v->history, &here);
    if (st != PT_OK)
        return st;
    const struct pt_code *c =
        here.framed ? pt_trace_code(d->trace, here.frame.id) : NULL;
    if (c)
        pt_debug_put_file(d, c->file);
    pt_out_printf(d->out, ":%" PRIu32 "  ", here.framed ? here.frame.line : 0);
    pt_out_printf(d->out, "%s = ", name);
    put_value(d, &r->value, (unsigned)strlen(name) + 3);
    pt_out_printf(d->out, "  (at %" PRIu64 ")\n", r->seq);
    return PT_OK;
}

/* Prints the last `most` records of a variable that told something new, the
 * oldest first. */
static enum pt_status
put_origins(struct pt_debugger *d, const char *name,
            const struct pt_variable *variable, size_t most)
{
    const struct pt_scope scope = *pt_locals_frame(d->locals);
    struct pt_recorded *list[HISTORY] = {NULL};
    struct pt_scope_value last = {.seq = variable->told};
    struct pt_view view;
    size_t n = 0;
    enum pt_status st = PT_OK;
    while (n < most && !pt_interrupted(NULL)) {
        struct pt_recorded *r;
        st = pt_values_get(pt_locals_values(d->locals), last.seq, &r);
        if (st != PT_OK)
            break;
        uint64_t seq = last.seq;
        st = seq == 0 ? PT_ENOTFOUND
                      : pt_scope_last(pt_locals_scopes(d->locals), &scope,
                                      variable->dst, seq - 1, &last);
        /* Where nothing had changed, it got its value before. */
        if (r->told == seq || st != PT_OK)
            list[n++] = r;
        else
            pt_recorded_free(r);
        if (st != PT_OK)
            break;
    }
    if (st == PT_ENOTFOUND)
        st = PT_OK;
    if (st == PT_OK)
        st = pt_view_open(&view, d->trace, scope.thread, NULL);
    if (st == PT_OK) {
        for (size_t i = n; i-- > 0 && st == PT_OK;)
            st = put_origin(d, &view, name, list[i]);
        pt_view_close(&view);
    }
    for (size_t i = 0; i < n; i++)
        pt_recorded_free(list[i]);
    return st;
}

static bool
origins(struct pt_debugger *d, const char *args, size_t most)
{
    struct pt_variable v;
    if (*args == 0)
        return pt_debug_refuse(d, "Of which variable?");
    return find_variable(d, args, &v) &&
           pt_debug_check(d, put_origins(d, args, &v, most));
}

bool
pt_command_last(struct pt_debugger *d, const char *args)
{
    return origins(d, args, 1);
}

bool
pt_command_history(struct pt_debugger *d, const char *args)
{
    return origins(d, args, HISTORY);
}
