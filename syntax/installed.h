/* The files that are installed beside the programs, in lib/ptrec.
 * Thread rule: none. */
#ifndef PT_SYNTAX_INSTALLED_H
#define PT_SYNTAX_INSTALLED_H

#include <stddef.h>

/* <folder of this program>/../lib/ptrec/NAME; 0, or an errno value where there
 * is no such file that we may read: then `path` is what was looked for, or ""
 * where this program does not find its own folder. */
int pt_installed(const char *name, char *path, size_t size);

#endif
