/* Pairs of caller and callee: a hash table that is asked only when a function
 * is called by another caller than the last time. */
#include "analyze/profile_fold.h"
#include "analyze/profile_state.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *
slot_of(const struct pt_profile *p, uint32_t caller, uint32_t callee)
{
    const struct pt_profile_state *s = p->state;
    uint64_t pair = (uint64_t)caller << 32 | callee;
    uint64_t i = (pair * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
    for (;; i++) {
        uint32_t *slot = &s->edge_slots[i & (s->edge_size - 1)];
        if (*slot == 0 || (p->edges[*slot].caller == caller &&
                           p->edges[*slot].callee == callee))
            return slot;
    }
}

static bool
grow(struct pt_profile *p)
{
    struct pt_profile_state *s = p->state;
    size_t size = s->edge_size ? s->edge_size * 2 : 256;
    struct pt_profile_edge *edges = realloc(p->edges, size * sizeof *edges);
    if (!edges)
        return false;
    p->edges = edges;
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots)
        return false;
    if (s->edge_size == 0) {
        memset(&edges[0], 0, sizeof edges[0]);
        p->nedges = 1;
    }
    free(s->edge_slots);
    s->edge_slots = slots;
    s->edge_size = size;
    for (uint32_t i = 1; i < p->nedges; i++)
        *slot_of(p, edges[i].caller, edges[i].callee) = i;
    return true;
}

uint32_t
pt_profile_edge_find(struct pt_profile *p, uint32_t caller, uint32_t callee)
{
    struct pt_profile_state *s = p->state;
    /* At most half full; edges and slots grow together. */
    if (p->nedges >= s->edge_size / 2 && !grow(p))
        return 0;
    uint32_t *slot = slot_of(p, caller, callee);
    if (*slot == 0) {
        *slot = p->nedges++;
        p->edges[*slot] =
            (struct pt_profile_edge){.caller = caller, .callee = callee};
    }
    return *slot;
}
