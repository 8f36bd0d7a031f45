/* What an analyzer is, and the session it runs in.
 *
 * An analyzer is one file that exports one struct pt_analyzer, and one line in
 * table.c.  Options, help, man page and completion come from its structure; it
 * prints through the session's output only, and never exits. */
#ifndef PT_ANALYZE_ANALYZER_H
#define PT_ANALYZE_ANALYZER_H

#include "analyze/options.h"
#include "analyze/output.h"

#include <pt/replay.h>

/* Exit codes of ptana. */
enum pt_exit {
    PT_EXIT_OK = 0,
    PT_EXIT_THRESHOLD = 1, /* a demand of the user's is not met */
    PT_EXIT_USAGE = 2,
    PT_EXIT_DAMAGED = 3, /* no trace, or damaged */
    PT_EXIT_SYSTEM = 4,
};

/* Options that several analyzers have; each group is taken by its flag. */
struct pt_common {
    const char *format, *output, *color;
    uint64_t width;
    bool strict, help, force;
    const char *from, *to;
    struct pt_text_list threads, processes;
    struct pt_text_list rules[PT_RULE_LIMIT]; /* by enum pt_rule_kind */
    bool exclude_stdlib;
};
enum pt_takes {
    PT_TAKES_RANGE = 1,   /* --from --to */
    PT_TAKES_THREADS = 2, /* --thread --process */
    PT_TAKES_RULES = 4,   /* --source --include ...: the filters of ptrec run */
    PT_TAKES_FORMAT = 8,  /* --format, and -o for the report */
    PT_TAKES_TEXT = 16,   /* --color --width */
    PT_TAKES_FRAMES = 32, /* of the rules those about frames: --only ... */
    PT_TAKES_TRACES = 64, /* several traces */
};

/* A trace beside the first, what of it is meant, and what ails it. */
struct pt_input {
    struct pt_trace *trace;
    struct pt_filter *filter;
    struct pt_trouble trouble;
};

struct pt_session {
    const struct pt_analyzer *self;
    struct pt_common common;
    void *config; /* the analyzer's own options */
    struct pt_trace *trace;
    struct pt_filter *filter;
    struct pt_input *more; /* the second trace and those behind it */
    size_t nmore;
    struct pt_input other;     /* as pt_session_other() opened it */
    struct pt_out *out;        /* NULL where `takes` has no PT_TAKES_FORMAT,
                                  and of a format that writes a folder */
    struct pt_trouble trouble; /* filled by the analyzer, told at the end */
    struct pt_error error;     /* of the status that run() returned */
    enum pt_exit verdict;      /* with PT_OK: what the analyzer found */
};

struct pt_analyzer {
    const char *name;
    const char *summary; /* a few words, for the list */
    const char
        *description;     /* paragraphs for help and man page, parted by \n */
    const char *examples; /* lines "command # what it does" */
    const struct pt_option *options; /* own ones; NULL none */
    size_t config_size;  /* of the structure they fill, zeroed before */
    unsigned takes;      /* enum pt_takes */
    const char *formats; /* "text|json": the first is the default */
    const char *folder;  /* that of them whose -o is a folder: no `out` */
    bool mends;          /* a torn or damaged trace is what it is for */
    bool opens;          /* it opens traces itself; none is named to it */
    enum pt_status (*run)(struct pt_session *);
};

/* Ends with NULL. */
extern const struct pt_analyzer *const pt_analyzers[];
const struct pt_analyzer *pt_analyzer_find(const char *name);

/* Option tables of the common groups that `takes` names; returns how many were
 * stored in `groups` (room for PT_GROUPS), the analyzer's own first. */
enum { PT_GROUPS = 9 };
size_t pt_analyzer_groups(const struct pt_analyzer *, struct pt_common *,
                          void *config, struct pt_option_group *groups);

/* Runs an analyzer over its command line; prints what there is to say. */
enum pt_exit pt_session_run(const struct pt_analyzer *, int argc, char **argv);

/* Opens a trace to compare with as the session's `other`, filtered as the first
 * one is; what ails it is told of at the end, as of the others. */
enum pt_status pt_session_other(struct pt_session *, const char *path);

/* True when the session's format is `name`. */
bool pt_session_format(const struct pt_session *, const char *name);
/* Says on stderr what the report lacks, when none of `kinds` (bit per kind) was
 * asked for in the recording, and which preset records it.  True if it lacks.
 */
bool pt_session_lacks(const struct pt_session *, uint32_t kinds,
                      const char *what, const char *preset);
/* The same of calls and of their times. */
void pt_session_lacks_times(const struct pt_session *);
/* "7 events", "at least 7 events", "an unknown number of events": what the gaps
 * took; a buffer of PT_LOST_TEXT bytes. */
enum { PT_LOST_TEXT = 64 };
const char *pt_session_lost(const struct pt_trouble *, char *buffer);
/* What the reader found damaged, without the trace's name; "" nothing. */
const char *pt_session_damage(const struct pt_session *);
/* Fails the session: stores the sentence and returns the status. */
enum pt_status pt_session_fail(struct pt_session *, enum pt_status,
                               const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* help.c: to standard output, as help, as troff, as completion words. */
enum pt_status pt_help_main(struct pt_out *);
enum pt_status pt_help_analyzer(struct pt_out *, const struct pt_analyzer *);
enum pt_status pt_help_man(struct pt_out *, const struct pt_analyzer *);
enum pt_status pt_help_complete(struct pt_out *, int argc, char **argv);
/* The file name of a man page; `self` NULL for ptana's own. */
const char *pt_help_page(const struct pt_analyzer *self, char *buffer,
                         size_t size);

#endif
