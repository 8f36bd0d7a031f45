/* CPython's marshal format, version 2, as far as pstats needs it.
 * Thread rule: as the output it writes to. */
#ifndef PT_ANALYZE_MARSHAL_H
#define PT_ANALYZE_MARSHAL_H

#include "analyze/output.h"

/* A dict is its opening, then key and value by turns, then its end; a tuple of
 * n items is its opening and the items. */
void pt_marshal_dict_open(struct pt_out *);
void pt_marshal_dict_close(struct pt_out *);
void pt_marshal_tuple(struct pt_out *, uint32_t n);
void pt_marshal_int(struct pt_out *, uint64_t);
void pt_marshal_float(struct pt_out *, double);
/* UTF-8, lone surrogates as WTF-8 (marshal's "surrogatepass"). */
void pt_marshal_str(struct pt_out *, struct pt_str);

#endif
