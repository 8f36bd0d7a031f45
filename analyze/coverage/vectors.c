#include "analyze/coverage/vectors.h"

#include <stdlib.h>
#include <string.h>

/* --- counting ------------------------------------------------------------- */

static uint32_t
find_slot(const struct pt_path_count *slots, uint32_t capacity,
          struct pt_path path)
{
    uint64_t hash = path.known * 0x9e3779b97f4a7c15u ^
                    path.values * 0xc2b2ae3d27d4eb4fu ^ path.at;
    hash ^= hash >> 29;
    uint32_t i = (uint32_t)(hash * 0x9e3779b97f4a7c15u >> 32);
    for (;; i++) {
        const struct pt_path_count *s = &slots[i & (capacity - 1)];
        if (!s->count ||
            (s->path.known == path.known && s->path.values == path.values &&
             s->path.at == path.at))
            return i & (capacity - 1);
    }
}

static enum pt_status
grow(struct pt_paths *p)
{
    uint32_t capacity = p->capacity ? 2 * p->capacity : 8;
    struct pt_path_count *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < p->capacity; i++)
        if (p->slots[i].count)
            slots[find_slot(slots, capacity, p->slots[i].path)] = p->slots[i];
    free(p->slots);
    p->slots = slots;
    p->capacity = capacity;
    return PT_OK;
}

static bool
is_before(struct pt_cov_moment a, struct pt_cov_moment b)
{
    return a.trace < b.trace || (a.trace == b.trace && a.seq < b.seq);
}

enum pt_status
pt_paths_add(struct pt_paths *p, struct pt_path path, struct pt_cov_moment at)
{
    if (2 * (p->n + 1) > p->capacity) {
        enum pt_status st = grow(p);
        if (st != PT_OK)
            return st;
    }
    struct pt_path_count *s = &p->slots[find_slot(p->slots, p->capacity, path)];
    if (s->count == 0) {
        if (p->n == PT_PATHS_MOST) {
            p->more++;
            return PT_OK;
        }
        *s = (struct pt_path_count){.path = path, .first = at};
        p->n++;
    }
    if (is_before(at, s->first))
        s->first = at;
    s->count++;
    return PT_OK;
}

void
pt_paths_clear(struct pt_paths *p)
{
    free(p->slots);
    *p = (struct pt_paths){0};
}

/* --- text ----------------------------------------------------------------- */

/* Whether a path goes on from `at` to something that it has asked for, over
 * constants and ternaries. */
static bool
comes_by(const struct pt_decisions *d, const struct pt_decision *own,
         struct pt_path path, uint16_t at)
{
    for (uint32_t i = 0; i <= own->n + own->nchoices; i++) {
        uint16_t next = pt_decisions_step(d, own, at);
        if (next == at)
            break;
        at = next;
    }
    return at == path.at || (at < own->n && path.known >> at & 1);
}

/* Whether a path has been within a part. */
static bool
has_been(const struct pt_decisions *d, struct pt_path path, uint32_t row)
{
    const struct pt_part *part = &d->parts[row];
    return (path.known & pt_part_bits(part)) ||
           (path.at >= part->first && path.at < part->last);
}

/* Where a path goes on behind a ternary. */
static uint16_t
choose(const struct pt_decisions *d, const struct pt_decision *own,
       struct pt_path path, uint16_t at)
{
    const struct pt_choice_point *c =
        &d->choices[own->first_choice + at - PT_AT_CHOICE];
    uint32_t then = d->child[c->row], otherwise = d->next[then - 1];
    if (has_been(d, path, then - 1))
        return c->plain[1];
    if (otherwise && has_been(d, path, otherwise - 1))
        return c->plain[0];
    for (unsigned k = 0; k < 2; k++)
        if (comes_by(d, own, path, c->plain[k]))
            return c->plain[k];
    return path.at;
}

void
pt_path_text(const struct pt_decisions *d, const struct pt_decision *own,
             struct pt_path path, char *seen)
{
    uint16_t at = own->plain_start;
    memset(seen, '-', own->n);
    for (uint32_t i = 0; i <= own->n + own->nchoices && at != path.at; i++) {
        if (at >= PT_AT_CHOICE && at < PT_AT_CHOICE + own->nchoices) {
            uint16_t next = pt_decisions_step(d, own, at);
            at = next != at ? next : choose(d, own, path, at);
            continue;
        }
        if (at >= own->n)
            return;
        const struct pt_leaf *leaf = &d->leaves[own->first + at];
        bool truth = leaf->constant ? leaf->constant == PT_EXPRESSION_TRUE
                                    : path.values >> at & 1;
        if (!leaf->constant && !(path.known >> at & 1))
            return;
        seen[at] = truth ? 'T' : 'F';
        at = leaf->plain[truth];
    }
    if (path.at < own->n)
        seen[path.at] = '?';
}

char
pt_path_result(struct pt_path path)
{
    return path.at == PT_AT_TRUE ? 'T' : path.at == PT_AT_FALSE ? 'F' : '?';
}
