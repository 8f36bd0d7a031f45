/* The profile as the dictionary that Python's pstats module loads. */
#include "analyze/marshal.h"
#include "analyze/profile.h"

#include <stdlib.h>
#include <string.h>

/* Rows by pstats key, so that those which share one are written as one. */
static int
compare_keys(const void *a, const void *b)
{
    const struct pt_profile_row *x = *(struct pt_profile_row *const *)a;
    const struct pt_profile_row *y = *(struct pt_profile_row *const *)b;
    const struct pt_str s[4] = {x->file, y->file, x->label, y->label};
    for (unsigned i = 0; i < 4; i += 2) {
        size_t n = s[i].len < s[i + 1].len ? s[i].len : s[i + 1].len;
        int c = n ? memcmp(s[i].data, s[i + 1].data, n) : 0;
        if (c || s[i].len != s[i + 1].len)
            return c ? c : s[i].len < s[i + 1].len ? -1 : 1;
    }
    return (x->line > y->line) - (x->line < y->line);
}

/* Callers of one key: edges by (key of callee, key of caller). */
struct caller {
    uint32_t callee, caller; /* keys */
    const struct pt_profile_edge *edge;
};

static int
compare_callers(const void *a, const void *b)
{
    const struct caller *x = a, *y = b;
    if (x->callee != y->callee)
        return x->callee < y->callee ? -1 : 1;
    return (x->caller > y->caller) - (x->caller < y->caller);
}

static double
seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void
put_key(struct pt_out *o, const struct pt_profile_row *r)
{
    pt_marshal_tuple(o, 3);
    pt_marshal_str(o, r->file);
    pt_marshal_int(o, r->line);
    pt_marshal_str(o, r->label);
}

/* The callers of `key`, those of equal key summed; *at moves behind them. */
static void
put_callers(struct pt_out *o, struct pt_profile_row **first_of,
            const struct caller *callers, size_t n, uint32_t key, size_t *at)
{
    pt_marshal_dict_open(o);
    while (*at < n && callers[*at].callee == key) {
        uint32_t caller = callers[*at].caller;
        struct pt_profile_edge sum = {0};
        for (; *at < n && callers[*at].callee == key &&
               callers[*at].caller == caller;
             ++*at) {
            const struct pt_profile_edge *e = callers[*at].edge;
            sum.calls += e->calls;
            sum.primitive += e->primitive;
            sum.exclusive += e->exclusive;
            sum.inclusive += e->inclusive;
        }
        put_key(o, first_of[caller]);
        pt_marshal_tuple(o, 4);
        pt_marshal_int(o, sum.calls);
        pt_marshal_int(o, sum.primitive);
        pt_marshal_float(o, seconds(sum.exclusive));
        pt_marshal_float(o, seconds(sum.inclusive));
    }
    pt_marshal_dict_close(o);
}

static size_t
gather_callers(const struct pt_profile *p, const uint32_t *key_of,
               struct caller *callers)
{
    size_t n = 0;
    for (uint32_t i = 1; i < p->nedges; i++) {
        const struct pt_profile_edge *e = &p->edges[i];
        if (e->calls && key_of[e->caller] && key_of[e->callee])
            callers[n++] =
                (struct caller){key_of[e->callee], key_of[e->caller], e};
    }
    qsort(callers, n, sizeof *callers, compare_callers);
    return n;
}

static void
put_stats(struct pt_out *o, struct pt_profile_row **sorted, size_t n,
          struct pt_profile_row **first_of, const uint32_t *key_of,
          const struct caller *callers, size_t ncallers)
{
    size_t at = 0;
    pt_marshal_dict_open(o);
    for (size_t i = 0; i < n;) {
        uint32_t key = key_of[sorted[i]->index];
        struct pt_profile_function sum = {0};
        for (; i < n && key_of[sorted[i]->index] == key; i++) {
            const struct pt_profile_function *f = sorted[i]->fn;
            sum.calls += f->calls;
            sum.primitive += f->primitive;
            sum.exclusive += f->exclusive;
            sum.inclusive += f->inclusive;
        }
        put_key(o, first_of[key]);
        pt_marshal_tuple(o, 5);
        pt_marshal_int(o, sum.primitive);
        pt_marshal_int(o, sum.calls);
        pt_marshal_float(o, seconds(sum.exclusive));
        pt_marshal_float(o, seconds(sum.inclusive));
        put_callers(o, first_of, callers, ncallers, key, &at);
    }
    pt_marshal_dict_close(o);
}

enum pt_status
pt_profile_pstats(struct pt_session *s, const struct pt_profile *p,
                  const struct pt_profile_rows *rows)
{
    size_t n = rows->shown;
    struct pt_profile_row **sorted = calloc(n + 1, sizeof *sorted);
    struct pt_profile_row **first_of = calloc(n + 2, sizeof *first_of);
    uint32_t *key_of = calloc(p->nfunctions, sizeof *key_of);
    struct caller *callers = calloc(p->nedges + 1, sizeof *callers);
    enum pt_status st = PT_ENOMEM;
    if (sorted && first_of && key_of && callers) {
        for (size_t i = 0; i < n; i++)
            sorted[i] = &rows->rows[i];
        qsort(sorted, n, sizeof *sorted, compare_keys);
        uint32_t key = 0;
        for (size_t i = 0; i < n; i++) {
            if (i == 0 || compare_keys(&sorted[i - 1], &sorted[i]) != 0)
                first_of[++key] = sorted[i];
            key_of[sorted[i]->index] = key;
        }
        size_t ncallers = gather_callers(p, key_of, callers);
        put_stats(s->out, sorted, n, first_of, key_of, callers, ncallers);
        st = PT_OK;
    }
    free(sorted);
    free(first_of);
    free(key_of);
    free(callers);
    return st;
}
