/* Columns: one array of values as bytes, and back.
 *
 *   plain  n values of `width` bytes
 *   delta  as plain, of zigzag differences; the first is to `base`
 *   time   as plain, of unsigned differences; the first is to `base`; a
 *          difference of all ones stands for the next 8 bytes of `escapes`
 *   predict  the shapes, plain, of those events that are literals; the others
 *          are told by `runs` and `marks` (format/predict.h), and the other
 *          columns but time have the literals' values alone
 *
 * All are stored as planes: the lowest byte of every value, then the next
 * byte of every value, and so on, which is what a byte-wise compressor likes.
 * Thread rule: none, plain data. */
#ifndef PT_FORMAT_COLUMNS_H
#define PT_FORMAT_COLUMNS_H

#include "format/cbor.h"
#include "format/predict.h"

#include <pt/writer.h>

/* The loops over planes are worth vectorising whatever the build's level. */
#if defined(__GNUC__) && !defined(__clang__)
#define PT_HOT __attribute__((optimize("O3")))
#else
#define PT_HOT
#endif

/* --- writing -------------------------------------------------------------- */

/* The smallest and the largest time of a block, in quanta; where it has none,
 * `any` is false. */
struct pt_time_range {
    bool any;
    uint64_t first;
    uint64_t last;
    uint64_t final; /* of the last stamped event */
};

/* Appends the map of columns of a block.  `scratch` is reused from call to
 * call. */
void pt_columns_write(struct pt_buf *, const struct pt_block *,
                      uint32_t quantum, struct pt_buf *scratch,
                      struct pt_time_range *range);
/* The same for a block that pt_predict_pack() has made these marks of. */
void pt_columns_write_packed(struct pt_buf *, const struct pt_block *,
                             const struct pt_marks *, uint32_t quantum,
                             struct pt_buf *scratch,
                             struct pt_time_range *range);

/* Appends one column of `n` numbers, more than 0, under its name: plain or
 * delta, whichever is narrower. */
void pt_column_write32(struct pt_buf *, const char *name, const uint32_t *v,
                       size_t n, struct pt_buf *scratch);

/* --- reading -------------------------------------------------------------- */

enum pt_transform {
    PT_PLAIN,
    PT_DELTA,
    PT_TIME,
    PT_PREDICT,
    PT_LATER /* one of a later version */
};

/* A column as the log has it; the strings are borrowed from the CBOR item. */
struct pt_column_in {
    bool present;
    enum pt_transform transform;
    struct pt_str name; /* of the transform */
    uint32_t width;
    uint32_t quantum; /* 0: the trace's */
    uint64_t base;
    struct pt_str bytes;
    struct pt_str escapes;
    struct pt_str runs;
    struct pt_str marks;
};

/* Reads one column's map. */
void pt_column_read(struct pt_cbor *, struct pt_column_in *);

/* Decode `n` values.  PT_EDAMAGED when the column's size or transform does not
 * fit.  A column that is absent has no values. */
enum pt_status pt_column_get8(const struct pt_column_in *, size_t n,
                              const uint8_t **out);
enum pt_status pt_column_get32(const struct pt_column_in *, size_t n,
                               uint32_t *out);
enum pt_status pt_column_get64(const struct pt_column_in *, size_t n,
                               uint64_t *out);

/* The time column in ns by `clock`; `scratch` has room for n values. */
enum pt_status pt_column_get_time(const struct pt_column_in *, size_t n,
                                  const struct pt_clock *clock,
                                  uint32_t *scratch, int64_t *out);

/* Ticks since the origin to ns. */
static inline int64_t
pt_clock_ns(const struct pt_clock *clock, uint64_t ticks)
{
    return (int64_t)(((__int128)(int64_t)ticks * (int64_t)clock->mult) >>
                     clock->shift);
}

/* True when a clock can be computed with. */
bool pt_clock_valid(const struct pt_clock *);

#endif
