/* Runs the tests of tests/unit that were linked with this, one after the other;
 * see criterion/criterion.h. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 64 };

static struct {
    const char *name;
    void (*test)(void);
} tests[MOST];
static unsigned count;

void
tsan_add(const char *name, void (*test)(void))
{
    if (count == MOST)
        tsan_failed(__FILE__, __LINE__, "count < MOST");
    tests[count].name = name;
    tests[count++].test = test;
}

void
tsan_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    exit(1);
}

int
main(void)
{
    for (unsigned i = 0; i < count; i++) {
        printf("%s\n", tests[i].name);
        fflush(stdout);
        tests[i].test();
    }
    printf("%u tests\n", count);
    return count == 0;
}
