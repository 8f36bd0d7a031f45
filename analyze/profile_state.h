/* The inside of a profile, shared by its own files only. */
#ifndef PT_ANALYZE_PROFILE_STATE_H
#define PT_ANALYZE_PROFILE_STATE_H

#include "analyze/profile_fold.h"

/* One activation on a thread's stack. */
struct pt_span {
    int64_t start; /* ns */
    uint64_t away; /* the lane's, when it was entered ... */
    uint64_t cost; /* ... and its `taken` */
    uint64_t key;  /* frame key, 0 none */
    uint32_t fn;   /* function that its time goes to */
    uint32_t edge;
    uint32_t node; /* of the tree; base[0]'s is the thread's root */
    uint32_t id;   /* code or callable, as the keyframe has it */
    uint8_t callable;
    uint8_t hidden;  /* no activation of its own */
    uint8_t partial; /* entered before we looked: time, but no call */
};

/* One thread. */
struct pt_lane {
    struct pt_span *base, *top, *end; /* base[0] stands for "outside" */
    int64_t last;   /* time up to which all is accounted for */
    int64_t alive;  /* while not known: when the spans last were */
    uint64_t away;  /* ns for which other greenlets ran */
    uint64_t cost;  /* ps that recording took, up to the last event ... */
    uint64_t taken; /* ... and ns of them that no function's time has */
    bool out;       /* another one does */
    bool known;     /* the spans are those of the events so far */
    bool over;      /* the range has ended */
};

/* Instead of a function: a span's time is that of the one below. */
#define PT_PROFILE_HIDDEN UINT32_MAX

/* What is kept besides the functions: bits. */
enum { KEEPS_EDGES = 1, KEEPS_TREE = 2, TAKES_COSTS = 4 };

struct pt_profile_state {
    unsigned keeps;
    bool failed;                 /* memory was too short */
    uint32_t *code_fn;           /* function by code id, or PT_PROFILE_HIDDEN */
    uint32_t *callable_fn;       /* function by callable id */
    uint32_t ncodes, ncallables; /* lengths: ids and 0 */
    struct pt_lane *lanes;       /* by thread id */
    uint64_t scope; /* of the chunk's process, for its frame keys */
    uint32_t nlanes;
    const struct pt_costs *costs; /* of the chunk's process, or zeros */
    struct pt_lane *current;      /* whose levels the functions hold */
    struct pt_stack before;       /* scratch: events before the range */
    struct pt_profile_waits *waits;
    uint32_t *edge_slots;
    size_t edge_size;
};

/* profile_costs.c: what recording took in a process; zeros where that is not
 * known, which is noted. */
const struct pt_costs *pt_profile_costs(struct pt_profile *, uint32_t process);
/* What came out below zero becomes zero, and is noted. */
void pt_profile_costs_finish(struct pt_profile *);

/* profile_tree.c: a thread's stack begins. */
enum pt_status pt_profile_tree_begin(struct pt_profile *, struct pt_lane *,
                                     uint32_t thread);
/* The node of a call of `fn` from `below`; 0 without memory, which is noted. */
uint32_t pt_profile_tree_find(struct pt_profile *, const struct pt_span *below,
                              uint32_t fn);

/* profile_new.c: whether C calls of a callable are functions. */
bool pt_profile_shows(const struct pt_profile *, uint32_t callable);
uint64_t pt_profile_hash(uint64_t hash, struct pt_str);
/* profile_groups.c: which group each function counts as, and their names. */
enum pt_status pt_profile_groups_map(struct pt_profile *);
void pt_profile_groups_free(struct pt_profile *);

#endif
