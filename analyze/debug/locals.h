/* The variables of a selected frame: as expressions look them up, and as a
 * list.
 * Thread rule: as the engine. */
#ifndef PT_ANALYZE_DEBUG_LOCALS_H
#define PT_ANALYZE_DEBUG_LOCALS_H

#include "analyze/debug/engine.h"
#include "analyze/expression/expression.h"

#include <pt/scope.h>

struct pt_locals;

/* The trace is borrowed.  PT_ENOMEM. */
enum pt_status pt_locals_new(const struct pt_trace *, struct pt_locals **out);
void pt_locals_free(struct pt_locals *);

/* Looks at an entry of a thread's stack, the i-th of the engine's threads, as
 * it is at this moment.  What was looked at before is forgotten, and so are its
 * values.  PT_ENOTFOUND for what is no Python frame. */
enum pt_status pt_locals_look(struct pt_locals *, struct pt_engine *, size_t i,
                              size_t entry);
/* The same, and values that were handed out before stay, until _look. */
enum pt_status pt_locals_look_too(struct pt_locals *, struct pt_engine *,
                                  size_t i, size_t entry);
/* As _look, for the engine's current thread and selected frame. */
enum pt_status pt_locals_select(struct pt_locals *, struct pt_engine *);

/* Names of the frame: its locals, its own globals, those of the module it is
 * in as long as that runs.  Values live until another frame is looked at. */
struct pt_expr_scope pt_locals_scope(struct pt_locals *);

/* Where values of a name are told: by the frame that is looked at, and by the
 * body of its module.  At most two; returns how many. */
struct pt_teller {
    struct pt_scope scope;
    uint32_t dst;
};
size_t pt_locals_tellers(const struct pt_locals *, struct pt_str name,
                         struct pt_teller out[2]);
/* The same frame as it was behind event `seq`; values until now are forgotten.
 */
void pt_locals_at(struct pt_locals *, uint64_t seq);

struct pt_variable {
    struct pt_str name;
    uint32_t dst;                 /* role << PT_ROLE_SHIFT | index */
    bool hidden;                  /* a name of CPython's own, such as .0 */
    bool gap;                     /* as struct pt_scope_value has it */
    uint64_t told;                /* seq of the event that told it */
    const struct pt_value *value; /* NULL: it was not recorded; as _scope */
};

/* The frame's variables by role, in the code's order: each local, and the
 * globals that were recorded.  Borrowed, as values. */
enum pt_status pt_locals_list(struct pt_locals *,
                              const struct pt_variable **out, size_t *n);

/* The frame that is looked at, for pt_scope_last() and _next(); NULL none. */
const struct pt_scope *pt_locals_frame(const struct pt_locals *);
struct pt_scopes *pt_locals_scopes(struct pt_locals *);
struct pt_values *pt_locals_values(struct pt_locals *);

/* Why a variable may have no value here: which switch records it, or that it
 * had not been told. */
const char *pt_locals_missing(const struct pt_locals *);

#endif
