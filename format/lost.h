/* What repair puts where damage took something: definitions called "<lost N>"
 * for the ids that events still name, and gaps for events.
 * Thread rule: a struct belongs to one thread. */
#ifndef PT_FORMAT_LOST_H
#define PT_FORMAT_LOST_H

#include "format/trace.h"

enum pt_lost_kind {
    PT_LOST_CODE,
    PT_LOST_CALLABLE,
    PT_LOST_TYPE,
    PT_LOST_PROCESS,
    PT_LOST_THREAD,
    PT_LOST_TASK,
    PT_LOST_KINDS
};

struct pt_lost {
    const struct pt_trace *trace;
    struct pt_buf given[PT_LOST_KINDS]; /* a bit per id: it has been defined */
    uint32_t n;                         /* how many */
    struct pt_defs_out defs;            /* those that are not written yet */
};

void pt_lost_clear(struct pt_lost *);

/* Defines what a chunk of events names and the trace does not define.  The
 * definitions are then pending in `defs`.  PT_OK or PT_ENOMEM. */
enum pt_status pt_lost_define(struct pt_lost *, const struct pt_events *);

/* An id that none that it has defined of a kind is beyond. */
uint32_t pt_lost_largest(const struct pt_lost *, enum pt_lost_kind);

/* Makes `info` and `item` a chunk of one gap: `events` are missing from
 * info->seq on (UINT64_MAX: unknown), in its process and thread, at `time`. */
enum pt_status pt_lost_gap(struct pt_chunk_info *info, uint64_t events,
                           int64_t time, struct pt_buf *item);

#endif
