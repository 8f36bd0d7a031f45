#include "record/collector.h"
#include "record/admit.h"
#include "record/ending.h"
#include "record/problem.h"
#include "record/summary.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Tags of epoll events.  Processes and connections get numbers from FIRST_TAG
 * on, never twice, so that an event of one that is over meets no other. */
enum { TAG_DOOR = 1, TAG_SIGNALS, TAG_BELL, TAG_SYNTAX, FIRST_TAG };

enum {
    BATCH = 32,
    PATIENT_POLLS = 8,    /* idle polls at 1 ms before backing off */
    LONGEST_POLL = 64,    /* ms */
    EMPTY_POLL = 500,     /* ms, while nobody is recorded */
    FLUSH_EVERY = 1,      /* s that an event may stay unwritten */
    LAST_POLL = 5,        /* ms, when all may be over */
    START_MS = 100,       /* from exec to an interpreter's knock */
    FORK_PATIENCE = 2,    /* s for a forked child's first event */
    SYNTAX_PATIENCE = 30, /* s for syntax, when all else is done */
    SYNTAX_EASE_MS = 100, /* in which it is made at a low priority still */
};

static const int64_t second = 1000000000;

int64_t
pt_collector_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * second + t.tv_nsec;
}

int
pt_collector_watch(struct pt_collector *c, int fd, uint64_t tag)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : errno;
}

enum pt_status
pt_collector_init(struct pt_collector *c, struct pt_error *error)
{
    c->epoll = c->tether = -1;
    c->tag = FIRST_TAG;
    c->door = TAG_DOOR;
    c->spare.fd = -1;
    for (int i = 0; i < PT_GREETERS; i++)
        c->greeters[i].fd = -1;
    pt_journal_init(&c->journal, c->clock, c->config.events, c->config.stamped,
                    c->config.flow);
    enum pt_status st = pt_ringer_start(&c->ringer, error);
    if (st != PT_OK)
        return st;
    c->tether = pt_tether_open(error);
    if (c->tether < 0)
        return error->status;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = c->epoll < 0 ? errno : 0;
    if (err == 0)
        err = pt_collector_watch(c, c->listener->fd, TAG_DOOR);
    if (err == 0)
        err = pt_collector_watch(c, c->signals->fd, TAG_SIGNALS);
    if (err == 0)
        err = pt_collector_watch(c, c->ringer.fd, TAG_BELL);
    if (err != 0)
        return pt_problem_set(error, PT_EIO, err,
                              "epoll cannot be used (%m); see `ulimit -n`");
    st = pt_syntaxer_new(c->syntax, &c->syntaxer);
    if (st != PT_OK)
        return pt_problem_set(error, st, 0, "out of memory");
    if (pt_syntaxer_fd(c->syntaxer) >= 0)
        pt_collector_watch(c, pt_syntaxer_fd(c->syntaxer), TAG_SYNTAX);
    return PT_OK;
}

void
pt_collector_expect(struct pt_collector *c, pid_t child)
{
    c->child = child;
    pt_admit_prepare(c);
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
    pt_syntaxer_free(c->syntaxer);
    pt_arena_map_clear(&c->spare);
    pt_ringer_stop(&c->ringer);
    pt_journal_clear(&c->journal);
    pt_notes_clear(&c->notes);
    pt_family_clear(&c->family);
    if (c->tether >= 0)
        close(c->tether);
    if (c->epoll >= 0)
        close(c->epoll);
}

/* --- the log's failures --------------------------------------------------- */

/* Writing has failed: everybody is told to stop, and the program runs on. */
void
pt_collector_log_failed(struct pt_collector *c, enum pt_status st)
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

void
pt_collector_finish(struct pt_collector *c, struct pt_tracee *t,
                    enum pt_ending ending, int value)
{
    bool told = ending == PT_ENDED_EXEC;
    enum pt_status st = pt_tracee_finish(t, &c->journal, &ending, value);
    if (st != PT_OK)
        pt_collector_log_failed(c, st);
    if (!told && ending == PT_ENDED_EXEC)
        pt_notes_add(&c->notes,
                     "process %d became another program (exec), which was not "
                     "recorded",
                     (int)t->pid);
    for (struct pt_tracee **p = &c->tracees; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    pt_family_end(&c->family, t);
    pt_tracee_free(t, &c->journal);
    c->ended = pt_timebase_now(c->clock);
}

struct pt_tracee *
pt_collector_find(struct pt_collector *c, pid_t pid)
{
    struct pt_tracee *t = c->tracees;
    while (t != NULL && t->pid != pid)
        t = t->next;
    return t;
}

/* A process that is not our child has ended. */
static void
process_ended(struct pt_collector *c, struct pt_tracee *t)
{
    enum pt_ending ending;
    int value;
    pt_ending_learn(t->pidfd, t->pid, t->map.arena, &ending, &value);
    pt_collector_finish(c, t, ending, value);
}

/* --- the program ---------------------------------------------------------- */

static void
program_ended(struct pt_collector *c, int status)
{
    c->child_over = true;
    c->status = status;
    c->child_ended = pt_collector_now();
    struct pt_tracee *t = pt_collector_find(c, c->child);
    if (t != NULL && WIFSIGNALED(status))
        pt_collector_finish(c, t, PT_ENDED_SIGNAL, WTERMSIG(status));
    else if (t != NULL)
        pt_collector_finish(c, t, PT_ENDED_EXIT, WEXITSTATUS(status));
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

/* Writes the syntax that has been made. */
static void
collect_syntax(struct pt_collector *c)
{
    if (c->journal.writer == NULL || has_failed(c))
        return;
    enum pt_status st = pt_syntaxer_collect(c->syntaxer, c->journal.writer);
    if (st != PT_OK)
        pt_collector_log_failed(c, st);
}

static void
dispatch(struct pt_collector *c, uint64_t tag)
{
    if (tag == TAG_DOOR) {
        pt_admit_open(c);
    } else if (tag == TAG_SIGNALS) {
        pt_signals_read(c->signals, c->child_over ? 0 : c->child, &c->children,
                        &c->end);
    } else if (tag == TAG_BELL) {
        pt_ringer_hush(&c->ringer);
    } else if (tag == TAG_SYNTAX) {
        collect_syntax(c);
    } else if (!pt_admit_hear(c, tag)) {
        for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next) {
            if (t->tag == tag) {
                process_ended(c, t);
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
            pt_collector_log_failed(c, st);
    }
    return busy;
}

/* Tells once, two seconds after the program ended, who keeps us. */
static void
name_the_others(struct pt_collector *c)
{
    if (c->named || pt_collector_now() - c->child_ended < 2 * second)
        return;
    c->named = true;
    for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next)
        pt_say("waiting for process %d (%s), which still records; --no-wait "
               "would not",
               (int)t->pid, t->defs.name[0] != '\0' ? t->defs.name : "unnamed");
}

/* Nobody is recorded now.  May somebody come?  An interpreter that starts, a
 * program that was started just now and can be one, a forked child that has
 * not run any Python yet. */
static bool
somebody_comes(struct pt_collector *c)
{
    int64_t now = pt_collector_now();
    int64_t started = (int64_t)atomic_load(&c->ringer.map.bell->started);
    if (c->config.alone)
        return false;
    if (c->last == 0)
        c->last = now;
    if (pt_admit_expects(c) ||
        (started <= now / 1000000 && now / 1000000 - started < START_MS))
        return true;
    if (!pt_tether_held(c->tether))
        return false;
    if (now - c->last < FORK_PATIENCE * second)
        return true;
    pt_notes_add(&c->notes, "a forked process that ran no Python was not "
                            "waited for");
    return false;
}

static bool
all_over(struct pt_collector *c)
{
    if (!c->child_over)
        return false;
    if (c->no_wait || c->end)
        return true;
    if (c->tracees == NULL)
        return !somebody_comes(c);
    c->last = 0;
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
    int64_t now = pt_collector_now();
    if (c->journal.writer == NULL || now - c->flushed < FLUSH_EVERY * second)
        return;
    c->flushed = now;
    for (struct pt_tracee *t = c->tracees; t != NULL; t = t->next) {
        enum pt_status st = pt_tracee_flush(t, &c->journal);
        if (st != PT_OK)
            pt_collector_log_failed(c, st);
    }
}

static void
tell_progress(struct pt_collector *c)
{
    int64_t now = pt_collector_now();
    if (!c->progress || c->journal.writer == NULL || now - c->told < second)
        return;
    c->told = now;
    pt_summary_progress(c);
}

/* What children said that could not say it at the door. */
static void
tell_outside(struct pt_collector *c)
{
    const struct pt_bell *bell = c->ringer.map.bell;
    uint32_t n = atomic_load(&bell->outside);
    if (n > 0)
        pt_notes_add(&c->notes,
                     "%u forked process%s could not join the recording: %s "
                     "(process %u)",
                     n, n == 1 ? "" : "es",
                     strerror((int)atomic_load(&bell->outside_error)),
                     atomic_load(&bell->outside_pid));
}

/* The recorder makes none of those. */
static void
tell_malformed(struct pt_collector *c)
{
    uint64_t n = c->journal.malformed;
    if (n > 0)
        pt_notes_add(&c->notes,
                     "%llu value%s not as the recorder makes them, and are not "
                     "in the trace; report this",
                     (unsigned long long)n, n == 1 ? " was" : "s were");
}

/* All else is done: waits for the syntax that is being made, as long as the
 * user does. */
static void
await_syntax(struct pt_collector *c)
{
    int64_t since = pt_collector_now();
    bool told = false;
    size_t n;
    while (!c->no_wait && !c->end && !has_failed(c) &&
           (n = pt_syntaxer_waiting(c->syntaxer)) > 0) {
        int64_t waited = pt_collector_now() - since;
        if (waited > SYNTAX_PATIENCE * second)
            break;
        if (waited > SYNTAX_EASE_MS * (second / 1000))
            pt_syntaxer_hurry(c->syntaxer);
        if (!told && !c->notes.no_remarks && waited > 2 * second) {
            pt_say("parsing %zu source file%s, as --syntax asks; Ctrl-C goes "
                   "without",
                   n, n == 1 ? "" : "s");
            told = true;
        }
        sleep_and_dispatch(c, LAST_POLL);
    }
    collect_syntax(c);
    pt_syntaxer_tell(c->syntaxer, &c->notes);
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
    c->told = pt_collector_now();
    look_after_program(c); /* it may have ended before we watched */
    while (!all_over(c)) {
        int timeout = 1;
        if (c->tracees == NULL)
            timeout = c->child_over ? LAST_POLL : EMPTY_POLL;
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
        if (c->door_full)
            pt_admit_make_room(c);
        if (idle > 0 && pt_admit_expects(c))
            pt_admit_prepare(c); /* while its interpreter starts */
    }
    tell_outside(c);
    tell_malformed(c);
    while (c->tracees != NULL) {
        c->cut_short = true;
        pt_tracee_stop(c->tracees, PT_STOP_GONE);
        pt_collector_finish(c, c->tracees, PT_ENDED_UNKNOWN, 0);
    }
    await_syntax(c);
    return close_trace(c);
}
