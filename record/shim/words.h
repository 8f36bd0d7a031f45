/* What ptrec's processes hand on to the programs they start: LD_PRELOAD with
 * the shim in it, and PT_ENV (record/proto.h).
 *
 * A program never sees them: they are taken out before it reads its
 * environment, and put back into the environment of whatever it starts.
 * Thread rule: pt_words_take() once, before there are threads; what puts back
 * only reads, and may run between vfork() and exec. */
#ifndef PT_SHIM_WORDS_H
#define PT_SHIM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pt_words {
    bool known;      /* this process belongs to a recording ... */
    bool pass;       /* ... and hands it on to what it starts */
    bool alone;      /* --no-children */
    pid_t main;      /* the process that ptrec itself starts, 0 none */
    uint64_t parent; /* number of the recorded process that started us */
    char socket[64];
    char shim[4096]; /* our own path, as LD_PRELOAD has it */
};
extern struct pt_words pt_words;

/* The number of this process for those that it starts, asked each time; NULL
 * while it is not recorded itself. */
extern uint64_t (*pt_words_number)(void);

/* Reads our words in `environ`, and takes them out. */
void pt_words_take(void);

/* Bytes that pt_words_put() needs to put them into `envp` (NULL: empty); 0
 * where `envp` is to be left as it is. */
size_t pt_words_room(char *const envp[]);

/* Builds that environment in `room`; it borrows the strings of `envp`. */
char **pt_words_put(void *room, char *const envp[]);

#endif
