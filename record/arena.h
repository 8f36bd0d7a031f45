/* The collector's end of the shared memory: making, sealing and touching an
 * arena, the bell page, and the tether.
 *
 * The collector makes them, not the program, because sizing a memfd obeys the
 * program's limits and can kill it.
 * Thread rule: an arena belongs to the thread that made it, which holds its
 * `alive` mutex until pt_arena_map_clear(). */
#ifndef PT_RECORD_ARENA_H
#define PT_RECORD_ARENA_H

#include "record/proto.h"

#include <pt/status.h>

#include <stdbool.h>

struct pt_arena_map {
    struct pt_arena *arena; /* NULL when there is none */
    uint64_t size;
    uint32_t shrink; /* of the rings */
    int fd;          /* -1 once it was handed over */
};

/* Makes an arena that says `config`, with rings of that size, holds its mutex,
 * and has touched the little of it that every process uses. */
enum pt_status pt_arena_map_init(struct pt_arena_map *,
                                 const struct pt_config *config,
                                 uint32_t shrink, struct pt_error *error);
/* Touches also the first event ring, and what most programs need for their
 * definitions: a millisecond, while nobody waits. */
void pt_arena_map_touch(struct pt_arena_map *);
/* Closes the descriptor: the process has its own. */
void pt_arena_map_handed(struct pt_arena_map *);
/* Tells the producers that the collector is gone, and unmaps. */
void pt_arena_map_clear(struct pt_arena_map *);

static inline struct pt_slot *
pt_arena_slot(const struct pt_arena_map *map, uint32_t i)
{
    return (struct pt_slot *)((char *)map->arena + PT_SLOTS_AT) + i;
}

/* The words of slot `i`'s ring, and the ring's size in bytes. */
static inline const uint32_t *
pt_arena_ring(const struct pt_arena_map *map, uint32_t i, uint32_t *size)
{
    return (const uint32_t *)((char *)map->arena +
                              pt_ring_place(map->shrink, i, size));
}

struct pt_bell_map {
    struct pt_bell *bell;
    int fd;
};

enum pt_status pt_bell_map_init(struct pt_bell_map *, struct pt_error *error);
void pt_bell_map_clear(struct pt_bell_map *);

/* The tether's descriptor, -1 when it failed. */
int pt_tether_open(struct pt_error *error);
/* True while a process maps it. */
bool pt_tether_held(int fd);

/* Wakes everybody who sleeps on a shared futex word. */
void pt_futex_wake(_Atomic uint32_t *word);

#endif
