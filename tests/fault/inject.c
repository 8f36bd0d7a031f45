/* A preload library that makes one call fail: the n-th of a kind, in the
 * process of a given name.
 *
 *   INJECT=ptana:read:3     ptana's third read() or pread() fails with EIO
 *   INJECT_COUNT=PATH       how many calls of the kind there were goes to PATH
 *
 * Kinds: memory, map, open, read, write, short (a write of half of what it
 * was given), thread, and quota: from the n-th on, no write to a file is
 * within the user's quota. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { MEMORY, MAP, OPEN, READ, WRITE, SHORT, THREAD, QUOTA, KINDS };
static const char *const names[KINDS] = {
    "memory", "map", "open", "read", "write", "short", "thread", "quota"};

static struct {
    enum kind kind;
    long n;
    atomic_long calls;
    bool armed;
    char report[256];
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    void *(*mmap)(void *, size_t, int, int, int, off_t);
    int (*open)(const char *, int, ...);
    int (*thread)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                  void *);
} inject;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static void
find(void *at, const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    memcpy(at, &f, sizeof f);
}

__attribute__((constructor)) static void
arm(void)
{
    find(&inject.read, "read");
    find(&inject.pread, "pread");
    find(&inject.write, "write");
    find(&inject.pwrite, "pwrite");
    find(&inject.mmap, "mmap");
    find(&inject.open, "open");
    find(&inject.thread, "pthread_create");
    const char *how = getenv("INJECT"), *report = getenv("INJECT_COUNT");
    char who[32], what[32];
    if (how == NULL ||
        sscanf(how, "%31[^:]:%31[^:]:%ld", who, what, &inject.n) != 3 ||
        strcmp(who, program_invocation_short_name) != 0)
        return;
    if (report != NULL)
        snprintf(inject.report, sizeof inject.report, "%s", report);
    for (int k = 0; k < KINDS; k++)
        if (strcmp(what, names[k]) == 0) {
            inject.kind = (enum kind)k;
            inject.armed = true;
        }
}

__attribute__((destructor)) static void
report(void)
{
    if (!inject.armed || inject.report[0] == '\0')
        return;
    inject.armed = false;
    FILE *file = fopen(inject.report, "w");
    if (file != NULL) {
        fprintf(file, "%ld\n", (long)inject.calls);
        fclose(file);
    }
}

static bool
fails(enum kind kind)
{
    return inject.armed && inject.kind == kind &&
           atomic_fetch_add(&inject.calls, 1) + 1 == inject.n;
}

static bool
over_quota(int fd)
{
    struct stat st;
    return inject.armed && inject.kind == QUOTA && fstat(fd, &st) == 0 &&
           S_ISREG(st.st_mode) &&
           atomic_fetch_add(&inject.calls, 1) + 1 >= inject.n && inject.n > 0;
}

void *
malloc(size_t size)
{
    if (!fails(MEMORY))
        return __libc_malloc(size);
    errno = ENOMEM;
    return NULL;
}

void *
calloc(size_t n, size_t size)
{
    if (!fails(MEMORY))
        return __libc_calloc(n, size);
    errno = ENOMEM;
    return NULL;
}

void *
realloc(void *old, size_t size)
{
    if (!fails(MEMORY))
        return __libc_realloc(old, size);
    errno = ENOMEM;
    return NULL;
}

void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (!fails(MAP))
        return inject.mmap(at, size, protection, flags, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

int
open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (!fails(OPEN))
        return inject.open(path, flags, mode);
    errno = EMFILE;
    return -1;
}

ssize_t
read(int fd, void *to, size_t size)
{
    if (!fails(READ))
        return inject.read(fd, to, size);
    errno = EIO;
    return -1;
}

ssize_t
pread(int fd, void *to, size_t size, off_t at)
{
    if (!fails(READ))
        return inject.pread(fd, to, size, at);
    errno = EIO;
    return -1;
}

ssize_t
write(int fd, const void *from, size_t size)
{
    bool told = fd == STDERR_FILENO; /* of a failure there, nobody can be */
    if (over_quota(fd)) {
        errno = EDQUOT;
        return -1;
    }
    if (!told && fails(SHORT))
        size -= size / 2;
    if (told || !fails(WRITE))
        return inject.write(fd, from, size);
    errno = EIO;
    return -1;
}

ssize_t
pwrite(int fd, const void *from, size_t size, off_t at)
{
    if (over_quota(fd)) {
        errno = EDQUOT;
        return -1;
    }
    if (fails(SHORT))
        size -= size / 2;
    if (!fails(WRITE))
        return inject.pwrite(fd, from, size, at);
    errno = EIO;
    return -1;
}

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
               void *(*run)(void *), void *arg)
{
    return fails(THREAD) ? EAGAIN : inject.thread(thread, attr, run, arg);
}
