/* What a frame holds, as values in its thread's stream.
 *
 * `off` is the byte offset at which the frame stands: of the instruction that
 * comes next, or that is under way (include/pt/value.h).
 * Thread rule: needs the GIL; borrows. */
#ifndef PT_INSIDE_VALUE_CAPTURE_H
#define PT_INSIDE_VALUE_CAPTURE_H

#include "compat_values.h"
#include "value_code.h"

#include <pt/value.h>

/* Once, where values are recorded, by the recording's configuration. */
bool pt_capture_init(void);

/* One value, of the role and index in `dst`; returns what tells it from others
 * (value_encode.h). */
uint64_t pt_capture(uint32_t off, uint32_t dst, PyObject *);
/* One that is not told: an enum pt_value_mark says why. */
void pt_capture_mark(uint32_t off, uint32_t dst, unsigned mark);

/* A variable of a frame as slot `i` has it, of a cell what is in it; NULL where
 * it has no value. */
PyObject *pt_capture_local(const pt_pyframe *, const PyCodeObject *,
                           uint32_t i);
/* Whether functions within share it, or it is shared. */
static inline bool
pt_capture_is_cell(const PyCodeObject *co, uint32_t i)
{
    unsigned kind = (unsigned char)PyBytes_AS_STRING(co->co_localspluskinds)[i];
    return kind & (CO_FAST_CELL | CO_FAST_FREE);
}
/* How many of them are parameters: the first. */
uint32_t pt_capture_parameters(const PyCodeObject *);

/* The arguments with which a Python frame begins. */
void pt_capture_arguments(const pt_pyframe *, uint32_t off);

/* Those of the call of C that the instruction at `off` makes, with the object
 * that a bound function has. */
void pt_capture_c_arguments(const pt_pyframe *, uint32_t off,
                            PyObject *callable);
/* The instruction at `off` is about to spread its arguments. */
void pt_capture_spread(const pt_pyframe *, uint32_t off);

/* What is on top of the stack when the instruction at `off` begins; NULL where
 * that is not known. */
PyObject *pt_capture_top(const pt_pyframe *, uint32_t off);

#endif
