/* The processes of a recording, by number: who is whose child, and which local
 * ids a forked child inherits, also from a parent that has ended meanwhile.
 *
 * A number is given when a process joins, counts from 1, and travels with what
 * the process starts.  Of a process that has ended its ids are kept, those of
 * the latest up to PT_FAMILY_BYTES.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_FAMILY_H
#define PT_RECORD_FAMILY_H

#include "record/tracee.h"

enum { PT_FAMILY_BYTES = 64 << 20 };

struct pt_kin {
    struct pt_tracee *live; /* NULL once it has ended */
    uint32_t process;       /* trace-wide ids, 0 never told */
    uint32_t interpreter;
    struct pt_idmap ids[PT_KNOWN]; /* of one that has ended */
};

struct pt_family {
    struct pt_kin *kin; /* number n is at n - 1 */
    size_t count, room;
    size_t forgotten; /* those below this have no ids any more */
    size_t bytes;     /* of the ids of those that have ended */
};

/* A process that joins; its number goes to t->number. */
enum pt_status pt_family_add(struct pt_family *, struct pt_tracee *t);

/* The process of that number, NULL where there is none. */
const struct pt_kin *pt_family_find(const struct pt_family *, uint64_t number);

/* Gives the definitions of a forked child what its parent, by number, knew at
 * the fork.  PT_ENOTFOUND where nobody can tell any more. */
enum pt_status pt_family_inherit(const struct pt_family *, uint64_t parent,
                                 const uint32_t known[PT_KNOWN],
                                 struct pt_defs *child);

/* A process has ended, and is about to be released. */
void pt_family_end(struct pt_family *, struct pt_tracee *t);

void pt_family_clear(struct pt_family *);

#endif
