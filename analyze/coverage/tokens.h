/* Strings, comments and keywords of Python, as far as colours need them: any
 * text is taken, and what is no Python is plain at worst.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_COVERAGE_TOKENS_H
#define PT_ANALYZE_COVERAGE_TOKENS_H

#include <pt/log.h>

#include <stdbool.h>

/* What a line leaves open for the next. */
struct pt_cov_tokens {
    char quote; /* of an open string; 0 none */
    bool triple;
};

/* Stores an enum pt_cov_token (view.h) for each byte of the line. */
void pt_cov_tokens_line(struct pt_cov_tokens *, struct pt_str line,
                        uint8_t *tokens);

#endif
