/* --start-at on CPython 3.12 and later: until recording begins, code objects
 * are asked for their starts alone, each once, and those that have the line for
 * all that happens in them, so that it is instrumented when the line comes.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_STARTING_H
#define PT_INSIDE_STARTING_H

#include "callback.h"

#if PT_HAVE_MONITORING

/* `local` are the events to ask of a code object that has the line; `begin` is
 * called once, and must leave each callback's object with what records.  False
 * with a Python error. */
bool pt_starting_init(PyObject *monitoring, int tool, long local,
                      void (*begin)(void));

/* What a callback for events of `kind` does until then ... */
vectorcallfunc pt_starting(enum pt_kind kind);
/* ... and the one for lines afterwards, where no lines are recorded. */
vectorcallfunc pt_starting_over(void);

#endif
#endif
