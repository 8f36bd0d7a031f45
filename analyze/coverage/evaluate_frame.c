/* The evaluations of one frame: from branches to paths.
 *
 * A branch asks for an expression, which is a condition, or has several.  In
 * the latter case it is the one that the evaluation waits for whose outcome it
 * tells; where the evaluation waits for none of them, their truth was known,
 * and the compiler only asks again: the value of `a and b` in
 * `x = a and b or c`, where a was false.  A branch of a single condition that
 * is not waited for begins an evaluation, if that is how one can begin. */
#include "analyze/coverage/evaluation.h"

#include <stdlib.h>

/* --- under way ------------------------------------------------------------ */

static struct pt_underway *
find(struct pt_underway *u, const struct pt_followed *f)
{
    while (u && u->followed != f)
        u = u->next;
    return u;
}

static struct pt_underway *
begin(struct pt_evaluator *e, struct pt_underway **list, struct pt_followed *f,
      uint16_t at)
{
    struct pt_underway *u = e->spare;
    if (u)
        e->spare = u->next;
    else
        u = malloc(sizeof *u);
    if (!u) {
        e->failed = PT_ENOMEM;
        return NULL;
    }
    *u = (struct pt_underway){
        .next = *list, .followed = f, .path.at = at, .seq = e->seq};
    *list = u;
    return u;
}

static void
drop(struct pt_evaluator *e, struct pt_underway **list, struct pt_underway *u)
{
    while (*list != u)
        list = &(*list)->next;
    *list = u->next;
    u->next = e->spare;
    e->spare = u;
}

/* It ended where it stands. */
static void
end(struct pt_evaluator *e, struct pt_underway **list, struct pt_underway *u)
{
    struct pt_cov_moment first = {.trace = e->trace, .seq = u->seq};
    if (u->path.at >= PT_AT_CHOICE && u->path.at < PT_AT_TRUE)
        u->path.at = PT_AT_NOWHERE;
    enum pt_status st = pt_paths_add(&u->followed->paths, u->path, first);
    if (st != PT_OK)
        e->failed = st;
    drop(e, list, u);
}

/* --- going on ------------------------------------------------------------- */

/* Where a decision begins if its first condition is within ternary `at`. */
static uint16_t
enter(const struct pt_followed *f, uint16_t at, uint8_t leaf)
{
    for (uint32_t i = 0;
         i < f->own->nchoices && at >= PT_AT_CHOICE && at < PT_AT_TRUE; i++) {
        const struct pt_choice_point *c =
            &f->decisions->choices[f->own->first_choice + at - PT_AT_CHOICE];
        const struct pt_part *part = &f->decisions->parts[c->row];
        if (leaf < part->first || leaf >= part->last)
            break;
        uint32_t then = f->decisions->child[c->row];
        at = c->next[leaf < f->decisions->parts[then - 1].last];
    }
    return at;
}

/* An evaluation that has come to its end, or to a condition that nobody asks
 * for, ends.  Its truth, as the test of a ternary, tells another one how it
 * goes on. */
static void
settle(struct pt_evaluator *e, struct pt_watch const *w,
       struct pt_underway **list, struct pt_underway *u)
{
    while (u) {
        struct pt_followed *f = u->followed;
        uint16_t at = u->path.at;
        if (at < f->own->n && f->leaves[at].asked)
            return;
        if (at < f->own->n)
            f->tries[at].undecided++;
        else if (at < PT_AT_TRUE)
            return;
        end(e, list, u);
        if (at < PT_AT_TRUE || !f->own->parent)
            return;
        struct pt_followed *outer = w->judged->followed[f->own->parent - 1];
        uint16_t choice = (uint16_t)(PT_AT_CHOICE + f->own->choice);
        u = outer ? find(*list, outer) : NULL;
        if (outer && outer->own->start == choice &&
            (!u || u->path.at != choice)) {
            if (u)
                end(e, list, u);
            u = begin(e, list, outer, choice);
        }
        if (!u || u->path.at != choice)
            return;
        const struct pt_choice_point *c =
            &f->decisions->choices[outer->own->first_choice + f->own->choice];
        u->path.at = c->next[at == PT_AT_TRUE];
    }
}

/* The condition that an evaluation waits for was asked for. */
static void
answer(struct pt_evaluator *e, const struct pt_watch *w,
       struct pt_underway **list, struct pt_underway *u, bool truth, bool blind)
{
    struct pt_followed *f = u->followed;
    uint16_t at = u->path.at;
    if (blind) {
        f->tries[at].undecided++;
        end(e, list, u);
        return;
    }
    f->tries[at].count[truth]++;
    u->path.known |= (uint64_t)1 << at;
    u->path.values |= (uint64_t)truth << at;
    u->path.at = f->leaves[at].next[truth];
    settle(e, w, list, u);
}

static bool
waits_for(const struct pt_underway *u, const struct pt_meaning *m)
{
    return u && u->path.at >= m->first && u->path.at < m->last;
}

void
pt_evaluate_branch(struct pt_evaluator *e, const struct pt_watch *w,
                   struct pt_evaluating *frame, uint32_t index, uint32_t to)
{
    struct pt_underway **list = &frame->list;
    frame->raised = 0;
    const struct pt_graph *g = w->graph;
    uint32_t number = w->meaning[index];
    bool jumped = g->ins[index].cls == PT_INS_COND && to != index + 1;
    if (g->ins[index].flags & PT_INS_OUTCOME && index > 0)
        number = w->meaning[index - 1];
    else if (g->ins[index].cls == PT_INS_COND &&
             g->ins[index + 1].flags & PT_INS_OUTCOME)
        jumped = true; /* else it would be told there */
    if (!number)
        return;
    const struct pt_meaning *m = &w->meanings[number - 1];
    struct pt_followed *f = m->followed;
    struct pt_underway *u = find(*list, f);
    if (u && m->only < PT_DECISION_MOST)
        u->path.at = enter(f, u->path.at, m->only);
    if (!waits_for(u, m)) {
        if (m->only == PT_DECISION_MOST)
            return;
        if (u)
            end(e, list, u);
        if (enter(f, f->own->start, m->only) != m->only)
            return;
        u = begin(e, list, f, m->only);
        if (!u)
            return;
    }
    bool odd = m->odd != f->leaves[u->path.at].odd;
    answer(e, w, list, u, (jumped == m->jumps) != odd, m->blind);
}

/* --- exceptions ----------------------------------------------------------- */

/* The expression around the decision that `row` is a part of, + 1. */
static uint32_t
outside(const struct pt_watch *w, uint32_t row)
{
    return pt_decisions_outside(w->judged->decisions, row);
}

/* The decision that `row` is a part of, if it is followed and of this code. */
static struct pt_followed *
followed_at(const struct pt_watch *w, uint32_t row)
{
    uint32_t wanted = w->judged->decisions->parts[row].decision;
    uint32_t low = 0, high = w->ndecisions;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (w->decisions[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->ndecisions && w->decisions[low] == wanted
               ? w->judged->followed[wanted]
               : NULL;
}

/* Whether what is evaluated within `row` is the beginning of its decision: its
 * first condition, or the test of a ternary that it begins with. */
static bool
begins(const struct pt_followed *f, uint32_t row)
{
    const struct pt_part *part = &f->decisions->parts[row];
    uint16_t at = f->own->start;
    if (at < f->own->n)
        return at >= part->first && at < part->last;
    return at < PT_AT_TRUE &&
           f->decisions->choices[f->own->first_choice + at - PT_AT_CHOICE]
                   .row == row;
}

void
pt_evaluate_raise(struct pt_evaluator *e, const struct pt_watch *w,
                  struct pt_evaluating *frame, uint32_t index)
{
    frame->raised = index + 1;
    for (uint32_t row = w->inside[index]; row; row = outside(w, row - 1)) {
        struct pt_followed *f = followed_at(w, row - 1);
        if (f && !find(frame->list, f) && begins(f, row - 1))
            begin(e, &frame->list, f, f->own->start);
    }
}

/* Whether `row` is within a part of decision `f`. */
static bool
is_within(const struct pt_watch *w, uint32_t row, const struct pt_followed *f)
{
    while (row && followed_at(w, row - 1) != f)
        row = outside(w, row - 1);
    return row != 0;
}

/* What has raised is left for what lies in `to`, an expression + 1 or 0: a
 * condition that nobody asks for was not evaluated after all.  (The end of an
 * iterator is no such thing, and nor is what an `await` catches.) */
static void
leave(const struct pt_watch *w, struct pt_evaluating *frame, uint32_t to)
{
    uint32_t row = frame->raised ? w->inside[frame->raised - 1] : 0;
    for (; row; row = outside(w, row - 1)) {
        const struct pt_part *part = &w->judged->decisions->parts[row - 1];
        struct pt_followed *f = followed_at(w, row - 1);
        if (f && !find(frame->list, f) && !is_within(w, to, f) &&
            part->last == part->first + 1 && !f->leaves[part->first].asked)
            f->tries[part->first].raised++;
    }
    frame->raised = 0;
}

void
pt_evaluate_handler(struct pt_evaluator *e, const struct pt_watch *w,
                    struct pt_evaluating *frame, uint32_t index)
{
    struct pt_underway *next;
    leave(w, frame, w->inside[index]);
    for (struct pt_underway *u = frame->list; u; u = next) {
        next = u->next;
        if (!is_within(w, w->inside[index], u->followed))
            end(e, &frame->list, u);
    }
}

void
pt_evaluate_unwind(struct pt_evaluator *e, const struct pt_watch *w,
                   struct pt_evaluating *frame)
{
    leave(w, frame, 0);
    pt_evaluate_end(e, frame);
}

void
pt_evaluate_end(struct pt_evaluator *e, struct pt_evaluating *frame)
{
    while (frame->list)
        end(e, &frame->list, frame->list);
}

void
pt_evaluate_drop(struct pt_evaluator *e, struct pt_evaluating *frame)
{
    while (frame->list)
        drop(e, &frame->list, frame->list);
}
