/* Which part of a program a recording, or a report, is about: rules that
 * choose code objects, by file and by function.  ptrec run, the recorder and
 * ptana have them in common, so that a rule means the same everywhere.
 *
 *   source=DIR|PACKAGE   below that directory, or of that package
 *   include=GLOB         whose file or function matches
 *   exclude=GLOB         ... unless it matches
 *   exclude-stdlib       not of the standard library
 *   only=FUNCTION        the functions so called
 *   function=FUNCTION    these, and all they call, while they are on the stack
 *   max-depth=N          of these, the N outermost of a stack
 *   start-at=FUNCTION    from when that function is first entered, or ...
 *   start-at=FILE:LINE   ... that line first reached
 *
 * A code object is chosen if it is in one of the sources, matches one of the
 * includes and one of the onlys, where there are such, and none of the
 * excludes.  What is not chosen is opaque: what it calls stands on the nearest
 * frame that is.
 *
 * A GLOB (fnmatch(3); * crosses slashes) matches a file's name from its start
 * or from behind any slash, and a function's name, whole or what follows its
 * last dot.  A FUNCTION is a glob of such a name, MODULE.NAME, or FILE:LINE:
 * the function that begins at that line or has code there.
 * Thread rule: plain data; nothing is allocated. */
#ifndef PT_CHOICE_H
#define PT_CHOICE_H

#include <pt/log.h>

#include <stdbool.h>

#define PT_RULES(X)                                                            \
    X(SOURCE, "source")                                                        \
    X(INCLUDE, "include")                                                      \
    X(EXCLUDE, "exclude")                                                      \
    X(EXCLUDE_STDLIB, "exclude-stdlib")                                        \
    X(ONLY, "only")                                                            \
    X(FUNCTION, "function")                                                    \
    X(MAX_DEPTH, "max-depth")                                                  \
    X(START_AT, "start-at")

enum pt_rule_kind {
#define X(id, name) PT_RULE_##id,
    PT_RULES(X)
#undef X
        PT_RULE_LIMIT
};

enum {
    PT_RULE_TEXT = 4096,      /* a rule's bytes, its NUL counted */
    PT_DEPTH_LIMIT = 1 << 20, /* the largest max-depth */
};

struct pt_rule {
    uint8_t kind;      /* enum pt_rule_kind */
    const char *value; /* "" of exclude-stdlib */
};

/* The rule that "NAME=VALUE" or "NAME" says, its value within that text; false
 * for what is none. */
bool pt_rule_parse(const char *text, struct pt_rule *out);
const char *pt_rule_name(unsigned kind);

/* What is wrong with a value, as the end of a sentence that names it; NULL if
 * nothing is. */
const char *pt_rule_fault(const struct pt_rule *);

/* The source that `value` means in directory `cwd`: a directory's absolute
 * name, or, where it holds no slash and `directory` is false, the package as it
 * stands.  False where `out` is too small. */
bool pt_rule_source(const char *value, struct pt_str cwd, bool directory,
                    char *out, size_t size);

/* What rules ask of a code object. */
struct pt_candidate {
    struct pt_str file, name, qualname, linetable;
    uint32_t firstline;
    struct pt_str stdlib; /* where its standard library lies, "" unknown */
    /* Whether code nested in `code` begins at `line`. */
    bool (*nests)(const void *code, uint32_t line);
    const void *code;
};

struct pt_choice {
    const struct pt_rule *rules;
    size_t n;
    struct pt_str cwd; /* which relative file names are in */
};

bool pt_choice_has(const struct pt_choice *, enum pt_rule_kind);
/* Whether the code object is chosen: all rules but function, max-depth and
 * start-at. */
bool pt_choice_takes(const struct pt_choice *, const struct pt_candidate *);
/* Whether it is one that a rule `kind` (function) names. */
bool pt_choice_names(const struct pt_choice *, enum pt_rule_kind kind,
                     const struct pt_candidate *);
/* Whether a start-at is `line` of the code object, or, where that is 0, names
 * it as a function. */
bool pt_choice_starts(const struct pt_choice *, const struct pt_candidate *,
                      uint32_t line);
/* Whether a start-at is a line that the code object has. */
bool pt_choice_starts_within(const struct pt_choice *,
                             const struct pt_candidate *);
/* Whether some start-at is a line. */
bool pt_choice_starts_line(const struct pt_choice *);
/* The value of max-depth; PT_DEPTH_LIMIT where there is none. */
uint32_t pt_choice_depth(const struct pt_choice *);

/* Whether a FUNCTION names a code object. */
bool pt_match_function(const char *pattern, const struct pt_candidate *);
/* "FILE:LINE": the line, and how long FILE is; 0 for a name. */
uint32_t pt_match_line(const char *pattern, size_t *file);
/* Whether a glob matches a file's name, as GLOB above. */
bool pt_match_file(const char *pattern, size_t len, struct pt_str file);
/* Whether the table of a code object has instructions of a line. */
bool pt_match_has_line(const struct pt_candidate *, uint32_t line);

/* Whether a glob matches a name, whole or what follows its last dot. */
bool pt_glob_name(const char *pattern, struct pt_str name);
/* ... or a code object, by its names or its file. */
bool pt_glob_code(const char *pattern, const struct pt_code *);

#endif
