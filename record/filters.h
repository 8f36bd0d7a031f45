/* The rules of a recording (<pt/choice.h>), from the command line to what the
 * recorder and the header of the log get.
 * Thread rule: plain data. */
#ifndef PT_RECORD_FILTERS_H
#define PT_RECORD_FILTERS_H

#include "record/proto.h"

#include <pt/choice.h>

/* All zero is none. */
struct pt_filters {
    char text[PT_FILTER_TEXT]; /* struct pt_config.filters */
    size_t used;               /* bytes of it */
    struct pt_str *list;       /* the rules in it */
    size_t n;
};

/* Adds the rule that an option says.  Sources that are directories are looked
 * up, and stored by their names with and without symbolic links.  PT_EUSAGE
 * with a sentence where the value makes no sense or there are too many. */
enum pt_status pt_filters_add(struct pt_filters *, enum pt_rule_kind,
                              const char *value, struct pt_error *error);
void pt_filters_clear(struct pt_filters *);

bool pt_filters_have(const struct pt_filters *, enum pt_rule_kind);

/* The options that say it, as far as `out` has room. */
void pt_filters_tell(const struct pt_filters *, char *out, size_t size);

#endif
