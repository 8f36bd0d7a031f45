/* Connection, lanes and rings: everything about the collector that is not the
 * hot path.  The states of a lane:
 *
 *   none  --first event: lane_attach()--> recording
 *   recording --segment full: lane_next()--> recording
 *   recording --ring full, on-full=drop--> dropping --room: lane_resume()-->
 * recording any   --collector gone, stopped, no slot, forked child:
 * lane_sink()--> sink
 *
 * A sink lane swallows records in a private page, so that the hot path needs
 * no test of its own. */
#include "producer.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAGE = 4096, LANES = 2 * PT_SLOTS, SINK_BYTES = 2048 };
enum { FIRST_MAP = PT_RINGS_AT + PT_RINGS_LARGE * PT_RING_LARGE };
enum { MAP_STEPS = 20, BEGIN_BYTES = 16, FRAME_BYTES = 20, GAP_BYTES = 12 };

struct pt_producer pt_producer;
_Thread_local struct pt_lane *pt_lane
    __attribute__((tls_model("initial-exec")));

static struct {
    /* LANES of them, wiped on fork; the first belongs to no thread: that it is
     * taken says that this is the process that joined */
    struct pt_lane *pool;
    _Atomic uint32_t pool_used;
    pthread_key_t key;     /* its destructor ends a thread's lane */
    pthread_mutex_t mutex; /* pool, map steps */
    char *step[MAP_STEPS]; /* where the k-th further piece is mapped */
    pt_stack_teller *teller;
    struct pt_lane spare; /* for threads that get no lane at all */
} local = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* What a sink lane writes into, shared by all: nobody ever reads it. */
static struct pt_slot sink_slot;
static _Alignas(64) char sink_bytes[SINK_BYTES + 64];
/* Where a dropping lane's records go, one per thread. */
static _Thread_local struct pt_lane scrap;

static long
futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *ts)
{
    return syscall(SYS_futex, word, op, value, ts, NULL, 0);
}

/* False in a forked child, where the arena is not mapped.  A comparison of pids
 * would not do: a child in a new pid namespace can have its parent's. */
static bool
joined(void)
{
    return local.pool != NULL && local.pool[0].taken;
}

/* False once the collector is dead.  The thread that finds out owns the robust
 * mutex from then on, so it leaves word for the others in `stop`. */
static bool
collector_alive(void)
{
    struct pt_arena *a = pt_producer.arena;
    if (pthread_mutex_trylock(&a->alive) == EBUSY)
        return atomic_load(&a->stop) == PT_STOP_NO;
    atomic_store(&a->stop, PT_STOP_GONE);
    return false;
}

static void
ring_bell(void)
{
    struct pt_bell *bell = pt_producer.bell;
    if (atomic_load_explicit(&bell->sleeping, memory_order_relaxed)) {
        atomic_fetch_add(&bell->word, 1);
        futex(&bell->word, FUTEX_WAKE, 1, NULL);
    }
}

/* --- connection ------------------------------------------------------------
 */

static int
dial(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path) + 1;
    if (n > sizeof to.sun_path)
        return -ENAMETOOLONG;
    memcpy(to.sun_path, path, n);
    int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -errno;
    struct timeval patience = {.tv_sec = 10};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(s, (struct sockaddr *)&to, sizeof to) < 0) {
        int e = errno;
        close(s);
        return -e;
    }
    return s;
}

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
    void *a = mmap(NULL, FIRST_MAP, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_NORESERVE, fds[0], 0);
    if (a == MAP_FAILED)
        return errno;
    void *b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    void *p = mmap(NULL, LANES * sizeof(struct pt_lane), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED || p == MAP_FAILED) {
        int e = errno;
        munmap(a, FIRST_MAP);
        if (b != MAP_FAILED)
            munmap(b, PAGE);
        if (p != MAP_FAILED)
            munmap(p, LANES * sizeof(struct pt_lane));
        return e;
    }
    /* Without these a forked child would write into our rings. */
    if (madvise(a, FIRST_MAP, MADV_DONTFORK) < 0 ||
        madvise(b, PAGE, MADV_DONTFORK) < 0 ||
        madvise(p, LANES * sizeof(struct pt_lane), MADV_WIPEONFORK) < 0)
        return errno;
    pt_producer.arena = a;
    pt_producer.bell = b;
    local.pool = p;
    local.pool[0].taken = 1;
    atomic_store(&local.pool_used, 1);
    return 0;
}

static void lane_end(void *lane);
static struct pt_lane *lane_next(struct pt_lane *l, unsigned kind);

int
pt_producer_start(const char *socket, uint32_t hexversion, const char *soabi,
                  pt_stack_teller *teller, char *why, size_t whylen)
{
    int fds[2] = {-1, -1}, e, s = dial(socket);
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
        e = pthread_key_create(&local.key, lane_end);
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
    pt_producer.epoch++;
    local.teller = teller;
    return 0;
}

void
pt_producer_refuse(const char *socket, const char *why)
{
    int s = dial(socket);
    if (s < 0)
        return;
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC, .kind = PT_HELLO_REFUSED};
    snprintf(hello.text, sizeof hello.text, "%s", why);
    (void)!send(s, &hello, sizeof hello, MSG_NOSIGNAL);
    close(s);
}

/* --- lanes -----------------------------------------------------------------
 */

/* From now on this lane's records go nowhere. */
static struct pt_lane *
lane_sink(struct pt_lane *l)
{
    l->sink = 1;
    l->slot = &sink_slot;
    l->base = sink_bytes;
    l->size = SINK_BYTES;
    l->bias = sink_bytes;
    l->off = 0;
    l->limit = SINK_BYTES;
    return l;
}

/* Where slot i's ring is mapped, mapping one more step when it is not.  The
 * program holds no descriptor of the arena, so a further piece is made by
 * mremap(2) from its last mapped page ("old_size zero" duplicates a shared
 * mapping, and may reach beyond it). */
static char *
ring_address(uint32_t i, uint32_t *size)
{
    uint64_t at = pt_ring_place(i, size);
    char *base = (char *)pt_producer.arena;
    if (at < FIRST_MAP)
        return base + at;
    uint32_t k = (uint32_t)((at - FIRST_MAP) / PT_MAP_STEP);
    if (k >= MAP_STEPS)
        return NULL;
    for (uint32_t j = 0; j <= k; j++) {
        if (local.step[j] != NULL)
            continue;
        char *from = j == 0 ? base + FIRST_MAP - PAGE
                            : local.step[j - 1] + PT_MAP_STEP - PAGE;
        uint64_t left = pt_arena_size() - FIRST_MAP - (uint64_t)j * PT_MAP_STEP;
        size_t len = left < PT_MAP_STEP ? (size_t)left : PT_MAP_STEP;
        char *p = mremap(from, 0, len + PAGE, MREMAP_MAYMOVE);
        if (p == MAP_FAILED)
            return NULL;
        if (madvise(p, len + PAGE, MADV_DONTFORK) < 0) {
            munmap(p, len + PAGE);
            return NULL;
        }
        local.step[j] = p + PAGE;
    }
    return local.step[k] + (at - FIRST_MAP) % PT_MAP_STEP;
}

static struct pt_slot *
slot_at(uint32_t i)
{
    return (struct pt_slot *)(void *)((char *)pt_producer.arena + PT_SLOTS_AT) +
           i;
}

/* Takes a dead slot, else a fresh one, and puts the lane behind its head. */
static bool
lane_claim(struct pt_lane *l)
{
    uint32_t used = atomic_load(&pt_producer.arena->slots_used);
    for (uint32_t i = 0; i < PT_SLOTS; i++) {
        struct pt_slot *s = slot_at(i);
        uint32_t was = i < used ? PT_SLOT_DEAD : PT_SLOT_FREE;
        if (!atomic_compare_exchange_strong(&s->state, &was, PT_SLOT_BUSY))
            continue;
        char *ring = ring_address(i, &l->size);
        if (ring == NULL) {
            atomic_store(&s->state, i < used ? PT_SLOT_DEAD : PT_SLOT_FREE);
            return false;
        }
        uint32_t segment = l->size / PT_SEGMENTS;
        l->slot = s;
        l->base = ring;
        l->off = atomic_load(&s->head);
        l->limit = (l->off / segment + 1) * segment;
        l->bias = ring - l->off / l->size * l->size;
        if (l->off % segment == 0)
            l->limit = l->off; /* entering a segment needs the room test */
        if (l->off == 0)
            l->limit = segment;
        /* of the thread before us, if the collector has not seen it yet */
        l->dropped = atomic_exchange(&s->dropped, 0);
        l->unborn = 1;
        s->tid = (uint32_t)syscall(SYS_gettid);
        if (i >= used)
            atomic_store(&pt_producer.arena->slots_used, i + 1);
        atomic_store(&s->state, PT_SLOT_LIVE);
        return true;
    }
    return false;
}

/* The end of a thread, from its pthread key. */
static void
lane_end(void *lane)
{
    struct pt_lane *l = lane;
    if (l->limit != 0 && !l->sink && joined()) {
        struct pt_lane *to = l;
        if (l->off + 4 + PT_TIME_BYTES > l->limit)
            to = lane_next(l, PT_W_END);
        if (!l->sink && to == l) {
            pt_lane_time(l, pt_quanta());
            *pt_lane_at(l) = PT_W_END;
            pt_lane_publish(l, 4);
        }
        if (!l->sink)
            atomic_store_explicit(&l->slot->state, PT_SLOT_DEAD,
                                  memory_order_release);
    }
    l->limit = 0;
    l->off = 0;
    l->sink = 0;
    pt_lane = NULL;
    __atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

/* The calling thread's first event: a lane from the pool, a slot, a begin
 * record.  In a forked child everything leads to a sink. */
static struct pt_lane *
lane_attach(struct pt_lane *l)
{
    bool child = !joined();
    pthread_mutex_lock(&local.mutex);
    if (l == NULL) {
        uint32_t i = 0, n = atomic_load(&local.pool_used);
        while (i < n && __atomic_load_n(&local.pool[i].taken, __ATOMIC_ACQUIRE))
            i++;
        if (i < LANES) {
            l = &local.pool[i];
            if (i == n)
                atomic_store(&local.pool_used, n + 1);
        } else {
            l = &local.spare;
        }
    }
    l->taken = 1;
    l->sink = 0;
    bool ok = !child && l != &local.spare &&
              atomic_load(&pt_producer.arena->stop) == PT_STOP_NO &&
              lane_claim(l);
    pthread_mutex_unlock(&local.mutex);
    pt_lane = l;
    if (l != &local.spare)
        pthread_setspecific(local.key, l);
    if (!ok) {
        if (!child)
            atomic_fetch_add(&pt_producer.arena->unslotted, 1);
        return lane_sink(l);
    }
    return l;
}

static void
write_begin(struct pt_lane *l)
{
    uint64_t now = pt_quanta();
    uint32_t *w = pt_lane_at(l);
    w[0] = PT_W_BEGIN;
    w[1] = l->slot->tid;
    w[2] = (uint32_t)now;
    w[3] = (uint32_t)(now >> 32);
    l->last = now;
    l->unborn = 0;
    pt_lane_publish(l, BEGIN_BYTES);
}

void
pt_lane_time(struct pt_lane *l, uint64_t now)
{
    uint32_t *w = pt_lane_at(l);
    w[0] = PT_W_TIME;
    w[1] = (uint32_t)now;
    w[2] = (uint32_t)(now >> 32);
    l->last = now;
    pt_lane_publish(l, PT_TIME_BYTES);
}

static bool
segment_free(const struct pt_lane *l, uint64_t begin)
{
    uint64_t tail = atomic_load_explicit(&l->slot->tail, memory_order_acquire);
    return begin + l->size / PT_SEGMENTS - tail <= l->size;
}

/* Waits, GIL held, until the segment that begins at `begin` has been drained.
 * False when recording is over. */
static bool
segment_wait(struct pt_lane *l, uint64_t begin)
{
    struct pt_slot *s = l->slot;
    const struct timespec patience = {.tv_nsec = 50000000};
    bool over = false;
    for (;;) {
        atomic_store(&s->waiting, 1);
        uint32_t word = atomic_load(&s->tail_word);
        if (segment_free(l, begin))
            break;
        ring_bell();
        futex(&s->tail_word, FUTEX_WAIT, word, &patience);
        if (segment_free(l, begin))
            break;
        over = !collector_alive();
        if (over)
            break;
    }
    atomic_store(&s->waiting, 0);
    return !over;
}

/* Fills what is left of the segment, and publishes the lane's position at its
 * end. */
static void
segment_pad(struct pt_lane *l)
{
    if (l->off < l->limit) {
        *pt_lane_at(l) = PT_W_PAD;
        pt_lane_publish(l, (unsigned)(l->limit - l->off));
    }
}

static void
segment_enter(struct pt_lane *l)
{
    l->bias = l->base - l->off / l->size * l->size;
    l->limit = l->off + l->size / PT_SEGMENTS;
    ring_bell();
}

/* An event that is not kept: counted, and written to a scrap page. */
static struct pt_lane *
lane_drop(struct pt_lane *l, unsigned kind)
{
    if (kind != PT_W_END)
        l->dropped++;
    scrap = *l;
    struct pt_lane *s = lane_sink(&scrap);
    s->sink = 0;
    return s;
}

/* How much was lost and what is on the stack now, in the lane's segment. */
static void
write_gap(struct pt_lane *l, uint64_t lost, bool tell, bool entering)
{
    pt_lane_time(l, pt_quanta());
    uint32_t *w = pt_lane_at(l);
    w[0] = PT_W_GAP;
    w[1] = (uint32_t)lost;
    w[2] = (uint32_t)(lost >> 32);
    pt_lane_publish(l, GAP_BYTES);
    if (tell && local.teller != NULL)
        local.teller(entering);
}

/* Room again after a drop. */
static void
lane_resume(struct pt_lane *l, unsigned kind)
{
    uint64_t lost = l->dropped;
    l->dropped = 0;
    write_gap(l, lost, kind != PT_W_END,
              kind == PT_W_CALL || kind == PT_W_CALL_KEY ||
                  kind == PT_W_RESUME || kind == PT_W_THROW);
}

void
pt_emit_gap(void)
{
    struct pt_lane *l = pt_lane;
    if (l == NULL || l->limit == 0 || l->sink || l->dropped != 0)
        return;
    /* a segment of its own, where the stack has room */
    l = lane_next(l, PT_W_GAP);
    if (!l->sink && l != &scrap)
        write_gap(l, UINT64_MAX, true, false);
}

uint32_t
pt_frames_limit(void)
{
    /* half of what a segment holds: the event itself must fit behind */
    return pt_lane->size / PT_SEGMENTS / 2 / FRAME_BYTES;
}

bool
pt_emit_frame(uint32_t code, uint64_t key, uint32_t off, uint32_t left)
{
    struct pt_lane *l = pt_lane;
    if (l->off + FRAME_BYTES > l->limit)
        return false;
    uint32_t *w = pt_lane_at(l);
    w[0] = PT_W_FRAME | left << PT_WORD_KIND_BITS;
    w[1] = code;
    w[2] = (uint32_t)key;
    w[3] = (uint32_t)(key >> 32);
    w[4] = off;
    pt_lane_publish(l, FRAME_BYTES);
    return true;
}

static struct pt_lane *
lane_next(struct pt_lane *l, unsigned kind)
{
    if (atomic_load(&pt_producer.arena->stop) != PT_STOP_NO)
        return lane_sink(l);
    if (!segment_free(l, l->limit)) {
        if (pt_producer.on_full == PT_FULL_DROP) {
            /* the slot tells it should the process end meanwhile; the pad
             * keeps a shorter record from slipping in before the gap */
            segment_pad(l);
            struct pt_lane *s = lane_drop(l, kind);
            atomic_store_explicit(&l->slot->dropped, l->dropped,
                                  memory_order_relaxed);
            return s;
        }
        segment_pad(l);
        if (!segment_wait(l, l->limit))
            return lane_sink(l);
    }
    segment_pad(l);
    segment_enter(l);
    if (l->unborn)
        write_begin(l);
    if (l->dropped != 0) {
        atomic_store_explicit(&l->slot->dropped, 0, memory_order_relaxed);
        lane_resume(l, kind);
    }
    return l;
}

struct pt_lane *
pt_lane_slow(unsigned bytes, unsigned kind)
{
    int saved = errno;
    struct pt_lane *l = pt_lane;
    if (l == NULL || l->limit == 0) {
        l = lane_attach(l);
        if (!l->sink && l->off + BEGIN_BYTES + bytes > l->limit)
            l = lane_next(l, kind);
        else if (!l->sink)
            write_begin(l);
    } else if (l->sink) {
        lane_sink(l);
    } else {
        l = lane_next(l, kind);
    }
    errno = saved;
    return l;
}

/* --- definitions ------------------------------------------------------------
 */

void
pt_def_bytes(struct pt_def *d, const void *data, size_t len)
{
    if (d->len + len > d->cap) {
        size_t cap = (d->len + len) * 2 + 256;
        char *p = d->failed ? NULL : realloc(d->data, cap);
        if (p == NULL) {
            d->failed = true;
            return;
        }
        d->data = p;
        d->cap = cap;
    }
    if (len != 0)
        memcpy(d->data + d->len, data, len);
    d->len += len;
}

void
pt_def_u32(struct pt_def *d, uint32_t v)
{
    pt_def_bytes(d, &v, 4);
}

void
pt_def_u64(struct pt_def *d, uint64_t v)
{
    pt_def_bytes(d, &v, 8);
}

void
pt_def_begin(struct pt_def *d, uint32_t type, uint32_t id)
{
    d->len = 0;
    d->failed = false;
    pt_def_u32(d, 0);
    pt_def_u32(d, type);
    pt_def_u32(d, id);
}

/* Waits until the definitions ring has room for one more byte. */
static bool
defs_wait(uint64_t head)
{
    struct pt_arena *a = pt_producer.arena;
    const struct timespec patience = {.tv_nsec = 50000000};
    bool over = false;
    for (;;) {
        atomic_store(&a->defs_waiting, 1);
        uint32_t word = atomic_load(&a->defs_tail_word);
        if (head - atomic_load(&a->defs_tail) < PT_DEFS_SIZE)
            break;
        ring_bell();
        futex(&a->defs_tail_word, FUTEX_WAIT, word, &patience);
        if (head - atomic_load(&a->defs_tail) < PT_DEFS_SIZE)
            break;
        over = !collector_alive();
        if (over)
            break;
    }
    atomic_store(&a->defs_waiting, 0);
    return !over;
}

bool
pt_def_commit(struct pt_def *d)
{
    struct pt_arena *a = pt_producer.arena;
    if (d->failed || d->len > PT_DEF_LIMIT || !joined() ||
        atomic_load(&a->stop) != PT_STOP_NO)
        return false;
    uint32_t len = (uint32_t)d->len;
    memcpy(d->data, &len, 4);
    char *ring = (char *)a + PT_DEFS_AT;
    uint64_t head = atomic_load_explicit(&a->defs_head, memory_order_relaxed);
    if (pt_producer.on_full == PT_FULL_DROP &&
        head - atomic_load(&a->defs_tail) + d->len > PT_DEFS_SIZE)
        return false;
    for (size_t done = 0; done < d->len;) {
        uint64_t used =
            head - atomic_load_explicit(&a->defs_tail, memory_order_acquire);
        if (used >= PT_DEFS_SIZE) {
            if (!defs_wait(head))
                return false;
            continue;
        }
        size_t at = head % PT_DEFS_SIZE, n = d->len - done;
        if (n > PT_DEFS_SIZE - used)
            n = PT_DEFS_SIZE - used;
        if (n > PT_DEFS_SIZE - at)
            n = PT_DEFS_SIZE - at;
        memcpy(ring + at, d->data + done, n);
        done += n;
        head += n;
        atomic_store_explicit(&a->defs_head, head, memory_order_release);
    }
    return true;
}

void
pt_def_note(const char *sentence)
{
    struct pt_def d = {0};
    size_t n = strlen(sentence);
    pt_def_begin(&d, PT_M_NOTE, 1);
    pt_def_u32(&d, (uint32_t)n);
    pt_def_bytes(&d, sentence, n);
    pt_def_commit(&d);
    free(d.data);
}
