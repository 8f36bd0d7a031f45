/* Threads, stacks, variables and expressions. */
#include "analyze/dap/dap.h"
#include "analyze/names.h"
#include "analyze/value_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MOST = 1000, TEXT_MOST = 1000, ITEMS_MOST = 10000 };

/* --- threads ----------------------------------------------------------------
 */

enum pt_status
pt_dap_threads(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "threads");
    struct pt_thread_state t;
    for (size_t i = 0; i < pt_engine_threads(d->engine); i++) {
        struct pt_growing name = {0};
        enum pt_status st = pt_engine_thread_state(d->engine, i, &t);
        if (st != PT_OK)
            return st;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(list, item);
        pt_dap_put_number(item, "id", t.thread);
        pt_name_thread(d->trace, t.thread, &name);
        if (pt_trace_process_count(d->trace) > 1) {
            pt_growing_text(&name, " of ");
            pt_name_process(d->trace, t.process, &name);
        }
        if (!t.begun || t.ended)
            pt_growing_text(&name, t.begun ? " (ended)" : " (not begun)");
        pt_dap_put_str(item, "name", pt_growing_whole(&name));
        pt_growing_free(&name);
    }
    return PT_OK;
}

/* --- stacks -----------------------------------------------------------------
 */

/* The index of a thread among the engine's. */
static enum pt_status
find_thread(struct pt_dap *d, const cJSON *args, size_t *out,
            struct pt_thread_state *t)
{
    int64_t wanted = pt_dap_number(args, "threadId", 0);
    for (*out = 0; *out < pt_engine_threads(d->engine); ++*out) {
        enum pt_status st = pt_engine_thread_state(d->engine, *out, t);
        if (st != PT_OK)
            return st;
        if (t->thread == wanted)
            return PT_OK;
    }
    return pt_dap_refuse(d, PT_ENOTFOUND, "there is no such thread");
}

static bool
add_frame(struct pt_dap *d, cJSON *list, size_t thread, size_t entry,
          const struct pt_frame *f)
{
    char name[PT_NAME_TEXT], where[64];
    cJSON *item = cJSON_CreateObject();
    void *grown = pt_dap_grow(d, d->frames, d->nframes, sizeof *d->frames);
    cJSON_AddItemToArray(list, item);
    if (!grown)
        return false;
    d->frames = grown;
    d->frames[d->nframes++] =
        (struct pt_dap_frame){.thread = thread, .entry = entry};
    pt_dap_put_number(item, "id", (double)d->nframes);
    pt_dap_put_str(item, "name",
                   pt_name_function(d->trace, f->id, f->callable, name).name);
    pt_dap_line_out(d, item, "line", f->callable ? 0 : f->line);
    pt_dap_put_number(item, "column", f->callable ? 0 : 1);
    if (f->callable) {
        cJSON_AddStringToObject(item, "presentationHint", "subtle");
        return true;
    }
    if (!cJSON_AddItemToObject(item, "source", pt_dap_source_of(d, f->id)))
        return true;
    if (f->off != UINT32_MAX) {
        snprintf(where, sizeof where, "%" PRIu32 "+%" PRIu32, f->id, f->off);
        cJSON_AddStringToObject(item, "instructionPointerReference", where);
    }
    return true;
}

enum pt_status
pt_dap_stack(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    struct pt_thread_state t = {0};
    size_t thread = 0, n = 0;
    int64_t start = pt_dap_number(args, "startFrame", 0);
    int64_t levels = pt_dap_number(args, "levels", 0);
    cJSON *list = cJSON_AddArrayToObject(body, "stackFrames");
    enum pt_status st = find_thread(d, args, &thread, &t);
    if (st != PT_OK)
        return st;
    size_t skip = start > 0 ? (size_t)start : 0;
    size_t most =
        levels > 0 && levels < FRAMES_MOST ? (size_t)levels : FRAMES_MOST;
    struct pt_frame *frames = calloc(most, sizeof *frames);
    if (!frames)
        return PT_ENOMEM;
    st = pt_engine_thread_frames(d->engine, thread, skip, frames, most, &n);
    for (size_t i = 0; st == PT_OK && i < n; i++)
        if (!add_frame(d, list, thread, skip + i, &frames[i]))
            st = PT_ENOMEM;
    free(frames);
    pt_dap_put_number(body, "totalFrames", (double)t.depth);
    return st;
}

/* --- scopes -----------------------------------------------------------------
 */

/* An id for something that has variables; 0 without memory. */
static size_t
handle(struct pt_dap *d, struct pt_dap_handle h)
{
    void *grown = pt_dap_grow(d, d->handles, d->nhandles, sizeof *d->handles);
    if (!grown)
        return 0;
    d->handles = grown;
    d->handles[d->nhandles++] = h;
    return d->nhandles;
}

/* Looks at the frame that an argument names. */
static enum pt_status
look(struct pt_dap *d, int64_t frame)
{
    if (frame <= 0 || (uint64_t)frame > d->nframes)
        return pt_dap_refuse(d, PT_ENOTFOUND,
                             "there is no such frame any more");
    const struct pt_dap_frame *f = &d->frames[frame - 1];
    return pt_locals_look_too(d->locals, d->engine, f->thread, f->entry);
}

enum pt_status
pt_dap_scopes(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    int64_t frame = pt_dap_number(args, "frameId", 0);
    cJSON *list = cJSON_AddArrayToObject(body, "scopes");
    enum pt_status st = look(d, frame);
    if (st == PT_ENOTFOUND && frame > 0 && (uint64_t)frame <= d->nframes)
        return PT_OK; /* a C call has none */
    if (st != PT_OK)
        return st;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    cJSON_AddStringToObject(item, "name", "Locals");
    cJSON_AddStringToObject(item, "presentationHint", "locals");
    cJSON_AddFalseToObject(item, "expensive");
    size_t id = handle(
        d, (struct pt_dap_handle){.locals = true, .frame = (size_t)frame - 1});
    pt_dap_put_number(item, "variablesReference", (double)id);
    return id ? PT_OK : PT_ENOMEM;
}

/* --- values -----------------------------------------------------------------
 */

/* What a value has within: items by number, and named ones. */
static void
count(const struct pt_value *v, uint32_t *indexed, uint32_t *named)
{
    *indexed = *named = 0;
    if (v->kind != PT_VALUE_OBJECT)
        return;
    switch (v->form) {
    case PT_FORM_SEQUENCE:
    case PT_FORM_SET:
        *indexed = v->n;
        break;
    case PT_FORM_MAPPING:
    case PT_FORM_RECORD:
        *named = v->n / 2;
        break;
    case PT_FORM_WRAPPED:
        *named = (v->n + 1) / 2;
        break;
    default:
        break;
    }
}

static void
put_text(cJSON *to, const char *key, struct pt_dap *d, const struct pt_value *v)
{
    struct pt_growing text = {0};
    pt_value_line(&text, d->trace, v, TEXT_MOST);
    pt_dap_put_str(to, key, pt_growing_whole(&text));
    pt_growing_free(&text);
}

/* The value, and how to ask for what is within. */
static bool
put_value(struct pt_dap *d, cJSON *item, const char *key,
          const struct pt_value *v)
{
    char name[PT_NAME_TEXT];
    uint32_t indexed, named;
    size_t id = 0;
    put_text(item, key, d, v);
    if (v->kind == PT_VALUE_OBJECT)
        pt_dap_put_str(item, "type", pt_class_name(d->trace, v->type, name));
    count(v, &indexed, &named);
    if (indexed + named) {
        id = handle(d, (struct pt_dap_handle){.value = v});
        if (!id)
            return false;
    }
    if (indexed)
        pt_dap_put_number(item, "indexedVariables", indexed);
    if (named && indexed)
        pt_dap_put_number(item, "namedVariables", named);
    pt_dap_put_number(item, "variablesReference", (double)id);
    return true;
}

/* The i-th thing within a value, with its name. */
static bool
put_child(struct pt_dap *d, cJSON *item, const struct pt_value *v, uint32_t i)
{
    char number[32];
    bool wrapped = v->form == PT_FORM_WRAPPED;
    if (v->form == PT_FORM_SEQUENCE || v->form == PT_FORM_SET) {
        snprintf(number, sizeof number, "[%" PRIu32 "]", i);
        cJSON_AddStringToObject(item, "name", number);
        return put_value(d, item, "value", &v->items[i]);
    }
    if (wrapped && i == 0) {
        cJSON_AddStringToObject(item, "name", "[value]");
        return put_value(d, item, "value", &v->items[0]);
    }
    const struct pt_value *key = &v->items[wrapped ? 2 * i - 1 : 2 * i];
    if (v->form != PT_FORM_MAPPING && key->kind == PT_VALUE_STR)
        pt_dap_put_str(item, "name", key->s);
    else
        put_text(item, "name", d, key);
    return put_value(d, item, "value", key + 1);
}

static bool
put_children(struct pt_dap *d, cJSON *list, const struct pt_value *v,
             size_t start, size_t most)
{
    uint32_t indexed, named;
    count(v, &indexed, &named);
    size_t n = (size_t)indexed + named;
    for (size_t i = start; i < n && i - start < most; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(list, item);
        if (!put_child(d, item, v, (uint32_t)i))
            return false;
    }
    if (v->cut && start + most >= n) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToArray(list, item);
        cJSON_AddStringToObject(item, "name", "...");
        cJSON_AddStringToObject(item, "value",
                                "cut when it was recorded; ptrec run "
                                "--value-length, --value-depth, --value-bytes");
        pt_dap_put_number(item, "variablesReference", 0);
    }
    return true;
}

/* Keeps what an expression gave until the engine moves; NULL without memory. */
static struct pt_expr_result *
keep(struct pt_dap *d, struct pt_expr *expr)
{
    void *grown = pt_dap_grow(d, d->results, d->nresults, sizeof *d->results);
    if (!grown)
        return NULL;
    d->results = grown;
    grown = pt_dap_grow(d, d->expressions, d->nresults, sizeof *d->expressions);
    if (!grown)
        return NULL;
    d->expressions = grown;
    struct pt_expr_result *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    d->results[d->nresults] = r;
    d->expressions[d->nresults++] = expr;
    return r;
}

/* --- variables --------------------------------------------------------------
 */

static enum pt_status
put_variable(struct pt_dap *d, cJSON *list, const struct pt_variable *v)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(list, item);
    pt_dap_put_str(item, "name", v->name);
    pt_dap_put_str(item, "evaluateName", v->name);
    if (!v->value) {
        const char *why = pt_locals_missing(d->locals);
        struct pt_growing text = {0};
        pt_growing_text(&text, "<not recorded: ");
        pt_growing_text(&text, why);
        pt_growing_text(&text, ">");
        pt_dap_put_str(item, "value", pt_growing_whole(&text));
        pt_growing_free(&text);
        pt_dap_put_number(item, "variablesReference", 0);
        return PT_OK;
    }
    struct pt_expr_result *r = keep(d, NULL);
    struct pt_expr_scope scope = pt_locals_scope(d->locals);
    if (!r || pt_expr_link(&scope, v->value, r) != PT_OK)
        return PT_ENOMEM;
    return put_value(d, item, "value", r->value ? r->value : v->value)
               ? PT_OK
               : PT_ENOMEM;
}

static enum pt_status
list_locals(struct pt_dap *d, cJSON *list, size_t frame, size_t start,
            size_t most)
{
    const struct pt_variable *all;
    size_t n, shown = 0;
    enum pt_status st = look(d, (int64_t)frame + 1);
    if (st == PT_OK)
        st = pt_locals_list(d->locals, &all, &n);
    for (size_t i = 0; st == PT_OK && i < n; i++) {
        if (all[i].hidden)
            continue;
        if (shown >= start && shown - start < most)
            st = put_variable(d, list, &all[i]);
        shown++;
    }
    return st;
}

enum pt_status
pt_dap_variables(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    int64_t id = pt_dap_number(args, "variablesReference", 0);
    int64_t start = pt_dap_number(args, "start", 0);
    int64_t most = pt_dap_number(args, "count", 0);
    const char *filter = pt_dap_text(args, "filter", "");
    cJSON *list = cJSON_AddArrayToObject(body, "variables");
    if (id <= 0 || (uint64_t)id > d->nhandles)
        return pt_dap_refuse(d, PT_ENOTFOUND,
                             "these variables are of another moment");
    const struct pt_dap_handle h = d->handles[id - 1];
    size_t from = start > 0 ? (size_t)start : 0;
    size_t room =
        most > 0 && most < ITEMS_MOST ? (size_t)most : (size_t)ITEMS_MOST;
    if (h.locals)
        return list_locals(d, list, h.frame, from, room);
    uint32_t indexed, named;
    count(h.value, &indexed, &named);
    bool other = (strcmp(filter, "indexed") == 0 && !indexed) ||
                 (strcmp(filter, "named") == 0 && !named);
    if (!other && !put_children(d, list, h.value, from, room))
        return PT_ENOMEM;
    return PT_OK;
}

/* --- expressions ------------------------------------------------------------
 */

enum pt_status
pt_dap_evaluate(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const char *text = pt_dap_text(args, "expression", "");
    int64_t frame = pt_dap_number(args, "frameId", 0);
    char why[PT_EXPR_TEXT];
    struct pt_expr *expr;
    enum pt_status st =
        pt_expr_parse((struct pt_str){text, strlen(text)}, &expr, why);
    if (st == PT_EUSAGE)
        return pt_dap_refuse(d, st, "SyntaxError: %s", why);
    if (st != PT_OK)
        return st;
    struct pt_expr_result *r = keep(d, expr);
    if (!r) {
        pt_expr_free(expr);
        return PT_ENOMEM;
    }
    if (frame)
        st = look(d, frame);
    else
        st = pt_locals_select(d->locals, d->engine);
    if (st != PT_OK && st != PT_ENOTFOUND)
        return st;
    struct pt_expr_scope scope = pt_locals_scope(d->locals);
    st = pt_expr_eval(expr, &scope, r);
    if (st != PT_OK)
        return st;
    if (!r->value)
        return pt_dap_refuse(d, PT_ENOTFOUND, "%s", r->text);
    return put_value(d, body, "result", r->value) ? PT_OK : PT_ENOMEM;
}
