/* The event model: kinds, columns, and the decoded event.
 *
 * One model serves every back end, every analyzer and the log.  Adding a kind
 * or a column is one line here, a CDDL rule, and an example in the tests
 * (spec/HACKING.md).  Numbers are part of the format and never reused.
 * Thread rule: plain data. */
#ifndef PT_EVENT_H
#define PT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

/* X(enumerator, number, name in the log and on command lines)
 *
 *  call       a Python frame starts                       code, arg = frame key
 *  return     it returns                                  -
 *  yield      it is suspended                             -
 *  resume     a suspended frame goes on                   code, arg = frame key
 *  throw      an exception is thrown into it              code, arg = frame key
 *  unwind     an exception leaves the frame               -
 *  line       a line starts                               line
 *  instruction  an instruction starts                     off
 *  branch     a conditional jump decides                  off, dst
 *  jump       an unconditional backward jump              off, dst
 *  exception  raised or re-raised in the frame            off, type,
 *                                                         arg = enum pt_raise
 *  handled    a handler takes the exception               off
 *  c_call     a callable that is not a Python function    callee
 *  c_return   ... it returned                             -
 *  c_exception  ... it raised                             -
 *  thread     the thread begins (arg 1) or ends (arg 0)   arg
 *  process    the process begins (arg 1) or ends (arg 0)  arg
 *  task       what became of an asyncio task              arg = id of a task,
 *                                                         dst = enum
 * pt_task_act switch     another greenlet goes on, on its own stack  arg =
 * greenlet
 *             ... or this one does                        arg, dst = greenlet
 *                                                         that ran before
 *  mark       a named moment                              arg = string id
 *                                                         (reserved)
 *  output     the program wrote                           arg (reserved)
 *  gap        events are missing here                     arg = how many,
 *                                                         UINT64_MAX unknown
 *  value      what a variable held, or was passed         off, dst = role,
 *                                                         index: <pt/value.h>
 *
 * CPython does not tell of every frame's beginning and end.  Where a frame's
 * end shows that an event must have been missing, the log has it all the same,
 * as a call or an unwind whose arg is PT_IMPLIED and whose time is that of the
 * event that showed it.
 */
#define PT_IMPLIED UINT64_MAX

#define PT_KINDS(X)                                                            \
    X(CALL, 1, "call")                                                         \
    X(RETURN, 2, "return")                                                     \
    X(YIELD, 3, "yield")                                                       \
    X(RESUME, 4, "resume")                                                     \
    X(THROW, 5, "throw")                                                       \
    X(UNWIND, 6, "unwind")                                                     \
    X(LINE, 7, "line")                                                         \
    X(INSTRUCTION, 8, "instruction")                                           \
    X(BRANCH, 9, "branch")                                                     \
    X(JUMP, 10, "jump")                                                        \
    X(EXCEPTION, 11, "exception")                                              \
    X(HANDLED, 12, "handled")                                                  \
    X(C_CALL, 13, "c_call")                                                    \
    X(C_RETURN, 14, "c_return")                                                \
    X(C_EXCEPTION, 15, "c_exception")                                          \
    X(THREAD, 16, "thread")                                                    \
    X(PROCESS, 17, "process")                                                  \
    X(TASK, 18, "task")                                                        \
    X(SWITCH, 19, "switch")                                                    \
    X(MARK, 20, "mark")                                                        \
    X(OUTPUT, 21, "output")                                                    \
    X(GAP, 22, "gap")                                                          \
    X(VALUE, 23, "value")

enum pt_kind {
    PT_KIND_NONE = 0,
#define X(id, num, name) PT_##id = num,
    PT_KINDS (X)
#undef X
        PT_KIND_LIMIT =
            32 /* one more than the largest number a kind may have */
};

/* X(enumerator, number, name in the log, widest value in bytes).  A column
 * holds one value for each event whose shape names it, in event order. */
#define PT_COLUMNS(X)                                                          \
    X(TIME, 0, "time", 8)     /* quanta since the trace's clock origin */      \
    X(CODE, 1, "code", 4)     /* trace-wide code object id */                  \
    X(CALLEE, 2, "callee", 4) /* trace-wide callable id */                     \
    X(TYPE, 3, "type", 4)     /* trace-wide type id */                         \
    X(LINE, 4, "line", 4)     /* line number, 1 based; 0 is "no line" */       \
    X(OFF, 5, "off", 4)       /* byte offset into co_code, as dis shows it */  \
    X(DST, 6, "dst", 4)       /* byte offset the branch or jump went to */     \
    X(ARG, 7, "arg", 8)       /* see the table of kinds */

enum pt_column {
#define X(id, num, name, width) PT_COL_##id = num,
    PT_COLUMNS (X)
#undef X
        PT_COLUMN_COUNT = 8
};
#define PT_HAS(id) (1u << PT_COL_##id) /* a shape's bit for one column */

/* `arg` of an exception event. */
enum pt_raise {
    PT_RAISED = 0,
    PT_RERAISED = 1,
    PT_STOP_ITERATION = 2 /* raised inside the interpreter to end a loop */
};

/* `dst` of a task event, and its name in reports.  A step of a task begins with
 * runs and ends with one of the last four.
 *
 *  created    by what runs now
 *  runs       a step begins
 *  awaits     the task that runs is about to wait for this one
 *  waits      the step ends, and the task is suspended
 *  returned raised cancelled  the step ends, and so does the task */
#define PT_TASK_ACTS(X)                                                        \
    X(CREATED, 1, "created")                                                   \
    X(RUNS, 2, "runs")                                                         \
    X(AWAITS, 3, "awaits")                                                     \
    X(WAITS, 4, "waits")                                                       \
    X(RETURNED, 5, "returned")                                                 \
    X(RAISED, 6, "raised")                                                     \
    X(CANCELLED, 7, "cancelled")

enum pt_task_act {
#define X(id, num, name) PT_TASK_##id = num,
    PT_TASK_ACTS(X)
#undef X
        PT_TASK_ACT_LIMIT
};

/* One decoded event.  Which of the fields mean something is told by `has`
 * (PT_HAS bits); the others are 0, except that `time` of an unstamped event
 * is that of the last stamped event before it on its thread. */
struct pt_event {
    int64_t time; /* ns since the trace's clock origin */
    uint64_t arg; /* see the table of kinds */
    uint32_t id;  /* code, callee or type, by kind */
    uint32_t pos; /* line or byte offset, by kind */
    uint32_t dst; /* byte offset */
    uint8_t kind; /* enum pt_kind */
    uint8_t has;  /* PT_HAS bits */
    uint16_t reserved;
};

/* The kind's name ("c_call"), or NULL where the number is not a kind. */
const char *pt_kind_name(unsigned kind);

/* The kind called `name` (not NUL-terminated, `len` bytes), or PT_KIND_NONE. */
enum pt_kind pt_kind_find(const char *name, unsigned len);

/* The name of an enum pt_task_act ("runs"), or NULL where it is none. */
const char *pt_task_act_name(uint32_t act);

/* Whether a task event ends a step. */
static inline bool
pt_task_act_stops(uint32_t act)
{
    return act >= PT_TASK_WAITS && act < PT_TASK_ACT_LIMIT;
}

/* True for the kinds that open a span on the stack of Python frames. */
static inline bool
pt_kind_enters(unsigned kind)
{
    return kind == PT_CALL || kind == PT_RESUME || kind == PT_THROW;
}

/* True for the kinds that close a Python frame's span. */
static inline bool
pt_kind_leaves(unsigned kind)
{
    return kind == PT_RETURN || kind == PT_YIELD || kind == PT_UNWIND;
}

#endif
