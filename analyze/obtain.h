/* The syntax of a trace's sources: from the trace, else from a Python of the
 * same minor version that is found here.  Nothing is written to the trace, and
 * no program that it names is run.
 * Thread rule: a handle belongs to one thread. */
#ifndef PT_ANALYZE_OBTAIN_H
#define PT_ANALYZE_OBTAIN_H

#include <pt/reader.h>
#include <pt/syntax.h>

struct pt_obtain;

/* `python` is --python's value, a path or a name to look for on PATH, NULL
 * where none was given; borrowed.  Only the trace's own syntax is read now. */
enum pt_status pt_obtain_new(const struct pt_trace *, const char *python,
                             struct pt_obtain **out);
void pt_obtain_free(struct pt_obtain *);

/* The syntax of a source for a minor version (major << 8 | minor), the
 * caller's to free; its `failure` tells where the text is no Python.  Without
 * --python, pythonX.Y and python3 on PATH are tried.  PT_ENOTFOUND with a
 * sentence where the trace has none and no such Python is found, or there is
 * no such source; PT_ENOMEM. */
enum pt_status pt_obtain_syntax(struct pt_obtain *, uint32_t source,
                                uint32_t version, struct pt_error *error,
                                struct pt_syntax **out);
/* The same of a text that the trace does not have: of source 0. */
enum pt_status pt_obtain_text(struct pt_obtain *, struct pt_str text,
                              uint32_t version, struct pt_error *error,
                              struct pt_syntax **out);

#endif
