#include "format/model.h"

#include <string.h>

void
pt_model_clear(struct pt_model *m)
{
    pt_alloc_free(m->steps);
    m->steps = NULL;
    m->cap = 0;
}

/* A literal is a step and, at most, an entry. */
bool
pt_model_reserve(struct pt_model *m)
{
    return pt_alloc_room(&m->steps, &m->cap, m->nsteps + 2, sizeof *m->steps);
}

enum pt_status
pt_model_begin(struct pt_model *m, const struct pt_frame *stack, size_t depth)
{
    m->nsteps = 0;
    if (!pt_model_reserve(m))
        return PT_ENOMEM;
    m->steps[m->nsteps++] = (struct pt_step){.kind = 0};
    memset(m->frames, 0, sizeof m->frames);
    memset(m->keys, 0, sizeof m->keys);
    memset(m->slots, 0, sizeof m->slots);
    m->begun = 0;
    m->branches = 0;
    m->period = PT_MODEL_PERIOD;
    m->top = 0;
    for (size_t i = 0; i < depth; i++) {
        const struct pt_frame *f = &stack[i];
        if (f->callable)
            continue;
        m->top = (m->top + 1) % PT_MODEL_FRAMES;
        m->frames[m->top] =
            (struct pt_model_frame){.key = f->key, .code = f->id};
    }
    return PT_OK;
}

/* The number of the step that is `s`: a new one where there is none, or where
 * another has taken its slot. */
static uint32_t
intern(struct pt_model *m, const struct pt_step *s)
{
    const uint32_t parts[] = {s->id, s->pos, s->dst, s->context};
    uint32_t hash = s->kind;
    for (unsigned i = 0; i < 4; i++)
        hash = (hash ^ parts[i]) * 0x9e3779b1u;
    uint32_t *slot = &m->slots[hash >> (32 - PT_MODEL_SLOT_BITS)];
    if (*slot != 0 && pt_model_same(&m->steps[*slot], s) &&
        m->steps[*slot].context == s->context)
        return *slot;
    m->steps[m->nsteps] = *s;
    return *slot = m->nsteps++;
}

/* An event that names a line or an offset is the same from wherever it is
 * reached; others are part of the way that led to them. */
uint32_t
pt_model_learn(struct pt_model *m, const struct pt_step *literal)
{
    const struct pt_model_frame *f = &m->frames[m->top];
    struct pt_step s = *literal;
    bool named = (s.has & (PT_HAS(OFF) | PT_HAS(LINE))) != 0;
    s.context = named ? f->code : f->last;
    s.keyed = pt_model_keyed(s.kind, s.has);
    uint32_t known = m->nsteps;
    uint32_t number = intern(m, &s);
    if (number == known && pt_kind_enters(s.kind)) {
        const struct pt_step entry = {.id = s.id, .dst = s.dst};
        uint32_t begins = intern(m, &entry);
        m->steps[number].entry = begins;
    }
    struct pt_step *at = &m->steps[f->last];
    unsigned rank = 0;
    while (rank < PT_MODEL_WAYS - 1 && at->next[rank] != number)
        rank++;
    pt_model_promote(at, rank, number);
    return number;
}
