/* Steps of a flow follow from its counts: each way into an instruction is one
 * from a known instruction, and whether CPython tells a line there depends on
 * these two alone. */
#include "analyze/coverage/steps.h"

#include <stdlib.h>

struct steps {
    struct pt_cov_step *list;
    uint32_t n, capacity;
};

static enum pt_status
put(struct steps *s, uint32_t from, uint32_t to, uint64_t count)
{
    if (s->n == s->capacity) {
        uint32_t capacity = s->capacity ? 2 * s->capacity : 32;
        struct pt_cov_step *list = realloc(s->list, capacity * sizeof *list);
        if (!list)
            return PT_ENOMEM;
        s->list = list;
        s->capacity = capacity;
    }
    s->list[s->n++] = (struct pt_cov_step){from, to, count};
    return PT_OK;
}

static int
compare(const void *a, const void *b)
{
    const struct pt_cov_step *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static void
sort_and_join(struct steps *s)
{
    uint32_t n = 0;
    if (s->n)
        qsort(s->list, s->n, sizeof *s->list, compare);
    for (uint32_t i = 0; i < s->n; i++) {
        if (n && compare(&s->list[n - 1], &s->list[i]) == 0)
            s->list[n - 1].count += s->list[i].count;
        else
            s->list[n++] = s->list[i];
    }
    s->n = n;
}

/* The line that a frame stands in at an instruction, which may have none of its
 * own; at its first RESUME it has just begun. */
static uint32_t
line_at(const struct pt_graph *g, uint32_t i)
{
    if (i == g->start)
        return 0;
    while (g->ins[i].line == 0 && i > 0 && i - 1 != g->start)
        i--;
    return g->ins[i].line;
}

/* `count` times instruction `to` ran behind `from`. */
static enum pt_status
pass(struct steps *s, const struct pt_graph *g, uint32_t from, uint32_t to,
     uint64_t count)
{
    uint32_t before = from == PT_INS_NONE ? PT_INS_NONE : g->ins[from].off / 2;
    if (count == 0 || g->ins[to].line == 0 ||
        !pt_graph_tells_line(g, to, before))
        return PT_OK;
    return put(s, from == PT_INS_NONE ? 0 : line_at(g, from), g->ins[to].line,
               count);
}

enum pt_status
pt_steps_of_counts(const struct pt_code_counts *c, struct pt_cov_step **out,
                   uint32_t *n)
{
    const struct pt_graph *g = c->graph;
    struct steps s = {NULL, 0, 0};
    uint64_t *begun = malloc((g->n + (size_t)1) * sizeof *begun);
    enum pt_status st = begun ? PT_OK : PT_ENOMEM;
    for (uint32_t i = 0; st == PT_OK && i < g->n; i++)
        begun[i] = c->ran[i];
    for (uint32_t i = 0; st == PT_OK && i < g->n; i++) {
        const struct {
            uint32_t to;
            uint64_t count;
        } ways[] = {
            {i + 1 < g->n ? i + 1 : PT_INS_NONE, c->next[i]},
            {g->ins[i].target, c->jump[i]},
            {c->raised[i] ? pt_graph_handler(g, g->ins[i].off) : PT_INS_NONE,
             c->raised[i]},
        };
        for (size_t w = 0; st == PT_OK && w < 3; w++) {
            if (ways[w].to >= g->n)
                continue;
            uint64_t *left = &begun[ways[w].to];
            *left -= *left < ways[w].count ? *left : ways[w].count;
            st = pass(&s, g, i, ways[w].to, ways[w].count);
        }
    }
    for (uint32_t i = 0; st == PT_OK && i < g->n; i++)
        st = pass(&s, g, PT_INS_NONE, i, begun[i]);
    free(begun);
    if (st != PT_OK) {
        free(s.list);
        return st;
    }
    sort_and_join(&s);
    *out = s.list;
    *n = s.n;
    return PT_OK;
}
