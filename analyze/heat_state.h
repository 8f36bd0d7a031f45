/* The inside of a heat, shared by the files heat*.c only. */
#ifndef PT_ANALYZE_HEAT_STATE_H
#define PT_ANALYZE_HEAT_STATE_H

#include "analyze/heat.h"

/* Instead of a frame: the time is a C function's. */
#define PT_HEAT_NATIVE UINT32_MAX

struct pt_heat_plan {
    const struct pt_profile *functions;
    struct pt_heat_options options;
    uint32_t *owner;            /* by function */
    struct pt_heat_base *bases; /* of the events chunks, by seq */
    size_t nbases;
};

/* A chunk, and what its thread's chunk before it ended with. */
struct pt_heat_base {
    uint64_t seq;
    struct pt_moment behind;
};

/* A line of a code object that has line events. */
struct pt_heat_place {
    uint32_t line;
    uint32_t index; /* into lines */
};

/* Of one frame or C call on the stack. */
struct pt_heat_frame {
    struct pt_heat_code *code; /* NULL: a C call */
    uint64_t key;
    uint64_t start;   /* clock, when it was entered ... */
    uint64_t covered; /* ... and when what is above it was */
    uint32_t at;      /* instruction it stands at, or PT_INS_NONE ... */
    uint32_t ran;     /* ... and the last that it is known to have run */
    uint32_t line;    /* its index; while it is covered, that it waits in */
    uint32_t visible; /* frame whose time this is, 1 the outermost; 0: none's;
                         or PT_HEAT_NATIVE */
    bool callable;
    bool waits; /* something is above it */
};

/* Instructions that ran since the last stamp. */
struct pt_heat_run {
    uint32_t first, last;
    uint64_t times;
};

struct pt_heat_resumed {
    uint64_t key;
    uint32_t code, line;
};
enum { PT_HEAT_RESUMED = 1 << 14 };

struct pt_heat_state {
    struct pt_graph_cache *graphs;
    struct pt_walk *walk; /* NULL: lines or instructions have events */
    struct pt_heat_frame *frames;
    size_t depth, capacity;
    struct pt_heat_run *runs;
    size_t nruns, runs_capacity;
    uint64_t steps;  /* instructions in them */
    uint64_t clock;  /* ns accounted for in this chunk */
    int64_t last;    /* time up to which all is */
    bool live;       /* what comes is inside the range */
    bool out;        /* another greenlet runs */
    uint64_t scope;  /* of the chunk's process, for its frame keys */
    uint32_t *slots; /* lines by function and number: index + 1 */
    size_t nslots;
    uint32_t lines_capacity;
    struct pt_heat_resumed *resumed; /* by key, only of line events */
};

/* heat_plan.c: the last event of the thread before the chunk; where there is
 * none, the chunk's own first. */
struct pt_moment pt_heat_plan_behind(const struct pt_heat_plan *,
                                     const struct pt_chunk_info *);

/* heat_code.c: the code object's part, made where there is none. */
enum pt_status pt_heat_code_of(struct pt_heat *, uint32_t id,
                               struct pt_heat_code **out);
/* The index of a function's line, made where it is new. */
enum pt_status pt_heat_line_find(struct pt_heat *, uint32_t fn, uint32_t line,
                                 uint32_t *out);
/* The index of a line that an event names; `unknown` where the code object has
 * no such line. */
uint32_t pt_heat_place_of(const struct pt_heat_code *, uint32_t line);
/* The pairs of the code object's interpreter; NULL without memory. */
uint64_t *pt_heat_pairs_of(struct pt_heat *, const struct pt_heat_code *);

/* heat_time.c: what ran, and when. */

/* All up to `now` has happened in the frame on top. */
void pt_heat_settle(struct pt_heat *, int64_t now);
/* Instructions of the topmost Python frame ran, the first of them after code
 * unit `before`. */
enum pt_status pt_heat_run(struct pt_heat *, struct pt_heat_frame *,
                           struct pt_run, uint32_t before);
/* Something begins above, or ends. */
void pt_heat_cover(struct pt_heat *, struct pt_heat_frame *);
void pt_heat_uncover(struct pt_heat *, struct pt_heat_frame *);
/* The line that a frame stands in. */
uint32_t pt_heat_line_of(const struct pt_heat *, const struct pt_heat_frame *);

#endif
