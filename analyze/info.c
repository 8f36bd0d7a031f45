/* ptana info: what a trace is and holds, from its directory alone. */
#include "analyze/info.h"

#include <stdlib.h>

static void
add_events(const struct pt_trace *trace, const struct pt_chunk_info *c,
           struct pt_info *info)
{
    if (c->events == 0)
        return;
    if (info->events == 0 || c->time_first < info->first)
        info->first = c->time_first;
    if (info->events == 0 || c->time_last > info->last)
        info->last = c->time_last;
    info->events += c->events;
    info->gaps += c->gaps;
    info->event_chunks++;
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        info->kinds[k] += c->counts[k];
    if (c->thread > pt_trace_thread_count(trace))
        return;
    struct pt_info_thread *t = &info->threads[c->thread];
    if (t->events == 0 || c->time_first < t->first)
        t->first = c->time_first;
    if (t->events == 0 || c->time_last > t->last)
        t->last = c->time_last;
    t->events += c->events;
}

/* Only the gap events themselves tell how much is missing. */
static enum pt_status
add_lost(struct pt_session *s, struct pt_decoder *decoder, size_t chunk,
         struct pt_info *info)
{
    struct pt_events events;
    enum pt_status st = pt_decoder_events(decoder, chunk, &events);
    if (st == PT_EDAMAGED) {
        s->trouble.bad_chunks++;
        return PT_OK;
    }
    for (uint32_t i = 0; st == PT_OK && i < events.info->events; i++) {
        if (events.events[i].kind != PT_GAP)
            continue;
        if (events.events[i].arg == UINT64_MAX)
            info->unknown_gaps++;
        else
            info->lost += events.events[i].arg;
    }
    return st;
}

static enum pt_status
gather(struct pt_session *s, struct pt_info *info)
{
    struct pt_decoder *decoder = NULL;
    enum pt_status st = pt_decoder_new(s->trace, &decoder);
    info->chunks = pt_trace_chunk_count(s->trace);
    for (size_t i = 0; st == PT_OK && i < info->chunks; i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(s->trace, i);
        uint64_t size = PT_CHUNK_HEADER_SIZE + c->packed_size;
        switch (c->type) {
        case PT_CHUNK_EVENTS:
            info->event_bytes += size;
            add_events(s->trace, c, info);
            if (c->gaps)
                st = add_lost(s, decoder, i, info);
            break;
        case PT_CHUNK_DEFINITIONS:
            info->definition_bytes += size;
            break;
        case PT_CHUNK_SYNTAX:
            info->syntax_bytes += size;
            break;
        case PT_CHUNK_VALUES:
        case PT_CHUNK_VARIABLES:
            info->value_bytes += size;
            break;
        default:
            break;
        }
    }
    pt_decoder_free(decoder);
    uint64_t told = info->event_bytes + info->definition_bytes +
                    info->syntax_bytes + info->value_bytes;
    uint64_t size = pt_trace_size(s->trace);
    info->other_bytes = size > told ? size - told : 0;
    return st;
}

const char *
pt_info_ending(const struct pt_process_end *end)
{
    switch (end ? end->ending : PT_ENDED_UNKNOWN) {
    case PT_ENDED_EXIT:
        return "exit";
    case PT_ENDED_SIGNAL:
        return "signal";
    case PT_ENDED_EXEC:
        return "exec";
    case PT_ENDED_GONE:
        return "gone";
    default:
        return "unknown";
    }
}

struct config {
    bool processes, sources;
};

static const struct pt_option options[] = {
    {"processes", 0, PT_OPTION_FLAG, offsetof(struct config, processes), NULL,
     "the tree of processes instead of all else: each below the one that "
     "started it (JSON always has them, with their parents)"},
    {"sources", 0, PT_OPTION_FLAG, offsetof(struct config, sources), NULL,
     "the source files instead of all else: their sizes, and for which "
     "versions of Python the trace has their syntax, or why they could not be "
     "parsed"},
    {0}};

static enum pt_status
run(struct pt_session *s)
{
    const struct config *config = s->config;
    struct pt_info info = {0};
    if (config->sources)
        return pt_info_sources(s);
    info.threads = calloc((size_t)pt_trace_thread_count(s->trace) + 1,
                          sizeof *info.threads);
    if (!info.threads)
        return PT_ENOMEM;
    enum pt_status st = gather(s, &info);
    if (st == PT_OK) {
        s->trouble.gaps = info.gaps;
        s->trouble.lost = info.lost;
        s->trouble.unknown = info.unknown_gaps;
        if (pt_session_format(s, "json"))
            pt_info_json(s, &info);
        else if (config->processes)
            st = pt_info_tree(s, &info);
        else
            pt_info_text(s, &info);
    }
    free(info.threads);
    return st;
}

const struct pt_analyzer pt_analyzer_info = {
    .name = "info",
    .summary = "what a trace is: program, processes, threads, counts, bytes",
    .description =
        "Tells where a trace comes from, the processes and threads in it and "
        "how each process ended, how many events of each kind it holds, what "
        "they take in bytes (definitions and sources counted apart), and what "
        "is missing: gaps, damage, a torn end.",
    .examples = "ptana info # of trace.ptr\n"
                "ptana info --processes # who started whom\n"
                "ptana info --sources # which files, and what was parsed\n"
                "ptana info --format=json run.ptr # for scripts",
    .options = options,
    .config_size = sizeof(struct config),
    .takes = PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|json",
    .run = run,
};
