/* Making values, linking recorded ones, and saying why there is none. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"
#include "analyze/output.h"
#include "analyze/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- failing --------------------------------------------------------------
 */

static void
fail(struct pt_eval *e, enum pt_expr_outcome outcome, const char *format,
     va_list args)
{
    char *text = e->result->text;
    vsnprintf(text, PT_EXPR_TEXT, format, args);
    size_t len = strlen(text);
    /* A name that was cut may end within a character. */
    if (len == PT_EXPR_TEXT - 1) {
        while (len && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
            len--;
        if (len && (unsigned char)text[len - 1] >= 0xc0)
            len--;
        text[len] = '\0';
    }
    e->result->outcome = outcome;
    e->failed = true;
}

void *
pt_eval_raise(struct pt_eval *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(e, PT_EXPR_RAISES, format, args);
    va_end(args);
    return NULL;
}

void *
pt_eval_unknown(struct pt_eval *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(e, PT_EXPR_UNKNOWN, format, args);
    va_end(args);
    return NULL;
}

void *
pt_eval_cut(struct pt_eval *e, const struct pt_value *v)
{
    char name[PT_NAME_TEXT];
    bool string = v->kind != PT_VALUE_OBJECT;
    return pt_eval_unknown(e,
                           "this %s was cut when it was recorded; record with "
                           "a larger %s",
                           pt_eval_type_name(e, v, name),
                           string ? "--value-bytes"
                           : v->n ? "--value-length or --value-bytes"
                                  : "--value-depth or --value-bytes");
}

void *
pt_eval_too_large(struct pt_eval *e)
{
    /* No text: what is too large to hold is not the program's failure. */
    return pt_eval_unknown(e, "the expression takes more memory or time than "
                              "ptana gives it");
}

bool
pt_eval_step(struct pt_eval *e)
{
    if (e->steps == 0)
        return pt_eval_too_large(e) != NULL;
    e->steps--;
    return true;
}

bool
pt_eval_told(struct pt_eval *e, const struct pt_value *v)
{
    switch (v->kind) {
    case PT_VALUE_REDACTED:
        pt_eval_unknown(e, "the value was redacted when it was recorded; "
                           "record with --no-redact");
        return false;
    case PT_VALUE_REF:
        pt_eval_unknown(e, "the value is a reference to an object that was "
                           "not told of here");
        return false;
    case PT_VALUE_UNBOUND:
        pt_eval_raise(e, "NameError: the variable has no value here");
        return false;
    case PT_VALUE_LOST:
        pt_eval_unknown(e, "the part of the trace that told the value is not "
                           "there");
        return false;
    default:
        if (v->kind < PT_VALUE_UNREAD)
            return true;
        pt_eval_unknown(e, "the value could not be read safely when it was "
                           "recorded");
        return false;
    }
}

bool
pt_eval_forgive(struct pt_eval *e)
{
    if (e->failed && e->result->outcome != PT_EXPR_UNKNOWN)
        return false;
    e->failed = false;
    return e->steps > 0;
}

/* --- making ---------------------------------------------------------------
 */

void *
pt_eval_alloc(struct pt_eval *e, size_t n, size_t size)
{
    void *given = pt_arena_array(&e->result->memory, n ? n : 1, size);
    return given ? given : pt_eval_too_large(e);
}

static const struct pt_value *
keep(struct pt_eval *e, struct pt_value v)
{
    struct pt_value *kept = pt_eval_alloc(e, 1, sizeof *kept);
    if (kept)
        *kept = v;
    return kept;
}

const struct pt_value *
pt_eval_bool(struct pt_eval *e, bool b)
{
    return keep(e, (struct pt_value){.kind = PT_VALUE_BOOL, .i = b});
}

const struct pt_value *
pt_eval_i64(struct pt_eval *e, int64_t i)
{
    return keep(e, (struct pt_value){.kind = PT_VALUE_INT, .i = i});
}

const struct pt_value *
pt_eval_float(struct pt_eval *e, double f)
{
    return keep(e, (struct pt_value){.kind = PT_VALUE_FLOAT, .f = f});
}

uint64_t
pt_eval_points(struct pt_str s)
{
    return pt_utf8_count(s.data, s.len);
}

const struct pt_value *
pt_eval_str(struct pt_eval *e, struct pt_str s)
{
    return keep(e, (struct pt_value){.kind = PT_VALUE_STR,
                                     .s = s,
                                     .length = pt_eval_points(s)});
}

const struct pt_value *
pt_eval_bytes(struct pt_eval *e, struct pt_str s)
{
    return keep(
        e, (struct pt_value){.kind = PT_VALUE_BYTES, .s = s, .length = s.len});
}

const struct pt_value *
pt_eval_str_copy(struct pt_eval *e, struct pt_str s)
{
    char *copy = pt_eval_alloc(e, s.len, 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.data, s.len);
    return pt_eval_str(e, (struct pt_str){copy, s.len});
}

const struct pt_value *
pt_eval_object(struct pt_eval *e, enum pt_class class, enum pt_value_form form,
               const struct pt_value *items, size_t n)
{
    if (n > UINT32_MAX)
        return pt_eval_too_large(e);
    return keep(e,
                (struct pt_value){.kind = PT_VALUE_OBJECT,
                                  .form = (uint8_t)form,
                                  .type = pt_class_id(class),
                                  .length = form == PT_FORM_MAPPING ? n / 2 : n,
                                  .items = items,
                                  .n = (uint32_t)n});
}

/* --- linking --------------------------------------------------------------
 */

/* The numbered objects of a value, as they are copied. */
struct links {
    const struct pt_value **objects;
    size_t n, capacity;
    bool failed;
};

static bool
has_reference(const struct pt_value *v, unsigned depth)
{
    if (v->kind != PT_VALUE_OBJECT || depth == PT_REPR_DEPTH)
        return v->kind == PT_VALUE_REF;
    for (uint32_t i = 0; i < v->n; i++)
        if (has_reference(&v->items[i], depth + 1))
            return true;
    return false;
}

static void
copy(struct pt_eval *e, struct pt_value *to, unsigned depth,
     struct links *links)
{
    if (to->kind != PT_VALUE_OBJECT || to->n == 0)
        return;
    struct pt_value *items = pt_eval_alloc(e, to->n, sizeof *items);
    if (!items || depth == PT_REPR_DEPTH) {
        links->failed = true;
        return;
    }
    memcpy(items, to->items, to->n * sizeof *items);
    to->items = items;
    if (to->number && links->n == links->capacity) {
        size_t capacity = links->capacity ? links->capacity * 2 : 64;
        void *grown =
            realloc(links->objects, capacity * sizeof *links->objects);
        if (!grown) {
            links->failed = true;
            return;
        }
        links->objects = grown;
        links->capacity = capacity;
    }
    if (to->number)
        links->objects[links->n++] = to;
    for (uint32_t i = 0; i < to->n && !links->failed; i++)
        copy(e, &items[i], depth + 1, links);
}

static int
by_number(const void *a, const void *b)
{
    uint64_t x = (*(const struct pt_value *const *)a)->number;
    uint64_t y = (*(const struct pt_value *const *)b)->number;
    return (x > y) - (x < y);
}

/* References become what they name.  Items are only looked at where they
 * stand in the tree, which the links do not reach. */
static void
link(const struct pt_value *v, const struct links *links)
{
    if (v->kind != PT_VALUE_OBJECT)
        return;
    /* The copies are ours to write. */
    struct pt_value *items = (struct pt_value *)(uintptr_t)v->items;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct pt_value key = {.number = items[i].number}, *at = &key;
        if (items[i].kind != PT_VALUE_REF) {
            link(&items[i], links);
            continue;
        }
        const struct pt_value **found =
            links->n ? bsearch(&at, links->objects, links->n,
                               sizeof *links->objects, by_number)
                     : NULL;
        if (found)
            items[i] = **found;
    }
}

const struct pt_value *
pt_eval_link(struct pt_eval *e, const struct pt_value *v)
{
    struct links links = {0};
    if (!has_reference(v, 0))
        return v;
    struct pt_value *root = pt_eval_alloc(e, 1, sizeof *root);
    if (!root)
        return NULL;
    *root = *v;
    copy(e, root, 0, &links);
    if (links.n)
        qsort(links.objects, links.n, sizeof *links.objects, by_number);
    if (!links.failed)
        link(root, &links);
    free(links.objects);
    return links.failed ? pt_eval_too_large(e) : root;
}

/* --- what they are --------------------------------------------------------
 */

const struct pt_value *
pt_eval_plain(const struct pt_value *v)
{
    /* The reader bounds how deep they may be wrapped. */
    for (unsigned i = 0; i < PT_REPR_DEPTH && v->kind == PT_VALUE_OBJECT &&
                         v->form == PT_FORM_WRAPPED && v->n;
         i++)
        v = &v->items[0];
    return v;
}

enum pt_class
pt_eval_class(const struct pt_eval *e, const struct pt_value *v)
{
    if (v->kind != PT_VALUE_OBJECT)
        return PT_CLASS_OTHER;
    return pt_class_of(e->scope->trace, v->type);
}

const char *
pt_eval_type_name(const struct pt_eval *e, const struct pt_value *v,
                  char *buffer)
{
    static const char *const names[] = {
        [PT_VALUE_NONE] = "NoneType",
        [PT_VALUE_ELLIPSIS] = "ellipsis",
        [PT_VALUE_NOTIMPLEMENTED] = "NotImplementedType",
        [PT_VALUE_BOOL] = "bool",
        [PT_VALUE_INT] = "int",
        [PT_VALUE_BIGINT] = "int",
        [PT_VALUE_FLOAT] = "float",
        [PT_VALUE_STR] = "str",
        [PT_VALUE_BYTES] = "bytes",
    };
    if (v->kind != PT_VALUE_OBJECT)
        return v->kind < sizeof names / sizeof *names && names[v->kind]
                   ? names[v->kind]
                   : "unknown";
    char whole[PT_NAME_TEXT];
    struct pt_str name = pt_class_name(e->scope->trace, v->type, whole);
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    if (dot) {
        name.len -= (size_t)(dot + 1 - name.data);
        name.data = dot + 1;
    }
    if (name.data == whole || name.len >= PT_NAME_TEXT)
        name.len = name.len < PT_NAME_TEXT ? name.len : PT_NAME_TEXT - 1;
    size_t n = pt_text_escape(name, buffer, PT_NAME_TEXT - 1);
    buffer[n < PT_NAME_TEXT ? n : PT_NAME_TEXT - 1] = '\0';
    return buffer;
}

bool
pt_eval_is_text(struct pt_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

bool
pt_eval_is_instance(const struct pt_eval *e, const struct pt_value *v)
{
    if (v->kind != PT_VALUE_OBJECT)
        return false;
    switch (v->form) {
    case PT_FORM_SEQUENCE:
    case PT_FORM_SET:
    case PT_FORM_MAPPING:
        return false;
    default:
        return pt_eval_class(e, v) == PT_CLASS_OTHER;
    }
}
