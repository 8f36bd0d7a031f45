/* Running to a breakpoint: what hits it, and whether it stops. */
#include "analyze/debug/state.h"

#include <stdlib.h>
#include <string.h>

enum { IN_ALL, IN_VIEW };

/* --- what is looked for ----------------------------------------------------
 */

static bool
has_id(const struct pt_breakpoint *b, uint32_t id)
{
    if (b->any)
        return true;
    for (size_t i = 0; i < b->n; i++)
        if (b->ids[i] == id)
            return true;
    return false;
}

static uint32_t
kinds_of(const struct pt_breakpoint *b)
{
    switch (b->kind) {
    case PT_BREAK_EXCEPTION:
        return 1u << PT_EXCEPTION;
    case PT_BREAK_C_CALL:
        return 1u << PT_C_CALL;
    case PT_BREAK_THREAD:
        return 1u << PT_THREAD;
    default:
        return 0;
    }
}

/* Whether an event of the log hits a catchpoint, as far as it alone tells. */
static bool
catches(const struct pt_breakpoint *b, const struct pt_event *e)
{
    if (e->kind >= PT_KIND_LIMIT || !(kinds_of(b) >> e->kind & 1))
        return false;
    if (e->kind == PT_EXCEPTION && e->arg != PT_RAISED)
        return false;
    return e->kind == PT_THREAD || has_id(b, e->id);
}

/* A search in one direction; with `until` it is to end at a chunk that lies
 * beyond that place of its thread.  The first one there can still have what
 * follows the place's event. */
struct hunt {
    struct pt_engine *engine;
    const struct pt_place *until;  /* NULL: to the end */
    const struct pt_place *change; /* of what is watched; NULL none */
    bool reverse, beyond, interrupted;
};

static bool
is_caught(void *state, const struct pt_event *event)
{
    const struct pt_engine *e = ((const struct hunt *)state)->engine;
    for (size_t i = 0; i < e->breakpoints.n; i++) {
        const struct pt_breakpoint *b = e->breakpoints.list[i];
        if (b->enabled && catches(b, event))
            return true;
    }
    return false;
}

static bool
is_over(void *state, const struct pt_chunk_info *info)
{
    struct hunt *h = state;
    h->interrupted = pt_engine_interrupted(h->engine);
    if (h->interrupted)
        return true;
    if (h->change && (h->reverse ? info->time_last < h->change->event.time
                                 : info->time_first > h->change->event.time))
        return true;
    if (!h->until)
        return false;
    if (h->reverse)
        return info->seq + info->events <= h->until->seq;
    if (info->seq <= h->until->seq)
        return false;
    bool ends = h->beyond;
    h->beyond = true;
    return ends;
}

static enum pt_status
make_search(struct pt_engine *e, struct pt_history *h, struct pt_search **out)
{
    struct pt_target *targets = NULL;
    size_t n = 0, used = 0;
    for (size_t i = 0; i < e->breakpoints.n; i++)
        n += e->breakpoints.list[i]->n;
    targets = malloc((n + 1) * sizeof *targets);
    if (!targets)
        return PT_ENOMEM;
    for (size_t i = 0; i < e->breakpoints.n; i++) {
        const struct pt_breakpoint *b = e->breakpoints.list[i];
        if (!b->enabled || b->kind != PT_BREAK_PLACE || b->n == 0)
            continue;
        memcpy(targets + used, b->targets, b->n * sizeof *targets);
        used += b->n;
    }
    enum pt_status st = pt_search_new(h, targets, used, out);
    free(targets);
    return st;
}

void
pt_engine_drop_searches(struct pt_engine *e)
{
    for (size_t i = 0; i < 2; i++) {
        pt_search_free(e->searches[i]);
        e->searches[i] = NULL;
    }
}

static uint32_t
all_kinds(const struct pt_engine *e)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < e->breakpoints.n; i++)
        if (e->breakpoints.list[i]->enabled)
            kinds |= kinds_of(e->breakpoints.list[i]);
    return kinds;
}

/* --- whether a hit stops ---------------------------------------------------
 */

static bool
is_hit(const struct pt_breakpoint *b, const struct pt_here *here)
{
    const struct pt_event *event = here->event;
    if (!b->enabled || (b->thread && b->thread != here->thread))
        return false;
    if (b->kind != PT_BREAK_PLACE)
        return !here->walked && catches(b, event);
    for (size_t i = 0; i < b->n; i++) {
        const struct pt_target *t = &b->targets[i];
        if (t->line == 0
                ? event->kind == PT_CALL && event->id == t->code
                : event->kind == PT_LINE && here->framed &&
                      here->frame.id == t->code && event->pos == t->line)
            return true;
    }
    return false;
}

/* The same exception is told again in each frame that it passes on to. */
static enum pt_status
is_passed_on(struct pt_view *v, uint64_t seq, bool *out)
{
    struct pt_here here;
    enum pt_status st = pt_history_prev(v->history, PT_GRAIN_EVENT);
    *out = false;
    if (st == PT_OK)
        st = pt_history_here(v->history, &here);
    if (st == PT_OK)
        *out = here.event->kind == PT_UNWIND;
    if (st != PT_OK && st != PT_END)
        return st;
    return pt_history_seek(v->history, seq, 0);
}

/* Where a function was called its first line is meant. */
static enum pt_status
enter_function(struct pt_engine *e, uint64_t seq)
{
    struct pt_here here;
    enum pt_status st = PT_END;
    if (pt_engine_stops(e) == PT_STOPS_LINES)
        st = pt_view_step(&e->view, PT_STOPS_LINES, true);
    if (st == PT_OK)
        st = pt_history_here(e->view.history, &here);
    if (st == PT_OK && here.framed && here.frame.seq == seq)
        return PT_OK;
    if (st != PT_OK && st != PT_END)
        return st;
    return pt_view_seek(&e->view, seq, 0);
}

/* The engine goes to where a hit is shown. */
static enum pt_status
show_hit(struct pt_engine *e, const struct pt_here *hit, bool *skip)
{
    struct pt_place raw = {
        .thread = hit->thread, .begun = true, .seq = hit->seq, .k = hit->k};
    unsigned kind = hit->event->kind;
    *skip = false;
    enum pt_status st = pt_engine_restore(e, &raw);
    if (st == PT_OK && kind == PT_EXCEPTION)
        st = is_passed_on(&e->view, raw.seq, skip);
    if (st == PT_OK && kind == PT_CALL)
        st = enter_function(e, raw.seq);
    return st == PT_OK ? pt_engine_follow(e) : st;
}

/* Counts a hit of each breakpoint; the first that stops, or NULL. */
static struct pt_breakpoint *
judge(struct pt_engine *e, const struct pt_here *hit)
{
    struct pt_breakpoint *stops = NULL;
    const struct pt_engine_hooks *hooks = &e->hooks;
    for (size_t i = 0; i < e->breakpoints.n; i++) {
        struct pt_breakpoint *b = e->breakpoints.list[i];
        if (!is_hit(b, hit))
            continue;
        if (b->condition && hooks->holds && !hooks->holds(hooks->state, e, b))
            continue;
        b->hits++;
        if (b->ignore)
            b->ignore--;
        else if (b->log && hooks->log)
            hooks->log(hooks->state, e, b);
        else if (!stops)
            stops = b;
    }
    return stops;
}

/* --- running ---------------------------------------------------------------
 */

/* Whether place 1 of a thread comes before place 2, or, in reverse, behind it.
 */
static bool
is_before(uint64_t s1, uint64_t k1, uint64_t s2, uint64_t k2, bool reverse)
{
    if (reverse)
        return s1 > s2 || (s1 == s2 && k1 > k2);
    return s1 < s2 || (s1 == s2 && k1 < k2);
}

/* Goes to where a hit is shown, if it stops there; `start` is where the motion
 * began, beyond which that has to lie.  Else the engine stands anywhere. */
static enum pt_status
try_hit(struct pt_engine *e, const struct pt_here *hit,
        const struct pt_place *start, bool reverse, struct pt_breakpoint **out)
{
    struct pt_place shown;
    bool skip;
    enum pt_status st = show_hit(e, hit, &skip);
    if (st == PT_OK)
        st = pt_engine_place(e, &shown);
    if (st != PT_OK || skip)
        return st;
    if (shown.thread != start->thread ||
        is_before(start->seq, start->k, shown.seq, shown.k, reverse))
        *out = judge(e, hit);
    return PT_OK;
}

/* Back to a hit itself, from where it was shown. */
static enum pt_status
resume_at(struct pt_history *h, const struct pt_here *hit)
{
    enum pt_status st = pt_history_seek(h, hit->seq, hit->k);
    return st == PT_OK && hit->event->kind == PT_LINE ? pt_view_settle(h) : st;
}

static enum pt_status
next_hit(struct hunt *hunt, struct pt_history *h, struct pt_search **search)
{
    struct pt_engine *e = hunt->engine;
    const struct pt_search_also also = {.kinds = all_kinds(e),
                                        .match = is_caught,
                                        .end = is_over,
                                        .state = hunt};
    enum pt_status st = *search ? PT_OK : make_search(e, h, search);
    if (st != PT_OK)
        return st;
    pt_search_also(*search, &also);
    st = pt_search_go(*search, hunt->reverse ? -1 : 1);
    if (st == PT_END)
        return hunt->interrupted ? PT_ELIMIT : PT_ENOTFOUND;
    return st;
}

/* --- what is watched -------------------------------------------------------
 */

/* Whether `a` comes before `b` in the merged order, or, in reverse, behind. */
static bool
comes_first(const struct pt_place *a, const struct pt_place *b, bool reverse)
{
    if (a->thread == b->thread)
        return is_before(a->seq, a->k, b->seq, b->k, reverse);
    if (a->event.time != b->event.time)
        return (a->event.time < b->event.time) != reverse;
    return (a->seq < b->seq) != reverse;
}

/* Where the engine's thread of a watch stands: its last event, and whether the
 * place is behind that. */
static enum pt_status
watch_from(struct pt_engine *e, uint32_t thread, uint64_t *seq, uint64_t *k)
{
    struct pt_thread_state t;
    struct pt_place p;
    enum pt_status st = pt_engine_place(e, &p);
    *seq = p.seq;
    *k = p.k;
    if (st != PT_OK || p.thread == thread)
        return st;
    for (size_t i = 0; st == PT_OK && i < e->nthreads; i++)
        if (e->threads[i] == thread) {
            st = pt_history_thread(e->all, i, &t);
            *seq = t.seq;
            *k = t.k;
        }
    return st;
}

/* The first change of anything watched, in the direction; *out is NULL where
 * there is none.  The engine stays where it is. */
static enum pt_status
find_change(struct pt_engine *e, bool reverse, struct pt_place *place,
            struct pt_breakpoint **out)
{
    struct pt_place start, at;
    uint64_t seq, k;
    *out = NULL;
    enum pt_status st = pt_engine_place(e, &start);
    for (size_t i = 0; i < e->breakpoints.n && st == PT_OK; i++) {
        struct pt_breakpoint *b = e->breakpoints.list[i];
        if (b->kind != PT_BREAK_WATCH || !b->enabled || !e->hooks.change)
            continue;
        st = watch_from(e, b->thread, &seq, &k);
        /* What happened with the event itself is behind one in reverse. */
        if (st == PT_OK && reverse && k == 0)
            st = seq-- == 0 ? PT_ENOTFOUND : PT_OK;
        if (st == PT_OK)
            st = e->hooks.change(e->hooks.state, b, reverse, seq, &seq);
        if (st == PT_ENOTFOUND) {
            st = PT_OK;
            continue;
        }
        const struct pt_place raw = {
            .thread = b->thread, .begun = true, .seq = seq};
        if (st == PT_OK)
            st = pt_engine_restore(e, &raw);
        if (st == PT_OK)
            st = pt_engine_place(e, &at);
        if (st == PT_OK && (!*out || comes_first(&at, place, reverse))) {
            *place = at;
            *out = b;
        }
        if (st == PT_OK)
            st = pt_engine_restore(e, &start);
    }
    return st;
}

/* To a change, if that stops. */
static enum pt_status
try_change(struct pt_engine *e, const struct pt_place *at,
           struct pt_breakpoint *b, struct pt_breakpoint **out)
{
    const struct pt_engine_hooks *hooks = &e->hooks;
    enum pt_status st = pt_engine_restore(e, at);
    if (st != PT_OK)
        return st;
    if (b->condition && hooks->holds && !hooks->holds(hooks->state, e, b))
        return PT_OK;
    b->hits++;
    if (b->ignore)
        b->ignore--;
    else
        *out = b;
    return PT_OK;
}

/* --- to a breakpoint -------------------------------------------------------
 */

/* To the first hit that stops before the hunt's end; *out is NULL where there
 * is none. */
static enum pt_status
run_to_hit(struct hunt *hunt, struct pt_breakpoint **out)
{
    struct pt_engine *e = hunt->engine;
    bool reverse = hunt->reverse;
    struct pt_search **search = &e->searches[hunt->until ? IN_VIEW : IN_ALL];
    struct pt_place start;
    struct pt_here hit;
    enum pt_status st = pt_engine_place(e, &start);
    while (st == PT_OK) {
        struct pt_history *h = hunt->until ? e->view.history : e->all;
        st = next_hit(hunt, h, search);
        if (st == PT_OK)
            st = pt_history_here(h, &hit);
        if (st != PT_OK)
            break;
        const struct pt_event event = *hit.event;
        hit.event = &event;
        const struct pt_place at = {
            .thread = hit.thread, .seq = hit.seq, .k = hit.k, .event = event};
        if ((hunt->until && !comes_first(&at, hunt->until, reverse)) ||
            (hunt->change && !comes_first(&at, hunt->change, reverse)))
            break;
        st = try_hit(e, &hit, &start, reverse, out);
        if (st != PT_OK || *out)
            break;
        st = resume_at(hunt->until ? e->view.history : e->all, &hit);
    }
    return st == PT_ENOTFOUND ? PT_OK : st;
}

static bool
has_places(const struct pt_engine *e)
{
    for (size_t i = 0; i < e->breakpoints.n; i++)
        if (e->breakpoints.list[i]->enabled &&
            e->breakpoints.list[i]->kind != PT_BREAK_WATCH)
            return true;
    return false;
}

enum pt_status
pt_engine_run(struct pt_engine *e, bool reverse, const struct pt_place *until,
              struct pt_breakpoint **out)
{
    struct hunt hunt = {.engine = e, .until = until, .reverse = reverse};
    struct pt_place change;
    struct pt_breakpoint *watch;
    enum pt_status st;
    *out = NULL;
    do {
        st = find_change(e, reverse, &change, &watch);
        if (st != PT_OK)
            return st;
        if (watch && until &&
            (change.thread != until->thread ||
             !comes_first(&change, until, reverse)))
            watch = NULL;
        hunt.change = watch ? &change : NULL;
        hunt.beyond = false;
        if (has_places(e))
            st = run_to_hit(&hunt, out);
        if (st == PT_OK && !*out && watch)
            st = try_change(e, &change, watch, out);
    } while (st == PT_OK && watch && !*out);
    return st;
}

static bool
is_any_hit(const struct pt_engine *e, const struct pt_here *here)
{
    for (size_t i = 0; i < e->breakpoints.n; i++)
        if (is_hit(e->breakpoints.list[i], here))
            return true;
    return false;
}

/* Between two lines there are few events: they are gone through. */
static enum pt_status
pass_events(struct pt_engine *e, const struct pt_place *from,
            const struct pt_place *to, bool reverse, struct pt_breakpoint **out)
{
    struct pt_here hit;
    enum pt_status st = pt_view_seek(&e->view, from->seq, from->k);
    while (st == PT_OK) {
        struct pt_history *h = e->view.history;
        if (pt_engine_interrupted(e))
            return PT_ELIMIT;
        st = reverse ? pt_history_prev(h, PT_GRAIN_EVENT)
                     : pt_history_next(h, PT_GRAIN_EVENT);
        if (st == PT_OK)
            st = pt_history_here(h, &hit);
        if (st != PT_OK || !is_before(hit.seq, hit.k, to->seq, to->k, reverse))
            break;
        if (!is_any_hit(e, &hit))
            continue;
        const struct pt_event event = *hit.event;
        hit.event = &event;
        st = try_hit(e, &hit, from, reverse, out);
        if (st != PT_OK || *out)
            return st;
        st = resume_at(e->view.history, &hit);
    }
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_engine_passed(struct pt_engine *e, const struct pt_place *from,
                 struct pt_breakpoint **out)
{
    struct pt_place to;
    struct pt_here here;
    *out = NULL;
    enum pt_status st = pt_engine_place(e, &to);
    if (st != PT_OK || e->breakpoints.n == 0 || !from->begun)
        return st;
    bool reverse = is_before(to.seq, to.k, from->seq, from->k, false);
    st = pass_events(e, from, &to, reverse, out);
    if (st != PT_OK || *out)
        return st;
    st = pt_engine_restore(e, &to);
    if (st == PT_OK)
        st = pt_history_here(e->view.history, &here);
    if (st != PT_OK)
        return st;
    const struct pt_event event = *here.event;
    here.event = &event;
    *out = judge(e, &here);
    return PT_OK;
}
