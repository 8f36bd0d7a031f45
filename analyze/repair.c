/* ptana repair: what is whole of a torn or damaged trace, as a new one. */
#include "analyze/analyzer.h"
#include "analyze/names.h"
#include "analyze/pass.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_TEXT = 4096 };

struct config {
    const char *output;
    bool force;
};

static const struct pt_option options[] = {
    {"output", 'o', PT_OPTION_TEXT, offsetof(struct config, output), "FILE",
     "the new trace; default: NAME.repaired.ptr"},
    {"force", 'f', PT_OPTION_FLAG, offsetof(struct config, force), NULL,
     "replace FILE when it is there"},
    {0}};

/* NAME.ptr.part and NAME.ptr become NAME.repaired.ptr. */
static bool
default_name(const char *path, char *buffer)
{
    size_t n = strlen(path);
    static const char *const endings[] = {".part", ".ptr"};
    for (unsigned i = 0; i < 2; i++) {
        size_t len = strlen(endings[i]);
        if (n > len && memcmp(path + n - len, endings[i], len) == 0)
            n -= len;
    }
    return snprintf(buffer, PATH_TEXT, "%.*s.repaired.ptr", (int)n, path) <
           PATH_TEXT;
}

static size_t
count_events_chunks(const struct pt_trace *trace)
{
    size_t n = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++)
        n += pt_trace_chunk(trace, i)->type == PT_CHUNK_EVENTS;
    return n;
}

static enum pt_status
count_nameless(void *state, const struct pt_events *chunk)
{
    const struct pt_trace *trace = ((void **)state)[0];
    uint64_t *n = ((void **)state)[1];
    for (uint32_t i = 0; i < chunk->info->events; i++)
        *n += !pt_name_is_defined(trace, &chunk->events[i]);
    return PT_OK;
}

/* Events whose function or type was defined in a chunk that is lost. */
static uint64_t
nameless(struct pt_trace *trace)
{
    uint64_t n = 0;
    void *state[] = {trace, &n};
    struct pt_fold fold = {.state = state, .chunk = count_nameless};
    struct pt_trouble trouble = {0};
    struct pt_error error;
    /* What fails here fails in every analyzer, which then tells. */
    (void)pt_pass_run(trace, NULL, &fold, 1, &trouble, &error);
    return n;
}

/* Damage inside a chunk shows only when it is copied: count what arrived. */
static void
say_result(const struct pt_trace *trace, const char *to)
{
    const char *path = pt_trace_path(trace);
    size_t left = pt_trace_damage(trace)->bad_chunks;
    uint64_t lost = 0;
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT];
    struct pt_trace *copy;
    if (pt_trace_open(to, NULL, &copy) == PT_OK) {
        left += count_events_chunks(trace) - count_events_chunks(copy);
        if (left)
            lost = nameless(copy);
        pt_trace_close(copy);
    }
    if (lost)
        pt_out_say("%s written; %s damaged chunk%s of %s left out, and with "
                   "them the names in %s event%s, which show as \"?\"",
                   to, pt_text_grouped(left, a), pt_text_plural(left), path,
                   pt_text_grouped(lost, b), pt_text_plural(lost));
    else if (left)
        pt_out_say("%s written; %s damaged chunk%s of %s left out", to,
                   pt_text_grouped(left, a), pt_text_plural(left), path);
    else
        pt_out_say("%s written, with all that %s holds", to, path);
}

static enum pt_status
run(struct pt_session *s)
{
    const struct config *config = s->config;
    const char *path = pt_trace_path(s->trace), *to = config->output;
    char name[PATH_TEXT];
    struct stat old, new;
    if (!to) {
        if (!default_name(path, name))
            return pt_session_fail(s, PT_EUSAGE,
                                   "the name is too long; give one with -o");
        to = name;
    }
    if (stat(to, &new) == 0) {
        if (stat(path, &old) == 0 && old.st_dev == new.st_dev &&
            old.st_ino == new.st_ino)
            return pt_session_fail(s, PT_EUSAGE,
                                   "%s is the trace itself; name another file "
                                   "with -o",
                                   to);
        if (!S_ISREG(new.st_mode))
            return pt_session_fail(s, PT_EUSAGE,
                                   "%s is not a regular file; name another "
                                   "with -o",
                                   to);
        if (!config->force)
            return pt_session_fail(s, PT_EUSAGE,
                                   "%s is there already; -f replaces it", to);
    }
    enum pt_status st = pt_trace_repair(s->trace, to, &s->error);
    if (st == PT_OK)
        say_result(s->trace, to);
    return st;
}

const struct pt_analyzer pt_analyzer_repair = {
    .name = "repair",
    .summary = "make a whole trace of a torn or damaged one",
    .description =
        "Copies every whole chunk of a trace into a new one, which is closed "
        "well and has an index. What was damaged is left out; the trace itself "
        "is not touched. Where a chunk of definitions is lost, events after it "
        "may name functions that nobody can tell any more: repair says in how "
        "many events, reports show them as \"?\", and verify goes on to find "
        "such ids undefined. NAME.ptr, or NAME.ptr.part of a recording that "
        "was "
        "cut off, becomes NAME.repaired.ptr.",
    .examples = "ptana repair trace.ptr.part # makes trace.repaired.ptr\n"
                "ptana repair bad.ptr -o good.ptr # by a name of your own",
    .options = options,
    .config_size = sizeof(struct config),
    .mends = true,
    .run = run,
};
