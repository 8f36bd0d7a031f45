/* The inside of a history: its threads' chunks, the cache of pages, and where
 * each thread stands.
 *
 * A thread is a row of slots (history_page.h): those of its first chunk that
 * can be read, then those of the next.  Each slot has a moment, and moments
 * never go back within a thread, so that the merged order is that of the
 * moments, forwards and backwards.  A slot 0 has the moment of what comes
 * before its chunk, which the directory tells.  Each thread stands at its last
 * slot that is not later than the current one.
 * Thread rule: as <pt/history.h>. */
#ifndef PT_REPLAY_HISTORY_H
#define PT_REPLAY_HISTORY_H

#include "replay/history_page.h"

#define PT_NO_SLOT UINT32_MAX /* before a thread's first */

struct pt_history_chunk {
    size_t index;      /* in the trace */
    int64_t floor;     /* nothing before it in its thread is later */
    bool counted, bad; /* its trouble is; it cannot be read */
};

struct pt_slot {
    size_t chunk;  /* in history.chunks */
    uint32_t slot; /* _NO_SLOT: before the first of that chunk */
};

/* A slot and its moment, or a bound of it. */
struct pt_stand {
    struct pt_slot at;
    struct pt_moment moment;
    bool none;  /* there is no such slot */
    bool exact; /* else `moment` is no later than the slot's */
};

struct pt_history_track {
    uint32_t thread, process;
    size_t first, end; /* its chunks */
    bool resolved;     /* the others are those of the current moment */
    struct pt_stand at, next;
};

struct pt_history_cached {
    struct pt_page *page;
    size_t newer, older; /* chunks, in the order of use */
};

enum pt_history_state { PT_HISTORY_BEFORE, PT_HISTORY_AT, PT_HISTORY_BEHIND };

struct pt_history {
    const struct pt_trace *trace;
    struct pt_page_maker maker;
    struct pt_history_chunk *chunks; /* by thread, then seq */
    size_t nchunks;
    struct pt_history_track *tracks;
    size_t ntracks;
    struct pt_history_cached *cache; /* by chunk; the last one is the ring's
                                        head: newest .newer, oldest .older */
    uint64_t cached, budget;         /* bytes */
    enum pt_history_state state;
    struct pt_moment moment;        /* of the current slot */
    struct pt_history_track *track; /* the current slot's; AT only */
    uint64_t item;                  /* in that slot */
    bool ahead_known, behind_known;
    struct pt_history_track *ahead, *behind; /* the other threads' best */
    struct pt_trouble trouble;
    struct pt_event event; /* the caller's */
};

static inline bool
pt_earlier(struct pt_moment a, struct pt_moment b)
{
    return pt_moment_before(a.time, a.seq, b.time, b.seq);
}

/* --- history_cache.c -------------------------------------------------------
 */

enum pt_status pt_history_cache_init(struct pt_history *);
void pt_history_cache_clear(struct pt_history *);
/* The page of a chunk, until the next call; with its stacks where `walked`.
 * PT_EDAMAGED where it cannot be read, which is then known of the chunk. */
enum pt_status pt_history_page(struct pt_history *, size_t chunk, bool walked,
                               struct pt_page **out);

/* --- history_track.c -------------------------------------------------------
 */

const struct pt_chunk_info *pt_history_info(const struct pt_history *,
                                            size_t chunk);
/* The moment of slot 0 of a chunk, and of its last slot. */
struct pt_moment pt_history_opens(const struct pt_history *,
                                  const struct pt_history_track *,
                                  size_t chunk);
struct pt_moment pt_history_closes(const struct pt_history *, size_t chunk);
/* The moment of a slot; reads its chunk if it must. */
enum pt_status pt_history_moment(struct pt_history *,
                                 const struct pt_history_track *,
                                 struct pt_slot, struct pt_moment *out);
/* The slots behind and before one, in its thread. */
void pt_track_after(struct pt_history *, const struct pt_history_track *,
                    struct pt_slot, struct pt_stand *out);
void pt_track_before(struct pt_history *, const struct pt_history_track *,
                     struct pt_slot, struct pt_stand *out);
/* Makes a thread's next, or present, slot exact and its chunk readable; where
 * the chunk turns out to be bad, it becomes the one behind, or before. */
enum pt_status pt_track_settle(struct pt_history *, struct pt_history_track *,
                               struct pt_stand *, bool forward);
/* A thread's last slot that is not later than `moment`. */
enum pt_status pt_track_resolve(struct pt_history *, struct pt_history_track *,
                                struct pt_moment);

/* --- history.c -------------------------------------------------------------
 */

/* Before a thread's first slot. */
void pt_track_rewind(struct pt_history *, struct pt_history_track *);
/* The current slot becomes one of `track`; the other threads are found when
 * they are asked for. */
void pt_history_place(struct pt_history *, struct pt_history_track *,
                      struct pt_slot, struct pt_moment, uint64_t item);
/* Each thread stands as it must. */
enum pt_status pt_history_resolve(struct pt_history *);

#endif
