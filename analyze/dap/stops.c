/* Breakpoints, as the protocol sets them: all of a file, all functions, all
 * filters of exceptions at once. */
#include "analyze/dap/dap.h"

#include "analyze/value_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct pt_dap_stop *
pt_dap_stop_of(const struct pt_dap *d, unsigned number)
{
    for (size_t i = 0; i < d->nstops; i++)
        if (d->stops[i].number == number)
            return &d->stops[i];
    return NULL;
}

static void
clear(struct pt_dap_stop *stop)
{
    free(stop->file);
    pt_expr_free(stop->condition);
}

/* Takes away those of a kind, of one file where it is given. */
static void
drop(struct pt_dap *d, char kind, const char *file)
{
    struct pt_breakpoints *all = pt_engine_breakpoints(d->engine);
    size_t kept = 0;
    for (size_t i = 0; i < d->nstops; i++) {
        struct pt_dap_stop *s = &d->stops[i];
        if (s->kind != kind || (file && strcmp(s->file, file) != 0)) {
            d->stops[kept++] = *s;
            continue;
        }
        struct pt_breakpoint *b = pt_breakpoint_find(all, s->number);
        if (b)
            pt_breakpoint_delete(all, b);
        clear(s);
    }
    d->nstops = kept;
    pt_engine_breakpoints_changed(d->engine);
}

void
pt_dap_stops_clear(struct pt_dap *d)
{
    for (size_t i = 0; i < d->nstops; i++)
        clear(&d->stops[i]);
    free(d->stops);
    d->stops = NULL;
    d->nstops = 0;
}

/* --- what a client asks of one -----------------------------------------------
 */

/* "5", "==5", ">=5", ">5", "%5". */
static bool
parse_hit(struct pt_dap_stop *s, const char *text)
{
    char *end;
    text += strspn(text, " ");
    bool more = strncmp(text, ">", 1) == 0 && strncmp(text, ">=", 2) != 0;
    s->hit = *text == '>'   ? PT_HIT_FROM
             : *text == '%' ? PT_HIT_EACH
                            : PT_HIT_EXACTLY;
    text += strspn(text, ">=% ");
    s->wanted = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || end[strspn(end, " ")] || s->wanted == 0)
        return false;
    s->wanted += more;
    return true;
}

/* Copies what the client says of a breakpoint; `why` receives what is wrong
 * with it. */
static enum pt_status
refine(struct pt_dap *d, struct pt_dap_stop *s, struct pt_breakpoint *b,
       const cJSON *args, char *why)
{
    const char *condition = pt_dap_text(args, "condition", "");
    const char *hit = pt_dap_text(args, "hitCondition", "");
    const char *log = pt_dap_text(args, "logMessage", "");
    if (*condition) {
        struct pt_str text = {condition, strlen(condition)};
        enum pt_status st = pt_expr_parse(text, &s->condition, why);
        if (st != PT_OK)
            return st;
    }
    if (*hit && !parse_hit(s, hit)) {
        snprintf(why, PT_EXPR_TEXT,
                 "a hit count is a number, or one behind >=, > or %%");
        return PT_EUSAGE;
    }
    if (*condition || *hit || s->uncaught)
        b->condition = strdup(*condition ? condition : "");
    if (*log)
        b->log = strdup(log);
    bool failed = ((*condition || *hit || s->uncaught) && !b->condition) ||
                  (*log && !b->log);
    return failed ? PT_ENOMEM : PT_OK;
}

/* Adds to the client's list what came of one. */
static void
report(struct pt_dap *d, cJSON *list, const struct pt_breakpoint *b,
       uint32_t line, const char *why)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    cJSON_AddBoolToObject(item, "verified", why == NULL);
    if (b)
        pt_dap_put_number(item, "id", b->number);
    if (line)
        pt_dap_line_out(d, item, "line", line);
    if (why)
        pt_dap_put_str(item, "message", (struct pt_str){why, strlen(why)});
}

/* A breakpoint of the engine and what we keep of it; NULL without memory. */
static struct pt_dap_stop *
add(struct pt_dap *d, char kind, const char *file, const char *text,
    struct pt_breakpoint **out)
{
    struct pt_breakpoints *all = pt_engine_breakpoints(d->engine);
    struct pt_dap_stop *grown =
        realloc(d->stops, (d->nstops + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    d->stops = grown;
    struct pt_dap_stop *s = &grown[d->nstops];
    *s = (struct pt_dap_stop){.kind = kind, .file = strdup(file)};
    *out = s->file ? pt_breakpoint_add(
                         all, kind == 'x' ? PT_BREAK_EXCEPTION : PT_BREAK_PLACE,
                         text)
                   : NULL;
    if (!*out) {
        free(s->file);
        return NULL;
    }
    s->number = (*out)->number;
    d->nstops++;
    return s;
}

/* Removes the one that was added last. */
static void
undo(struct pt_dap *d, struct pt_breakpoint *b)
{
    clear(&d->stops[--d->nstops]);
    pt_breakpoint_delete(pt_engine_breakpoints(d->engine), b);
}

/* Sets one at the place that `text` names. */
static enum pt_status
set_place(struct pt_dap *d, char kind, const char *file, const char *text,
          const cJSON *args, cJSON *list)
{
    struct pt_located found;
    struct pt_breakpoint *b;
    char why[PT_EXPR_TEXT];
    enum pt_status st = pt_locate(d->trace, text, 0, 0, &found);
    if (st == PT_ENOTFOUND || st == PT_EUSAGE) {
        report(d, list, NULL, 0, found.error.text);
        return PT_OK;
    }
    if (st != PT_OK)
        return st;
    struct pt_dap_stop *s = add(d, kind, file, text, &b);
    if (!s) {
        free(found.targets);
        return PT_ENOMEM;
    }
    b->targets = found.targets;
    b->n = found.n;
    st = refine(d, s, b, args, why);
    if (st == PT_OK)
        report(d, list, b, found.line, NULL);
    else {
        undo(d, b);
        if (st == PT_EUSAGE)
            report(d, list, NULL, 0, why);
    }
    return st == PT_EUSAGE ? PT_OK : st;
}

enum pt_status
pt_dap_set_breakpoints(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const cJSON *source = cJSON_GetObjectItemCaseSensitive(args, "source");
    const cJSON *wanted,
        *all = cJSON_GetObjectItemCaseSensitive(args, "breakpoints");
    const char *path = pt_dap_text(source, "path", "");
    cJSON *list = cJSON_AddArrayToObject(body, "breakpoints");
    enum pt_status st = PT_OK;
    drop(d, 's', path);
    cJSON_ArrayForEach(wanted, all)
    {
        struct pt_growing text = {0};
        char line[32];
        snprintf(line, sizeof line, ":%" PRIu32,
                 pt_dap_line_in(d, wanted, "line"));
        pt_growing_text(&text, path);
        pt_growing_text(&text, line);
        pt_growing_put(&text, "", 1);
        if (st == PT_OK)
            st = text.failed ? PT_ENOMEM
                             : set_place(d, 's', path, text.data, wanted, list);
        pt_growing_free(&text);
    }
    pt_engine_breakpoints_changed(d->engine);
    return st;
}

enum pt_status
pt_dap_set_functions(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const cJSON *wanted,
        *all = cJSON_GetObjectItemCaseSensitive(args, "breakpoints");
    cJSON *list = cJSON_AddArrayToObject(body, "breakpoints");
    enum pt_status st = PT_OK;
    drop(d, 'f', NULL);
    cJSON_ArrayForEach(wanted, all) if (st == PT_OK) st =
        set_place(d, 'f', "", pt_dap_text(wanted, "name", ""), wanted, list);
    pt_engine_breakpoints_changed(d->engine);
    return st;
}

/* A filter, with a type's name where `type` is not empty. */
static enum pt_status
set_filter(struct pt_dap *d, const char *filter, const char *type, cJSON *list)
{
    struct pt_breakpoint *b;
    uint32_t *ids = NULL;
    size_t n = 0;
    char why[PT_EXPR_TEXT];
    bool uncaught = strcmp(filter, "uncaught") == 0;
    if (!uncaught && strcmp(filter, "raised") != 0) {
        report(d, list, NULL, 0, "there is no such filter");
        return PT_OK;
    }
    if (!(pt_trace_header(d->trace)->events & 1u << PT_EXCEPTION)) {
        report(d, list, NULL, 0,
               "the trace has no exceptions; ptrec run --preset=flow records "
               "them");
        return PT_OK;
    }
    enum pt_status st =
        *type ? pt_locate_types(d->trace, type, &ids, &n) : PT_OK;
    if (st == PT_ENOTFOUND) {
        report(d, list, NULL, 0, "the trace has no exception of that type");
        return PT_OK;
    }
    struct pt_dap_stop *s = st == PT_OK ? add(d, 'x', "", filter, &b) : NULL;
    if (!s) {
        free(ids);
        return st == PT_OK ? PT_ENOMEM : st;
    }
    b->ids = ids;
    b->n = n;
    b->any = !*type;
    s->uncaught = uncaught;
    st = refine(d, s, b, NULL, why);
    if (st == PT_OK)
        report(d, list, b, 0, NULL);
    else
        undo(d, b);
    return st;
}

enum pt_status
pt_dap_set_exceptions(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const cJSON *item;
    cJSON *list = cJSON_AddArrayToObject(body, "breakpoints");
    enum pt_status st = PT_OK;
    drop(d, 'x', NULL);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(
                                 args, "filters")) if (st == PT_OK &&
                                                       cJSON_IsString(item))
        st = set_filter(d, item->valuestring, "", list);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(
                                 args, "filterOptions")) if (st == PT_OK) st =
        set_filter(d, pt_dap_text(item, "filterId", ""),
                   pt_dap_text(item, "condition", ""), list);
    pt_engine_breakpoints_changed(d->engine);
    return st;
}

/* --- while the engine moves --------------------------------------------------
 */

/* A condition that is not known stops, and says why. */
static bool
condition_holds(struct pt_dap *d, const struct pt_dap_stop *s)
{
    struct pt_expr_result result;
    struct pt_growing said = {0};
    bool truth = false;
    if (pt_locals_select(d->locals, d->engine) != PT_OK)
        return false;
    struct pt_expr_scope scope = pt_locals_scope(d->locals);
    if (pt_expr_test(s->condition, &scope, &result, &truth) != PT_OK)
        return false;
    if (result.outcome != PT_EXPR_VALUE) {
        truth = true;
        pt_growing_text(&said, "the condition ");
        pt_growing_str(&said, pt_expr_text(s->condition));
        pt_growing_text(&said, " is not known here: ");
        pt_growing_text(&said, result.text);
        pt_growing_text(&said, "\n");
        pt_dap_output(d, "console", pt_growing_whole(&said));
        pt_growing_free(&said);
    }
    pt_expr_result_clear(&result);
    return truth;
}

bool
pt_dap_holds(void *dap, struct pt_engine *e, struct pt_breakpoint *b)
{
    struct pt_dap *d = dap;
    struct pt_place place;
    struct pt_dap_stop *s = (struct pt_dap_stop *)pt_dap_stop_of(d, b->number);
    if (!s)
        return true;
    if (s->uncaught &&
        (!d->failure.found || pt_engine_place(e, &place) != PT_OK ||
         place.seq != d->failed_at))
        return false;
    if (s->condition && !condition_holds(d, s))
        return false;
    s->hits++;
    return s->hit == PT_HIT_ANY ||
           (s->hit == PT_HIT_EXACTLY && s->hits == s->wanted) ||
           (s->hit == PT_HIT_FROM && s->hits >= s->wanted) ||
           (s->hit == PT_HIT_EACH && s->hits % s->wanted == 0);
}

/* The value of an expression of a message, or why there is none. */
static void
put_value(struct pt_dap *d, struct pt_str text, struct pt_growing *g)
{
    char why[PT_EXPR_TEXT];
    struct pt_expr *expr;
    struct pt_expr_result result;
    struct pt_expr_scope scope = pt_locals_scope(d->locals);
    if (pt_expr_parse(text, &expr, why) != PT_OK) {
        pt_growing_text(g, "<");
        pt_growing_text(g, why);
        pt_growing_text(g, ">");
        return;
    }
    if (pt_expr_eval(expr, &scope, &result) == PT_OK) {
        if (result.value && result.value->kind == PT_VALUE_STR)
            pt_growing_str(g, result.value->s);
        else if (result.value)
            pt_value_line(g, d->trace, result.value, 1000);
        else {
            pt_growing_text(g, "<");
            pt_growing_text(g, result.text);
            pt_growing_text(g, ">");
        }
        pt_expr_result_clear(&result);
    }
    pt_expr_free(expr);
}

void
pt_dap_log(void *dap, struct pt_engine *e, struct pt_breakpoint *b)
{
    struct pt_dap *d = dap;
    struct pt_growing g = {0};
    /* Where no Python code runs, names are said not to be known. */
    pt_locals_select(d->locals, e);
    for (const char *at = b->log; *at;) {
        const char *open = strchr(at, '{');
        const char *close = open ? strchr(open, '}') : NULL;
        size_t plain = close ? (size_t)(open - at) : strlen(at);
        pt_growing_put(&g, at, plain);
        at += plain;
        if (close) {
            put_value(d, (struct pt_str){open + 1, (size_t)(close - open) - 1},
                      &g);
            at = close + 1;
        }
    }
    pt_growing_text(&g, "\n");
    pt_dap_output(d, "console", pt_growing_whole(&g));
    pt_growing_free(&g);
}
