/* Attributes of objects of the program, read without running a line of it, nor
 * of the standard library's.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_PEEK_H
#define PT_INSIDE_PEEK_H

#include "compat.h"

/* The attribute `name` (an interned string) as the object has it itself or by a
 * getter in C; owned.  NULL where it has none or it would take Python to know;
 * raises nothing, and needs that no exception is set. */
PyObject *pt_peek(PyObject *, PyObject *name);

/* Whether it is a string of those characters. */
bool pt_peek_is(PyObject *, const char *ascii);

/* The code object of a coroutine or generator (borrowed), or NULL. */
PyCodeObject *pt_peek_code(PyObject *);

/* The first argument of a suspended coroutine (borrowed), or NULL. */
PyObject *pt_peek_argument(PyObject *coroutine);

#endif
