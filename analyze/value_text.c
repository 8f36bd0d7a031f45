#include "analyze/value_text.h"
#include "analyze/names.h"
#include "analyze/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- types ----------------------------------------------------------------
 */

static const struct {
    const char *module, *name;
} classes[PT_CLASS_LIMIT] = {
    [PT_CLASS_TYPE] = {"builtins", "type"},
    [PT_CLASS_FUNCTION] = {"builtins", "function"},
    [PT_CLASS_BUILTIN] = {"builtins", "builtin_function_or_method"},
    [PT_CLASS_MODULE] = {"builtins", "module"},
    [PT_CLASS_LIST] = {"builtins", "list"},
    [PT_CLASS_TUPLE] = {"builtins", "tuple"},
    [PT_CLASS_SET] = {"builtins", "set"},
    [PT_CLASS_FROZENSET] = {"builtins", "frozenset"},
    [PT_CLASS_DICT] = {"builtins", "dict"},
    [PT_CLASS_DEQUE] = {"collections", "deque"},
    [PT_CLASS_COMPLEX] = {"builtins", "complex"},
    [PT_CLASS_RANGE] = {"builtins", "range"},
    [PT_CLASS_SLICE] = {"builtins", "slice"},
};

/* The reader gives ids one after the other; none comes here. */
#define OWN_IDS (UINT32_MAX - PT_CLASS_LIMIT)

static bool
is_text(struct pt_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

uint32_t
pt_class_id(enum pt_class c)
{
    return OWN_IDS + (uint32_t)c;
}

enum pt_class
pt_class_of(const struct pt_trace *trace, uint32_t id)
{
    if (id > OWN_IDS && id - OWN_IDS < PT_CLASS_LIMIT)
        return (enum pt_class)(id - OWN_IDS);
    const struct pt_type *t = trace && id ? pt_trace_type(trace, id) : NULL;
    for (unsigned i = PT_CLASS_OTHER + 1; t && i < PT_CLASS_LIMIT; i++)
        if (is_text(t->name, classes[i].name) &&
            is_text(t->module, classes[i].module))
            return (enum pt_class)i;
    return PT_CLASS_OTHER;
}

struct pt_str
pt_class_name(const struct pt_trace *trace, uint32_t id, char *buffer)
{
    if (id > OWN_IDS && id - OWN_IDS < PT_CLASS_LIMIT) {
        const char *name = classes[id - OWN_IDS].name;
        return (struct pt_str){name, strlen(name)};
    }
    if (!trace || id == 0)
        return (struct pt_str){"object", 6};
    return pt_name_type(trace, id, buffer);
}

/* --- the printer ----------------------------------------------------------
 */

enum { REFERRED = 64, LOOKED_AT = 1 << 17 };

struct printer {
    struct pt_growing *g;
    const struct pt_trace *trace;
    size_t start;
    size_t most;  /* what may stand behind `start` */
    size_t width; /* of a line of a tree, 0: all in one line */
    unsigned depth;
    uint64_t numbers[PT_REPR_DEPTH]; /* of the `depth` containers around */
    size_t nreferred;
    uint64_t referred[REFERRED]; /* what references name, as far as it fits */
};

static void put(struct printer *, const struct pt_value *);

static bool
is_full(const struct printer *p)
{
    return p->g->failed || p->g->used - p->start > p->most;
}

static void
text(struct printer *p, const char *s)
{
    pt_growing_text(p->g, s);
}

static void
put_number(struct printer *p, const char *format, uint64_t n)
{
    char number[64];
    snprintf(number, sizeof number, format, n);
    text(p, number);
}

static void
put_type(struct printer *p, const struct pt_value *v)
{
    char name[PT_NAME_TEXT];
    pt_repr_text(p->g, pt_class_name(p->trace, v->type, name));
}

static bool
is_referred(const struct printer *p, uint64_t number)
{
    for (size_t i = 0; i < p->nreferred; i++)
        if (p->referred[i] == number)
            return true;
    return false;
}

/* Finds what references name.  A linked value has none, but may go in circles
 * and share in ways that take forever to follow: hence `left`. */
static void
find_referred(struct printer *p, const struct pt_value *v, unsigned depth,
              size_t *left)
{
    if (v->kind == PT_VALUE_REF && p->nreferred < REFERRED &&
        !is_referred(p, v->number))
        p->referred[p->nreferred++] = v->number;
    if (v->kind != PT_VALUE_OBJECT || depth == PT_REPR_DEPTH)
        return;
    for (uint32_t i = 0; i < v->n && *left; i++) {
        --*left;
        find_referred(p, &v->items[i], depth + 1, left);
    }
}

/* --- what is left out -----------------------------------------------------
 */

static void
put_more(struct printer *p, uint64_t length, uint64_t told)
{
    text(p, "...");
    if (length > told)
        put_number(p, " (+%" PRIu64 ")", length - told);
}

/* --- numbers --------------------------------------------------------------
 */

static void
put_bigint(struct printer *p, const struct pt_value *v)
{
    struct pt_growing hex = {0};
    if (v->cut) {
        text(p, v->i < 0 ? "<negative int of " : "<int of ");
        put_number(p, "%" PRIu64 " bits>", v->length);
        return;
    }
    if (v->i < 0)
        pt_growing_text(&hex, "-");
    for (size_t i = 0; i < v->s.len; i++) {
        char digits[4];
        unsigned byte = (unsigned char)v->s.data[i];
        snprintf(digits, sizeof digits, i ? "%02x" : "%x", byte);
        pt_growing_text(&hex, digits);
    }
    if (hex.failed)
        p->g->failed = true;
    else
        pt_repr_big(p->g, pt_growing_whole(&hex));
    pt_growing_free(&hex);
}

static double
as_double(const struct pt_value *v)
{
    return v->kind == PT_VALUE_FLOAT ? v->f : (double)v->i;
}

static void
put_numbers(struct printer *p, const struct pt_value *v)
{
    enum pt_class class = pt_class_of(p->trace, v->type);
    if (class == PT_CLASS_COMPLEX && v->n == 2) {
        pt_repr_complex(p->g, as_double(&v->items[0]), as_double(&v->items[1]));
        return;
    }
    uint32_t n = v->n;
    if (class == PT_CLASS_RANGE && n == 3 && v->items[2].kind == PT_VALUE_INT &&
        v->items[2].i == 1)
        n = 2;
    put_type(p, v);
    text(p, "(");
    for (uint32_t i = 0; i < n; i++) {
        text(p, i ? ", " : "");
        put(p, &v->items[i]);
    }
    text(p, ")");
}

/* --- what one line says ---------------------------------------------------
 */

static void
put_opaque(struct printer *p, const struct pt_value *v)
{
    text(p, "<");
    put_type(p, v);
    text(p, " object");
    if (v->number)
        put_number(p, " #%" PRIu64, v->number);
    text(p, ">");
}

static void
put_text(struct printer *p, const struct pt_value *v)
{
    enum pt_class class = pt_class_of(p->trace, v->type);
    if (v->n == 0 || v->items[0].kind != PT_VALUE_STR) {
        put_opaque(p, v);
        return;
    }
    const struct pt_value *said = &v->items[0];
    switch (class) {
    case PT_CLASS_TYPE:
    case PT_CLASS_MODULE:
        text(p, class == PT_CLASS_TYPE ? "<class " : "<module ");
        put(p, said);
        text(p, ">");
        break;
    case PT_CLASS_FUNCTION:
    case PT_CLASS_BUILTIN:
        text(p,
             class == PT_CLASS_FUNCTION ? "<function " : "<built-in function ");
        pt_repr_text(p->g, said->s);
        text(p, ">");
        break;
    default:
        put_type(p, v);
        text(p, "(");
        put(p, said);
        text(p, ")");
        break;
    }
}

static void
put_buffer(struct printer *p, const struct pt_value *v)
{
    text(p, "<");
    put_type(p, v);
    for (uint32_t i = 0; i < v->n; i++) {
        text(p, i == 0 ? " " : i == 1 ? " of " : " x ");
        put(p, &v->items[i]);
    }
    text(p, ">");
}

/* --- containers -----------------------------------------------------------
 */

/* How the items of an object are written. */
struct layout {
    const char *open, *close; /* behind the type's name, where that is told */
    bool named;               /* the type's name comes first */
    bool comma;               /* a lone item is followed by one */
    uint32_t first;           /* item to begin with */
    enum { PLAIN, PAIRS, ATTRIBUTES } items;
    const struct pt_value *lead; /* NULL or what stands before the items: */
    bool spread;                 /* ... its items, instead of itself */
};

static bool
is_name(const struct pt_value *v, const char *name)
{
    return v->kind == PT_VALUE_STR && is_text(v->s, name);
}

/* The value of an attribute; NULL where it is not told. */
static const struct pt_value *
attribute(const struct pt_value *v, const char *name)
{
    uint32_t first = v->form == PT_FORM_WRAPPED ? 1 : 0;
    if (v->form != PT_FORM_RECORD && first == 0)
        return NULL;
    for (uint32_t i = first; i + 1 < v->n; i += 2)
        if (is_name(&v->items[i], name))
            return &v->items[i + 1];
    return NULL;
}

static struct layout
layout_of(const struct printer *p, const struct pt_value *v)
{
    enum pt_class class = pt_class_of(p->trace, v->type);
    switch ((enum pt_value_form)v->form) {
    case PT_FORM_SEQUENCE:
        if (class == PT_CLASS_TUPLE)
            return (struct layout){.open = "(", .close = ")", .comma = true};
        if (class == PT_CLASS_LIST)
            return (struct layout){.open = "[", .close = "]"};
        return (struct layout){.open = "([", .close = "])", .named = true};
    case PT_FORM_SET:
        if (v->n == 0 && !v->cut)
            return (struct layout){.open = "(", .close = ")", .named = true};
        if (class == PT_CLASS_SET)
            return (struct layout){.open = "{", .close = "}"};
        return (struct layout){.open = "({", .close = "})", .named = true};
    case PT_FORM_MAPPING:
        if (class == PT_CLASS_DICT)
            return (struct layout){.open = "{", .close = "}", .items = PAIRS};
        return (struct layout){
            .open = "({", .close = "})", .named = true, .items = PAIRS};
    case PT_FORM_WRAPPED:
        return (struct layout){.open = "(",
                               .close = ")",
                               .named = true,
                               .first = 1,
                               .items = ATTRIBUTES,
                               .lead = v->n ? &v->items[0] : NULL};
    default:
        break;
    }
    struct layout l = {
        .open = "(", .close = ")", .named = true, .items = ATTRIBUTES};
    if (v->n >= 2 && is_name(&v->items[0], "args") &&
        v->items[1].kind == PT_VALUE_OBJECT &&
        v->items[1].form == PT_FORM_SEQUENCE) {
        l.first = 2;
        l.lead = &v->items[1];
        l.spread = true;
    }
    return l;
}

/* What stands between two items: a blank, or a new line of a tree. */
static void
between(struct printer *p, bool broken, bool first)
{
    if (!first)
        text(p, broken ? "," : ", ");
    if (broken) {
        text(p, "\n");
        for (unsigned i = 0; i < p->depth; i++)
            text(p, "    ");
    }
}

static void
put_item(struct printer *p, const struct layout *l, const struct pt_value *item)
{
    if (l->items == ATTRIBUTES && item->kind == PT_VALUE_STR) {
        pt_repr_text(p->g, item->s);
        text(p, "=");
        put(p, item + 1);
        return;
    }
    put(p, item);
    if (l->items != PLAIN) {
        text(p, l->items == PAIRS ? ": " : "=");
        put(p, item + 1);
    }
}

static void
put_items(struct printer *p, const struct layout *l, const struct pt_value *v,
          bool broken)
{
    uint32_t step = l->items == PLAIN ? 1 : 2, told = 0, i = l->first;
    bool first = true;
    const struct pt_value *lead = l->lead;
    uint32_t leads = !lead ? 0 : l->spread ? lead->n : 1;
    for (uint32_t k = 0; k < leads && !is_full(p); k++) {
        between(p, broken, first);
        put(p, l->spread ? &lead->items[k] : lead);
        first = false;
    }
    if (lead && l->spread && lead->cut) {
        between(p, broken, first);
        put_more(p, lead->length, lead->n);
        first = false;
    }
    for (; i + step <= v->n && !is_full(p); i += step, told++) {
        between(p, broken, first);
        put_item(p, l, &v->items[i]);
        first = false;
    }
    bool rest = i + step <= v->n;
    if (rest || v->cut) {
        between(p, broken, first);
        if (rest)
            text(p, "...");
        else
            put_more(p, v->length, told + (l->spread ? 1 : 0));
    }
    if (l->comma && v->n == 1 && !v->cut)
        text(p, ",");
}

static void
put_layout(struct printer *p, const struct layout *l, const struct pt_value *v,
           bool broken)
{
    if (l->named)
        put_type(p, v);
    text(p, l->open);
    p->numbers[p->depth++] = v->number;
    put_items(p, l, v, broken);
    p->depth--;
    if (broken) {
        text(p, "\n");
        for (unsigned i = 0; i < p->depth; i++)
            text(p, "    ");
    }
    text(p, l->close);
}

/* In one line if that does, else an item in a line. */
static void
put_folded(struct printer *p, const struct layout *l, const struct pt_value *v)
{
    struct pt_growing *g = p->g;
    size_t before = g->used, most = p->most, width = p->width;
    const char *line = g->used ? memrchr(g->data, '\n', g->used) : NULL;
    size_t from = line ? (size_t)(line + 1 - g->data) : 0;
    size_t column = before - (from < p->start ? p->start : from);
    size_t room = width > column ? width - column : 0;
    size_t start = p->start;
    /* As if the text began here and this line were all the room. */
    p->start = before;
    p->most = room < most ? room : most;
    p->width = 0;
    put_layout(p, l, v, false);
    bool fits = !is_full(p);
    p->start = start;
    p->most = most;
    p->width = width;
    if (!fits && !g->failed && v->n) {
        g->used = before;
        put_layout(p, l, v, true);
    }
}

/* A cycle of a linked value, as Python writes it. */
static bool
put_cycle(struct printer *p, const struct pt_value *v)
{
    bool found = false;
    for (unsigned i = 0; v->number && i < p->depth; i++)
        found = found || p->numbers[i] == v->number;
    if (found)
        text(p, v->form == PT_FORM_MAPPING || v->form == PT_FORM_SET ? "{...}"
                : pt_class_of(p->trace, v->type) == PT_CLASS_TUPLE   ? "(...)"
                                                                     : "[...]");
    else if (p->depth == PT_REPR_DEPTH)
        text(p, "...");
    return found || p->depth == PT_REPR_DEPTH;
}

static void
put_object(struct printer *p, const struct pt_value *v)
{
    const struct pt_value *name, *value;
    if (put_cycle(p, v))
        return;
    if (v->number && is_referred(p, v->number))
        put_number(p, "#%" PRIu64 "=", v->number);
    switch (v->form) {
    case PT_FORM_OPAQUE:
        put_opaque(p, v);
        return;
    case PT_FORM_TEXT:
        put_text(p, v);
        return;
    case PT_FORM_NUMBERS:
        put_numbers(p, v);
        return;
    case PT_FORM_BUFFER:
        put_buffer(p, v);
        return;
    default:
        break;
    }
    /* A member of an enum keeps its name and its value. */
    name = attribute(v, "_name_");
    value = attribute(v, "_value_");
    if (name && value && name->kind == PT_VALUE_STR) {
        text(p, "<");
        put_type(p, v);
        text(p, ".");
        pt_repr_text(p->g, name->s);
        text(p, ": ");
        p->numbers[p->depth++] = v->number;
        put(p, value);
        p->depth--;
        text(p, ">");
        return;
    }
    struct layout l = layout_of(p, v);
    if (p->width)
        put_folded(p, &l, v);
    else
        put_layout(p, &l, v, false);
}

static void
put_string(struct printer *p, const struct pt_value *v)
{
    bool str = v->kind == PT_VALUE_STR;
    if (str)
        pt_repr_str(p->g, v->s);
    else
        pt_repr_bytes(p->g, v->s);
    if (v->cut)
        put_more(p, v->length,
                 str ? pt_utf8_count(v->s.data, v->s.len) : v->s.len);
}

static void
put(struct printer *p, const struct pt_value *v)
{
    static const char *const words[] = {
        [PT_VALUE_UNBOUND] = "<unbound>",
        [PT_VALUE_NONE] = "None",
        [PT_VALUE_ELLIPSIS] = "Ellipsis",
        [PT_VALUE_NOTIMPLEMENTED] = "NotImplemented",
        [PT_VALUE_REDACTED] = "<redacted>",
        [PT_VALUE_UNREAD] = "<unread>",
        [PT_VALUE_LOST] = "<lost>",
    };
    char number[24];
    switch ((enum pt_value_kind)v->kind) {
    case PT_VALUE_BOOL:
        text(p, v->i ? "True" : "False");
        break;
    case PT_VALUE_INT:
        snprintf(number, sizeof number, "%" PRId64, v->i);
        text(p, number);
        break;
    case PT_VALUE_BIGINT:
        put_bigint(p, v);
        break;
    case PT_VALUE_FLOAT:
        pt_repr_float(p->g, v->f);
        break;
    case PT_VALUE_STR:
    case PT_VALUE_BYTES:
        put_string(p, v);
        break;
    case PT_VALUE_OBJECT:
        put_object(p, v);
        break;
    case PT_VALUE_REF:
        put_number(p, "<#%" PRIu64 " ...>", v->number);
        break;
    default:
        text(p, v->kind < sizeof words / sizeof *words && words[v->kind]
                    ? words[v->kind]
                    : "<unread>");
        break;
    }
}

/* --- the whole ------------------------------------------------------------
 */

/* A text that came to be too long ends in "...", behind a whole character. */
static void
cut_back(struct pt_growing *g, size_t start, size_t most)
{
    if (g->failed || g->used - start <= most)
        return;
    size_t end = start + (most > 3 ? most - 3 : 0);
    while (end > start && ((unsigned char)g->data[end] & 0xc0) == 0x80)
        end--;
    g->used = end;
    pt_growing_put(g, "...", most < 3 ? most : 3);
}

static void
print(struct printer *p, const struct pt_value *v)
{
    size_t left = LOOKED_AT;
    p->start = p->g->used;
    find_referred(p, v, 0, &left);
    put(p, v);
    cut_back(p->g, p->start, p->most);
}

void
pt_value_line(struct pt_growing *g, const struct pt_trace *trace,
              const struct pt_value *v, size_t width)
{
    bool limited = width && width < PT_VALUE_TEXT_MOST;
    struct printer p = {
        .g = g, .trace = trace, .most = limited ? width : PT_VALUE_TEXT_MOST};
    print(&p, v);
}

void
pt_value_tree(struct pt_growing *g, const struct pt_trace *trace,
              const struct pt_value *v, size_t width)
{
    struct printer p = {.g = g,
                        .trace = trace,
                        .most = PT_VALUE_TEXT_MOST,
                        .width = width ? width : 80};
    print(&p, v);
}
