/* `ptrec run`: records one program.
 * Thread rule: the main thread, once. */
#ifndef PT_RECORD_RUN_H
#define PT_RECORD_RUN_H

/* `argv` is ptrec's own.  Returns the exit status, or does not return when
 * the program died by a signal. */
int pt_run(int argc, char **argv);

/* The help text, on standard output. */
void pt_run_help(void);

#endif
