/* Recursive descent over Python's grammar of expressions, as far as it can be
 * evaluated without the program. */
#include "analyze/expression/lexer.h"
#include "analyze/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MOST = 8192, /* bytes of an expression */
    DEPTH_MOST = 200, /* of what contains what */
    CALLS_MOST = 600, /* three of them are one pair of brackets */
    ITEMS_MOST = 4096 /* of one display, or one call */
};
static const size_t memory_most = 64u << 20;

const char *const pt_operator_text[PT_OP_LIMIT] = {
    [PT_OP_ADD] = "+",         [PT_OP_SUB] = "-",         [PT_OP_MUL] = "*",
    [PT_OP_DIV] = "/",         [PT_OP_FLOORDIV] = "//",   [PT_OP_MOD] = "%",
    [PT_OP_POW] = "**",        [PT_OP_LSHIFT] = "<<",     [PT_OP_RSHIFT] = ">>",
    [PT_OP_BITAND] = "&",      [PT_OP_BITOR] = "|",       [PT_OP_BITXOR] = "^",
    [PT_OP_EQ] = "==",         [PT_OP_NE] = "!=",         [PT_OP_LT] = "<",
    [PT_OP_LE] = "<=",         [PT_OP_GT] = ">",          [PT_OP_GE] = ">=",
    [PT_OP_IN] = "in",         [PT_OP_NOT_IN] = "not in", [PT_OP_IS] = "is",
    [PT_OP_IS_NOT] = "is not", [PT_OP_NEGATE] = "-",      [PT_OP_PLUS] = "+",
    [PT_OP_INVERT] = "~",
};

struct parser {
    struct pt_lexer lexer;
    unsigned depth; /* calls of the descent that are under way */
    struct pt_node *scratch[ITEMS_MOST]; /* items of the open displays */
    uint8_t ops[ITEMS_MOST];             /* in comparisons: before the item */
    size_t used;
};

static struct pt_node *expression(struct parser *);

/* --- tokens and nodes -----------------------------------------------------
 */

static void *
fail(struct parser *p, const char *why)
{
    if (!p->lexer.failed)
        p->lexer.failed = why;
    return NULL;
}

static bool
at(const struct parser *p, const char *text)
{
    const struct pt_token *t = &p->lexer.token;
    return (t->kind == PT_TOKEN_SIGN || t->kind == PT_TOKEN_NAME) &&
           t->text.len == strlen(text) &&
           memcmp(t->text.data, text, t->text.len) == 0;
}

static bool
take(struct parser *p, const char *text)
{
    return at(p, text) && pt_lexer_next(&p->lexer);
}

static bool
expect(struct parser *p, const char *text)
{
    if (p->lexer.failed)
        return false;
    if (at(p, text))
        return pt_lexer_next(&p->lexer);
    if (at(p, "for") || at(p, "async"))
        fail(p, "comprehensions are not evaluated");
    else if (at(p, ":="))
        fail(p, "nothing is assigned in a trace");
    else
        fail(p, "invalid syntax");
    return false;
}

/* A node over `n` items; NULL when one of them failed. */
static struct pt_node *
node(struct parser *p, enum pt_node_kind kind, struct pt_node *const *items,
     size_t n)
{
    struct pt_node *made = pt_arena_array(p->lexer.memory, 1, sizeof *made);
    struct pt_node **copy =
        pt_arena_array(p->lexer.memory, n + 1, sizeof *copy);
    if (p->lexer.failed)
        return NULL;
    if (!made || !copy)
        return fail(p, "the expression is too long");
    made->kind = (uint8_t)kind;
    made->n = (uint32_t)n;
    made->items = copy;
    for (size_t i = 0; i < n; i++) {
        copy[i] = items[i];
        if (items[i] && items[i]->depth >= made->depth)
            made->depth = items[i]->depth + 1;
    }
    return made->depth < DEPTH_MOST
               ? made
               : fail(p, "the expression is nested too deeply");
}

static struct pt_node *
node_of(struct parser *p, enum pt_node_kind kind, struct pt_node *a,
        struct pt_node *b)
{
    struct pt_node *items[] = {a, b};
    if (!a)
        return NULL;
    return node(p, kind, items, b ? 2 : 1);
}

/* Keeps an item of the display that is being read. */
static bool
keep(struct parser *p, struct pt_node *item)
{
    if (!item)
        return false;
    if (p->used == ITEMS_MOST)
        return fail(p, "too many items") != NULL;
    p->scratch[p->used++] = item;
    return true;
}

static struct pt_node *
kept(struct parser *p, enum pt_node_kind kind, size_t from)
{
    struct pt_node *made = node(p, kind, p->scratch + from, p->used - from);
    p->used = from;
    return made;
}

/* --- atoms ----------------------------------------------------------------
 */

static bool
is_keyword(struct pt_str name)
{
    static const char *const words[] = {
        "and",    "as",       "assert", "async",  "await",    "break",
        "class",  "continue", "def",    "del",    "elif",     "else",
        "except", "finally",  "for",    "from",   "global",   "if",
        "import", "in",       "is",     "lambda", "nonlocal", "not",
        "or",     "pass",     "raise",  "return", "try",      "while",
        "with",   "yield"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == name.len &&
            memcmp(words[i], name.data, name.len) == 0)
            return true;
    return false;
}

static struct pt_node *
constant(struct parser *p, struct pt_value value)
{
    struct pt_node *made = node(p, PT_NODE_CONST, NULL, 0);
    if (made)
        made->value = value;
    return made;
}

static struct pt_node *
name(struct parser *p)
{
    static const struct {
        const char *name;
        struct pt_value value;
    } known[] = {{"None", {.kind = PT_VALUE_NONE}},
                 {"True", {.kind = PT_VALUE_BOOL, .i = 1}},
                 {"False", {.kind = PT_VALUE_BOOL}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (take(p, known[i].name))
            return constant(p, known[i].value);
    struct pt_str text = p->lexer.token.text;
    if (is_keyword(text))
        return fail(p, at(p, "lambda") || at(p, "await") || at(p, "yield")
                           ? "what runs code is not evaluated"
                           : "invalid syntax");
    struct pt_node *made = node(p, PT_NODE_NAME, NULL, 0);
    if (made)
        made->text = text;
    return made && pt_lexer_next(&p->lexer) ? made : NULL;
}

/* Adjacent strings are one. */
static struct pt_node *
literal(struct parser *p)
{
    struct pt_value value = p->lexer.token.value;
    while (pt_lexer_next(&p->lexer) && p->lexer.token.kind == PT_TOKEN_VALUE) {
        const struct pt_value *next = &p->lexer.token.value;
        bool strings =
            value.kind == PT_VALUE_STR || value.kind == PT_VALUE_BYTES;
        if (next->kind != value.kind || !strings)
            return fail(p, strings && (next->kind == PT_VALUE_STR ||
                                       next->kind == PT_VALUE_BYTES)
                               ? "cannot mix bytes and nonbytes literals"
                               : "invalid syntax");
        char *joined =
            pt_arena_array(p->lexer.memory, value.s.len + next->s.len + 1, 1);
        if (!joined)
            return fail(p, "the string is too long");
        memcpy(joined, value.s.data, value.s.len);
        memcpy(joined + value.s.len, next->s.data, next->s.len);
        value.s = (struct pt_str){joined, value.s.len + next->s.len};
        value.length += next->length;
    }
    return constant(p, value);
}

/* Items until `close`, which is taken; *commas receives whether there was
 * one. */
static bool
items(struct parser *p, const char *close, bool *commas)
{
    *commas = false;
    while (!at(p, close)) {
        if (at(p, "*") || at(p, "**"))
            return fail(p, "* before items is not evaluated") != NULL;
        if (!keep(p, expression(p)))
            return false;
        if (!at(p, ","))
            break;
        *commas = true;
        if (!take(p, ","))
            return false;
    }
    return expect(p, close);
}

static struct pt_node *
braces(struct parser *p)
{
    size_t from = p->used;
    bool dict = true, first = true;
    while (!at(p, "}")) {
        if (at(p, "*") || at(p, "**"))
            return fail(p, "* before items is not evaluated");
        if (!keep(p, expression(p)))
            return NULL;
        if (first)
            dict = at(p, ":");
        first = false;
        if (dict && (!expect(p, ":") || !keep(p, expression(p))))
            return NULL;
        if (!take(p, ","))
            break;
    }
    if (!expect(p, "}"))
        return NULL;
    return kept(p, dict ? PT_NODE_DICT : PT_NODE_SET, from);
}

static struct pt_node *
atom(struct parser *p)
{
    size_t from = p->used;
    bool commas;
    if (p->lexer.failed)
        return NULL;
    if (p->lexer.token.kind == PT_TOKEN_VALUE)
        return literal(p);
    if (p->lexer.token.kind == PT_TOKEN_NAME)
        return name(p);
    if (take(p, "(")) {
        if (!items(p, ")", &commas))
            return NULL;
        struct pt_node *inner = p->used > from ? p->scratch[from] : NULL;
        if (!commas && inner) {
            p->used = from;
            inner->enclosed = true;
            return inner;
        }
        return kept(p, PT_NODE_TUPLE, from);
    }
    if (take(p, "["))
        return items(p, "]", &commas) ? kept(p, PT_NODE_LIST, from) : NULL;
    if (take(p, "{"))
        return braces(p);
    if (take(p, "..."))
        return constant(p, (struct pt_value){.kind = PT_VALUE_ELLIPSIS});
    return fail(p, p->lexer.token.kind == PT_TOKEN_END
                       ? "the expression is incomplete"
                       : "invalid syntax");
}

/* --- what follows an atom -------------------------------------------------
 */

static struct pt_node *
slice_part(struct parser *p)
{
    return at(p, ":") || at(p, "]") || at(p, ",") ? NULL : expression(p);
}

/* An index or a slice. */
static struct pt_node *
subscript(struct parser *p)
{
    struct pt_node *part[3] = {slice_part(p)};
    if (!at(p, ":"))
        return part[0] ? part[0] : fail(p, "invalid syntax");
    for (unsigned i = 1; i < 3 && take(p, ":"); i++)
        part[i] = slice_part(p);
    return node(p, PT_NODE_SLICE, part, 3);
}

static struct pt_node *
subscripts(struct parser *p, struct pt_node *of)
{
    size_t from = p->used;
    bool comma = false;
    do {
        if (!keep(p, subscript(p)))
            return NULL;
        comma = comma || at(p, ",");
    } while (take(p, ",") && !at(p, "]"));
    if (!expect(p, "]"))
        return NULL;
    struct pt_node *index = p->scratch[from];
    if (comma)
        index = kept(p, PT_NODE_TUPLE, from);
    p->used = from;
    return index ? node_of(p, PT_NODE_SUBSCRIPT, of, index) : NULL;
}

static struct pt_node *
argument(struct parser *p)
{
    struct pt_node *value = expression(p);
    if (!value || !at(p, "="))
        return value;
    if (value->kind != PT_NODE_NAME || value->enclosed)
        return fail(p, "invalid syntax");
    struct pt_str keyword = value->text;
    value = take(p, "=") ? expression(p) : NULL;
    struct pt_node *made = node_of(p, PT_NODE_KEYWORD, value, NULL);
    if (made)
        made->text = keyword;
    return made;
}

static struct pt_node *
call(struct parser *p, struct pt_node *function)
{
    size_t from = p->used;
    bool keyword = false;
    if (!keep(p, function))
        return NULL;
    while (!at(p, ")")) {
        if (at(p, "*") || at(p, "**"))
            return fail(p, "* before arguments is not evaluated");
        struct pt_node *given = argument(p);
        if (!keep(p, given))
            return NULL;
        if (keyword && given->kind != PT_NODE_KEYWORD)
            return fail(p, "positional argument follows keyword argument");
        keyword = given->kind == PT_NODE_KEYWORD;
        if (!take(p, ","))
            break;
    }
    return expect(p, ")") ? kept(p, PT_NODE_CALL, from) : NULL;
}

static struct pt_node *
primary(struct parser *p)
{
    struct pt_node *of = atom(p);
    while (of && !p->lexer.failed) {
        if (take(p, ".")) {
            struct pt_str text = p->lexer.token.text;
            if (p->lexer.token.kind != PT_TOKEN_NAME || is_keyword(text))
                return fail(p, "invalid syntax");
            of = node_of(p, PT_NODE_ATTRIBUTE, of, NULL);
            if (of)
                of->text = text;
            pt_lexer_next(&p->lexer);
        } else if (take(p, "["))
            of = subscripts(p, of);
        else if (take(p, "("))
            of = call(p, of);
        else
            break;
    }
    return p->lexer.failed ? NULL : of;
}

/* --- operators ------------------------------------------------------------
 */

static struct pt_node *
operation(struct parser *p, enum pt_operator op, struct pt_node *a,
          struct pt_node *b)
{
    bool unary = op >= PT_OP_NEGATE;
    if (!unary && !b)
        return NULL;
    struct pt_node *made =
        node_of(p, unary ? PT_NODE_UNARY : PT_NODE_BINARY, a, b);
    if (made)
        made->op = (uint8_t)op;
    return made;
}

static bool
deeper(struct parser *p)
{
    if (++p->depth <= CALLS_MOST)
        return true;
    fail(p, "the expression is nested too deeply");
    return false;
}

static struct pt_node *
factor(struct parser *p)
{
    enum pt_operator op = at(p, "-")   ? PT_OP_NEGATE
                          : at(p, "+") ? PT_OP_PLUS
                          : at(p, "~") ? PT_OP_INVERT
                                       : PT_OP_NONE;
    struct pt_node *made = NULL;
    if (deeper(p)) {
        if (op) {
            pt_lexer_next(&p->lexer);
            made = operation(p, op, factor(p), NULL);
        } else {
            made = primary(p);
            if (made && take(p, "**"))
                made = operation(p, PT_OP_POW, made, factor(p));
        }
    }
    p->depth--;
    return p->lexer.failed ? NULL : made;
}

/* Operators of two operands, the loosest first; each level binds to the
 * left. */
static const struct {
    enum pt_operator ops[5];
} levels[] = {{{PT_OP_BITOR}},
              {{PT_OP_BITXOR}},
              {{PT_OP_BITAND}},
              {{PT_OP_LSHIFT, PT_OP_RSHIFT}},
              {{PT_OP_ADD, PT_OP_SUB}},
              {{PT_OP_MUL, PT_OP_DIV, PT_OP_FLOORDIV, PT_OP_MOD}}};
enum { LEVELS = sizeof levels / sizeof *levels };

static enum pt_operator
operator_of(struct parser *p, size_t level)
{
    for (const enum pt_operator *op = levels[level].ops; *op; op++)
        if (take(p, pt_operator_text[*op]))
            return *op;
    return PT_OP_NONE;
}

static struct pt_node *
arithmetic(struct parser *p, size_t level)
{
    if (level == LEVELS)
        return factor(p);
    struct pt_node *left = arithmetic(p, level + 1);
    enum pt_operator op;
    while (left && (op = operator_of(p, level)))
        left = operation(p, op, left, arithmetic(p, level + 1));
    return p->lexer.failed ? NULL : left;
}

static enum pt_operator
comparison_operator(struct parser *p)
{
    for (unsigned op = PT_OP_EQ; op <= PT_OP_GE; op++)
        if (take(p, pt_operator_text[op]))
            return (enum pt_operator)op;
    if (take(p, "in"))
        return PT_OP_IN;
    if (take(p, "is"))
        return take(p, "not") ? PT_OP_IS_NOT : PT_OP_IS;
    if (take(p, "not")) {
        expect(p, "in");
        return PT_OP_NOT_IN;
    }
    return PT_OP_NONE;
}

static struct pt_node *
comparison(struct parser *p)
{
    size_t from = p->used;
    struct pt_node *left = arithmetic(p, 0);
    enum pt_operator op = left ? comparison_operator(p) : PT_OP_NONE;
    if (!op)
        return p->lexer.failed ? NULL : left;
    keep(p, left);
    for (; op; op = comparison_operator(p)) {
        if (p->lexer.failed || !keep(p, arithmetic(p, 0)))
            return NULL;
        p->ops[p->used - 1] = (uint8_t)op;
    }
    size_t n = p->used - from - 1;
    struct pt_node *made = kept(p, PT_NODE_COMPARE, from);
    if (!made)
        return NULL;
    made->ops = pt_arena_array(p->lexer.memory, n, 1);
    if (!made->ops)
        return fail(p, "the expression is too long");
    memcpy(made->ops, p->ops + from + 1, n);
    return made;
}

static struct pt_node *
inversion(struct parser *p)
{
    struct pt_node *made = NULL;
    if (deeper(p)) {
        if (take(p, "not"))
            made = node_of(p, PT_NODE_NOT, inversion(p), NULL);
        else
            made = comparison(p);
    }
    p->depth--;
    return p->lexer.failed ? NULL : made;
}

static struct pt_node *
conjunction(struct parser *p)
{
    struct pt_node *left = inversion(p);
    while (left && take(p, "and")) {
        struct pt_node *right = inversion(p);
        left = right ? node_of(p, PT_NODE_AND, left, right) : NULL;
    }
    return left;
}

static struct pt_node *
disjunction(struct parser *p)
{
    struct pt_node *left = conjunction(p);
    while (left && take(p, "or")) {
        struct pt_node *right = conjunction(p);
        left = right ? node_of(p, PT_NODE_OR, left, right) : NULL;
    }
    return left;
}

static struct pt_node *
expression(struct parser *p)
{
    struct pt_node *made = NULL;
    if (deeper(p)) {
        made = disjunction(p);
        if (made && take(p, "if")) {
            struct pt_node *parts[3] = {disjunction(p), made};
            parts[2] = parts[0] && expect(p, "else") ? expression(p) : NULL;
            made = parts[2] ? node(p, PT_NODE_CHOICE, parts, 3) : NULL;
        }
    }
    p->depth--;
    return p->lexer.failed ? NULL : made;
}

/* --- the whole ------------------------------------------------------------
 */

static bool
is_utf8(struct pt_str s)
{
    uint32_t c;
    for (size_t i = 0; i < s.len;) {
        unsigned n = pt_utf8_next(s.data + i, s.len - i, &c);
        if ((n == 1 && c >= 128) || (c >= 0xd800 && c <= 0xdfff))
            return false;
        i += n;
    }
    return true;
}

static struct pt_node *
parse(struct parser *p, struct pt_str text)
{
    size_t from = p->used;
    bool commas = false;
    if (text.len > TEXT_MOST)
        return fail(p, "it is longer than 8192 bytes");
    if (!is_utf8(text))
        return fail(p, "it is not UTF-8");
    if (!pt_lexer_next(&p->lexer))
        return NULL;
    /* `1, 2` is a tuple without its parentheses. */
    do {
        if (commas && p->lexer.token.kind == PT_TOKEN_END)
            break;
        if (!keep(p, expression(p)))
            return NULL;
        commas = commas || at(p, ",");
    } while (take(p, ","));
    if (!p->lexer.failed && p->lexer.token.kind != PT_TOKEN_END)
        return fail(p, at(p, "=")     ? "nothing is assigned in a trace"
                       : at(p, "for") ? "comprehensions are not evaluated"
                                      : "invalid syntax");
    if (p->lexer.failed)
        return NULL;
    return commas ? kept(p, PT_NODE_TUPLE, from) : p->scratch[from];
}

enum pt_status
pt_expr_parse(struct pt_str text, struct pt_expr **out, char *why)
{
    struct pt_expr *e = calloc(1, sizeof *e);
    struct parser *p = calloc(1, sizeof *p);
    enum pt_status status = PT_ENOMEM;
    if (!e || !p)
        goto failed;
    e->memory.limit = memory_most;
    char *copy = pt_arena_array(&e->memory, text.len + 1, 1);
    if (!copy)
        goto failed;
    if (text.len)
        memcpy(copy, text.data, text.len);
    e->text = (struct pt_str){copy, text.len};
    p->lexer = (struct pt_lexer){
        .at = copy, .end = copy + text.len, .memory = &e->memory};
    e->root = parse(p, e->text);
    if (e->root) {
        free(p);
        *out = e;
        return PT_OK;
    }
    size_t column = (size_t)(p->lexer.at - copy) - p->lexer.token.text.len;
    snprintf(why, PT_EXPR_TEXT, "%s (at column %zu)",
             p->lexer.failed ? p->lexer.failed : "invalid syntax", column + 1);
    status = PT_EUSAGE;
failed:
    free(p);
    pt_expr_free(e);
    return status;
}

void
pt_expr_free(struct pt_expr *e)
{
    if (e)
        pt_arena_clear(&e->memory);
    free(e);
}

struct pt_str
pt_expr_text(const struct pt_expr *e)
{
    return e->text;
}
