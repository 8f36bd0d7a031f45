/* Columns, CBOR and constants, each against what went in. */
#include "tests/unit/test_format.h"

#include "format/columns.h"
#include "format/defs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* --- columns: any values through a block and back ------------------------- */

static uint64_t
next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Writes a block's columns and reads them again. */
static void
through(const struct pt_block *b, struct pt_column_in columns[PT_COLUMN_COUNT],
        struct pt_buf *item)
{
    struct pt_buf scratch = {0};
    struct pt_time_range range;
    pt_columns_write(item, b, 32, &scratch, &range);
    cr_assert(!item->failed);
    pt_buf_clear(&scratch);
    struct pt_cbor c = pt_cbor_over(item->data, item->len);
    size_t n = pt_cbor_get_map(&c);
    struct pt_column_in shape = {0};
    for (size_t i = 0; i < n; i++) {
        struct pt_str key = pt_cbor_get_text(&c);
#define X(id, num, name, width)                                                \
    if (pt_str_is(key, name))                                                  \
        pt_column_read(&c, &columns[num]);
        PT_COLUMNS (X)
#undef X
            if (pt_str_is(key, "shape"))
                pt_column_read(&c, &shape);
    }
    cr_assert(!c.bad && c.at == c.end);
    const uint8_t *shapes;
    cr_assert_eq(pt_column_get8(&shape, b->n, &shapes), PT_OK);
    cr_assert(b->n == 0 || memcmp(shapes, b->shape, b->n) == 0);
}

static void
try_times(const uint64_t *times, uint32_t n)
{
    struct pt_block *b;
    cr_assert_eq(pt_block_new(&b), PT_OK);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(
            pt_block_push(b, PT_RETURN, PT_HAS(TIME), times[i], 0, 0, 0, 0),
            PT_OK);
    struct pt_column_in columns[PT_COLUMN_COUNT] = {{0}};
    struct pt_buf item = {0};
    through(b, columns, &item);
    /* A clock by which ns are quanta. */
    struct pt_clock clock = {.mult = 1, .shift = 5, .quantum = 32};
    int64_t *out = calloc(n + 1, sizeof *out);
    uint32_t *scratch = calloc(n + 1, sizeof *scratch);
    cr_assert_eq(
        pt_column_get_time(&columns[PT_COL_TIME], n, &clock, scratch, out),
        PT_OK);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(out[i], (int64_t)(times[i] * 32) >> 5, "%u", i);
    free(out);
    free(scratch);
    pt_buf_clear(&item);
    pt_block_free(b);
}

Test(format_columns, times)
{
    uint64_t t[3000], state = 88172645463325252u;
    /* Differences of up to `bits` bits need every width and many escapes. */
    for (unsigned bits = 1; bits <= 40; bits++) {
        uint64_t now = next(&state) >> 20;
        for (unsigned i = 0; i < 3000; i++)
            t[i] = now += next(&state) >> (64 - bits);
        try_times(t, 3000);
        try_times(t, 1);
    }
    static const uint64_t edges[] = {
        0,          0xfe,       0xfe + 0xff,          0x100fe,
        0x200fd,    0x1200fc,   UINT32_MAX,           2 * (uint64_t)UINT32_MAX,
        5,          4,          UINT64_C(1) << 40,    0,
        0xfffffffe, UINT64_MAX, UINT64_MAX - 0xfffff, 7};
    try_times(edges, sizeof edges / sizeof *edges);
}

Test(format_columns, ids_lines_and_arguments)
{
    uint64_t state = 4711;
    for (unsigned bits = 0; bits <= 64; bits++) {
        struct pt_block *b;
        cr_assert_eq(pt_block_new(&b), PT_OK);
        uint64_t arg[500];
        uint32_t code[500], line[500];
        uint8_t mask = PT_HAS(CODE) | PT_HAS(LINE) | PT_HAS(ARG);
        uint64_t base = next(&state);
        for (unsigned i = 0; i < 500; i++) {
            uint64_t v = bits == 0 ? 0 : next(&state) >> (64 - bits);
            arg[i] = bits % 2 ? v : base + v; /* close together: differences */
            code[i] = (uint32_t)v;
            line[i] = (uint32_t)(base + (v & 63));
            cr_assert_eq(
                pt_block_push(b, PT_CALL, mask, 0, code[i], line[i], 0, arg[i]),
                PT_OK);
        }
        struct pt_column_in columns[PT_COLUMN_COUNT] = {{0}};
        struct pt_buf item = {0};
        through(b, columns, &item);
        uint32_t out[500];
        uint64_t wide[500];
        cr_assert_eq(pt_column_get32(&columns[PT_COL_CODE], 500, out), PT_OK);
        cr_expect_eq(memcmp(out, code, sizeof out), 0);
        cr_assert_eq(pt_column_get32(&columns[PT_COL_LINE], 500, out), PT_OK);
        cr_expect_eq(memcmp(out, line, sizeof out), 0);
        cr_assert_eq(pt_column_get64(&columns[PT_COL_ARG], 500, wide), PT_OK);
        cr_expect_eq(memcmp(wide, arg, sizeof wide), 0);
        /* One value more or less than there are is damage. */
        cr_expect_eq(pt_column_get32(&columns[PT_COL_CODE], 499, out),
                     PT_EDAMAGED);
        cr_expect_eq(pt_column_get32(&columns[PT_COL_OFF], 1, out),
                     PT_EDAMAGED);
        pt_buf_clear(&item);
        pt_block_free(b);
    }
}

Test(format_columns, clocks)
{
    struct pt_clock c = {.mult = 1, .quantum = 1};
    cr_expect(pt_clock_valid(&c));
    c.quantum = 0;
    cr_expect(!pt_clock_valid(&c));
    c.quantum = 48;
    cr_expect(!pt_clock_valid(&c));
    c.quantum = 64;
    c.shift = 64;
    cr_expect(!pt_clock_valid(&c));
    c.shift = 63;
    c.mult = INT64_MAX;
    cr_expect(pt_clock_valid(&c));
    cr_expect_eq(pt_clock_ns(&c, (uint64_t)INT64_MIN), -INT64_MAX);
    cr_expect_eq(pt_clock_ns(&c, (uint64_t)-1), -1);
    c.mult++;
    cr_expect(!pt_clock_valid(&c));
    c.mult = 0;
    cr_expect(!pt_clock_valid(&c));
}

/* --- CBOR ----------------------------------------------------------------- */

Test(format_cbor, utf8)
{
    static const struct {
        struct pt_str s;
        bool valid;
    } cases[] = {
        {{"", 0}, true},
        {{"plain text of more than eight", 29}, true},
        {{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9}, true},
        {{"\xf4\x8f\xbf\xbf", 4}, true},
        {{"\xf4\x90\x80\x80", 4}, false}, /* beyond the last character */
        {{"\xc0\x80", 2}, false},         /* longer than needed */
        {{"\xe0\x80\x80", 3}, false},
        {{"\xed\xa0\x80", 3}, false}, /* a surrogate */
        {{"\xe2\x82", 2}, false},
        {{"12345678\x80", 9}, false},
        {{"\xff", 1}, false},
        {{"\xc3(", 2}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(pt_utf8_valid(cases[i].s.data, cases[i].s.len),
                     cases[i].valid, "case %zu", i);
}

Test(format_cbor, cursor_refuses)
{
    static const struct pt_str bad[] = {
        {"", 0},
        {"\x18", 1},         /* a number without its byte */
        {"\x44\x01\x02", 3}, /* a string beyond the end */
        {"\x9f\x01\xff", 3}, /* indefinite length */
        {"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9}, /* items that are not */
        {"\xbb\x80\x00\x00\x00\x00\x00\x00\x00", 9},
        {"\x83\x01\x02", 3},
        {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
        {"\xc1", 1},
        {"\x1c", 1},
        {"\xff", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_cbor c = pt_cbor_over(bad[i].data, bad[i].len);
        pt_cbor_skip(&c, 1);
        cr_expect(c.bad, "case %zu", i);
        cr_expect_eq(pt_cbor_get_uint(&c, 5), 0);
        cr_expect_eq(pt_cbor_get_str(&c).len, 0);
    }
    struct pt_cbor c = pt_cbor_over("\x07\x07", 2);
    cr_expect_eq(pt_cbor_get_uint(&c, 7), 7);
    cr_expect_eq(pt_cbor_get_uint(&c, 6), 0);
    cr_expect(c.bad);
    c = pt_cbor_over("\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    cr_expect_eq(pt_cbor_get_int(&c), 0);
    cr_expect(c.bad);
    c = pt_cbor_over("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
    cr_expect_eq(pt_cbor_get_int(&c), INT64_MIN);
    /* Deep nesting costs no stack. */
    size_t n = 1u << 22;
    uint8_t *deep = malloc(n);
    memset(deep, 0x81, n);
    deep[n - 1] = 0x01;
    c = pt_cbor_over(deep, n);
    pt_cbor_skip(&c, 1);
    cr_expect(!c.bad && c.at == c.end);
    free(deep);
}

/* --- constants ------------------------------------------------------------ */

/* Writes constants and reads them again. */
static enum pt_status
consts_through(const struct pt_const *in, size_t n, struct pt_pool *pool,
               struct pt_buf *item, const struct pt_const **out, size_t *m)
{
    size_t top;
    cr_assert_eq(pt_consts_count(in, n, &top), PT_OK);
    pt_cbor_array(item, top);
    pt_consts_write(item, in, n);
    cr_assert(!item->failed);
    struct pt_cbor c = pt_cbor_over(item->data, item->len);
    size_t count = pt_cbor_get_array(&c);
    cr_assert_eq(count, top);
    enum pt_status st = pt_consts_read(&c, pool, count, out, m);
    cr_expect(st != PT_OK || (!c.bad && c.at == c.end));
    return st;
}

static void
bigint(const char *in, const char *out)
{
    struct pt_pool pool;
    struct pt_buf item = {0};
    pt_pool_init(&pool, 1 << 20);
    struct pt_const k = {.kind = PT_CONST_BIGINT, .s = {in, strlen(in)}};
    const struct pt_const *got;
    size_t n;
    cr_assert_eq(consts_through(&k, 1, &pool, &item, &got, &n), PT_OK);
    cr_assert_eq(n, 1);
    cr_expect_eq(got->kind, PT_CONST_BIGINT);
    cr_expect(str_equal(got->s, (struct pt_str){out, strlen(out)}), "%s: %.*s",
              in, (int)got->s.len, got->s.data);
    pt_buf_clear(&item);
    pt_pool_clear(&pool);
}

Test(format_consts, big_integers)
{
    bigint("ff", "ff");
    bigint("-1", "-1");
    bigint("-100", "-100");
    bigint("-10000000000000000", "-10000000000000000");
    bigint("FFFFFFFFFFFFFFFFFF", "ffffffffffffffffff");
    bigint("-ffffffffffffffffffff", "-ffffffffffffffffffff");
    bigint("000abc", "abc");
    bigint("123456789abcdef0123456789abcdef01",
           "123456789abcdef0123456789abcdef01");
}

Test(format_consts, integers_of_others)
{
    /* Writers may use CBOR's own integers up to 64 bits. */
    static const uint8_t item[] = {0x1b, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0x3b, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct pt_pool pool;
    pt_pool_init(&pool, 1 << 20);
    struct pt_cbor c = pt_cbor_over(item, sizeof item);
    const struct pt_const *got;
    size_t n;
    cr_assert_eq(pt_consts_read(&c, &pool, 2, &got, &n), PT_OK);
    cr_expect(str_equal(got[0].s, S("ffffffffffffffff")));
    cr_expect(str_equal(got[1].s, S("-10000000000000000")));
    pt_pool_clear(&pool);
}

Test(format_consts, refuses)
{
    size_t top;
    struct pt_const k[2] = {{.kind = PT_CONST_TUPLE, .n = 2},
                            {.kind = PT_CONST_NONE}};
    cr_expect_eq(pt_consts_count(k, 2, &top), PT_EUSAGE);
    k[0] = (struct pt_const){.kind = 77};
    cr_expect_eq(pt_consts_count(k, 1, &top), PT_EUSAGE);
    k[0] = (struct pt_const){.kind = PT_CONST_BIGINT, .s = S("-")};
    cr_expect_eq(pt_consts_count(k, 1, &top), PT_EUSAGE);
    k[0].s = S("12x");
    cr_expect_eq(pt_consts_count(k, 1, &top), PT_EUSAGE);

    static const struct pt_str bad[] = {
        {"\xc2\x01", 2},                 /* a bignum that is no byte string */
        {"\xd9\x01\x02\x01", 4},         /* a set of nothing */
        {"\xd9\xa7\xf8\x81\x01", 5},     /* half a complex */
        {"\xda\x70\x74\x72\x01\x01", 6}, /* an Ellipsis of 1 */
        {"\xc5\x01", 2},                 /* an unknown tag */
        {"\xa0", 1},                     /* a map */
        {"\xf7", 1},
        {"\xc2", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pt_pool pool;
        pt_pool_init(&pool, 1 << 20);
        struct pt_cbor c = pt_cbor_over(bad[i].data, bad[i].len);
        const struct pt_const *got;
        size_t n;
        cr_expect_eq(pt_consts_read(&c, &pool, 1, &got, &n), PT_EDAMAGED,
                     "case %zu", i);
        pt_pool_clear(&pool);
    }
}

Test(format_pool, keeps_to_its_limit)
{
    struct pt_pool pool;
    pt_pool_init(&pool, 1 << 20);
    cr_expect_not_null(pt_pool_take(&pool, 1, 1));
    cr_expect_null(pt_pool_take(&pool, 1 << 21, 1));
    cr_expect(pool.limited);
    cr_expect_null(pt_pool_take(&pool, SIZE_MAX / 2, 8));
    cr_expect(pool.limited);
    char *a = pt_pool_take(&pool, 100, 1), *b = pt_pool_take(&pool, 1 << 19, 1);
    cr_expect(a != NULL && b != NULL && ((uintptr_t)b & 15) == 0);
    char *c = pt_pool_take(&pool, 100, 1);
    cr_expect_eq(c - a, 112, "small requests go on in the first block");
    pt_pool_clear(&pool);
}
