/* Heat: what ran, and what time goes to it. */
#include "analyze/heat_state.h"
#include "analyze/profile_state.h"

#include <stdlib.h>

enum { RUNS_LEAST = 256 };

/* --- what runs ------------------------------------------------------------ */

static int
compare_runs(const void *a, const void *b)
{
    const struct pt_heat_run *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->last > y->last) - (x->last < y->last);
}

/* Makes room: a loop without stamps runs the same few again and again. */
static enum pt_status
join_runs(struct pt_heat_state *s)
{
    size_t kept = 0;
    if (s->nruns)
        qsort(s->runs, s->nruns, sizeof *s->runs, compare_runs);
    for (size_t i = 0; i < s->nruns; i++) {
        if (kept && compare_runs(&s->runs[kept - 1], &s->runs[i]) == 0)
            s->runs[kept - 1].times += s->runs[i].times;
        else
            s->runs[kept++] = s->runs[i];
    }
    s->nruns = kept;
    if (kept <= s->runs_capacity / 2 && s->runs_capacity)
        return PT_OK;
    size_t capacity = s->runs_capacity ? 2 * s->runs_capacity : RUNS_LEAST;
    struct pt_heat_run *runs = realloc(s->runs, capacity * sizeof *runs);
    if (!runs)
        return PT_ENOMEM;
    s->runs = runs;
    s->runs_capacity = capacity;
    return PT_OK;
}

/* Whether a path that begins at an instruction tells a line there. */
static bool
tells_line(const struct pt_graph *g, uint32_t first, uint32_t before)
{
    struct pt_run one = {first, first};
    struct pt_walked walked = {
        .graph = g, .runs = &one, .nruns = 1, .before = before};
    uint64_t instructions, lines;
    pt_expand_count(&walked, &instructions, &lines);
    return lines != 0;
}

static enum pt_status
count_pair(struct pt_heat *c, const struct pt_heat_frame *f, uint32_t next)
{
    const struct pt_ins *ins = f->code->graph->ins;
    if (!c->plan->options.pairs || f->ran == PT_INS_NONE)
        return PT_OK;
    uint64_t *pairs = pt_heat_pairs_of(c, f->code);
    if (!pairs)
        return PT_ENOMEM;
    pairs[ins[f->ran].opcode * PT_HEAT_OPCODES + ins[next].opcode]++;
    return PT_OK;
}

enum pt_status
pt_heat_run(struct pt_heat *c, struct pt_heat_frame *f, struct pt_run run,
            uint32_t before)
{
    struct pt_heat_state *s = c->state;
    struct pt_heat_instruction *ins = f->code->ins;
    enum pt_status st = PT_OK;
    if (s->live && f->code->picked) {
        ins[run.first].ran++;
        ins[run.last + 1].ran--;
        ins[run.first].begun++;
        ins[run.first].told +=
            s->walk && tells_line(f->code->graph, run.first, before);
        st = count_pair(c, f, run.first);
        if (st == PT_OK && s->nruns == s->runs_capacity)
            st = join_runs(s);
        if (st != PT_OK)
            return st;
        s->runs[s->nruns++] = (struct pt_heat_run){run.first, run.last, 1};
        s->steps += run.last - run.first + (uint64_t)1;
    }
    f->at = f->ran = run.last;
    return st;
}

/* --- time ----------------------------------------------------------------- */

uint32_t
pt_heat_line_of(const struct pt_heat *c, const struct pt_heat_frame *f)
{
    if (f->waits || c->plan->options.source == PT_HEAT_OF_LINES)
        return f->line;
    return f->code->graph && f->at < f->code->graph->n
               ? f->code->ins[f->at].line
               : f->code->unknown;
}

/* All of the time is that of where the frame stands. */
static void
give(struct pt_heat *c, const struct pt_heat_frame *f, uint64_t time)
{
    uint32_t line = pt_heat_line_of(c, f);
    struct pt_heat_line *l = &c->lines[line];
    if (c->plan->options.source != PT_HEAT_OF_LINES && f->code->graph &&
        f->at < f->code->graph->n) {
        f->code->ins[f->at].time += time;
        f->code->ins[f->at + 1].time -= time;
    } else
        l->exclusive += time;
    if (l->level)
        l->nested += time;
}

/* Whether all that ran since the last stamp is of one line. */
static bool
is_one_line(const struct pt_heat_state *s, const struct pt_heat_code *code)
{
    uint32_t line = code->ins[s->runs[0].first].line;
    for (size_t i = 0; i < s->nruns; i++)
        if (code->ins[s->runs[i].first].line != line ||
            s->runs[i].last > code->ins[s->runs[i].first].until)
            return false;
    return true;
}

/* Of a function that is on the stack more than once, the lines that wait. */
static void
nest(struct pt_heat *c, const struct pt_heat_code *code,
     const struct pt_heat_run *run, uint64_t each)
{
    for (uint32_t i = run->first; i <= run->last; i++) {
        struct pt_heat_line *l = &c->lines[code->ins[i].line];
        if (l->level)
            l->nested += each;
    }
}

/* Shares the time out among what ran, each instruction as much; what cannot be
 * divided is the last one's. */
static void
share_out(struct pt_heat *c, const struct pt_heat_frame *f, uint64_t time)
{
    struct pt_heat_state *s = c->state;
    struct pt_heat_instruction *ins = f->code->ins;
    uint64_t each = time / s->steps, rest = time - each * s->steps;
    bool exact = is_one_line(s, f->code);
    bool nests = c->functions[f->code->fn].level > 1;
    for (size_t i = 0; i < s->nruns; i++) {
        const struct pt_heat_run *run = &s->runs[i];
        uint64_t amount = each * run->times;
        ins[run->first].time += amount;
        ins[run->last + 1].time -= amount;
        if (!exact) {
            ins[run->first].spread += amount;
            ins[run->last + 1].spread -= amount;
        }
        if (nests)
            nest(c, f->code, run, amount);
    }
    if (rest)
        give(c, f, rest);
}

void
pt_heat_settle(struct pt_heat *c, int64_t now)
{
    struct pt_heat_state *s = c->state;
    uint64_t time = now > s->last ? (uint64_t)now - (uint64_t)s->last : 0;
    if (now > s->last)
        s->last = now;
    const struct pt_heat_frame *top =
        s->depth ? &s->frames[s->depth - 1] : NULL;
    if (time && !s->out) {
        s->clock += time;
        uint32_t whose = top ? top->visible : 0;
        if (whose == PT_HEAT_NATIVE)
            c->native += time;
        time <<= PT_HEAT_BITS;
        if (whose == 0 || whose == PT_HEAT_NATIVE)
            ; /* a C function's, or nobody's */
        else if (s->nruns && top->code)
            share_out(c, top, time);
        else if (s->frames[whose - 1].code->picked)
            give(c, &s->frames[whose - 1], time);
    }
    s->nruns = 0;
    s->steps = 0;
}

/* --- calls ---------------------------------------------------------------- */

void
pt_heat_cover(struct pt_heat *c, struct pt_heat_frame *f)
{
    if (f->waits)
        return;
    if (f->code) {
        f->line = pt_heat_line_of(c, f);
        f->covered = c->state->clock;
        c->lines[f->line].level++;
    }
    f->waits = true;
}

void
pt_heat_uncover(struct pt_heat *c, struct pt_heat_frame *f)
{
    if (!f->waits)
        return;
    f->waits = false;
    if (f->code && --c->lines[f->line].level == 0)
        c->lines[f->line].covered += c->state->clock - f->covered;
}
