/* Nodes in one array, found by (node, function) in a hash table that is asked
 * only when a node calls another function than the last time.  A transition
 * leads to a child, or, where recursion is folded, to an ancestor. */
#include "analyze/calltree.h"
#include "analyze/histogram.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_LEAST = 1 << 10 };

/* The `from` of the roots' slots, whose `fn` is the thread. */
static const uint32_t ROOTS = UINT32_MAX;

struct slot {
    uint32_t from, fn;
    uint32_t to; /* 0: free */
};

struct pt_calltree_slots {
    struct slot *slots;
    size_t size, used; /* a power of two; at most half of them */
    uint32_t capacity; /* of the nodes */
};

/* --- the table ------------------------------------------------------------ */

static struct slot *
slot_of(const struct pt_calltree_slots *s, uint32_t from, uint32_t fn)
{
    uint64_t pair = (uint64_t)from << 32 | fn;
    uint64_t i = (pair * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
    for (;; i++) {
        struct slot *slot = &s->slots[i & (s->size - 1)];
        if (slot->to == 0 || (slot->from == from && slot->fn == fn))
            return slot;
    }
}

static bool
grow_slots(struct pt_calltree_slots *s)
{
    struct pt_calltree_slots old = *s;
    size_t size = s->size ? 2 * s->size : SLOTS_LEAST;
    struct slot *slots = calloc(size, sizeof *slots);
    if (!slots)
        return false;
    s->slots = slots;
    s->size = size;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].to)
            *slot_of(s, old.slots[i].from, old.slots[i].fn) = old.slots[i];
    free(old.slots);
    return true;
}

/* Notes a transition that is new. */
static bool
put_slot(struct pt_calltree_slots *s, struct slot slot)
{
    if (s->used >= s->size / 2 && !grow_slots(s))
        return false;
    *slot_of(s, slot.from, slot.fn) = slot;
    s->used++;
    return true;
}

/* --- nodes ---------------------------------------------------------------- */

static uint32_t
add_node(struct pt_calltree *t, uint32_t from, uint32_t key,
         struct pt_calltree_node node)
{
    struct pt_calltree_slots *s = t->slots;
    if (t->n == s->capacity) {
        uint32_t capacity = 2 * s->capacity;
        struct pt_calltree_node *nodes =
            realloc(t->nodes, capacity * sizeof *nodes);
        if (!nodes)
            return 0;
        t->nodes = nodes;
        s->capacity = capacity;
    }
    if (!put_slot(s, (struct slot){from, key, t->n}))
        return 0;
    t->nodes[t->n] = node;
    return t->n++;
}

static uint32_t
add_child(struct pt_calltree *t, uint32_t parent, uint32_t fn)
{
    return add_node(t, parent, fn,
                    (struct pt_calltree_node){
                        .fn = fn,
                        .parent = parent,
                        .depth = t->nodes[parent].depth + 1,
                    });
}

uint32_t
pt_calltree_root(struct pt_calltree *t, uint32_t thread)
{
    uint32_t found = slot_of(t->slots, ROOTS, thread)->to;
    if (found)
        return found;
    found =
        add_node(t, ROOTS, thread, (struct pt_calltree_node){.thread = thread});
    t->roots += found != 0;
    return found;
}

/* Where a call of `fn` counts that has too many others above it. */
static uint32_t
fold(struct pt_calltree *t, uint32_t parent, uint32_t fn)
{
    uint32_t to = parent;
    while (t->nodes[to].fn != fn && t->nodes[to].depth)
        to = t->nodes[to].parent;
    if (t->nodes[to].depth == 0)
        to = pt_calltree_find(t, parent, PT_CALLTREE_MORE);
    if (to == 0 || !put_slot(t->slots, (struct slot){parent, fn, to}))
        return 0;
    t->folded = true;
    return to;
}

uint32_t
pt_calltree_find(struct pt_calltree *t, uint32_t parent, uint32_t fn)
{
    uint32_t to = parent;
    if (t->nodes[parent].fn != PT_CALLTREE_MORE) {
        to = slot_of(t->slots, parent, fn)->to;
        if (to == 0 && t->nodes[parent].depth >= t->depth &&
            fn != PT_CALLTREE_MORE)
            to = fold(t, parent, fn);
        else if (to == 0)
            to = add_child(t, parent, fn);
    }
    if (to) {
        t->nodes[parent].last_fn = fn;
        t->nodes[parent].last = to;
    }
    return to;
}

/* --- making --------------------------------------------------------------- */

enum pt_status
pt_calltree_new(const struct pt_calltree_options *options,
                struct pt_calltree **out)
{
    struct pt_calltree *t = calloc(1, sizeof *t);
    if (!t)
        return PT_ENOMEM;
    t->limit = options->limit ? options->limit : PT_CALLTREE_LIMIT;
    t->depth = options->depth ? options->depth : PT_CALLTREE_DEPTH;
    t->nodes = calloc(SLOTS_LEAST, sizeof *t->nodes);
    t->slots = calloc(1, sizeof *t->slots);
    if (!t->nodes || !t->slots || !grow_slots(t->slots)) {
        pt_calltree_free(t);
        return PT_ENOMEM;
    }
    t->slots->capacity = SLOTS_LEAST;
    t->n = 1;
    *out = t;
    return PT_OK;
}

void
pt_calltree_free(struct pt_calltree *t)
{
    if (!t)
        return;
    if (t->slots)
        free(t->slots->slots);
    free(t->slots);
    free(t->nodes);
    free(t);
}

/* --- giving up what is small ---------------------------------------------- */

bool
pt_calltree_is_full(const struct pt_calltree *t)
{
    return t->slots->used >= (size_t)t->limit + t->roots;
}

/* The weight that no more than `most` nodes exceed; `weights` of nodes above
 * others is never less than theirs. */
static bool
find_threshold(const struct pt_calltree *t, const uint64_t *weights,
               uint32_t most, uint64_t *threshold)
{
    struct pt_histogram h = {0};
    bool ok = true;
    for (uint32_t i = 0; i < t->n && ok; i++)
        ok = pt_histogram_add(&h, weights[i]);
    double share = most < t->n ? 1.0 - (double)most / t->n : 0.0;
    uint64_t value = (uint64_t)pt_histogram_percentile(&h, t->n, share);
    /* At least the end of the bucket, which is a 32nd wide. */
    *threshold = value + value / 32 + 1;
    pt_histogram_clear(&h);
    return ok;
}

/* The new number of "more" below the new number `parent`; *n moves behind it
 * where it is made. */
static uint32_t
more_below(struct pt_calltree *t, uint32_t parent, uint32_t *n)
{
    struct pt_calltree_node *p = &t->nodes[parent];
    if (p->fn == PT_CALLTREE_MORE)
        return parent;
    if (p->last == 0) {
        p->last = (*n)++;
        t->nodes[p->last] = (struct pt_calltree_node){
            .fn = PT_CALLTREE_MORE, .parent = parent, .depth = p->depth + 1};
    }
    return p->last;
}

/* Moves what stays to the front, in place: each node makes at most one new one,
 * itself or a "more".  Meanwhile `last` of a node that has moved is its "more".
 */
static void
move_nodes(struct pt_calltree *t, const uint64_t *weights, uint64_t threshold,
           const uint8_t *kept, uint32_t *now)
{
    uint32_t n = 1;
    now[0] = 0;
    t->nodes[0].last = t->nodes[0].last_fn = 0;
    for (uint32_t i = 1; i < t->n; i++) {
        struct pt_calltree_node node = t->nodes[i];
        uint32_t parent = now[node.parent];
        bool more = node.fn == PT_CALLTREE_MORE;
        bool stays =
            weights[i] > threshold || (kept && kept[i]) || node.depth == 0;
        /* A parent that is given up has become a "more". */
        if (stays && !more && t->nodes[parent].fn != PT_CALLTREE_MORE) {
            node.parent = parent;
            node.last = node.last_fn = 0;
            now[i] = n++;
            t->nodes[now[i]] = node;
            continue;
        }
        t->dropped += !more;
        now[i] = more_below(t, parent, &n);
        t->nodes[now[i]].calls += node.calls;
        t->nodes[now[i]].exclusive += node.exclusive;
        t->nodes[now[i]].wait += node.wait;
    }
    t->n = n;
    for (uint32_t i = 0; i < n; i++)
        t->nodes[i].last = 0;
}

static void
note_nodes(struct pt_calltree *t)
{
    struct pt_calltree_slots *s = t->slots;
    memset(s->slots, 0, s->size * sizeof *s->slots);
    s->used = 0;
    for (uint32_t i = 1; i < t->n; i++) {
        const struct pt_calltree_node *node = &t->nodes[i];
        bool root = node->depth == 0;
        /* There is room: there was, for more. */
        put_slot(s, (struct slot){root ? ROOTS : node->parent,
                                  root ? node->thread : node->fn, i});
    }
}

enum pt_status
pt_calltree_prune(struct pt_calltree *t, const uint8_t *kept, uint32_t **now)
{
    /* An eighth by weight, an eighth that is wanted, and each a "more": half
     * of the room is free again, so that pruning stays rare. */
    uint32_t most = t->limit / 8, wanted = 0;
    uint64_t *weights = malloc(t->n * sizeof *weights), threshold;
    uint32_t *moved = malloc(t->n * sizeof *moved);
    bool ok = weights && moved;
    /* Calls weigh something, too: there are recordings without times.  Less
     * than no time is left where more was taken out than there was. */
    for (uint32_t i = 0; ok && i < t->n; i++) {
        uint64_t time = t->nodes[i].exclusive;
        weights[i] = t->nodes[i].calls + ((int64_t)time > 0 ? time : 0);
        wanted += kept && kept[i];
    }
    for (uint32_t i = t->n - 1; ok && i > 0; i--)
        weights[t->nodes[i].parent] += weights[i];
    ok = ok && find_threshold(t, weights, most, &threshold);
    if (ok) {
        move_nodes(t, weights, threshold, wanted <= most ? kept : NULL, moved);
        note_nodes(t);
        *now = moved;
    } else
        free(moved);
    free(weights);
    return ok ? PT_OK : PT_ENOMEM;
}

/* --- the end -------------------------------------------------------------- */

void
pt_calltree_finish(struct pt_calltree *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        t->nodes[i].inclusive = t->nodes[i].exclusive;
        t->nodes[i].first = t->nodes[i].next = 0;
    }
    for (uint32_t i = t->n - 1; i > 0; i--) {
        struct pt_calltree_node *node = &t->nodes[i];
        struct pt_calltree_node *parent = &t->nodes[node->parent];
        parent->inclusive += node->inclusive;
        node->next = parent->first;
        parent->first = i;
    }
}

/* Makes room, and lets `map` (of `n` nodes) tell the new numbers. */
static enum pt_status
prune_mapped(struct pt_calltree *t, uint32_t *map, uint32_t n)
{
    uint32_t *now;
    enum pt_status st = pt_calltree_prune(t, NULL, &now);
    if (st != PT_OK)
        return st;
    for (uint32_t i = 0; i < n; i++)
        map[i] = now[map[i]];
    free(now);
    return PT_OK;
}

static uint32_t
find_same(struct pt_calltree *into, uint32_t parent,
          const struct pt_calltree_node *node)
{
    if (node->depth == 0)
        return pt_calltree_root(into, node->thread);
    return pt_calltree_find(into, parent, node->fn);
}

enum pt_status
pt_calltree_merge(struct pt_calltree *into, const struct pt_calltree *from)
{
    uint32_t *map = calloc(from->n, sizeof *map);
    enum pt_status st = map ? PT_OK : PT_ENOMEM;
    for (uint32_t i = 0; st == PT_OK && i < from->n; i++) {
        const struct pt_calltree_node *node = &from->nodes[i];
        if (i && pt_calltree_is_full(into))
            st = prune_mapped(into, map, i);
        if (i && st == PT_OK) {
            map[i] = find_same(into, map[node->parent], node);
            st = map[i] ? PT_OK : PT_ENOMEM;
        }
        if (st != PT_OK)
            break;
        into->nodes[map[i]].calls += node->calls;
        into->nodes[map[i]].exclusive += node->exclusive;
        into->nodes[map[i]].wait += node->wait;
    }
    into->dropped += from->dropped;
    into->folded |= from->folded;
    free(map);
    return st;
}
