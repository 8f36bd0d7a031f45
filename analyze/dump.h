/* The text of ptana dump.  Thread rule: as the session. */
#ifndef PT_ANALYZE_DUMP_H
#define PT_ANALYZE_DUMP_H

#include "analyze/analyzer.h"

void pt_dump_text_head(struct pt_out *);
/* One line: seq, time, thread, kind, and where, indented by the depth. */
void pt_dump_text_line(struct pt_session *, const struct pt_merged *);

#endif
