/* Measures a history of a trace:
 *
 *     gen-history FILE [CACHE]      CACHE in MiB
 *
 * Seeks to random events, then steps back and forth from there; the times are
 * wall times of one thread, in ms.  Prints a JSON object of what bench/run.py
 * puts into its tables. */
#include <pt/history.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { SEEKS = 300, STEPS = 300000 };

struct sample {
    double *ms;
    size_t n;
};

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
must(enum pt_status st)
{
    if (st != PT_OK) {
        fprintf(stderr, "gen-history: %s\n", pt_status_name(st));
        exit(4);
    }
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void
report(const char *name, struct sample *s)
{
    double sum = 0;
    if (s->n == 0)
        return;
    qsort(s->ms, s->n, sizeof *s->ms, by_value);
    for (size_t i = 0; i < s->n; i++)
        sum += s->ms[i];
    printf("  \"%s\": {\"n\": %zu, \"median\": %.6f, \"mean\": %.6f, "
           "\"worst\": %.6f},\n",
           name, s->n, s->ms[s->n / 2], sum / (double)s->n, s->ms[s->n - 1]);
    s->n = 0;
}

static void
report_once(const char *name, double ms)
{
    struct sample one = {&ms, 1};
    report(name, &one);
}

/* As many steps as there are, at most `n`. */
static void
step(struct pt_history *h, struct sample *s, size_t n, enum pt_grain grain,
     bool forward)
{
    for (; n; n--) {
        double begun = now();
        enum pt_status st =
            forward ? pt_history_next(h, grain) : pt_history_prev(h, grain);
        if (st == PT_END)
            break;
        must(st);
        s->ms[s->n++] = now() - begun;
    }
}

static void
measure_seeks(struct pt_history *h, struct sample *s, uint64_t events)
{
    struct pt_here here;
    uint64_t state = 1;
    for (int way = 0; way < 2; way++) {
        struct sample first = {malloc(SEEKS * sizeof(double)), 0};
        for (unsigned i = 0; i < SEEKS; i++) {
            state = state * UINT64_C(6364136223846793005) + 1;
            double begun = now();
            must(pt_history_seek(h, (state >> 16) % events, 0));
            must(pt_history_here(h, &here));
            s->ms[s->n++] = now() - begun;
            step(h, &first, 1, PT_GRAIN_LINE, way);
        }
        report(way ? "seek again" : "seek", s);
        report(way ? "first line on" : "first line back", &first);
        free(first.ms);
    }
}

/* Through the whole trace, for a line that runs in most chunks and for one of
 * a code object that runs in none, if there is one. */
static void
measure_search(struct pt_history *h, const struct pt_trace *trace)
{
    uint32_t codes = pt_trace_code_count(trace);
    const struct pt_code *code = pt_trace_code(trace, codes / 2);
    struct pt_target targets[] = {{codes / 2, code ? code->firstline + 2 : 0},
                                  {codes + 1, 0}};
    static const char *const names[][2] = {
        {"search line, last", "search line, all"},
        {"search nothing, last", "search nothing, all"}};
    for (int i = 0; i < 2; i++) {
        struct pt_search *search;
        if (pt_search_new(h, &targets[i], 1, &search) != PT_OK)
            continue;
        for (int all = 0; all < 2; all++) {
            pt_history_end(h);
            double begun = now();
            pt_search_go(search, all ? INT64_MIN : -1);
            report_once(names[i][all], now() - begun);
        }
        pt_search_free(search);
    }
}

int
main(int argc, char **argv)
{
    struct pt_history_options options = {0};
    struct sample s = {malloc(STEPS * sizeof(double)), 0};
    struct pt_trace *trace;
    struct pt_history *h;
    uint64_t events = 0;
    if (argc < 2 || !s.ms)
        return 2;
    if (argc > 2)
        options.cache = strtoull(argv[2], NULL, 10) << 20;
    must(pt_trace_open(argv[1], NULL, &trace));
    must(pt_history_open(trace, &options, &h));
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++)
        events += pt_trace_chunk(trace, i)->events;
    printf("{\n  \"events\": %llu, \"threads\": %zu,\n",
           (unsigned long long)events, pt_history_threads(h));
    measure_seeks(h, &s, events);
    static const char *const names[] = {"item", "event", "line", "instruction"};
    for (int grain = PT_GRAIN_ITEM; grain <= PT_GRAIN_INSTRUCTION; grain++)
        for (int forward = 0; forward < 2; forward++) {
            char name[64];
            if (pt_history_lacks(h, (enum pt_grain)grain))
                continue;
            must(pt_history_seek(h, events / 2, 0));
            step(h, &s, STEPS, (enum pt_grain)grain, forward);
            snprintf(name, sizeof name, "%s %s", names[grain],
                     forward ? "on" : "back");
            report(name, &s);
        }
    measure_search(h, trace);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("  \"peak\": %ld\n}\n", usage.ru_maxrss); /* KB */
    pt_history_close(h);
    pt_trace_close(trace);
    free(s.ms);
    return 0;
}
