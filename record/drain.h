/* From an event ring to a lane: takes what a producer has published, checks
 * every word of it, and turns it into events.
 *
 * The producer may be wrong or hostile: each word is read once, and a record
 * that breaks the protocol ends the draining of its process.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_DRAIN_H
#define PT_RECORD_DRAIN_H

#include "record/arena.h"
#include "record/defs.h"
#include "record/lane.h"

/* Takes the records of slot `slot` up to `head`, which the caller loaded
 * before it took the definitions.  PT_EDAMAGED: the protocol was broken and
 * `error` says how; other failures are the log's. */
enum pt_status pt_drain_slot(const struct pt_arena_map *map, uint32_t slot,
                             uint64_t head, const struct pt_defs *defs,
                             struct pt_lane *lane, struct pt_journal *journal,
                             struct pt_error *error);

/* Gives the ring's space up to `tail` back, and wakes a waiting producer. */
void pt_drain_publish(struct pt_slot *slot, uint64_t tail);

#endif
