#include "record/listen.h"
#include "record/problem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 512 };

/* The socket in a new folder under `base`; 0 or an errno value. */
static int
open_under(struct pt_listener *l, const char *base)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int n = snprintf(l->folder, sizeof l->folder, "%s/ptrec-XXXXXX", base);
    if (n < 0 || (size_t)n + 3 > sizeof l->folder)
        return ENAMETOOLONG;
    if (mkdtemp(l->folder) == NULL)
        return errno;
    memcpy(l->path, l->folder, (size_t)n);
    memcpy(l->path + n, "/s", 3);
    memcpy(at.sun_path, l->path, (size_t)n + 3);

    int err = 0;
    l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0 ||
        bind(l->fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        listen(l->fd, BACKLOG) != 0) {
        err = errno;
        if (l->fd >= 0)
            close(l->fd);
        l->fd = -1;
        unlink(l->path);
        rmdir(l->folder);
    }
    return err;
}

enum pt_status
pt_listener_open(struct pt_listener *l, struct pt_error *error)
{
    const char *bases[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    int err = 0;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        *l = (struct pt_listener){.fd = -1};
        if (bases[i] == NULL || bases[i][0] != '/')
            continue;
        err = open_under(l, bases[i]);
        if (err == 0)
            return PT_OK;
    }
    return pt_problem_set(
        error, PT_EIO, err,
        "no folder for the recorder's socket (%m); set TMPDIR to "
        "one with a short name that can be written");
}

void
pt_listener_close(struct pt_listener *l)
{
    if (l->fd < 0)
        return;
    close(l->fd);
    unlink(l->path);
    rmdir(l->folder);
    l->fd = -1;
}

int
pt_listener_accept(struct pt_listener *l, pid_t *pid)
{
    for (;;) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return -1;
        struct ucred peer;
        socklen_t len = sizeof peer;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
            (peer.uid == geteuid() || peer.uid == getuid())) {
            *pid = peer.pid;
            return fd;
        }
        close(fd);
    }
}

int
pt_hello_read(int fd, struct pt_hello *hello)
{
    ssize_t n;
    do
        n = recv(fd, hello, sizeof *hello, MSG_DONTWAIT | MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (n != (ssize_t)sizeof *hello || hello->magic != PT_PROTO_MAGIC)
        return -1;
    hello->text[sizeof hello->text - 1] = '\0';
    return 1;
}

bool
pt_welcome_send(int fd, int err, const struct pt_arena_map *arena,
                const struct pt_bell_map *bell)
{
    struct pt_welcome welcome = {
        .magic = PT_PROTO_MAGIC,
        .status = (uint32_t)err,
        .arena_size = err == 0 ? arena->size : 0,
    };
    struct iovec part = {&welcome, sizeof welcome};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (err == 0) {
        int fds[2] = {arena->fd, bell->fd};
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fds);
        memcpy(CMSG_DATA(c), fds, sizeof fds);
    }
    ssize_t n;
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof welcome;
}
