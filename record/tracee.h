/* A recorded process, from its hello to its end.
 *
 *   new --drain--> joined --drain--> ... --finish--> over
 *                    joined --(protocol broken, log failed)--> stopped
 *   stopped: its producers are told to stop, what they still publish is thrown
 *   away so that none of them waits, and its end is still recorded.
 *
 * Thread rule: the main thread. */
#ifndef PT_RECORD_TRACEE_H
#define PT_RECORD_TRACEE_H

#include "record/drain.h"

#include <sys/types.h>

struct pt_tracee {
    struct pt_tracee *next;
    uint64_t tag;    /* unique in a recording */
    uint64_t number; /* pt_family's, 0 none */
    pid_t pid;
    int pidfd; /* -1 none */
    bool stopped;
    struct pt_arena_map map;
    struct pt_defs defs;
    struct pt_lane *lanes; /* by slot */
    uint64_t *heads;
    uint32_t used;          /* slots that were ever seen in use */
    struct pt_lane orphan;  /* for gaps that belong to no thread */
    struct pt_notes *notes; /* borrowed */
    uint64_t lost;          /* events that its gaps count */
};

/* Takes over `map`, which is emptied.  `command` as for pt_defs_init(). */
enum pt_status pt_tracee_new(pid_t pid, struct pt_arena_map *map,
                             int64_t joined, const char *command,
                             struct pt_notes *notes, struct pt_tracee **out);
void pt_tracee_free(struct pt_tracee *, struct pt_journal *);

/* Takes all that has been published; *busy is set when there was something.
 * A process that breaks the protocol is stopped, with a gap and a note, and
 * this is no failure; what is returned are the log's failures. */
enum pt_status pt_tracee_drain(struct pt_tracee *, struct pt_journal *,
                               bool *busy);

/* Tells the process to stop recording. */
void pt_tracee_stop(struct pt_tracee *, enum pt_stop why);

/* Writes what has been pending since the last call, so that a quiet program's
 * events are in the file before a block of them is full. */
enum pt_status pt_tracee_flush(struct pt_tracee *, struct pt_journal *);

/* The process has ended (or is no longer waited for): takes what is left,
 * ends its threads, says what was lost and how it ended.  *ending becomes
 * PT_ENDED_EXEC where the process called exec and did nothing after. */
enum pt_status pt_tracee_finish(struct pt_tracee *, struct pt_journal *,
                                enum pt_ending *ending, int value);

#endif
