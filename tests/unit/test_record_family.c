/* Processes of one recording: whose ids a forked child goes on with, how they
 * ended, arenas with small rings, and when nobody is left. */
#include "record/ending.h"
#include "record/family.h"
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- arenas --------------------------------------------------------------- */

Test(record_family, rings_lie_apart)
{
    for (uint32_t shrink = 0; shrink <= PT_SHRINK_MOST; shrink++) {
        uint64_t end = PT_RINGS_AT;
        for (uint32_t i = 0; i < PT_SLOTS; i++) {
            uint32_t size;
            cr_assert_eq(pt_ring_place(shrink, i, &size), end);
            cr_assert_eq(size % (PT_SEGMENTS * 1024), 0);
            end += size;
        }
        cr_assert_eq(pt_arena_size(shrink), end);
        cr_assert_leq(PT_DEFS_AT + pt_defs_size(shrink), PT_RINGS_AT);
    }
}

/* Several laps of both rings of a small arena, in many slots. */
Test(record_family, small_rings)
{
    enum { SLOTS = 100, CALLS = 3000, NAMES = 2000 };
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    struct pt_tracee *first = f.t;
    f.shrink = PT_SHRINK_MOST;
    fake_process(&f, FAKE_MAIN + 1);
    for (uint32_t i = 0; i < NAMES; i++) {
        char name[400];
        memset(name, 'n', sizeof name);
        snprintf(name, sizeof name, "name%u", i);
        name[strlen(name)] = '_';
        name[sizeof name - 1] = '\0';
        fake_define_code(&f, FAKE_CODES + 1 + i, "/nowhere/app.py", name);
        if (i % 100 == 0)
            fake_drain(&f);
    }
    cr_assert_gt(f.defs, 2 * (uint64_t)pt_defs_size(f.shrink));
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        fake_claim(&l, &f, slot);
        fake_begin(&l, 1000 + slot);
        for (int i = 0; i < CALLS; i++) {
            FAKE_PUT(&l, PT_W_CALL, FAKE_CODES + NAMES);
            FAKE_PUT(&l, PT_W_RETURN, FAKE_CODES + NAMES);
            if (i % 128 == 0)
                fake_drain(&f);
        }
        fake_drain(&f);
    }
    cr_assert(!f.t->stopped);
    enum pt_ending ending = PT_ENDED_GONE;
    cr_assert_eq(pt_tracee_finish(first, &f.journal, &ending, 0), PT_OK);
    pt_tracee_free(first, &f.journal);
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_CALL), (size_t)SLOTS * CALLS);
    cr_assert_eq(fake_count(&f, PT_GAP), 0);
    fake_clear(&f);
}

/* --- ids ------------------------------------------------------------------ */

static const uint32_t some[PT_KNOWN] = {3, FAKE_CALLABLES, UINT32_MAX};

/* A child of the family's process `parent`, with nothing of its own. */
static enum pt_status
inherit(const struct pt_family *family, uint64_t parent, struct pt_defs *child)
{
    *child = (struct pt_defs){0};
    return pt_family_inherit(family, parent, some, child);
}

static void
expect_inherited(const struct pt_defs *child, const uint32_t *codes,
                 uint32_t interpreter)
{
    cr_assert_eq(child->interpreter, interpreter);
    for (uint32_t i = 1; i <= FAKE_CODES; i++)
        cr_assert_eq(pt_idmap_find(&child->codes, i), i <= 3 ? codes[i] : 0);
    cr_assert_neq(pt_idmap_find(&child->callables, FAKE_CALLABLES), 0);
    cr_assert_neq(pt_idmap_find(&child->types, FAKE_TYPES), 0);
    cr_assert_eq(pt_idmap_find(&child->types, FAKE_TYPES + 1), 0);
}

static void
release(struct pt_defs *child)
{
    pt_defs_clear(child);
}

Test(record_family, ids_until_the_fork)
{
    struct fake f;
    struct pt_family family = {0};
    struct pt_defs child;
    uint32_t codes[FAKE_CODES + 1];
    fake_open(&f, 0);
    cr_assert_eq(pt_family_add(&family, f.t), PT_OK);
    cr_assert_eq(f.t->number, 1);
    cr_assert_eq(inherit(&family, 0, &child), PT_ENOTFOUND);
    cr_assert_eq(inherit(&family, 2, &child), PT_ENOTFOUND);
    cr_assert_eq(inherit(&family, UINT64_MAX, &child), PT_ENOTFOUND);

    fake_drain(&f);
    for (uint32_t i = 1; i <= FAKE_CODES; i++)
        codes[i] = pt_idmap_find(&f.t->defs.codes, i);
    uint32_t interpreter = f.t->defs.interpreter;
    cr_assert_eq(inherit(&family, 1, &child), PT_OK);
    expect_inherited(&child, codes, interpreter);
    release(&child);

    /* also when the parent has ended before its child was heard of */
    uint32_t process = f.t->defs.process;
    enum pt_ending ending = PT_ENDED_EXIT;
    cr_assert_eq(pt_tracee_finish(f.t, &f.journal, &ending, 3), PT_OK);
    pt_family_end(&family, f.t);
    pt_tracee_free(f.t, &f.journal);
    f.t = NULL;
    cr_assert_eq(pt_family_find(&family, 1)->process, process);
    cr_assert_eq(inherit(&family, 1, &child), PT_OK);
    expect_inherited(&child, codes, interpreter);
    release(&child);
    pt_family_clear(&family);
    fake_close(&f);
    fake_clear(&f);
}

/* A stopped process has not told all that its children know. */
Test(record_family, of_a_broken_parent)
{
    struct fake f;
    struct pt_family family = {0};
    struct pt_defs child;
    fake_open(&f, 0);
    cr_assert_eq(pt_family_add(&family, f.t), PT_OK);
    pt_tracee_stop(f.t, PT_STOP_PROTOCOL);
    cr_assert_eq(inherit(&family, 1, &child), PT_ENOTFOUND);
    pt_family_clear(&family);
    fake_close(&f);
    fake_clear(&f);
}

/* What is kept of those that have ended has a bound; the oldest go first. */
Test(record_family, forgets)
{
    enum { PROCESSES = 20, IDS = 1 << 20 };
    struct pt_family family = {0};
    struct pt_defs child;
    for (uint64_t i = 1; i <= PROCESSES; i++) {
        struct pt_tracee t = {.defs = {.process = (uint32_t)i}};
        cr_assert_eq(pt_family_add(&family, &t), PT_OK);
        t.defs.codes = (struct pt_idmap){calloc(IDS, 4), IDS};
        pt_family_end(&family, &t);
        cr_assert_eq(t.defs.codes.to, NULL);
    }
    cr_assert_leq(family.bytes, PT_FAMILY_BYTES);
    cr_assert_eq(family.forgotten, PROCESSES - PT_FAMILY_BYTES / (4 * IDS));
    cr_assert_eq(inherit(&family, family.forgotten, &child), PT_ENOTFOUND);
    cr_assert_eq(inherit(&family, family.forgotten + 1, &child), PT_OK);
    release(&child);
    cr_assert_eq(pt_family_find(&family, 1)->process, 1,
                 "but who it was stays");
    pt_family_clear(&family);
}

/* The child's own ids follow; one that it has inherited it may not tell. */
Test(record_family, a_child_goes_on)
{
    struct fake f;
    struct pt_family family = {0};
    fake_open(&f, 0);
    cr_assert_eq(pt_family_add(&family, f.t), PT_OK);
    fake_drain(&f);
    struct pt_tracee *parent = f.t;
    f.t = NULL;
    struct pt_arena_map map;
    struct pt_error error;
    cr_assert_eq(pt_arena_map_init(&map, &f.config, 0, &error), PT_OK);
    cr_assert_eq(pt_tracee_new(77, &map, 0, NULL, &f.notes, &f.t), PT_OK);
    f.defs = 0;
    f.t->defs.parent = parent->defs.process;
    cr_assert_eq(pt_family_inherit(&family, 1, some, &f.t->defs), PT_OK);
    const uint32_t process[] = {24, PT_M_PROCESS, 1, 0, 0, 0};
    fake_defs_put(&f, process, sizeof process);
    fake_define_code(&f, 4, "/nowhere/app.py", "mine");
    fake_drain(&f);
    cr_assert(!f.t->stopped);
    cr_assert_neq(pt_idmap_find(&f.t->defs.codes, 4),
                  pt_idmap_find(&parent->defs.codes, 4));
    fake_define_code(&f, 3, "/nowhere/app.py", "theirs");
    fake_drain(&f);
    cr_assert(f.t->stopped);

    enum pt_ending ending = PT_ENDED_EXIT;
    cr_assert_eq(pt_tracee_finish(parent, &f.journal, &ending, 0), PT_OK);
    uint32_t id = parent->defs.process;
    pt_family_end(&family, parent);
    pt_tracee_free(parent, &f.journal);
    pt_family_clear(&family);
    fake_close(&f);
    cr_assert_eq(pt_trace_process(f.trace, id + 1)->parent, id);
    cr_assert_eq(pt_trace_process(f.trace, id + 1)->pid, 77);
    fake_clear(&f);
}

/* --- how they end --------------------------------------------------------- */

/* What is learned of a child that does `ends`, before or after we waited. */
static void
learn(void (*ends)(void), bool waited, uint32_t word, enum pt_ending *ending,
      int *value)
{
    struct pt_arena *arena = calloc(1, sizeof *arena);
    int status, pair[2];
    char byte;
    cr_assert_eq(pipe(pair), 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        close(pair[1]);
        (void)!read(pair[0], &byte, 1);
        ends();
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    close(pair[1]);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    if (waited)
        waitpid(pid, &status, 0);
    atomic_store(&arena->exiting, word);
    pt_ending_learn(fd, pid, arena, ending, value);
    if (!waited)
        waitpid(pid, &status, 0);
    close(fd);
    close(pair[0]);
    free(arena);
}

static void
exit_9(void)
{
    _exit(9);
}

static void
kill_self(void)
{
    kill(getpid(), SIGKILL);
}

Test(record_family, endings)
{
    enum pt_ending ending;
    int value;
    learn(exit_9, false, 0, &ending, &value);
    cr_assert(ending == PT_ENDED_EXIT && value == 9, "%d %d", ending, value);
    learn(kill_self, false, PT_EXITING | 1, &ending, &value);
    cr_assert(ending == PT_ENDED_SIGNAL && value == 9, "%d %d", ending, value);
    /* gone before we looked: the kernel tells since 6.15, else its own word */
    learn(exit_9, true, PT_EXITING | 9, &ending, &value);
    cr_assert(ending == PT_ENDED_EXIT && value == 9, "%d %d", ending, value);
    learn(kill_self, true, 0, &ending, &value);
    cr_assert((ending == PT_ENDED_SIGNAL && value == 9) ||
                  (ending == PT_ENDED_GONE && value == 0),
              "%d %d", ending, value);
}

Test(record_family, tether)
{
    struct pt_error error;
    int fd = pt_tether_open(&error);
    cr_assert_geq(fd, 0, "%s", error.text);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(page, MAP_FAILED);
    int pair[2];
    cr_assert_eq(pipe(pair), 0);
    pid_t child = fork(); /* it inherits the page */
    if (child == 0) {
        char byte;
        close(pair[1]);
        (void)!read(pair[0], &byte, 1);
        _exit(0);
    }
    cr_assert(pt_tether_held(fd));
    munmap(page, 4096);
    cr_assert(pt_tether_held(fd));
    close(pair[1]);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_not(pt_tether_held(fd));
    cr_assert_not(pt_tether_held(fd));
    close(fd);
    close(pair[0]);
}
