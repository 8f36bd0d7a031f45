/* Lines of a source text, as a report shows them.
 * Thread rule: plain data. */
#ifndef PT_ANALYZE_SOURCE_TEXT_H
#define PT_ANALYZE_SOURCE_TEXT_H

#include <pt/log.h>

struct pt_source_text {
    struct pt_str text;
    size_t at;     /* where ... */
    uint32_t line; /* ... this line begins; 0: nowhere yet */
};

/* Line `number`, from 1, without its end; "" where there is none.  Asked for in
 * ascending order, each line costs what it is long. */
struct pt_str pt_source_text_line(struct pt_source_text *, uint32_t number);
/* Columns that a line is indented by, tabs to multiples of 8. */
unsigned pt_source_text_indent(struct pt_str line);
/* The line without the first `indent` columns of what it is indented by, tabs
 * as spaces, escaped as pt_out_str() does; cut to `size`. */
void pt_source_text_show(struct pt_str line, unsigned indent, char *buffer,
                         size_t size);

#endif
