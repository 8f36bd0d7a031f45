/* Functions that CPython calls by their vectorcall: the cheapest call that it
 * can make.  They are builtin functions like any other, so that no new type
 * shows up in the program.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_BUILTIN_H
#define PT_INSIDE_BUILTIN_H

#include "compat.h"

/* One that is made by hand and never dies: an object had from the collector
 * would move the program's collections by one allocation. */
struct pt_builtin {
    uintptr_t untracked[2]; /* the collector's words before an object */
    PyCFunctionObject function;
};

/* Makes it; borrowed, for good. */
PyObject *pt_builtin_init(struct pt_builtin *, vectorcallfunc);

/* One that dies as others do, and holds `self`; owned, or NULL with an
 * exception. */
PyObject *pt_builtin_new(vectorcallfunc, PyObject *self);

/* Whether an object was made by one of these. */
bool pt_builtin_check(const PyObject *);

#endif
