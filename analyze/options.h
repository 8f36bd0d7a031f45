/* Declarative command-line options: a table per group, no code per option.
 * Thread rule: plain data; pt_arguments_parse() is reentrant. */
#ifndef PT_ANALYZE_OPTIONS_H
#define PT_ANALYZE_OPTIONS_H

#include <pt/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pt_option_type {
    PT_OPTION_FLAG,   /* bool */
    PT_OPTION_TEXT,   /* const char * */
    PT_OPTION_CHOICE, /* const char *, one of `arg`'s words "a|b|c" */
    PT_OPTION_COUNT,  /* uint64_t, decimal */
    PT_OPTION_LIST,   /* struct pt_text_list: may be given again */
    PT_OPTION_PAIRS,  /* the same, each value behind its option's name: several
                         options have one list, in the order of their words */
};

struct pt_text_list {
    const char **items; /* owned; the strings are argv's */
    size_t n;
};

struct pt_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* for -x, 0 none */
    enum pt_option_type type;
    size_t offset;    /* of the value in the group's structure */
    const char *arg;  /* what the value is called in the help, or the choices */
    const char *help; /* one sentence */
};

/* A table together with the structure that its offsets mean. */
struct pt_option_group {
    const struct pt_option *options;
    void *values;
};

/* Parses argv[0..argc): --name=value, --name value, -x value, --flag, and
 * -name where no letter begins it; "--" ends the options.  At most `most`
 * operands are added to the caller's list.  PT_EUSAGE with one sentence in
 * `error`, which names the nearest option where one is. */
enum pt_status pt_arguments_parse(const struct pt_option_group *groups,
                                  size_t n, int argc, char **argv,
                                  struct pt_text_list *operands, size_t most,
                                  struct pt_error *error);
/* Releases the lists. */
void pt_arguments_clear(const struct pt_option_group *groups, size_t n);

/* Whether `word` is one of "a|b|c". */
bool pt_word_among(const char *words, const char *word);
/* How far apart two words are: edits of one letter, neighbours swapped. */
unsigned pt_word_distance(const char *a, const char *b);

#endif
