#include "analyze/names.h"

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

bool
pt_name_is_defined(const struct pt_trace *trace, const struct pt_event *e)
{
    if (e->has & PT_HAS(CODE))
        return pt_trace_code(trace, e->id) != NULL;
    if (e->has & PT_HAS(CALLEE))
        return pt_trace_callable(trace, e->id) != NULL;
    if (e->has & PT_HAS(TYPE))
        return pt_trace_type(trace, e->id) != NULL;
    return true;
}
