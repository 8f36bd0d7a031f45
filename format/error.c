#include "format/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *
pt_status_name(enum pt_status status)
{
    switch (status) {
    case PT_OK:
        return "ok";
    case PT_END:
        return "end";
    case PT_EUSAGE:
        return "usage";
    case PT_ENOMEM:
        return "memory";
    case PT_EIO:
        return "io";
    case PT_ENOTRACE:
        return "notrace";
    case PT_EDAMAGED:
        return "damaged";
    case PT_EUNSUPPORTED:
        return "unsupported";
    case PT_ELIMIT:
        return "limit";
    case PT_ENOTFOUND:
        return "notfound";
    }
    return "unknown";
}

enum pt_status
pt_error_set(struct pt_error *error, enum pt_status status, int sys,
             int64_t offset, const char *format, ...)
{
    if (error == NULL)
        return status;
    error->status = status;
    error->sys = sys;
    error->offset = offset;
    error->seq = -1;
    va_list ap;
    va_start(ap, format);
    vsnprintf(error->text, sizeof error->text, format, ap);
    va_end(ap);
    return status;
}

enum pt_status
pt_error_memory(struct pt_error *error)
{
    return pt_error_set(error, PT_ENOMEM, 0, -1,
                        "out of memory; free some and try again");
}
