/* Frames on CPython 3.11, for the presets that do not follow the flow.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_LEGACY_PLAIN_H
#define PT_INSIDE_LEGACY_PLAIN_H

#include "compat.h"

#if !PT_HAVE_MONITORING

/* PyTrace_CALL: a frame begins, goes on, or is thrown into. */
void pt_legacy_plain_enter(const PyFrameObject *);
/* PyTrace_RETURN: it ends or is suspended; `value` is NULL when it unwinds. */
void pt_legacy_plain_leave(const PyFrameObject *, const PyObject *value);

#endif
#endif
