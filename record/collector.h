/* The collector: takes what recorded processes publish and writes the trace,
 * until the program and all who joined its recording have ended.
 *
 * It never waits for the program, and the program for it only when a ring is
 * full.  Rings are polled: each millisecond while there is something, up to
 * 64 ms apart when there is not, and then the bell wakes it earlier.
 * Thread rule: the main thread; it starts one thread, the bell's. */
#ifndef PT_RECORD_COLLECTOR_H
#define PT_RECORD_COLLECTOR_H

#include "record/bell.h"
#include "record/family.h"
#include "record/listen.h"
#include "record/output.h"
#include "record/signals.h"
#include "record/tracee.h"

/* Connections that have not said hello yet: processes whose interpreter starts.
 * More wait in the listener's queue. */
enum { PT_GREETERS = 512 };

struct pt_greeter {
    int fd; /* -1: free */
    pid_t pid;
    uint64_t tag;
    int64_t since; /* CLOCK_MONOTONIC, ns */
};

struct pt_collector {
    /* Set by the caller, all borrowed. */
    struct pt_timebase *clock;
    struct pt_output *output;
    struct pt_listener *listener;
    struct pt_signals *signals;
    struct pt_header header; /* but for its clock */
    struct pt_config config;
    const char *command; /* its -c text, or NULL */
    bool no_wait, progress;
    enum pt_syntax_of syntax;

    /* What came of it. */
    struct pt_notes notes;
    struct pt_journal journal;
    int status;           /* the program's wait status */
    int refused;          /* exit status when the program did not start */
    uint32_t joined;      /* processes */
    int64_t ended;        /* ns, when the last one did */
    uint64_t events;      /* written, and of the file's bytes ... */
    uint64_t definitions; /* ... those of definitions and sources */

    /* Its own. */
    pid_t child; /* the program */
    struct pt_ringer ringer;
    struct pt_arena_map spare; /* made while the interpreter starts */
    struct pt_greeter greeters[PT_GREETERS];
    struct pt_tracee *tracees;
    struct pt_family family;
    struct pt_syntaxer *syntaxer; /* NULL: no syntax is made */
    uint64_t tag, door;           /* the next one, and the listener's */
    int epoll, tether;
    bool door_full; /* nobody is let in until a greeter has gone */
    bool child_over, children, end, named, cut_short;
    int64_t child_ended, told, flushed; /* CLOCK_MONOTONIC, ns */
    int64_t last; /* since when nobody is recorded, 0 somebody is */
};

/* Makes bell and descriptors, before the program starts. */
enum pt_status pt_collector_init(struct pt_collector *, struct pt_error *error);

/* The program has been started: makes its arena while its interpreter starts.
 * Should that fail, it is tried again, and told, when the process joins. */
void pt_collector_expect(struct pt_collector *, pid_t child);

/* Runs until all is over, and closes the trace.  Returns what closing
 * returned; output->error tells why the log failed, if it did. */
enum pt_status pt_collector_run(struct pt_collector *);

void pt_collector_clear(struct pt_collector *);

#endif
