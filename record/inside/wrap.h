/* Wrapping a C function of the interpreter where it is defined: its method
 * definition then points to ours.  The function objects stay the very ones the
 * program and its libraries hold, so nobody can tell.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_WRAP_H
#define PT_INSIDE_WRAP_H

#include "compat.h"

struct pt_wrap {
    const char *module, *name;
    PyCFunction wrapper;
    PyCFunction original; /* filled by pt_wrap_install() */
};

/* False when MODULE.NAME is not loaded or is no C function. */
bool pt_wrap_install(struct pt_wrap *);

/* The same for a module at hand, which sys.modules need not hold. */
bool pt_wrap_within(struct pt_wrap *, PyObject *module);

/* A method of a type that is written in C, with exactly those flags, and the
 * getter of an attribute; NULL where it has none. */
PyMethodDef *pt_wrap_method(const PyTypeObject *, const char *name, int flags);
getter pt_wrap_attribute(const PyTypeObject *, const char *name);

#endif
