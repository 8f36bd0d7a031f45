/* Lanes and their rings, but for the hot path.  The states of a lane:
 *
 *   none       --first event: lane_attach()-->            recording
 *   wiped      --a forked child's first: lane_attach()--> recording
 *   recording  --segment full: lane_next()-->             recording
 *   recording  --ring full, on-full=drop: lane_drop()-->  dropping
 *   dropping   --room again: lane_resume()-->             recording
 *   any        --collector gone, stopped, no slot:
 *                lane_sink()-->                           sink
 *
 * A sink lane swallows records in a private page, so that the hot path needs
 * no test of its own. */
#include "connection.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LANES = 2 * PT_SLOTS, SINK_BYTES = 2048, MAP_STEPS = 20 };
enum { BEGIN_BYTES = 16, FRAME_BYTES = 20, FRAME_C_BYTES = 8, GAP_BYTES = 20 };

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
    bool forked;   /* the next lane to attach has to tell its stack ... */
    uint32_t fork; /* ... with this callable on top, 0 none */
    struct pt_lane spare; /* for threads that get no lane at all */
    _Atomic uint64_t births, gaps;
} local = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* What a sink lane writes into, shared by all: nobody ever reads it. */
static struct pt_slot sink_slot;
static _Alignas(64) char sink_bytes[SINK_BYTES + 64];
/* Where a dropping lane's records go, one per thread. */
static _Thread_local struct pt_lane scrap;

static struct pt_lane *lane_next(struct pt_lane *l, unsigned kind);

/* A comparison of pids would not do: a child in a new pid namespace can have
 * its parent's. */
bool
pt_joined(void)
{
    return local.pool != NULL && local.pool[0].taken;
}

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
    uint64_t at = pt_ring_place(pt_producer.shrink, i, size);
    char *base = (char *)pt_producer.arena;
    if (at < PT_FIRST_MAP)
        return base + at;
    uint32_t k = (uint32_t)((at - PT_FIRST_MAP) / PT_MAP_STEP);
    if (k >= MAP_STEPS)
        return NULL;
    for (uint32_t j = 0; j <= k; j++) {
        if (local.step[j] != NULL)
            continue;
        char *from = j == 0 ? base + PT_FIRST_MAP - PT_PAGE
                            : local.step[j - 1] + PT_MAP_STEP - PT_PAGE;
        uint64_t left = pt_arena_size(pt_producer.shrink) - PT_FIRST_MAP -
                        (uint64_t)j * PT_MAP_STEP;
        size_t len = left < PT_MAP_STEP ? (size_t)left : PT_MAP_STEP;
        char *p = mremap(from, 0, len + PT_PAGE, MREMAP_MAYMOVE);
        if (p == MAP_FAILED)
            return NULL;
        if (madvise(p, len + PT_PAGE, MADV_DONTFORK) < 0) {
            munmap(p, len + PT_PAGE);
            return NULL;
        }
        local.step[j] = p + PT_PAGE;
    }
    return local.step[k] + (at - PT_FIRST_MAP) % PT_MAP_STEP;
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
        l->stack = l->greenlet = 0;
        l->birth = atomic_fetch_add(&local.births, 1) + 1;
        l->told = atomic_fetch_add(&local.gaps, 1) + 1;
        s->tid = (uint32_t)syscall(SYS_gettid);
        if (i >= used)
            atomic_store(&pt_producer.arena->slots_used, i + 1);
        atomic_store(&s->state, PT_SLOT_LIVE);
        return true;
    }
    return false;
}

/* The calling thread's first event: a lane from the pool, and a slot. */
static struct pt_lane *
lane_attach(struct pt_lane *l)
{
    if (!pt_joined())
        pt_producer_follow();
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
    bool ok = l != &local.spare &&
              atomic_load(&pt_producer.arena->stop) == PT_STOP_NO &&
              lane_claim(l);
    pthread_mutex_unlock(&local.mutex);
    pt_lane = l;
    if (l != &local.spare)
        pthread_setspecific(local.key, l);
    if (!ok) {
        atomic_fetch_add(&pt_producer.arena->unslotted, 1);
        return lane_sink(l);
    }
    return l;
}

void
pt_lanes_fork(uint32_t callee)
{
    local.fork = callee;
}

/* The thread that called fork goes on in the child, with all its frames, and
 * where recording begins in the middle any thread can have some. */
static void
tell_inherited(struct pt_lane *l, unsigned kind)
{
    bool forked = local.forked;
    if ((!forked && !pt_producer.midway) || local.teller == NULL)
        return;
    local.forked = false;
    local.teller(kind);
    if (!forked || local.fork == 0 || l->off + FRAME_C_BYTES > l->limit)
        return;
    uint32_t *w = pt_lane_at(l);
    w[0] = PT_W_FRAME_C;
    w[1] = local.fork;
    pt_lane_publish(l, FRAME_C_BYTES);
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
    bool over = false;
    for (;;) {
        atomic_store(&s->waiting, 1);
        uint32_t word = atomic_load(&s->tail_word);
        if (segment_free(l, begin))
            break;
        pt_await_collector(&s->tail_word, word);
        if (segment_free(l, begin))
            break;
        over = !pt_collector_alive();
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
    pt_ring_bell();
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
write_gap(struct pt_lane *l, uint64_t lost, bool tell, unsigned next)
{
    pt_lane_time(l, pt_quanta());
    uint32_t *w = pt_lane_at(l);
    w[0] = PT_W_GAP;
    w[1] = (uint32_t)lost;
    w[2] = (uint32_t)(lost >> 32);
    w[3] = l->stack;
    w[4] = l->greenlet;
    l->told = atomic_fetch_add(&local.gaps, 1) + 1;
    pt_lane_publish(l, GAP_BYTES);
    if (tell && local.teller != NULL)
        local.teller(next);
}

/* Room again after a drop. */
static void
lane_resume(struct pt_lane *l, unsigned kind)
{
    uint64_t lost = l->dropped;
    l->dropped = 0;
    write_gap(l, lost, kind != PT_W_END, kind);
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
        write_gap(l, UINT64_MAX, true, PT_W_GAP);
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
    if (l == NULL || l->limit == 0 || !pt_joined()) {
        l = lane_attach(l);
        /* a stack is told in a segment of its own, where it has room */
        bool begun = pt_producer.midway && !l->sink &&
                     l->off % (l->size / PT_SEGMENTS) != 0;
        if (!l->sink && (begun || l->off + BEGIN_BYTES + bytes > l->limit))
            l = lane_next(l, kind);
        else if (!l->sink)
            write_begin(l);
        if (!l->sink && l != &scrap)
            tell_inherited(l, kind);
    } else if (l->sink) {
        lane_sink(l);
    } else {
        l = lane_next(l, kind);
    }
    errno = saved;
    return l;
}

/* The end of a thread, from its pthread key. */
static void
lane_end(void *lane)
{
    struct pt_lane *l = lane;
    if (l->limit != 0 && !l->sink && pt_joined()) {
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

/* The fork may have come while another thread held the mutex. */
void
pt_lanes_restart(void)
{
    pthread_mutex_init(&local.mutex, NULL);
    memset(local.step, 0, sizeof local.step);
    local.pool[0].taken = 1;
    local.forked = true;
    if (pt_lane == &local.spare)
        pt_lane = NULL; /* which is not wiped */
}

int
pt_lanes_start(pt_stack_teller *teller)
{
    size_t len = LANES * sizeof(struct pt_lane);
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return errno;
    int e = madvise(p, len, MADV_WIPEONFORK) < 0 ? errno : 0;
    if (e == 0)
        e = pthread_key_create(&local.key, lane_end);
    if (e != 0) {
        munmap(p, len);
        return e;
    }
    local.teller = teller;
    local.pool = p;
    local.pool[0].taken = 1;
    atomic_store(&local.pool_used, 1);
    return 0;
}
