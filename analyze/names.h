/* What code objects, callables and types are called in reports.
 * Thread rule: reads the trace only. */
#ifndef PT_ANALYZE_NAMES_H
#define PT_ANALYZE_NAMES_H

#include <pt/reader.h>

enum { PT_NAME_TEXT = 1024 };

/* "list.append", "builtins.len", "collections.OrderedDict"; "?" where the id is
 * not defined.  Into `buffer` of PT_NAME_TEXT bytes, which it cuts to. */
struct pt_str pt_name_callable(const struct pt_trace *, uint32_t id,
                               char *buffer);
/* "module.Type", without the module where it is builtins. */
struct pt_str pt_name_type(const struct pt_trace *, uint32_t id, char *buffer);
const char *pt_name_callable_kind(unsigned kind);

/* Whether the id that an event names is defined. */
bool pt_name_is_defined(const struct pt_trace *, const struct pt_event *);

#endif
