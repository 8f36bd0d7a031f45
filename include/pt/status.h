/* Status codes and the error record shared by every ptrec library.
 *
 * A fallible call returns `enum pt_status`; results go out through its last
 * parameter, which is left untouched on failure.  Details of a failure stick
 * to the handle it happened on as a `struct pt_error`.  Thread rule: values
 * here are plain data, no call keeps a reference to them. */
#ifndef PT_STATUS_H
#define PT_STATUS_H

#include <stdint.h>

/* Stable: numbers are never reused.  0 is success, 1 is the orderly end of an
 * iteration, negatives are failures. */
enum pt_status {
    PT_OK = 0,
    PT_END = 1,
    PT_EUSAGE = -1,       /* the caller asked for something that cannot be */
    PT_ENOMEM = -2,       /* an allocation failed */
    PT_EIO = -3,          /* the operating system refused a read or a write */
    PT_ENOTRACE = -4,     /* the file is not a ptrec trace at all */
    PT_EDAMAGED = -5,     /* a chunk fails its checks */
    PT_EUNSUPPORTED = -6, /* a required feature or version is not known here */
    PT_ELIMIT = -7,       /* a documented limit would be exceeded */
    PT_ENOTFOUND = -8,    /* no such id, position or name */
};

enum { PT_ERROR_TEXT = 256 };

/* What went wrong, where.  `text` is one sentence without a trailing newline
 * that names the file and the remedy; `offset` is a byte offset in the file
 * or -1; `seq` an event number or -1; `sys` an errno value or 0. */
struct pt_error {
    enum pt_status status;
    int sys;
    int64_t offset;
    int64_t seq;
    char text[PT_ERROR_TEXT];
};

/* The status's stable name, e.g. "damaged".  Never NULL; static storage. */
const char *pt_status_name(enum pt_status status);

#endif
