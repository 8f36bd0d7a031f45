/* ptana coverage: what of the program's sources ran. */
#include "analyze/coverage/coverage.h"
#include "analyze/coverage/diff.h"
#include "analyze/coverage/report.h"

#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct pt_cov_config, member)

static const struct pt_option options[] = {
    {"source", 0, PT_OPTION_LIST, AT(source), "DIR|PACKAGE",
     "report the files below DIR, or of PACKAGE, also those that nobody "
     "imported; may be given again. Without it and --include: all that ran but "
     "the standard library and installed packages"},
    {"include", 0, PT_OPTION_LIST, AT(include), "GLOB",
     "report files whose paths match: * and ? stand for what is within a name, "
     "** for any folders, and a glob without a slash means a file's name in "
     "any folder; may be given again"},
    {"omit", 0, PT_OPTION_LIST, AT(omit), "GLOB", "... unless they match this"},
    {"exclude-lines", 0, PT_OPTION_LIST, AT(exclude_lines), "REGEX",
     "leave out lines in which the regular expression is found, and the suite "
     "that such a line opens; besides \"pragma: no cover\" and coverage.py's "
     "other defaults; may be given again"},
    {"branches", 0, PT_OPTION_FLAG, AT(branches), NULL,
     "count the ways from line to line, too, where a line has several, as "
     "coverage.py's --branch does: a line of which some were never gone is "
     "partial; with -m as 12->15 and 12->exit"},
    {"show-missing", 'm', PT_OPTION_FLAG, AT(show_missing), NULL,
     "tell the lines that did not run"},
    {"skip-covered", 0, PT_OPTION_FLAG, AT(skip_covered), NULL,
     "leave files out of the table of which all ran"},
    {"skip-empty", 0, PT_OPTION_FLAG, AT(skip_empty), NULL,
     "leave files out of the table that have no code"},
    {"sort", 0, PT_OPTION_TEXT, AT(sort), "[-]KEY",
     "order of the table: name (the default), stmts, miss, branch, brpart or "
     "cover; behind a - from the largest down"},
    {"precision", 0, PT_OPTION_COUNT, AT(precision), "N",
     "decimals of percentages, none by default"},
    {"functions", 0, PT_OPTION_FLAG, AT(functions), NULL,
     "list the functions and classes that never ran"},
    {"conditions", 0, PT_OPTION_FLAG, AT(conditions), NULL,
     "tell of each operand of and, or, not, chained comparisons, ternaries and "
     "tests how often it was true and false"},
    {"mcdc", 0, PT_OPTION_FLAG, AT(mcdc), NULL,
     "... and of each decision how its evaluations went, and which of its "
     "conditions were shown to decide alone (masking MC/DC)"},
    {"fail-under", 0, PT_OPTION_LIST, AT(fail_under), "[WHAT:]PERCENT",
     "exit 1 where less than that is covered, of the table's total, or of "
     "lines:, branches:, conditions: or mcdc:; several with commas between, or "
     "given again"},
    {"diff", 0, PT_OPTION_TEXT, AT(diff), "OLD",
     "tell what became uncovered, or covered, since the trace OLD was "
     "recorded, as text or json; lines are followed through the changes of "
     "the sources"},
    {"fail-on-loss", 0, PT_OPTION_FLAG, AT(fail_on_loss), NULL,
     "with --diff: exit 1 where something that was covered is not any more"},
    {"python", 0, PT_OPTION_TEXT, AT(python), "PYTHON",
     "a Python of the version that ran the program, whose parser reads sources "
     "that the trace has no syntax of; default: the pythonX.Y or python3 on "
     "PATH that is one"},
    {0}};

/* Files that lack something: the first is named, and how many more there are.
 */
static void
say_lacks(const struct pt_coverage *c)
{
    uint32_t unparsed = 0, others = 0;
    const struct pt_cov_file *first[2] = {NULL, NULL};
    for (uint32_t i = 0; i < c->nfiles; i++) {
        const struct pt_cov_file *f = &c->files[i];
        if (f->lacks.len == 0)
            continue;
        uint32_t *n = f->parsed ? &others : &unparsed;
        if (++*n == 1)
            first[f->parsed] = f;
    }
    for (size_t parsed = 0; parsed < 2; parsed++) {
        const struct pt_cov_file *f = first[parsed];
        uint32_t more = (parsed ? others : unparsed) - 1;
        char name[512], rest[64] = "";
        if (!f)
            continue;
        pt_text_escape(f->path, name, sizeof name);
        if (more)
            snprintf(rest, sizeof rest, " (and so with %u more file%s)", more,
                     pt_text_plural(more));
        pt_out_say("warning: %s: %.*s%s%s", name, (int)f->lacks.len,
                   f->lacks.data,
                   parsed        ? ""
                   : f->imported ? "; its lines are those of its bytecode"
                                 : "; none of its lines counts",
                   rest);
    }
}

static enum pt_status
collect(struct pt_session *s, struct pt_collection *c)
{
    enum pt_status st =
        pt_collection_add(c, s->trace, s->filter, &s->trouble, &s->error);
    for (size_t i = 0; st == PT_OK && i < s->nmore; i++)
        st = pt_collection_add(c, s->more[i].trace, s->more[i].filter,
                               &s->more[i].trouble, &s->error);
    return st == PT_OK ? pt_collection_finish(c) : st;
}

static enum pt_status
check_files(struct pt_session *s, const struct pt_coverage *c)
{
    if (c->nfiles == 0)
        return pt_session_fail(s, PT_ENOTFOUND,
                               "%s ran no file that is reported; --source or "
                               "--include name others, also those of the "
                               "standard library and of installed packages",
                               pt_trace_path(s->trace));
    return PT_OK;
}

static enum pt_status
report(struct pt_session *s, const struct pt_coverage *c)
{
    say_lacks(c);
    enum pt_status st = pt_session_format(s, "json")   ? pt_cov_json(c, s->out)
                        : pt_session_format(s, "lcov") ? pt_cov_lcov(c, s->out)
                        : pt_session_format(s, "annotate")
                            ? pt_cov_annotate(c, s->out)
                        : pt_session_format(s, "html")
                            ? pt_cov_html(c, s->common.output, &s->error)
                            : pt_cov_summary(s, c);
    if (st == PT_OK && c->has_conditions && pt_session_format(s, "text"))
        pt_cov_conditions_text(s, c);
    if (st == PT_OK)
        pt_cov_gate(s, c);
    return st;
}

/* --- what became uncovered ------------------------------------------------ */

static enum pt_status
collect_other(struct pt_session *s, struct pt_collection *c)
{
    const struct pt_cov_config *config = s->config;
    enum pt_status st = pt_session_other(s, config->diff);
    if (st == PT_OK)
        st = pt_collection_add(c, s->other.trace, s->other.filter,
                               &s->other.trouble, &s->error);
    return st == PT_OK ? pt_collection_finish(c) : st;
}

static enum pt_status
report_diff(struct pt_session *s, const struct pt_coverage *then,
            const struct pt_coverage *now)
{
    const struct pt_cov_config *config = s->config;
    uint64_t lost = 0;
    say_lacks(now);
    enum pt_status st = (pt_session_format(s, "json")
                             ? pt_cov_diff_json
                             : pt_cov_diff_text)(then, now, s->out, &lost);
    if (st == PT_OK)
        pt_cov_gate(s, now);
    if (st == PT_OK && lost && config->fail_on_loss) {
        pt_out_say("something that %s covered is not covered any more",
                   config->diff);
        s->verdict = PT_EXIT_THRESHOLD;
    }
    return st;
}

static enum pt_status
check_diff(struct pt_session *s)
{
    const struct pt_cov_config *config = s->config;
    if (!config->diff && config->fail_on_loss)
        return pt_session_fail(s, PT_EUSAGE,
                               "--fail-on-loss needs --diff=OLD, which says "
                               "what was covered");
    if (config->diff && !pt_session_format(s, "text") &&
        !pt_session_format(s, "json"))
        return pt_session_fail(s, PT_EUSAGE,
                               "--diff reports as text or json, not %s",
                               s->common.format);
    return PT_OK;
}

/* --- the analyzer --------------------------------------------------------- */

/* A coverage with what it borrows from. */
struct made {
    struct pt_collection *all;
    struct pt_selection *files;
    struct pt_coverage coverage;
};

static void
unmake(struct made *m)
{
    pt_coverage_clear(&m->coverage);
    pt_selection_free(m->files);
    pt_collection_free(m->all);
}

static enum pt_status
make(struct pt_session *s,
     enum pt_status (*gather)(struct pt_session *, struct pt_collection *),
     struct made *m)
{
    const struct pt_cov_config *config = s->config;
    enum pt_status st = pt_collection_new(config->python, &m->all);
    if (st == PT_OK)
        st = gather(s, m->all);
    if (st == PT_OK)
        st = pt_selection_new(s, m->all, &m->files);
    return st == PT_OK ? pt_coverage_build(s, m->all, m->files, &m->coverage)
                       : st;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct pt_cov_config *config = s->config;
    struct made now = {0}, then = {0};
    enum pt_status st = pt_cov_gate_check(s);
    if (st == PT_OK)
        st = check_diff(s);
    if (st == PT_OK)
        st = make(s, collect, &now);
    if (st == PT_OK)
        st = check_files(s, &now.coverage);
    if (st == PT_OK && config->diff)
        st = make(s, collect_other, &then);
    if (st == PT_OK)
        st = config->diff ? report_diff(s, &then.coverage, &now.coverage)
                          : report(s, &now.coverage);
    unmake(&then);
    unmake(&now);
    return st;
}

const struct pt_analyzer pt_analyzer_coverage = {
    .name = "coverage",
    .summary = "which lines ran, as coverage.py counts them",
    .description =
        "Tells of each source which of its statements ran, from a trace that "
        "was recorded as any other: by the flow (the default preset) or by "
        "line events (lines, instructions, coverage). Statements, exclusions "
        "and "
        "percentages are those of coverage.py, and so is the table.\n"
        "Several traces, and all processes in them, add up: a file is its "
        "path, and where they ran different texts of it, the last one counts. "
        "The sources are parsed by a Python of the version that ran them "
        "(--python), unless the trace has their syntax (ptrec run "
        "--syntax=own); without either, the lines are those of the bytecode, "
        "which a warning says.\n"
        "--conditions looks inside a line: every operand whose truth decides "
        "something, with how often it was true and false; --mcdc tells how the "
        "evaluations of a decision went (T F, - where an operand was not "
        "asked for, ? where an exception cut it short or nothing asks for its "
        "truth), with the position of the first of each, and which conditions "
        "were shown to decide alone. Both need a trace of the flow, the "
        "default preset. The table is followed by decisions that lack "
        "something; annotate, json, lcov and html have them all.\n"
        "annotate prints the sources: a mark (> it ran, ! it did not, - it is "
        "excluded), how often each statement began, its line, and below it "
        "what it lacks. json is coverage.py's, with hits under \"ptrec\". lcov "
        "is for genhtml and others. html writes a folder of pages that need "
        "no network; a folder that holds anything but such a report is not "
        "touched.",
    .examples =
        "ptana coverage -m # the table, with the lines that are missing\n"
        "ptana coverage --branches -m # ... and with the branches never taken\n"
        "ptana coverage --source=src --fail-under=90 # also files that nobody "
        "imported; exit 1 below 90 %\n"
        "ptana coverage --functions unit.ptr system.ptr # two runs together, "
        "and what never ran in either\n"
        "ptana coverage --format=json -o coverage.json # as coverage json "
        "writes it\n"
        "ptana coverage --diff=main.ptr --fail-on-loss # what became uncovered "
        "since main.ptr\n"
        "ptana coverage --format=html -o report # open report/index.html\n"
        "ptana coverage --mcdc --include=rules.py # which conditions nobody "
        "tested\n"
        "ptana coverage --format=annotate --include=app.py | less -R",
    .options = options,
    .config_size = sizeof(struct pt_cov_config),
    .takes = PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_FRAMES |
             PT_TAKES_FORMAT | PT_TAKES_TEXT | PT_TAKES_TRACES,
    .formats = "text|annotate|json|lcov|html",
    .folder = "html",
    .run = run,
};
