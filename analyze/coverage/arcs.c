#include "analyze/coverage/arcs.h"
#include "analyze/coverage/lines.h"

#include <stdlib.h>

enum { ARCS_LEAST = 64 };

enum pt_status
pt_cov_arcs_add(struct pt_cov_arcs *arcs, const struct pt_cov_arc *arc)
{
    if (arcs->n == arcs->capacity) {
        size_t capacity = arcs->capacity ? 2 * arcs->capacity : ARCS_LEAST;
        struct pt_cov_arc *at = realloc(arcs->at, capacity * sizeof *at);
        if (!at)
            return PT_ENOMEM;
        arcs->at = at;
        arcs->capacity = capacity;
    }
    arcs->at[arcs->n++] = *arc;
    return PT_OK;
}

static int
compare_arcs(const void *a, const void *b)
{
    const struct pt_cov_arc *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

void
pt_cov_arcs_settle(struct pt_cov_arcs *arcs)
{
    size_t n = 0;
    if (arcs->n > 0)
        qsort(arcs->at, arcs->n, sizeof *arcs->at, compare_arcs);
    for (size_t i = 0; i < arcs->n; i++) {
        struct pt_cov_arc *last = n > 0 ? &arcs->at[n - 1] : NULL;
        if (last && compare_arcs(last, &arcs->at[i]) == 0) {
            last->count += arcs->at[i].count;
            last->possible |= arcs->at[i].possible;
            last->branch |= arcs->at[i].branch;
        } else
            arcs->at[n++] = arcs->at[i];
    }
    arcs->n = n;
}

struct pt_cov_arc *
pt_cov_arcs_find(const struct pt_cov_arcs *arcs, int32_t from, int32_t to)
{
    struct pt_cov_arc key = {.from = from, .to = to};
    return arcs->n > 0 ? bsearch(&key, arcs->at, arcs->n, sizeof *arcs->at,
                                 compare_arcs)
                       : NULL;
}

size_t
pt_cov_arcs_start(const struct pt_cov_arcs *arcs, int32_t from)
{
    size_t low = 0, high = arcs->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (arcs->at[mid].from < from)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void
pt_cov_arcs_clear(struct pt_cov_arcs *arcs)
{
    free(arcs->at);
    *arcs = (struct pt_cov_arcs){0};
}

/* --- lines ---------------------------------------------------------------- */

int32_t
pt_cov_allowed_line(const struct pt_cov_allowed *a, int32_t line)
{
    const struct pt_syntax *s = a->syntax;
    /* 6.5 has a module begin where its code does, if anything in it takes
     * several lines. */
    if (a->old && (line == 1 || line == -1) && s->nlogical > 0 && s->ncode > 0)
        return line * (int32_t)s->code[0].line;
    return line < 0 ? -(int32_t)pt_cov_first_line(s, (uint32_t)-line)
                    : (int32_t)pt_cov_first_line(s, (uint32_t)line);
}

/* --- with ----------------------------------------------------------------- */

static int
compare_withs(const void *a, const void *b)
{
    const struct pt_cov_with *x = a, *y = b;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return (x->with > y->with) - (x->with < y->with);
}

static const struct pt_cov_with *
find_with(const struct pt_cov_allowed *a, int32_t end, int32_t with)
{
    struct pt_cov_with key = {.end = end, .with = with};
    return a->nwiths > 0 ? bsearch(&key, a->withs, a->nwiths, sizeof *a->withs,
                                   compare_withs)
                         : NULL;
}

/* Follows one way out through the lines of nested ones. */
static enum pt_status
straighten(const struct pt_cov_allowed *a, const struct pt_cov_with *with,
           uint64_t count, struct pt_cov_arcs *added,
           struct pt_cov_arcs *removed)
{
    const struct pt_cov_with *outer;
    int32_t end = with->end;
    enum pt_status st = pt_cov_arcs_add(
        removed, &(struct pt_cov_arc){.from = end, .to = with->with});
    for (size_t n = 0; st == PT_OK && n < a->nwiths &&
                       (outer = find_with(a, with->with, with->next));
         n++) {
        st = pt_cov_arcs_add(removed, &(struct pt_cov_arc){.from = with->with,
                                                           .to = with->next});
        if (st == PT_OK)
            st = pt_cov_arcs_add(
                removed,
                &(struct pt_cov_arc){.from = outer->end, .to = outer->next});
        with = outer;
    }
    if (st == PT_OK)
        st = pt_cov_arcs_add(removed, &(struct pt_cov_arc){.from = with->with,
                                                           .to = with->next});
    if (st == PT_OK)
        st = pt_cov_arcs_add(added, &(struct pt_cov_arc){.from = end,
                                                         .to = with->next,
                                                         .count = count});
    return st;
}

enum pt_status
pt_cov_arcs_straighten(const struct pt_cov_allowed *a, struct pt_cov_arcs *arcs)
{
    struct pt_cov_arcs added = {0}, removed = {0};
    enum pt_status st = PT_OK;
    size_t n = 0;
    for (size_t i = 0; a->nwiths > 0 && i < arcs->n && st == PT_OK; i++) {
        const struct pt_cov_with *with =
            find_with(a, arcs->at[i].from, arcs->at[i].to);
        if (with)
            st = straighten(a, with, arcs->at[i].count, &added, &removed);
    }
    for (size_t i = 0; i < added.n && st == PT_OK; i++)
        st = pt_cov_arcs_add(arcs, &added.at[i]);
    pt_cov_arcs_settle(&removed);
    for (size_t i = 0; i < arcs->n; i++)
        if (!pt_cov_arcs_find(&removed, arcs->at[i].from, arcs->at[i].to))
            arcs->at[n++] = arcs->at[i];
    arcs->n = n;
    pt_cov_arcs_settle(arcs);
    pt_cov_arcs_clear(&added);
    pt_cov_arcs_clear(&removed);
    return st;
}
