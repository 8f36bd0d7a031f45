#include "analyze/pass.h"

static void
count_gaps(const struct pt_events *chunk, struct pt_trouble *trouble)
{
    uint32_t left = chunk->info->gaps;
    for (uint32_t i = 0; left && i < chunk->info->events; i++) {
        const struct pt_event *e = &chunk->events[i];
        if (e->kind != PT_GAP)
            continue;
        left--;
        trouble->gaps++;
        if (e->arg == UINT64_MAX)
            trouble->unknown++;
        else
            trouble->lost += e->arg;
    }
}

enum pt_status
pt_pass_run(const struct pt_trace *trace, const struct pt_filter *filter,
            const struct pt_fold *folds, size_t n, struct pt_trouble *trouble,
            struct pt_error *error)
{
    struct pt_decoder *decoder = NULL;
    enum pt_status st = pt_decoder_new(trace, &decoder);
    size_t count = pt_trace_chunk_count(trace);
    for (size_t i = 0; st == PT_OK && i < count; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        struct pt_events chunk;
        if (info->type != PT_CHUNK_EVENTS ||
            (filter && !pt_filter_chunk(filter, info)))
            continue;
        enum pt_status got = pt_decoder_events(decoder, i, &chunk);
        if (got == PT_EDAMAGED)
            trouble->bad_chunks++;
        else if (got != PT_OK) {
            st = got;
            *error = *pt_decoder_error(decoder);
            break;
        } else
            count_gaps(&chunk, trouble);
        for (size_t f = 0; st == PT_OK && f < n; f++)
            st = got == PT_OK   ? folds[f].chunk(folds[f].state, &chunk)
                 : folds[f].bad ? folds[f].bad(folds[f].state, info)
                                : PT_OK;
    }
    pt_decoder_free(decoder);
    return st;
}
