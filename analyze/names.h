/* What code objects, callables and types are called in reports.
 * Thread rule: reads the trace only. */
#ifndef PT_ANALYZE_NAMES_H
#define PT_ANALYZE_NAMES_H

#include "analyze/repr.h"

enum { PT_NAME_TEXT = 1024 };

/* "list.append", "builtins.len", "collections.OrderedDict"; "?" where the id is
 * not defined.  Into `buffer` of PT_NAME_TEXT bytes, which it cuts to. */
struct pt_str pt_name_callable(const struct pt_trace *, uint32_t id,
                               char *buffer);
/* A Python function or a C one, as reports name it. */
struct pt_function_name {
    struct pt_str name; /* co_qualname, "list.append" */
    struct pt_str file; /* co_filename, "~" of a C function */
    uint32_t line;      /* its first; 0 of a C function */
    const char *kind;   /* "python", or as pt_name_callable_kind() has it */
};

/* "?" where the id is not defined; `buffer` as above. */
struct pt_function_name pt_name_function(const struct pt_trace *, uint32_t id,
                                         bool callable, char *buffer);

/* Appends what a thread is called: "worker-1"; "main thread" or "thread 4711"
 * where it has no name; "greenlets of worker-1" for another stack of it. */
void pt_name_thread(const struct pt_trace *, uint32_t id, struct pt_growing *);
/* ... and a process: its command's words, or "process 4711". */
void pt_name_process(const struct pt_trace *, uint32_t id, struct pt_growing *);

/* "module.Type", without the module where it is builtins. */
struct pt_str pt_name_type(const struct pt_trace *, uint32_t id, char *buffer);
const char *pt_name_callable_kind(unsigned kind);
/* What a value event of role `role` is about: "local", "argument", ...; "?" of
 * none. */
const char *pt_name_role(unsigned role);
/* The name of the variable, of a frame of `code`; "" where it has none. */
struct pt_str pt_name_variable(const struct pt_trace *, uint32_t code,
                               unsigned role, uint32_t index);
/* Bytewise, as memcmp() tells it. */
int pt_name_compare(struct pt_str, struct pt_str);

/* The task of a task event; NULL where it is not defined. */
const struct pt_task *pt_event_task(const struct pt_trace *,
                                    const struct pt_event *);

/* Whether the id that an event names is defined. */
bool pt_name_is_defined(const struct pt_trace *, const struct pt_event *);

#endif
