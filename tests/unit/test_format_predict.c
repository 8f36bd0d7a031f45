/* Prediction: what is packed comes back, what repeats costs nothing, and marks
 * that make no sense are damage. */
#include "tests/unit/test_format.h"

#include "format/item.h"
#include "format/predict.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = PT_BLOCK_EVENTS };

static struct pt_event *made, *back, *literals;
static uint32_t count; /* events made */
static struct pt_predictor *packer, *unpacker;

static void
begin(void)
{
    made = calloc(MOST, sizeof *made);
    back = calloc(MOST, sizeof *back);
    literals = calloc(MOST, sizeof *literals);
    count = 0;
    cr_assert_eq(pt_predictor_new(&packer), PT_OK);
    cr_assert_eq(pt_predictor_new(&unpacker), PT_OK);
}

static void
end(void)
{
    free(made);
    free(back);
    free(literals);
    pt_predictor_free(packer);
    pt_predictor_free(unpacker);
    pt_predictor_free(NULL);
}

TestSuite(format_predict, .init = begin, .fini = end);

static void
make(enum pt_kind kind, unsigned has, uint32_t id, uint32_t pos, uint32_t dst,
     uint64_t arg)
{
    cr_assert(count < MOST);
    made[count++] = (struct pt_event){.arg = arg,
                                      .id = id,
                                      .pos = pos,
                                      .dst = dst,
                                      .kind = (uint8_t)kind,
                                      .has = (uint8_t)has};
}

/* The literals that packing left in a block. */
static void
collect(const struct pt_block *b, uint32_t n)
{
    uint32_t at[PT_COLUMN_COUNT] = {0};
    for (uint32_t i = 0; i < n; i++) {
        uint8_t mask = b->masks[b->shape[i]];
        struct pt_event e = {.kind = b->shapes[b->shape[i]], .has = mask};
        for (unsigned c = PT_COL_TIME + 1; c < PT_COLUMN_COUNT; c++) {
            if (!(mask & 1u << c))
                continue;
            uint32_t k = at[c]++;
            if (c == PT_COL_ARG)
                e.arg = b->arg[k];
            else if (c == PT_COL_DST)
                e.dst = b->column[c][k];
            else if (c == PT_COL_LINE || c == PT_COL_OFF)
                e.pos = b->column[c][k];
            else
                e.id = b->column[c][k];
        }
        literals[i] = e;
    }
    for (unsigned c = PT_COL_TIME + 1; c < PT_COLUMN_COUNT; c++)
        cr_assert_eq(at[c], b->used[c], "column %u", c);
}

/* Packs what was made and unpacks it again; gives the number of literals and,
 * where asked, of marks. */
static uint32_t
through(const struct pt_frame *stack, size_t depth, size_t *marks_out)
{
    struct pt_block *b;
    struct pt_marks marks;
    cr_assert_eq(pt_block_new(&b), PT_OK);
    uint32_t timed = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct pt_event *e = &made[i];
        timed += e->has & PT_HAS(TIME);
        cr_assert_eq(
            pt_block_push(b, e->kind, e->has, i, e->id, e->pos, e->dst, e->arg),
            PT_OK);
    }
    cr_assert_eq(pt_predict_pack(packer, b, stack, depth, &marks), PT_OK);
    cr_expect_eq(b->n, count);
    cr_expect_eq(b->used[PT_COL_TIME], timed);
    collect(b, marks.literals);
    cr_assert_eq(pt_predict_unpack(unpacker, &marks, literals, stack, depth,
                                   back, count),
                 PT_OK);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(memcmp(&back[i], &made[i], sizeof *back), 0, "event %u",
                     i);
    pt_block_free(b);
    if (marks_out != NULL)
        *marks_out = marks.codes.len;
    return marks.literals;
}

enum {
    TIME = PT_HAS(TIME),
    CODE = PT_HAS(CODE),
    CALLEE = PT_HAS(CALLEE),
    TYPE = PT_HAS(TYPE),
    LINE = PT_HAS(LINE),
    OFF = PT_HAS(OFF),
    DST = PT_HAS(DST),
    ARG = PT_HAS(ARG)
};

static uint64_t state = 88172645463325252u;

static uint32_t
below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20) % n;
}

/* A block has 64 shapes at most: 12 masks of five kinds. */
static uint8_t kinds[5];

static void
choose_kinds(void)
{
    for (unsigned i = 0; i < sizeof kinds; i++)
        kinds[i] = (uint8_t)(1 + below(i < 3 ? 9 : PT_KIND_LIMIT - 1));
}

/* Any event: few values, so that many come again. */
static void
make_any(uint32_t values)
{
    static const uint8_t masks[] = {
        TIME | CODE | OFF,
        TIME | CODE | ARG,
        TIME | CODE | OFF | DST | ARG,
        TIME,
        0,
        OFF | DST,
        TIME | OFF | DST,
        TIME | CALLEE | OFF,
        TIME | TYPE | OFF | DST | ARG,
        LINE,
        ARG | DST,
        TIME | CODE | LINE,
    };
    unsigned has = masks[below(sizeof masks)];
    uint32_t v[4];
    for (unsigned i = 0; i < 4; i++)
        v[i] = below(50) == 0 ? (uint32_t)state : below(values);
    make((enum pt_kind)kinds[below(sizeof kinds)], has,
         has & (CODE | CALLEE | TYPE) ? v[0] : 0, has & (OFF | LINE) ? v[1] : 0,
         has & DST ? v[2] : 0, has & ARG ? (below(20) == 0 ? state : v[3]) : 0);
}

Test(format_predict, anything_comes_back)
{
    struct pt_frame stack[40];
    for (unsigned round = 0; round < 300; round++) {
        uint32_t n = below(4) == 0 ? below(8) : below(3000);
        size_t depth = below(40);
        choose_kinds();
        for (size_t i = 0; i < depth; i++)
            stack[i] = (struct pt_frame){
                .id = below(5), .key = below(9), .callable = (uint8_t)below(2)};
        for (count = 0; count < n;)
            make_any(1 + round % 7);
        uint32_t m = through(stack, depth, NULL);
        cr_expect(m <= n && (m > 0 || n == 0));
    }
}

Test(format_predict, a_full_block_without_any_repetition)
{
    for (uint32_t i = 0; i < MOST; i++)
        make(PT_CALL, CODE | OFF, i, i, 0, 0);
    cr_expect_eq(through(NULL, 0, NULL), MOST);
}

/* A loop that calls a function, which calls one of C, every second time. */
static void
make_loop(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        bool odd = i % 2 != 0;
        make(PT_BRANCH, OFF | DST, 0, 20, odd ? 40 : 22, 0);
        make(PT_CALL, TIME | CODE | OFF, 7, odd ? 50 : 30, 0, 0);
        make(PT_C_CALL, TIME | CALLEE | OFF, 3, 12, 0, 0);
        make(PT_C_RETURN, TIME, 0, 0, 0, 0);
        make(PT_RETURN, TIME, 0, 0, 0, 0);
    }
}

Test(format_predict, what_repeats_is_a_mark_at_most)
{
    make_loop(10000);
    size_t marks;
    uint32_t m = through(NULL, 0, &marks);
    cr_expect(m < 12, "%u literals", m);
    cr_expect(marks < 10000 + 12, "%zu marks for 10000 branches", marks);
    /* Without the alternation there is nothing to mark. */
    count = 0;
    for (unsigned i = 0; i < 10000; i++)
        make(PT_JUMP, OFF | DST, 0, 20, 10, 0);
    m = through(NULL, 0, &marks);
    cr_expect(m == 2 && marks == 2, "%u literals, %zu marks", m, marks);
}

Test(format_predict, times_of_branches_are_periodic)
{
    for (unsigned period = 1; period < 70; period += 23) {
        count = 0;
        for (unsigned i = 0; i < 5000; i++)
            make(PT_BRANCH, OFF | DST | (i % period == 3 % period ? TIME : 0),
                 0, 4, 8, 0);
        uint32_t m = through(NULL, 0, NULL);
        cr_expect(m < 8, "period %u: %u literals", period, m);
    }
}

/* Round robin: each task is resumed after all others were. */
Test(format_predict, keys_of_tasks_that_take_turns)
{
    for (unsigned i = 0; i < 20; i++) {
        make(PT_CALL, CODE | OFF | ARG, 5, 60, 0, 100 + 8 * i);
        make(PT_YIELD, OFF, 0, 90, 0, 0);
    }
    for (unsigned i = 0; i < 2000; i++) {
        make(PT_RESUME, CODE | OFF | DST | ARG, 5, 70, 92, 100 + i % 20 * 8);
        make(PT_YIELD, OFF, 0, 90, 0, 0);
    }
    size_t marks;
    uint32_t m = through(NULL, 0, &marks);
    /* Twice for each time round, where it goes back to the first. */
    cr_expect(m < 20 + 2 * 100 + 8, "%u literals", m);
    cr_expect(marks < 2000 + 20 + 8, "%zu marks", marks);
}

/* A generator inside of a generator, as `yield from` has it. */
Test(format_predict, keys_of_generators_in_each_other)
{
    for (unsigned i = 0; i < 300; i++) {
        for (unsigned k = 0; k < 3; k++)
            make(PT_CALL, CODE | OFF | ARG, 5, 60, 0, 3 * i + k + 1);
        for (unsigned again = 0; again < 5; again++) {
            for (unsigned k = 0; k < 3; k++)
                make(PT_YIELD, OFF, 0, 90, 0, 0);
            for (unsigned k = 0; k < 3; k++)
                make(PT_RESUME, CODE | OFF | DST | ARG, 5, 70, 92,
                     3 * i + k + 1);
        }
        for (unsigned k = 0; k < 3; k++)
            make(PT_RETURN, 0, 0, 0, 0, 0);
    }
    uint32_t m = through(NULL, 0, NULL);
    cr_expect(m < 30, "%u literals", m);
}

/* More frames than the model follows, and more ends than beginnings. */
Test(format_predict, stacks_of_any_depth)
{
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 5000; i++)
            make(PT_CALL, CODE | OFF, 2, 16, 0, 0);
        for (unsigned i = 0; i < 7000; i++)
            make(PT_RETURN, 0, 0, 0, 0, 0);
    }
    through(NULL, 0, NULL);
    struct pt_frame *deep = calloc(30000, sizeof *deep);
    through(deep, 30000, NULL);
    free(deep);
}

/* --- marks that make no sense --------------------------------------------- */

static enum pt_status
unpack(const char *runs, size_t nruns, const char *codes, size_t ncodes,
       uint32_t nliterals, uint32_t n)
{
    struct pt_marks marks = {{runs, nruns}, {codes, ncodes}, nliterals};
    return pt_predict_unpack(unpacker, &marks, literals, NULL, 0, back, n);
}

#define UNPACK(runs, codes, nliterals, n)                                      \
    unpack(runs, sizeof(runs) - 1, codes, sizeof(codes) - 1, nliterals, n)

Test(format_predict, nonsense_is_damage)
{
    literals[0] = (struct pt_event){.kind = PT_JUMP, .has = OFF, .pos = 4};
    literals[1] = (struct pt_event){.kind = PT_JUMP, .has = OFF, .pos = 6};
    cr_expect_eq(UNPACK("", "", 0, 0), PT_OK);
    cr_expect_eq(UNPACK("\0\0", "\x10\x10", 2, 2), PT_OK);
    cr_expect_eq(UNPACK("", "", 0, 1), PT_EDAMAGED); /* nothing is known */
    cr_expect_eq(UNPACK("\1", "\x10", 1, 2), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0", "\1", 0, 1), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0\0\0", "\x10\x10\x10", 2, 3), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0\0", "\x10\x10", 2, 1), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0", "\x10", 2, 1), PT_EDAMAGED); /* one is left */
    cr_expect_eq(UNPACK("\0\0", "\x10", 1, 1), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0", "\x10\x10", 2, 2), PT_EDAMAGED);
    cr_expect_eq(UNPACK("", "\x10", 1, 1), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\xff", "\x10", 1, 1), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0\xff", "\x10\x10", 2, 300), PT_EDAMAGED);
    cr_expect_eq(UNPACK("\0", "\x11", 1, 1), PT_EDAMAGED); /* no such mark */
    cr_expect_eq(UNPACK("\0", "\xff", 1, 1), PT_EDAMAGED);
}

Test(format_predict, random_marks_do_no_harm)
{
    char runs[200], codes[200];
    unsigned good = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t m = 1 + below(6), n = 1 + below(200), k = below(40);
        choose_kinds();
        for (count = 0; count < m;)
            make_any(3);
        memcpy(literals, made, m * sizeof *made);
        for (uint32_t i = 0; i < sizeof runs; i++) {
            runs[i] = (char)(below(9) == 0 ? 255 : below(6));
            codes[i] = (char)(i == 0 || below(3) == 0 ? 16 : below(18));
        }
        runs[0] = 0;
        enum pt_status st = unpack(runs, k + below(2), codes, k, m, n);
        cr_assert(st == PT_OK || st == PT_EDAMAGED);
        good += st == PT_OK;
    }
    cr_expect(good > 0);
}

Test(format_predict, every_allocation)
{
    make_loop(3000);
    for (unsigned i = 0; i < 3000; i++)
        make(PT_CALL, CODE | OFF, i, i, 0, 0);
    struct pt_block *b;
    struct pt_marks marks;
    for (int n = 0;; n++) {
        cr_assert_eq(pt_block_new(&b), PT_OK);
        for (uint32_t i = 0; i < count; i++)
            pt_block_push(b, made[i].kind, made[i].has, 0, made[i].id,
                          made[i].pos, made[i].dst, made[i].arg);
        struct pt_predictor *one = NULL, *two = NULL;
        pt_testing.failed = 0;
        pt_testing.fail_alloc = n;
        enum pt_status st = pt_predictor_new(&one);
        if (st == PT_OK)
            st = pt_predictor_new(&two);
        if (st == PT_OK)
            st = pt_predict_pack(one, b, NULL, 0, &marks);
        if (st == PT_OK) {
            collect(b, marks.literals);
            st = pt_predict_unpack(two, &marks, literals, NULL, 0, back, count);
        }
        pt_testing.fail_alloc = -1;
        cr_assert_eq(st, pt_testing.failed ? PT_ENOMEM : PT_OK, "%d", n);
        pt_predictor_free(one);
        pt_predictor_free(two);
        pt_block_free(b);
        if (st == PT_OK) {
            cr_expect(n > 10, "only %d allocations", n);
            break;
        }
    }
}

/* --- a transform of a later version --------------------------------------- */

static enum pt_status
read_item(const char *shape, const char *code)
{
    struct pt_buf b = {0};
    pt_cbor_map(&b, 4);
    pt_cbor_text(&b, "n");
    pt_cbor_uint(&b, 0);
    pt_cbor_text(&b, "shapes");
    pt_cbor_array(&b, 0);
    pt_cbor_text(&b, "stack");
    pt_cbor_array(&b, 0);
    pt_cbor_text(&b, "columns");
    pt_cbor_map(&b, 2);
    pt_cbor_text(&b, "shape");
    pt_cbor_map(&b, 3);
    pt_cbor_text(&b, "transform");
    pt_cbor_text(&b, shape);
    pt_cbor_text(&b, "width");
    pt_cbor_uint(&b, 1);
    pt_cbor_text(&b, "bytes");
    pt_cbor_bytes(&b, "", 0);
    pt_cbor_text(&b, "code");
    pt_cbor_map(&b, 1); /* it may have other keys altogether */
    pt_cbor_text(&b, "transform");
    pt_cbor_text(&b, code);
    cr_assert(!b.failed);
    struct pt_stack stack = {0};
    struct pt_item item;
    enum pt_status st =
        pt_item_read((struct pt_str){(char *)b.data, b.len}, &stack, &item);
    pt_buf_clear(&b);
    pt_alloc_free(stack.frames);
    return st;
}

Test(format_predict, unknown_transforms_are_no_damage)
{
    cr_expect_eq(read_item("plain", "wavelet"), PT_EUNSUPPORTED);
    cr_expect_eq(read_item("predicted", "wavelet"), PT_EUNSUPPORTED);
    cr_expect_eq(read_item("plain", "plain"), PT_EDAMAGED); /* no bytes */
}
