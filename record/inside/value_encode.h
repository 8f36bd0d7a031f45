/* From an object of the program to the bytes of a value (record/proto.h).
 *
 * Only structures are read, of types whose layout is known: no line of the
 * program runs, nothing is allocated in Python, no reference count moves, and a
 * pending exception stays as it is.  What is too deep, too long or too many is
 * left out, and says so.
 *
 * An object that one record tells of twice has a number in it, by which the
 * second is a reference; no other object gets that number, ever.  Between two
 * records nothing is known of an object: its address may be another one's by
 * then (spec/decisions.md).
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_VALUE_ENCODE_H
#define PT_INSIDE_VALUE_ENCODE_H

#include "compat.h"

struct pt_value_limits {
    uint32_t depth;  /* containers within containers */
    uint32_t length; /* elements of one */
    uint32_t bytes;  /* of a str, bytes or int */
    uint32_t record; /* bytes of it all, about */
};

/* Once, before the rest; takes what is sane of the limits. */
void pt_value_init(const struct pt_value_limits *);

/* A record's bytes, good until the next is encoded. */
struct pt_encoded {
    const uint8_t *data;
    uint32_t size;
};

/* Puts an object together, NULL being a variable without a value; with a
 * `keyword`, a str, the pair of both, or NULL.  The result tells equal contents
 * from others, and is never 0. */
uint64_t pt_value_look(PyObject *keyword, PyObject *);
/* The bytes of what was looked at last, the same again; to be called before
 * anything runs. */
struct pt_encoded pt_value_tell(PyObject *keyword, PyObject *);

#endif
