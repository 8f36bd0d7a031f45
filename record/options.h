/* The command line of `ptrec run`.
 *
 * ptrec's own options and the interpreter's may stand in any order before the
 * program; the first of FILE, -m MODULE, -c CODE and - ends them, and all
 * that follows is the program's.
 * Thread rule: plain data; strings are argv's own. */
#ifndef PT_RECORD_OPTIONS_H
#define PT_RECORD_OPTIONS_H

#include "record/events.h"
#include "record/filters.h"
#include "record/proto.h"
#include "record/syntaxer.h"

#include <pt/status.h>

#include <stddef.h>

struct pt_options {
    const char *python; /* --python, or NULL */
    const char *output; /* -o, default trace.ptr */
    const struct pt_preset *preset;
    uint32_t events; /* bit per kind */
    double quantum;  /* ns; default: the preset's */
    int level;       /* zstd */
    struct pt_filters filters;
    uint32_t values; /* enum pt_values */
    uint32_t value_depth, value_length, value_bytes;
    const char *redact;       /* a regular expression, "" for none */
    enum pt_syntax_of syntax; /* default: PT_SYNTAX_NONE */
    bool force, drop, quiet, progress, no_wait, alone, help;
    /* What the interpreter is started with, after its name.  `flags` were
     * ours to find, `program` starts at the script, -m, -c or -. */
    char **flags;
    int nflags;
    char **program;
    int nprogram;
    const char *command; /* the text after -c, or NULL */
};

/* Reads argv[0..argc-1], the arguments after "run".  PT_EUSAGE with one
 * sentence.  Release with pt_options_clear() in either case. */
enum pt_status pt_options_parse(struct pt_options *, int argc, char **argv,
                                struct pt_error *error);
void pt_options_clear(struct pt_options *);

/* What a log's header says of the values that are recorded; "" of none. */
const char *pt_options_values(const struct pt_options *);

/* The help of `ptrec run`'s options, a line each, by index: how it is written
 * and what it does; false after the last. */
bool pt_options_describe(unsigned i, char *name, size_t size,
                         const char **help);

#endif
