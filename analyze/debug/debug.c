/* ptana debug: looks at any moment of a trace and walks in either direction. */
#include "analyze/debug/debugger.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
    struct pt_text_list scripts; /* pairs: "ex" or "x", and its value */
    bool batch;
};

static const struct pt_option options[] = {
    {"ex", 0, PT_OPTION_PAIRS, offsetof(struct config, scripts), "COMMAND",
     "run a command first; -ex COMMAND is the same, and may be given again"},
    {"commands", 'x', PT_OPTION_PAIRS, offsetof(struct config, scripts), "FILE",
     "run the commands of a file, in order with --ex; - is standard input"},
    {"batch", 0, PT_OPTION_FLAG, offsetof(struct config, batch), NULL,
     "leave after these, also on a terminal"},
    {0}};

/* --- what it opens with ----------------------------------------------------
 */

static void
say_failure(struct pt_debugger *d, const struct pt_failure *f)
{
    char name[PT_NAME_TEXT];
    if (!f->found) {
        pt_out_text(d->out, "This is the end; no exception was left "
                            "uncaught.\n");
        return;
    }
    pt_out_text(d->out, "The program ended with ");
    if (f->known)
        pt_out_str(d->out, pt_name_type(d->trace, f->type, name));
    else
        pt_out_text(d->out, "an exception");
    pt_out_text(d->out, f->known ? ", raised here:\n" : ", which left this:\n");
}

static bool
open_at_failure(struct pt_debugger *d)
{
    struct pt_failure failure;
    if (!pt_debug_check(d, pt_engine_goto_failure(d->engine, &failure)))
        return false;
    say_failure(d, &failure);
    return pt_debug_show(d, true);
}

/* --- running ---------------------------------------------------------------
 */

static void
run_scripts(struct pt_debugger *d, const struct config *config)
{
    for (size_t i = 0; i + 1 < config->scripts.n && !d->quit; i += 2) {
        const char *value = config->scripts.items[i + 1];
        pt_interrupts_forget();
        if (strcmp(config->scripts.items[i], "ex") == 0)
            pt_debug_line(d, value, false);
        else if (!pt_debug_file(d, value))
            d->refused = true;
    }
}

static void
run_terminal(struct pt_debugger *d)
{
    const char *line;
    pt_out_flush(d->out);
    while (!d->quit) {
        line = pt_terminal_line(d->terminal, d->collecting ? "> " : "(ptana) ");
        if (!line)
            break;
        pt_debug_line(d, line, true);
        pt_out_flush(d->out);
    }
    /* What was typed wrong was told to who typed it. */
    d->refused = false;
}

static void
run_all(struct pt_debugger *d, const struct config *config)
{
    run_scripts(d, config);
    if (d->quit || config->batch)
        return;
    d->terminal = pt_terminal_new(d);
    if (d->terminal)
        run_terminal(d);
    else if (config->scripts.n == 0 && !pt_debug_file(d, "-"))
        d->refused = true;
    pt_terminal_free(d->terminal);
    d->terminal = NULL;
}

static void
clear(struct pt_debugger *d)
{
    pt_engine_free(d->engine);
    pt_operands_free(d->operands);
    pt_locals_free(d->locals);
    pt_debug_watches_clear(d);
    for (size_t i = 0; i < d->ndisplays; i++)
        pt_expr_free(d->displays[i].expr);
    free(d->displays);
    pt_graph_cache_free(d->graphs);
    for (size_t i = 0; i < d->nmarks; i++)
        free(d->marks[i].name);
    free(d->marks);
    free(d->last);
}

static enum pt_status
run(struct pt_session *s)
{
    struct pt_debugger d = {.session = s, .trace = s->trace, .out = s->out};
    const struct pt_engine_hooks hooks = {.state = &d,
                                          .holds = pt_debug_holds,
                                          .log = pt_debug_log,
                                          .change = pt_debug_change,
                                          .interrupted = pt_interrupted};
    enum pt_status st = pt_engine_new(s->trace, &hooks, &d.engine);
    if (st == PT_ENOTFOUND)
        return pt_session_fail(s, PT_EUSAGE,
                               "%s has no events that can be read: there is "
                               "nothing to look at",
                               pt_trace_path(s->trace));
    if (st == PT_OK)
        st = pt_graph_cache_new(s->trace, &d.graphs);
    if (st == PT_OK)
        st = pt_operands_new(s->trace, &d.operands);
    if (st == PT_OK)
        st = pt_locals_new(s->trace, &d.locals);
    if (st == PT_OK) {
        pt_interrupts_begin();
        if (open_at_failure(&d))
            run_all(&d, s->config);
        pt_interrupts_end();
        st = d.status;
        s->trouble = pt_engine_trouble(d.engine);
    }
    if (st == PT_OK && d.refused) {
        pt_out_say("debug: a command was refused, as the report says");
        s->verdict = PT_EXIT_USAGE;
    }
    clear(&d);
    return st;
}

const struct pt_analyzer pt_analyzer_debug = {
    .name = "debug",
    .summary = "look at any moment, and step forwards and backwards",
    .description =
        "Opens where the program failed: at the raise of the exception that "
        "nobody caught, else at the end. Commands are those of gdb: step, "
        "next, finish, until, continue, break, backtrace and their like, and "
        "each motion has its reverse: reverse-step (rs), reverse-next (rn), "
        "reverse-finish (rf), reverse-continue (rc). help lists them all.\n"
        "A position is an event's number, as ptana dump shows it, or SEQ+K: "
        "the K-th instruction behind it. when tells it, and goto takes it, or "
        "a time. Steps stay in the thread; continue goes through all threads "
        "by time, and thread N looks at another one at the same moment. next "
        "over an await or a yield stops where that coroutine or generator goes "
        "on.\n"
        "A trace of the preset flow has every line and instruction; where "
        "there are no lines (--preset=calls), steps go from call to call. "
        "Source is shown as it was when the program ran.\n"
        "What variables held is known of a recording with --values=locals: "
        "print, conditions and {EXPRESSION} in logpoints take Python "
        "expressions, watch stops where one changes, last and history tell "
        "where a variable got its values. What was not recorded is said to be "
        "so.\n"
        "On a terminal lines can be edited, Tab completes, an empty line "
        "repeats the last step, and Ctrl-C ends a search that takes long. "
        "Elsewhere commands are read from standard input, unless --ex or "
        "--commands gives them.\n"
        "Exits 0; 2 where a command that did not come from a terminal was "
        "refused; 3 where the trace is none or damaged beyond use; 4 on an "
        "error of the system.",
    .examples =
        "ptana debug # the trace of the last program\n"
        "ptana debug -ex bt -ex rn -ex bt # one line before the failure\n"
        "ptana debug -ex 'break parse' -ex rc # the last call of parse\n"
        "ptana debug -ex 'goto app.py:12 1' # the first time that a line ran\n"
        "ptana debug -ex 'watch total' -ex rc # what set a variable\n"
        "ptana debug -x commands.txt --batch # a script",
    .options = options,
    .config_size = sizeof(struct config),
    .takes = PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .run = run,
};
