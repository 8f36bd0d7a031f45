/* Which part of a trace: a range, threads, processes, and the rules of
 * <pt/choice.h>, which leave of a recording what one with these rules would
 * have held.
 *
 * A frame that the rules leave out is opaque.  Its events, and those of the C
 * calls that it makes, are gone; what it calls stands on the nearest frame that
 * is left.  Events that are no frame's (threads, switches, gaps) stay.
 * Thread rule: a filter is read-only once made; a sieve is one thread's. */
#ifndef PT_FILTER_H
#define PT_FILTER_H

#include <pt/choice.h>
#include <pt/reader.h>

/* What the user asked for; strings are borrowed and NULL when not given. */
struct pt_filter_spec {
    const char *from, *to;      /* "SEQ", "SEQ+K", or a time: "1.5s", "20ms" */
    const char *const *threads; /* native id, "#ID" of the trace, or a glob */
    size_t nthreads;
    const char *const *processes; /* pid or "#ID" */
    size_t nprocesses;
    const struct pt_rule *rules; /* without faults; a source as
                                    pt_rule_source() gives it */
    size_t nrules;
};

/* A moment in the merged order. */
struct pt_moment {
    int64_t time;
    uint64_t seq;
};

static inline bool
pt_moment_before(int64_t t1, uint64_t s1, int64_t t2, uint64_t s2)
{
    return t1 < t2 || (t1 == t2 && s1 < s2);
}

/* Where --start-at lets a process begin. */
struct pt_start {
    struct pt_moment at; /* a logged event; of INT64_MAX, UINT64_MAX: never */
    uint64_t k;          /* so many instructions behind it; 0: with it */
    int64_t time;        /* of that place */
};

/* What the rules say of a code object. */
enum pt_filter_trait {
    PT_FILTER_KEEPS = 1, /* its frames are left, as far as it alone decides */
    PT_FILTER_OPENS = 2  /* it is one of --function */
};

struct pt_filter {
    struct pt_moment from, to; /* of logged events; both inclusive */
    uint64_t from_k;  /* from SEQ+K: `from` is the event behind SEQ, and of what
                         follows SEQ all is meant from here on; else 0 */
    uint64_t to_k;    /* of what follows event `to`, all up to here is meant */
    bool from_placed; /* `from` was given as SEQ or SEQ+K, not as a time */
    bool to_placed;
    bool ranged;      /* from or to is given */
    bool sieves;      /* some rule is given: events have to be sieved */
    bool opens;       /* ... --function */
    uint32_t depth;   /* ... --max-depth, or PT_DEPTH_LIMIT */
    uint8_t *threads; /* per thread id: 1 wanted */
    uint32_t nthreads;
    uint8_t *codes; /* per code id: enum pt_filter_trait; NULL: all are kept */
    uint32_t ncodes;
    struct pt_start *starts; /* per process id; NULL: from the beginning */
    uint32_t nstarts;
};

/* "1.5s", "20ms", "300us", "7ns", "2min", "1h" to ns; false, and *ns as it was,
 * where it is no time. */
bool pt_time_parse(const char *text, int64_t *ns);

/* Resolves `spec` against a trace; a position that is not there, or a name that
 * nothing bears, is PT_ENOTFOUND or PT_EUSAGE with a sentence in `error`. */
enum pt_status pt_filter_new(const struct pt_trace *,
                             const struct pt_filter_spec *,
                             struct pt_error *error, struct pt_filter **out);
void pt_filter_free(struct pt_filter *);
/* Whether some event of the chunk can pass (thread, range and start). */
bool pt_filter_chunk(const struct pt_filter *, const struct pt_chunk_info *);
/* The time from which on the chunk is wanted; not before its own. */
int64_t pt_filter_first(const struct pt_filter *, const struct pt_chunk_info *);

/* Whether the range holds a place in a thread: `k` instructions behind the
 * logged event `at`, or that event where it is 0.  `time` is what it is shown
 * with, by which a range given as times is told. */
bool pt_filter_place(const struct pt_filter *, struct pt_moment at, uint64_t k,
                     int64_t time);
/* Whether the process has begun by then, as --start-at has it. */
bool pt_filter_begun(const struct pt_filter *, uint32_t process,
                     struct pt_moment at, uint64_t k);

/* Whether frames of the code object are left, depth and --function aside. */
static inline bool
pt_filter_code(const struct pt_filter *f, uint32_t code)
{
    return !f->codes || (code < f->ncodes && f->codes[code] & PT_FILTER_KEEPS);
}

/* --- a chunk's events ----------------------------------------------------- */

struct pt_sieve;

/* For a filter that sieves, which is borrowed. */
enum pt_status pt_sieve_new(const struct pt_filter *, struct pt_sieve **out);
void pt_sieve_free(struct pt_sieve *);
/* The chunk as a recording with the filter's rules would have it: events that
 * they leave out have kind PT_KIND_NONE, so that the others keep their numbers,
 * and the stack is that of the frames left.  Where a frame that is left calls
 * one that is not, that event keeps the caller's offset: the next chunk's stack
 * knows it, too, and what ran until there has to be counted in this one.  Each
 * chunk is sieved by itself, in any order.  The result is borrowed until the
 * next call; ranges and threads are not looked at. */
enum pt_status pt_sieve_chunk(struct pt_sieve *, const struct pt_events *chunk,
                              struct pt_events *out);

#endif
