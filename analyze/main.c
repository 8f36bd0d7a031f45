/* ptana: dispatch by the table of analyzers. */
#include "analyze/analyzer.h"

#include <pt/version.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum pt_exit
unknown(const char *word)
{
    const char *best = NULL;
    unsigned nearest = 3;
    for (size_t i = 0; pt_analyzers[i]; i++) {
        unsigned d = pt_word_distance(word, pt_analyzers[i]->name);
        if (d < nearest) {
            nearest = d;
            best = pt_analyzers[i]->name;
        }
    }
    if (best)
        pt_out_say("there is no \"%s\"; did you mean ptana %s?", word, best);
    else
        pt_out_say("there is no \"%s\"; ptana help lists what there is", word);
    return PT_EXIT_USAGE;
}

/* help, help NAME, help --man [NAME], --version, --complete ... */
static enum pt_exit
inform(int argc, char **argv)
{
    struct pt_out_options options = {0};
    struct pt_error error;
    struct pt_out *out;
    const struct pt_analyzer *a = NULL;
    bool man = argc > 2 && strcmp(argv[2], "--man") == 0;
    const char *name = argc > 2 + man ? argv[2 + man] : NULL;
    bool complete = strcmp(argv[1], "--complete") == 0;
    if (!complete && name && strcmp(name, "ptana") != 0 &&
        !(a = pt_analyzer_find(name)))
        return unknown(name);
    enum pt_status st = pt_out_open(&options, &error, &out);
    if (st == PT_OK) {
        if (strcmp(argv[1], "--version") == 0)
            pt_out_text(out, "ptana " PT_VERSION "\n");
        else if (complete)
            pt_help_complete(out, argc - 2, argv + 2);
        else if (man)
            pt_help_man(out, a);
        else if (a)
            pt_help_analyzer(out, a);
        else
            pt_help_main(out);
        st = pt_out_close(out, &error);
    }
    if (st == PT_OK)
        return PT_EXIT_OK;
    pt_out_say("%s", error.text);
    return PT_EXIT_SYSTEM;
}

/* Without standard output or error, the trace or the report would be opened in
 * its place, and a warning end up inside.  What is written there fails still.
 */
static void
keep_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int
main(int argc, char **argv)
{
    /* A reader that has seen enough, as head does, ends us without a word. */
    signal(SIGPIPE, SIG_DFL);
    keep_standard_descriptors();
    if (argc < 2) {
        pt_out_say(
            "say what to do: ptana ANALYZER [OPTION...] [TRACE]; ptana help "
            "lists the analyzers");
        return PT_EXIT_USAGE;
    }
    if (strcmp(argv[1], "version") == 0)
        argv[1] = "--version";
    static const char *const words[] = {"help", "--help", "-h", "--version",
                                        "--complete"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(argv[1], words[i]) == 0)
            return inform(argc, argv);
    const struct pt_analyzer *a = pt_analyzer_find(argv[1]);
    return a ? pt_session_run(a, argc - 2, argv + 2) : unknown(argv[1]);
}
