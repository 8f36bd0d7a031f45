/* ptana export: the calls of a trace in the formats that other tools read. */
#include "analyze/export.h"

#include "analyze/thread_ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pt_export_format *const formats[] = {
    &pt_export_chrome,    &pt_export_speedscope, &pt_export_collapsed,
    &pt_export_callgrind, &pt_export_pprof,      &pt_export_csv};

static const struct pt_option options[] = {
    {"all-calls", 0, PT_OPTION_FLAG,
     offsetof(struct pt_export_options, all_calls), NULL,
     "classes and callable objects are functions of their own, too; without, "
     "their time belongs to the caller, as with cProfile; recordings of "
     "CPython 3.12 or later have them"},
    {"by-thread", 0, PT_OPTION_FLAG,
     offsetof(struct pt_export_options, by_thread), NULL,
     "collapsed only: the first of each stack is its thread, and stacks of "
     "several threads are not added up; callgrind always adds them up, the "
     "other formats always tell them apart"},
    {0}};

/* --- for the formats ------------------------------------------------------ */

struct pt_str
pt_export_thread(struct pt_export *x, uint32_t id)
{
    x->label.used = 0;
    pt_name_thread(x->trace, id, &x->label);
    return pt_growing_whole(&x->label);
}

void
pt_export_track_name(const struct pt_trace *trace, uint32_t thread,
                     struct pt_growing *g)
{
    const struct pt_thread *t = pt_trace_thread(trace, thread);
    const struct pt_process *p = t ? pt_trace_process(trace, t->process) : NULL;
    pt_name_thread(trace, thread, g);
    if (p && pt_trace_process_count(trace) > 1) {
        char text[32];
        snprintf(text, sizeof text, ", pid %" PRIu32 ": ", p->pid);
        pt_growing_text(g, text);
        pt_name_process(trace, t->process, g);
    }
}

struct pt_str
pt_export_track(struct pt_export *x, uint32_t id)
{
    x->label.used = 0;
    pt_export_track_name(x->trace, id, &x->label);
    return pt_growing_whole(&x->label);
}

struct pt_str
pt_export_process(struct pt_export *x, uint32_t id)
{
    x->label.used = 0;
    pt_name_process(x->trace, id, &x->label);
    return pt_growing_whole(&x->label);
}

struct pt_function_name
pt_export_function(const struct pt_export *x, const struct pt_span *span,
                   char *buffer)
{
    return pt_name_function(x->trace, span->id, span->callable, buffer);
}

struct pt_function_name
pt_export_name(const struct pt_profile *p, uint32_t fn, char *buffer)
{
    static const char more[] = "(more)";
    if (fn >= p->nfunctions)
        return (struct pt_function_name){
            {more, sizeof more - 1}, {"~", 1}, 0, "more"};
    return pt_name_function(p->trace, p->names[fn].id, p->names[fn].callable,
                            buffer);
}

uint32_t
pt_export_path(struct pt_export *x, const struct pt_calltree *t, uint32_t node)
{
    uint32_t n = t->nodes[node].depth;
    for (uint32_t k = n; k-- > 0; node = t->nodes[node].parent)
        x->path[k] = node;
    return n;
}

bool
pt_export_wants(const struct pt_export *x, uint32_t thread)
{
    const struct pt_filter *f = x->session->filter;
    return thread >= f->nthreads || f->threads[thread];
}

enum pt_status
pt_export_status(const struct pt_export *x)
{
    return x->label.failed           ? PT_ENOMEM
           : x->out->status == PT_OK ? PT_OK
                                     : PT_END;
}

/* --- timelines ------------------------------------------------------------ */

static enum pt_status
pass(struct pt_session *s, struct pt_spans *spans)
{
    struct pt_fold fold = pt_spans_fold(spans);
    enum pt_status st =
        pt_pass_run(s->trace, s->filter, &fold, 1, &s->trouble, &s->error);
    return st == PT_OK ? pt_spans_finish(spans) : st;
}

static enum pt_status
pass_thread(struct pt_session *s, const struct pt_export_format *format,
            struct pt_export *x, struct pt_spans *spans, uint32_t id)
{
    struct pt_fold fold = pt_spans_fold(spans);
    enum pt_status st = format->thread(x, id);
    if (st == PT_OK)
        st = pt_pass_thread(s->trace, s->filter, id, &fold, &s->trouble,
                            &s->error);
    if (st == PT_OK)
        st = pt_spans_finish(spans);
    return st == PT_OK ? format->thread_end(x, id) : st;
}

/* The passes together read each chunk once: of the others they see the
 * directory's entry. */
static enum pt_status
pass_by_thread(struct pt_session *s, const struct pt_export_format *format,
               struct pt_export *x, struct pt_spans *spans)
{
    struct pt_thread_ids threads;
    enum pt_status st = pt_thread_ids_init(&threads, s->trace);
    for (size_t i = 0; st == PT_OK && i < threads.n; i++)
        if (pt_export_wants(x, threads.ids[i]))
            st = pass_thread(s, format, x, spans, threads.ids[i]);
    pt_thread_ids_clear(&threads);
    return st;
}

static enum pt_status
write_timeline(struct pt_session *s, const struct pt_export_format *format,
               struct pt_export *x)
{
    struct pt_spans_options how = {x->options->all_calls, format->lines};
    struct pt_span_sink sink = {x, format->begun, format->ended, format->spent,
                                format->gap};
    struct pt_spans *spans;
    pt_session_lacks_times(s);
    enum pt_status st = pt_spans_new(s->trace, s->filter, &how, &sink, &spans);
    if (st != PT_OK)
        return st;
    st = format->begin(x);
    if (st == PT_OK)
        st = format->thread_by_thread ? pass_by_thread(s, format, x, spans)
                                      : pass(s, spans);
    if (st == PT_OK)
        st = format->end(x);
    pt_spans_tell(spans, &s->trouble);
    pt_spans_free(spans);
    return st;
}

/* --- summaries ------------------------------------------------------------ */

enum pt_status
pt_export_profile(struct pt_session *s, bool all_calls, bool threads,
                  struct pt_profile **out)
{
    struct pt_profile_options how = {
        .all_calls = all_calls, .tree = true, .threads = threads};
    struct pt_profile *p;
    char n[PT_NUMBER_TEXT];
    pt_session_lacks_times(s);
    enum pt_status st = pt_profile_new(s->trace, s->filter, &how, &p);
    if (st != PT_OK)
        return st;
    struct pt_fold fold = pt_profile_fold(p);
    st = pt_pass_run(s->trace, s->filter, &fold, 1, &s->trouble, &s->error);
    if (st == PT_OK)
        st = pt_profile_finish(p);
    s->trouble.desyncs += p->desyncs;
    s->trouble.unmatched += p->unmatched;
    s->trouble.unfinished += p->unfinished;
    if (st == PT_OK && p->tree->dropped)
        pt_out_say("%s has more paths of calls than fit: %s of the least time "
                   "were summed up as \"(more)\"",
                   pt_trace_path(s->trace),
                   pt_text_grouped(p->tree->dropped, n));
    if (st == PT_OK)
        *out = p;
    else
        pt_profile_free(p);
    return st;
}

static enum pt_status
write_summary(struct pt_session *s, const struct pt_export_format *format,
              struct pt_export *x)
{
    struct pt_profile *p;
    uint32_t deepest = 0;
    bool threads = format->by_thread || x->options->by_thread;
    enum pt_status st =
        pt_export_profile(s, x->options->all_calls, threads, &p);
    if (st != PT_OK)
        return st;
    for (uint32_t i = 0; i < p->tree->n; i++)
        if (p->tree->nodes[i].depth > deepest)
            deepest = p->tree->nodes[i].depth;
    x->path = calloc((size_t)deepest + 1, sizeof *x->path);
    st = x->path ? format->tree(x, p) : PT_ENOMEM;
    free(x->path);
    pt_profile_free(p);
    return st;
}

/* --- the analyzer --------------------------------------------------------- */

static const struct pt_export_format *
find_format(const struct pt_session *s)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (pt_session_format(s, formats[i]->name))
            return formats[i];
    return formats[0];
}

static enum pt_status
run(struct pt_session *s)
{
    const struct pt_export_format *format = find_format(s);
    struct pt_export x = {
        .session = s, .options = s->config, .trace = s->trace, .out = s->out};
    if (format->binary && pt_out_is_terminal(s->out))
        return pt_session_fail(s, PT_EUSAGE,
                               "%s is binary and this is a terminal; write it "
                               "to a file with -o FILE",
                               format->name);
    if (x.options->by_thread && format != &pt_export_collapsed)
        return pt_session_fail(s, PT_EUSAGE,
                               "--by-thread is for --format=collapsed, not %s",
                               format->name);
    x.state = calloc(1, format->size + 1);
    if (!x.state)
        return PT_ENOMEM;
    enum pt_status st =
        (format->tree ? write_summary : write_timeline)(s, format, &x);
    if (format->clear)
        format->clear(&x);
    pt_growing_free(&x.label);
    free(x.state);
    /* Why the output failed is told when it is closed. */
    return st == PT_END ? PT_OK : st;
}

const struct pt_analyzer pt_analyzer_export = {
    .name = "export",
    .summary = "calls and times for other tools",
    .description =
        "Writes the calls of a trace in a format that another tool reads:\n"
        "chrome: the Trace Event Format, for ui.perfetto.dev, chrome://tracing "
        "and vizviewer. A track for each thread, with each call from its "
        "beginning to its end; gaps are instant events. Where two threads or "
        "processes had the same native id one after the other, the second has "
        "a number from 4194304 on.\n"
        "speedscope: for speedscope.app; a profile for each thread.\n"
        "collapsed: stacks for flamegraph.pl, inferno and others; a line for "
        "each path of functions that took time, and its nanoseconds. A "
        "semicolon in a name becomes a colon.\n"
        "callgrind: for callgrind_annotate and KCachegrind. Calls stand at the "
        "line they were made from; a function's own cost is at the line it "
        "was spent on where the recording has lines (ptrec run "
        "--preset=lines), else at the function's first. A call of a function "
        "that is on the stack already has no inclusive cost, so that "
        "recursion is not counted twice.\n"
        "pprof: for pprof, as a gzipped profile.proto; calls and time of each "
        "path, with the labels thread, tid and pid.\n"
        "csv: a row for each call, in the order in which the calls of a thread "
        "ended: pid, tid, thread (its number in the trace) and thread_name; "
        "depth (0 is the outermost); start_ns since ptrec began; duration_ns; "
        "exclusive_ns, what of it was spent in no other call; wait_ns, what of "
        "it other greenlets ran; partial, 1 where the call began before what "
        "is told; kind, name, file and line of the function.\n"
        "Calls are what ptana profile counts, and times are nanoseconds. "
        "chrome, speedscope and csv are written as the trace is read and need "
        "memory for the stacks alone; the others for each distinct path or "
        "pair of functions, and the paths of least time give way, as "
        "\"(more)\", where they are more than two million. A "
        "generator or coroutine counts a call each time it goes on. With "
        "--from or --to, what is open at an end of the range is cut there.",
    .examples = "ptana export -o trace.json # open it in ui.perfetto.dev\n"
                "ptana export --format=speedscope -o trace.speedscope.json\n"
                "ptana export --format=collapsed | flamegraph.pl >flame.svg\n"
                "ptana export --format=callgrind -o callgrind.out.app # for "
                "kcachegrind\n"
                "ptana export --format=pprof -o app.pb.gz # pprof -http=: "
                "app.pb.gz\n"
                "ptana export --format=csv --thread=MainThread # a row a call",
    .options = options,
    .config_size = sizeof(struct pt_export_options),
    .takes =
        PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_RULES | PT_TAKES_FORMAT,
    .formats = "chrome|speedscope|collapsed|callgrind|pprof|csv",
    .run = run,
};
