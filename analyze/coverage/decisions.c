/* The rows of a syntax are trees of any depth, so that nothing here recurses:
 * parents come before their parts, which a pass in the one direction or the
 * other makes use of. */
#include "analyze/coverage/decisions.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void
pt_decisions_free(struct pt_decisions *d)
{
    if (!d)
        return;
    free(d->decisions);
    free(d->leaves);
    free(d->choices);
    free(d->parts);
    free(d->sorted);
    free(d->around);
    free(d->child);
    free(d->next);
    free(d->lines);
    free(d);
}

/* --- places --------------------------------------------------------------- */

static int
compare_places(uint32_t line, uint32_t column, uint32_t line2, uint32_t column2)
{
    if (line != line2)
        return line < line2 ? -1 : 1;
    return column < column2 ? -1 : column > column2;
}

static bool
is_placed(const struct pt_position *p)
{
    return p->line && p->column >= 0 && p->end_column >= 0;
}

bool
pt_decisions_covers(const struct pt_decisions *d, uint32_t row,
                    const struct pt_position *p)
{
    const struct pt_expression *e = &d->syntax->expressions[row];
    return is_placed(p) &&
           compare_places(e->line, e->column, p->line, (uint32_t)p->column) <=
               0 &&
           compare_places(e->end_line, e->end_column, p->end_line,
                          (uint32_t)p->end_column) >= 0;
}

bool
pt_decisions_is_at(const struct pt_decisions *d, uint32_t row,
                   const struct pt_position *p)
{
    const struct pt_expression *e = &d->syntax->expressions[row];
    return e->line == p->line && e->end_line == p->end_line && p->column >= 0 &&
           e->column == (uint32_t)p->column &&
           e->end_column == (uint32_t)p->end_column;
}

/* The number of sorted expressions that begin at the place or before it. */
static uint32_t
count_until(const struct pt_decisions *d, uint32_t line, uint32_t column)
{
    uint32_t low = 0, high = d->nsorted;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct pt_expression *e =
            &d->syntax->expressions[d->sorted[middle]];
        if (compare_places(e->line, e->column, line, column) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
pt_decisions_find(const struct pt_decisions *d, const struct pt_position *p)
{
    if (!is_placed(p))
        return 0;
    uint32_t n = count_until(d, p->line, (uint32_t)p->column);
    uint32_t row = n ? d->sorted[n - 1] + 1 : 0;
    while (row && !pt_decisions_covers(d, row - 1, p))
        row = d->around[row - 1];
    return row;
}

uint32_t
pt_decisions_outside(const struct pt_decisions *d, uint32_t row)
{
    uint32_t own = d->parts[row].decision;
    uint32_t around = d->around[d->decisions[own].root];
    return around && d->parts[around - 1].decision < own ? around : 0;
}

uint32_t
pt_decisions_behind(const struct pt_decisions *d, const struct pt_position *p)
{
    if (!is_placed(p))
        return 0;
    uint32_t n = count_until(d, p->end_line, (uint32_t)p->end_column);
    while (n < d->nsorted && d->child[d->sorted[n]])
        n++;
    return n < d->nsorted ? d->sorted[n] + 1 : 0;
}

struct place {
    uint32_t line, column, end_line, end_column, row;
};

static int
by_place(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    int order = compare_places(p->line, p->column, q->line, q->column);
    if (order == 0)
        order = compare_places(q->end_line, q->end_column, p->end_line,
                               p->end_column);
    return order ? order : p->row < q->row ? -1 : p->row > q->row;
}

/* Links of a chain overlap, and are told apart by what they compare. */
static bool
is_link(const struct pt_syntax *s, size_t row)
{
    uint32_t parent = s->expressions[row].parent;
    return parent && s->expressions[parent - 1].op == PT_EXPRESSION_CHAIN;
}

static enum pt_status
sort_places(struct pt_decisions *d)
{
    const struct pt_syntax *s = d->syntax;
    struct place *places = calloc(s->nexpressions + 1, sizeof *places);
    if (!places)
        return PT_ENOMEM;
    for (size_t i = 0; i < s->nexpressions; i++) {
        const struct pt_expression *e = &s->expressions[i];
        if (!is_link(s, i))
            places[d->nsorted++] = (struct place){
                e->line, e->column, e->end_line, e->end_column, (uint32_t)i};
    }
    qsort(places, d->nsorted, sizeof *places, by_place);
    for (uint32_t i = 0; i < d->nsorted; i++) {
        const struct place *p = &places[i];
        uint32_t outer = i ? places[i - 1].row + 1 : 0;
        struct pt_position all = {p->line, p->end_line, (int32_t)p->column,
                                  (int32_t)p->end_column};
        while (outer && !pt_decisions_covers(d, outer - 1, &all))
            outer = d->around[outer - 1];
        d->sorted[i] = p->row;
        d->around[p->row] = outer;
    }
    free(places);
    return PT_OK;
}

/* --- text ----------------------------------------------------------------- */

static enum pt_status
find_lines(struct pt_decisions *d)
{
    d->lines = calloc((size_t)d->syntax->lines + 2, sizeof *d->lines);
    if (!d->lines)
        return PT_ENOMEM;
    const char *text = d->text.data;
    size_t at = 0;
    if (d->text.len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < d->text.len && d->nlines <= d->syntax->lines) {
        d->lines[d->nlines++] = at;
        while (at < d->text.len && text[at] != '\n' && text[at] != '\r')
            at++;
        if (at + 1 < d->text.len && text[at] == '\r' && text[at + 1] == '\n')
            at++;
        at++;
    }
    return PT_OK;
}

static size_t
place_in_text(const struct pt_decisions *d, uint32_t line, uint32_t column)
{
    if (line == 0 || line > d->nlines)
        return d->text.len;
    size_t at = d->lines[line - 1] + column;
    return at < d->text.len ? at : d->text.len;
}

static struct pt_str
text_of(const struct pt_decisions *d, uint32_t row)
{
    const struct pt_expression *e = &d->syntax->expressions[row];
    size_t from = place_in_text(d, e->line, e->column);
    size_t to = place_in_text(d, e->end_line, e->end_column);
    return (struct pt_str){d->text.data ? d->text.data + from : NULL,
                           to > from ? to - from : 0};
}

/* Behind a string that begins at `at`. */
static size_t
skip_string(struct pt_str s, size_t at)
{
    char quote = s.data[at];
    size_t n =
        at + 2 < s.len && s.data[at + 1] == quote && s.data[at + 2] == quote
            ? 3
            : 1;
    for (at += n; at < s.len; at++) {
        if (s.data[at] == '\\')
            at++;
        else if (s.data[at] == quote &&
                 (n == 1 || (at + 2 < s.len && s.data[at + 1] == quote &&
                             s.data[at + 2] == quote)))
            return at + n;
    }
    return s.len;
}

static bool
is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* `is not` and `not in` are the only places for a `not` that is in no
 * brackets and no lambda, and that the condition does not begin with. */
bool
pt_decisions_says_not(const struct pt_decisions *d, uint32_t row)
{
    struct pt_str s = text_of(d, row);
    size_t depth = 0, at = 0;
    while (at < s.len) {
        char c = s.data[at];
        if (c == '#') {
            while (at < s.len && s.data[at] != '\n')
                at++;
        } else if (c == '"' || c == '\'') {
            at = skip_string(s, at);
        } else if (is_word(c)) {
            size_t begin = at;
            while (at < s.len && is_word(s.data[at]))
                at++;
            if (depth == 0 && at - begin == 3 &&
                memcmp(s.data + begin, "not", 3) == 0)
                return true;
        } else {
            depth += c == '(' || c == '[' || c == '{';
            depth -= depth && (c == ')' || c == ']' || c == '}');
            at++;
        }
    }
    return false;
}

bool
pt_decisions_says_none(const struct pt_decisions *d, uint32_t row)
{
    struct pt_str s = text_of(d, row);
    return s.len >= 7 && memcmp(s.data + s.len - 4, "None", 4) == 0 &&
           !is_word(s.data[s.len - 5]);
}

/* --- the diagram ---------------------------------------------------------- */

/* Where expressions go on, while a diagram is made: an expression + 1, or one
 * of these. */
#define GOES_TRUE UINT32_MAX
#define GOES_FALSE (UINT32_MAX - 1)

struct making {
    uint32_t *truth, *falsity; /* of each expression */
    uint32_t *entry;           /* the leaf or ternary that it begins with */
    uint16_t *at;              /* of leaves and ternaries: where that is */
};

static void
link_parts(struct pt_decisions *d)
{
    const struct pt_syntax *s = d->syntax;
    for (size_t i = s->nexpressions; i-- > 0;) {
        uint32_t parent = s->expressions[i].parent;
        if (!parent)
            continue;
        d->next[i] = d->child[parent - 1];
        d->child[parent - 1] = (uint32_t)i + 1;
    }
}

/* Where a part goes on, from where the expression it belongs to does. */
static void
go_on(const struct pt_decisions *d, struct making *m, uint32_t row)
{
    const struct pt_expression *e = &d->syntax->expressions[row];
    uint32_t next = d->next[row];
    if (!e->parent) {
        m->truth[row] = GOES_TRUE;
        m->falsity[row] = GOES_FALSE;
        return;
    }
    uint32_t parent = e->parent - 1;
    uint32_t op = d->syntax->expressions[parent].op;
    bool negates = op == PT_EXPRESSION_NOT;
    m->truth[row] = negates ? m->falsity[parent] : m->truth[parent];
    m->falsity[row] = negates ? m->truth[parent] : m->falsity[parent];
    if (next && (op == PT_EXPRESSION_AND || op == PT_EXPRESSION_CHAIN))
        m->truth[row] = next;
    else if (next && op == PT_EXPRESSION_OR)
        m->falsity[row] = next;
}

static uint16_t
resolve(const struct making *m, uint32_t to)
{
    if (to == GOES_TRUE)
        return PT_AT_TRUE;
    return to == GOES_FALSE ? PT_AT_FALSE : m->at[m->entry[to - 1]];
}

/* Numbers leaves and ternaries within their decisions, and finds out which of
 * the leaves every expression has. */
static void
number_parts(struct pt_decisions *d, struct making *m)
{
    const struct pt_syntax *s = d->syntax;
    for (uint32_t i = 0; i < s->nexpressions; i++) {
        const struct pt_expression *e = &s->expressions[i];
        struct pt_part *part = &d->parts[i];
        if (e->parent) {
            const struct pt_part *up = &d->parts[e->parent - 1];
            bool negates =
                s->expressions[e->parent - 1].op == PT_EXPRESSION_NOT;
            part->decision = up->decision;
            part->odd = up->odd ^ negates;
        } else {
            part->decision = d->n;
            d->decisions[d->n++] =
                (struct pt_decision){.root = i, .context = (uint8_t)e->context};
        }
        struct pt_decision *own = &d->decisions[part->decision];
        part->parent = e->parent;
        part->op = (uint8_t)e->op;
        part->first = own->n;
        own->n += !d->child[i];
        if (d->child[i] && e->op == PT_EXPRESSION_TERNARY)
            own->nchoices++;
        part->last = own->n;
        go_on(d, m, i);
    }
    for (uint32_t i = (uint32_t)s->nexpressions; i-- > 0;) {
        uint32_t parent = s->expressions[i].parent;
        bool stops =
            !d->child[i] || s->expressions[i].op == PT_EXPRESSION_TERNARY;
        m->entry[i] = stops ? i : m->entry[d->child[i] - 1];
        if (parent && d->parts[parent - 1].last < d->parts[i].last)
            d->parts[parent - 1].last = d->parts[i].last;
    }
}

/* Gives every decision its place among the leaves and ternaries, and these
 * their numbers. */
static void
place_parts(struct pt_decisions *d, struct making *m)
{
    const struct pt_syntax *s = d->syntax;
    for (uint32_t i = 0; i < d->n; i++) {
        struct pt_decision *own = &d->decisions[i];
        own->first = d->nleaves;
        own->first_choice = d->nchoices;
        d->nleaves += own->n;
        d->nchoices += own->nchoices;
        own->followed =
            own->n <= PT_DECISION_MOST && own->nchoices <= PT_DECISION_MOST;
        own->nchoices = 0;
    }
    for (uint32_t i = 0; i < s->nexpressions; i++) {
        const struct pt_part *part = &d->parts[i];
        struct pt_decision *own = &d->decisions[part->decision];
        const struct pt_expression *e = &s->expressions[i];
        if (!d->child[i]) {
            d->leaves[own->first + part->first] = (struct pt_leaf){
                .row = i, .constant = (uint8_t)e->flags & 3, .odd = part->odd};
            m->at[i] = (uint16_t)(part->first % PT_AT_CHOICE);
        } else if (e->op == PT_EXPRESSION_TERNARY) {
            d->choices[own->first_choice + own->nchoices] =
                (struct pt_choice_point){.row = i};
            m->at[i] = (uint16_t)(PT_AT_CHOICE + own->nchoices % PT_AT_CHOICE);
            own->nchoices++;
        }
    }
}

uint16_t
pt_decisions_step(const struct pt_decisions *d, const struct pt_decision *own,
                  uint16_t at)
{
    if (at < own->n) {
        const struct pt_leaf *leaf = &d->leaves[own->first + at];
        return leaf->constant
                   ? leaf->plain[leaf->constant == PT_EXPRESSION_TRUE]
                   : at;
    }
    if (at < PT_AT_CHOICE || at >= PT_AT_CHOICE + own->nchoices)
        return at;
    const struct pt_choice_point *c =
        &d->choices[own->first_choice + at - PT_AT_CHOICE];
    return c->fixed ? c->plain[c->fixed == PT_EXPRESSION_TRUE] : at;
}

/* Where an evaluation that comes to `at` stops to ask.  A path has no more
 * steps than there are leaves and ternaries. */
static uint16_t
pass_constants(const struct pt_decisions *d, const struct pt_decision *own,
               uint16_t at)
{
    for (uint32_t i = 0; i < own->n + own->nchoices; i++) {
        uint16_t next = pt_decisions_step(d, own, at);
        if (next == at)
            break;
        at = next;
    }
    return at;
}

static void
draw_leaf(struct pt_decisions *d, const struct making *m, uint32_t row)
{
    const struct pt_part *part = &d->parts[row];
    const struct pt_decision *own = &d->decisions[part->decision];
    struct pt_leaf *leaf = &d->leaves[own->first + part->first];
    bool last = m->truth[row] >= GOES_FALSE && m->falsity[row] >= GOES_FALSE;
    leaf->plain[1] = resolve(m, m->truth[row]);
    leaf->plain[0] = resolve(m, m->falsity[row]);
    /* The value of `a or b` is that of b, of which nobody asks more. */
    leaf->asked = !(own->context == PT_CONTEXT_VALUE && last);
}

/* The test stands right behind the ternary that it is the test of. */
static void
draw_choice(struct pt_decisions *d, const struct making *m, uint32_t row)
{
    const struct pt_syntax *s = d->syntax;
    const struct pt_part *part = &d->parts[row];
    const struct pt_decision *own = &d->decisions[part->decision];
    uint32_t number = m->at[row] - PT_AT_CHOICE;
    struct pt_choice_point *c = &d->choices[own->first_choice + number];
    uint32_t then = d->child[row], otherwise = d->next[then - 1];
    c->plain[1] = resolve(m, then);
    c->plain[0] = resolve(m, otherwise ? otherwise : then);
    if (row + 1 < s->nexpressions &&
        s->expressions[row + 1].context == PT_CONTEXT_TERNARY) {
        struct pt_decision *test = &d->decisions[d->parts[row + 1].decision];
        test->parent = part->decision + 1;
        test->choice = number;
        c->fixed = (uint8_t)s->expressions[row + 1].flags & 3;
    }
}

static void
mark(struct pt_decisions *d, const struct pt_decision *own, bool *reached,
     uint16_t at)
{
    if (at < own->n)
        reached[d->leaves[own->first + at].row] = true;
    else if (at >= PT_AT_CHOICE && at < PT_AT_CHOICE + own->nchoices)
        reached[d->choices[own->first_choice + at - PT_AT_CHOICE].row] = true;
}

/* Paths lead to later rows only, so that one pass finds what they lead to. */
static enum pt_status
reach(struct pt_decisions *d)
{
    size_t n = d->syntax->nexpressions;
    bool *reached = calloc(n + 1, sizeof *reached);
    if (!reached)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct pt_decision *own = &d->decisions[d->parts[i].decision];
        if (own->followed && own->root == i)
            mark(d, own, reached, own->plain_start);
        if (!d->child[i]) {
            struct pt_leaf *leaf = &d->leaves[own->first + d->parts[i].first];
            leaf->reached = reached[i] || !own->followed;
            for (unsigned k = 0; reached[i] && k < 2; k++)
                if (!leaf->constant ||
                    k == (leaf->constant == PT_EXPRESSION_TRUE))
                    mark(d, own, reached, leaf->plain[k]);
        }
        for (uint32_t k = 0; reached[i] && k < 2 * own->nchoices; k++) {
            const struct pt_choice_point *c =
                &d->choices[own->first_choice + k / 2];
            if (c->row == i &&
                (!c->fixed || k % 2 == (c->fixed == PT_EXPRESSION_TRUE)))
                mark(d, own, reached, c->plain[k % 2]);
        }
    }
    free(reached);
    return PT_OK;
}

/* A decision of which no line has an instruction was left out. */
static bool
is_dead(const struct pt_syntax *s, uint32_t row)
{
    const struct pt_expression *e = &s->expressions[row];
    size_t low = 0, high = s->ncode;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->code[middle].line < e->line)
            low = middle + 1;
        else
            high = middle;
    }
    return s->ncode && (low == s->ncode || s->code[low].line > e->end_line);
}

static enum pt_status
draw(struct pt_decisions *d, struct making *m)
{
    const struct pt_syntax *s = d->syntax;
    number_parts(d, m);
    place_parts(d, m);
    for (uint32_t i = 0; i < s->nexpressions; i++) {
        if (!d->child[i])
            draw_leaf(d, m, i);
        else if (s->expressions[i].op == PT_EXPRESSION_TERNARY)
            draw_choice(d, m, i);
    }
    for (uint32_t i = 0; i < d->n; i++) {
        struct pt_decision *own = &d->decisions[i];
        own->dead = is_dead(s, own->root);
        if (!own->followed)
            continue;
        own->plain_start = resolve(m, own->root + 1);
        own->start = pass_constants(d, own, own->plain_start);
        for (uint32_t k = 0; k < 2 * own->n; k++) {
            struct pt_leaf *leaf = &d->leaves[own->first + k / 2];
            leaf->next[k % 2] = pass_constants(d, own, leaf->plain[k % 2]);
        }
        for (uint32_t k = 0; k < 2 * own->nchoices; k++) {
            struct pt_choice_point *c = &d->choices[own->first_choice + k / 2];
            c->next[k % 2] = pass_constants(d, own, c->plain[k % 2]);
        }
    }
    return reach(d);
}

enum pt_status
pt_decisions_new(const struct pt_syntax *s, struct pt_str text,
                 struct pt_decisions **out)
{
    struct pt_decisions *d = calloc(1, sizeof *d);
    if (!d)
        return PT_ENOMEM;
    size_t n = s->nexpressions + 1;
    *d = (struct pt_decisions){
        .syntax = s,
        .text = text,
        .decisions = calloc(n, sizeof *d->decisions),
        .leaves = calloc(n, sizeof *d->leaves),
        .choices = calloc(n, sizeof *d->choices),
        .parts = calloc(n, sizeof *d->parts),
        .sorted = calloc(n, sizeof *d->sorted),
        .around = calloc(n, sizeof *d->around),
        .child = calloc(n, sizeof *d->child),
        .next = calloc(n, sizeof *d->next),
    };
    struct making m = {
        .truth = calloc(n, sizeof *m.truth),
        .falsity = calloc(n, sizeof *m.falsity),
        .entry = calloc(n, sizeof *m.entry),
        .at = calloc(n, sizeof *m.at),
    };
    bool made = d->decisions && d->leaves && d->choices && d->parts &&
                d->sorted && d->around && d->child && d->next && m.truth &&
                m.falsity && m.entry && m.at;
    enum pt_status st = made ? PT_OK : PT_ENOMEM;
    if (st == PT_OK)
        link_parts(d);
    if (st == PT_OK)
        st = find_lines(d);
    if (st == PT_OK)
        st = sort_places(d);
    if (st == PT_OK)
        st = draw(d, &m);
    free(m.truth);
    free(m.falsity);
    free(m.entry);
    free(m.at);
    if (st != PT_OK) {
        pt_decisions_free(d);
        return st;
    }
    *out = d;
    return PT_OK;
}
