/* Steps from line events, which a chunk's frames put between lines.  Of frames
 * only the code object and its line is kept: C calls have no lines, and stand
 * on no Python frame's way. */
#include "analyze/coverage/steps.h"

#include <stdlib.h>

/* Far more than any program has; a damaged trace can name any number of lines
 * of a code object. */
enum { STEPS_LIMIT = 1 << 22 };

struct frame {
    uint32_t code, line;
};
struct entry {
    uint32_t code;           /* 0: free */
    struct pt_cov_step step; /* a call is one to line 0 */
};

struct pt_steps {
    const struct pt_filter *filter;
    struct frame *frames;
    size_t depth, capacity;
    struct entry *table; /* a power of two; half of it at most in use */
    size_t size, used;
    struct entry **sorted; /* by code, once it is asked for */
};

enum pt_status
pt_steps_new(const struct pt_filter *filter, struct pt_steps **out)
{
    struct pt_steps *s = calloc(1, sizeof *s);
    if (!s)
        return PT_ENOMEM;
    s->filter = filter;
    *out = s;
    return PT_OK;
}

void
pt_steps_free(struct pt_steps *s)
{
    if (!s)
        return;
    free(s->frames);
    free(s->table);
    free(s->sorted);
    free(s);
}

static struct entry *
slot(struct entry *table, size_t size, uint32_t code, uint32_t from,
     uint32_t to)
{
    uint64_t hash = ((uint64_t)code << 32 ^ (uint64_t)from << 16 ^ to) *
                    UINT64_C(0x9e3779b97f4a7c15);
    size_t i = hash >> 32 & (size - 1);
    while (table[i].code &&
           (table[i].code != code || table[i].step.from != from ||
            table[i].step.to != to))
        i = (i + 1) & (size - 1);
    return &table[i];
}

static enum pt_status
grow(struct pt_steps *s)
{
    size_t size = s->size ? 2 * s->size : 1024;
    struct entry *table = calloc(size, sizeof *table);
    if (!table)
        return PT_ENOMEM;
    for (size_t i = 0; i < s->size; i++) {
        const struct entry *e = &s->table[i];
        if (e->code)
            *slot(table, size, e->code, e->step.from, e->step.to) = *e;
    }
    free(s->table);
    s->table = table;
    s->size = size;
    return PT_OK;
}

static enum pt_status
add(struct pt_steps *s, uint32_t code, struct pt_cov_step step)
{
    enum pt_status st = 2 * s->used >= s->size ? grow(s) : PT_OK;
    if (st != PT_OK || code == 0)
        return st;
    struct entry *e = slot(s->table, s->size, code, step.from, step.to);
    if (!e->code) {
        if (s->used == STEPS_LIMIT)
            return PT_ELIMIT;
        *e = (struct entry){code, {step.from, step.to, 0}};
        s->used++;
    }
    e->step.count += step.count;
    return PT_OK;
}

static enum pt_status
push(struct pt_steps *s, uint32_t code, uint32_t line)
{
    if (s->depth > PT_STACK_LIMIT)
        return PT_ELIMIT;
    if (s->depth == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 64;
        struct frame *frames = realloc(s->frames, capacity * sizeof *frames);
        if (!frames)
            return PT_ENOMEM;
        s->frames = frames;
        s->capacity = capacity;
    }
    s->frames[s->depth++] = (struct frame){code, line};
    return PT_OK;
}

static enum pt_status
on_event(struct pt_steps *s, const struct pt_event *e, bool counts)
{
    struct frame *top = s->depth ? &s->frames[s->depth - 1] : NULL;
    enum pt_status st = PT_OK;
    if (pt_kind_enters(e->kind)) {
        if (counts && e->kind == PT_CALL)
            st = add(s, e->id, (struct pt_cov_step){0, 0, 1});
        return st == PT_OK ? push(s, e->id, 0) : st;
    }
    if (pt_kind_leaves(e->kind))
        s->depth -= s->depth > 0;
    else if (e->kind == PT_GAP && top)
        top->line = 0;
    else if (e->kind == PT_LINE && top) {
        if (counts && e->pos)
            st = add(s, top->code, (struct pt_cov_step){top->line, e->pos, 1});
        top->line = e->pos;
    }
    return st;
}

void
pt_cov_range(const struct pt_filter *f, const struct pt_events *chunk,
             uint32_t *first, uint32_t *end)
{
    const struct pt_chunk_info *info = chunk->info;
    *first = 0;
    *end = info->events;
    if (!f || !f->ranged)
        return;
    while (*first < info->events &&
           pt_moment_before(chunk->events[*first].time, info->seq + *first,
                            f->from.time, f->from.seq))
        ++*first;
    while (*end > *first &&
           pt_moment_before(f->to.time, f->to.seq, chunk->events[*end - 1].time,
                            info->seq + *end - 1))
        --*end;
}

static enum pt_status
fold_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_steps *s = state;
    uint32_t first, end;
    enum pt_status st = PT_OK;
    pt_cov_range(s->filter, chunk, &first, &end);
    s->depth = 0;
    for (size_t i = 0; st == PT_OK && i < chunk->depth; i++)
        if (!chunk->stack[i].callable)
            st = push(s, chunk->stack[i].id, chunk->stack[i].line);
    for (uint32_t i = 0; st == PT_OK && i < end; i++)
        st = on_event(s, &chunk->events[i], i >= first);
    return st;
}

struct pt_fold
pt_steps_fold(struct pt_steps *s)
{
    return (struct pt_fold){.state = s, .chunk = fold_chunk};
}

enum pt_status
pt_steps_merge(struct pt_steps *into, const struct pt_steps *from)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; st == PT_OK && i < from->size; i++)
        if (from->table[i].code)
            st = add(into, from->table[i].code, from->table[i].step);
    return st;
}

/* --- results -------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a;
    const struct entry *y = *(struct entry *const *)b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    if (x->step.from != y->step.from)
        return x->step.from < y->step.from ? -1 : 1;
    return (x->step.to > y->step.to) - (x->step.to < y->step.to);
}

static enum pt_status
sort(struct pt_steps *s)
{
    size_t n = 0;
    if (s->sorted)
        return PT_OK;
    s->sorted = malloc((s->used + 1) * sizeof *s->sorted);
    if (!s->sorted)
        return PT_ENOMEM;
    for (size_t i = 0; i < s->size; i++)
        if (s->table[i].code)
            s->sorted[n++] = &s->table[i];
    qsort(s->sorted, n, sizeof *s->sorted, compare);
    return PT_OK;
}

enum pt_status
pt_steps_code(struct pt_steps *s, uint32_t code, struct pt_cov_step **out,
              uint32_t *n, uint64_t *calls)
{
    enum pt_status st = sort(s);
    size_t low = 0, high = s->used;
    if (st != PT_OK)
        return st;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->sorted[middle]->code < code)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < s->used && s->sorted[high]->code == code; high++)
        ;
    struct pt_cov_step *list = malloc((high - low + 1) * sizeof *list);
    if (!list)
        return PT_ENOMEM;
    *n = 0;
    *calls = 0;
    for (; low < high; low++) {
        if (s->sorted[low]->step.to == 0)
            *calls = s->sorted[low]->step.count;
        else
            list[(*n)++] = s->sorted[low]->step;
    }
    *out = list;
    return PT_OK;
}
