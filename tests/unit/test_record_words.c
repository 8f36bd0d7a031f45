/* The shim's words: taken out of an environment and put back into others,
 * whatever those hold. */
#include "record/shim/words.h"
#include "record/proto.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE PT_ENV "=ptrec-1,42,7,0"

static char shim[4096]; /* our path, as dladdr() tells it: this program's */

/* Makes `text`, entries parted by a blank, the environment; # is the shim. */
static void
set_environment(const char *text)
{
    static char *entries[32];
    char *copy = strdup(text), *save;
    size_t n = 0;
    for (char *e = strtok_r(copy, " ", &save); e != NULL;
         e = strtok_r(NULL, " ", &save)) {
        char *at = strchr(e, '#');
        cr_assert_geq(asprintf(&entries[n++], "%.*s%s%s",
                               at != NULL ? (int)(at - e) : (int)strlen(e), e,
                               at != NULL ? shim : "",
                               at != NULL ? at + 1 : ""),
                      0);
    }
    entries[n] = NULL;
    environ = entries;
    free(copy);
}

static void
use_shim(const char *path)
{
    snprintf(pt_words.shim, sizeof pt_words.shim, "%s", path);
}

/* What a process with such an environment would see. */
static void
expect_taken(const char *from, const char *left)
{
    char got[8192] = "";
    size_t n = 0;
    memset(&pt_words, 0, sizeof pt_words);
    set_environment(from);
    pt_words_take();
    for (char **e = environ; *e != NULL; e++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%s",
                              e == environ ? "" : " ", *e);
    cr_expect_str_eq(got, left, "of %s: %s", from, got);
}

static void
find_shim(void)
{
    set_environment(VARIABLE);
    pt_words_take();
    snprintf(shim, sizeof shim, "%s", pt_words.shim);
    cr_assert_neq(shim[0], '\0');
    cr_assert(strpbrk(shim, ": ") == NULL);
}

Test(record_words, taken, .init = find_shim)
{
    expect_taken("A=1 LD_PRELOAD=# B=2 " VARIABLE " C=3", "A=1 B=2 C=3");
    cr_expect(pt_words.known && pt_words.pass && !pt_words.alone);
    cr_expect_str_eq(pt_words.socket, "ptrec-1");
    cr_expect_eq(pt_words.main, 42);
    cr_expect_eq(pt_words.parent, 7);
    expect_taken("LD_PRELOAD=#:/x.so " VARIABLE, "LD_PRELOAD=/x.so");
    expect_taken("LD_PRELOAD=#: " VARIABLE, "LD_PRELOAD=");
    expect_taken("LD_PRELOAD=/x.so:# " VARIABLE, "LD_PRELOAD=/x.so");
    expect_taken("LD_PRELOAD=/x.so:#:/y.so " VARIABLE,
                 "LD_PRELOAD=/x.so:/y.so");
}

Test(record_words, not_ours, .init = find_shim)
{
    expect_taken("A=1 LD_PRELOAD=/x.so", "A=1 LD_PRELOAD=/x.so");
    cr_expect_not(pt_words.known);
    expect_taken("LD_PRELOAD=/other.so " VARIABLE, "LD_PRELOAD=/other.so");
    expect_taken(VARIABLE, "");
    const char *bad[] = {"", "x", "a,1,2", "a,1,2,0,9", ",1,2,0", "a,b,c,d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, PT_ENV "=%s", bad[i]);
        expect_taken(text, "");
        cr_expect_not(pt_words.known, "%s", bad[i]);
    }
}

static uint64_t
number(void)
{
    return UINT64_MAX;
}

/* What is put into an environment is taken out of it again. */
static void
expect_put(char *const envp[], const char *text)
{
    char expected[8192], *left = expected;
    size_t room = pt_words_room(envp);
    cr_assert_gt(room, 0);
    char *memory = malloc(room); /* a sanitizer watches its end */
    char **out = pt_words_put(memory, envp);
    expected[0] = '\0';
    for (char **e = out; *e != NULL; e++)
        left += sprintf(left, "%s%s", e == out ? "" : " ", *e);
    char *want = NULL;
    const char *at = strchr(text, '#');
    cr_assert_geq(
        asprintf(&want, "%.*s%s%s", (int)(at - text), text, shim, at + 1), 0);
    cr_expect_str_eq(expected, want);
    free(want);
    free(memory);
}

Test(record_words, put, .init = find_shim)
{
    char *none[] = {NULL};
    char *plain[] = {"A=1", "B=2", NULL};
    char *theirs[] = {"A=1", "LD_PRELOAD=/x.so", "B=2", NULL};
    char *empty[] = {"LD_PRELOAD=", NULL};
    char *again[] = {"A=1", VARIABLE, NULL};
    expect_taken("LD_PRELOAD=# " VARIABLE, "");
    use_shim("/proc/self/exe"); /* can be read */
    snprintf(shim, sizeof shim, "%s", pt_words.shim);
    expect_put(NULL, "LD_PRELOAD=# " VARIABLE);
    expect_put(none, "LD_PRELOAD=# " VARIABLE);
    expect_put(plain, "A=1 B=2 LD_PRELOAD=# " VARIABLE);
    expect_put(theirs, "A=1 LD_PRELOAD=#:/x.so B=2 " VARIABLE);
    expect_put(empty, "LD_PRELOAD=#: " VARIABLE);
    cr_expect_eq(pt_words_room(again), 0);
    pt_words_number = number;
    expect_put(none,
               "LD_PRELOAD=# " PT_ENV "=ptrec-1,42,18446744073709551615,0");
    pt_words_number = NULL;
    pt_words.pass = false;
    cr_expect_eq(pt_words_room(plain), 0);
}

/* More than any exec takes stays as it is. */
Test(record_words, limits, .init = find_shim)
{
    enum { MANY = 1 << 15, LONG = 1 << 17 };
    char **many = calloc(MANY + 1, sizeof *many);
    for (int i = 0; i < MANY; i++)
        many[i] = "A=1";
    expect_taken("LD_PRELOAD=# " VARIABLE, "");
    use_shim("/proc/self/exe");
    cr_expect_gt(pt_words_room(NULL), 0);
    cr_expect_eq(pt_words_room(many), 0);
    char *line = malloc(LONG);
    memset(line, 'x', LONG);
    memcpy(line, "LD_PRELOAD=", 11);
    line[LONG - 1] = '\0';
    char *one[] = {line, NULL};
    cr_expect_eq(pt_words_room(one), 0);
    use_shim("/nowhere/shim.so");
    cr_expect_eq(pt_words_room(NULL), 0, "it could not be loaded there");
    free(line);
    free(many);
}
