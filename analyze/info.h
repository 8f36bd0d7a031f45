/* What a trace's directory and definitions say, gathered for both reports. */
#ifndef PT_ANALYZE_INFO_H
#define PT_ANALYZE_INFO_H

#include "analyze/analyzer.h"

struct pt_info_thread {
    uint64_t events;
    int64_t first, last; /* ns; last < first: no events */
};

struct pt_info {
    uint64_t events, gaps, lost, unknown_gaps;
    uint64_t kinds[PT_KIND_LIMIT];
    uint64_t chunks, event_chunks;
    uint64_t event_bytes, definition_bytes, syntax_bytes, value_bytes,
        other_bytes;
    int64_t first, last;
    struct pt_info_thread *threads; /* by thread id */
};

/* From the first event to the last; hostile times wrap around. */
static inline int64_t
pt_info_duration(const struct pt_info *info)
{
    return (int64_t)((uint64_t)info->last - (uint64_t)info->first);
}

void pt_info_text(struct pt_session *, const struct pt_info *);
/* Each process below the one that started it. */
enum pt_status pt_info_tree(struct pt_session *, const struct pt_info *);
/* The source files, and which have syntax, in either format. */
enum pt_status pt_info_sources(struct pt_session *);
void pt_info_json(struct pt_session *, const struct pt_info *);

/* "exit", "signal", "exec", "gone", "unknown". */
const char *pt_info_ending(const struct pt_process_end *);

/* Command words, as a shell takes them. */
void pt_info_words(struct pt_out *, const struct pt_str *words, size_t n);

#endif
