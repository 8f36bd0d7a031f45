/* The connection to the collector: joining it, waking it, waiting for it, and
 * noticing its death. */
#include "connection.h"
#include "dial.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pt_producer pt_producer;

static struct {
    char socket[sizeof((struct sockaddr_un *)0)->sun_path];
    bool alone; /* config.alone */
    void *tether;
    struct pt_def words; /* what pt_producer_tell() was given */
    uint32_t hexversion;
} self;

/* Stands for the arena of a child that could not join. */
static struct pt_arena nowhere = {.stop = PT_STOP_GONE};

/* Receives the answer and its descriptors (-1 where there is none). */
static int
receive(int s, struct pt_welcome *w, int fds[PT_WELCOME_FDS])
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(PT_WELCOME_FDS * sizeof(int))];
    } control;
    struct iovec io = {w, sizeof *w};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n;
    do
        n = recvmsg(s, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_level == SOL_SOCKET &&
        c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(PT_WELCOME_FDS * sizeof(int)))
        memcpy(fds, CMSG_DATA(c), PT_WELCOME_FDS * sizeof(int));
    if (n != sizeof *w || w->magic != PT_PROTO_MAGIC)
        return EPROTO;
    if (w->status != 0)
        return (int)w->status;
    return fds[0] < 0 ? EPROTO : 0;
}

/* A page that all processes share, mapped once: children inherit it. */
static int
map_page(int fd, void **page)
{
    if (*page != NULL)
        return 0;
    void *p = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return errno;
    *page = p;
    return 0;
}

/* A forked child must not write into our rings, so it does not inherit them. */
static int
map_arena(int fd, const struct pt_welcome *w)
{
    struct pt_arena *a = mmap(NULL, PT_FIRST_MAP, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (a == MAP_FAILED)
        return errno;
    int e = madvise(a, PT_FIRST_MAP, MADV_DONTFORK) < 0 ? errno : 0;
    if (e == 0 && (a->magic != PT_PROTO_MAGIC || a->shrink > PT_SHRINK_MOST ||
                   w->arena_size != pt_arena_size(a->shrink)))
        e = EPROTO;
    if (e != 0) {
        munmap(a, PT_FIRST_MAP);
        return e;
    }
    pt_producer.arena = a;
    pt_producer.shrink = a->shrink;
    pt_producer.number = w->number;
    pt_producer.pid = getpid();
    return 0;
}

/* Says hello over `s` and maps what the answer brings. */
static int
join(int s, const struct pt_hello *hello)
{
    struct pt_welcome welcome = {0};
    int fds[PT_WELCOME_FDS] = {-1, -1, -1}, e;
    void *bell = pt_producer.bell;
    if (send(s, hello, sizeof *hello, MSG_NOSIGNAL) != sizeof *hello)
        e = errno;
    else
        e = receive(s, &welcome, fds);
    if (e == 0)
        e = map_page(fds[1], &bell);
    pt_producer.bell = bell;
    if (e == 0)
        e = map_page(fds[2], &self.tether);
    if (e == 0)
        e = map_arena(fds[0], &welcome);
    for (int i = 0; i < PT_WELCOME_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return e;
}

static int
dial_and_join(const struct pt_hello *hello)
{
    int s = pt_dial(self.socket);
    if (s < 0)
        return -s;
    int e = join(s, hello);
    close(s);
    return e;
}

int
pt_producer_start(const struct pt_joining *j, char *why, size_t whylen)
{
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC,
                             .kind = PT_HELLO_JOIN,
                             .hexversion = j->hexversion,
                             .parent = j->parent};
    snprintf(hello.text, sizeof hello.text, "%s", j->soabi);
    snprintf(self.socket, sizeof self.socket, "%s", j->socket);
    self.hexversion = j->hexversion;
    int e = EPIPE;
    if (j->connection >= 0) {
        e = join(j->connection, &hello);
        close(j->connection);
    }
    if (e == EPIPE || e == ECONNRESET) /* none, or closed by the collector */
        e = dial_and_join(&hello);
    if (e == 0)
        e = pt_lanes_start(j->teller);
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
    pt_producer.once = c->once;
    pt_producer.values = c->values;
    pt_producer.epoch++;
    self.alone = c->alone != 0;
    return 0;
}

/* --- in relation to other processes --------------------------------------- */

static bool
tell_process(void)
{
    struct pt_def d = {0};
    char *cwd = getcwd(NULL, 0);
    size_t n = cwd != NULL ? strlen(cwd) : 0;
    pt_def_begin(&d, PT_M_PROCESS, 1);
    pt_def_u32(&d, (uint32_t)n);
    pt_def_bytes(&d, cwd, n);
    pt_def_bytes(&d, self.words.data, self.words.len);
    bool ok = pt_def_commit(&d);
    free(d.data);
    free(cwd);
    return ok;
}

bool
pt_producer_tell(const struct pt_def *words)
{
    pt_def_bytes(&self.words, words->data, words->len);
    return !self.words.failed && tell_process();
}

/* The collector must learn of a child that cannot reach it, and need not wait
 * for it. */
static void
stay_outside(int error)
{
    struct pt_bell *bell = pt_producer.bell;
    atomic_store(&bell->outside_pid, (uint32_t)getpid());
    atomic_store(&bell->outside_error, (uint32_t)error);
    atomic_fetch_add(&bell->outside, 1);
    if (self.tether != NULL)
        munmap(self.tether, PT_PAGE);
    self.tether = NULL;
}

void
pt_producer_follow(void)
{
    int saved = errno;
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC,
                             .kind = PT_HELLO_FORKED,
                             .hexversion = self.hexversion,
                             .parent = pt_producer.number};
    memcpy(hello.known, pt_producer.known, sizeof hello.known);
    pt_producer.arena = &nowhere;
    pt_lanes_restart();
    if (!self.alone) {
        int e = dial_and_join(&hello);
        if (e != 0)
            stay_outside(e);
        else
            tell_process();
    }
    errno = saved;
}

uint64_t
pt_producer_starts(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (pt_producer.bell != NULL)
        atomic_store(&pt_producer.bell->started,
                     (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
    return pt_producer.number;
}

/* Between vfork() and exec a child shares our memory: it must not speak for
 * us.  A forked one that has not joined has no arena. */
void
pt_producer_exits(int status)
{
    if (pt_joined() && getpid() == pt_producer.pid)
        atomic_store(&pt_producer.arena->exiting,
                     PT_EXITING | ((uint32_t)status & 0xff));
}

void
pt_producer_execs(void)
{
    if (pt_joined())
        atomic_store(&pt_producer.arena->exec_at, pt_quanta());
}

/* --- waking and waiting --------------------------------------------------- */

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
