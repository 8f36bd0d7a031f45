#include "record/admit.h"
#include "record/ending.h"
#include "record/problem.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SOME = 8,          /* live processes from which on rings are smaller ... */
    MANY = 64,         /* ... and are as small as they get */
    EXPECT_SECONDS = 5 /* that an interpreter may take to say hello */
};

static void
note_unrecorded(struct pt_collector *c, pid_t pid, const char *why)
{
    pt_notes_add(&c->notes, "process %d was not recorded: %.200s", (int)pid,
                 why);
}

/* We cannot record a process.  When it is the program, its shim ends it
 * before it begins, and ptrec with the status of a system's failure. */
static void
cannot_record(struct pt_collector *c, pid_t pid, const struct pt_error *why)
{
    if (pid == c->child && c->joined == 0) {
        pt_say("%s", why->text);
        c->refused = 4;
    } else {
        note_unrecorded(c, pid, why->text);
    }
}

static int
out_of_memory(struct pt_collector *c, pid_t pid)
{
    struct pt_error error;
    pt_problem_set(&error, PT_ENOMEM, 0, "out of memory");
    cannot_record(c, pid, &error);
    return ENOMEM;
}

/* --- a process joins ------------------------------------------------------ */

/* The first process to join opens the trace: until then there is none, and
 * the clock had time to be measured. */
static int
open_trace(struct pt_collector *c, pid_t pid)
{
    const struct pt_error *error = &c->output->error;
    bool failed = error->status != PT_OK;
    if (c->journal.writer != NULL)
        return failed ? ENOSPC : 0;
    if (failed)
        return EIO;
    pt_timebase_fix(c->clock);
    c->header.clock = c->clock->clock;
    enum pt_status st = pt_output_open(c->output, &c->header, &c->notes);
    c->journal.writer = c->output->writer;
    if (st == PT_OK)
        return 0;
    if (error->status == PT_OK)
        pt_problem_set(&c->output->error, st, 0, "the trace cannot be opened");
    cannot_record(c, pid, error);
    return error->sys != 0 ? error->sys : EIO;
}

static uint32_t
ring_shrink(const struct pt_collector *c)
{
    uint32_t live = 0;
    for (const struct pt_tracee *t = c->tracees; t != NULL; t = t->next)
        live++;
    return live < SOME ? 0 : live < MANY ? PT_SHRINK_SOME : PT_SHRINK_MOST;
}

static bool
has_ended(const struct pt_tracee *t)
{
    struct pollfd over = {.fd = t->pidfd, .events = POLLIN};
    return poll(&over, 1, 0) > 0;
}

/* A process of that pid was here before: it became another program, unless it
 * has ended and the number is another's now. */
static void
end_former(struct pt_collector *c, pid_t pid)
{
    struct pt_tracee *old = pt_collector_find(c, pid);
    if (old == NULL)
        return;
    enum pt_ending ending = PT_ENDED_EXEC;
    int value = 0;
    if (has_ended(old))
        pt_ending_learn(old->pidfd, pid, old->map.arena, &ending, &value);
    pt_collector_finish(c, old, ending, value);
}

/* Makes t the child of whom its hello names. */
static int
find_parent(struct pt_collector *c, const struct pt_hello *hello,
            struct pt_tracee *t)
{
    const struct pt_kin *kin = pt_family_find(&c->family, hello->parent);
    bool busy = false;
    if (kin != NULL && kin->live != NULL) {
        /* what it told until now, its own id among that */
        enum pt_status st = pt_tracee_drain(kin->live, &c->journal, &busy);
        if (st != PT_OK)
            pt_collector_log_failed(c, st);
    }
    if (kin != NULL)
        t->defs.parent =
            kin->live != NULL ? kin->live->defs.process : kin->process;
    if (hello->kind != PT_HELLO_FORKED)
        return 0;
    switch (
        pt_family_inherit(&c->family, hello->parent, hello->known, &t->defs)) {
    case PT_OK:
        return 0;
    case PT_ENOMEM:
        return out_of_memory(c, t->pid);
    default:
        note_unrecorded(c, t->pid,
                        "the process that forked it is no longer known");
        return ECHILD;
    }
}

/* Makes the tracee whose arena will be c->spare's. */
static int
make_tracee(struct pt_collector *c, pid_t pid, bool program,
            struct pt_tracee **out)
{
    struct pt_error error;
    if (c->spare.arena == NULL &&
        pt_arena_map_init(&c->spare, &c->config, ring_shrink(c), &error) !=
            PT_OK) {
        cannot_record(c, pid, &error);
        return error.sys != 0 ? error.sys : ENOMEM;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int err = errno;
        pt_problem_set(&error, PT_EIO, err,
                       "it cannot be watched (%m); see `ulimit -n`");
        if (err != ESRCH) /* was killed meanwhile, before its first event */
            cannot_record(c, pid, &error);
        return err;
    }
    /* the text of -c is that of the first image only */
    const char *command = program && c->joined == 0 ? c->command : NULL;
    if (pt_tracee_new(pid, &c->spare, pt_timebase_now(c->clock), command,
                      &c->notes, out) != PT_OK) {
        close(pidfd);
        return out_of_memory(c, pid);
    }
    (*out)->pidfd = pidfd;
    (*out)->defs.sources.syntaxer = c->syntaxer;
    return 0;
}

/* Makes a process of a hello.  Returns 0 or an errno value. */
static int
admit(struct pt_collector *c, pid_t pid, const struct pt_hello *hello,
      struct pt_tracee **out)
{
    int err = open_trace(c, pid);
    if (err != 0)
        return err;
    end_former(c, pid);
    bool program = pid == c->child && !c->child_over;
    struct pt_tracee *t = NULL;
    err = make_tracee(c, pid, program, &t);
    if (t == NULL)
        return err;
    err = find_parent(c, hello, t);
    if (err == 0 && pt_family_add(&c->family, t) != PT_OK)
        err = out_of_memory(c, pid);
    if (err == 0) {
        t->tag = c->tag++;
        /* How the program itself ended we learn as its parent. */
        err = program ? 0 : pt_collector_watch(c, t->pidfd, t->tag);
    }
    if (err != 0) {
        pt_family_end(&c->family, t);
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
    if (pid != c->child || c->child_over || c->joined > 0) {
        note_unrecorded(c, pid, clean);
        return;
    }
    /* The program itself: its shim ends it before it begins. */
    if (c->refused == 0) {
        c->refused = 2;
        pt_say("%s", clean);
    }
}

void
pt_admit_prepare(struct pt_collector *c)
{
    struct pt_error later;
    if (c->spare.arena == NULL &&
        pt_arena_map_init(&c->spare, &c->config, ring_shrink(c), &later) ==
            PT_OK)
        pt_arena_map_touch(&c->spare);
}

/* --- the door ------------------------------------------------------------- */

static void
greeter_close(struct pt_collector *c, struct pt_greeter *g)
{
    close(g->fd);
    g->fd = -1;
    if (c->door_full && pt_collector_watch(c, c->listener->fd, c->door) == 0)
        c->door_full = false;
}

static struct pt_greeter *
free_greeter(struct pt_collector *c)
{
    for (struct pt_greeter *g = c->greeters; g < c->greeters + PT_GREETERS; g++)
        if (g->fd < 0)
            return g;
    return NULL;
}

void
pt_admit_open(struct pt_collector *c)
{
    pid_t pid = 0;
    for (;;) {
        struct pt_greeter *g = free_greeter(c);
        if (g == NULL) {
            /* the others wait outside until there is a place */
            epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->listener->fd, NULL);
            c->door_full = true;
            return;
        }
        int fd = pt_listener_accept(c->listener, &pid);
        if (fd < 0 && pid == 0)
            return;
        if (fd < 0) {
            note_unrecorded(c, pid, "it runs as another user than ptrec");
            continue;
        }
        *g = (struct pt_greeter){fd, pid, c->tag++, pt_collector_now()};
        if (pid <= 0 || pt_collector_watch(c, fd, g->tag) != 0)
            greeter_close(c, g);
    }
}

static void
answer(struct pt_collector *c, struct pt_greeter *g,
       const struct pt_hello *hello)
{
    struct pt_tracee *t = NULL;
    int err = admit(c, g->pid, hello, &t);
    struct pt_welcome welcome = {.magic = PT_PROTO_MAGIC,
                                 .status = (uint32_t)err};
    if (t == NULL) {
        pt_welcome_send(g->fd, &welcome, NULL);
        return;
    }
    welcome.arena_size = t->map.size;
    welcome.number = t->number;
    const int fds[PT_WELCOME_FDS] = {t->map.fd, c->ringer.map.fd, c->tether};
    if (pt_welcome_send(g->fd, &welcome, fds)) {
        pt_arena_map_handed(&t->map);
        return;
    }
    /* It did not wait for us: a collector that was stopped is late.  One that
     * was killed meanwhile has lost nothing. */
    if (!has_ended(t))
        note_unrecorded(c, g->pid, "ptrec answered it too late");
    pt_collector_finish(c, t, PT_ENDED_UNKNOWN, 0);
}

bool
pt_admit_hear(struct pt_collector *c, uint64_t tag)
{
    struct pt_greeter *g = c->greeters;
    while (g < c->greeters + PT_GREETERS && (g->fd < 0 || g->tag != tag))
        g++;
    if (g == c->greeters + PT_GREETERS)
        return false;
    struct pt_hello hello;
    int came = pt_hello_read(g->fd, &hello);
    if (came == 0)
        return true;
    if (came > 0 && hello.kind == PT_HELLO_REFUSED)
        refuse(c, g->pid, hello.text);
    else if (came > 0 && (hello.kind == PT_HELLO_JOIN ||
                          (hello.kind == PT_HELLO_FORKED && !c->config.alone)))
        answer(c, g, &hello);
    greeter_close(c, g);
    return true;
}

/* Connections older than this are of no interpreter that starts. */
static int64_t
patience_ends(void)
{
    return pt_collector_now() - EXPECT_SECONDS * INT64_C(1000000000);
}

void
pt_admit_make_room(struct pt_collector *c)
{
    int64_t since = patience_ends();
    for (int i = 0; i < PT_GREETERS && c->door_full; i++)
        if (c->greeters[i].fd >= 0 && c->greeters[i].since < since)
            greeter_close(c, &c->greeters[i]);
}

bool
pt_admit_expects(const struct pt_collector *c)
{
    int64_t since = patience_ends();
    for (int i = 0; i < PT_GREETERS; i++)
        if (c->greeters[i].fd >= 0 && c->greeters[i].since > since)
            return true;
    return false;
}
