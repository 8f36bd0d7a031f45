#include "record/run.h"
#include "record/launch.h"
#include "record/problem.h"
#include "record/summary.h"

#include <pt/version.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_SYSTEM = 4, EXIT_NO_INTERPRETER = 127 };

/* All that a recording owns, in one place, so that one function releases it. */
struct run {
    struct pt_options options;
    struct pt_launch launch;
    struct pt_signals signals;
    struct pt_listener listener;
    struct pt_output output;
    struct pt_timebase clock;
    struct pt_collector collector;
    struct pt_error error;
    struct utsname system;
    char system_text[sizeof(struct utsname)];
    char cwd[PATH_MAX];
    char uuid[33];
    struct pt_str *argv;
};

/* A row of help, its text wrapped into a column of its own. */
static void
tell_row(const char *name, const char *text)
{
    enum { WIDTH = 80, COLUMN = 27, ROOM = WIDTH - COLUMN };
    pt_tell("  %-*s", COLUMN - 2, name);
    size_t left = strlen(text);
    while (left > ROOM) {
        size_t n = ROOM;
        while (n > 0 && text[n] != ' ')
            n--;
        if (n == 0)
            break;
        pt_tell("%.*s\n%*s", (int)n, text, COLUMN, "");
        text += n + 1;
        left -= n + 1;
    }
    pt_tell("%s\n", text);
}

void
pt_run_help(void)
{
    char name[64];
    const char *help;
    pt_tell("usage: ptrec run [OPTIONS] [PYTHON'S OPTIONS]\n"
            "                 FILE|-m MODULE|-c CODE|- [ARGUMENTS]\n\n"
            "Records what a Python program does into a trace, for ptana to "
            "answer questions\nfrom.\n\n");
    for (unsigned i = 0; pt_options_describe(i, name, sizeof name, &help); i++)
        tell_row(name, help);
    pt_tell("\npresets:\n");
    const struct pt_preset *p;
    for (unsigned i = 0; (p = pt_preset_at(i)) != NULL; i++) {
        if (p->events != 0)
            tell_row(p->name, p->what);
    }
}

static int
exit_status(enum pt_status st)
{
    switch (st) {
    case PT_EUSAGE:
    case PT_EUNSUPPORTED:
        return EXIT_USAGE;
    case PT_ENOTFOUND:
        return EXIT_NO_INTERPRETER;
    default:
        return EXIT_SYSTEM;
    }
}

static struct pt_str
str(const char *s)
{
    return (struct pt_str){s, strlen(s)};
}

static void
make_uuid(char out[33])
{
    unsigned char raw[16] = {0};
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw) {
        pid_t pid = getpid();
        memcpy(raw, &pid, sizeof pid);
    }
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

static enum pt_status
make_header(struct run *run, int argc, char **argv)
{
    struct pt_header *h = &run->collector.header;
    run->argv = calloc((size_t)argc + 1, sizeof *run->argv);
    if (run->argv == NULL)
        return pt_problem_set(&run->error, PT_ENOMEM, 0, "out of memory");
    for (int i = 0; i < argc; i++)
        run->argv[i] = str(argv[i]);
    if (getcwd(run->cwd, sizeof run->cwd) == NULL)
        run->cwd[0] = '\0';
    uname(&run->system);
    snprintf(run->system_text, sizeof run->system_text, "%s %s %s",
             run->system.sysname, run->system.release, run->system.machine);
    make_uuid(run->uuid);
    *h = (struct pt_header){
        .version = PT_FORMAT_MAJOR << 16 | PT_FORMAT_MINOR,
        .writer = str("ptrec " PT_VERSION),
        .preset = str(run->options.preset->name),
        .host = str(run->system.nodename),
        .system = str(run->system_text),
        .cwd = str(run->cwd),
        .uuid = str(run->uuid),
        .argv = run->argv,
        .argc = (size_t)argc,
        .events = run->options.events,
        .stamped = pt_events_stamped(run->options.events, run->options.preset),
        .optional = run->options.preset->flow   ? PT_OPTIONAL_FLOW
                    : run->options.preset->once ? PT_OPTIONAL_ONCE
                                                : 0,
        .filters = run->options.filters.list,
        .nfilters = run->options.filters.n,
        .values = str(pt_options_values(&run->options)),
    };
    return PT_OK;
}

/* Of a whole value: room for sixteen of the longest strings. */
static uint32_t
record_bytes(const struct pt_options *o)
{
    enum { STRINGS = 16, LEAST = 512 };
    uint32_t n = o->value_bytes * STRINGS;
    return n < LEAST                  ? LEAST
           : n > PT_VALUE_RECORD_MOST ? PT_VALUE_RECORD_MOST
                                      : n;
}

static enum pt_status
set_up_collector(struct run *run)
{
    const struct pt_options *o = &run->options;
    struct pt_collector *c = &run->collector;
    c->clock = &run->clock;
    c->output = &run->output;
    c->listener = &run->listener;
    c->signals = &run->signals;
    c->command = o->command;
    c->no_wait = o->no_wait;
    c->progress = o->progress;
    c->syntax = o->syntax;
    c->notes.no_remarks = o->quiet;
    c->config = (struct pt_config){
        .events = o->events,
        .asked = o->events & ~o->preset->events,
        .stamped = pt_events_stamped(o->events, o->preset),
        .flow = o->preset->flow,
        .once = o->preset->once,
        .values = o->values,
        .value_depth = o->value_depth,
        .value_length = o->value_length,
        .value_bytes = o->value_bytes,
        .record_bytes = record_bytes(o),
        .clock = run->clock.source,
        .on_full = o->drop ? PT_FULL_DROP : PT_FULL_WAIT,
        .alone = o->alone,
    };
    snprintf(c->config.redact, sizeof c->config.redact, "%s", o->redact);
    memcpy(c->config.filters, o->filters.text, sizeof c->config.filters);
    return pt_collector_init(c, &run->error);
}

/* A script that is not there gets Python's own answer, unrecorded: a recording
 * of nothing would take the place of the last trace. */
static enum pt_status
answer_missing(struct run *run)
{
    const struct pt_options *o = &run->options;
    if (o->program[0][0] == '-' || access(o->program[0], F_OK) == 0)
        return PT_OK;
    enum pt_status st = pt_launch_find(&run->launch, o, &run->error);
    return st == PT_OK ? pt_launch_become(&run->launch, o, &run->error) : st;
}

/* Everything that can fail before the program starts. */
static enum pt_status
prepare(struct run *run, int argc, char **argv)
{
    const struct pt_options *o = &run->options;
    struct pt_error *error = &run->error;
    pt_timebase_start(&run->clock);
    enum pt_status st = answer_missing(run);
    if (st == PT_OK)
        st = pt_output_init(&run->output, o->output, o->force, o->level, error);
    if (st == PT_OK)
        st = pt_launch_find(&run->launch, o, error);
    if (st == PT_OK)
        st = make_header(run, argc, argv);
    if (st == PT_OK)
        st = pt_listener_open(&run->listener, error);
    if (st == PT_OK)
        st = pt_launch_prepare(&run->launch, o, run->listener.name, error);
    if (st == PT_OK)
        st = pt_signals_take(&run->signals, error);
    if (st == PT_OK)
        st = set_up_collector(run);
    return st;
}

/* What is left to say when no process joined. */
static void
tell_nothing(const struct run *run)
{
    pt_notes_print(&run->collector.notes);
    if (run->collector.refused == 0)
        pt_say("nothing was recorded: %s ran as it would without ptrec, but "
               "neither is nor starts a CPython that this ptrec can record",
               run->launch.file);
}

/* Not even a thread is told of where no event passed the filters. */
static void
tell_filtered(const struct run *run)
{
    char rules[512];
    pt_notes_print(&run->collector.notes);
    pt_filters_tell(&run->options.filters, rules, sizeof rules);
    pt_say("nothing was recorded: no code that ran passes %s; run "
           "without it, and ptana profile --all shows what there is",
           rules);
}

/* The program has been started.  Returns ptrec's exit status, or -1 when it
 * is to end as the program did. */
static int
record(struct run *run, pid_t child)
{
    struct pt_collector *c = &run->collector;
    pt_timebase_quantum(&run->clock, run->options.quantum);
    c->config.quantum_log2 = run->clock.quantum_log2;
    pt_collector_expect(c, child);
    enum pt_status closed = pt_collector_run(c);
    if (c->joined == 0)
        tell_nothing(run);
    else if (run->options.filters.n > 0 && c->journal.threads == 0 &&
             closed == PT_OK && c->refused == 0)
        tell_filtered(run);
    else if (c->refused == 0)
        pt_summary_print(c, closed, run->options.quiet);
    return c->refused != 0 ? c->refused : -1;
}

/* Also of what was never made. */
static void
release(struct run *run)
{
    pt_collector_clear(&run->collector);
    pt_output_clear(&run->output);
    pt_listener_close(&run->listener);
    pt_signals_close(&run->signals);
    pt_launch_clear(&run->launch);
    pt_options_clear(&run->options);
    free(run->argv);
    free(run);
}

static int
start(struct run *run, int argc, char **argv)
{
    /* argv[0] is ptrec, argv[1] "run". */
    enum pt_status st =
        pt_options_parse(&run->options, argc - 2, argv + 2, &run->error);
    if (st == PT_OK && run->options.help) {
        pt_run_help();
        return 0;
    }
    if (st == PT_OK)
        st = prepare(run, argc, argv);
    pid_t child = 0;
    if (st == PT_OK)
        st = pt_launch_start(&run->launch, &run->signals, &child, &run->error);
    if (st == PT_OK)
        return record(run, child);
    pt_say("%s", run->error.text);
    return exit_status(st);
}

int
pt_run(int argc, char **argv)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        pt_say("out of memory");
        return EXIT_SYSTEM;
    }
    run->listener.fd = run->signals.fd = run->output.lock = -1;
    pt_launch_init(&run->launch);
    int status = start(run, argc, argv);
    int program = run->collector.status;
    release(run);
    return status >= 0 ? status : pt_signals_end_as(program);
}
