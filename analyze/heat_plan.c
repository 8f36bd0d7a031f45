/* What all parts share of which a heat is made. */
#include "analyze/heat_state.h"
#include "analyze/profile_state.h"

#include <stdlib.h>
#include <string.h>

/* Code within code within code ...: more than anybody writes. */
enum { NESTED_LIMIT = 100 };

/* Lambdas, comprehensions, generator expressions: CPython calls them <...>. */
static bool
is_anonymous(const struct pt_code *code)
{
    static const char module[] = "<module>";
    return code->name.len > 0 && code->name.data[0] == '<' &&
           !(code->name.len == sizeof module - 1 &&
             memcmp(code->name.data, module, sizeof module - 1) == 0);
}

/* Notes of each code object which one has it among its constants. */
static void
find_parents(const struct pt_trace *trace, uint32_t *parents, uint32_t n)
{
    for (uint32_t id = 1; id < n; id++) {
        const struct pt_code *code = pt_trace_code(trace, id);
        for (size_t i = 0; code && i < code->nconsts; i++) {
            const struct pt_const *c = &code->consts[i];
            if (c->kind == PT_CONST_CODE && c->n < n && c->n != id)
                parents[c->n] = id;
        }
    }
}

static uint32_t
named_around(const struct pt_trace *trace, const uint32_t *parents, uint32_t id)
{
    const struct pt_code *code = pt_trace_code(trace, id);
    uint32_t outer = id;
    for (unsigned n = 0; n < NESTED_LIMIT && code && is_anonymous(code); n++) {
        outer = parents[outer];
        code = outer ? pt_trace_code(trace, outer) : NULL;
    }
    return code && !is_anonymous(code) ? outer : id;
}

static enum pt_status
find_owners(struct pt_heat_plan *plan)
{
    const struct pt_profile *p = plan->functions;
    uint32_t n = p->state->ncodes;
    const uint32_t *fn = p->state->code_fn;
    uint32_t *parents = calloc(n, sizeof *parents);
    plan->owner = calloc(p->nfunctions, sizeof *plan->owner);
    if (!parents || !plan->owner) {
        free(parents);
        return PT_ENOMEM;
    }
    find_parents(p->trace, parents, n);
    for (uint32_t i = 0; i < p->nfunctions; i++)
        plan->owner[i] = i;
    for (uint32_t id = 1; id < n; id++) {
        uint32_t around = named_around(p->trace, parents, id);
        plan->owner[fn[id]] = fn[around];
    }
    free(parents);
    return PT_OK;
}

static int
compare_bases(const void *a, const void *b)
{
    const struct pt_heat_base *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static enum pt_status
find_bases(struct pt_heat_plan *plan)
{
    const struct pt_trace *trace = plan->functions->trace;
    size_t n = pt_trace_chunk_count(trace);
    uint32_t nthreads = pt_trace_thread_count(trace) + 1;
    struct pt_moment *last = calloc(nthreads, sizeof *last);
    uint8_t *begun = calloc(nthreads, 1);
    plan->bases = calloc(n + 1, sizeof *plan->bases);
    if (!last || !begun || !plan->bases) {
        free(last);
        free(begun);
        return PT_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct pt_chunk_info *c = pt_trace_chunk(trace, i);
        if (c->type != PT_CHUNK_EVENTS || c->events == 0)
            continue;
        uint32_t thread = c->thread < nthreads ? c->thread : 0;
        bool follows = begun[thread] && last[thread].time <= c->time_first;
        plan->bases[plan->nbases++] = (struct pt_heat_base){
            c->seq,
            follows ? last[thread] : (struct pt_moment){c->time_first, c->seq}};
        begun[thread] = 1;
        last[thread] = (struct pt_moment){c->time_last, c->seq + c->events - 1};
    }
    free(begun);
    free(last);
    qsort(plan->bases, plan->nbases, sizeof *plan->bases, compare_bases);
    return PT_OK;
}

enum pt_status
pt_heat_plan_new(const struct pt_profile *functions,
                 const struct pt_heat_options *options,
                 struct pt_heat_plan **out)
{
    struct pt_heat_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return PT_ENOMEM;
    plan->functions = functions;
    plan->options = *options;
    enum pt_status st = find_owners(plan);
    if (st == PT_OK)
        st = find_bases(plan);
    if (st != PT_OK) {
        pt_heat_plan_free(plan);
        return st;
    }
    *out = plan;
    return PT_OK;
}

void
pt_heat_plan_free(struct pt_heat_plan *plan)
{
    if (!plan)
        return;
    free(plan->owner);
    free(plan->bases);
    free(plan);
}

struct pt_moment
pt_heat_plan_behind(const struct pt_heat_plan *plan,
                    const struct pt_chunk_info *info)
{
    struct pt_heat_base key = {.seq = info->seq};
    const struct pt_heat_base *found =
        bsearch(&key, plan->bases, plan->nbases, sizeof key, compare_bases);
    return found ? found->behind
                 : (struct pt_moment){info->time_first, info->seq};
}
