/* What a lane has told, and in which record: so that a value that has not
 * changed since can name the record that tells it.
 *
 * Of each variable of the frames on the stack, and of those that are suspended,
 * the last record is kept, and of the objects that were told last.  What is
 * forgotten is told without its place.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_TOLD_H
#define PT_RECORD_TOLD_H

#include "record/shadow.h"

#include <pt/writer.h>

struct pt_told;

enum pt_status pt_told_new(struct pt_told **out);
void pt_told_free(struct pt_told *); /* NULL is fine */

/* Goes to the innermost Python frame of the lane's stack, which has one.
 * PT_ENOMEM. */
enum pt_status pt_told_enter(struct pt_told *, const struct pt_shadow *);

/* What a variable of that frame was told to be last. */
struct pt_value_place pt_told_variable(struct pt_told *, uint32_t dst);
/* The block's record of this number tells it.  PT_ENOMEM. */
enum pt_status pt_told_set(struct pt_told *, uint32_t dst, uint32_t record);

/* The same for an object; where memory is short it is forgotten. */
struct pt_value_place pt_told_object(const struct pt_told *, uint64_t number);
void pt_told_set_object(struct pt_told *, uint64_t number, uint32_t record);

/* The block was written, its first event is number `seq`. */
enum pt_status pt_told_settle(struct pt_told *, uint64_t seq);

/* Something was told that is not in the log, or in another lane. */
void pt_told_forget(struct pt_told *);
void pt_told_forget_objects(struct pt_told *);

#endif
