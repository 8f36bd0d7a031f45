/* From the words of an event ring to a lane's block of events and its stack:
 * what drain.c, decode.c and mend.c share.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_DECODE_H
#define PT_RECORD_DECODE_H

#include "record/defs.h"
#include "record/lane.h"
#include "record/proto.h"

enum { WORD_KIND = (1 << PT_WORD_KIND_BITS) - 1 };

/* A record's length in words, by enum pt_word. */
extern const uint8_t pt_record_words[PT_W_LIMIT];

/* What a decoding run needs, and where it stands. */
struct run {
    const uint32_t *p; /* next word, in shared memory */
    uint32_t avail;    /* words up to the segment's or head's end */
    bool padded;       /* the rest of the segment is padding */
    uint32_t word;     /* of a record that does not fit the stack: word 0 ... */
    uint32_t code;     /* ... and its code, not to be read again */
    const struct pt_defs *defs;
    struct pt_lane *own;  /* the slot's */
    struct pt_lane *lane; /* of the stack that runs */
    struct pt_journal *journal;
    struct pt_error *error;
};

/* Relaxed and atomic, so that a value that was checked is the one used. */
static inline uint32_t
word(const uint32_t *p, unsigned i)
{
    return __atomic_load_n(p + i, __ATOMIC_RELAXED);
}

static inline uint64_t
two_words(const uint32_t *p, unsigned i)
{
    return word(p, i) | (uint64_t)word(p, i + 1) << 32;
}

/* The protocol was broken: PT_EDAMAGED with a sentence. */
enum pt_status pt_run_broken(struct run *, const char *what, uint32_t value);
enum pt_status pt_run_too_deep(struct run *);

/* Decodes events until the run's words or the block's room are used up, or a
 * record comes that is for others (PT_END, *control): a control record, or one
 * of a frame that is not the stack's top, then also in run->word and ->code. */
enum pt_status pt_decode_events(struct run *, uint32_t *control);

/* Such a record of another frame: implied events first, then its own. */
enum pt_status pt_mend(struct run *);

#endif
