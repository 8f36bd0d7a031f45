#include "record/ending.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

/* linux/pidfd.h of 6.15, for older headers. */
struct info {
    uint64_t mask, cgroup;
    uint32_t pid, tgid, ppid;
    uint32_t uids[8];
    int32_t exit_code;
};
#define GET_INFO _IOWR(0xff, 11, struct info)
#define INFO_EXIT (UINT64_C(1) << 3)

static bool
ask_kernel(int pidfd, int *status)
{
    struct info info = {.mask = INFO_EXIT};
    if (ioctl(pidfd, GET_INFO, &info) != 0 || !(info.mask & INFO_EXIT))
        return false;
    *status = info.exit_code;
    return true;
}

/* The last field of /proc/PID/stat, of a process that is a zombie. */
static bool
ask_proc(pid_t pid, int *status)
{
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *state = strrchr(text, ')'); /* the name can hold one */
    const char *last = strrchr(text, ' ');
    if (state == NULL || strncmp(state, ") Z ", 4) != 0 || last == NULL)
        return false;
    *status = (int)strtol(last, NULL, 10);
    return true;
}

void
pt_ending_learn(int pidfd, pid_t pid, const struct pt_arena *arena,
                enum pt_ending *ending, int *value)
{
    int status;
    uint32_t word = atomic_load(&arena->exiting);
    /* between the first two it can be waited for: so the first again */
    if (ask_kernel(pidfd, &status) || ask_proc(pid, &status) ||
        ask_kernel(pidfd, &status)) {
        bool killed = WIFSIGNALED(status);
        *ending = killed ? PT_ENDED_SIGNAL : PT_ENDED_EXIT;
        *value = killed ? WTERMSIG(status) : WEXITSTATUS(status);
    } else if (word & PT_EXITING) {
        *ending = PT_ENDED_EXIT;
        *value = (int)(word & 0xff);
    } else {
        *ending = PT_ENDED_GONE;
        *value = 0;
    }
}
