/* Loops that no event tells of.
 *
 * A walk of a program's flow knows how often a loop ran from the branches in
 * it.  `while True: i += 1` has none: its backward jump must be recorded. */
#ifndef PT_INSIDE_LOOPS_H
#define PT_INSIDE_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether bytecode (of PyCode_GetCode(), never the adaptive one) has a loop
 * that can be run through without a branch, a yield or a return.  A call in it
 * does not count: calling a generator function is silent. */
bool pt_loops_silent(const unsigned char *code, size_t bytes);

#endif
