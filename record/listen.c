#include "record/listen.h"
#include "record/inside/dial.h"
#include "record/problem.h"

#include <stdio.h>
#include <sys/random.h>

enum { BACKLOG = 512 };

enum pt_status
pt_listener_open(struct pt_listener *l, struct pt_error *error)
{
    uint64_t number;
    *l = (struct pt_listener){.fd = -1};
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (uint64_t)getpid();
    snprintf(l->name, sizeof l->name, "ptrec-%016llx",
             (unsigned long long)number);
    struct sockaddr_un at;
    socklen_t len = pt_socket_address(&at, l->name);
    l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd >= 0 && bind(l->fd, (const struct sockaddr *)&at, len) == 0 &&
        listen(l->fd, BACKLOG) == 0)
        return PT_OK;
    enum pt_status st = pt_problem_set(
        error, PT_EIO, errno,
        "no socket for the recorder to be had (%m); see `ulimit -n`");
    pt_listener_close(l);
    return st;
}

void
pt_listener_close(struct pt_listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

int
pt_listener_accept(struct pt_listener *l, pid_t *pid)
{
    for (;;) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        *pid = 0;
        if (fd < 0)
            return -1;
        if (pt_socket_is_ours(fd, pid))
            return fd;
        close(fd);
        return -1;
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
pt_welcome_send(int fd, const struct pt_welcome *welcome,
                const int fds[PT_WELCOME_FDS])
{
    struct iovec part = {(void *)welcome, sizeof *welcome};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(PT_WELCOME_FDS * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fds != NULL) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(PT_WELCOME_FDS * sizeof(int));
        memcpy(CMSG_DATA(c), fds, PT_WELCOME_FDS * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *welcome;
}
