/* The callbacks of flow: events that say where they happen, so that every
 * instruction between them can be had back (spec/format.md). */
#ifndef PT_INSIDE_FLOW_H
#define PT_INSIDE_FLOW_H

#include "compat.h"

/* The callback for a monitoring event by name, NULL where flow needs none of
 * its own.  With `filtered` the frames below can be opaque. */
vectorcallfunc pt_flow_callback(const char *event, bool filtered);

/* Makes pt_flow_watch() able to ask for jumps under a tool id.  Needs
 * sys.monitoring; false with a Python error when that fails. */
bool pt_flow_init(PyObject *monitoring, int tool, long jump);

/* A code object was met for the first time: asks for its jumps where it has a
 * loop that nothing else tells of. */
void pt_flow_watch(PyCodeObject *co);

#endif
