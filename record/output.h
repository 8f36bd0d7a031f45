/* The trace file: which name it gets, and that nothing is lost that was there
 * before.
 *
 *   FILE is free or empty             used
 *   FILE is a trace                   it becomes FILE.old when recording begins
 *   FILE is another regular file      refused; replaced with --force
 *   FILE is anything else             refused
 *   FILE.part of a living ptrec       this one writes FILE.PID.ptr
 *   FILE.part of a dead one           becomes FILE.part.old
 *
 * A living ptrec holds a lock on its .part; the folder is locked while names
 * are looked at and taken.
 * Thread rule: the main thread. */
#ifndef PT_RECORD_OUTPUT_H
#define PT_RECORD_OUTPUT_H

#include "record/say.h"

#include <pt/writer.h>

struct pt_output {
    const char *wanted; /* -o's value, borrowed */
    char *path;         /* what it became */
    bool force;
    int level;
    int lock; /* a descriptor of the .part, -1 none */
    struct pt_writer *writer;
    struct pt_error error; /* why writing failed, status PT_OK if not */
};

/* Looks whether FILE can be written, before the program starts: PT_EUSAGE
 * when another file is there, PT_EIO when the folder refuses. */
enum pt_status pt_output_init(struct pt_output *, const char *wanted,
                              bool force, int level, struct pt_error *error);

/* Takes the names and opens the writer; output->writer is there after. */
enum pt_status pt_output_open(struct pt_output *, const struct pt_header *,
                              struct pt_notes *notes);

/* Closes the trace.  After a failed write the writer closes what was written
 * before; where even that fails, the .part stays. */
enum pt_status pt_output_close(struct pt_output *, const struct pt_end *);

void pt_output_clear(struct pt_output *);

#endif
