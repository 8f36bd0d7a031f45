/* Recorded values as text, as Python's repr() would write them where it has a
 * way to, and what types mean to those who read values.
 *
 *     [1, 'a', ... (+998)]         998 more were there and are not told
 *     'abc'... (+10)               as many characters more
 *     Point(x=1, y=2)              an instance, by its attributes
 *     ValueError('x', code=7)      an exception: its args, other attributes
 *     Words(['a'], lang='en')      an instance of a subclass of list
 *     <decimal.Context object #7>  type and number are all that is known
 *     #3=[1, <#3 ...>]             an object that is told of elsewhere in
 *                                  this value, and where it is; a cycle that
 *                                  was linked is Python's [...]
 *     <redacted> <unread> <unbound> <lost>
 *
 * Thread rule: reads the trace only. */
#ifndef PT_ANALYZE_VALUE_TEXT_H
#define PT_ANALYZE_VALUE_TEXT_H

#include "analyze/repr.h"

#include <pt/value.h>

/* Types of the interpreter's own that are written in a way of their own. */
enum pt_class {
    PT_CLASS_OTHER,
    PT_CLASS_TYPE,
    PT_CLASS_FUNCTION,
    PT_CLASS_BUILTIN, /* a builtin function or method */
    PT_CLASS_MODULE,
    PT_CLASS_LIST,
    PT_CLASS_TUPLE,
    PT_CLASS_SET,
    PT_CLASS_FROZENSET,
    PT_CLASS_DICT,
    PT_CLASS_DEQUE,
    PT_CLASS_COMPLEX,
    PT_CLASS_RANGE,
    PT_CLASS_SLICE,
    PT_CLASS_LIMIT
};

/* What the type `id` is; OTHER where it is not defined. */
enum pt_class pt_class_of(const struct pt_trace *, uint32_t id);
/* The type of values that ptana makes: an id that no trace has. */
uint32_t pt_class_id(enum pt_class);
/* As pt_name_type(), with the ids of pt_class_id() too; "object" for 0. */
struct pt_str pt_class_name(const struct pt_trace *, uint32_t id, char *buffer);

/* Appends the value in one line of at most `width` bytes, 0 without a limit,
 * its end then "...".  `trace` names types and may be NULL. */
void pt_value_line(struct pt_growing *, const struct pt_trace *,
                   const struct pt_value *, size_t width);

/* The same over several lines where one of `width` does not do: what does not
 * fit stands an item in a line, indented by four more. */
void pt_value_tree(struct pt_growing *, const struct pt_trace *,
                   const struct pt_value *, size_t width);

/* Whatever is asked for, no value takes more bytes than this, about. */
enum { PT_VALUE_TEXT_MOST = 1 << 20 };

#endif
