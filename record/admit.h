/* How processes come into a recording: they knock, say hello, and get an arena
 * or a reason.  A part of the collector.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_ADMIT_H
#define PT_RECORD_ADMIT_H

#include "record/collector.h"

/* Somebody is at the door. */
void pt_admit_open(struct pt_collector *);

/* A connection of the door that has said something, or closed; false where
 * `tag` is none. */
bool pt_admit_hear(struct pt_collector *, uint64_t tag);

/* While the door is full: closes connections that have long said nothing.  An
 * interpreter that is so slow comes again. */
void pt_admit_make_room(struct pt_collector *);

/* True while a process has knocked a moment ago and not said hello yet. */
bool pt_admit_expects(const struct pt_collector *);

/* Makes an arena while nobody waits for one.  Should that fail, it is tried
 * again, and told, when a process joins. */
void pt_admit_prepare(struct pt_collector *);

/* Of the collector, for a process that comes back as another program. */
void pt_collector_finish(struct pt_collector *, struct pt_tracee *,
                         enum pt_ending, int value);
int pt_collector_watch(struct pt_collector *, int fd, uint64_t tag);
struct pt_tracee *pt_collector_find(struct pt_collector *, pid_t);
void pt_collector_log_failed(struct pt_collector *, enum pt_status);
int64_t pt_collector_now(void); /* CLOCK_MONOTONIC, ns */

#endif
