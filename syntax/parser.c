#include "syntax/parser.h"

#include "format/error.h"
#include "format/syntax.h"
#include "syntax/installed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    GREETING = 0x54500001,
    START_SECONDS = 10,
    PARSE_SECONDS = 10,      /* and for each megabyte ... */
    MEGABYTE_SECONDS = 10,   /* ... some ten times what it takes */
    SLICE_MS = 50,           /* after which cancelling is noticed */
    LONGEST_TEXT = 16 << 20, /* PT_SOURCE_LIMIT of a recording */
    LONGEST_ANSWER = 1 << 30,
    STEP = 1 << 20,
};
/* A text can ask for more memory than its size lets one guess. */
static const rlim_t most_memory = (rlim_t)4 << 30;

/* --- the interpreter ------------------------------------------------------ */

/* In the child, where only what is safe after a fork may be called. */
static _Noreturn void
become_interpreter(int fd, const char *python, const char *script, int niceness)
{
    static const int ended[] = {SIGPIPE, SIGCHLD, SIGTERM, SIGHUP};
    char *argv[] = {(char *)python, "-I", "-S", "-E", (char *)script, NULL};
    int null = open("/dev/null", O_WRONLY);
    fcntl(fd, F_SETFD, 0); /* it may be one of these already */
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    /* Ctrl-C is the program's; we are ended by our input's end. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    for (size_t i = 0; i < sizeof ended / sizeof *ended; i++)
        signal(ended[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct rlimit limit = {0, 0};
    setrlimit(RLIMIT_CORE, &limit);
    getrlimit(RLIMIT_AS, &limit);
    if (limit.rlim_cur > most_memory) {
        limit.rlim_cur = most_memory;
        setrlimit(RLIMIT_AS, &limit);
    }
    if (nice(niceness) == -1) {
        /* it runs as we do */
    }
    execvp(python, argv);
    _exit(127);
}

/* Ends the interpreter, and tells how it did end: a participle for after "the
 * parser ..." or "it ...". */
static void
reap(struct pt_parser *p, char *how, size_t size)
{
    int status = 0;
    kill(p->pid, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) {
    }
    p->pid = 0;
    if (WIFEXITED(status))
        snprintf(how, size, "ended with status %d", WEXITSTATUS(status));
    else
        snprintf(how, size, "was ended by signal %d", WTERMSIG(status));
}

static void
hang_up(struct pt_parser *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* --- talking to it -------------------------------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the socket is ready.  PT_END cancelled, PT_ELIMIT too late.
 */
static enum pt_status
await(struct pt_parser *p, short events, int64_t until)
{
    for (;;) {
        if (atomic_load(&p->cancelled))
            return PT_END;
        if (now_ms() >= until)
            return PT_ELIMIT;
        struct pollfd at = {.fd = p->fd, .events = events};
        if (poll(&at, 1, SLICE_MS) > 0)
            return PT_OK;
    }
}

/* Moves all of `n` bytes; PT_EIO when the other end is gone. */
static enum pt_status
move(struct pt_parser *p, void *data, size_t n, bool out, int64_t until)
{
    char *at = data;
    while (n > 0) {
        enum pt_status st = await(p, out ? POLLOUT : POLLIN, until);
        if (st != PT_OK)
            return st;
        ssize_t k = out ? send(p->fd, at, n, MSG_NOSIGNAL) : read(p->fd, at, n);
        if (k < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (k <= 0)
            return PT_EIO;
        at += k;
        n -= (size_t)k;
    }
    return PT_OK;
}

static enum pt_status
greet(struct pt_parser *p)
{
    uint32_t greeting[2];
    int64_t until = now_ms() + START_SECONDS * 1000;
    enum pt_status st = move(p, greeting, sizeof greeting, false, until);
    if (st == PT_OK && greeting[0] != GREETING)
        return PT_EIO;
    if (st == PT_OK)
        p->version = greeting[1];
    return st;
}

/* Its standard input and output are one socket, which unlike a pipe can be
 * written to without a signal where the other end is gone. */
static enum pt_status
spawn(struct pt_parser *p, const char *python, const char *script, int niceness)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends) != 0)
        return PT_EIO;
    int flags = fcntl(ends[1], F_GETFL);
    fcntl(ends[1], F_SETFL, flags & ~O_NONBLOCK);
    p->pid = fork();
    if (p->pid == 0)
        become_interpreter(ends[1], python, script, niceness);
    int err = errno;
    close(ends[1]);
    p->fd = ends[0];
    if (p->pid > 0)
        return PT_OK;
    p->pid = 0;
    hang_up(p);
    errno = err;
    return PT_EIO;
}

enum pt_status
pt_parser_start(struct pt_parser *p, const char *python, int niceness,
                struct pt_error *error)
{
    char script[PATH_MAX], how[64];
    p->pid = 0;
    p->fd = -1;
    int err = pt_installed("parse.py", script, sizeof script);
    if (err != 0)
        return pt_error_set(error, PT_EIO, err, -1,
                            "%s cannot be read (%s); build it with make",
                            script[0] != '\0' ? script : "lib/ptrec/parse.py",
                            strerror(err));
    enum pt_status st = spawn(p, python, script, niceness);
    if (st != PT_OK)
        return pt_error_set(error, st, errno, -1,
                            "no process to be had for a parser (%s); see "
                            "`ulimit -u -n`",
                            strerror(errno));
    st = greet(p);
    if (st == PT_OK || st == PT_END)
        return st;
    reap(p, how, sizeof how);
    hang_up(p);
    return pt_error_set(error, PT_EIO, 0, -1, "%s cannot parse: it %s", python,
                        st == PT_ELIMIT ? "does not answer" : how);
}

void
pt_parser_stop(struct pt_parser *p)
{
    char how[64];
    if (p->pid != 0)
        reap(p, how, sizeof how);
    hang_up(p);
}

void
pt_parser_cancel(struct pt_parser *p)
{
    atomic_store(&p->cancelled, true);
}

/* --- parsing -------------------------------------------------------------- */

static enum pt_status
failed(const char *why, struct pt_syntax **out)
{
    struct pt_syntax_made *m;
    enum pt_status st = pt_syntax_new(&m);
    if (st != PT_OK)
        return st;
    st = pt_syntax_fail(m, (struct pt_str){why, strlen(why)});
    if (st == PT_OK)
        *out = &m->syntax;
    else
        pt_syntax_free(&m->syntax);
    return st;
}

static enum pt_status
ask(struct pt_parser *p, struct pt_str text, struct pt_buf *answer)
{
    uint32_t n = (uint32_t)text.len;
    int64_t ms =
        1000 * (PARSE_SECONDS + MEGABYTE_SECONDS * (int64_t)(text.len >> 20));
    int64_t until = now_ms() + ms;
    enum pt_status st = move(p, &n, sizeof n, true, until);
    if (st == PT_OK)
        st = move(p, (void *)(uintptr_t)text.data, text.len, true, until);
    if (st == PT_OK)
        st = move(p, &n, sizeof n, false, until);
    if (st != PT_OK)
        return st;
    if (n > LONGEST_ANSWER)
        return PT_EDAMAGED;
    /* Memory for what has come, not for what is announced. */
    while (st == PT_OK && n > 0) {
        size_t step = n < STEP ? n : STEP;
        uint8_t *room = pt_buf_room(answer, step);
        if (room == NULL)
            return PT_ENOMEM;
        st = move(p, room, step, false, until);
        answer->len += step;
        n -= (uint32_t)step;
    }
    return st;
}

enum pt_status
pt_parser_parse(struct pt_parser *p, struct pt_str text, struct pt_syntax **out)
{
    struct pt_buf answer = {0};
    char how[64], why[128];
    if (text.len > LONGEST_TEXT)
        return failed("it is too long", out);
    enum pt_status st = ask(p, text, &answer);
    if (st == PT_OK)
        st = pt_parser_answer(
            (struct pt_str){(const char *)answer.data, answer.len}, out);
    pt_buf_clear(&answer);
    if (st == PT_OK)
        (*out)->version = p->version;
    if (st == PT_OK || st == PT_END || st == PT_ENOMEM)
        return st;
    /* Its parser fell over this text, or is not what we take it for. */
    reap(p, how, sizeof how);
    hang_up(p);
    snprintf(why, sizeof why, "the parser %s",
             st == PT_ELIMIT     ? "took too long"
             : st == PT_EDAMAGED ? "gave an answer that cannot be"
                                 : how);
    st = failed(why, out);
    if (st == PT_OK)
        (*out)->version = p->version;
    return st;
}
