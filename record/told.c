#include "record/told.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST = 64,
    RESTS = 1024,          /* suspended frames that are remembered */
    REST_VARIABLES = 256,  /* ... and of each so many variables */
    OBJECTS_MOST = 1 << 16 /* a power of two, as FIRST */
};

/* The record's number in the block, and the block's. */
struct spot {
    uint32_t block, record;
};

struct variable {
    uint32_t dst;
    struct spot spot;
};

/* The variables of a frame: from `first` to those of the next one. */
struct span {
    uint64_t seq; /* of the event that entered it, as the shadow has it */
    uint64_t key;
    size_t depth, first;
};

struct rest {
    uint64_t key;
    struct variable *variables;
    size_t n;
};

struct object {
    uint64_t number;
    struct spot spot;
};

struct pt_told {
    struct variable *variables;
    size_t nvariables, variables_room;
    struct span *spans;
    size_t nspans, spans_room;
    struct rest *rests;     /* by key mod RESTS; NULL until there is one */
    struct object *objects; /* by number mod nobjects */
    size_t nobjects;
    uint64_t *seqs; /* of the blocks that were written */
    size_t nseqs, seqs_room;
};

enum pt_status
pt_told_new(struct pt_told **out)
{
    struct pt_told *t = calloc(1, sizeof *t);
    if (t == NULL)
        return PT_ENOMEM;
    *out = t;
    return PT_OK;
}

static void
free_rests(struct pt_told *t)
{
    for (size_t i = 0; t->rests != NULL && i < RESTS; i++)
        free(t->rests[i].variables);
    free(t->rests);
    t->rests = NULL;
}

void
pt_told_free(struct pt_told *t)
{
    if (t == NULL)
        return;
    free_rests(t);
    free(t->variables);
    free(t->spans);
    free(t->objects);
    free(t->seqs);
    free(t);
}

void
pt_told_forget_objects(struct pt_told *t)
{
    if (t->objects != NULL)
        memset(t->objects, 0, t->nobjects * sizeof *t->objects);
}

void
pt_told_forget(struct pt_told *t)
{
    free_rests(t);
    t->nvariables = t->nspans = 0;
    pt_told_forget_objects(t);
}

/* Makes room for `need` elements in *array, which has *room. */
static bool
make_room(void **array, size_t *room, size_t need, size_t size)
{
    if (need <= *room)
        return true;
    size_t more = *room < FIRST ? FIRST : *room;
    while (more < need)
        more *= 2;
    void *grown = realloc(*array, more * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = more;
    return true;
}

static struct pt_value_place
place(const struct pt_told *t, struct spot spot)
{
    bool pending = spot.block == t->nseqs;
    return (struct pt_value_place){.known = true,
                                   .record = spot.record,
                                   .seq = pending ? UINT64_MAX
                                                  : t->seqs[spot.block]};
}

enum pt_status
pt_told_settle(struct pt_told *t, uint64_t seq)
{
    void *seqs = t->seqs;
    /* A recording of 2^32 chunks of one thread is none. */
    if (!make_room(&seqs, &t->seqs_room, t->nseqs + 1, sizeof *t->seqs))
        return PT_ENOMEM;
    t->seqs = seqs;
    t->seqs[t->nseqs++] = seq;
    for (size_t i = t->nspans; i-- > 0;) {
        struct span *s = &t->spans[i];
        if ((s->seq & PT_SEQ_PENDING) == 0 || s->seq == UINT64_MAX)
            break;
        s->seq = seq + (s->seq & ~PT_SEQ_PENDING);
    }
    return PT_OK;
}

/* --- frames --------------------------------------------------------------- */

/* The frame of the last span has ended, or is suspended: that is not told here,
 * and to remember it in vain does no harm. */
static void
leave(struct pt_told *t)
{
    const struct span s = t->spans[--t->nspans];
    size_t n = t->nvariables - s.first;
    t->nvariables = s.first;
    if (s.key == 0 || n == 0)
        return;
    if (n > REST_VARIABLES)
        n = REST_VARIABLES;
    if (t->rests == NULL)
        t->rests = calloc(RESTS, sizeof *t->rests);
    if (t->rests == NULL)
        return;
    struct rest *r = &t->rests[s.key % RESTS];
    struct variable *mine = realloc(r->variables, n * sizeof *mine);
    if (mine == NULL) {
        r->key = 0;
        return;
    }
    memcpy(mine, t->variables + s.first, n * sizeof *mine);
    *r = (struct rest){s.key, mine, n};
}

/* Adds variables to those of the innermost frame. */
static bool
add_variables(struct pt_told *t, const struct variable *from, size_t n)
{
    void *variables = t->variables;
    if (n == 0)
        return true;
    bool own = from >= t->variables && from < t->variables + t->nvariables;
    size_t at = own ? (size_t)(from - t->variables) : 0;
    if (!make_room(&variables, &t->variables_room, t->nvariables + n,
                   sizeof *t->variables))
        return false;
    t->variables = variables;
    memcpy(t->variables + t->nvariables, own ? t->variables + at : from,
           n * sizeof *from);
    t->nvariables += n;
    return true;
}

/* A frame that goes on has the variables that it had.  Where it was suspended
 * may not have been noticed yet, if another frame took its place there. */
static bool
recall(struct pt_told *t, uint64_t key)
{
    if (key == 0)
        return true;
    for (size_t i = t->nspans - 1; i-- > 0;) {
        struct span *s = &t->spans[i];
        if (s->key != key)
            continue;
        s->key = 0;
        return add_variables(t, t->variables + s->first, s[1].first - s->first);
    }
    struct rest *r = t->rests != NULL ? &t->rests[key % RESTS] : NULL;
    if (r == NULL || r->key != key)
        return true;
    r->key = 0;
    return add_variables(t, r->variables, r->n);
}

enum pt_status
pt_told_enter(struct pt_told *t, const struct pt_shadow *shadow)
{
    const struct pt_frame *f = shadow->top - shadow->top->callable;
    size_t depth = (size_t)(f - shadow->base);
    while (t->nspans > 0) {
        const struct span *s = &t->spans[t->nspans - 1];
        if (s->depth < depth)
            break;
        if (s->depth == depth && s->seq == f->seq)
            return PT_OK;
        leave(t);
    }
    void *spans = t->spans;
    if (!make_room(&spans, &t->spans_room, t->nspans + 1, sizeof *t->spans))
        return PT_ENOMEM;
    t->spans = spans;
    t->spans[t->nspans++] = (struct span){f->seq, f->key, depth, t->nvariables};
    return recall(t, f->key) ? PT_OK : PT_ENOMEM;
}

/* The variable of the innermost frame, or NULL.  Those that were asked for last
 * come first, as a module can have thousands. */
static struct variable *
find(struct pt_told *t, uint32_t dst)
{
    size_t first = t->nspans > 0 ? t->spans[t->nspans - 1].first : 0;
    for (size_t i = t->nvariables; i-- > first;) {
        struct variable *v = &t->variables[i];
        if (v->dst != dst)
            continue;
        size_t up = i + (t->nvariables - i) / 2;
        struct variable swapped = t->variables[up];
        t->variables[up] = *v;
        *v = swapped;
        return &t->variables[up];
    }
    return NULL;
}

struct pt_value_place
pt_told_variable(struct pt_told *t, uint32_t dst)
{
    const struct variable *v = find(t, dst);
    return v != NULL ? place(t, v->spot)
                     : (struct pt_value_place){.known = false};
}

enum pt_status
pt_told_set(struct pt_told *t, uint32_t dst, uint32_t record)
{
    struct variable *v = find(t, dst);
    if (v == NULL) {
        void *variables = t->variables;
        if (!make_room(&variables, &t->variables_room, t->nvariables + 1,
                       sizeof *t->variables))
            return PT_ENOMEM;
        t->variables = variables;
        v = &t->variables[t->nvariables++];
        v->dst = dst;
    }
    v->spot = (struct spot){(uint32_t)t->nseqs, record};
    return PT_OK;
}

/* --- objects -------------------------------------------------------------- */

struct pt_value_place
pt_told_object(const struct pt_told *t, uint64_t number)
{
    const struct object *o =
        t->nobjects != 0 ? &t->objects[number % t->nobjects] : NULL;
    return o != NULL && o->number == number && number != 0
               ? place(t, o->spot)
               : (struct pt_value_place){.known = false};
}

/* Twice the table, as long as that may be: numbers that met part. */
static bool
grow(struct pt_told *t)
{
    size_t n = t->nobjects != 0 ? 2 * t->nobjects : FIRST;
    if (n > OBJECTS_MOST)
        return false;
    struct object *objects = calloc(n, sizeof *objects);
    if (objects == NULL)
        return false;
    for (size_t i = 0; i < t->nobjects; i++)
        objects[t->objects[i].number % n] = t->objects[i];
    free(t->objects);
    t->objects = objects;
    t->nobjects = n;
    return true;
}

void
pt_told_set_object(struct pt_told *t, uint64_t number, uint32_t record)
{
    while (t->nobjects == 0 ||
           (t->objects[number % t->nobjects].number != number &&
            t->objects[number % t->nobjects].number != 0))
        if (!grow(t))
            break;
    if (t->nobjects == 0)
        return;
    t->objects[number % t->nobjects] =
        (struct object){number, {(uint32_t)t->nseqs, record}};
}
