/* Constants of code objects, and their parts, as Python's repr() writes them;
 * and the text that grows as they are written.
 * Thread rule: reads the trace only. */
#ifndef PT_ANALYZE_REPR_H
#define PT_ANALYZE_REPR_H

#include <pt/reader.h>

#include <stdbool.h>

/* A text without a limit.  All zero is an empty one; after a failed allocation
 * it stays as it is and `failed` tells. */
struct pt_growing {
    char *data; /* no terminator; NULL while nothing was put */
    size_t used, capacity;
    bool failed;
};

void pt_growing_put(struct pt_growing *, const char *data, size_t len);
void pt_growing_text(struct pt_growing *, const char *text);
void pt_growing_str(struct pt_growing *, struct pt_str);
void pt_growing_free(struct pt_growing *);
static inline struct pt_str
pt_growing_whole(const struct pt_growing *g)
{
    return (struct pt_str){g->data, g->used};
}

/* repr() of a str, and what stands between its quotes where quotes are plain
 * characters. */
void pt_repr_str(struct pt_growing *, struct pt_str);
void pt_repr_text(struct pt_growing *, struct pt_str);
void pt_repr_bytes(struct pt_growing *, struct pt_str);
/* An int: "-" or "", then hexadecimal digits.  It stays hexadecimal where it
 * has more than 4300 decimal ones. */
void pt_repr_big(struct pt_growing *, struct pt_str);
void pt_repr_float(struct pt_growing *, double);
void pt_repr_complex(struct pt_growing *, double real, double imaginary);

/* How many entries the constant at `c` takes, with what it contains; never more
 * than `left`, which it is among. */
size_t pt_const_size(const struct pt_const *c, size_t left);

/* Appends repr() of the constant at `c`, one of `left` entries.  It differs
 * from Python's for a code object, which is told without its address, for a
 * number of more than 4300 digits, which is hexadecimal, for characters that
 * Unicode has not assigned, which stand as they are, and below PT_REPR_DEPTH
 * containers, where it is "...".  `trace` names code objects and may be NULL.
 */
enum { PT_REPR_DEPTH = 100 };
void pt_repr_const(struct pt_growing *, const struct pt_trace *trace,
                   const struct pt_const *c, size_t left);

#endif
