/* What a debugger stops at: places in the code, and kinds of events.
 * Thread rule: plain data of one thread. */
#ifndef PT_ANALYZE_DEBUG_BREAKPOINT_H
#define PT_ANALYZE_DEBUG_BREAKPOINT_H

#include <pt/history.h>

enum pt_break_kind {
    PT_BREAK_PLACE,     /* at lines, or where functions are called */
    PT_BREAK_EXCEPTION, /* where one is raised; not where it passes on */
    PT_BREAK_C_CALL,    /* a call of something that is no Python function */
    PT_BREAK_THREAD,    /* a thread begins or ends */
    PT_BREAK_WATCH      /* a variable has another value than before */
};

struct pt_breakpoint {
    unsigned number; /* from 1; never used again */
    uint8_t kind;    /* enum pt_break_kind */
    bool enabled, temporary;
    char *text;      /* owned: what the user called it */
    char *condition; /* owned; NULL none */
    char *log;       /* owned: printed instead of stopping; NULL none */
    char *commands;  /* owned: lines to run once stopped; NULL none */
    struct pt_target *targets; /* owned: of _PLACE */
    uint32_t *ids; /* owned, ascending: types or callables; with `any`, all */
    size_t n;      /* of the one or the other */
    bool any;
    uint32_t thread; /* only in this one; 0: in all */
    uint64_t hits;   /* conditions that did not hold are not counted */
    uint64_t ignore; /* so many hits are still passed over */
};

struct pt_breakpoints {
    struct pt_breakpoint **list; /* n of them */
    size_t n;
    unsigned last; /* number given */
};

/* Appends one that is enabled and has no place yet; NULL: out of memory. */
struct pt_breakpoint *pt_breakpoint_add(struct pt_breakpoints *,
                                        enum pt_break_kind, const char *text);
/* NULL where there is none. */
struct pt_breakpoint *pt_breakpoint_find(const struct pt_breakpoints *,
                                         unsigned number);
void pt_breakpoint_delete(struct pt_breakpoints *, struct pt_breakpoint *);
void pt_breakpoints_clear(struct pt_breakpoints *);

/* --- places and names --------------------------------------------------------
 */

/* A place as users write it. */
struct pt_located {
    struct pt_target *targets; /* the caller's to free */
    size_t n;
    uint32_t line;      /* where code was found: not before the asked line */
    struct pt_str file; /* borrowed from the trace */
    struct pt_error error;
};

/* "FILE:LINE", "LINE" or "+N", "-N" in the file `here` (a code id, 0 none) at
 * `line`, or a function: "name", "Class.name", "module.name", "FILE:name", a
 * glob.  Where a line has no code, the next one in its file that has.
 * PT_EUSAGE or PT_ENOTFOUND with a sentence in `error`, PT_ENOMEM. */
enum pt_status pt_locate(const struct pt_trace *, const char *text,
                         uint32_t here, uint32_t line, struct pt_located *out);

/* The ids of the types, or callables, that a name or glob means: "KeyError",
 * "json.decoder.JSONDecodeError"; ascending, the caller's to free.  */
enum pt_status pt_locate_types(const struct pt_trace *, const char *name,
                               uint32_t **ids, size_t *n);
enum pt_status pt_locate_callables(const struct pt_trace *, const char *name,
                                   uint32_t **ids, size_t *n);

#endif
