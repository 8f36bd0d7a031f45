#include "analyze/thread_ids.h"

#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

enum pt_status
pt_thread_ids_init(struct pt_thread_ids *t, const struct pt_trace *trace)
{
    size_t chunks = pt_trace_chunk_count(trace), n = 0;
    t->n = 0;
    t->ids = malloc((chunks + 1) * sizeof *t->ids);
    if (!t->ids)
        return PT_ENOMEM;
    for (size_t i = 0; i < chunks; i++)
        if (pt_trace_chunk(trace, i)->type == PT_CHUNK_EVENTS)
            t->ids[n++] = pt_trace_chunk(trace, i)->thread;
    qsort(t->ids, n, sizeof *t->ids, by_value);
    for (size_t i = 0; i < n; i++)
        if (t->n == 0 || t->ids[t->n - 1] != t->ids[i])
            t->ids[t->n++] = t->ids[i];
    return PT_OK;
}

void
pt_thread_ids_clear(struct pt_thread_ids *t)
{
    free(t->ids);
    *t = (struct pt_thread_ids){NULL, 0};
}

size_t
pt_thread_ids_find(const struct pt_thread_ids *t, uint32_t id)
{
    size_t low = 0, high = t->n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (t->ids[mid] <= id)
            low = mid;
        else
            high = mid;
    }
    return low;
}
