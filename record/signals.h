/* Signals between the user, ptrec and the program.
 *
 * ptrec takes none of them for itself: SIGINT and SIGQUIT of a terminal reach
 * the program without us, others that were sent to ptrec are passed on, and
 * ptrec stops and ends as the program does.
 *
 *   inherited --take--> blocked, read from a descriptor --end_as--> gone
 *
 * Thread rule: the main thread, before it makes another one. */
#ifndef PT_RECORD_SIGNALS_H
#define PT_RECORD_SIGNALS_H

#include <pt/status.h>

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

enum { PT_SAVED_SIGNALS = 3 };

struct pt_signals {
    int fd;        /* readable when a signal came */
    sigset_t mask; /* as inherited */
    struct sigaction saved[PT_SAVED_SIGNALS];
};

enum pt_status pt_signals_take(struct pt_signals *, struct pt_error *error);
/* In the child, before exec: mask and dispositions as ptrec inherited them. */
void pt_signals_restore(const struct pt_signals *);
void pt_signals_close(struct pt_signals *);

/* Reads what came and passes it on to `child` (0: it has ended).  *children:
 * a child changed its state.  *end: the user asked ptrec itself to end, which
 * only counts when the program has ended before. */
void pt_signals_read(struct pt_signals *, pid_t child, bool *children,
                     bool *end);

/* The child stopped by `sig`: where a shell's terminal controls jobs, stops
 * ptrec alike, and when it is continued continues the child. */
void pt_signals_stop_as(struct pt_signals *, pid_t child, int sig);

/* Ends ptrec as the program ended by its wait status: by the same signal,
 * without a core file of ours, or with the exit status that is returned. */
int pt_signals_end_as(int status);

#endif
