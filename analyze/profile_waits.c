/* Suspended frames by key, in a table that never outgrows WAITS_MOST slots.
 * A key may stand in any of the PROBE slots from its place on; where all are
 * taken the table doubles, and at its limit the oldest entry gives way. */
#include "analyze/profile_fold.h"

#include <stdlib.h>

enum { WAITS_LEAST = 1 << 10, WAITS_MOST = 1 << 20, PROBE = 8 };

struct wait {
    uint64_t key; /* 0: free */
    int64_t time;
    bool resumed; /* the resume came first, out of another thread */
};

struct pt_profile_waits {
    struct wait *slots;
    size_t size; /* a power of two, and PROBE - 1 slots more */
};

static struct wait *
place(const struct pt_profile_waits *w, uint64_t key)
{
    return &w->slots[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 32 &
                     (w->size - 1)];
}

static struct wait *
find(const struct pt_profile_waits *w, uint64_t key)
{
    struct wait *slot = place(w, key);
    for (unsigned i = 0; i < PROBE; i++)
        if (slot[i].key == key)
            return &slot[i];
    return NULL;
}

static void put(struct pt_profile_waits *w, struct wait wait);

static bool
grow(struct pt_profile_waits *w)
{
    struct pt_profile_waits old = *w;
    if (w->size >= WAITS_MOST)
        return false;
    struct wait *slots = calloc(2 * w->size + PROBE, sizeof *slots);
    if (!slots)
        return false;
    w->slots = slots;
    w->size = 2 * old.size;
    for (size_t i = 0; i < old.size + PROBE; i++)
        if (old.slots[i].key)
            put(w, old.slots[i]);
    free(old.slots);
    return true;
}

static void
put(struct pt_profile_waits *w, struct wait wait)
{
    struct wait *slot = place(w, wait.key), *oldest = slot;
    for (unsigned i = 0; i < PROBE; i++) {
        if (slot[i].key == 0) {
            slot[i] = wait;
            return;
        }
        if (slot[i].time < oldest->time)
            oldest = &slot[i];
    }
    if (grow(w))
        put(w, wait);
    else
        *oldest = wait;
}

enum pt_status
pt_profile_waits_new(struct pt_profile_waits **out)
{
    struct pt_profile_waits *w = malloc(sizeof *w);
    if (!w)
        return PT_ENOMEM;
    w->size = WAITS_LEAST;
    w->slots = calloc(w->size + PROBE, sizeof *w->slots);
    if (!w->slots) {
        free(w);
        return PT_ENOMEM;
    }
    *out = w;
    return PT_OK;
}

void
pt_profile_waits_free(struct pt_profile_waits *w)
{
    if (!w)
        return;
    free(w->slots);
    free(w);
}

uint64_t
pt_profile_waits_suspend(struct pt_profile_waits *w, uint64_t key, int64_t time)
{
    struct wait *slot = find(w, key);
    uint64_t waited = 0;
    if (!slot) {
        put(w, (struct wait){key, time, false});
        return 0;
    }
    if (slot->resumed && slot->time >= time) {
        waited = (uint64_t)slot->time - (uint64_t)time;
        slot->key = 0;
    } else
        *slot = (struct wait){key, time, false};
    return waited;
}

uint64_t
pt_profile_waits_resume(struct pt_profile_waits *w, uint64_t key, int64_t time)
{
    struct wait *slot = find(w, key);
    if (!slot || slot->resumed) {
        if (slot)
            slot->time = time;
        else
            put(w, (struct wait){key, time, true});
        return 0;
    }
    slot->key = 0;
    return time > slot->time ? (uint64_t)time - (uint64_t)slot->time : 0;
}
