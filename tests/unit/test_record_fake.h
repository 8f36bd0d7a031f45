/* A recording without Python: an arena in this process, a producer that
 * writes records into it by record/proto.h, and the trace read back. */
#ifndef PT_TEST_RECORD_FAKE_H
#define PT_TEST_RECORD_FAKE_H

#include "record/tracee.h"

#include <pt/reader.h>

enum { FAKE_CODES = 8, FAKE_CALLABLES = 4, FAKE_TYPES = 2, FAKE_MAIN = 4242 };

/* The collector's side: one journal, one process. */
struct fake {
    char folder[64], path[96];
    struct pt_timebase clock;
    struct pt_config config;
    struct pt_notes notes;
    struct pt_journal journal;
    struct pt_writer *writer;
    struct pt_tracee *t;
    uint32_t shrink;        /* of the rings of processes to come */
    uint64_t defs;          /* bytes of definitions that were told */
    struct pt_trace *trace; /* after fake_close() */
    struct pt_decoder *decoder;
};

/* A thread of the fake program: a slot and a place in its ring. */
struct fake_lane {
    struct fake *f;
    uint32_t slot, size;
    uint32_t *ring;
    uint64_t off, last;
    bool wait; /* wait for room instead of failing */
};

/* Everything is asked for; `stamped` is a mask of kinds, 0 for all. */
void fake_open(struct fake *, uint32_t stamped);
/* The same with the records that say where they happened; of branches only
 * some carry a time. */
void fake_open_flow(struct fake *);
/* Another process of the same recording, with its definitions told. */
struct pt_tracee *fake_process(struct fake *, pid_t pid);
/* Ends the process, closes the trace and opens it for reading. */
void fake_close(struct fake *);
void fake_clear(struct fake *);

/* One round of the collector. */
bool fake_drain(struct fake *);

/* Definition messages: interpreter, process, and the ids above. */
void fake_define(struct fake *);
/* One code object of a file of that name. */
void fake_define_code(struct fake *, uint32_t id, const char *file,
                      const char *name);
/* Raw bytes into the definitions ring (they must fit). */
void fake_defs_put(struct fake *, const void *data, size_t len);

void fake_claim(struct fake_lane *, struct fake *, uint32_t slot);
/* One record of `n` words, padded as a producer must. */
void fake_put(struct fake_lane *, const uint32_t *words, unsigned n);
#define FAKE_PUT(lane, ...)                                                    \
    fake_put(lane, (const uint32_t[]){__VA_ARGS__},                            \
             sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
/* The head moves without a record. */
void fake_publish(struct fake_lane *, uint64_t head);
void fake_begin(struct fake_lane *, uint32_t tid);
void fake_end(struct fake_lane *);
/* Quanta since the counter's zero, growing. */
uint64_t fake_now(const struct fake *);

/* All events of the thread whose native id is `tid`, in order, as an array
 * the caller frees. */
struct pt_event *fake_events(struct fake *, uint32_t tid, size_t *n);
bool fake_is(struct pt_str s, const char *text);
/* Events of `kind` of all threads. */
uint64_t fake_count(struct fake *, unsigned kind);

#endif
