/* The table of locations of CPython 3.11 and later (co_linetable, its
 * Objects/locations.md), entry by entry.  An entry's first byte is
 *
 *   1 c c c c l l l      c: form, l: code units - 1
 *
 * and varints are 6 bits a byte, low first, bit 6 set on all but the last.
 * Thread rule: plain data. */
#ifndef PT_FORMAT_LINETABLE_H
#define PT_FORMAT_LINETABLE_H

#include <pt/log.h>

#include <stdbool.h>

/* Where the reading stands. */
struct pt_linetable {
    const uint8_t *p, *end;
    int64_t line; /* of the last entry that had one */
};

/* One entry: so many code units, and where they are in the source.  Lines
 * from 1, columns (UTF-8 bytes) from 0; 0 and -1 where it does not say. */
struct pt_location {
    uint32_t units;
    uint32_t line, end_line;
    int32_t column, end_column;
};

struct pt_linetable pt_linetable_over(struct pt_str table, uint32_t firstline);
/* False at the end, and where the table breaks off or makes no sense. */
bool pt_linetable_next(struct pt_linetable *, struct pt_location *);

#endif
