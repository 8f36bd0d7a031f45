/* Values to text and text to numbers: repr, str, int, float. */
#include "analyze/expression/eval.h"
#include "analyze/names.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MOST = 4300 }; /* sys.int_info.default_max_str_digits */

/* --- repr -----------------------------------------------------------------
 */

static bool
is_short(struct pt_eval *e, const struct pt_value *v)
{
    mpz_t z, most;
    mpz_init(z);
    mpz_init(most);
    pt_eval_mpz(z, v);
    mpz_ui_pow_ui(most, 10, DIGITS_MOST);
    bool fine = mpz_cmpabs(z, most) < 0;
    mpz_clears(z, most, NULL);
    if (!fine)
        pt_eval_raise(e, "ValueError: Exceeds the limit (4300 digits) for "
                         "integer string conversion");
    return fine;
}

/* Whether the printer writes `v` just as Python does: all of it is told, it is
 * made of builtin types, and their order is known. */
static bool
is_exact(struct pt_eval *e, const struct pt_value *v, uint64_t *numbers,
         unsigned depth)
{
    char name[PT_NAME_TEXT];
    if (!pt_eval_told(e, v) || !pt_eval_step(e))
        return false;
    if (v->cut)
        return pt_eval_cut(e, v) != NULL;
    if (v->kind == PT_VALUE_BIGINT)
        return is_short(e, v);
    if (v->kind != PT_VALUE_OBJECT || pt_eval_class(e, v) == PT_CLASS_TYPE)
        return true;
    for (unsigned i = 0; i < depth && v->number; i++)
        if (numbers[i] == v->number)
            return true;
    if (depth == PT_REPR_DEPTH)
        return pt_eval_too_large(e) != NULL;
    if (v->form > PT_FORM_MAPPING && v->form != PT_FORM_NUMBERS)
        return pt_eval_unknown(e,
                               "the text of a '%s' is up to its class, "
                               "which ptana does not run",
                               pt_eval_type_name(e, v, name)) != NULL;
    if (v->form < PT_FORM_NUMBERS && pt_eval_class(e, v) == PT_CLASS_OTHER)
        return pt_eval_unknown(e,
                               "the text of a '%s' is up to its class, "
                               "which ptana does not run",
                               pt_eval_type_name(e, v, name)) != NULL;
    bool own = v->type == pt_class_id(PT_CLASS_SET) ||
               v->type == pt_class_id(PT_CLASS_FROZENSET);
    if (v->form == PT_FORM_SET && own && v->n > 1)
        return pt_eval_unknown(e, "the order of a set that ptana made is not "
                                  "known") != NULL;
    numbers[depth] = v->number;
    for (uint32_t i = 0; i < v->n; i++)
        if (!is_exact(e, &v->items[i], numbers, depth + 1))
            return false;
    return true;
}

const struct pt_value *
pt_eval_repr(struct pt_eval *e, const struct pt_value *v)
{
    uint64_t numbers[PT_REPR_DEPTH];
    struct pt_growing g = {0};
    if (!is_exact(e, v, numbers, 0))
        return NULL;
    pt_value_line(&g, e->scope->trace, v, 0);
    bool whole = !g.failed && g.used < PT_VALUE_TEXT_MOST - 8;
    const struct pt_value *made =
        whole ? pt_eval_str_copy(e, pt_growing_whole(&g)) : NULL;
    pt_growing_free(&g);
    return whole ? made : pt_eval_too_large(e);
}

const struct pt_value *
pt_eval_to_str(struct pt_eval *e, const struct pt_value *v)
{
    return v->kind == PT_VALUE_STR ? v : pt_eval_repr(e, v);
}

/* --- numbers from text ----------------------------------------------------
 */

static struct pt_str
stripped(struct pt_str s)
{
    while (s.len && isspace((unsigned char)s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && isspace((unsigned char)s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool
is_ascii(struct pt_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 128)
            return false;
    return true;
}

/* Copies without underscores, each of which stands between two digits. */
static char *
without_underscores(struct pt_eval *e, struct pt_str s, size_t *len)
{
    char *copy = pt_eval_alloc(e, s.len + 1, 1);
    size_t n = 0;
    for (size_t i = 0; copy && i < s.len; i++) {
        bool between = i && i + 1 < s.len &&
                       isalnum((unsigned char)s.data[i - 1]) &&
                       isalnum((unsigned char)s.data[i + 1]);
        if (s.data[i] != '_')
            copy[n++] = s.data[i];
        else if (!between)
            copy[n++] = '?'; /* no digit */
    }
    *len = n;
    return copy;
}

static void *
invalid(struct pt_eval *e, const char *what, const struct pt_value *v)
{
    const struct pt_value *text = pt_eval_repr(e, v);
    if (!text)
        return NULL;
    int n = (int)(text->s.len < 200 ? text->s.len : 200);
    return pt_eval_raise(e, "ValueError: %s: %.*s", what, n, text->s.data);
}

/* A prefix like 0x, where the base wants or allows one. */
static struct pt_str
unprefixed(struct pt_str s, unsigned *base)
{
    unsigned mark = s.len > 1 && s.data[0] == '0' ? s.data[1] | 0x20u : 0;
    unsigned of = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (of && (*base == 0 || *base == of)) {
        *base = of;
        s.data += 2;
        s.len -= 2;
        if (s.len > 1 && s.data[0] == '_') {
            s.data++;
            s.len--;
        }
    } else if (*base == 0)
        *base = 10;
    return s;
}

static const struct pt_value *
parsed_int(struct pt_eval *e, const struct pt_value *v, unsigned base)
{
    char what[80] = "invalid literal for int() with base 10";
    unsigned wanted = base;
    struct pt_str s = stripped(v->s);
    if (!is_ascii(s))
        return pt_eval_unknown(e, "digits beyond ASCII are not read");
    bool negative = s.len && s.data[0] == '-';
    if (s.len && (negative || s.data[0] == '+')) {
        s.data++;
        s.len--;
    }
    s = unprefixed(s, &base);
    size_t len;
    char *text = without_underscores(e, s, &len);
    struct pt_value *made = pt_eval_alloc(e, 1, sizeof *made);
    if (!text || !made)
        return NULL;
    bool digits = len > 0, zeros = true;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned digit = isdigit(c)   ? (unsigned)c - '0'
                         : isalpha(c) ? (c | 0x20u) - 'a' + 10
                                      : 99;
        digits = digits && digit < base;
        zeros = zeros && digit == 0;
    }
    /* As a literal: no leading zeros where the base is to be guessed. */
    if (wanted == 0 && base == 10 && len > 1 && text[0] == '0' && !zeros)
        digits = false;
    snprintf(what, sizeof what, "invalid literal for int() with base %u",
             wanted);
    if (!digits)
        return invalid(e, what, v);
    if (len > DIGITS_MOST && (base & (base - 1)))
        return pt_eval_raise(e,
                             "ValueError: Exceeds the limit (4300 digits) for "
                             "integer string conversion: value has %zu digits",
                             len);
    if (!pt_number_parse(&e->result->memory, (struct pt_str){text, len}, base,
                         negative, made))
        return pt_eval_too_large(e);
    return made;
}

static const struct pt_value *
truncated(struct pt_eval *e, double f)
{
    mpz_t z;
    if (isnan(f))
        return pt_eval_raise(e,
                             "ValueError: cannot convert float NaN to integer");
    if (isinf(f))
        return pt_eval_raise(
            e, "OverflowError: cannot convert float infinity to integer");
    mpz_init_set_d(z, f);
    const struct pt_value *v = pt_eval_from_mpz(e, z);
    mpz_clear(z);
    return v;
}

const struct pt_value *
pt_eval_int_of(struct pt_eval *e, const struct pt_value *value,
               const struct pt_value *base)
{
    char name[PT_NAME_TEXT];
    const struct pt_value *v = pt_eval_plain(value);
    if (!pt_eval_told(e, v) || (base && !pt_eval_told(e, base)))
        return NULL;
    if (base && (!pt_eval_is_int(base) || base->kind == PT_VALUE_BIGINT ||
                 base->i < 0 || base->i == 1 || base->i > 36))
        return pt_eval_raise(
            e, "ValueError: int() base must be >= 2 and <= 36, or 0");
    if (base && v->kind != PT_VALUE_STR)
        return pt_eval_raise(
            e, "TypeError: int() can't convert non-string with explicit base");
    if (v->cut)
        return pt_eval_cut(e, v);
    if (v->kind == PT_VALUE_STR)
        return parsed_int(e, v, base ? (unsigned)base->i : 10);
    if (v->kind == PT_VALUE_FLOAT)
        return truncated(e, v->f);
    if (v->kind == PT_VALUE_BOOL)
        return pt_eval_i64(e, v->i);
    if (pt_eval_is_int(v))
        return v;
    if (pt_eval_is_instance(e, v) || v->kind == PT_VALUE_BYTES)
        return pt_eval_unknown(e, "int() of a '%s' is not evaluated",
                               pt_eval_type_name(e, v, name));
    return pt_eval_raise(
        e,
        "TypeError: int() argument must be a string, a bytes-like object or "
        "a real number, not '%s'",
        pt_eval_type_name(e, v, name));
}

/* Whether strtod() reads all of it, and it is what Python's float() takes. */
static bool
is_float(const char *text)
{
    static const char *const words[] = {"inf", "infinity", "nan"};
    const char *s = text + (*text == '-' || *text == '+');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(s, words[i]) == 0)
            return true;
    size_t whole = strspn(s, "0123456789"), part = 0;
    s += whole;
    if (*s == '.') {
        part = strspn(s + 1, "0123456789");
        s += 1 + part;
    }
    if (whole + part && (*s == 'e' || *s == 'E')) {
        s += 1 + (s[1] == '-' || s[1] == '+');
        if (!isdigit((unsigned char)*s))
            return false;
        s += strspn(s, "0123456789");
    }
    return whole + part && *s == '\0';
}

const struct pt_value *
pt_eval_float_of(struct pt_eval *e, const struct pt_value *value)
{
    char name[PT_NAME_TEXT];
    double f;
    const struct pt_value *v = pt_eval_plain(value);
    if (!pt_eval_told(e, v))
        return NULL;
    if (v->cut)
        return pt_eval_cut(e, v);
    if (pt_eval_is_number(v))
        return pt_eval_as_double(e, v, &f) ? pt_eval_float(e, f) : NULL;
    if (v->kind != PT_VALUE_STR) {
        if (pt_eval_is_instance(e, v) || v->kind == PT_VALUE_BYTES)
            return pt_eval_unknown(e, "float() of a '%s' is not evaluated",
                                   pt_eval_type_name(e, v, name));
        return pt_eval_raise(e,
                             "TypeError: float() argument must be a string "
                             "or a real number, not '%s'",
                             pt_eval_type_name(e, v, name));
    }
    struct pt_str s = stripped(v->s);
    if (!is_ascii(s))
        return pt_eval_unknown(e, "digits beyond ASCII are not read");
    size_t len;
    char *text = without_underscores(e, s, &len);
    if (!text)
        return NULL;
    if (strlen(text) != len || !is_float(text))
        return invalid(e, "could not convert string to float", v);
    return pt_eval_float(e, strtod(text, NULL));
}
