/* A small JSON writer: one document, commas and nesting kept by itself.
 * Thread rule: as the output it writes to. */
#ifndef PT_ANALYZE_JSON_H
#define PT_ANALYZE_JSON_H

#include "analyze/output.h"

struct pt_json {
    struct pt_out *out;
    unsigned depth;
    unsigned compact; /* from this depth on everything stands on one line */
    bool first;       /* nothing yet in the innermost container */
    bool named;       /* a key waits for its value */
    bool html;        /* it stands in a page of HTML: strings hold no "<" */
};

void pt_json_init(struct pt_json *, struct pt_out *, unsigned compact);
/* Ends the document with a newline. */
void pt_json_finish(struct pt_json *);
/* `bracket` is '{' or '[', and the closing one for _close. */
void pt_json_open(struct pt_json *, char bracket);
void pt_json_close(struct pt_json *, char bracket);
void pt_json_key(struct pt_json *, const char *key);
void pt_json_key_str(struct pt_json *, struct pt_str key);
void pt_json_text(struct pt_json *, const char *);
void pt_json_str(struct pt_json *, struct pt_str);
void pt_json_i64(struct pt_json *, int64_t);
void pt_json_u64(struct pt_json *, uint64_t);
void pt_json_fixed(struct pt_json *, double, int digits);
/* With as many digits as reading it back takes. */
void pt_json_double(struct pt_json *, double);
/* n / 1000 with three decimals, exactly: nanoseconds as microseconds. */
void pt_json_micros(struct pt_json *, int64_t n);
void pt_json_bool(struct pt_json *, bool);
void pt_json_null(struct pt_json *);

/* A key and its value; _maybe writes null where the value is not known. */
void pt_json_member_str(struct pt_json *, const char *key, struct pt_str);
void pt_json_member_text(struct pt_json *, const char *key, const char *);
void pt_json_member_u64(struct pt_json *, const char *key, uint64_t);
void pt_json_member_i64(struct pt_json *, const char *key, int64_t);
void pt_json_member_bool(struct pt_json *, const char *key, bool);
void pt_json_maybe_u64(struct pt_json *, const char *key, bool known, uint64_t);
void pt_json_maybe_i64(struct pt_json *, const char *key, bool known, int64_t);

/* A string with its quotes: UTF-8 as it is, lone surrogates of WTF-8 as \udXXX,
 * anything else as \ufffd. */
void pt_json_quote(struct pt_out *, struct pt_str);

#endif
