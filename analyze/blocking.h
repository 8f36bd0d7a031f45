/* Which functions of C can wait for something outside of the program: a lock, a
 * timer, a file, a socket, another process.  A recording does not tell how long
 * they did; of most of these, all but a little of their time. */
#ifndef PT_ANALYZE_BLOCKING_H
#define PT_ANALYZE_BLOCKING_H

#include <pt/log.h>

bool pt_callable_blocks(const struct pt_callable *);

#endif
