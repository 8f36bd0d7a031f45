/* The values of a trace: what each value event tells, and what a variable of a
 * frame held at a moment.
 *
 * A value is read from the chunk it was recorded in, and, where it says that
 * nothing has changed, from where it was told; a few chunks are kept.
 * Thread rule: a handle belongs to one thread; the trace may be shared. */
#ifndef PT_VALUES_H
#define PT_VALUES_H

#include <pt/reader.h>
#include <pt/value.h>

struct pt_values;

/* The trace is borrowed.  PT_ENOMEM. */
enum pt_status pt_values_new(const struct pt_trace *, struct pt_values **out);
void pt_values_free(struct pt_values *);

/* NULL where values were recorded at `level`, else what is missing, as a
 * phrase: arguments and results of calls, or also variables. */
enum pt_values_level { PT_LEVEL_CALLS, PT_LEVEL_LOCALS };
const char *pt_values_lacks(const struct pt_trace *, enum pt_values_level);

/* --- one event's value ---------------------------------------------------- */

/* A value event and its value.  It is independent of the handle. */
struct pt_recorded {
    struct pt_value value;
    uint64_t seq;  /* of the event */
    uint64_t told; /* of the one that tells it: another where nothing had
                      changed since; UINT64_MAX unknown */
    uint32_t process, thread; /* trace-wide ids */
    uint32_t off;
    uint32_t index; /* of the variable, by its role */
    uint8_t role;   /* enum pt_value_role */
};

/* The value of the event `seq`; _free it.  PT_ENOTFOUND where that is no value
 * event, PT_EDAMAGED where its chunk of events cannot be read, PT_ENOMEM.  A
 * value that is not there, or makes no sense, is PT_VALUE_LOST. */
enum pt_status pt_values_get(struct pt_values *, uint64_t seq,
                             struct pt_recorded **out);
void pt_recorded_free(struct pt_recorded *); /* NULL is fine */

/* How many records were found to make no sense, or to be missing.  One that
 * does not say where it was told, as after a gap, is none of them. */
uint64_t pt_values_lost(const struct pt_values *);

#endif
