/* Values in an event ring: gathers the records of each and puts it into the
 * lane's block.
 *
 * A value is checked as it is copied.  One that is no value stands in the log
 * as one that could not be read, and the summary says so.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_VALUES_H
#define PT_RECORD_VALUES_H

#include "record/decode.h"

/* A value whose bytes are still to come. */
struct pt_incoming {
    uint32_t off, dst;
    uint32_t size, have;
    bool open;
    char *bytes; /* size of them, and more */
    size_t room;
};

/* PT_W_VALUE and PT_W_BYTES: the record at run->p.  *words is its length. */
enum pt_status pt_run_value(struct run *, uint32_t *words);
enum pt_status pt_run_bytes(struct run *, uint32_t *words);

/* The rest of a value that has begun will not come. */
void pt_lane_tear(struct pt_lane *);
/* The lane has told what is not in the log. */
void pt_lane_forget(struct pt_lane *);
void pt_lane_free_values(struct pt_lane *);

#endif
