/* Definitions: what the ids in events stand for.  The layouts are in
 * spec/format.cddl; this is both directions of them.
 * Thread rule: a struct belongs to one thread; pt_defs is read-only once its
 * trace is open. */
#ifndef PT_FORMAT_DEFS_H
#define PT_FORMAT_DEFS_H

#include "format/cbor.h"
#include "format/intern.h"

#include <pt/log.h>

/* Tags of constants; the four of ours spell "ptr" and a number. */
enum pt_tag {
    PT_TAG_BIG = 2, /* bignum, RFC 8949 */
    PT_TAG_BIG_NEGATIVE = 3,
    PT_TAG_SET = 258,             /* frozenset: array of items */
    PT_TAG_WTF8 = 273,            /* str with lone surrogates: bytes */
    PT_TAG_COMPLEX = 43000,       /* [real, imaginary] */
    PT_TAG_CODE = 0x70747200,     /* code object's id */
    PT_TAG_ELLIPSIS = 0x70747201, /* null */
    PT_TAG_SLICE = 0x70747202,    /* [start, stop, step] */
    PT_TAG_OTHER = 0x70747203,    /* name of the type */
};

/* --- writing -------------------------------------------------------------- */

/* Longest single definition, so that a chunk stays below PT_LIMIT_RAW. */
enum { PT_LIMIT_DEFINITION = 192 << 20 };

/* The definitions that wait for the next chunk, and the ids given so far. */
struct pt_defs_out {
    struct pt_buf pending; /* begins with DEFS_HEAD bytes for the head */
    size_t items;
    struct pt_buf content; /* of the definition being encoded */
    struct pt_intern strings, interpreters, sources, codes, callables, types;
    uint32_t processes, threads, tasks;
};

void pt_defs_out_clear(struct pt_defs_out *);

/* Each appends a definition unless the same content has an id already.
 * PT_EUSAGE or PT_ELIMIT leave everything as it was, PT_ENOMEM does not. */
enum pt_status pt_defs_add_string(struct pt_defs_out *, struct pt_str,
                                  uint32_t *id);
enum pt_status pt_defs_add_interpreter(struct pt_defs_out *,
                                       const struct pt_interpreter *,
                                       uint32_t *id);
enum pt_status pt_defs_add_source(struct pt_defs_out *,
                                  const struct pt_source *, uint32_t *id);
enum pt_status pt_defs_add_code(struct pt_defs_out *, const struct pt_code *,
                                uint32_t *id);
enum pt_status pt_defs_add_callable(struct pt_defs_out *,
                                    const struct pt_callable *, uint32_t *id);
enum pt_status pt_defs_add_type(struct pt_defs_out *, const struct pt_type *,
                                uint32_t *id);
enum pt_status pt_defs_add_process(struct pt_defs_out *,
                                   const struct pt_process *, uint32_t *id);
enum pt_status pt_defs_add_thread(struct pt_defs_out *,
                                  const struct pt_thread *, uint32_t *id);
enum pt_status pt_defs_add_process_end(struct pt_defs_out *,
                                       const struct pt_process_end *);
enum pt_status pt_defs_add_costs(struct pt_defs_out *, const struct pt_costs *);
enum pt_status pt_defs_add_thread_name(struct pt_defs_out *, uint32_t thread,
                                       struct pt_str name);
enum pt_status pt_defs_add_task(struct pt_defs_out *, const struct pt_task *,
                                uint32_t *id);
enum pt_status pt_defs_add_task_name(struct pt_defs_out *, uint32_t task,
                                     struct pt_str name);

/* Each appends a definition under an id that the caller chose, and that none
 * of the above has given or will give.  Statuses as above. */
enum pt_status pt_defs_put_code(struct pt_defs_out *, const struct pt_code *,
                                uint32_t id);
enum pt_status pt_defs_put_callable(struct pt_defs_out *,
                                    const struct pt_callable *, uint32_t id);
enum pt_status pt_defs_put_type(struct pt_defs_out *, const struct pt_type *,
                                uint32_t id);
enum pt_status pt_defs_put_process(struct pt_defs_out *,
                                   const struct pt_process *, uint32_t id);
enum pt_status pt_defs_put_thread(struct pt_defs_out *,
                                  const struct pt_thread *, uint32_t id);
enum pt_status pt_defs_put_task(struct pt_defs_out *, const struct pt_task *,
                                uint32_t id);

/* The pending definitions as one CBOR item, borrowed until the next call;
 * "" when there are none.  pt_defs_sent() then empties them. */
struct pt_str pt_defs_item(struct pt_defs_out *);
void pt_defs_sent(struct pt_defs_out *);

/* The constants of a code object: `n` entries in pre-order; see
 * struct pt_const.  *top receives how many of them are not inside another.
 * PT_EUSAGE when containers do not add up. */
enum pt_status pt_consts_count(const struct pt_const *, size_t n, size_t *top);
void pt_consts_write(struct pt_buf *, const struct pt_const *, size_t n);

/* --- reading -------------------------------------------------------------- */

/* A table from id to definition; entries may be NULL. */
struct pt_table {
    void **at;      /* at[id - 1] */
    uint32_t count; /* highest id */
    uint32_t cap;
};

/* All definitions of a trace.  Strings are borrowed from the CBOR items they
 * were read from, which the caller keeps as long. */
struct pt_defs {
    struct pt_pool *pool;
    struct pt_table strings, interpreters, sources, codes, callables, types,
        processes, process_ends, costs, threads, tasks;
    uint32_t unknown; /* definitions of kinds of a later version */
    /* of the item read last: what was understood before the first definition
     * that was not, and how many definitions that are */
    struct pt_str good;
    size_t ngood;
};

/* Reads one definitions chunk's item.  PT_EDAMAGED, PT_ENOMEM or PT_ELIMIT
 * (the pool's limit) with `why`; what was read before that stays. */
enum pt_status pt_defs_read(struct pt_defs *, struct pt_str item,
                            const char **why);

/* Releases the tables; what they point to is the pool's. */
void pt_defs_tables_clear(struct pt_defs *);

/* Reads the items of the array `count` long at the cursor as constants. */
enum pt_status pt_consts_read(struct pt_cbor *, struct pt_pool *, size_t count,
                              const struct pt_const **out, size_t *n);

static inline void *
pt_table_get(const struct pt_table *t, uint32_t id)
{
    return id - 1 < t->count ? t->at[id - 1] : NULL;
}

#endif
