/* The tokens of an expression.  Inner header of analyze/expression.
 * Thread rule: as expression.h. */
#ifndef PT_EXPRESSION_LEXER_H
#define PT_EXPRESSION_LEXER_H

#include "analyze/expression/node.h"

enum pt_token_kind {
    PT_TOKEN_END,
    PT_TOKEN_NAME,  /* text; a keyword is one too */
    PT_TOKEN_VALUE, /* a number or a string: value */
    PT_TOKEN_SIGN   /* an operator, bracket or comma: text */
};

struct pt_token {
    uint8_t kind; /* enum pt_token_kind */
    struct pt_str text;
    struct pt_value value;
};

struct pt_lexer {
    const char *at, *end;
    struct pt_arena *memory;
    const char *failed; /* a phrase; NULL all is well */
    struct pt_token token;
};

/* Reads the next token into `token`; false when it failed. */
bool pt_lexer_next(struct pt_lexer *);

#endif
