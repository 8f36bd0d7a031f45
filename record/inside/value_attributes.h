/* The attributes that an object itself holds: those of its slots, and of its
 * dictionary or what stands for one.  Read where they lie, without a lookup, so
 * that nothing of the program runs.
 * Thread rule: needs the GIL; borrows; a cursor is good until something runs.
 */
#ifndef PT_INSIDE_VALUE_ATTRIBUTES_H
#define PT_INSIDE_VALUE_ATTRIBUTES_H

#include "compat_values.h"

/* An attribute's name is an object, nearly always a str, or, of a slot, UTF-8
 * text. */
struct pt_attribute {
    PyObject *key;
    const char *slot;
    PyObject *value;
};

struct pt_attributes {
    PyObject *o;
    Py_ssize_t base;           /* of the MRO: whose slots come next */
    const PyMemberDef *member; /* ... the next of them, or NULL */
    struct pt_compat_attributes rest;
    Py_ssize_t at;
};

/* A cursor before the first. */
struct pt_attributes pt_attributes_of(PyObject *);
/* False behind the last. */
bool pt_attributes_next(struct pt_attributes *, struct pt_attribute *);

/* What the slot of that name holds, or NULL. */
PyObject *pt_attributes_slot(PyObject *, const char *name);

/* What the class or one that it inherits from has under a name, as it lies in
 * their dictionaries; borrowed or NULL. */
PyObject *pt_attributes_class(const PyTypeObject *, const char *name);

#endif
