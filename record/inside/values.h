/* Recording values: what calls are given and give back, and what lines do to
 * variables (`ptrec run --values`).
 *
 * An event's own callback records the event, as it does without values; those
 * here come around it, and add what the frame holds at that moment.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_VALUES_H
#define PT_INSIDE_VALUES_H

#include "callback.h"

/* Of other versions what values need is not known to hold. */
#define PT_VALUES_KNOWN                                                        \
    (PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000)
#define PT_VALUES_REFUSED                                                      \
    "--values is for CPython 3.12 and 3.13: leave it out, or use one of these"

#if PT_HAVE_MONITORING

/* Once, before pt_values_callback(), where values are recorded; false with a
 * sentence in `why`. */
bool pt_values_init(PyObject *monitoring, char *why, size_t whylen);

/* Whether the recording has values. */
static inline bool
pt_values_on(void)
{
    return pt_producer.values != 0;
}

/* The callback for an event of sys.monitoring by name that tells of values, and
 * has `object->plain` record the event itself, if it is to be recorded; NULL
 * where it has none. */
vectorcallfunc pt_values_callback(const char *event);

#endif
#endif
