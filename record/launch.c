#include "record/launch.h"
#include "record/problem.h"
#include "syntax/installed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int limited[PT_LIMITS] = {RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA,
                                       RLIMIT_NOFILE, RLIMIT_CPU};

/* The descriptors above standard error that we were given.  Ours come later
 * and close on exec. */
static void
note_inherited(struct pt_launch *l)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char *end;
        long fd = strtol(e->d_name, &end, 10);
        if (end == e->d_name || fd <= STDERR_FILENO || fd == dirfd(dir))
            continue;
        int *more =
            realloc(l->inherited, (l->inherited_count + 1) * sizeof *more);
        if (more == NULL)
            break;
        l->inherited = more;
        l->inherited[l->inherited_count++] = (int)fd;
    }
    if (dir != NULL)
        closedir(dir);
}

void
pt_launch_init(struct pt_launch *l)
{
    *l = (struct pt_launch){0};
    /* Where a standard descriptor is closed, nothing of ours may take its
     * number; in the child it is closed again. */
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    note_inherited(l);
    for (int i = 0; i < PT_LIMITS; i++) {
        getrlimit(limited[i], &l->limits[i]);
        struct rlimit lifted = {l->limits[i].rlim_max, l->limits[i].rlim_max};
        setrlimit(limited[i], &lifted);
    }
}

void
pt_launch_clear(struct pt_launch *l)
{
    free(l->file);
    free(l->argv);
    free(l->envp);
    free(l->preload);
    free(l->inherited);
    *l = (struct pt_launch){0};
}

static bool
executable(const char *path)
{
    return access(path, X_OK) == 0;
}

/* The first executable `name` on PATH, as a copy; NULL with errno ENOENT when
 * there is none. */
static char *
on_path(const char *name)
{
    const char *path = getenv("PATH");
    if (path == NULL)
        path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *p = path;; p++) {
        size_t len = strcspn(p, ":");
        char *file;
        /* An empty entry is the current folder. */
        if (asprintf(&file, "%.*s%s%s", (int)len, p, len > 0 ? "/" : "./",
                     name) < 0) {
            errno = ENOMEM;
            return NULL;
        }
        if (executable(file))
            return file;
        free(file);
        p += len;
        if (*p == '\0') {
            errno = ENOENT;
            return NULL;
        }
    }
}

/* l->argv[0] is how the user names the interpreter and l->file where it is:
 * CPython finds itself by argv[0], as when a shell starts it. */
static enum pt_status
take_interpreter(struct pt_launch *l, const char *name, char *file)
{
    l->argv = calloc(2, sizeof *l->argv);
    l->file = file;
    if (l->argv == NULL || file == NULL)
        return PT_ENOMEM;
    l->argv[0] = (char *)name;
    return PT_OK;
}

static enum pt_status
no_memory(struct pt_error *error)
{
    return pt_problem_set(error, PT_ENOMEM, 0, "out of memory");
}

enum pt_status
pt_launch_find(struct pt_launch *l, const struct pt_options *o,
               struct pt_error *error)
{
    const char *name = o->python;
    const char *env = getenv("VIRTUAL_ENV");
    enum pt_status st = PT_ENOTFOUND;
    char *file = NULL;
    if (name == NULL && env != NULL && env[0] != '\0') {
        if (asprintf(&file, "%s/bin/python", env) < 0)
            return no_memory(error);
        if (executable(file))
            return take_interpreter(l, file, file);
        free(file);
    }
    if (name == NULL)
        name = "python3";
    if (strchr(name, '/') != NULL)
        file = strdup(name);
    else
        file = on_path(name);
    if (file != NULL)
        st = take_interpreter(l, name, file);
    else if (errno == ENOMEM)
        return no_memory(error);
    if (st == PT_ENOTFOUND)
        return pt_problem_set(error, st, 0,
                              "no interpreter %.150s on PATH; name one with "
                              "--python=",
                              name);
    return st;
}

/* The shim's path, as a copy. */
static enum pt_status
find_shim(char **out, struct pt_error *error)
{
    char shim[PATH_MAX];
    int err = pt_installed("shim.so", shim, sizeof shim);
    if (err != 0 && shim[0] == '\0')
        return pt_problem_set(
            error, PT_EIO, err,
            "ptrec does not find its own folder (%m); is /proc "
            "mounted?");
    if (err != 0)
        return pt_problem_set(error, PT_EIO, err,
                              "%.160s cannot be read (%m); build it with make",
                              shim);
    if (strpbrk(shim, ": ;") != NULL)
        return pt_problem_set(error, PT_EIO, 0,
                              "%.120s: the dynamic linker takes no path with "
                              "a blank or a colon; install ptrec elsewhere",
                              shim);
    *out = strdup(shim);
    return *out != NULL ? PT_OK : PT_ENOMEM;
}

static const char *
user_preload(void)
{
    const char *user = getenv("LD_PRELOAD");
    return user != NULL ? user : "";
}

/* The environment with our words: LD_PRELOAD in its own place where the user
 * has one, the others at the end, so that what is left when the shim has
 * taken them out is the user's, in the user's order. */
static enum pt_status
make_environment(struct pt_launch *l, const char *shim)
{
    const char *user = user_preload();
    size_t n = 0, k = 0;
    while (environ[n] != NULL)
        n++;
    l->envp = calloc(n + 3, sizeof *l->envp);
    if (l->envp == NULL ||
        asprintf(&l->preload, "LD_PRELOAD=%s%s%s", shim,
                 getenv("LD_PRELOAD") != NULL ? ":" : "", user) < 0)
        return PT_ENOMEM;
    bool placed = false;
    for (size_t i = 0; i < n; i++) {
        if (!placed && strncmp(environ[i], "LD_PRELOAD=", 11) == 0) {
            l->envp[k++] = l->preload;
            placed = true;
        } else {
            l->envp[k++] = environ[i];
        }
    }
    if (!placed)
        l->envp[k++] = l->preload;
    l->envp[k] = l->word;
    return PT_OK;
}

/* The interpreter's words: its own options, and the program's. */
static enum pt_status
make_words(struct pt_launch *l, const struct pt_options *o,
           struct pt_error *error)
{
    size_t words = 1 + (size_t)o->nflags + (size_t)o->nprogram;
    char **argv = calloc(words + 1, sizeof *argv);
    if (argv == NULL)
        return pt_problem_set(error, PT_ENOMEM, 0, "out of memory");
    argv[0] = l->argv[0];
    for (int i = 0; i < o->nflags; i++)
        argv[1 + i] = o->flags[i];
    for (int i = 0; i < o->nprogram; i++)
        argv[1 + o->nflags + i] = o->program[i];
    free(l->argv);
    l->argv = argv;
    return PT_OK;
}

enum pt_status
pt_launch_become(struct pt_launch *l, const struct pt_options *o,
                 struct pt_error *error)
{
    enum pt_status st = make_words(l, o, error);
    if (st != PT_OK)
        return st;
    for (int i = 0; i < PT_LIMITS; i++)
        setrlimit(limited[i], &l->limits[i]);
    execve(l->file, l->argv, environ);
    return pt_problem_set(error, PT_ENOTFOUND, errno,
                          "%.150s cannot be run (%m); name an interpreter with "
                          "--python=",
                          l->file);
}

enum pt_status
pt_launch_prepare(struct pt_launch *l, const struct pt_options *o,
                  const char *socket, struct pt_error *error)
{
    char *shim = NULL;
    enum pt_status st = make_words(l, o, error);
    if (st == PT_OK)
        st = find_shim(&shim, error);
    if (st == PT_OK)
        st = make_environment(l, shim);
    free(shim);
    if (st == PT_ENOMEM)
        pt_problem_set(error, st, 0, "out of memory");
    l->socket = socket;
    l->alone = o->alone;
    return st;
}

/* The child's last steps.  `report` closes when exec succeeds. */
static _Noreturn void
become_program(struct pt_launch *l, const struct pt_signals *signals,
               int report)
{
    for (int i = 0; i < PT_LIMITS; i++)
        setrlimit(limited[i], &l->limits[i]);
    pt_signals_restore(signals);
    snprintf(l->word, sizeof l->word, PT_ENV "=%s,%ld,0,%d", l->socket,
             (long)getpid(), l->alone);
    execve(l->file, l->argv, l->envp);
    int err = errno;
    (void)!write(report, &err, sizeof err);
    _exit(127);
}

/* A pipe that the program closes must be closed: we hold no second end. */
static void
let_go(const struct pt_launch *l)
{
    for (size_t i = 0; i < l->inherited_count; i++)
        close(l->inherited[i]);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && null != fd)
            dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

enum pt_status
pt_launch_start(struct pt_launch *l, const struct pt_signals *signals,
                pid_t *child, struct pt_error *error)
{
    int report[2], err = 0;
    if (pipe2(report, O_CLOEXEC) != 0)
        return pt_problem_set(error, PT_EIO, errno,
                              "no pipe to be had (%m); see `ulimit -n`");
    pid_t pid = fork();
    if (pid < 0) {
        err = errno;
        close(report[0]);
        close(report[1]);
        return pt_problem_set(error, PT_EIO, err,
                              "no process to be had (%m); see `ulimit -u`");
    }
    if (pid == 0)
        become_program(l, signals, report[1]);
    close(report[1]);
    ssize_t n;
    do
        n = read(report[0], &err, sizeof err);
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n == (ssize_t)sizeof err) {
        waitpid(pid, NULL, 0);
        return pt_problem_set(
            error, PT_ENOTFOUND, err,
            "%.150s cannot be run (%m); name an interpreter with "
            "--python=",
            l->file);
    }
    let_go(l);
    *child = pid;
    return PT_OK;
}
