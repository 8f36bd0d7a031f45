#include <pt/event.h>

#include <stddef.h>
#include <string.h>

static const char *const kind_names[PT_KIND_LIMIT] = {
#define X(id, num, name) [num] = name,
    PT_KINDS (X)
#undef X
};

const char *
pt_kind_name(unsigned kind)
{
    return kind < PT_KIND_LIMIT ? kind_names[kind] : NULL;
}

const char *
pt_task_act_name(uint32_t act)
{
    static const char *const names[PT_TASK_ACT_LIMIT] = {
#define X(id, num, name) [num] = name,
        PT_TASK_ACTS(X)
#undef X
    };
    return act < PT_TASK_ACT_LIMIT ? names[act] : NULL;
}

enum pt_kind
pt_kind_find(const char *name, unsigned len)
{
    for (unsigned i = 1; i < PT_KIND_LIMIT; i++) {
        const char *k = kind_names[i];
        if (k != NULL && strlen(k) == len && memcmp(k, name, len) == 0)
            return (enum pt_kind)i;
    }
    return PT_KIND_NONE;
}
