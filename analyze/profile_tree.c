/* The profile's tree of calls: where a thread's paths begin, and what becomes
 * of the stacks when small paths give up their nodes. */
#include "analyze/profile_fold.h"
#include "analyze/profile_state.h"

#include <stdlib.h>

uint32_t
pt_profile_thread(const struct pt_trace *trace, uint32_t id)
{
    const struct pt_thread *t = pt_trace_thread(trace, id);
    return t && t->carrier ? t->carrier : id;
}

enum pt_status
pt_profile_tree_begin(struct pt_profile *p, struct pt_lane *l, uint32_t thread)
{
    if (!p->tree || !p->options.threads)
        return PT_OK;
    l->base->node =
        pt_calltree_root(p->tree, pt_profile_thread(p->trace, thread));
    return l->base->node ? PT_OK : PT_ENOMEM;
}

/* Calls `visit` for the node of each span of every stack. */
static void
each_span(struct pt_profile *p, void (*visit)(struct pt_span *, void *),
          void *with)
{
    for (uint32_t i = 0; i < p->state->nlanes; i++) {
        struct pt_lane *l = &p->state->lanes[i];
        for (struct pt_span *s = l->base; s && s <= l->top; s++)
            visit(s, with);
    }
}

static void
keep(struct pt_span *s, void *with)
{
    ((uint8_t *)with)[s->node] = 1;
}

static void
renumber(struct pt_span *s, void *with)
{
    s->node = ((const uint32_t *)with)[s->node];
}

static enum pt_status
prune(struct pt_profile *p)
{
    uint32_t *now;
    uint8_t *kept = calloc(p->tree->n, 1);
    if (!kept)
        return PT_ENOMEM;
    each_span(p, keep, kept);
    enum pt_status st = pt_calltree_prune(p->tree, kept, &now);
    free(kept);
    if (st != PT_OK)
        return st;
    each_span(p, renumber, now);
    free(now);
    return PT_OK;
}

uint32_t
pt_profile_tree_find(struct pt_profile *p, const struct pt_span *below,
                     uint32_t fn)
{
    struct pt_calltree_node *parent = &p->tree->nodes[below->node];
    if (p->groups && parent->fn == fn) {
        /* Calls within a file are no step in a tree of files. */
        parent->last_fn = fn;
        return parent->last = below->node;
    }
    bool full = pt_calltree_is_full(p->tree);
    uint32_t node = 0;
    if (!full || prune(p) == PT_OK)
        node = pt_calltree_find(p->tree, below->node, fn);
    p->state->failed |= node == 0;
    return node;
}
