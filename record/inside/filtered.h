/* The callbacks of a recording that leaves something out: each asks whether its
 * frame is recorded, and hands the event on to the one that records it.  Of a
 * code object that never is, the event is switched off where it happened, for
 * good, so that it costs nothing any more.
 *
 * RAISE, RERAISE, EXCEPTION_HANDLED, PY_THROW and PY_UNWIND cannot be switched
 * off, and C_RETURN and C_RAISE go with CALL. */
#ifndef PT_INSIDE_FILTERED_H
#define PT_INSIDE_FILTERED_H

#include "callback.h"

#if PT_HAVE_MONITORING

/* Before pt_filtered(); false with a Python error. */
bool pt_filtered_init(PyObject *monitoring);

/* The function to put before `object->inner`, which records events of `kind`
 * that CPython calls `event`. */
vectorcallfunc pt_filtered(enum pt_kind kind, const char *event);

#endif
#endif
