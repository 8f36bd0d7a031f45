/* Greenlets: which of them runs is told whenever that changes.
 *
 * The greenlet package switches stacks beneath the interpreter, which knows
 * nothing of it.  Its own trace function (greenlet.settrace) is called after
 * each switch, so each thread that switches gets one of ours:
 *
 *   no greenlets --greenlet._greenlet is imported--> its functions are wrapped
 *   thread: unhooked --switch() or throw(), wrapped--> hooked
 *           hooked --a switch--> PT_W_SWITCH
 *           hooked --the program's own trace function raises--> unhooked,
 *                    which greenlet does; a switch that this hides is a gap
 *
 * A trace function that the program sets is held and called by ours, and is
 * what gettrace() and settrace() return.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_GREENLETS_H
#define PT_INSIDE_GREENLETS_H

#include "compat.h"

/* Once, when the hooks are on. */
void pt_greenlets_start(void);

#endif
