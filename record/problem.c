#include "record/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum pt_status
pt_problem_set(struct pt_error *error, enum pt_status status, int sys,
               const char *format, ...)
{
    if (error == NULL)
        return status;
    error->status = status;
    error->sys = sys;
    error->offset = -1;
    error->seq = -1;

    va_list args;
    va_start(args, format);
    errno = sys;
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return status;
}

void
pt_problem_clean(char *out, size_t size, const char *data, size_t len)
{
    size_t n = 0;
    while (n < len && n + 1 < size && data[n] != '\0') {
        unsigned char c = (unsigned char)data[n];
        out[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    out[n] = '\0';
}
