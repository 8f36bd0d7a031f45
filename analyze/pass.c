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

/* Hands a chunk to every fold, to most of them as the filter leaves it. */
static enum pt_status
give(const struct pt_fold *folds, size_t n, struct pt_sieve *sieve,
     const struct pt_events *chunk)
{
    struct pt_events left = *chunk;
    enum pt_status st = sieve ? pt_sieve_chunk(sieve, chunk, &left) : PT_OK;
    for (size_t f = 0; st == PT_OK && f < n; f++)
        st = folds[f].chunk(folds[f].state, folds[f].whole ? chunk : &left);
    return st;
}

static enum pt_status
give_bad(const struct pt_fold *folds, size_t n,
         const struct pt_chunk_info *info)
{
    enum pt_status st = PT_OK;
    for (size_t f = 0; st == PT_OK && f < n; f++)
        if (folds[f].bad)
            st = folds[f].bad(folds[f].state, info);
    return st;
}

/* Of thread `only`, or of all where it is NULL. */
static enum pt_status
run(const struct pt_trace *trace, const struct pt_filter *filter,
    const uint32_t *only, const struct pt_fold *folds, size_t n,
    struct pt_trouble *trouble, struct pt_error *error)
{
    struct pt_decoder *decoder = NULL;
    struct pt_sieve *sieve = NULL;
    enum pt_status st = pt_decoder_new(trace, &decoder);
    size_t count = pt_trace_chunk_count(trace);
    if (st == PT_OK && filter && filter->sieves)
        st = pt_sieve_new(filter, &sieve);
    for (size_t i = 0; st == PT_OK && i < count; i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        struct pt_events chunk;
        if (info->type != PT_CHUNK_EVENTS || (only && info->thread != *only) ||
            (filter && !pt_filter_chunk(filter, info)))
            continue;
        st = pt_decoder_events(decoder, i, &chunk);
        if (st == PT_EDAMAGED) {
            trouble->bad_chunks++;
            st = give_bad(folds, n, info);
        } else if (st != PT_OK)
            *error = *pt_decoder_error(decoder);
        else {
            count_gaps(&chunk, trouble);
            st = give(folds, n, sieve, &chunk);
        }
    }
    pt_sieve_free(sieve);
    pt_decoder_free(decoder);
    return st;
}

enum pt_status
pt_pass_run(const struct pt_trace *trace, const struct pt_filter *filter,
            const struct pt_fold *folds, size_t n, struct pt_trouble *trouble,
            struct pt_error *error)
{
    return run(trace, filter, NULL, folds, n, trouble, error);
}

enum pt_status
pt_pass_thread(const struct pt_trace *trace, const struct pt_filter *filter,
               uint32_t thread, const struct pt_fold *fold,
               struct pt_trouble *trouble, struct pt_error *error)
{
    return run(trace, filter, &thread, fold, 1, trouble, error);
}
