/* Which frames of a filtered recording are recorded.  Those of code objects
 * that the rules leave out are opaque; which of the others are can depend on
 * the stack (--function, --max-depth), and then each thread has a stack of its
 * frames here, which follows calls and returns and ends with the thread.
 *
 * An event of a frame that is not recorded is dropped, and what the frame
 * calls stands on the nearest one that is.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_GATE_H
#define PT_INSIDE_GATE_H

#include "choose.h"

/* Of the recording; constant once it begins but for `waiting`. */
extern struct pt_gate {
    bool filtered; /* something is left out */
    bool stacked;  /* ... depending on the stack */
    bool waiting;  /* for a --start-at; the one that changes, once */
} pt_gate;

/* After pt_choose_init(); false where the system refuses. */
bool pt_gate_init(void);

/* A frame begins, goes on or is thrown into: whether it is recorded. */
bool pt_gate_enter(const pt_pyframe *);
/* Whether one that has begun is. */
bool pt_gate_recorded(const pt_pyframe *);
/* It ends or is suspended; what is recorded of that comes before. */
void pt_gate_leave(const pt_pyframe *);

/* The nearest recorded frame below, or NULL. */
const pt_pyframe *pt_gate_below(const pt_pyframe *);

/* A thread's stack of frames; all zero is an empty one.  Released by free() of
 * its base. */
struct pt_gate_stack {
    struct pt_gate_entry *base;
    size_t n, capacity;
};

/* The thread's frames are another greenlet's from now on: *from receives those
 * it had, and *to, which is emptied, are those it has. */
void pt_gate_swap(struct pt_gate_stack *from, struct pt_gate_stack *to);

/* Whether a code object's events can be switched off for good. */
bool pt_gate_never(PyCodeObject *co);

#endif
