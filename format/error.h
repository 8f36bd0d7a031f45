/* Filling struct pt_error.  Thread rule: none, plain data. */
#ifndef PT_FORMAT_ERROR_H
#define PT_FORMAT_ERROR_H

#include <pt/status.h>

/* Fills *error (NULL is fine) with a printf-like sentence; `sys` is an errno
 * value or 0, `offset` a byte offset or -1.  Returns `status`. */
__attribute__((format(printf, 5, 6))) enum pt_status
pt_error_set(struct pt_error *error, enum pt_status status, int sys,
             int64_t offset, const char *format, ...);

/* The error of an allocation that failed. */
enum pt_status pt_error_memory(struct pt_error *error);

#endif
