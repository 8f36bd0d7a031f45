#include "format/columns.h"

#include "format/bytes.h"

bool
pt_clock_valid(const struct pt_clock *c)
{
    return c->mult > 0 && c->mult <= INT64_MAX && c->shift < 64 &&
           c->quantum > 0 && (c->quantum & (c->quantum - 1)) == 0;
}

/* --- planes --------------------------------------------------------------- */

PT_HOT static void
get32(const uint8_t *restrict p, size_t n, unsigned width,
      uint32_t *restrict out)
{
    const uint8_t *restrict q = p + n;
    const uint8_t *restrict r = q + n;
    const uint8_t *restrict s = r + n;
    switch (width) {
    case 1:
        for (size_t i = 0; i < n; i++)
            out[i] = p[i];
        break;
    case 2:
        for (size_t i = 0; i < n; i++)
            out[i] = p[i] | (uint32_t)q[i] << 8;
        break;
    case 3:
        for (size_t i = 0; i < n; i++)
            out[i] = p[i] | (uint32_t)q[i] << 8 | (uint32_t)r[i] << 16;
        break;
    default:
        for (size_t i = 0; i < n; i++)
            out[i] = p[i] | (uint32_t)q[i] << 8 | (uint32_t)r[i] << 16 |
                     (uint32_t)s[i] << 24;
        break;
    }
}

PT_HOT static void
get64(const uint8_t *restrict p, size_t n, unsigned width,
      uint64_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = p[i];
    for (unsigned k = 1; k < width; k++) {
        p += n;
        for (size_t i = 0; i < n; i++)
            out[i] |= (uint64_t)p[i] << 8 * k;
    }
}

/* --- columns -------------------------------------------------------------- */

static enum pt_transform
transform_of(struct pt_str name)
{
    static const char *const names[] = {
        [PT_PLAIN] = "plain",
        [PT_DELTA] = "delta",
        [PT_TIME] = "time",
        [PT_PREDICT] = "predict",
    };
    unsigned t = 0;
    while (t < PT_LATER && !pt_str_is(name, names[t]))
        t++;
    return (enum pt_transform)t;
}

void
pt_column_read(struct pt_cbor *c, struct pt_column_in *in)
{
    if (in->present)
        c->bad = true; /* the same column twice */
    in->present = true;
    size_t pairs = pt_cbor_get_map(c);
    bool transform = false, bytes = false;
    for (size_t i = 0; i < pairs && !c->bad; i++) {
        struct pt_str key = pt_cbor_get_text(c);
        if (pt_str_is(key, "transform")) {
            in->name = pt_cbor_get_text(c);
            in->transform = transform_of(in->name);
            transform = true;
        } else if (pt_str_is(key, "width")) {
            in->width = (uint32_t)pt_cbor_get_uint(c, 8);
        } else if (pt_str_is(key, "quantum")) {
            in->quantum = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        } else if (pt_str_is(key, "base")) {
            in->base = pt_cbor_get_uint(c, UINT64_MAX);
        } else if (pt_str_is(key, "bytes")) {
            in->bytes = pt_cbor_get_bytes(c);
            bytes = true;
        } else if (pt_str_is(key, "escapes")) {
            in->escapes = pt_cbor_get_bytes(c);
        } else if (pt_str_is(key, "runs")) {
            in->runs = pt_cbor_get_bytes(c);
        } else if (pt_str_is(key, "marks")) {
            in->marks = pt_cbor_get_bytes(c);
        } else {
            pt_cbor_skip(c, 1);
        }
    }
    if (!transform || (in->transform != PT_LATER && (!bytes || in->width == 0)))
        c->bad = true;
}

/* True when the column has exactly `n` values of at most `widest` bytes. */
static bool
fits(const struct pt_column_in *in, size_t n, unsigned widest)
{
    if (!in->present)
        return n == 0;
    return (in->width <= 4 || in->width == 8) && in->width <= widest &&
           in->bytes.len % in->width == 0 && in->bytes.len / in->width == n;
}

enum pt_status
pt_column_get8(const struct pt_column_in *in, size_t n, const uint8_t **out)
{
    if (!in->present || !fits(in, n, 1) ||
        (in->transform != PT_PLAIN && in->transform != PT_PREDICT))
        return PT_EDAMAGED;
    *out = (const uint8_t *)in->bytes.data;
    return PT_OK;
}

enum pt_status
pt_column_get32(const struct pt_column_in *in, size_t n, uint32_t *out)
{
    if (!fits(in, n, 4) || in->transform > PT_DELTA)
        return PT_EDAMAGED;
    if (n == 0)
        return PT_OK;
    get32((const uint8_t *)in->bytes.data, n, in->width, out);
    if (in->transform == PT_DELTA) {
        uint32_t v = (uint32_t)in->base;
        for (size_t i = 0; i < n; i++) {
            v += out[i] >> 1 ^ (0 - (out[i] & 1));
            out[i] = v;
        }
    }
    return PT_OK;
}

enum pt_status
pt_column_get64(const struct pt_column_in *in, size_t n, uint64_t *out)
{
    if (!fits(in, n, 8) || in->transform > PT_DELTA)
        return PT_EDAMAGED;
    if (n == 0)
        return PT_OK;
    get64((const uint8_t *)in->bytes.data, n, in->width, out);
    if (in->transform == PT_DELTA) {
        uint64_t v = in->base;
        for (size_t i = 0; i < n; i++) {
            v += out[i] >> 1 ^ (0 - (out[i] & 1));
            out[i] = v;
        }
    }
    return PT_OK;
}

PT_HOT static enum pt_status
sum_times(const struct pt_column_in *in, size_t n, const uint32_t *restrict d,
          const struct pt_clock *clock, int64_t *restrict out)
{
    uint32_t mark = UINT32_MAX >> (32 - 8 * in->width);
    uint32_t log2 =
        (uint32_t)__builtin_ctz(in->quantum ? in->quantum : clock->quantum);
    const uint8_t *escape = (const uint8_t *)in->escapes.data;
    size_t left = in->escapes.len;
    uint64_t quanta = in->base;
    struct pt_clock own = *clock;
    for (size_t i = 0; i < n; i++) {
        uint64_t x = d[i];
        if (__builtin_expect(x == mark, 0)) {
            if (left < 8)
                return PT_EDAMAGED;
            x = pt_get64(escape);
            escape += 8;
            left -= 8;
        }
        quanta += x;
        out[i] = pt_clock_ns(&own, quanta << log2);
    }
    return left == 0 ? PT_OK : PT_EDAMAGED;
}

enum pt_status
pt_column_get_time(const struct pt_column_in *in, size_t n,
                   const struct pt_clock *clock, uint32_t *scratch,
                   int64_t *out)
{
    if (!fits(in, n, 4) || (in->present && in->transform != PT_TIME) ||
        (in->quantum & (in->quantum - 1)) != 0)
        return PT_EDAMAGED;
    if (n == 0)
        return in->escapes.len == 0 ? PT_OK : PT_EDAMAGED;
    get32((const uint8_t *)in->bytes.data, n, in->width, scratch);
    return sum_times(in, n, scratch, clock, out);
}
