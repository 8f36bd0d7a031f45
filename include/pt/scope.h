/* What the variables of a frame held at a moment, and where they got it.
 *
 * A frame's value events are found by going through the chunks of its thread,
 * backwards or forwards, but for those that the index of variables says have
 * none.  What a generator told while another thread ran it is not found.
 * Thread rule: as the handle's. */
#ifndef PT_SCOPE_H
#define PT_SCOPE_H

#include <pt/values.h>

/* A frame, as a history or a keyframe tells of it. */
struct pt_scope {
    uint32_t thread; /* trace-wide id */
    uint32_t code;
    uint64_t key;     /* 0 where it cannot be suspended */
    uint64_t entered; /* seq of the event that entered it last; UINT64_MAX
                         unknown */
    size_t level;     /* Python frames below it */
};

struct pt_scopes;

/* Values and trace are borrowed.  PT_ENOMEM. */
enum pt_status pt_scopes_new(const struct pt_trace *, struct pt_values *,
                             struct pt_scopes **out);
void pt_scopes_free(struct pt_scopes *);

/* A value event of a frame. */
struct pt_scope_value {
    uint64_t seq;
    uint32_t dst; /* role << PT_ROLE_SHIFT | index */
    bool gap;     /* events are missing between it and where one looked from:
                     the variable may have been set since */
};

/* The last of variable `dst` that is not behind `seq`, and the first that is.
 * PT_ENOTFOUND where there is none, PT_ENOMEM, or what is wrong with the
 * machine; damaged chunks count as gaps. */
enum pt_status pt_scope_last(struct pt_scopes *, const struct pt_scope *,
                             uint32_t dst, uint64_t seq,
                             struct pt_scope_value *out);
enum pt_status pt_scope_next(struct pt_scopes *, const struct pt_scope *,
                             uint32_t dst, uint64_t seq,
                             struct pt_scope_value *out);

/* The last of each of the frame's variables (roles LOCAL and NAME) that is not
 * behind `seq`: an array by dst, borrowed until the next call. */
enum pt_status pt_scope_all(struct pt_scopes *, const struct pt_scope *,
                            uint64_t seq, const struct pt_scope_value **out,
                            size_t *n);

#endif
