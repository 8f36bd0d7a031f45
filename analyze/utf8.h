/* Strings of a trace as code points.  Thread rule: none, plain data. */
#ifndef PT_ANALYZE_UTF8_H
#define PT_ANALYZE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at `p` (left > 0) of a WTF-8 string and returns how
 * many bytes it takes.  Lone surrogates are code points; a byte that belongs to
 * none is U+FFFD of length 1, which a real U+FFFD never is. */
unsigned pt_utf8_next(const void *p, size_t left, uint32_t *code);

/* How many code points the bytes are. */
uint64_t pt_utf8_count(const void *p, size_t len);

#endif
