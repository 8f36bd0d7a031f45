/* Recordings that tell each line and each way of a branch once, and then switch
 * its event off (config.once; CPython 3.12 and later).
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_ONCE_H
#define PT_INSIDE_ONCE_H

#include "compat.h"

#if PT_HAVE_MONITORING

/* Before callbacks are had; false with an exception set. */
bool pt_once_init(PyObject *monitoring, PyObject *events, int tool);

/* What answers for an event of sys.monitoring in such a recording, NULL where
 * it is none of those. */
vectorcallfunc pt_once_callback(const char *event);

/* Whether the event is asked for everywhere; the others are asked for where
 * they are needed. */
bool pt_once_everywhere(const char *event);

#endif
#endif
