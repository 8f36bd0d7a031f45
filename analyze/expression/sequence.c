/* Subscripts, slices, lengths, what iterating gives, and operators of
 * sequences. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"
#include "analyze/utf8.h"

#include <string.h>

/* Items and bytes that an expression may make of nothing: 'a' * n, range(n). */
enum { ITEMS_MOST = 1 << 20, BYTES_MOST = 1 << 24 };

static bool
is_string(const struct pt_value *v)
{
    return v->kind == PT_VALUE_STR || v->kind == PT_VALUE_BYTES;
}

static bool
has_form(const struct pt_value *v, enum pt_value_form form)
{
    return v->kind == PT_VALUE_OBJECT && v->form == form;
}

static bool
is_range(const struct pt_eval *e, const struct pt_value *v)
{
    return pt_eval_class(e, v) == PT_CLASS_RANGE && v->n == 3;
}

/* The byte offsets of code point `from` and of the one `n` further. */
static struct pt_str
points(struct pt_str s, uint64_t from, uint64_t n)
{
    size_t start = 0, end;
    uint32_t c;
    for (; from && start < s.len; from--)
        start += pt_utf8_next(s.data + start, s.len - start, &c);
    for (end = start; n && end < s.len; n--)
        end += pt_utf8_next(s.data + end, s.len - end, &c);
    return (struct pt_str){s.data + start, end - start};
}

/* --- length ---------------------------------------------------------------
 */

/* How many steps from start to stop, by ints of any size. */
static const struct pt_value *
range_length(struct pt_eval *e, const struct pt_value *v)
{
    const struct pt_value *result = NULL;
    for (unsigned i = 0; i < 3; i++)
        if (!pt_eval_is_int(&v->items[i]) || v->items[i].cut)
            return pt_eval_unknown(e, "this range was not recorded whole");
    mpz_t start, stop, step;
    mpz_inits(start, stop, step, NULL);
    pt_eval_mpz(start, &v->items[0]);
    pt_eval_mpz(stop, &v->items[1]);
    pt_eval_mpz(step, &v->items[2]);
    int sign = mpz_sgn(step);
    mpz_sub(stop, stop, start);
    if (sign == 0)
        pt_eval_unknown(e, "this range was not recorded whole");
    else if (mpz_sgn(stop) * sign <= 0)
        result = pt_eval_i64(e, 0);
    else {
        mpz_cdiv_q(stop, stop, step);
        result = pt_eval_from_mpz(e, stop);
    }
    mpz_clears(start, stop, step, NULL);
    return result;
}

const struct pt_value *
pt_eval_length(struct pt_eval *e, const struct pt_value *value)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(value);
    if (!pt_eval_told(e, v))
        return NULL;
    bool container = has_form(v, PT_FORM_SEQUENCE) ||
                     has_form(v, PT_FORM_SET) || has_form(v, PT_FORM_MAPPING);
    if (is_string(v) || container)
        return pt_eval_i64(e, v->length > INT64_MAX ? INT64_MAX
                                                    : (int64_t)v->length);
    if (is_range(e, v))
        return range_length(e, v);
    if (pt_eval_is_instance(e, v))
        return pt_eval_unknown(e,
                               "the length of a '%s' is up to its class, "
                               "which ptana does not run",
                               pt_eval_type_name(e, v, name));
    return pt_eval_raise(e, "TypeError: object of type '%s' has no len()",
                         pt_eval_type_name(e, v, name));
}

/* --- iterating ------------------------------------------------------------
 */

static bool
string_items(struct pt_eval *e, const struct pt_value *v, struct pt_items *out)
{
    size_t n = v->length, at = 0;
    struct pt_value *items = pt_eval_alloc(e, n, sizeof *items);
    if (!items)
        return false;
    for (size_t i = 0; i < n && at < v->s.len; i++) {
        uint32_t c;
        size_t size = v->kind == PT_VALUE_BYTES
                          ? 1
                          : pt_utf8_next(v->s.data + at, v->s.len - at, &c);
        if (v->kind == PT_VALUE_BYTES)
            items[i] = (struct pt_value){.kind = PT_VALUE_INT,
                                         .i = (unsigned char)v->s.data[at]};
        else
            items[i] = (struct pt_value){
                .kind = PT_VALUE_STR, .s = {v->s.data + at, size}, .length = 1};
        at += size;
        out->n = i + 1;
    }
    out->items = items;
    return true;
}

/* The i-th number of a range. */
static const struct pt_value *
range_item(struct pt_eval *e, const struct pt_value *v, int64_t i)
{
    const struct pt_value *step =
        pt_eval_arithmetic(e, PT_OP_MUL, &v->items[2], pt_eval_i64(e, i));
    return step ? pt_eval_arithmetic(e, PT_OP_ADD, &v->items[0], step) : NULL;
}

static bool
range_items(struct pt_eval *e, const struct pt_value *v, struct pt_items *out)
{
    const struct pt_value *length = range_length(e, v);
    if (!length)
        return false;
    if (length->kind != PT_VALUE_INT || length->i > ITEMS_MOST)
        return pt_eval_too_large(e) != NULL;
    struct pt_value *items = pt_eval_alloc(e, (size_t)length->i, sizeof *items);
    for (int64_t i = 0; items && i < length->i; i++) {
        const struct pt_value *item = range_item(e, v, i);
        if (!item)
            return false;
        items[i] = *item;
    }
    out->items = items;
    out->n = (size_t)length->i;
    return items != NULL;
}

/* The keys of a dict. */
static bool
keys(struct pt_eval *e, const struct pt_value *v, struct pt_items *out)
{
    size_t n = v->n / 2;
    struct pt_value *items = pt_eval_alloc(e, n, sizeof *items);
    for (size_t i = 0; items && i < n; i++)
        items[i] = v->items[2 * i];
    out->items = items;
    out->n = n;
    return items != NULL;
}

bool
pt_eval_items(struct pt_eval *e, const struct pt_value *value,
              struct pt_items *out)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(value);
    *out = (struct pt_items){0};
    if (!pt_eval_told(e, v))
        return false;
    if (is_range(e, v))
        return range_items(e, v, out);
    bool mapping = has_form(v, PT_FORM_MAPPING);
    bool plain = has_form(v, PT_FORM_SEQUENCE) || has_form(v, PT_FORM_SET);
    if ((is_string(v) || mapping || plain) && v->cut)
        return pt_eval_cut(e, v) != NULL;
    if (is_string(v))
        return string_items(e, v, out);
    if (mapping)
        return keys(e, v, out);
    if (plain) {
        out->items = v->items;
        out->n = v->n;
        out->unordered = v->form == PT_FORM_SET && v->n > 1 &&
                         (v->type == pt_class_id(PT_CLASS_SET) ||
                          v->type == pt_class_id(PT_CLASS_FROZENSET));
        return true;
    }
    if (pt_eval_is_instance(e, v))
        return pt_eval_unknown(e,
                               "what iterating a '%s' gives is up to its "
                               "class, which ptana does not run",
                               pt_eval_type_name(e, v, name)) != NULL;
    return pt_eval_raise(e, "TypeError: '%s' object is not iterable",
                         pt_eval_type_name(e, v, name)) != NULL;
}

/* --- subscripts -----------------------------------------------------------
 */

/* What messages call a sequence that is indexed. */
static const char *
out_of_range(struct pt_eval *e, const struct pt_value *v)
{
    if (v->kind == PT_VALUE_STR)
        return "string index out of range";
    if (v->kind == PT_VALUE_BYTES)
        return "index out of range";
    switch (pt_eval_class(e, v)) {
    case PT_CLASS_TUPLE:
        return "tuple index out of range";
    case PT_CLASS_RANGE:
        return "range object index out of range";
    case PT_CLASS_DEQUE:
        return "deque index out of range";
    default:
        return "list index out of range";
    }
}

static const struct pt_value *
bad_index(struct pt_eval *e, const struct pt_value *v,
          const struct pt_value *index)
{
    char type[PT_NAME_TEXT], given[PT_NAME_TEXT];
    const char *wrong = pt_eval_type_name(e, index, given);
    if (v->kind == PT_VALUE_STR)
        return pt_eval_raise(
            e, "TypeError: string indices must be integers, not '%s'", wrong);
    if (pt_eval_class(e, v) == PT_CLASS_DEQUE)
        return pt_eval_raise(e,
                             "TypeError: sequence index must be integer, "
                             "not '%s'",
                             wrong);
    return pt_eval_raise(
        e, "TypeError: %s indices must be integers or slices, not %s",
        v->kind == PT_VALUE_BYTES ? "byte" : pt_eval_type_name(e, v, type),
        wrong);
}

static const struct pt_value *
indexed(struct pt_eval *e, const struct pt_value *v,
        const struct pt_value *given)
{
    const struct pt_value *index = pt_eval_plain(given);
    if (!pt_eval_told(e, index))
        return NULL;
    if (!pt_eval_is_int(index))
        return bad_index(e, v, index);
    if (index->kind == PT_VALUE_BIGINT)
        return pt_eval_raise(e, "IndexError: cannot fit 'int' into an "
                                "index-sized integer");
    const struct pt_value *length = pt_eval_length(e, v);
    if (!length)
        return NULL;
    if (length->kind != PT_VALUE_INT)
        return pt_eval_too_large(e);
    int64_t i = index->i < 0 ? index->i + length->i : index->i;
    if (i < 0 || i >= length->i)
        return pt_eval_raise(e, "IndexError: %s", out_of_range(e, v));
    if (is_range(e, v))
        return range_item(e, v, i);
    if (v->kind == PT_VALUE_OBJECT)
        return i < v->n ? &v->items[i] : pt_eval_cut(e, v);
    if (v->kind == PT_VALUE_BYTES)
        return (size_t)i < v->s.len
                   ? pt_eval_i64(e, (unsigned char)v->s.data[i])
                   : pt_eval_cut(e, v);
    struct pt_str one = points(v->s, (uint64_t)i, 1);
    return one.len ? pt_eval_str(e, one) : pt_eval_cut(e, v);
}

static const struct pt_value *
looked_up(struct pt_eval *e, const struct pt_value *v,
          const struct pt_value *key)
{
    bool perhaps = false;
    if (!pt_eval_told(e, pt_eval_plain(key)) ||
        !pt_eval_hashable(e, key, "dict key"))
        return NULL;
    for (uint32_t i = 0; i + 1 < v->n; i += 2) {
        enum pt_tri found = pt_eval_same_or_equal(e, &v->items[i], key);
        if (found == PT_YES)
            return &v->items[i + 1];
        perhaps = perhaps || found == PT_FAILED;
        if (found == PT_FAILED && !pt_eval_forgive(e))
            return NULL;
    }
    if (perhaps)
        return pt_eval_unknown(e, "whether some key is equal to this one is "
                                  "not known");
    if (v->cut)
        return pt_eval_cut(e, v);
    if (pt_eval_class(e, v) != PT_CLASS_DICT)
        return pt_eval_unknown(e, "the key is not there, and what its class "
                                  "makes of that is not recorded");
    const struct pt_value *text = pt_eval_repr(e, key);
    return text ? pt_eval_raise(e, "KeyError: %.*s",
                                (int)(text->s.len < 200 ? text->s.len : 200),
                                text->s.data)
                : NULL;
}

const struct pt_value *
pt_eval_subscript(struct pt_eval *e, const struct pt_value *value,
                  const struct pt_value *index)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(value);
    if (!pt_eval_told(e, v))
        return NULL;
    if (is_string(v) || has_form(v, PT_FORM_SEQUENCE) || is_range(e, v))
        return indexed(e, v, index);
    if (has_form(v, PT_FORM_MAPPING))
        return looked_up(e, v, index);
    if (pt_eval_is_instance(e, v))
        return pt_eval_unknown(e,
                               "the items of a '%s' are up to its class, "
                               "which ptana does not run",
                               pt_eval_type_name(e, v, name));
    return pt_eval_raise(e, "TypeError: '%s' object is not subscriptable",
                         pt_eval_type_name(e, v, name));
}

/* --- slices ---------------------------------------------------------------
 */

/* A bound of a slice, counted from the start and within the length. */
static int64_t
bound(const struct pt_value *v, int64_t absent, int64_t length, bool backwards)
{
    if (!v)
        return absent;
    int64_t i = pt_eval_clamped(v), least = backwards ? -1 : 0;
    if (i < 0)
        i = i < -length ? -1 : i + length;
    if (i < least)
        return least;
    return i >= length ? length - backwards : i;
}

/* The items start, start + step ... of which there are n, all told. */
static const struct pt_value *
picked(struct pt_eval *e, const struct pt_value *v, int64_t start, int64_t step,
       int64_t n)
{
    struct pt_items all = {.items = v->items, .n = v->n};
    if (n && v->kind == PT_VALUE_STR) {
        struct pt_value known = *v;
        known.length = pt_eval_points(v->s);
        if (!string_items(e, &known, &all))
            return NULL;
    } else if (v->kind == PT_VALUE_BYTES)
        all.n = v->s.len;
    int64_t last = n ? start + (n - 1) * step : 0;
    int64_t furthest = n == 0 ? -1 : start > last ? start : last;
    if (furthest >= (int64_t)all.n)
        return pt_eval_cut(e, v);
    if (v->kind == PT_VALUE_OBJECT) {
        struct pt_value *items = pt_eval_alloc(e, (size_t)n, sizeof *items);
        for (int64_t i = 0; items && i < n; i++)
            items[i] = all.items[start + i * step];
        return items ? pt_eval_object(e, pt_eval_class(e, v), PT_FORM_SEQUENCE,
                                      items, (size_t)n)
                     : NULL;
    }
    char *bytes = pt_eval_alloc(e, v->s.len, 1);
    size_t used = 0;
    for (int64_t i = 0; bytes && i < n; i++) {
        int64_t k = start + i * step;
        struct pt_str one = {v->s.data + k, 1};
        if (v->kind == PT_VALUE_STR)
            one = all.items[k].s;
        memcpy(bytes + used, one.data, one.len);
        used += one.len;
    }
    if (!bytes)
        return NULL;
    return v->kind == PT_VALUE_STR
               ? pt_eval_str(e, (struct pt_str){bytes, used})
               : pt_eval_bytes(e, (struct pt_str){bytes, used});
}

const struct pt_value *
pt_eval_slice(struct pt_eval *e, const struct pt_value *value,
              const struct pt_value *const given[3])
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(value), *part[3];
    if (!pt_eval_told(e, v))
        return NULL;
    enum pt_class class = pt_eval_class(e, v);
    bool sliced = is_string(v) ||
                  (has_form(v, PT_FORM_SEQUENCE) && class != PT_CLASS_DEQUE);
    if (pt_eval_is_instance(e, v) || is_range(e, v))
        return pt_eval_unknown(e, "slices of a '%s' are not made",
                               pt_eval_type_name(e, v, name));
    if (has_form(v, PT_FORM_MAPPING) && e->scope->hexversion < 0x030c0000)
        return pt_eval_raise(e, "TypeError: unhashable type: 'slice'");
    if (has_form(v, PT_FORM_MAPPING))
        return pt_eval_unknown(e, "a slice is no key of a dict here");
    if (!sliced)
        return pt_eval_raise(e,
                             class == PT_CLASS_DEQUE
                                 ? "TypeError: sequence index must be "
                                   "integer, not 'slice'"
                                 : "TypeError: '%s' object is not "
                                   "subscriptable",
                             pt_eval_type_name(e, v, name));
    for (unsigned i = 0; i < 3; i++) {
        part[i] = given[i] ? pt_eval_plain(given[i]) : NULL;
        if (part[i] && !pt_eval_told(e, part[i]))
            return NULL;
        if (part[i] && part[i]->kind == PT_VALUE_NONE)
            part[i] = NULL;
        if (part[i] && !pt_eval_is_int(part[i]))
            return pt_eval_raise(e, "TypeError: slice indices must be integers "
                                    "or None or have an __index__ method");
    }
    int64_t step = part[2] ? pt_eval_clamped(part[2]) : 1;
    if (step == 0)
        return pt_eval_raise(e, "ValueError: slice step cannot be zero");
    int64_t length = v->length > INT64_MAX ? INT64_MAX : (int64_t)v->length;
    bool back = step < 0;
    int64_t start = bound(part[0], back ? length - 1 : 0, length, back);
    int64_t stop = bound(part[1], back ? -1 : length, length, back);
    /* No step beyond the length goes anywhere else. */
    if (step > length)
        step = length + 1;
    if (step < -length)
        step = -length - 1;
    int64_t n = back ? (start > stop ? (start - stop - 1) / -step + 1 : 0)
                     : (start < stop ? (stop - start - 1) / step + 1 : 0);
    return picked(e, v, start, step, n);
}

/* --- membership -----------------------------------------------------------
 */

static enum pt_tri
in_string(struct pt_eval *e, const struct pt_value *v,
          const struct pt_value *item)
{
    char name[PT_NAME_TEXT];
    if (v->kind == PT_VALUE_BYTES && pt_eval_is_int(item)) {
        int64_t byte = pt_eval_clamped(item);
        if (byte < 0 || byte > 255) {
            pt_eval_raise(e, "ValueError: byte must be in range(0, 256)");
            return PT_FAILED;
        }
        if (v->s.len && memchr(v->s.data, (int)byte, v->s.len))
            return PT_YES;
    } else if (item->kind != v->kind) {
        pt_eval_raise(e,
                      v->kind == PT_VALUE_STR
                          ? "TypeError: 'in <string>' requires string as left "
                            "operand, not %s"
                          : "TypeError: a bytes-like object is required, not "
                            "'%s'",
                      pt_eval_type_name(e, item, name));
        return PT_FAILED;
    } else if (item->s.len == 0 ||
               (v->s.len &&
                memmem(v->s.data, v->s.len, item->s.data, item->s.len))) {
        if (!item->cut)
            return PT_YES;
        pt_eval_cut(e, item);
        return PT_FAILED;
    }
    if (v->cut) {
        pt_eval_cut(e, v);
        return PT_FAILED;
    }
    return PT_NO;
}

enum pt_tri
pt_eval_contains(struct pt_eval *e, const struct pt_value *of,
                 const struct pt_value *item)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(of);
    bool perhaps = false, set = has_form(v, PT_FORM_SET);
    struct pt_items all = {0};
    if (!pt_eval_told(e, v) || !pt_eval_told(e, pt_eval_plain(item)))
        return PT_FAILED;
    if (is_string(v))
        return in_string(e, v, pt_eval_plain(item));
    bool mapping = has_form(v, PT_FORM_MAPPING);
    /* A set is looked for as if it were frozen. */
    bool frozen = set && has_form(pt_eval_plain(item), PT_FORM_SET);
    if ((set || mapping) && !frozen &&
        !pt_eval_hashable(e, item, set ? "set element" : "dict key"))
        return PT_FAILED;
    if (set || mapping || has_form(v, PT_FORM_SEQUENCE)) {
        all = (struct pt_items){.items = v->items, .n = v->n};
    } else if (pt_eval_is_instance(e, v) || is_range(e, v)) {
        if (!pt_eval_items(e, v, &all))
            return PT_FAILED;
    } else {
        pt_eval_raise(e,
                      e->scope->hexversion >= 0x030e0000
                          ? "TypeError: argument of type '%s' is not a "
                            "container or iterable"
                          : "TypeError: argument of type '%s' is not iterable",
                      pt_eval_type_name(e, v, name));
        return PT_FAILED;
    }
    for (size_t i = 0; i < all.n; i += mapping ? 2 : 1) {
        enum pt_tri found = pt_eval_same_or_equal(e, &all.items[i], item);
        if (found == PT_YES)
            return PT_YES;
        perhaps = perhaps || found == PT_FAILED;
        if (found == PT_FAILED && !pt_eval_forgive(e))
            return PT_FAILED;
    }
    if (v->cut || perhaps) {
        if (v->cut)
            pt_eval_cut(e, v);
        else
            pt_eval_unknown(e, "whether some item is equal is not known");
        return PT_FAILED;
    }
    return PT_NO;
}

/* --- + and * --------------------------------------------------------------
 */

static const struct pt_value *
joined_strings(struct pt_eval *e, const struct pt_value *a,
               const struct pt_value *b)
{
    char *bytes = pt_eval_alloc(e, a->s.len + b->s.len, 1);
    if (!bytes)
        return NULL;
    if (a->s.len)
        memcpy(bytes, a->s.data, a->s.len);
    if (b->s.len)
        memcpy(bytes + a->s.len, b->s.data, b->s.len);
    struct pt_str s = {bytes, a->s.len + b->s.len};
    return a->kind == PT_VALUE_STR ? pt_eval_str(e, s) : pt_eval_bytes(e, s);
}

static const struct pt_value *
joined(struct pt_eval *e, const struct pt_value *a, const struct pt_value *b)
{
    size_t n = (size_t)a->n + b->n;
    struct pt_value *items = pt_eval_alloc(e, n, sizeof *items);
    if (!items)
        return NULL;
    if (a->n)
        memcpy(items, a->items, a->n * sizeof *items);
    if (b->n)
        memcpy(items + a->n, b->items, b->n * sizeof *items);
    return pt_eval_object(e, pt_eval_class(e, a), PT_FORM_SEQUENCE, items, n);
}

static const struct pt_value *
repeated(struct pt_eval *e, const struct pt_value *v,
         const struct pt_value *count)
{
    int64_t n = pt_eval_clamped(count);
    size_t size = is_string(v) ? v->s.len : v->n;
    size_t most = is_string(v) ? BYTES_MOST : ITEMS_MOST;
    if (count->kind == PT_VALUE_BIGINT)
        return pt_eval_raise(e, "OverflowError: cannot fit 'int' into an "
                                "index-sized integer");
    n = n < 0 || size == 0 ? 0 : n;
    if (size && (uint64_t)n > most / size)
        return pt_eval_too_large(e);
    if (is_string(v)) {
        char *bytes = pt_eval_alloc(e, size * (size_t)n, 1);
        for (int64_t i = 0; bytes && i < n; i++)
            memcpy(bytes + (size_t)i * size, v->s.data, size);
        struct pt_str s = {bytes, size * (size_t)n};
        return !bytes                    ? NULL
               : v->kind == PT_VALUE_STR ? pt_eval_str(e, s)
                                         : pt_eval_bytes(e, s);
    }
    struct pt_value *items = pt_eval_alloc(e, size * (size_t)n, sizeof *items);
    for (int64_t i = 0; items && i < n; i++)
        memcpy(items + (size_t)i * size, v->items, size * sizeof *items);
    return items ? pt_eval_object(e, pt_eval_class(e, v), PT_FORM_SEQUENCE,
                                  items, size * (size_t)n)
                 : NULL;
}

static bool
is_sequence(const struct pt_value *v)
{
    return is_string(v) || has_form(v, PT_FORM_SEQUENCE);
}

static const struct pt_value *
cannot(struct pt_eval *e, enum pt_operator op, const struct pt_value *a,
       const struct pt_value *b)
{
    char left[PT_NAME_TEXT], right[PT_NAME_TEXT];
    pt_eval_type_name(e, a, left);
    const char *first = pt_eval_type_name(e, a, left);
    const char *second = pt_eval_type_name(e, b, right);
    if (op == PT_OP_ADD && is_sequence(a))
        return pt_eval_raise(e,
                             a->kind == PT_VALUE_BYTES
                                 ? "TypeError: can't concat %2$s to %1$s"
                                 : "TypeError: can only concatenate %1$s (not "
                                   "\"%2$s\") to %1$s",
                             first, second);
    if (op == PT_OP_MUL && (is_sequence(a) || is_sequence(b)))
        return pt_eval_raise(e,
                             "TypeError: can't multiply sequence by non-int "
                             "of type '%s'",
                             is_sequence(a) ? second : first);
    return pt_eval_raise(
        e, "TypeError: unsupported operand type(s) for %s: '%s' and '%s'",
        op == PT_OP_POW ? "** or pow()" : pt_operator_text[op], first, second);
}

/* Dicts joined by |. */
static const struct pt_value *
merged(struct pt_eval *e, const struct pt_value *a, const struct pt_value *b)
{
    if (a->cut || b->cut)
        return pt_eval_cut(e, a->cut ? a : b);
    const struct pt_value *both = joined(e, a, b);
    return both ? pt_eval_dict(e, both->items, both->n / 2) : NULL;
}

const struct pt_value *
pt_eval_binary(struct pt_eval *e, enum pt_operator op,
               const struct pt_value *left, const struct pt_value *right)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *a = pt_eval_plain(left), *b = pt_eval_plain(right);
    if (!pt_eval_told(e, a) || !pt_eval_told(e, b) || !pt_eval_step(e))
        return NULL;
    if (pt_eval_is_number(a) && pt_eval_is_number(b))
        return pt_eval_arithmetic(e, op, a, b);
    if (op == PT_OP_MOD && a->kind == PT_VALUE_STR)
        return pt_eval_percent(e, a, b);
    if (pt_eval_is_instance(e, a) || pt_eval_is_instance(e, b))
        return pt_eval_unknown(
            e,
            "what %s does with a '%s' is up to its class, which ptana does "
            "not run",
            pt_operator_text[op],
            pt_eval_type_name(e, pt_eval_is_instance(e, a) ? a : b, name));
    if (pt_eval_class(e, a) == PT_CLASS_COMPLEX ||
        pt_eval_class(e, b) == PT_CLASS_COMPLEX)
        return pt_eval_unknown(e, "complex numbers are not calculated with");
    if (a->kind == PT_VALUE_BYTES && op == PT_OP_MOD)
        return pt_eval_unknown(e, "%% of bytes is not evaluated");
    if (has_form(a, PT_FORM_SET) && has_form(b, PT_FORM_SET) &&
        (op == PT_OP_BITAND || op == PT_OP_BITOR || op == PT_OP_BITXOR ||
         op == PT_OP_SUB))
        return pt_eval_set_operation(e, op, a, b);
    if (has_form(a, PT_FORM_MAPPING) && has_form(b, PT_FORM_MAPPING) &&
        op == PT_OP_BITOR)
        return merged(e, a, b);
    bool same = a->kind == b->kind &&
                (is_string(a) || pt_eval_class(e, a) == pt_eval_class(e, b));
    const struct pt_value *sequence = is_sequence(a) ? a : b;
    const struct pt_value *count = is_sequence(a) ? b : a;
    bool adds = op == PT_OP_ADD && is_sequence(a) && same;
    bool repeats =
        op == PT_OP_MUL && is_sequence(sequence) && pt_eval_is_int(count);
    if (!adds && !repeats)
        return cannot(e, op, a, b);
    if (a->cut || b->cut)
        return pt_eval_cut(e, a->cut ? a : b);
    if (repeats)
        return repeated(e, sequence, count);
    return is_string(a) ? joined_strings(e, a, b) : joined(e, a, b);
}
