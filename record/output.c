#include "record/output.h"
#include "record/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 200, LOCK_PAUSE = 5000000, OPEN_TRIES = 3 };

static char *
joined(const char *path, const char *suffix)
{
    size_t n = strlen(path) + strlen(suffix) + 1;
    char *s = malloc(n);
    if (s != NULL)
        snprintf(s, n, "%s%s", path, suffix);
    return s;
}

enum what { FREE, TRACE, OTHER, STRANGE };

/* What is at `path`: an empty file holds nothing that could be lost. */
static enum what
what_is(const char *path)
{
    static const unsigned char magic[4] = {0x57, 0x2a, 0x4d, 0x18};
    struct stat st;
    if (stat(path, &st) != 0)
        return FREE;
    if (!S_ISREG(st.st_mode))
        return STRANGE;
    if (st.st_size == 0)
        return FREE;
    unsigned char first[4] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return OTHER;
    ssize_t n = read(fd, first, sizeof first);
    close(fd);
    return n == sizeof first && memcmp(first, magic, sizeof magic) == 0 ? TRACE
                                                                        : OTHER;
}

/* The folder of `path`, opened; -1 with errno. */
static int
open_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = copy == NULL
                 ? -1
                 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    return fd;
}

enum pt_status
pt_output_init(struct pt_output *out, const char *wanted, bool force, int level,
               struct pt_error *error)
{
    *out = (struct pt_output){
        .wanted = wanted, .force = force, .level = level, .lock = -1};
    int folder = open_folder(wanted);
    int err = folder < 0 ? errno : 0;
    if (folder >= 0 && faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) != 0)
        err = errno;
    if (folder >= 0)
        close(folder);
    if (err != 0)
        return pt_problem_set(
            error, PT_EIO, err,
            "%.100s: its folder cannot be written (%m); choose "
            "another with -o",
            wanted);
    enum what what = what_is(wanted);
    if (what == STRANGE)
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "%.150s is not a regular file; choose another "
                              "name with -o",
                              wanted);
    if (what == OTHER && !force)
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "%.150s is there and is no trace; choose "
                              "another name with -o, or replace it with -f",
                              wanted);
    return PT_OK;
}

/* Locks the folder, so that two ptrecs do not take a name together.  It only
 * narrows a race, so whoever holds it for long is not waited for. */
static int
lock_folder(const char *path)
{
    const struct timespec pause = {0, LOCK_PAUSE};
    int fd = open_folder(path);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            break;
        nanosleep(&pause, NULL);
    }
    return fd;
}

/* trace.ptr becomes trace.123.ptr. */
static char *
with_pid(const char *path)
{
    size_t len = strlen(path);
    bool ptr = len > 4 && strcmp(path + len - 4, ".ptr") == 0;
    int stem = (int)(ptr ? len - 4 : len);
    char *s;
    if (asprintf(&s, "%.*s.%d%s", stem, path, (int)getpid(),
                 ptr ? ".ptr" : "") < 0)
        return NULL;
    return s;
}

/* A .part that is there: another ptrec's, which holds its lock, or left by a
 * dead one. */
static bool
part_is_alive(const char *part)
{
    int fd = open(part, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool alive = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return alive;
}

static enum pt_status
move_aside(const char *from, const char *suffix, struct pt_error *error)
{
    char *to = joined(from, suffix);
    if (to == NULL)
        return pt_problem_set(error, PT_ENOMEM, 0, "out of memory");
    enum pt_status st = PT_OK;
    if (rename(from, to) != 0 && errno != ENOENT)
        st = pt_problem_set(error, PT_EIO, errno,
                            "%.90s cannot be renamed to %.90s (%m); choose "
                            "another name with -o",
                            from, to);
    free(to);
    return st;
}

/* Makes the names free; sets out->path. */
static enum pt_status
settle_names(struct pt_output *out, struct pt_notes *notes)
{
    char *part = joined(out->wanted, ".part");
    free(out->path);
    out->path = strdup(out->wanted);
    enum pt_status st = PT_OK;
    if (part != NULL && access(part, F_OK) == 0) {
        if (part_is_alive(part)) {
            free(out->path);
            out->path = with_pid(out->wanted);
            pt_notes_add(notes,
                         "%.90s is being written by another ptrec, so this "
                         "trace is %.90s",
                         out->wanted, out->path != NULL ? out->path : "?");
        } else {
            st = move_aside(part, ".old", &out->error);
            pt_notes_add(notes,
                         "%.90s was left by a recording that did not end "
                         "well; it is now %.90s.old",
                         part, part);
        }
    }
    if (st == PT_OK && (part == NULL || out->path == NULL))
        st = pt_problem_set(&out->error, PT_ENOMEM, 0, "out of memory");
    free(part);
    if (st == PT_OK && what_is(out->path) == TRACE)
        st = move_aside(out->path, ".old", &out->error);
    return st;
}

enum pt_status
pt_output_open(struct pt_output *out, const struct pt_header *header,
               struct pt_notes *notes)
{
    struct pt_writer_options options = {.level = out->level};
    int folder = lock_folder(out->wanted);
    enum pt_status st = PT_EIO;
    for (int i = 0; i < OPEN_TRIES && st != PT_OK; i++) {
        out->error.status = PT_OK;
        st = settle_names(out, notes);
        if (st == PT_OK)
            st = pt_writer_open(out->path, header, &options, &out->error,
                                &out->writer);
        if (st != PT_OK && out->error.sys != EEXIST)
            break;
    }
    char *part = st == PT_OK ? joined(out->path, ".part") : NULL;
    if (part != NULL) {
        out->lock = open(part, O_RDONLY | O_CLOEXEC);
        if (out->lock >= 0)
            flock(out->lock, LOCK_EX | LOCK_NB);
        free(part);
    }
    if (folder >= 0)
        close(folder);
    return st;
}

enum pt_status
pt_output_close(struct pt_output *out, const struct pt_end *end)
{
    if (out->writer == NULL)
        return PT_OK;
    /* Somebody may have finished a trace of this name meanwhile. */
    if (what_is(out->path) == TRACE) {
        struct pt_error error;
        move_aside(out->path, ".old", &error);
    }
    struct pt_error error = {.status = PT_OK};
    enum pt_status st = pt_writer_close(out->writer, end, &error);
    if (st != PT_OK && out->error.status == PT_OK)
        out->error = error;
    out->writer = NULL;
    return st;
}

void
pt_output_clear(struct pt_output *out)
{
    pt_writer_abandon(out->writer);
    free(out->path);
    if (out->lock >= 0)
        close(out->lock);
    *out = (struct pt_output){.lock = -1};
}
