/* Keys live in an open-addressed table from frame address to key.  An entry
 * whose frame has ended stays until the address starts another one, so the
 * table is bounded by the addresses ever used and needs no deletion. */
#include "frames.h"
#include "objects.h"

#include <stdlib.h>

struct entry {
    const pt_pyframe *frame;
    uint64_t key;
};

static struct {
    struct entry *table;
    size_t mask, used;
    uint64_t last; /* key given */
} keys;

static size_t
hash(const pt_pyframe *f)
{
    return (size_t)(((uintptr_t)f >> 4) * 0x9E3779B97F4A7C15u >> 24);
}

static struct entry *
lookup(const pt_pyframe *f)
{
    size_t h = hash(f);
    while (keys.table[h & keys.mask].frame != NULL &&
           keys.table[h & keys.mask].frame != f)
        h++;
    return &keys.table[h & keys.mask];
}

static bool
grow(void)
{
    size_t mask = keys.mask != 0 ? keys.mask * 2 + 1 : 1023;
    struct entry *old = keys.table, *t = calloc(mask + 1, sizeof *t);
    size_t n = keys.mask;
    if (t == NULL)
        return false;
    keys.table = t;
    keys.mask = mask;
    for (size_t i = 0; old != NULL && i <= n; i++)
        if (old[i].frame != NULL)
            *lookup(old[i].frame) = old[i];
    free(old);
    return true;
}

uint64_t
pt_key_new(const pt_pyframe *f)
{
    if (keys.used * 2 >= keys.mask && !grow() &&
        (keys.table == NULL || keys.used >= keys.mask))
        return 0;
    struct entry *e = lookup(f);
    keys.used += e->frame == NULL;
    e->frame = f;
    e->key = ++keys.last;
    return e->key;
}

uint64_t
pt_key_find(const pt_pyframe *f)
{
    if (keys.table != NULL) {
        const struct entry *e = lookup(f);
        if (e->frame == f)
            return e->key;
    }
    return pt_key_new(f);
}

void
pt_frames_tell(bool entering)
{
    PyThreadState *tstate = pt_compat_tstate();
    if (tstate == NULL)
        return;
    const pt_pyframe *top = pt_compat_current(tstate);
    while (top != NULL && !pt_compat_frame_real(top))
        top = top->previous;
    if (entering && top != NULL)
        top = top->previous;

    /* Ids first: a definition may have to be sent, and room for the frames
     * must not be taken meanwhile.  What is too deep loses its outermost. */
    uint32_t n = 0, limit = pt_frames_limit();
    for (const pt_pyframe *f = top; f != NULL; f = f->previous)
        if (pt_compat_frame_real(f) && n < limit)
            n++;
    const pt_pyframe **stack = malloc((n + 1) * sizeof *stack);
    if (stack == NULL)
        return;
    uint32_t i = n;
    for (const pt_pyframe *f = top; f != NULL && i > 0; f = f->previous)
        if (pt_compat_frame_real(f))
            stack[--i] = f;
    for (i = 0; i < n; i++)
        pt_code_id(pt_compat_frame_code(stack[i]));
    for (i = 0; i < n; i++) {
        const pt_pyframe *f = stack[i];
        uint64_t key = pt_compat_frame_generator(f) ? pt_key_find(f) : 0;
        if (!pt_emit_frame(pt_code_id(pt_compat_frame_code(f)), key,
                           pt_compat_frame_off(f), n - 1 - i))
            break;
    }
    free(stack);
}
