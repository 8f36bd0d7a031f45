/* The bell between producers and the collector's main loop: a thread that
 * sleeps on the bell's futex word and turns a ring into a readable
 * descriptor, because epoll cannot wait for a futex.
 * Thread rule: the main thread's; the bell's own thread touches nothing else.
 */
#ifndef PT_RECORD_BELL_H
#define PT_RECORD_BELL_H

#include "record/arena.h"

struct pt_ringer {
    struct pt_bell_map map;
    int fd; /* an eventfd, -1 when not running */
    _Atomic bool over;
    pthread_t thread;
};

enum pt_status pt_ringer_start(struct pt_ringer *, struct pt_error *error);
void pt_ringer_stop(struct pt_ringer *);

/* From now on until the next call with false, producers ring. */
void pt_ringer_listen(struct pt_ringer *, bool on);
/* Makes the descriptor unreadable again. */
void pt_ringer_hush(struct pt_ringer *);

#endif
