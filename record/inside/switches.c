#include "switches.h"
#include "addresses.h"
#include "frames.h"
#include "gate.h"
#include "legacy_flow.h"
#include "producer.h"

#include <pthread.h>
#include <stdlib.h>

/* --- numbers ---------------------------------------------------------------
 */

/* What is known of a greenlet; it holds while `birth` is its thread's lane. */
struct greenlet {
    const PyObject *object;
    uint64_t birth;
    uint64_t told; /* as of its lane when it ran last */
    uint32_t stack, id;
    struct pt_gate_stack gate;
#if !PT_HAVE_MONITORING
    struct pt_places places;
#endif
};

static struct pt_addresses greenlets;
static uint32_t last; /* id given */

/* A thread's numbers of stacks. */
struct numbers {
    uint64_t birth;
    const PyObject *running; /* the greenlet that was told last */
    uint32_t next, nfree, room;
    uint32_t *free;
};
static _Thread_local struct numbers numbers;
static pthread_key_t numbers_key;

static void
end_numbers(void *list)
{
    free(list);
    numbers = (struct numbers){0};
}

/* For two more: what was returned before stays where it is. */
static bool
make_room(void)
{
    return pt_addresses_room(&greenlets, sizeof(struct greenlet), 2);
}

/* Once make_room() has been called it is never NULL. */
static struct greenlet *
meet(const PyObject *of)
{
    return pt_addresses_meet(&greenlets, sizeof(struct greenlet), of);
}

/* The last number is shared by all that are too many. */
static uint32_t
take_number(void)
{
    if (numbers.nfree > 0)
        return numbers.free[--numbers.nfree];
    return numbers.next < PT_STACKS_LIMIT - 1 ? numbers.next++ : numbers.next;
}

/* Without memory it is not used again. */
static void
give_number(uint32_t number)
{
    if (number == 0 || number == PT_STACKS_LIMIT - 1)
        return;
    if (numbers.nfree == numbers.room) {
        uint32_t room = numbers.room != 0 ? 2 * numbers.room : 16;
        uint32_t *list = realloc(numbers.free, room * sizeof *list);
        if (list == NULL)
            return;
        numbers.free = list;
        numbers.room = room;
        pthread_setspecific(numbers_key, list);
    }
    numbers.free[numbers.nfree++] = number;
}

/* --- switches --------------------------------------------------------------
 */

/* The calling thread's lane, with the numbers of its stacks. */
static struct pt_lane *
lane(void)
{
    struct pt_lane *l = pt_lane;
    if (l == NULL || l->limit == 0) {
        pt_lane_slow(PT_TIME_BYTES, PT_W_SWITCH);
        l = pt_lane;
    }
    if (numbers.birth != l->birth) {
        numbers.birth = l->birth;
        numbers.running = NULL;
        numbers.next = 1;
        numbers.nfree = 0;
    }
    return l;
}

/* Tells the frames of the stack that runs, by a gap.  Nothing is missing from
 * the others. */
static void
lose(struct pt_lane *l)
{
    uint64_t told = l->told;
#if !PT_HAVE_MONITORING
    if (pt_producer.flow)
        pt_legacy_flow_lose();
    else
#endif
        pt_emit_gap();
    l->told = told;
}

/* Stack `number` with greenlet `id` goes on.  The lane knows it first: should
 * it have a gap to tell, the frames are those of this stack already. */
static void
go(struct pt_lane *l, uint32_t number, uint32_t id)
{
    l->stack = number;
    l->greenlet = id;
    pt_emit(PT_TIMED(PT_W_SWITCH, 2), number, id, 0, 0, 0);
}

/* The frames of a greenlet that is met for the first time are those of its
 * beginning, unless it began before the recording, or while nothing could be
 * recorded. */
static bool
has_frames(void)
{
    const pt_pyframe *f = pt_compat_current(pt_compat_tstate());
    while (f != NULL && !pt_compat_frame_real(f))
        f = f->previous;
    return f != NULL;
}

/* Another greenlet runs than the one that was told, which has got its events.
 * Both have to tell their frames anew when they go on. */
static void
mistake(struct pt_lane *l, uint32_t number, uint32_t id)
{
    struct greenlet *g = numbers.running != NULL ? meet(numbers.running) : NULL;
    if (g != NULL && g->birth == l->birth)
        g->told = 0;
    go(l, number, id);
}

/* The greenlet that ran up to now.  The first one that a lane meets is the one
 * that it began with. */
static struct greenlet *
leave(struct pt_lane *l, const PyObject *origin)
{
    struct greenlet *g = meet(origin);
    bool first = numbers.running == NULL;
    if (g->birth != l->birth) {
        g->birth = l->birth;
        g->stack = first ? 0 : take_number();
        g->id = first ? 0 : ++last;
    }
    bool mistaken = g->stack != l->stack;
    if (mistaken)
        mistake(l, g->stack, g->id);
    g->told = mistaken ? 0 : l->told;
    return g;
}

/* The greenlet that goes on now.  True where its frames have to be told. */
static bool
enter(struct pt_lane *l, struct greenlet *g)
{
    bool known = g->birth == l->birth, fresh = !known && !has_frames();
    if (!known) {
        g->birth = l->birth;
        g->stack = take_number();
        g->id = ++last;
        g->told = 0;
        g->gate.n = g->gate.base != NULL;
#if !PT_HAVE_MONITORING
        g->places.top = g->places.base;
#endif
    }
    bool crowded = g->stack == PT_STACKS_LIMIT - 1;
    return !fresh && (g->told != l->told || crowded);
}

/* Filters, and flow on 3.11, follow a thread's frames themselves. */
static void
swap_frames(struct greenlet *from, struct greenlet *to, bool ended)
{
    if (from == to)
        return;
    if (pt_gate.stacked) {
        pt_gate_swap(&from->gate, &to->gate);
        if (ended) {
            free(from->gate.base);
            from->gate = (struct pt_gate_stack){0};
        }
    }
#if !PT_HAVE_MONITORING
    if (!pt_producer.flow)
        return;
    pt_legacy_flow_swap(&from->places, &to->places);
    if (ended) {
        free(from->places.base);
        from->places = (struct pt_places){0};
    }
#endif
}

void
pt_switches_tell(const PyObject *origin, const PyObject *target, bool ended)
{
    struct pt_lane *l = lane();
    if (!make_room())
        return;
    struct greenlet *from = leave(l, origin), *to = meet(target);
    bool untold = enter(l, to);
    uint64_t told = l->told;
    swap_frames(from, to, ended);
    go(l, to->stack, to->id);
    numbers.running = target;
    if (ended) {
        give_number(from->stack);
        from->birth = 0;
    }
    /* It can be that room for the record was made by telling a gap. */
    if (untold && l->told == told)
        lose(l);
}

struct pt_switches_mark
pt_switches_mark(void)
{
    const struct pt_lane *l = pt_lane;
    if (l == NULL || l->limit == 0)
        return (struct pt_switches_mark){0};
    return (struct pt_switches_mark){numbers.running, l->birth, l->stack,
                                     l->greenlet};
}

void
pt_switches_back(struct pt_switches_mark m)
{
    struct pt_lane *l = pt_lane;
    if (m.birth == 0 || l == NULL || l->limit == 0 || l->birth != m.birth ||
        l->stack == m.stack || !make_room())
        return;
    mistake(l, m.stack, m.id);
    numbers.running = m.running;
    lose(l);
}

bool
pt_switches_init(void)
{
    return pthread_key_create(&numbers_key, end_numbers) == 0;
}
