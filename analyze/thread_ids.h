/* The threads that a trace's events chunks name, defined or not: what keeps
 * something for each thread is indexed by their order here.
 * Thread rule: read-only once made. */
#ifndef PT_ANALYZE_THREAD_IDS_H
#define PT_ANALYZE_THREAD_IDS_H

#include <pt/reader.h>

struct pt_thread_ids {
    uint32_t *ids; /* ascending, each once */
    size_t n;
};

/* PT_ENOMEM. */
enum pt_status pt_thread_ids_init(struct pt_thread_ids *,
                                  const struct pt_trace *);
void pt_thread_ids_clear(struct pt_thread_ids *);
/* The index of the thread of one of the trace's events chunks. */
size_t pt_thread_ids_find(const struct pt_thread_ids *, uint32_t id);

#endif
