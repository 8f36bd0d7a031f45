/* Functions that count as one: those of a file, or of a module.  A group is to
 * the profile's loop what a function is, so that all it tells is exact: its
 * primitive calls are those from without, its inclusive time that of these. */
#include "analyze/modules.h"
#include "analyze/profile_fold.h"
#include "analyze/profile_state.h"

#include <stdlib.h>
#include <string.h>

struct grouping {
    struct pt_profile *profile;
    struct pt_modules *modules; /* NULL: by file */
    uint32_t *slots;            /* groups by the hash of their names */
    size_t size;                /* a power of two, at least twice the groups */
};

/* The group called `name`, made if it is new, for which `id` then stands; 0
 * without memory. */
static uint32_t
group_of(struct grouping *g, struct pt_str name, struct pt_profile_name id)
{
    struct pt_profile *p = g->profile;
    size_t i = pt_profile_hash(0, name) >> 20 & (g->size - 1);
    for (; g->slots[i]; i = (i + 1) & (g->size - 1)) {
        struct pt_str there = p->groups[g->slots[i]];
        if (there.len == name.len &&
            (name.len == 0 || memcmp(there.data, name.data, name.len) == 0))
            return g->slots[i];
    }
    char *copy = malloc(name.len + 1);
    if (!copy)
        return 0;
    if (name.len)
        memcpy(copy, name.data, name.len);
    g->slots[i] = p->nfunctions++;
    p->groups[g->slots[i]] = (struct pt_str){copy, name.len};
    p->names[g->slots[i]] = id;
    return g->slots[i];
}

static uint32_t
code_group(struct grouping *g, uint32_t id)
{
    const struct pt_code *c = pt_trace_code(g->profile->trace, id);
    struct pt_profile_name name = {id, false};
    struct pt_growing text = {0};
    if (!c)
        return group_of(g, (struct pt_str){"?", 1}, name);
    if (!g->modules)
        return group_of(g, c->file, name);
    pt_module_put(g->modules, c, &text);
    uint32_t group =
        text.failed ? 0 : group_of(g, pt_growing_whole(&text), name);
    pt_growing_free(&text);
    return group;
}

static uint32_t
callable_group(struct grouping *g, uint32_t id)
{
    const struct pt_callable *c = pt_trace_callable(g->profile->trace, id);
    struct pt_str name = {"~", 1};
    if (g->modules)
        name = c && c->module.len ? c->module : (struct pt_str){"?", 1};
    return group_of(g, name, (struct pt_profile_name){id, true});
}

static enum pt_status
map(struct grouping *g)
{
    struct pt_profile *p = g->profile;
    struct pt_profile_state *s = p->state;
    for (uint32_t id = 0; id < s->ncodes; id++) {
        s->code_fn[id] = code_group(g, id);
        if (s->code_fn[id] == 0)
            return PT_ENOMEM;
    }
    for (uint32_t id = 0; id < s->ncallables; id++) {
        bool shown = pt_profile_shows(p, id);
        s->callable_fn[id] = shown ? callable_group(g, id) : PT_PROFILE_HIDDEN;
        if (s->callable_fn[id] == 0)
            return PT_ENOMEM;
    }
    return PT_OK;
}

enum pt_status
pt_profile_groups_map(struct pt_profile *p)
{
    struct grouping g = {.profile = p, .size = 64};
    size_t most = (size_t)p->state->ncodes + p->state->ncallables + 1;
    while (g.size < 2 * most)
        g.size *= 2;
    g.slots = calloc(g.size, sizeof *g.slots);
    p->groups = calloc(most, sizeof *p->groups);
    enum pt_status st = g.slots && p->groups ? PT_OK : PT_ENOMEM;
    if (st == PT_OK && p->options.by == PT_PROFILE_BY_MODULE)
        st = pt_modules_new(p->trace, &g.modules);
    if (st == PT_OK)
        st = map(&g);
    pt_modules_free(g.modules);
    free(g.slots);
    return st;
}

void
pt_profile_groups_free(struct pt_profile *p)
{
    for (uint32_t i = 0; p->groups && i < p->nfunctions; i++)
        free((char *)(uintptr_t)p->groups[i].data);
    free(p->groups);
}
