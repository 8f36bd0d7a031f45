#include "record/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { LOOKS = 16, QUANTUM_AFTER = 200000, FIX_AFTER = 5000000 };

static int64_t
now_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t
pt_timebase_ticks(const struct pt_timebase *base)
{
#if defined(__x86_64__)
    if (base->source == PT_CLOCK_TSC)
        return __rdtsc();
#elif defined(__aarch64__)
    if (base->source == PT_CLOCK_CNTVCT) {
        uint64_t t;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
        return t;
    }
#endif
    return (uint64_t)now_ns(CLOCK_MONOTONIC);
}

#if defined(__x86_64__)
static size_t
read_start(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    if (fd >= 0) {
        ssize_t k = read(fd, out, size - 1);
        n = k > 0 ? (size_t)k : 0;
        close(fd);
    }
    out[n] = '\0';
    return n;
}

/* The flags say what the processor promises; the clock source says whether
 * the kernel found the promise kept.  Guests name their own source, which is
 * the TSC scaled. */
static bool
tsc_usable(void)
{
    static const char *const good[] = {"tsc", "kvm-clock",
                                       "hyperv_clocksource_tsc_page"};
    char text[8192];
    read_start("/proc/cpuinfo", text, sizeof text);
    char *end = strstr(text, "\n\n");
    if (end != NULL)
        *end = '\0';
    if (strstr(text, " constant_tsc") == NULL ||
        strstr(text, " nonstop_tsc") == NULL)
        return false;
    if (read_start("/sys/devices/system/clocksource/clocksource0/"
                   "current_clocksource",
                   text, sizeof text) == 0)
        return true;
    text[strcspn(text, "\n")] = '\0';
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (strcmp(text, good[i]) == 0)
            return true;
    }
    return false;
}
#endif

/* The tightest of several looks: an interrupt between the two clocks would
 * spoil the rate. */
static void
look(const struct pt_timebase *base, uint64_t *ticks, int64_t *raw)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < LOOKS; i++) {
        uint64_t before = pt_timebase_ticks(base);
        int64_t r = now_ns(CLOCK_MONOTONIC_RAW);
        uint64_t after = pt_timebase_ticks(base);
        if (after - before < best) {
            best = after - before;
            *ticks = before + (after - before) / 2;
            *raw = r;
        }
    }
}

void
pt_timebase_start(struct pt_timebase *base)
{
    *base = (struct pt_timebase){0};
    const char *name = "monotonic";
#if defined(__x86_64__)
    if (tsc_usable()) {
        base->source = PT_CLOCK_TSC;
        name = "tsc";
    }
#elif defined(__aarch64__)
    base->source = PT_CLOCK_CNTVCT;
    name = "cntvct";
#endif
    snprintf(base->clock.source, sizeof base->clock.source, "%s", name);
    look(base, &base->ticks, &base->raw);
    base->clock.unix_ns = now_ns(CLOCK_REALTIME);
    base->clock.origin = base->ticks;
    base->clock.quantum = 1;
}

static void
wait_until(const struct pt_timebase *base, int64_t after)
{
    int64_t left;
    while ((left = base->raw + after - now_ns(CLOCK_MONOTONIC_RAW)) > 0) {
        struct timespec t = {0, left};
        nanosleep(&t, NULL);
    }
}

/* Nanoseconds a tick, from the first look until now. */
static double
rate(const struct pt_timebase *base)
{
#if defined(__aarch64__)
    uint64_t hz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    if (hz > 0)
        return 1e9 / (double)hz;
#endif
    if (base->source == PT_CLOCK_MONOTONIC)
        return 1;
    uint64_t ticks = 0;
    int64_t raw = 0;
    look(base, &ticks, &raw);
    if (ticks <= base->ticks || raw <= base->raw)
        return 1;
    return (double)(raw - base->raw) / (double)(ticks - base->ticks);
}

void
pt_timebase_quantum(struct pt_timebase *base, double ns)
{
    if (base->source == PT_CLOCK_TSC)
        wait_until(base, QUANTUM_AFTER);
    double tick = rate(base);
    uint32_t log2 = 0;
    while (log2 < 24 && tick * (double)(2u << log2) <= ns)
        log2++;
    base->quantum_log2 = log2;
    base->clock.quantum = 1u << log2;
    base->clock.origin = base->ticks >> log2 << log2;
}

void
pt_timebase_fix(struct pt_timebase *base)
{
    if (base->source == PT_CLOCK_MONOTONIC) {
        base->clock.mult = 1;
        base->clock.shift = 0;
        return;
    }
    wait_until(base, FIX_AFTER);
    base->clock.shift = 44;
    base->clock.mult =
        (uint64_t)(rate(base) * (double)(1ull << base->clock.shift) + 0.5);
}

static int64_t
ticks_to_ns(const struct pt_clock *c, uint64_t ticks)
{
    return (int64_t)(((unsigned __int128)ticks * c->mult) >> c->shift);
}

int64_t
pt_timebase_ns(const struct pt_timebase *base, uint64_t quanta)
{
    return ticks_to_ns(&base->clock, quanta << base->quantum_log2);
}

int64_t
pt_timebase_now(const struct pt_timebase *base)
{
    return ticks_to_ns(&base->clock,
                       pt_timebase_ticks(base) - base->clock.origin);
}
