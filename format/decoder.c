/* From an events chunk to struct pt_event.
 *
 * Each column is unpacked into an array of its own; then one loop over the
 * shapes' numbers puts the events together.  What a shape does not have is
 * taken from a cell that is 0, with a step of 0, so that the loop has no
 * branch for it.  Where events are predicted, these are the literals only; the
 * predictor makes the chunk's events of them, and the times follow. */
#include "format/error.h"
#include "format/item.h"
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
    struct pt_stack stack;
    struct pt_predictor *predictor; /* NULL until a chunk needs it */
    struct pt_event *literals;
    size_t literals_cap;
    struct pt_error error;
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
    pt_alloc_free(d->stack.frames);
    pt_predictor_free(d->predictor);
    pt_alloc_free(d->literals);
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
kinds_agree(const struct pt_chunk_info *info, const struct pt_item *it,
            const uint32_t kinds[PT_KIND_LIMIT])
{
    return memcmp(kinds, info->counts, sizeof info->counts) == 0 &&
           info->events == it->n && info->gaps == kinds[PT_GAP];
}

static bool
counts_agree(const struct pt_chunk_info *info, const struct pt_item *it,
             const uint32_t counts[256])
{
    uint32_t kinds[PT_KIND_LIMIT] = {0};
    for (unsigned s = 0; s < it->nshapes; s++)
        kinds[it->kinds[s]] += counts[s];
    return kinds_agree(info, it, kinds);
}

/* How many events of those that are counted fill column `k`. */
static size_t
filled(const struct pt_item *it, const uint32_t counts[256], unsigned k)
{
    size_t n = 0;
    for (unsigned s = 0; s < it->nshapes; s++)
        if (it->masks[s] & 1u << k)
            n += counts[s];
    return n;
}

static enum pt_status
unpack_times(struct pt_decoder *d, const struct pt_item *it, size_t n)
{
    d->time[0] = it->since;
    return pt_column_get_time(&it->columns[PT_COL_TIME], n,
                              &d->trace->header.clock, d->scratch, d->time + 1);
}

/* All columns but the times. */
static enum pt_status
unpack_values(struct pt_decoder *d, const struct pt_item *it,
              const uint32_t counts[256])
{
    for (unsigned k = PT_COL_TIME + 1; k < PT_COLUMN_COUNT; k++) {
        size_t n = filled(it, counts, k);
        const struct pt_column_in *in = &it->columns[k];
        enum pt_status st;
        if (k == PT_COL_ARG) {
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
assemble_with(struct pt_decoder *d, const uint8_t *restrict shape, uint32_t n,
              const struct plan *restrict plans, const unsigned with,
              struct pt_event *restrict e)
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
    for (uint32_t i = 0; i < n; i++, e++) {
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

/* Makes events of the columns; with `timed` their times too. */
static void
assemble(struct pt_decoder *d, const struct pt_item *it, const uint8_t *shape,
         uint32_t n, bool timed, struct pt_event *out)
{
    struct plan plans[256];
    unsigned any = 0;
    for (unsigned s = 0; s < it->nshapes; s++) {
        plans[s] = plan_of(it->kinds[s], it->masks[s]);
        plans[s].stamped &= timed;
        any |= it->masks[s];
    }
    if (any & (PT_HAS(TYPE) | PT_HAS(OFF) | PT_HAS(DST)))
        assemble_with(d, shape, n, plans, WITH_REST, out);
    else if (any & PT_HAS(LINE))
        assemble_with(d, shape, n, plans, WITH_LINE, out);
    else
        assemble_with(d, shape, n, plans, 0, out);
}

_Static_assert(offsetof(struct pt_event, has) ==
                       offsetof(struct pt_event, kind) + 1 &&
                   offsetof(struct pt_event, reserved) ==
                       offsetof(struct pt_event, kind) + 2,
               "plan.head");

/* --- predicted events ----------------------------------------------------- */

/* Counts events that were predicted against the header, and gives them their
 * times. */
static enum pt_status
stamp_events(struct pt_decoder *d, const struct pt_chunk_info *info,
             const struct pt_item *it)
{
    uint32_t kinds[4][PT_KIND_LIMIT] = {{0}};
    size_t stamped = 0;
    for (uint32_t i = 0; i < it->n; i++) {
        kinds[i % 4][d->events[i].kind]++;
        stamped += d->events[i].has & PT_HAS(TIME);
    }
    for (unsigned k = 0; k < PT_KIND_LIMIT; k++)
        kinds[0][k] += kinds[1][k] + kinds[2][k] + kinds[3][k];
    if (!kinds_agree(info, it, kinds[0]))
        return PT_EDAMAGED;
    enum pt_status st = unpack_times(d, it, stamped);
    if (st != PT_OK)
        return st;
    const int64_t *time = d->time;
    for (uint32_t i = 0; i < it->n; i++) {
        time += d->events[i].has & PT_HAS(TIME);
        d->events[i].time = *time;
    }
    return PT_OK;
}

static enum pt_status
predict(struct pt_decoder *d, const struct pt_item *it, const uint8_t *shape,
        uint32_t literals)
{
    if (!pt_alloc_room(&d->literals, &d->literals_cap, literals,
                       sizeof *d->literals))
        return PT_ENOMEM;
    if (d->predictor == NULL && pt_predictor_new(&d->predictor) != PT_OK)
        return PT_ENOMEM;
    assemble(d, it, shape, literals, false, d->literals);
    struct pt_marks marks = {it->shape.runs, it->shape.marks, literals};
    return pt_predict_unpack(d->predictor, &marks, d->literals, d->stack.frames,
                             it->depth, d->events, it->n);
}

static enum pt_status
decode(struct pt_decoder *d, const struct pt_chunk_info *info,
       struct pt_str bytes, struct pt_item *it)
{
    enum pt_status st = pt_item_read(bytes, &d->stack, it);
    if (st != PT_OK)
        return st;
    const uint8_t *shape;
    uint32_t counts[256];
    bool predicted = it->shape.transform == PT_PREDICT;
    size_t n = predicted ? it->shape.bytes.len : it->n; /* shapes */
    st = pt_column_get8(&it->shape, n, &shape);
    if (st != PT_OK)
        return st;
    if (n > it->n || !count_shapes(shape, n, it->nshapes, counts) ||
        (!predicted && !counts_agree(info, it, counts)))
        return PT_EDAMAGED;
    if (!make_room(d, it->n))
        return PT_ENOMEM;
    st = unpack_values(d, it, counts);
    if (st == PT_OK && predicted) {
        st = predict(d, it, shape, (uint32_t)n);
        return st == PT_OK ? stamp_events(d, info, it) : st;
    }
    if (st == PT_OK)
        st = unpack_times(d, it, filled(it, counts, PT_COL_TIME));
    if (st == PT_OK)
        assemble(d, it, shape, it->n, true, d->events);
    return st;
}

/* A name as a message can have it: not long, and nothing that a terminal would
 * take for more than a character. */
enum { PRINTABLE = 33 };
static const char *
printable(struct pt_str name, char text[PRINTABLE])
{
    size_t n = name.len < PRINTABLE - 1 ? name.len : PRINTABLE - 1;
    for (size_t i = 0; i < n; i++)
        text[i] = name.data[i] > ' ' && name.data[i] < 127 ? name.data[i] : '?';
    text[n] = '\0';
    return text;
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
    struct pt_item it;
    char later[PRINTABLE];
    st = decode(d, info, bytes, &it);
    if (st == PT_ENOMEM)
        return pt_error_memory(&d->error);
    if (st == PT_EUNSUPPORTED)
        return pt_error_set(&d->error, st, 0, (int64_t)info->offset,
                            "%s: the events chunk at byte %llu is packed by "
                            "\"%s\", which this program does not know; use "
                            "the ptana of a later version",
                            t->path, (unsigned long long)info->offset,
                            printable(it.later, later));
    if (st != PT_OK) {
        pt_error_set(&d->error, PT_EDAMAGED, 0, (int64_t)info->offset,
                     "%s: the events chunk at byte %llu contradicts itself; "
                     "run ptana repair",
                     t->path, (unsigned long long)info->offset);
        d->error.seq = (int64_t)info->seq;
        return PT_EDAMAGED;
    }
    *out = (struct pt_events){info, d->events, d->stack.frames, it.depth,
                              it.clock};
    return PT_OK;
}
