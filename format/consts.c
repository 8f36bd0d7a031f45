/* Constants of code objects as natural CBOR.  Both directions are loops, not
 * recursion: the list is in pre-order and so are CBOR's bytes. */
#include "format/defs.h"

#include <string.h>

/* --- writing -------------------------------------------------------------- */

static size_t
items_of(const struct pt_const *c)
{
    switch (c->kind) {
    case PT_CONST_TUPLE:
    case PT_CONST_FROZENSET:
        return c->n;
    case PT_CONST_SLICE:
        return 3;
    default:
        return 0;
    }
}

static bool
hex_valid(struct pt_str s)
{
    size_t i = s.len > 0 && s.data[0] == '-';
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
              (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

enum pt_status
pt_consts_count(const struct pt_const *c, size_t n, size_t *top)
{
    size_t count = 0, need = 0;
    for (size_t i = 0; i < n; i++) {
        if (c[i].kind > PT_CONST_OTHER ||
            (c[i].kind == PT_CONST_SLICE && c[i].n != 3) ||
            (c[i].kind == PT_CONST_BIGINT && !hex_valid(c[i].s)))
            return PT_EUSAGE;
        if (need == 0)
            count++;
        else
            need--;
        need += items_of(&c[i]);
    }
    if (need != 0)
        return PT_EUSAGE;
    *top = count;
    return PT_OK;
}

static unsigned
hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* "-" or "" and hex digits to a bignum; that of a negative number n holds
 * -1 - n. */
static void
write_bigint(struct pt_buf *b, struct pt_str s)
{
    bool negative = s.len > 0 && s.data[0] == '-';
    const char *p = s.data + negative;
    size_t digits = s.len - negative;
    while (digits > 1 && *p == '0')
        p++, digits--;
    if (digits == 1 && *p == '0') {
        pt_cbor_uint(b, 0); /* also for "-0", which is not below zero */
        return;
    }
    pt_cbor_tag(b, negative ? PT_TAG_BIG_NEGATIVE : PT_TAG_BIG);
    size_t n = (digits + 1) / 2;
    uint8_t *out = pt_cbor_bytes_room(b, n);
    if (out == NULL)
        return;
    size_t at = 0;
    if (digits % 2 != 0)
        out[at++] = (uint8_t)hex_digit(*p++);
    for (; at < n; at++, p += 2)
        out[at] = (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
    if (negative)
        for (at = n; at > 0 && out[--at]-- == 0;)
            ;
}

void
pt_consts_write(struct pt_buf *b, const struct pt_const *c, size_t n)
{
    for (size_t i = 0; i < n; i++, c++) {
        switch ((enum pt_const_kind)c->kind) {
        case PT_CONST_NONE:
            pt_cbor_null(b);
            break;
        case PT_CONST_ELLIPSIS:
            pt_cbor_tag(b, PT_TAG_ELLIPSIS);
            pt_cbor_null(b);
            break;
        case PT_CONST_BOOL:
            pt_cbor_bool(b, c->i != 0);
            break;
        case PT_CONST_INT:
            pt_cbor_int(b, c->i);
            break;
        case PT_CONST_BIGINT:
            write_bigint(b, c->s);
            break;
        case PT_CONST_FLOAT:
            pt_cbor_double(b, c->f);
            break;
        case PT_CONST_COMPLEX:
            pt_cbor_tag(b, PT_TAG_COMPLEX);
            pt_cbor_array(b, 2);
            pt_cbor_double(b, c->f);
            pt_cbor_double(b, c->g);
            break;
        case PT_CONST_STR:
            if (!pt_utf8_valid(c->s.data, c->s.len))
                pt_cbor_tag(b, PT_TAG_WTF8);
            pt_cbor_str(b, c->s);
            break;
        case PT_CONST_BYTES:
            pt_cbor_bytes(b, c->s.data, c->s.len);
            break;
        case PT_CONST_TUPLE:
            pt_cbor_array(b, c->n);
            break;
        case PT_CONST_FROZENSET:
            pt_cbor_tag(b, PT_TAG_SET);
            pt_cbor_array(b, c->n);
            break;
        case PT_CONST_CODE:
            pt_cbor_tag(b, PT_TAG_CODE);
            pt_cbor_uint(b, c->n);
            break;
        case PT_CONST_SLICE:
            pt_cbor_tag(b, PT_TAG_SLICE);
            pt_cbor_array(b, 3);
            break;
        case PT_CONST_OTHER:
            pt_cbor_tag(b, PT_TAG_OTHER);
            pt_cbor_str(b, c->s);
            break;
        }
    }
}

/* --- reading -------------------------------------------------------------- */

/* A bignum's bytes as "-" or "" and hex digits, in the pool. */
static enum pt_status
read_bigint(struct pt_pool *pool, struct pt_str bytes, bool negative,
            struct pt_const *out)
{
    size_t n = bytes.len;
    /* A zero in front takes the carry of adding one. */
    uint8_t *v = pt_pool_take(pool, n + 1, 1);
    char *hex = pt_pool_take(pool, 2 * (n + 1) + 2, 1);
    if (v == NULL || hex == NULL)
        return pool->limited ? PT_ELIMIT : PT_ENOMEM;
    if (n > 0)
        memcpy(v + 1, bytes.data, n);
    if (negative)
        for (size_t at = n + 1; at > 0 && ++v[--at] == 0;)
            ;
    size_t len = 0, first = 0;
    if (negative)
        hex[len++] = '-';
    while (first < 2 * n + 1 && (v[first / 2] >> (first % 2 ? 0 : 4) & 15) == 0)
        first++;
    for (; first < 2 * (n + 1); first++)
        hex[len++] =
            "0123456789abcdef"[v[first / 2] >> (first % 2 ? 0 : 4) & 15];
    out->kind = PT_CONST_BIGINT;
    out->s = (struct pt_str){hex, len};
    return PT_OK;
}

/* An integer of CBOR's own that int64_t does not hold. */
static enum pt_status
read_wide(struct pt_pool *pool, const struct pt_cbor_item *it,
          struct pt_const *out)
{
    uint8_t bytes[8];
    for (unsigned k = 0; k < 8; k++)
        bytes[k] = (uint8_t)(it->value >> (56 - 8 * k));
    return read_bigint(pool, (struct pt_str){(const char *)bytes, 8},
                       it->type == PT_CBOR_NEGINT, out);
}

static double
read_double(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    if (!pt_cbor_next(c, &it))
        return 0;
    if (it.type != PT_CBOR_FLOAT)
        c->bad = true;
    return it.real;
}

static enum pt_status
read_tagged(struct pt_cbor *c, struct pt_pool *pool, uint64_t tag,
            struct pt_const *out)
{
    switch (tag) {
    case PT_TAG_BIG:
    case PT_TAG_BIG_NEGATIVE: {
        struct pt_str bytes = pt_cbor_get_bytes(c);
        return read_bigint(pool, bytes, tag == PT_TAG_BIG_NEGATIVE, out);
    }
    case PT_TAG_SET:
        out->kind = PT_CONST_FROZENSET;
        out->n = (uint32_t)pt_cbor_get_array(c);
        break;
    case PT_TAG_WTF8:
        out->kind = PT_CONST_STR;
        out->s = pt_cbor_get_bytes(c);
        break;
    case PT_TAG_COMPLEX:
        out->kind = PT_CONST_COMPLEX;
        if (pt_cbor_get_array(c) != 2)
            c->bad = true;
        out->f = read_double(c);
        out->g = read_double(c);
        break;
    case PT_TAG_CODE:
        out->kind = PT_CONST_CODE;
        out->n = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        break;
    case PT_TAG_ELLIPSIS:
        out->kind = PT_CONST_ELLIPSIS;
        if (!pt_cbor_take_null(c))
            c->bad = true;
        break;
    case PT_TAG_SLICE:
        out->kind = PT_CONST_SLICE;
        out->n = 3;
        if (pt_cbor_get_array(c) != 3)
            c->bad = true;
        break;
    case PT_TAG_OTHER:
        out->kind = PT_CONST_OTHER;
        out->s = pt_cbor_get_str(c);
        break;
    default:
        c->bad = true;
    }
    return PT_OK;
}

static enum pt_status
read_const(struct pt_cbor *c, struct pt_pool *pool, struct pt_const *out)
{
    struct pt_cbor_item it;
    if (!pt_cbor_next(c, &it))
        return PT_EDAMAGED;
    switch (it.type) {
    case PT_CBOR_UINT:
    case PT_CBOR_NEGINT:
        if (it.value > INT64_MAX)
            return read_wide(pool, &it, out);
        out->kind = PT_CONST_INT;
        out->i = it.type == PT_CBOR_UINT ? (int64_t)it.value
                                         : -1 - (int64_t)it.value;
        return PT_OK;
    case PT_CBOR_BYTES:
    case PT_CBOR_TEXT:
        out->kind = it.type == PT_CBOR_TEXT ? PT_CONST_STR : PT_CONST_BYTES;
        out->s = (struct pt_str){(const char *)it.data, (size_t)it.value};
        return PT_OK;
    case PT_CBOR_ARRAY:
        out->kind = PT_CONST_TUPLE;
        out->n = (uint32_t)it.value;
        return PT_OK;
    case PT_CBOR_TAG: {
        enum pt_status st = read_tagged(c, pool, it.value, out);
        return st == PT_OK && c->bad ? PT_EDAMAGED : st;
    }
    case PT_CBOR_FLOAT:
        out->kind = PT_CONST_FLOAT;
        out->f = it.real;
        return PT_OK;
    case PT_CBOR_BOOL:
        out->kind = PT_CONST_BOOL;
        out->i = (int64_t)it.value;
        return PT_OK;
    case PT_CBOR_NULL:
        out->kind = PT_CONST_NONE;
        return PT_OK;
    default:
        return PT_EDAMAGED;
    }
}

enum pt_status
pt_consts_read(struct pt_cbor *c, struct pt_pool *pool, size_t count,
               const struct pt_const **out, size_t *n)
{
    /* Once over the items to learn how many there are, then for real. */
    struct pt_cbor look = *c;
    uint64_t need = count;
    size_t entries = 0;
    struct pt_cbor_item it;
    while (need > 0 && pt_cbor_next(&look, &it)) {
        need--;
        if (it.type == PT_CBOR_TAG && it.value != PT_TAG_COMPLEX) {
            need++;
            continue;
        }
        if (it.type == PT_CBOR_TAG)
            pt_cbor_skip(&look, 1);
        if (it.type == PT_CBOR_ARRAY)
            need += it.value;
        entries++;
    }
    if (look.bad)
        return PT_EDAMAGED;
    struct pt_const *list = pt_pool_take(pool, entries, sizeof *list);
    if (list == NULL)
        return pool->limited ? PT_ELIMIT : PT_ENOMEM;
    size_t i = 0;
    for (need = count; need > 0; need--) {
        if (i == entries)
            return PT_EDAMAGED;
        enum pt_status st = read_const(c, pool, &list[i]);
        if (st != PT_OK)
            return st;
        need += items_of(&list[i++]);
    }
    *out = list;
    *n = i;
    return PT_OK;
}
