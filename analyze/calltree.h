/* The tree of calls: a node for each path of functions from a thread's
 * outermost one, with the calls and times of that path.
 *
 * A profile with the option `tree` makes it (analyze/profile_fold.h), which
 * says what functions there are and attributes the time.  After
 * pt_profile_finish() children are linked in the order they were first called
 * in, and a parent has a smaller number than its children.  Every inclusive
 * time is the exclusive one plus those of the children.
 *
 * Its memory is bounded, whatever was recorded:
 *  - a function that is called below `depth` others counts with the nearest one
 *    of the same function on its path (recursion of any depth), and, where
 *    there is none, as "more";
 *  - where `limit` nodes are too few, the paths of least time give up theirs:
 *    what they were and what they become counts in the child "more"
 *    (PT_CALLTREE_MORE) of the node above.  `dropped` tells how many did.
 * Thread rule: a tree belongs to one thread. */
#ifndef PT_ANALYZE_CALLTREE_H
#define PT_ANALYZE_CALLTREE_H

#include <pt/status.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    PT_CALLTREE_LIMIT = 2000000, /* nodes, of 64 bytes, and a slot of 24;
                                    those of threads do not count */
    PT_CALLTREE_DEPTH = 512,
};

/* Instead of a function: paths that have no nodes of their own. */
#define PT_CALLTREE_MORE UINT32_MAX

struct pt_calltree_node {
    uint32_t fn;            /* of the profile's functions; 0 of a root */
    uint32_t parent;        /* 0 of a root, which has none */
    uint32_t thread;        /* of a root by threads: the trace's id; else 0 */
    uint32_t depth;         /* 0 of a root */
    uint32_t first, next;   /* child and sibling; 0 none */
    uint32_t last_fn, last; /* the call found last: of what, and its node */
    uint64_t calls;         /* activations, as the profile counts them */
    uint64_t exclusive, inclusive; /* ns */
    uint64_t wait; /* while it was suspended, or on top when another greenlet
                      ran */
};

struct pt_calltree_options {
    uint32_t limit, depth; /* 0: as above */
};

struct pt_calltree_slots;

struct pt_calltree {
    struct pt_calltree_node *nodes; /* [0]: the root, or the roots' root */
    uint32_t n, roots;              /* nodes; those among them of threads */
    uint32_t limit, depth;
    uint64_t dropped; /* nodes that were given up */
    bool folded;      /* some calls count with one further out */
    struct pt_calltree_slots *slots;
};

enum pt_status pt_calltree_new(const struct pt_calltree_options *,
                               struct pt_calltree **out);
void pt_calltree_free(struct pt_calltree *);

/* The root of a thread; 0 without memory. */
uint32_t pt_calltree_root(struct pt_calltree *, uint32_t thread);
/* The node of function `fn` below `parent`, made if it is new; 0 without
 * memory.  Ask for pt_calltree_is_full() before. */
uint32_t pt_calltree_find(struct pt_calltree *, uint32_t parent, uint32_t fn);

/* Whether it is time for pt_calltree_prune(). */
bool pt_calltree_is_full(const struct pt_calltree *);
/* Gives up the paths of least time, but those in `kept` (a byte each node, or
 * NULL) as far as they are few.  *now, which the caller frees, is the number
 * that each node has from now on.  PT_ENOMEM. */
enum pt_status pt_calltree_prune(struct pt_calltree *, const uint8_t *kept,
                                 uint32_t **now);

/* Sums and links; no more calls may come. */
void pt_calltree_finish(struct pt_calltree *);
/* Adds a tree of the same functions, finished or not, to one that is to be
 * finished (again).  PT_ENOMEM. */
enum pt_status pt_calltree_merge(struct pt_calltree *into,
                                 const struct pt_calltree *from);

#endif
