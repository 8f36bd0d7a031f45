#include "record/family.h"

#include <stdlib.h>

enum { FIRST_ROOM = 16 };

enum pt_status
pt_family_add(struct pt_family *f, struct pt_tracee *t)
{
    if (f->count == f->room) {
        size_t room = f->room == 0 ? FIRST_ROOM : f->room * 2;
        struct pt_kin *more = realloc(f->kin, room * sizeof *more);
        if (more == NULL)
            return PT_ENOMEM;
        f->kin = more;
        f->room = room;
    }
    f->kin[f->count] = (struct pt_kin){.live = t};
    t->number = ++f->count;
    return PT_OK;
}

const struct pt_kin *
pt_family_find(const struct pt_family *f, uint64_t number)
{
    return number > 0 && number <= f->count ? &f->kin[number - 1] : NULL;
}

enum pt_status
pt_family_inherit(const struct pt_family *f, uint64_t parent,
                  const uint32_t known[PT_KNOWN], struct pt_defs *child)
{
    const struct pt_kin *kin = pt_family_find(f, parent);
    if (kin == NULL || (kin->live == NULL && parent <= f->forgotten))
        return PT_ENOTFOUND;
    if (kin->live == NULL)
        return pt_defs_inherit(child, kin->interpreter, kin->ids, known);
    const struct pt_defs *d = &kin->live->defs;
    const struct pt_idmap ids[PT_KNOWN] = {[PT_KNOWN_CODES] = d->codes,
                                           [PT_KNOWN_CALLABLES] = d->callables,
                                           [PT_KNOWN_TYPES] = d->types};
    return kin->live->stopped
               ? PT_ENOTFOUND
               : pt_defs_inherit(child, d->interpreter, ids, known);
}

static void
forget(struct pt_family *f, size_t i)
{
    for (int k = 0; k < PT_KNOWN; k++) {
        f->bytes -= f->kin[i].ids[k].limit * sizeof(uint32_t);
        free(f->kin[i].ids[k].to);
        f->kin[i].ids[k] = (struct pt_idmap){0};
    }
}

void
pt_family_end(struct pt_family *f, struct pt_tracee *t)
{
    if (t->number == 0 || t->number > f->count)
        return;
    struct pt_kin *kin = &f->kin[t->number - 1];
    kin->live = NULL;
    kin->process = t->defs.process;
    kin->interpreter = t->defs.interpreter;
    pt_defs_take_ids(&t->defs, kin->ids);
    for (int k = 0; k < PT_KNOWN; k++)
        f->bytes += kin->ids[k].limit * sizeof(uint32_t);
    while (f->bytes > PT_FAMILY_BYTES && f->forgotten < f->count)
        forget(f, f->forgotten++);
}

void
pt_family_clear(struct pt_family *f)
{
    for (size_t i = 0; i < f->count; i++)
        forget(f, i);
    free(f->kin);
    *f = (struct pt_family){0};
}
