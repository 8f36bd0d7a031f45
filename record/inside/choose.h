/* Which code objects are recorded, by the rules of the recording
 * (<pt/choice.h>).  What was found of a code object is kept with its id, see
 * objects.h.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_CHOOSE_H
#define PT_INSIDE_CHOOSE_H

#include "compat.h"

#include <pt/choice.h>

/* Takes the rules from the arena's configuration; false where they are none
 * that this recorder knows. */
bool pt_choose_init(void);

/* The rules that there are. */
extern struct pt_choice pt_choose;

/* Whether a --start-at is that line of the code object. */
bool pt_choose_line(PyCodeObject *co, uint32_t line);

#endif
