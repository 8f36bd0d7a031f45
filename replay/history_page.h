/* One chunk of a history: its events, and for each the stack behind it and what
 * ran before it.
 *
 * Frames are kept as a persistent stack.  A node is a frame as it stands at
 * some time; whenever it moves there is a new node with the same parent, so
 * that the whole stack behind any event is had by following parents.
 *
 *   event    node behind it
 *   call f   f@0
 *   c_call   f@6 <- len
 *   call g   f@6 <- len <- g@0
 *   branch   f@6 <- len <- g@4       f@6 and len are shared
 *
 * A chunk's items lie in slots.  Slot 0 has what ran before the first event,
 * slot i what is numbered by event i - 1: that event as its item 0, then, as
 * items 1, 2, ..., the lines and instructions that ran before event i.  The
 * last slot has its event alone.
 * Thread rule: as <pt/history.h>. */
#ifndef PT_REPLAY_HISTORY_PAGE_H
#define PT_REPLAY_HISTORY_PAGE_H

#include <pt/history.h>

#define PT_NO_NODE UINT32_MAX

struct pt_page_entry {
    uint64_t key, seq;
    int64_t time;
    uint32_t id;
    uint32_t depth; /* entries up to and with this one */
    uint8_t callable;
};

struct pt_page_node {
    uint32_t parent, entry, off, line;
};

/* What is known of the way to one event. */
struct pt_page_step {
    uint32_t run;    /* its first run; its last is before the next step's */
    uint32_t before; /* as struct pt_walked has it */
    uint32_t about;  /* node of what the event ended, or none */
    uint8_t ran;     /* enum pt_ran */
    uint8_t desync;
};

struct pt_page {
    const struct pt_chunk_info *info;
    uint32_t n; /* events */
    size_t bytes;
    struct pt_event *events;
    int64_t *clock; /* the events' times in order; NULL: they are */
    struct pt_frame *keyframe;
    size_t depth;
    struct pt_trouble trouble;
    /* once it is walked: */
    bool walked;
    uint32_t *behind;           /* n + 1 nodes: at first, behind event i - 1 */
    struct pt_page_step *steps; /* n + 1: to event i; the last ends the runs */
    struct pt_page_entry *entries;
    struct pt_page_node *nodes;
    struct pt_run *runs;
    size_t nentries, nnodes, nruns;
    size_t entries_capacity, nodes_capacity, runs_capacity;
};

/* What pages are made with. */
struct pt_page_maker {
    const struct pt_trace *trace;
    struct pt_decoder *decoder;
    struct pt_line_cache *lines;
    struct pt_graph_cache *graphs; /* NULL: no flow */
    struct pt_walk *walk;          /* NULL: no flow */
    struct pt_stack stack;
    uint32_t *levels; /* node of each entry of `stack` */
    size_t levels_capacity;
};

enum pt_status pt_page_maker_init(struct pt_page_maker *,
                                  const struct pt_trace *);
void pt_page_maker_clear(struct pt_page_maker *);

/* Decodes chunk `i`, whose events come after `floor`; PT_EDAMAGED, or a failure
 * that is none of the file's. */
enum pt_status pt_page_new(struct pt_page_maker *, size_t i, int64_t floor,
                           struct pt_page **out);
/* Makes the stacks and the runs, if they are not there. */
enum pt_status pt_page_walk(struct pt_page_maker *, struct pt_page *);
void pt_page_free(struct pt_page *);

static inline int64_t
pt_page_clock(const struct pt_page *p, uint32_t event)
{
    return p->clock ? p->clock[event] : p->events[event].time;
}

/* --- of a page that is walked ----------------------------------------------
 */

/* The innermost Python frame from a node on. */
uint32_t pt_page_python(const struct pt_page *, uint32_t node);
/* What ran in a slot; false where that is nothing. */
bool pt_page_ran(const struct pt_page *, struct pt_graph_cache *, uint32_t slot,
                 struct pt_walked *out);

/* One reconstructed item of a slot, and how many there are up to it. */
struct pt_page_fine {
    struct pt_fine fine;
    uint64_t items, lines; /* this one counted; instructions: fine.k */
};

enum pt_page_measure { PT_BY_ITEM, PT_BY_LINE, PT_BY_INSTRUCTION };
/* The n-th item, line or instruction that ran, from 1; false where there are
 * fewer. */
bool pt_page_find(const struct pt_walked *, enum pt_page_measure, uint64_t n,
                  struct pt_page_fine *out);
/* How many there are. */
uint64_t pt_page_count(const struct pt_walked *, enum pt_page_measure);

/* Where the lines of a code object that are looked for can start. */
struct pt_page_wanted {
    uint32_t *inside; /* instructions, where their run came from above */
    uint32_t *first;  /* ... and where a run begins there */
    size_t ninside, nfirst;
};
/* The first such line behind item `item` of what ran, or the last before it. */
bool pt_page_line(const struct pt_walked *, const struct pt_page_wanted *,
                  uint64_t item, bool forward, uint64_t *out);

/* The moment that an item of a slot is shown with: of its event where `k` is 0,
 * else of the k-th instruction behind it.  `since` is that of what is before
 * the chunk. */
int64_t pt_page_time(const struct pt_page *, const struct pt_walked *,
                     uint32_t slot, uint64_t k, int64_t since);

/* A frame of a node. */
struct pt_frame pt_page_frame(const struct pt_page *, uint32_t node);
/* Moves the topmost frame of a slot to its reconstructed item. */
void pt_page_stand(const struct pt_walked *, const struct pt_page_fine *,
                   struct pt_line_cache *, struct pt_frame *);

#endif
