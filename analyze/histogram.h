/* Counts of times, log-linear: 32 buckets to each power of two, so that a
 * percentile is within 1.6 % of the truth.  Memory for a power of two is taken
 * when the first value falls there.  Thread rule: plain data. */
#ifndef PT_ANALYZE_HISTOGRAM_H
#define PT_ANALYZE_HISTOGRAM_H

#include <pt/status.h>

#include <stdbool.h>
#include <stdint.h>

enum { PT_HISTOGRAM_BITS = 5, PT_HISTOGRAM_GROUPS = 65 - PT_HISTOGRAM_BITS };

/* All zero is empty. */
struct pt_histogram {
    uint64_t *groups[PT_HISTOGRAM_GROUPS];
};

void pt_histogram_clear(struct pt_histogram *);
bool pt_histogram_grow(struct pt_histogram *, unsigned group);
/* Adds `from` to `into`; false without memory. */
bool pt_histogram_merge(struct pt_histogram *into,
                        const struct pt_histogram *from);
/* The value below which `share` (0 to 1) of `total` values lie. */
int64_t pt_histogram_percentile(const struct pt_histogram *, uint64_t total,
                                double share);

/* Group 0 is 0..31 one by one; group g > 0 holds 32 << (g - 1) and up. */
static inline bool
pt_histogram_add(struct pt_histogram *h, uint64_t value)
{
    unsigned top = 63u - (unsigned)__builtin_clzll(value | 1);
    unsigned group = top < PT_HISTOGRAM_BITS ? 0 : top - PT_HISTOGRAM_BITS + 1;
    unsigned shift = group ? group - 1 : 0;
    uint64_t *counts = h->groups[group];
    if (__builtin_expect(!counts, 0)) {
        if (!pt_histogram_grow(h, group))
            return false;
        counts = h->groups[group];
    }
    counts[value >> shift & ((1u << PT_HISTOGRAM_BITS) - 1)]++;
    return true;
}

#endif
