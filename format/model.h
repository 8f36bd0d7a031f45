/* The model by which both sides of the log predict a chunk's events: the
 * thread's stack, and for every step of a frame the steps that came next.
 *
 *   begin    the keyframe's frames, of whose steps nothing is known
 *   look     steps[last].next are the steps that came next, the latest first
 *   promote  one of them happens again: it is now the latest
 *   learn    ... or another does: a literal
 *   advance  either way, the stack follows
 *
 * It is part of the format, down to the hash: spec/format.md, section 6.6.
 * What it cannot follow costs size, never truth: tables are small and direct,
 * the stack forgets its outermost frames.
 * Thread rule: a model belongs to one thread. */
#ifndef PT_FORMAT_MODEL_H
#define PT_FORMAT_MODEL_H

#include "format/alloc.h"

#include <pt/log.h>

enum {
    PT_MODEL_WAYS = 8,      /* next steps that a step remembers */
    PT_MODEL_FRAMES = 1024, /* innermost frames that are followed */
    PT_MODEL_SLOT_BITS = 12,
    PT_MODEL_KEY_SLOTS = 64,
    PT_MODEL_KEY_DEPTH = 8, /* suspended frames that a code remembers */
    PT_MODEL_PERIOD = 32    /* see `period`, until a chunk shows another */
};

/* An event without what is predicted on its own, the time and the frame's key;
 * and what came next in its frame. */
struct pt_step {
    uint32_t next[PT_MODEL_WAYS]; /* the latest first; 0 none */
    uint64_t arg;
    uint32_t id, pos, dst;
    uint32_t context; /* what makes it another than its equals elsewhere */
    uint32_t entry;   /* the step that a frame it enters begins with */
    uint8_t kind;     /* 0: an entry, which is no event */
    uint8_t has;      /* of a branch without PT_HAS(TIME) */
    bool keyed;
};

struct pt_model_frame {
    uint64_t key;
    uint32_t last; /* step */
    uint32_t code;
};

/* The frames of a code object that are suspended and go on. */
struct pt_model_keys {
    uint64_t suspended[PT_MODEL_KEY_DEPTH]; /* a ring */
    uint64_t last;                          /* that went on */
    uint64_t stride; /* how far it was from the one before */
    uint32_t top;
};

struct pt_model {
    struct pt_step *steps; /* [0] stands for one that is not known */
    size_t cap;
    uint32_t nsteps;
    uint32_t top;      /* in `frames` */
    uint64_t begun;    /* key of the last frame that began with one */
    uint32_t branches; /* since the last one with a time */
    uint32_t period;   /* how many there were between the last two */
    struct pt_model_frame frames[PT_MODEL_FRAMES]; /* a ring */
    struct pt_model_keys keys[PT_MODEL_KEY_SLOTS]; /* by code */
    uint32_t slots[1 << PT_MODEL_SLOT_BITS];       /* the last step by hash */
};

/* Starts a chunk; a model is zeroed before its first.  PT_ENOMEM. */
enum pt_status pt_model_begin(struct pt_model *, const struct pt_frame *stack,
                              size_t depth);
void pt_model_clear(struct pt_model *);

/* Makes room for one literal; false without memory. */
bool pt_model_reserve(struct pt_model *);

/* The number of a literal's step, which is now the latest after the frame's
 * last.  Only after pt_model_reserve(). */
uint32_t pt_model_learn(struct pt_model *, const struct pt_step *literal);

/* True for an event whose `arg` is a frame's key. */
static inline bool
pt_model_keyed(uint8_t kind, uint8_t has)
{
    return (has & PT_HAS(ARG)) != 0 && pt_kind_enters(kind);
}

/* True when two events are the same but for the time and the key. */
static inline bool
pt_model_same(const struct pt_step *a, const struct pt_step *b)
{
    return ((a->id ^ b->id) | (a->pos ^ b->pos) | (a->dst ^ b->dst)) == 0 &&
           a->arg == b->arg && a->kind == b->kind && a->has == b->has;
}

/* Makes step `k` the latest after `at`; `rank` is the one it had, or the
 * greatest. */
static inline void
pt_model_promote(struct pt_step *at, unsigned rank, uint32_t k)
{
    for (; rank > 0; rank--)
        at->next[rank] = at->next[rank - 1];
    at->next[0] = k;
}

/* The key of a frame that `s` enters.  One that begins has the next number;
 * one that goes on is, by the first rule, the last of its code that was
 * suspended, and by the second as far from the one before as that was from its
 * own: tasks that take turns. */
static inline uint64_t
pt_model_key(const struct pt_model *m, const struct pt_step *s, unsigned rule)
{
    if (s->kind == PT_CALL)
        return m->begun + 1;
    const struct pt_model_keys *k = &m->keys[s->id % PT_MODEL_KEY_SLOTS];
    return rule == 0 ? k->suspended[k->top % PT_MODEL_KEY_DEPTH]
                     : k->last + k->stride;
}

/* True when the next branch should have a time. */
static inline bool
pt_model_stamp_due(const struct pt_model *m)
{
    return m->branches + 1 == m->period;
}

static inline void
pt_model_note_key(struct pt_model *m, const struct pt_step *s, uint64_t key)
{
    if (s->kind == PT_CALL) {
        m->begun = key;
        return;
    }
    struct pt_model_keys *k = &m->keys[s->id % PT_MODEL_KEY_SLOTS];
    if (k->suspended[k->top % PT_MODEL_KEY_DEPTH] == key)
        k->top--;
    k->stride = key - k->last;
    k->last = key;
}

static inline void
pt_model_note_branch(struct pt_model *m, bool stamped)
{
    m->branches++;
    if (stamped) {
        m->period = m->branches;
        m->branches = 0;
    }
}

/* Step `k` happens. */
static inline __attribute__((always_inline)) void
pt_model_advance(struct pt_model *m, uint32_t k, uint64_t key, bool stamped)
{
    const struct pt_step *s = &m->steps[k];
    struct pt_model_frame *f = &m->frames[m->top];
    if (pt_kind_enters(s->kind)) {
        f->last = k;
        if (s->keyed)
            pt_model_note_key(m, s, key);
        m->top = (m->top + 1) % PT_MODEL_FRAMES;
        m->frames[m->top] = (struct pt_model_frame){key, s->entry, s->id};
    } else if (pt_kind_leaves(s->kind)) {
        if (s->kind == PT_YIELD) {
            struct pt_model_keys *own = &m->keys[f->code % PT_MODEL_KEY_SLOTS];
            own->suspended[++own->top % PT_MODEL_KEY_DEPTH] = f->key;
        }
        m->top = (m->top - 1) % PT_MODEL_FRAMES;
    } else {
        f->last = k;
        if (s->kind == PT_BRANCH)
            pt_model_note_branch(m, stamped);
    }
}

#endif
