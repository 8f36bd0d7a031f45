/* Histogram, options, JSON and text: the parts that analyzers are made of. */
#include "analyze/blocking.h"
#include "analyze/histogram.h"
#include "analyze/json.h"
#include "analyze/options.h"
#include "analyze/output.h"
#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- histogram -------------------------------------------------------------
 */

static int
compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

Test(analyze_histogram, percentiles_within_two_percent)
{
    enum { N = 20000 };
    uint64_t *values = malloc(N * sizeof *values), state = 5;
    struct pt_histogram h = {0};
    for (unsigned i = 0; i < N; i++) {
        /* As many of each order of magnitude, up to 2^62. */
        uint64_t v =
            (uint64_t)dice(&state, 1u << 31) << 31 | dice(&state, 1u << 31);
        values[i] = v >> dice(&state, 62);
        cr_assert(pt_histogram_add(&h, values[i]));
    }
    qsort(values, N, sizeof *values, compare_u64);
    for (unsigned percent = 1; percent < 100; percent++) {
        double share = percent / 100.0;
        uint64_t rank = (uint64_t)(share * N);
        double truth = (double)values[rank < share * N ? rank : rank - 1];
        double told = (double)pt_histogram_percentile(&h, N, share);
        cr_expect(told >= 0.98 * truth - 0.5 && told <= 1.02 * truth + 0.5,
                  "%g: %g, not %g", share, told, truth);
    }
    pt_histogram_clear(&h);
    free(values);
}

Test(analyze_histogram, extremes)
{
    struct pt_histogram h = {0}, sum = {0};
    cr_assert(pt_histogram_add(&h, 0));
    cr_assert(pt_histogram_add(&h, INT64_MAX));
    cr_assert(pt_histogram_add(&h, UINT64_MAX));
    cr_assert(pt_histogram_merge(&sum, &h));
    cr_assert(pt_histogram_merge(&sum, &h));
    cr_expect_eq(pt_histogram_percentile(&sum, 6, 0.3), 0);
    cr_expect_gt(pt_histogram_percentile(&sum, 6, 0.5), INT64_MAX / 100 * 98);
    pt_histogram_clear(&h);
    pt_histogram_clear(&sum);
}

/* --- options ---------------------------------------------------------------
 */

struct values {
    bool flag;
    const char *text, *choice;
    uint64_t count;
    struct pt_text_list list;
};
static const struct pt_option table[] = {
    {"flag", 'f', PT_OPTION_FLAG, offsetof(struct values, flag), NULL, ""},
    {"text", 't', PT_OPTION_TEXT, offsetof(struct values, text), "T", ""},
    {"choice", 0, PT_OPTION_CHOICE, offsetof(struct values, choice), "red|blue",
     ""},
    {"count", 'n', PT_OPTION_COUNT, offsetof(struct values, count), "N", ""},
    {"list", 0, PT_OPTION_LIST, offsetof(struct values, list), "L", ""},
    {0}};

static enum pt_status
parse(struct values *v, const char **operand, struct pt_error *error, int argc,
      const char *const *argv)
{
    struct pt_option_group group = {table, v};
    struct pt_text_list operands = {0};
    memset(v, 0, sizeof *v);
    enum pt_status st =
        pt_arguments_parse(&group, 1, argc, (char **)argv, &operands, 1, error);
    if (operands.n)
        *operand = operands.items[0];
    free(operands.items);
    return st;
}

Test(analyze_options, forms)
{
    static const char *const argv[] = {
        "--flag", "-t",     "x=y",  "--choice=blue", "--count", "18446",
        "--list", "--flag", "file", "--list=b",      "-n7",     "--"};
    struct values v;
    struct pt_error error;
    const char *operand = "default";
    cr_assert_eq(parse(&v, &operand, &error, 12, argv), PT_OK);
    cr_expect(v.flag);
    cr_expect_str_eq(v.text, "x=y");
    cr_expect_str_eq(v.choice, "blue");
    cr_expect_eq(v.count, 7u);
    cr_expect_eq(v.list.n, 2u);
    cr_expect_str_eq(v.list.items[0], "--flag");
    cr_expect_str_eq(operand, "file");
    pt_arguments_clear(&(struct pt_option_group){table, &v}, 1);
    static const char *const most[] = {"--count=99999999999999999999"};
    cr_assert_eq(parse(&v, &operand, &error, 1, most), PT_OK);
    cr_expect_eq(v.count, UINT64_MAX);
    cr_assert_eq(parse(&v, &operand, &error, 0, argv), PT_OK);
    cr_expect_str_eq(operand, "file", "untouched without one");
}

Test(analyze_options, refusals)
{
    static const struct {
        const char *word, *says;
    } cases[] = {{"--flga", "--flag?"},       {"--flag=1", "no value"},
                 {"--choice=green", "red"},   {"--choice=re", "red"},
                 {"--count=1x", "number"},    {"--count=", "number"},
                 {"--text", "needs"},         {"-q", "unknown"},
                 {"--unheard-of", "unknown"}, {"--coun=1", "--count?"},
                 {"--count=0", "number"},     {"--count= 1", "number"},
                 {"--count=-1", "number"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v;
        struct pt_error error;
        const char *operand;
        cr_expect_eq(parse(&v, &operand, &error, 1, &cases[i].word), PT_EUSAGE);
        cr_expect(strstr(error.text, cases[i].says), "%s: %s", cases[i].word,
                  error.text);
    }
}

/* --- text and JSON ---------------------------------------------------------
 */

Test(analyze_text, numbers)
{
    static const struct {
        int64_t ns;
        const char *text;
    } times[] = {{0, "0 ns"},          {999, "999 ns"},
                 {1000, "1.000 us"},   {9999, "9.999 us"},
                 {12345, "12.35 us"},  {999940, "999.9 us"},
                 {999960, "1.000 ms"}, {1234567890, "1.235 s"},
                 {-5000, "-5.000 us"}, {7200000000000, "7200 s"}};
    char buffer[PT_NUMBER_TEXT];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        cr_expect_str_eq(pt_text_duration(times[i].ns, buffer), times[i].text);
    cr_expect_str_eq(pt_text_grouped(0, buffer), "0");
    cr_expect_str_eq(pt_text_grouped(999, buffer), "999");
    cr_expect_str_eq(pt_text_grouped(UINT64_MAX, buffer),
                     "18,446,744,073,709,551,615");
    cr_expect_str_eq(pt_text_size(999, buffer), "999 bytes");
    cr_expect_str_eq(pt_text_size(1234567, buffer), "1.23 MB");
    cr_expect_str_eq(pt_text_size(999999, buffer), "1.00 MB");
}

Test(analyze_text, shorten_keeps_the_ends)
{
    for (unsigned width = 0; width < 40; width++) {
        char text[] = "a_name_\xc3\xa9\xe2\x82\xac_of_thirty_letters_x";
        unsigned was = pt_text_width(text);
        pt_text_shorten(text, width);
        cr_expect_eq(pt_text_width(text), width < was ? width : was);
        if (width >= 5 && width < was) {
            cr_expect_eq(text[0], 'a');
            cr_expect_eq(text[strlen(text) - 1], 'x');
        }
    }
}

/* What `write` prints. */
static char *
printed(void (*print)(struct pt_out *, struct pt_str), struct pt_str s)
{
    struct place place;
    struct pt_error error;
    struct pt_out *out;
    size_t size;
    place_make(&place);
    struct pt_out_options options = {.path = place.path};
    cr_assert_eq(pt_out_open(&options, &error, &out), PT_OK);
    print(out, s);
    cr_assert_eq(pt_out_close(out, &error), PT_OK);
    char *text = (char *)slurp(place.path, &size);
    text = realloc(text, size + 1);
    text[size] = 0;
    place_remove(&place);
    return text;
}

static void
expect_printed(void (*print)(struct pt_out *, struct pt_str), struct pt_str s,
               const char *wanted)
{
    char *text = printed(print, s);
    cr_expect_str_eq(text, wanted);
    free(text);
}

Test(analyze_json, strings)
{
    expect_printed(pt_json_quote, S("a\"b\\c\n\x01\x7f/"),
                   "\"a\\\"b\\\\c\\n\\u0001\\u007f/\"");
    expect_printed(pt_json_quote, S("\xed\xb2\x80 \xed\xa0\x80"),
                   "\"\\udc80 \\ud800\"");
    expect_printed(pt_json_quote, S("\xe2\x82\xac\xf0\x9f\x90\x8d"),
                   "\"\xe2\x82\xac\xf0\x9f\x90\x8d\"");
    expect_printed(pt_json_quote, S("\xff\xc0\x80\xe2\x82"),
                   "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
    expect_printed(pt_json_quote, (struct pt_str){NULL, 0}, "\"\"");
    expect_printed(pt_json_quote, (struct pt_str){"\0", 1}, "\"\\u0000\"");
    expect_printed(pt_out_str, S("\x1b[0m\xed\xb2\x80\xff\xc2\x9b"),
                   "\\x1b[0m\\xed\\xb2\\x80\\xff\\xc2\\x9b");
}

static void
print_document(struct pt_out *out, struct pt_str s)
{
    struct pt_json j;
    pt_json_init(&j, out, 2);
    pt_json_open(&j, '{');
    pt_json_key(&j, "n");
    pt_json_i64(&j, INT64_MIN);
    pt_json_key(&j, "list");
    pt_json_open(&j, '[');
    pt_json_bool(&j, true);
    pt_json_null(&j);
    pt_json_open(&j, '{');
    pt_json_close(&j, '}');
    pt_json_close(&j, ']');
    pt_json_key(&j, "s");
    pt_json_str(&j, s);
    pt_json_close(&j, '}');
    pt_json_finish(&j);
}

Test(analyze_json, documents)
{
    expect_printed(print_document, S("x"),
                   "{\n \"n\": -9223372036854775808,\n"
                   " \"list\": [true, null, {}],\n \"s\": \"x\"\n}\n");
}

static void
print_numbers(struct pt_out *out, struct pt_str s)
{
    static const int64_t numbers[] = {0,     1,       -1,        999,
                                      -1000, 1234567, INT64_MAX, INT64_MIN};
    struct pt_json j;
    pt_json_init(&j, out, 0);
    j.html = true;
    pt_json_open(&j, '[');
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        pt_json_micros(&j, numbers[i]);
    pt_json_str(&j, s);
    pt_json_close(&j, ']');
}

Test(analyze_json, microseconds_and_pages)
{
    expect_printed(print_numbers, S("</script><!--"),
                   "[0.000, 0.001, -0.001, 0.999, -1.000, 1234.567, "
                   "9223372036854775.807, -9223372036854775.808, "
                   "\"\\u003c/script>\\u003c!--\"]");
    expect_printed(pt_out_str,
                   S("a\xe2\x80\xa8\xe2\x80\xa9"
                     "b\xe2\x80\xaa"),
                   "a\\xe2\\x80\\xa8\\xe2\\x80\\xa9"
                   "b\xe2\x80\xaa");
}

Test(analyze_output, long_texts_and_full_disks)
{
    size_t size = 3 * PT_OUT_BUFFER + 17;
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = 0;
    expect_printed(pt_out_str, (struct pt_str){text, size}, text);
    expect_printed(pt_json_quote, (struct pt_str){text, 0}, "\"\"");
    struct pt_out_options options = {.path = "/dev/full"};
    struct pt_error error;
    struct pt_out *out;
    if (pt_out_open(&options, &error, &out) == PT_OK) {
        pt_out_text(out, text);
        cr_expect_eq(pt_out_close(out, &error), PT_EIO);
        cr_expect(strstr(error.text, "/dev/full"));
    }
    free(text);
}

/* --- blocking ------------------------------------------------------------- */

static bool
blocks(const char *module, const char *owner, const char *name)
{
    struct pt_callable c = {.module = {module, strlen(module)},
                            .owner = {owner, strlen(owner)},
                            .name = {name, strlen(name)}};
    return pt_callable_blocks(&c);
}

Test(blocking, is_told_by_module_or_type_and_name)
{
    cr_expect(blocks("time", "", "sleep"));
    cr_expect(blocks("_thread", "lock", "acquire"));
    cr_expect(blocks("", "lock", "acquire"));
    cr_expect(blocks("select", "epoll", "poll"));
    cr_expect(blocks("_io", "TextIOWrapper", "readline"));
    cr_expect_not(blocks("select", "", "poll")); /* makes the object */
    cr_expect_not(blocks("time", "", "time"));
    cr_expect_not(blocks("time", "", "slee"));
    cr_expect_not(blocks("time", "", "sleep sleep"));
    cr_expect_not(blocks("builtins", "dict", "get"));
    cr_expect_not(blocks("mine", "lock", "acquire"));
    cr_expect_not(blocks("", "", ""));
    cr_expect_not(blocks("time", "", "a_name_that_is_longer_than_all_of_them"));
}
