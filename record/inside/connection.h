/* What the three files behind producer.h share: producer.c holds the connection
 * and how its end is noticed, lanes.c the lanes and their rings, definitions.c
 * the definitions ring. */
#ifndef PT_INSIDE_CONNECTION_H
#define PT_INSIDE_CONNECTION_H

#include "producer.h"

#include <stdatomic.h>

enum { PT_PAGE = 4096 };
/* What is mapped of the arena from the beginning; lanes.c maps the rest when a
 * thread comes that needs it. */
enum { PT_FIRST_MAP = PT_RINGS_AT + PT_RINGS_LARGE * PT_RING_LARGE };

/* Makes the pool of lanes, and with that this process the one that joined.
 * Returns 0 or an errno value.  Call once, when the arena is mapped. */
int pt_lanes_start(pt_stack_teller *teller);

/* In a forked child: makes it the one that joined, and has its first lane tell
 * the stack that it was forked with. */
void pt_lanes_restart(void);

/* False in a forked child until pt_producer_follow(): the arena is not mapped
 * there. */
bool pt_joined(void);

/* Wakes the collector if it sleeps. */
void pt_ring_bell(void);

/* Rings the bell and sleeps until the collector has changed `word` from
 * `value`, 50 ms at most. */
void pt_await_collector(_Atomic uint32_t *word, uint32_t value);

/* False once the collector is dead or has told us to stop. */
bool pt_collector_alive(void);

#endif
