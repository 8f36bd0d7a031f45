/* How programs start others, become others, and end: the C library's functions
 * for it, which starts.c stands in front of. */
#ifndef PT_SHIM_STARTS_H
#define PT_SHIM_STARTS_H

/* Called with the status when the process ends by exit() or _exit(), also
 * between vfork() and exec; NULL while nobody wants to know. */
extern void (*pt_starts_exits)(int status);

#endif
