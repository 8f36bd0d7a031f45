#include "format/defs.h"

#include <string.h>

/* What reading one definition needs, and its failure. */
struct reading {
    struct pt_defs *defs;
    struct pt_cbor c;
    uint32_t id;
    size_t more; /* items behind those that were always there */
    enum pt_status status;
};

static void *
take(struct reading *r, size_t n, size_t size)
{
    void *p = pt_pool_take(r->defs->pool, n, size);
    if (p == NULL)
        r->status = r->defs->pool->limited ? PT_ELIMIT : PT_ENOMEM;
    return p;
}

static uint32_t
get32(struct reading *r)
{
    return (uint32_t)pt_cbor_get_uint(&r->c, UINT32_MAX);
}

static struct pt_str *
get_strs(struct reading *r, size_t *n)
{
    size_t count = pt_cbor_get_array(&r->c);
    if (r->c.bad)
        return NULL;
    struct pt_str *s = take(r, count, sizeof *s);
    if (s == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        s[i] = pt_cbor_get_str(&r->c);
    *n = count;
    return s;
}

/* A table has at most 2 Mi entries and one for each two bytes of the file: no
 * definition takes less, and readers keep a structure for each id. */
enum { POOL_BYTES_AN_ID = 128 };

/* Makes the table reach `id`.  Ids are dense but where chunks were lost, so a
 * table beyond its limit is damage. */
static void **
table_room(struct reading *r, struct pt_table *t, uint32_t id)
{
    if (id == 0) {
        r->status = PT_EDAMAGED;
        return NULL;
    }
    if (id > t->cap) {
        if (id > r->defs->pool->limit / POOL_BYTES_AN_ID || id == UINT32_MAX) {
            r->status = PT_ELIMIT;
            return NULL;
        }
        uint64_t cap = (uint64_t)t->cap + t->cap / 2;
        if (cap < id)
            cap = id;
        if (cap < 64)
            cap = 64;
        if (cap > UINT32_MAX)
            cap = UINT32_MAX;
        void **at = pt_alloc_zero((size_t)cap, sizeof *at);
        if (at == NULL) {
            r->status = PT_ENOMEM;
            return NULL;
        }
        if (t->count != 0)
            memcpy(at, t->at, t->count * sizeof *at);
        pt_alloc_free(t->at);
        t->at = at;
        t->cap = (uint32_t)cap;
    }
    if (id > t->count)
        t->count = id;
    return &t->at[id - 1];
}

/* Enters a definition whose reading went well; an id that is there already
 * is damage. */
static void
enter(struct reading *r, struct pt_table *t, void *definition)
{
    if (r->status != PT_OK)
        return;
    if (r->c.bad) {
        r->status = PT_EDAMAGED;
        return;
    }
    void **at = table_room(r, t, r->id);
    if (at == NULL)
        return;
    if (*at != NULL)
        r->status = PT_EDAMAGED;
    else
        *at = definition;
}

/* --- the kinds ------------------------------------------------------------ */

static void
read_string(struct reading *r)
{
    struct pt_str *s = take(r, 1, sizeof *s);
    if (s == NULL)
        return;
    *s = pt_cbor_get_str(&r->c);
    enter(r, &r->defs->strings, s);
}

static void
read_interpreter(struct reading *r)
{
    struct pt_interpreter *i = take(r, 1, sizeof *i);
    if (i == NULL)
        return;
    i->hexversion = get32(r);
    i->version = pt_cbor_get_str(&r->c);
    i->soabi = pt_cbor_get_str(&r->c);
    i->executable = pt_cbor_get_str(&r->c);
    if (pt_cbor_get_array(&r->c) != 256)
        r->c.bad = true;
    for (unsigned op = 0; op < 256 && !r->c.bad; op++) {
        size_t n = pt_cbor_get_array(&r->c);
        i->opcodes[op].name = pt_cbor_get_str(&r->c);
        i->opcodes[op].flags = (uint8_t)pt_cbor_get_uint(&r->c, 255);
        i->opcodes[op].caches = (uint8_t)pt_cbor_get_uint(&r->c, 255);
        if (n < 3)
            r->c.bad = true;
        else
            pt_cbor_skip(&r->c, n - 3);
    }
    if (r->more > 0) {
        i->stdlib = pt_cbor_get_str(&r->c);
        r->more--;
    }
    enter(r, &r->defs->interpreters, i);
}

static void
read_source(struct reading *r)
{
    struct pt_source *s = take(r, 1, sizeof *s);
    if (s == NULL)
        return;
    s->file = pt_cbor_get_str(&r->c);
    s->path = pt_cbor_get_str(&r->c);
    s->text = pt_cbor_get_str(&r->c);
    s->hash = pt_cbor_get_uint(&r->c, UINT64_MAX);
    enter(r, &r->defs->sources, s);
}

static void
read_code(struct reading *r)
{
    struct pt_code *c = take(r, 1, sizeof *c);
    if (c == NULL)
        return;
    c->interpreter = get32(r);
    c->source = get32(r);
    c->file = pt_cbor_get_str(&r->c);
    c->name = pt_cbor_get_str(&r->c);
    c->qualname = pt_cbor_get_str(&r->c);
    c->firstline = get32(r);
    c->argcount = get32(r);
    c->posonly = get32(r);
    c->kwonly = get32(r);
    c->flags = get32(r);
    c->stacksize = get32(r);
    c->nlocals = get32(r);
    c->bytecode = pt_cbor_get_bytes(&r->c);
    c->linetable = pt_cbor_get_bytes(&r->c);
    c->exctable = pt_cbor_get_bytes(&r->c);
    c->names = get_strs(r, &c->nnames);
    c->locals = get_strs(r, &c->nlocalsplus);
    c->localkinds = pt_cbor_get_bytes(&r->c);
    size_t top = pt_cbor_get_array(&r->c);
    if (r->status != PT_OK || r->c.bad) {
        if (r->status == PT_OK)
            r->status = PT_EDAMAGED;
        return;
    }
    r->status =
        pt_consts_read(&r->c, r->defs->pool, top, &c->consts, &c->nconsts);
    enter(r, &r->defs->codes, c);
}

static void
read_callable(struct reading *r)
{
    struct pt_callable *c = take(r, 1, sizeof *c);
    if (c == NULL)
        return;
    c->kind = (uint8_t)pt_cbor_get_uint(&r->c, 255);
    c->module = pt_cbor_get_str(&r->c);
    c->owner = pt_cbor_get_str(&r->c);
    c->name = pt_cbor_get_str(&r->c);
    c->label = pt_cbor_get_str(&r->c);
    enter(r, &r->defs->callables, c);
}

static void
read_type(struct reading *r)
{
    struct pt_type *t = take(r, 1, sizeof *t);
    if (t == NULL)
        return;
    t->module = pt_cbor_get_str(&r->c);
    t->name = pt_cbor_get_str(&r->c);
    enter(r, &r->defs->types, t);
}

static void
read_process(struct reading *r)
{
    struct pt_process *p = take(r, 1, sizeof *p);
    if (p == NULL)
        return;
    p->parent = get32(r);
    p->interpreter = get32(r);
    p->pid = get32(r);
    p->time = pt_cbor_get_int(&r->c);
    p->executable = pt_cbor_get_str(&r->c);
    p->cwd = pt_cbor_get_str(&r->c);
    p->argv = get_strs(r, &p->argc);
    enter(r, &r->defs->processes, p);
}

static void
read_thread(struct reading *r)
{
    struct pt_thread *t = take(r, 1, sizeof *t);
    if (t == NULL)
        return;
    t->process = get32(r);
    t->tid = get32(r);
    t->time = pt_cbor_get_int(&r->c);
    t->name = pt_cbor_get_str(&r->c);
    t->carrier = 0;
    if (r->more > 0) {
        t->carrier = get32(r);
        r->more--;
    }
    enter(r, &r->defs->threads, t);
}

static void
read_process_end(struct reading *r)
{
    struct pt_process_end *e = take(r, 1, sizeof *e);
    if (e == NULL)
        return;
    e->process = r->id;
    e->ending = (uint8_t)pt_cbor_get_uint(&r->c, 255);
    int64_t value = pt_cbor_get_int(&r->c);
    if (value < INT32_MIN || value > INT32_MAX)
        r->c.bad = true;
    e->value = (int32_t)value;
    e->time = pt_cbor_get_int(&r->c);
    e->lost = pt_cbor_get_uint(&r->c, UINT64_MAX);
    enter(r, &r->defs->process_ends, e);
}

static void
read_costs(struct reading *r)
{
    struct pt_costs *c = take(r, 1, sizeof *c);
    if (c == NULL)
        return;
    *c = (struct pt_costs){.process = r->id};
    size_t n = pt_cbor_get_array(&r->c);
    for (size_t i = 0; i < n && !r->c.bad; i++) {
        if (pt_cbor_get_array(&r->c) != 3) {
            r->c.bad = true;
            return;
        }
        uint64_t kind = pt_cbor_get_uint(&r->c, PT_KIND_LIMIT - 1);
        uint32_t before = get32(r), after = get32(r);
        if (!r->c.bad) {
            c->of[kind].before = before;
            c->of[kind].after = after;
        }
    }
    enter(r, &r->defs->costs, c);
}

/* What it names may be among what damage took. */
static void
read_thread_name(struct reading *r)
{
    struct pt_str name = pt_cbor_get_str(&r->c);
    struct pt_thread *t = pt_table_get(&r->defs->threads, r->id);
    if (t != NULL && !r->c.bad)
        t->name = name;
}

static void
read_task(struct reading *r)
{
    struct pt_task *t = take(r, 1, sizeof *t);
    if (t == NULL)
        return;
    t->process = get32(r);
    t->parent = get32(r);
    t->code = get32(r);
    t->name = pt_cbor_get_str(&r->c);
    enter(r, &r->defs->tasks, t);
}

static void
read_task_name(struct reading *r)
{
    struct pt_str name = pt_cbor_get_str(&r->c);
    struct pt_task *t = pt_table_get(&r->defs->tasks, r->id);
    if (t != NULL && !r->c.bad)
        t->name = name;
}

static const struct {
    const char *name;
    size_t items;
    void (*read)(struct reading *);
} kinds[] = {
    {"string", 3, read_string},
    {"interpreter", 7, read_interpreter},
    {"source", 6, read_source},
    {"code", 21, read_code},
    {"callable", 7, read_callable},
    {"type", 4, read_type},
    {"process", 9, read_process},
    {"thread", 6, read_thread},
    {"process_end", 6, read_process_end},
    {"thread_name", 3, read_thread_name},
    {"costs", 3, read_costs},
    {"task", 6, read_task},
    {"task_name", 3, read_task_name},
};

/* A definition may have more items than this version knows: they come last
 * and are skipped.  A kind it does not know is skipped whole. */
static void
read_one(struct reading *r)
{
    size_t n = pt_cbor_get_array(&r->c);
    struct pt_str kind = pt_cbor_get_text(&r->c);
    if (r->c.bad || n < 2) {
        r->status = PT_EDAMAGED;
        return;
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (kind.len != strlen(kinds[k].name) ||
            memcmp(kind.data, kinds[k].name, kind.len) != 0)
            continue;
        r->id = get32(r);
        if (n < kinds[k].items || r->c.bad) {
            r->status = PT_EDAMAGED;
            return;
        }
        r->more = n - kinds[k].items;
        kinds[k].read(r);
        pt_cbor_skip(&r->c, r->more);
        if (r->c.bad && r->status == PT_OK)
            r->status = PT_EDAMAGED;
        return;
    }
    r->defs->unknown++;
    pt_cbor_skip(&r->c, n - 1);
    if (r->c.bad)
        r->status = PT_EDAMAGED;
}

void
pt_defs_tables_clear(struct pt_defs *d)
{
    struct pt_table *tables[] = {
        &d->strings,   &d->interpreters, &d->sources,   &d->codes,
        &d->callables, &d->types,        &d->processes, &d->process_ends,
        &d->costs,     &d->threads,      &d->tasks,
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        pt_alloc_free(tables[i]->at);
    memset(d, 0, sizeof *d);
}

enum pt_status
pt_defs_read(struct pt_defs *defs, struct pt_str item, const char **why)
{
    struct reading r = {.defs = defs, .c = pt_cbor_over(item.data, item.len)};
    defs->good = (struct pt_str){"", 0};
    defs->ngood = 0;
    size_t pairs = pt_cbor_get_map(&r.c);
    for (size_t i = 0; i < pairs && r.status == PT_OK && !r.c.bad; i++) {
        struct pt_str key = pt_cbor_get_text(&r.c);
        if (!pt_str_is(key, "defs")) {
            pt_cbor_skip(&r.c, 1);
            continue;
        }
        size_t n = pt_cbor_get_array(&r.c);
        const char *begin = (const char *)r.c.at;
        for (size_t k = 0; k < n; k++) {
            read_one(&r);
            if (r.status != PT_OK)
                break;
            defs->ngood = k + 1;
            defs->good.data = begin;
            defs->good.len = (size_t)((const char *)r.c.at - begin);
        }
    }
    if (r.status == PT_OK && (r.c.bad || r.c.at != r.c.end))
        r.status = PT_EDAMAGED;
    *why = r.status == PT_OK       ? ""
           : r.status == PT_ENOMEM ? "out of memory"
           : r.status == PT_ELIMIT ? "the definitions are beyond all limits"
                                   : "a definition is malformed";
    return r.status;
}
