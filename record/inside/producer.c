/* The connection to the collector: joining it, waking it, waiting for it, and
 * noticing its death. */
#include "connection.h"
#include "dial.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pt_producer pt_producer;

/* Receives the answer and its two descriptors (-1 where there is none). */
static int
receive(int s, struct pt_welcome *w, int fds[2])
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec io = {w, sizeof *w};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    fds[0] = fds[1] = -1;
    ssize_t n;
    do
        n = recvmsg(s, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_level == SOL_SOCKET &&
        c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(2 * sizeof(int)))
        memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
    if (n != sizeof *w || w->magic != PT_PROTO_MAGIC)
        return EPROTO;
    if (w->status != 0)
        return (int)w->status;
    return fds[1] < 0 || w->arena_size != pt_arena_size() ? EPROTO : 0;
}

static int
map_arena(const int fds[2])
{
    void *a = mmap(NULL, PT_FIRST_MAP, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_NORESERVE, fds[0], 0);
    if (a == MAP_FAILED)
        return errno;
    void *b =
        mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    if (b == MAP_FAILED) {
        int e = errno;
        munmap(a, PT_FIRST_MAP);
        return e;
    }
    /* Without these a forked child would write into our rings. */
    if (madvise(a, PT_FIRST_MAP, MADV_DONTFORK) < 0 ||
        madvise(b, PT_PAGE, MADV_DONTFORK) < 0)
        return errno;
    pt_producer.arena = a;
    pt_producer.bell = b;
    return 0;
}

int
pt_producer_start(const char *socket, uint32_t hexversion, const char *soabi,
                  pt_stack_teller *teller, char *why, size_t whylen)
{
    int fds[2] = {-1, -1}, e, s = pt_dial(socket);
    if (s < 0) {
        snprintf(why, whylen, "the collector does not answer: %s",
                 strerror(-s));
        return -s;
    }
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC,
                             .kind = PT_HELLO_JOIN,
                             .hexversion = hexversion};
    struct pt_welcome welcome;
    snprintf(hello.text, sizeof hello.text, "%s", soabi);
    if (send(s, &hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello)
        e = errno;
    else
        e = receive(s, &welcome, fds);
    close(s);
    if (e == 0)
        e = map_arena(fds);
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (e == 0 && pt_producer.arena->magic != PT_PROTO_MAGIC)
        e = EPROTO;
    if (e == 0)
        e = pt_lanes_start(teller);
    if (e != 0) {
        snprintf(why, whylen, "joining the recording failed: %s", strerror(e));
        return e;
    }
    const struct pt_config *c = &pt_producer.arena->config;
    pt_producer.events = c->events;
    pt_producer.stamped = c->stamped;
    pt_producer.quantum_log2 = c->quantum_log2 & 63;
    pt_producer.clock = c->clock;
    pt_producer.on_full = c->on_full;
    pt_producer.flow = c->flow;
    pt_producer.epoch++;
    return 0;
}

void
pt_producer_refuse(const char *socket, const char *why)
{
    int s = pt_dial(socket);
    if (s < 0)
        return;
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC, .kind = PT_HELLO_REFUSED};
    snprintf(hello.text, sizeof hello.text, "%s", why);
    (void)!send(s, &hello, sizeof hello, MSG_NOSIGNAL);
    close(s);
}

static long
futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *ts)
{
    return syscall(SYS_futex, word, op, value, ts, NULL, 0);
}

void
pt_ring_bell(void)
{
    struct pt_bell *bell = pt_producer.bell;
    if (atomic_load_explicit(&bell->sleeping, memory_order_relaxed)) {
        atomic_fetch_add(&bell->word, 1);
        futex(&bell->word, FUTEX_WAKE, 1, NULL);
    }
}

void
pt_await_collector(_Atomic uint32_t *word, uint32_t value)
{
    const struct timespec patience = {.tv_nsec = 50000000};
    pt_ring_bell();
    futex(word, FUTEX_WAIT, value, &patience);
}

/* The thread that finds the collector dead owns the robust mutex from then on,
 * so it leaves word for the others in `stop`. */
bool
pt_collector_alive(void)
{
    struct pt_arena *a = pt_producer.arena;
    if (pthread_mutex_trylock(&a->alive) == EBUSY)
        return atomic_load(&a->stop) == PT_STOP_NO;
    atomic_store(&a->stop, PT_STOP_GONE);
    return false;
}
