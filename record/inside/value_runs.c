/* Which variables each line stores and loads.
 *
 * A run is code of one line that lies together and that nothing jumps into the
 * middle of from elsewhere: the head of a loop is another run than what comes
 * before it.  So when a run begins, the one before is over, and all that it
 * may have changed is in what it names. */
#include "value_code.h"

#include "format/linetable.h"

#include <pt/value.h>
#include <stdlib.h>
#include <string.h>

enum {
    IN_PLACE = 13
}; /* BINARY_OP's arguments from there on: NB_INPLACE_ADD */

struct builder {
    struct pt_value_code *c;
    PyCodeObject *co;
    size_t room; /* uses */
    uint32_t used;
    bool failed;
};

/* --- where runs begin ------------------------------------------------------
 */

/* Code without a line goes on with the one before. */
static void
mark_lines(struct builder *b)
{
    struct pt_value_code *c = b->c;
    PyObject *table = b->co->co_linetable; /* borrowed */
    struct pt_str text = {PyBytes_AS_STRING(table),
                          (size_t)PyBytes_GET_SIZE(table)};
    struct pt_linetable t =
        pt_linetable_over(text, (uint32_t)b->co->co_firstlineno);
    struct pt_location l;
    uint32_t at = 0, line = 0;
    while (at < c->units && pt_linetable_next(&t, &l)) {
        if (l.line != 0 && l.line != line) {
            c->unit[at].at |= PT_UNIT_RUN;
            line = l.line;
        }
        at += l.units;
    }
}

static uint32_t
number_runs(struct pt_value_code *c)
{
    uint32_t run = PT_VALUE_NO_RUN, n = 0;
    for (uint32_t i = 0; i < c->units; i++) {
        if (c->unit[i].at & PT_UNIT_RUN && n < PT_VALUE_NO_RUN)
            run = n++;
        c->unit[i].run = (uint16_t)run;
    }
    return n;
}

static void
mark(void *context, uint32_t target, uint32_t depth)
{
    struct builder *b = context;
    if (target < b->c->units)
        b->c->unit[target].at |= PT_UNIT_RUN;
}

static bool
is_instruction(const struct pt_value_code *c, uint32_t i)
{
    return c->unit[i].at & PT_UNIT_START &&
           (i == 0 || c->unit[i - 1].op != EXTENDED_ARG ||
            !(c->unit[i - 1].at & PT_UNIT_START));
}

/* What other lines jump to, and handlers. */
static void
mark_targets(struct builder *b)
{
    struct pt_value_code *c = b->c;
    for (uint32_t i = 0; i < c->units; i++) {
        if (!is_instruction(c, i))
            continue;
        struct pt_value_flow f = pt_value_flow(c, i);
        if (f.jumps && f.target < c->units &&
            c->unit[f.target].run != c->unit[i].run)
            c->unit[f.target].at |= PT_UNIT_RUN;
    }
    pt_value_handlers(b->co, mark, b);
}

/* --- what they use ---------------------------------------------------------
 */

static void
use(struct builder *b, struct pt_value_run *r, uint32_t dst, bool stored)
{
    for (uint32_t i = r->first; i < b->used; i++) {
        if (b->c->uses[i].dst == dst) {
            b->c->uses[i].stored |= stored;
            return;
        }
    }
    if (b->used == b->room) {
        size_t room = b->room * 2 + 16;
        struct pt_value_use *p = realloc(b->c->uses, room * sizeof *p);
        if (p == NULL) {
            b->failed = true;
            return;
        }
        b->c->uses = p;
        b->room = room;
    }
    b->c->uses[b->used++] = (struct pt_value_use){dst, stored};
    r->n++;
}

/* A variable of an inlined comprehension comes and goes within its line. */
static bool
is_hidden(const struct builder *b, uint32_t local)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyBytes_AS_STRING(b->co->co_localspluskinds)[local] & CO_FAST_HIDDEN;
#else
    return false;
#endif
}

static void
use_local(struct builder *b, struct pt_value_run *r, uint32_t local,
          bool stored)
{
    if (local < b->c->locals && !is_hidden(b, local))
        use(b, r, (uint32_t)PT_ROLE_LOCAL << PT_ROLE_SHIFT | local, stored);
}

/* Of a function only globals that it stores: it names many that nobody stores,
 * functions and modules. */
static void
use_name(struct builder *b, struct pt_value_run *r, uint32_t name, bool stored)
{
    bool function = b->co->co_flags & CO_OPTIMIZED;
    if (name >= (uint32_t)PyTuple_GET_SIZE(b->co->co_names) ||
        (function && !stored))
        return;
    b->c->names = (uint32_t)PyTuple_GET_SIZE(b->co->co_names);
    use(b, r, (uint32_t)PT_ROLE_NAME << PT_ROLE_SHIFT | name, stored);
}

static void
use_operands(struct builder *b, struct pt_value_run *r,
             const struct pt_value_unit *u)
{
    unsigned kind = pt_value_ops[u->op];
    bool stores = kind & PT_OP_STORES;
    if (kind & PT_OP_CHANGES && (u->op != BINARY_OP || u->arg >= IN_PLACE))
        r->changes = true;
    if (!(kind & (PT_OP_STORES | PT_OP_LOADS)))
        return;
    if (kind & PT_OP_IS_NAME) {
        use_name(b, r, kind & PT_OP_SHIFTED ? u->arg >> 1 : u->arg, stores);
    } else if (kind & PT_OP_TWO) {
        use_local(b, r, u->arg >> 4, stores);
        use_local(b, r, u->arg & 15, stores && !(kind & PT_OP_FIRST));
    } else {
        use_local(b, r, u->arg, stores);
    }
}

static void
find_uses(struct builder *b)
{
    struct pt_value_code *c = b->c;
    struct pt_value_run none = {0}, *r = &none;
    for (uint32_t i = 0; i < c->units; i++) {
        const struct pt_value_unit *u = &c->unit[i];
        if (u->at & PT_UNIT_RUN) {
            r = u->run < c->nruns ? &c->run[u->run] : &none;
            *r = (struct pt_value_run){.first = b->used};
        }
        if (u->at & PT_UNIT_START && u->op != EXTENDED_ARG && r != &none)
            use_operands(b, r, u);
    }
}

bool
pt_value_runs(struct pt_value_code *c, PyCodeObject *co)
{
    struct builder b = {.c = c, .co = co};
    mark_lines(&b);
    number_runs(c);
    mark_targets(&b);
    c->nruns = number_runs(c);
    c->run = calloc(c->nruns + 1, sizeof *c->run);
    if (c->run == NULL)
        return false;
    find_uses(&b);
    return !b.failed;
}
