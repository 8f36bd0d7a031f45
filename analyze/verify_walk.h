/* verify's second half: walks every thread, and where the trace also holds
 * instructions or lines as they were told, compares them one by one.
 * Thread rule: one thread. */
#ifndef PT_ANALYZE_VERIFY_WALK_H
#define PT_ANALYZE_VERIFY_WALK_H

#include "analyze/json.h"
#include "analyze/pass.h"
#include "analyze/thread_ids.h"
#include "analyze/analyzer.h"

struct pt_walk_check {
    uint64_t instructions, lines; /* reconstructed */
    uint64_t compared;            /* recorded ones that were compared */
    uint64_t differing;           /* places where the two part */
    uint64_t skipped;             /* recorded ones that could not be compared */
    uint64_t desyncs;
    /* its own */
    struct pt_session *session;
    struct pt_graph_cache *graphs;
    const struct pt_thread_ids *ids;
    struct pt_walk_thread *threads; /* in their order */
    uint32_t kinds; /* bits of _LINE and _INSTRUCTION that are recorded */
    bool text;
};

/* Makes the check and its fold; findings are printed as they come where `text`
 * is set.  `ids` are borrowed.  PT_ENOMEM: then it is to be cleared too. */
enum pt_status pt_walk_check_init(struct pt_walk_check *, struct pt_session *,
                                  const struct pt_thread_ids *ids, bool text,
                                  struct pt_fold *fold);
void pt_walk_check_clear(struct pt_walk_check *);
/* One line of text, or one member "flow" of the open object. */
void pt_walk_check_text(const struct pt_walk_check *);
void pt_walk_check_json(const struct pt_walk_check *, struct pt_json *);

#endif
