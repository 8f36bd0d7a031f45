/* From an events chunk to struct pt_event.
 *
 * Each column is unpacked into an array of its own; then one loop over the
 * shapes' numbers puts the events together.  What a shape does not have is
 * taken from a cell that is 0, with a step of 0, so that the loop has no
 * branch for it. */
#include "format/columns.h"
#include "format/error.h"
#include "format/trace.h"

#include <stddef.h>
#include <string.h>

struct pt_decoder {
    const struct pt_trace *trace;
    struct pt_unpacker unpacker;
    size_t room; /* events that the arrays below have room for */
    struct pt_event *events;
    int64_t *time; /* [0] is the time before the chunk */
    uint64_t *arg;
    uint32_t *column[PT_COLUMN_COUNT];
    uint32_t *scratch;
    struct pt_frame *stack;
    size_t stack_cap;
    struct pt_error error;
};

/* An events item taken apart, its columns still packed. */
struct item {
    uint32_t n;
    int64_t since;
    struct pt_clock_pair clock;
    uint32_t nshapes;
    uint8_t kinds[256];
    uint8_t masks[256];
    size_t depth;
    struct pt_column_in shape;
    struct pt_column_in columns[PT_COLUMN_COUNT];
};

enum pt_status
pt_decoder_new(const struct pt_trace *t, struct pt_decoder **out)
{
    struct pt_decoder *d = pt_alloc_zero(1, sizeof *d);
    if (d == NULL)
        return PT_ENOMEM;
    d->trace = t;
    enum pt_status st = pt_unpacker_init(&d->unpacker);
    if (st != PT_OK) {
        pt_decoder_free(d);
        return st;
    }
    *out = d;
    return PT_OK;
}

static void
free_arrays(struct pt_decoder *d)
{
    pt_alloc_free(d->events);
    pt_alloc_free(d->time);
    pt_alloc_free(d->arg);
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++) {
        pt_alloc_free(d->column[c]);
        d->column[c] = NULL;
    }
    pt_alloc_free(d->scratch);
    d->events = NULL;
    d->time = NULL;
    d->arg = NULL;
    d->scratch = NULL;
    d->room = 0;
}

void
pt_decoder_free(struct pt_decoder *d)
{
    if (d == NULL)
        return;
    pt_unpacker_clear(&d->unpacker);
    free_arrays(d);
    pt_alloc_free(d->stack);
    pt_alloc_free(d);
}

const struct pt_error *
pt_decoder_error(const struct pt_decoder *d)
{
    return &d->error;
}

enum pt_status
pt_decoder_raw(struct pt_decoder *d, size_t i, struct pt_str *out)
{
    if (i >= d->trace->nchunks)
        return pt_error_set(&d->error, PT_ENOTFOUND, 0, -1,
                            "%s has no chunk %zu", d->trace->path, i);
    return pt_trace_load(d->trace, i, &d->unpacker, NULL, out, &d->error);
}

/* Room for `n` events in the arrays that are always needed, and none in those
 * of columns that are not there.  One element more than that, because a cursor
 * may point behind the last. */
static bool
make_room(struct pt_decoder *d, size_t n)
{
    if (n <= d->room && d->events != NULL)
        return true;
    free_arrays(d);
    size_t room = 256;
    while (room < n)
        room *= 2;
    d->events = pt_alloc(room * sizeof *d->events);
    d->time = pt_alloc((room + 1) * sizeof *d->time);
    d->arg = pt_alloc_zero(room + 1, sizeof *d->arg);
    d->scratch = pt_alloc(room * sizeof *d->scratch);
    if (d->events == NULL || d->time == NULL || d->arg == NULL ||
        d->scratch == NULL) {
        free_arrays(d);
        return false;
    }
    d->room = room;
    return true;
}

/* --- taking the item apart ------------------------------------------------ */

static void
read_shapes(struct pt_cbor *c, struct item *it)
{
    size_t n = pt_cbor_get_array(c);
    if (n > 256) {
        c->bad = true;
        return;
    }
    for (size_t s = 0; s < n && !c->bad; s++) {
        if (pt_cbor_get_array(c) != 2)
            c->bad = true;
        it->kinds[s] = (uint8_t)pt_cbor_get_uint(c, PT_KIND_LIMIT - 1);
        it->masks[s] = (uint8_t)pt_cbor_get_uint(c, UINT8_MAX);
        if (it->kinds[s] == 0)
            c->bad = true;
    }
    it->nshapes = (uint32_t)n;
}

static enum pt_status
read_stack(struct pt_decoder *d, struct pt_cbor *c, struct item *it)
{
    size_t n = pt_cbor_get_array(c);
    if (c->bad || n > PT_LIMIT_STACK)
        return PT_EDAMAGED;
    if (!pt_alloc_room(&d->stack, &d->stack_cap, n, sizeof *d->stack))
        return PT_ENOMEM;
    for (size_t i = 0; i < n && !c->bad; i++) {
        struct pt_frame *f = &d->stack[i];
        size_t items = pt_cbor_get_array(c);
        if (items < 7)
            c->bad = true;
        f->callable = (uint8_t)pt_cbor_get_uint(c, 1);
        f->id = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        f->key = pt_cbor_get_uint(c, UINT64_MAX);
        f->seq =
            pt_cbor_take_null(c) ? UINT64_MAX : pt_cbor_get_uint(c, UINT64_MAX);
        f->line = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        f->off = pt_cbor_take_null(c)
                     ? UINT32_MAX
                     : (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        f->time = pt_cbor_take_null(c) ? INT64_MIN : pt_cbor_get_int(c);
        f->at = PT_AT_UNKNOWN;
        f->dst = 0;
        if (!c->bad && items >= 9) {
            f->at = (uint8_t)pt_cbor_get_uint(c, PT_AT_LIMIT - 1);
            f->dst = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        }
        if (!c->bad)
            pt_cbor_skip(c, items - (items >= 9 ? 9 : 7));
    }
    it->depth = n;
    return PT_OK;
}

static void
read_columns(struct pt_cbor *c, struct item *it)
{
    static const char *const names[PT_COLUMN_COUNT] = {
#define X(id, num, name, width) [num] = name,
        PT_COLUMNS (X)
#undef X
    };
    size_t pairs = pt_cbor_get_map(c);
    for (size_t i = 0; i < pairs && !c->bad; i++) {
        struct pt_str key = pt_cbor_get_text(c);
        unsigned k = 0;
        while (k < PT_COLUMN_COUNT &&
               (strlen(names[k]) != key.len ||
                memcmp(names[k], key.data, key.len) != 0))
            k++;
        if (k < PT_COLUMN_COUNT)
            pt_column_read(c, &it->columns[k]);
        else if (pt_str_is(key, "shape"))
            pt_column_read(c, &it->shape);
        else
            pt_cbor_skip(c, 1);
    }
}

static enum pt_status
read_item(struct pt_decoder *d, struct pt_str bytes, struct item *it)
{
    struct pt_cbor c = pt_cbor_over(bytes.data, bytes.len);
    enum pt_status st = PT_OK;
    size_t pairs = pt_cbor_get_map(&c);
    bool shapes = false, columns = false, stack = false;
    for (size_t i = 0; i < pairs && !c.bad && st == PT_OK; i++) {
        struct pt_str key = pt_cbor_get_text(&c);
        if (pt_str_is(key, "n")) {
            it->n = (uint32_t)pt_cbor_get_uint(&c, PT_BLOCK_EVENTS);
        } else if (pt_str_is(key, "since")) {
            it->since = pt_cbor_get_int(&c);
        } else if (pt_str_is(key, "clock")) {
            if (pt_cbor_get_array(&c) != 2)
                c.bad = true;
            it->clock.ticks = pt_cbor_get_uint(&c, UINT64_MAX);
            it->clock.unix_ns = pt_cbor_get_int(&c);
        } else if (pt_str_is(key, "shapes") && !shapes) {
            shapes = true;
            read_shapes(&c, it);
        } else if (pt_str_is(key, "stack") && !stack) {
            stack = true;
            st = read_stack(d, &c, it);
        } else if (pt_str_is(key, "columns") && !columns) {
            columns = true;
            read_columns(&c, it);
        } else {
            pt_cbor_skip(&c, 1);
        }
    }
    if (st != PT_OK)
        return st;
    return c.bad || c.at != c.end || !shapes || !columns ? PT_EDAMAGED : PT_OK;
}

/* --- columns to arrays ---------------------------------------------------- */

/* Counts the events of each shape, in four tables so that a run of one shape
 * does not wait for itself. */
static bool
count_shapes(const uint8_t *shape, size_t n, uint32_t nshapes,
             uint32_t counts[256])
{
    uint32_t four[4][256] = {{0}};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        four[0][shape[i]]++;
        four[1][shape[i + 1]]++;
        four[2][shape[i + 2]]++;
        four[3][shape[i + 3]]++;
    }
    for (; i < n; i++)
        four[0][shape[i]]++;
    uint32_t beyond = 0;
    for (unsigned s = 0; s < 256; s++) {
        counts[s] = four[0][s] + four[1][s] + four[2][s] + four[3][s];
        if (s >= nshapes)
            beyond |= counts[s];
    }
    return beyond == 0;
}

/* The chunk header and the columns must tell of the same events. */
static bool
counts_agree(const struct pt_chunk_info *info, const struct item *it,
             const uint32_t counts[256])
{
    uint32_t kinds[PT_KIND_LIMIT] = {0};
    for (unsigned s = 0; s < it->nshapes; s++)
        kinds[it->kinds[s]] += counts[s];
    return memcmp(kinds, info->counts, sizeof kinds) == 0 &&
           info->events == it->n && info->gaps == kinds[PT_GAP];
}

static enum pt_status
unpack_columns(struct pt_decoder *d, const struct item *it,
               const uint32_t counts[256])
{
    for (unsigned k = 0; k < PT_COLUMN_COUNT; k++) {
        size_t n = 0;
        for (unsigned s = 0; s < it->nshapes; s++)
            if (it->masks[s] & 1u << k)
                n += counts[s];
        const struct pt_column_in *in = &it->columns[k];
        enum pt_status st;
        if (k == PT_COL_TIME) {
            d->time[0] = it->since;
            st = pt_column_get_time(in, n, &d->trace->header.clock, d->scratch,
                                    d->time + 1);
        } else if (k == PT_COL_ARG) {
            st = pt_column_get64(in, n, d->arg);
        } else {
            if (n != 0 && d->column[k] == NULL) {
                d->column[k] = pt_alloc((d->room + 1) * sizeof(uint32_t));
                if (d->column[k] == NULL)
                    return PT_ENOMEM;
            }
            st = pt_column_get32(in, n, d->column[k]);
        }
        if (st != PT_OK)
            return st;
    }
    return PT_OK;
}

/* --- arrays to events ----------------------------------------------------- */

/* What to take from each column for an event of a shape: all ones where the
 * shape has it, else 0.  The cursors stay in registers, and move on by the
 * mask's lowest bit. */
struct plan {
    uint64_t arg;
    uint32_t code, callee, type, line, off, dst;
    uint32_t head; /* kind, has, reserved: as they lie in struct pt_event */
    uint32_t stamped;
};

static struct plan
plan_of(uint8_t kind, uint8_t mask)
{
#define ALL(id) (mask & PT_HAS(id) ? UINT32_MAX : 0)
    struct plan p = {
        .arg = mask & PT_HAS(ARG) ? UINT64_MAX : 0,
        .code = ALL(CODE),
        .callee = ALL(CALLEE),
        .type = ALL(TYPE),
        .line = ALL(LINE),
        .off = ALL(OFF),
        .dst = ALL(DST),
        .stamped = ALL(TIME) & 1,
    };
#undef ALL
    const struct pt_event e = {.kind = kind, .has = mask};
    memcpy(&p.head, &e.kind, sizeof p.head);
    return p;
}

/* Which of the columns that few chunks have the loop has to look at. */
enum { WITH_LINE = 1, WITH_REST = 2 };

__attribute__((always_inline)) static inline void
assemble_with(struct pt_decoder *d, const struct item *it,
              const uint8_t *restrict shape, const struct plan *restrict plans,
              const unsigned with)
{
    static const uint32_t none[1];
    const uint32_t *at[PT_COLUMN_COUNT];
    for (unsigned k = 0; k < PT_COLUMN_COUNT; k++)
        at[k] = d->column[k] != NULL ? d->column[k] : none;
    const uint32_t *code = at[PT_COL_CODE], *callee = at[PT_COL_CALLEE];
    const uint32_t *type = at[PT_COL_TYPE], *line = at[PT_COL_LINE];
    const uint32_t *off = at[PT_COL_OFF], *dst = at[PT_COL_DST];
    const int64_t *time = d->time;
    const uint64_t *arg = d->arg;
    struct pt_event *restrict e = d->events;
    for (uint32_t i = 0, n = it->n; i < n; i++, e++) {
        const struct plan *p = &plans[shape[i]];
        uint32_t id = (*code & p->code) | (*callee & p->callee);
        uint32_t pos = 0, to = 0;
        time += p->stamped;
        code += p->code & 1;
        callee += p->callee & 1;
        if (with & (WITH_LINE | WITH_REST)) {
            pos = *line & p->line;
            line += p->line & 1;
        }
        if (with & WITH_REST) {
            id |= *type & p->type;
            type += p->type & 1;
            pos |= *off & p->off;
            off += p->off & 1;
            to = *dst & p->dst;
            dst += p->dst & 1;
        }
        e->time = *time;
        e->arg = *arg & p->arg;
        arg += p->arg & 1;
        e->id = id;
        e->pos = pos;
        e->dst = to;
        memcpy(&e->kind, &p->head, sizeof p->head);
    }
}

static void
assemble(struct pt_decoder *d, const struct item *it, const uint8_t *shape)
{
    struct plan plans[256];
    unsigned any = 0;
    for (unsigned s = 0; s < it->nshapes; s++) {
        plans[s] = plan_of(it->kinds[s], it->masks[s]);
        any |= it->masks[s];
    }
    if (any & (PT_HAS(TYPE) | PT_HAS(OFF) | PT_HAS(DST)))
        assemble_with(d, it, shape, plans, WITH_REST);
    else if (any & PT_HAS(LINE))
        assemble_with(d, it, shape, plans, WITH_LINE);
    else
        assemble_with(d, it, shape, plans, 0);
}

_Static_assert(offsetof(struct pt_event, has) ==
                       offsetof(struct pt_event, kind) + 1 &&
                   offsetof(struct pt_event, reserved) ==
                       offsetof(struct pt_event, kind) + 2,
               "plan.head");

/* A shape fills a field of struct pt_event once. */
static bool
shapes_valid(const struct item *it)
{
    for (unsigned s = 0; s < it->nshapes; s++) {
        unsigned m = it->masks[s];
        unsigned ids = m & (PT_HAS(CODE) | PT_HAS(CALLEE) | PT_HAS(TYPE));
        unsigned pos = m & (PT_HAS(LINE) | PT_HAS(OFF));
        if ((ids & (ids - 1)) != 0 || (pos & (pos - 1)) != 0)
            return false;
    }
    return true;
}

static enum pt_status
decode(struct pt_decoder *d, const struct pt_chunk_info *info,
       struct pt_str bytes, struct item *it)
{
    enum pt_status st = read_item(d, bytes, it);
    if (st != PT_OK)
        return st;
    const uint8_t *shape;
    uint32_t counts[256];
    st = pt_column_get8(&it->shape, it->n, &shape);
    if (st != PT_OK)
        return st;
    if (!shapes_valid(it) || !count_shapes(shape, it->n, it->nshapes, counts) ||
        !counts_agree(info, it, counts))
        return PT_EDAMAGED;
    if (!make_room(d, it->n))
        return PT_ENOMEM;
    st = unpack_columns(d, it, counts);
    if (st == PT_OK)
        assemble(d, it, shape);
    return st;
}

enum pt_status
pt_decoder_events(struct pt_decoder *d, size_t i, struct pt_events *out)
{
    const struct pt_trace *t = d->trace;
    if (i >= t->nchunks || t->chunks[i].type != PT_CHUNK_EVENTS)
        return pt_error_set(&d->error, PT_EUSAGE, 0, -1,
                            "%s: chunk %zu holds no events", t->path, i);
    const struct pt_chunk_info *info = &t->chunks[i];
    struct pt_str bytes;
    enum pt_status st =
        pt_trace_load(t, i, &d->unpacker, NULL, &bytes, &d->error);
    if (st != PT_OK)
        return st;
    struct item it;
    memset(&it, 0, sizeof it);
    st = decode(d, info, bytes, &it);
    if (st == PT_ENOMEM)
        return pt_error_memory(&d->error);
    if (st != PT_OK) {
        pt_error_set(&d->error, PT_EDAMAGED, 0, (int64_t)info->offset,
                     "%s: the events chunk at byte %llu contradicts itself; "
                     "run ptana repair",
                     t->path, (unsigned long long)info->offset);
        d->error.seq = (int64_t)info->seq;
        return PT_EDAMAGED;
    }
    *out = (struct pt_events){info, d->events, d->stack, it.depth, it.clock};
    return PT_OK;
}
