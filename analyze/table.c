/* The analyzers: one line each.  Help, dispatch, completion, the man pages and
 * the check that each has a golden test come from this table. */
#include "analyze/analyzer.h"

#include <string.h>

#define PT_ANALYZERS(X)                                                        \
    X(info)                                                                    \
    X(verify)                                                                  \
    X(repair)                                                                  \
    X(dump)                                                                    \
    X(coverage)                                                                \
    X(profile)                                                                 \
    X(debug)                                                                   \
    X(dap)                                                                     \
    X(export)                                                                  \
    X(flamegraph)

#define X(name) extern const struct pt_analyzer pt_analyzer_##name;
PT_ANALYZERS(X)
#undef X

const struct pt_analyzer *const pt_analyzers[] = {
#define X(name) &pt_analyzer_##name,
    PT_ANALYZERS(X)
#undef X
        NULL};

const struct pt_analyzer *
pt_analyzer_find(const char *name)
{
    for (size_t i = 0; pt_analyzers[i]; i++)
        if (strcmp(pt_analyzers[i]->name, name) == 0)
            return pt_analyzers[i];
    return NULL;
}

/* --- the groups of options that analyzers share --------------------------- */

#define AT(member) offsetof(struct pt_common, member)

static const struct pt_option range_options[] = {
    {"from", 0, PT_OPTION_TEXT, AT(from), "POS",
     "begin at an event (its number SEQ as dump shows it; SEQ+K is the K-th "
     "instruction behind it) or at a time since ptrec began (1.5s, 20ms, "
     "300us)"},
    {"to", 0, PT_OPTION_TEXT, AT(to), "POS", "end there, inclusive"},
    {0}};
static const struct pt_option thread_options[] = {
    {"thread", 0, PT_OPTION_LIST, AT(threads), "THREAD",
     "only this thread: its number in the trace (#1) or its native id, as info "
     "lists them, or a glob on its name where the trace knows one; may be "
     "given "
     "again"},
    {"process", 0, PT_OPTION_LIST, AT(processes), "PROCESS",
     "only this process: a pid, or #ID of the trace; may be given again"},
    {0}};
#define RULE(name, kind, arg, help)                                            \
    {                                                                          \
        name, 0, PT_OPTION_LIST, AT(rules[kind]), arg, help                    \
    }
static const struct pt_option rule_options[] = {
    RULE("source", PT_RULE_SOURCE, "DIR|PACKAGE",
         "only Python code below DIR, as seen from where the program was "
         "started, or of PACKAGE; this and the following as ptrec run has "
         "them: the report is that of a recording with the same filters; all "
         "may be given again"),
    RULE("include", PT_RULE_INCLUDE, "GLOB",
         "only Python code that matches, by its qualified name or its last "
         "component, or by its file: path, base name (encoder.py), or that "
         "with its directory (json/encoder.py)"),
    RULE("exclude", PT_RULE_EXCLUDE, "GLOB", "... unless it matches this"),
    {"exclude-stdlib", 0, PT_OPTION_FLAG, AT(exclude_stdlib), NULL,
     "leave out Python's standard library"},
    {0}};
static const struct pt_option frame_options[] = {
    RULE("only", PT_RULE_ONLY, "FUNCTION",
         "only the function: NAME, MODULE.NAME (globs), or FILE:LINE"),
    RULE("function", PT_RULE_FUNCTION, "FUNCTION",
         "only the function and all that it calls"),
    RULE("max-depth", PT_RULE_MAX_DEPTH, "N",
         "only the N outermost frames of each stack"),
    RULE("start-at", PT_RULE_START_AT, "PLACE",
         "only what comes from when a function is first entered, or FILE:LINE "
         "reached"),
    {0}};
#undef RULE
static const struct pt_option output_options[] = {
    {"output", 'o', PT_OPTION_TEXT, AT(output), "FILE",
     "write the report there instead of to standard output"},
    {"force", 'f', PT_OPTION_FLAG, AT(force), NULL,
     "replace FILE when it is there"},
    {0}};
static const struct pt_option text_options[] = {
    {"color", 0, PT_OPTION_CHOICE, AT(color), "auto|always|never",
     "colour in text; auto: on a terminal"},
    {"width", 0, PT_OPTION_COUNT, AT(width), "N",
     "make lines of text fit N columns; default: the terminal's, and where the "
     "report goes to a file or a program nothing is cut"},
    {0}};
static const struct pt_option strict_options[] = {
    {"strict", 0, PT_OPTION_FLAG, AT(strict), NULL,
     "exit 3 on any gap, desync, damage or torn end, not only a warning"},
    {0}};
static const struct pt_option every_options[] = {
    {"help", 'h', PT_OPTION_FLAG, AT(help), NULL, "show this help"}, {0}};

size_t
pt_analyzer_groups(const struct pt_analyzer *a, struct pt_common *common,
                   void *config, struct pt_option_group *groups)
{
    size_t n = 0;
    if (a->options)
        groups[n++] = (struct pt_option_group){a->options, config};
    if (a->takes & PT_TAKES_RANGE)
        groups[n++] = (struct pt_option_group){range_options, common};
    if (a->takes & PT_TAKES_THREADS)
        groups[n++] = (struct pt_option_group){thread_options, common};
    if (a->takes & PT_TAKES_RULES)
        groups[n++] = (struct pt_option_group){rule_options, common};
    if (a->takes & (PT_TAKES_RULES | PT_TAKES_FRAMES))
        groups[n++] = (struct pt_option_group){frame_options, common};
    if (a->takes & PT_TAKES_FORMAT)
        groups[n++] = (struct pt_option_group){output_options, common};
    if (a->takes & PT_TAKES_TEXT)
        groups[n++] = (struct pt_option_group){text_options, common};
    if (!a->mends)
        groups[n++] = (struct pt_option_group){strict_options, common};
    groups[n++] = (struct pt_option_group){every_options, common};
    return n;
}
