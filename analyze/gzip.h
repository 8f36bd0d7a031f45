/* A gzip stream on an output.  Thread rule: as the output it writes to. */
#ifndef PT_ANALYZE_GZIP_H
#define PT_ANALYZE_GZIP_H

#include "analyze/output.h"

struct pt_gzip;

/* PT_ENOMEM. */
enum pt_status pt_gzip_new(struct pt_out *, struct pt_gzip **out);
void pt_gzip_free(struct pt_gzip *);
void pt_gzip_put(struct pt_gzip *, const void *data, size_t len);
/* Ends the stream; nothing may follow. */
void pt_gzip_end(struct pt_gzip *);

#endif
