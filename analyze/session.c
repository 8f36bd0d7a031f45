/* A session: command line, trace, filter and output around one analyzer, and
 * what is said about the trace when it is done. */
#include "analyze/rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char default_trace[] = "trace.ptr";

bool
pt_session_format(const struct pt_session *s, const char *name)
{
    return s->common.format && strcmp(s->common.format, name) == 0;
}

enum pt_status
pt_session_fail(struct pt_session *s, enum pt_status status, const char *fmt,
                ...)
{
    va_list ap;
    s->error = (struct pt_error){.status = status, .offset = -1, .seq = -1};
    va_start(ap, fmt);
    vsnprintf(s->error.text, sizeof s->error.text, fmt, ap);
    va_end(ap);
    return status;
}

bool
pt_session_lacks(const struct pt_session *s, uint32_t kinds, const char *what,
                 const char *preset)
{
    if (pt_trace_told(s->trace) & kinds)
        return false;
    pt_out_say("%s has no %s; ptrec run --preset=%s records them",
               pt_trace_path(s->trace), what, preset);
    return true;
}

void
pt_session_lacks_times(const struct pt_session *s)
{
    const struct pt_header *h = pt_trace_header(s->trace);
    if (!pt_session_lacks(s, 1u << PT_CALL, "calls", "calls") &&
        !(h->stamped & 1u << PT_CALL))
        pt_out_say("%s has no times of calls; ptrec run --preset=calls records "
                   "them",
                   pt_trace_path(s->trace));
}

const char *
pt_session_lost(const struct pt_trouble *t, char *buffer)
{
    char n[PT_NUMBER_TEXT];
    if (t->unknown && t->lost == 0)
        return "an unknown number of events";
    snprintf(buffer, PT_LOST_TEXT, "%s%s event%s",
             t->unknown ? "at least " : "", pt_text_grouped(t->lost, n),
             pt_text_plural(t->lost));
    return buffer;
}

static const char *
damage_of(const struct pt_trace *trace)
{
    const char *text = pt_trace_damage(trace)->text;
    const char *path = pt_trace_path(trace);
    size_t n = strlen(path);
    bool named = strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0;
    return named ? text + n + 2 : text;
}

const char *
pt_session_damage(const struct pt_session *s)
{
    return damage_of(s->trace);
}

static enum pt_exit
exit_for(enum pt_status status)
{
    switch (status) {
    case PT_OK:
    case PT_END:
        return PT_EXIT_OK;
    case PT_EUSAGE:
    case PT_ENOTFOUND:
        return PT_EXIT_USAGE;
    case PT_ENOTRACE:
    case PT_EDAMAGED:
    case PT_EUNSUPPORTED:
        return PT_EXIT_DAMAGED;
    case PT_ENOMEM:
    case PT_EIO:
    case PT_ELIMIT:
        break;
    }
    return PT_EXIT_SYSTEM;
}

static void
say_failure(const struct pt_session *s, enum pt_status status)
{
    pt_out_say("%s", s->error.text[0]      ? s->error.text
                     : status == PT_ENOMEM ? "out of memory"
                                           : pt_status_name(status));
}

/* The name of a trace before its writer has closed it. */
static bool
is_part(const char *path)
{
    static const char part[] = ".part";
    size_t n = strlen(path), len = sizeof part - 1;
    return n > len && strcmp(path + n - len, part) == 0;
}

/* Its gaps may stand for chunks that were damaged. */
static bool
is_repaired(const struct pt_trace *trace)
{
    static const char repaired[] = "repaired";
    const struct pt_end *end = pt_trace_end(trace);
    return end && end->reason.len == sizeof repaired - 1 &&
           memcmp(end->reason.data, repaired, end->reason.len) == 0;
}

static const char *
desync_text(const struct pt_trouble *t)
{
    if (t->misfits == 0)
        return "the stack did not follow from the events";
    if (t->misfits == t->desyncs)
        return "the events did not fit the bytecode, and what ran there is not "
               "known";
    return "the stack did not follow from the events, or the events did not "
           "fit the bytecode";
}

/* Everything that makes the report less than the whole truth; true if any. */
static bool
report_trouble(const struct pt_session *s, const struct pt_trace *trace,
               const struct pt_trouble *t)
{
    const struct pt_damage *d = pt_trace_damage(trace);
    const char *path = pt_trace_path(trace);
    char number[PT_NUMBER_TEXT], lost[PT_LOST_TEXT];
    bool any = false;
    if (s->self->mends)
        return false; /* the analyzer itself told */
    if (d->bad_chunks || t->bad_chunks) {
        uint64_t n = d->bad_chunks + t->bad_chunks;
        pt_out_say("warning: %s is damaged: %s chunk%s left out%s%s", path,
                   pt_text_grouped(n, number), pt_text_plural(n),
                   d->text[0] ? "; " : "", damage_of(trace));
        any = true;
    } else if (d->torn) {
        pt_out_say("warning: %s %s (torn end); ptana repair makes it whole",
                   path,
                   is_part(path) ? "was cut off, or is still being written"
                                 : "was not closed well");
        any = true;
    } else if (d->trailing) {
        pt_out_say("warning: %s has %s byte%s of something else at its end",
                   path, pt_text_grouped(d->trailing, number),
                   pt_text_plural(d->trailing));
        any = true;
    }
    if (t->gaps) {
        pt_out_say("warning: %s has %s gap%s: %s %s lost %s", path,
                   pt_text_grouped(t->gaps, number), pt_text_plural(t->gaps),
                   pt_session_lost(t, lost),
                   t->lost == 1 && !t->unknown ? "was" : "were",
                   is_repaired(trace) ? "before it was repaired"
                                      : "while it was recorded");
        any = true;
    }
    if (t->desyncs) {
        pt_out_say("warning: %s has %s desync%s: %s; ptana verify tells more",
                   path, pt_text_grouped(t->desyncs, number),
                   pt_text_plural(t->desyncs), desync_text(t));
        any = true;
    }
    return any;
}

/* The report must not overwrite what it is made from. */
static bool
is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return a && strcmp(a, "-") != 0 && stat(a, &x) == 0 && stat(b, &y) == 0 &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* /dev/stdout is a regular file where standard output goes to one. */
static bool
is_same_as(int fd, const struct stat *file)
{
    struct stat x;
    return fstat(fd, &x) == 0 && x.st_dev == file->st_dev &&
           x.st_ino == file->st_ino;
}

static enum pt_status
make_filter(struct pt_session *s, const struct pt_trace *trace,
            struct pt_filter **out)
{
    const struct pt_common *c = &s->common;
    struct pt_rules rules;
    enum pt_status st = pt_rules_make(c, trace, &rules, &s->error);
    struct pt_filter_spec spec = {.from = c->from,
                                  .to = c->to,
                                  .threads = c->threads.items,
                                  .nthreads = c->threads.n,
                                  .processes = c->processes.items,
                                  .nprocesses = c->processes.n,
                                  .rules = rules.list,
                                  .nrules = rules.n};
    if (st == PT_OK)
        st = pt_filter_new(trace, &spec, &s->error, out);
    pt_rules_clear(&rules);
    return st;
}

/* A position, a thread and a process are those of one trace. */
static enum pt_status
refuse_places(struct pt_session *s)
{
    const struct pt_common *c = &s->common;
    const char *option = c->from          ? "from"
                         : c->to          ? "to"
                         : c->threads.n   ? "thread"
                         : c->processes.n ? "process"
                                          : NULL;
    return option ? pt_session_fail(s, PT_EUSAGE,
                                    "--%s is about one trace, and several are "
                                    "given",
                                    option)
                  : PT_OK;
}

static enum pt_status
open_input(struct pt_session *s, const char *path, struct pt_input *in)
{
    enum pt_status st = pt_trace_open(path, &s->error, &in->trace);
    if (st == PT_OK)
        st = make_filter(s, in->trace, &in->filter);
    if (st == PT_OK && is_same_file(s->common.output, pt_trace_path(in->trace)))
        st = pt_session_fail(s, PT_EUSAGE,
                             "%s is a trace itself; name another file",
                             s->common.output);
    return st;
}

static void
close_input(struct pt_input *in)
{
    pt_filter_free(in->filter);
    pt_trace_close(in->trace);
}

static enum pt_status
open_more(struct pt_session *s, const struct pt_text_list *paths)
{
    enum pt_status st = paths->n > 1 ? refuse_places(s) : PT_OK;
    if (st != PT_OK || paths->n < 2)
        return st;
    s->more = calloc(paths->n - 1, sizeof *s->more);
    if (!s->more)
        return PT_ENOMEM;
    for (size_t i = 1; st == PT_OK && i < paths->n; i++)
        st = open_input(s, paths->items[i], &s->more[s->nmore++]);
    return st;
}

enum pt_status
pt_session_other(struct pt_session *s, const char *path)
{
    enum pt_status st = refuse_places(s);
    return st == PT_OK ? open_input(s, path, &s->other) : st;
}

static enum pt_status
open_all(struct pt_session *s, const struct pt_text_list *paths)
{
    const struct pt_common *c = &s->common;
    const char *path = paths->n ? paths->items[0] : default_trace;
    if (s->self->opens)
        return PT_OK;
    enum pt_status st = pt_trace_open(path, &s->error, &s->trace);
    if (st != PT_OK && path == default_trace && access(path, F_OK) != 0)
        return pt_session_fail(s, st,
                               "there is no %s here; ptrec run app.py makes "
                               "one, or name another trace",
                               path);
    if (st != PT_OK)
        return st;
    st = make_filter(s, s->trace, &s->filter);
    if (st == PT_OK)
        st = open_more(s, paths);
    if (st != PT_OK || !(s->self->takes & PT_TAKES_FORMAT))
        return st;
    if (s->self->folder && pt_session_format(s, s->self->folder))
        return c->output ? PT_OK
                         : pt_session_fail(s, PT_EUSAGE,
                                           "--format=%s writes a folder; name "
                                           "it with -o DIR",
                                           s->self->folder);
    if (is_same_file(c->output, pt_trace_path(s->trace)))
        return pt_session_fail(s, PT_EUSAGE,
                               "%s is the trace itself; name another file",
                               c->output);
    /* A device or a pipe has nothing to lose. */
    struct stat old;
    if (c->output && strcmp(c->output, "-") != 0 && !c->force &&
        stat(c->output, &old) == 0 && S_ISREG(old.st_mode) &&
        !is_same_as(STDOUT_FILENO, &old))
        return pt_session_fail(
            s, PT_EUSAGE, "%s is there already; -f replaces it", c->output);
    struct pt_out_options options = {c->output, c->color, c->width};
    return pt_out_open(&options, &s->error, &s->out);
}

static void
close_all(struct pt_session *s, const struct pt_option_group *groups, size_t n)
{
    for (size_t i = 0; i < s->nmore; i++)
        close_input(&s->more[i]);
    close_input(&s->other);
    free(s->more);
    pt_filter_free(s->filter);
    pt_trace_close(s->trace);
    pt_arguments_clear(groups, n);
    free(s->config);
}

static enum pt_exit
run_opened(struct pt_session *s)
{
    enum pt_status st = s->self->run(s);
    struct pt_error write_error;
    enum pt_status written = pt_out_close(s->out, &write_error);
    s->out = NULL;
    if (st != PT_OK) {
        say_failure(s, st);
        return exit_for(st);
    }
    bool trouble = s->trace && report_trouble(s, s->trace, &s->trouble);
    for (size_t i = 0; i < s->nmore; i++)
        trouble |= report_trouble(s, s->more[i].trace, &s->more[i].trouble);
    if (s->other.trace)
        trouble |= report_trouble(s, s->other.trace, &s->other.trouble);
    if (written != PT_OK) {
        pt_out_say("%s", write_error.text);
        return exit_for(written);
    }
    return s->common.strict && trouble ? PT_EXIT_DAMAGED : s->verdict;
}

static enum pt_exit
help(const struct pt_analyzer *self)
{
    struct pt_error error;
    struct pt_out *out;
    struct pt_out_options options = {0};
    enum pt_status st = pt_out_open(&options, &error, &out);
    if (st == PT_OK) {
        pt_help_analyzer(out, self);
        st = pt_out_close(out, &error);
    }
    if (st != PT_OK)
        pt_out_say("%s", error.text);
    return exit_for(st);
}

enum pt_exit
pt_session_run(const struct pt_analyzer *self, int argc, char **argv)
{
    struct pt_session s = {.self = self};
    struct pt_option_group groups[PT_GROUPS + 1];
    struct pt_text_list paths = {0};
    struct pt_option format[2] = {{"format", 0, PT_OPTION_CHOICE,
                                   offsetof(struct pt_common, format),
                                   self->formats, ""},
                                  {0}};
    s.config = calloc(1, self->config_size + 1);
    if (!s.config) {
        pt_out_say("out of memory");
        return PT_EXIT_SYSTEM;
    }
    size_t n = pt_analyzer_groups(self, &s.common, s.config, groups);
    if (self->formats)
        groups[n++] = (struct pt_option_group){format, &s.common};
    enum pt_status st =
        pt_arguments_parse(groups, n, argc, argv, &paths,
                           self->opens                     ? 0
                           : self->takes & PT_TAKES_TRACES ? SIZE_MAX
                                                           : 1,
                           &s.error);
    enum pt_exit code = PT_EXIT_OK;
    char word[32] = "text";
    if (self->formats && !s.common.format) {
        size_t len = strcspn(self->formats, "|");
        snprintf(word, sizeof word, "%.*s", (int)len, self->formats);
        s.common.format = word;
    }
    if (st != PT_OK) {
        pt_out_say("%s: %s (ptana help %s shows the options)", self->name,
                   s.error.text, self->name);
        code = exit_for(st);
    } else if (s.common.help)
        code = help(self);
    else if ((st = open_all(&s, &paths)) != PT_OK) {
        say_failure(&s, st);
        code = exit_for(st);
    } else
        code = run_opened(&s);
    close_all(&s, groups, n);
    free(paths.items);
    return code;
}
