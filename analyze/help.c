/* Help, man pages and completion, all from the table of analyzers.  The pages
 * under spec/man are this file's output; a golden test keeps them equal. */
#include "analyze/analyzer.h"

#include <pt/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_WIDTH = 80, OPTION_COLUMN = 26 };

/* The groups of an analyzer, with its formats as an option of their own. */
struct tables {
    struct pt_common common;
    struct pt_option format[2];
    struct pt_option_group groups[PT_GROUPS + 1];
    size_t n;
};

static void
gather(struct tables *t, const struct pt_analyzer *a)
{
    memset(t, 0, sizeof *t);
    t->n = pt_analyzer_groups(a, &t->common, NULL, t->groups);
    if (a->formats) {
        t->format[0] = (struct pt_option){
            "format",
            0,
            PT_OPTION_CHOICE,
            0,
            a->formats,
            "the form of the report; the first is the default"};
        t->groups[t->n++] = (struct pt_option_group){t->format, NULL};
    }
}

/* Folds `text` from column `at` on, with `indent` before each further line. */
static void
fold(struct pt_out *o, const char *text, unsigned at, unsigned indent)
{
    while (*text) {
        size_t len = strcspn(text, " \n");
        if (at > indent && at + 1 + len > HELP_WIDTH - 1) {
            pt_out_char(o, '\n');
            pt_out_spaces(o, indent);
            at = indent;
        } else if (at > indent) {
            pt_out_char(o, ' ');
            at++;
        }
        pt_out_bytes(o, text, len);
        at += (unsigned)len;
        text += len;
        if (*text == '\n') {
            pt_out_text(o, "\n\n");
            pt_out_spaces(o, indent);
            at = indent;
        }
        text += *text != 0;
    }
    pt_out_char(o, '\n');
}

static void
option_help(struct pt_out *o, const struct pt_option *option)
{
    char head[128];
    int n = snprintf(head, sizeof head, "  %s%.*s%s--%s%s%s",
                     option->letter ? "-" : "", option->letter != 0,
                     &option->letter, option->letter ? ", " : "", option->name,
                     option->arg ? "=" : "", option->arg ? option->arg : "");
    pt_out_text(o, head);
    if (n >= OPTION_COLUMN - 1) {
        pt_out_char(o, '\n');
        n = 0;
    }
    pt_out_spaces(o, (unsigned)(OPTION_COLUMN - n));
    fold(o, option->help, OPTION_COLUMN, OPTION_COLUMN);
}

enum pt_status
pt_help_main(struct pt_out *o)
{
    pt_out_text(o, "usage: ptana ANALYZER [OPTION...] [TRACE]\n\n"
                   "Answers questions from a trace that ptrec recorded "
                   "(default: trace.ptr).\n\n");
    for (size_t i = 0; pt_analyzers[i]; i++)
        pt_out_printf(o, "  %-10s %s\n", pt_analyzers[i]->name,
                      pt_analyzers[i]->summary);
    pt_out_text(o, "\n  ptana help ANALYZER   its options and examples\n"
                   "  ptana --version\n");
    return o->status;
}

/* One line "command # why" of an analyzer's examples. */
struct example {
    struct pt_str command, why;
};

/* Takes the next example off *at; false where there is none. */
static bool
next_example(const char **at, struct example *out)
{
    const char *line = *at, *end = line + strcspn(line, "\n");
    if (line == end)
        return false;
    /* Not a bare #, which an argument may hold. */
    const char *mark = strstr(line, " # ");
    if (!mark || mark > end)
        mark = end;
    const char *why = mark < end ? mark + 3 : end;
    out->command = (struct pt_str){line, (size_t)(mark - line)};
    out->why = (struct pt_str){why, (size_t)(end - why)};
    *at = end + (*end != 0);
    return true;
}

enum pt_status
pt_help_analyzer(struct pt_out *o, const struct pt_analyzer *a)
{
    struct tables t;
    gather(&t, a);
    pt_out_printf(o, "usage: ptana %s [OPTION...]%s\n\n", a->name,
                  a->opens                     ? ""
                  : a->takes & PT_TAKES_TRACES ? " [TRACE...]"
                                               : " [TRACE]");
    fold(o, a->description, 0, 0);
    pt_out_text(o, "\noptions:\n");
    for (size_t g = 0; g < t.n; g++)
        for (const struct pt_option *p = t.groups[g].options; p->name; p++)
            option_help(o, p);
    pt_out_text(o, "\nexamples:\n");
    struct example e;
    for (const char *at = a->examples; next_example(&at, &e);)
        pt_out_printf(o, "  %.*s\n      %.*s\n", (int)e.command.len,
                      e.command.data, (int)e.why.len, e.why.data);
    return o->status;
}

/* --- troff ---------------------------------------------------------------- */

/* Text for troff: dashes and backslashes as they are, no leading control. */
static void
troff(struct pt_out *o, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            pt_out_text(o, "\n.PP\n");
            continue;
        }
        if (text[i] == '-')
            pt_out_char(o, '\\');
        if (text[i] == '\\')
            pt_out_text(o, "\\e");
        else if ((text[i] == '.' || text[i] == '\'') &&
                 (i == 0 || text[i - 1] == '\n'))
            pt_out_printf(o, "\\&%c", text[i]);
        else
            pt_out_char(o, text[i]);
    }
}

static void
troff_text(struct pt_out *o, const char *text)
{
    troff(o, text, strlen(text));
}

static void
troff_option(struct pt_out *o, const struct pt_option *option)
{
    pt_out_text(o, ".TP\n");
    if (option->letter)
        pt_out_printf(o, "\\fB\\-%c\\fR, ", option->letter);
    pt_out_text(o, "\\fB\\-\\-");
    troff_text(o, option->name);
    pt_out_text(o, "\\fR");
    if (option->arg) {
        pt_out_text(o, "=\\fI");
        troff_text(o, option->arg);
        pt_out_text(o, "\\fR");
    }
    pt_out_char(o, '\n');
    troff_text(o, option->help);
    pt_out_text(o, ".\n");
}

static void
troff_exit(struct pt_out *o)
{
    pt_out_text(
        o,
        ".SH EXIT STATUS\n"
        "0: the report was made. Where the trace is damaged or torn, or events "
        "were\nlost, it is of what is left, and a warning on standard error "
        "says so.\n.br\n"
        "2: wrong usage, or nothing in the trace is so named.\n.br\n"
        "3: the file is no trace or none that can be read; with "
        "\\fB\\-\\-strict\\fR also\non any gap, desync, damage or torn "
        "end; \\fBptana verify\\fR on damage\nin any case.\n.br\n"
        "4: the system refused something, such as to write.\n");
}

static void
man_analyzer(struct pt_out *o, const struct pt_analyzer *a)
{
    struct tables t;
    gather(&t, a);
    pt_out_text(o, ".TH PTANA\\-");
    for (const char *p = a->name; *p; p++)
        pt_out_char(o, (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
    pt_out_printf(o,
                  " 1 \"\" \"ptrec " PT_VERSION
                  "\" \"ptrec manual\"\n.SH NAME\nptana\\-%s \\- ",
                  a->name);
    troff_text(o, a->summary);
    pt_out_printf(o,
                  "\n.SH SYNOPSIS\n\\fBptana %s\\fR [\\fIOPTION\\fR...]%s\n"
                  ".SH DESCRIPTION\n",
                  a->name,
                  a->opens                     ? ""
                  : a->takes & PT_TAKES_TRACES ? " [\\fITRACE\\fR...]"
                                               : " [\\fITRACE\\fR]");
    troff_text(o, a->description);
    if (!a->opens)
        pt_out_text(o, "\n.PP\n\\fITRACE\\fR is trace.ptr where none is "
                       "named.");
    pt_out_text(o, "\n.SH OPTIONS\n");
    for (size_t g = 0; g < t.n; g++)
        for (const struct pt_option *p = t.groups[g].options; p->name; p++)
            troff_option(o, p);
    pt_out_text(o, ".SH EXAMPLES\n");
    struct example e;
    for (const char *at = a->examples; next_example(&at, &e);) {
        pt_out_text(o, ".TP\n\\fB");
        troff(o, e.command.data, e.command.len);
        pt_out_text(o, "\\fR\n");
        troff(o, e.why.data, e.why.len);
        pt_out_char(o, '\n');
    }
    troff_exit(o);
    pt_out_text(o, ".SH SEE ALSO\nptana(1), ptrec(1)\n");
}

static void
man_main(struct pt_out *o)
{
    pt_out_text(o, ".TH PTANA 1 \"\" \"ptrec " PT_VERSION
                   "\" \"ptrec manual\"\n.SH NAME\nptana \\- answer questions "
                   "from a trace of a Python program\n.SH SYNOPSIS\n"
                   "\\fBptana\\fR \\fIANALYZER\\fR [\\fIOPTION\\fR...] "
                   "[\\fITRACE\\fR]\n.br\n\\fBptana help\\fR [\\fIANALYZER\\fR]"
                   "\n.br\n\\fBptana \\-\\-version\\fR\n.SH DESCRIPTION\n"
                   "\\fBptana\\fR reads what ptrec(1) recorded. "
                   "\\fITRACE\\fR is trace.ptr where none is named.\n"
                   "A trace that was not closed well is read as far as it "
                   "goes.\n.SH ANALYZERS\n");
    for (size_t i = 0; pt_analyzers[i]; i++) {
        pt_out_printf(o, ".TP\n\\fB%s\\fR\n", pt_analyzers[i]->name);
        troff_text(o, pt_analyzers[i]->summary);
        pt_out_printf(o, "; see ptana\\-%s(1)\n", pt_analyzers[i]->name);
    }
    pt_out_text(o, ".SH COMPLETION\nIn bash:\n.PP\n.nf\n"
                   "complete \\-o default \\-C \"ptana \\-\\-complete\" ptana\n"
                   ".fi\n");
    troff_exit(o);
    pt_out_text(o, ".SH SEE ALSO\nptrec(1)");
    for (size_t i = 0; pt_analyzers[i]; i++)
        pt_out_printf(o, ", ptana\\-%s(1)", pt_analyzers[i]->name);
    pt_out_char(o, '\n');
}

enum pt_status
pt_help_man(struct pt_out *o, const struct pt_analyzer *a)
{
    if (a)
        man_analyzer(o, a);
    else
        man_main(o);
    return o->status;
}

const char *
pt_help_page(const struct pt_analyzer *a, char *buffer, size_t size)
{
    snprintf(buffer, size, "ptana%s%s.1", a ? "-" : "", a ? a->name : "");
    return buffer;
}

/* --- completion ----------------------------------------------------------- */

static void
offer(struct pt_out *o, const char *start, const char *before, const char *word,
      size_t len, const char *after)
{
    char text[128];
    snprintf(text, sizeof text, "%s%.*s%s", before, (int)len, word, after);
    if (strncmp(text, start, strlen(start)) == 0)
        pt_out_printf(o, "%s\n", text);
}

/* Called by bash's complete -C: argv is the command, the word to complete and
 * the word before it; COMP_LINE is the whole line. */
enum pt_status
pt_help_complete(struct pt_out *o, int argc, char **argv)
{
    const char *line = getenv("COMP_LINE"), *start = argc > 1 ? argv[1] : "";
    const struct pt_analyzer *a = NULL;
    char name[32] = "";
    struct tables t;
    if (line && sscanf(line, "%*s %31s", name) == 1 && strcmp(name, start) != 0)
        a = pt_analyzer_find(name);
    if (!a) {
        for (size_t i = 0; pt_analyzers[i]; i++)
            offer(o, start, "", pt_analyzers[i]->name,
                  strlen(pt_analyzers[i]->name), "");
        return o->status;
    }
    if (start[0] != '-')
        return o->status;
    gather(&t, a);
    for (size_t g = 0; g < t.n; g++)
        for (const struct pt_option *p = t.groups[g].options; p->name; p++)
            offer(o, start, "--", p->name, strlen(p->name), p->arg ? "=" : "");
    return o->status;
}
