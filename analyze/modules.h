/* The module that a code object is of, by the name of its file: a trace has
 * co_filename, and no sys.path to hold it against.
 * Thread rule: read-only once made; the trace must outlive it. */
#ifndef PT_ANALYZE_MODULES_H
#define PT_ANALYZE_MODULES_H

#include "analyze/repr.h"

struct pt_modules;

/* PT_ENOMEM. */
enum pt_status pt_modules_new(const struct pt_trace *, struct pt_modules **out);
void pt_modules_free(struct pt_modules *);

/* Appends "json.decoder", of "/usr/lib/python3.12/json/decoder.py".  A path
 * counts from the standard library, from site-packages, from within a zip file,
 * or else from the outermost of the packages around it, whose __init__.py has
 * run.  A program has its file's name, and what is in no file ("<string>") the
 * name that it has. */
void pt_module_put(const struct pt_modules *, const struct pt_code *,
                   struct pt_growing *);

#endif
