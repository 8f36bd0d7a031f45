/* The collector's front door: a Unix socket with a name and no file, where a
 * process of the same user says hello once and gets its arena.
 * Thread rule: the main thread. */
#ifndef PT_RECORD_LISTEN_H
#define PT_RECORD_LISTEN_H

#include "record/arena.h"

#include <sys/types.h>

struct pt_listener {
    int fd;
    char name[32]; /* for pt_dial() */
};

enum pt_status pt_listener_open(struct pt_listener *, struct pt_error *error);
void pt_listener_close(struct pt_listener *);

/* The next connection of a process of our user; its pid, as we see it, goes
 * to *pid.  -1 where there is none, or where the next one is another user's:
 * then *pid is that process, else 0. */
int pt_listener_accept(struct pt_listener *, pid_t *pid);

/* Reads a hello: 1, 0 when it has not come yet, -1 when none will come. */
int pt_hello_read(int fd, struct pt_hello *);

/* Answers a hello: with the descriptors of arena, bell and tether, or where
 * `fds` is NULL with an errno value in welcome->status.  False when nobody is
 * there any more. */
bool pt_welcome_send(int fd, const struct pt_welcome *welcome,
                     const int fds[PT_WELCOME_FDS]);

#endif
