/* The syntax of the program's own sources, made beside it: a thread hands the
 * texts, as code objects name them, to an interpreter of the program's version
 * that parses (syntax/parser.h), at a lower priority than the program's.
 *
 * Everything here may fail without harm: then there is no syntax for a source,
 * and ptana makes it when it needs it.
 * Thread rule: the collector's main thread calls; it starts one thread, with
 * the first text. */
#ifndef PT_RECORD_SYNTAXER_H
#define PT_RECORD_SYNTAXER_H

#include "record/say.h"

#include <pt/writer.h>

/* For which sources. */
enum pt_syntax_of {
    PT_SYNTAX_NONE,
    PT_SYNTAX_OWN, /* neither of the standard library nor installed */
    PT_SYNTAX_ALL
};

struct pt_syntaxer;

/* *out is NULL for PT_SYNTAX_NONE; everything below does nothing then. */
enum pt_status pt_syntaxer_new(enum pt_syntax_of, struct pt_syntaxer **out);
/* Ends the thread and its interpreter, whatever is under way. */
void pt_syntaxer_free(struct pt_syntaxer *);

/* An interpreter of the trace, whose id texts name.  Told again, it is known.
 */
void pt_syntaxer_interpreter(struct pt_syntaxer *, uint32_t id,
                             const struct pt_interpreter *);

/* A source has been given its id; its text is copied if it is to be parsed, and
 * has not been for this version. */
void pt_syntaxer_offer(struct pt_syntaxer *, uint32_t interpreter, uint32_t id,
                       const struct pt_source *);

/* Writes what has been made since the last call.  What the writer returned. */
enum pt_status pt_syntaxer_collect(struct pt_syntaxer *, struct pt_writer *);

/* Readable when there is something to collect; -1 without a syntaxer. */
int pt_syntaxer_fd(const struct pt_syntaxer *);
/* Texts that wait, or are being parsed. */
size_t pt_syntaxer_waiting(struct pt_syntaxer *);

/* Somebody waits for what is left: it is made at our own priority. */
void pt_syntaxer_hurry(struct pt_syntaxer *);

/* What it could not do, in at most a sentence each. */
void pt_syntaxer_tell(struct pt_syntaxer *, struct pt_notes *);

#endif
