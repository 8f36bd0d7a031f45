#include "analyze/debug/locals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 64 }; /* asked for at once */

struct pt_locals {
    const struct pt_trace *trace;
    struct pt_values *values;
    struct pt_scopes *scopes;
    /* The frame that is looked at, and the body of its module, where that is
     * on the stack too. */
    struct pt_scope frame, module;
    bool looking, has_module;
    uint64_t seq;
    uint32_t hexversion;
    struct pt_recorded **held; /* values that were handed out */
    size_t nheld, capacity;
    struct pt_variable *list; /* NULL: not made */
    size_t nlist;
};

enum pt_status
pt_locals_new(const struct pt_trace *trace, struct pt_locals **out)
{
    struct pt_locals *v = calloc(1, sizeof *v);
    if (!v)
        return PT_ENOMEM;
    v->trace = trace;
    enum pt_status st = pt_values_new(trace, &v->values);
    if (st == PT_OK)
        st = pt_scopes_new(trace, v->values, &v->scopes);
    if (st == PT_OK)
        *out = v;
    else
        pt_locals_free(v);
    return st;
}

static void
look_away(struct pt_locals *v)
{
    free(v->list);
    v->list = NULL;
    v->looking = v->has_module = false;
}

static void
forget_values(struct pt_locals *v)
{
    for (size_t i = 0; i < v->nheld; i++)
        pt_recorded_free(v->held[i]);
    v->nheld = 0;
    free(v->list);
    v->list = NULL;
}

static void
forget(struct pt_locals *v)
{
    forget_values(v);
    look_away(v);
}

void
pt_locals_at(struct pt_locals *v, uint64_t seq)
{
    forget_values(v);
    v->seq = seq;
}

void
pt_locals_free(struct pt_locals *v)
{
    if (!v)
        return;
    forget(v);
    free(v->held);
    pt_scopes_free(v->scopes);
    pt_values_free(v->values);
    free(v);
}

/* --- the frame ------------------------------------------------------------
 */

static bool
is_module(const struct pt_code *c)
{
    static const char module[] = "<module>";
    return c && c->name.len == sizeof module - 1 &&
           memcmp(c->name.data, module, c->name.len) == 0;
}

static bool
same_file(const struct pt_code *a, const struct pt_code *b)
{
    return a && b && a->file.len == b->file.len &&
           (a->file.len == 0 ||
            memcmp(a->file.data, b->file.data, a->file.len) == 0);
}

/* Goes through the entries below `entry`: counts the Python frames for the
 * levels, and looks for the module's body. */
static enum pt_status
look_below(struct pt_locals *v, struct pt_engine *e, size_t i, size_t entry)
{
    struct pt_frame frames[FRAMES];
    const struct pt_code *code = pt_trace_code(v->trace, v->frame.code);
    size_t n = FRAMES, below = 0, module = 0;
    for (size_t at = entry + 1; n == FRAMES; at += n) {
        enum pt_status st =
            pt_engine_thread_frames(e, i, at, frames, FRAMES, &n);
        if (st != PT_OK)
            return st;
        for (size_t k = 0; k < n; k++) {
            const struct pt_frame *f = &frames[k];
            if (f->callable)
                continue;
            below++;
            const struct pt_code *c = pt_trace_code(v->trace, f->id);
            if (v->has_module || !is_module(c) || !same_file(c, code))
                continue;
            v->module = (struct pt_scope){.thread = v->frame.thread,
                                          .code = f->id,
                                          .key = f->key,
                                          .entered = f->seq};
            v->has_module = true;
            module = below;
        }
    }
    v->frame.level = below;
    v->module.level = below - module;
    return PT_OK;
}

enum pt_status
pt_locals_look(struct pt_locals *v, struct pt_engine *e, size_t i, size_t entry)
{
    forget(v);
    return pt_locals_look_too(v, e, i, entry);
}

enum pt_status
pt_locals_look_too(struct pt_locals *v, struct pt_engine *e, size_t i,
                   size_t entry)
{
    struct pt_thread_state t;
    struct pt_frame f;
    size_t n = 0;
    look_away(v);
    enum pt_status st = pt_engine_thread_state(e, i, &t);
    if (st == PT_OK)
        st = pt_engine_thread_frames(e, i, entry, &f, 1, &n);
    if (st == PT_OK && (n == 0 || f.callable))
        st = PT_ENOTFOUND;
    if (st != PT_OK)
        return st;
    v->frame = (struct pt_scope){
        .thread = t.thread, .code = f.id, .key = f.key, .entered = f.seq};
    v->seq = t.seq;
    const struct pt_process *p = pt_trace_process(v->trace, t.process);
    const struct pt_interpreter *interpreter =
        p ? pt_trace_interpreter(v->trace, p->interpreter) : NULL;
    v->hexversion = interpreter ? interpreter->hexversion : 0;
    st = look_below(v, e, i, entry);
    v->looking = st == PT_OK;
    return st;
}

enum pt_status
pt_locals_select(struct pt_locals *v, struct pt_engine *e)
{
    struct pt_place place;
    struct pt_thread_state t;
    enum pt_status st = pt_engine_place(e, &place);
    for (size_t i = 0; st == PT_OK && i < pt_engine_threads(e); i++) {
        st = pt_engine_thread_state(e, i, &t);
        if (st == PT_OK && t.thread == place.thread)
            return pt_locals_look(v, e, i, pt_engine_selected(e));
    }
    forget(v);
    return st == PT_OK ? PT_ENOTFOUND : st;
}

const struct pt_scope *
pt_locals_frame(const struct pt_locals *v)
{
    return v->looking ? &v->frame : NULL;
}

struct pt_scopes *
pt_locals_scopes(struct pt_locals *v)
{
    return v->scopes;
}

struct pt_values *
pt_locals_values(struct pt_locals *v)
{
    return v->values;
}

const char *
pt_locals_missing(const struct pt_locals *v)
{
    const char *lacks = pt_values_lacks(v->trace, PT_LEVEL_LOCALS);
    return lacks ? lacks : "it was not told before this moment";
}

/* --- values ---------------------------------------------------------------
 */

/* Reads an event's value and keeps it until another frame is looked at. */
static enum pt_status
hold(struct pt_locals *v, uint64_t seq, const struct pt_value **out)
{
    struct pt_recorded *r;
    if (v->nheld == v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 32;
        void *grown = realloc(v->held, capacity * sizeof(void *));
        if (!grown)
            return PT_ENOMEM;
        v->held = grown;
        v->capacity = capacity;
    }
    enum pt_status st = pt_values_get(v->values, seq, &r);
    if (st != PT_OK)
        return st;
    v->held[v->nheld++] = r;
    *out = &r->value;
    return PT_OK;
}

/* The index of a name among `n`; SIZE_MAX where it is none of them. */
static size_t
index_of(const struct pt_str *names, size_t n, struct pt_str name)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].len == name.len &&
            (name.len == 0 || memcmp(names[i].data, name.data, name.len) == 0))
            return i;
    return SIZE_MAX;
}

size_t
pt_locals_tellers(const struct pt_locals *v, struct pt_str name,
                  struct pt_teller out[2])
{
    const struct pt_scope *frames[] = {&v->frame,
                                       v->has_module ? &v->module : NULL};
    const uint32_t most = UINT32_MAX >> (32 - PT_ROLE_SHIFT);
    size_t n = 0;
    for (size_t k = 0; v->looking && k < 2 && frames[k]; k++) {
        const struct pt_code *c = pt_trace_code(v->trace, frames[k]->code);
        size_t i =
            c && k == 0 ? index_of(c->locals, c->nlocalsplus, name) : SIZE_MAX;
        if (i <= most) {
            out[0] = (struct pt_teller){
                *frames[k], PT_ROLE_LOCAL << PT_ROLE_SHIFT | (uint32_t)i};
            return 1;
        }
        i = c ? index_of(c->names, c->nnames, name) : SIZE_MAX;
        if (i <= most)
            out[n++] = (struct pt_teller){
                *frames[k], PT_ROLE_NAME << PT_ROLE_SHIFT | (uint32_t)i};
    }
    return n;
}

static enum pt_status
value_of(struct pt_locals *v, const struct pt_scope *frame,
         enum pt_value_role role, size_t index, const struct pt_value **out,
         bool *gap)
{
    struct pt_scope_value at;
    if (index > UINT32_MAX >> (32 - PT_ROLE_SHIFT))
        return PT_ENOTFOUND;
    uint32_t dst = (uint32_t)role << PT_ROLE_SHIFT | (uint32_t)index;
    enum pt_status st = pt_scope_last(v->scopes, frame, dst, v->seq, &at);
    if (st != PT_OK)
        return st;
    *gap = at.gap;
    return hold(v, at.seq, out);
}

static enum pt_name_found
told(enum pt_status st, bool gap, char *why)
{
    if (st != PT_OK)
        snprintf(why, PT_EXPR_TEXT, "%s",
                 st == PT_ENOMEM ? "out of memory"
                                 : "its record cannot be read");
    else if (gap)
        snprintf(why, PT_EXPR_TEXT,
                 "events are missing since it was told, and it may have "
                 "changed");
    return st == PT_OK && !gap ? PT_NAME_FOUND : PT_NAME_UNKNOWN;
}

static enum pt_name_found
find(void *self, struct pt_str name, const struct pt_value **value, char *why)
{
    struct pt_locals *v = self;
    const struct pt_code *c =
        v->looking ? pt_trace_code(v->trace, v->frame.code) : NULL;
    int len = (int)(name.len < 100 ? name.len : 100);
    bool gap = false;
    if (!c) {
        snprintf(why, PT_EXPR_TEXT, "no Python code is running here");
        return PT_NAME_UNKNOWN;
    }
    size_t i = index_of(c->locals, c->nlocalsplus, name);
    if (i != SIZE_MAX) {
        enum pt_status st =
            value_of(v, &v->frame, PT_ROLE_LOCAL, i, value, &gap);
        if (st != PT_ENOTFOUND)
            return told(st, gap, why);
        snprintf(why, PT_EXPR_TEXT, "'%.*s' has no recorded value here: %s",
                 len, name.data, pt_locals_missing(v));
        return PT_NAME_UNKNOWN;
    }
    const struct pt_scope *frames[] = {&v->frame,
                                       v->has_module ? &v->module : NULL};
    for (size_t k = 0; k < 2 && frames[k]; k++) {
        const struct pt_code *at = pt_trace_code(v->trace, frames[k]->code);
        i = at ? index_of(at->names, at->nnames, name) : SIZE_MAX;
        enum pt_status st = i == SIZE_MAX ? PT_ENOTFOUND
                                          : value_of(v, frames[k], PT_ROLE_NAME,
                                                     i, value, &gap);
        if (st != PT_ENOTFOUND)
            return told(st, gap, why);
    }
    if (pt_expr_is_builtin(name))
        return PT_NAME_ABSENT;
    snprintf(why, PT_EXPR_TEXT, "'%.*s' is no variable that was recorded: %s",
             len, name.data, pt_locals_missing(v));
    return PT_NAME_UNKNOWN;
}

struct pt_expr_scope
pt_locals_scope(struct pt_locals *v)
{
    return (struct pt_expr_scope){.trace = v->trace,
                                  .hexversion = v->hexversion,
                                  .find = find,
                                  .self = v};
}

/* --- the list -------------------------------------------------------------
 */

static const struct pt_scope_value *
among(const struct pt_scope_value *all, size_t n, uint32_t dst)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].dst == dst)
            return &all[i];
    return NULL;
}

static enum pt_status
add(struct pt_locals *v, struct pt_str name, uint32_t dst,
    const struct pt_scope_value *at)
{
    struct pt_variable *made = &v->list[v->nlist];
    bool own = name.len && name.data[0] == '.';
    *made = (struct pt_variable){.name = name, .dst = dst, .hidden = own};
    enum pt_status st = PT_OK;
    if (at) {
        made->gap = at->gap;
        made->told = at->seq;
        st = hold(v, at->seq, &made->value);
    }
    if (st == PT_OK)
        v->nlist++;
    return st == PT_ENOMEM ? st : PT_OK;
}

enum pt_status
pt_locals_list(struct pt_locals *v, const struct pt_variable **out, size_t *n)
{
    const struct pt_scope_value *all = NULL;
    struct pt_scope_value *copy;
    size_t nall = 0;
    const struct pt_code *c =
        v->looking ? pt_trace_code(v->trace, v->frame.code) : NULL;
    if (!c)
        return PT_ENOTFOUND;
    enum pt_status st = PT_OK;
    if (!v->list) {
        st = pt_scope_all(v->scopes, &v->frame, v->seq, &all, &nall);
        copy = calloc(nall + 1, sizeof *copy);
        v->list = calloc(c->nlocalsplus + c->nnames + 1, sizeof *v->list);
        v->nlist = 0;
        if (!copy || !v->list)
            st = PT_ENOMEM;
        if (st == PT_OK && nall)
            memcpy(copy, all, nall * sizeof *copy);
        for (size_t i = 0; st == PT_OK && i < c->nlocalsplus; i++) {
            uint32_t dst = PT_ROLE_LOCAL << PT_ROLE_SHIFT | (uint32_t)i;
            st = add(v, c->locals[i], dst, among(copy, nall, dst));
        }
        for (size_t i = 0; st == PT_OK && i < c->nnames; i++) {
            uint32_t dst = PT_ROLE_NAME << PT_ROLE_SHIFT | (uint32_t)i;
            const struct pt_scope_value *at = among(copy, nall, dst);
            if (at)
                st = add(v, c->names[i], dst, at);
        }
        free(copy);
        if (st != PT_OK) {
            free(v->list);
            v->list = NULL;
            return st;
        }
    }
    *out = v->list;
    *n = v->nlist;
    return PT_OK;
}
