/* The arcs that a text allows: coverage.py's PythonParser.arcs(), over the
 * tables of the syntax instead of an AST.
 *
 * Each suite is walked with the lines that lead into it, and gives the lines
 * that lead out of it; break, continue, raise and return are handed outwards
 * through the loops, tries and functions around them.  6.5 (`old`) leads them
 * through finally clauses and the lines of `with` on the way; 7.x lets them go
 * straight. */
#include "analyze/coverage/arcs.h"
#include "analyze/coverage/arcs_tree.h"
#include "analyze/coverage/lines.h"

#include <stdlib.h>

/* Python's own limit of indentation is 100. */
enum { DEPTH_LIMIT = 200 };

enum { LEAST_STARTS = 8 };

/* Lines that arcs start from. */
struct starts {
    int32_t *at;
    size_t n, capacity;
};

enum leave { LEAVE_BREAK, LEAVE_CONTINUE, LEAVE_RAISE, LEAVE_RETURN, LEAVES };
enum block_kind { BLOCK_LOOP, BLOCK_FUNCTION, BLOCK_TRY, BLOCK_WITH };

/* What is around a statement, and what was left through it. */
struct block {
    enum block_kind kind;
    int32_t line;    /* its own */
    int32_t handler; /* of a try: the first except, 0 none */
    bool final;      /* ... it has a finally */
    struct starts left[LEAVES];
    struct block *outer;
};

/* A `with` whose body is being walked. */
struct inside {
    int32_t line;
    struct inside *outer;
};

struct walk {
    const struct pt_syntax *syntax;
    const struct pt_cov_allowed *allowed;
    struct pt_source_text text;
    bool old;
    struct pt_cov_tree tree;
    struct pt_cov_arcs arcs;
    struct pt_cov_arcs entries, exits; /* of bodies of with */
    struct inside *inside;
    struct block *blocks; /* innermost first */
    unsigned depth;
    enum pt_status st; /* stays as it failed */
};

/* --- starts --------------------------------------------------------------- */

static void
start(struct walk *w, struct starts *s, int32_t line)
{
    if (w->st == PT_OK && s->n == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : LEAST_STARTS;
        int32_t *at = realloc(s->at, capacity * sizeof *at);
        if (at) {
            s->at = at;
            s->capacity = capacity;
        } else
            w->st = PT_ENOMEM;
    }
    if (w->st == PT_OK)
        s->at[s->n++] = line;
}

static void
start_all(struct walk *w, struct starts *s, const struct starts *from)
{
    for (size_t i = 0; i < from->n; i++)
        start(w, s, from->at[i]);
}

static void
clear(struct starts *s)
{
    free(s->at);
    *s = (struct starts){0};
}

static int
compare_lines(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void
unite(struct starts *s)
{
    size_t n = 0;
    if (s->n > 1)
        qsort(s->at, s->n, sizeof *s->at, compare_lines);
    for (size_t i = 0; i < s->n; i++)
        if (n == 0 || s->at[n - 1] != s->at[i])
            s->at[n++] = s->at[i];
    s->n = n;
}

/* --- arcs ----------------------------------------------------------------- */

static void
put(struct walk *w, struct pt_cov_arcs *arcs, int32_t from, int32_t to)
{
    if (w->st == PT_OK)
        w->st = pt_cov_arcs_add(
            arcs,
            &(struct pt_cov_arc){.from = from, .to = to, .possible = true});
}

static void
add(struct walk *w, int32_t from, int32_t to)
{
    put(w, &w->arcs, from, to);
    for (const struct inside *i = w->inside; i; i = i->outer)
        if (i->line == from) {
            put(w, &w->entries, from, to);
            break;
        }
}

static void
add_all(struct walk *w, const struct starts *from, int32_t to)
{
    for (size_t i = 0; i < from->n; i++)
        add(w, from->at[i], to);
}

/* --- leaving -------------------------------------------------------------- */

/* Whether the block is where they go, or hands them on itself. */
static bool
leave_block(struct walk *w, struct block *b, enum leave how,
            const struct starts *from)
{
    switch (b->kind) {
    case BLOCK_LOOP:
        if (how == LEAVE_CONTINUE)
            add_all(w, from, b->line);
        else if (how == LEAVE_BREAK)
            start_all(w, &b->left[how], from);
        return how == LEAVE_CONTINUE || how == LEAVE_BREAK;
    case BLOCK_FUNCTION:
        add_all(w, from, -b->line);
        return true;
    case BLOCK_WITH:
        add_all(w, from, b->line);
        if (how != LEAVE_RAISE)
            start_all(w, &b->left[how], from);
        return true;
    case BLOCK_TRY:
        break;
    }
    if (how == LEAVE_RAISE && b->handler)
        add_all(w, from, b->handler);
    else if (w->old && (b->final || how == LEAVE_RAISE))
        start_all(w, &b->left[how], from);
    return how == LEAVE_RAISE || (w->old && b->final);
}

static void
leave(struct walk *w, enum leave how, const struct starts *from)
{
    for (struct block *b = w->blocks; b; b = b->outer)
        if (leave_block(w, b, how, from))
            break;
}

static void
leave_from(struct walk *w, enum leave how, int32_t line)
{
    leave(w, how, &(struct starts){.at = &line, .n = 1});
}

static void
enter(struct walk *w, struct block *b)
{
    b->outer = w->blocks;
    w->blocks = b;
}

static void
clear_block(struct block *b)
{
    for (int i = 0; i < LEAVES; i++)
        clear(&b->left[i]);
}

/* --- suites and statements ------------------------------------------------ */

static void walk_statement(struct walk *w, uint32_t row, int32_t line,
                           struct starts *out);

/* `at` leads into the suite, and is what leads out of it afterwards. */
static void
walk_suite(struct walk *w, uint32_t suite, struct starts *at)
{
    if (suite == PT_COV_NO_ROW)
        return;
    if (w->depth == DEPTH_LIMIT && w->st == PT_OK)
        w->st = PT_ELIMIT;
    w->depth++;
    uint32_t row = w->tree.first[suite];
    for (; row != PT_COV_NO_ROW && w->st == PT_OK; row = w->tree.next[row]) {
        int32_t line = pt_cov_tree_line(&w->tree, w->allowed, row);
        if (!pt_cov_tree_has_code(w->syntax, line))
            continue;
        unite(at);
        add_all(w, at, line);
        at->n = 0;
        walk_statement(w, row, line, at);
    }
    w->depth--;
}

/* The same, of one line that leads into it; what leads out goes to `out`. */
static void
walk_from(struct walk *w, uint32_t suite, int32_t line, struct starts *out)
{
    struct starts at = {0};
    start(w, &at, line);
    walk_suite(w, suite, &at);
    start_all(w, out, &at);
    clear(&at);
}

/* An if, and each elif behind it, for chains of these can be long. */
static void
walk_if(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    for (;;) {
        enum pt_cov_constant known =
            w->old ? PT_COV_VARIES : pt_cov_tree_constant(&w->tree, row, false);
        uint32_t other = pt_cov_tree_suite(&w->tree, row, PT_SUITE_ELSE);
        if (known != PT_COV_FALSE)
            walk_from(w, pt_cov_tree_suite(&w->tree, row, PT_SUITE_BODY), line,
                      out);
        if (known == PT_COV_TRUE)
            return;
        row = other == PT_COV_NO_ROW ? other : w->tree.first[other];
        bool chained = row != PT_COV_NO_ROW &&
                       w->tree.next[row] == PT_COV_NO_ROW &&
                       w->syntax->statements[row].kind == PT_STATEMENT_IF;
        if (!chained) {
            walk_from(w, other, line, out);
            return;
        }
        int32_t next = pt_cov_tree_line(&w->tree, w->allowed, row);
        if (!pt_cov_tree_has_code(w->syntax, next)) {
            start(w, out, line);
            return;
        }
        add(w, line, next);
        line = next;
    }
}

static void
walk_loop(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    struct block loop = {.kind = BLOCK_LOOP, .line = line};
    struct starts at = {0};
    uint32_t other = pt_cov_tree_suite(&w->tree, row, PT_SUITE_ELSE);
    enter(w, &loop);
    walk_from(w, pt_cov_tree_suite(&w->tree, row, PT_SUITE_BODY), line, &at);
    add_all(w, &at, line);
    w->blocks = loop.outer;
    start_all(w, out, &loop.left[LEAVE_BREAK]);
    if (other != PT_COV_NO_ROW)
        walk_from(w, other, line, out);
    else if (w->syntax->statements[row].kind == PT_STATEMENT_FOR ||
             pt_cov_tree_constant(&w->tree, row, w->old) == PT_COV_VARIES)
        start(w, out, line);
    clear(&at);
    clear_block(&loop);
}

static void
walk_with_old(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    struct block with = {.kind = BLOCK_WITH, .line = line};
    struct starts at = {0};
    enter(w, &with);
    walk_from(w, pt_cov_tree_suite(&w->tree, row, PT_SUITE_BODY), line, &at);
    w->blocks = with.outer;
    add_all(w, &at, line);
    if (at.n > 0)
        start(w, out, line);
    for (int how = 0; how < LEAVES; how++)
        if (with.left[how].n > 0)
            leave_from(w, (enum leave)how, line);
    clear(&at);
    clear_block(&with);
}

static void
walk_with(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    struct inside inside = {.line = line, .outer = w->inside};
    struct starts at = {0};
    w->inside = &inside;
    walk_from(w, pt_cov_tree_suite(&w->tree, row, PT_SUITE_BODY), line, &at);
    w->inside = inside.outer;
    add_all(w, &at, line);
    for (size_t i = 0; i < at.n; i++)
        put(w, &w->exits, at.at[i], line);
    if (at.n > 0)
        start(w, out, line);
    clear(&at);
}

/* The except clauses of a try, each from its own line. */
static void
walk_handlers(struct walk *w, uint32_t row, struct starts *out)
{
    int32_t before = 0;
    uint32_t suite = w->tree.suites[row];
    for (; suite != PT_COV_NO_ROW; suite = w->tree.next_suite[suite]) {
        if (w->syntax->suites[suite].kind != PT_SUITE_EXCEPT)
            continue;
        int32_t line = pt_cov_allowed_line(
            w->allowed, (int32_t)w->syntax->suites[suite].line);
        if (w->old && before)
            add(w, before, line);
        before = line;
        walk_from(w, suite, line, out);
    }
}

static void
walk_finally(struct walk *w, uint32_t suite, struct block *try_,
             struct starts *at)
{
    bool goes_on = at->n > 0;
    for (int how = 0; how < LEAVES; how++)
        start_all(w, at, &try_->left[how]);
    walk_suite(w, suite, at);
    for (int how = 0; how < LEAVES; how++)
        if (try_->left[how].n > 0)
            leave(w, (enum leave)how, at);
    if (!goes_on)
        at->n = 0;
}

static void
walk_try(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    const struct pt_cov_tree *t = &w->tree;
    uint32_t handler = pt_cov_tree_suite(t, row, PT_SUITE_EXCEPT);
    uint32_t final = pt_cov_tree_suite(t, row, PT_SUITE_FINALLY);
    struct block try_ = {.kind = BLOCK_TRY, .line = line};
    struct starts at = {0}, handled = {0};
    if (handler != PT_COV_NO_ROW)
        try_.handler = pt_cov_allowed_line(
            w->allowed, (int32_t)w->syntax->suites[handler].line);
    try_.final = final != PT_COV_NO_ROW;
    enter(w, &try_);
    start(w, &at, line);
    walk_suite(w, pt_cov_tree_suite(t, row, PT_SUITE_BODY), &at);
    /* What except and else do passes through finally still. */
    try_.handler = 0;
    if (!try_.final)
        w->blocks = try_.outer;
    walk_handlers(w, row, &handled);
    walk_suite(w, pt_cov_tree_suite(t, row, PT_SUITE_ELSE), &at);
    start_all(w, &at, &handled);
    w->blocks = try_.outer;
    if (try_.final)
        walk_finally(w, final, &try_, &at);
    start_all(w, out, &at);
    clear(&at);
    clear(&handled);
    clear_block(&try_);
}

static void
walk_match(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    bool always = false;
    uint32_t suite = w->tree.suites[row];
    for (; suite != PT_COV_NO_ROW; suite = w->tree.next_suite[suite]) {
        const struct pt_suite *s = &w->syntax->suites[suite];
        if (s->kind != PT_SUITE_CASE)
            continue;
        int32_t next = pt_cov_allowed_line(w->allowed, (int32_t)s->line);
        add(w, line, next);
        line = next;
        walk_from(w, suite, line, out);
        /* 6.5 takes every name for one, whatever guards it. */
        if (w->old)
            always |= pt_cov_tree_names(&w->tree, suite, &w->text);
        else
            always = s->flags & PT_SUITE_IRREFUTABLE;
    }
    if (!always)
        start(w, out, line);
}

/* The lines of decorators, the definition's, and, on 3.11, the decorators'
 * once more as they are called, the last one first. */
static void
walk_definition(struct walk *w, uint32_t row, struct starts *out)
{
    const struct pt_statement *t = &w->syntax->statements[row];
    int32_t line = pt_cov_allowed_line(w->allowed, (int32_t)t->line);
    int32_t first = pt_cov_allowed_line(w->allowed, (int32_t)t->first);
    int32_t last = first;
    size_t i = pt_cov_tree_code_from(w->syntax, t->first);
    for (; t->first < t->line && i < w->syntax->ncode; i++) {
        int32_t next =
            pt_cov_allowed_line(w->allowed, (int32_t)w->syntax->code[i].line);
        if (next >= line)
            break;
        if (next == last)
            continue;
        add(w, last, next);
        if (w->old)
            add(w, next, last);
        last = next;
    }
    if (t->first < t->line) {
        add(w, last, line);
        if (w->old) {
            add(w, first, line);
            add(w, line, last);
        }
    }
    start(w, out, line);
}

/* `out` gets the lines that lead on. */
static void
walk_statement(struct walk *w, uint32_t row, int32_t line, struct starts *out)
{
    const struct pt_statement *t = &w->syntax->statements[row];
    switch (t->kind) {
    case PT_STATEMENT_BREAK:
        leave_from(w, LEAVE_BREAK, line);
        return;
    case PT_STATEMENT_CONTINUE:
        leave_from(w, LEAVE_CONTINUE, line);
        return;
    case PT_STATEMENT_RAISE:
        leave_from(w, LEAVE_RAISE, line);
        return;
    case PT_STATEMENT_RETURN:
        leave_from(w, LEAVE_RETURN, line);
        return;
    case PT_STATEMENT_DEF:
    case PT_STATEMENT_CLASS:
        walk_definition(w, row, out);
        return;
    case PT_STATEMENT_IF:
        walk_if(w, row, line, out);
        return;
    case PT_STATEMENT_FOR:
    case PT_STATEMENT_WHILE:
        walk_loop(w, row, line, out);
        return;
    case PT_STATEMENT_MATCH:
        walk_match(w, row, line, out);
        return;
    case PT_STATEMENT_WITH:
        (w->old ? walk_with_old : walk_with)(w, row, line, out);
        return;
    case PT_STATEMENT_TRY:
        /* 6.5 does not know except*. */
        if (!w->old || !(t->flags & PT_STATEMENT_STAR)) {
            walk_try(w, row, line, out);
            return;
        }
        break;
    }
    start(w, out, line);
}

/* --- code objects --------------------------------------------------------- */

static void
walk_function(struct walk *w, int32_t line, uint32_t suite)
{
    struct block function = {.kind = BLOCK_FUNCTION, .line = line};
    struct starts at = {0};
    enter(w, &function);
    if (w->old)
        start(w, &at, -line);
    walk_suite(w, suite, &at);
    leave(w, LEAVE_RETURN, &at);
    w->blocks = NULL;
    clear(&at);
}

/* A class, or the module, whose entry 6.5 counts apart. */
static void
walk_body(struct walk *w, int32_t line, uint32_t suite, bool class_)
{
    struct starts at = {0};
    if (w->old && class_)
        add(w, -line, line);
    if (w->old)
        start(w, &at, class_ ? line : -line);
    walk_suite(w, suite, &at);
    add_all(w, &at, -line);
    clear(&at);
}

static void
walk_code_objects(struct walk *w)
{
    if (w->tree.first[0] == PT_COV_NO_ROW) {
        add(w, 1, -1);
        if (w->old)
            add(w, -1, 1);
    } else
        walk_body(w, 1, 0, false);
    for (size_t i = 0; i < w->syntax->nstatements && w->st == PT_OK; i++) {
        uint32_t kind = w->syntax->statements[i].kind;
        uint32_t row = (uint32_t)i;
        uint32_t body = pt_cov_tree_suite(&w->tree, row, PT_SUITE_BODY);
        int32_t line = pt_cov_tree_line(&w->tree, w->allowed, row);
        if (kind == PT_STATEMENT_DEF)
            walk_function(w, line, body);
        else if (kind == PT_STATEMENT_CLASS)
            walk_body(w, line, body, true);
    }
}

/* --- the way out of a with ------------------------------------------------ */

/* What a `with` leads to when it is left, 0 where that is not one line. */
static int32_t
next_of_with(const struct walk *w, int32_t line)
{
    int32_t next = 0;
    size_t i = pt_cov_arcs_start(&w->arcs, line);
    for (; i < w->arcs.n && w->arcs.at[i].from == line; i++) {
        int32_t to = w->arcs.at[i].to;
        if (pt_cov_arcs_find(&w->entries, line, to))
            continue;
        if (next)
            return 0;
        next = to;
    }
    return next;
}

static void
find_withs(struct walk *w, struct pt_cov_allowed *out)
{
    pt_cov_arcs_settle(&w->arcs);
    pt_cov_arcs_settle(&w->entries);
    pt_cov_arcs_settle(&w->exits);
    if (w->exits.n == 0 || w->st != PT_OK)
        return;
    out->withs = malloc(w->exits.n * sizeof *out->withs);
    if (!out->withs)
        w->st = PT_ENOMEM;
    for (size_t i = 0; i < w->exits.n && out->withs; i++) {
        const struct pt_cov_arc *a = &w->exits.at[i];
        int32_t next = next_of_with(w, a->to);
        if (next)
            out->withs[out->nwiths++] = (struct pt_cov_with){
                .end = a->from, .with = a->to, .next = next};
    }
    if (w->st == PT_OK)
        w->st = pt_cov_arcs_straighten(out, &w->arcs);
}

/* --- all of it ------------------------------------------------------------ */

/* Of 6.5: the beginning and the end of an expression that is a code object of
 * its own. */
static void
add_callables(struct walk *w, const uint32_t *callables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t line = (int32_t)callables[i];
        if (line <= 0)
            continue;
        add(w, -line, line);
        add(w, line, -line);
    }
}

/* Arcs between the first lines of logical lines; what stays in one is none. */
static void
give(struct walk *w, struct pt_cov_allowed *out)
{
    size_t n = 0;
    for (size_t i = 0; i < w->arcs.n; i++) {
        struct pt_cov_arc a = w->arcs.at[i];
        a.from = pt_cov_allowed_line(out, a.from);
        a.to = pt_cov_allowed_line(out, a.to);
        a.possible = true;
        if (a.from != a.to)
            w->arcs.at[n++] = a;
    }
    w->arcs.n = n;
    pt_cov_arcs_settle(&w->arcs);
    out->arcs = w->arcs;
    w->arcs = (struct pt_cov_arcs){0};
}

enum pt_status
pt_cov_arcs_allow(const struct pt_syntax *s, uint32_t version,
                  struct pt_str text, const uint32_t *callables,
                  size_t ncallables, struct pt_cov_allowed *out)
{
    struct pt_cov_allowed made = {.syntax = s, .old = version < PT_COV_MODERN};
    struct walk w = {
        .syntax = s, .allowed = &made, .text = {.text = text}, .old = made.old};
    if (s->lines > INT32_MAX || s->nsuites == 0)
        return PT_ELIMIT;
    w.st = pt_cov_tree_init(&w.tree, s);
    if (w.st == PT_OK)
        walk_code_objects(&w);
    if (w.st == PT_OK && made.old)
        add_callables(&w, callables, ncallables);
    if (w.st == PT_OK)
        find_withs(&w, &made);
    if (w.st == PT_OK) {
        give(&w, &made);
        *out = made;
    } else
        pt_cov_allowed_clear(&made);
    pt_cov_arcs_clear(&w.arcs);
    pt_cov_arcs_clear(&w.entries);
    pt_cov_arcs_clear(&w.exits);
    pt_cov_tree_clear(&w.tree);
    return w.st;
}

void
pt_cov_allowed_clear(struct pt_cov_allowed *a)
{
    pt_cov_arcs_clear(&a->arcs);
    free(a->withs);
    *a = (struct pt_cov_allowed){0};
}
