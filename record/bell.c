#include "record/bell.h"
#include "record/problem.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* After a ring the bell is deaf for a moment: a program that rings without
 * pause must not keep us busy. */
enum { DEAF_NS = 1000000 };

static void *
listen_for_ever(void *arg)
{
    struct pt_ringer *r = arg;
    struct pt_bell *bell = r->map.bell;
    const struct timespec deaf = {0, DEAF_NS};
    uint32_t heard = atomic_load(&bell->word);
    while (!atomic_load(&r->over)) {
        uint32_t word = atomic_load(&bell->word);
        if (word == heard) {
            syscall(SYS_futex, &bell->word, FUTEX_WAIT, heard, NULL, NULL, 0);
            continue;
        }
        heard = word;
        uint64_t one = 1;
        (void)!write(r->fd, &one, sizeof one);
        nanosleep(&deaf, NULL);
    }
    return NULL;
}

enum pt_status
pt_ringer_start(struct pt_ringer *r, struct pt_error *error)
{
    *r = (struct pt_ringer){.fd = -1};
    r->map.fd = -1;
    enum pt_status st = pt_bell_map_init(&r->map, error);
    if (st != PT_OK)
        return st;
    r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->fd < 0) {
        int err = errno;
        pt_bell_map_clear(&r->map);
        return pt_problem_set(error, PT_EIO, err,
                              "no descriptor to be had (%m); see `ulimit -n`");
    }
    int err = pthread_create(&r->thread, NULL, listen_for_ever, r);
    if (err != 0) {
        close(r->fd);
        r->fd = -1;
        pt_bell_map_clear(&r->map);
        return pt_problem_set(error, PT_EIO, err,
                              "no thread to be had (%m); see `ulimit -u`");
    }
    return PT_OK;
}

void
pt_ringer_stop(struct pt_ringer *r)
{
    if (r->fd < 0)
        return;
    atomic_store(&r->over, true);
    atomic_fetch_add(&r->map.bell->word, 1);
    pt_futex_wake(&r->map.bell->word);
    pthread_join(r->thread, NULL);
    close(r->fd);
    r->fd = -1;
    pt_bell_map_clear(&r->map);
}

void
pt_ringer_listen(struct pt_ringer *r, bool on)
{
    atomic_store(&r->map.bell->sleeping, on);
}

void
pt_ringer_hush(struct pt_ringer *r)
{
    uint64_t count;
    (void)!read(r->fd, &count, sizeof count);
}
