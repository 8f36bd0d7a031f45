/* The view --tree: who called whom on the way to what. */
#include "analyze/json.h"
#include "analyze/names.h"
#include "analyze/profile_tree.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 100 };
static const double TEXT_SHARE = 0.005; /* of the time of all functions */

/* --- where it begins ------------------------------------------------------ */

/* The root in `t` for a path that begins with a node of `whole`. */
static uint32_t
root_for(struct pt_calltree *t, const struct pt_calltree *whole, uint32_t node)
{
    while (whole->nodes[node].depth)
        node = whole->nodes[node].parent;
    return node ? pt_calltree_root(t, whole->nodes[node].thread) : 0;
}

/* The tree of what the functions of --filter called: each of them that is below
 * no other becomes a root. */
static enum pt_status
take_from(const struct pt_calltree *whole, const struct pt_profile_rows *rows,
          uint32_t nfunctions, struct pt_calltree **out)
{
    struct pt_calltree_options options = {.limit = UINT32_MAX};
    uint8_t *wanted = calloc(nfunctions, 1);
    uint32_t *map = calloc(whole->n, sizeof *map);
    struct pt_calltree *t = NULL;
    enum pt_status st = PT_ENOMEM;
    if (wanted && map)
        st = pt_calltree_new(&options, &t);
    for (size_t i = 0; st == PT_OK && i < rows->n; i++)
        wanted[rows->rows[i].index] = 1;
    for (uint32_t i = 1; st == PT_OK && i < whole->n; i++) {
        const struct pt_calltree_node *n = &whole->nodes[i];
        bool begins = n->fn < nfunctions && wanted[n->fn];
        uint32_t parent = map[n->parent];
        if (!begins && parent == 0)
            continue;
        if (parent == 0)
            parent = root_for(t, whole, i);
        map[i] = pt_calltree_find(t, parent, n->fn);
        if (map[i] == 0) {
            st = PT_ENOMEM;
            break;
        }
        t->nodes[map[i]].calls += n->calls;
        t->nodes[map[i]].exclusive += n->exclusive;
        t->nodes[map[i]].wait += n->wait;
    }
    free(wanted);
    free(map);
    if (st != PT_OK) {
        pt_calltree_free(t);
        return st;
    }
    pt_calltree_finish(t);
    t->dropped = whole->dropped;
    t->folded = whole->folded;
    *out = t;
    return PT_OK;
}

/* --- what is shown -------------------------------------------------------- */

static int
by_time(const void *a, const void *b, void *with)
{
    const struct pt_calltree_node *nodes = with;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    uint64_t x = nodes[i].inclusive, y = nodes[k].inclusive;
    if (x != y)
        return x > y ? -1 : 1;
    /* Who is above, or was called before. */
    return i < k ? -1 : i > k;
}

static bool
is_root(const struct pt_calltree_node *node)
{
    return node->depth == 0;
}

/* Shows the first `limit` of the sorted nodes, and links them. */
static void
link_shown(struct pt_tree_view *v, const uint32_t *sorted, uint32_t n,
           uint64_t limit)
{
    const struct pt_calltree_node *nodes = v->tree->nodes;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < n; i++)
        if (is_root(&nodes[sorted[i]]) || taken++ < limit)
            v->shown[sorted[i]] = 1;
    v->nshown = taken < limit ? taken : (uint32_t)limit;
    for (uint32_t i = n; i-- > 0;) {
        uint32_t node = sorted[i], parent = nodes[node].parent;
        if (!v->shown[node])
            continue;
        v->next[node] = v->first[parent];
        v->first[parent] = node;
    }
}

static enum pt_status
choose(const struct pt_session *s, struct pt_tree_view *v)
{
    const struct pt_profile_config *config = s->config;
    bool text = pt_session_format(s, "text");
    const struct pt_calltree *t = v->tree;
    uint64_t limit = config->all     ? UINT32_MAX
                     : config->limit ? config->limit
                     : text          ? TEXT_LIMIT
                                     : UINT32_MAX;
    uint64_t depth = config->depth ? config->depth : UINT64_MAX;
    uint32_t *sorted = malloc(t->n * sizeof *sorted), n = 0;
    v->shown = calloc(t->n, 1);
    v->first = calloc(t->n, sizeof *v->first);
    v->next = calloc(t->n, sizeof *v->next);
    if (!sorted || !v->shown || !v->first || !v->next) {
        free(sorted);
        return PT_ENOMEM;
    }
    for (uint32_t i = 1; i < t->n; i++) {
        const struct pt_calltree_node *node = &t->nodes[i];
        v->nodes += !is_root(node);
        if (is_root(node) ||
            (node->inclusive >= v->least && node->depth <= depth))
            sorted[n++] = i;
    }
    qsort_r(sorted, n, sizeof *sorted, by_time, t->nodes);
    link_shown(v, sorted, n, limit);
    free(sorted);
    return PT_OK;
}

/* --- JSON ----------------------------------------------------------------- */

static enum pt_status
json_functions(struct pt_json *j, const struct pt_tree_view *v,
               uint32_t *numbers)
{
    uint32_t n = 0;
    pt_json_key(j, "functions");
    pt_json_open(j, '[');
    for (uint32_t i = 1; i < v->tree->n; i++) {
        uint32_t fn = v->tree->nodes[i].fn;
        struct pt_profile_row row = {0};
        if (!v->shown[i] || fn == 0 || fn == PT_CALLTREE_MORE || numbers[fn])
            continue;
        numbers[fn] = ++n;
        enum pt_status st = pt_profile_row_name(v->profile, fn, &row);
        if (st != PT_OK)
            return st;
        pt_json_open(j, '{');
        pt_profile_json_name(j, &row);
        pt_json_close(j, '}');
        free(row.owned);
    }
    pt_json_close(j, ']');
    return PT_OK;
}

/* Nodes come before those below them; `at` are their places in the array. */
static void
json_nodes(struct pt_json *j, const struct pt_tree_view *v,
           const uint32_t *numbers, uint32_t *at)
{
    uint32_t n = 0;
    pt_json_key(j, "nodes");
    pt_json_open(j, '[');
    for (uint32_t i = 1; i < v->tree->n; i++) {
        const struct pt_calltree_node *node = &v->tree->nodes[i];
        bool known = node->fn != 0 && node->fn != PT_CALLTREE_MORE;
        if (!v->shown[i])
            continue;
        at[i] = ++n;
        pt_json_open(j, '{');
        pt_json_maybe_u64(j, "parent", at[node->parent] != 0,
                          at[node->parent] - UINT64_C(1));
        pt_json_maybe_u64(j, "function", known,
                          known ? numbers[node->fn] - UINT64_C(1) : 0);
        if (is_root(node))
            pt_profile_json_thread(j, v->profile->trace, node->thread);
        pt_json_member_u64(j, "calls", node->calls);
        pt_json_member_u64(j, "exclusive", node->exclusive);
        pt_json_member_u64(j, "inclusive", node->inclusive);
        pt_json_member_u64(j, "wait", node->wait);
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
}

static enum pt_status
json(struct pt_session *s, const struct pt_tree_view *v)
{
    uint32_t *numbers = calloc(v->profile->nfunctions, sizeof *numbers);
    uint32_t *at = calloc(v->tree->n, sizeof *at);
    enum pt_status st = numbers && at ? PT_OK : PT_ENOMEM;
    struct pt_json j;
    if (st == PT_OK) {
        pt_profile_json_open(&j, s);
        st = json_functions(&j, v, numbers);
    }
    if (st == PT_OK) {
        json_nodes(&j, v, numbers, at);
        pt_json_member_u64(&j, "nodes_in_all", v->nodes);
        pt_json_member_u64(&j, "dropped", v->tree->dropped);
        pt_json_member_bool(&j, "folded", v->tree->folded);
        pt_profile_json_close(&j, s, v->profile, v->rows);
    }
    free(numbers);
    free(at);
    return st;
}

/* --- the view ------------------------------------------------------------- */

static enum pt_status
report(struct pt_session *s, const struct pt_profile *p,
       const struct pt_profile_rows *rows)
{
    const struct pt_profile_config *config = s->config;
    struct pt_tree_view v = {.profile = p, .tree = p->tree, .rows = rows};
    struct pt_calltree *part = NULL;
    bool text = pt_session_format(s, "text");
    enum pt_status st = PT_OK;
    if (config->filter.n) {
        st = take_from(p->tree, rows, p->nfunctions, &part);
        v.tree = part;
    }
    if (st == PT_OK && config->min_time)
        st = pt_profile_min_time(s, rows->total, &v.least);
    else if (text && !config->all)
        v.least = (uint64_t)(TEXT_SHARE * (double)rows->total);
    if (st == PT_OK)
        st = choose(s, &v);
    if (st == PT_OK && text)
        st = pt_profile_tree_text(s, &v);
    else if (st == PT_OK)
        st = json(s, &v);
    free(v.shown);
    free(v.first);
    free(v.next);
    pt_calltree_free(part);
    return st;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct pt_profile_config *config = s->config;
    struct pt_profile_options how = {.tree = true, .threads = config->threads};
    return pt_profile_report(s, &how, report);
}

const struct pt_profile_view pt_profile_tree = {
    .option = "tree",
    .takes =
        "threads|depth|min-time|limit|all|filter|all-calls|by-file|by-module|"
        "compensate",
    .formats = "text|json",
    .run = run,
};
