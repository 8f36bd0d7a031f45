/* The recording's clock: which counter the hooks read, how long its ticks
 * are, and which ticks are time 0.
 *
 * The counter is the TSC (x86) where the kernel calls it constant and nonstop,
 * CNTVCT on aarch64, else CLOCK_MONOTONIC.  A rate needs two looks some time
 * apart, so the clock is started first and fixed later; until then only its
 * counter and its quantum are known.
 * Thread rule: plain data; read-only once fixed. */
#ifndef PT_RECORD_CLOCK_H
#define PT_RECORD_CLOCK_H

#include "record/proto.h"

#include <pt/log.h>

struct pt_timebase {
    struct pt_clock clock; /* complete once fixed */
    enum pt_clock_source source;
    uint32_t quantum_log2; /* ticks per quantum, as a shift */
    uint64_t ticks;        /* the first look: counter ... */
    int64_t raw;           /* ... and CLOCK_MONOTONIC_RAW, ns */
};

/* Chooses the counter and takes the first look; this moment is time 0. */
void pt_timebase_start(struct pt_timebase *);

/* Chooses the quantum: the largest power of two of ticks that lasts at most
 * `ns` nanoseconds, at least one tick.  Waits until 0.2 ms after the start. */
void pt_timebase_quantum(struct pt_timebase *, double ns);

/* Takes the second look, waiting until 5 ms after the start, and fixes the
 * rate for the whole trace. */
void pt_timebase_fix(struct pt_timebase *);

/* The counter, as the hooks read it. */
uint64_t pt_timebase_ticks(const struct pt_timebase *);

/* Nanoseconds of a count of quanta since the origin, of this moment.  Need a
 * fixed clock. */
int64_t pt_timebase_ns(const struct pt_timebase *, uint64_t quanta);
int64_t pt_timebase_now(const struct pt_timebase *);

/* Quanta between the counter's zero and the clock's origin. */
static inline uint64_t
pt_timebase_origin(const struct pt_timebase *base)
{
    return base->clock.origin >> base->quantum_log2;
}

#endif
