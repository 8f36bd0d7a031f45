#include "analyze/names.h"

#include <pt/value.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t
append(char *buffer, size_t used, struct pt_str s)
{
    size_t room = PT_NAME_TEXT - used;
    size_t n = s.len < room ? s.len : room;
    if (n)
        memcpy(buffer + used, s.data, n);
    return used + n;
}

static struct pt_str
join(char *buffer, struct pt_str before, struct pt_str name)
{
    size_t used = 0;
    if (before.len) {
        used = append(buffer, used, before);
        used = append(buffer, used, (struct pt_str){".", 1});
    }
    used = append(buffer, used, name);
    return (struct pt_str){buffer, used};
}

struct pt_str
pt_name_callable(const struct pt_trace *trace, uint32_t id, char *buffer)
{
    const struct pt_callable *c = pt_trace_callable(trace, id);
    if (!c)
        return (struct pt_str){"?", 1};
    return join(buffer, c->owner.len ? c->owner : c->module, c->name);
}

struct pt_str
pt_name_type(const struct pt_trace *trace, uint32_t id, char *buffer)
{
    const struct pt_type *t = pt_trace_type(trace, id);
    if (!t)
        return (struct pt_str){"?", 1};
    bool plain =
        t->module.len == 8 && memcmp(t->module.data, "builtins", 8) == 0;
    return join(buffer, plain ? (struct pt_str){0} : t->module, t->name);
}

const char *
pt_name_callable_kind(unsigned kind)
{
    switch (kind) {
    case PT_CALLABLE_BUILTIN:
        return "builtin";
    case PT_CALLABLE_METHOD:
        return "method";
    case PT_CALLABLE_TYPE:
        return "type";
    case PT_CALLABLE_OBJECT:
        return "object";
    default:
        return "unknown";
    }
}

const char *
pt_name_role(unsigned role)
{
    static const char *const names[PT_ROLE_LIMIT] = {
        "?",      "local",  "name",      "argument", "keyword",
        "result", "return", "exception", "sent"};
    return names[role < PT_ROLE_LIMIT ? role : 0];
}

struct pt_str
pt_name_variable(const struct pt_trace *trace, uint32_t code, unsigned role,
                 uint32_t index)
{
    const struct pt_code *c = pt_trace_code(trace, code);
    if (c && role == PT_ROLE_LOCAL && index < c->nlocalsplus)
        return c->locals[index];
    if (c && role == PT_ROLE_NAME && index < c->nnames)
        return c->names[index];
    return (struct pt_str){"", 0};
}

struct pt_function_name
pt_name_function(const struct pt_trace *trace, uint32_t id, bool callable,
                 char *buffer)
{
    if (callable) {
        const struct pt_callable *c = pt_trace_callable(trace, id);
        return (struct pt_function_name){
            .name = pt_name_callable(trace, id, buffer),
            .file = {"~", 1},
            .kind = pt_name_callable_kind(c ? c->kind : 0)};
    }
    const struct pt_code *c = pt_trace_code(trace, id);
    struct pt_str unknown = {"?", 1};
    return (struct pt_function_name){.name = c ? c->qualname : unknown,
                                     .file = c ? c->file : unknown,
                                     .line = c ? c->firstline : 0,
                                     .kind = "python"};
}

static void
put_number(struct pt_growing *g, const char *what, uint32_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%s %" PRIu32, what, number);
    pt_growing_text(g, text);
}

void
pt_name_thread(const struct pt_trace *trace, uint32_t id, struct pt_growing *g)
{
    const struct pt_thread *t = pt_trace_thread(trace, id);
    if (t && t->carrier && t->carrier != id) {
        pt_growing_text(g, "greenlets of ");
        t = pt_trace_thread(trace, t->carrier);
    }
    const struct pt_process *p = t ? pt_trace_process(trace, t->process) : NULL;
    if (t && t->name.len)
        pt_growing_str(g, t->name);
    else if (p && p->pid == t->tid)
        pt_growing_text(g, "main thread");
    else
        put_number(g, t ? "thread" : "unknown thread", t ? t->tid : id);
}

void
pt_name_process(const struct pt_trace *trace, uint32_t id, struct pt_growing *g)
{
    const struct pt_process *p = pt_trace_process(trace, id);
    for (size_t i = 0; p && i < p->argc; i++) {
        if (i)
            pt_growing_text(g, " ");
        pt_growing_str(g, p->argv[i]);
    }
    if (!p || p->argc == 0)
        put_number(g, p ? "process" : "unknown process", p ? p->pid : id);
}

const struct pt_task *
pt_event_task(const struct pt_trace *trace, const struct pt_event *e)
{
    return e->arg <= UINT32_MAX ? pt_trace_task(trace, (uint32_t)e->arg) : NULL;
}

bool
pt_name_is_defined(const struct pt_trace *trace, const struct pt_event *e)
{
    if (e->has & PT_HAS(CODE))
        return pt_trace_code(trace, e->id) != NULL;
    if (e->has & PT_HAS(CALLEE))
        return pt_trace_callable(trace, e->id) != NULL;
    if (e->has & PT_HAS(TYPE))
        return pt_trace_type(trace, e->id) != NULL;
    if (e->kind == PT_TASK)
        return pt_event_task(trace, e) != NULL;
    return true;
}

int
pt_name_compare(struct pt_str a, struct pt_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}
