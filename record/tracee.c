#include "record/tracee.h"
#include "record/problem.h"
#include "record/stacks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum pt_status
pt_tracee_new(pid_t pid, struct pt_arena_map *map, int64_t joined,
              const char *command, struct pt_notes *notes,
              struct pt_tracee **out)
{
    struct pt_tracee *t = calloc(1, sizeof *t);
    if (t == NULL)
        return PT_ENOMEM;
    t->lanes = calloc(PT_SLOTS, sizeof *t->lanes);
    t->heads = calloc(PT_SLOTS, sizeof *t->heads);
    if (t->lanes == NULL || t->heads == NULL) {
        free(t->lanes);
        free(t->heads);
        free(t);
        return PT_ENOMEM;
    }
    t->pid = pid;
    t->pidfd = -1;
    t->notes = notes;
    t->map = *map;
    *map = (struct pt_arena_map){.fd = -1};
    pt_defs_init(&t->defs, (uint32_t)pid, 0, joined, notes, command);
    *out = t;
    return PT_OK;
}

void
pt_tracee_free(struct pt_tracee *t, struct pt_journal *journal)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; i < t->used; i++)
        pt_lane_clear(&t->lanes[i], journal);
    pt_lane_clear(&t->orphan, journal);
    free(t->lanes);
    free(t->heads);
    pt_defs_clear(&t->defs);
    pt_arena_map_clear(&t->map);
    if (t->pidfd >= 0)
        close(t->pidfd);
    free(t);
}

void
pt_tracee_stop(struct pt_tracee *t, enum pt_stop why)
{
    t->stopped = true;
    atomic_store(&t->map.arena->stop, (uint32_t)why);
}

/* A gap that belongs to no running thread gets one of its own, number 0. */
static enum pt_status
orphan_gap(struct pt_tracee *t, struct pt_journal *journal, uint64_t count,
           const char *name, uint64_t time)
{
    if (t->defs.process == 0)
        return PT_OK;
    enum pt_status st =
        pt_lane_begin(&t->orphan, journal, t->defs.process, 0, time,
                      (struct pt_str){name, strlen(name)});
    if (st == PT_OK)
        st = pt_lane_gap(&t->orphan, journal, count);
    if (st == PT_OK)
        st = pt_lane_end(&t->orphan, journal);
    return st;
}

static uint64_t
quanta_now(const struct pt_journal *journal)
{
    return (pt_timebase_ticks(journal->clock) >> journal->clock->quantum_log2) -
           pt_timebase_origin(journal->clock);
}

/* The process broke the protocol, in `lane` or (NULL) elsewhere. */
static enum pt_status
protocol_broken(struct pt_tracee *t, struct pt_journal *journal,
                struct pt_lane *lane, const struct pt_error *error)
{
    pt_tracee_stop(t, PT_STOP_PROTOCOL);
    pt_notes_add(t->notes,
                 "process %d sent what its recorder never sends, so its "
                 "recording ends there: %.120s",
                 (int)t->pid, error->text);
    if (lane != NULL && lane->thread != 0)
        return pt_lane_gap(pt_stacks_lane(lane), journal, UINT64_MAX);
    return orphan_gap(t, journal, UINT64_MAX, "(broken protocol)",
                      quanta_now(journal));
}

/* Gives back everything a stopped process still publishes, so that none of
 * its threads waits for us. */
static void
discard(struct pt_tracee *t)
{
    struct pt_arena *arena = t->map.arena;
    uint32_t used = atomic_load(&arena->slots_used);
    for (uint32_t i = 0; i < used && i < PT_SLOTS; i++) {
        struct pt_slot *slot = pt_arena_slot(&t->map, i);
        uint64_t head = atomic_load(&slot->head);
        if (head != atomic_load(&slot->tail) || atomic_load(&slot->waiting))
            pt_drain_publish(slot, head);
    }
    uint64_t head = atomic_load(&arena->defs_head);
    if (head == atomic_load(&arena->defs_tail) &&
        atomic_load(&arena->defs_waiting) == 0)
        return;
    atomic_store(&arena->defs_tail, head);
    atomic_fetch_add(&arena->defs_tail_word, 1);
    pt_futex_wake(&arena->defs_tail_word);
}

/* A slot whose owner is gone and whose records are taken: the thread ended.
 * The order of the loads matters: a thread that adopts the slot after the
 * first one publishes its begin after the second. */
static enum pt_status
end_if_dead(struct pt_tracee *t, uint32_t i, struct pt_journal *journal)
{
    struct pt_slot *slot = pt_arena_slot(&t->map, i);
    struct pt_lane *lane = &t->lanes[i];
    if (lane->thread == 0 ||
        atomic_load_explicit(&slot->state, memory_order_acquire) !=
            PT_SLOT_DEAD ||
        atomic_load_explicit(&slot->head, memory_order_acquire) != lane->tail)
        return PT_OK;
    /* what it could no longer tell itself */
    uint64_t dropped = atomic_exchange(&slot->dropped, 0);
    enum pt_status st =
        dropped != 0 ? pt_lane_gap(pt_stacks_lane(lane), journal, dropped)
                     : PT_OK;
    return st == PT_OK ? pt_lane_end(lane, journal) : st;
}

/* Heads first, definitions second, records last: what a record names was
 * committed before the record was published. */
static enum pt_status
take_published(struct pt_tracee *t, struct pt_journal *journal, bool *busy,
               struct pt_lane **where, struct pt_error *error)
{
    struct pt_arena *arena = t->map.arena;
    uint32_t used =
        atomic_load_explicit(&arena->slots_used, memory_order_acquire);
    if (used > PT_SLOTS)
        return pt_problem_set(error, PT_EDAMAGED, 0,
                              "more threads than slots (%u)", used);
    if (used > t->used)
        t->used = used;
    for (uint32_t i = 0; i < t->used; i++)
        t->heads[i] = atomic_load_explicit(&pt_arena_slot(&t->map, i)->head,
                                           memory_order_acquire);
    uint64_t told = t->defs.tail;
    enum pt_status st = pt_defs_take(&t->defs, &t->map, journal->writer, error);
    *busy |= told != t->defs.tail;
    for (uint32_t i = 0; i < t->used && st == PT_OK; i++) {
        struct pt_lane *lane = &t->lanes[i];
        if (t->heads[i] == lane->tail) {
            st = end_if_dead(t, i, journal);
            continue;
        }
        *busy = true;
        *where = lane;
        st = pt_drain_slot(&t->map, i, t->heads[i], &t->defs, lane, journal,
                           error);
    }
    return st;
}

enum pt_status
pt_tracee_drain(struct pt_tracee *t, struct pt_journal *journal, bool *busy)
{
    if (t->stopped) {
        discard(t);
        return PT_OK;
    }
    struct pt_error error = {.status = PT_OK};
    struct pt_lane *where = NULL;
    uint64_t lost = journal->lost;
    enum pt_status st = take_published(t, journal, busy, &where, &error);
    if (st == PT_EDAMAGED && error.status == PT_EDAMAGED)
        st = protocol_broken(t, journal, where, &error);
    t->lost += journal->lost - lost;
    return st;
}

/* What the process counted but could no longer tell. */
static enum pt_status
tell_losses(struct pt_tracee *t, uint32_t i, struct pt_journal *journal)
{
    struct pt_lane *lane = &t->lanes[i];
    uint64_t dropped = atomic_load(&pt_arena_slot(&t->map, i)->dropped);
    if (dropped == 0)
        return PT_OK;
    if (lane->thread != 0)
        return pt_lane_gap(pt_stacks_lane(lane), journal, dropped);
    return orphan_gap(t, journal, dropped, "(dropped)", lane->time);
}

enum pt_status
pt_tracee_flush(struct pt_tracee *t, struct pt_journal *journal)
{
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < t->used && st == PT_OK && !t->stopped; i++) {
        if (!t->lanes[i].recent)
            st = pt_lane_flush(&t->lanes[i], journal);
        t->lanes[i].recent = false;
        if (st == PT_OK)
            st = pt_stacks_flush(&t->lanes[i], journal);
    }
    return st;
}

/* The process called exec at `at`; did it go on? */
static bool
became_another(const struct pt_tracee *t, const struct pt_journal *journal,
               uint64_t at)
{
    uint64_t now =
        pt_timebase_ticks(journal->clock) >> journal->clock->quantum_log2;
    if (at < pt_timebase_origin(journal->clock) || at > now)
        return false; /* never, or nonsense */
    for (uint32_t i = 0; i < t->used; i++)
        if (t->lanes[i].thread != 0 &&
            t->lanes[i].time + pt_timebase_origin(journal->clock) > at)
            return false;
    return true;
}

static enum pt_status
end_threads(struct pt_tracee *t, struct pt_journal *journal)
{
    enum pt_status st = PT_OK;
    uint64_t lost = journal->lost;
    for (uint32_t i = 0; i < t->used && st == PT_OK; i++) {
        if (!t->stopped)
            st = tell_losses(t, i, journal);
        if (st == PT_OK)
            st = pt_lane_end(&t->lanes[i], journal);
    }
    uint64_t unslotted = atomic_load(&t->map.arena->unslotted);
    if (st == PT_OK && unslotted != 0 && !t->stopped) {
        pt_notes_add(t->notes,
                     "%llu threads of process %d were not recorded: more than "
                     "%d at once",
                     (unsigned long long)unslotted, (int)t->pid, PT_SLOTS);
        st = orphan_gap(t, journal, UINT64_MAX, "(unrecorded)",
                        quanta_now(journal));
    }
    t->lost += journal->lost - lost;
    return st;
}

enum pt_status
pt_tracee_finish(struct pt_tracee *t, struct pt_journal *journal,
                 enum pt_ending *ending, int value)
{
    bool busy = false;
    enum pt_status st = pt_tracee_drain(t, journal, &busy);
    uint64_t exec_at = atomic_load(&t->map.arena->exec_at);
    int64_t time = pt_timebase_now(journal->clock);
    if (became_another(t, journal, exec_at)) {
        *ending = PT_ENDED_EXEC;
        time = pt_timebase_ns(journal->clock,
                              exec_at - pt_timebase_origin(journal->clock));
    }
    if (st == PT_OK)
        st = end_threads(t, journal);
    if (st != PT_OK || t->defs.process == 0)
        return st;
    struct pt_process_end end = {
        .process = t->defs.process,
        .ending = (uint8_t)*ending,
        .value = *ending == PT_ENDED_EXEC ? 0 : value,
        .time = time,
        .lost = t->lost,
    };
    return pt_writer_process_end(journal->writer, &end);
}
