#include "analyze/pass.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

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

static bool
wants(const struct pt_filter *filter, const struct pt_chunk_info *info)
{
    return info->type == PT_CHUNK_EVENTS &&
           (!filter || pt_filter_chunk(filter, info));
}

/* What decodes chunks and hands them to folds. */
struct hand {
    const struct pt_trace *trace;
    struct pt_decoder *decoder;
    struct pt_sieve *sieve; /* NULL: the filter has no rules */
    const struct pt_fold *folds;
    size_t n;
    struct pt_trouble trouble;
    struct pt_error error;
};

static enum pt_status
begin(struct hand *h, const struct pt_filter *filter)
{
    enum pt_status st = pt_decoder_new(h->trace, &h->decoder);
    if (st == PT_OK && filter && filter->sieves)
        st = pt_sieve_new(filter, &h->sieve);
    return st;
}

static void
end(struct hand *h)
{
    pt_sieve_free(h->sieve);
    pt_decoder_free(h->decoder);
}

static enum pt_status
pass_chunk(struct hand *h, size_t i)
{
    struct pt_events chunk;
    enum pt_status st = pt_decoder_events(h->decoder, i, &chunk);
    if (st == PT_EDAMAGED) {
        h->trouble.bad_chunks++;
        return give_bad(h->folds, h->n, pt_trace_chunk(h->trace, i));
    }
    if (st != PT_OK) {
        h->error = *pt_decoder_error(h->decoder);
        return st;
    }
    count_gaps(&chunk, &h->trouble);
    return give(h->folds, h->n, h->sieve, &chunk);
}

static void
add_trouble(struct pt_trouble *to, const struct pt_trouble *from)
{
    to->gaps += from->gaps;
    to->lost += from->lost;
    to->unknown += from->unknown;
    to->bad_chunks += from->bad_chunks;
}

/* Of thread `only`, or of all where it is NULL. */
static enum pt_status
run(const struct pt_trace *trace, const struct pt_filter *filter,
    const uint32_t *only, const struct pt_fold *folds, size_t n,
    struct pt_trouble *trouble, struct pt_error *error)
{
    struct hand hand = {.trace = trace, .folds = folds, .n = n};
    enum pt_status st = begin(&hand, filter);
    for (size_t i = 0; st == PT_OK && i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        if (wants(filter, info) && (!only || info->thread == *only))
            st = pass_chunk(&hand, i);
    }
    add_trouble(trouble, &hand.trouble);
    if (hand.error.status != PT_OK)
        *error = hand.error;
    end(&hand);
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

/* --- spread over threads -------------------------------------------------- */

struct spread {
    const struct pt_filter *filter;
    _Atomic size_t next; /* chunk; all are taken once one thread has failed */
};

struct part {
    struct spread *whole;
    struct hand hand;
    enum pt_status status;
    pthread_t thread;
    bool started;
};

size_t
pt_pass_parts(const struct pt_trace *trace, const struct pt_filter *filter)
{
    cpu_set_t cores;
    size_t n = 1, chunks = 0;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        n = (size_t)CPU_COUNT(&cores);
    if (n > PT_PASS_MOST)
        n = PT_PASS_MOST;
    for (size_t i = 0; chunks < n && i < pt_trace_chunk_count(trace); i++)
        chunks += wants(filter, pt_trace_chunk(trace, i));
    return chunks > 1 ? chunks : 1;
}

static void *
run_part(void *arg)
{
    struct part *p = arg;
    struct spread *w = p->whole;
    const struct pt_trace *trace = p->hand.trace;
    size_t i, count = pt_trace_chunk_count(trace);
    p->status = begin(&p->hand, w->filter);
    while (p->status == PT_OK && (i = atomic_fetch_add(&w->next, 1)) < count)
        if (wants(w->filter, pt_trace_chunk(trace, i)))
            p->status = pass_chunk(&p->hand, i);
    if (p->status != PT_OK)
        atomic_store(&w->next, count);
    end(&p->hand);
    return NULL;
}

enum pt_status
pt_pass_spread(const struct pt_trace *trace, const struct pt_filter *filter,
               const struct pt_fold *folds, size_t n,
               struct pt_trouble *trouble, struct pt_error *error)
{
    struct spread whole = {.filter = filter};
    struct part parts[PT_PASS_MOST];
    enum pt_status st = PT_OK;
    if (n > PT_PASS_MOST)
        n = PT_PASS_MOST;
    memset(parts, 0, sizeof parts);
    for (size_t i = 0; i < n; i++) {
        parts[i].whole = &whole;
        parts[i].hand =
            (struct hand){.trace = trace, .folds = &folds[i], .n = 1};
    }
    for (size_t i = 1; i < n; i++)
        parts[i].started =
            pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0;
    if (n > 0)
        run_part(&parts[0]);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].started)
            pthread_join(parts[i].thread, NULL);
        add_trouble(trouble, &parts[i].hand.trouble);
        if (st == PT_OK && parts[i].status != PT_OK) {
            st = parts[i].status;
            *error = parts[i].hand.error;
        }
    }
    return st;
}
