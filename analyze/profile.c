/* ptana profile: where the time went. */
#include "analyze/flow_check.h"
#include "analyze/profile.h"

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
    {"all-calls", 0, PT_OPTION_FLAG,
     offsetof(struct pt_profile_config, all_calls), NULL,
     "classes and callable objects are functions of their own, too; without, "
     "their time belongs to the caller, as with cProfile; recordings of "
     "CPython 3.12 or later have them"},
    {0}};

/* --- views ---------------------------------------------------------------- */

/* Those that an option asks for come first. */
static const struct pt_profile_view *const views[] = {&pt_profile_functions};
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
        return ((const struct pt_text_list *)at)->n != 0;
    }
    return false;
}

/* Whether `word` is one of "a|b|c". */
static bool
is_among(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = words; *p; p += *p == '|') {
        size_t n = strcspn(p, "|");
        if (n == len && memcmp(p, word, n) == 0)
            return true;
        p += n;
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

/* What the view could only pass over is refused. */
static enum pt_status
check_view(struct pt_session *s, const struct pt_profile_view *view)
{
    const char *what = view->option ? view->option : "profile";
    const char *dashes = view->option ? "--" : "ptana ";
    for (const struct pt_option *o = options; o->name; o++)
        if (is_given(o, s->config) && !is_among(view->takes, o->name) &&
            (!view->option || strcmp(view->option, o->name) != 0))
            return pt_session_fail(s, PT_EUSAGE,
                                   "--%s does not go with %s%s; leave one out",
                                   o->name, dashes, what);
    if (!is_among(view->formats, s->common.format))
        return pt_session_fail(s, PT_EUSAGE,
                               "--format=%s does not go with %s%s, which has "
                               "%s",
                               s->common.format, dashes, what, view->formats);
    return PT_OK;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct pt_profile_view *view = choose_view(s->config);
    enum pt_status st = check_view(s, view);
    return st == PT_OK ? view->run(s) : st;
}

/* --- the analyzer --------------------------------------------------------- */

enum pt_status
pt_profile_measure(struct pt_session *s, const struct pt_profile_options *how,
                   struct pt_profile **out)
{
    struct pt_profile *p = NULL;
    const struct pt_header *h = pt_trace_header(s->trace);
    if (!pt_session_lacks(s, 1u << PT_CALL, "calls", "calls") &&
        !(h->stamped & 1u << PT_CALL))
        pt_out_say("%s has no times of calls; ptrec run --preset=calls records "
                   "them",
                   pt_trace_path(s->trace));
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
    if (st == PT_OK)
        *out = p;
    else
        pt_profile_free(p);
    return st;
}

const struct pt_analyzer pt_analyzer_profile = {
    .name = "profile",
    .summary = "calls and times of each function",
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
        "The pstats form is read by Python's pstats module and by the viewers "
        "that read cProfile's files.",
    .examples =
        "ptana profile # the 40 functions that took the longest\n"
        "ptana profile --sort=inclusive -n 10 # where the time went, from "
        "above\n"
        "ptana profile --filter='json*' # of what is in json/ or named so\n"
        "ptana profile --from=1s --to=2s # of one second\n"
        "ptana profile --format=pstats -o out.pstats # for pstats, snakeviz",
    .options = options,
    .config_size = sizeof(struct pt_profile_config),
    .takes = PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_GLOBS |
             PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|json|pstats",
    .run = run,
};
