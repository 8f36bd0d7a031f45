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

/* What repair meets in a trace. */
struct found {
    const struct pt_trace *trace;
    uint64_t bad_chunks; /* of events */
    uint64_t gaps;       /* in the others */
    uint64_t nameless;   /* events that name what no chunk defines */
};

static enum pt_status
count_chunk(void *state, const struct pt_events *chunk)
{
    struct found *f = state;
    f->gaps += chunk->info->gaps;
    for (uint32_t i = 0; i < chunk->info->events; i++)
        f->nameless += !pt_name_is_defined(f->trace, &chunk->events[i]);
    return PT_OK;
}

static enum pt_status
count_bad(void *state, const struct pt_chunk_info *info)
{
    ((struct found *)state)->bad_chunks++;
    return PT_OK;
}

static enum pt_status
look(struct pt_session *s, struct found *found)
{
    struct pt_fold fold = {
        .state = found, .chunk = count_chunk, .bad = count_bad};
    struct pt_trouble trouble = {0};
    *found = (struct found){.trace = s->trace};
    return pt_pass_run(s->trace, NULL, &fold, 1, &trouble, &s->error);
}

static void
say_result(const struct found *found, const char *to)
{
    enum { PART = 120 };
    const char *path = pt_trace_path(found->trace);
    uint64_t left =
        pt_trace_damage(found->trace)->bad_chunks + found->bad_chunks;
    uint64_t gaps = 0;
    char number[PT_NUMBER_TEXT];
    char chunks[PART] = "", missing[PART] = "", names[PART] = "";
    struct pt_trace *copy;
    if (pt_trace_open(to, NULL, &copy) == PT_OK) {
        const struct pt_end *end = pt_trace_end(copy);
        gaps = end ? end->gaps - found->gaps : 0;
        pt_trace_close(copy);
    }
    if (left)
        snprintf(chunks, sizeof chunks, "; %s damaged chunk%s left out",
                 pt_text_grouped(left, number), pt_text_plural(left));
    if (gaps)
        snprintf(missing, sizeof missing,
                 "; %s new gap%s where events are missing",
                 pt_text_grouped(gaps, number), pt_text_plural(gaps));
    if (found->nameless)
        snprintf(names, sizeof names,
                 "; the names in %s event%s are lost and read \"<lost ID>\"",
                 pt_text_grouped(found->nameless, number),
                 pt_text_plural(found->nameless));
    if (left || gaps || found->nameless)
        pt_out_say("%s written from %s%s%s%s", to, path, chunks, missing,
                   names);
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
    struct found found;
    enum pt_status st = look(s, &found);
    if (st == PT_OK)
        st = pt_trace_repair(s->trace, to, &s->error);
    if (st == PT_OK)
        say_result(&found, to);
    return st;
}

const struct pt_analyzer pt_analyzer_repair = {
    .name = "repair",
    .summary = "make a whole trace of a torn or damaged one",
    .description =
        "Copies every whole chunk of a trace into a new one, which is closed "
        "well and has an index. The trace itself is not touched. What was "
        "damaged is left out, and the new trace says so where it was: a gap "
        "stands for missing events, in each thread that may have had them, "
        "and functions and types whose definitions are lost are called "
        "\"<lost ID>\". NAME.ptr, or NAME.ptr.part of a recording that was "
        "cut off, becomes NAME.repaired.ptr.",
    .examples = "ptana repair trace.ptr.part # makes trace.repaired.ptr\n"
                "ptana repair bad.ptr -o good.ptr # by a name of your own",
    .options = options,
    .config_size = sizeof(struct config),
    .mends = true,
    .run = run,
};
