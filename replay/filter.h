/* The inside of a filter, which the files filter*.c share. */
#ifndef PT_REPLAY_FILTER_H
#define PT_REPLAY_FILTER_H

#include <pt/filter.h>

/* Stores the sentence in `error`, which may be NULL; returns the status. */
enum pt_status pt_filter_fail(struct pt_error *error, enum pt_status,
                              const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The time that the log gives event `seq`; PT_ENOTFOUND. */
enum pt_status pt_filter_time(const struct pt_trace *, uint64_t seq,
                              int64_t *time, struct pt_error *error);

/* What rules ask of a code object; borrows its argument. */
struct pt_filter_code {
    const struct pt_trace *trace;
    const struct pt_code *code;
};
struct pt_candidate pt_filter_candidate(const struct pt_filter_code *);

/* Applies the rules: which code objects, how deep, from when on. */
enum pt_status pt_filter_rules(const struct pt_trace *,
                               const struct pt_filter_spec *,
                               struct pt_filter *, struct pt_error *error);
/* --start-at, of the rules in `choice`. */
enum pt_status pt_filter_starts(const struct pt_trace *,
                                const struct pt_choice *, struct pt_filter *,
                                struct pt_error *error);

#endif
