/* The items of a chunk's slots: found by number, without telling those before
 * them. */
#include "replay/history_page.h"

#include "replay/graph.h"

/* More instructions than this without a line are not gone through for one. */
enum { LINELESS_LIMIT = 1 << 16 };

uint32_t
pt_page_python(const struct pt_page *p, uint32_t node)
{
    while (node != PT_NO_NODE && p->entries[p->nodes[node].entry].callable)
        node = p->nodes[node].parent;
    return node;
}

bool
pt_page_ran(const struct pt_page *p, struct pt_graph_cache *graphs,
            uint32_t slot, struct pt_walked *out)
{
    *out = (struct pt_walked){0};
    if (slot >= p->n || p->steps[slot].run == p->steps[slot + 1].run)
        return false;
    uint32_t node = pt_page_python(p, p->behind[slot]);
    if (node == PT_NO_NODE)
        return false;
    out->code = p->entries[p->nodes[node].entry].id;
    out->graph = pt_graph_cache_at(graphs, out->code);
    out->runs = p->runs + p->steps[slot].run;
    out->nruns = p->steps[slot + 1].run - p->steps[slot].run;
    out->before = p->steps[slot].before;
    return out->graph != NULL;
}

/* --- counting --------------------------------------------------------------
 */

/* Instructions and lines before some place of a step. */
struct tally {
    uint64_t fired, lines;
};

/* ... of a run's instructions before `index`, the first of which does, or does
 * not, start a line. */
static struct tally
tally(const struct pt_graph *g, uint32_t first, uint32_t index, bool starts)
{
    const struct pt_ins *ins = g->ins;
    if (index == first)
        return (struct tally){0, 0};
    return (struct tally){ins[index].fired - ins[first].fired,
                          ins[index].lined - ins[first + 1].lined + starts};
}

static uint64_t
by(enum pt_page_measure measure, struct tally t)
{
    return measure == PT_BY_LINE          ? t.lines
           : measure == PT_BY_INSTRUCTION ? t.fired
                                          : t.lines + t.fired;
}

/* The instruction of a run that the n-th of a measure (from 1) belongs to. */
static uint32_t
locate(const struct pt_graph *g, const struct pt_run *run, bool starts,
       enum pt_page_measure measure, uint64_t n)
{
    uint32_t low = run->first, high = run->last;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (by(measure, tally(g, run->first, mid + 1, starts)) >= n)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* The item at `index`: the n-th of the run, of whose step `t` come before. */
static void
describe(const struct pt_graph *g, const struct pt_run *run, bool starts,
         uint32_t index, bool line, struct tally t, struct pt_page_fine *out)
{
    struct tally here = tally(g, run->first, index, starts);
    struct tally next = tally(g, run->first, index + 1, starts);
    t.fired += here.fired;
    t.lines += next.lines;
    out->fine = (struct pt_fine){.k = t.fired + 1,
                                 .index = index,
                                 .off = g->ins[index].off,
                                 .line = g->ins[index].line,
                                 .kind = line ? PT_LINE : PT_INSTRUCTION};
    out->lines = t.lines;
    out->items = t.lines + t.fired + !line;
}

bool
pt_page_find(const struct pt_walked *w, enum pt_page_measure measure,
             uint64_t n, struct pt_page_fine *out)
{
    const struct pt_graph *g = w->graph;
    struct tally t = {0, 0};
    uint32_t before = w->before;
    if (n == 0)
        return false;
    for (size_t i = 0; g && i < w->nruns; i++) {
        const struct pt_run *run = &w->runs[i];
        bool starts = pt_graph_tells_line(g, run->first, before);
        struct tally all = tally(g, run->first, run->last + 1, starts);
        if (by(measure, all) >= n) {
            uint32_t index = locate(g, run, starts, measure, n);
            struct tally here = tally(g, run->first, index, starts);
            struct tally next = tally(g, run->first, index + 1, starts);
            bool line = measure == PT_BY_LINE ||
                        (measure == PT_BY_ITEM && next.lines > here.lines &&
                         n == by(measure, here) + 1);
            describe(g, run, starts, index, line, t, out);
            return true;
        }
        n -= by(measure, all);
        t.fired += all.fired;
        t.lines += all.lines;
        before = g->ins[run->last].off / 2;
    }
    return false;
}

uint64_t
pt_page_count(const struct pt_walked *w, enum pt_page_measure measure)
{
    struct tally t;
    pt_expand_count(w, &t.fired, &t.lines);
    return by(measure, t);
}

/* --- lines that are looked for ---------------------------------------------
 */

/* How many of the instructions lie before `index`. */
static size_t
rank(const uint32_t *ins, size_t n, uint32_t index)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ins[mid] < index)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* A run of a step, and what comes before it. */
struct place {
    const struct pt_graph *graph;
    const struct pt_run *run;
    struct tally before;
    bool starts;
};

/* The number of the line item at `index`. */
static uint64_t
line_item(const struct place *p, uint32_t index)
{
    struct tally here = tally(p->graph, p->run->first, index, p->starts);
    return p->before.fired + p->before.lines + here.fired + here.lines + 1;
}

/* Among those of a run, the first line behind `item`, or the last before. */
static bool
line_in_run(const struct place *p, const struct pt_page_wanted *w,
            uint64_t item, bool forward, uint64_t *out)
{
    uint32_t first = p->run->first;
    size_t at = rank(w->first, w->nfirst, first);
    bool begins = p->starts && at < w->nfirst && w->first[at] == first;
    uint64_t number = p->before.fired + p->before.lines + 1;
    begins = begins && (forward ? number > item : number < item);
    if (begins && forward) {
        *out = number;
        return true;
    }
    size_t low = rank(w->inside, w->ninside, first + 1);
    size_t high = rank(w->inside, w->ninside, p->run->last + 1), end = high;
    size_t begin = low;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        uint64_t there = line_item(p, w->inside[mid]);
        if (forward ? there <= item : there < item)
            low = mid + 1;
        else
            high = mid;
    }
    bool found = forward ? low < end : low > begin;
    if (found)
        number = line_item(p, w->inside[forward ? low : low - 1]);
    if (found || begins)
        *out = number;
    return found || begins;
}

bool
pt_page_line(const struct pt_walked *w, const struct pt_page_wanted *wanted,
             uint64_t item, bool forward, uint64_t *out)
{
    struct place p = {.graph = w->graph};
    uint32_t before = w->before;
    bool found = false;
    for (size_t i = 0; w->graph && i < w->nruns; i++) {
        p.run = &w->runs[i];
        p.starts = pt_graph_tells_line(p.graph, p.run->first, before);
        found |= line_in_run(&p, wanted, item, forward, out);
        if (found && forward)
            break;
        struct tally all =
            tally(p.graph, p.run->first, p.run->last + 1, p.starts);
        p.before.fired += all.fired;
        p.before.lines += all.lines;
        before = p.graph->ins[p.run->last].off / 2;
    }
    return found;
}

/* --- time ------------------------------------------------------------------
 */

/* The share a/b of the way from t0 to t1. */
static int64_t
between(int64_t t0, int64_t t1, uint64_t a, uint64_t b)
{
    if (b == 0 || t1 <= t0)
        return t0;
    return t0 + (int64_t)(((__int128)t1 - t0) * (__int128)a / (__int128)b);
}

static uint64_t
steps_of(const struct pt_walked *w)
{
    uint64_t n = 0;
    for (size_t i = 0; w->graph && i < w->nruns; i++)
        n += w->runs[i].last - w->runs[i].first + 1;
    return n;
}

int64_t
pt_page_time(const struct pt_page *p, const struct pt_walked *w, uint32_t slot,
             uint64_t k, int64_t since)
{
    if (slot == 0)
        return since;
    uint32_t from = slot - 1, to = slot;
    while (from && !(p->events[from].has & PT_HAS(TIME)) &&
           p->events[from].kind != PT_GAP)
        from--;
    const struct pt_event *e = &p->events[from];
    if (!(e->has & PT_HAS(TIME)) || e->kind == PT_GAP)
        return p->events[slot - 1].time;
    while (to < p->n && !(p->events[to].has & PT_HAS(TIME)))
        to++;
    if (to == p->n)
        return e->time;
    int64_t end = p->events[to].time;
    uint32_t passed = slot - 1 - from, length = to - from;
    int64_t here = between(e->time, end, passed, length);
    if (k == 0)
        return here;
    return between(here, between(e->time, end, passed + 1, length), k,
                   steps_of(w) + 1);
}

/* --- frames ----------------------------------------------------------------
 */

struct pt_frame
pt_page_frame(const struct pt_page *p, uint32_t node)
{
    const struct pt_page_node *at = &p->nodes[node];
    const struct pt_page_entry *e = &p->entries[at->entry];
    return (struct pt_frame){.key = e->key,
                             .seq = e->seq,
                             .id = e->id,
                             .line = at->line,
                             .off = at->off,
                             .callable = e->callable,
                             .time = e->time};
}

/* The line that what ran has left, where its last instruction has none. */
static uint32_t
line_behind(const struct pt_walked *w, uint64_t items,
            struct pt_line_cache *lines, uint32_t line)
{
    struct pt_expand x;
    struct pt_fine fine;
    if (items > LINELESS_LIMIT)
        return 0;
    pt_expand_begin(&x, w);
    while (items-- && pt_expand_next(&x, &fine)) {
        uint32_t told = fine.kind == PT_LINE
                            ? fine.line
                            : pt_line_cache_at(lines, w->code, fine.off);
        if (told || fine.kind == PT_LINE)
            line = told;
    }
    return line;
}

void
pt_page_stand(const struct pt_walked *w, const struct pt_page_fine *at,
              struct pt_line_cache *lines, struct pt_frame *f)
{
    struct pt_page_fine last;
    if (at->fine.kind == PT_LINE) {
        if (pt_page_find(w, PT_BY_INSTRUCTION, at->fine.k - 1, &last))
            f->off = last.fine.off;
        f->line = at->fine.line;
        return;
    }
    uint32_t line = pt_line_cache_at(lines, f->id, at->fine.off);
    f->off = at->fine.off;
    f->line = line ? line : line_behind(w, at->items, lines, f->line);
}
