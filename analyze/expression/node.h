/* An expression as it was parsed.  Inner header of analyze/expression.
 * Thread rule: as expression.h. */
#ifndef PT_EXPRESSION_NODE_H
#define PT_EXPRESSION_NODE_H

#include "analyze/expression/expression.h"

/* What stands between operands, or before one. */
enum pt_operator {
    PT_OP_NONE,
    PT_OP_ADD,
    PT_OP_SUB,
    PT_OP_MUL,
    PT_OP_DIV,
    PT_OP_FLOORDIV,
    PT_OP_MOD,
    PT_OP_POW,
    PT_OP_LSHIFT,
    PT_OP_RSHIFT,
    PT_OP_BITAND,
    PT_OP_BITOR,
    PT_OP_BITXOR,
    PT_OP_EQ,
    PT_OP_NE,
    PT_OP_LT,
    PT_OP_LE,
    PT_OP_GT,
    PT_OP_GE,
    PT_OP_IN,
    PT_OP_NOT_IN,
    PT_OP_IS,
    PT_OP_IS_NOT,
    PT_OP_NEGATE,
    PT_OP_PLUS,
    PT_OP_INVERT,
    PT_OP_LIMIT
};
/* As Python's messages write it. */
extern const char *const pt_operator_text[PT_OP_LIMIT];

enum pt_node_kind {
    PT_NODE_CONST,     /* value */
    PT_NODE_NAME,      /* text */
    PT_NODE_ATTRIBUTE, /* items[0], text */
    PT_NODE_SUBSCRIPT, /* items[0], items[1] */
    PT_NODE_SLICE,     /* items[0..2], each may be NULL */
    PT_NODE_CALL,      /* items[0] called with the rest, by position */
    PT_NODE_KEYWORD,   /* items[0], text: an argument of a call */
    PT_NODE_UNARY,     /* op, items[0] */
    PT_NODE_BINARY,    /* op, items[0], items[1] */
    PT_NODE_COMPARE,   /* items, and ops between them */
    PT_NODE_AND,       /* items[0], items[1] */
    PT_NODE_OR,
    PT_NODE_NOT,    /* items[0] */
    PT_NODE_CHOICE, /* items: condition, then, else */
    PT_NODE_TUPLE,  /* items */
    PT_NODE_LIST,
    PT_NODE_SET,
    PT_NODE_DICT /* items: key, value, key, value ... */
};

struct pt_node {
    uint8_t kind;  /* enum pt_node_kind */
    uint8_t op;    /* enum pt_operator */
    bool enclosed; /* it stood in parentheses */
    uint32_t depth;
    uint32_t n;
    struct pt_node **items;
    uint8_t *ops; /* of a comparison: n - 1 */
    struct pt_str text;
    struct pt_value value;
};

/* An int of any size as a value; `digits` are of `base` (2 to 36), lowercase or
 * not.  NULL where there is no memory, or it is too large. */
bool pt_number_parse(struct pt_arena *, struct pt_str digits, unsigned base,
                     bool negative, struct pt_value *out);

struct pt_expr {
    struct pt_arena memory;
    struct pt_str text;
    struct pt_node *root;
};

#endif
