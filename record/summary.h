/* What ptrec tells at the end, and on the way with --progress.
 * Thread rule: the main thread. */
#ifndef PT_RECORD_SUMMARY_H
#define PT_RECORD_SUMMARY_H

#include "record/collector.h"

void pt_summary_progress(const struct pt_collector *);

/* The last lines; `closed` is what closing the trace returned.  With `quiet`
 * only what went wrong. */
void pt_summary_print(const struct pt_collector *, enum pt_status closed,
                      bool quiet);

#endif
