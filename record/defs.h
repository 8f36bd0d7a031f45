/* A process's definitions: gathers the messages of its definitions ring,
 * hands them to the writer, and keeps which trace-wide id each local id got.
 *
 * A message may be longer than the ring, so bytes are gathered until it is
 * whole.  Memory follows what was sent, never what a length claims.
 * Thread rule: the collector's main thread. */
#ifndef PT_RECORD_DEFS_H
#define PT_RECORD_DEFS_H

#include "record/arena.h"
#include "record/say.h"
#include "record/source.h"

#include <pt/writer.h>

/* Trace-wide ids by local id; 0 where there is none. */
struct pt_idmap {
    uint32_t *to;
    uint32_t limit;
};

static inline uint32_t
pt_idmap_find(const struct pt_idmap *map, uint32_t id)
{
    return id < map->limit ? map->to[id] : 0;
}

struct pt_defs {
    uint64_t tail;        /* bytes of the ring that were taken */
    unsigned char *bytes; /* the message being gathered */
    size_t have, room;
    struct pt_idmap codes, callables, types, tasks;
    uint32_t interpreter; /* trace-wide ids; 0 until told */
    uint32_t process;
    bool costed;     /* its costs were told */
    uint32_t pid;    /* from the socket, not from the message */
    uint32_t parent; /* trace-wide id of the parent process */
    int64_t joined;  /* ns */
    struct pt_sources sources;
    struct pt_notes *notes; /* borrowed: the recording's */
    char name[64];          /* of the executable, for messages */
};

/* `command` is the text after -c of the process that ptrec started, else NULL
 * (borrowed). */
void pt_defs_init(struct pt_defs *, uint32_t pid, uint32_t parent,
                  int64_t joined, struct pt_notes *notes, const char *command);
void pt_defs_clear(struct pt_defs *);

/* Of a forked child, before its first message: its interpreter, and the ids
 * that its parent had until then, copied up to `known`. */
enum pt_status pt_defs_inherit(struct pt_defs *, uint32_t interpreter,
                               const struct pt_idmap ids[PT_KNOWN],
                               const uint32_t known[PT_KNOWN]);
/* Hands the ids over to the caller, by enum pt_known. */
void pt_defs_take_ids(struct pt_defs *, struct pt_idmap out[PT_KNOWN]);

/* Takes all that has been committed, and gives the ring's space back.
 * PT_EDAMAGED: the process broke the protocol, `error` says how; other
 * failures are the writer's or PT_ENOMEM. */
enum pt_status pt_defs_take(struct pt_defs *, const struct pt_arena_map *,
                            struct pt_writer *, struct pt_error *error);

#endif
