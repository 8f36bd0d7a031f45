/* The recorder's own side of the rings (record/inside), for tests: in another
 * file than the collector's, because each side has a struct pt_lane of its own.
 * Thread rule: producing_start() first; the others in any thread. */
#ifndef PT_TEST_PRODUCING_H
#define PT_TEST_PRODUCING_H

#include "record/proto.h"

/* Makes this process one that records into an arena that it maps already. */
void producing_start(struct pt_arena *, struct pt_bell *);

/* Tells of one more code object and returns its local id; the first is
 * `after` + 1.  0 where nobody takes it any more. */
uint32_t producing_define(uint32_t after);

/* n times a call and return of a code object, in the calling thread. */
void producing_calls(uint32_t code, uint64_t n);
/* One call that does not end, and n lines. */
void producing_lines(uint32_t code, uint64_t n);

#endif
