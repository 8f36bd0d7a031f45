/* The entry of the shim's audit hook in CPython's list, which CPython must not
 * free.  Thread rule: needs the GIL. */
#ifndef PT_INSIDE_AUDIT_H
#define PT_INSIDE_AUDIT_H

typedef int pt_audit_hook(const char *, void *, void *);

void pt_audit_init(pt_audit_hook *hook);
/* To be called at the event "cpython._PySys_ClearAuditHooks". */
void pt_audit_keep_entry(void);

#endif
