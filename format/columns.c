#include "format/columns.h"

#include "format/bytes.h"

/* The loops over planes are worth vectorising whatever the build's level. */
#if defined(__GNUC__) && !defined(__clang__)
#define HOT __attribute__((optimize("O3")))
#else
#define HOT
#endif

bool
pt_clock_valid(const struct pt_clock *c)
{
    return c->mult > 0 && c->mult <= INT64_MAX && c->shift < 64 &&
           c->quantum > 0 && (c->quantum & (c->quantum - 1)) == 0;
}

/* --- planes --------------------------------------------------------------- */

HOT static void
put32(const uint32_t *restrict v, size_t n, unsigned width,
      uint8_t *restrict out)
{
    for (unsigned k = 0; k < width; k++, out += n)
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)(v[i] >> 8 * k);
}

HOT static void
put64(const uint64_t *restrict v, size_t n, unsigned width,
      uint8_t *restrict out)
{
    for (unsigned k = 0; k < width; k++, out += n)
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)(v[i] >> 8 * k);
}

HOT static void
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

HOT static void
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

/* The width that holds every bit of `all`: 1, 2, 3, 4 or 8. */
static unsigned
width_of(uint64_t all)
{
    if (all >> 32)
        return 8;
    return all >> 24 ? 4 : all >> 16 ? 3 : all >> 8 ? 2 : 1;
}

/* --- writing -------------------------------------------------------------- */

static uint32_t
zigzag32(uint32_t d)
{
    return d << 1 ^ (0 - (d >> 31));
}

static uint64_t
zigzag64(uint64_t d)
{
    return d << 1 ^ (0 - (d >> 63));
}

HOT static uint32_t
all32(const uint32_t *v, size_t n)
{
    uint32_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= v[i];
    return all;
}

HOT static uint32_t
delta32(const uint32_t *restrict v, size_t n, uint32_t *restrict out)
{
    uint32_t all = 0;
    out[0] = 0;
    for (size_t i = 1; i < n; i++) {
        out[i] = zigzag32(v[i] - v[i - 1]);
        all |= out[i];
    }
    return all;
}

HOT static uint64_t
delta64(const uint64_t *restrict v, size_t n, uint64_t *restrict out,
        uint64_t *plain)
{
    uint64_t all = 0, own = v[0];
    out[0] = 0;
    for (size_t i = 1; i < n; i++) {
        out[i] = zigzag64(v[i] - v[i - 1]);
        all |= out[i];
        own |= v[i];
    }
    *plain = own;
    return all;
}

static uint8_t *
column_head(struct pt_buf *b, const char *name, bool delta, unsigned width,
            uint64_t base, size_t n)
{
    pt_cbor_text(b, name);
    pt_cbor_map(b, delta ? 4 : 3);
    pt_cbor_text(b, "transform");
    pt_cbor_text(b, delta ? "delta" : "plain");
    pt_cbor_text(b, "width");
    pt_cbor_uint(b, width);
    if (delta) {
        pt_cbor_text(b, "base");
        pt_cbor_uint(b, base);
    }
    pt_cbor_text(b, "bytes");
    return pt_cbor_bytes_room(b, n * width);
}

/* Differences are taken only where they are narrower: a compressor finds the
 * repetitions of a loop in the plain values just as well. */
static void
write32(struct pt_buf *b, const char *name, const uint32_t *v, size_t n,
        struct pt_buf *scratch)
{
    unsigned width = width_of(all32(v, n));
    bool delta = false;
    if (width > 1) {
        scratch->len = 0;
        uint32_t *d = (uint32_t *)(void *)pt_buf_room(scratch, n * sizeof *d);
        if (d == NULL) {
            b->failed = true;
            return;
        }
        unsigned narrow = width_of(delta32(v, n, d));
        if (narrow < width) {
            delta = true;
            width = narrow;
        }
    }
    uint8_t *out = column_head(b, name, delta, width, v[0], n);
    if (out != NULL)
        put32(delta ? (const uint32_t *)(void *)scratch->data : v, n, width,
              out);
}

static void
write64(struct pt_buf *b, const char *name, const uint64_t *v, size_t n,
        struct pt_buf *scratch)
{
    scratch->len = 0;
    uint64_t *d = (uint64_t *)(void *)pt_buf_room(scratch, n * sizeof *d);
    if (d == NULL) {
        b->failed = true;
        return;
    }
    uint64_t plain;
    unsigned narrow = width_of(delta64(v, n, d, &plain));
    unsigned width = width_of(plain);
    bool delta = narrow < width;
    if (delta)
        width = narrow;
    uint8_t *out = column_head(b, name, delta, width, v[0], n);
    if (out != NULL)
        put64(delta ? d : v, n, width, out);
}

/* The differences, and every bit that is in one of them. */
HOT static uint64_t
time_deltas(const uint64_t *restrict t, size_t n, uint32_t *restrict d)
{
    uint64_t all = 0;
    d[0] = 0;
    for (size_t i = 1; i < n; i++) {
        uint64_t x = t[i] - t[i - 1];
        all |= x;
        d[i] = (uint32_t)x;
    }
    return all;
}

/* Rare: some do not fit 32 bits, and are cut to all ones. */
static void
cut_deltas(const uint64_t *t, size_t n, uint32_t *d)
{
    for (size_t i = 1; i < n; i++)
        if ((t[i] - t[i - 1]) >> 32)
            d[i] = UINT32_MAX;
}

/* How many differences do not fit 2, 3 and 4 bytes: all ones is the escape. */
HOT static void
count_beyond(const uint32_t *d, size_t n, uint32_t beyond[5])
{
    uint32_t two = 0, three = 0, four = 0;
    for (size_t i = 0; i < n; i++) {
        two += d[i] >= 0xffff;
        three += d[i] >= 0xffffff;
        four += d[i] == UINT32_MAX;
    }
    beyond[2] = two;
    beyond[3] = three;
    beyond[4] = four;
}

static void
time_range(const uint64_t *t, size_t n, bool sorted,
           struct pt_time_range *range)
{
    range->any = true;
    range->first = t[0];
    range->last = range->final = t[n - 1];
    if (sorted)
        return;
    for (size_t i = 0; i < n; i++) {
        if ((int64_t)t[i] < (int64_t)range->first)
            range->first = t[i];
        if ((int64_t)t[i] > (int64_t)range->last)
            range->last = t[i];
    }
}

/* Two bytes a time, unless more than one in 64 needs an escape. */
static void
write_time(struct pt_buf *b, const uint64_t *t, size_t n, uint32_t quantum,
           struct pt_buf *scratch, struct pt_time_range *range)
{
    scratch->len = 0;
    uint32_t *d = (uint32_t *)(void *)pt_buf_room(scratch, n * sizeof *d);
    if (d == NULL) {
        b->failed = true;
        return;
    }
    uint32_t beyond[5] = {0};
    uint64_t all = time_deltas(t, n, d);
    if (all >> 32)
        cut_deltas(t, n, d);
    if (all >= 0xffff)
        count_beyond(d, n, beyond);
    unsigned width = 2;
    while (width < 4 && beyond[width] > n / 64)
        width++;
    time_range(t, n, all >> 63 == 0, range);

    pt_cbor_text(b, "time");
    pt_cbor_map(b, 6);
    pt_cbor_text(b, "transform");
    pt_cbor_text(b, "time");
    pt_cbor_text(b, "width");
    pt_cbor_uint(b, width);
    pt_cbor_text(b, "quantum");
    pt_cbor_uint(b, quantum);
    pt_cbor_text(b, "base");
    pt_cbor_uint(b, t[0]);
    pt_cbor_text(b, "escapes");
    uint8_t *e = pt_cbor_bytes_room(b, 8 * (size_t)beyond[width]);
    if (e != NULL && beyond[width] != 0) {
        uint32_t mark = UINT32_MAX >> (32 - 8 * width);
        for (size_t i = 1; i < n; i++) {
            if (d[i] < mark)
                continue;
            d[i] = mark;
            pt_put64(e, t[i] - t[i - 1]);
            e += 8;
        }
    }
    pt_cbor_text(b, "bytes");
    uint8_t *out = pt_cbor_bytes_room(b, n * width);
    if (out != NULL)
        put32(d, n, width, out);
}

static const char *const names[PT_COLUMN_COUNT] = {
#define X(id, num, name, width) [num] = name,
    PT_COLUMNS (X)
#undef X
};

void
pt_columns_write(struct pt_buf *b, const struct pt_block *block,
                 uint32_t quantum, struct pt_buf *scratch,
                 struct pt_time_range *range)
{
    *range = (struct pt_time_range){0};
    size_t columns = 1;
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++)
        columns += block->used[c] != 0;
    pt_cbor_map(b, columns);
    uint8_t *shape = column_head(b, "shape", false, 1, 0, block->n);
    if (shape != NULL && block->n != 0)
        memcpy(shape, block->shape, block->n);
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++) {
        size_t n = block->used[c];
        if (n == 0)
            continue;
        if (c == PT_COL_TIME)
            write_time(b, block->time, n, quantum, scratch, range);
        else if (c == PT_COL_ARG)
            write64(b, names[c], block->arg, n, scratch);
        else
            write32(b, names[c], block->column[c], n, scratch);
    }
}

/* --- reading -------------------------------------------------------------- */

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
            struct pt_str t = pt_cbor_get_text(c);
            transform = true;
            if (pt_str_is(t, "plain"))
                in->transform = PT_PLAIN;
            else if (pt_str_is(t, "delta"))
                in->transform = PT_DELTA;
            else if (pt_str_is(t, "time"))
                in->transform = PT_TIME;
            else
                c->bad = true;
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
        } else {
            pt_cbor_skip(c, 1);
        }
    }
    if (!transform || !bytes || in->width == 0)
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
    if (!in->present || !fits(in, n, 1) || in->transform != PT_PLAIN)
        return PT_EDAMAGED;
    *out = (const uint8_t *)in->bytes.data;
    return PT_OK;
}

enum pt_status
pt_column_get32(const struct pt_column_in *in, size_t n, uint32_t *out)
{
    if (!fits(in, n, 4) || in->transform == PT_TIME)
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
    if (!fits(in, n, 8) || in->transform == PT_TIME)
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

HOT static enum pt_status
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
