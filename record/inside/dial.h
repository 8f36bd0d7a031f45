/* How a process reaches the collector: by a name in Linux's abstract socket
 * namespace, which leaves nothing behind, however the collector ends.
 *
 * Anybody may connect to such a name, and take it once it is free, so each
 * side asks the kernel who the other one is.
 * Thread rule: none, it keeps no state.  Touches no Python object. */
#ifndef PT_INSIDE_DIAL_H
#define PT_INSIDE_DIAL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Fills the address of `name` and returns its length, 0 if it is too long. */
static inline socklen_t
pt_socket_address(struct sockaddr_un *at, const char *name)
{
    size_t n = strlen(name);
    memset(at, 0, sizeof *at);
    at->sun_family = AF_UNIX;
    if (n == 0 || n >= sizeof at->sun_path)
        return 0;
    memcpy(at->sun_path + 1, name, n); /* behind a NUL, and without one */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

/* True when a process of our user is at the other end of `s`; *pid receives
 * which. */
static inline int
pt_socket_is_ours(int s, pid_t *pid)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return 0;
    *pid = peer.pid;
    return peer.uid == geteuid() || peer.uid == getuid();
}

/* A connection to the collector that listens at `name`, which waits for no
 * answer longer than ten seconds; or a negative errno value. */
static inline int
pt_dial(const char *name)
{
    struct sockaddr_un to;
    const struct timeval patience = {.tv_sec = 10};
    socklen_t len = pt_socket_address(&to, name);
    pid_t pid;
    int s, err = 0;
    if (len == 0)
        return -EINVAL;
    s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -errno;
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(s, (const struct sockaddr *)&to, len) < 0)
        err = errno;
    else if (!pt_socket_is_ours(s, &pid))
        err = EACCES;
    if (err != 0) {
        close(s);
        return -err;
    }
    return s;
}

#endif
