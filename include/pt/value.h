/* A recorded value: what a variable, an argument or a result held when it was
 * recorded, as a tree.
 *
 * Nothing of a value was asked of the program: types, lengths and contents are
 * what the interpreter's own structures said.  What was left out is marked, and
 * never looks like something that was there.
 * Thread rule: a value is plain data that nobody changes. */
#ifndef PT_VALUE_H
#define PT_VALUE_H

#include <pt/log.h>

/* What a value is about: the high byte of a value event's `dst`; the rest is
 * the index. */
enum pt_value_role {
    PT_ROLE_LOCAL = 1,     /* a local, cell or free variable: index into
                              pt_code.locals */
    PT_ROLE_NAME = 2,      /* a global or class variable: into pt_code.names */
    PT_ROLE_ARGUMENT = 3,  /* the i-th argument of a C call, self counted */
    PT_ROLE_KEYWORD = 4,   /* as a pair: a name and its argument */
    PT_ROLE_RESULT = 5,    /* of the C call before */
    PT_ROLE_RETURN = 6,    /* what the frame is about to return or yield */
    PT_ROLE_EXCEPTION = 7, /* what was raised */
    PT_ROLE_SENT = 8,      /* what a resumed frame was sent */
    PT_ROLE_LIMIT = 9
};
enum { PT_ROLE_SHIFT = 24 };

enum {
    PT_LIMIT_VALUE = 1 << 16, /* bytes of a value in the log */
    PT_LIMIT_VALUE_DEPTH = 64 /* items within items */
};

enum pt_value_kind {
    PT_VALUE_UNBOUND, /* the variable has no value (any more) */
    PT_VALUE_NONE,
    PT_VALUE_ELLIPSIS,
    PT_VALUE_NOTIMPLEMENTED,
    PT_VALUE_BOOL,     /* i */
    PT_VALUE_INT,      /* i */
    PT_VALUE_BIGINT,   /* s: magnitude, big endian; i: -1 negative, else 1 */
    PT_VALUE_FLOAT,    /* f */
    PT_VALUE_STR,      /* s; length in code points */
    PT_VALUE_BYTES,    /* s; length in bytes */
    PT_VALUE_OBJECT,   /* type, number, form, length, items */
    PT_VALUE_REF,      /* number: an object that this value tells of elsewhere:
                          shared, or a cycle */
    PT_VALUE_REDACTED, /* its name looks secret */
    PT_VALUE_UNREAD,   /* it could not be read safely */
    PT_VALUE_LOST      /* the part of the log that told it is not there */
};

/* How the items of an object are to be read. */
enum pt_value_form {
    PT_FORM_OPAQUE,   /* type and identity only */
    PT_FORM_SEQUENCE, /* list, tuple, deque: the elements */
    PT_FORM_SET,      /* set, frozenset: the elements, in no order */
    PT_FORM_MAPPING,  /* dict: key, value, key, value ... */
    PT_FORM_RECORD,   /* attributes: name, value ...; instances with __dict__ or
                         slots, dataclasses, named tuples, enums, exceptions
                         (whose arguments are attribute "args") */
    PT_FORM_TEXT,     /* one str that says it all: functions, modules, types,
                         datetime, Decimal, Path */
    PT_FORM_NUMBERS, /* complex (re, im), range and slice (start, stop, step) */
    PT_FORM_BUFFER,  /* arrays and buffers: format str, then the shape's ints */
    PT_FORM_WRAPPED, /* an instance of a subclass of a builtin type: the
                        builtin's value, then attributes: name, value ... */
    PT_FORM_LIMIT
};

struct pt_value {
    uint8_t kind; /* enum pt_value_kind */
    uint8_t form; /* enum pt_value_form, of an object */
    bool cut;     /* there was more than is told: of a str, bytes or int, of the
                     items, or, with no items but a length, of its depth */
    uint32_t type;   /* trace-wide id, 0 none */
    uint64_t number; /* of an object that other records name too, 0 none: never
                        that of another object of the process */
    uint64_t length; /* how long it was, whatever is told */
    int64_t i;
    double f;
    struct pt_str s;
    const struct pt_value *items; /* n of them */
    uint32_t n;
};

#endif
