#include "record/arena.h"
#include "record/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
    BELL_SIZE = 4096,
    PAGE = 4096,
    DEFS_TOUCHED = 1 << 17,
    RING_TOUCHED = 1 << 16 /* no more than the smallest first ring */
};
_Static_assert(PT_DEFS_AT % PAGE == 0 && PT_RINGS_AT % PAGE == 0,
               "touched from a page's start");

void
pt_futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* A sealed memfd of `size` bytes, mapped: neither side can shrink it under the
 * other, which would be a SIGBUS.  NULL on failure. */
static void *
sealed_memory(const char *name, uint64_t size, int *fd, struct pt_error *error)
{
    const char *what = "made", *limit = "n";
    void *memory = MAP_FAILED;
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd >= 0) {
        what = "sized", limit = "f";
        if (ftruncate(*fd, (off_t)size) == 0 &&
            fcntl(*fd, F_ADD_SEALS,
                  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
            what = "mapped", limit = "v";
            memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_NORESERVE, *fd, 0);
        }
    }
    if (memory != MAP_FAILED)
        return memory;
    int err = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    pt_problem_set(error, PT_EIO, err,
                   "shared memory of %llu KiB cannot be %s (%m); see "
                   "`ulimit -%s`",
                   (unsigned long long)(size >> 10), what, limit);
    return NULL;
}

/* First touch costs the toucher 1.8 us a page; better us than the program, for
 * what most programs use. */
static void
touch(char *from, uint64_t size)
{
    if (madvise(from, size, MADV_POPULATE_WRITE) == 0)
        return;
    for (uint64_t i = 0; i < size; i += PAGE)
        *(volatile char *)(from + i) = 0;
}

static int
hold_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attr;
    int err = pthread_mutexattr_init(&attr);
    if (err != 0)
        return err;
    err = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (err == 0)
        err = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (err == 0)
        err = pthread_mutex_init(mutex, &attr);
    if (err == 0)
        err = pthread_mutex_lock(mutex);
    pthread_mutexattr_destroy(&attr);
    return err;
}

/* What every process uses at once, also one that ends at once: a fork waits for
 * this.  Slots are many and seldom used. */
static void
touch_first(char *memory, uint32_t shrink)
{
    uint32_t ring;
    uint64_t first = pt_ring_place(shrink, 0, &ring);
    touch(memory, PT_SLOTS_AT + PAGE);
    touch(memory + PT_DEFS_AT, PAGE);
    touch(memory + first, RING_TOUCHED);
}

void
pt_arena_map_touch(struct pt_arena_map *map)
{
    char *memory = (char *)map->arena;
    uint32_t ring;
    uint64_t first = pt_ring_place(map->shrink, 0, &ring);
    touch(memory + PT_DEFS_AT, DEFS_TOUCHED);
    touch(memory + first, ring);
}

enum pt_status
pt_arena_map_init(struct pt_arena_map *map, const struct pt_config *config,
                  uint32_t shrink, struct pt_error *error)
{
    int fd;
    uint64_t size = pt_arena_size(shrink);
    void *memory = sealed_memory("ptrec", size, &fd, error);
    if (memory == NULL)
        return PT_EIO;
    touch_first(memory, shrink);

    struct pt_arena *arena = memory;
    arena->magic = PT_PROTO_MAGIC;
    arena->shrink = shrink;
    arena->size = size;
    arena->config = *config;
    int err = hold_mutex(&arena->alive);
    if (err != 0) {
        munmap(memory, size);
        close(fd);
        return pt_problem_set(
            error, PT_EIO, err,
            "a robust mutex cannot be made (%m); is this Linux?");
    }
    *map = (struct pt_arena_map){arena, size, shrink, fd};
    return PT_OK;
}

void
pt_arena_map_handed(struct pt_arena_map *map)
{
    if (map->fd >= 0)
        close(map->fd);
    map->fd = -1;
}

void
pt_arena_map_clear(struct pt_arena_map *map)
{
    if (map->arena == NULL)
        return;
    /* The kernel walks our list of held robust mutexes when we end: it must
     * not lead into memory that is no longer there. */
    pthread_mutex_unlock(&map->arena->alive);
    munmap(map->arena, map->size);
    map->arena = NULL;
    pt_arena_map_handed(map);
}

enum pt_status
pt_bell_map_init(struct pt_bell_map *map, struct pt_error *error)
{
    int fd;
    void *memory = sealed_memory("ptrec-bell", BELL_SIZE, &fd, error);
    if (memory == NULL)
        return PT_EIO;
    *map = (struct pt_bell_map){memory, fd};
    return PT_OK;
}

void
pt_bell_map_clear(struct pt_bell_map *map)
{
    if (map->bell == NULL)
        return;
    munmap(map->bell, BELL_SIZE);
    close(map->fd);
    *map = (struct pt_bell_map){NULL, -1};
}

int
pt_tether_open(struct pt_error *error)
{
    int fd = memfd_create("ptrec-tether", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int err = fd < 0                                                     ? errno
              : ftruncate(fd, BELL_SIZE) != 0                            ? errno
              : fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0 ? errno
                                                                         : 0;
    if (err == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    pt_problem_set(error, PT_EIO, err,
                   "shared memory cannot be made (%m); see `ulimit -n`");
    return -1;
}

bool
pt_tether_held(int fd)
{
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0 && errno == EBUSY;
}
