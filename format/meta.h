/* The items of the header chunk and the end chunk.  Thread rule: none. */
#ifndef PT_FORMAT_META_H
#define PT_FORMAT_META_H

#include "format/cbor.h"

/* struct pt_header.version holds both numbers. */
#define PT_FORMAT_VERSION(major, minor) ((uint32_t)(major) << 16 | (minor))

/* Writes `h` with the version of this library. */
void pt_header_write(struct pt_buf *, const struct pt_header *h);
/* Strings are borrowed from the item, argv is the pool's.  PT_EUNSUPPORTED
 * for a later major version or an unknown required feature: then out->version
 * and out->required are set. */
enum pt_status pt_header_read(struct pt_str item, struct pt_pool *,
                              struct pt_header *out);

void pt_end_write(struct pt_buf *, const struct pt_end *);
enum pt_status pt_end_read(struct pt_str item, struct pt_end *out);

#endif
