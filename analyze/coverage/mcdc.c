#include "analyze/coverage/mcdc.h"

#include <stdlib.h>
#include <string.h>

/* A decision under study; arrays are of its expressions from the root on. */
struct study {
    const struct pt_decisions *decisions;
    const struct pt_decision *own;
    uint32_t rows;
    uint8_t *can;   /* the values that each can have: bits 0, 1 */
    uint8_t *has;   /* ... that it has in a path: 0, 1, or UNKNOWN */
    uint8_t *wants; /* ... that it should have: 0, 1, or UNKNOWN */
};
enum { UNKNOWN = 2 };

/* --- what masks a condition ----------------------------------------------- */

/* The places that the diagram has: conditions, then ternaries. */
struct places {
    uint64_t leaves, choices;
};

static bool
add_place(struct places *p, uint16_t at)
{
    uint64_t *bits = at < PT_AT_CHOICE ? &p->leaves : &p->choices;
    uint64_t bit = (uint64_t)1 << (at & 63);
    bool added = !(*bits & bit);
    *bits |= bit;
    return added;
}

/* Which ways a path can take behind a ternary: bit 0 else, bit 1 then; one of
 * them where it took it. */
static unsigned
ways(const struct study *s, struct pt_path path,
     const struct pt_choice_point *choice)
{
    const struct pt_decisions *d = s->decisions;
    uint32_t then = d->child[choice->row], otherwise = d->next[then - 1];
    if (path.known & pt_part_bits(&d->parts[then - 1]))
        return 2;
    return otherwise && path.known & pt_part_bits(&d->parts[otherwise - 1]) ? 1
                                                                            : 3;
}

/* Whether a path from `at` on can end in `end`, where what is known stays. */
static bool
can_end(const struct study *s, struct pt_path path, uint16_t at, uint16_t end)
{
    const struct pt_decision *own = s->own;
    uint16_t todo[4 * PT_DECISION_MOST + 1];
    struct places seen = {0, 0};
    size_t n = 0;
    todo[n++] = at;
    while (n > 0) {
        at = todo[--n];
        if (at == end)
            return true;
        if (at >= PT_AT_TRUE || !add_place(&seen, at))
            continue;
        const uint16_t *next;
        unsigned taken = 3;
        if (at >= PT_AT_CHOICE) {
            const struct pt_choice_point *choice =
                &s->decisions->choices[own->first_choice + at - PT_AT_CHOICE];
            next = choice->next;
            taken = ways(s, path, choice);
        } else {
            next = s->decisions->leaves[own->first + at].next;
            if (path.known >> at & 1)
                taken = 1u << (path.values >> at & 1);
        }
        if (taken & 1)
            todo[n++] = next[0];
        if (taken & 2)
            todo[n++] = next[1];
    }
    return false;
}

/* Whether the path shows an outcome of condition `c`. */
static bool
shows(const struct study *s, struct pt_path path, uint32_t c)
{
    if (path.at < PT_AT_TRUE || !(path.known >> c & 1))
        return false;
    unsigned other = !(path.values >> c & 1);
    return can_end(s, path, s->decisions->leaves[s->own->first + c].next[other],
                   path.at == PT_AT_TRUE ? PT_AT_FALSE : PT_AT_TRUE);
}

/* --- pairs ---------------------------------------------------------------- */

/* Beyond these a pair is as good as another. */
enum { COMPARED_MOST = 256 };

/* Of two that show `c`, the conditions that both asked for and that differ. */
static uint64_t
difference(struct pt_path a, struct pt_path b)
{
    return (a.values ^ b.values) & a.known & b.known;
}

/* Finds the pair of which least differs. */
static bool
find_pair(const struct study *s, const struct pt_path_count *paths, uint32_t n,
          uint32_t c, uint32_t *shown, struct pt_cov_alone *alone)
{
    uint32_t count[2] = {0, 0}, best = UINT32_MAX;
    uint32_t(*by)[COMPARED_MOST] = (uint32_t(*)[COMPARED_MOST])shown;
    for (uint32_t i = 0; i < n; i++) {
        unsigned value = paths[i].path.values >> c & 1;
        if (count[value] < COMPARED_MOST && shows(s, paths[i].path, c))
            by[value][count[value]++] = i;
    }
    alone->pair[0] = count[1] ? by[1][0] : UINT32_MAX;
    alone->pair[1] = count[0] ? by[0][0] : UINT32_MAX;
    for (uint32_t i = 0; i < count[1]; i++)
        for (uint32_t k = 0; k < count[0]; k++) {
            uint64_t bits =
                difference(paths[by[1][i]].path, paths[by[0][k]].path);
            uint32_t differ = (uint32_t)__builtin_popcountll(bits);
            if (differ >= best)
                continue;
            best = differ;
            alone->pair[0] = by[1][i];
            alone->pair[1] = by[0][k];
        }
    return count[0] && count[1];
}

/* --- what is missing ------------------------------------------------------ */

static bool
is_own(const struct study *s, uint32_t i)
{
    const struct pt_part *part = &s->decisions->parts[s->own->root + i];
    return &s->decisions->decisions[part->decision] == s->own;
}

static const struct pt_leaf *
leaf_of(const struct study *s, uint32_t i)
{
    const struct pt_part *part = &s->decisions->parts[s->own->root + i];
    return &s->decisions->leaves[s->own->first + part->first];
}

/* `and`, or what has the same rule; else `or`. */
static bool
joins(uint8_t op)
{
    return op == PT_EXPRESSION_AND || op == PT_EXPRESSION_CHAIN;
}

static uint8_t
swapped(uint8_t can)
{
    return (uint8_t)((can >> 1 & 1) | (can << 1 & 2));
}

/* What an operation can be and is, from what its parts can be and are. */
static void
sum_up(struct study *s, uint32_t i)
{
    const struct pt_decisions *d = s->decisions;
    const struct pt_part *part = &d->parts[s->own->root + i];
    unsigned any = joins(part->op) ? 0 : 1; /* the value that one decides */
    uint8_t can = (uint8_t)(1 << !any), has = (uint8_t)!any;
    if (part->op == PT_EXPRESSION_TERNARY) {
        can = 0;
        has = UNKNOWN;
    }
    for (uint32_t c = d->child[s->own->root + i]; c; c = d->next[c - 1]) {
        uint32_t k = c - 1 - s->own->root;
        if (part->op == PT_EXPRESSION_NOT) {
            can = swapped(s->can[k]);
            has = s->has[k] == UNKNOWN ? UNKNOWN : !s->has[k];
        } else if (part->op == PT_EXPRESSION_TERNARY) {
            can |= s->can[k];
            has = s->has[k] == UNKNOWN ? has : s->has[k];
        } else {
            if (!(s->can[k] >> !any & 1))
                can &= (uint8_t) ~(1 << !any);
            can |= s->can[k] & (uint8_t)(1 << any);
            if (s->has[k] == any || (s->has[k] == UNKNOWN && has != any))
                has = s->has[k];
        }
    }
    s->can[i] = can;
    s->has[i] = has;
}

static void
look_at(struct study *s, struct pt_path path)
{
    for (uint32_t i = s->rows; i-- > 0;) {
        s->wants[i] = UNKNOWN;
        if (!is_own(s, i))
            continue;
        if (s->decisions->child[s->own->root + i]) {
            sum_up(s, i);
            continue;
        }
        const struct pt_leaf *leaf = leaf_of(s, i);
        uint32_t number = s->decisions->parts[s->own->root + i].first;
        s->can[i] = leaf->constant == PT_EXPRESSION_TRUE    ? 2
                    : leaf->constant == PT_EXPRESSION_FALSE ? 1
                                                            : 3;
        s->has[i] = !(path.known >> number & 1)
                        ? (leaf->constant ? leaf->constant == PT_EXPRESSION_TRUE
                                          : UNKNOWN)
                        : (uint8_t)(path.values >> number & 1);
    }
}

/* The part of an operation by which it gets the value that any one of them
 * gives it: one that has it already, else the first that can. */
static uint32_t
elect(const struct study *s, uint32_t i, uint8_t value)
{
    const struct pt_decisions *d = s->decisions;
    uint32_t first = 0;
    for (uint32_t c = d->child[s->own->root + i]; c; c = d->next[c - 1]) {
        uint32_t k = c - 1 - s->own->root;
        if (s->has[k] == value)
            return c;
        if (!first && s->can[k] >> value & 1)
            first = c;
    }
    return first;
}

/* Tells every part what it should be, from what the whole should be. */
static void
spread(struct study *s)
{
    const struct pt_decisions *d = s->decisions;
    for (uint32_t i = 0; i < s->rows; i++) {
        uint8_t value = s->wants[i];
        uint32_t c = d->child[s->own->root + i];
        if (!is_own(s, i) || value == UNKNOWN || !c)
            continue;
        uint8_t op = d->parts[s->own->root + i].op;
        if ((op == PT_EXPRESSION_OR && value == 1) ||
            (joins(op) && value == 0)) {
            c = elect(s, i, value);
            if (c)
                s->wants[c - 1 - s->own->root] = value;
            continue;
        }
        for (; c; c = d->next[c - 1])
            s->wants[c - 1 - s->own->root] =
                op == PT_EXPRESSION_NOT ? !value : value;
    }
}

/* Wants of all others that they do not mask condition `c`. */
static void
unmask(struct study *s, uint32_t c)
{
    const struct pt_decisions *d = s->decisions;
    uint32_t row = d->leaves[s->own->first + c].row;
    for (uint32_t up; (up = d->parts[row].parent) != 0; row = up - 1) {
        uint8_t op = d->parts[up - 1].op;
        if (!joins(op) && op != PT_EXPRESSION_OR)
            continue;
        for (uint32_t k = d->child[up - 1]; k; k = d->next[k - 1])
            if (k - 1 != row)
                s->wants[k - 1 - s->own->root] = joins(op);
    }
    spread(s);
}

/* The way that leads to condition `c`, else that of the path, behind a
 * ternary. */
static unsigned
turn(const struct study *s, const struct pt_choice_point *choice, uint32_t c)
{
    const struct pt_decisions *d = s->decisions;
    uint32_t then = d->child[choice->row], otherwise = d->next[then - 1];
    if (!otherwise)
        return 1;
    const struct pt_part *part = &d->parts[otherwise - 1];
    bool within = c >= part->first && c < part->last;
    bool beside = c >= d->parts[then - 1].first && c < part->first;
    return !(within ||
             (!beside && s->has[otherwise - 1 - s->own->root] != UNKNOWN));
}

/* The path of an evaluation in which `c` is `value`, all others are what is
 * wanted of them, and ternaries go the other way if `turned` has their bit;
 * false where that tells nothing. */
static bool
imagine_turned(const struct study *s, uint32_t c, unsigned value,
               uint32_t turned, struct pt_path *out)
{
    const struct pt_decision *own = s->own;
    uint16_t at = own->start;
    *out = (struct pt_path){0, 0, 0};
    while (at < PT_AT_TRUE) {
        if (at >= PT_AT_CHOICE) {
            const struct pt_choice_point *choice =
                &s->decisions->choices[own->first_choice + at - PT_AT_CHOICE];
            uint32_t other = turned >> ((at - PT_AT_CHOICE) & 31) & 1;
            at = choice->next[turn(s, choice, c) ^ other];
            continue;
        }
        const struct pt_leaf *leaf = &s->decisions->leaves[own->first + at];
        uint32_t i = leaf->row - own->root;
        if (!leaf->asked)
            return false;
        unsigned truth = at == c                  ? value
                         : s->wants[i] != UNKNOWN ? s->wants[i]
                         : s->has[i] != UNKNOWN   ? s->has[i]
                                                  : 1;
        out->known |= (uint64_t)1 << at;
        out->values |= (uint64_t)truth << at;
        at = leaf->next[truth];
    }
    out->at = at;
    return shows(s, *out, c);
}

/* ... whichever way ternaries go: all ways of a few are tried. */
enum { TURNED_MOST = 6 };

static bool
imagine(const struct study *s, uint32_t c, unsigned value, struct pt_path *out)
{
    uint32_t n =
        s->own->nchoices < TURNED_MOST ? s->own->nchoices : TURNED_MOST;
    for (uint32_t turned = 0; turned < 1u << n; turned++)
        if (imagine_turned(s, c, value, turned, out))
            return true;
    return false;
}

/* Says what would show the outcomes of `c` that were not shown, next to a path
 * that shows the other, if there is one. */
static enum pt_status
miss(struct study *s, uint32_t c, const struct pt_path_count *paths,
     struct pt_cov_alone *alone)
{
    struct pt_path path;
    alone->shown = PT_COV_ALONE_NO;
    for (unsigned value = 2; value-- > 0;) {
        uint32_t shown = alone->pair[!value], beside = alone->pair[value];
        if (shown != UINT32_MAX)
            continue;
        look_at(s, beside == UINT32_MAX ? (struct pt_path){0}
                                        : paths[beside].path);
        unmask(s, c);
        if (!imagine(s, c, value, &path)) {
            alone->shown = PT_COV_ALONE_CANNOT;
            free((char *)alone->missing);
            alone->missing = NULL;
            return PT_OK;
        }
        if (alone->missing)
            continue;
        char *text = malloc(s->own->n);
        if (!text)
            return PT_ENOMEM;
        pt_path_text(s->decisions, s->own, path, text);
        alone->missing = text;
    }
    return PT_OK;
}

static enum pt_status
study(struct study *s, const struct pt_path_count *paths, uint32_t n,
      uint32_t *shown, struct pt_cov_alone *alone)
{
    enum pt_status st = PT_OK;
    for (uint32_t c = 0; c < s->own->n && st == PT_OK; c++) {
        const struct pt_leaf *leaf = &s->decisions->leaves[s->own->first + c];
        alone[c] = (struct pt_cov_alone){.shown = PT_COV_ALONE_CANNOT};
        if (leaf->constant || !leaf->asked || !leaf->reached || s->own->dead)
            continue;
        if (find_pair(s, paths, n, c, shown, &alone[c]))
            alone[c].shown = PT_COV_ALONE_YES;
        else
            st = miss(s, c, paths, &alone[c]);
    }
    return st;
}

enum pt_status
pt_mcdc(const struct pt_decisions *decisions, const struct pt_decision *own,
        const struct pt_path_count *paths, uint32_t n,
        struct pt_cov_alone *alone)
{
    uint32_t last = decisions->leaves[own->first + own->n - 1].row;
    struct study s = {
        .decisions = decisions, .own = own, .rows = last - own->root + 1};
    s.can = calloc(s.rows, 3);
    uint32_t *shown = calloc(2 * COMPARED_MOST, sizeof *shown);
    enum pt_status st = PT_ENOMEM;
    if (s.can && shown) {
        s.has = s.can + s.rows;
        s.wants = s.has + s.rows;
        st = study(&s, paths, n, shown, alone);
    }
    free(s.can);
    free(shown);
    return st;
}
