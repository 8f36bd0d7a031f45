/* Which names look secret, so that what they name is not told.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_VALUE_REDACT_H
#define PT_INSIDE_VALUE_REDACT_H

#include "compat.h"

/* Takes a POSIX extended regular expression, "" for no name at all; false where
 * it is none, or without memory.  Once, before the rest. */
bool pt_redact_init(const char *regex);

/* Whether a name, any object that is used as one, looks secret; only a str
 * does. */
bool pt_redact_name(PyObject *);
/* The same of UTF-8 text. */
bool pt_redact_text(const char *);

#endif
