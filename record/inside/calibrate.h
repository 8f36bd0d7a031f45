/* What recording an event takes, measured before the program begins: loops that
 * make calls, calls of C, and generators go on, run with the hooks off and on.
 * Their records go to memory of this file's, and with the times to the
 * collector, which makes costs of them (record/costs.c).
 *
 * It takes about a millisecond.  Where another tracer is there already, which
 * would see it, nothing is measured.
 * Thread rule: needs the GIL.  Nothing is raised. */
#ifndef PT_INSIDE_CALIBRATE_H
#define PT_INSIDE_CALIBRATE_H

struct pt_calibration;

/* Times the loops with the hooks off; NULL where that cannot be done. */
struct pt_calibration *pt_calibrate_plain(void);
/* Times them with the hooks on, tells the collector, and frees it; NULL is
 * fine. */
void pt_calibrate_recorded(struct pt_calibration *);

#endif
