#include "syntax/installed.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
pt_installed(const char *name, char *path, size_t size)
{
    char self[PATH_MAX];
    path[0] = '\0';
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return errno;
    self[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (slash != NULL)
            *slash = '\0';
    }
    if ((size_t)snprintf(path, size, "%s/lib/ptrec/%s", self, name) >= size)
        return ENAMETOOLONG;
    return access(path, R_OK) == 0 ? 0 : errno;
}
