/* A hook family: how events are had from this CPython.  One of the two back
 * ends is compiled: monitoring.c (3.12 and later) or legacy.c (3.11).
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_HOOKS_H
#define PT_INSIDE_HOOKS_H

#include "compat.h"

/* Turns on the hooks for the kinds in pt_producer.events, for all threads
 * there are and will be.  False, with a sentence in `why`, when it cannot. */
bool pt_hooks_start(char *why, size_t whylen);

/* An audit event of the running program, for back ends that watch them; NULL
 * for those that need none.  Must not raise. */
typedef void pt_hooks_auditor(const char *event);
extern pt_hooks_auditor *const pt_hooks_audit;

#endif
