/* Filling in error records, and making foreign text fit to print.
 * Thread rule: none kept, callable anywhere. */
#ifndef PT_RECORD_PROBLEM_H
#define PT_RECORD_PROBLEM_H

#include <pt/status.h>

#include <stddef.h>

/* Fills `error` (may be NULL) and returns `status`.  `sys` is an errno value
 * or 0; "%m" in the format is its text. */
enum pt_status pt_problem_set(struct pt_error *error, enum pt_status status,
                              int sys, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Copies `len` bytes into `out` (of `size` bytes, always terminated), with
 * control characters replaced by '?': what another process sends must not
 * drive the user's terminal. */
void pt_problem_clean(char *out, size_t size, const char *data, size_t len);

#endif
