/* The functions of the C library by which a program starts another, or becomes
 * one: each puts our words into the environment, for itself alone.
 *
 * The room is on the stack: between vfork() and exec nothing may be allocated,
 * because the memory is the parent's. */
#include "record/shim/starts.h"
#include "record/shim/words.h"

#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef int spawner(pid_t *, const char *, const posix_spawn_file_actions_t *,
                    const posix_spawnattr_t *, char *const[], char *const[]);

static struct {
    int (*execve)(const char *, char *const[], char *const[]);
    int (*execvpe)(const char *, char *const[], char *const[]);
    int (*fexecve)(int, char *const[], char *const[]);
    spawner *posix_spawn, *posix_spawnp;
    void (*exit)(int) __attribute__((noreturn));
    void (*_exit)(int) __attribute__((noreturn));
} real;

void (*pt_starts_exits)(int status);

/* The loader may lock, so this is done while there is one thread. */
__attribute__((constructor)) static void
resolve(void)
{
    static const struct {
        const char *name;
        void *at;
    } table[] = {{"execve", &real.execve},
                 {"execvpe", &real.execvpe},
                 {"fexecve", &real.fexecve},
                 {"posix_spawn", &real.posix_spawn},
                 {"posix_spawnp", &real.posix_spawnp},
                 {"exit", &real.exit},
                 {"_exit", &real._exit}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (*(void **)table[i].at == NULL)
            *(void **)table[i].at = dlsym(RTLD_NEXT, table[i].name);
}

/* Somebody's constructor can run before ours. */
static inline void
ensure(void)
{
    if (__builtin_expect(real._exit == NULL, 0))
        resolve();
}

/* `envp` with our words, in the caller's frame. */
#define WITH_WORDS(envp)                                                       \
    __extension__({                                                            \
        char *const *env_ = (envp);                                            \
        size_t room_ = pt_words_room(env_);                                    \
        room_ == 0 ? env_ : (char *const *)pt_words_put(alloca(room_), env_);  \
    })

/* --- exec ------------------------------------------------------------------
 */

EXPORT int
execve(const char *path, char *const argv[], char *const envp[])
{
    ensure();
    return real.execve(path, argv, WITH_WORDS(envp));
}

EXPORT int
execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

EXPORT int
execvpe(const char *file, char *const argv[], char *const envp[])
{
    ensure();
    return real.execvpe(file, argv, WITH_WORDS(envp));
}

EXPORT int
execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

EXPORT int
fexecve(int fd, char *const argv[], char *const envp[])
{
    ensure();
    return real.fexecve(fd, argv, WITH_WORDS(envp));
}

EXPORT int
execveat(int fd, const char *path, char *const argv[], char *const envp[],
         int flags)
{
    return (int)syscall(SYS_execveat, fd, path, argv, WITH_WORDS(envp), flags);
}

/* Gathers the words of execl(first, ..., NULL) into `argv`, in the caller's
 * frame; `ap` is left behind the NULL. */
#define GATHER(argv, first, ap)                                                \
    do {                                                                       \
        va_list count_;                                                        \
        size_t n_ = 1;                                                         \
        va_start(ap, first);                                                   \
        va_copy(count_, ap);                                                   \
        while (va_arg(count_, char *) != NULL)                                 \
            n_++;                                                              \
        va_end(count_);                                                        \
        (argv) = alloca((n_ + 1) * sizeof(char *));                            \
        (argv)[0] = (char *)(first);                                           \
        for (size_t i_ = 1; i_ <= n_; i_++)                                    \
            (argv)[i_] = va_arg(ap, char *);                                   \
    } while (0)

EXPORT int
execl(const char *path, const char *first, ...)
{
    va_list ap;
    char **argv;
    GATHER(argv, first, ap);
    va_end(ap);
    return execve(path, argv, environ);
}

EXPORT int
execlp(const char *file, const char *first, ...)
{
    va_list ap;
    char **argv;
    GATHER(argv, first, ap);
    va_end(ap);
    return execvpe(file, argv, environ);
}

EXPORT int
execle(const char *path, const char *first, ...)
{
    va_list ap;
    char **argv;
    GATHER(argv, first, ap);
    char *const *envp = va_arg(ap, char *const *);
    va_end(ap);
    return execve(path, argv, envp);
}

/* --- spawn ------------------------------------------------------------------
 */

EXPORT int
posix_spawn(pid_t *pid, const char *path,
            const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attr, char *const argv[],
            char *const envp[])
{
    ensure();
    return real.posix_spawn(pid, path, actions, attr, argv, WITH_WORDS(envp));
}

EXPORT int
posix_spawnp(pid_t *pid, const char *file,
             const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attr, char *const argv[],
             char *const envp[])
{
    ensure();
    return real.posix_spawnp(pid, file, actions, attr, argv, WITH_WORDS(envp));
}

/* The library's own system() calls its own posix_spawn(), so this is system()
 * anew: SIGINT and SIGQUIT are ignored while any thread waits in it, SIGCHLD is
 * blocked in each. */
static struct {
    pthread_mutex_t mutex;
    unsigned waiting;
    struct sigaction interrupt, quit;
} waits = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void
begin_wait(posix_spawnattr_t *attr, sigset_t *before)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set, reset;
    sigemptyset(&reset);
    pthread_mutex_lock(&waits.mutex);
    if (waits.waiting++ == 0) {
        sigaction(SIGINT, &ignore, &waits.interrupt);
        sigaction(SIGQUIT, &ignore, &waits.quit);
    }
    if (waits.interrupt.sa_handler != SIG_IGN)
        sigaddset(&reset, SIGINT);
    if (waits.quit.sa_handler != SIG_IGN)
        sigaddset(&reset, SIGQUIT);
    pthread_mutex_unlock(&waits.mutex);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, before);
    posix_spawnattr_init(attr);
    posix_spawnattr_setsigdefault(attr, &reset);
    posix_spawnattr_setsigmask(attr, before);
    posix_spawnattr_setflags(attr,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

static void
end_wait(posix_spawnattr_t *attr, const sigset_t *before)
{
    posix_spawnattr_destroy(attr);
    pthread_mutex_lock(&waits.mutex);
    if (--waits.waiting == 0) {
        sigaction(SIGINT, &waits.interrupt, NULL);
        sigaction(SIGQUIT, &waits.quit, NULL);
    }
    pthread_mutex_unlock(&waits.mutex);
    sigprocmask(SIG_SETMASK, before, NULL);
}

EXPORT int
system(const char *command)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    posix_spawnattr_t attr;
    sigset_t before;
    pid_t pid;
    int status = 127 << 8; /* as if the shell had ended so */
    if (command == NULL)
        return system("exit 0") == 0;
    begin_wait(&attr, &before);
    int err = posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ);
    if (err == 0)
        while (waitpid(pid, &status, 0) < 0)
            if (errno != EINTR) {
                err = errno;
                status = -1;
                break;
            }
    end_wait(&attr, &before);
    if (err != 0)
        errno = err;
    return status;
}

/* --- ends -------------------------------------------------------------------
 */

EXPORT void
exit(int status)
{
    ensure();
    if (pt_starts_exits != NULL)
        pt_starts_exits(status);
    real.exit(status);
}

EXPORT void
_exit(int status)
{
    ensure();
    if (pt_starts_exits != NULL)
        pt_starts_exits(status);
    real._exit(status);
}

EXPORT void
_Exit(int status)
{
    _exit(status);
}
