/* A debugger that sets frame.f_lineno moves a frame, without any event (3.12
 * and later; on 3.11 the trace function sees it): flow has to be told. Thread
 * rule: needs the GIL. */
#ifndef PT_INSIDE_MOVES_H
#define PT_INSIDE_MOVES_H

#include "compat.h"

/* Once, when the hooks are on. */
void pt_moves_start(void);

#endif
