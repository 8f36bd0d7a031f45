/* What recording takes, from the loops that a process ran when it began
 * (PT_M_COSTS).
 *
 * A loop's turns, recorded and not, differ by the costs of its events.  Of two
 * that come in a pair, the beginning and end of a call, the times in their
 * records tell how much lies between them, and so is the callee's.  What the
 * loop itself takes between them is not known; half of what a turn of it takes
 * more than one of the empty loop is near enough, as that is a few ns.
 * Thread rule: no state. */
#ifndef PT_RECORD_COSTS_H
#define PT_RECORD_COSTS_H

#include "record/fields.h"
#include "record/proto.h"

/* Fills `out->of` from the fields of a message; kinds of which there was
 * nothing to see stay 0.  False when the message is torn. */
bool pt_costs_find(struct pt_fields *, struct pt_costs *out);

#endif
