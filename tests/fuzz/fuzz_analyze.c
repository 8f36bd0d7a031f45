/* libFuzzer target: runs ptana's analyzers on a log, as their command lines
 * would, with options that follow from the log's bytes, so that an input always
 * does the same.  Analyzers and options come from ptana's own table: what is
 * added there is fuzzed without a line here.
 *
 * Whatever the log says: no exit status but the documented ones, a sentence
 * with each failure, and nothing of the log reaches a terminal unescaped. */
#include "tests/fuzz/fuzz.h"

#include "analyze/analyzer.h"
#include "analyze/utf8.h"
#include "format/alloc.h"
#include "format/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS = 16, WORD = 96, RUNS = 3, COMMANDS = 6 };

struct line {
    char words[WORDS][WORD];
    int n;
    bool color; /* escape sequences are wanted */
};

/* What went where in the run at hand. */
static struct {
    char repaired[64]; /* the trace that repair makes */
    int report;        /* what analyzers write */
    FILE *errors;      /* the real standard error */
    char *said;        /* what took its place was given */
    size_t len;
    const struct line *line;
} run;

void
broken(const char *what)
{
    FILE *to = run.errors != NULL ? run.errors : stderr;
    fprintf(to, "fuzz_analyze: %s:", what);
    for (int i = 0; run.line != NULL && i < run.line->n; i++)
        fprintf(to, " %s", run.line->words[i]);
    fprintf(to, "\n%.*s", (int)run.len, run.said != NULL ? run.said : "");
    abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    pt_testing.ignore_checksums = true;
    snprintf(run.repaired, sizeof run.repaired, "/tmp/pt-fuzz-%d.ptr",
             (int)getpid());
    run.report = memfd_create("report", MFD_CLOEXEC);
    if (run.report < 0)
        broken("no memfd");
    return 0;
}

/* --- a command line ------------------------------------------------------- */

static uint64_t
dice(uint64_t *state, uint64_t sides)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (*state >> 33) % sides;
}

static char *
add(struct line *l, const char *word)
{
    char *w = l->words[l->n++];
    snprintf(w, WORD, "%s", word);
    return w;
}

/* One of "a|b|c" goes to `to`. */
static void
choose(const char *choices, uint64_t *state, char *to, size_t size)
{
    uint64_t n = 1;
    for (const char *p = choices; *p != '\0'; p++)
        n += *p == '|';
    for (uint64_t k = dice(state, n); k > 0; k--)
        choices = strchr(choices, '|') + 1;
    snprintf(to, size, "%.*s", (int)strcspn(choices, "|"), choices);
}

/* What an option that takes any text is given, and any other. */
static const struct {
    const char *option, *values;
} texts[] = {{"from", "0|2us|12|7+3"},  {"to", "1s|40us|9"},
             {"thread", "4242|100|#1"}, {"process", "4242|#1"},
             {"include", "*|f|app.py"}, {"exclude", "f|g"},
             {"function", "f|g*"},      {"kinds", "call,return|line|branch"},
             {"min-time", "1%|20ns"},   {NULL, "f|*|1|app.py:11|"}};

/* What the debugger is told to do. */
static const char commands[] =
    "step 7|next 3|finish|until|continue|stepi 9|nexti 5|reverse-step 7|"
    "reverse-next 3|reverse-finish|reverse-until|reverse-continue|rsi 9|rni 5|"
    "break f|break app.py:3|tbreak *|catch exception|catch thread|delete|"
    "goto begin|goto end|goto failure|goto 12|goto 7+3|goto 2us|goto f 2|"
    "advance g|until app.py:2|bt|bt -2|up|down|list|list -|disassemble|calls|"
    "info threads|info functions|info tasks|info sources|info line|search f|"
    "thread 1|thread 2|when|mark a|goto a";

static const char *
values_of(const struct pt_option *o)
{
    size_t i = 0;
    while (texts[i].option && strcmp(texts[i].option, o->name) != 0)
        i++;
    return texts[i].values;
}

/* Options that name files of their own, or end a run before it begins. */
static bool
is_left_out(const struct pt_option *o)
{
    static const char *const names[] = {"output", "force", "help"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(o->name, names[i]) == 0)
            return true;
    return o->arg != NULL && (strstr(o->arg, "FILE") || strstr(o->arg, "DIR"));
}

static void
add_option(struct line *l, const struct pt_option *o, uint64_t *state)
{
    char value[WORD / 2] = "";
    char *w = add(l, "");
    if (o->type == PT_OPTION_PAIRS) {
        for (unsigned i = 1; i <= COMMANDS && l->n < WORDS - 5; i++) {
            choose(commands, state, value, sizeof value);
            snprintf(w, WORD, "--%s=%s", o->name, value);
            w = i < COMMANDS ? add(l, "") : w;
        }
        snprintf(w, WORD, "--%s=when", o->name);
        return;
    }
    if (o->type == PT_OPTION_FLAG) {
        snprintf(w, WORD, "--%s", o->name);
        return;
    }
    choose(o->type == PT_OPTION_CHOICE  ? o->arg
           : o->type == PT_OPTION_COUNT ? "1|3|60|1000000000"
                                        : values_of(o),
           state, value, sizeof value);
    l->color |= strcmp(value, "always") == 0;
    snprintf(w, WORD, "--%s=%s", o->name, value);
}

/* Most options are left away, so that most runs get to an end. */
static void
make_line(struct line *l, const struct pt_analyzer *a, uint64_t *state)
{
    struct pt_common common;
    struct pt_option_group groups[PT_GROUPS];
    size_t n = pt_analyzer_groups(a, &common, NULL, groups);
    *l = (struct line){0};
    for (size_t g = 0; g < n; g++)
        for (const struct pt_option *o = groups[g].options; o->name; o++)
            if ((o->type == PT_OPTION_PAIRS || dice(state, 12) == 0) &&
                !is_left_out(o) && l->n < WORDS - 5)
                add_option(l, o, state);
    if (a->formats != NULL) {
        char *w = add(l, "--format=");
        choose(a->formats, state, w + strlen(w), WORD - strlen(w));
    }
    add(l, "-f");
    char *w = add(l, "");
    if (a->mends)
        snprintf(w, WORD, "-o%s", run.repaired);
    else
        snprintf(w, WORD, "-o/proc/self/fd/%d", run.report);
}

/* --- a run ---------------------------------------------------------------- */

/* Text for people and for programs: UTF-8, and no control characters but those
 * that part lines. */
static void
check_text(const char *text, size_t len, bool color, const char *what)
{
    for (size_t i = 0; i < len;) {
        uint32_t c;
        unsigned n = pt_utf8_next(text + i, len - i, &c);
        bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') ||
                       (c >= 0x7f && c < 0xa0);
        bool wrong = (c == 0xfffd && n == 1) || (c >= 0xd800 && c < 0xe000);
        if (wrong || (control && !(c == 0x1b && color)))
            broken(what);
        i += n;
    }
}

static void
check_report(bool color)
{
    off_t size = lseek(run.report, 0, SEEK_END);
    if (size <= 0)
        return;
    char *text = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, run.report, 0);
    if (text == MAP_FAILED)
        broken("no mapping");
    check_text(text, (size_t)size, color, "a report is no clean text");
    munmap(text, (size_t)size);
}

static void
analyze(const struct pt_analyzer *a, const char *trace, uint64_t *state)
{
    struct line line;
    char *argv[WORDS + 1];
    int n = 0;
    make_line(&line, a, state);
    add(&line, trace);
    for (; n < line.n; n++)
        argv[n] = line.words[n];
    argv[n] = NULL;
    run.line = &line;
    /* formats of other tools that are no text */
    const char *format = a->formats != NULL ? line.words[n - 4] : "";
    bool binary = strstr(format, "pstats") || strstr(format, "pprof");
    if (ftruncate(run.report, 0) != 0)
        broken("no report");
    run.errors = stderr;
    stderr = open_memstream(&run.said, &run.len);
    enum pt_exit code = pt_session_run(a, n, argv);
    fclose(stderr);
    stderr = run.errors;
    if (code < PT_EXIT_OK || code > PT_EXIT_SYSTEM)
        broken("an exit status that there is not");
    if (code >= PT_EXIT_USAGE && run.len == 0 && strcmp(a->name, "verify") != 0)
        broken("a failure without a sentence");
    check_text(run.said, run.len, false, "what is said is no clean text");
    if (!binary)
        check_report(line.color);
    free(run.said);
    run.said = NULL;
    run.len = 0;
    unlink(run.repaired);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    uint64_t state = pt_hash64(data, size), analyzers = 0;
    int fd = memfd_create("log", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        broken("no memfd");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    while (pt_analyzers[analyzers] != NULL)
        analyzers++;
    for (unsigned i = 0; i < RUNS; i++)
        analyze(pt_analyzers[dice(&state, analyzers)], path, &state);
    close(fd);
    return 0;
}
