/* The texts of source files, read by the collector when a code object first
 * names them.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_SOURCE_H
#define PT_RECORD_SOURCE_H

#include "record/syntaxer.h"

enum { PT_SOURCE_LIMIT = 16 << 20 }; /* a longer file is left out */

/* The files that one process named.  `command` is borrowed. */
struct pt_sources {
    struct pt_source_entry *entries;
    size_t count, room;           /* room is a power of two */
    char *cwd;                    /* what relative names are relative to */
    const char *command;          /* text of -c, for "<string>" */
    struct pt_syntaxer *syntaxer; /* borrowed; NULL: none is made */
    uint32_t interpreter;         /* whose syntax, trace-wide id */
};

void pt_sources_init(struct pt_sources *, const char *command);
void pt_sources_clear(struct pt_sources *);
enum pt_status pt_sources_cwd(struct pt_sources *, struct pt_str cwd);

/* The trace-wide id of the source of a code object of file `file` called
 * `name`; 0 where the file has no text, cannot be read, is no regular file or
 * is too long.  Each file is read once. */
enum pt_status pt_sources_find(struct pt_sources *, struct pt_writer *,
                               struct pt_str file, struct pt_str name,
                               uint32_t *id);

#endif
