/* What each line does to the variables of its frame (--values=locals): at its
 * end, the ones that it stores are told, and those that it loads if they were
 * not told before, or hold something else since.
 *
 * What a frame has told is kept by the frame's address until it is another's.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_VALUE_LINES_H
#define PT_INSIDE_VALUE_LINES_H

#include "compat_values.h"

/* A frame begins: nothing was told of it but the arguments, which are now. */
void pt_lines_enter(const pt_pyframe *, uint32_t off);

/* The frame stands at `off`: what its run did until now. */
void pt_lines_tell(const pt_pyframe *, uint32_t off);
/* The same, and that run is over: `off` begins another. */
void pt_lines_next(const pt_pyframe *, uint32_t off, uint32_t run);
/* The same, and it is not known what the frame goes on with. */
void pt_lines_break(const pt_pyframe *, uint32_t off);

#endif
