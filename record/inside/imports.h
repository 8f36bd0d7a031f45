/* Modules written in C, as the program imports them.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_IMPORTS_H
#define PT_INSIDE_IMPORTS_H

#include "compat.h"

/* Called once, of the main interpreter's, with the module (borrowed) when its
 * functions are there and nobody has called one.  What it raises is cleared. */
typedef void pt_import_watcher(PyObject *module);

/* At once where the program has imported it. */
void pt_imports_watch(const char *name, pt_import_watcher *);

/* Whether the calling thread runs the interpreter that is recorded. */
static inline bool
pt_is_recorded(void)
{
    return pt_compat_tstate()->interp == PyInterpreterState_Main();
}

#endif
