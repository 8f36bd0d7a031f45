/* The inside of counts, which the files counts*.c share.
 *
 * An instruction that needs no event to go on has a *way*: to the next one, or
 * to its target.  What enters a way is counted to its end at once, as if
 * nothing could come between; where something does, that is taken back:
 *
 *   a path begins at i       enter[i] + 1
 *   a branch, a resume       next or jump of the branch, of the yield, + 1
 *   broken off behind i      next or jump of i, whichever its way is, - 1
 *   SEND yields              its jump - 1, its next + 1
 *
 * so that numbers can be negative until all is told.
 * Thread rule: as <pt/counts.h>. */
#ifndef PT_REPLAY_COUNTS_H
#define PT_REPLAY_COUNTS_H

#include "replay/graph.h"
#include "replay/walk.h"

#include <pt/counts.h>

enum pt_way {
    PT_WAY_NONE, /* only an event tells how it goes on, or that it does not */
    PT_WAY_NEXT,
    PT_WAY_JUMP
};

/* Ways join and never part, so that they are a forest, whose roots are the
 * instructions that ways end at.  Instructions are numbered so that all those
 * whose ways lead to one have the numbers from its own on. */
struct pt_path {
    uint32_t stop; /* the root; of a circle, one in it, at which it is cut */
    uint32_t first, last; /* its number, and that of the last that leads here */
    uint8_t way;          /* enum pt_way */
    bool round;           /* in a circle */
};

struct pt_count {
    int64_t enter;
    int64_t next; /* of a jump: how often events told of it */
    int64_t jump;
    int64_t raised;
};

/* What is counted of a code object. */
struct pt_tally {
    const struct pt_graph *graph;
    struct pt_path *paths; /* graph->n of each */
    struct pt_count *counts;
    uint64_t desyncs;
};

struct pt_count_frame {
    struct pt_tally *tally; /* NULL: never to be counted */
    uint32_t at, to;        /* as in struct pt_walk_frame */
    uint32_t from;          /* RAISED: the instruction that leads to `to` */
    uint8_t state;          /* enum pt_walk_state */
};

struct pt_counts {
    struct pt_graph_cache *graphs;
    struct pt_tally **tallies; /* by code id; NULL where none ran */
    uint32_t ntallies;
    struct pt_count_frame *frames; /* outermost first */
    size_t depth, capacity;
    size_t forgotten;      /* so many of them, outermost, have no tally */
    enum pt_status failed; /* PT_OK */
};

/* Whether the way from instruction `from` comes to instruction `to`. */
static inline bool
pt_way_leads(const struct pt_path *paths, uint32_t from, uint32_t to)
{
    return (paths[to].first <= paths[from].first &&
            paths[from].first <= paths[to].last) ||
           (paths[to].round && paths[from].stop == paths[to].stop);
}

/* Where the instruction's way leads; only where it has one. */
static inline uint32_t
pt_way_end(const struct pt_tally *t, uint32_t i)
{
    return t->paths[i].way == PT_WAY_NEXT ? i + 1 : t->graph->ins[i].target;
}

/* PT_ENOMEM. */
enum pt_status pt_tally_new(const struct pt_graph *, struct pt_tally **out);
void pt_tally_free(struct pt_tally *);

/* What follows is of frames that have a tally. */

/* An event in the frame itself, or its end; one with a place, unless it leaves.
 */
void pt_count_own(struct pt_count_frame *, const struct pt_event *);
/* The frame called, or something ran in its name, at byte offset `off`. */
void pt_count_caller(struct pt_count_frame *, uint32_t off);
/* The frame, which is LOST, has been entered. */
void pt_count_enter(struct pt_count_frame *, const struct pt_event *);
/* The frame, which is LOST, stands as a keyframe says. */
void pt_count_place(struct pt_count_frame *, const struct pt_frame *);
/* Takes back what has been counted ahead of where the frame stands, so that it
 * is LOST. */
void pt_count_abandon(struct pt_count_frame *);

#endif
