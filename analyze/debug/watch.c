/* watch: where the value of an expression changes.
 *
 * It can change only where a variable that it names is told anew, so that
 * nothing else is looked at.  Which names those are is found out by evaluating:
 * `a and b` is about b as long as a is true. */
#include "analyze/debug/debugger.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES = 32 }; /* whose changes are heeded */

struct pt_watch {
    unsigned number;          /* of its breakpoint */
    struct pt_expr *expr;     /* owned */
    struct pt_locals *locals; /* owned; its frame */
    struct pt_teller tellers[NAMES];
    size_t n;
};

/* --- evaluating ------------------------------------------------------------
 */

static void
note(struct pt_watch *w, const struct pt_teller *t)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->tellers[i].dst == t->dst &&
            w->tellers[i].scope.entered == t->scope.entered)
            return;
    if (w->n < NAMES)
        w->tellers[w->n++] = *t;
}

static enum pt_name_found
find_noting(void *self, struct pt_str name, const struct pt_value **value,
            char *why)
{
    struct pt_watch *w = self;
    struct pt_teller tellers[2];
    size_t n = pt_locals_tellers(w->locals, name, tellers);
    for (size_t i = 0; i < n; i++)
        note(w, &tellers[i]);
    const struct pt_expr_scope scope = pt_locals_scope(w->locals);
    return scope.find(scope.self, name, value, why);
}

/* What it is behind an event, as text; by that values are compared. */
static enum pt_status
describe(struct pt_debugger *d, struct pt_watch *w, uint64_t seq,
         struct pt_growing *out)
{
    struct pt_expr_result r = {0};
    pt_locals_at(w->locals, seq);
    struct pt_expr_scope scope = pt_locals_scope(w->locals);
    scope.find = find_noting;
    scope.self = w;
    enum pt_status st = pt_expr_eval(w->expr, &scope, &r);
    out->used = 0;
    if (st == PT_OK && r.outcome == PT_EXPR_VALUE)
        pt_value_line(out, d->trace, r.value, 0);
    else if (st == PT_OK) {
        pt_growing_text(out, "<");
        pt_growing_text(out, r.text);
        pt_growing_text(out, ">");
    }
    pt_expr_result_clear(&r);
    return st == PT_OK && out->failed ? PT_ENOMEM : st;
}

static bool
is_equal(const struct pt_growing *a, const struct pt_growing *b)
{
    return a->used == b->used &&
           (a->used == 0 || memcmp(a->data, b->data, a->used) == 0);
}

/* --- looking for a change --------------------------------------------------
 */

static struct pt_watch *
find_watch(struct pt_debugger *d, const struct pt_breakpoint *b)
{
    for (size_t i = 0; i < d->nwatches; i++)
        if (d->watches[i].number == b->number)
            return &d->watches[i];
    return NULL;
}

/* The nearest event that tells one of the variables. */
static enum pt_status
next_told(struct pt_watch *w, bool reverse, uint64_t seq, uint64_t *out)
{
    struct pt_scopes *scopes = pt_locals_scopes(w->locals);
    struct pt_scope_value v;
    bool found = false;
    for (size_t i = 0; i < w->n; i++) {
        const struct pt_teller *t = &w->tellers[i];
        enum pt_status st =
            reverse ? pt_scope_last(scopes, &t->scope, t->dst, seq, &v)
                    : pt_scope_next(scopes, &t->scope, t->dst, seq, &v);
        if (st == PT_ENOTFOUND)
            continue;
        if (st != PT_OK)
            return st;
        if (!found || (reverse ? v.seq > *out : v.seq < *out))
            *out = v.seq;
        found = true;
    }
    return found ? PT_OK : PT_ENOTFOUND;
}

enum pt_status
pt_debug_change(void *state, struct pt_breakpoint *b, bool reverse,
                uint64_t seq, uint64_t *out)
{
    struct pt_debugger *d = state;
    struct pt_watch *w = find_watch(d, b);
    struct pt_growing was = {0}, is = {0};
    uint64_t told = 0;
    if (!w)
        return PT_ENOTFOUND;
    enum pt_status st = describe(d, w, seq, &was);
    while (st == PT_OK) {
        if (pt_interrupted(NULL)) {
            st = PT_ELIMIT;
            break;
        }
        st = next_told(w, reverse, seq, &told);
        if (st == PT_OK && reverse && told == 0)
            st = PT_ENOTFOUND;
        if (st != PT_OK)
            break;
        seq = reverse ? told - 1 : told;
        st = describe(d, w, seq, &is);
        if (st == PT_OK && !is_equal(&was, &is)) {
            *out = told;
            break;
        }
    }
    pt_growing_free(&was);
    pt_growing_free(&is);
    return st;
}

bool
pt_debug_put_change(struct pt_debugger *d, const struct pt_breakpoint *b)
{
    struct pt_watch *w = find_watch(d, b);
    struct pt_growing was = {0}, is = {0};
    struct pt_place p;
    enum pt_status st = pt_engine_place(d->engine, &p);
    if (w && st == PT_OK)
        st = describe(d, w, p.seq ? p.seq - 1 : 0, &was);
    if (w && st == PT_OK)
        st = describe(d, w, p.seq, &is);
    if (w && st == PT_OK) {
        pt_out_str(d->out, pt_expr_text(w->expr));
        pt_out_text(d->out, " was ");
        pt_out_bytes(d->out, was.data, was.used);
        pt_out_text(d->out, " and is ");
        pt_out_bytes(d->out, is.data, is.used);
        pt_out_char(d->out, '\n');
    }
    pt_growing_free(&was);
    pt_growing_free(&is);
    return pt_debug_check(d, st);
}

/* --- the command -----------------------------------------------------------
 */

static struct pt_watch *
add_watch(struct pt_debugger *d)
{
    struct pt_watch *list =
        realloc(d->watches, (d->nwatches + 1) * sizeof *list);
    if (!list)
        return NULL;
    d->watches = list;
    list[d->nwatches] = (struct pt_watch){0};
    if (pt_locals_new(d->trace, &list[d->nwatches].locals) != PT_OK)
        return NULL;
    return &list[d->nwatches++];
}

bool
pt_command_watch(struct pt_debugger *d, const char *args)
{
    struct pt_growing text = {0};
    struct pt_place p;
    const char *lacks = pt_values_lacks(d->trace, PT_LEVEL_LOCALS);
    if (*args == 0)
        return pt_debug_refuse(d, "watch what?");
    if (lacks)
        return pt_debug_refuse(d, "Changes cannot be told: %s.", lacks);
    struct pt_watch *w = add_watch(d);
    if (!w)
        return pt_debug_check(d, PT_ENOMEM);
    /* Without a breakpoint it is never asked for, and released at the end. */
    if (!pt_debug_parse(d, args, &w->expr))
        return false;
    enum pt_status st = pt_engine_place(d->engine, &p);
    if (st == PT_OK)
        st = pt_locals_select(w->locals, d->engine);
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(d, "No Python frame is selected.");
    if (st == PT_OK)
        st = describe(d, w, p.seq, &text);
    if (st == PT_OK && w->n == 0) {
        pt_growing_free(&text);
        return pt_debug_refuse(d, "\"%s\" names no variable of this frame.",
                               args);
    }
    struct pt_breakpoint *b =
        st == PT_OK ? pt_breakpoint_add(pt_engine_breakpoints(d->engine),
                                        PT_BREAK_WATCH, args)
                    : NULL;
    if (b) {
        b->thread = p.thread;
        w->number = b->number;
        pt_engine_breakpoints_changed(d->engine);
        pt_out_printf(d->out, "Watchpoint %u: ", b->number);
        pt_out_str(d->out, pt_expr_text(w->expr));
        pt_out_text(d->out, " is ");
        pt_out_bytes(d->out, text.data, text.used);
        pt_out_char(d->out, '\n');
    } else if (st == PT_OK)
        st = PT_ENOMEM;
    pt_growing_free(&text);
    return pt_debug_check(d, st);
}

void
pt_debug_watches_clear(struct pt_debugger *d)
{
    for (size_t i = 0; i < d->nwatches; i++) {
        pt_expr_free(d->watches[i].expr);
        pt_locals_free(d->watches[i].locals);
    }
    free(d->watches);
}
