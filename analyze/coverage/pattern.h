/* Regular expressions and globs, as coverage.py's configuration has them: those
 * of Perl, which Python's re shares but for rare corners.  The one place that
 * sees PCRE2.
 * Thread rule: a set belongs to one thread. */
#ifndef PT_ANALYZE_COVERAGE_PATTERN_H
#define PT_ANALYZE_COVERAGE_PATTERN_H

#include <pt/log.h>

#include <stdbool.h>

struct pt_patterns; /* a set, of which any may match */

/* PT_EUSAGE with a sentence for a pattern that is none; PT_ENOMEM. */
enum pt_status pt_patterns_new(const char *const *patterns, size_t n,
                               struct pt_error *error,
                               struct pt_patterns **out);
/* Globs of paths: * and ? stand for what is within a name, ** for any folders;
 * one without a slash matches a name in any folder, another the whole path,
 * and, where it begins with no wildcard, from folder `cwd` on as well. */
enum pt_status pt_patterns_globs(const char *const *globs, size_t n,
                                 const char *cwd, struct pt_error *error,
                                 struct pt_patterns **out);
void pt_patterns_free(struct pt_patterns *);

/* The first match at `from` or behind it, in a text of many lines, whose ends
 * ^ and $ mean, too.  Bytes that are no UTF-8 match nothing.  One that takes
 * more steps than PCRE2 allows for counts as none. */
bool pt_patterns_find(const struct pt_patterns *, struct pt_str text,
                      size_t from, size_t *begin, size_t *end);
bool pt_patterns_match(const struct pt_patterns *, struct pt_str text);

#endif
