/* A profile's making: which code object or callable counts as which function,
 * and the sum of two profiles. */
#include "analyze/profile_fold.h"
#include "analyze/profile_state.h"

#include <stdlib.h>
#include <string.h>

/* --- functions ------------------------------------------------------------ */

uint64_t
pt_profile_hash(uint64_t hash, struct pt_str s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (uint8_t)s.data[i]) * UINT64_C(0x100000001b3);
    return (hash ^ s.len) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool
same_str(struct pt_str a, struct pt_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool
same_code(const struct pt_code *a, const struct pt_code *b)
{
    return a->firstline == b->firstline && same_str(a->name, b->name) &&
           same_str(a->qualname, b->qualname) && same_str(a->file, b->file);
}

static uint32_t
add_function(struct pt_profile *p, uint32_t id, bool callable)
{
    p->names[p->nfunctions] = (struct pt_profile_name){id, callable};
    return p->nfunctions++;
}

/* Code objects that share file, line and names are one function: a nested
 * function of a module that was compiled twice, a lambda of an exec. */
static enum pt_status
map_codes(struct pt_profile *p)
{
    struct pt_profile_state *s = p->state;
    size_t size = 64;
    while (size < 2 * (size_t)s->ncodes)
        size *= 2;
    uint32_t *slots = calloc(size, sizeof *slots); /* code ids */
    if (!slots)
        return PT_ENOMEM;
    for (uint32_t id = 0; id < s->ncodes; id++) {
        const struct pt_code *c = pt_trace_code(p->trace, id);
        if (!c) {
            s->code_fn[id] = add_function(p, id, false);
            continue;
        }
        uint64_t hash = pt_profile_hash(pt_profile_hash(c->firstline, c->file),
                                        c->qualname);
        size_t i = hash >> 20 & (size - 1);
        while (slots[i] && !same_code(c, pt_trace_code(p->trace, slots[i])))
            i = (i + 1) & (size - 1);
        if (!slots[i]) {
            slots[i] = id;
            s->code_fn[id] = add_function(p, id, false);
        } else
            s->code_fn[id] = s->code_fn[slots[i]];
    }
    free(slots);
    return PT_OK;
}

bool
pt_profile_shows(const struct pt_profile *p, uint32_t callable)
{
    const struct pt_callable *c = pt_trace_callable(p->trace, callable);
    return p->options.all_calls || (c && (c->kind == PT_CALLABLE_BUILTIN ||
                                          c->kind == PT_CALLABLE_METHOD));
}

static void
map_callables(struct pt_profile *p)
{
    struct pt_profile_state *s = p->state;
    for (uint32_t id = 0; id < s->ncallables; id++)
        s->callable_fn[id] = pt_profile_shows(p, id) ? add_function(p, id, true)
                                                     : PT_PROFILE_HIDDEN;
}

static enum pt_status
make_state(struct pt_profile *p)
{
    struct pt_profile_state *s = p->state;
    s->ncodes = pt_trace_code_count(p->trace) + 1;
    s->ncallables = pt_trace_callable_count(p->trace) + 1;
    s->nlanes = pt_trace_thread_count(p->trace) + 1;
    size_t most = (size_t)s->ncodes + s->ncallables + 1;
    s->code_fn = calloc(s->ncodes, sizeof *s->code_fn);
    s->callable_fn = calloc(s->ncallables, sizeof *s->callable_fn);
    s->lanes = calloc(s->nlanes, sizeof *s->lanes);
    p->functions = calloc(most, sizeof *p->functions);
    p->names = calloc(most, sizeof *p->names);
    if (!s->code_fn || !s->callable_fn || !s->lanes || !p->functions ||
        !p->names)
        return PT_ENOMEM;
    p->nfunctions = 1;
    enum pt_status st;
    if (p->options.by == PT_PROFILE_BY_FUNCTION) {
        map_callables(p);
        st = map_codes(p);
    } else
        st = pt_profile_groups_map(p);
    if (st == PT_OK)
        st = pt_profile_waits_new(&s->waits);
    /* Makes edge 0, which takes the time of what nobody called. */
    if (st == PT_OK && p->options.edges && !pt_profile_edge_find(p, 0, 0))
        st = PT_ENOMEM;
    if (st == PT_OK && p->options.tree)
        st = pt_calltree_new(&p->options.limits, &p->tree);
    s->keeps = (p->options.edges ? KEEPS_EDGES : 0) |
               (p->options.tree ? KEEPS_TREE : 0) |
               (p->options.compensate ? TAKES_COSTS : 0);
    return st;
}

enum pt_status
pt_profile_new(const struct pt_trace *trace, const struct pt_filter *filter,
               const struct pt_profile_options *options,
               struct pt_profile **out)
{
    struct pt_profile *p = calloc(1, sizeof *p);
    if (!p)
        return PT_ENOMEM;
    p->trace = trace;
    p->filter = filter;
    p->options = *options;
    p->state = calloc(1, sizeof *p->state);
    enum pt_status st = p->state ? make_state(p) : PT_ENOMEM;
    if (st != PT_OK) {
        pt_profile_free(p);
        return st;
    }
    *out = p;
    return PT_OK;
}

void
pt_profile_free(struct pt_profile *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; p->functions && i < p->nfunctions; i++)
        if (p->functions[i].times) {
            pt_histogram_clear(p->functions[i].times);
            free(p->functions[i].times);
        }
    if (p->state) {
        for (uint32_t i = 0; p->state->lanes && i < p->state->nlanes; i++)
            free(p->state->lanes[i].base);
        free(p->state->code_fn);
        free(p->state->callable_fn);
        free(p->state->lanes);
        free(p->state->edge_slots);
        pt_stack_clear(&p->state->before);
        pt_profile_waits_free(p->state->waits);
    }
    pt_calltree_free(p->tree);
    pt_profile_groups_free(p);
    free(p->state);
    free(p->functions);
    free(p->names);
    free(p->edges);
    free(p);
}

/* --- merging -------------------------------------------------------------- */

static bool
merge_function(struct pt_profile_function *into,
               const struct pt_profile_function *from)
{
    if (from->calls && (into->calls == 0 || from->min < into->min))
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->calls += from->calls;
    into->primitive += from->primitive;
    into->exclusive += from->exclusive;
    into->inclusive += from->inclusive;
    into->wait += from->wait;
    into->compensated += from->compensated;
    if (!from->times)
        return true;
    if (!into->times && !(into->times = calloc(1, sizeof *into->times)))
        return false;
    return pt_histogram_merge(into->times, from->times);
}

enum pt_status
pt_profile_merge(struct pt_profile *into, const struct pt_profile *from)
{
    if (into->trace != from->trace || into->nfunctions != from->nfunctions ||
        !into->tree != !from->tree)
        return PT_EUSAGE;
    for (uint32_t i = 0; i < from->nfunctions; i++)
        if (!merge_function(&into->functions[i], &from->functions[i]))
            return PT_ENOMEM;
    for (uint32_t i = 1; i < from->nedges; i++) {
        const struct pt_profile_edge *e = &from->edges[i];
        uint32_t at = pt_profile_edge_find(into, e->caller, e->callee);
        if (at == 0)
            return PT_ENOMEM;
        into->edges[at].calls += e->calls;
        into->edges[at].primitive += e->primitive;
        into->edges[at].exclusive += e->exclusive;
        into->edges[at].inclusive += e->inclusive;
    }
    if (into->tree) {
        enum pt_status st = pt_calltree_merge(into->tree, from->tree);
        if (st != PT_OK)
            return st;
        pt_calltree_finish(into->tree);
    }
    into->events += from->events;
    into->compensated += from->compensated;
    into->below += from->below;
    into->uncosted |= from->uncosted;
    into->desyncs += from->desyncs;
    into->unmatched += from->unmatched;
    into->unfinished += from->unfinished;
    return PT_OK;
}
