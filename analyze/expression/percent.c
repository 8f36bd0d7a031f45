/* format % args, as str has it. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"
#include "analyze/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH_MOST = 1 << 16, PRECISION_MOST = 1000, FLOAT_TEXT = 1600 };

struct format {
    struct pt_eval *e;
    struct pt_growing text;
    const char *begin, *at, *end;
    const struct pt_value *args; /* the tuple's items, or the one argument */
    size_t n, used;
    const struct pt_value *mapping; /* of %(name)s; NULL */
    const struct pt_value *named;   /* what the last name gave */
    /* of the directive that is being read: */
    bool left, plus, blank, alternate, zero;
    int64_t width, precision; /* -1: not given */
};

static const struct pt_value *
next(struct format *f)
{
    if (f->named)
        return f->named;
    if (f->used < f->n)
        return &f->args[f->used++];
    return pt_eval_raise(f->e,
                         "TypeError: not enough arguments for format string");
}

/* --- the parts of a directive ---------------------------------------------
 */

static bool
incomplete(struct format *f)
{
    return pt_eval_raise(f->e, "ValueError: incomplete format") != NULL;
}

/* %(name): brackets within may nest. */
static bool
key(struct format *f)
{
    const char *start = ++f->at;
    unsigned depth = 1;
    for (; f->at < f->end && depth; f->at++)
        depth += (unsigned)(*f->at == '(') - (unsigned)(*f->at == ')');
    if (depth)
        return pt_eval_raise(f->e, "ValueError: incomplete format key") != NULL;
    if (!f->mapping)
        return pt_eval_raise(f->e, "TypeError: format requires a mapping") !=
               NULL;
    const struct pt_value *name = pt_eval_str_copy(
        f->e, (struct pt_str){start, (size_t)(f->at - start) - 1});
    f->named = name ? pt_eval_subscript(f->e, f->mapping, name) : NULL;
    return f->named != NULL;
}

static bool
amount(struct format *f, int64_t *out)
{
    if (f->at < f->end && *f->at == '*') {
        f->at++;
        const struct pt_value *v = next(f);
        if (!v || !pt_eval_told(f->e, v))
            return false;
        if (!pt_eval_is_int(v))
            return pt_eval_raise(f->e, "TypeError: * wants int") != NULL;
        *out = pt_eval_clamped(v);
    } else
        for (*out = 0; f->at < f->end && isdigit((unsigned char)*f->at) &&
                       *out <= WIDTH_MOST;
             f->at++)
            *out = *out * 10 + (*f->at - '0');
    if (*out > WIDTH_MOST || *out < -WIDTH_MOST)
        return pt_eval_too_large(f->e) != NULL;
    return true;
}

static bool
directive(struct format *f)
{
    f->left = f->plus = f->blank = f->alternate = f->zero = false;
    f->width = f->precision = -1;
    f->named = NULL;
    if (f->at < f->end && *f->at == '(' && !key(f))
        return false;
    for (; f->at < f->end && *f->at && strchr("-+ #0", *f->at); f->at++) {
        f->left = f->left || *f->at == '-';
        f->plus = f->plus || *f->at == '+';
        f->blank = f->blank || *f->at == ' ';
        f->alternate = f->alternate || *f->at == '#';
        f->zero = f->zero || *f->at == '0';
    }
    if (!amount(f, &f->width))
        return false;
    if (f->width < 0) {
        f->left = true;
        f->width = -f->width;
    }
    if (f->at < f->end && *f->at == '.') {
        f->at++;
        if (!amount(f, &f->precision))
            return false;
        if (f->precision < 0)
            f->precision = 0;
    }
    while (f->at < f->end && *f->at && strchr("hlL", *f->at))
        f->at++;
    return f->at < f->end || incomplete(f);
}

/* --- what it writes -------------------------------------------------------
 */

static void
fill(struct format *f, char c, int64_t n)
{
    for (; n > 0; n--)
        pt_growing_put(&f->text, &c, 1);
}

/* `head` is a sign and a prefix, which zeros stand behind. */
static bool
put(struct format *f, struct pt_str head, struct pt_str body, bool number)
{
    int64_t size = (int64_t)(pt_eval_points(head) + pt_eval_points(body));
    bool zeros = number && f->zero && !f->left;
    int64_t missing = f->width - size;
    if (!f->left && !zeros)
        fill(f, ' ', missing);
    pt_growing_str(&f->text, head);
    if (zeros)
        fill(f, '0', missing);
    pt_growing_str(&f->text, body);
    if (f->left)
        fill(f, ' ', missing);
    return !f->text.failed || pt_eval_too_large(f->e);
}

static bool
put_text(struct format *f, const struct pt_value *v)
{
    struct pt_str s = v->s;
    if (v->cut)
        return pt_eval_cut(f->e, v) != NULL;
    size_t end = 0;
    uint32_t c;
    for (int64_t i = 0; i < f->precision && end < s.len; i++)
        end += pt_utf8_next(s.data + end, s.len - end, &c);
    if (f->precision >= 0)
        s.len = end;
    return put(f, (struct pt_str){0}, s, false);
}

static const char *
sign(const struct format *f, bool negative)
{
    return negative ? "-" : f->plus ? "+" : f->blank ? " " : "";
}

static bool
put_int(struct format *f, const struct pt_value *v, char type)
{
    int base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : 10;
    const char *prefix = !f->alternate ? ""
                         : type == 'x' ? "0x"
                         : type == 'X' ? "0X"
                         : type == 'o' ? "0o"
                                       : "";
    char head[8];
    mpz_t z;
    mpz_init(z);
    pt_eval_mpz(z, v);
    int size =
        snprintf(head, sizeof head, "%s%s", sign(f, mpz_sgn(z) < 0), prefix);
    mpz_abs(z, z);
    size_t room = mpz_sizeinbase(z, base) + 2;
    char *digits = pt_eval_alloc(f->e, room + WIDTH_MOST + 1, 1);
    bool done = digits && (base != 10 || room <= 4300 + 2);
    if (digits && !done)
        pt_eval_raise(f->e, "ValueError: Exceeds the limit (4300 digits) for "
                            "integer string conversion");
    if (done) {
        /* Room before them for the zeros of a precision. */
        char *start = digits + WIDTH_MOST;
        mpz_get_str(start, type == 'X' ? -16 : base, z);
        int64_t n = (int64_t)strlen(start);
        for (; n < f->precision; n++)
            *--start = '0';
        done = put(f, (struct pt_str){head, (size_t)size},
                   (struct pt_str){start, (size_t)n}, true);
    }
    mpz_clear(z);
    return done;
}

static bool
put_float(struct format *f, double d, char type)
{
    char pattern[16], text[FLOAT_TEXT];
    int64_t precision = f->precision < 0 ? 6 : f->precision;
    if (precision > PRECISION_MOST)
        return pt_eval_too_large(f->e) != NULL;
    snprintf(pattern, sizeof pattern, f->alternate ? "%%#.*%c" : "%%.*%c",
             type);
    bool negative = signbit(d) && !isnan(d);
    snprintf(text, sizeof text, pattern, (int)precision, fabs(d));
    const char *head = sign(f, negative);
    return put(f, (struct pt_str){head, strlen(head)},
               (struct pt_str){text, strlen(text)}, true);
}

static bool
put_number(struct format *f, const struct pt_value *v, char type)
{
    char name[PT_NAME_TEXT];
    bool decimal = type == 'd' || type == 'i' || type == 'u';
    bool real = decimal || strchr("eEfFgG", type);
    double d;
    if (pt_eval_is_instance(f->e, v))
        return pt_eval_unknown(f->e, "%%%c of a '%s' is not evaluated", type,
                               pt_eval_type_name(f->e, v, name)) != NULL;
    if (!pt_eval_is_number(v) || (!real && v->kind == PT_VALUE_FLOAT)) {
        const char *given = pt_eval_type_name(f->e, v, name);
        if (real && !decimal)
            return pt_eval_raise(f->e, "TypeError: must be real number, not %s",
                                 given) != NULL;
        return pt_eval_raise(f->e,
                             "TypeError: %%%c format: %s is required, "
                             "not %s",
                             type, decimal ? "a real number" : "an integer",
                             given) != NULL;
    }
    if (v->cut)
        return pt_eval_cut(f->e, v) != NULL;
    if (real && !decimal)
        return pt_eval_as_double(f->e, v, &d) && put_float(f, d, type);
    const struct pt_value *whole = pt_eval_int_of(f->e, v, NULL);
    return whole && put_int(f, whole, type);
}

static bool
put_character(struct format *f, const struct pt_value *v)
{
    if (v->kind == PT_VALUE_STR && v->length == 1 && !v->cut) {
        f->precision = -1;
        return put_text(f, v);
    }
    if (pt_eval_is_int(v))
        return pt_eval_unknown(f->e, "%%c of an int is not evaluated") != NULL;
    if (pt_eval_is_instance(f->e, v))
        return pt_eval_unknown(f->e, "%%c of an instance is not evaluated") !=
               NULL;
    char name[PT_NAME_TEXT];
    if (f->e->scope->hexversion < 0x030e0000)
        pt_eval_raise(f->e, "TypeError: %%c requires int or char");
    else if (v->kind == PT_VALUE_STR)
        pt_eval_raise(f->e,
                      "TypeError: %%c requires an int or a unicode character, "
                      "not a string of length %llu",
                      (unsigned long long)v->length);
    else
        pt_eval_raise(f->e,
                      "TypeError: %%c requires an int or a unicode character, "
                      "not %s",
                      pt_eval_type_name(f->e, v, name));
    return false;
}

/* The character behind `at` is no conversion. */
static bool
unsupported(struct format *f)
{
    uint32_t c;
    const char *mark = f->at - 1;
    size_t size = pt_utf8_next(mark, (size_t)(f->end - mark), &c);
    struct pt_str before = {f->begin, (size_t)(mark - f->begin)};
    bool shown = c > 31 && c < 127;
    return pt_eval_raise(
               f->e,
               "ValueError: unsupported format character '%.*s' (0x%lx) at "
               "index %llu",
               shown ? (int)size : 1, shown ? mark : "?", (unsigned long)c,
               (unsigned long long)pt_eval_points(before)) != NULL;
}

static bool
conversion(struct format *f)
{
    char type = *f->at++;
    if (type == '%')
        return put(f, (struct pt_str){0}, (struct pt_str){"%", 1}, false);
    if (!type || !strchr("diuoxXeEfFgGcrsa", type))
        return unsupported(f);
    const struct pt_value *v = next(f);
    if (!v || !pt_eval_told(f->e, v))
        return false;
    if (type == 'a')
        return pt_eval_unknown(f->e, "%%a is not evaluated") != NULL;
    if (type == 's' || type == 'r') {
        v = type == 's' ? pt_eval_to_str(f->e, v) : pt_eval_repr(f->e, v);
        return v && put_text(f, v);
    }
    return type == 'c' ? put_character(f, pt_eval_plain(v))
                       : put_number(f, pt_eval_plain(v), type);
}

/* --- the whole ------------------------------------------------------------
 */

static bool
write_all(struct format *f)
{
    while (f->at < f->end) {
        const char *start = f->at;
        const char *mark = memchr(start, '%', (size_t)(f->end - start));
        f->at = mark ? mark : f->end;
        pt_growing_put(&f->text, start, (size_t)(f->at - start));
        if (!mark)
            break;
        f->at++;
        if (f->at == f->end)
            return incomplete(f);
        if (!pt_eval_step(f->e) || !directive(f) || !conversion(f))
            return false;
    }
    if (f->used < f->n && !f->mapping)
        return pt_eval_raise(f->e, "TypeError: not all arguments converted "
                                   "during string formatting") != NULL;
    return !f->text.failed || pt_eval_too_large(f->e);
}

const struct pt_value *
pt_eval_percent(struct pt_eval *e, const struct pt_value *format,
                const struct pt_value *args)
{
    bool tuple = pt_eval_class(e, args) == PT_CLASS_TUPLE;
    if (format->cut || (tuple && args->cut))
        return pt_eval_cut(e, format->cut ? format : args);
    struct format f = {.e = e,
                       .begin = format->s.data,
                       .at = format->s.data,
                       .end = format->s.data + format->s.len,
                       .args = tuple ? args->items : args,
                       .n = tuple ? args->n : 1};
    /* What can be subscripted, and is no tuple or str, passes for a mapping. */
    bool mapping = args->kind == PT_VALUE_BYTES ||
                   (args->kind == PT_VALUE_OBJECT &&
                    (args->form == PT_FORM_MAPPING ||
                     (args->form == PT_FORM_SEQUENCE && !tuple) ||
                     pt_eval_class(e, args) == PT_CLASS_RANGE));
    f.mapping = mapping ? args : NULL;
    if (pt_eval_is_instance(e, args))
        f.mapping = args;
    const struct pt_value *made = NULL;
    if (write_all(&f))
        made = pt_eval_str_copy(e, pt_growing_whole(&f.text));
    pt_growing_free(&f.text);
    return made;
}
