/* What the files of the fuzzers share.
 * Thread rule: one thread. */
#ifndef PT_FUZZ_H
#define PT_FUZZ_H

#include <pt/reader.h>

/* Something that must hold does not. */
void broken(const char *what);

/* Walks, counts, and moves through a trace, and compares what each of them
 * tells. */
void fuzz_replay(const struct pt_trace *);

/* What libFuzzer calls, and what it offers to a mutator. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size,
                                 const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#endif
