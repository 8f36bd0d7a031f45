/* Content to id: a hash table from the XXH3-128 of a definition's encoded
 * content to the id it was given.  The content itself is not kept; two that
 * share all 128 bits count as equal.
 * Thread rule: a table belongs to one thread. */
#ifndef PT_FORMAT_INTERN_H
#define PT_FORMAT_INTERN_H

#include <pt/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_intern {
    struct pt_intern_slot *slots;
    size_t size;    /* a power of two, or 0 */
    uint32_t count; /* ids given: 1..count */
};

void pt_intern_clear(struct pt_intern *);

/* The id of `content`; *fresh tells whether it was given just now. */
enum pt_status pt_intern_add(struct pt_intern *, const void *content,
                             size_t len, uint32_t *id, bool *fresh);

#endif
