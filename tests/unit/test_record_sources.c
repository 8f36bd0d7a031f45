/* Which files the collector takes for the source of a code object. */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

static void
put_file(struct fake *f, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL && fputs(text, file) >= 0);
    fclose(file);
}

/* The text of the source of code object `name`, or "" where it has none. */
static struct pt_str
text_of(struct fake *f, const char *name)
{
    for (uint32_t i = 1; i <= pt_trace_code_count(f->trace); i++) {
        const struct pt_code *code = pt_trace_code(f->trace, i);
        if (fake_is(code->name, name) && code->source != 0)
            return pt_trace_source(f->trace, code->source)->text;
    }
    return (struct pt_str){"", 0};
}

Test(record_sources, sources)
{
    struct fake f;
    char fifo[200], absolute[200];
    fake_open(&f, 0);
    f.t->defs.sources.command = "print(1)";
    put_file(&f, "rel.py", "relative");
    put_file(&f, "b\xff.py", "bytes");
    snprintf(absolute, sizeof absolute, "%s/rel.py", f.folder);
    snprintf(fifo, sizeof fifo, "%s/fifo.py", f.folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    fake_define_code(&f, 9, "rel.py", "relative");
    fake_define_code(&f, 10, absolute, "absolute");
    fake_define_code(&f, 11, "b\xed\xb3\xbf.py", "bytes");
    fake_define_code(&f, 12, "missing.py", "missing");
    fake_define_code(&f, 13, "fifo.py", "fifo");
    fake_define_code(&f, 14, "<frozen os>", "frozen");
    fake_define_code(&f, 15, "<string>", "inner");
    fake_define_code(&f, 16, "<string>", "<module>");
    fake_define_code(&f, 17, "<string>", "later");
    fake_define_code(&f, 18, "", "nameless");
    fake_define_code(&f, 19, "/", "folder");
    struct fake_lane l;
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    fake_drain(&f);
    cr_assert(!f.t->stopped);
    fake_close(&f);
    cr_assert(fake_is(text_of(&f, "relative"), "relative"));
    cr_assert(fake_is(text_of(&f, "absolute"), "relative"));
    cr_assert(fake_is(text_of(&f, "bytes"), "bytes"));
    cr_assert(fake_is(text_of(&f, "inner"), "print(1)"));
    cr_assert(fake_is(text_of(&f, "<module>"), "print(1)"));
    static const char *const none[] = {"missing", "fifo",     "frozen",
                                       "later",   "nameless", "folder"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_assert_eq(text_of(&f, none[i]).len, 0, "%s", none[i]);
    fake_clear(&f);
}
