/* All that ptrec prints: lines on standard error that start with "ptrec: ",
 * the sentences kept for the summary, and help on standard output.
 * Thread rule: the main thread's. */
#ifndef PT_RECORD_SAY_H
#define PT_RECORD_SAY_H

#include <stdbool.h>
#include <stddef.h>

/* One line on standard error, written at once. */
void pt_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text on standard output, where the user asked for it: help, versions. */
void pt_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum { PT_NOTE_LIMIT = 32, PT_NOTE_TEXT = 256 };

/* Sentences for the summary, each once; beyond PT_NOTE_LIMIT they are only
 * counted, so that a program cannot fill ptrec's memory with them. */
struct pt_notes {
    char (*text)[PT_NOTE_TEXT];
    size_t count;
    size_t more;
    bool no_remarks; /* --quiet: what a recorded process remarks is left out */
};

void pt_notes_add(struct pt_notes *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pt_notes_print(const struct pt_notes *);
void pt_notes_clear(struct pt_notes *);

#endif
