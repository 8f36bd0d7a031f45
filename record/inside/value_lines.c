#include "value_lines.h"
#include "addresses.h"
#include "producer.h"
#include "value_capture.h"
#include "value_cbor.h"
#include "value_encode.h"

#include <stdlib.h>
#include <string.h>

/* A frame, and by variable what was told last: 0 nothing, TOLD what is always
 * the same. */
struct frame {
    const pt_pyframe *frame;
    const PyCodeObject *code; /* only compared */
    uint64_t *told;
    uint64_t where; /* whose events have it; see place() */
    uint32_t room;  /* of `told` */
    uint32_t run;
};
enum { TOLD = 1 };

static struct {
    struct pt_addresses table;
    pid_t pid; /* whose recording has what was told */
} frames;

/* A moment of a frame. */
struct moment {
    const pt_pyframe *f;
    PyCodeObject *co;
    const struct pt_value_code *c;
    struct frame *frame; /* NULL without memory */
    uint32_t off;
};

/* --- what was told ---------------------------------------------------------
 */

static void
forget(struct frame *s, const struct moment *m)
{
    uint32_t n = m->c->locals + m->c->names;
    s->run = PT_VALUE_NO_RUN;
    s->code = NULL;
    if (n > s->room) {
        uint64_t *p = realloc(s->told, n * sizeof *p);
        if (p == NULL)
            return;
        s->told = p;
        s->room = n;
    }
    if (n > 0)
        memset(s->told, 0, n * sizeof *s->told);
    s->code = m->co;
}

/* The stream of events that the thread writes to: a value is the same as what
 * was told before in that one, which a generator can leave for another. */
static uint64_t
place(void)
{
    return pt_lane != NULL ? pt_lane->birth * PT_STACKS_LIMIT + pt_lane->stack
                           : 0;
}

/* A forked child has told nothing yet. */
static void
forget_all(void)
{
    for (size_t i = 0; frames.table.entries != NULL && i <= frames.table.mask;
         i++) {
        struct frame *s = (struct frame *)(void *)frames.table.entries + i;
        s->code = NULL;
    }
    frames.pid = pt_producer.pid;
}

static struct moment
moment_of(const pt_pyframe *f, uint32_t off)
{
    struct moment m = {.f = f, .co = pt_compat_frame_code(f), .off = off};
    m.c = pt_value_code(m.co);
    if (frames.pid != pt_producer.pid)
        forget_all();
    m.frame = pt_addresses_meet(&frames.table, sizeof *m.frame, f);
    if (m.frame != NULL && m.frame->code != m.co)
        forget(m.frame, &m);
    if (m.frame != NULL && m.frame->code == NULL)
        m.frame = NULL;
    uint64_t where = place();
    if (m.frame != NULL && m.frame->where != where) {
        m.frame->where = where;
        memset(m.frame->told, 0,
               (m.c->locals + m.c->names) * sizeof *m.frame->told);
    }
    return m;
}

/* --- one variable ----------------------------------------------------------
 */

/* A key of a namespace, without running the __eq__ of one that is no str. */
static PyObject *
look_up(PyObject *dict, PyObject *name)
{
    PyObject *key, *value; /* borrowed */
    Py_ssize_t at = 0;
    if (dict == NULL || !PyDict_Check(dict))
        return NULL;
    if (pt_compat_plain_keys(dict))
        return PyDict_GetItemWithError(dict, name);
    while (PyDict_Next(dict, &at, &key, &value))
        if (key == name)
            return value;
    return NULL;
}

static PyObject *
named(const struct moment *m, uint32_t name)
{
    PyObject *key = PyTuple_GET_ITEM(m->co->co_names, name); /* borrowed */
    bool function = m->co->co_flags & CO_OPTIMIZED;
    PyObject *o = function ? NULL : look_up(m->f->f_locals, key);
    return o != NULL ? o : look_up(m->f->f_globals, key);
}

/* Whether only a store to a variable changes what it holds. */
static bool
is_fixed(const PyObject *o)
{
    return o == NULL || o == Py_None || PyUnicode_CheckExact(o) ||
           PyLong_CheckExact(o) || PyFloat_CheckExact(o) || PyBool_Check(o) ||
           PyBytes_CheckExact(o);
}

static void
tell(const struct moment *m, const struct pt_value_use *use, bool changes)
{
    uint32_t index = use->dst & ((1u << PT_ROLE_SHIFT) - 1);
    bool local = use->dst >> PT_ROLE_SHIFT == PT_ROLE_LOCAL;
    uint32_t i = local ? index : m->c->locals + index;
    uint64_t *told = &m->frame->told[i];
    if (!use->stored && *told != 0 && !changes)
        return;
    PyObject *o = local ? pt_capture_local(m->f, m->co, index)
                        : named(m, index); /* borrowed */
    if (o == NULL && (*told == 0 || !use->stored))
        return;
    if (!use->stored && *told != 0 && local && is_fixed(o) &&
        !pt_capture_is_cell(m->co, index))
        return;
    if (m->c->secret[i] && o != NULL) {
        if (*told != TOLD || use->stored)
            pt_capture_mark(m->off, use->dst, PT_MARK_REDACTED);
        *told = TOLD;
        return;
    }
    uint64_t now = pt_value_look(NULL, o);
    if (now != *told) {
        struct pt_encoded v = pt_value_tell(NULL, o);
        pt_emit_value(m->off, use->dst, v.data, v.size);
        *told = now;
    } else if (use->stored) {
        pt_capture_mark(m->off, use->dst, PT_MARK_SAME);
    }
}

/* --- runs ------------------------------------------------------------------
 */

static void
tell_run(const struct moment *m)
{
    if (m->frame == NULL || m->frame->run >= m->c->nruns)
        return;
    const struct pt_value_run *r = &m->c->run[m->frame->run];
    for (uint32_t i = 0; i < r->n; i++)
        tell(m, &m->c->uses[r->first + i], r->changes);
}

void
pt_lines_tell(const pt_pyframe *f, uint32_t off)
{
    struct moment m = moment_of(f, off);
    tell_run(&m);
}

void
pt_lines_next(const pt_pyframe *f, uint32_t off, uint32_t run)
{
    struct moment m = moment_of(f, off);
    tell_run(&m);
    if (m.frame != NULL)
        m.frame->run = run;
}

void
pt_lines_break(const pt_pyframe *f, uint32_t off)
{
    pt_lines_next(f, off, PT_VALUE_NO_RUN);
}

void
pt_lines_enter(const pt_pyframe *f, uint32_t off)
{
    struct moment m = moment_of(f, off);
    if (m.frame == NULL)
        return;
    forget(m.frame, &m);
    if (m.frame->code == NULL)
        return;
    uint32_t n = pt_capture_parameters(m.co);
    for (uint32_t i = 0; i < n && i < m.c->locals; i++) {
        struct pt_value_use use = {(uint32_t)PT_ROLE_LOCAL << PT_ROLE_SHIFT | i,
                                   true};
        tell(&m, &use, true);
    }
}
