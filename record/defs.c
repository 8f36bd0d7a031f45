#include "record/defs.h"
#include "record/costs.h"
#include "record/fields.h"
#include "record/problem.h"

#include <stdlib.h>

enum {
    FIRST_BYTES = 1 << 16,
    KEEP_BYTES = 1 << 22, /* a larger buffer is given back */
    HEAD_BYTES = 12,      /* length, type, local id */
    CONST_BYTES = 36,     /* the shortest constant */
};

void
pt_defs_init(struct pt_defs *defs, uint32_t pid, uint32_t parent,
             int64_t joined, struct pt_notes *notes, const char *command)
{
    *defs = (struct pt_defs){
        .pid = pid, .parent = parent, .joined = joined, .notes = notes};
    pt_sources_init(&defs->sources, command);
}

void
pt_defs_clear(struct pt_defs *defs)
{
    free(defs->bytes);
    free(defs->codes.to);
    free(defs->callables.to);
    free(defs->types.to);
    free(defs->tasks.to);
    pt_sources_clear(&defs->sources);
    *defs = (struct pt_defs){0};
}

static enum pt_status
copy_ids(struct pt_idmap *out, const struct pt_idmap *from, uint32_t known)
{
    uint32_t n = known < from->limit ? known + 1 : from->limit;
    if (n == 0)
        return PT_OK;
    out->to = malloc(n * sizeof *out->to);
    if (out->to == NULL)
        return PT_ENOMEM;
    memcpy(out->to, from->to, n * sizeof *out->to);
    out->limit = n;
    return PT_OK;
}

enum pt_status
pt_defs_inherit(struct pt_defs *defs, uint32_t interpreter,
                const struct pt_idmap ids[PT_KNOWN],
                const uint32_t known[PT_KNOWN])
{
    struct pt_idmap *const own[PT_KNOWN] = {[PT_KNOWN_CODES] = &defs->codes,
                                            [PT_KNOWN_CALLABLES] =
                                                &defs->callables,
                                            [PT_KNOWN_TYPES] = &defs->types};
    enum pt_status st = PT_OK;
    for (int k = 0; k < PT_KNOWN && st == PT_OK; k++)
        st = copy_ids(own[k], &ids[k], known[k]);
    defs->interpreter = defs->sources.interpreter = interpreter;
    return st;
}

void
pt_defs_take_ids(struct pt_defs *defs, struct pt_idmap out[PT_KNOWN])
{
    out[PT_KNOWN_CODES] = defs->codes;
    out[PT_KNOWN_CALLABLES] = defs->callables;
    out[PT_KNOWN_TYPES] = defs->types;
    defs->codes = defs->callables = defs->types = (struct pt_idmap){0};
}

static enum pt_status
broken(struct pt_error *error, const char *what, uint32_t value)
{
    return pt_problem_set(error, PT_EDAMAGED, 0, "%s (%u)", what, value);
}

static enum pt_status
map_id(struct pt_idmap *map, uint32_t local, uint32_t id,
       struct pt_error *error)
{
    if (local == 0 || local >= PT_LOCAL_IDS)
        return broken(error, "a local id out of range", local);
    if (pt_idmap_find(map, local) != 0)
        return broken(error, "a definition told twice", local);
    if (local >= map->limit) {
        uint32_t limit = map->limit == 0 ? 256 : map->limit;
        while (limit <= local)
            limit *= 2;
        uint32_t *more = realloc(map->to, limit * sizeof *more);
        if (more == NULL)
            return PT_ENOMEM;
        memset(more + map->limit, 0, (limit - map->limit) * sizeof *more);
        map->to = more;
        map->limit = limit;
    }
    map->to[local] = id;
    return PT_OK;
}

static enum pt_status
take_interpreter(struct pt_defs *defs, struct pt_writer *writer,
                 struct pt_fields *b, struct pt_error *error)
{
    struct pt_interpreter *in = calloc(1, sizeof *in);
    if (in == NULL)
        return PT_ENOMEM;
    in->hexversion = pt_fields_u32(b);
    in->version = pt_fields_str(b);
    in->soabi = pt_fields_str(b);
    in->executable = pt_fields_str(b);
    for (int i = 0; i < 256; i++) {
        in->opcodes[i].name = pt_fields_str(b);
        in->opcodes[i].flags = (uint8_t)pt_fields_u32(b);
        in->opcodes[i].caches = (uint8_t)pt_fields_u32(b);
    }
    in->stdlib = pt_fields_str(b);
    enum pt_status st =
        b->bad ? broken(error, "a torn interpreter", in->hexversion)
               : pt_writer_interpreter(writer, in, &defs->interpreter);
    if (st == PT_OK)
        pt_syntaxer_interpreter(defs->sources.syntaxer, defs->interpreter, in);
    defs->sources.interpreter = defs->interpreter;
    free(in);
    return st;
}

static void
keep_name(struct pt_defs *defs, struct pt_str executable)
{
    const char *name = executable.data;
    size_t len = executable.len;
    for (size_t i = 0; i < executable.len; i++) {
        if (executable.data[i] == '/') {
            name = executable.data + i + 1;
            len = executable.len - i - 1;
        }
    }
    pt_problem_clean(defs->name, sizeof defs->name, name, len);
}

static enum pt_status
take_process(struct pt_defs *defs, struct pt_writer *writer,
             struct pt_fields *b, struct pt_error *error)
{
    if (defs->interpreter == 0 || defs->process != 0)
        return broken(error, "a process out of order", defs->pid);
    struct pt_process process = {
        .parent = defs->parent,
        .interpreter = defs->interpreter,
        .pid = defs->pid,
        .time = defs->joined,
    };
    process.cwd = pt_fields_str(b);
    process.executable = pt_fields_str(b);
    process.argc = pt_fields_count(b, sizeof(uint32_t));
    struct pt_str *argv = calloc(process.argc + 1, sizeof *argv);
    if (argv == NULL)
        return PT_ENOMEM;
    for (size_t i = 0; i < process.argc; i++)
        argv[i] = pt_fields_str(b);
    process.argv = argv;
    keep_name(defs, process.executable);
    enum pt_status st = b->bad ? broken(error, "a torn process", defs->pid)
                               : pt_sources_cwd(&defs->sources, process.cwd);
    if (st == PT_OK)
        st = pt_writer_process(writer, &process, &defs->process);
    free(argv);
    return st;
}

static struct pt_str *
take_strings(struct pt_fields *b, size_t *count)
{
    *count = pt_fields_count(b, sizeof(uint32_t));
    struct pt_str *s = calloc(*count + 1, sizeof *s);
    for (size_t i = 0; s != NULL && i < *count; i++)
        s[i] = pt_fields_str(b);
    return s;
}

/* Constants name code objects by local id, which must be known by then. */
static enum pt_status
take_consts(struct pt_defs *defs, struct pt_fields *b, struct pt_const **out,
            size_t *count, struct pt_error *error)
{
    *count = pt_fields_count(b, CONST_BYTES);
    struct pt_const *c = calloc(*count + 1, sizeof *c);
    if (c == NULL)
        return PT_ENOMEM;
    *out = c;
    for (size_t i = 0; i < *count; i++, c++) {
        uint32_t kind = pt_fields_u32(b);
        if (kind > PT_CONST_OTHER)
            return broken(error, "no such kind of constant", kind);
        c->kind = (uint8_t)kind;
        c->n = pt_fields_u32(b);
        uint64_t bits = pt_fields_u64(b);
        memcpy(&c->i, &bits, sizeof c->i);
        bits = pt_fields_u64(b);
        memcpy(&c->f, &bits, sizeof c->f);
        bits = pt_fields_u64(b);
        memcpy(&c->g, &bits, sizeof c->g);
        c->s = pt_fields_str(b);
        if (kind == PT_CONST_CODE && c->n == 0) {
            /* The recorder could not describe it, and says so by a 0. */
            c->kind = PT_CONST_OTHER;
            c->s = (struct pt_str){"code", 4};
        } else if (kind == PT_CONST_CODE) {
            uint32_t id = pt_idmap_find(&defs->codes, c->n);
            if (id == 0)
                return broken(error,
                              "a constant that is an undefined code "
                              "object",
                              c->n);
            c->n = id;
        }
    }
    return PT_OK;
}

static enum pt_status
take_code(struct pt_defs *defs, struct pt_writer *writer, uint32_t local,
          struct pt_fields *b, struct pt_error *error)
{
    if (defs->interpreter == 0)
        return broken(error, "code before its interpreter", local);
    struct pt_code code = {.interpreter = defs->interpreter};
    code.file = pt_fields_str(b);
    code.name = pt_fields_str(b);
    code.qualname = pt_fields_str(b);
    uint32_t *const numbers[] = {
        &code.firstline, &code.argcount,  &code.posonly, &code.kwonly,
        &code.flags,     &code.stacksize, &code.nlocals};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = pt_fields_u32(b);
    code.bytecode = pt_fields_str(b);
    code.linetable = pt_fields_str(b);
    code.exctable = pt_fields_str(b);
    struct pt_str *names = take_strings(b, &code.nnames);
    struct pt_str *locals = take_strings(b, &code.nlocalsplus);
    code.localkinds = pt_fields_str(b);
    code.names = names;
    code.locals = locals;

    struct pt_const *consts = NULL;
    enum pt_status st = names == NULL || locals == NULL ? PT_ENOMEM : PT_OK;
    if (st == PT_OK)
        st = take_consts(defs, b, &consts, &code.nconsts, error);
    code.consts = consts;
    if (st == PT_OK && b->bad)
        st = broken(error, "a torn code object", local);
    uint32_t id = 0;
    if (st == PT_OK)
        st = pt_sources_find(&defs->sources, writer, code.file, code.name,
                             &code.source);
    if (st == PT_OK)
        st = pt_writer_code(writer, &code, &id);
    if (st == PT_OK)
        st = map_id(&defs->codes, local, id, error);
    free(names);
    free(locals);
    free(consts);
    return st;
}

static enum pt_status
take_callable(struct pt_defs *defs, struct pt_writer *writer, uint32_t local,
              struct pt_fields *b, struct pt_error *error)
{
    uint32_t kind = pt_fields_u32(b), id;
    struct pt_callable callable = {.kind = (uint8_t)kind};
    callable.module = pt_fields_str(b);
    callable.owner = pt_fields_str(b);
    callable.name = pt_fields_str(b);
    callable.label = pt_fields_str(b);
    if (b->bad || kind < PT_CALLABLE_BUILTIN || kind > PT_CALLABLE_OBJECT)
        return broken(error, "a torn callable", local);
    enum pt_status st = pt_writer_callable(writer, &callable, &id);
    return st == PT_OK ? map_id(&defs->callables, local, id, error) : st;
}

static enum pt_status
take_type(struct pt_defs *defs, struct pt_writer *writer, uint32_t local,
          struct pt_fields *b, struct pt_error *error)
{
    struct pt_type type;
    uint32_t id;
    type.module = pt_fields_str(b);
    type.name = pt_fields_str(b);
    if (b->bad)
        return broken(error, "a torn type", local);
    enum pt_status st = pt_writer_type(writer, &type, &id);
    return st == PT_OK ? map_id(&defs->types, local, id, error) : st;
}

/* What it refers to was told before, or is 0. */
static enum pt_status
take_task(struct pt_defs *defs, struct pt_writer *writer, uint32_t local,
          struct pt_fields *b, struct pt_error *error)
{
    uint32_t parent = pt_fields_u32(b), code = pt_fields_u32(b), id;
    struct pt_task task = {.process = defs->process,
                           .parent = pt_idmap_find(&defs->tasks, parent),
                           .code = pt_idmap_find(&defs->codes, code),
                           .name = pt_fields_str(b)};
    if (b->bad || defs->process == 0 || (parent != 0) != (task.parent != 0) ||
        (code != 0) != (task.code != 0))
        return broken(error, "a torn task", local);
    enum pt_status st = pt_writer_task(writer, &task, &id);
    return st == PT_OK ? map_id(&defs->tasks, local, id, error) : st;
}

static enum pt_status
take_task_name(struct pt_defs *defs, struct pt_writer *writer, uint32_t local,
               struct pt_fields *b, struct pt_error *error)
{
    struct pt_str name = pt_fields_str(b);
    uint32_t id = pt_idmap_find(&defs->tasks, local);
    if (b->bad || id == 0)
        return broken(error, "a name of no task", local);
    return pt_writer_task_name(writer, id, name);
}

static enum pt_status
take_note(struct pt_defs *defs, struct pt_fields *b)
{
    struct pt_str s = pt_fields_str(b);
    char text[PT_NOTE_TEXT];
    pt_problem_clean(text, sizeof text, s.data, s.len);
    if (!defs->notes->no_remarks)
        pt_notes_add(defs->notes, "%s", text);
    return PT_OK;
}

static enum pt_status
take_costs(struct pt_defs *defs, struct pt_writer *writer, struct pt_fields *b,
           struct pt_error *error)
{
    struct pt_costs costs = {.process = defs->process};
    if (defs->process == 0 || defs->costed || !pt_costs_find(b, &costs))
        return broken(error, "costs that are torn or out of order", defs->pid);
    defs->costed = true;
    return pt_writer_costs(writer, &costs);
}

/* One whole message, in our own memory, after its length. */
static enum pt_status
take_message(struct pt_defs *defs, struct pt_writer *writer, struct pt_fields b,
             struct pt_error *error)
{
    uint32_t type = pt_fields_u32(&b);
    uint32_t local = pt_fields_u32(&b);
    switch (type) {
    case PT_M_INTERPRETER:
        return take_interpreter(defs, writer, &b, error);
    case PT_M_PROCESS:
        return take_process(defs, writer, &b, error);
    case PT_M_CODE:
        return take_code(defs, writer, local, &b, error);
    case PT_M_CALLABLE:
        return take_callable(defs, writer, local, &b, error);
    case PT_M_TYPE:
        return take_type(defs, writer, local, &b, error);
    case PT_M_NOTE:
        return take_note(defs, &b);
    case PT_M_COSTS:
        return take_costs(defs, writer, &b, error);
    case PT_M_TASK:
        return take_task(defs, writer, local, &b, error);
    case PT_M_TASK_NAME:
        return take_task_name(defs, writer, local, &b, error);
    default:
        return broken(error, "no such definition", type);
    }
}

/* Takes the whole messages at the front of what was gathered. */
static enum pt_status
take_gathered(struct pt_defs *defs, struct pt_writer *writer,
              struct pt_error *error)
{
    size_t at = 0;
    while (defs->have - at >= 4) {
        const unsigned char *p = defs->bytes + at;
        uint32_t length;
        memcpy(&length, p, sizeof length);
        if (length < HEAD_BYTES || length > PT_DEF_LIMIT)
            return broken(error, "a definition's length", length);
        if (defs->have - at < length)
            break;
        struct pt_fields b = {p + sizeof length, p + length, false};
        enum pt_status st = take_message(defs, writer, b, error);
        /* The log refuses what is malformed or too large: not its failure. */
        if (st == PT_EUSAGE || st == PT_ELIMIT)
            st = broken(error, "a definition that the log refuses", length);
        if (st != PT_OK)
            return st;
        at += length;
    }
    defs->have -= at;
    if (defs->have > 0) {
        memmove(defs->bytes, defs->bytes + at, defs->have);
    } else if (defs->room > KEEP_BYTES) {
        free(defs->bytes);
        defs->bytes = NULL;
        defs->room = 0;
    }
    return PT_OK;
}

static enum pt_status
gather(struct pt_defs *defs, const unsigned char *from, size_t n)
{
    if (defs->room - defs->have < n) {
        size_t room = defs->room == 0 ? FIRST_BYTES : defs->room;
        while (room - defs->have < n)
            room *= 2;
        unsigned char *more = realloc(defs->bytes, room);
        if (more == NULL)
            return PT_ENOMEM;
        defs->bytes = more;
        defs->room = room;
    }
    memcpy(defs->bytes + defs->have, from, n);
    defs->have += n;
    return PT_OK;
}

enum pt_status
pt_defs_take(struct pt_defs *defs, const struct pt_arena_map *map,
             struct pt_writer *writer, struct pt_error *error)
{
    struct pt_arena *arena = map->arena;
    const uint32_t size = pt_defs_size(map->shrink);
    const unsigned char *ring = (const unsigned char *)arena + PT_DEFS_AT;
    uint64_t head =
        atomic_load_explicit(&arena->defs_head, memory_order_acquire);
    if (head == defs->tail)
        return PT_OK;
    if (head < defs->tail || head - defs->tail > size)
        return broken(error, "an impossible definitions position",
                      (uint32_t)head);
    while (defs->tail < head) {
        size_t at = defs->tail % size, n = size - at;
        if (n > head - defs->tail)
            n = (size_t)(head - defs->tail);
        enum pt_status st = gather(defs, ring + at, n);
        if (st != PT_OK)
            return st;
        defs->tail += n;
    }
    /* The bytes are ours now: the producer need not wait for what follows. */
    atomic_store_explicit(&arena->defs_tail, defs->tail, memory_order_release);
    atomic_fetch_add(&arena->defs_tail_word, 1);
    if (atomic_load(&arena->defs_waiting) != 0)
        pt_futex_wake(&arena->defs_tail_word);
    return take_gathered(defs, writer, error);
}
