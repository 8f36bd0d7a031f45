/* ptana profile: where the time went. */
#include "analyze/flow_check.h"
#include "analyze/profile.h"

#include <stdlib.h>
#include <string.h>

static const struct pt_option options[] = {
    {"sort", 's', PT_OPTION_CHOICE, offsetof(struct pt_profile_config, sort),
     "exclusive|inclusive|calls|primitive|percall|min|max|p50|p90|p99|wait|"
     "name|file",
     "the order of the rows; default: exclusive"},
    {"limit", 'n', PT_OPTION_COUNT, offsetof(struct pt_profile_config, limit),
     "N", "show the first N rows; default: 40 in text, all otherwise"},
    {"all", 'a', PT_OPTION_FLAG, offsetof(struct pt_profile_config, all), NULL,
     "show all rows"},
    {"filter", 0, PT_OPTION_LIST, offsetof(struct pt_profile_config, filter),
     "GLOB",
     "show only functions whose name or file matches, as --include has it, and "
     "C functions by name; the times stay those of the whole; may be given "
     "again"},
    {"min-time", 0, PT_OPTION_TEXT,
     offsetof(struct pt_profile_config, min_time), "TIME",
     "leave out what took less, inclusive: a time such as 1ms, or a share of "
     "all functions' time such as 0.5%; default for --tree in text: 0.5%"},
    {"tree", 't', PT_OPTION_FLAG, offsetof(struct pt_profile_config, tree),
     NULL, "show the tree of calls: each path of functions by itself"},
    {"depth", 0, PT_OPTION_COUNT, offsetof(struct pt_profile_config, depth),
     "N", "show the tree's outermost N functions"},
    {"callers", 0, PT_OPTION_LIST, offsetof(struct pt_profile_config, callers),
     "GLOB",
     "show who called the functions that match, as --filter has it, and "
     "the share that each caller has; may be given again"},
    {"callees", 0, PT_OPTION_LIST, offsetof(struct pt_profile_config, callees),
     "GLOB", "show what they called; goes with --callers"},
    {"by-file", 0, PT_OPTION_FLAG, offsetof(struct pt_profile_config, by_file),
     NULL,
     "count all functions of a file as one, and those in C as ~; goes with the "
     "other views"},
    {"by-module", 0, PT_OPTION_FLAG,
     offsetof(struct pt_profile_config, by_module), NULL,
     "... or all of a module"},
    {"threads", 0, PT_OPTION_FLAG, offsetof(struct pt_profile_config, threads),
     NULL, "show the threads; with --tree, a tree for each of them"},
    {"by-task", 0, PT_OPTION_FLAG, offsetof(struct pt_profile_config, by_task),
     NULL,
     "show the tasks of asyncio: how long each ran and waited, and for whom"},
    {"compensate", 0, PT_OPTION_FLAG,
     offsetof(struct pt_profile_config, compensate), NULL,
     "take out of all times what recording itself took, as it was measured "
     "when the program began"},
    {"all-calls", 0, PT_OPTION_FLAG,
     offsetof(struct pt_profile_config, all_calls), NULL,
     "classes and callable objects are functions of their own, too; without, "
     "their time belongs to the caller, as with cProfile; recordings of "
     "CPython 3.12 or later have them"},
    {"lines", 'l', PT_OPTION_FLAG, offsetof(struct pt_profile_config, lines),
     NULL,
     "hits and time of each line, beside the source, of the 10 functions that "
     "took the longest"},
    {"opcodes", 0, PT_OPTION_FLAG, offsetof(struct pt_profile_config, opcodes),
     NULL,
     "executions and time of each opcode, and which follows which; with "
     "--filter, in these functions"},
    {0}};

/* --- views ---------------------------------------------------------------- */

/* Those that an option asks for come first. */
static const struct pt_profile_view *const views[] = {
    &pt_profile_tree,  &pt_profile_callers,  &pt_profile_callees,
    &pt_profile_lines, &pt_profile_opcodes,  &pt_profile_threads,
    &pt_profile_tasks, &pt_profile_functions};
enum { VIEWS = sizeof views / sizeof *views };

static bool
is_given(const struct pt_option *o, const void *config)
{
    const char *at = (const char *)config + o->offset;
    switch (o->type) {
    case PT_OPTION_FLAG:
        return *(const bool *)at;
    case PT_OPTION_TEXT:
    case PT_OPTION_CHOICE:
        return *(const char *const *)at != NULL;
    case PT_OPTION_COUNT:
        return *(const uint64_t *)at != 0;
    case PT_OPTION_LIST:
    case PT_OPTION_PAIRS:
        return ((const struct pt_text_list *)at)->n != 0;
    }
    return false;
}

static const struct pt_profile_view *
choose_view(const void *config)
{
    for (unsigned i = 0; i + 1 < VIEWS; i++)
        for (const struct pt_option *o = options; o->name; o++)
            if (strcmp(o->name, views[i]->option) == 0 && is_given(o, config))
                return views[i];
    return views[VIEWS - 1];
}

/* The first view but the last that an option goes with. */
static const char *
view_for(const char *option)
{
    for (unsigned i = 0; i + 1 < VIEWS; i++)
        if (pt_word_among(views[i]->takes, option))
            return views[i]->option;
    return views[0]->option;
}

/* What the view could only pass over is refused. */
static enum pt_status
check_view(struct pt_session *s, const struct pt_profile_view *view)
{
    const char *own = view->option ? view->option : "";
    for (const struct pt_option *o = options; o->name; o++) {
        if (!is_given(o, s->config) || pt_word_among(view->takes, o->name) ||
            strcmp(own, o->name) == 0)
            continue;
        if (!view->option)
            return pt_session_fail(s, PT_EUSAGE,
                                   "--%s goes with --%s; add that", o->name,
                                   view_for(o->name));
        return pt_session_fail(s, PT_EUSAGE,
                               "--%s does not go with --%s; leave one out",
                               o->name, own);
    }
    const struct pt_profile_config *config = s->config;
    if (config->by_file && config->by_module)
        return pt_session_fail(s, PT_EUSAGE,
                               "--by-file does not go with --by-module; leave "
                               "one out");
    if ((config->by_file || config->by_module) &&
        pt_session_format(s, "pstats"))
        return pt_session_fail(s, PT_EUSAGE,
                               "--format=pstats holds functions only; leave "
                               "out --by-%s",
                               config->by_file ? "file" : "module");
    if (!pt_word_among(view->formats, s->common.format))
        return pt_session_fail(s, PT_EUSAGE,
                               "--%s has no --format=%s; it has %s", own,
                               s->common.format, view->formats);
    return PT_OK;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct pt_profile_view *view = choose_view(s->config);
    uint64_t least;
    enum pt_status st = check_view(s, view);
    if (st == PT_OK)
        st = pt_profile_min_time(s, 0, &least); /* before hours of work */
    return st == PT_OK ? view->run(s) : st;
}

/* --- the analyzer --------------------------------------------------------- */

static enum pt_status
measure(struct pt_session *s, const struct pt_profile_options *how,
        struct pt_profile **out)
{
    struct pt_profile *p = NULL;
    pt_session_lacks_times(s);
    enum pt_status st = pt_profile_new(s->trace, s->filter, how, &p);
    if (st != PT_OK)
        return st;
    struct pt_fold folds[2] = {pt_profile_fold(p)};
    struct pt_flow_check check;
    size_t n = 1;
    st = pt_flow_check_init(&check, s->trace, folds, &n);
    if (st == PT_OK)
        st = pt_pass_run(s->trace, s->filter, folds, n, &s->trouble, &s->error);
    if (st == PT_OK)
        st = pt_profile_finish(p);
    pt_flow_check_tell(&check, &s->trouble);
    pt_flow_check_clear(&check);
    s->trouble.desyncs += p->desyncs;
    s->trouble.unmatched += p->unmatched;
    s->trouble.unfinished += p->unfinished;
    if (p->uncosted)
        pt_out_say("%s does not tell of every process what recording took: "
                   "another tracer was there, or the recording began in "
                   "mid-program; those times are as they were recorded",
                   pt_trace_path(s->trace));
    if (st == PT_OK)
        *out = p;
    else
        pt_profile_free(p);
    return st;
}

enum pt_status
pt_profile_report(struct pt_session *s, struct pt_profile_options *how,
                  pt_profile_reporter *report)
{
    const struct pt_profile_config *config = s->config;
    struct pt_profile *p;
    struct pt_profile_rows rows;
    how->all_calls = config->all_calls;
    how->compensate = config->compensate;
    how->by = config->by_file     ? PT_PROFILE_BY_FILE
              : config->by_module ? PT_PROFILE_BY_MODULE
                                  : PT_PROFILE_BY_FUNCTION;
    enum pt_status st = measure(s, how, &p);
    if (st != PT_OK)
        return st;
    st = pt_profile_rows_make(s, p, &rows);
    if (st == PT_OK) {
        st = report(s, p, &rows);
        pt_profile_rows_clear(&rows);
    }
    pt_profile_free(p);
    return st;
}

enum pt_status
pt_profile_min_time(struct pt_session *s, uint64_t total, uint64_t *ns)
{
    const struct pt_profile_config *config = s->config;
    const char *text = config->min_time;
    int64_t time;
    char *end;
    *ns = 0;
    if (!text)
        return PT_OK;
    if (pt_time_parse(text, &time)) {
        *ns = (uint64_t)time;
        return PT_OK;
    }
    double percent = strtod(text, &end);
    /* strtod() takes "inf" and "-1" as well. */
    if (!strchr("0123456789.", text[0]) || end == text ||
        strcmp(end, "%") != 0 || percent > 100)
        return pt_session_fail(s, PT_EUSAGE,
                               "--min-time takes a time such as 1ms or a share "
                               "such as 0.5%%, not \"%s\"",
                               text);
    *ns = (uint64_t)(percent / 100 * (double)total);
    return PT_OK;
}

const struct pt_analyzer pt_analyzer_profile = {
    .name = "profile",
    .summary = "where the time went: functions, tree of calls, lines",
    .description =
        "Shows for each function how often it was called and the time spent in "
        "it: exclusive (its own) and inclusive (with all it called). Calls of "
        "a/b mean a in all, b of them not from within the same function; "
        "inclusive time counts only those, as cProfile does. % is the share of "
        "the exclusive time in that of all functions, and per call is "
        "inclusive by the b calls. min, p50, p90, p99 and max are of the "
        "inclusive time of each call (percentiles within 3 %), and wait is "
        "the time that a generator or coroutine was suspended, or that other "
        "greenlets ran before the function went on. Times are by "
        "the clock on the wall, and those of several threads are added up: "
        "all together may exceed the time from start to end.\n"
        "Of the columns from per call on, those are shown that leave room for "
        "the names; wait only where something waited. A column named by "
        "--sort is always shown, --width=300 shows all, and --format=json has "
        "all numbers. On a terminal, or with --width, long names and files "
        "lose their middle, but hardly ever a name's last part.\n"
        "A generator or coroutine counts a call each time it goes on; the time "
        "it was suspended is not in its running time but under wait. So is, "
        "for all that a greenlet was doing, the time of other greenlets. A "
        "call "
        "that was still open when its thread ended, ends there.\n"
        "Of a trace of the preset flow it also tells how often events did not "
        "fit the bytecode (desyncs); calls and times do not depend on that.\n"
        "With --from or --to, times are those inside the range, and a call "
        "counts if it began there.\n"
        "--tree shows who called whom: a line for each path of functions, "
        "those "
        "of most time first. total % and inclusive are the time of the path "
        "with all that it called, self % and exclusive its own, and they add "
        "up: the time that gaps took is in none of them, and a generator is "
        "where it was started or resumed. A function that is the only one "
        "below the last of its level stands in the same column. In text, paths "
        "of less than 0.5 % and all but 100 are left out unless asked for by "
        "--min-time, --limit or --all; ... 3 more is what is not shown of "
        "those below a function. With --filter the tree begins at the "
        "functions that match. Recursion deeper than 512 functions counts "
        "with the same function further out, and of more than two million "
        "paths those of least time are not kept apart.\n"
        "--callers and --callees show pairs: <- is a function that called the "
        "one above it, -> one that was called by it; % is the share of the "
        "pair's inclusive time in the function's. Counts and times are those "
        "of pstats' print_callers and print_callees.\n"
        "--by-file and --by-module count all functions of a file or a module "
        "as one: calls of a/b then mean b from other files, and inclusive "
        "time is that of these. A module is told by its file's name, from the "
        "standard library, site-packages or the package around it on; one in "
        "C by what its functions say.\n"
        "In JSON, --tree has functions and nodes: a node's function and parent "
        "are places in these lists, or null. nodes_in_all and dropped tell how "
        "many paths there were and how many were not kept apart.\n"
        "--threads shows what each thread did, those of greenlets with the "
        "thread that ran them, and the function that took most of it by "
        "itself.\n"
        "Above the functions stands how much of the time was spent in "
        "functions "
        "of C that can wait for something outside of the program (a lock, a "
        "timer, a file, a socket, another process), where it is more than 0.5 "
        "%: those of the functions shown. In JSON they are marked \"blocks\".\n"
        "--by-task shows the tasks of asyncio, those first that ran longest: "
        "how many steps each took, for how long it ran, and how long it waited "
        "between them, ready or not; its coroutine, the task that created it, "
        "and the task for which it waited longest at a time. State is how it "
        "ended, or what it did when the recording did.\n"
        "With --compensate all times are without what recording took. The "
        "recorder measures at the start of each process, in loops of its own, "
        "what it takes to record an event of each kind. In a program an event "
        "takes more than in a loop, as a rule by a third, at worst twice as "
        "much, so that a part of it is left in the times of what is called "
        "very "
        "often; what was taken out of each function is in the JSON "
        "(compensated). Where it is more than the function's time, that is "
        "none. What "
        "CPython 3.11's flow takes at each instruction is not known, and time "
        "that the program waited for the collector is not taken out.\n"
        "--lines shows each function with its source: hits are how often a "
        "line was started, as CPython tells debuggers and tracers, exclusive "
        "is the time on the line itself and inclusive that with all it called, "
        "counted once where a function calls itself; % is the share of the "
        "inclusive time in the function's, and per hit is inclusive by hits. "
        "Time before a function's first line stands at its def. What is "
        "written in a function without a name of its own (lambda, "
        "comprehension, generator expression) belongs to it, line by line. A "
        "generator's time while it is suspended is no line's. Times are exact "
        "where lines were recorded (the presets lines and instructions); where "
        "they follow from the flow, ~ is before those that share the time "
        "between two events of known time by the number of their "
        "instructions. Hits are exact in both. In JSON there is an object for "
        "each file, by its lines; line 0 is what has no line of its own, and "
        "where functions share a line, their numbers are added up.\n"
        "--opcodes shows how often each bytecode instruction ran, for how "
        "long, without what it called, and the pairs that followed each other "
        "in a frame. Instructions that CPython tells nobody of (RESUME) are "
        "counted only where they follow from the flow.\n"
        "The pstats form is read by Python's pstats module and by the viewers "
        "that read cProfile's files.",
    .examples =
        "ptana profile # the 40 functions that took the longest\n"
        "ptana profile --sort=inclusive -n 10 # where the time went, from "
        "above\n"
        "ptana profile --tree --depth=5 # who called whom, five deep\n"
        "ptana profile --callers=dumps --callees=dumps # a function's "
        "neighbours\n"
        "ptana profile --lines --filter=dumps # its lines, beside the source\n"
        "ptana profile --opcodes # what bytecode took the time\n"
        "ptana profile --by-module --all # all modules\n"
        "ptana profile --filter='json*' # of what is in json/ or named so\n"
        "ptana profile --from=1s --to=2s # of one second\n"
        "ptana profile --format=pstats -o out.pstats # for pstats, snakeviz",
    .options = options,
    .config_size = sizeof(struct pt_profile_config),
    .takes = PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_RULES |
             PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|json|pstats",
    .run = run,
};
