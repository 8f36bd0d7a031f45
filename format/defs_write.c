#include "format/defs.h"

#include <string.h>

/* Room before the pending definitions for {"defs": [ and the count. */
enum { DEFS_HEAD = 16 };

void
pt_defs_out_clear(struct pt_defs_out *d)
{
    pt_buf_clear(&d->pending);
    pt_buf_clear(&d->content);
    pt_intern_clear(&d->strings);
    pt_intern_clear(&d->interpreters);
    pt_intern_clear(&d->sources);
    pt_intern_clear(&d->codes);
    pt_intern_clear(&d->callables);
    pt_intern_clear(&d->types);
    memset(d, 0, sizeof *d);
}

/* Starts the content of a definition. */
static struct pt_buf *
begin(struct pt_defs_out *d)
{
    d->content.len = 0;
    return &d->content;
}

/* Appends [kind, id, content...], `n` items in all. */
static enum pt_status
append(struct pt_defs_out *d, const char *kind, uint32_t id, size_t n)
{
    struct pt_buf *b = &d->pending;
    if (b->len == 0) {
        static const uint8_t head[DEFS_HEAD];
        pt_buf_add(b, head, sizeof head);
    }
    pt_cbor_array(b, n);
    pt_cbor_text(b, kind);
    pt_cbor_uint(b, id);
    pt_buf_add(b, d->content.data, d->content.len);
    if (b->failed)
        return PT_ENOMEM;
    d->items++;
    return PT_OK;
}

static enum pt_status
check(const struct pt_defs_out *d)
{
    if (d->content.failed || d->pending.failed)
        return PT_ENOMEM;
    return d->content.len > PT_LIMIT_DEFINITION ? PT_ELIMIT : PT_OK;
}

/* Gives the content an id, and appends it where it is new. */
static enum pt_status
intern(struct pt_defs_out *d, const char *kind, struct pt_intern *table,
       size_t n, uint32_t *out)
{
    enum pt_status st = check(d);
    uint32_t id;
    bool fresh;
    if (st == PT_OK)
        st = pt_intern_add(table, d->content.data, d->content.len, &id, &fresh);
    if (st == PT_OK && fresh)
        st = append(d, kind, id, n);
    if (st == PT_OK)
        *out = id;
    return st;
}

/* Appends the content under an id of the caller's. */
static enum pt_status
put(struct pt_defs_out *d, const char *kind, uint32_t id, size_t n)
{
    enum pt_status st = check(d);
    return st == PT_OK ? append(d, kind, id, n) : st;
}

/* Gives the content the next number of `count`. */
static enum pt_status
number(struct pt_defs_out *d, const char *kind, uint32_t *count, size_t n,
       uint32_t *out)
{
    if (*count == UINT32_MAX - 1)
        return PT_ELIMIT;
    enum pt_status st = put(d, kind, *count + 1, n);
    if (st == PT_OK)
        *out = ++*count;
    return st;
}

static void
add_strs(struct pt_buf *b, const struct pt_str *s, size_t n)
{
    pt_cbor_array(b, n);
    for (size_t i = 0; i < n; i++)
        pt_cbor_str(b, s[i]);
}

static void
add_bytes(struct pt_buf *b, struct pt_str s)
{
    pt_cbor_bytes(b, s.data, s.len);
}

enum pt_status
pt_defs_add_string(struct pt_defs_out *d, struct pt_str s, uint32_t *id)
{
    pt_cbor_str(begin(d), s);
    return intern(d, "string", &d->strings, 3, id);
}

enum pt_status
pt_defs_add_interpreter(struct pt_defs_out *d, const struct pt_interpreter *i,
                        uint32_t *id)
{
    struct pt_buf *b = begin(d);
    pt_cbor_uint(b, i->hexversion);
    pt_cbor_str(b, i->version);
    pt_cbor_str(b, i->soabi);
    pt_cbor_str(b, i->executable);
    pt_cbor_array(b, 256);
    for (unsigned op = 0; op < 256; op++) {
        pt_cbor_array(b, 3);
        pt_cbor_str(b, i->opcodes[op].name);
        pt_cbor_uint(b, i->opcodes[op].flags);
        pt_cbor_uint(b, i->opcodes[op].caches);
    }
    pt_cbor_str(b, i->stdlib);
    return intern(d, "interpreter", &d->interpreters, 8, id);
}

enum pt_status
pt_defs_add_source(struct pt_defs_out *d, const struct pt_source *s,
                   uint32_t *id)
{
    struct pt_buf *b = begin(d);
    pt_cbor_str(b, s->file);
    pt_cbor_str(b, s->path);
    pt_cbor_str(b, s->text);
    pt_cbor_uint(b, s->hash);
    return intern(d, "source", &d->sources, 6, id);
}

/* `top` of the constants are not inside another. */
static void
encode_code(struct pt_buf *b, const struct pt_code *c, size_t top)
{
    pt_cbor_uint(b, c->interpreter);
    pt_cbor_uint(b, c->source);
    pt_cbor_str(b, c->file);
    pt_cbor_str(b, c->name);
    pt_cbor_str(b, c->qualname);
    pt_cbor_uint(b, c->firstline);
    pt_cbor_uint(b, c->argcount);
    pt_cbor_uint(b, c->posonly);
    pt_cbor_uint(b, c->kwonly);
    pt_cbor_uint(b, c->flags);
    pt_cbor_uint(b, c->stacksize);
    pt_cbor_uint(b, c->nlocals);
    add_bytes(b, c->bytecode);
    add_bytes(b, c->linetable);
    add_bytes(b, c->exctable);
    add_strs(b, c->names, c->nnames);
    add_strs(b, c->locals, c->nlocalsplus);
    add_bytes(b, c->localkinds);
    pt_cbor_array(b, top);
    pt_consts_write(b, c->consts, c->nconsts);
}

enum pt_status
pt_defs_add_code(struct pt_defs_out *d, const struct pt_code *c, uint32_t *id)
{
    size_t top;
    enum pt_status st = pt_consts_count(c->consts, c->nconsts, &top);
    if (st != PT_OK)
        return st;
    encode_code(begin(d), c, top);
    return intern(d, "code", &d->codes, 21, id);
}

enum pt_status
pt_defs_put_code(struct pt_defs_out *d, const struct pt_code *c, uint32_t id)
{
    size_t top;
    enum pt_status st = pt_consts_count(c->consts, c->nconsts, &top);
    if (st != PT_OK)
        return st;
    encode_code(begin(d), c, top);
    return put(d, "code", id, 21);
}

static void
encode_callable(struct pt_buf *b, const struct pt_callable *c)
{
    pt_cbor_uint(b, c->kind);
    pt_cbor_str(b, c->module);
    pt_cbor_str(b, c->owner);
    pt_cbor_str(b, c->name);
    pt_cbor_str(b, c->label);
}

enum pt_status
pt_defs_add_callable(struct pt_defs_out *d, const struct pt_callable *c,
                     uint32_t *id)
{
    encode_callable(begin(d), c);
    return intern(d, "callable", &d->callables, 7, id);
}

enum pt_status
pt_defs_put_callable(struct pt_defs_out *d, const struct pt_callable *c,
                     uint32_t id)
{
    encode_callable(begin(d), c);
    return put(d, "callable", id, 7);
}

static void
encode_type(struct pt_buf *b, const struct pt_type *t)
{
    pt_cbor_str(b, t->module);
    pt_cbor_str(b, t->name);
}

enum pt_status
pt_defs_add_type(struct pt_defs_out *d, const struct pt_type *t, uint32_t *id)
{
    encode_type(begin(d), t);
    return intern(d, "type", &d->types, 4, id);
}

enum pt_status
pt_defs_put_type(struct pt_defs_out *d, const struct pt_type *t, uint32_t id)
{
    encode_type(begin(d), t);
    return put(d, "type", id, 4);
}

static void
encode_process(struct pt_buf *b, const struct pt_process *p)
{
    pt_cbor_uint(b, p->parent);
    pt_cbor_uint(b, p->interpreter);
    pt_cbor_uint(b, p->pid);
    pt_cbor_int(b, p->time);
    pt_cbor_str(b, p->executable);
    pt_cbor_str(b, p->cwd);
    add_strs(b, p->argv, p->argc);
}

enum pt_status
pt_defs_add_process(struct pt_defs_out *d, const struct pt_process *p,
                    uint32_t *id)
{
    encode_process(begin(d), p);
    return number(d, "process", &d->processes, 9, id);
}

enum pt_status
pt_defs_put_process(struct pt_defs_out *d, const struct pt_process *p,
                    uint32_t id)
{
    encode_process(begin(d), p);
    return put(d, "process", id, 9);
}

static void
encode_thread(struct pt_buf *b, const struct pt_thread *t)
{
    pt_cbor_uint(b, t->process);
    pt_cbor_uint(b, t->tid);
    pt_cbor_int(b, t->time);
    pt_cbor_str(b, t->name);
    if (t->carrier != 0)
        pt_cbor_uint(b, t->carrier);
}

static size_t
thread_items(const struct pt_thread *t)
{
    return t->carrier != 0 ? 7 : 6;
}

enum pt_status
pt_defs_add_thread(struct pt_defs_out *d, const struct pt_thread *t,
                   uint32_t *id)
{
    encode_thread(begin(d), t);
    return number(d, "thread", &d->threads, thread_items(t), id);
}

enum pt_status
pt_defs_put_thread(struct pt_defs_out *d, const struct pt_thread *t,
                   uint32_t id)
{
    encode_thread(begin(d), t);
    return put(d, "thread", id, thread_items(t));
}

enum pt_status
pt_defs_add_process_end(struct pt_defs_out *d, const struct pt_process_end *e)
{
    if (e->process == 0 || e->process > d->processes)
        return PT_EUSAGE;
    struct pt_buf *b = begin(d);
    pt_cbor_uint(b, e->ending);
    pt_cbor_int(b, e->value);
    pt_cbor_int(b, e->time);
    pt_cbor_uint(b, e->lost);
    return put(d, "process_end", e->process, 6);
}

enum pt_status
pt_defs_add_costs(struct pt_defs_out *d, const struct pt_costs *c)
{
    if (c->process == 0 || c->process > d->processes)
        return PT_EUSAGE;
    struct pt_buf *b = begin(d);
    size_t known = 0;
    for (unsigned kind = 0; kind < PT_KIND_LIMIT; kind++)
        known += c->of[kind].before != 0 || c->of[kind].after != 0;
    pt_cbor_array(b, known);
    for (unsigned kind = 0; kind < PT_KIND_LIMIT; kind++) {
        if (c->of[kind].before == 0 && c->of[kind].after == 0)
            continue;
        pt_cbor_array(b, 3);
        pt_cbor_uint(b, kind);
        pt_cbor_uint(b, c->of[kind].before);
        pt_cbor_uint(b, c->of[kind].after);
    }
    return put(d, "costs", c->process, 3);
}

enum pt_status
pt_defs_add_thread_name(struct pt_defs_out *d, uint32_t thread,
                        struct pt_str name)
{
    if (thread == 0 || thread > d->threads)
        return PT_EUSAGE;
    pt_cbor_str(begin(d), name);
    return put(d, "thread_name", thread, 3);
}

static void
encode_task(struct pt_buf *b, const struct pt_task *t)
{
    pt_cbor_uint(b, t->process);
    pt_cbor_uint(b, t->parent);
    pt_cbor_uint(b, t->code);
    pt_cbor_str(b, t->name);
}

enum pt_status
pt_defs_add_task(struct pt_defs_out *d, const struct pt_task *t, uint32_t *id)
{
    encode_task(begin(d), t);
    return number(d, "task", &d->tasks, 6, id);
}

enum pt_status
pt_defs_put_task(struct pt_defs_out *d, const struct pt_task *t, uint32_t id)
{
    encode_task(begin(d), t);
    return put(d, "task", id, 6);
}

enum pt_status
pt_defs_add_task_name(struct pt_defs_out *d, uint32_t task, struct pt_str name)
{
    if (task == 0 || task > d->tasks)
        return PT_EUSAGE;
    pt_cbor_str(begin(d), name);
    return put(d, "task_name", task, 3);
}

struct pt_str
pt_defs_item(struct pt_defs_out *d)
{
    if (d->items == 0)
        return (struct pt_str){"", 0};
    /* The head's length depends on the count, so it is put against the end
     * of the room kept for it. */
    struct pt_buf *b = &d->content;
    b->len = 0;
    pt_cbor_map(b, 1);
    pt_cbor_text(b, "defs");
    pt_cbor_array(b, d->items);
    if (b->failed)
        return (struct pt_str){NULL, 0};
    uint8_t *at = d->pending.data + DEFS_HEAD - b->len;
    memcpy(at, b->data, b->len);
    return (struct pt_str){(const char *)at,
                           d->pending.len - DEFS_HEAD + b->len};
}

void
pt_defs_sent(struct pt_defs_out *d)
{
    d->items = 0;
    d->pending.len = 0;
    /* One huge source must not hold its memory for the whole recording. */
    if (d->pending.cap > 8u << 20)
        pt_buf_clear(&d->pending);
    if (d->content.cap > 8u << 20)
        pt_buf_clear(&d->content);
}
