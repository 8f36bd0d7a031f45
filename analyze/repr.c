#include "analyze/repr.h"
#include "analyze/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the text -------------------------------------------------------------
 */

void
pt_growing_put(struct pt_growing *g, const char *data, size_t len)
{
    if (g->failed || len == 0)
        return;
    if (len > g->capacity - g->used) {
        size_t capacity = g->capacity ? g->capacity : 128;
        while (capacity - g->used < len && capacity < SIZE_MAX / 2)
            capacity *= 2;
        char *grown =
            capacity - g->used < len ? NULL : realloc(g->data, capacity);
        if (!grown) {
            g->failed = true;
            return;
        }
        g->data = grown;
        g->capacity = capacity;
    }
    memcpy(g->data + g->used, data, len);
    g->used += len;
}

void
pt_growing_text(struct pt_growing *g, const char *text)
{
    pt_growing_put(g, text, strlen(text));
}

void
pt_growing_str(struct pt_growing *g, struct pt_str s)
{
    pt_growing_put(g, s.data, s.len);
}

void
pt_growing_free(struct pt_growing *g)
{
    free(g->data);
    *g = (struct pt_growing){0};
}

/* --- strings --------------------------------------------------------------
 */

/* What str.isprintable() refuses above ASCII, unassigned characters apart:
 * separators, controls, formats, surrogates, private use. */
static bool
printable(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } refused[] = {
        {0x80, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
        {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},
        {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},
        {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},
        {0x205f, 0x2064},   {0x2066, 0x206f},   {0x3000, 0x3000},
        {0xd800, 0xf8ff},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
        {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
        {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
        {0xe0020, 0xe007f}, {0xf0000, 0xffffd}, {0x100000, 0x10fffd}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (c <= refused[i].last)
            return c < refused[i].first;
    return true;
}

static char
quote_for(struct pt_str s)
{
    bool single = s.len && memchr(s.data, '\'', s.len);
    return single && !memchr(s.data, '"', s.len) ? '"' : '\'';
}

/* A backslash and what follows it, where `c` is not written as it is. */
static bool
put_escape(struct pt_growing *g, uint32_t c, char quote)
{
    char text[16];
    if (c == (unsigned char)quote || c == '\\')
        snprintf(text, sizeof text, "\\%c", (char)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        snprintf(text, sizeof text, "\\%c",
                 c == '\n'   ? 'n'
                 : c == '\r' ? 'r'
                             : 't');
    else if (c < ' ' || c == 127 || (c < 256 && !printable(c)))
        snprintf(text, sizeof text, "\\x%02" PRIx32, c);
    else if (c > 255 && !printable(c))
        snprintf(text, sizeof text,
                 c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, c);
    else
        return false;
    pt_growing_text(g, text);
    return true;
}

/* Escaped for `quote`, which does not surround it. */
static void
put_inside(struct pt_growing *g, struct pt_str s, char quote)
{
    for (size_t i = 0; i < s.len;) {
        uint32_t c = (unsigned char)s.data[i];
        unsigned n = 1;
        if (c >= 128)
            n = pt_utf8_next(s.data + i, s.len - i, &c);
        if (!put_escape(g, c, quote)) {
            if (n == 1 && c >= 128)
                pt_growing_text(g, "\xef\xbf\xbd");
            else
                pt_growing_put(g, s.data + i, n);
        }
        i += n;
    }
}

void
pt_repr_text(struct pt_growing *g, struct pt_str s)
{
    put_inside(g, s, '\\');
}

void
pt_repr_str(struct pt_growing *g, struct pt_str s)
{
    char quote = quote_for(s);
    pt_growing_put(g, &quote, 1);
    put_inside(g, s, quote);
    pt_growing_put(g, &quote, 1);
}

void
pt_repr_bytes(struct pt_growing *g, struct pt_str s)
{
    char quote = quote_for(s);
    pt_growing_put(g, "b", 1);
    pt_growing_put(g, &quote, 1);
    for (size_t i = 0; i < s.len; i++) {
        uint32_t c = (unsigned char)s.data[i];
        char text[8];
        if (c > 127) {
            snprintf(text, sizeof text, "\\x%02" PRIx32, c);
            pt_growing_text(g, text);
        } else if (!put_escape(g, c, quote))
            pt_growing_put(g, s.data + i, 1);
    }
    pt_growing_put(g, &quote, 1);
}

/* --- numbers --------------------------------------------------------------
 */

/* Hexadecimal digits to decimal ones, nine in a limb; hexadecimal they stay
 * where Python refuses to convert them. */
void
pt_repr_big(struct pt_growing *g, struct pt_str s)
{
    enum { HEX_MOST = 3571, LIMBS = 480 };
    const uint64_t base = 1000000000;
    uint32_t limbs[LIMBS] = {0};
    size_t used = 1, i = s.len > 0 && s.data[0] == '-';
    pt_growing_put(g, s.data, i);
    if (s.len - i > HEX_MOST) {
        pt_growing_text(g, "0x");
        pt_growing_put(g, s.data + i, s.len - i);
        return;
    }
    while (i < s.len) {
        uint64_t carry = 0, scale = 1;
        for (unsigned n = 0; n < 7 && i < s.len; n++, i++, scale *= 16) {
            unsigned c = (unsigned char)s.data[i];
            carry = carry * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        for (size_t k = 0; k < used; k++) {
            carry += limbs[k] * scale;
            limbs[k] = (uint32_t)(carry % base);
            carry /= base;
        }
        if (carry && used < LIMBS)
            limbs[used++] = (uint32_t)carry;
    }
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, limbs[used - 1]);
    pt_growing_text(g, text);
    while (--used > 0) {
        snprintf(text, sizeof text, "%09" PRIu32, limbs[used - 1]);
        pt_growing_text(g, text);
    }
}

/* Adds one to the last of the digits before "e"; false where all are nines,
 * which fewer digits then say. */
static bool
next_up(char *digits)
{
    char *at = strchr(digits, 'e');
    while (at-- > digits) {
        if (*at >= '0' && *at < '9') {
            ++*at;
            return true;
        }
        if (*at == '9')
            *at = '0';
    }
    return false;
}

/* Digits that read back as `value`: the nearest that `precision` allows, or, as
 * the numbers below a power of two lie closer than those above, the next. */
static bool
are_enough(double value, int precision, char *digits, size_t size)
{
    int exponent;
    snprintf(digits, size, "%.*e", precision, value);
    if (strtod(digits, NULL) == value)
        return true;
    return fabs(frexp(value, &exponent)) == 0.5 && next_up(digits) &&
           strtod(digits, NULL) == value;
}

/* The fewest digits that read back as the same number, in Python's notation:
 * with an exponent below 1e-4 and from 1e16 on.  `whole` is what follows a
 * number that has no fraction. */
static void
put_float(struct pt_growing *g, double value, const char *whole)
{
    char digits[40], text[48];
    if (!isfinite(value)) {
        pt_growing_text(g, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    int precision = 0;
    while (!are_enough(value, precision, digits, sizeof digits) &&
           precision < 16)
        precision++;
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent < -4 || exponent >= 16) {
        pt_growing_text(g, digits);
        return;
    }
    int places = precision > exponent ? precision - exponent : 0;
    snprintf(text, sizeof text, "%.*f", places, value);
    pt_growing_text(g, text);
    if (places == 0)
        pt_growing_text(g, whole);
}

void
pt_repr_float(struct pt_growing *g, double value)
{
    put_float(g, value, ".0");
}

void
pt_repr_complex(struct pt_growing *g, double real, double imaginary)
{
    bool alone = real == 0 && !signbit(real);
    if (!alone) {
        pt_growing_text(g, "(");
        put_float(g, real, "");
        if (isnan(imaginary) || !signbit(imaginary))
            pt_growing_text(g, "+");
    }
    put_float(g, imaginary, "");
    pt_growing_text(g, alone ? "j" : "j)");
}

/* --- constants ------------------------------------------------------------
 */

static size_t
items_of(const struct pt_const *c)
{
    return c->kind == PT_CONST_TUPLE || c->kind == PT_CONST_FROZENSET ? c->n
           : c->kind == PT_CONST_SLICE                                ? 3
                                                                      : 0;
}

size_t
pt_const_size(const struct pt_const *c, size_t left)
{
    size_t size = 0, need = 1;
    while (need && size < left)
        need += items_of(&c[size++]) - 1;
    return size;
}

static void
put_code(struct pt_growing *g, const struct pt_trace *trace, uint32_t id)
{
    char line[16];
    const struct pt_code *code = trace ? pt_trace_code(trace, id) : NULL;
    if (!code) {
        pt_growing_text(g, "<code object>");
        return;
    }
    snprintf(line, sizeof line, "%" PRIu32, code->firstline);
    pt_growing_text(g, "<code object ");
    pt_growing_str(g, code->name);
    pt_growing_text(g, ", file \"");
    pt_growing_str(g, code->file);
    pt_growing_text(g, "\", line ");
    pt_growing_text(g, line);
    pt_growing_text(g, ">");
}

static void
put_plain(struct pt_growing *g, const struct pt_trace *trace,
          const struct pt_const *c)
{
    char number[24];
    switch ((enum pt_const_kind)c->kind) {
    case PT_CONST_NONE:
        pt_growing_text(g, "None");
        break;
    case PT_CONST_ELLIPSIS:
        pt_growing_text(g, "Ellipsis");
        break;
    case PT_CONST_BOOL:
        pt_growing_text(g, c->i ? "True" : "False");
        break;
    case PT_CONST_INT:
        snprintf(number, sizeof number, "%" PRId64, c->i);
        pt_growing_text(g, number);
        break;
    case PT_CONST_BIGINT:
        pt_repr_big(g, c->s);
        break;
    case PT_CONST_FLOAT:
        pt_repr_float(g, c->f);
        break;
    case PT_CONST_COMPLEX:
        pt_repr_complex(g, c->f, c->g);
        break;
    case PT_CONST_STR:
        pt_repr_str(g, c->s);
        break;
    case PT_CONST_BYTES:
        pt_repr_bytes(g, c->s);
        break;
    case PT_CONST_CODE:
        put_code(g, trace, c->n);
        break;
    default:
        pt_growing_text(g, "<");
        pt_growing_str(g, c->s);
        pt_growing_text(g, ">");
        break;
    }
}

static size_t
put_const(struct pt_growing *g, const struct pt_trace *trace,
          const struct pt_const *c, size_t left, unsigned depth)
{
    if (c->kind != PT_CONST_TUPLE && c->kind != PT_CONST_FROZENSET &&
        c->kind != PT_CONST_SLICE) {
        put_plain(g, trace, c);
        return 1;
    }
    if (depth == PT_REPR_DEPTH) {
        pt_growing_text(g, "...");
        return pt_const_size(c, left);
    }
    bool set = c->kind == PT_CONST_FROZENSET;
    size_t n = items_of(c), used = 1;
    pt_growing_text(g, set                         ? "frozenset("
                       : c->kind == PT_CONST_SLICE ? "slice("
                                                   : "(");
    if (set && n)
        pt_growing_text(g, "{");
    for (size_t i = 0; i < n && used < left; i++) {
        if (i)
            pt_growing_text(g, ", ");
        used += put_const(g, trace, c + used, left - used, depth + 1);
    }
    if (c->kind == PT_CONST_TUPLE && n == 1)
        pt_growing_text(g, ",");
    pt_growing_text(g, set && n ? "})" : ")");
    return used;
}

void
pt_repr_const(struct pt_growing *g, const struct pt_trace *trace,
              const struct pt_const *c, size_t left)
{
    if (left)
        put_const(g, trace, c, left, 0);
}
