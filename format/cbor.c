/* Of libcbor only the encoders and the stream decoder are used: neither
 * allocates, and the stream decoder reads one item without recursion. */
#include "format/cbor.h"

#include <cbor/encoding.h>
#include <cbor/streaming.h>
#include <string.h>

enum { HEAD = 9 }; /* the longest head of an item */

#define ADD(buf, call)                                                         \
    do {                                                                       \
        uint8_t *p_ = pt_buf_room(buf, HEAD);                                  \
        if (p_ != NULL)                                                        \
            (buf)->len += (call);                                              \
    } while (0)

void
pt_cbor_uint(struct pt_buf *b, uint64_t v)
{
    ADD(b, cbor_encode_uint(v, p_, HEAD));
}

void
pt_cbor_int(struct pt_buf *b, int64_t v)
{
    if (v >= 0)
        pt_cbor_uint(b, (uint64_t)v);
    else
        ADD(b, cbor_encode_negint(~(uint64_t)v, p_, HEAD));
}

void
pt_cbor_bytes(struct pt_buf *b, const void *data, size_t len)
{
    ADD(b, cbor_encode_bytestring_start(len, p_, HEAD));
    pt_buf_add(b, data, len);
}

uint8_t *
pt_cbor_bytes_room(struct pt_buf *b, size_t len)
{
    ADD(b, cbor_encode_bytestring_start(len, p_, HEAD));
    uint8_t *p = pt_buf_room(b, len);
    if (p != NULL)
        b->len += len;
    return p;
}

static void
add_text(struct pt_buf *b, const char *data, size_t len)
{
    ADD(b, cbor_encode_string_start(len, p_, HEAD));
    pt_buf_add(b, data, len);
}

void
pt_cbor_text(struct pt_buf *b, const char *text)
{
    add_text(b, text, strlen(text));
}

void
pt_cbor_str(struct pt_buf *b, struct pt_str s)
{
    if (pt_utf8_valid(s.data, s.len))
        add_text(b, s.data, s.len);
    else
        pt_cbor_bytes(b, s.data, s.len);
}

void
pt_cbor_array(struct pt_buf *b, size_t n)
{
    ADD(b, cbor_encode_array_start(n, p_, HEAD));
}

void
pt_cbor_map(struct pt_buf *b, size_t pairs)
{
    ADD(b, cbor_encode_map_start(pairs, p_, HEAD));
}

void
pt_cbor_tag(struct pt_buf *b, uint64_t tag)
{
    ADD(b, cbor_encode_tag(tag, p_, HEAD));
}

void
pt_cbor_null(struct pt_buf *b)
{
    ADD(b, cbor_encode_null(p_, HEAD));
}

void
pt_cbor_bool(struct pt_buf *b, bool v)
{
    ADD(b, cbor_encode_bool(v, p_, HEAD));
}

void
pt_cbor_double(struct pt_buf *b, double v)
{
    ADD(b, cbor_encode_double(v, p_, HEAD));
}

bool
pt_utf8_valid(const char *data, size_t len)
{
    const uint8_t *p = (const uint8_t *)data;
    size_t i = 0;
    while (i < len) {
        if (len - i >= 8) {
            uint64_t w;
            memcpy(&w, p + i, 8);
            if ((w & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        uint8_t c = p[i];
        size_t more;
        uint32_t v, least;
        if (c < 0x80) {
            i++;
            continue;
        } else if ((c & 0xe0) == 0xc0) {
            more = 1, v = c & 0x1f, least = 0x80;
        } else if ((c & 0xf0) == 0xe0) {
            more = 2, v = c & 0x0f, least = 0x800;
        } else if ((c & 0xf8) == 0xf0) {
            more = 3, v = c & 0x07, least = 0x10000;
        } else {
            return false;
        }
        if (len - i <= more)
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
            v = v << 6 | (p[i + k] & 0x3f);
        }
        if (v < least || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
            return false;
        i += more + 1;
    }
    return true;
}

/* --- reading: callbacks that fill one item -------------------------------- */

static void
on_value(void *to, enum pt_cbor_type type, uint64_t value)
{
    struct pt_cbor_item *it = to;
    it->type = type;
    it->value = value;
}

#define ON_INT(bits)                                                           \
    static void on_uint##bits(void *to, uint##bits##_t v)                      \
    {                                                                          \
        on_value(to, PT_CBOR_UINT, v);                                         \
    }                                                                          \
    static void on_negint##bits(void *to, uint##bits##_t v)                    \
    {                                                                          \
        on_value(to, PT_CBOR_NEGINT, v);                                       \
    }
ON_INT(8)
ON_INT(16)
ON_INT(32)
ON_INT(64)

static void
on_bytes(void *to, cbor_data data, size_t len)
{
    on_value(to, PT_CBOR_BYTES, len);
    ((struct pt_cbor_item *)to)->data = data;
}

static void
on_text(void *to, cbor_data data, size_t len)
{
    on_value(to, PT_CBOR_TEXT, len);
    ((struct pt_cbor_item *)to)->data = data;
}

static void
on_array(void *to, size_t n)
{
    on_value(to, PT_CBOR_ARRAY, n);
}

static void
on_map(void *to, size_t n)
{
    on_value(to, PT_CBOR_MAP, n);
}

static void
on_tag(void *to, uint64_t tag)
{
    on_value(to, PT_CBOR_TAG, tag);
}

static void
on_double(void *to, double v)
{
    on_value(to, PT_CBOR_FLOAT, 0);
    ((struct pt_cbor_item *)to)->real = v;
}

static void
on_float(void *to, float v)
{
    on_double(to, (double)v);
}

static void
on_undefined(void *to)
{
    on_value(to, PT_CBOR_UNDEFINED, 0);
}

static void
on_null(void *to)
{
    on_value(to, PT_CBOR_NULL, 0);
}

static void
on_bool(void *to, bool v)
{
    on_value(to, PT_CBOR_BOOL, v);
}

/* Indefinite lengths and breaks: the format has none. */
enum { REFUSED = -1 };
static void
on_refused(void *to)
{
    on_value(to, (enum pt_cbor_type)REFUSED, 0);
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negint8,
    .negint16 = on_negint16,
    .negint32 = on_negint32,
    .negint64 = on_negint64,
    .byte_string_start = on_refused,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = on_refused,
    .indef_array_start = on_refused,
    .array_start = on_array,
    .indef_map_start = on_refused,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_undefined,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_refused,
};

bool
pt_cbor_next(struct pt_cbor *c, struct pt_cbor_item *it)
{
    if (c->bad)
        return false;
    size_t left = (size_t)(c->end - c->at);
    struct cbor_decoder_result r =
        cbor_stream_decode(c->at, left, &callbacks, it);
    if (r.status != CBOR_DECODER_FINISHED || r.read > left ||
        (int)it->type == REFUSED) {
        c->bad = true;
        return false;
    }
    c->at += r.read;
    left -= r.read;
    if ((it->type == PT_CBOR_ARRAY && it->value > left) ||
        (it->type == PT_CBOR_MAP && it->value > left / 2)) {
        c->bad = true;
        return false;
    }
    return true;
}

void
pt_cbor_skip(struct pt_cbor *c, uint64_t n)
{
    struct pt_cbor_item it;
    /* Cannot overflow: each item adds at most the bytes that are left, and
     * takes one of them at least. */
    while (n > 0 && pt_cbor_next(c, &it)) {
        n--;
        if (it.type == PT_CBOR_ARRAY)
            n += it.value;
        else if (it.type == PT_CBOR_MAP)
            n += 2 * it.value;
        else if (it.type == PT_CBOR_TAG)
            n++;
        if (n > (uint64_t)(c->end - c->at))
            c->bad = true;
    }
}

bool
pt_cbor_take_null(struct pt_cbor *c)
{
    enum { NULL_BYTE = 0xf6 };
    if (c->bad || c->at == c->end || *c->at != NULL_BYTE)
        return false;
    c->at++;
    return true;
}

/* The next item where it is of `type`, else NULL and bad. */
static bool
want(struct pt_cbor *c, struct pt_cbor_item *it, enum pt_cbor_type type)
{
    if (!pt_cbor_next(c, it))
        return false;
    if (it->type != type)
        c->bad = true;
    return !c->bad;
}

uint64_t
pt_cbor_get_uint(struct pt_cbor *c, uint64_t max)
{
    struct pt_cbor_item it;
    if (!want(c, &it, PT_CBOR_UINT))
        return 0;
    if (it.value > max) {
        c->bad = true;
        return 0;
    }
    return it.value;
}

int64_t
pt_cbor_get_int(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    if (!pt_cbor_next(c, &it))
        return 0;
    if (it.value <= INT64_MAX) {
        if (it.type == PT_CBOR_UINT)
            return (int64_t)it.value;
        if (it.type == PT_CBOR_NEGINT)
            return -1 - (int64_t)it.value;
    }
    c->bad = true;
    return 0;
}

static struct pt_str
as_str(const struct pt_cbor_item *it)
{
    return (struct pt_str){(const char *)it->data, (size_t)it->value};
}

struct pt_str
pt_cbor_get_bytes(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    return want(c, &it, PT_CBOR_BYTES) ? as_str(&it) : (struct pt_str){"", 0};
}

struct pt_str
pt_cbor_get_text(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    return want(c, &it, PT_CBOR_TEXT) ? as_str(&it) : (struct pt_str){"", 0};
}

struct pt_str
pt_cbor_get_str(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    if (pt_cbor_next(c, &it)) {
        if (it.type == PT_CBOR_TEXT || it.type == PT_CBOR_BYTES)
            return as_str(&it);
        c->bad = true;
    }
    return (struct pt_str){"", 0};
}

size_t
pt_cbor_get_array(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    return want(c, &it, PT_CBOR_ARRAY) ? (size_t)it.value : 0;
}

size_t
pt_cbor_get_map(struct pt_cbor *c)
{
    struct pt_cbor_item it;
    return want(c, &it, PT_CBOR_MAP) ? (size_t)it.value : 0;
}
