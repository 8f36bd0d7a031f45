#include "format/columns.h"

#include "format/bytes.h"

/* --- planes --------------------------------------------------------------- */

PT_HOT static void
put32(const uint32_t *restrict v, size_t n, unsigned width,
      uint8_t *restrict out)
{
    for (unsigned k = 0; k < width; k++, out += n)
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)(v[i] >> 8 * k);
}

PT_HOT static void
put64(const uint64_t *restrict v, size_t n, unsigned width,
      uint8_t *restrict out)
{
    for (unsigned k = 0; k < width; k++, out += n)
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)(v[i] >> 8 * k);
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

PT_HOT static uint32_t
all32(const uint32_t *v, size_t n)
{
    uint32_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= v[i];
    return all;
}

PT_HOT static uint32_t
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

PT_HOT static uint64_t
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
void
pt_column_write32(struct pt_buf *b, const char *name, const uint32_t *v,
                  size_t n, struct pt_buf *scratch)
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
PT_HOT static uint64_t
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
PT_HOT static void
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

/* The shapes of literals, and what tells of the other events. */
static void
write_marks(struct pt_buf *b, const struct pt_marks *marks,
            const uint8_t *shapes)
{
    pt_cbor_text(b, "shape");
    pt_cbor_map(b, 5);
    pt_cbor_text(b, "transform");
    pt_cbor_text(b, "predict");
    pt_cbor_text(b, "width");
    pt_cbor_uint(b, 1);
    pt_cbor_text(b, "runs");
    pt_cbor_bytes(b, marks->runs.data, marks->runs.len);
    pt_cbor_text(b, "marks");
    pt_cbor_bytes(b, marks->codes.data, marks->codes.len);
    pt_cbor_text(b, "bytes");
    pt_cbor_bytes(b, shapes, marks->literals);
}

static void
write_columns(struct pt_buf *b, const struct pt_block *block,
              const struct pt_marks *marks, uint32_t quantum,
              struct pt_buf *scratch, struct pt_time_range *range)
{
    *range = (struct pt_time_range){0};
    size_t columns = 1;
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++)
        columns += block->used[c] != 0;
    pt_cbor_map(b, columns);
    if (marks != NULL) {
        write_marks(b, marks, block->shape);
    } else {
        uint8_t *shape = column_head(b, "shape", false, 1, 0, block->n);
        if (shape != NULL && block->n != 0)
            memcpy(shape, block->shape, block->n);
    }
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++) {
        size_t n = block->used[c];
        if (n == 0)
            continue;
        if (c == PT_COL_TIME)
            write_time(b, block->time, n, quantum, scratch, range);
        else if (c == PT_COL_ARG)
            write64(b, names[c], block->arg, n, scratch);
        else
            pt_column_write32(b, names[c], block->column[c], n, scratch);
    }
}

void
pt_columns_write(struct pt_buf *b, const struct pt_block *block,
                 uint32_t quantum, struct pt_buf *scratch,
                 struct pt_time_range *range)
{
    write_columns(b, block, NULL, quantum, scratch, range);
}

void
pt_columns_write_packed(struct pt_buf *b, const struct pt_block *block,
                        const struct pt_marks *marks, uint32_t quantum,
                        struct pt_buf *scratch, struct pt_time_range *range)
{
    write_columns(b, block, marks, quantum, scratch, range);
}
