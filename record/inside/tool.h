/* ptrec as one of the tools of sys.monitoring.  Needs the GIL. */
#ifndef PT_INSIDE_TOOL_H
#define PT_INSIDE_TOOL_H

#include "compat.h"

/* Takes an id that nobody has, or returns -1 with no exception set.  From then
 * on sys.monitoring tells of the events of other tools only; where ours has
 * CALL, a tool that turns CALL on is not told of the end of that very call. */
int pt_tool_take(PyObject *monitoring, bool calls);

/* sys.monitoring.events.NAME, or -1. */
long pt_tool_event(PyObject *events, const char *name);

#endif
