/* Starting the program: which interpreter, with which words and environment,
 * and a child that is what the user's shell would have started.
 * Thread rule: the main thread, before it makes another one. */
#ifndef PT_RECORD_LAUNCH_H
#define PT_RECORD_LAUNCH_H

#include "record/options.h"
#include "record/proto.h"
#include "record/signals.h"

#include <sys/resource.h>

enum { PT_LIMITS = 5 };

struct pt_launch {
    char *file;  /* the interpreter, as exec wants it */
    char **argv; /* its words; argv[0] as a shell would give it */
    char **envp;
    char *preload;             /* the words that envp owns ... */
    char word[PT_ENV_LONGEST]; /* ... the second to be written by the child */
    const char *socket;        /* borrowed */
    bool alone;                /* --no-children */
    int *inherited;            /* descriptors above 2 that ptrec was given */
    size_t inherited_count;
    struct rlimit limits[PT_LIMITS]; /* as inherited */
};

/* Notes what ptrec inherited and lifts its own limits to the hard ones; to be
 * called before anything is opened. */
void pt_launch_init(struct pt_launch *);
void pt_launch_clear(struct pt_launch *);

/* Finds the interpreter: --python, else $VIRTUAL_ENV/bin/python, else python3
 * on PATH.  PT_ENOTFOUND with a sentence. */
enum pt_status pt_launch_find(struct pt_launch *, const struct pt_options *,
                              struct pt_error *error);

/* Becomes the interpreter, with the program's words and nothing of ours.
 * Returns only when that fails. */
enum pt_status pt_launch_become(struct pt_launch *, const struct pt_options *,
                                struct pt_error *error);

/* Puts words and environment together; `socket` is the collector's.  PT_EIO
 * when the shim is not where it should be. */
enum pt_status pt_launch_prepare(struct pt_launch *, const struct pt_options *,
                                 const char *socket, struct pt_error *error);

/* Forks and executes.  PT_ENOTFOUND when the file cannot be executed, PT_EIO
 * when there is no process to be had.  After it ptrec holds none of the
 * descriptors it was given but standard error. */
enum pt_status pt_launch_start(struct pt_launch *, const struct pt_signals *,
                               pid_t *child, struct pt_error *error);

#endif
