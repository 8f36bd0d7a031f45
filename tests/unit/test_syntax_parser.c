/* Parsers that are not what they should be, and what they answer. */
#include "analyze/obtain.h"
#include "format/syntax.h"
#include "syntax/parser.h"
#include "tests/unit/test_format.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct place place;

static void
setup(void)
{
    place_make(&place);
}

static void
teardown(void)
{
    place_remove(&place);
}

TestSuite(syntax_parser, .init = setup, .fini = teardown, .timeout = 120);

/* An interpreter that is a shell script. */
#define GREETS "printf '\\001\\000\\120\\124\\014\\003\\000\\000'\n"
static const char *
fake(const char *body)
{
    FILE *f = fopen(place.path, "w");
    cr_assert_not_null(f);
    fprintf(f, "#!/bin/sh\n%s", body);
    cr_assert_eq(fclose(f), 0);
    cr_assert_eq(chmod(place.path, 0755), 0);
    return place.path;
}

static void
cannot_start(const char *python, const char *why)
{
    struct pt_parser p = {0};
    struct pt_error e = {0};
    cr_expect_eq(pt_parser_start(&p, python, 0, &e), PT_EIO);
    cr_expect(strstr(e.text, why), "%s", e.text);
    pt_parser_stop(&p);
}

Test(syntax_parser, that_does_not_start)
{
    cannot_start("/no/such/python", "it ended with status 127");
    cannot_start(fake("exit 3\n"), "it ended with status 3");
    cannot_start(fake("kill -SEGV $$\n"), "it was ended by signal 11");
    cannot_start(fake("echo hello, world\n"), "cannot parse");
}

static void
fails(const char *body, const char *why)
{
    struct pt_parser p = {0};
    struct pt_error e;
    struct pt_syntax *s;
    cr_assert_eq(pt_parser_start(&p, fake(body), 0, &e), PT_OK, "%s", e.text);
    cr_expect_eq(p.version, 0x30c);
    cr_assert_eq(pt_parser_parse(&p, S("x = 1\n"), &s), PT_OK);
    cr_expect(str_equal(s->failure, (struct pt_str){why, strlen(why)}), "%.*s",
              (int)s->failure.len, s->failure.data);
    cr_expect_eq(s->version, 0x30c);
    cr_expect_eq(p.pid, 0, "it is still there");
    pt_syntax_free(s);
    pt_parser_stop(&p);
}

Test(syntax_parser, that_dies_of_a_text)
{
    fails(GREETS "exit 1\n", "the parser ended with status 1");
    fails(GREETS "read x\nkill -SEGV $$\n",
          "the parser was ended by signal 11");
    fails(GREETS "printf '\\004\\000\\000\\000abcd'\nread x\nread x\n",
          "the parser gave an answer that cannot be");
    fails(GREETS "printf '\\377\\377\\377\\377'\nread x\nread x\n",
          "the parser gave an answer that cannot be");
}

static void *
cancel_soon(void *parser)
{
    usleep(200000);
    pt_parser_cancel(parser);
    return NULL;
}

Test(syntax_parser, that_is_cancelled)
{
    struct pt_parser p = {0};
    struct pt_error e;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, &p), 0);
    cr_expect_eq(pt_parser_start(&p, fake("sleep 60\n"), 0, &e), PT_END);
    pthread_join(thread, NULL);
    pt_parser_stop(&p);
    cr_expect_eq(p.pid, 0);
}

/* "# c\nif a: pass\n", as parse.py answers it. */
static const uint32_t words[] = {
    0,  2,                                   /* parsed, lines */
    2,                                       /* statements */
    18, 7, 0, 0, 0, 1, 2, 2, 0, 6, 2, 2, 10, /* kind ... end_line, */
    10, 2, 2, 0, 0,                          /* end_column first name */
    2,                                       /* suites */
    0,  1, 0, 0, 0, 1, 1, 2, 0, 0, 0, 2, 0,  /* kind ... colon_line */
    4,  2, 2,                                /* colon_column end_line */
    1,  1, 2, 0, 0, 1, 2, 3, 2, 4,           /* expressions */
    0,                                       /* logical */
    1,  1, 0,                                /* comments */
    1,  2};                                  /* code */

Test(syntax_parser, answers)
{
    char answer[sizeof words + 2];
    struct pt_syntax *s;
    memcpy(answer, words, sizeof words);
    memcpy(answer + sizeof words, "f\n", 2);
    struct pt_str all = {answer, sizeof answer};
    cr_assert_eq(pt_parser_answer(all, &s), PT_OK);
    cr_expect_eq(s->nstatements, 2);
    cr_expect_eq(s->statements[1].suite, 1);
    cr_expect_eq(s->suites[1].colon_column, 4);
    cr_expect_eq(s->expressions[0].end_column, 4);
    cr_expect_eq(s->ncode, 1);
    cr_expect_eq(s->nnames, 1);
    pt_syntax_free(s);
    size_t taken = 0;
    for (size_t i = 0; i < sizeof answer; i++) {
        cr_expect_neq(pt_parser_answer((struct pt_str){answer, i}, &s),
                      PT_ENOMEM);
        for (unsigned bit = 0; bit < 8; bit++) {
            answer[i] ^= (char)(1u << bit);
            enum pt_status st = pt_parser_answer(all, &s);
            cr_assert(st == PT_OK || st == PT_EDAMAGED, "byte %zu", i);
            if (st == PT_OK) {
                cr_expect(pt_syntax_valid(s));
                pt_syntax_free(s);
                taken++;
            }
            answer[i] ^= (char)(1u << bit);
        }
    }
    cr_expect_lt(taken, 8 * sizeof answer / 2);
}

/* What a trace lacks is made, by a Python of its version and no other. */
Test(syntax_parser, obtained)
{
    struct pt_writer *w;
    struct pt_source text = {S("a.py"), S("/a.py"), S("x = 1 and 2\n"), 1};
    struct pt_end end = {.reason = S("complete")};
    struct pt_error e;
    struct pt_trace *t;
    struct pt_obtain *o;
    struct pt_syntax *s;
    uint32_t id;
    cr_assert_eq(pt_writer_open(place.second, sample_header(), NULL, NULL, &w),
                 PT_OK);
    cr_assert_eq(pt_writer_source(w, &text, &id), PT_OK);
    cr_assert_eq(pt_writer_close(w, &end, NULL), PT_OK);
    cr_assert_eq(pt_trace_open(place.second, NULL, &t), PT_OK);

    cr_assert_eq(pt_obtain_new(t, fake(GREETS "exit 1\n"), &o), PT_OK);
    cr_expect_eq(pt_obtain_syntax(o, id, 0x30b, &e, &s), PT_ENOTFOUND);
    cr_expect(strstr(e.text, "is no Python 3.11"), "%s", e.text);
    cr_expect_eq(pt_obtain_syntax(o, id + 1, 0x30c, &e, &s), PT_ENOTFOUND);
    cr_assert_eq(pt_obtain_syntax(o, id, 0x30c, &e, &s), PT_OK);
    cr_expect_eq(s->source, id);
    cr_expect_gt(s->failure.len, 0);
    pt_syntax_free(s);
    pt_obtain_free(o);

    /* Whichever Python 3 there is. */
    struct pt_parser p = {0};
    cr_assert_eq(pt_parser_start(&p, "python3", 0, &e), PT_OK, "%s", e.text);
    pt_parser_stop(&p);
    cr_assert_eq(pt_obtain_new(t, NULL, &o), PT_OK);
    for (int again = 0; again < 2; again++) {
        cr_assert_eq(pt_obtain_syntax(o, id, p.version, &e, &s), PT_OK, "%s",
                     e.text);
        cr_expect_eq(s->nexpressions, 3);
        cr_expect_eq(s->version, p.version);
        pt_syntax_free(s);
    }
    cr_expect_eq(pt_obtain_syntax(o, id, 0x901, &e, &s), PT_ENOTFOUND);
    cr_expect(strstr(e.text, "no python9.1 on PATH"), "%s", e.text);
    pt_obtain_free(o);
    pt_trace_close(t);
}
