/* How a process ended that is not our child, so that wait() does not tell.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_ENDING_H
#define PT_RECORD_ENDING_H

#include "record/proto.h"

#include <pt/log.h>

#include <sys/types.h>

/* Fills *ending and *value of a process whose pidfd says that it is over, by
 * the best witness there is: the kernel (since Linux 6.15), its entry in /proc
 * while nobody has waited for it, and what it said itself when it called
 * exit(); else PT_ENDED_GONE. */
void pt_ending_learn(int pidfd, pid_t pid, const struct pt_arena *,
                     enum pt_ending *ending, int *value);

#endif
