/* The recording side of record/proto.h: lanes, the hot path of an event, and
 * the connection to the collector.
 *
 * Thread rule: pt_emit() and friends belong to the calling thread's lane and
 * need no lock; everything that is said to need the GIL shares state that the
 * GIL protects.  Nothing here touches a Python object. */
#ifndef PT_INSIDE_PRODUCER_H
#define PT_INSIDE_PRODUCER_H

#include "record/proto.h"
#include <pt/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define PT_LIKELY(x) __builtin_expect(!!(x), 1)
#define PT_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A thread's place in its ring.  Lanes live in memory that a fork wipes, so
 * that in a child `limit` is 0 and the ordinary "no room" test leads to the
 * slow path, at no cost per event. */
struct pt_lane {
    uint64_t off;   /* bytes written since the slot was first used */
    uint64_t limit; /* end of the current segment, same count */
    char *bias;     /* ring address of offset 0 of this lap */
    uint64_t last;  /* quanta of the thread's latest stamp */
    struct pt_slot *slot;
    char *base;        /* the ring */
    uint32_t size;     /* of the ring */
    uint32_t taken;    /* this lane belongs to a thread */
    uint64_t dropped;  /* events lost since the last one written */
    uint32_t sink;     /* nothing is recorded any more for this thread */
    uint32_t unborn;   /* its begin record is still to be written */
    uint32_t stack;    /* number of the greenlets' stack that runs ... */
    uint32_t greenlet; /* ... and its greenlet */
    uint64_t birth;    /* no other lane of the process has or had this one */
    uint64_t told;     /* so many gaps of the process have told a stack when
                          this lane's latest did */
    char pad[32];
};
_Static_assert(sizeof(struct pt_lane) == 128, "two cache lines");

/* The process's connection; one per process, set up by pt_producer_start().
 * A forked child inherits it, and makes it its own by pt_producer_follow(). */
struct pt_producer {
    struct pt_arena
        *arena; /* in a child that cannot join, one that says stop */
    struct pt_bell *bell;
    uint64_t number;  /* of the process in the recording; until a child has
                         joined its parent's */
    pid_t pid;        /* who joined */
    uint32_t shrink;  /* of the arena */
    uint32_t events;  /* config.events */
    uint32_t stamped; /* config.stamped */
    uint32_t quantum_log2;
    uint32_t clock;
    uint32_t on_full;
    uint32_t flow;            /* config.flow */
    uint32_t once;            /* config.once */
    uint32_t values;          /* config.values */
    bool midway;              /* recording began in the middle of threads */
    uint32_t epoch;           /* changes when ids start anew */
    uint32_t known[PT_KNOWN]; /* the highest local ids that were committed */
};
#pragma GCC visibility push(hidden) /* found without a table */
extern struct pt_producer pt_producer;
extern _Thread_local struct pt_lane *pt_lane
    __attribute__((tls_model("initial-exec")));
#pragma GCC visibility pop

/* Called when a lane has to tell the stack, at a gap's end, after a fork, or
 * where it begins in the middle of a thread: writes PT_W_FRAME records with
 * pt_emit_frame().  `next` is the word kind of the record that follows, which
 * may itself be the start of the innermost frame, or of its instruction. */
typedef void pt_stack_teller(unsigned next);

/* What the recorder knows before it joins. */
struct pt_joining {
    const char *socket; /* the collector's name */
    int connection;     /* to the collector, taken over, or -1 */
    uint64_t parent;    /* the number of the process that started this one */
    uint32_t hexversion;
    const char *soabi;
    pt_stack_teller *teller;
};

/* Joins the recording and maps the arena.  Returns 0 or an errno value, with a
 * sentence in `why`.  Leaves no descriptor open. */
int pt_producer_start(const struct pt_joining *, char *why, size_t whylen);

/* In a forked child, where the arena is not mapped: joins, or, where that
 * fails, makes everything lead nowhere.  Once a process, with the GIL, before
 * its first definition or event; keeps errno. */
void pt_producer_follow(void);

/* The process is about to fork by calling `callee` (0: that call is not
 * recorded), which the child's stack then has on top. */
void pt_lanes_fork(uint32_t callee);

/* What the process is, for its own PT_M_PROCESS and those of its forked
 * children: the message's bytes behind the working directory. */
struct pt_def;
bool pt_producer_tell(const struct pt_def *words);

/* The process is about to start a program, also between vfork() and exec:
 * returns the number that the program has to name as its parent's. */
uint64_t pt_producer_starts(void);
/* The process, if it is the one that joined, ends by itself. */
void pt_producer_exits(int status);
/* It becomes another program, if that succeeds. */
void pt_producer_execs(void);

/* The lane to write `bytes` for a record of word kind `kind` into, when the
 * thread's own has no room, no slot, or is not of this process.  Never NULL. */
struct pt_lane *pt_lane_slow(unsigned bytes, unsigned kind);

/* Room for one PT_W_FRAME of a stack being told; false when the segment is
 * full.  Only within a pt_stack_teller. */
bool pt_emit_frame(uint32_t code, uint64_t key, uint32_t off, uint32_t left);
/* How many frames a stack teller may tell. */
uint32_t pt_frames_limit(void);

/* Tells that an unknown number of events went by unseen, and the stack as it
 * is now.  Needs the GIL. */
void pt_emit_gap(void);

/* Definitions ring, under the GIL: a message is begun, put together, and
 * committed before an event may name it.  pt_def_commit() waits for room, but
 * with on-full=drop; it returns false when the message was not sent: no room,
 * too long, or nobody there to take it. */
struct pt_def {
    char *data;
    size_t len, cap;
    bool failed; /* an allocation failed: the message is not sent */
};
void pt_def_begin(struct pt_def *, uint32_t type, uint32_t id);
void pt_def_u32(struct pt_def *, uint32_t);
void pt_def_u64(struct pt_def *, uint64_t);
void pt_def_bytes(struct pt_def *, const void *, size_t);
bool pt_def_commit(struct pt_def *);
/* Sends one sentence for the recording's summary. */
void pt_def_note(const char *sentence);

/* The counter that can be read without a call, where there is one. */
#if defined(__x86_64__)
#define PT_CLOCK_INLINE PT_CLOCK_TSC
static inline uint64_t
pt_counter(void)
{
    return __rdtsc();
}
#elif defined(__aarch64__)
#define PT_CLOCK_INLINE PT_CLOCK_CNTVCT
static inline uint64_t
pt_counter(void)
{
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
}
#else
#define PT_CLOCK_INLINE UINT32_MAX
static inline uint64_t
pt_counter(void)
{
    return 0;
}
#endif

static inline uint64_t
pt_ticks(void)
{
    if (PT_LIKELY(pt_producer.clock == PT_CLOCK_INLINE))
        return pt_counter();
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline uint64_t
pt_quanta(void)
{
    return pt_ticks() >> pt_producer.quantum_log2;
}

static inline uint32_t *
pt_lane_at(const struct pt_lane *l)
{
    return (uint32_t *)(void *)(l->bias + l->off);
}

enum { PT_AHEAD = 1024 };

/* Asks for the part of the ring that is written next: the collector's core has
 * read it a lap ago, and to take a line from there takes 100 ns and more, a
 * third of what hooks cost (spec/decisions.md).  It must be a prefetch for
 * writing, which GCC only makes of its builtin for newer processors; where it
 * is unknown it does nothing.  It may lie beyond the ring. */
static inline void
pt_lane_ahead(const uint32_t *w)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" ::"m"(((const char *)w)[PT_AHEAD]));
#else
    __builtin_prefetch((const char *)w + PT_AHEAD, 1);
#endif
}

static inline void
pt_lane_publish(struct pt_lane *l, unsigned bytes)
{
    l->off += bytes;
    atomic_store_explicit(&l->slot->head, l->off, memory_order_release);
}

/* Writes PT_W_TIME for a pause that 26 bits of quanta cannot hold. */
void pt_lane_time(struct pt_lane *l, uint64_t now);

enum { PT_TIME_BYTES = 12 };

/* A record by its kind and how many words follow its first.  It carries the
 * time in the first word's upper bits, or, PT_UNTIMED, `a` shifted there. */
#define PT_TIMED(kind, words) ((unsigned)(kind) | (words) << 8 | 1u << 16)
#define PT_UNTIMED(kind, words) ((unsigned)(kind) | (words) << 8)
enum { PT_RECORD_WORDS = 5 };

/* Appends a record whose kind and size are constants; false, and nothing is
 * written, when it needs pt_emit_slow(): no room, a long pause, or a clock that
 * is a call.  The room
 * asked for includes a PT_W_TIME that may have to precede it. */
static inline __attribute__((always_inline)) bool
pt_emit_fast(unsigned record, uint32_t a, uint32_t b, uint32_t c, uint32_t d,
             uint32_t e)
{
    struct pt_lane *l = pt_lane;
    const unsigned n = record >> 8 & 0xff, bytes = 4 + 4 * n;
    const bool timed = record >> 16;
    if (PT_UNLIKELY(l == NULL || l->off + bytes + PT_TIME_BYTES > l->limit))
        return false;
    uint64_t upper = timed ? 0 : n == 0 ? a : 0;
    if (timed) {
        if (PT_UNLIKELY(pt_producer.clock != PT_CLOCK_INLINE))
            return false;
        uint64_t now = pt_counter() >> pt_producer.quantum_log2;
        upper = now - l->last;
        if (PT_UNLIKELY(upper >= PT_DT_LIMIT))
            return false;
        l->last = now;
    }
    uint32_t *w = pt_lane_at(l);
    pt_lane_ahead(w);
    w[0] = (record & 0xff) | (uint32_t)upper << PT_WORD_KIND_BITS;
    if (n > 0)
        w[1] = a;
    if (n > 1)
        w[2] = b;
    if (n > 2)
        w[3] = c;
    if (n > 3)
        w[4] = d;
    if (n > 4)
        w[5] = e;
    pt_lane_publish(l, bytes);
    return true;
}

/* The same for any record in any state of the lane. */
void pt_emit_slow(unsigned record, uint32_t a, uint32_t b, uint32_t c,
                  uint32_t d, uint32_t e);

/* A value's record and its bytes. */
void pt_emit_value(uint32_t off, uint32_t dst, const void *data, uint32_t size);

#define pt_emit(record, a, b, c, d, e)                                         \
    do {                                                                       \
        if (!pt_emit_fast(record, a, b, c, d, e))                              \
            pt_emit_slow(record, a, b, c, d, e);                               \
    } while (0)

#endif
