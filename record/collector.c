#include "record/collector.h"
#include "record/problem.h"
#include "record/summary.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Tags of epoll events.  Processes and connections get numbers from FIRST_TAG
 * on, never twice, so that an event of one that is over meets no other. */
enum { TAG_DOOR = 1, TAG_SIGNALS, TAG_BELL, FIRST_TAG };

enum {
    BATCH = 32,
    PATIENT_POLLS = 8, /* idle polls at 1 ms before backing off */
    LONGEST_POLL = 64, /* ms */
    EMPTY_POLL = 500,  /* ms, while nobody is recorded */
    FLUSH_EVERY = 1,   /* s that an event may stay unwritten */
};

static const int64_t second = 1000000000;

static int64_t
monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * second + t.tv_nsec;
}

static int
watch(struct pt_collector *c, int fd, uint64_t tag)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : errno;
}

enum pt_status
pt_collector_init(struct pt_collector *c, struct pt_error *error)
{
    c->epoll = -1;
    c->tag = FIRST_TAG;
    c->spare.fd = -1;
    for (int i = 0; i < PT_GREETERS; i++)
        c->greeters[i].fd = -1;
    pt_journal_init(&c->journal, c->clock, c->config.events, c->config.stamped,
                    c->config.flow);
    enum pt_status st = pt_ringer_start(&c->ringer, error);
    if (st != PT_OK)
        return st;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = c->epoll < 0 ? errno : 0;
    if (err == 0)
        err = watch(c, c->listener->fd, TAG_DOOR);
    if (err == 0)
        err = watch(c, c->signals->fd, TAG_SIGNALS);
    if (err == 0)
        err = watch(c, c->ringer.fd, TAG_BELL);
    if (err != 0)
        return pt_problem_set(error, PT_EIO, err,
                              "epoll cannot be used (%m); see `ulimit -n`");
    return PT_OK;
}

void
pt_collector_expect(struct pt_collector *c, pid_t child)
{
    struct pt_error later;
    c->child = child;
    pt_arena_map_init(&c->spare, &c->config, &later);
}

void
pt_collector_clear(struct pt_collector *c)
{
    if (c->tag == 0)
        return; /* never made: its zeros are no descriptors */
    while (c->tracees != NULL) {
        struct pt_tracee *t = c->tracees;
        c->tracees = t->next;
        pt_tracee_free(t, &c->journal);
    }
    for (int i = 0; i < PT_GREETERS; i++) {
        if (c->greeters[i].fd >= 0)
            close(c->greeters[i].fd);
    }
    pt_arena_map_clear(&c->spare);
    pt_ringer_stop(&c->ringer);
    pt_journal_clear(&c->journal);
    pt_notes_clear(&c->notes);
    if (c->epoll >= 0)
        close(c->epoll);
}

/* --- the log's failures --------------------------------------------------- */

/* Writing has failed: everybody is told to stop, and the program runs on. */
static void
log_failed(struct pt_collector *c, enum pt_status st)
{
    struct pt_error *error = &c->output->error;
    if (error->status != PT_OK)
        return;
    const struct pt_error *why =
        c->journal.writer != NULL ? pt_writer_error(c->journal.writer) : NULL;
    if (why != NULL && why->status != PT_OK)
        *error = *why;
    else
        pt_problem_set(error, st, 0,
                       "the recording ended early (%s); the program did not",
                       pt_status_name(st));
    for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next)
        pt_tracee_stop(t, PT_STOP_DISK);
}

static bool
has_failed(const struct pt_collector *c)
{
    return c->output->error.status != PT_OK;
}

/* --- processes ------------------------------------------------------------ */

static void
finish(struct pt_collector *c, struct pt_tracee *t, enum pt_ending ending,
       int value)
{
    enum pt_status st = pt_tracee_finish(t, &c->journal, ending, value);
    if (st != PT_OK)
        log_failed(c, st);
    for (struct pt_tracee **p = &c->tracees; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    pt_tracee_free(t, &c->journal);
    c->ended = pt_timebase_now(c->clock);
}

static struct pt_tracee *
find_pid(struct pt_collector *c, pid_t pid)
{
    struct pt_tracee *t = c->tracees;
    while (t != NULL && t->pid != pid)
        t = t->next;
    return t;
}

/* We cannot record a process.  When it is the program, its shim ends it
 * before it begins, and ptrec with the status of a system's failure. */
static void
cannot_record(struct pt_collector *c, pid_t pid, const struct pt_error *why)
{
    if (pid == c->child) {
        pt_say("%s", why->text);
        c->refused = 4;
    } else {
        pt_notes_add(&c->notes, "process %d was not recorded: %.200s", (int)pid,
                     why->text);
    }
}

/* The first process to join opens the trace: until then there is none, and
 * the clock had time to be measured. */
static int
open_trace(struct pt_collector *c, pid_t pid)
{
    if (c->journal.writer != NULL)
        return has_failed(c) ? ENOSPC : 0;
    if (has_failed(c))
        return EIO;
    pt_timebase_fix(c->clock);
    c->header.clock = c->clock->clock;
    enum pt_status st = pt_output_open(c->output, &c->header, &c->notes);
    c->journal.writer = c->output->writer;
    if (st == PT_OK)
        return 0;
    if (!has_failed(c))
        pt_problem_set(&c->output->error, st, 0, "the trace cannot be opened");
    cannot_record(c, pid, &c->output->error);
    int sys = c->output->error.sys;
    return sys != 0 ? sys : EIO;
}

/* Makes a process of a hello.  Returns 0 or an errno value. */
static int
admit(struct pt_collector *c, pid_t pid, struct pt_tracee **out)
{
    int err = open_trace(c, pid);
    if (err != 0)
        return err;
    /* The same process says hello again: it became another program. */
    struct pt_tracee *old = find_pid(c, pid);
    if (old != NULL)
        finish(c, old, PT_ENDED_EXEC, 0);
    struct pt_error error;
    if (c->spare.arena == NULL &&
        pt_arena_map_init(&c->spare, &c->config, &error) != PT_OK) {
        cannot_record(c, pid, &error);
        return error.sys != 0 ? error.sys : ENOMEM;
    }

    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return errno;
    bool program = pid == c->child && !c->child_over;
    struct pt_tracee *t;
    if (pt_tracee_new(pid, &c->spare, pt_timebase_now(c->clock),
                      program ? c->command : NULL, &c->notes, &t) != PT_OK) {
        close(pidfd);
        return ENOMEM;
    }
    t->tag = c->tag++;
    t->pidfd = pidfd;
    /* How the program itself ended we learn as its parent. */
    err = program ? 0 : watch(c, pidfd, t->tag);
    if (err != 0) {
        pt_tracee_free(t, &c->journal);
        return err;
    }
    t->next = c->tracees;
    c->tracees = t;
    c->joined++;
    *out = t;
    return 0;
}

static void
refuse(struct pt_collector *c, pid_t pid, const char *text)
{
    char clean[sizeof((struct pt_hello *)0)->text];
    pt_problem_clean(clean, sizeof clean, text, sizeof clean);
    if (pid != c->child || c->child_over) {
        pt_notes_add(&c->notes, "process %d was not recorded: %.200s", (int)pid,
                     clean);
        return;
    }
    /* The program itself: its shim ends it before it begins. */
    if (c->refused == 0) {
        c->refused = 2;
        pt_say("%s", clean);
    }
}

/* --- the door ------------------------------------------------------------- */

static void
greeter_close(struct pt_greeter *g)
{
    close(g->fd);
    g->fd = -1;
}

static void
open_door(struct pt_collector *c)
{
    pid_t pid;
    int fd;
    while ((fd = pt_listener_accept(c->listener, &pid)) >= 0) {
        struct pt_greeter *g = c->greeters;
        while (g < c->greeters + PT_GREETERS && g->fd >= 0)
            g++;
        if (g == c->greeters + PT_GREETERS || pid <= 0) {
            close(fd);
            continue;
        }
        *g = (struct pt_greeter){fd, pid, c->tag++};
        if (watch(c, fd, g->tag) != 0)
            greeter_close(g);
    }
}

static void
hear_hello(struct pt_collector *c, struct pt_greeter *g)
{
    struct pt_hello hello;
    int came = pt_hello_read(g->fd, &hello);
    if (came == 0)
        return;
    if (came > 0 && hello.kind == PT_HELLO_REFUSED) {
        refuse(c, g->pid, hello.text);
    } else if (came > 0 && hello.kind == PT_HELLO_JOIN) {
        struct pt_tracee *t = NULL;
        int err = admit(c, g->pid, &t);
        pt_welcome_send(g->fd, err, t != NULL ? &t->map : NULL, &c->ringer.map);
        if (t != NULL)
            pt_arena_map_handed(&t->map);
    }
    greeter_close(g);
}

/* --- the program ---------------------------------------------------------- */

static void
program_ended(struct pt_collector *c, int status)
{
    c->child_over = true;
    c->status = status;
    c->child_ended = monotonic();
    struct pt_tracee *t = find_pid(c, c->child);
    if (t != NULL && WIFSIGNALED(status))
        finish(c, t, PT_ENDED_SIGNAL, WTERMSIG(status));
    else if (t != NULL)
        finish(c, t, PT_ENDED_EXIT, WEXITSTATUS(status));
}

static void
look_after_program(struct pt_collector *c)
{
    int status;
    c->children = false;
    while (!c->child_over) {
        pid_t pid = waitpid(c->child, &status, WNOHANG | WUNTRACED);
        if (pid != c->child)
            return;
        if (WIFSTOPPED(status))
            pt_signals_stop_as(c->signals, c->child, WSTOPSIG(status));
        else
            program_ended(c, status);
    }
}

/* --- the loop ------------------------------------------------------------- */

static void
dispatch(struct pt_collector *c, uint64_t tag)
{
    if (tag == TAG_DOOR) {
        open_door(c);
    } else if (tag == TAG_SIGNALS) {
        pt_signals_read(c->signals, c->child_over ? 0 : c->child, &c->children,
                        &c->end);
    } else if (tag == TAG_BELL) {
        pt_ringer_hush(&c->ringer);
    } else {
        for (int i = 0; i < PT_GREETERS; i++) {
            if (c->greeters[i].fd >= 0 && c->greeters[i].tag == tag) {
                hear_hello(c, &c->greeters[i]);
                return;
            }
        }
        for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next) {
            if (t->tag == tag) {
                finish(c, t, PT_ENDED_GONE, 0);
                return;
            }
        }
    }
}

static bool
drain_all(struct pt_collector *c)
{
    bool busy = false;
    for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next) {
        enum pt_status st = pt_tracee_drain(t, &c->journal, &busy);
        if (st != PT_OK)
            log_failed(c, st);
    }
    return busy;
}

/* Tells once, two seconds after the program ended, who keeps us. */
static void
name_the_others(struct pt_collector *c)
{
    if (c->named || monotonic() - c->child_ended < 2 * second)
        return;
    c->named = true;
    for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next)
        pt_say("waiting for process %d (%s), which still records; --no-wait "
               "would not",
               (int)t->pid, t->defs.name[0] != '\0' ? t->defs.name : "unnamed");
}

static bool
all_over(struct pt_collector *c)
{
    if (!c->child_over)
        return false;
    if (c->tracees == NULL || c->no_wait || c->end)
        return true;
    name_the_others(c);
    return false;
}

static void
sleep_and_dispatch(struct pt_collector *c, int timeout)
{
    struct epoll_event events[BATCH];
    bool bell = timeout > 1;
    if (bell)
        pt_ringer_listen(&c->ringer, true);
    int n = epoll_wait(c->epoll, events, BATCH, timeout);
    if (bell)
        pt_ringer_listen(&c->ringer, false);
    for (int i = 0; i < n; i++)
        dispatch(c, events[i].data.u64);
}

/* What a kill -9 of ourselves can cost is bounded by this, not by the block. */
static void
flush_pending(struct pt_collector *c)
{
    int64_t now = monotonic();
    if (c->journal.writer == NULL || now - c->flushed < FLUSH_EVERY * second)
        return;
    c->flushed = now;
    for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next) {
        enum pt_status st = pt_tracee_flush(t, &c->journal);
        if (st != PT_OK)
            log_failed(c, st);
    }
}

static void
tell_progress(struct pt_collector *c)
{
    int64_t now = monotonic();
    if (!c->progress || c->journal.writer == NULL || now - c->told < second)
        return;
    c->told = now;
    pt_summary_progress(c);
}

static enum pt_status
close_trace(struct pt_collector *c)
{
    if (c->journal.writer == NULL)
        return c->output->error.status;
    c->events = pt_writer_event_count(c->journal.writer);
    c->definitions = pt_writer_definition_bytes(c->journal.writer);
    const char *reason = "complete";
    if (has_failed(c))
        reason = c->output->error.status == PT_EIO ? "disk full" : "failed";
    else if (c->cut_short)
        reason = "collector stopped";
    struct pt_end end = {
        .events = c->events,
        .gaps = c->journal.gaps,
        .lost = c->journal.lost,
        .time = c->ended,
        .reason = {reason, strlen(reason)},
    };
    return pt_output_close(c->output, &end);
}

enum pt_status
pt_collector_run(struct pt_collector *c)
{
    int idle = 0;
    c->told = monotonic();
    look_after_program(c); /* it may have ended before we watched */
    while (!all_over(c)) {
        int timeout = 1;
        if (c->tracees == NULL)
            timeout = EMPTY_POLL;
        else if (idle > PATIENT_POLLS + 6)
            timeout = LONGEST_POLL;
        else if (idle > PATIENT_POLLS)
            timeout = 1 << (idle - PATIENT_POLLS);
        sleep_and_dispatch(c, timeout);
        idle = drain_all(c) ? 0 : idle + 1;
        if (c->children)
            look_after_program(c);
        flush_pending(c);
        tell_progress(c);
    }
    while (c->tracees != NULL) {
        c->cut_short = true;
        pt_tracee_stop(c->tracees, PT_STOP_GONE);
        finish(c, c->tracees, PT_ENDED_UNKNOWN, 0);
    }
    return close_trace(c);
}
