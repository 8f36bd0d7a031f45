/* What the files of the fuzzer share.
 * Thread rule: one thread. */
#ifndef PT_FUZZ_H
#define PT_FUZZ_H

#include <pt/reader.h>

/* Something that must hold does not. */
void broken(const char *what);

/* Walks, counts, and moves through a trace, and compares what each of them
 * tells. */
void fuzz_replay(const struct pt_trace *);

#endif
