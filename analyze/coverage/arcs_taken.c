/* The arcs that a code object took.
 *
 * A tracer sees lines follow each other within a frame.  Where counts say how
 * often each way from instruction to instruction was gone, most of these steps
 * lie open: from an instruction that has a line to one that has another.
 * Between them may be instructions without a line, which the compiler added;
 * they are passed through.  Where several ways in meet several ways out there,
 * each pair counts as often as it can have been, which is too often.
 *
 * Where a trace has line events instead, their steps are what is counted, and
 * what entered a line more often than it left it has left the frame. */
#include "analyze/coverage/arcs.h"

#include <stdlib.h>

/* An effort that is enough for all code that a compiler makes: instructions
 * without a line come in small groups. */
enum { EFFORT = 256 };

/* From this version of Python on coverage.py uses sys.monitoring. */
enum { BRANCHES_SINCE = 3 << 8 | 14 };

struct walk {
    const struct pt_cov_allowed *allowed; /* NULL: nobody has the text */
    const struct pt_code_counts *counts;
    const struct pt_graph *graph;
    struct pt_cov_arcs *arcs;
    int32_t exit;   /* -N */
    bool branches;  /* coverage.py learns of branches, not of lines */
    uint32_t *seen; /* of each instruction: the last `round` that met it */
    uint32_t *todo;
    uint64_t *most; /* of each in `todo`: how often it can have been */
    uint32_t round;
    uint64_t effort; /* what is left of it */
};

/* A way out of an instruction; `to` is PT_INS_NONE where it leaves the frame.
 */
struct way {
    uint32_t to;
    uint64_t count;
};
enum { WAYS = 4 };

static int32_t
first_line(const struct pt_cov_allowed *allowed, int64_t line)
{
    if (line > INT32_MAX || line < -INT32_MAX)
        return 0;
    return allowed ? pt_cov_allowed_line(allowed, (int32_t)line)
                   : (int32_t)line;
}

static enum pt_status
put(const struct pt_cov_allowed *allowed, struct pt_cov_arcs *arcs,
    int64_t from, int64_t to, uint64_t count)
{
    struct pt_cov_arc arc = {.from = first_line(allowed, from),
                             .to = first_line(allowed, to),
                             .count = count};
    if (count == 0 || arc.from == 0 || arc.to == 0 || arc.from == arc.to)
        return PT_OK;
    return pt_cov_arcs_add(arcs, &arc);
}

/* The line that a frame stands in when it runs the instruction; 0: the one it
 * stood in before.  No line is told until a frame's first RESUME is over. */
static uint32_t
line_of(const struct pt_graph *g, uint32_t i)
{
    return g->start != PT_INS_NONE && i <= g->start ? 0 : g->ins[i].line;
}

/* Where a frame went from an instruction.  A yield leaves it for a while only;
 * what neither went on nor was caught has left it by an exception.  A tracer of
 * lines takes that for a way out, as if a test that raised had been answered;
 * one of branches does not, unless a `raise` is what stands there. */
static void
ways_of(const struct walk *w, uint32_t i, struct way ways[WAYS])
{
    const struct pt_code_counts *c = w->counts;
    const struct pt_graph *g = w->graph;
    uint64_t gone = c->next[i] + c->jump[i] + c->raised[i];
    uint8_t cls = g->ins[i].cls;
    bool leaves = w->branches ? cls == PT_INS_RETURN || cls == PT_INS_RAISE
                              : cls != PT_INS_YIELD;
    bool ends = leaves && c->ran[i] > gone;
    uint32_t handler =
        c->raised[i] ? pt_graph_handler(g, g->ins[i].off) : PT_INS_NONE;
    ways[0] = (struct way){i + 1, i + 1 < g->n ? c->next[i] : 0};
    ways[1] = (struct way){g->ins[i].target,
                           g->ins[i].target < g->n ? c->jump[i] : 0};
    ways[2] = (struct way){handler, handler < g->n ? c->raised[i] : 0};
    ways[3] = (struct way){PT_INS_NONE, ends ? c->ran[i] - gone : 0};
}

/* Puts the arcs of one way out of `line`. */
static enum pt_status
follow(struct walk *w, int64_t line, struct way way)
{
    struct way ways[WAYS];
    uint32_t n = 0;
    enum pt_status st = PT_OK;
    if (way.to == PT_INS_NONE)
        return put(w->allowed, w->arcs, line, w->exit, way.count);
    uint32_t to = line_of(w->graph, way.to);
    if (to)
        return put(w->allowed, w->arcs, line, to, way.count);
    w->round++;
    w->seen[way.to] = w->round;
    w->most[n] = way.count;
    w->todo[n++] = way.to;
    while (n > 0 && st == PT_OK && w->effort > 0) {
        uint32_t i = w->todo[--n];
        uint64_t most = w->most[n];
        w->effort--;
        ways_of(w, i, ways);
        for (size_t k = 0; k < WAYS && st == PT_OK; k++) {
            uint64_t count = ways[k].count < most ? ways[k].count : most;
            uint32_t next = ways[k].to;
            if (count == 0)
                continue;
            to = next == PT_INS_NONE ? 0 : line_of(w->graph, next);
            if (next == PT_INS_NONE || to)
                st = put(w->allowed, w->arcs, line, to ? (int64_t)to : w->exit,
                         count);
            else if (w->seen[next] != w->round) {
                w->seen[next] = w->round;
                w->most[n] = count;
                w->todo[n++] = next;
            }
        }
    }
    return st;
}

static enum pt_status
take_counts(struct walk *w)
{
    const struct pt_graph *g = w->graph;
    struct way ways[WAYS];
    enum pt_status st = PT_OK;
    size_t n = (size_t)g->n + 1;
    w->seen = calloc(n, sizeof *w->seen);
    w->todo = malloc(n * sizeof *w->todo);
    w->most = malloc(n * sizeof *w->most);
    w->effort = (uint64_t)n * EFFORT;
    if (!w->seen || !w->todo || !w->most)
        st = PT_ENOMEM;
    if (st == PT_OK && g->start != PT_INS_NONE)
        st = follow(w, w->exit,
                    (struct way){g->start, w->counts->ran[g->start]});
    for (uint32_t i = 0; i < g->n && st == PT_OK; i++) {
        uint32_t line = line_of(g, i);
        if (!line || !w->counts->ran[i])
            continue;
        ways_of(w, i, ways);
        for (size_t k = 0; k < WAYS && st == PT_OK; k++)
            if (ways[k].count)
                st = follow(w, line, ways[k]);
    }
    free(w->seen);
    free(w->todo);
    free(w->most);
    return st;
}

/* --- line events ---------------------------------------------------------- */

/* How often a line was left for another: the steps are sorted by `from`. */
static uint64_t
left(const struct pt_cov_code *code, uint32_t line)
{
    uint32_t low = 0, high = code->nsteps;
    uint64_t sum = 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (code->steps[mid].from < line)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < code->nsteps && code->steps[low].from == line; low++)
        sum += code->steps[low].count;
    return sum;
}

static enum pt_status
take_steps(const struct pt_cov_allowed *allowed, const struct pt_cov_code *code,
           int64_t exit, struct pt_cov_arcs *arcs)
{
    struct pt_cov_arcs entered = {0};
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < code->nsteps && st == PT_OK; i++) {
        const struct pt_cov_step *s = &code->steps[i];
        int64_t from = s->from ? (int64_t)s->from : exit;
        st = put(allowed, arcs, from, s->to, s->count);
        if (st == PT_OK && s->to <= INT32_MAX)
            st = pt_cov_arcs_add(&entered,
                                 &(struct pt_cov_arc){.from = (int32_t)s->to,
                                                      .count = s->count});
    }
    pt_cov_arcs_settle(&entered);
    for (size_t i = 0; i < entered.n && st == PT_OK; i++) {
        uint64_t out = left(code, (uint32_t)entered.at[i].from);
        if (entered.at[i].count > out)
            st = put(allowed, arcs, entered.at[i].from, exit,
                     entered.at[i].count - out);
    }
    pt_cov_arcs_clear(&entered);
    return st;
}

enum pt_status
pt_cov_arcs_take(const struct pt_cov_allowed *allowed,
                 const struct pt_cov_code *code, struct pt_cov_arcs *arcs)
{
    int64_t exit =
        -(int64_t)(code->code->firstline ? code->code->firstline : 1);
    if (code->counts && exit >= -INT32_MAX) {
        struct walk w = {.allowed = allowed,
                         .counts = code->counts,
                         .graph = code->counts->graph,
                         .arcs = arcs,
                         .branches = code->version >= BRANCHES_SINCE,
                         .exit = (int32_t)exit};
        return take_counts(&w);
    }
    return take_steps(allowed, code, exit, arcs);
}
