#include "record/signals.h"
#include "record/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* SIGPIPE and SIGXFSZ would kill ptrec where a failed write should be told;
 * an ignored SIGCHLD would hide how the program ended. */
static const struct {
    int sig;
    void (*handler)(int);
} changed[PT_SAVED_SIGNALS] = {
    {SIGPIPE, SIG_IGN}, {SIGXFSZ, SIG_IGN}, {SIGCHLD, SIG_DFL}};

static const int forwarded[] = {SIGTERM, SIGHUP,  SIGUSR1,
                                SIGUSR2, SIGCONT, SIGWINCH};
static const int held[] = {SIGINT, SIGQUIT, SIGTSTP, SIGCHLD};

enum { FORWARDED = sizeof forwarded / sizeof *forwarded };

enum pt_status
pt_signals_take(struct pt_signals *s, struct pt_error *error)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < FORWARDED; i++)
        sigaddset(&set, forwarded[i]);
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        sigaddset(&set, held[i]);
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd < 0)
        return pt_problem_set(
            error, PT_EIO, errno,
            "signals cannot be watched (%m); see `ulimit -n`");
    sigprocmask(SIG_BLOCK, &set, &s->mask);
    for (int i = 0; i < PT_SAVED_SIGNALS; i++) {
        struct sigaction act = {.sa_handler = changed[i].handler};
        sigaction(changed[i].sig, &act, &s->saved[i]);
    }
    return PT_OK;
}

void
pt_signals_restore(const struct pt_signals *s)
{
    for (int i = 0; i < PT_SAVED_SIGNALS; i++)
        sigaction(changed[i].sig, &s->saved[i], NULL);
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

void
pt_signals_close(struct pt_signals *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* What a terminal or the kernel sends goes to the whole process group, so the
 * program has it already; what the program itself sends to us is not for it. */
static bool
passes_on(const struct signalfd_siginfo *info, pid_t child)
{
    return info->ssi_code <= 0 && (pid_t)info->ssi_pid != child;
}

void
pt_signals_read(struct pt_signals *s, pid_t child, bool *children, bool *end)
{
    struct signalfd_siginfo info;
    while (read(s->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        int sig = (int)info.ssi_signo;
        if (sig == SIGCHLD) {
            *children = true;
            continue;
        }
        if (child == 0) {
            *end |= sig == SIGINT || sig == SIGTERM || sig == SIGHUP ||
                    sig == SIGQUIT;
            continue;
        }
        if (sig == SIGINT || sig == SIGQUIT || !passes_on(&info, child))
            continue;
        kill(child, sig);
    }
}

/* Waits a moment for the child to be continued by whoever continued us: the
 * shell continues the whole group. */
static bool
continued(pid_t child)
{
    const struct timespec pause = {0, 2000000};
    for (int i = 0; i < 10; i++) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)child, &info,
                   WCONTINUED | WEXITED | WNOHANG | WNOWAIT) != 0)
            return true;
        if (info.si_pid == child) {
            if (info.si_code == CLD_CONTINUED)
                waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOHANG);
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Only a shell with a terminal waits for jobs that stop, and continues them.
 * Elsewhere whoever stopped the program continues the program, not us. */
static bool
under_job_control(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void
pt_signals_stop_as(struct pt_signals *s, pid_t child, int sig)
{
    if (!under_job_control())
        return;
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, sig);
    raise(sig);
    /* Here we stop, unless the group is an orphan, which nobody continues. */
    sigprocmask(SIG_UNBLOCK, &set, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);

    struct signalfd_siginfo info;
    sigemptyset(&set);
    sigaddset(&set, SIGCONT);
    if (signalfd(s->fd, &set, 0) >= 0) {
        /* The signal that continued us is not one to pass on. */
        while (read(s->fd, &info, sizeof info) == (ssize_t)sizeof info)
            ;
        for (size_t i = 0; i < FORWARDED; i++)
            sigaddset(&set, forwarded[i]);
        for (size_t i = 0; i < sizeof held / sizeof *held; i++)
            sigaddset(&set, held[i]);
        signalfd(s->fd, &set, 0);
    }
    if (!continued(child))
        kill(child, SIGCONT);
}

int
pt_signals_end_as(int status)
{
    if (!WIFSIGNALED(status))
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    int sig = WTERMSIG(status);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0); /* a core_pattern that is a pipe has no limit */
    struct sigaction act = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigaction(sig, &act, NULL);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return 128 + sig;
}
