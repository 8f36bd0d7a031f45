#include "analyze/histogram.h"

#include <stdlib.h>

enum { BUCKETS = 1 << PT_HISTOGRAM_BITS };

void
pt_histogram_clear(struct pt_histogram *h)
{
    for (unsigned g = 0; g < PT_HISTOGRAM_GROUPS; g++) {
        free(h->groups[g]);
        h->groups[g] = NULL;
    }
}

bool
pt_histogram_grow(struct pt_histogram *h, unsigned group)
{
    h->groups[group] = calloc(BUCKETS, sizeof *h->groups[group]);
    return h->groups[group] != NULL;
}

bool
pt_histogram_merge(struct pt_histogram *into, const struct pt_histogram *from)
{
    for (unsigned g = 0; g < PT_HISTOGRAM_GROUPS; g++) {
        if (!from->groups[g])
            continue;
        if (!into->groups[g] && !pt_histogram_grow(into, g))
            return false;
        for (unsigned i = 0; i < BUCKETS; i++)
            into->groups[g][i] += from->groups[g][i];
    }
    return true;
}

int64_t
pt_histogram_percentile(const struct pt_histogram *h, uint64_t total,
                        double share)
{
    /* Nearest rank: the smallest value that `share` of all do not exceed. */
    uint64_t rank = (uint64_t)(share * (double)total), seen = 0;
    if ((double)rank < share * (double)total || rank == 0)
        rank++;
    for (unsigned g = 0; g < PT_HISTOGRAM_GROUPS; g++) {
        if (!h->groups[g])
            continue;
        for (unsigned i = 0; i < BUCKETS; i++) {
            seen += h->groups[g][i];
            if (seen < rank)
                continue;
            if (g == 0)
                return i;
            uint64_t low = (uint64_t)(BUCKETS + i) << (g - 1);
            uint64_t width = UINT64_C(1) << (g - 1);
            return (int64_t)(low + (width - 1) / 2);
        }
    }
    return 0;
}
